/* Reading a log.  The index (frames and records, without their data) is in memory; data is read when asked
 * for, so that a log of any length can be read.
 *
 * Every length in the file is checked before use; a log that is cut short is read up to its last whole
 * record (exray_log_truncated).  Memory grows with the number of frames and records, not with their data: a
 * record takes 32 bytes of the index, statistics of layers that came in one message about 2 bytes a layer, a
 * frame 88 and its strings (100,000 frames of 3 records each: 20 MB; whatever a file says, at most 64 MiB
 * plus 32 times the file's size).  A log whose frames are not in order is sorted while it is opened: twice
 * that. The 80 bytes of each exray_record are there from the first exray_log_records of its frame to the
 * log's end; exray_log_records_in makes them in a slot instead.  A slot takes as much as its record's
 * message, the decompressed chunk that it is in (at most about 1 GiB), the dequantized values, and a frame's
 * records. Strings are UTF-8, whatever the file has.
 *
 * The file is mapped, so that large tensors need no copy, and its pages are released as reading goes on:
 * about 50 MB stay resident.  A log may be read while its writer still appends to it (what comes after open
 * is not seen).  If the file gets shorter, the next read fails; if that happens during a read, the process
 * gets SIGBUS (the program `exray` then says so and ends with status 2).
 *
 * Ownership: what a function returns by pointer belongs to the log and is valid until exray_log_close,
 * unless its comment says otherwise.
 *
 * Threads: after open, a log is read-only; any number of threads may read it, each with a slot of its own. */
#ifndef EXRAY_LOG_H
#define EXRAY_LOG_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* An open log.  Since 0.1.0. */
typedef struct exray_log exray_log;

/* ---- Open and close ------------------------------------------------------ */

/* Opens and indexes a log; close it with exray_log_close.  NULL on failure, with `error` filled: EXRAY_E_IO
 * (it cannot be read), EXRAY_E_FORMAT (not MCAP, or not of the profile exray), EXRAY_E_MEMORY (also where
 * the index would take more than is said above).  Since 0.1.0. */
exray_log *exray_log_open(const char *path, exray_error *error);

/* Closes it.  NULL is allowed.  Since 0.1.0. */
void exray_log_close(exray_log *log);

/* The path it was opened with.  Since 0.1.0. */
const char *exray_log_path(const exray_log *log);

/* ---- Its state ----------------------------------------------------------- */

/* Why the log has no regular end ("ends within a record at byte 1234"); NULL: it has one.  Since 0.1.0. */
const char *exray_log_truncated(const exray_log *log);

/* Chunks and messages that were skipped because they are damaged (CRC, invalid protobuf), and damaged ends
 * of the file.  Checksums of chunks are checked when they are first read: the number may grow.
 * Since 0.1.0. */
uint64_t exray_log_damaged(const exray_log *log);

/* What the log has that this version does not know and skips, in one line ("1 topic (/event:
 * exray.v1.Event), 2 fields (Frame 9, TensorStats 11)"): from another program, or from a later version.  Of
 * tensors, the first records of each topic are examined.  NULL: nothing.  Since 0.2.0. */
const char *exray_log_unknown(const exray_log *log);

/* Bytes of the file in which no record was found, or none that may be believed: its checksum is wrong, or the
 * log ended before one was written.  Since 0.2.0. */
uint64_t exray_log_lost(const exray_log *log);

/* Records that no checksum covers: all of a stream without Check records (from before 0.2.0, or of a recorder
 * without that part), those of a chunk that is cut short.  A flipped bit in their data goes unnoticed.
 * Since 0.2.0. */
uint64_t exray_log_unchecked(const exray_log *log);

/* ---- Metadata and model -------------------------------------------------- */

/* A value of the metadata record "exray", such as "role"; if it has no such key, of "exray.observation"
 * ("observer", in the log of a tap); NULL: absent.  Since 0.1.0. */
const char *exray_log_metadata(const exray_log *log, const char *key);

/* The metadata record at position i, in file order: its name, its pairs, and their number, which is
 * returned.  Beyond the last one *name is NULL and 0 is returned.  `name` and `pairs` may be NULL.
 * Since 0.1.0. */
size_t exray_log_metadata_at(const exray_log *log, size_t i, const char **name,
                             const exray_key_value **pairs);

/* The message /model; NULL: the log has none.  Since 0.1.0. */
const exray_model *exray_log_model(const exray_log *log);

/* The node's name, else the name of its first output, else "".  For any exray_model, which the string
 * belongs to.  `model` may be NULL.  Since 0.1.0. */
const char *exray_node_name(const exray_model *model, uint32_t node);

/* The value of a node's attribute, or NULL: it has none of that key.  `node` may be NULL.  Since 0.2.0. */
const char *exray_node_attribute(const exray_node *node, const char *key);

/* What an operator is called, whatever the engine: in lower case, letters and digits only, without the
 * prefixes of quantized, fused and blocked forms ("CONV_2D" is "conv2d", "QLinearConv" is "conv").  Writes at
 * most `size` bytes with the final NUL; `size` is at least 1; `op` may be NULL.  Since 0.2.0. */
void exray_node_plain_op(const char *op, char *out, size_t size);

/* ---- Frames -------------------------------------------------------------- */

/* One frame.  Times are nanoseconds of the recorder's monotonic clock.  Since 0.1.0. */
typedef struct exray_frame {
    uint64_t index;     /* Frame.index: increasing, not necessarily without gaps */
    const char *source; /* the file or camera that it is of; "": unknown */
    bool has_label;
    int64_t label; /* the true class */
    uint64_t begin_ns, end_ns;
    uint64_t inference_ns; /* how long the engine's call took; 0: not recorded */
    bool complete;         /* its /frame message is in the log */
    size_t first_record;   /* for the functions that read its records */
    size_t record_count;
} exray_frame;

/* The number of frames.  Since 0.1.0. */
size_t exray_log_frame_count(const exray_log *log);

/* The frame at position i, which must be less than the number of frames; in order of their index.
 * Since 0.1.0. */
const exray_frame *exray_log_frame(const exray_log *log, size_t i);

/* A named number of a frame (exray_recorder_log_scalar).  Since 0.1.0. */
typedef struct exray_named_value {
    const char *name;
    double value;
} exray_named_value;

/* A named time of a frame (exray_recorder_log_span).  Since 0.1.0. */
typedef struct exray_named_span {
    const char *name;
    uint64_t nanoseconds;
} exray_named_span;

/* The named numbers and times of the frame at position `frame`, and how many there are.  Since 0.1.0. */
const exray_named_value *exray_log_frame_values(const exray_log *log, size_t frame, size_t *count);
const exray_named_span *exray_log_frame_spans(const exray_log *log, size_t frame, size_t *count);

/* ---- Events -------------------------------------------------------------- */

/* Something that happened to the recording or to the application (/event).  Since 0.2.0. */
typedef struct exray_event {
    exray_event_kind kind;
    const char *kind_name; /* as the log has it: what an event of kind OTHER is */
    const char *text;      /* one line */
    uint64_t log_time;     /* nanoseconds of the recorder's monotonic clock */
    bool has_frame;
    uint64_t frame; /* Frame.index; the frame need not be in the log */
    bool has_records_lost;
    uint64_t records_lost; /* how many records are missing for this */
} exray_event;

/* How many events the log has; the one at position i, in the order of the log, or NULL beyond the last.
 * Since 0.2.0. */
size_t exray_log_event_count(const exray_log *log);
const exray_event *exray_log_event(const exray_log *log, size_t i);

/* ---- Records ------------------------------------------------------------- */

/* A buffer that read data lives in; it holds one record at a time, and grows as needed.  A slot may be used
 * with any number of logs, one after another, by one thread at a time.  Since 0.1.0. */
typedef struct exray_slot exray_slot;

/* What a record holds.  Since 0.1.0. */
typedef enum exray_message {
    EXRAY_MESSAGE_TENSOR = 0,
    EXRAY_MESSAGE_FRAME = 1,
    EXRAY_MESSAGE_LATENCY = 2,
    EXRAY_MESSAGE_SYSTEM = 3,
    EXRAY_MESSAGE_READING = 4,
    EXRAY_MESSAGE_RESULT = 5,
    EXRAY_MESSAGE_OTHER = 6, /* a topic that this version does not know */
    EXRAY_MESSAGE_TRUTH = 7, /* the frame's ground truth, read as a result.  Since 0.2.0 */
} exray_message;

/* One message of a frame, or a constant.  Since 0.1.0. */
typedef struct exray_record {
    exray_message message;
    exray_kind kind;         /* of a tensor */
    uint32_t index;          /* LAYER: the node; CONSTANT: the tensor; others: EXRAY_NO_INDEX */
    uint32_t output;         /* LAYER: which of the node's outputs */
    uint32_t occurrence;     /* nth execution of the node within the frame, from 0 */
    bool has_data;           /* data, not only statistics */
    uint64_t log_time;       /* nanoseconds of the recorder's monotonic clock */
    uint64_t frame;          /* Frame.index */
    const char *topic;       /* "/layer/7", ... */
    const char *name;        /* what follows "/input/", "/sensor/", ... in the topic; "" for other topics */
    uint64_t position, size; /* where the message lies: for the functions that read it */
    uint32_t chunk;          /* likewise */
    bool has_sketch;         /* a sketch, usually instead of data */
} exray_record;

/* The records of the frame at position `frame`: exray_frame.record_count of them, in order of kind, index,
 * output and occurrence.  Since 0.1.0. */
const exray_record *exray_log_records(const exray_log *log, size_t frame);

/* The same records and their number, made in the slot, for going over a long log: what exray_log_records
 * gives stays in memory until the log is closed.  They are valid until the slot is given to this function
 * again; reading records with the slot leaves them.  NULL, and *count 0: out of memory.  Since 0.2.0. */
const exray_record *exray_log_records_in(const exray_log *log, size_t frame, exray_slot *slot, size_t *count);

/* The constants, which belong to no frame, and how many there are.  Since 0.1.0. */
const exray_record *exray_log_constants(const exray_log *log, size_t *count);

/* The tensor record of that kind and output, and occurrence 0, in the frame at position `frame` (of
 * constants: in the log); with that name where `name` is not NULL, else with that index.  NULL: there is
 * none.  Since 0.1.0. */
const exray_record *exray_log_find(const exray_log *log, size_t frame, exray_kind kind, uint32_t index,
                                   uint32_t output, const char *name);

/* ---- Reading records ----------------------------------------------------- */

/* A new slot; NULL: out of memory.  Free it after its last use; NULL is allowed there.  Since 0.1.0. */
exray_slot *exray_slot_new(void);
void exray_slot_free(exray_slot *slot);

/* A tensor record that was read.  Pointers are valid until the slot's next use.  Since 0.1.0. */
typedef struct exray_tensor_view {
    exray_tensor_info info; /* the record's, else the model's */
    uint64_t count;         /* elements, by the shape (where it has -1: by the data); 0: unknown */
    const void *data;       /* little-endian, in C order, not aligned; NULL: not kept */
    size_t size;            /* bytes of data */
    bool has_stats;
    exray_stats stats;
    bool has_media;
    exray_media media;
    uint32_t model_tensor; /* position in exray_model.tensors, or EXRAY_NO_INDEX */
    bool has_sketch;
    exray_sketch sketch;          /* as it is in the log: version and count may be anything */
    exray_channel_stats channels; /* beside `stats`; none: channel_count 0.  Since 0.2.0 */
} exray_tensor_view;

/* Reads a tensor record of this log.  The CRC of its chunk is checked where it has one.  EXRAY_E_FORMAT: it
 * is damaged.  EXRAY_E_ARGUMENT: the record is of another message.  EXRAY_E_IO, EXRAY_E_MEMORY.
 * Since 0.1.0.
 * */
exray_status exray_log_read_tensor(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, exray_error *error);

/* Reads a tensor record and converts its elements to real numbers: dequantized, float32, in C order;
 * out->count of them at *values, which points into the slot or, for aligned float32 data, to the data
 * itself.  Errors as above, and EXRAY_E_UNSUPPORTED for strings, EXRAY_E_STATE where no data was kept.
 * Since 0.1.0.
 * */
exray_status exray_log_read_values(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, const float **values, exray_error *error);

/* Dequantizes the first `count` elements of a tensor's data into `out`: the conversion of
 * exray_log_read_values.  EXRAY_E_FORMAT: `size` is too small, or the quantization does not fit the shape;
 * EXRAY_E_UNSUPPORTED: strings.  Any thread.  Since 0.2.0. */
exray_status exray_tensor_dequantize(const exray_tensor_info *info, const void *data, size_t size,
                                     uint64_t count, float *out);

/* The same for elements first ... first + count - 1: for going over a tensor in blocks that fit the
 * first-level cache, without a second copy of all of it.  Since 0.2.0. */
exray_status exray_tensor_dequantize_range(const exray_tensor_info *info, const void *data, size_t size,
                                           uint64_t first, uint64_t count, float *out);

/* /latency: when nodes ran, in the order in which they were logged.  Times are in nanoseconds; the start is
 * relative to the frame's begin.  Since 0.1.0. */
typedef struct exray_latency {
    const uint32_t *node; /* [count] positions in exray_model.nodes */
    const uint64_t *start_ns, *duration_ns;
    size_t count;
} exray_latency;

/* /system: the process's memory in bytes, the processor's temperature in degrees Celsius and its clock in
 * MHz, the records dropped since the recording began, and the processors that the process may use (since
 * 0.2.0), each where its has_... is set.  Since 0.1.0. */
typedef struct exray_system {
    bool has_rss, has_peak_rss, has_arena, has_celsius, has_mhz, has_dropped;
    uint64_t rss_bytes, peak_rss_bytes, arena_bytes, dropped_records;
    double cpu_celsius, cpu_mhz;
    bool has_processors;
    uint32_t processors;
} exray_system;

/* /reading/NAME: values of a peripheral sensor, in `unit`.  Since 0.1.0. */
typedef struct exray_reading {
    const double *value; /* [count] */
    size_t count;
    const char *unit; /* "": none was given */
} exray_reading;

/* Read the other messages; read_result: /result and /truth.  What `out` points to is valid until the slot's
 * next use.  EXRAY_E_ARGUMENT: the record is of another message.  EXRAY_E_FORMAT: it is damaged.  EXRAY_E_IO,
 * EXRAY_E_MEMORY.  Since 0.1.0. */
exray_status exray_log_read_latency(const exray_log *log, const exray_record *record, exray_slot *slot,
                                    exray_latency *out, exray_error *error);
exray_status exray_log_read_system(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_system *out, exray_error *error);
exray_status exray_log_read_reading(const exray_log *log, const exray_record *record, exray_slot *slot,
                                    exray_reading *out, exray_error *error);
exray_status exray_log_read_result(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_result *out, exray_error *error);

/* Reads what the user was told (EXRAY_MESSAGE_RESULT) or the truth (EXRAY_MESSAGE_TRUTH) of the frame at
 * position `frame`: several messages of a frame are one, their lists one after another, the last text and
 * mask.  The slot has the frame's records then (exray_log_records_in).  EXRAY_E_STATE: the frame has none (no
 * message in *error); others as above.  Since 0.2.0. */
exray_status exray_log_read_told(const exray_log *log, size_t frame, exray_message which, exray_slot *slot,
                                 exray_result *out, exray_error *error);

/* ---- Attachments --------------------------------------------------------- */

/* A file within the log.  Since 0.1.0. */
typedef struct exray_attachment {
    const char *name, *media_type;
    uint64_t size, position; /* bytes; where in the log */
} exray_attachment;

/* How many there are; the one at position i, in file order, or NULL beyond the last.  Since 0.1.0. */
size_t exray_log_attachment_count(const exray_log *log);
const exray_attachment *exray_log_attachment(const exray_log *log, size_t i);

/* The bytes of an attachment, at *data, *size of them; valid until the log is closed.  Its CRC is checked
 * where it has one.  EXRAY_E_FORMAT: it is damaged.  EXRAY_E_ARGUMENT: there is no attachment i.
 * EXRAY_E_IO.  Since 0.1.0. */
exray_status exray_log_read_attachment(const exray_log *log, size_t i, exray_slot *slot, const void **data,
                                       size_t *size, exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
