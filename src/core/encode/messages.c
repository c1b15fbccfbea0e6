/* Field numbers are those of schema/exray.proto. */
#include "core/encode/messages.h"

#include <stddef.h>
#include <string.h>

/* ---- Fields that are numbers and texts ---- */

typedef enum field_kind {
    FIELD_U8,
    FIELD_U32,
    FIELD_U64,
    FIELD_I32,
    FIELD_FLOAT,
    FIELD_DOUBLE,
    FIELD_TEXT
} field_kind;

typedef struct field {
    uint8_t number, kind; /* of the message; field_kind */
    uint16_t at;          /* in the object */
} field;

/* An enumeration is one of the integers; which one, the processor's ABI says. */
#define KIND_OF(value)                                                                                       \
    _Generic((value),                                                                                        \
        bool: FIELD_U8,                                                                                      \
        unsigned char: FIELD_U8,                                                                             \
        unsigned: FIELD_U32,                                                                                 \
        unsigned long: sizeof(long) == 8 ? FIELD_U64 : FIELD_U32,                                            \
        unsigned long long: FIELD_U64,                                                                       \
        int: FIELD_I32,                                                                                      \
        long: sizeof(long) == 8 ? FIELD_U64 : FIELD_I32,                                                     \
        long long: FIELD_U64,                                                                                \
        float: FIELD_FLOAT,                                                                                  \
        double: FIELD_DOUBLE,                                                                                \
        const char *: FIELD_TEXT)
#define FIELD(number, type, member)                                                                          \
    {                                                                                                        \
        number, KIND_OF(((const type *)NULL)->member), offsetof(type, member)                                \
    }

/* Those of `object` that are not zero. */
static void put_fields(xr_sink *sink, const field *fields, size_t count, const void *object)
{
    for (const field *f = fields; f < fields + count; f++) {
        const void *at = (const uint8_t *)object + f->at;
        switch ((field_kind)f->kind) {
        case FIELD_U8:
            xr_pb_uint(sink, f->number, *(const uint8_t *)at);
            break;
        case FIELD_U32:
            xr_pb_uint(sink, f->number, *(const uint32_t *)at);
            break;
        case FIELD_I32:
            xr_pb_int(sink, f->number, *(const int32_t *)at);
            break;
        case FIELD_U64:
            xr_pb_uint(sink, f->number, *(const uint64_t *)at);
            break;
        case FIELD_FLOAT:
            xr_pb_float(sink, f->number, *(const float *)at);
            break;
        case FIELD_DOUBLE:
            xr_pb_double(sink, f->number, *(const double *)at);
            break;
        case FIELD_TEXT:
            xr_pb_string(sink, f->number, *(const char *const *)at);
            break;
        }
    }
}

#define PUT_FIELDS(sink, fields, object) put_fields(sink, fields, sizeof(fields) / sizeof *(fields), object)

/* As many messages as there are objects of that size. */
static void put_all(xr_sink *sink, uint32_t number, xr_encode_fn encode, const void *objects, uint32_t count,
                    size_t size)
{
    const uint8_t *object = objects;
    for (; count; count--, object += size)
        xr_pb_message(sink, number, encode, object);
}

#define PUT_ALL(sink, number, encode, objects, count)                                                        \
    put_all(sink, number, encode, objects, count, sizeof *(objects))

/* ---- Messages ---- */

static void encode_quantization(xr_sink *sink, const void *object)
{
    const exray_quantization *q = object;
    xr_pb_packed_float(sink, 1, q->scale, q->count);
    if (q->zero_point)
        xr_pb_packed_i64(sink, 2, q->zero_point, q->count);
    else /* readers expect as many zero points as scales */
        xr_pb_packed_zeros(sink, 2, q->count);
    xr_pb_uint(sink, 3, q->axis);
}

static void encode_tensor_info(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_tensor_info, name), FIELD(2, exray_tensor_info, dtype)};
    static const field more[] = {FIELD(5, exray_tensor_info, constant), FIELD(6, exray_tensor_info, layout)};
    const exray_tensor_info *info = object;
    PUT_FIELDS(sink, fields, info);
    xr_pb_packed_i64(sink, 3, info->shape, info->rank);
    if (info->quantization.count)
        xr_pb_message(sink, 4, encode_quantization, &info->quantization);
    PUT_FIELDS(sink, more, info);
}

void xr_encode_stats(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_stats, count),     FIELD(2, exray_stats, nan_count),
                                   FIELD(3, exray_stats, inf_count), FIELD(4, exray_stats, zero_count),
                                   FIELD(5, exray_stats, min),       FIELD(6, exray_stats, max),
                                   FIELD(7, exray_stats, mean),      FIELD(8, exray_stats, variance),
                                   FIELD(9, exray_stats, low_count), FIELD(10, exray_stats, high_count)};
    const exray_stats *stats = object;
    PUT_FIELDS(sink, fields, stats);
}

static void encode_sketch(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_sketch, version), FIELD(2, exray_sketch, seed)};
    const exray_sketch *sketch = object;
    PUT_FIELDS(sink, fields, sketch);
    xr_pb_packed_float(sink, 3, sketch->bucket, sketch->count);
}

static void encode_media(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_media, format),   FIELD(2, exray_media, width),
                                   FIELD(3, exray_media, height),   FIELD(4, exray_media, row_stride),
                                   FIELD(5, exray_media, matrix),   FIELD(6, exray_media, full_range),
                                   FIELD(7, exray_media, rotation), FIELD(8, exray_media, sample_rate),
                                   FIELD(9, exray_media, channels)};
    const exray_media *media = object;
    PUT_FIELDS(sink, fields, media);
}

static void encode_all_stats(xr_sink *sink, const void *object)
{
    const xr_tensor_message *message = object;
    const exray_channel_stats *channels = message->channels;
    xr_encode_stats(sink, message->stats);
    if (!channels)
        return;
    xr_pb_packed_float(sink, 11, channels->mean, channels->channel_count);
    xr_pb_packed_float(sink, 12, channels->variance, channels->channel_count);
    xr_pb_packed_u32(sink, 13, channels->histogram, channels->bin_count);
}

void xr_encode_tensor_head(xr_sink *sink, const xr_tensor_message *message)
{
    const exray_tensor *tensor = message->tensor;
    xr_pb_uint(sink, 1, message->frame);
    if (!tensor->in_model || tensor->info_differs || message->with_info)
        xr_pb_message(sink, 2, encode_tensor_info, &tensor->info);
    if (tensor->in_model)
        xr_pb_uint_always(sink, 6, tensor->model_tensor);
    if (tensor->media)
        xr_pb_message(sink, 7, encode_media, tensor->media);
    xr_pb_uint(sink, 8, tensor->occurrence);
}

void xr_encode_tensor_values(xr_sink *sink, const xr_tensor_message *message)
{
    if (message->stats)
        xr_pb_message(sink, 4, encode_all_stats, message);
    if (message->sketch)
        xr_pb_message(sink, 5, encode_sketch, message->sketch);
    /* Last, so that what describes the data is read before it and the data goes
     * out in one piece. */
    if (message->with_data)
        xr_pb_bytes(sink, 3, message->tensor->data, message->tensor->size);
    if (message->with_data && message->is_sealed)
        xr_pb_uint_always(sink, 1, message->frame);
}

size_t xr_encoded_data_size(size_t size)
{
    return xr_pb_bytes_size(3, size);
}

void xr_encode_tensor(xr_sink *sink, const void *message)
{
    xr_encode_tensor_head(sink, message);
    xr_encode_tensor_values(sink, message);
}

void xr_encode_layer_stats(xr_sink *sink, const void *object)
{
    const xr_layer_stats_message *message = object;
    xr_pb_uint(sink, 1, message->frame);
    xr_pb_packed_u32(sink, 2, message->node, message->count);
    xr_put(sink, message->stats.data, message->stats.size);
}

static void encode_key_value(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_key_value, key), FIELD(2, exray_key_value, value)};
    const exray_key_value *pair = object;
    PUT_FIELDS(sink, fields, pair);
}

static void encode_node(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_node, op), FIELD(2, exray_node, name)};
    const exray_node *node = object;
    PUT_FIELDS(sink, fields, node);
    xr_pb_packed_u32(sink, 3, node->inputs, node->input_count);
    xr_pb_packed_u32(sink, 4, node->outputs, node->output_count);
    xr_pb_uint(sink, 5, node->subgraph);
    PUT_ALL(sink, 6, encode_key_value, node->attributes, node->attribute_count);
    PUT_ALL(sink, 7, encode_node, node->inner, node->inner_count);
}

void xr_encode_model(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(3, exray_model, engine), FIELD(4, exray_model, engine_version),
                                   FIELD(5, exray_model, kernels), FIELD(6, exray_model, threads)};
    const exray_model *model = object;
    xr_pb_string(sink, 1, model->name);
    if (model->sha256)
        xr_pb_bytes(sink, 2, model->sha256, 32);
    PUT_FIELDS(sink, fields, model);
    PUT_ALL(sink, 7, encode_tensor_info, model->tensors, model->tensor_count);
    PUT_ALL(sink, 8, encode_node, model->nodes, model->node_count);
    xr_pb_packed_u32(sink, 9, model->inputs, model->input_count);
    xr_pb_packed_u32(sink, 10, model->outputs, model->output_count);
}

static void encode_frame_entry_pair(xr_sink *sink, const void *object)
{
    const xr_frame_value *entry = object;
    xr_pb_string(sink, 1, entry->name);
    if (entry->is_span)
        xr_pb_uint(sink, 2, entry->nanoseconds);
    else
        xr_pb_double(sink, 2, entry->value);
}

void xr_encode_frame_entry(xr_sink *sink, const void *object)
{
    const xr_frame_value *entry = object;
    xr_pb_message(sink, entry->is_span ? 8 : 7, encode_frame_entry_pair, entry);
}

void xr_encode_frame(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, xr_frame_message, index), FIELD(2, xr_frame_message, source)};
    static const field more[] = {FIELD(4, xr_frame_message, begin_ns), FIELD(5, xr_frame_message, end_ns),
                                 FIELD(6, xr_frame_message, inference_ns)};
    const xr_frame_message *frame = object;
    PUT_FIELDS(sink, fields, frame);
    if (frame->has_label)
        xr_pb_uint_always(sink, 3, (uint64_t)frame->label);
    PUT_FIELDS(sink, more, frame);
    xr_put(sink, frame->entries.data, frame->entries.size);
}

void xr_encode_latency(xr_sink *sink, const void *object)
{
    const xr_latency_message *latency = object;
    xr_pb_uint(sink, 1, latency->frame);
    xr_pb_packed_u32(sink, 2, latency->node, latency->count);
    xr_pb_packed_u64(sink, 3, latency->start_ns, latency->count);
    xr_pb_packed_u64(sink, 4, latency->duration_ns, latency->count);
}

void xr_encode_system(xr_sink *sink, const void *object)
{
    const xr_system_message *system = object;
    xr_pb_uint(sink, 1, system->frame);
    if (system->has_arena)
        xr_pb_uint_always(sink, 4, system->arena_bytes);
    xr_pb_uint_always(sink, 7, system->dropped_records);
    if (system->machine)
        system->machine->put(sink, &system->usage);
}

void xr_encode_reading(xr_sink *sink, const void *object)
{
    const xr_reading_message *reading = object;
    xr_pb_uint(sink, 1, reading->frame);
    xr_pb_packed_double(sink, 2, reading->values, reading->count);
    xr_pb_string(sink, 3, reading->unit);
}

static void encode_class(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_class, id), FIELD(2, exray_class, score),
                                   FIELD(3, exray_class, label)};
    const exray_class *c = object;
    PUT_FIELDS(sink, fields, c);
}

static void encode_box(xr_sink *sink, const void *object)
{
    static const field fields[] = {FIELD(1, exray_box, x_min), FIELD(2, exray_box, y_min),
                                   FIELD(3, exray_box, x_max), FIELD(4, exray_box, y_max),
                                   FIELD(5, exray_box, id),    FIELD(6, exray_box, score),
                                   FIELD(7, exray_box, label)};
    const exray_box *box = object;
    PUT_FIELDS(sink, fields, box);
}

void xr_encode_result(xr_sink *sink, const void *object)
{
    const xr_result_message *message = object;
    const exray_result *result = message->result;
    xr_pb_uint(sink, 1, message->frame);
    PUT_ALL(sink, 2, encode_class, result->classes, result->class_count);
    PUT_ALL(sink, 3, encode_box, result->boxes, result->box_count);
    xr_pb_string(sink, 4, result->text);
}

void xr_encode_event(xr_sink *sink, const void *message)
{
    const xr_event_message *event = message;
    xr_pb_string(sink, 1, exray_event_kind_name(event->kind));
    xr_pb_string(sink, 2, event->text);
    if (event->has_frame)
        xr_pb_uint_always(sink, 3, event->frame);
    xr_pb_uint(sink, 4, event->records_lost);
}
