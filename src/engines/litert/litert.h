/* A run of LiteRT, observed: the same for the session of `record` and for an application's own
 * compiled model.
 *
 * functions.c  the library's version and its functions
 * program.c    a compiled model and its tensor buffers
 * observe.c    a run: the deployed model's and, for layers, the exposed one's
 * record.c     what goes to the recorder
 * node_latency.c  the profiler's events as latencies of nodes */
#ifndef XR_LITERT_H
#define XR_LITERT_H

#include "engines/agreement.h"
#include "engines/litert/litert_c.h"
#include "engines/serving.h"
#include "models/model_file.h"
#include "models/tflite.h"

/* ---- functions.c -------------------------------------------------------------- */

/* A function that only this library has. */
#define XR_LITERT_OWN_SYMBOL "LiteRtCreateCompiledModel"

/* A symbol of the library (a dlopen handle), or of the program and what it is linked with (NULL). */
void *xr_litert_symbol(void *library, const char *name);

/* The library's file; "" if it is not loaded. */
void xr_litert_locate(void *library, char path[1024]);

/* The version of the library in that file, known by its hash; else `stated` (NULL: the
 * environment's EXRAY_LITERT_VERSION).  EXRAY_E_ENGINE: none that is known. */
exray_status xr_litert_identify(const char *path, const char *stated, char version[32], exray_error *error);

/* Finds its functions.  EXRAY_E_ENGINE: the message says which is missing. */
exray_status xr_litert_find(void *library, const char *path, xr_litert_api *api, exray_error *error);

/* ---- program.c ------------------------------------------------------------------ */

typedef struct xr_litert_config {
    const xr_litert_api *api;
    LiteRtEnvironment environment;
    const char *kernel_mode; /* "delegate" (XNNPACK), "builtin"; NULL: leave it to LiteRT */
    unsigned threads;
    bool profile;
} xr_litert_config;

/* An environment of the processor alone, which prints errors only. */
exray_status xr_litert_make_environment(const xr_litert_api *api, LiteRtEnvironment *made,
                                        exray_error *error);

/* LiteRT's kernel mode for kernels of that name (NULL: "default"), and their name in the log. */
exray_status xr_litert_kernels(const char *wanted, const char **mode, const char **kernels,
                               exray_error *error);

/* Reads a model that LiteRT runs; its bytes outlive the file.  `path` is for the message, NULL: not known;
 * `advice` ends it. */
exray_status xr_litert_read_model(const void *data, size_t size, const char *path, const char *advice,
                                  xr_model_file *file, exray_error *error);

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
    bool borrowed;                                      /* compiled model and buffers are the application's */
} xr_litert_program;

/* Adds options of a part of LiteRT as text. */
LiteRtStatus xr_litert_add_text(const xr_litert_api *api, LiteRtOptions options, const char *identifier,
                                const char *text);

/* The option that makes LiteRT report the time of each node: identifier and text. */
#define XR_LITERT_PROFILING "runtime_options_string", "enable_profiling = true\n"

/* Compiles the model that `file` describes; its bytes outlive the program.  On
 * failure, too, the program is to be closed. */
exray_status xr_litert_program_open(xr_litert_program *program, const xr_litert_config *config,
                                    const xr_model_file *file, exray_error *error);
void xr_litert_program_close(xr_litert_program *program); /* a zeroed one is fine */

/* A program of the application's: its signature, found in its file.  To be closed, too. */
exray_status xr_litert_program_borrow(xr_litert_program *program, const xr_litert_api *api,
                                      LiteRtEnvironment environment, const xr_model_file *file,
                                      exray_error *error);
/* Takes the application's compiled model and buffers (as many as its ports) for one run: types and
 * shapes are those of the buffers.  Takes no memory. */
exray_status xr_litert_program_lend(xr_litert_program *program, LiteRtCompiledModel compiled,
                                    LiteRtTensorBuffer *inputs, LiteRtTensorBuffer *outputs,
                                    exray_error *error);

LiteRtStatus xr_litert_program_run(xr_litert_program *program);

/* Copies an input's value (its port's `size` bytes) into its buffer. */
exray_status xr_litert_write(xr_litert_program *program, uint32_t input, const void *data,
                             exray_error *error);

/* Copies an output's value (its port's `size` bytes) into its buffer. */
exray_status xr_litert_write_output(xr_litert_program *program, uint32_t output, const void *data,
                                    exray_error *error);

/* An output's value (its port's `size` bytes), valid until xr_litert_look_end, which must be called. NULL:
 * LiteRT does not give it; nothing is to be called. */
const void *xr_litert_look(xr_litert_program *program, uint32_t output);
void xr_litert_look_end(xr_litert_program *program, uint32_t output);

/* An input's, likewise. */
const void *xr_litert_look_input(xr_litert_program *program, uint32_t input);
void xr_litert_look_input_end(xr_litert_program *program, uint32_t input);

/* "LiteRT: WHAT (status N)". */
exray_status xr_litert_fail(exray_error *error, const char *what, LiteRtStatus status);
exray_status xr_litert_no_memory(exray_error *error);

/* ---- record.c --------------------------------------------------------------------- */

typedef struct xr_litert_logging {
    exray_recorder *recorder;
    const xr_model_file *file; /* outlives the log */
    const char *model_path;    /* for its name; may be NULL */
    const char *version, *kernels;
    unsigned threads;
    bool no_constants;
    bool may_serve; /* the exposed model may make the outputs, once it is proven: serving.h */
} xr_litert_logging;

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
    uint8_t *ran;                           /* [main_nodes] by whom, in the current run: node_latency.c */
    uint32_t delegated, delegate_operators; /* in the first run with a delegate */
    bool delegate_sound;                    /* the two match in number */
} xr_litert_log;

/* Writes /model and /constant, and takes the memory that later records need.  On
 * failure, too, the log is to be closed. */
exray_status xr_litert_log_open(xr_litert_log *log, const xr_litert_logging *how, exray_error *error);
void xr_litert_log_close(xr_litert_log *log);

/* Whether the recorder keeps something of a layer now. */
bool xr_litert_wants_layers(const xr_litert_log *log);

/* Records an input, an output or a layer: `record` has kind, index and output set;
 * `position` is the tensor's in the model, `port` what it is at run time. */
void xr_litert_log_value(const xr_litert_log *log, exray_tensor *record, uint32_t position,
                         const xr_litert_port *port, const void *data);

/* At close: which nodes a delegate ran, and how they got their latencies. */
void xr_litert_log_delegation(const xr_litert_log *log);

/* Records that the exposed model returned something else than the deployed one. */
void xr_litert_log_difference(const xr_litert_log *log, const xr_agreement *agreement);

/* Records that layers (or latencies) were not observed, and why. */
void xr_litert_log_unobserved(const xr_litert_log *log, const char *what, const char *why);

/* ---- observe.c -------------------------------------------------------------------- */

typedef struct xr_litert_observer {
    xr_litert_log log;
    const xr_model_file *file;
    bool straight;                /* every layer is among the model's own outputs */
    bool has_state;               /* that persists between runs: the exposed model must run each time */
    xr_model_bytes exposed_bytes; /* data NULL: no second model */
    xr_model_file exposed_file;
    xr_litert_program exposed;
    uint32_t *layer_output; /* [model.tensor_count] which output of the exposed model (or of the model
                               itself: straight) a tensor is, or EXRAY_NO_INDEX */
    xr_agreement agreement;
    xr_serving serving;
    bool compared;                /* the file with what runs */
    bool fed;                     /* the exposed model has this run's inputs */
    bool no_profiler;             /* the application's compiled model has none */
    uint64_t misfits;             /* runs on shapes that are not the exposed model's */
    uint64_t offset_ns, begin_ns; /* of the current run: in the frame, on the clock */
} xr_litert_observer;

/* Writes /model and /constant, and compiles the exposed model where layers are wanted, as `program`
 * says.  On failure, too, the observer is to be closed. */
exray_status xr_litert_observe(xr_litert_observer *observer, const xr_litert_logging *how,
                               const xr_litert_config *program, exray_error *error);
void xr_litert_unobserve(xr_litert_observer *observer);

/* Makes the deployed program's run and records it: inputs, layers, outputs, times.  Returns what LiteRT
 * returned; `error` is filled where observing failed. */
LiteRtStatus xr_litert_observed_run(xr_litert_observer *observer, xr_litert_program *deployed,
                                    exray_error *error);

/* What the exposed model keeps is as before its first run; `program` is how the deployed one was opened. */
exray_status xr_litert_observed_reset(xr_litert_observer *observer, const xr_litert_config *program,
                                      exray_error *error);

/* At the recorder's close: remarks on how it was observed.  Nothing is recorded from then on. */
void xr_litert_conclude(xr_litert_observer *observer);

/* ---- node_latency.c -------------------------------------------------------------------- */

/* Records the profiler's times of the last run, which began at `offset_ns` of the frame, as /latency. */
void xr_litert_log_latency(xr_litert_log *log, const xr_litert_program *program, uint64_t offset_ns);

#endif
