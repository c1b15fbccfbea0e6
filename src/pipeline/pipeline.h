/* The reference pipeline: from a sensor record to the bytes of a model's input. */
#ifndef XR_PIPELINE_H
#define XR_PIPELINE_H

#include "pipeline/place.h"
#include "pipeline/steps.h"

/* Runs the pipeline on a picture and writes the model's input: `info` gives
 * dtype, shape ([1,H,W,C] or [1,C,H,W], batch 1; C may be 1 or 3) and
 * quantization.  `out` has room for exactly out_size bytes.  A size that the
 * pipeline does not name is taken from the model's shape.  E_UNSUPPORTED: the
 * pipeline fits the model with no picture; other errors are this picture's. */
exray_status xr_pipeline_run_image(const xr_pipeline *pipeline, const exray_picture *image,
                                   const exray_tensor_info *info, void *out, size_t out_size,
                                   exray_error *error);

/* The same for an input that leaves its height, width or batch open (-1): they become the picture's.  Fills
 * shape [info->rank], and writes to the memory that `room` returns for so many bytes (NULL: no memory).
 * region: that of the frame, for `region: reading`; NULL: it has none.  *place: where the input lies in the
 * upright picture. */
exray_status xr_pipeline_make_image(const xr_pipeline *pipeline, const exray_picture *image,
                                    const xr_region *region, const exray_tensor_info *info,
                                    int64_t shape[EXRAY_MAX_RANK], void *(*room)(void *user, size_t size),
                                    void *user, xr_seen_part *place, exray_error *error);

#endif
