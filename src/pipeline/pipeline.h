/* The reference pipeline: from a sensor record to the bytes of a model's input.
 * Keys, defaults and conventions: docs/pipeline.md. */
#ifndef XR_PIPELINE_H
#define XR_PIPELINE_H

#include "media/image.h"

/* Never changes after it was parsed: any number of threads may use one. */
typedef struct xr_pipeline xr_pipeline;

/* Parses a pipeline file (YAML text).  `name` stands in error messages, which
 * name the line; files in the text are relative to its folder.  `text` is not
 * kept.  NULL on failure, error filled; free the result with xr_pipeline_free. */
xr_pipeline *xr_pipeline_parse(const char *text, size_t size, const char *name, exray_error *error);
/* The same for a file. */
xr_pipeline *xr_pipeline_load(const char *path, exray_error *error);
/* NULL is nothing. */
void xr_pipeline_free(xr_pipeline *pipeline);

/* "classification", ...; never NULL. */
const char *xr_pipeline_task(const xr_pipeline *pipeline);
/* output.label_offset, output.top_k, output.labels (resolved against the
 * pipeline file's folder; NULL where absent). */
int64_t xr_pipeline_label_offset(const xr_pipeline *pipeline);
unsigned xr_pipeline_top_k(const xr_pipeline *pipeline);
const char *xr_pipeline_labels(const xr_pipeline *pipeline);

/* Runs the pipeline on an image and writes the model's input: `info` gives
 * dtype, shape ([1,H,W,C] or [1,C,H,W], batch 1; C may be 1 or 3) and
 * quantization.  `out` has room for exactly out_size bytes.  A size that the
 * pipeline does not name is taken from the model's shape.  E_UNSUPPORTED: the
 * pipeline fits the model with no picture; other errors are this picture's. */
exray_status xr_pipeline_run_image(const xr_pipeline *pipeline, const xr_image *image,
                                   const exray_tensor_info *info, void *out, size_t out_size,
                                   exray_error *error);

/* Stores real values as elements of the tensor's type: quantized with its first
 * scale and zero point where it has them, rounded half away from zero, clipped.
 * out_size must be the exact size of `count` elements. */
exray_status xr_pipeline_store(const exray_tensor_info *info, const float *values, uint64_t count, void *out,
                               size_t out_size, exray_error *error);

#endif
