/* Opening, closing, and the sticky error. */
#include "core/recorder.h"

#include "core/taps.h"

_Static_assert(sizeof(xr_recorder) <= sizeof(exray_recorder), "exray_recorder is too small");

/* ---- Errors --------------------------------------------------------------- */

exray_status xr_fail_with(xr_recorder *r, exray_status status, const char *a, const char *b, const char *c)
{
    if (!r->error.status) {
        xr_text text = xr_text_in(r->error.message, sizeof r->error.message);
        r->error.status = status;
        xr_text_add(&text, a);
        xr_text_add(&text, b);
        xr_text_add(&text, b ? c : NULL);
    }
    return r->error.status;
}

exray_status xr_fail_write(xr_recorder *r, int error)
{
    char buffer[128], text[384];
    const bool full = xr_port_is_no_space(error);
    xr_text t = xr_text_in(text, sizeof text);
    xr_text_add(&t, ": ");
    xr_text_add(&t, xr_port_error_text(error, buffer, sizeof buffer));
    xr_text_add(&t, full ? "; free some space, lower the capture level or set a byte budget"
                         : "; check the device and its connection");
    return xr_fail_with(r, full ? EXRAY_E_NO_SPACE : EXRAY_E_IO, "cannot write to ", r->target, text);
}

/* The writer thread's error becomes the recorder's at the next call. */
static void look_for_writer_error(xr_recorder *r)
{
    if (!r->asynchronous || r->error.status)
        return;
    const int error = atomic_load_explicit(&r->ring.error, memory_order_acquire);
    if (error)
        xr_fail_write(r, error);
}

exray_status xr_check(xr_recorder *r)
{
    if (r->magic != XR_MAGIC)
        return r->magic == XR_CLOSED && r->error.status ? r->error.status : EXRAY_E_STATE;
    look_for_writer_error(r);
    return r->error.status;
}

exray_status exray_recorder_error_status(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return EXRAY_E_STATE;
    return r->error.status;
}

const char *exray_recorder_error_message(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return "the recorder was never opened; call exray_recorder_open_file first";
    return r->error.message;
}

uint64_t exray_recorder_dropped(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC || r->magic == XR_CLOSED ? r->dropped : 0;
}

exray_status exray_recorder_fail(exray_recorder *recorder, exray_status status, const char *message)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status before = xr_check(r);
    if (before || !status)
        return before;
    return xr_fail_with(r, status, message ? message : exray_status_name(status), NULL, NULL);
}

/* ---- Sinks ---------------------------------------------------------------- */

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

/* ---- Open ----------------------------------------------------------------- */

static const exray_recorder_config defaults = {0};

/* A fresh state; the config's values are copied. */
static xr_recorder *prepare(exray_recorder *recorder, const exray_recorder_config *config)
{
    memset(recorder, 0, sizeof *recorder);
    xr_recorder *r = xr_of(recorder);
    r->magic = XR_MAGIC;
    r->file.handle = -1;
    r->usage_files = (xr_port_usage_files){-1, -1, -1};
    r->capture = config->capture ? config->capture : EXRAY_CAPTURE_STATS;
    r->every_nth = config->every_nth;
    r->first_frames = config->first_frames;
    r->byte_budget = config->byte_budget;
    r->no_io_data = config->no_io_data;
    r->policy = config->policy;
    return r;
}

/* Takes the memory and lays the tables out in it. */
static exray_status take_memory(xr_recorder *r, const exray_recorder_config *config, size_t sink_size,
                                xr_plan *plan)
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
        xr_schema schema;
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
                          void *user, const xr_plan *plan)
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
    xr_text text = xr_text_in(r->target, sizeof r->target);
    xr_text_add(&text, what);
    if (!path)
        return;
    /* The end of a long path says more than its beginning. */
    const size_t size = strlen(path), room = sizeof r->target - strlen(what) - 6;
    xr_text_add(&text, size > room ? "'..." : "'");
    xr_text_add(&text, size > room ? path + size - room : path);
    xr_text_add(&text, "'");
}

/* Gives back what open took. */
static void release(xr_recorder *r)
{
    xr_port_usage_close(&r->usage_files);
    if (r->file.handle >= 0) {
        const int error = xr_port_close(r->file.handle);
        if (error)
            xr_fail_write(r, error);
        r->file.handle = -1;
    }
    if (r->memory)
        xr_port_free(r->memory);
    r->memory = NULL;
    r->magic = XR_CLOSED;
}

/* After a failed open nothing is left to close, and the error stays. */
static exray_status opened(xr_recorder *r, exray_status status)
{
    if (status)
        release(r);
    return status;
}

exray_status exray_recorder_open_file(exray_recorder *recorder, const char *path,
                                      const exray_recorder_config *config)
{
    config = config ? config : &defaults;
    xr_recorder *r = prepare(recorder, config);
    xr_plan plan;
    if (!path || !*path)
        return opened(r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_file: the path is missing",
                                      NULL, NULL));
    set_target(r, "log file ", path);
    if (take_memory(r, config, 0, &plan))
        return opened(r, r->error.status);
    int error;
    r->file.handle = xr_port_open(path, &error);
    if (r->file.handle < 0) {
        char buffer[128], text[256];
        xr_text t = xr_text_in(text, sizeof text);
        xr_text_add(&t, ": ");
        xr_text_add(&t, xr_port_error_text(error, buffer, sizeof buffer));
        xr_text_add(&t, "; choose a folder that exists and can be written to");
        const exray_status status = xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
        return opened(r, xr_fail_with(r, status, "cannot create ", r->target, text));
    }
    return opened(r, start(r, config, write_file, &r->file, &plan));
}

exray_status exray_recorder_open_callback(exray_recorder *recorder, exray_recorder_write_fn write, void *user,
                                          const exray_recorder_config *config)
{
    config = config ? config : &defaults;
    xr_recorder *r = prepare(recorder, config);
    xr_plan plan;
    set_target(r, "the application's write callback", NULL);
    if (!write)
        return opened(r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_callback: `write` is NULL",
                                      NULL, NULL));
    if (take_memory(r, config, 0, &plan))
        return opened(r, r->error.status);
    return opened(r, start(r, config, write, user, &plan));
}

exray_status exray_recorder_open_memory(exray_recorder *recorder, void *buffer, size_t size,
                                        const exray_recorder_config *config)
{
    config = config ? config : &defaults;
    xr_recorder *r = prepare(recorder, config);
    xr_plan plan;
    set_target(r, "the memory given to exray_recorder_open_memory", NULL);
    if (!buffer)
        return opened(
            r, xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_memory: `buffer` is NULL", NULL, NULL));
    r->buffer = (xr_memory_target){buffer, size, 0};
    if (take_memory(r, config, size, &plan))
        return opened(r, r->error.status);
    return opened(r, start(r, config, write_memory, &r->buffer, &plan));
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

/* ---- Close ---------------------------------------------------------------- */

exray_status exray_recorder_on_close(exray_recorder *recorder, void (*function)(void *user), void *user)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!function || r->closer_count == XR_CLOSERS)
        return xr_fail_with(r, function ? EXRAY_E_LIMIT : EXRAY_E_ARGUMENT,
                            function ? "exray_recorder_on_close: four functions are registered already"
                                     : "exray_recorder_on_close: the function is NULL",
                            NULL, NULL);
    r->closers[r->closer_count].function = function;
    r->closers[r->closer_count].user = user;
    r->closer_count++;
    return EXRAY_OK;
}

void *xr_closer_user(const exray_recorder *recorder, void (*function)(void *user))
{
    const xr_recorder *r = xr_of_const(recorder);
    for (uint32_t i = 0; r->magic == XR_MAGIC && i < r->closer_count; i++)
        if (r->closers[i].function == function)
            return r->closers[i].user;
    return NULL;
}

bool xr_is_recording(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC && !r->error.status && r->capture >= EXRAY_CAPTURE_FRAME;
}

/* Last registered, first called: taps may build on each other. */
static void call_closers(xr_recorder *r)
{
    while (r->closer_count) {
        r->closer_count--;
        r->closers[r->closer_count].function(r->closers[r->closer_count].user);
    }
}

/* From here on the writer is this thread's again. */
static void stop_writer(xr_recorder *r, bool discard)
{
    if (!r->asynchronous)
        return;
    xr_ring_stop(&r->ring, discard);
    look_for_writer_error(r);
    r->asynchronous = false;
}

exray_status exray_recorder_close(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic == XR_CLOSED)
        return r->error.status;
    if (r->magic != XR_MAGIC)
        return EXRAY_E_STATE;
    call_closers(r);
    look_for_writer_error(r);
    if (!(r->asynchronous ? atomic_load(&r->ring.error) : r->mcap.error)) {
        /* The sticky error was the caller's: what it recorded is not lost. */
        if (r->frame.open)
            xr_frame_end(r);
        xr_write_last_system(r);
    }
    stop_writer(r, false);
    /* After an argument error the log is whole and gets its end; after a failed
     * write nothing more is tried. */
    const int error = r->mcap.error ? r->mcap.error : xr_mcap_end(&r->mcap);
    if (error)
        xr_fail_write(r, error);
    release(r);
    return r->error.status;
}

void exray_recorder_abandon(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic != XR_MAGIC)
        return;
    call_closers(r);
    stop_writer(r, true);
    release(r);
}
