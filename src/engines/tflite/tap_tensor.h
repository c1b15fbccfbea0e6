/* Tensors: what they are, and what they hold now. */
#ifndef XR_TFLITE_TAP_TENSOR_H
#define XR_TFLITE_TAP_TENSOR_H

#include "engines/tflite/tap_state.h"

/* Fills `info` of a tensor as the model has it, with memory from `list`. False: out of memory. */
bool xr_tap_describe_tensor(const xr_tflite_tap_api *api, xr_tap_block **list,
                            const TfLiteOpaqueTensor *tensor, exray_tensor_info *info);

/* A tensor's shape as it is now; returns the rank. */
uint32_t xr_tflite_shape(const xr_tflite_tap_api *api, const TfLiteOpaqueTensor *tensor,
                         int64_t dims[EXRAY_MAX_RANK]);

/* Records a tensor of the model as it is now.  `record` has kind, index, output
 * and occurrence set, `position` is the tensor's in model.tensors; `name`
 * replaces its name where the topic needs another one (NULL: it does not). */
void xr_tap_record(xr_tap *tap, exray_tensor *record, uint32_t position, const char *name,
                   const TfLiteOpaqueTensor *tensor);

#endif
