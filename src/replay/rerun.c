#include "replay/rerun.h"

#include "base/error.h"
#include "pipeline/target.h"
#include "replay/feed.h"

#include <stdlib.h>
#include <string.h>

struct xr_rerun {
    const xr_engine *engine;
    xr_session *session;
    xr_feeds feeds;
    uint32_t loop[XR_FEED_MOST]; /* by input: the output that it gets back, or EXRAY_NO_INDEX */
    exray_slot *slot;
};

void xr_rerun_close(xr_rerun *r)
{
    if (!r)
        return;
    xr_feeds_close(&r->feeds);
    if (r->session)
        r->engine->close(r->session);
    exray_slot_free(r->slot);
    free(r);
}

xr_rerun *xr_rerun_open(const xr_engine *engine, const xr_session_config *config, exray_error *error)
{
    xr_rerun *r = calloc(1, sizeof *r);
    if (!r || !(r->slot = exray_slot_new())) {
        free(r);
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        return NULL;
    }
    r->engine = engine;
    for (uint32_t i = 0; i < XR_FEED_MOST; i++)
        r->loop[i] = EXRAY_NO_INDEX;
    r->session = engine->open(config, error);
    if (!r->session || xr_feeds_open(&r->feeds, engine, r->session, error) != EXRAY_OK) {
        xr_rerun_close(r);
        return NULL;
    }
    return r;
}

static uint32_t find_port(const xr_rerun *r, bool output, const char *name)
{
    const exray_tensor_info *info;
    uint32_t i = 0;
    while ((info = output ? r->engine->output(r->session, i) : r->engine->input(r->session, i)) &&
           strcmp(info->name ? info->name : "", name) != 0)
        i++;
    if (info)
        return i;
    return i == 1 ? 0 : EXRAY_NO_INDEX; /* the only one is meant, whatever it is called */
}

exray_status xr_rerun_loop(xr_rerun *r, const char *input, const char *output, exray_error *error)
{
    uint32_t in = find_port(r, false, input), out = find_port(r, true, output);
    if (in >= r->feeds.count || out == EXRAY_NO_INDEX)
        return xr_error_set(error, EXRAY_E_FORMAT, "the model has no input %.80s or no output %.80s", input,
                            output);
    r->loop[in] = out;
    return EXRAY_OK;
}

/* Zeros as numbers, in the shape that it has: of a quantized input, its zero point. */
static void clear_feed(xr_feed *feed)
{
    const float zero = 0;
    uint8_t bytes[8] = {0};
    exray_error ignored;
    size_t element = exray_dtype_bits(feed->info.dtype) / 8;
    memset(feed->bytes, 0, feed->size);
    if (!feed->info.quantization.count || element == 0 || element > sizeof bytes ||
        xr_target_store(&feed->info, &zero, 1, bytes, element, &ignored) != EXRAY_OK)
        return;
    for (size_t at = 0; at + element <= feed->size; at += element)
        memcpy(feed->bytes + at, bytes, element);
}

exray_status xr_rerun_reset(xr_rerun *r, exray_error *error)
{
    bool kept = false;
    *error = (exray_error){EXRAY_OK, ""};
    for (uint32_t i = 0; i < r->feeds.count; i++) {
        if (r->loop[i] == EXRAY_NO_INDEX)
            continue;
        if (!xr_feed_zeros(&r->feeds.of[i], r->feeds.of[i].declared))
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a state");
        clear_feed(&r->feeds.of[i]);
    }
    return r->engine->reset ? r->engine->reset(r->session, &kept, error) : EXRAY_OK;
}

static exray_status read_input(xr_rerun *r, const exray_log *log, size_t frame, xr_feed *feed,
                               exray_error *error)
{
    const char *name = feed->info.name ? feed->info.name : "";
    const exray_record *record = exray_log_find(log, frame, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, name);
    const exray_record *all = exray_log_records(log, frame);
    for (size_t i = 0; !record && r->feeds.count == 1 && i < exray_log_frame(log, frame)->record_count; i++)
        if (all[i].message == EXRAY_MESSAGE_TENSOR && all[i].kind == EXRAY_KIND_INPUT)
            record = &all[i];
    if (!record || !record->has_data)
        return xr_error_set(error, EXRAY_E_STATE, "a frame has no recorded input %.100s with data", name);
    exray_tensor_view view;
    exray_status status = exray_log_read_tensor(log, record, r->slot, &view, error);
    const xr_item_input from = {record->name, view.info, view.data, view.size};
    return status ? status : xr_feed_record(feed, &from, error);
}

/* The outputs that become inputs. */
static exray_status keep_loops(xr_rerun *r, exray_error *error)
{
    for (uint32_t i = 0; i < r->feeds.count; i++) {
        xr_feed *feed = &r->feeds.of[i];
        if (r->loop[i] == EXRAY_NO_INDEX)
            continue;
        size_t size = 0;
        const void *data = r->engine->output_data(r->session, r->loop[i], &size);
        const exray_tensor_info *info = r->engine->output(r->session, r->loop[i]);
        if (!data || !info || info->dtype != feed->info.dtype || info->rank != feed->info.rank)
            return xr_error_set(error, EXRAY_E_FORMAT, "an output is no state of the input %.100s",
                                feed->info.name ? feed->info.name : "");
        if (!xr_feed_room(feed, size))
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a state");
        memcpy(feed->bytes, data, size);
        memcpy(feed->shape, info->shape, info->rank * sizeof *feed->shape);
    }
    return EXRAY_OK;
}

exray_status xr_rerun_run(xr_rerun *r, const exray_log *log, size_t frame, int zeros, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; i < r->feeds.count && !status; i++) {
        xr_feed *feed = &r->feeds.of[i];
        if (r->loop[i] != EXRAY_NO_INDEX)
            continue;
        status = read_input(r, log, frame, feed, error);
        const bool single = 8 * feed->size == exray_dtype_bits(feed->info.dtype);
        if (!status && zeros && !single) {
            if (zeros == 1)
                memset(feed->bytes, 0, feed->size);
            else
                clear_feed(feed);
        }
    }
    if (!status)
        status = xr_feeds_set(&r->feeds, r->engine, r->session, error);
    if (!status)
        status = r->engine->run(r->session, error);
    return status ? status : keep_loops(r, error);
}

const void *xr_rerun_output(xr_rerun *r, const char *name, exray_tensor_info *info, size_t *size)
{
    uint32_t i = find_port(r, true, name);
    const exray_tensor_info *now = i == EXRAY_NO_INDEX ? NULL : r->engine->output(r->session, i);
    if (!now)
        return NULL;
    *info = *now;
    return r->engine->output_data(r->session, i, size);
}
