/* The recorder's private state, and what its files share. */
#ifndef XR_RECORDER_H
#define XR_RECORDER_H

#include "core/mcap.h"
#include "core/port.h"
#include "core/ring.h"
#include "core/text.h"
#include <exray/exray.h>

enum {
    XR_MAX_NAME = 1000,      /* bytes of a tensor's, stage's, reading's name */
    XR_MAX_SOURCE = 1023,    /* bytes of Frame.source */
    XR_FRAME_ENTRIES = 4096, /* bytes of Frame.values and Frame.spans_ns */
    XR_MAX_INNER = 8,        /* depth of Node.inner */
    XR_CLOSERS = 4,
};
#define XR_MAX_DATA ((size_t)1 << 30) /* bytes of Tensor.data */

/* Where file and memory sinks write. */
typedef struct xr_file_target {
    int handle;
} xr_file_target;

typedef struct xr_memory_target {
    uint8_t *bytes;
    size_t size, used;
} xr_memory_target;

/* Bytes in a block that only grow. */
typedef struct xr_arena {
    char *bytes;
    size_t used, capacity;
} xr_arena;

/* The names of a model's layers, for filters and channel metadata. */
typedef struct xr_layer_names {
    xr_arena arena; /* the strings */
    uint32_t *name; /* [count], offsets in the arena; NO_INDEX: not kept */
    uint32_t *op;   /* [count] */
    uint32_t count; /* how many nodes have an entry */
    uint32_t max;
} xr_layer_names;

/* The recorder's own view of a channel. */
typedef struct xr_channel_use {
    uint32_t sequence;
    bool charged; /* to the byte budget */
} xr_channel_use;

typedef struct xr_channels {
    xr_channel *table;
    xr_channel_use *use;
    uint32_t count, max;
    uint16_t *hash; /* open addressing: channel + 1, 0 is free */
    uint32_t hash_size;
    xr_arena topics;
} xr_channels;

typedef struct xr_open_frame {
    bool open;
    exray_capture capture; /* of this frame */
    char *source;          /* XR_MAX_SOURCE + 1 bytes */
    bool has_label;
    int64_t label;
    uint64_t begin_ns, inference_ns;
    uint8_t *entries; /* XR_FRAME_ENTRIES bytes */
    size_t entries_used;
} xr_open_frame;

typedef struct xr_recorder {
    uint64_t magic; /* XR_MAGIC while open, XR_CLOSED after */
    exray_error error;
    char target[80]; /* "log file 'edge.mcap'", for messages */

    exray_capture capture;
    const char *layers; /* a copy, or NULL */
    uint64_t every_nth, first_frames, byte_budget;
    bool no_io_data;
    exray_policy policy;

    void *memory; /* to be freed at close, or NULL */
    xr_file_target file;
    xr_memory_target buffer;
    xr_mcap mcap;
    xr_ring ring;
    bool asynchronous;

    xr_channels channels;
    xr_layer_names names;
    bool schema_charged[XR_SCHEMA_COUNT];
    bool has_model;
    bool model_dropped; /* for want of budget: tensors describe themselves */

    xr_open_frame frame;
    uint64_t next_frame; /* index of the next one, or of the open one */
    uint64_t last_end_ns;
    uint64_t last_chunk_ns; /* when the open chunk was last closed for its age */
    uint64_t spent;         /* of the byte budget */
    uint64_t dropped, dropped_told;
    bool has_arena_bytes;
    uint64_t arena_bytes;
    xr_port_usage_files usage_files;
    uint64_t last_slow_usage_ns;

    struct {
        void (*function)(void *user);
        void *user;
    } closers[XR_CLOSERS];
    uint32_t closer_count;
} xr_recorder;

#define XR_MAGIC  0x6578726179726563u /* "exrayrec" */
#define XR_CLOSED 0x6578726179656e64u

static inline xr_recorder *xr_of(exray_recorder *recorder)
{
    return (xr_recorder *)(void *)recorder->opaque;
}

static inline const xr_recorder *xr_of_const(const exray_recorder *recorder)
{
    return (const xr_recorder *)(const void *)recorder->opaque;
}

/* ---- recorder.c ---- */

/* EXRAY_OK where the recorder is open and without error, else what a call
 * returns. */
exray_status xr_check(xr_recorder *r);
/* Sets the sticky error, unless there is one; returns it.  The texts are joined;
 * NULL ends them early. */
exray_status xr_fail_with(xr_recorder *r, exray_status status, const char *a, const char *b, const char *c);
/* Sets the sticky error that a failed write is. */
exray_status xr_fail_write(xr_recorder *r, int error);

/* ---- layout.c ---- */

/* Where each table and buffer lies in the memory block. */
typedef struct xr_plan {
    size_t total; /* bytes of the block */
    size_t chunk_size, packed_capacity, out_capacity, ring_size, layers_size;
    uint32_t max_channels, max_chunks, max_entries, max_chunk_channels, hash_size, max_layers;
    size_t topics_size, names_size, index_size;
    bool crc_tables;
} xr_plan;

/* `sink_size`: bytes of a memory sink, 0 for others.  Returns false, with the
 * reason, where the config cannot be. */
bool xr_plan_of(const exray_recorder_config *config, size_t sink_size, xr_plan *plan, const char **problem);
/* Points the recorder's tables into `memory`, plan->total bytes, 16-aligned. */
void xr_place(xr_recorder *r, const xr_plan *plan, const exray_recorder_config *config, void *memory);

/* ---- identity.c ---- */

/* The metadata record "exray". */
exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config);

/* ---- channels.c ---- */

/* The channel of that topic, made if need be; EXRAY_NO_INDEX: the tables are
 * full.  `node`: whose name and op the channel's metadata has, or NO_INDEX. */
uint32_t xr_channel_find(xr_recorder *r, const char *topic, xr_schema schema, uint32_t node);
/* "/kind/NAME", "/layer/INDEX/OUTPUT", "/constant/INDEX" into `topic`. */
enum { XR_MAX_TOPIC = XR_MAX_NAME + 16 };
void xr_tensor_topic(const exray_tensor *tensor, char topic[XR_MAX_TOPIC]);
/* Keeps the names of the model's layers, as far as there is room. */
void xr_keep_names(xr_recorder *r, const exray_model *model);
/* A layer's kept name or op; NULL: not kept, or empty. */
const char *xr_layer_name(const xr_recorder *r, uint32_t node);
const char *xr_layer_op(const xr_recorder *r, uint32_t node);

/* ---- filter.c ---- */

/* Whether the list of patterns (config.layers) takes the layer. */
bool xr_filter_takes(const char *layers, uint32_t index, const char *name);
/* NULL: the list can be understood; else what is wrong with it. */
const char *xr_filter_problem(const char *layers);

/* ---- emit.c ---- */

/* What becomes of a record that finds no room. */
typedef enum xr_urgency {
    XR_MAY_DROP, /* as the policy says */
    XR_WAIT,     /* it belongs to no frame, or must not be missed: waits */
} xr_urgency;

/* Whether the budget has room for a message of that size on that channel. */
bool xr_budget_allows(const xr_recorder *r, uint32_t channel, uint64_t size);
/* Sends the message on its way; drops and counts it where it finds no room. */
exray_status xr_emit(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                     const void *object, xr_urgency urgency);
/* On the topic; drops and counts where the channel finds no room. */
exray_status xr_emit_topic(xr_recorder *r, const char *topic, xr_schema schema, xr_encode_fn encode,
                           const void *object, uint64_t log_time, xr_urgency urgency);
/* Has the writer run `function`, on its own thread where it has one. */
exray_status xr_emit_call(xr_recorder *r, xr_ring_function function, const void *object);

/* ---- frame.c ---- */

/* The capture level of the open frame, or of the next one. */
exray_capture xr_capture_now(const xr_recorder *r);
/* Begins a frame where none is open. */
exray_status xr_need_frame(xr_recorder *r);
exray_status xr_frame_begin(xr_recorder *r, const char *source);
exray_status xr_frame_end(xr_recorder *r);
/* The last word on how many records were dropped. */
void xr_write_last_system(xr_recorder *r);

#endif
