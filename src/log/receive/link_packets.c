#include "log/receive/link_packets.h"

#include "core/checksums/crc32.h"
#include "core/link/link_format.h"
#include "log/wire.h"

#include <string.h>

/* Undoes COBS in place; 0: it is none. */
static size_t decode(uint8_t *bytes, size_t size)
{
    size_t out = 0;
    for (size_t at = 0; at < size;) {
        const size_t code = bytes[at], run = code - 1;
        if (code == 0 || run > size - at - 1)
            return 0;
        memmove(bytes + out, bytes + at + 1, run);
        out += run;
        at += code;
        if (run < XR_LINK_COBS_RUN && at < size)
            bytes[out++] = 0;
    }
    return out;
}

static bool parse(uint8_t *bytes, size_t encoded, xr_link_packet *packet)
{
    const size_t size = decode(bytes, encoded);
    if (size < XR_LINK_HEADER + XR_LINK_CRC || (bytes[0] & XR_LINK_VERSION_MASK) != XR_LINK_VERSION ||
        xr_load32(bytes + size - XR_LINK_CRC) != xr_crc32_small(0, bytes, size - XR_LINK_CRC))
        return false;
    *packet = (xr_link_packet){.stream = xr_load16(bytes + 1),
                               .repeat = bytes[0] & XR_LINK_REPEAT,
                               .record = xr_load32(bytes + 3),
                               .offset = xr_load32(bytes + 7),
                               .payload = bytes + XR_LINK_HEADER,
                               .size = size - XR_LINK_HEADER - XR_LINK_CRC};
    return true;
}

static void end_packet(xr_link_packets *p, xr_link_packet_fn take, void *user)
{
    xr_link_packet packet;
    if (p->too_long) {
        p->bad++;
    } else if (p->bytes.size) { /* delimiters stand on both sides of a packet */
        if (!p->bytes.failed && parse(p->bytes.data, p->bytes.size, &packet)) {
            p->good++;
            take(user, &packet);
        } else {
            p->bad++;
        }
    }
    p->bytes.size = 0;
    p->too_long = false;
}

void xr_link_packets_take(xr_link_packets *packets, const uint8_t *data, size_t size, xr_link_packet_fn take,
                          void *user)
{
    while (size) {
        const uint8_t *end = memchr(data, 0, size);
        const size_t run = end ? (size_t)(end - data) : size;
        packets->too_long = packets->too_long || run > XR_LINK_MOST_PACKET - packets->bytes.size;
        if (!packets->too_long)
            xr_buffer_add(&packets->bytes, data, run);
        if (end)
            end_packet(packets, take, user);
        data += run + (end != NULL);
        size -= run + (end != NULL);
    }
}
