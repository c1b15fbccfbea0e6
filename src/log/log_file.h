/* What the files of the log reader share. */
#ifndef XR_LOG_FILE_H
#define XR_LOG_FILE_H

#include "base/error.h"
#include "log/decode_messages.h"
#include "log/index/index_entries.h"
#include <exray/exray.h>
#include <stdatomic.h>

/* A chunk that claims to hold more is taken as damaged: data over 1 GiB is
 * never written, the rest is room for what stands around it. */
#define XR_MAX_CHUNK (UINT64_C(1) << 30 | UINT64_C(1) << 26)

/* The index (all that a log holds in memory) takes at most
 * XR_INDEX_BASE + XR_INDEX_FACTOR times the file's size. */
#define XR_INDEX_BASE   (UINT64_C(64) << 20)
#define XR_INDEX_FACTOR 32

/* ---- The file --------------------------------------------------------------- */

/* The whole file, mapped for reading.  Mapped rather than read: the data of a large tensor then needs no
 * copy (28 MB checked and summed: 2.5 ms against 3.5 ms with pread into a warm buffer).  Pages that were
 * touched count as resident until they are dropped; xr_file_map_used drops them from time to time.  If
 * another process shortens the file while it is mapped, touching the lost pages raises SIGBUS;
 * xr_file_map_check, called before each record is read, turns this into an error in all but a narrow race. */
typedef struct xr_file_map {
    int fd; /* -1: bytes in memory, not ours */
    const uint8_t *base;
    uint64_t size;
    _Atomic uint64_t touched; /* bytes since the pages were last dropped */
} xr_file_map;

bool xr_file_map_open(xr_file_map *map, const char *path, exray_error *error);
/* The same file, mapped once more. */
bool xr_file_map_again(xr_file_map *map, const xr_file_map *of, const char *path, exray_error *error);
void xr_file_map_close(xr_file_map *map);
/* False, with `error` filled, if the file is shorter than it was. */
bool xr_file_map_check(const xr_file_map *map, const char *path, exray_error *error);
/* Counts `size` bytes as touched, and drops all pages now and then.  Pointers
 * into the map stay valid. */
void xr_file_map_used(const xr_file_map *map, uint64_t size);

/* ---- The index -------------------------------------------------------------- */

enum { XR_CHUNK_UNKNOWN, XR_CHUNK_GOOD, XR_CHUNK_DAMAGED };

struct xr_chunk {
    uint64_t records; /* of its records (compressed or not) in the file */
    uint64_t stored;  /* bytes in the file */
    uint64_t size;    /* bytes decompressed */
    uint32_t crc;     /* of the decompressed bytes; 0: none */
    exray_compression compression;
    _Atomic int state; /* XR_CHUNK_...: whether the CRC was checked yet */
};
typedef struct xr_chunk xr_chunk;

/* What an MCAP channel means to us. */
typedef enum xr_topic {
    XR_TOPIC_MESSAGE, /* `message` says */
    XR_TOPIC_MODEL,
    XR_TOPIC_EVENT,
    XR_TOPIC_LAYER_STATS, /* of `kind` */
    XR_TOPIC_FOREIGN,
} xr_topic;

typedef struct xr_channel {
    const char *topic, *name;
    uint16_t schema;
    bool trusted; /* from a summary whose CRC is right */
    xr_topic means;
    bool noted;       /* as an unknown topic */
    uint32_t scanned; /* records that were looked at for unknown fields */
    exray_message message;
    exray_kind kind;
    uint32_t index, output;
    uint32_t form;   /* index_entries.h */
    xr_text content; /* the whole record, to tell a repetition from a contradiction */
} xr_channel;

/* Logs have many: what few frames have is elsewhere.  frame.first_record is the frame's first entry. */
typedef struct xr_frame_entry {
    exray_frame frame;
    const xr_frame_extra *extra; /* NULL: it has none */
} xr_frame_entry;

typedef struct xr_metadata {
    const char *name;
    const exray_key_value *pairs;
    size_t count;
} xr_metadata;

typedef struct xr_attachment_entry {
    exray_attachment info;
    uint64_t content; /* where the record's content begins: the CRC covers it up to the data's end */
    uint32_t crc;     /* 0: none */
} xr_attachment_entry;

/* exray_record.chunk of what is not in the file; EXRAY_NO_INDEX: it is in no chunk. */
#define XR_CHUNK_ATTACHED (EXRAY_NO_INDEX - 1)

struct exray_log {
    uint64_t id; /* no other log of this process has it */
    const char *path;
    xr_file_map map;
    xr_arena arena;
    const char *truncated;
    _Atomic uint64_t damaged;
    const char *unknown; /* unknown.h */
    bool has_summary;    /* and it is sound */
    bool checked;        /* what stands in no chunk has checksums, too: they were right */
    uint64_t lost;       /* bytes in which no record was found or believed */
    const char *library;
    exray_model model;
    bool has_model;
    xr_chunk *chunks;
    size_t chunk_count;
    xr_entries entries;            /* frame by frame */
    _Atomic(exray_record *) *made; /* of each frame: its records, once they were asked for, or NULL */
    exray_record *no_records;      /* as many as a frame has, for where there is no memory */
    uint64_t unchecked;            /* records of frames that no checksum covers */
    const exray_record *constants;
    size_t constant_count;
    const struct xr_attached_constant
        *attached; /* attached_constants.h; records with the chunk XR_CHUNK_ATTACHED */
    size_t attached_count;
    xr_frame_entry *frames;
    size_t frame_count;
    xr_list events;      /* exray_event */
    xr_list metadata;    /* xr_metadata */
    xr_list attachments; /* xr_attachment_entry */
};

/* The same as exray_log_open on bytes in memory, borrowed until close. */
exray_log *xr_log_open_bytes(const void *data, size_t size, const char *name, exray_error *error);

/* Fills log's index from its map. */
bool xr_log_index(exray_log *log, exray_error *error);

/* Counts a damaged chunk or message. */
static inline void xr_log_damage(const exray_log *log)
{
    /* The counter is bookkeeping: a log stays logically constant. */
    atomic_fetch_add_explicit(&((exray_log *)(uintptr_t)log)->damaged, 1, memory_order_relaxed);
}

/* Each chunk can expand a few bytes to a gigabyte; a whole file of such chunks is no log, and would take
 * too long. */
static inline bool xr_chunk_too_much(uint64_t decompressed, uint64_t file_size)
{
    enum { MOST_RATIO = 1024 }; /* of a whole log's decompressed size to the file's */
    return decompressed > XR_MAX_CHUNK + file_size * MOST_RATIO;
}

/* Parses a chunk record's content; `available` bytes of it are in the file, and
 * `cut` says that these are not all.  Such a chunk keeps what is there (stored <
 * size) if it is not compressed.  False: no sensible chunk. */
bool xr_chunk_parse(const uint8_t *content, uint64_t available, bool cut, xr_chunk *out);
/* Checks the CRC, once for each chunk; `bytes` are the decompressed ones. */
bool xr_chunk_check(const exray_log *log, xr_chunk *chunk, const uint8_t *bytes);
bool xr_chunk_is_unchecked(const xr_chunk *chunk);
/* Keeps the outcome of a check; returns it. */
bool xr_chunk_settle(const exray_log *log, xr_chunk *chunk, bool good);
/* Checks the CRC of an uncompressed chunk and copies `size` bytes at `from` in it,
 * both in one pass over memory. */
bool xr_chunk_copy(const exray_log *log, xr_chunk *chunk, void *out, const uint8_t *from, size_t size);
/* Decompresses into `out` (chunk->size bytes).  EXRAY_E_MEMORY, or another status: it is damaged. */
exray_status xr_chunk_decompress(const exray_log *log, const xr_chunk *chunk, uint8_t *out);

#endif
