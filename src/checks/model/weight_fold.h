/* Batch normalizations that converters and engines fold into the layer before: the weights and the bias that
 * the folded layer has, where one side keeps the two apart and the other does not. */
#ifndef XR_WEIGHT_FOLD_H
#define XR_WEIGHT_FOLD_H

#include "checks/model/weight_values.h"

typedef enum xr_fold_part {
    XR_FOLD_NONE,
    XR_FOLD_WEIGHTS, /* of the layer: a factor for each channel */
    XR_FOLD_BIAS,    /* a constant of the normalization that the folded bias is given in place of */
    XR_FOLD_USED,    /* goes into the folded bias and the factors */
} xr_fold_part;

typedef struct xr_weight_folds {
    const exray_log *log;
    const exray_model *model;
    uint32_t *norm;   /* [node_count] the batch normalization that alone reads a layer's result, quantized in
                         between or not; or EXRAY_NO_INDEX */
    uint32_t *source; /* [tensor_count] the constant that a tensor is unpacked from, or itself */
    uint32_t *reader; /* [tensor_count] a node that reads it, or EXRAY_NO_INDEX */
    exray_slot *slot;
    double epsilon; /* taken for that of every normalization; 0: its own */
} xr_weight_folds;

/* False: out of memory.  Of a log without a model there are none. */
bool xr_weight_folds_make(const exray_log *log, xr_weight_folds *out);
void xr_weight_folds_free(xr_weight_folds *folds);

xr_fold_part xr_weight_fold_part(const xr_weight_folds *folds, const xr_node_constant *constant);

/* Whether a constant is of a batch normalization, or of a layer that one follows. */
bool xr_weight_is_normed(const xr_weight_folds *folds, const xr_node_constant *constant);

/* Whether the node that reads a constant is a layer of a framework that holds a normalization beside its
 * other weights. */
bool xr_weight_is_beside_norm(const exray_model *model, const xr_node_constant *constant);

/* The layer that reads these weights has nothing folded into it. */
void xr_weight_folds_drop(xr_weight_folds *folds, const xr_node_constant *weights);

/* The epsilon of the normalization that a constant is folded with, or of which it is; NAN: it is of none. */
double xr_weight_fold_epsilon(const xr_weight_folds *folds, const xr_node_constant *constant);

/* Adds to what a walk found the folded biases of its layers whose normalizations are not among it. */
void xr_weight_folds_add(const xr_weight_folds *folds, xr_weight_graph *walk);

/* Makes the values of a constant those of the folded layer; they stay what they were where that cannot be
 * computed. */
exray_status xr_weight_fold(xr_weight_folds *folds, const xr_node_constant *constant,
                            xr_weight_values *values, exray_error *error);

#endif
