/* Channels by topic, and the layer names that their metadata carries. */
#ifndef XR_CHANNELS_H
#define XR_CHANNELS_H

#include "core/state.h"

/* The channel of that topic, made if need be; EXRAY_NO_INDEX: the tables are
 * full.  `node`: whose name and op the channel's metadata has, or NO_INDEX. */
uint32_t xr_channel_find(xr_recorder *r, const char *topic, xr_schema_id schema, uint32_t node);
/* "/kind/NAME", "/layer/INDEX/OUTPUT", "/constant/INDEX" into `topic`. */
enum { XR_MAX_TOPIC = XR_MAX_NAME + 16 };
void xr_tensor_topic(const exray_tensor *tensor, char topic[XR_MAX_TOPIC]);
/* Keeps the names of the model's layers, as far as there is room. */
void xr_keep_names(xr_recorder *r, const exray_model *model);
/* A layer's kept name or op; NULL: not kept, or empty. */
const char *xr_layer_name(const xr_recorder *r, uint32_t node);
const char *xr_layer_op(const xr_recorder *r, uint32_t node);

#endif
