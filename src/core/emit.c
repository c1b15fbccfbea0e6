/* From the recorder to the writer: straight, or through the ring; the count of what was dropped. */
#include "core/emit.h"

#include "core/channels.h"
#include "core/recorder_error.h"

static exray_status drop(xr_recorder *r)
{
    r->dropped++;
    return EXRAY_OK;
}

exray_status xr_emit_call(xr_recorder *r, xr_writer_call function, const void *object)
{
    int error;
    if (r->writer_error) {
        r->parts.async->call(r->ring, function, object);
        error = atomic_load_explicit(r->writer_error, memory_order_acquire);
    } else {
        error = function(&r->mcap, object);
    }
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}

bool xr_emit_post(xr_recorder *r, xr_writer_call function, const void *object)
{
    if (r->writer_error)
        return r->parts.async->post(r->ring, function, object);
    const int error = function(&r->mcap, object);
    if (error)
        xr_fail_write(r, error);
    return true;
}

exray_status xr_send(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                     const void *object, xr_urgency urgency)
{
    if (r->flight && r->parts.flight->take(r, channel, log_time, encode, object, urgency == XR_RICH))
        return EXRAY_OK;
    xr_channel_use *use = &r->channels.use[channel];
    const xr_draft *draft = &r->draft;
    const xr_message message = {.channel = channel,
                                .sequence = use->sequence++,
                                .log_time = log_time,
                                .size = draft->sink.size,
                                .head = draft->partial ? NULL : draft->bytes,
                                .head_size = draft->used,
                                .tail = draft->tail,
                                .tail_size = draft->tail_size,
                                .encode = encode,
                                .object = object,
                                .crc = draft->crc};
    int error;
    uint64_t cost = 0;
    const exray_budget_part *budget = r->budget.bytes ? r->parts.budget : NULL;
    if (budget && !budget->admit_message(r, channel, message.size, &cost))
        return drop(r);
    if (r->writer_error) {
        if (!r->parts.async->send(r, &message, urgency == XR_WAIT))
            return drop(r);
        error = atomic_load_explicit(r->writer_error, memory_order_acquire);
    } else {
        error = xr_mcap_message(&r->mcap, &message);
        if (!error && r->parts.flush)
            error = r->parts.flush->written(&r->mcap, log_time);
    }
    if (budget)
        budget->spend_message(r, channel, cost);
    use->charged = r->schema_charged[r->channels.table[channel].schema] = true;
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}

bool xr_send_kept(xr_recorder *r, uint32_t channel, uint64_t log_time, const void *content, size_t size,
                  bool wait)
{
    if (r->writer_error && !wait && r->policy == EXRAY_POLICY_DROP &&
        !r->parts.async->has_room(r->ring, size))
        return false;
    xr_draft_begin(&r->draft);
    r->draft.sink.size = r->draft.tail_size = size;
    r->draft.tail = content;
    r->data_share = XR_SHARE_DATA; /* of a tensor */
    xr_send(r, channel, log_time, NULL, NULL, wait ? XR_WAIT : XR_MAY_DROP);
    return true;
}

exray_status xr_emit_topic(xr_recorder *r, const char *topic, xr_schema_id schema, xr_encode_fn encode,
                           const void *object, uint64_t log_time, xr_urgency urgency)
{
    const uint32_t channel = xr_channel_find(r, topic, schema, EXRAY_NO_INDEX);
    if (channel == EXRAY_NO_INDEX)
        return drop(r);
    xr_draft_begin(&r->draft);
    encode(&r->draft.sink, object);
    return xr_send(r, channel, log_time, encode, object, urgency);
}

exray_status xr_flush_layer_stats(xr_recorder *r)
{
    return r->layer_stats ? r->parts.layer_stats->flush(r) : EXRAY_OK;
}
