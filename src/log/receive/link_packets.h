/* The bytes of a link -> packets (spec/link-format.md). */
#ifndef XR_LINK_PACKETS_H
#define XR_LINK_PACKETS_H

#include "base/buffer.h"

enum { XR_LINK_MOST_PACKET = 1 << 20 }; /* bytes on the link */

typedef struct xr_link_packet {
    uint16_t stream;
    bool repeat;
    uint32_t record, offset; /* number of the record, and where in it the payload stands */
    const uint8_t *payload;
    size_t size;
} xr_link_packet;

/* Zero it before use. */
typedef struct xr_link_packets {
    xr_buffer bytes; /* of the packet that has begun; its failure is the owner's to tell */
    bool too_long;
    uint64_t good, bad; /* packets; bad: their CRC is wrong, or they are none */
} xr_link_packets;

typedef void (*xr_link_packet_fn)(void *user, const xr_link_packet *packet);

/* Takes the next bytes, and calls `take` for every good packet that ends in them.  A packet's payload is
 * valid during the call. */
void xr_link_packets_take(xr_link_packets *packets, const uint8_t *data, size_t size, xr_link_packet_fn take,
                          void *user);

#endif
