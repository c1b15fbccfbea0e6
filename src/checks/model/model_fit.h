/* The weights of both models, dequantized and compared tensor by tensor. */
#ifndef XR_MODEL_FIT_H
#define XR_MODEL_FIT_H

#include "checks/model/weight_difference.h"

typedef struct xr_model_fit {
    xr_weight_pair *pair;
    size_t count;
    size_t weights, weights_differ; /* tensors, without biases */
    size_t elsewhere;               /* of weights_differ, those that are the reference's at another place */
    size_t rescaled;                /* of weights_differ, those that one factor for each channel explains */
    size_t converted; /* of weights_differ, both of these, and those whose gates, dimensions, or they
                         themselves, lie in another order: the same training, however it was converted */
    size_t zeroed[2]; /* of weights_differ, those that differ by one side's zeros alone (xr_weight_pair) */
    size_t weights_moved; /* xr_weight_pair.moved; at least weights_differ */
    size_t biases, biases_differ;
    uint64_t parameters, parameters_differ; /* elements of weights */
    bool from_stats;                        /* of any tensor */
    double correlation;                     /* median over the weights that differ */
    double ratio;                           /* median over the weights of difference / rounding */
    const char *why;                        /* the reason why nothing was compared, or NULL */
    /* From /model alone: elements of all constants, and of those whose size the other model has. */
    double total[2], shared;
    bool other_architecture;
    double factor; /* the option that it was made with */
} xr_model_fit;

/* How many times its rounding a difference may be; the default is 2 (either neighbor) and a
 * tenth. */
#define XR_ROUNDING_FACTOR 2.2

/* Compares all constants of both logs with the option `rounding_factor` of the running assertion
 * (of one that has none, as they were compared before).  The result is attached to `findings`, which own it,
 * and used again for the same factor. */
exray_status xr_model_fit_get(const exray_comparison *comparison, exray_findings *findings,
                              const xr_model_fit **fit, exray_error *error);

/* What was compared already, or NULL. */
const xr_model_fit *xr_model_fit_made(const exray_findings *findings);

/* Whether the weights differ all over: in at least `share` of the tensors, and there are three or
 * more; or, where single tensors are not certain (moved), eight or more. */
bool xr_model_fit_all_over(const xr_model_fit *fit, double share);

#endif
