/* The numbers that a constant stands for, however a node has them packed. */
#ifndef XR_WEIGHT_VALUES_H
#define XR_WEIGHT_VALUES_H

#include "checks/model/weight_graph.h"

/* Scores at or below this are hidden by a mask: their exponential is zero in any float. */
#define XR_HIDDEN_SCORE (-1000.0)

typedef struct xr_weight_values {
    exray_slot *slot[3];    /* the constant, its scales, its zero points */
    exray_tensor_view view; /* of packed weights: of the matrix that they stand for */
    const float *value;     /* NULL: the log has statistics alone */
    float *unpacked;
    float scale[XR_MOST_GATES]; /* of joined constants */
    int64_t shape[2];
    double rounding; /* rms, of folded values of which some were quantized; NAN: what their type rounds */
} xr_weight_values;

/* False: out of memory. */
bool xr_weight_values_make(xr_weight_values *out);
void xr_weight_values_free(xr_weight_values *values);

/* Reads a constant as its node does: MatMulNBits packs a matrix in blocks with a scale each.
 * EXRAY_E_UNSUPPORTED, EXRAY_E_STATE: it cannot be read as numbers. */
exray_status xr_weight_values_read(const exray_log *log, const xr_node_constant *constant,
                                   xr_weight_values *out, exray_error *error);

/* How many numbers it stands for; 0: not known. */
uint64_t xr_weight_count(const exray_model *model, const xr_node_constant *constant);
/* Its dimensions that are not 1. */
uint32_t xr_weight_dimensions(const exray_model *model, const xr_node_constant *constant);

#endif
