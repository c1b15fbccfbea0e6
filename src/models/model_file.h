/* Model files of any format: reading them, and two ways to change them.  Nothing here needs an engine, and
 * every length in a file is checked before it is used. */
#ifndef XR_MODEL_FILE_H
#define XR_MODEL_FILE_H

#include "models/model_format.h"

/* NULL-terminated table of the formats. */
extern const xr_model_format *const xr_model_formats[];

/* Where the model in `*data` (malloc'd, from the file at `path`) has tensors in other files beside it (ONNX's
 * external data), replaces it by one that holds them.  On failure `*data` is as it was. */
exray_status xr_model_complete(const char *path, void **data, size_t *size, exray_error *error);

/* The same of bytes that stay as they are: the whole model in *out, or NULL there where nothing is missing.
 */
exray_status xr_model_whole(const char *path, const void *data, size_t size, xr_model_bytes *out,
                            exray_error *error);

/* Reads a model.  `data` is borrowed until release.  EXRAY_E_FORMAT, error filled,
 * where it is of no known format or damaged. */
exray_status xr_model_read(const void *data, size_t size, xr_model_file *file, exray_error *error);

/* NULL fields (a zeroed struct, one whose read failed) are fine. */
void xr_model_release(xr_model_file *file);

/* The same model with every intermediate tensor of the main graph among its
 * outputs: first its own outputs in their order, then all others that a node makes
 * and that an engine can return, in execution order. */
exray_status xr_model_expose(const xr_model_file *file, xr_model_bytes *out, exray_error *error);

/* A model of `count` nodes of the main graph alone (positions in file->model.nodes,
 * ascending and, for TFLite, contiguous).  Its inputs are the tensors that they read, no
 * one of them makes and the file holds no value of; its outputs, in ascending
 * order, are the tensors that they make and that another node or the graph's
 * outputs need.  `known` (NULL, or [model.tensor_count]; rank and dtype 0: unknown) has
 * types and shapes to declare inputs with where the file tells none. */
exray_status xr_model_cut(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                          const exray_tensor_info *known, xr_model_bytes *out, exray_error *error);

#endif
