/* The file that a recorder writes: its name, and what goes into it. */
#ifndef XR_SINK_FILE_H
#define XR_SINK_FILE_H

#include "core/host/log_names.h"
#include "core/state.h"

typedef struct xr_log_file {
    int handle;         /* -1: none */
    uint64_t end;       /* bytes written */
    uint64_t ahead_end; /* how far something was written ahead of that; 0: nothing was */
    bool folder_synced;
    /* The pattern; the path is one of two, so that it can be read while the next one begins. */
    char pattern[XR_LOG_PATH], paths[2][XR_LOG_PATH];
    atomic_uint current;
    char time[XR_LOG_TIME];        /* when it was created */
    struct xr_file_series *series; /* where one file follows another, or NULL */
} xr_log_file;

static inline const char *xr_log_file_path(const xr_log_file *file)
{
    return file->paths[atomic_load_explicit(&file->current, memory_order_acquire)];
}

/* Whether it is a log whose writer never ended it: a crashed run's, or one that is being written. */
bool xr_log_file_is_unclosed(const char *path);

/* Creates the file that the pattern names, and takes it for the path.  0, or an error number.  `number`:
 * where the pattern has a %n, the first to try; what it became. */
int xr_log_file_create(xr_log_file *file, uint64_t *number);
/* The sink: xr_mcap's write, take_back, write_ahead and sync. */
int xr_log_file_write(void *file, const void *data, size_t size);
bool xr_log_file_take_back(void *file, uint64_t size);
int xr_log_file_write_ahead(void *file, uint64_t distance, const void *data, size_t size);
int xr_log_file_sync(void *file);
/* Ends the file; the struct stays. */
int xr_log_file_end(xr_log_file *file);

#endif
