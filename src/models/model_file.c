/* The table of model formats, and the functions for all of them. */
#include "models/model_file.h"

#include "models/onnx/onnx.h"
#include "models/onnx/onnx_external.h"
#include "models/refuse.h"
#include "models/tflite.h"

#include <stdlib.h>

const xr_model_format *const xr_model_formats[] = {
    &xr_model_format_tflite,
    &xr_model_format_onnx,
    NULL,
};

exray_status xr_model_whole(const char *path, const void *data, size_t size, xr_model_bytes *out,
                            exray_error *error)
{
    return xr_onnx_complete(data, size, path, out, error);
}

exray_status xr_model_complete(const char *path, void **data, size_t *size, exray_error *error)
{
    xr_model_bytes whole;
    exray_status status = xr_onnx_complete(*data, *size, path, &whole, error);
    if (status != EXRAY_OK || !whole.data)
        return status;
    free(*data);
    *data = whole.data;
    *size = whole.size;
    return EXRAY_OK;
}

exray_status xr_model_read(const void *data, size_t size, xr_model_file *file, exray_error *error)
{
    *file = (xr_model_file){.data = data, .size = size};
    for (const xr_model_format *const *format = xr_model_formats; *format; format++) {
        if (!(*format)->recognize(data, size))
            continue;
        file->format = *format;
        exray_status status = (*format)->read(file, error);
        if (status != EXRAY_OK)
            xr_model_release(file);
        return status;
    }
    return xr_refuse(error, EXRAY_E_FORMAT, "it is no model of a known format (.tflite, .onnx)");
}

void xr_model_release(xr_model_file *file)
{
    if (file->format)
        file->format->release(file);
    *file = (xr_model_file){0};
}

exray_status xr_model_expose(const xr_model_file *file, xr_model_bytes *out, exray_error *error)
{
    *out = (xr_model_bytes){0};
    return file->format->expose(file, out, error);
}

exray_status xr_model_cut(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                          const exray_tensor_info *known, xr_model_bytes *out, exray_error *error)
{
    *out = (xr_model_bytes){0};
    return file->format->cut(file, nodes, count, known, out, error);
}
