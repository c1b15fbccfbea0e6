/* Reading the notes of each format. */
#ifndef XR_NOTES_FORMATS_H
#define XR_NOTES_FORMATS_H

#include "models/notes/model_notes.h"

/* False: out of memory. */
bool xr_notes_tflite(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out);
bool xr_notes_onnx(const void *data, size_t size, xr_model_notes *out);

#endif
