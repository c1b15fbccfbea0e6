#include "validate/models.h"

#include "base/error.h"
#include "base/file.h"
#include "models/model_file.h"

#include <stdio.h>
#include <stdlib.h>

exray_status xr_side_model_open(xr_side_model *model, exray_side side, const char *path,
                                const exray_log **log, exray_error *error)
{
    exray_error inner = {EXRAY_OK, ""};
    char why[240];
    if (!path)
        return EXRAY_OK;
    model->bytes = xr_file_read(path, XR_LIMIT_MODEL, &model->size, error);
    if (model->bytes && xr_model_complete(path, &model->bytes, &model->size, &inner) != EXRAY_OK)
        return xr_error_set(error, inner.status, "cannot read %.200s: %.250s", path, inner.message);
    if (model->bytes)
        model->log = xr_log_open_again(*log, error);
    if (!model->log)
        return error->status;
    if (xr_constants_attach(model->log, model->bytes, model->size, &model->constants, why, &inner) !=
        EXRAY_OK)
        return xr_error_set(error, inner.status, "%.250s: %.240s", path, inner.message);
    if (*why)
        snprintf(model->remark, sizeof model->remark,
                 "the %s's model file %.100s: its weights are not used: %s",
                 side == EXRAY_SIDE_EDGE ? "edge" : "reference", path, why);
    *log = model->log;
    return EXRAY_OK;
}

void xr_side_model_close(xr_side_model *model)
{
    exray_log_close(model->log);
    xr_constants_release(&model->constants);
    free(model->bytes);
    *model = (xr_side_model){0};
}
