/* What the parts of the LiteRT engine share.
 *
 * session.c   the engine's functions: the deployed model and, for layers, the exposed one
 * program.c   a compiled model and its tensor buffers
 * record.c    what goes to the recorder
 * latency.c   the profiler's events as latencies of nodes
 * library.c   finding the library, its version and its functions */
#ifndef XR_LITERT_H
#define XR_LITERT_H

#include "engine.h"
#include "litert_c.h"
#include "model_file.h"
#include "tflite.h"

/* ---- library.c ---------------------------------------------------------------- */

/* Opens the library (`wanted`; NULL: the usual places) and finds its functions.
 * `version` gets what it is.  NULL on failure, error filled: not there, not LiteRT,
 * or of a version whose functions are not known to be as litert_c.h declares them. */
void *xr_litert_open(const char *wanted, xr_litert_api *api, char version[32], exray_error *error);

/* engine.h: xr_engine.probe */
void xr_litert_probe(const char *library, xr_engine_info *info);

/* ---- program.c ------------------------------------------------------------------ */

typedef struct xr_litert_config {
    const xr_litert_api *api;
    LiteRtEnvironment environment;
    const char *kernel_mode; /* "delegate" (XNNPACK), "builtin"; NULL: leave it to LiteRT */
    unsigned threads;
    bool profile;
} xr_litert_config;

/* An input or output of the program, in the order of the file's main graph. */
typedef struct xr_litert_port {
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    size_t place; /* in the signature */
    size_t size;  /* bytes of the value */
} xr_litert_port;

typedef struct xr_litert_program {
    const xr_litert_api *api;
    LiteRtModel model;
    LiteRtOptions options;
    LiteRtCompiledModel compiled;
    LiteRtProfiler profiler; /* owned by the compiled model */
    size_t signature;
    uint32_t input_count, output_count;
    xr_litert_port *inputs, *outputs;
    LiteRtTensorBuffer *input_buffers, *output_buffers; /* in the signature's order */
} xr_litert_program;

/* Compiles the model that `file` describes; its bytes outlive the program.  On
 * failure, too, the program is to be closed. */
exray_status xr_litert_program_open(xr_litert_program *program, const xr_litert_config *config,
                                    const xr_model_file *file, exray_error *error);
void xr_litert_program_close(xr_litert_program *program);

exray_status xr_litert_program_run(xr_litert_program *program, exray_error *error);

/* Copies an input's value (its port's `size` bytes) into its buffer. */
exray_status xr_litert_write(xr_litert_program *program, uint32_t input, const void *data,
                             exray_error *error);

/* An output's value (its port's `size` bytes) until xr_litert_look_end, which is
 * to be called unless it was NULL: LiteRT does not give it. */
const void *xr_litert_look(xr_litert_program *program, uint32_t output);
void xr_litert_look_end(xr_litert_program *program, uint32_t output);

/* "LiteRT: WHAT (status N)". */
exray_status xr_litert_fail(exray_error *error, const char *what, LiteRtStatus status);
exray_status xr_litert_no_memory(exray_error *error);

/* ---- record.c --------------------------------------------------------------------- */

typedef struct xr_litert_log {
    exray_recorder *recorder;
    const xr_model_file *file;
    uint32_t main_nodes;      /* those of the main graph, which come first */
    const char **input_names; /* [model.input_count] as the topics need them */
    const char **output_names;
    char (*numbers)[12]; /* names of those that have none of their own */
    LiteRtProfilerEvent *events;
    uint32_t event_capacity;
    uint32_t *latency_node; /* [main_nodes] */
    uint64_t *latency_start, *latency_duration;
    uint8_t *ran; /* [main_nodes] by whom, in the run at hand: latency.c */
    bool said_delegation, said_difference;
} xr_litert_log;

/* Writes /model and /constant, and takes the memory that later records need.  On
 * failure, too, the log is to be closed. */
exray_status xr_litert_log_open(xr_litert_log *log, const xr_session_config *config,
                                const xr_model_file *file, const char *version, const char *kernels,
                                exray_error *error);
void xr_litert_log_close(xr_litert_log *log);

/* Whether the recorder keeps something of a layer. */
bool xr_litert_wants_layers(const xr_litert_log *log);

/* Records an input, an output or a layer: `record` has kind, index and output set;
 * `position` is the tensor's in the model, `port` what it is at run time. */
void xr_litert_log_value(const xr_litert_log *log, exray_tensor *record, uint32_t position,
                         const xr_litert_port *port, const void *data);

/* Says, once, that the exposed model returned something else than the deployed one. */
void xr_litert_log_difference(xr_litert_log *log, const char *output);

/* Says that layers were not observed, and why. */
void xr_litert_log_unobserved(const xr_litert_log *log, const char *why);

/* ---- latency.c -------------------------------------------------------------------- */

/* Records what the profiler tells of the last run, which began at `offset_ns` of
 * the frame, as /latency. */
void xr_litert_log_latency(xr_litert_log *log, const xr_litert_program *program, uint64_t offset_ns);

#endif
