/* The tensor that a pipeline ends in: the model's input. */
#ifndef XR_TARGET_H
#define XR_TARGET_H

#include "pipeline/steps.h"

/* Properties of the tensor. */
typedef struct xr_target {
    uint32_t width, height; /* 0: known only at run time */
    uint32_t channels;      /* 1 or 3 */
    xr_layout layout;       /* NHWC or NCHW */
    exray_dtype dtype;
    size_t element_size;
    bool quantized;
    float scale;
    int64_t zero_point;
} xr_target;

exray_status xr_target_read(const exray_tensor_info *info, xr_target *target, exray_error *error);

/* The mean and std with which bytes become the elements of a quantized 8-bit tensor as they are (of a signed
 * one, less 128).  False: it is none. */
bool xr_target_takes_bytes(const xr_target *target, double *mean, double *std);

/* Writes the picture's values, (sample - mean) / std, in the target's type and
 * quantization; out has room for width * height * channels elements. */
exray_status xr_target_write(const xr_target *target, xr_layout layout, const xr_pixels *picture,
                             const double *mean, const double *std, void *out, exray_error *error);

/* Stores real values as elements of the tensor's type: quantized with its first
 * scale and zero point where it has them, rounded half away from zero, clipped.
 * out_size must be the exact size of `count` elements. */
exray_status xr_target_store(const exray_tensor_info *info, const float *values, uint64_t count, void *out,
                             size_t out_size, exray_error *error);

#endif
