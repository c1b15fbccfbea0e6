#include "isolate/constants.h"

#include "base/error.h"
#include "base/tensor.h"
#include "isolate/plan.h"

#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_file(const exray_model *log, const xr_model_file *file)
{
    uint8_t sha256[32];
    if (!log->sha256)
        return true; /* not in the log: names, types and shapes must do */
    exray_sha256(file->data, file->size, sha256);
    return memcmp(log->sha256, sha256, sizeof sha256) == 0;
}

static bool same_kind(const exray_tensor_info *a, const exray_tensor_info *b, uint64_t *elements)
{
    if (a->dtype != b->dtype || a->rank != b->rank)
        return false;
    for (uint32_t d = 0; d < a->rank; d++)
        if (a->shape[d] != b->shape[d])
            return false;
    return xr_element_count(a, elements);
}

static bool has_data(const exray_log *log, uint32_t tensor)
{
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    return record && record->has_data;
}

static bool collect(const exray_log *log, xr_constants *constants)
{
    const exray_model *model = exray_log_model(log);
    constants->list = calloc((size_t)model->tensor_count + 1, sizeof *constants->list);
    for (uint32_t t = 0; constants->list && t < model->tensor_count; t++) {
        const exray_tensor_info *info = &model->tensors[t];
        uint32_t in_file = info->constant ? xr_find_tensor(&constants->file.model, model, t) : EXRAY_NO_INDEX;
        uint64_t elements;
        if (in_file == EXRAY_NO_INDEX || has_data(log, t) ||
            !same_kind(info, &constants->file.model.tensors[in_file], &elements))
            continue;
        const xr_constant *constant = &constants->file.constant[in_file];
        unsigned bits = exray_dtype_bits(info->dtype);
        if (constant->data && bits && constant->size >= (elements * bits + 7) / 8)
            constants->list[constants->count++] = (xr_attached_constant){t, constant->data, constant->size};
    }
    return constants->list != NULL;
}

exray_status xr_constants_attach(exray_log *log, const void *bytes, size_t size, xr_constants *constants,
                                 char why[240], exray_error *error)
{
    *constants = (xr_constants){0};
    why[0] = '\0';
    exray_status status = xr_model_read(bytes, size, &constants->file, error);
    if (status != EXRAY_OK)
        return status;
    const exray_model *model = exray_log_model(log);
    if (!model)
        snprintf(why, 240, "the log has no model to compare it with");
    else if (!same_file(model, &constants->file))
        snprintf(why, 240, "the log was recorded with another file (sha256)");
    else if (!collect(log, constants) ||
             (constants->count && !xr_log_attach_constants(log, constants->list, constants->count)))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    return EXRAY_OK;
}

void xr_constants_release(xr_constants *constants)
{
    xr_model_release(&constants->file);
    free(constants->list);
    *constants = (xr_constants){0};
}
