/* The description of a model file, and the functions that a format provides. */
#ifndef XR_MODEL_FORMAT_H
#define XR_MODEL_FORMAT_H

#include <exray/types.h>

/* Bytes of a constant; data NULL: it has none here (kept in another file, or not
 * a constant). */
typedef struct xr_constant {
    const void *data; /* little-endian, C order, as in the log */
    size_t size;
} xr_constant;

typedef struct xr_model_format xr_model_format;

/* A model as its file has it.  Everything is borrowed from it, or from the bytes
 * it was read from, and lives as long as both. */
typedef struct xr_model_file {
    const xr_model_format *format;
    const void *data; /* the file's bytes, the caller's */
    size_t size;
    exray_model model; /* nodes of all subgraphs in file order, with attributes; no sha256, no engine */
    const xr_constant *constant; /* [model.tensor_count] */
    void *memory;                /* private */
} xr_model_file;

/* Bytes that belong to the caller: free(data). */
typedef struct xr_model_bytes {
    void *data;
    size_t size;
} xr_model_bytes;

struct xr_model_format {
    const char *name; /* "tflite", "onnx" */
    /* Whether the bytes look like this format, from their beginning. */
    bool (*recognize)(const void *data, size_t size);
    /* Fills everything but format, data and size.  EXRAY_E_FORMAT for damaged and
     * hostile files: the message says what is wrong, not which file. */
    exray_status (*read)(xr_model_file *file, exray_error *error);
    void (*release)(xr_model_file *file);
    /* See xr_model_expose and xr_model_cut. */
    exray_status (*expose)(const xr_model_file *file, xr_model_bytes *out, exray_error *error);
    exray_status (*cut)(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                        const exray_tensor_info *known, xr_model_bytes *out, exray_error *error);
};

#endif
