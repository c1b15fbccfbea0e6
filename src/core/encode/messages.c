/* Field numbers are those of schema/exray.proto. */
#include "core/encode/messages.h"
#include "core/encode/fields.h"

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
    static const xr_field_of fields[] = {XR_FIELD(1, exray_tensor_info, name),
                                         XR_FIELD(2, exray_tensor_info, dtype)};
    static const xr_field_of more[] = {XR_FIELD(5, exray_tensor_info, constant),
                                       XR_FIELD(6, exray_tensor_info, layout)};
    const exray_tensor_info *info = object;
    XR_PUT_FIELDS(sink, fields, info);
    xr_pb_packed_i64(sink, 3, info->shape, info->rank);
    if (info->quantization.count)
        xr_pb_message(sink, 4, encode_quantization, &info->quantization);
    XR_PUT_FIELDS(sink, more, info);
}

void xr_encode_stats(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {
        XR_FIELD(1, exray_stats, count),     XR_FIELD(2, exray_stats, nan_count),
        XR_FIELD(3, exray_stats, inf_count), XR_FIELD(4, exray_stats, zero_count),
        XR_FIELD(5, exray_stats, min),       XR_FIELD(6, exray_stats, max),
        XR_FIELD(7, exray_stats, mean),      XR_FIELD(8, exray_stats, variance),
        XR_FIELD(9, exray_stats, low_count), XR_FIELD(10, exray_stats, high_count)};
    const exray_stats *stats = object;
    XR_PUT_FIELDS(sink, fields, stats);
}

static void encode_sketch(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_sketch, version), XR_FIELD(2, exray_sketch, seed)};
    const exray_sketch *sketch = object;
    XR_PUT_FIELDS(sink, fields, sketch);
    xr_pb_packed_float(sink, 3, sketch->bucket, sketch->count);
}

static void encode_media(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {
        XR_FIELD(1, exray_media, format),   XR_FIELD(2, exray_media, width),
        XR_FIELD(3, exray_media, height),   XR_FIELD(4, exray_media, row_stride),
        XR_FIELD(5, exray_media, matrix),   XR_FIELD(6, exray_media, full_range),
        XR_FIELD(7, exray_media, rotation), XR_FIELD(8, exray_media, sample_rate),
        XR_FIELD(9, exray_media, channels)};
    const exray_media *media = object;
    XR_PUT_FIELDS(sink, fields, media);
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
    static const xr_field_of fields[] = {XR_FIELD(1, exray_key_value, key),
                                         XR_FIELD(2, exray_key_value, value)};
    const exray_key_value *pair = object;
    XR_PUT_FIELDS(sink, fields, pair);
}

static void encode_node(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_node, op), XR_FIELD(2, exray_node, name)};
    const exray_node *node = object;
    XR_PUT_FIELDS(sink, fields, node);
    xr_pb_packed_u32(sink, 3, node->inputs, node->input_count);
    xr_pb_packed_u32(sink, 4, node->outputs, node->output_count);
    xr_pb_uint(sink, 5, node->subgraph);
    XR_PUT_ALL(sink, 6, encode_key_value, node->attributes, node->attribute_count);
    XR_PUT_ALL(sink, 7, encode_node, node->inner, node->inner_count);
}

void xr_encode_model(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {
        XR_FIELD(3, exray_model, engine), XR_FIELD(4, exray_model, engine_version),
        XR_FIELD(5, exray_model, kernels), XR_FIELD(6, exray_model, threads)};
    const exray_model *model = object;
    xr_pb_string(sink, 1, model->name);
    if (model->sha256)
        xr_pb_bytes(sink, 2, model->sha256, 32);
    XR_PUT_FIELDS(sink, fields, model);
    XR_PUT_ALL(sink, 7, encode_tensor_info, model->tensors, model->tensor_count);
    XR_PUT_ALL(sink, 8, encode_node, model->nodes, model->node_count);
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
    static const xr_field_of fields[] = {XR_FIELD(1, xr_frame_message, index),
                                         XR_FIELD(2, xr_frame_message, source)};
    static const xr_field_of more[] = {XR_FIELD(4, xr_frame_message, begin_ns),
                                       XR_FIELD(5, xr_frame_message, end_ns),
                                       XR_FIELD(6, xr_frame_message, inference_ns)};
    const xr_frame_message *frame = object;
    XR_PUT_FIELDS(sink, fields, frame);
    if (frame->has_label)
        xr_pb_uint_always(sink, 3, (uint64_t)frame->label);
    XR_PUT_FIELDS(sink, more, frame);
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

void xr_encode_event(xr_sink *sink, const void *message)
{
    const xr_event_message *event = message;
    xr_pb_string(sink, 1, exray_event_kind_name(event->kind));
    xr_pb_string(sink, 2, event->text);
    if (event->has_frame)
        xr_pb_uint_always(sink, 3, event->frame);
    xr_pb_uint(sink, 4, event->records_lost);
}
