/* What the extension module needs beyond the public headers. */
#ifndef XR_PY_GLUE_H
#define XR_PY_GLUE_H

#include "node_times.h"
#include "task.h"

#include <exray/assertion.h>
#include <exray/codecs.h>
#include <exray/exray.h>
#include <exray/log.h>
#include <exray/picture.h>
#include <exray/sound.h>
#include <exray/text.h>
#include <exray/validate.h>

/* exray_assertion.run of every assertion written in Python: C's has no place for an object,
 * so the one that is running is looked up and handed to Python. */
exray_status xr_py_run(const exray_comparison *comparison, exray_findings *findings, exray_error *error);

/* Whether data that was read lies in the log's file, so that it stays when the slot is used
 * again; false: in the slot. */
bool xr_py_is_mapped(const exray_log *log, const void *data);

/* A model file, and its exposed form once asked for. */
typedef struct xr_py_model xr_py_model;

/* `data` is borrowed until free.  NULL on failure, error filled. */
xr_py_model *xr_py_model_read(const void *data, size_t size, exray_error *error);
/* The model with the tensors that lie in files beside it (ONNX's external data), to be freed by xr_py_free.
 * NULL, the error's status EXRAY_OK: it has none. */
void *xr_py_model_whole(const char *path, const void *data, size_t size, size_t *whole, exray_error *error);
void xr_py_free(void *bytes);

/* exray_recorder_wants of layers 0 to count - 1, by name. */
void xr_py_wants_layers(const exray_recorder *recorder, const char *const *names, uint32_t count,
                        bool *wants);

/* Logs the tensors in their order, as far as the recorder does not refuse one: the status of that. */
exray_status xr_py_log_tensors(exray_recorder *recorder, exray_tensor *const *tensors, size_t count);
const exray_model *xr_py_model_get(const xr_py_model *model);
/* The data of a constant; NULL: it has none here. */
const void *xr_py_model_constant(const xr_py_model *model, uint32_t tensor, size_t *size);
/* The bytes of the same model with its inner tensors among its outputs; the model's. */
const void *xr_py_model_expose(xr_py_model *model, size_t *size, exray_error *error);
/* NULL is allowed. */
void xr_py_model_free(xr_py_model *model);

#endif
