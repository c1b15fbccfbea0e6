/* The state of a tap: what is known of the interpreter, and the run under way.  One xr_tap belongs to
 * one recorder and one interpreter.
 *
 * tap.c             attach, close, the delegate and profiler objects
 * tap_prepare.c     at Prepare: describes the interpreter, records the model
 * tap_model.c       at Prepare: what the interpreter holds -> exray_model and tables
 * tap_node.c        at Prepare: one node of it
 * tap_partitions.c  at Prepare: what delegates took of it
 * tap_tensor.c      tensors: description, value at run time
 * tap_events.c      at run time: profiler events -> records
 * tap_file.c        the model file: hash, name, number of subgraphs, the operators' options
 * tap_check.c       at Prepare: whether it is the file of the model that runs */
#ifndef XR_TFLITE_TAP_STATE_H
#define XR_TFLITE_TAP_STATE_H

#include "engines/tflite/symbols.h"
#include "engines/tflite/tap_memory.h"

#include <stdatomic.h>

/* Nested executions (a node of a loop's body within the loop's node). */
#define XR_TAP_MAX_DEPTH 64

/* Limits of what an interpreter may claim; far beyond any real model. */
#define XR_TAP_MAX_SUBGRAPHS 4096u
#define XR_TAP_MAX_ITEMS     (1u << 20) /* nodes, tensors, in all subgraphs */

typedef struct xr_tap_subgraph {
    TfLiteOpaqueContext *context;
    uint32_t first_tensor; /* position in model.tensors of its tensor 0 */
    uint32_t tensor_count;
    uint32_t node_count;            /* indices that TFLite gave, executed or not */
    uint32_t *position;             /* [node_count]: in model.nodes, or EXRAY_NO_INDEX: not executed */
    uint32_t first_node, plan_size; /* its nodes in model.nodes */
    uint32_t input_count, output_count;
    const uint32_t *inputs, *outputs;                     /* positions in model.tensors, or EXRAY_NO_INDEX */
    const char *const *input_names, *const *output_names; /* as the topics need them */
    uint32_t state_count; /* its variables: read by a node, made by none, and neither inputs nor constants */
    const uint32_t *states;
    const char *const *state_names;
} xr_tap_subgraph;

/* An execution of a node that has begun and not ended. */
typedef struct xr_tap_open {
    uint32_t node; /* in model.nodes */
    uint64_t begin_ns;
    uint64_t own_ns; /* tap.own_ns at the begin */
} xr_tap_open;

/* An execution of a subgraph, at one depth of nesting. */
typedef struct xr_tap_level {
    bool active;
    uint32_t subgraph;
    uint32_t cursor;      /* place in its plan of the next node to end */
    uint64_t last_ns;     /* when the previous node had ended and was recorded */
    uint64_t last_own_ns; /* tap.own_ns then */
} xr_tap_level;

/* What is known of an interpreter: built at Prepare, read-only afterwards except the working memory at the
 * end.  Names belong to the interpreter. */
typedef struct xr_tap_tables {
    xr_tap_block *blocks;
    exray_model model;
    xr_tap_subgraph *subgraphs;
    uint32_t subgraph_count;
    uint32_t partitions;       /* nodes of the plan that are a delegate's */
    uint32_t delegated;        /* nodes of the model that run within them */
    const char *delegate_name; /* of the first partition; NULL: none */
    bool *is_partition;        /* [model.node_count] */
    bool *reports;             /* [model.node_count] whose delegate may report its own operators */
    uint32_t *whole_until;     /* [model.node_count] partitions: place in the plan of the last node that
                                  has run when the values may still be read */

    uint32_t *occurrence; /* [model.node_count] executions within the run */
    uint32_t latency_capacity;
    uint32_t *latency_node;
    uint64_t *latency_start, *latency_duration;
} xr_tap_tables;

/* What tells a tensor of the model file from another's. */
typedef struct xr_tap_file_tensor {
    const char *name;
    exray_dtype dtype;
    bool constant;
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK];
    float scale; /* the first one; 0: not quantized */
} xr_tap_file_tensor;

typedef struct xr_tap {
    struct xr_tap *next; /* in the list of all taps (tap.c says why they stay) */
    atomic_bool live;    /* false: closed, or failed; callbacks do nothing */
    exray_recorder *recorder;
    xr_tflite_tap_api api;
    TfLiteTelemetryProfilerStruct profiler;
    TfLiteDelegate *delegate;
    xr_tap_block *blocks;

    /* From the config. */
    char *model_name;
    uint8_t sha256[32];
    bool has_sha256;
    char kernels[24]; /* "": named after what is found */
    uint32_t threads;
    bool no_constants;
    uint32_t file_subgraphs; /* as the model file says; 0: unknown */
    exray_node *file_nodes;  /* [file_node_count] of the file: op, subgraph, attributes */
    uint32_t file_node_count;
    xr_tap_file_tensor *file_tensors; /* [file_tensor_count] of the file's main graph */
    uint32_t file_tensor_count;
    char version[32];

    xr_tap_tables *tables; /* NULL before the first Prepare */

    /* The run under way. */
    bool announced; /* the application said that the next run begins at announced_ns */
    uint64_t announced_ns;
    uint64_t run_begin_ns;  /* as announced, else the time of the first event */
    uint64_t run_offset_ns; /* the run's begin within the frame */
    bool is_begin_known;    /* run_begin_ns is the run's */
    bool is_time_known;     /* how long the run took */
    uint64_t own_ns;        /* spent in the tap since then */
    uint64_t unseen_ns;     /* of the run before its first event, as its delegate reports */
    uint32_t reported;      /* the latency that a delegate's reports sum up to, while they may come */
    uint32_t reported_from; /* the latency that they are part of; EXRAY_NO_INDEX: unseen_ns */
    bool has_run;
    uint64_t run_frame, last_frame; /* indices of this run's frame and of the last run's */
    uint32_t depth;                 /* nodes open */
    xr_tap_open open[XR_TAP_MAX_DEPTH];
    xr_tap_level levels[XR_TAP_MAX_DEPTH + 1];
    uint32_t latency_count;

    /* What could not be observed; written at close. */
    uint64_t lost_latencies;  /* executions beyond latency_capacity */
    uint64_t lost_events;     /* executions in unknown subgraphs */
    uint64_t lost_partitions; /* executions of partitions that were overwritten before an event came */
    uint64_t lost_times;      /* executions of partitions without an event at begin or end */
    uint64_t lost_values;     /* tensors whose memory was not there, or not of the size of their shape */
    uint64_t unfinished;      /* runs that failed */
} xr_tap;

/* Reports to the recorder and stops observing. */
void xr_tap_fail(xr_tap *tap, exray_status status, const char *message);

void xr_tap_free_tables(xr_tap_tables *tables); /* NULL is fine */

#endif
