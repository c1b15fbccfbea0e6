/* The weights of both models, dequantized, tensor by tensor.
 *
 * Rounding explains a difference: a weight stored with step s errs by s / sqrt(12) rms
 * if it was rounded to the nearest, and by at most twice that (s / sqrt(3)) if a tool
 * chose between its two neighbours.  So a quantized copy differs by `rounding`, whatever
 * its scales, and a weight that was trained again differs by more.  docs/causes-output.md
 * has the measurements. */
#ifndef XR_MODEL_COMPARE_H
#define XR_MODEL_COMPARE_H

#include <exray/assertion.h>

typedef struct xr_weight_pair {
    size_t layer;       /* among the comparison's layers, or SIZE_MAX: found by its name */
    uint32_t tensor[2]; /* in the models */
    const char *name;   /* the edge's */
    uint64_t count;
    bool bias;           /* one dimension: judged with more room, tools correct it */
    bool from_stats;     /* no data: a lower bound, from mean and deviation */
    double difference;   /* rmse / standard deviation of the reference's; lower is better */
    double rounding;     /* of that, what storing explains */
    double correlation;  /* 1: equal up to scale; NAN from statistics */
    bool transposed;     /* the same values, dimensions of equal size exchanged */
    uint64_t not_finite; /* NaN and infinite values of the edge, where the reference has none */
    bool rescaled;       /* each output channel by a factor of its own (folded normalization) */
    bool differs;        /* beyond rounding */
    bool moved;          /* ... or statistics say so, less surely (model_difference.c) */
} xr_weight_pair;

typedef struct xr_model_fit {
    xr_weight_pair *pair;
    size_t count;
    size_t weights, weights_differ; /* tensors; biases aside */
    size_t weights_moved;           /* of them; at least weights_differ */
    size_t biases, biases_differ;
    uint64_t parameters, parameters_differ; /* elements of weights */
    bool from_stats;                        /* of any */
    double correlation;                     /* median over the weights that differ */
    double ratio;                           /* median over the weights of difference / rounding */
    const char *why;                        /* why nothing was compared, or NULL */
    /* From /model alone: elements of constants, and those whose size the other has too. */
    double total[2], shared;
    bool other_architecture;
    double factor; /* what it was made with */
} xr_model_fit;

/* How often a difference may be its rounding before it is another weight; the default
 * is 2 (either neighbour) and a tenth. */
#define XR_ROUNDING_FACTOR 2.2

/* Compares all constants of both logs with the option `rounding_factor` of the assertion
 * that is running; once for all that ask with the same one.  *fit belongs to `findings`. */
exray_status xr_model_fit_get(const exray_comparison *comparison, exray_findings *findings,
                              const xr_model_fit **fit, exray_error *error);

/* Whether the weights differ all over: in at least `share` of three tensors or more; of
 * eight, where each by itself is not sure. */
bool xr_model_fit_all_over(const xr_model_fit *fit, double share);

/* How far two constants are apart (model_difference.c).  `rounding` and the like are
 * filled in `pair`; false where they cannot be compared. */
bool xr_weight_difference(const exray_tensor_view view[2], const float *const values[2], double factor,
                          xr_weight_pair *pair);

#endif
