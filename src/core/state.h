/* The recorder's private state: data alone.  What works on it has a header of its
 * own: recorder_error.h, channels.h, emit.h, frame.h, layout.h, identity.h. */
#ifndef XR_STATE_H
#define XR_STATE_H

#include "core/mcap.h"
#include "core/port/port.h"
#include <stdatomic.h>

enum {
    XR_MAX_NAME = 1000,              /* bytes of a tensor's, stage's, reading's name */
    XR_MAX_TOPIC = XR_MAX_NAME + 48, /* with what stands before it, in a topic or an error message */
    XR_MAX_SOURCE = 1023,            /* bytes of Frame.source */
    XR_FRAME_ENTRIES = 4096,         /* bytes of Frame.values and Frame.spans_ns */
    XR_MAX_INNER = 8,                /* depth of Node.inner */
    XR_CLOSERS = 4,
};
#define XR_MAX_DATA ((size_t)1 << 30) /* bytes of Tensor.data */

/* The recorder's own view of a channel. */
typedef struct xr_channel_use {
    uint32_t sequence;
    bool charged; /* to the byte budget */
} xr_channel_use;

typedef struct xr_channels {
    xr_channel_info *table;
    xr_channel_use *use;
    uint32_t count, max;
    uint16_t *hash; /* open addressing: channel + 1, 0 is free */
    uint32_t hash_size;
    xr_name_pool topics;
} xr_channels;

typedef struct xr_open_frame {
    bool open;
    exray_capture capture; /* of this frame: what is asked for */
    exray_capture logged;  /* what of it the log gets at once: less than that with a flight recorder */
    bool thinned;          /* left out, for want of budget */
    xr_frame_message message;
    char *source;     /* XR_MAX_SOURCE + 1 bytes: the message's */
    uint8_t *entries; /* XR_FRAME_ENTRIES bytes: the message's */
} xr_open_frame;

/* Something that is done at the end of every so many frames; 0: never. */
typedef struct xr_every {
    uint32_t frames, since;
} xr_every;

/* What of the byte budget a record costs from; of tensors the last three. */
typedef enum xr_share {
    XR_SHARE_FRAMES,
    XR_SHARE_HEAD, /* the model, attachments, metadata */
    XR_SHARE_STATS,
    XR_SHARE_DATA,
    XR_SHARE_CONSTANTS, /* their data */
} xr_share;

/* The byte budget (limits/budget.h). */
typedef struct xr_budget {
    uint64_t bytes;           /* of this file; 0: no limit */
    uint64_t spent, reserved; /* reserved: for what every log has, and its end; part of `spent` */
    uint64_t tensors;         /* what of it went to tensors */
    bool series;              /* another file follows where this one is full */
    exray_capture level;      /* the most that there is room for */
    uint8_t thinning;         /* frames are recorded whose index is a multiple of 1 << thinning */
    uint64_t frames_left_out;
    /* What an event tells: budget_tell.h. */
    bool untold;
    exray_capture level_told;
    uint8_t thinning_told;
    uint64_t lowered_at, thinned_at;
    /* Of the whole series; one file: it is the series. */
    uint64_t total;      /* bytes of all files; 0: no limit */
    uint64_t file_bytes; /* of each; 0: no limit of its own */
    uint64_t base;       /* of what is reserved: what every log has */
    uint64_t head;       /* what each file begins with beside that */
    uint32_t files;      /* how many there may be */
} xr_budget;

/* Where one file follows another (host/series.c). */
typedef struct xr_series {
    uint32_t files; /* how many there may be; 0: no limit */
    bool keep_oldest, asked;
    bool due;                /* another file begins with the next frame */
    uint32_t before, of_run; /* files that were there; files of this run */
    uint32_t common;         /* channels that every file has */
    uint64_t file_ns, began_ns;
    uint64_t frames;                     /* in this file */
    uint64_t largest_frame, frame_start; /* of the budget */
} xr_series;

/* Where a memory sink writes. */
typedef struct xr_memory_target {
    uint8_t *bytes; /* NULL: another sink */
    size_t size, used;
} xr_memory_target;

/* The application's sink. */
typedef struct xr_callback {
    exray_recorder_write_fn write;
    int (*sync)(void *user);
    void *user;
} xr_callback;

/* Calls that were refused, by what was wrong: the first of each kind is told in the log at once, the others
 * are counted, and told at the end. */
enum { XR_REFUSAL_KINDS = 8 };
typedef struct xr_refusals {
    struct {
        uint32_t kind;   /* a hash of the message */
        uint32_t untold; /* calls beyond the first */
        uint64_t frame;  /* of the first */
    } of[XR_REFUSAL_KINDS];
    uint32_t kinds;
    uint32_t others; /* of kinds beyond those */
} xr_refusals;

/* Records that the writer lost, for its sink had no room. */
typedef struct xr_gap {
    uint32_t seen;   /* of xr_mcap.lost */
    uint32_t untold; /* not yet in an event */
    uint64_t frame;  /* in which the first of these was lost */
    int error;       /* what the sink said */
} xr_gap;

typedef struct xr_recorder {
    uint32_t magic;     /* XR_MAGIC while open, XR_CLOSED after; XR_REFUSED: nothing follows it */
    exray_error error;  /* the latest one */
    exray_status ended; /* nothing more is recorded, for this reason; 0: it goes on */
    char target[80];    /* "log file 'edge.mcap'", for messages */

    exray_recorder_parts parts;
    exray_capture capture;
    atomic_uint next_capture;                       /* exray_capture: from the next frame on */
    void (*_Atomic at_frame)(struct xr_recorder *); /* what is to be done where a frame begins, or NULL */
    struct xr_layer_list *layers;                   /* of that part, or NULL */
    struct xr_layer_stats *layer_stats;             /* likewise */
    uint64_t every_nth, first_frames;
    xr_budget budget;
    xr_series series;
    void (*after_frame)(struct xr_recorder *r); /* of the series, or NULL */
    bool no_io_data, no_output_data;
    exray_policy policy;

    void *memory;             /* to be freed at close, or NULL */
    struct xr_log_file *file; /* a file sink, or NULL */
    int (*close_file)(struct xr_log_file *file);
    xr_memory_target buffer;
    xr_callback *callback;        /* in its memory: the writer thread may outlive the recorder */
    uint32_t (*process_of)(void); /* NULL: there are no processes */
    uint32_t process;             /* which opened it */
    const char *forked;           /* what is wrong with another one */
    xr_mcap mcap;
    xr_draft draft;                   /* the record on its way */
    char *topic;                      /* XR_MAX_TOPIC bytes: its topic */
    exray_channel_room *channel_room; /* its channels' moments; NULL: the part does not make them */
    float *bucket;                    /* EXRAY_SKETCH_BUCKETS: its sketch; NULL: there is no such part */

    /* The asynchronous mode; NULL: the writer runs on the caller's thread. */
    struct xr_ring *ring;
    atomic_int *writer_error;

    struct xr_flight *flight;     /* of that part, or NULL */
    exray_capture flight_capture; /* the level that waits; 0: none does */
    exray_capture flight_level;   /* what it takes of the open frame, or of the next one */

    xr_channels channels;
    bool schema_charged[XR_SCHEMA_COUNT];
    bool has_model;
    bool model_dropped; /* for want of budget: tensors describe themselves */

    xr_open_frame frame;
    uint64_t next_frame; /* index of the next one, or of the open one */
    uint64_t last_end_ns;
    uint8_t data_share; /* xr_share of the data in the record on its way; 0: it has none */
    xr_every flush_every, sync_every;
    uint64_t dropped, dropped_told;
    xr_refusals refusals;
    xr_gap gap;
    bool has_arena_bytes;
    uint64_t arena_bytes;
    bool watching; /* the machine's part reads its files */
    xr_port_usage_files usage_files;
    uint64_t last_slow_usage_ns;

    struct {
        void (*function)(void *user);
        void *user;
    } closers[XR_CLOSERS];
    uint32_t closer_count;
} xr_recorder;

#define XR_MAGIC   0x65787279u /* "exry" */
#define XR_CLOSED  0x6578656eu
#define XR_REFUSED 0x65786f6cu /* compiled with another header: nothing but this word is used */

static inline xr_recorder *xr_of(exray_recorder *recorder)
{
    return (xr_recorder *)(void *)recorder->opaque;
}

static inline const xr_recorder *xr_of_const(const exray_recorder *recorder)
{
    return (const xr_recorder *)(const void *)recorder->opaque;
}

#endif
