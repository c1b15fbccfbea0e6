/* The MCAP writer: turns messages into the bytes of a log.  By itself it writes a stream of
 * records; chunks, index and summary are a part's (chunks/).  It runs on one thread: the caller's,
 * or the ring's writer thread. */
#ifndef XR_MCAP_H
#define XR_MCAP_H

#include "core/encode/draft.h"
#include "core/mcap_format.h"
#include "core/output/mcap_state.h"

/* A message on its way.  Its content is `head` and `tail`, or (`head` is NULL) what `encode` gives. */
typedef struct xr_message {
    uint32_t channel;
    uint32_t sequence;
    uint64_t log_time;
    size_t size; /* of the content */
    const void *head, *tail;
    size_t head_size, tail_size;
    xr_encode_fn encode;
    const void *object;
    uint32_t crc; /* of the content; known where `encode` gives it and the log has chunks */
} xr_message;

typedef struct xr_attachment_record {
    const char *name, *media_type;
    const void *data;
    size_t size;
    uint64_t log_time;
    uint64_t create_time; /* ns since 1970; 0: unknown */
} xr_attachment_record;

typedef struct xr_metadata_record {
    const char *name;
    const exray_key_value *pairs;
    size_t count;
    /* Pairs that stand before those, except where `pairs` has the key. */
    const exray_key_value *defaults;
    size_t default_count;
    size_t pairs_size;   /* xr_mcap_pairs_size */
    const void *encoded; /* instead of all these: pairs_size bytes */
} xr_metadata_record;
size_t xr_mcap_pairs_size(const xr_metadata_record *metadata);
void xr_mcap_put_pairs(xr_sink *sink, const void *metadata);

/* Whether the channel's messages belong to no frame, and the others cannot be read without them. */
bool xr_mcap_is_head(const xr_mcap *mcap, uint32_t channel);

/* Each returns 0 or the sticky error number. */
int xr_mcap_begin(xr_mcap *mcap);
/* After its end: back to the state before xr_mcap_begin, for the next file. */
void xr_mcap_restart(xr_mcap *mcap);
int xr_mcap_message(xr_mcap *mcap, const xr_message *message);
int xr_mcap_attachment(xr_mcap *mcap, const xr_attachment_record *attachment);
int xr_mcap_metadata(xr_mcap *mcap, const xr_metadata_record *metadata);
/* How far what is buffered goes. */
typedef enum xr_flush {
    XR_FLUSH_BYTES, /* to the sink, all but the open chunk, which a sink with write_at gets ahead of its end
                     */
    XR_FLUSH_CHUNK, /* the open chunk too */
    XR_FLUSH_SYNC,  /* and through the sink */
} xr_flush;
/* Goes further where something is older than it may be. */
int xr_mcap_flush(xr_mcap *mcap, xr_flush how);
/* xr_mcap_flush at the end: a sink that is busy is asked a few times more.  0, or what it said at last. */
int xr_mcap_settle(xr_mcap *mcap, xr_flush how);
/* A Check record, if there are bytes that none covers. */
void xr_mcap_check(xr_mcap *mcap);
/* The end of the data, summary, footer. */
int xr_mcap_end(xr_mcap *mcap);

/* An upper bound of what a message of that size adds to the log, all records
 * that go with it counted; likewise of a new channel. */
uint64_t xr_mcap_message_cost(const xr_mcap *mcap, uint64_t size);
uint64_t xr_mcap_channel_cost(const xr_mcap *mcap, uint32_t channel, bool new_schema);

/* A stream has a Check record before and after what is at least so large, and after so much of what is
 * smaller: damage costs one of these, at the price of half a percent. */
enum { XR_CHECK_AFTER = 4 << 10, XR_CHECK_RECORD = XR_MCAP_RECORD_HEADER + XR_MCAP_CHECK_SIZE };
/* With checksums, channels are repeated after 16 KiB, 256 KiB, 4 MiB, ...: where the first record of one is
 * lost, the messages behind the next one can still be told. */
enum { XR_REPEAT_AFTER = 16 << 10, XR_REPEAT_GROWTH = 16 };

/* How many bytes a Check record at a frame's end adds. */
uint64_t xr_mcap_check_cost(const xr_mcap *mcap);

/* ---- For the chunks and the checksums ---- */

xr_mcap_sink xr_mcap_sink_of(xr_mcap *mcap);

/* Opcode and length of a record. */
void xr_mcap_put_header(xr_sink *sink, uint8_t opcode, uint64_t size);
/* And its content, which is encoded twice. */
void xr_mcap_record(xr_sink *sink, uint8_t opcode, xr_encode_fn content, const void *object);
/* The Schema and the Channel record of a channel. */
void xr_mcap_put_schema(xr_sink *sink, xr_schema_id schema);
void xr_mcap_put_channel(xr_sink *sink, const xr_mcap *mcap, uint32_t id);
/* How many bytes each of them writes. */
size_t xr_mcap_schema_size(xr_schema_id schema);
size_t xr_mcap_channel_size(const xr_mcap *mcap, uint32_t id);
/* A Message record up to its content, and the content. */
void xr_mcap_put_message_header(xr_sink *sink, const xr_message *message);
void xr_mcap_put_content(xr_sink *sink, const xr_message *message);
void xr_mcap_encode_attachment(xr_sink *sink, const void *attachment); /* xr_attachment_record */
/* A footer without its CRC. */
void xr_mcap_put_footer(xr_sink *sink, uint64_t summary_start, uint64_t offsets_start);

#endif
