#include "validate/models.h"

#include "base/error.h"
#include "base/file.h"
#include "engines/engine.h"
#include "isolate/isolate.h"
#include "models/model_file.h"
#include "validate/repro.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Weights -------------------------------------------------------------------------- */

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

/* ---- Isolation ------------------------------------------------------------------------ */

exray_status xr_isolation_check(const exray_validation_options *o, exray_error *error)
{
    bool wanted = o->engine || o->repro || o->engine_library || o->kernels;
    if (wanted && (!o->engine || !o->reference_model))
        return xr_error_set(error, EXRAY_E_ARGUMENT,
                            "to run layers alone it takes both the engine and the reference's model file");
    if (o->engine && !xr_engine_by_name(o->engine))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "there is no engine '%.60s'; `exray engines` lists them",
                            o->engine);
    return EXRAY_OK;
}

static void remark_on(const xr_isolate_report *report, const xr_repro *repro, char remark[480])
{
    const char *unwritten = repro->folder && !repro->written ? "; --repro: nothing was written" : "";
    if (report->why[0] && report->run == 0)
        snprintf(remark, 480, "isolation: no layer was run alone: %s%s", report->why, unwritten);
    else if (report->why[0])
        snprintf(remark, 480, "isolation: %zu of %zu wrong layers were run alone; %s%s", report->run,
                 report->wrong, report->why, unwritten);
    else if (*unwritten)
        snprintf(remark, 480, "--repro: no layer is wrong by itself; nothing was written");
}

exray_status xr_isolation_run(const exray_validation_options *o, const xr_side_model *reference,
                              exray_comparison *comparison, char remark[480], exray_error *error)
{
    if (!o->engine)
        return EXRAY_OK;
    exray_error inner = {EXRAY_OK, ""};
    xr_repro repro = {
        .folder = o->repro, .comparison = comparison, .engine = xr_engine_by_name(o->engine), .error = error};
    xr_isolate_options isolation = {.engine = repro.engine,
                                    .kernels = o->kernels,
                                    .library = o->engine_library,
                                    .model = reference->bytes,
                                    .model_size = reference->size,
                                    .failing = o->repro ? xr_repro_write : NULL,
                                    .user = &repro};
    xr_isolate_report report;
    exray_status status = xr_isolate(comparison, &isolation, &report, &inner);
    if (status != EXRAY_OK)
        return xr_error_set(error, status, "%.250s: %.240s", o->reference_model, inner.message);
    if (report.not_saved)
        return error->status;
    remark_on(&report, &repro, remark);
    return EXRAY_OK;
}
