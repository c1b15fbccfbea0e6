/* From a text to the ids of a model's input. */
#ifndef XR_TEXT_INPUT_H
#define XR_TEXT_INPUT_H

#include "pipeline/steps.h"

/* Padding of a row: ids at its beginning and at its end. */
typedef struct xr_text_padding {
    uint64_t first, last;
} xr_text_padding;

/* Makes the ids of a text for an input [1,N], [N] or [1,N,1], any dimension of which may be open (-1; then N
 * is `length`, or as many ids as the text has).  Fills shape [info->rank], and writes to the memory that
 * `room` returns for so many bytes (NULL: no memory).  EXRAY_E_UNSUPPORTED: the pipeline fits the model with
 * no text; other errors are this text's. */
exray_status xr_pipeline_make_text(const xr_pipeline *pipeline, const char *text, size_t size,
                                   const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK],
                                   xr_text_padding *padding, void *(*room)(void *user, size_t size),
                                   void *user, exray_error *error);

#endif
