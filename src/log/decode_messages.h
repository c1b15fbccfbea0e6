/* The messages of schema/exray.proto, decoded into the structs of the public
 * headers.  Strings and arrays go into the arena.  Each function returns false
 * where the bytes are not such a message or the arena failed (arena->failed
 * tells which). */
#ifndef XR_DECODE_MESSAGES_H
#define XR_DECODE_MESSAGES_H

#include "log/wire.h"
#include <exray/log.h>

bool xr_decode_model(const uint8_t *data, size_t size, xr_arena *arena, exray_model *out);

/* Frame's values and spans are kept beside it. */
typedef struct xr_frame_extra {
    const exray_named_value *values;
    const exray_named_span *spans;
    size_t value_count, span_count;
} xr_frame_extra;
bool xr_decode_frame(const uint8_t *data, size_t size, xr_arena *arena, exray_frame *out,
                     xr_frame_extra *extra);

/* What the index keeps of a message that belongs to a frame.  Reads no more of
 * a tensor than the fields around its data. */
typedef struct xr_peek {
    uint64_t frame;
    uint32_t occurrence;
    bool has_data, has_sketch;
} xr_peek;
bool xr_peek_tensor(const uint8_t *data, size_t size, xr_peek *out);
bool xr_peek_frame_number(const uint8_t *data, size_t size, xr_peek *out);

/* out->info is set only where the message has one (`has_info`). */
bool xr_decode_tensor(const uint8_t *data, size_t size, xr_arena *arena, exray_tensor_view *out,
                      bool *has_info);
/* A TensorStats alone: the view of a record that LayerStats has. */
bool xr_decode_gathered(const uint8_t *data, size_t size, xr_arena *arena, exray_tensor_view *out);
bool xr_decode_latency(const uint8_t *data, size_t size, xr_arena *arena, exray_latency *out);
bool xr_decode_system(const uint8_t *data, size_t size, exray_system *out);
bool xr_decode_reading(const uint8_t *data, size_t size, xr_arena *arena, exray_reading *out);
bool xr_decode_event(const uint8_t *data, size_t size, xr_arena *arena, exray_event *out);
bool xr_decode_result(const uint8_t *data, size_t size, xr_arena *arena, exray_result *out);

#endif
