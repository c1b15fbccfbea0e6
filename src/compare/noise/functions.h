/* Operators' functions, computed from values: what a layer should have made of its inputs.
 *
 * Not an engine: operators without weights, and products of matrices, of floats; conventions that are not
 * known make a function fail. */
#ifndef XR_FUNCTIONS_H
#define XR_FUNCTIONS_H

#include <exray/types.h>

/* Values in C order, owned. */
typedef struct xr_array {
    float *value; /* NULL: there is none, an input that is left out */
    uint64_t count;
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK];
} xr_array;

enum { XR_FUNCTION_INPUTS = 8 };

/* Room for a shape; false: out of memory, or more than 2^28 elements. */
bool xr_array_make(xr_array *out, uint32_t rank, const int64_t *shape);
void xr_array_free(xr_array *array);

/* The node's first output from its inputs; false where the function is not known, or the inputs do not fit
 * it. `described` tells what the output looks like (of operators that give values another shape). */
bool xr_function_apply(const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out);

/* ---- The parts ------------------------------------------------------------------------------- */

/* The operator's name in lower case, letters and digits alone. */
void xr_function_name(const exray_node *node, char out[48]);
double xr_function_number(const exray_node *node, const char *key, double otherwise);

/* Each value by itself, and pairs of values: functions_pointwise.c. */
bool xr_function_pointwise(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                           xr_array *out);
/* Rows, sums and products: functions_rows.c. */
bool xr_function_rows(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                      xr_array *out);
/* Moved and looked-up values: functions_moves.c. */
bool xr_function_moves(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out);
/* Applies the activation that an operator has fused; false: it is not known. */
bool xr_function_activate(const exray_node *node, xr_array *out);

/* The shape that two broadcast to; false: they do not. */
bool xr_broadcast_shape(const xr_array *a, const xr_array *b, uint32_t *rank, int64_t shape[EXRAY_MAX_RANK]);

#endif
