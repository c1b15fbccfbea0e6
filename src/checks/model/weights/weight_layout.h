/* How two sides store one matrix: where it is square, its shape does not say. */
#ifndef XR_WEIGHT_LAYOUT_H
#define XR_WEIGHT_LAYOUT_H

#include "checks/model/weight_difference.h"

typedef enum xr_matrix_layout {
    XR_MATRICES_UNKNOWN,
    XR_MATRICES_ALIKE,
    XR_MATRICES_TURNED /* one side has outputs in rows, the other in columns */
} xr_matrix_layout;

/* By what the two operators are known to do; of the edge, then of the reference. */
xr_matrix_layout xr_matrix_layout_of(const exray_model *const model[2], const xr_node_constant of[2]);

/* Whether a recorded constant is a square matrix that its transpose differs from: by more than `within`
 * (rms). */
bool xr_is_square_turned(const exray_log *log, uint32_t tensor, double within);

#endif
