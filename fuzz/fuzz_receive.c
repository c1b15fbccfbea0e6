/* Receives any bytes, and packets that are made of them with right framing and checksums; what comes out is a
 * log that opens.  The first byte says which: 0, the rest is what the link carries; else it is a list of
 * packets: length, how the record's number and offset go on, stream, payload. */
#define _POSIX_C_SOURCE 200809L
#include "core/checksums/crc32.h"
#include "core/link/link_format.h"
#include "log/log_file.h"
#include "log/receive/receive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct output {
    char *bytes;
    size_t size;
} output;

static FILE *open_log(void *context, uint64_t number)
{
    output *o = context;
    free(o->bytes);
    *o = (output){0};
    return number < 4 ? open_memstream(&o->bytes, &o->size) : NULL;
}

static bool close_log(void *context, FILE *file, bool good)
{
    output *o = context;
    if (fclose(file))
        abort();
    exray_error error;
    exray_log *log = good ? xr_log_open_bytes(o->bytes, o->size, "received", &error) : NULL;
    if (good && (!log || exray_log_truncated(log)))
        abort();
    exray_log_close(log);
    return true;
}

/* Frames a packet as a sender does; returns its size. */
static size_t frame(const uint8_t *packet, size_t size, uint8_t *out)
{
    size_t code = 1, used = 2;
    out[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (packet[i])
            out[used++] = packet[i];
        if (!packet[i] || used - code - 1 == XR_LINK_COBS_RUN) {
            out[code] = (uint8_t)(used - code);
            code = used++;
        }
    }
    out[code] = (uint8_t)(used - code);
    out[used++] = 0;
    return used;
}

static void store32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void send_packets(xr_receiver *r, const uint8_t *data, size_t size)
{
    uint32_t record = 0, offset = 0;
    uint8_t packet[512], framed[600];
    while (size >= 3) {
        const size_t wanted = data[0], payload = wanted < size - 3 ? wanted : size - 3;
        record += data[1] & 15; /* 0: goes on with the record */
        offset = data[1] & 15 ? 0 : offset;
        offset += data[1] & 64 ? data[2] : 0;
        packet[0] = (uint8_t)(XR_LINK_VERSION | (data[1] & 128 ? XR_LINK_REPEAT : 0));
        packet[1] = data[1] & 32;
        packet[2] = 0;
        store32(packet + 3, data[1] & 16 ? data[2] : record);
        store32(packet + 7, offset);
        memcpy(packet + XR_LINK_HEADER, data + 3, payload);
        store32(packet + XR_LINK_HEADER + payload, xr_crc32_small(0, packet, XR_LINK_HEADER + payload));
        xr_receiver_take(r, framed, frame(packet, XR_LINK_HEADER + payload + XR_LINK_CRC, framed), NULL);
        offset += (uint32_t)payload;
        data += 3 + payload;
        size -= 3 + payload;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    output out = {0};
    const xr_receiver_files files = {&out, open_log, close_log};
    xr_receiver *r = xr_receiver_new(&files);
    if (!r)
        return 0;
    if (data[0] == 0)
        xr_receiver_take(r, data + 1, size - 1, NULL);
    else
        send_packets(r, data + 1, size - 1);
    xr_receiver_flush(r, NULL);
    xr_receiver_end(r, NULL);
    xr_receiver_free(r);
    free(out.bytes);
    return 0;
}
