/* ONNX models whose tensors lie in files of their own ("external data"), made whole. */
#ifndef XR_ONNX_EXTERNAL_H
#define XR_ONNX_EXTERNAL_H

#include "models/model_format.h"

/* Puts the tensors that lie in other files into the model: out->data is malloc'd, or NULL where there are
 * none. The files are in the model's own folder, or in folders below it: an absolute path, one with "..", and
 * a link that leads out of it are refused, whatever the current folder is.  EXRAY_E_FORMAT, EXRAY_E_IO,
 * EXRAY_E_LIMIT: more than a model file may hold, EXRAY_E_MEMORY; the message names the tensor's file. */
exray_status xr_onnx_complete(const void *data, size_t size, const char *path, xr_model_bytes *out,
                              exray_error *error);

#endif
