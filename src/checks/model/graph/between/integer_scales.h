/* Integers that a model writes with one scale and zero point and reads with another: operators of ONNX have
 * both as inputs of their own. */
#ifndef XR_INTEGER_SCALES_H
#define XR_INTEGER_SCALES_H

#include "checks/model/graph/model_constants.h"

typedef struct xr_scale_mismatch {
    uint32_t tensor;          /* the integers */
    uint32_t writer, reader;  /* nodes */
    double scale[2], zero[2]; /* written, read */
} xr_scale_mismatch;

/* Up to `room` of them, in the order of the nodes that read; returns how many. */
size_t xr_scale_mismatches(xr_model_constants *constants, xr_scale_mismatch *out, size_t room);

#endif
