#define _POSIX_C_SOURCE 200809L
#include "models/model_load.h"

#include "models/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(exray_error *error, exray_status status, const char *why)
{
    xr_refuse(error, status, "%.200s", why);
}

void *xr_model_load(const char *path, size_t *size, exray_error *error)
{
    *size = 0;
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail(error, EXRAY_E_IO, strerror(errno));
        return NULL;
    }
    void *data = NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || fseek(file, 0, SEEK_SET) != 0)
        fail(error, EXRAY_E_IO, strerror(errno));
    else if (!(data = malloc((size_t)length + 1)))
        fail(error, EXRAY_E_MEMORY, "out of memory");
    else if (fread(data, 1, (size_t)length, file) != (size_t)length) {
        fail(error, EXRAY_E_IO, ferror(file) ? strerror(errno) : "it is shorter than it was");
        free(data);
        data = NULL;
    } else
        *size = (size_t)length;
    fclose(file);
    return data;
}

const char *xr_model_base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}
