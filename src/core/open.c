/* Opening a recorder.  This file knows no part: host/open_host.c has those ways of opening that
 * link all of them. */
#include "core/open.h"

#include "core/channels.h"
#include "core/close.h"
#include "core/encode/text.h"
#include "core/identity.h"
#include "core/layout.h"
#include "core/output/out.h"
#include "core/recorder_error.h"

_Static_assert(sizeof(xr_recorder) <= sizeof(exray_recorder), "exray_recorder is too small");

static exray_status cannot_open(xr_recorder *r, exray_status status, const char *which, const char *why)
{
    return xr_fail_with(r, status, "cannot open the recorder: ", which, why);
}

exray_status xr_open_failed(xr_recorder *r)
{
    xr_release(r, true);
    return r->ended = r->error.status;
}

/* Takes the memory and lays the tables out in it. */
static exray_status take_memory(xr_recorder *r, const exray_recorder_config *config, size_t sink_size)
{
    const size_t size = xr_layout(r, config, sink_size, NULL);
    uint8_t *memory = config->memory;
    if (!memory) {
        memory = r->memory = xr_port_allocate(size);
        if (!memory)
            return cannot_open(r, EXRAY_E_MEMORY, "no memory for its buffers",
                               "; lower config.max_channels or sizes");
    } else {
        const size_t skip = (0 - (uintptr_t)memory) % XR_BLOCK_ALIGNMENT;
        if (config->memory_size < skip || config->memory_size - skip < size)
            return cannot_open(r, EXRAY_E_MEMORY, "config.memory_size is too small",
                               "; see exray_recorder_memory_needed");
        memory += skip;
    }
    xr_layout(r, config, sink_size, memory);
    return EXRAY_OK;
}

/* Below 1.0 each minor version may change the headers; then each major one.  Patches do not. */
static bool is_compatible(const char *version)
{
    const char *own = EXRAY_VERSION;
    int dots = own[0] == '0' && own[1] == '.' ? 2 : 1;
    for (; version && *own == *version; own++, version++)
        if (*own == '\0' || (*own == '.' && --dots == 0))
            return true;
    return false;
}

bool xr_open_begin(exray_recorder *recorder, const xr_opening *opening, const exray_recorder_parts *parts,
                   const char *target, size_t sink_size, exray_recorder_config *config)
{
    xr_recorder *r = xr_of(recorder);
    if (opening->recorder_size < sizeof *recorder || !is_compatible(opening->header_version)) {
        r->magic = XR_REFUSED; /* the caller's recorder may end right here */
        return false;
    }
    memset(r, 0, sizeof *r);
    r->magic = XR_MAGIC;
    const char *which, *problem = xr_read_config(opening->config, parts, config, &r->parts, &which);
    r->capture = config->capture ? config->capture : EXRAY_CAPTURE_STATS;
    atomic_init(&r->next_capture, (unsigned)r->capture);
    atomic_init(&r->at_frame, NULL);
    r->every_nth = config->every_nth;
    r->first_frames = config->first_frames;
    r->budget.total = config->byte_budget;
    r->budget.files = 1;
    r->budget.level_told = EXRAY_CAPTURE_FULL;
    r->no_io_data = config->no_io_data;
    r->no_output_data = config->no_output_data;
    r->policy = config->policy;
    r->flush_every.frames = config->flush_frames;
    r->sync_every.frames = config->sync_frames;
    r->mcap.flush_ns = (config->flush_ms ? config->flush_ms : 1000) * UINT64_C(1000000);
    r->mcap.sync_ns = config->sync_ms * UINT64_C(1000000);
    xr_text_builder text = xr_text_in(r->target, sizeof r->target);
    xr_text_add(&text, target);
    if (problem)
        cannot_open(r, EXRAY_E_ARGUMENT, which, problem);
    else
        take_memory(r, config, sink_size);
    if (r->error.status)
        xr_open_failed(r);
    return !r->error.status;
}

/* What every log has must find neither the table full of layers nor the budget
 * spent on them: its channels are made and charged first, with the log's end and
 * a last /system. */
static void set_aside(xr_recorder *r)
{
    static const char topics[] = "/frame\0/system\0/latency\0/result\0/model\0/event";
    static const uint8_t schemas[] = {XR_SCHEMA_FRAME,  XR_SCHEMA_SYSTEM, XR_SCHEMA_LATENCY,
                                      XR_SCHEMA_RESULT, XR_SCHEMA_MODEL,  XR_SCHEMA_EVENT};
    for (unsigned i = 0; i < sizeof schemas; i++) {
        const uint32_t id =
            xr_channel_find(r, xr_nth_text(topics, i), (xr_schema_id)schemas[i], EXRAY_NO_INDEX);
        r->channels.use[id].charged = r->schema_charged[schemas[i]] = true;
    }
    r->series.common = r->channels.count;
    if (r->parts.budget)
        r->parts.budget->begin(r);
}

/* The beginning of the log, and the writer thread. */
static exray_status begin_log(xr_recorder *r, const exray_recorder_config *config)
{
    r->mcap.flushed_ns = r->mcap.synced_ns = xr_port_now();
    int error = xr_mcap_begin(&r->mcap);
    if (!error) {
        const exray_status status =
            r->parts.machine ? r->parts.machine->identify(r, config) : xr_write_identity(r, config, NULL, 0);
        if (status || (r->flight && r->parts.flight->start(r)))
            return r->error.status;
        error = xr_out_refused(&r->mcap); /* the beginning cannot wait: without it there is no log */
        if (!error)
            error = xr_mcap_flush(&r->mcap, XR_FLUSH_BYTES);
        if (!error)
            error = xr_out_refused(&r->mcap);
    }
    if (error)
        return xr_fail_write(r, error);
    set_aside(r);
    r->watching = r->parts.machine && r->capture >= EXRAY_CAPTURE_FRAME;
    if (r->watching)
        r->parts.machine->watch(r);
    return r->ring ? r->parts.async->start(r) : EXRAY_OK;
}

/* NULL, or why there is nowhere to write. */
static const char *sink_problem(const xr_recorder *r, const exray_recorder_config *config,
                                exray_recorder_write_fn write)
{
    if (!write)
        return "`write` is NULL";
    if (!r->file && (config->max_files > 1 || config->file_bytes || config->file_seconds))
        return "config.max_files (file_...) needs exray_recorder_open_file";
    return NULL;
}

exray_status xr_open_log(xr_recorder *r, const exray_recorder_config *config, exray_recorder_write_fn write,
                         void *user)
{
    const char *problem = sink_problem(r, config, write);
    r->mcap.write = write;
    r->mcap.user = r->mcap.sink = user;
    if (problem)
        cannot_open(r, EXRAY_E_ARGUMENT, problem, NULL);
    return problem || begin_log(r, config) ? xr_open_failed(r) : EXRAY_OK;
}

static exray_status xr_open_function(exray_recorder *recorder, const xr_opening *opening,
                                     exray_recorder_write_fn write, void *user,
                                     const exray_recorder_parts *parts)
{
    exray_recorder_config config;
    if (!xr_open_begin(recorder, opening, parts, XR_CALLBACK_TARGET, 0, &config))
        return exray_recorder_error_status(recorder);
    xr_recorder *r = xr_of(recorder);
    r->mcap.sync = config.sync;
    return xr_open_log(r, &config, write, user);
}

/* ---- Without parts ------------------------------------------------------------ */

static const exray_recorder_parts no_parts = EXRAY_RECORDER_PARTS_INIT;

exray_status exray_recorder_open_device_sized(exray_recorder *recorder, size_t recorder_size,
                                              const char *header_version, exray_recorder_write_fn write,
                                              void *user, const exray_recorder_config *config)
{
    const xr_opening opening = {recorder_size, header_version, config};
    return xr_open_function(recorder, &opening, write, user, &no_parts);
}

size_t exray_recorder_memory_needed_device(const exray_recorder_config *config)
{
    return xr_memory_needed(config, &no_parts);
}
