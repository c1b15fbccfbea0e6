/* Reading a log.  The whole index (frames and records, no data) is in memory;
 * data is read when asked for, so that a log of any length fits.
 *
 * Every length in the file is checked before use; a log cut short is read up to
 * its last whole record (exray_log_truncated).  The index takes at most 64 MiB and
 * 32 times the file's size, a slot the like of its record's, and what its compressed
 * chunk (at most about 1 GiB) and dequantized values need.  Strings are UTF-8, whatever the file has.
 *
 * The file is mapped, so that large tensors need no copy, and its pages are given
 * back by and by: about 50 MB stay resident.  A log may be read while its writer
 * goes on (what comes after open is not seen).  A file that gets shorter is an
 * error of the next read; if that happens during a read, the process gets SIGBUS.
 *
 * Threads: after open, a log is read-only; any number of threads may read, each
 * with a slot of its own. */
#ifndef EXRAY_LOG_H
#define EXRAY_LOG_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef struct exray_log exray_log;

/* Opens and indexes a log.  NULL on failure, with `error` filled: EXRAY_E_IO
 * (cannot be read), EXRAY_E_FORMAT (no MCAP file, or not of profile exray). */
exray_log *exray_log_open(const char *path, exray_error *error);

/* NULL is allowed. */
void exray_log_close(exray_log *log);

/* The path it was opened with. */
const char *exray_log_path(const exray_log *log);

/* Why the log has no regular end ("ends within a record at byte 1234"), or NULL
 * where it has one. */
const char *exray_log_truncated(const exray_log *log);

/* Chunks and messages passed over since they were damaged (CRC, bad protobuf), and ends of the file
 * that are. */
uint64_t exray_log_damaged(const exray_log *log);

/* What the log has that this version does not know and passes over, in one line ("1 topic (/event:
 * exray.v1.Event), 2 fields (Frame 9, TensorStats 11)"): another program's, or of a later version.
 * Of tensors, the first records of each topic are looked at.  NULL: nothing. */
const char *exray_log_unknown(const exray_log *log);

/* Records that no checksum covers: all of a streamed log, those of a chunk cut short.  A flipped bit
 * in their data goes unnoticed. */
uint64_t exray_log_unchecked(const exray_log *log);

/* A value of the metadata record "exray", such as "role"; where it has none, of
 * "exray.observation" ("observer" of a tap's log); NULL where absent. */
const char *exray_log_metadata(const exray_log *log, const char *key);
/* The i-th metadata record's name and pairs; returns the number of pairs, name
 * is NULL beyond the last. */
size_t exray_log_metadata_at(const exray_log *log, size_t i, const char **name,
                             const exray_key_value **pairs);

/* /model, or NULL where the log has none. */
const exray_model *exray_log_model(const exray_log *log);

/* The node's name, else the name of its first output, else "".  For exray_model
 * in general. */
const char *exray_node_name(const exray_model *model, uint32_t node);

typedef struct exray_frame {
    uint64_t index;
    const char *source; /* "" where none */
    bool has_label;
    int64_t label;
    uint64_t begin_ns, end_ns, inference_ns;
    bool complete;                     /* its /frame message is in the log */
    size_t first_record, record_count; /* in the log's table of records */
} exray_frame;

size_t exray_log_frame_count(const exray_log *log);
/* i < count; frames in order of their index. */
const exray_frame *exray_log_frame(const exray_log *log, size_t i);

typedef enum exray_message {
    EXRAY_MESSAGE_TENSOR,
    EXRAY_MESSAGE_FRAME,
    EXRAY_MESSAGE_LATENCY,
    EXRAY_MESSAGE_SYSTEM,
    EXRAY_MESSAGE_READING,
    EXRAY_MESSAGE_RESULT,
    EXRAY_MESSAGE_OTHER, /* a topic of somebody else */
} exray_message;

/* One message of a frame (or a constant).  `position` is the log's own. */
typedef struct exray_record {
    exray_message message;
    exray_kind kind;     /* of a tensor */
    uint32_t index;      /* LAYER: node; CONSTANT: tensor; else EXRAY_NO_INDEX */
    uint32_t output;     /* LAYER: which output */
    uint32_t occurrence; /* nth execution of the node within the frame */
    bool has_data;       /* data, not only stats */
    uint64_t log_time;
    uint64_t frame; /* Frame.index */
    const char *topic;
    const char *name; /* what follows "/input/", "/sensor/" ...; "" elsewhere */
    uint64_t position, size;
    uint32_t chunk;
    bool has_sketch; /* and no data, as a rule */
} exray_record;

/* Records of frame i (exray_frame.record_count of them), in order of kind,
 * index, output, occurrence. */
const exray_record *exray_log_records(const exray_log *log, size_t frame);
/* Records that belong to no frame: constants. */
const exray_record *exray_log_constants(const exray_log *log, size_t *count);
/* The record of that kind, index (or name, where not NULL), output and
 * occurrence 0 in a frame, or NULL. */
const exray_record *exray_log_find(const exray_log *log, size_t frame, exray_kind kind, uint32_t index,
                                   uint32_t output, const char *name);

/* Where read data lives.  One slot holds one record at a time. */
typedef struct exray_slot exray_slot;
exray_slot *exray_slot_new(void); /* NULL: out of memory */
void exray_slot_free(exray_slot *slot);

/* A tensor record; pointers are valid until the slot's next use. */
typedef struct exray_tensor_view {
    exray_tensor_info info; /* of the record, else of the model */
    uint64_t count;         /* elements, as the shape (where it has -1: the data) says; 0: unknown */
    const void *data;       /* NULL: none kept; not aligned to more than 1 byte */
    size_t size;
    bool has_stats;
    exray_stats stats;
    bool has_media;
    exray_media media;
    uint32_t model_tensor; /* or EXRAY_NO_INDEX */
    bool has_sketch;
    exray_sketch sketch; /* as it stands in the log: version and count may be anything */
} exray_tensor_view;

/* Reads a tensor record; its chunk's CRC is checked where it has one. */
exray_status exray_log_read_tensor(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, exray_error *error);

/* Dequantized values: reads the tensor and converts every element to float32.
 * *values points into the slot (or, for float32 data, to the data itself).
 * EXRAY_E_UNSUPPORTED for strings, EXRAY_E_STATE where no data was kept. */
exray_status exray_log_read_values(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, const float **values, exray_error *error);

/* Dequantizes `count` elements of a tensor into `out`; the conversion that
 * exray_log_read_values uses. EXRAY_E_FORMAT if `size` is too small. */
exray_status exray_tensor_dequantize(const exray_tensor_info *info, const void *data, size_t size,
                                     uint64_t count, float *out);

/* The same for elements first, first + 1, ... first + count - 1: what walks over
 * a tensor block by block, in the first-level cache, needs no second copy of it.
 * EXRAY_E_UNSUPPORTED for strings. */
exray_status exray_tensor_dequantize_range(const exray_tensor_info *info, const void *data, size_t size,
                                           uint64_t first, uint64_t count, float *out);

typedef struct exray_latency {
    const uint32_t *node;
    const uint64_t *start_ns, *duration_ns;
    size_t count;
} exray_latency;

typedef struct exray_system {
    bool has_rss, has_peak_rss, has_arena, has_celsius, has_mhz, has_dropped;
    uint64_t rss_bytes, peak_rss_bytes, arena_bytes, dropped_records;
    double cpu_celsius, cpu_mhz;
} exray_system;

typedef struct exray_reading {
    const double *value;
    size_t count;
    const char *unit;
} exray_reading;

/* The other messages; results are valid until the slot's next use. */
exray_status exray_log_read_latency(const exray_log *, const exray_record *, exray_slot *, exray_latency *,
                                    exray_error *);
exray_status exray_log_read_system(const exray_log *, const exray_record *, exray_slot *, exray_system *,
                                   exray_error *);
exray_status exray_log_read_reading(const exray_log *, const exray_record *, exray_slot *, exray_reading *,
                                    exray_error *);
exray_status exray_log_read_result(const exray_log *, const exray_record *, exray_slot *, exray_result *,
                                   exray_error *);

/* Frame.values and Frame.spans_ns of frame i. */
typedef struct exray_named_value {
    const char *name;
    double value;
} exray_named_value;
typedef struct exray_named_span {
    const char *name;
    uint64_t nanoseconds;
} exray_named_span;
const exray_named_value *exray_log_frame_values(const exray_log *log, size_t frame, size_t *count);
const exray_named_span *exray_log_frame_spans(const exray_log *log, size_t frame, size_t *count);

/* Attachments. */
size_t exray_log_attachment_count(const exray_log *log);
typedef struct exray_attachment {
    const char *name, *media_type;
    uint64_t size, position;
} exray_attachment;
const exray_attachment *exray_log_attachment(const exray_log *log, size_t i);
exray_status exray_log_read_attachment(const exray_log *, size_t i, exray_slot *, const void **data,
                                       size_t *size, exray_error *);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
