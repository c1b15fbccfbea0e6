/* Records that are not tensors: readings, latencies, the model, attachments, metadata; results:
 * told_records.c. */
#include "core/channels.h"
#include "core/emit.h"
#include "core/encode/text.h"
#include "core/events/events.h"
#include "core/frame.h"
#include "core/recorder_error.h"

static const char *const is_null = ": a pointer that must not be NULL is";
static const char *const no_name = ": the name is missing, empty or over 1000 bytes";

/* ---- Messages of a frame ---- */

exray_status exray_recorder_log_reading(exray_recorder *recorder, const char *name, const double *values,
                                        size_t count, const char *unit)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!xr_frame_keeps(r, &status))
        return status;
    if (!xr_is_name(name))
        return xr_bad_call(r, "log_reading", no_name);
    if (count && !values)
        return xr_bad_call(r, "log_reading", is_null);
    xr_text_builder text = xr_text_in(r->topic, XR_MAX_TOPIC);
    xr_text_add(&text, "/reading/");
    xr_text_add(&text, name);
    const xr_reading_message reading = {r->next_frame, values, count, unit};
    return xr_emit_topic(r, r->topic, XR_SCHEMA_READING, xr_encode_reading, &reading, xr_port_now(),
                         XR_MAY_DROP);
}

exray_status exray_recorder_log_latency(exray_recorder *recorder, const uint32_t *node,
                                        const uint64_t *start_ns, const uint64_t *duration_ns, size_t count)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!xr_frame_keeps(r, &status))
        return status;
    if (count && (!node || !start_ns || !duration_ns))
        return xr_bad_call(r, "log_latency", is_null);
    const xr_latency_message message = {r->next_frame, node, start_ns, duration_ns, count};
    return xr_emit_topic(r, "/latency", XR_SCHEMA_LATENCY, xr_encode_latency, &message, xr_port_now(),
                         XR_MAY_DROP);
}

/* ---- The model, attachments, metadata ---- */

static bool too_deep(const exray_node *nodes, uint32_t count, int depth)
{
    if (count && depth > XR_MAX_INNER)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (too_deep(nodes[i].inner, nodes[i].inner_count, depth + 1))
            return true;
    return false;
}

static bool are_known(const uint32_t *positions, uint32_t count, uint32_t tensors)
{
    for (uint32_t i = 0; positions && i < count; i++)
        if (positions[i] >= tensors && positions[i] != EXRAY_NO_INDEX)
            return false;
    return true;
}

/* A model may be described without its tensors. */
static bool has_known_tensors(const exray_model *model)
{
    const uint32_t tensors = model->tensor_count;
    bool good = !tensors || (are_known(model->inputs, model->input_count, tensors) &&
                             are_known(model->outputs, model->output_count, tensors));
    for (uint32_t i = 0; tensors && good && i < model->node_count; i++)
        good = are_known(model->nodes[i].inputs, model->nodes[i].input_count, tensors) &&
               are_known(model->nodes[i].outputs, model->nodes[i].output_count, tensors);
    return good;
}

exray_status exray_recorder_log_model(exray_recorder *recorder, const exray_model *model)
{
    static const char call[] = "log_model";
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (r->has_model)
        return xr_refuse_call(r, EXRAY_E_STATE, 1, "exray_recorder_", call, ": the log has a model already");
    if (!model || (model->node_count && !model->nodes) || (model->tensor_count && !model->tensors))
        return xr_bad_call(r, call, is_null);
    if (!has_known_tensors(model))
        return xr_bad_call(r, call, ": an input or output is no position in `tensors`");
    if (too_deep(model->nodes, model->node_count, 0))
        return xr_bad_call(r, call, ": nodes lie over 8 deep in `inner`");
    r->has_model = true;
    if (r->layers)
        r->parts.layers->keep_names(r->layers, model);
    /* Frames that a trigger writes need it whatever the level is. */
    r->model_dropped = r->capture < EXRAY_CAPTURE_FRAME && !r->flight;
    if (r->model_dropped)
        return EXRAY_OK;
    const uint64_t dropped = r->dropped;
    const exray_status emitted =
        xr_emit_topic(r, "/model", XR_SCHEMA_MODEL, xr_encode_model, model, xr_port_now(), XR_WAIT);
    r->model_dropped = r->dropped != dropped;
    if (r->layer_stats && !r->model_dropped)
        r->parts.layer_stats->keep_model(r, model);
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
    if (!r->budget.bytes || r->parts.budget->head(r, size + 256))
        return true;
    r->dropped++;
    return false;
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
    if (!xr_is_name(name) || (!data && size))
        return xr_bad_call(r, "log_attachment", xr_is_name(name) ? is_null : no_name);
    if (!budget_takes(r, (uint64_t)size + 2 * (strlen(name) + (media_type ? strlen(media_type) : 0))))
        return EXRAY_OK;
    const xr_attachment_record attachment = {name, media_type,    data,
                                             size, xr_port_now(), xr_port_wall_clock()};
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
    const char *problem = xr_is_name(name) ? NULL : no_name;
    for (size_t i = 0; !problem && i < count; i++)
        if (!pairs || !pairs[i].key || !*pairs[i].key)
            problem = ": `pairs` or a key in it is missing";
    if (problem)
        return xr_bad_call(r, "log_metadata", problem);
    xr_metadata_record metadata = {.name = name, .pairs = pairs, .count = count};
    metadata.pairs_size = xr_mcap_pairs_size(&metadata);
    if (!budget_takes(r, metadata.pairs_size + 2 * (uint64_t)strlen(name)))
        return EXRAY_OK;
    return xr_emit_call(r, write_metadata, &metadata);
}
