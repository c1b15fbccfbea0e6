/* The messages of schema/exray.proto, as encoders (sink.h). */
#ifndef XR_MESSAGES_H
#define XR_MESSAGES_H

#include "core/encode/sink.h"
#include "core/parts.h"
#include "core/port/port.h"
#include <exray/exray.h>

/* The schemas a channel can have, by their MCAP schema id; 0 is none. */
#define XR_SCHEMAS(X)                                                                                        \
    X(MODEL, Model)                                                                                          \
    X(FRAME, Frame)                                                                                          \
    X(TENSOR, Tensor)                                                                                        \
    X(LATENCY, Latency)                                                                                      \
    X(SYSTEM, System)                                                                                        \
    X(READING, Reading)                                                                                      \
    X(RESULT, Result)                                                                                        \
    X(LAYER_STATS, LayerStats)                                                                               \
    X(EVENT, Event)

typedef enum xr_schema_id {
    XR_SCHEMA_NONE = 0,
#define XR_SCHEMA_ENUM(upper, name) XR_SCHEMA_##upper,
    XR_SCHEMAS(XR_SCHEMA_ENUM)
#undef XR_SCHEMA_ENUM
        XR_SCHEMA_COUNT
} xr_schema_id;

/* "exray.v1.Tensor" */
const char *xr_schema_name(xr_schema_id schema);

/* The FileDescriptorSet of that message and those it uses; of a schema other than NONE. */
void xr_encode_schema(xr_sink *sink, const void *schema); /* xr_schema_id */

typedef struct xr_tensor_message {
    uint64_t frame;
    const exray_tensor *tensor;
    bool with_data;                      /* tensor->data, tensor->size */
    const exray_stats *stats;            /* or NULL */
    const exray_sketch *sketch;          /* or NULL */
    const exray_channel_stats *channels; /* of the stats, or NULL */
    bool with_info;                      /* also where /model would describe the tensor */
    bool is_sealed; /* the frame's number stands behind the data once more: a record whose end is
                       filled (output/out.h) is then no message, instead of one of other values */
} xr_tensor_message;
void xr_encode_tensor(xr_sink *sink, const void *message);
/* The same in two steps: whether its data or its statistics are kept may depend on how
 * large the rest is. */
void xr_encode_tensor_head(xr_sink *sink, const xr_tensor_message *message);
void xr_encode_tensor_values(xr_sink *sink, const xr_tensor_message *message);
/* What Tensor.data of that size adds to a message. */
size_t xr_encoded_data_size(size_t size);

void xr_encode_stats(xr_sink *sink, const void *stats); /* exray_stats */

/* `stats`: LayerStats.stats of all nodes, in wire format. */
typedef struct xr_layer_stats_message {
    uint64_t frame;
    const uint32_t *node;
    size_t count;
    xr_byte_range stats;
} xr_layer_stats_message;
void xr_encode_layer_stats(xr_sink *sink, const void *message);

void xr_encode_model(xr_sink *sink, const void *model); /* exray_model */

/* Frame.values and Frame.spans_ns are collected while the frame runs, as map
 * fields in wire format: one after another in `entries`. */
typedef struct xr_frame_message {
    uint64_t index;
    const char *source;
    bool has_label;
    int64_t label;
    uint64_t begin_ns, end_ns, inference_ns;
    xr_byte_range entries;
} xr_frame_message;
void xr_encode_frame(xr_sink *sink, const void *message);

/* One entry of Frame.values, or (is_span) of Frame.spans_ns. */
typedef struct xr_frame_value {
    const char *name;
    bool is_span;
    double value;
    uint64_t nanoseconds;
} xr_frame_value;
void xr_encode_frame_entry(xr_sink *sink, const void *entry);

typedef struct xr_latency_message {
    uint64_t frame;
    const uint32_t *node;
    const uint64_t *start_ns, *duration_ns;
    size_t count;
} xr_latency_message;
void xr_encode_latency(xr_sink *sink, const void *message);

typedef struct xr_system_message {
    uint64_t frame;
    const exray_machine_part *machine; /* NULL: nobody watches it */
    xr_port_usage usage;
    bool has_arena;
    uint64_t arena_bytes, dropped_records;
} xr_system_message;
void xr_encode_system(xr_sink *sink, const void *message);

typedef struct xr_reading_message {
    uint64_t frame;
    const double *values;
    size_t count;
    const char *unit;
} xr_reading_message;
void xr_encode_reading(xr_sink *sink, const void *message);

typedef struct xr_result_message {
    uint64_t frame;
    const exray_result *result;
} xr_result_message;
void xr_encode_result(xr_sink *sink, const void *message);
/* Its arrays are there, and a mask has the size that its width and height say. */
bool xr_is_result(const exray_result *result);

typedef struct xr_event_message {
    exray_event_kind kind;
    const char *text;
    bool has_frame;
    uint64_t frame;
    uint64_t records_lost; /* 0: says nothing of it */
} xr_event_message;
void xr_encode_event(xr_sink *sink, const void *message);

#endif
