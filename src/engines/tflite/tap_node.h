/* A node of the interpreter, as the log describes it; and what describing shares at Prepare. */
#ifndef XR_TFLITE_TAP_NODE_H
#define XR_TFLITE_TAP_NODE_H

#include "engines/tflite/tap_state.h"

#define XR_TAP_OP_DELEGATE 51 /* the builtin operator of a delegate's own nodes */

/* The description that is being made. */
typedef struct xr_tap_builder {
    const xr_tap *tap;
    const xr_tflite_tap_api *api;
    xr_tap_tables *tables;
    exray_tensor_info *tensors;
    exray_node *nodes;
    const char *problem; /* why it failed */
} xr_tap_builder;

/* Zeroed memory of the tables; NULL with the problem set. */
void *xr_tap_grab(xr_tap_builder *b, size_t count, size_t size);

/* A subgraph's tensor indices as positions in model.tensors; NULL with the problem set. */
const uint32_t *xr_tap_positions(xr_tap_builder *b, const xr_tap_subgraph *subgraph, const int *indices,
                                 int count);

/* Describes node `op_index` of a subgraph, executed or not.  Returns the operator's code, or
 * -1 with the problem set. */
int xr_tap_describe_node(xr_tap_builder *b, uint32_t subgraph_index, int op_index, exray_node *node);

#endif
