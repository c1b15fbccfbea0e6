/* How frames wait in the flight recorder's ring, and the file that the ring may be mapped from (a
 * "black box"): src/log/black_box.c reads what a process that died has left in one.
 *
 * The file is a header block, a head area and the ring.  Head and ring hold entries, each on a
 * multiple of XR_BOX_ALIGNMENT: this struct, the topic, the message.  Nothing in the file points to
 * an entry: a reader looks at every place where one may begin, believes those whose CRCs are right,
 * and sorts them by their sequence.  So whatever write was the last one, and however much of it
 * got there, the entries before it are found.
 *
 * Numbers are in the byte order of the machine; `magic` tells another one. */
#ifndef XR_BOX_FORMAT_H
#define XR_BOX_FORMAT_H

#include <stdint.h>

#define XR_BOX_MAGIC "EXRAYBOX"
enum {
    XR_BOX_VERSION = 1,
    XR_BOX_HEADER = 4096,   /* bytes of the header block */
    XR_BOX_ALIGNMENT = 64,  /* of entries: their size is a multiple of it */
    XR_BOX_HEAD_SHARE = 16, /* the head takes a sixteenth of the file, */
    XR_BOX_HEAD_LEAST = 16 << 10,
};

typedef struct xr_box_header {
    char magic[8];
    uint32_t order; /* XR_BOX_ORDER in the machine's byte order */
    uint32_t version;
    uint32_t run; /* what the entries' headers of this run begin their CRC with */
    uint32_t crc; /* of `run` to `ring_size`, with 0 here */
    uint64_t head_size, ring_size;
    uint32_t closed; /* the recorder was closed: what was asked for is in its log.  In no CRC */
} xr_box_header;
#define XR_BOX_ORDER 0x01020304u
#define XR_BOX_ENTRY 0x79727465u

typedef enum xr_box_kind {
    XR_BOX_SKIP,    /* in memory alone: the rest of the ring is not used */
    XR_BOX_BEGIN,   /* of a frame */
    XR_BOX_WAITS,   /* a message that is not in the log */
    XR_BOX_COPY,    /* a message that the log got, too */
    XR_BOX_END,     /* of a frame */
    XR_BOX_LOG,     /* in the head: the log's first records */
    XR_BOX_MESSAGE, /* in the head: a message of no frame */
    XR_BOX_KINDS
} xr_box_kind;

typedef struct xr_box_entry {
    uint32_t magic; /* XR_BOX_ENTRY */
    uint32_t crc;   /* of the fields from `sequence` to `channel` */
    uint64_t sequence;
    uint64_t frame;
    uint64_t log_time;
    uint32_t content_crc; /* of topic and message */
    uint32_t size;        /* bytes of the message */
    uint16_t kind, schema, topic_size, channel;
    /* In memory alone. */
    uint32_t state; /* of a frame that begins: flight_ring.h */
    uint32_t total; /* bytes of the entry, of a SKIP: to the end of the ring */
    uint64_t unused;
} xr_box_entry;

#endif
