#include "glue.h"

#include "checks/checks.h"
#include "log/log_file.h"
#include "models/model_file.h"

#include <stdlib.h>
#include <string.h>

/* In the module that cffi makes. */
exray_status xr_py_assertion(const exray_assertion *assertion, const exray_comparison *comparison,
                             exray_findings *findings, exray_error *error);

exray_status xr_py_run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    return xr_py_assertion(findings->assertion, comparison, findings, error);
}

bool xr_py_is_mapped(const exray_log *log, const void *data)
{
    const uint8_t *at = data;
    return at >= log->map.base && (uint64_t)(at - log->map.base) < log->map.size;
}

struct xr_py_model {
    xr_model_file file;
    xr_model_bytes exposed;
};

xr_py_model *xr_py_model_read(const void *data, size_t size, exray_error *error)
{
    xr_py_model *model = calloc(1, sizeof *model);
    if (!model) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory"};
        return NULL;
    }
    if (xr_model_read(data, size, &model->file, error) != EXRAY_OK) {
        free(model);
        return NULL;
    }
    return model;
}

void *xr_py_model_whole(const char *path, const void *data, size_t size, size_t *whole, exray_error *error)
{
    xr_model_bytes bytes;
    if (xr_model_whole(path, data, size, &bytes, error) != EXRAY_OK)
        return NULL;
    *whole = bytes.size;
    return bytes.data;
}

void xr_py_free(void *bytes)
{
    free(bytes);
}

const exray_model *xr_py_model_get(const xr_py_model *model)
{
    return &model->file.model;
}

void xr_py_wants_layers(const exray_recorder *recorder, const char *const *names, uint32_t count, bool *wants)
{
    for (uint32_t i = 0; i < count; i++)
        wants[i] = exray_recorder_wants(recorder, EXRAY_KIND_LAYER, i, names[i]);
}

exray_status xr_py_log_tensors(exray_recorder *recorder, exray_tensor *const *tensors, size_t count)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = exray_recorder_log_tensor(recorder, tensors[i]);
    return status;
}

const void *xr_py_model_constant(const xr_py_model *model, uint32_t tensor, size_t *size)
{
    if (tensor >= model->file.model.tensor_count)
        return NULL;
    *size = model->file.constant[tensor].size;
    return model->file.constant[tensor].data;
}

const void *xr_py_model_expose(xr_py_model *model, size_t *size, exray_error *error)
{
    if (!model->exposed.data && xr_model_expose(&model->file, &model->exposed, error) != EXRAY_OK)
        return NULL;
    *size = model->exposed.size;
    return model->exposed.data;
}

void xr_py_model_free(xr_py_model *model)
{
    if (!model)
        return;
    xr_model_release(&model->file);
    free(model->exposed.data);
    free(model);
}
