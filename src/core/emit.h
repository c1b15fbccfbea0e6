/* From the recorder to the writer; what was dropped is counted. */
#ifndef XR_EMIT_H
#define XR_EMIT_H

#include "core/state.h"

/* What becomes of a record that finds no room. */
typedef enum xr_urgency {
    XR_MAY_DROP, /* as the policy says */
    XR_WAIT,     /* it belongs to no frame, or must not be missed: waits */
    XR_RICH,     /* above the level of the log: the flight recorder's */
} xr_urgency;

/* Sends the message in r->draft on its way; drops and counts it where it finds no room.  Where the
 * draft is partial, encode(object) gives the same once more. */
exray_status xr_send(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                     const void *object, xr_urgency urgency);
/* What waited: `content` of that size.  false: there is no room for it now; with `wait` it is sent in any
 * case. */
bool xr_send_kept(xr_recorder *r, uint32_t channel, uint64_t log_time, const void *content, size_t size,
                  bool wait);
/* Encodes and sends, on the topic; drops and counts where the channel finds no room. */
exray_status xr_emit_topic(xr_recorder *r, const char *topic, xr_schema_id schema, xr_encode_fn encode,
                           const void *object, uint64_t log_time, xr_urgency urgency);
/* Has the writer run `function`, on its own thread where it has one; false: not now.  `object` stays. */
bool xr_emit_post(xr_recorder *r, xr_writer_call function, const void *object);
/* The same, and waits for it. */
exray_status xr_emit_call(xr_recorder *r, xr_writer_call function, const void *object);

/* Writes the statistics of layers and constants that wait for their message. */
exray_status xr_flush_layer_stats(xr_recorder *r);

#endif
