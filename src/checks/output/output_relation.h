/* How a model's output on the edge follows from the reference's, or the other way
 * round: by an activation function, or by one affine map in all frames.
 *
 * No candidate but the affine map has a free parameter, so that one which explains whole
 * vectors explains them beyond chance: then what went into it is equal on both sides.
 * What noise may leave is found by putting noise in: the candidate is computed again
 * of its input with the output's healthy error (exray_io_pair.noise) added. */
#ifndef XR_OUTPUT_RELATION_H
#define XR_OUTPUT_RELATION_H

#include <exray/assertion.h>

/* X(NAME): target = NAME(source), along the last dimension. */
#define XR_ACTIVATIONS(X)                                                                                    \
    X(SOFTMAX)                                                                                               \
    X(SOFTMAX_TWICE)                                                                                         \
    X(LOG_SOFTMAX)                                                                                           \
    X(SIGMOID)                                                                                               \
    X(LOG)                                                                                                   \
    X(SOFTMAX_OF_LOGIT)

typedef enum xr_activation {
#define XR_ACTIVATION_ENUM(name) XR_##name,
    XR_ACTIVATIONS(XR_ACTIVATION_ENUM)
#undef XR_ACTIVATION_ENUM
        XR_ACTIVATION_COUNT
} xr_activation;

/* One candidate, over all frames. */
typedef struct xr_candidate {
    double residual; /* rms of what it leaves / standard deviation of the target; NAN: not defined */
    double allowed;  /* of that, what noise explains */
    double before;   /* rms of edge - reference in the same unit */
    bool explains;   /* residual <= allowed, far below `before` */
    size_t supporting, opposing; /* frames */
} xr_candidate;

typedef struct xr_relation {
    const exray_io_pair *io;
    size_t pair;
    size_t frames;
    bool differs;                                    /* beyond noise: there is something to explain */
    xr_candidate activation[2][XR_ACTIVATION_COUNT]; /* [0]: edge = f(reference); [1]: reference = f(edge) */
    xr_candidate affine;                             /* edge = gain * reference + offset */
    double gain, offset;                             /* of the affine map */
    bool probabilities[2];                           /* every row sums to 1, none negative; by exray_side */
    bool integers[2];                                /* every value is whole, more than two of them */
    bool on_lattice; /* the edge's are floats that were 8-bit integers: dequantized by the application */
    bool coarse; /* a side's values vary by no more than the step they are stored in: numbers say little */
    double min[2], max[2];
} xr_relation;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_relation_make(const exray_comparison *comparison, size_t pair, xr_relation *out,
                              exray_error *error);

/* Calls `judge` for each output that differs beyond noise; ends the assertion, as one that
 * abstains, where the inputs differ as well. */
typedef exray_status xr_relation_judge(const exray_comparison *comparison, const xr_relation *relation,
                                       exray_findings *findings, exray_error *error);
exray_status xr_each_relation(const exray_comparison *comparison, xr_relation_judge *judge,
                              exray_findings *findings, exray_error *error);

/* The explaining activation with the smallest residual, *inverse its direction; false
 * where none explains.  `other`, where not NULL: the best of the rest, explaining or
 * not, or NULL. */
bool xr_relation_activation(const xr_relation *relation, xr_activation *which, bool *inverse,
                            const xr_candidate **other);

/* Whether the affine map is the better explanation where that activation is one, too.  It
 * must be far better, as logits in a narrow range are nearly linear in their softmax; or
 * as good, where the steps of stored integers are still equal. */
bool xr_relation_is_affine(const xr_relation *relation, const xr_candidate *activation);

/* Known to differ beyond noise: what the outputs are then is no news. */
bool xr_inputs_differ(const exray_comparison *comparison);
bool xr_inputs_known(const exray_comparison *comparison);

/* Ends an assertion that abstains since the inputs differ. */
exray_status xr_abstain_for_inputs(exray_error *error);

/* The position of the layer pair from which on an output's values are compared: the
 * last whose tensor has as many elements, and that no other follows which is clean; or
 * EXRAY_NO_INDEX. */
uint32_t xr_output_layer(const exray_comparison *comparison, const exray_io_pair *output);

/* What one side's output can hold: multiples of `scale` from `low` to `high`; scale 0: it
 * is not quantized. */
typedef struct xr_output_grid {
    double scale, low, high;
    int64_t zero_point;
} xr_output_grid;
xr_output_grid xr_output_grid_of(const exray_comparison *comparison, exray_side side, size_t pair);

/* The stored scale of one side's output, 0 where not quantized, and its zero point. */
double xr_output_scale(const exray_comparison *comparison, exray_side side, size_t pair, int64_t *zero_point);

#endif
