/* The ways of opening that link every part: into a file, a function, memory. */
#include "core/encode/text.h"
#include "core/host/series.h"
#include "core/layout.h"
#include "core/open.h"
#include "core/recorder_error.h"

exray_recorder_parts exray_recorder_parts_all(void)
{
    return (exray_recorder_parts){
        .size = sizeof(exray_recorder_parts),
        .stats = exray_stats_part_fast(),
        .sketch = exray_sketch_part_fast(),
        .async = exray_async_part_default(),
        .chunks = exray_chunks_part_default(),
        .layers = exray_layers_part_default(),
        .machine = exray_machine_part_default(),
        .budget = exray_budget_part_default(),
        .flight = exray_flight_part_default(),
        .layer_stats = exray_layer_stats_part_default(),
        .checksums = exray_checksums_part_fast(),
        .events = exray_events_part_default(),
        .retry = exray_retry_part_default(),
        .flush = exray_flush_part_default(),
    };
}

/* A forked child has the recorder's memory, but not its thread, and its file only by the way. */
static void belong_to_process(xr_recorder *r)
{
    r->process_of = xr_port_fork_count;
    r->process = xr_port_fork_count();
    r->forked =
        " belongs to the process that opened it, which forked this one; open one here, of another file";
}

/* ---- A file ---- */

/* "log file 'edge.mcap'"; the end of a long path says more than its beginning. */
static void name_file(const char *path, char *out, size_t out_size)
{
    static const char what[] = "log file '";
    const size_t size = strlen(path), room = out_size - sizeof what - 4;
    xr_text_builder text = xr_text_in(out, out_size);
    xr_text_add(&text, what);
    xr_text_add(&text, size > room ? "..." : "");
    xr_text_add(&text, size > room ? path + size - room : path);
    xr_text_add(&text, "'");
}

/* One more than the largest number of such a file. */
typedef struct number_scan {
    const char *pattern;
    uint64_t largest;
} number_scan;

static void see_number(void *user, const char *name, uint64_t size)
{
    number_scan *scan = user;
    char time[XR_LOG_TIME];
    uint64_t number;
    (void)size;
    if (xr_log_matches(scan->pattern, name, time, &number) && number > scan->largest)
        scan->largest = number;
}

static uint64_t next_number(const xr_log_file *file)
{
    const size_t folder = xr_log_folder(file->pattern);
    number_scan scan = {file->pattern + folder, 0};
    char name[XR_LOG_PATH];
    memcpy(name, file->pattern, folder);
    name[folder] = 0;
    xr_port_list(name, see_number, &scan);
    return scan.largest + 1;
}

static int close_file(xr_log_file *file)
{
    const int error = xr_log_file_end(file);
    xr_series_free(file);
    xr_port_free(file);
    return error;
}

static exray_status cannot_create(xr_recorder *r, int error)
{
    char buffer[128], text[256];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, ": ");
    xr_text_add(&t, xr_port_error_text(error, buffer, sizeof buffer));
    xr_text_add(&t, "; choose a folder that exists and can be written to");
    const exray_status status = xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
    return xr_fail_with(r, status, "cannot create ", r->target, text);
}

static exray_status create(xr_recorder *r, const char *path, const exray_recorder_config *config)
{
    static const char call[] = "exray_recorder_open_file: ";
    const bool is_series = xr_series_wanted(config);
    const char *problem = is_series ? xr_series_problem(config) : NULL;
    if (strlen(path) >= XR_LOG_PATH - 32)
        problem = "the path is too long";
    if (problem)
        return xr_fail_with(r, EXRAY_E_ARGUMENT, call, problem, NULL);
    r->file = xr_port_allocate(sizeof *r->file);
    if (!r->file)
        return xr_fail_with(r, EXRAY_E_MEMORY, call, "no memory for its names", NULL);
    memset(r->file, 0, sizeof *r->file);
    r->file->handle = -1;
    r->close_file = close_file;
    memcpy(r->file->pattern, path, strlen(path) + 1);
    uint64_t number = xr_log_has(path, 'n') && !is_series ? next_number(r->file) : 0;
    int error = is_series ? xr_series_begin(r, config, &number) : 0;
    if (error && config->keep_oldest && xr_port_is_no_space(error))
        return xr_fail_with(r, EXRAY_E_NO_SPACE, call,
                            "config.max_files files are there, and config.keep_oldest is set",
                            "; take some away");
    if (!error)
        error = xr_log_file_create(r->file, &number);
    if (error)
        return cannot_create(r, error);
    r->mcap.sync = xr_log_file_sync;
    r->mcap.write_ahead = xr_log_file_write_ahead;
    r->mcap.sink = r->file;
    name_file(xr_log_file_path(r->file), r->target, sizeof r->target);
    if (is_series)
        xr_series_created(r, number);
    return EXRAY_OK;
}

exray_status exray_recorder_open_file_sized(exray_recorder *recorder, size_t recorder_size,
                                            const char *header_version, const char *path,
                                            const exray_recorder_config *from)
{
    const xr_opening opening = {recorder_size, header_version, from};
    const exray_recorder_parts all = exray_recorder_parts_all();
    exray_recorder_config config;
    char target[80] = "log file";
    const bool named = path && *path;
    if (named)
        name_file(path, target, sizeof target);
    if (!xr_open_begin(recorder, &opening, &all, target, 0, &config))
        return exray_recorder_error_status(recorder);
    xr_recorder *r = xr_of(recorder);
    r->mcap.take_back = xr_log_file_take_back;
    belong_to_process(r);
    if (!named)
        xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_file: the path is missing", NULL, NULL);
    else
        create(r, path, &config);
    if (r->error.status)
        return xr_open_failed(r);
    const exray_status status = xr_open_log(r, &config, xr_log_file_write, r->file);
    return status || !r->file->series ? status : xr_series_begun(r);
}

const char *exray_recorder_path(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC && r->file ? xr_log_file_path(r->file) : NULL;
}

/* ---- A function ---- */

/* Its reader may leave: the application's thread must not get SIGPIPE for what a recorder does. */
static int call_quietly(void *user, const void *data, size_t size)
{
    const xr_callback *callback = user;
    xr_port_quiet quiet;
    xr_port_quiet_begin(&quiet);
    const int result = callback->write(callback->user, data, size);
    xr_port_quiet_end(&quiet);
    return result;
}

static int sync_quietly(void *user)
{
    const xr_callback *callback = user;
    xr_port_quiet quiet;
    xr_port_quiet_begin(&quiet);
    const int result = callback->sync(callback->user);
    xr_port_quiet_end(&quiet);
    return result;
}

exray_status exray_recorder_open_callback_sized(exray_recorder *recorder, size_t recorder_size,
                                                const char *header_version, exray_recorder_write_fn write,
                                                void *user, const exray_recorder_config *from)
{
    const xr_opening opening = {recorder_size, header_version, from};
    const exray_recorder_parts all = exray_recorder_parts_all();
    exray_recorder_config config;
    if (!xr_open_begin(recorder, &opening, &all, XR_CALLBACK_TARGET, 0, &config))
        return exray_recorder_error_status(recorder);
    xr_recorder *r = xr_of(recorder);
    belong_to_process(r);
    *r->callback = (xr_callback){write, config.sync, user};
    r->mcap.sync = config.sync ? sync_quietly : NULL;
    return xr_open_log(r, &config, write ? call_quietly : NULL, r->callback);
}

/* ---- Memory ---- */

static int write_memory(void *user, const void *data, size_t size)
{
    xr_memory_target *target = user;
    const size_t room = target->size - target->used;
    const size_t part = size < room ? size : room;
    memcpy(target->bytes + target->used, data, part);
    target->used += part;
    return part == size ? 0 : part ? EXRAY_WRITE_TOOK(part) : xr_port_no_space();
}

exray_status exray_recorder_open_memory_sized(exray_recorder *recorder, size_t recorder_size,
                                              const char *header_version, void *buffer, size_t size,
                                              const exray_recorder_config *from)
{
    const xr_opening opening = {recorder_size, header_version, from};
    const exray_recorder_parts all = exray_recorder_parts_all();
    exray_recorder_config config;
    if (!xr_open_begin(recorder, &opening, &all, "the memory given to exray_recorder_open_memory",
                       buffer ? size : 0, &config))
        return exray_recorder_error_status(recorder);
    xr_recorder *r = xr_of(recorder);
    if (!buffer) {
        xr_fail_with(r, EXRAY_E_ARGUMENT, "exray_recorder_open_memory: `buffer` is NULL", NULL, NULL);
        return xr_open_failed(r);
    }
    r->buffer = (xr_memory_target){buffer, size, 0};
    r->mcap.is_fixed = true;
    belong_to_process(r);
    return xr_open_log(r, &config, write_memory, &r->buffer);
}

size_t exray_recorder_memory_needed(const exray_recorder_config *config)
{
    const exray_recorder_parts all = exray_recorder_parts_all();
    return xr_memory_needed(config, &all);
}
