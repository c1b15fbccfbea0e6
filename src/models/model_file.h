/* Model files, whatever their format: what is in them, and two ways to change
 * them.  One file of this folder's per format and subject; nothing here needs an
 * engine, and nothing believes a length that a file states before checking it. */
#ifndef XR_MODEL_FILE_H
#define XR_MODEL_FILE_H

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

/* NULL-terminated table of the formats. */
extern const xr_model_format *const xr_model_formats[];

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
