/* Between the files that describe an interpreter at Prepare. */
#ifndef XR_TFLITE_TAP_MODEL_H
#define XR_TFLITE_TAP_MODEL_H

#include "engines/tflite/tap.h"

#define XR_TAP_OP_DELEGATE 51 /* the builtin operator of a delegate's own nodes */

/* Building state. */
typedef struct xr_tap_builder {
    const xr_tap *tap;
    const xr_tflite_tap_api *api;
    xr_tap_tables *tables;
    exray_tensor_info *tensors;
    exray_node *nodes;
    const char *problem; /* why it came to nothing */
} xr_tap_builder;

/* Zeroed memory of the tables; NULL with the problem set. */
void *xr_tap_grab(xr_tap_builder *b, size_t count, size_t size);

/* Describes node `op_index` of a subgraph, executed or not.  Returns the operator's code, or
 * -1 with the problem set. */
int xr_tap_describe_node(xr_tap_builder *b, uint32_t subgraph_index, int op_index, exray_node *node);

/* Takes note that the node at that position of the plan is a delegate's. */
void xr_tap_note_partition(xr_tap_builder *b, uint32_t position);

/* Once a subgraph's plan and inputs and outputs are described: gives each partition the nodes
 * that it runs, and says how long its results last.  False: out of memory. */
bool xr_tap_describe_partitions(xr_tap_builder *b, uint32_t subgraph);

#endif
