/* Opening: into a file, a function, memory. */
#include "core/channels.h"
#include "core/close.h"
#include "core/encode/text.h"
#include "core/identity.h"
#include "core/layout.h"
#include "core/sized.h"
#include "core/sticky_error.h"

_Static_assert(sizeof(xr_recorder) <= sizeof(exray_recorder), "exray_recorder is too small");

/* ---- Sinks ---- */

static int write_file(void *user, const void *data, size_t size)
{
    return xr_port_write(((xr_file_target *)user)->handle, data, size);
}

static int write_memory(void *user, const void *data, size_t size)
{
    xr_memory_target *target = user;
    const size_t room = target->size - target->used;
    const size_t part = size < room ? size : room;
    memcpy(target->bytes + target->used, data, part);
    target->used += part;
    return part < size ? xr_port_no_space() : 0;
}

/* ---- Open ---- */

/* What the caller was compiled with. */
typedef struct caller_header {
    size_t recorder_size;
    const char *version;
} caller_header;

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

/* A fresh state, and what the caller asks for.  NULL: the recorder has the error, and nothing is to be
 * given back. */
static xr_recorder *prepare(exray_recorder *recorder, caller_header header, const exray_recorder_config *from,
                            exray_recorder_config *config)
{
    xr_recorder *r = xr_of(recorder);
    if (header.recorder_size < sizeof *recorder || !is_compatible(header.version)) {
        r->magic = XR_REFUSED; /* the caller's recorder may end right here */
        return NULL;
    }
    static const exray_recorder_config defaults = EXRAY_RECORDER_CONFIG_INIT;
    const char *problem = xr_sized_read(config, sizeof *config, from ? from : &defaults);
    memset(recorder, 0, sizeof *recorder);
    r->magic = XR_MAGIC;
    r->file.handle = -1;
    r->usage_files = (xr_port_usage_files){-1, -1, -1};
    r->capture = config->capture ? config->capture : EXRAY_CAPTURE_STATS;
    r->every_nth = config->every_nth;
    r->first_frames = config->first_frames;
    r->byte_budget = config->byte_budget;
    r->no_io_data = config->no_io_data;
    r->policy = config->policy;
    if (!problem)
        return r;
    xr_fail_with(r, EXRAY_E_ARGUMENT,
                 "cannot open the recorder: config (EXRAY_RECORDER_CONFIG_INIT): ", problem, NULL);
    r->magic = XR_CLOSED;
    return NULL;
}

/* Takes the memory and lays the tables out in it. */
static exray_status take_memory(xr_recorder *r, const exray_recorder_config *config, size_t sink_size,
                                xr_memory_plan *plan)
{
    const char *problem;
    if (!xr_plan_of(config, sink_size, plan, &problem))
        return xr_fail_with(r, EXRAY_E_ARGUMENT, "cannot open the recorder: ", problem, NULL);
    if (!config->memory) {
        r->memory = xr_port_allocate(plan->total);
        if (!r->memory)
            return xr_fail_with(r, EXRAY_E_MEMORY,
                                "cannot open the recorder: no memory for its buffers; lower chunk_size, "
                                "max_channels, max_chunks or ring_size",
                                NULL, NULL);
        xr_place(r, plan, config, r->memory);
        return EXRAY_OK;
    }
    const size_t misaligned = (uintptr_t)config->memory % 16;
    const size_t skip = misaligned ? 16 - misaligned : 0;
    if (config->memory_size < skip || config->memory_size - skip < plan->total)
        return xr_fail_with(r, EXRAY_E_MEMORY,
                            "cannot open the recorder: config.memory_size is too small; "
                            "exray_recorder_memory_needed() says how much it takes",
                            NULL, NULL);
    xr_place(r, plan, config, (uint8_t *)config->memory + skip);
    return EXRAY_OK;
}

/* What every log has must find neither the table full of layers nor the budget
 * spent on them: its channels are made and charged first, with the log's end and
 * a last /system. */
static void set_aside(xr_recorder *r)
{
    static const struct {
        const char *topic;
        xr_schema_id schema;
    } common[] = {{"/frame", XR_SCHEMA_FRAME},
                  {"/system", XR_SCHEMA_SYSTEM},
                  {"/latency", XR_SCHEMA_LATENCY},
                  {"/result", XR_SCHEMA_RESULT},
                  {"/model", XR_SCHEMA_MODEL}};
    r->spent = r->mcap.position + 1024 + xr_mcap_message_cost(&r->mcap, 80);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        const uint32_t id = xr_channel_find(r, common[i].topic, common[i].schema, EXRAY_NO_INDEX);
        r->spent += xr_mcap_channel_cost(&r->mcap, &r->channels.table[id], true);
        r->channels.use[id].charged = r->schema_charged[common[i].schema] = true;
    }
}

/* The beginning of the log, and the writer thread. */
static exray_status start(xr_recorder *r, const exray_recorder_config *config, exray_recorder_write_fn write,
                          void *user, const xr_memory_plan *plan)
{
    r->mcap.write = write;
    r->mcap.user = user;
    int error = xr_mcap_begin(&r->mcap);
    if (!error) {
        const exray_status status = xr_write_identity(r, config);
        if (status)
            return status;
        error = xr_mcap_flush(&r->mcap, false);
    }
    if (error)
        return xr_fail_write(r, error);
    set_aside(r);
    r->last_chunk_ns = xr_port_now();
    if (r->capture >= EXRAY_CAPTURE_FRAME)
        xr_port_usage_open(&r->usage_files);
    if (!plan->ring_size)
        return EXRAY_OK;
    r->ring.mcap = &r->mcap;
    error = xr_ring_start(&r->ring);
    if (error) {
        char buffer[128];
        return xr_fail_with(r, EXRAY_E_UNSUPPORTED, "cannot start the writer thread: ",
                            xr_port_error_text(error, buffer, sizeof buffer),
                            "; open the recorder with ring_size 0");
    }
    r->asynchronous = true;
    return EXRAY_OK;
}

static void set_target(xr_recorder *r, const char *what, const char *path)
{
    xr_text_builder text = xr_text_in(r->target, sizeof r->target);
    xr_text_add(&text, what);
    if (!path)
        return;
    /* The end of a long path says more than its beginning. */
    const size_t size = strlen(path), room = sizeof r->target - strlen(what) - 6;
    xr_text_add(&text, size > room ? "'..." : "'");
    xr_text_add(&text, size > room ? path + size - room : path);
    xr_text_add(&text, "'");
}

/* After a failed open nothing is left to close, and the error stays. */
static exray_status opened(xr_recorder *r, exray_status status)
{
    if (status)
        xr_release(r);
    return status;
}

exray_status exray_recorder_open_file_sized(exray_recorder *recorder, size_t recorder_size,
                                            const char *header_version, const char *path,
                                            const exray_recorder_config *from)
{
    exray_recorder_config config;
    xr_recorder *r = prepare(recorder, (caller_header){recorder_size, header_version}, from, &config);
    xr_memory_plan plan;
    if (!r)
        return exray_recorder_error_status(recorder);
    if (!path || !*path)
        return opened(r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_file: the path is missing",
                                      NULL, NULL));
    set_target(r, "log file ", path);
    if (take_memory(r, &config, 0, &plan))
        return opened(r, r->error.status);
    int error;
    r->file.handle = xr_port_open(path, &error);
    if (r->file.handle < 0) {
        char buffer[128], text[256];
        xr_text_builder t = xr_text_in(text, sizeof text);
        xr_text_add(&t, ": ");
        xr_text_add(&t, xr_port_error_text(error, buffer, sizeof buffer));
        xr_text_add(&t, "; choose a folder that exists and can be written to");
        const exray_status status = xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
        return opened(r, xr_fail_with(r, status, "cannot create ", r->target, text));
    }
    return opened(r, start(r, &config, write_file, &r->file, &plan));
}

exray_status exray_recorder_open_callback_sized(exray_recorder *recorder, size_t recorder_size,
                                                const char *header_version, exray_recorder_write_fn write,
                                                void *user, const exray_recorder_config *from)
{
    exray_recorder_config config;
    xr_recorder *r = prepare(recorder, (caller_header){recorder_size, header_version}, from, &config);
    xr_memory_plan plan;
    if (!r)
        return exray_recorder_error_status(recorder);
    set_target(r, "the application's write callback", NULL);
    if (!write)
        return opened(r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_callback: `write` is NULL",
                                      NULL, NULL));
    if (take_memory(r, &config, 0, &plan))
        return opened(r, r->error.status);
    return opened(r, start(r, &config, write, user, &plan));
}

exray_status exray_recorder_open_memory_sized(exray_recorder *recorder, size_t recorder_size,
                                              const char *header_version, void *buffer, size_t size,
                                              const exray_recorder_config *from)
{
    exray_recorder_config config;
    xr_recorder *r = prepare(recorder, (caller_header){recorder_size, header_version}, from, &config);
    xr_memory_plan plan;
    if (!r)
        return exray_recorder_error_status(recorder);
    set_target(r, "the memory given to exray_recorder_open_memory", NULL);
    if (!buffer)
        return opened(
            r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_memory: `buffer` is NULL", NULL, NULL));
    r->buffer = (xr_memory_target){buffer, size, 0};
    if (take_memory(r, &config, size, &plan))
        return opened(r, r->error.status);
    return opened(r, start(r, &config, write_memory, &r->buffer, &plan));
}

uint64_t exray_recorder_bytes_written(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return 0;
    if (r->buffer.bytes && !r->asynchronous)
        return r->buffer.used; /* without what is on its way: so much of the buffer is a log */
    if (r->asynchronous)       /* the lock inside is not part of what `const` promises */
        return xr_ring_bytes_written((xr_ring *)(uintptr_t)&r->ring);
    return r->mcap.position;
}
