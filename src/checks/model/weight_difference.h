/* How far two constants are apart, beyond what storing them explains.
 *
 * Rounding explains a difference: a weight stored with step s has an error of s / sqrt(12) rms if it
 * was rounded to the nearest value, and of at most twice that (s / sqrt(3)) if a tool chose between
 * its two neighbors.  So a quantized copy differs by `rounding`, whatever its scales, and a weight
 * that was trained again differs by more.  docs/causes-output.md has the measurements. */
#ifndef XR_WEIGHT_DIFFERENCE_H
#define XR_WEIGHT_DIFFERENCE_H

#include "checks/model/weight_constant.h"

typedef struct xr_weight_pair {
    size_t layer;           /* among the comparison's layers, or SIZE_MAX: found by its name */
    xr_node_constant of[2]; /* in the models, as their nodes read them */
    const char *name;       /* the edge's */
    uint64_t count;
    bool bias;                /* one dimension: judged less strictly, as tools correct biases */
    bool from_stats;          /* no data: a lower bound, from mean and deviation */
    double difference;        /* rmse / standard deviation of the reference's; lower is better */
    double rounding;          /* the difference that storing explains */
    double correlation;       /* 1: equal up to scale; NAN from statistics */
    double unit;              /* what `difference` and `rounding` are relative to */
    double sum[2], square[2]; /* of the values and of their squares */
    size_t from; /* it differs, and has the values of the reference's in that other pair; or SIZE_MAX */
    bool gates_exchanged; /* it differs by the order of its gates alone */
    bool crossed; /* equal values in the place of another of its layer's weights: of the other direction, or
                     of the state for the inputs */
    const char *gates;     /* of a recurrent node's: a letter for each gate (gates.h), or NULL */
    unsigned gates_differ; /* where some of them differ: a bit for each */
    uint64_t order; /* the same slices along a dimension, `along`, in another order: its number; else 0 */
    bool of_more;   /* one side makes what the layer returns of more weights than the other */
    uint32_t along;
    uint64_t slices; /* along it */
    bool transposed; /* the same values, dimensions of equal size exchanged */
    /* It differs in zeros alone, which one side (by exray_side) has where the other has none: how many. */
    uint64_t zeroed[2];
    uint64_t not_finite; /* NaN and infinite values of the edge, where the reference has none */
    double epsilon[2];   /* by exray_side: they are the same but for that of a normalization that was folded
                            into   one side's; 0: it has none, or they differ otherwise, or not */
    bool rescaled;       /* each output channel by a factor of its own (folded normalization) */
    bool differs;        /* beyond rounding */
    bool doubtful;       /* it differs, and another constant may be the counterpart */
    bool moved;          /* it differs, or its statistics say so with less certainty */
} xr_weight_pair;

/* How far two constants are apart, in the layout that brings them nearest.  Fills `pair` from
 * `count` on; false where they cannot be compared.  factor: how many times its rounding a
 * difference may be.  values are NULL where a side has only statistics.  stored: the rms error of the values
 * by how they were stored, or NAN: what their types round. */
bool xr_weight_difference(const exray_tensor_view view[2], const float *const values[2],
                          const double stored[2], double factor, xr_weight_pair *pair);

/* The standard deviation of a side's values, whose sums the pair has. */
double xr_weight_deviation(const xr_weight_pair *pair, int side);

/* Whether the sums of the edge's values in one pair, and of their squares, are such as those of the
 * reference's in another may have if they are the same values in any order. */
bool xr_weights_may_be_equal(const xr_weight_pair *edge, const xr_weight_pair *reference, double factor);

#endif
