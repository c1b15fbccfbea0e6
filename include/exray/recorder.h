/* The recorder: writes what a model was given and what it did into a log (an MCAP file; spec/log-format.md).
 *
 *     exray_recorder recorder;
 *     exray_recorder_open_file(&recorder, "edge.mcap", NULL);
 *     for (...) {
 *         exray_recorder_frame_begin(&recorder, "picture.jpg");
 *         exray_recorder_log_encoded(&recorder, "camera", "jpeg", bytes, size);
 *         ... the engine's tap logs input, layers and output ...
 *     }
 *     exray_recorder_close(&recorder);
 *
 * A recorder never stops by itself.  A call with a wrong argument returns its status and costs that one
 * record; the next call records again.  A record for which there is no room (in the ring, in the byte budget,
 * on a full disk, in a sink that is busy) is dropped: that is no error.  Both are counted
 * (exray_recorder_dropped, and System.dropped_records in the log) and told in the log (/event).  Only a sink
 * that is gone ends a log; from then on every call returns EXRAY_E_IO or EXRAY_E_NO_SPACE, and does nothing.
 * exray_recorder_close returns the latest error; an application may ignore every return value except that
 * one.  A call on a recorder that is not open returns EXRAY_E_STATE.
 *
 * A recorder does not end the application either: writing to a file, or to a callback that writes to a pipe
 * or socket, raises no SIGPIPE and no SIGXFSZ.
 *
 * Threads: one recorder belongs to one thread at a time (the application serializes calls, or uses one
 * thread).  Different recorders are independent.  With `ring_size` a writer thread of the recorder does the
 * I/O; the rule stays the same.  Processes: a recorder belongs to the process that opened it.  In a forked
 * child its calls, exray_recorder_close among them, return EXRAY_E_STATE and write nothing.
 *
 * Memory: the state is the caller's.  Tables and buffers are one block, the caller's (`memory`) or allocated
 * with malloc at open and freed at close.  Between open and close the recorder allocates nothing (a codec
 * may: zstd and lz4 do).  What a call is given is borrowed until it returns, unless its comment says
 * otherwise. */
#ifndef EXRAY_RECORDER_H
#define EXRAY_RECORDER_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* A recorder's state.  Its contents are private and need not be set before open.  It must not be moved or
 * copied while it is open.  Since 0.1.0. */
typedef struct exray_recorder {
    uint64_t opaque[320];
} exray_recorder;

/* Which side of a comparison a log is.  Since 0.1.0. */
typedef enum exray_role { EXRAY_ROLE_EDGE = 0, EXRAY_ROLE_REFERENCE = 1 } exray_role;

/* How chunks are compressed.  Since 0.1.0. */
typedef enum exray_compression {
    EXRAY_COMPRESSION_NONE = 0,
    EXRAY_COMPRESSION_LZ4 = 1,  /* needs `codec` */
    EXRAY_COMPRESSION_ZSTD = 2, /* needs `codec` */
} exray_compression;

/* What happens to a call when the ring is full.  The model, constants, attachments and metadata wait for
 * room in either case.  Since 0.1.0. */
typedef enum exray_policy {
    EXRAY_POLICY_DROP = 0,  /* the record is dropped and counted */
    EXRAY_POLICY_BLOCK = 1, /* the call waits until there is room */
} exray_policy;

/* Checksums and compression for the chunked mode.  The recorder has a portable CRC-32 of its own;
 * exray_codec_default (exray/codecs.h) gives fast ones.  The table is borrowed until close; its functions
 * are called on the thread that writes.  Since 0.1.0. */
typedef struct exray_codec {
    /* CRC-32 (IEEE 802.3, as in zlib) of `data`, continued from `crc` (0 at first).  NULL: own one. */
    uint32_t (*crc32)(uint32_t crc, const void *data, size_t size);
    /* The most bytes that `size` bytes can become.  NULL: no compression. */
    size_t (*compress_bound)(exray_compression how, size_t size);
    /* Compresses one whole frame; returns its size, or 0 if it failed.  NULL: no compression. */
    size_t (*compress)(exray_compression how, void *out, size_t out_size, const void *in, size_t in_size);
} exray_codec;

/* What a recorder can do beyond writing a stream of records: each part is a table of functions, which a
 * program links only where it names it.  Since 0.2.0. */
typedef struct exray_stats_part exray_stats_part;
typedef struct exray_sketch_part exray_sketch_part;
typedef struct exray_async_part exray_async_part;
typedef struct exray_chunks_part exray_chunks_part;
typedef struct exray_layers_part exray_layers_part;
typedef struct exray_machine_part exray_machine_part;
typedef struct exray_layer_stats_part exray_layer_stats_part;
typedef struct exray_flight_part exray_flight_part;
typedef struct exray_checksums_part exray_checksums_part;
typedef struct exray_budget_part exray_budget_part;
typedef struct exray_events_part exray_events_part;
typedef struct exray_retry_part exray_retry_part;
typedef struct exray_flush_part exray_flush_part;

/* What waits in memory for a trigger: exray/flight.h.  Since 0.2.0. */
typedef struct exray_flight_config exray_flight_config;

/* The parts of a recorder.  A part that is NULL is left out; an option that needs it is then an error at
 * open, which says so.  Begin with EXRAY_RECORDER_PARTS_INIT.  Since 0.2.0. */
typedef struct exray_recorder_parts {
    uint32_t size; /* sizeof(exray_recorder_parts) */

    const exray_stats_part *stats;     /* TensorStats: capture STATS and SKETCH, no_io_data; without it, data
                                          beyond a limit leaves no statistics */
    const exray_sketch_part *sketch;   /* TensorSketch: capture SKETCH */
    const exray_async_part *async;     /* ring_size, policy */
    const exray_chunks_part *chunks;   /* chunks, checksums, compression, index: `stream` false */
    const exray_layers_part *layers;   /* layers; and the names of layers in the metadata of their channels */
    const exray_machine_part *machine; /* log_id, device, os, arch, cpu, created in the metadata (without it:
                                          what `device` and `metadata` say); memory, temperature and clock in
                                          /system */
    const exray_flight_part *flight;   /* flight: frames that wait for a trigger */
    const exray_layer_stats_part *layer_stats; /* the statistics of a frame's layers in one message (those of
                                          layers that /model describes), instead of one and a channel for
                                          each */
    const exray_checksums_part *checksums; /* a CRC-32 of all that is in no chunk, as config.codec computes it
                                              where it can; without it, damage to a stream goes unnoticed */
    const exray_budget_part *budget;       /* byte_budget */
    const exray_events_part *events; /* /event: exray_recorder_event, refused calls, gaps, changed levels;
                                        without it, what is lost is only counted */
    const exray_retry_part *retry;   /* a sink may take some of the bytes, or none for now; without it,
                                        one that does not take all ends the log */
    const exray_flush_part *flush;   /* flush_frames, flush_ms, sync_frames, sync_ms;
                                        exray_recorder_flush, exray_recorder_sync; without it, a frame's
                                        end hands over all of a stream, and chunks close when full */
} exray_recorder_parts;

/* exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;  No part at all.  Since 0.2.0. */
#define EXRAY_RECORDER_PARTS_INIT                                                                            \
    {                                                                                                        \
        sizeof(exray_recorder_parts), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,      \
            NULL, NULL                                                                                       \
    }

/* What a recorder keeps and how it writes it.  Begin with EXRAY_RECORDER_CONFIG_INIT; every other field that
 * is zero means its default.  Strings and arrays are read at open, and only then.  Since 0.2.0. */
typedef struct exray_recorder_config {
    uint32_t size; /* sizeof(exray_recorder_config) */

    /* What is kept. */
    exray_capture capture; /* 0: STATS */
    const char *layers;    /* NULL: all.  Comma-separated; "Conv*" matches layer names with * and ?, "#12" and
                              "#3-9" node indices.  Other layers leave no record at all. */
    uint64_t every_nth;    /* 0, 1: every frame; N: frames 0, N, 2N, ...; the others keep FRAME level */
    uint64_t first_frames; /* 0: no limit; N: frames from N on keep FRAME level */
    uint64_t byte_budget;  /* 0: no limit; the most bytes that the log becomes (docs/durability.md): data of
                              tensors  take up to a quarter of it and then become statistics, these up to a
                              second quarter;  frames, latencies and the like go on to the end of a run of any
                              length, in the last  eighth every 2nd, 4th, ... frame.  What is left out is
                              counted and told.  About  8 KiB are reserved */
    bool no_io_data;       /* leave out the data of sensor and input records (statistics instead) */
    bool no_output_data;   /* likewise of output records */

    /* How it is written. */
    bool stream;         /* no chunks, no index, no CRC: the smallest code and memory */
    uint32_t chunk_size; /* bytes; 0: 1 MiB; at least 32 KiB.  A record of at least a sixteenth of it (a
                            quarter where compressed) is a chunk of its own; compressed up to chunk_size,
                            above that stored as it is, directly from the caller's memory */
    exray_compression compression;
    const exray_codec *codec; /* NULL: the recorder's own CRC-32, no compression */

    /* Asynchronous mode. */
    size_t ring_size; /* bytes; 0: synchronous.  Rounded down to a power of two.  Records over half of it:
                         BLOCK waits until the ring is empty and writes them directly, DROP drops them */
    exray_policy policy;

    /* Memory. */
    void *memory;          /* NULL: malloc at open */
    size_t memory_size;    /* bytes: exray_recorder_memory_needed() */
    uint32_t max_channels; /* 0: 4096; 8 to 65535, six of which are for /frame, /system, ... */
    uint32_t max_chunks;   /* 0: 16384; beyond it, the log is whole but has no chunk index */

    /* What the log says of itself; NULL: found out, or left out. */
    exray_role role;
    const char *task;      /* "classification", ... */
    const char *session;   /* the same for all recorders of one run of the application */
    const char *replay_of; /* the log_id of the log that is replayed */
    const char *device;
    const char *app;
    const exray_key_value *metadata; /* [metadata_count] more keys */
    uint32_t metadata_count;

    /* For small devices. */
    uint32_t buffer_size; /* bytes gathered before they are written; 0: 16 KiB; at least 256.  They are
                             written at the end of each frame in any case */
    const exray_recorder_parts *parts; /* NULL: all (exray_recorder_open_device: none) */

    /* How soon what is recorded is safe (docs/durability.md).  In any case everything is handed to the sink
     * at a frame's end but the open chunk, of which a file gets what it has so far. */
    uint32_t flush_frames; /* 0: by age alone; N: the open chunk is closed at the end of every Nth frame */
    uint32_t flush_ms; /* 0: 1000; how old it may become: looked at whenever a record is written, and in the
                          asynchronous mode while none is, too */
    uint32_t sync_frames;    /* 0: never; N: exray_recorder_sync at the end of every Nth frame, on the thread
                                that    writes */
    uint32_t sync_ms;        /* 0: never; looked at as flush_ms is */
    int (*sync)(void *user); /* what a callback's sync does, with the callback's `user`: 0, or an errno value.
                                NULL: nothing */

    /* Several files, one after another (exray_recorder_open_file; docs/durability.md).  Each is a log of its
     * own with the metadata, the model, constants and attachments.  Where the file's name has no %n, a number
     * comes before its extension.  With byte_budget, all of them have no more bytes than that. */
    uint32_t max_files;  /* 0: as many as file_bytes go into byte_budget, 8 where only that is given, no limit
                            without it; N: at most so many, those of earlier runs that have such names
                            included:  the oldest is removed */
    uint64_t file_bytes; /* 0: what byte_budget leaves each; another one begins when this one has so many */
    uint32_t file_seconds; /* 0: any time; another one begins at the end of a frame when this one is so old */
    bool keep_oldest;      /* none is removed: the last one goes on as a single file with its budget */

    /* What waits in memory, above `capture`, until a trigger writes it.  NULL: nothing. */
    const exray_flight_config *flight;
} exray_recorder_config;

/* exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_RECORDER_CONFIG_INIT                                                                           \
    {                                                                                                        \
        sizeof(exray_recorder_config), EXRAY_CAPTURE_DEFAULT, NULL, 0, 0, 0, false, false, false, 0,         \
            EXRAY_COMPRESSION_NONE, NULL, 0, EXRAY_POLICY_DROP, NULL, 0, 0, 0, EXRAY_ROLE_EDGE, NULL, NULL,  \
            NULL, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0, 0, NULL, 0, 0, 0, false, NULL                       \
    }

/* A config that is all defaults except for the capture level: a constant, never NULL; any thread.
 * Since 0.2.0. */
const exray_recorder_config *exray_recorder_config_of(exray_capture capture);

/* Writes the next bytes of a log.  Returns 0: it took all of them; EXRAY_WRITE_TOOK(n): only the first n, and
 * no more for now (it is offered the rest later); or an errno value: it took none.  Of EAGAIN, EINTR,
 * ENOBUFS, ENOMEM, ENOSPC, EDQUOT and EFBIG the recorder keeps what is under way, drops and counts what finds
 * no room, and asks again with the next record; EPIPE, ECONNRESET, ENOTCONN, EBADF, ENXIO and ENODEV end the
 * log; any other number does when it comes three times in a row.  Then it is not called again.  Without the
 * part `retry`, whatever is not 0 ends the log.  Since 0.2.0. */
typedef int (*exray_recorder_write_fn)(void *user, const void *data, size_t size);

/* What such a function returns that took the first n bytes alone, with 0 <= n < size.  Since 0.2.0. */
#define EXRAY_WRITE_TOOK(n) ((int)(n)-2147483647 - 1)

/* ---- Open and close ------------------------------------------------------ */

/* Bytes of memory that a recorder with this config needs (config.memory); NULL: of the default config. 0:
 * the config is invalid; open says why.  Since 0.2.0. */
size_t exray_recorder_memory_needed(const exray_recorder_config *config);

/* What the open functions below call, with what the header says: the size of its exray_recorder, and
 * EXRAY_VERSION.  A program that was compiled with the header of another minor version than the library's
 * (from 1.0 on: of another major version) gets EXRAY_E_UNSUPPORTED, one line that says so, and a recorder
 * that does nothing.  Callers without a C compiler pass both themselves.  Since 0.2.0. */
exray_status exray_recorder_open_file_sized(exray_recorder *recorder, size_t recorder_size,
                                            const char *header_version, const char *path,
                                            const exray_recorder_config *config);
exray_status exray_recorder_open_callback_sized(exray_recorder *recorder, size_t recorder_size,
                                                const char *header_version, exray_recorder_write_fn write,
                                                void *user, const exray_recorder_config *config);
exray_status exray_recorder_open_memory_sized(exray_recorder *recorder, size_t recorder_size,
                                              const char *header_version, void *buffer, size_t size,
                                              const exray_recorder_config *config);

/* Creates the file `path`; a closed log, or any other file, of that name is replaced.  In its name %t becomes
 * the time (UTC, as 20260131T235959Z) and %n a number, one more than the largest there (four digits at
 * least).  A log that was not closed stays: then the new one goes to the same name with -2, -3, ... before
 * its extension, which exray_recorder_path tells.  config may be NULL.  On failure the recorder holds the
 * error; every later call returns it, so no check is needed before exray_recorder_close.  EXRAY_E_IO,
 * EXRAY_E_NO_SPACE: the file cannot be created or written; EXRAY_E_ARGUMENT: the config is invalid;
 * EXRAY_E_MEMORY.  Since 0.2.0. */
static inline exray_status exray_recorder_open_file(exray_recorder *recorder, const char *path,
                                                    const exray_recorder_config *config)
{
    return exray_recorder_open_file_sized(recorder, sizeof(exray_recorder), EXRAY_VERSION, path, config);
}

/* Hands the log's bytes, in order, to `write`; in the asynchronous mode on the writer thread.  Errors as
 * exray_recorder_open_file.  Since 0.2.0. */
static inline exray_status exray_recorder_open_callback(exray_recorder *recorder,
                                                        exray_recorder_write_fn write, void *user,
                                                        const exray_recorder_config *config)
{
    return exray_recorder_open_callback_sized(recorder, sizeof(exray_recorder), EXRAY_VERSION, write, user,
                                              config);
}

/* Writes into `buffer`, which is borrowed until close.  When it is full: EXRAY_E_NO_SPACE, and the buffer
 * holds a readable beginning of the log. exray_recorder_bytes_written says how much is in it; chunks
 * (chunk_size 0) are at most a sixteenth of the buffer.  Errors as exray_recorder_open_file.  Since 0.2.0. */
static inline exray_status exray_recorder_open_memory(exray_recorder *recorder, void *buffer, size_t size,
                                                      const exray_recorder_config *config)
{
    return exray_recorder_open_memory_sized(recorder, sizeof(exray_recorder), EXRAY_VERSION, buffer, size,
                                            config);
}

/* ---- For small devices ----------------------------------------------------
 *
 *     exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
 *     parts.stats = exray_stats_part_small();
 *     parts.checksums = exray_checksums_part_small();
 *     exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
 *     config.stream = true;
 *     config.parts = &parts;
 *     config.memory = block;
 *     config.memory_size = sizeof block;
 *     exray_recorder_open_device(&recorder, write, NULL, &config);
 *
 * The three functions above link every part; these do not.  All others work with a recorder that was opened
 * by any of them.  docs/instrument.md has the sizes. */

/* exray_recorder_open_callback with no other parts than config->parts has (NULL: none; then config->stream
 * must be set, and config->capture be at most IO, or FULL).  Errors as exray_recorder_open_file.
 * Since 0.2.0. */
exray_status exray_recorder_open_device_sized(exray_recorder *recorder, size_t recorder_size,
                                              const char *header_version, exray_recorder_write_fn write,
                                              void *user, const exray_recorder_config *config);
static inline exray_status exray_recorder_open_device(exray_recorder *recorder, exray_recorder_write_fn write,
                                                      void *user, const exray_recorder_config *config)
{
    return exray_recorder_open_device_sized(recorder, sizeof(exray_recorder), EXRAY_VERSION, write, user,
                                            config);
}

/* exray_recorder_memory_needed for exray_recorder_open_device.  Since 0.2.0. */
size_t exray_recorder_memory_needed_device(const exray_recorder_config *config);

/* The parts: constant tables, never NULL; any thread.  `small` is little code that looks at the type of each
 * element; `fast` has a loop for each type, and AVX2 where the processor has it.  Their values are the same,
 * except for the order in which they are added up.  Since 0.2.0. */
const exray_stats_part *exray_stats_part_small(void);
const exray_stats_part *exray_stats_part_fast(void);
const exray_sketch_part *exray_sketch_part_small(void);
const exray_sketch_part *exray_sketch_part_fast(void);
const exray_async_part *exray_async_part_default(void);
const exray_chunks_part *exray_chunks_part_default(void);
const exray_layers_part *exray_layers_part_default(void);
const exray_machine_part *exray_machine_part_default(void);
const exray_layer_stats_part *exray_layer_stats_part_default(void);
const exray_checksums_part *exray_checksums_part_small(void);
const exray_checksums_part *exray_checksums_part_fast(void);
const exray_budget_part *exray_budget_part_default(void);
const exray_events_part *exray_events_part_default(void);
const exray_retry_part *exray_retry_part_default(void);
const exray_flush_part *exray_flush_part_default(void);

/* All parts, those of two kinds fast: what the other functions that open a recorder use where config.parts
 * is NULL.  Since 0.2.0. */
exray_recorder_parts exray_recorder_parts_all(void);

/* ---- State and close ----------------------------------------------------- */

/* Bytes written so far, wherever they go; what waits in buffers may be counted already, except with
 * exray_recorder_open_memory: there it is what the buffer holds.  Since 0.2.0. */
uint64_t exray_recorder_bytes_written(const exray_recorder *recorder);

/* Hands everything recorded so far to the sink, and waits until it has it: a crash of the process, or a kill,
 * loses none of it.  In the asynchronous mode it waits for the writer thread.  Frames need not be ended, but
 * the open one's /frame is written at its end.  EXRAY_E_UNSUPPORTED: config.parts has no `flush`.
 * Since 0.2.0. */
exray_status exray_recorder_flush(exray_recorder *recorder);

/* The same, through the system's buffers to the disk (fsync) or as config.sync does: a loss of power loses
 * none of it.  EXRAY_E_IO, EXRAY_E_NO_SPACE: the disk did not take it; the recorder goes on.  What cannot be
 * synced, such as a pipe, is flushed.  Since 0.2.0. */
exray_status exray_recorder_sync(exray_recorder *recorder);

/* Begins another file, now, or at the end of the open frame; without a frame since the last one, nothing
 * happens.  EXRAY_E_STATE: the config asks for one file.  Since 0.2.0. */
exray_status exray_recorder_next_file(exray_recorder *recorder);

/* The file that is written now (exray_recorder_open_file): `path` with what %t and %n stand for, or another
 * name where a log that was not closed has that one.  NULL: the recorder writes to no file, or is closed.  In
 * the asynchronous mode it may be that of a moment ago.  Valid until the second file after it begins, or
 * close. Since 0.2.0. */
const char *exray_recorder_path(const exray_recorder *recorder);

/* Ends the open frame, writes the summary, closes the file, frees what open allocated.  Returns the latest
 * error since open.  A second close does nothing and returns the same.  Since 0.2.0. */
exray_status exray_recorder_close(exray_recorder *recorder);

/* Closes without writing anything more: the log has no end, as after a crash (`exray recover` repairs it).
 * Since 0.2.0. */
void exray_recorder_abandon(exray_recorder *recorder);

/* The latest error; its message, one line that belongs to the recorder; and how many records were dropped so
 * far, those of refused calls among them.  They can be read after close, too.  Since 0.2.0. */
exray_status exray_recorder_error_status(const exray_recorder *recorder);
const char *exray_recorder_error_message(const exray_recorder *recorder);
uint64_t exray_recorder_dropped(const exray_recorder *recorder);

/* ---- Frames -------------------------------------------------------------- */

/* Begins the next frame; ends the open one first.  `source` says what it is of, a file or a camera; it may
 * be NULL.  A call that logs outside of a frame begins one without a source.  Since 0.2.0. */
exray_status exray_recorder_frame_begin(exray_recorder *recorder, const char *source);

/* The same with a Frame.index of the caller's choice, larger than all before (else EXRAY_E_ARGUMENT): a
 * replay keeps the indices of the log that it replays.  Since 0.2.0. */
exray_status exray_recorder_frame_begin_at(exray_recorder *recorder, uint64_t index, const char *source);

/* Begins a frame and logs the encoded file that it is of as the sensor record /sensor/camera (see
 * exray_recorder_log_encoded): all that an application whose frames are files needs to call.  Since 0.2.0. */
exray_status exray_recorder_frame_begin_encoded(exray_recorder *recorder, const char *source,
                                                const char *format, const void *data, size_t size);

/* The true class of the open frame.  Since 0.2.0. */
exray_status exray_recorder_frame_label(exray_recorder *recorder, int64_t label);

/* How long the engine's call took, in nanoseconds; taps call it.  Since 0.2.0. */
exray_status exray_recorder_frame_inference(exray_recorder *recorder, uint64_t nanoseconds);

/* Ends the frame: writes /frame (and /system).  Where it is not called, the next begin or close does it.
 * Since 0.2.0. */
exray_status exray_recorder_frame_end(exray_recorder *recorder);

/* Frame.index of the open frame, else of the next one.  Since 0.2.0. */
uint64_t exray_recorder_frame_index(const exray_recorder *recorder);

/* Nanoseconds of the recorder's monotonic clock.  Since 0.2.0. */
uint64_t exray_recorder_now(const exray_recorder *recorder);

/* Nanoseconds since the frame began; begins one where none is open.  Since 0.2.0. */
uint64_t exray_recorder_frame_elapsed(exray_recorder *recorder);

/* ---- Records ------------------------------------------------------------- */

/* A tensor to be logged.  Everything is borrowed during the call.  Since 0.1.0. */
typedef struct exray_tensor {
    exray_kind kind;
    exray_tensor_info info; /* info.name: NAME of the topic for sensor, stage, input, output */
    uint32_t index;         /* LAYER: the node; CONSTANT: the tensor */
    uint32_t output;        /* LAYER: which of the node's outputs */
    uint32_t occurrence;    /* nth execution of the node within the frame, from 0 */
    bool in_model;          /* `model_tensor` is set, and /model describes the tensor: info is left out of the
                               record unless `info_differs` */
    bool info_differs;      /* the shape or type at run time is not the model's */
    uint32_t model_tensor;  /* position in exray_model.tensors */
    const void *data;       /* little-endian, in C order; NULL: not available */
    size_t size;            /* bytes of data */
    const exray_media *media; /* of sensor records; or NULL */
} exray_tensor;

/* Logs a tensor as the capture level says: data, statistics, or nothing.  Data over 1 GiB becomes
 * statistics, which is counted.  `info` is needed in any case, for the statistics and the check of the size:
 * EXRAY_E_ARGUMENT where rank, shape, type, quantization and size contradict each other.  Since 0.2.0. */
exray_status exray_recorder_log_tensor(exray_recorder *recorder, const exray_tensor *tensor);

/* Whether such a record would be kept now: a tap that is told false need not fetch the tensor.  `index` and
 * `name` as in exray_tensor; name may be NULL.  Since 0.2.0. */
bool exray_recorder_wants(const exray_recorder *recorder, exray_kind kind, uint32_t index, const char *name);

/* Logs a raw picture as /sensor/NAME, with the shape [height, width, channels] (YUV formats, and rows with
 * padding: [bytes]).  `media` gives format, width, height and row_stride.  EXRAY_E_ARGUMENT where they and
 * `size` contradict each other.  Since 0.2.0. */
exray_status exray_recorder_log_image(exray_recorder *recorder, const char *name, const exray_media *media,
                                      const void *data, size_t size);

/* Logs an encoded file as /sensor/NAME, byte for byte; format is "jpeg", "png" or "wav".  With no_io_data
 * the record has neither data nor statistics, since those of encoded bytes mean nothing.  Since 0.2.0. */
exray_status exray_recorder_log_encoded(exray_recorder *recorder, const char *name, const char *format,
                                        const void *data, size_t size);

/* Logs a sound as /sensor/NAME: `media` gives the format ("s16" or "f32", little-endian, with the shape
 * [samples, channels], channels interleaved; "wav": as exray_recorder_log_encoded), sample_rate in Hz and
 * channels (0: 1).  EXRAY_E_ARGUMENT where they and `size` contradict each other.  Since 0.2.0. */
exray_status exray_recorder_log_sound(exray_recorder *recorder, const char *name, const exray_media *media,
                                      const void *data, size_t size);

/* Logs a text that the application was given (what somebody typed, said or sent) as /sensor/NAME: `size`
 * bytes of UTF-8, without a NUL behind them.  With no_io_data the record has no data.  Since 0.2.0. */
exray_status exray_recorder_log_text(exray_recorder *recorder, const char *name, const char *text,
                                     size_t size);

/* A named number and a named time of the frame (Frame.values, Frame.spans_ns).  A frame has room for about
 * 60 of them (4 KiB); those beyond are counted as dropped.  Since 0.2.0. */
exray_status exray_recorder_log_scalar(exray_recorder *recorder, const char *name, double value);
exray_status exray_recorder_log_span(exray_recorder *recorder, const char *name, uint64_t nanoseconds);

/* Logs `count` values of a peripheral sensor as /reading/NAME; `unit` may be NULL.  Since 0.2.0. */
exray_status exray_recorder_log_reading(exray_recorder *recorder, const char *name, const double *values,
                                        size_t count, const char *unit);

/* Logs what the application told its user as /result.  EXRAY_E_ARGUMENT where an array is NULL and its count
 * is not 0, or a mask's size is not that of its width and height.  Numbers are kept as they are, NaN among
 * them.  Since 0.2.0. */
exray_status exray_recorder_log_result(exray_recorder *recorder, const exray_result *result);

/* Logs the truth of the open frame as /truth, of whatever kind: classes, boxes, text, keypoints, a mask,
 * vectors (exray_recorder_frame_label: the true class alone).  Errors likewise.  Since 0.2.0. */
exray_status exray_recorder_log_truth(exray_recorder *recorder, const exray_result *truth);

/* Logs as /event what happened to the application: EXRAY_EVENT_USER, or EXRAY_EVENT_RESET where it resets the
 * model's state (before the frame that begins anew, or within it, before the run).  `text` is one line of at
 * most 400 bytes (more is cut off; control characters become spaces); NULL: "".  The event names the open
 * frame; a reset between frames names the next one.  The other kinds are the recorder's own:
 * EXRAY_E_ARGUMENT; EXRAY_E_UNSUPPORTED: config.parts has no `events`.  Since 0.2.0. */
exray_status exray_recorder_event(exray_recorder *recorder, exray_event_kind kind, const char *text);

/* Logs the model as /model; once, before the first layer (later calls: EXRAY_E_STATE).  The recorder keeps
 * the names and operators of layers (in its memory block, as far as there is room: 64 KiB; less where
 * max_channels is under 512) for the channels /layer/INDEX and for config.layers.  Since 0.2.0. */
exray_status exray_recorder_log_model(exray_recorder *recorder, const exray_model *model);

/* Whether exray_recorder_log_model was called.  Since 0.2.0. */
bool exray_recorder_has_model(const exray_recorder *recorder);

/* Logs when nodes ran as /latency: three arrays of `count`; node is a position in exray_model.nodes,
 * start_ns is relative to the frame's begin (exray_recorder_frame_elapsed).  Since 0.2.0. */
exray_status exray_recorder_log_latency(exray_recorder *recorder, const uint32_t *node,
                                        const uint64_t *start_ns, const uint64_t *duration_ns, size_t count);

/* Sets System.arena_bytes of the following frames: the engine's tensor memory.  Since 0.2.0. */
void exray_recorder_set_arena_bytes(exray_recorder *recorder, uint64_t bytes);

/* Adds a file to the log (an MCAP attachment): a pipeline file, a label file.  Since 0.2.0. */
exray_status exray_recorder_log_attachment(exray_recorder *recorder, const char *name, const char *media_type,
                                           const void *data, size_t size);

/* Writes a metadata record of its own, such as a tap's remarks on how it observed.  Since 0.2.0. */
exray_status exray_recorder_log_metadata(exray_recorder *recorder, const char *name,
                                         const exray_key_value *pairs, size_t count);

/* ---- The level at run time ------------------------------------------------ */

/* Changes the capture level from the next frame on (exray_recorder_wants answers for the next frame at once,
 * so taps follow); an /event of kind "level" tells it.  Any thread, at any time between open and close.
 * EXRAY_E_ARGUMENT: `capture` is no level; EXRAY_E_UNSUPPORTED: the level needs a part that config.parts does
 * not have; EXRAY_E_STATE: the recorder is not open.  None of them is the recorder's error.  A level that is
 * raised after the model was described does not bring the data of constants.  Since 0.2.0. */
exray_status exray_recorder_set_capture(exray_recorder *recorder, exray_capture capture);

/* The level that was set last; EXRAY_CAPTURE_OFF where the recorder is not open.  Any thread.  Since 0.2.0.
 */
exray_capture exray_recorder_capture(const exray_recorder *recorder);

/* ---- For taps ------------------------------------------------------------ */

/* Registers a function that close and abandon call, with `user`, before they end the log: a tap writes what
 * it still has, and frees its state.  The last one registered is called first; at most four (then
 * EXRAY_E_LIMIT).  Since 0.2.0. */
exray_status exray_recorder_on_close(exray_recorder *recorder, void (*function)(void *user), void *user);

/* Makes a failure of the tap the recorder's latest error, and tells of it in the log; the recorder goes on.
 * Returns `status`, or that of a recorder that takes no records.  `message` is copied; NULL: the status's
 * name (without the part `events`: "the tap failed").  Since 0.2.0. */
exray_status exray_recorder_fail(exray_recorder *recorder, exray_status status, const char *message);

/* ---- Without a recorder -------------------------------------------------- */

/* Statistics of a tensor's data, in one pass: what the capture level STATS writes.  EXRAY_E_UNSUPPORTED:
 * strings; EXRAY_E_ARGUMENT: `size` is less than the shape needs. float32, int8 and uint8 without a scale
 * for each channel are fast.  Any thread.  Since 0.2.0. */
exray_status exray_stats_compute(const exray_tensor_info *info, const void *data, size_t size,
                                 exray_stats *out);

/* Where exray_channel_stats_compute puts its arrays.  Since 0.2.0. */
typedef struct exray_channel_room {
    float mean[EXRAY_MAX_CHANNEL_STATS], variance[EXRAY_MAX_CHANNEL_STATS];
    uint32_t histogram[EXRAY_HISTOGRAM_BINS];
} exray_channel_room;

/* Moments of each channel and a histogram of a tensor's data, whose statistics are `stats`: what is written
 * of inputs, outputs and sensors without their data.  EXRAY_E_UNSUPPORTED: too many or too short channels,
 * values that are not finite, strings; EXRAY_E_ARGUMENT as exray_stats_compute.  Any thread.  Since 0.2.0. */
exray_status exray_channel_stats_compute(const exray_tensor_info *info, const void *data, size_t size,
                                         const exray_stats *stats, exray_channel_room *room,
                                         exray_channel_stats *out);

/* A sketch of a tensor's data, and its statistics in the same pass where `stats` is not NULL: what the
 * capture level SKETCH writes of layers.  *count: how many buckets were filled.  Elements are taken with the
 * channels last, where info.layout says which dimension they are, else in the order of the data.  Errors as
 * exray_stats_compute.  Takes 14 KiB of stack.  Any thread.  Since 0.2.0. */
exray_status exray_sketch_compute(const exray_tensor_info *info, const void *data, size_t size, uint64_t seed,
                                  exray_stats *stats, float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count);

/* SHA-256 (FIPS 180-4).  Any thread.  Since 0.1.0. */
void exray_sha256(const void *data, size_t size, uint8_t out[32]);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
