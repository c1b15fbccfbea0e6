/* What a packet of a link is made of (spec/link-format.md); sender and receiver. */
#ifndef XR_LINK_FORMAT_H
#define XR_LINK_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    XR_LINK_VERSION = 0x10, /* in the upper four bits of the flags */
    XR_LINK_VERSION_MASK = 0xF0,
    XR_LINK_REPEAT = 1, /* of a record that was sent before */

    XR_LINK_HEADER = 11, /* flags, stream (2 bytes), record (4), offset in the record (4) */
    XR_LINK_CRC = 4,
    XR_LINK_COBS_RUN = 254, /* bytes that one code byte can stand before */
};

/* Payload of a packet that takes at most `size` bytes on the link: COBS adds one byte for each run begun, and
 * the delimiters stand before and behind. */
static inline size_t xr_link_payload(size_t size)
{
    const size_t bytes = size - 2;
    return bytes - (bytes / (XR_LINK_COBS_RUN + 1) + 1) - XR_LINK_HEADER - XR_LINK_CRC;
}

#endif
