/* Opening and closing logs. */
#include "log/attached_constants.h"
#include "log/log_file.h"
#include "log/open/learned_tensors.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static exray_log *new_log(const char *path, exray_error *error)
{
    static _Atomic uint64_t last_id;
    exray_log *log = calloc(1, sizeof *log);
    if (log) {
        log->map.fd = -1;
        log->id = atomic_fetch_add(&last_id, 1) + 1;
        log->path = xr_arena_string(&log->arena, path, strlen(path));
    }
    if (!log || !log->path)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while opening %s", path);
    return log;
}

static exray_log *index_or_close(exray_log *log, exray_error *error)
{
    if (!xr_log_index(log, error)) {
        exray_log_close(log);
        return NULL;
    }
    xr_log_learn_tensors(log);
    return log;
}

exray_log *exray_log_open(const char *path, exray_error *error)
{
    exray_log *log = new_log(path, error);
    if (!log)
        return NULL;
    if (!log->path || !xr_file_map_open(&log->map, path, error)) {
        exray_log_close(log);
        return NULL;
    }
    return index_or_close(log, error);
}

exray_log *xr_log_open_bytes(const void *data, size_t size, const char *name, exray_error *error)
{
    exray_log *log = new_log(name, error);
    if (!log)
        return NULL;
    log->map.base = data;
    log->map.size = size;
    return index_or_close(log, error);
}

exray_log *xr_log_open_again(const exray_log *log, exray_error *error)
{
    exray_log *again = new_log(log->path, error);
    if (!again)
        return NULL;
    if (again->path && xr_file_map_check(&log->map, log->path, error) &&
        xr_file_map_again(&again->map, &log->map, log->path, error))
        return index_or_close(again, error);
    exray_log_close(again);
    return NULL;
}

void exray_log_close(exray_log *log)
{
    if (!log)
        return;
    xr_file_map_close(&log->map);
    xr_arena_free(&log->arena);
    xr_entries_free(&log->entries);
    for (size_t i = 0; log->made && i < log->frame_count; i++)
        free(log->made[i]);
    free(log->made);
    free(log->no_records);
    free(log->chunks);
    free(log->frames);
    free(log);
}
