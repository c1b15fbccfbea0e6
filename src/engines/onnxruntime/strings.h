#ifndef XR_ORT_STRINGS_H
#define XR_ORT_STRINGS_H

#include "engines/onnxruntime/ort.h"

/* The strings of a value of the shape that `info` has, as a log holds them (spec/log-format.md, "Strings");
 * the caller frees them.  NULL: they are too large, or memory is lacking. */
void *xr_ort_strings(const xr_ort_api *api, const OrtValue *value, const exray_tensor_info *info,
                     size_t *size);

#endif
