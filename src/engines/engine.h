/* One interface for every engine: what `record` and `replay` drive.  Adapters
 * implement it; nobody else includes an engine's own declarations. */
#ifndef XR_ENGINE_H
#define XR_ENGINE_H

#include "models/notes/model_notes.h"

#include <exray/exray.h>

/* An adapter's own: only the adapter that opened it looks inside. */
typedef struct xr_session xr_session;

/* The shape of an input. */
typedef struct xr_input_shape {
    const int64_t *shape;
    uint32_t rank;
} xr_input_shape;

typedef struct xr_session_config {
    const char *model_path;
    const void *model_data; /* the file's bytes; they outlive the session */
    size_t model_size;
    const char *kernels;      /* NULL: "default" */
    unsigned threads;         /* 0: 1 */
    const char *library;      /* NULL: found by the adapter */
    const char *delegate;     /* "LIB[:KEY:VALUE;...]": an external delegate, for engines that take one;
                                 NULL: none */
    exray_recorder *recorder; /* already open; gets the model, layers and latencies of every run.  NULL: not
                                 observed, the model runs as it would without exray */
    const xr_input_shape *shapes; /* of the inputs of the first run, to describe a model with open dimensions
                                     by; may be NULL */
    uint32_t shape_count;
} xr_session_config;

typedef struct xr_engine_info {
    bool found;
    char library[1024]; /* path */
    char version[32];
    char problem[256]; /* why it cannot be used, and what to do; "" where it can */
} xr_engine_info;

typedef struct xr_engine {
    const char *name;           /* "tflite" */
    const char *const *kernels; /* NULL-terminated names that --kernels takes */
    bool takes_delegates;       /* --delegate is for this engine */
    /* Looks for the library (NULL: the usual places) without keeping it loaded. */
    void (*probe)(const char *library, xr_engine_info *info);
    /* Loads the library and the model.  NULL on failure, error filled. */
    xr_session *(*open)(const xr_session_config *config, exray_error *error);
    /* The model's inputs and outputs; NULL beyond the last.  Borrowed until close.  A dimension that the
     * model leaves open is -1 until set_shape (of inputs) or a run (of outputs); an open batch is 1. */
    const exray_tensor_info *(*input)(xr_session *session, uint32_t i);
    const exray_tensor_info *(*output)(xr_session *session, uint32_t i);
    /* Fixes the open dimensions of input i for the runs that follow; its data are to be set anew.
     * EXRAY_E_ARGUMENT: the model takes no such shape. */
    exray_status (*set_shape)(xr_session *session, uint32_t i, const int64_t *shape, uint32_t rank,
                              exray_error *error);
    /* Copies `size` bytes (exactly the tensor's) into input i. */
    exray_status (*set_input)(xr_session *session, uint32_t i, const void *data, size_t size,
                              exray_error *error);
    /* Runs once.  /input, /layer, /output, /latency and inference_ns go to the
     * recorder's open frame as its capture level says. */
    exray_status (*run)(xr_session *session, exray_error *error);
    /* The data of output i after run; borrowed until the next run. */
    const void *(*output_data)(xr_session *session, uint32_t i, size_t *size);
    /* What the model keeps by itself from run to run (variables) is as before the first one, and so are the
     * shapes; *kept: whether it keeps anything.  NULL: models of this engine keep nothing. */
    exray_status (*reset)(xr_session *session, bool *kept, exray_error *error);
    void (*close)(xr_session *session);
} xr_engine;

/* NULL-terminated table of all adapters in this build. */
extern const xr_engine *const xr_engines[];

/* The engine of that name, or NULL. */
const xr_engine *xr_engine_by_name(const char *name);

/* A model's file as engines are given it: where it has tensors in files beside it, `*data` (malloc'd) is
 * replaced by a model that holds them.  On failure `*data` is as it was; the message does not name the model.
 */
exray_status xr_engine_whole_model(const char *path, void **data, size_t *size, exray_error *error);

/* What a model's file says of itself; free it.  False: out of memory. */
bool xr_engine_notes(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out);
void xr_engine_notes_free(xr_model_notes *notes);

#endif
