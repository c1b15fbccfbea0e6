/* Whether the edge's output is a function of the reference's, or the reverse: an activation
 * function, or one affine map in all frames.
 *
 * Except for the affine map, no candidate has a free parameter, so one that explains whole vectors
 * does not do so by chance: its inputs are equal on both sides.  How large a residual noise can
 * cause is measured: the candidate is computed once more with the output's healthy error
 * (exray_io_pair.noise) added to its input. */
#ifndef XR_RELATION_H
#define XR_RELATION_H

#include <exray/assertion.h>

/* X(NAME): target = NAME(source), along the last dimension. */
#define XR_OUTPUT_FUNCTIONS(X)                                                                               \
    X(SOFTMAX)                                                                                               \
    X(SOFTMAX_TWICE)                                                                                         \
    X(LOG_SOFTMAX)                                                                                           \
    X(SIGMOID)                                                                                               \
    X(LOG)                                                                                                   \
    X(SOFTMAX_OF_LOGIT)                                                                                      \
    X(INVERSE)                                                                                               \
    X(SQUARE)

typedef enum xr_output_function {
#define XR_FUNCTION_ENUM(name) XR_FUNCTION_##name,
    XR_OUTPUT_FUNCTIONS(XR_FUNCTION_ENUM)
#undef XR_FUNCTION_ENUM
        XR_FUNCTION_COUNT
} xr_output_function;

/* One candidate, over all frames. */
typedef struct xr_candidate {
    double residual;             /* rms / standard deviation of the target; NAN: not defined */
    double allowed;              /* the residual that noise explains */
    double before;               /* rms of edge - reference, in the same unit */
    bool explains;               /* residual <= allowed, and far below `before` */
    size_t supporting, opposing; /* frames */
} xr_candidate;

typedef struct xr_relation {
    const exray_io_pair *io;
    size_t pair;
    size_t frames;
    bool differs;                                /* beyond noise; else nothing below is filled in */
    xr_candidate function[2][XR_FUNCTION_COUNT]; /* [0]: edge = f(reference); [1]: reference = f(edge) */
    xr_candidate affine;                         /* edge = gain * reference + offset */
    double gain, offset;                         /* of the affine map */
    bool probabilities[2]; /* every row sums to 1, no value is negative; by exray_side */
    bool integers[2];      /* all values are whole numbers that span more than 2 */
    bool on_lattice; /* the edge's are floats that lie on the steps of 8-bit integers: dequantized by the
                        application */
    bool coarse;     /* a side's deviation is below its quantization step: values say little */
    double min[2], max[2];
} xr_relation;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_relation_make(const exray_comparison *comparison, size_t pair, xr_relation *out,
                              exray_error *error);

/* Calls `judge` for each output that differs beyond noise.  Where the inputs differ as well, the
 * assertion abstains (EXRAY_E_STATE). */
typedef exray_status xr_relation_judge(const exray_comparison *comparison, const xr_relation *relation,
                                       exray_findings *findings, exray_error *error);
exray_status xr_each_relation(const exray_comparison *comparison, xr_relation_judge *judge,
                              exray_findings *findings, exray_error *error);

/* The function that explains the output with the smallest residual; *inverse: reference = f(edge).
 * False where none explains it.  *other (`other` may be NULL): the best of the other candidates,
 * whether or not it explains the output; or NULL. */
bool xr_relation_function(const xr_relation *relation, xr_output_function *which, bool *inverse,
                          const xr_candidate **other);

/* Whether the affine map is a better explanation than that function.  It must be far better, since
 * the softmax of logits in a narrow range is nearly linear; or as good, where the output's values
 * still lie on equal steps of stored integers. */
bool xr_relation_is_affine(const xr_relation *relation, const xr_candidate *activation);

/* Fills `error` and returns its status for an assertion that abstains because the inputs differ. */
exray_status xr_abstain_for_inputs(exray_error *error);

/* The position of the first of the last layer pairs that have as many elements as an output and
 * are not clean: the place of a finding about the output; or EXRAY_NO_INDEX. */
uint32_t xr_output_layer(const exray_comparison *comparison, const exray_io_pair *output);

/* The values that one side's output can hold: multiples of `scale` from `low` to `high`; scale 0:
 * it is not quantized. */
typedef struct xr_output_grid {
    double scale, low, high;
    int64_t zero_point;
} xr_output_grid;
xr_output_grid xr_output_grid_of(const exray_comparison *comparison, exray_side side, size_t pair);

/* The scale and zero point of one side's output; 0 where it is not quantized. */
double xr_output_scale(const exray_comparison *comparison, exray_side side, size_t pair, int64_t *zero_point);

#endif
