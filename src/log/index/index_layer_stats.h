/* LayerStats messages in the index: a record for each node, as if each had a Tensor of its own. */
#ifndef XR_INDEX_LAYER_STATS_H
#define XR_INDEX_LAYER_STATS_H

#include "log/index_state.h"

/* Adds the records of a message of the topic /layers or /constants (`kind`) whose bytes are trusted.  What
 * contradicts itself or the model is counted as damage and left out.  False: out of memory. */
bool xr_index_layer_stats(xr_builder *b, exray_kind kind, uint64_t log_time, const uint8_t *data, size_t size,
                          uint64_t position);

#endif
