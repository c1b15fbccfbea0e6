/* Tensor records: what is kept of a tensor, and its way to the writer. */
#include "core/channels.h"
#include "core/dtype.h"
#include "core/emit.h"
#include "core/encode/text.h"
#include "core/events/events.h"
#include "core/frame.h"
#include "core/recorder_error.h"

/* What a capture level keeps of layers, constants, and what else there is. */
static xr_keep keep_at(const xr_recorder *r, exray_kind kind, exray_capture capture)
{
    static const uint8_t kept[3][EXRAY_CAPTURE_FULL + 1] = {
        {[EXRAY_CAPTURE_STATS] = XR_KEEP_STATS, XR_KEEP_SKETCH, XR_KEEP_DATA},
        {[EXRAY_CAPTURE_STATS] = XR_KEEP_STATS, XR_KEEP_STATS, XR_KEEP_DATA},
        {[EXRAY_CAPTURE_IO] = XR_KEEP_DATA, XR_KEEP_DATA, XR_KEEP_DATA, XR_KEEP_DATA}};
    const int row = kind == EXRAY_KIND_LAYER ? 0 : kind == EXRAY_KIND_CONSTANT ? 1 : 2;
    const bool summary = kind == EXRAY_KIND_OUTPUT
                             ? r->no_output_data
                             : (kind == EXRAY_KIND_SENSOR || kind == EXRAY_KIND_INPUT) && r->no_io_data;
    const xr_keep k = (xr_keep)kept[row][capture];
    return summary && k ? XR_KEEP_STATS : k;
}

/* What a capture level keeps.  Constants belong to no frame: the recorder's level holds for them. */
static xr_keep asked(const xr_recorder *r, exray_kind kind, exray_capture capture, uint32_t index,
                     const char *name)
{
    const xr_keep k = keep_at(r, kind, kind == EXRAY_KIND_CONSTANT ? r->capture : capture);
    if (k == XR_KEEP_NOTHING || kind != EXRAY_KIND_LAYER || !r->layers)
        return k;
    return r->parts.layers->take(r->layers, index, name) ? k : XR_KEEP_NOTHING;
}

/* And what the budget leaves of it. */
static xr_keep affordable(const xr_recorder *r, exray_kind kind, xr_keep k)
{
    return r->budget.bytes ? r->parts.budget->keep(r, kind, k) : k;
}

bool exray_recorder_wants(const exray_recorder *recorder, exray_kind kind, uint32_t index, const char *name)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC || r->ended || xr_is_of_another_process(r) || (unsigned)kind >= EXRAY_KIND_COUNT)
        return false;
    return affordable(r, kind, asked(r, kind, xr_capture_now(r), index, name)) != XR_KEEP_NOTHING;
}

/* NULL, or what is wrong with the tensor. */
static const char *tensor_problem(const exray_tensor *tensor)
{
    const exray_tensor_info *info = &tensor->info;
    const exray_quantization *q = &info->quantization;
    uint64_t count;
    if ((unsigned)tensor->kind >= EXRAY_KIND_COUNT)
        return "kind is unknown";
    if ((unsigned)info->dtype > EXRAY_DTYPE_FLOAT8_E5M2)
        return "dtype is unknown";
    if (info->rank > EXRAY_MAX_RANK)
        return "rank is over 8";
    if ((info->rank && !info->shape) || (q->count && !q->scale) || (tensor->size && !tensor->data))
        return "shape, quantization.scale or data is NULL, but its size is not 0";
    for (uint32_t i = 0; i < info->rank; i++)
        if (info->shape[i] < -1)
            return "shape has a dimension below -1";
    if (q->count > 1 &&
        (q->axis >= info->rank || (info->shape[q->axis] >= 0 && (uint64_t)info->shape[q->axis] != q->count)))
        return "quantization.count is not the size of its axis";
    if (info->name && strlen(info->name) > XR_MAX_NAME)
        return "name is longer than 1000 bytes";
    if (tensor->data && xr_dtype_is_numeric(info->dtype) && xr_shape_count(info->shape, info->rank, &count) &&
        xr_dtype_bytes(info->dtype, count) != tensor->size)
        return "size does not fit shape and dtype";
    return NULL;
}

/* What stands for the data of a tensor. */
typedef struct tensor_summary {
    exray_stats stats;
    exray_sketch sketch;
    exray_channel_stats channels;
} tensor_summary;

static void summarize(xr_recorder *r, const exray_tensor *tensor, xr_keep k, tensor_summary *s,
                      xr_tensor_message *message)
{
    if (!tensor->data || (tensor->media && xr_format_is_opaque(tensor->media->format)))
        return;
    if (k == XR_KEEP_SKETCH) {
        s->sketch =
            (exray_sketch){.version = EXRAY_SKETCH_VERSION, .seed = EXRAY_SKETCH_SEED, .bucket = r->bucket};
        if (!r->parts.sketch->compute(&tensor->info, tensor->data, tensor->size, s->sketch.seed, &s->stats,
                                      r->bucket, &s->sketch.count)) {
            message->stats = &s->stats;
            message->sketch = &s->sketch;
        }
    } else if (k == XR_KEEP_STATS && r->parts.stats &&
               !r->parts.stats->compute(&tensor->info, tensor->data, tensor->size, &s->stats)) {
        message->stats = &s->stats;
        const bool layer = tensor->kind == EXRAY_KIND_LAYER || tensor->kind == EXRAY_KIND_CONSTANT;
        if (r->channel_room && !layer &&
            !r->parts.stats->channels(&tensor->info, tensor->data, tensor->size, &s->stats, r->channel_room,
                                      &s->channels))
            message->channels = &s->channels;
    }
}

/* Whether its statistics wait for the message of the frame's layers. */
static bool is_gathered(xr_recorder *r, const exray_tensor *tensor, xr_keep k, exray_status *status)
{
    return k == XR_KEEP_STATS && r->layer_stats && r->parts.layer_stats->take(r, tensor, status);
}

/* Sends what is to be kept; where the budget forbids its data, its stats.  `k`: what was asked for.
 * What waits (XR_RICH) costs nothing yet. */
static exray_status emit_tensor(xr_recorder *r, const exray_tensor *tensor, uint32_t channel, xr_keep k,
                                xr_urgency urgency)
{
    tensor_summary summary;
    xr_tensor_message message = {.frame = tensor->kind == EXRAY_KIND_CONSTANT ? 0 : r->next_frame,
                                 .tensor = tensor,
                                 .with_info = r->model_dropped,
                                 .with_data = k == XR_KEEP_DATA && tensor->data};
    xr_draft_begin(&r->draft);
    xr_encode_tensor_head(&r->draft.sink, &message);
    r->data_share = 0;
    const bool degraded =
        message.with_data &&
        (tensor->size > XR_MAX_DATA ||
         (urgency != XR_RICH && (affordable(r, tensor->kind, k) != XR_KEEP_DATA ||
                                 (r->budget.bytes && !r->parts.budget->data(r, tensor, channel)))));
    if (degraded) {
        message.with_data = false;
        k = XR_KEEP_STATS;
    }
    summarize(r, tensor, k, &summary, &message);
    /* In chunks there is a checksum, and what fits into the buffer is never cut. */
    message.is_sealed = !r->mcap.part && tensor->size + XR_MAX_TOPIC > r->mcap.out_capacity;
    xr_encode_tensor_values(&r->draft.sink, &message);
    const uint64_t dropped = r->dropped;
    const exray_status status = xr_send(r, channel, xr_port_now(), xr_encode_tensor, &message, urgency);
    if (degraded && r->dropped == dropped) /* a record counts once */
        r->dropped++;
    return status;
}

/* What the log gets at once of a tensor of which `all` is to be kept. */
static xr_keep kept_of_log(const xr_recorder *r, const exray_tensor *tensor, xr_keep all)
{
    return r->flight && all ? keep_at(r, tensor->kind, r->frame.logged) : all;
}

static exray_status bad_tensor(xr_recorder *r, const exray_tensor *tensor, const char *problem)
{
    xr_text_builder text = xr_text_in(r->topic, 148);
    xr_text_add(&text, "log_tensor: ");
    if ((unsigned)tensor->kind < EXRAY_KIND_COUNT)
        xr_tensor_topic(tensor, &text);
    xr_text_add(&text, ": ");
    return xr_bad_call(r, r->topic, problem);
}

exray_status exray_recorder_log_tensor(exray_recorder *recorder, const exray_tensor *tensor)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status = xr_check(r);
    if (status)
        return status;
    const char *problem = tensor_problem(tensor);
    if (problem)
        return bad_tensor(r, tensor, problem);
    if (tensor->kind != EXRAY_KIND_CONSTANT)
        status = xr_need_frame(r);
    const bool constant = tensor->kind == EXRAY_KIND_CONSTANT;
    const xr_keep all = asked(r, tensor->kind, r->frame.capture, tensor->index, tensor->info.name);
    const xr_keep first = constant ? all : kept_of_log(r, tensor, all);
    if (status || all == XR_KEEP_NOTHING)
        return status;
    if (affordable(r, tensor->kind, all) == XR_KEEP_NOTHING) {
        r->dropped += first != XR_KEEP_NOTHING;
        return EXRAY_OK;
    }
    const bool gathered = is_gathered(r, tensor, affordable(r, tensor->kind, first), &status);
    r->dropped += gathered && first == XR_KEEP_DATA; /* for want of budget */
    if (status || (gathered && first == all))
        return status;
    xr_text_builder topic = xr_text_in(r->topic, XR_MAX_TOPIC);
    xr_tensor_topic(tensor, &topic);
    const uint32_t channel = xr_channel_find(
        r, r->topic, XR_SCHEMA_TENSOR, tensor->kind == EXRAY_KIND_LAYER ? tensor->index : EXRAY_NO_INDEX);
    if (channel == EXRAY_NO_INDEX) {
        r->dropped++;
        return EXRAY_OK;
    }
    xr_urgency urgency = constant ? XR_WAIT : XR_MAY_DROP;
    for (xr_keep k = first;; k = all, urgency = XR_RICH) {
        if (k != XR_KEEP_NOTHING && !(gathered && k == first))
            status = emit_tensor(r, tensor, channel, k, urgency);
        if (status || k == all)
            return status;
    }
}
