#define _POSIX_C_SOURCE 200809L
#include "engines/attachment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *cannot_read(exray_error *error, exray_status status, const char *path, const char *why)
{
    error->status = status;
    snprintf(error->message, sizeof error->message, "cannot read %.300s: %.150s", path, why);
    return NULL;
}

void *xr_read_file(const char *path, size_t *size, exray_error *error)
{
    *size = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return cannot_read(error, EXRAY_E_IO, path, strerror(errno));
    void *data = NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || fseek(file, 0, SEEK_SET) != 0)
        cannot_read(error, EXRAY_E_IO, path, strerror(errno));
    else if (!(data = malloc((size_t)length + 1)))
        cannot_read(error, EXRAY_E_MEMORY, path, "out of memory");
    else if (fread(data, 1, (size_t)length, file) != (size_t)length) {
        cannot_read(error, EXRAY_E_IO, path, ferror(file) ? strerror(errno) : "it is shorter than it was");
        free(data);
        data = NULL;
    } else
        *size = (size_t)length;
    fclose(file);
    return data;
}

const char *xr_base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

exray_status xr_attachment_read(xr_attachment *a, const char *path, const void *data, size_t size,
                                exray_error *error)
{
    a->model_path = path;
    a->model_data = data;
    a->model_size = size;
    if (data)
        return EXRAY_OK;
    if (!path) {
        error->status = EXRAY_E_ARGUMENT;
        snprintf(error->message, sizeof error->message,
                 "attaching needs the model: name its file (model_file) or give its bytes (model_data)");
        return error->status;
    }
    a->model_data = a->own_data = xr_read_file(path, &a->model_size, error);
    return a->own_data ? EXRAY_OK : error->status;
}

void xr_attachment_begin(xr_attachment *a)
{
    if (a->has_run && exray_recorder_frame_index(a->recorder) == a->last_frame)
        exray_recorder_frame_begin(a->recorder, NULL);
    exray_recorder_frame_elapsed(a->recorder); /* begins one where none is open */
}

void xr_attachment_end(xr_attachment *a, bool ok)
{
    a->has_run = true;
    a->last_frame = exray_recorder_frame_index(a->recorder);
    a->failed_runs += !ok;
}

void xr_attachment_fail(xr_attachment *a, const exray_error *error)
{
    a->live = false;
    exray_recorder_fail(a->recorder, error->status, error->message);
}

void xr_attachment_close(xr_attachment *a)
{
    const struct {
        const char *what;
        uint64_t count;
    } losses[] = {{"runs_that_failed", a->failed_runs}, {"runs_of_another_model", a->foreign_runs}};
    enum { COUNT = sizeof losses / sizeof losses[0] };
    char text[COUNT][24];
    exray_key_value pairs[COUNT];
    size_t used = 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (!losses[i].count)
            continue;
        snprintf(text[used], sizeof text[used], "%llu", (unsigned long long)losses[i].count);
        pairs[used] = (exray_key_value){losses[i].what, text[used]};
        used++;
    }
    if (used)
        exray_recorder_log_metadata(a->recorder, "exray.unobserved", pairs, used);
    free(a->own_data);
    a->own_data = NULL;
    a->live = false;
}
