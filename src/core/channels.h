/* Channels by topic, and the layer names that their metadata carries. */
#ifndef XR_CHANNELS_H
#define XR_CHANNELS_H

#include "core/encode/text.h"
#include "core/state.h"

/* The channel of that topic, made if need be; EXRAY_NO_INDEX: the tables are
 * full.  `node`: whose name and op the channel's metadata has, or NO_INDEX. */
uint32_t xr_channel_find(xr_recorder *r, const char *topic, xr_schema_id schema, uint32_t node);
/* Whether it is there, not empty, and of at most XR_MAX_NAME bytes. */
bool xr_is_name(const char *name);
/* "/kind/NAME", "/layer/INDEX/OUTPUT", "/constant/INDEX". */
void xr_tensor_topic(const exray_tensor *tensor, xr_text_builder *topic);

#endif
