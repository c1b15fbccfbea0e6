/* A record's content, encoded ahead of its way: once, into a buffer, where it fits there.
 *
 * A piece of XR_DRAFT_PIECE bytes or more is not copied: the draft points to it.  So the object
 * whose bytes it is must stay until the record is written, as that of every log call does. */
#ifndef XR_DRAFT_H
#define XR_DRAFT_H

#include "core/encode/sink.h"

enum { XR_DRAFT_PIECE = 1024 };

typedef struct xr_draft {
    xr_sink sink; /* what an encoder writes to */
    /* Set by the owner. */
    uint8_t *bytes;
    size_t room;
    /* The CRC-32 of what does not fit, which is then known before the second run; NULL: not needed. */
    uint32_t (*crc_of)(const void *context, uint32_t crc, const void *data, size_t size);
    const void *context;

    /* The content is bytes[0 .. used) and then `tail`. */
    size_t used, tail_size;
    const void *tail; /* NULL: none */
    bool partial;     /* it does not fit: only sink.size, and the CRC, are known */
    uint32_t crc;     /* of all of it, where it is partial */
} xr_draft;

/* Writes the content; encode(object) gives it once more where it is partial. */
void xr_draft_put(const xr_draft *draft, xr_sink *to, xr_encode_fn encode, const void *object);
/* Begins anew in the same buffer. */
void xr_draft_begin(xr_draft *draft);

#endif
