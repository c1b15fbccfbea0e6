/* What a validation takes from model files: weights for logs that were recorded without them. */
#ifndef XR_MODELS_H
#define XR_MODELS_H

#include "compare/compare.h"
#include "isolate/constants.h"

#include <exray/validate.h>

/* One side's model file, and the log that its constants are attached to. */
typedef struct xr_side_model {
    void *bytes; /* the file's; NULL: none was named */
    size_t size;
    exray_log *log; /* the caller's, opened again */
    xr_constants constants;
    char remark[400]; /* why its weights are not used; "" where they are */
} xr_side_model;

/* `*log` becomes the one with constants; `path` may be NULL: nothing happens. */
exray_status xr_side_model_open(xr_side_model *model, exray_side side, const char *path,
                                const exray_log **log, exray_error *error);
/* After the comparison is freed; a zeroed one is fine. */
void xr_side_model_close(xr_side_model *model);

#endif
