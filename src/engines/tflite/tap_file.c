/* The model file: what the interpreter does not tell. */
#define _POSIX_C_SOURCE 200809L
#include "engines/tflite/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static exray_status read_error(exray_error *error, exray_status status, const char *path, const char *why)
{
    error->status = status;
    snprintf(error->message, sizeof error->message,
             "cannot read the model %.300s: %s; the log would lack its hash", path, why);
    return status;
}

/* The whole file in memory: it is read once, at attach, and hashed in one go. */
static uint8_t *read_file(const char *path, size_t *size, exray_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        read_error(error, EXRAY_E_IO, path, strerror(errno));
        return NULL;
    }
    uint8_t *data = NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || fseek(file, 0, SEEK_SET) != 0)
        read_error(error, EXRAY_E_IO, path, strerror(errno));
    else if (!(data = malloc((size_t)length + 1)))
        read_error(error, EXRAY_E_MEMORY, path, "out of memory");
    else if (fread(data, 1, (size_t)length, file) != (size_t)length) {
        read_error(error, EXRAY_E_IO, path, ferror(file) ? strerror(errno) : "it is shorter than it was");
        free(data);
        data = NULL;
    }
    fclose(file);
    *size = (size_t)length;
    return data;
}

/* The file's name without folders. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

exray_status xr_tap_read_model(xr_tap *tap, const exray_tflite_config *config, exray_error *error)
{
    if (config->model_file) {
        const char *name = base_name(config->model_file);
        tap->model_name = xr_tap_alloc(&tap->blocks, strlen(name) + 1, 1);
        if (!tap->model_name) {
            error->status = EXRAY_E_MEMORY;
            snprintf(error->message, sizeof error->message, "out of memory");
            return error->status;
        }
        strcpy(tap->model_name, name);
    }
    const uint8_t *data = config->model_data;
    size_t size = config->model_size;
    uint8_t *own = NULL;
    if (!data && config->model_file) {
        own = read_file(config->model_file, &size, error);
        if (!own)
            return error->status;
        data = own;
    }
    if (data) {
        exray_sha256(data, size, tap->sha256);
        tap->has_sha256 = true;
        tap->file_subgraphs = xr_tflite_subgraph_count(data, size);
        xr_tap_read_attributes(tap, data, size);
    }
    free(own);
    return EXRAY_OK;
}
