/* The calls that log a record. */
#include "core/dtype.h"
#include "core/recorder.h"

static exray_status bad_argument(xr_recorder *r, const char *call, const char *what)
{
    return xr_fail_with(r, EXRAY_E_ARGUMENT, call, ": ", what);
}

/* ---- Tensors ---------------------------------------------------------------- */

/* What is kept of a tensor. */
typedef enum keep { KEEP_NOTHING, KEEP_INFO, KEEP_STATS, KEEP_SKETCH, KEEP_DATA } keep;

static keep keep_at(const xr_recorder *r, exray_kind kind, exray_capture capture)
{
    switch (kind) {
    case EXRAY_KIND_SENSOR:
    case EXRAY_KIND_INPUT:
        return capture < EXRAY_CAPTURE_IO ? KEEP_NOTHING : r->no_io_data ? KEEP_STATS : KEEP_DATA;
    case EXRAY_KIND_STAGE:
    case EXRAY_KIND_OUTPUT:
        return capture < EXRAY_CAPTURE_IO ? KEEP_NOTHING : KEEP_DATA;
    case EXRAY_KIND_LAYER:
    case EXRAY_KIND_CONSTANT:
    case EXRAY_KIND_COUNT:
        break;
    }
    if (capture == EXRAY_CAPTURE_SKETCH && kind == EXRAY_KIND_LAYER)
        return KEEP_SKETCH;
    return capture < EXRAY_CAPTURE_STATS  ? KEEP_NOTHING
           : capture < EXRAY_CAPTURE_FULL ? KEEP_STATS
                                          : KEEP_DATA;
}

/* Constants belong to no frame: the recorder's level holds for them. */
static keep kept(const xr_recorder *r, exray_kind kind, uint32_t index, const char *name)
{
    const keep k = keep_at(r, kind, kind == EXRAY_KIND_CONSTANT ? r->capture : xr_capture_now(r));
    if (k == KEEP_NOTHING || kind != EXRAY_KIND_LAYER || !r->layers)
        return k;
    const char *layer = xr_layer_name(r, index);
    return xr_filter_takes(r->layers, index, layer ? layer : name) ? k : KEEP_NOTHING;
}

bool exray_recorder_wants(const exray_recorder *recorder, exray_kind kind, uint32_t index, const char *name)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC || r->error.status || (unsigned)kind >= EXRAY_KIND_COUNT)
        return false;
    return kept(r, kind, index, name) != KEEP_NOTHING;
}

/* NULL, or what is wrong with the tensor. */
static const char *tensor_problem(const exray_tensor *tensor)
{
    const exray_tensor_info *info = &tensor->info;
    const exray_quantization *q = &info->quantization;
    uint64_t count;
    if ((unsigned)tensor->kind >= EXRAY_KIND_COUNT)
        return "kind is none of exray_kind";
    if ((unsigned)info->dtype > EXRAY_DTYPE_FLOAT8_E5M2)
        return "info.dtype is none of exray_dtype";
    if (info->rank > EXRAY_MAX_RANK)
        return "info.rank is over EXRAY_MAX_RANK (8)";
    if (info->rank && !info->shape)
        return "info.shape is NULL, but info.rank is not 0";
    for (uint32_t i = 0; i < info->rank; i++)
        if (info->shape[i] < -1)
            return "info.shape has a negative dimension (only -1, \"unknown\", is allowed)";
    if (q->count && !q->scale)
        return "info.quantization.scale is NULL, but its count is not 0";
    if (q->count > 1 &&
        (q->axis >= info->rank || (info->shape[q->axis] >= 0 && (uint64_t)info->shape[q->axis] != q->count)))
        return "info.quantization.count is not the size of dimension info.quantization.axis";
    if (info->name && strlen(info->name) > XR_MAX_NAME)
        return "info.name is longer than 1000 bytes";
    if (!tensor->data && tensor->size)
        return "data is NULL, but size is not 0";
    if (tensor->data && xr_dtype_is_numeric(info->dtype) && xr_shape_count(info->shape, info->rank, &count) &&
        xr_dtype_bytes(info->dtype, count) != tensor->size)
        return "size is not what info.shape and info.dtype come to";
    return NULL;
}

/* The bytes of an encoded file or a text are no numbers to make statistics of. */
static bool is_opaque(const exray_media *media)
{
    static const char *const formats[] = {"jpeg", "png", "wav", "utf8"};
    for (size_t i = 0; media && media->format && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(media->format, formats[i]) == 0)
            return true;
    return false;
}

/* What stands for the data of a tensor. */
typedef struct summary {
    exray_stats stats;
    exray_sketch sketch;
    float bucket[EXRAY_SKETCH_BUCKETS];
} summary;

static void summarize(const exray_tensor *tensor, keep k, summary *s, xr_tensor_message *message)
{
    if (!tensor->data || is_opaque(tensor->media))
        return;
    if (k == KEEP_SKETCH) {
        s->sketch =
            (exray_sketch){.version = EXRAY_SKETCH_VERSION, .seed = EXRAY_SKETCH_SEED, .bucket = s->bucket};
        if (!exray_sketch_compute(&tensor->info, tensor->data, tensor->size, s->sketch.seed, &s->stats,
                                  s->bucket, &s->sketch.count)) {
            message->stats = &s->stats;
            message->sketch = &s->sketch;
        }
    } else if (k == KEEP_STATS &&
               !exray_stats_compute(&tensor->info, tensor->data, tensor->size, &s->stats)) {
        message->stats = &s->stats;
    }
}

/* Sends what is to be kept; where the budget forbids the data of a layer, its
 * stats. */
static exray_status emit_tensor(xr_recorder *r, const exray_tensor *tensor, uint32_t channel, keep k)
{
    summary kept_of;
    xr_tensor_message message = {.frame = tensor->kind == EXRAY_KIND_CONSTANT ? 0 : r->next_frame,
                                 .tensor = tensor,
                                 .with_info = r->model_dropped,
                                 .with_data = k == KEEP_DATA && tensor->data};
    const bool of_model = tensor->kind == EXRAY_KIND_LAYER || tensor->kind == EXRAY_KIND_CONSTANT;
    const bool degraded =
        message.with_data &&
        (tensor->size > XR_MAX_DATA ||
         (of_model && !xr_budget_allows(r, channel, xr_encoded_size(xr_encode_tensor, &message))));
    if (degraded) {
        message.with_data = false;
        k = KEEP_STATS;
    }
    summarize(tensor, k, &kept_of, &message);
    const uint64_t dropped = r->dropped;
    const exray_status status = xr_emit(r, channel, xr_port_now(), xr_encode_tensor, &message,
                                        tensor->kind == EXRAY_KIND_CONSTANT ? XR_WAIT : XR_MAY_DROP);
    if (degraded && r->dropped == dropped) /* a record counts once */
        r->dropped++;
    return status;
}

exray_status exray_recorder_log_tensor(exray_recorder *recorder, const exray_tensor *tensor)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status = xr_check(r);
    if (status)
        return status;
    const char *problem = tensor_problem(tensor);
    if (problem) {
        char topic[XR_MAX_TOPIC + 32];
        xr_text text = xr_text_in(topic, sizeof topic);
        xr_text_add(&text, "exray_recorder_log_tensor: ");
        if ((unsigned)tensor->kind < EXRAY_KIND_COUNT) {
            char own[XR_MAX_TOPIC];
            xr_tensor_topic(tensor, own);
            xr_text_add_part(&text, own, strlen(own) < 120 ? strlen(own) : 120);
        }
        return bad_argument(r, topic, problem);
    }
    if (tensor->kind != EXRAY_KIND_CONSTANT)
        status = xr_need_frame(r);
    const keep k = kept(r, tensor->kind, tensor->index, tensor->info.name);
    if (status || k == KEEP_NOTHING)
        return status;
    char topic[XR_MAX_TOPIC];
    xr_tensor_topic(tensor, topic);
    const uint32_t channel = xr_channel_find(
        r, topic, XR_SCHEMA_TENSOR, tensor->kind == EXRAY_KIND_LAYER ? tensor->index : EXRAY_NO_INDEX);
    if (channel == EXRAY_NO_INDEX) {
        r->dropped++;
        return EXRAY_OK;
    }
    return emit_tensor(r, tensor, channel, k);
}

/* ---- Pictures and files ------------------------------------------------------ */

/* Raw formats: bytes of a pixel in one plane, or chroma at half resolution. */
typedef struct picture_format {
    const char *name;
    uint32_t pixel_bytes; /* of the first plane */
    bool half_chroma;     /* planes of half width and height follow */
    bool packed_yuv;      /* no [height, width, channels] array */
} picture_format;

static const picture_format picture_formats[] = {
    {"rgb8", 3, false, false},  {"bgr8", 3, false, false},  {"rgba8", 4, false, false},
    {"bgra8", 4, false, false}, {"gray8", 1, false, false}, {"nv12", 1, true, true},
    {"nv21", 1, true, true},    {"i420", 1, true, true},    {"yv12", 1, true, true},
    {"yuyv", 2, false, true},   {"uyvy", 2, false, true},
};

static const picture_format *find_format(const char *name)
{
    for (size_t i = 0; name && i < sizeof picture_formats / sizeof *picture_formats; i++)
        if (strcmp(name, picture_formats[i].name) == 0)
            return &picture_formats[i];
    return NULL;
}

/* The bytes that a picture takes at least; the last row may end without its
 * padding. */
static uint64_t picture_size(const picture_format *format, const exray_media *media)
{
    const uint64_t packed = (uint64_t)media->width * format->pixel_bytes;
    const uint64_t stride = media->row_stride ? media->row_stride : packed;
    const uint64_t plane = stride * (media->height - 1) + packed;
    if (!format->half_chroma)
        return plane;
    const uint64_t half_height = ((uint64_t)media->height + 1) / 2,
                   half_width = ((uint64_t)media->width + 1) / 2;
    return stride * media->height + 2 * half_width * half_height;
}

exray_status exray_recorder_log_image(exray_recorder *recorder, const char *name, const exray_media *media,
                                      const void *data, size_t size)
{
    static const char call[] = "exray_recorder_log_image";
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!media || !media->width || !media->height || media->width > INT32_MAX || media->height > INT32_MAX)
        return bad_argument(r, call, "media with a width and a height of 1 to 2^31 - 1 is needed");
    const picture_format *format = find_format(media->format);
    if (!format)
        return bad_argument(
            r, call, "media.format is none of rgb8 bgr8 rgba8 bgra8 gray8 nv12 nv21 i420 yv12 yuyv uyvy");
    if (!data || size < picture_size(format, media))
        return bad_argument(r, call, "data is smaller than width, height and row_stride say");
    const uint64_t packed = (uint64_t)media->width * format->pixel_bytes;
    if (media->row_stride && media->row_stride < packed)
        return bad_argument(r, call, "media.row_stride is less than a row");
    /* Rows with padding, and YUV, are no array of pixels: the bytes as they lie. */
    const bool array = !format->packed_yuv && size == packed * media->height;
    const int64_t pixels[3] = {media->height, media->width, format->pixel_bytes};
    const int64_t bytes[1] = {(int64_t)size};
    return exray_recorder_log_tensor(recorder, &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                                                               .info = {.name = name,
                                                                        .layout = array ? "HWC" : NULL,
                                                                        .dtype = EXRAY_DTYPE_UINT8,
                                                                        .rank = array ? 3 : 1,
                                                                        .shape = array ? pixels : bytes},
                                                               .data = data,
                                                               .size = size,
                                                               .media = media});
}

exray_status exray_recorder_log_encoded(exray_recorder *recorder, const char *name, const char *format,
                                        const void *data, size_t size)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!format || (strcmp(format, "jpeg") != 0 && strcmp(format, "png") != 0 && strcmp(format, "wav") != 0))
        return bad_argument(r, "exray_recorder_log_encoded", "format is none of \"jpeg\", \"png\", \"wav\"");
    if (!data)
        return bad_argument(r, "exray_recorder_log_encoded", "data is NULL");
    const exray_media media = {.format = format};
    const int64_t bytes[1] = {(int64_t)size};
    return exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                        .info = {.name = name, .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = bytes},
                        .data = data,
                        .size = size,
                        .media = &media});
}

/* ---- Other messages ------------------------------------------------------------ */

/* Opens the frame; false: the level keeps no such record, or *status. */
static bool frame_keeps(xr_recorder *r, exray_status *status)
{
    *status = xr_check(r);
    if (!*status)
        *status = xr_need_frame(r);
    return !*status && r->frame.capture >= EXRAY_CAPTURE_FRAME;
}

exray_status exray_recorder_log_reading(exray_recorder *recorder, const char *name, const double *values,
                                        size_t count, const char *unit)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!frame_keeps(r, &status))
        return status;
    if (!name || !*name || strlen(name) > XR_MAX_NAME)
        return bad_argument(r, "exray_recorder_log_reading", "the name is missing, empty or over 1000 bytes");
    if (count && !values)
        return bad_argument(r, "exray_recorder_log_reading", "values is NULL, but count is not 0");
    char topic[XR_MAX_TOPIC];
    xr_text text = xr_text_in(topic, sizeof topic);
    xr_text_add(&text, "/reading/");
    xr_text_add(&text, name);
    const xr_reading_message reading = {r->next_frame, values, count, unit};
    return xr_emit_topic(r, topic, XR_SCHEMA_READING, xr_encode_reading, &reading, xr_port_now(),
                         XR_MAY_DROP);
}

exray_status exray_recorder_log_result(exray_recorder *recorder, const exray_result *result)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!frame_keeps(r, &status))
        return status;
    if (!result || (result->class_count && !result->classes) || (result->box_count && !result->boxes))
        return bad_argument(r, "exray_recorder_log_result", "the result, its classes or its boxes are NULL");
    const xr_result_message message = {r->next_frame, result};
    return xr_emit_topic(r, "/result", XR_SCHEMA_RESULT, xr_encode_result, &message, xr_port_now(),
                         XR_MAY_DROP);
}

exray_status exray_recorder_log_latency(exray_recorder *recorder, const uint32_t *node,
                                        const uint64_t *start_ns, const uint64_t *duration_ns, size_t count)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!frame_keeps(r, &status))
        return status;
    if (count && (!node || !start_ns || !duration_ns))
        return bad_argument(r, "exray_recorder_log_latency", "an array is NULL, but count is not 0");
    const xr_latency_message message = {r->next_frame, node, start_ns, duration_ns, count};
    return xr_emit_topic(r, "/latency", XR_SCHEMA_LATENCY, xr_encode_latency, &message, xr_port_now(),
                         XR_MAY_DROP);
}

/* ---- The model, attachments, metadata -------------------------------------------- */

static bool too_deep(const exray_node *nodes, uint32_t count, int depth)
{
    if (count && depth > XR_MAX_INNER)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (too_deep(nodes[i].inner, nodes[i].inner_count, depth + 1))
            return true;
    return false;
}

exray_status exray_recorder_log_model(exray_recorder *recorder, const exray_model *model)
{
    static const char call[] = "exray_recorder_log_model";
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (r->has_model)
        return xr_fail_with(r, EXRAY_E_STATE, call,
                            ": the log has its model already; open one recorder a model", NULL);
    if (!model || (model->node_count && !model->nodes) || (model->tensor_count && !model->tensors))
        return bad_argument(r, call, "the model, its nodes or its tensors are NULL");
    if (too_deep(model->nodes, model->node_count, 0))
        return bad_argument(r, call, "nodes lie more than 8 deep in `inner` ones");
    r->has_model = true;
    xr_keep_names(r, model);
    if (r->capture < EXRAY_CAPTURE_FRAME)
        return EXRAY_OK;
    const uint64_t dropped = r->dropped;
    const exray_status emitted =
        xr_emit_topic(r, "/model", XR_SCHEMA_MODEL, xr_encode_model, model, xr_port_now(), XR_WAIT);
    r->model_dropped = r->dropped != dropped;
    return emitted;
}

bool exray_recorder_has_model(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC && r->has_model;
}

/* Attachments and metadata count, too: `size` and what frames and indexes it. */
static bool budget_takes(xr_recorder *r, uint64_t size)
{
    const uint64_t cost = size + 256;
    if (!r->byte_budget)
        return true;
    if (r->spent > r->byte_budget || cost > r->byte_budget - r->spent) {
        r->dropped++;
        return false;
    }
    r->spent += cost;
    return true;
}

static int write_attachment(xr_mcap *mcap, const void *attachment)
{
    return xr_mcap_attachment(mcap, attachment);
}

exray_status exray_recorder_log_attachment(exray_recorder *recorder, const char *name, const char *media_type,
                                           const void *data, size_t size)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!name || !*name || strlen(name) > XR_MAX_NAME || (!data && size))
        return bad_argument(r, "exray_recorder_log_attachment",
                            "the name is missing, empty or over 1000 bytes, or data is NULL");
    if (!budget_takes(r, (uint64_t)size + 2 * (strlen(name) + (media_type ? strlen(media_type) : 0))))
        return EXRAY_OK;
    const xr_attachment attachment = {name, media_type, data, size, xr_port_now(), xr_port_wall_clock()};
    return xr_emit_call(r, write_attachment, &attachment);
}

static int write_metadata(xr_mcap *mcap, const void *metadata)
{
    return xr_mcap_metadata(mcap, metadata);
}

exray_status exray_recorder_log_metadata(exray_recorder *recorder, const char *name,
                                         const exray_key_value *pairs, size_t count)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    bool complete = name && *name && strlen(name) <= XR_MAX_NAME && (pairs || !count);
    uint64_t size = complete ? 2 * strlen(name) : 0;
    for (size_t i = 0; complete && i < count; i++) {
        complete = pairs[i].key && *pairs[i].key;
        size += 8 + (complete ? strlen(pairs[i].key) : 0) + (pairs[i].value ? strlen(pairs[i].value) : 0);
    }
    if (!complete)
        return bad_argument(r, "exray_recorder_log_metadata",
                            "a name or key is missing or empty, or pairs is NULL");
    if (!budget_takes(r, size))
        return EXRAY_OK;
    return xr_emit_call(r, write_metadata, &(xr_metadata){name, pairs, count});
}
