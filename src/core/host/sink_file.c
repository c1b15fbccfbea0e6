#include "core/host/sink_file.h"

#include "core/encode/text.h"

enum { MOST_NAMES = 9999 }; /* tried for one file */

bool xr_log_file_is_unclosed(const char *path)
{
    uint8_t first[XR_MCAP_MAGIC_SIZE], last[XR_MCAP_MAGIC_SIZE];
    uint64_t size;
    return xr_port_file_ends(path, first, last, XR_MCAP_MAGIC_SIZE, &size) &&
           memcmp(first, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE) == 0 &&
           (size < 2 * XR_MCAP_MAGIC_SIZE || memcmp(last, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE) != 0);
}

/* The path, or the first one with -2, -3, ... that can be had.  `fresh`: no file may be there. */
static int open_variant(const char *path, bool fresh, char *out, int *error)
{
    memcpy(out, path, strlen(path) + 1);
    for (uint32_t i = 2; i < MOST_NAMES; i++) {
        if (fresh || !xr_log_file_is_unclosed(out)) {
            const int handle = fresh ? xr_port_open_new(out, error) : xr_port_open(out, error);
            const bool taken = fresh ? xr_port_is_there_already(*error) : *error == xr_port_in_use();
            if (handle >= 0 || !taken)
                return handle;
        }
        char suffix[16];
        xr_text_builder text = xr_text_in(suffix, sizeof suffix);
        xr_text_add(&text, "-");
        xr_text_add_number(&text, i);
        if (!xr_log_insert(path, suffix, out))
            break;
    }
    *error = xr_port_no_name();
    return -1;
}

/* The first number that is free. */
static int open_numbered(const xr_log_file *file, const char *time, uint64_t *number, char *out, int *error)
{
    for (int i = 0; i < MOST_NAMES; i++, (*number)++) {
        if (!xr_log_expand(file->pattern, time, *number, out))
            break;
        const int handle = xr_port_open_new(out, error);
        if (handle >= 0 || !xr_port_is_there_already(*error))
            return handle;
    }
    *error = xr_port_no_name();
    return -1;
}

static int open_named(const xr_log_file *file, const char *time, char *out, int *error)
{
    char path[XR_LOG_PATH];
    *error = xr_port_no_name();
    if (!xr_log_expand(file->pattern, time, 0, path))
        return -1;
    return open_variant(path, xr_log_has(file->pattern, 't'), out, error);
}

int xr_log_file_create(xr_log_file *file, uint64_t *number)
{
    const unsigned next = 1 - atomic_load_explicit(&file->current, memory_order_relaxed);
    int error = 0;
    xr_log_time(xr_port_wall_clock(), file->time);
    file->handle = xr_log_has(file->pattern, 'n')
                       ? open_numbered(file, file->time, number, file->paths[next], &error)
                       : open_named(file, file->time, file->paths[next], &error);
    file->end = file->ahead_end = 0;
    file->folder_synced = false;
    atomic_store_explicit(&file->current, next, memory_order_release);
    return file->handle >= 0 ? 0 : error;
}

/* What was written ahead, and is not of the log any more: a chunk that shrank. */
static int cut(xr_log_file *file)
{
    const bool longer = file->ahead_end > file->end;
    file->ahead_end = 0;
    return longer ? xr_port_truncate(file->handle, file->end) : 0;
}

int xr_log_file_write(void *user, const void *data, size_t size)
{
    xr_log_file *file = user;
    size_t written;
    const int error = xr_port_write(file->handle, data, size, &written);
    file->end += written;
    if (file->ahead_end && file->end >= file->ahead_end)
        file->ahead_end = 0;
    return error && written ? EXRAY_WRITE_TOOK(written) : error;
}

bool xr_log_file_take_back(void *user, uint64_t size)
{
    xr_log_file *file = user;
    if (!xr_port_take_back(file->handle, size))
        return false;
    file->end -= size;
    file->ahead_end = 0;
    return true;
}

int xr_log_file_write_ahead(void *user, uint64_t distance, const void *data, size_t size)
{
    xr_log_file *file = user;
    if (!size)
        return cut(file);
    const int error = xr_port_write_at(file->handle, file->end + distance, data, size);
    if (!error && file->ahead_end < file->end + distance + size)
        file->ahead_end = file->end + distance + size;
    return error;
}

int xr_log_file_sync(void *user)
{
    xr_log_file *file = user;
    int error = cut(file);
    if (!error)
        error = xr_port_sync(file->handle);
    if (!error && !file->folder_synced) {
        file->folder_synced = true;
        xr_port_sync_folder(xr_log_file_path(file)); /* the name, too; where the system can */
    }
    return error;
}

int xr_log_file_end(xr_log_file *file)
{
    if (file->handle < 0)
        return 0;
    const int cut_error = cut(file);
    const int error = xr_port_close(file->handle);
    file->handle = -1;
    return error ? error : cut_error;
}
