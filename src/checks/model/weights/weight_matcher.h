/* The constants of both logs while their counterparts are searched for. */
#ifndef XR_WEIGHT_MATCHER_H
#define XR_WEIGHT_MATCHER_H

#include "checks/model/weight_difference.h"
#include "checks/model/weight_fold.h"

/* Constants of one log. */
typedef struct xr_constant_table {
    const exray_log *log;
    const exray_model *model;
    xr_weight_graph graph;
    xr_weight_folds folds;
    bool is_folded; /* of the layer at hand: the other side has no normalizations there */
    bool *recorded; /* [tensor_count] */
    uint8_t *taken; /* [tensor_count] a bit for each part that has a counterpart */
    struct xr_constant_name {
        const char *name;
        uint32_t tensor;
    } * named; /* [named_count] the recorded ones that have a name, by name */
    size_t named_count;
} xr_constant_table;

typedef struct xr_weight_matcher {
    const exray_comparison *comparison;
    xr_constant_table side[2];
    xr_weight_values values[2];
    double factor;
    xr_weight_pair *pair; /* [count] what was found; the caller takes them */
    size_t count;
    exray_error *error;
} xr_weight_matcher;

/* False: out of memory. */
bool xr_weight_matcher_make(const exray_comparison *comparison, xr_weight_matcher *matcher);
void xr_weight_matcher_free(xr_weight_matcher *matcher);

/* Numbers in weights: fewer say nothing about the training, but for biases of few classes. */
enum { XR_FEWEST_WEIGHTS = 8 };
uint64_t xr_fewest_weights(const xr_node_constant *constant);

#endif
