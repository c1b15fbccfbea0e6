/* Field numbers are those of schema/exray.proto. */
#include "core/encode/messages.h"

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
    const exray_tensor_info *info = object;
    xr_pb_string(sink, 1, info->name);
    xr_pb_uint(sink, 2, info->dtype);
    xr_pb_packed_i64(sink, 3, info->shape, info->rank);
    if (info->quantization.count)
        xr_pb_message(sink, 4, encode_quantization, &info->quantization);
    xr_pb_uint(sink, 5, info->constant);
    xr_pb_string(sink, 6, info->layout);
}

void xr_encode_stats(xr_sink *sink, const void *object)
{
    const exray_stats *stats = object;
    xr_pb_uint(sink, 1, stats->count);
    xr_pb_uint(sink, 2, stats->nan_count);
    xr_pb_uint(sink, 3, stats->inf_count);
    xr_pb_uint(sink, 4, stats->zero_count);
    xr_pb_double(sink, 5, stats->min);
    xr_pb_double(sink, 6, stats->max);
    xr_pb_double(sink, 7, stats->mean);
    xr_pb_double(sink, 8, stats->variance);
    xr_pb_uint(sink, 9, stats->low_count);
    xr_pb_uint(sink, 10, stats->high_count);
}

static void encode_sketch(xr_sink *sink, const void *object)
{
    const exray_sketch *sketch = object;
    xr_pb_uint(sink, 1, sketch->version);
    xr_pb_uint(sink, 2, sketch->seed);
    xr_pb_packed_float(sink, 3, sketch->bucket, sketch->count);
}

static void encode_media(xr_sink *sink, const void *object)
{
    const exray_media *media = object;
    xr_pb_string(sink, 1, media->format);
    xr_pb_uint(sink, 2, media->width);
    xr_pb_uint(sink, 3, media->height);
    xr_pb_uint(sink, 4, media->row_stride);
    xr_pb_string(sink, 5, media->matrix);
    xr_pb_uint(sink, 6, media->full_range);
    xr_pb_uint(sink, 7, media->rotation);
    xr_pb_uint(sink, 8, media->sample_rate);
    xr_pb_uint(sink, 9, media->channels);
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
    const exray_key_value *pair = object;
    xr_pb_string(sink, 1, pair->key);
    xr_pb_string(sink, 2, pair->value);
}

static void encode_node(xr_sink *sink, const void *object)
{
    const exray_node *node = object;
    xr_pb_string(sink, 1, node->op);
    xr_pb_string(sink, 2, node->name);
    xr_pb_packed_u32(sink, 3, node->inputs, node->input_count);
    xr_pb_packed_u32(sink, 4, node->outputs, node->output_count);
    xr_pb_uint(sink, 5, node->subgraph);
    for (uint32_t i = 0; i < node->attribute_count; i++)
        xr_pb_message(sink, 6, encode_key_value, &node->attributes[i]);
    for (uint32_t i = 0; i < node->inner_count; i++)
        xr_pb_message(sink, 7, encode_node, &node->inner[i]);
}

void xr_encode_model(xr_sink *sink, const void *object)
{
    const exray_model *model = object;
    xr_pb_string(sink, 1, model->name);
    if (model->sha256)
        xr_pb_bytes(sink, 2, model->sha256, 32);
    xr_pb_string(sink, 3, model->engine);
    xr_pb_string(sink, 4, model->engine_version);
    xr_pb_string(sink, 5, model->kernels);
    xr_pb_uint(sink, 6, model->threads);
    for (uint32_t i = 0; i < model->tensor_count; i++)
        xr_pb_message(sink, 7, encode_tensor_info, &model->tensors[i]);
    for (uint32_t i = 0; i < model->node_count; i++)
        xr_pb_message(sink, 8, encode_node, &model->nodes[i]);
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
    const xr_frame_message *frame = object;
    xr_pb_uint(sink, 1, frame->index);
    xr_pb_string(sink, 2, frame->source);
    if (frame->has_label)
        xr_pb_uint_always(sink, 3, (uint64_t)frame->label);
    xr_pb_uint(sink, 4, frame->begin_ns);
    xr_pb_uint(sink, 5, frame->end_ns);
    xr_pb_uint(sink, 6, frame->inference_ns);
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
    const xr_port_usage *usage = &system->usage;
    xr_pb_uint(sink, 1, system->frame);
    if (usage->has_rss)
        xr_pb_uint_always(sink, 2, usage->rss_bytes);
    if (usage->has_peak_rss)
        xr_pb_uint_always(sink, 3, usage->peak_rss_bytes);
    if (system->has_arena)
        xr_pb_uint_always(sink, 4, system->arena_bytes);
    if (usage->has_celsius)
        xr_pb_double_always(sink, 5, usage->cpu_celsius);
    if (usage->has_mhz)
        xr_pb_double_always(sink, 6, usage->cpu_mhz);
    xr_pb_uint_always(sink, 7, system->dropped_records);
    if (usage->processors)
        xr_pb_uint_always(sink, 8, usage->processors);
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
    const exray_class *c = object;
    xr_pb_int(sink, 1, c->id);
    xr_pb_float(sink, 2, c->score);
    xr_pb_string(sink, 3, c->label);
}

static void encode_box(xr_sink *sink, const void *object)
{
    const exray_box *box = object;
    xr_pb_float(sink, 1, box->x_min);
    xr_pb_float(sink, 2, box->y_min);
    xr_pb_float(sink, 3, box->x_max);
    xr_pb_float(sink, 4, box->y_max);
    xr_pb_int(sink, 5, box->id);
    xr_pb_float(sink, 6, box->score);
    xr_pb_string(sink, 7, box->label);
}

void xr_encode_result(xr_sink *sink, const void *object)
{
    const xr_result_message *message = object;
    const exray_result *result = message->result;
    xr_pb_uint(sink, 1, message->frame);
    for (uint32_t i = 0; i < result->class_count; i++)
        xr_pb_message(sink, 2, encode_class, &result->classes[i]);
    for (uint32_t i = 0; i < result->box_count; i++)
        xr_pb_message(sink, 3, encode_box, &result->boxes[i]);
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
