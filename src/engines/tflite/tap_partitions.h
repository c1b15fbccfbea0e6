/* At Prepare: what delegates took. */
#ifndef XR_TFLITE_TAP_PARTITIONS_H
#define XR_TFLITE_TAP_PARTITIONS_H

#include "engines/tflite/tap_node.h"

/* Notes that the node at that position of the plan is a delegate's. */
void xr_tap_note_partition(xr_tap_builder *b, uint32_t position);

/* Once a subgraph's plan and inputs and outputs are described: gives each partition the nodes
 * that it runs, and says how long its results last.  False: out of memory. */
bool xr_tap_describe_partitions(xr_tap_builder *b, uint32_t subgraph);

#endif
