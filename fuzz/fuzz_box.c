/* Reads any bytes as the file of a flight recorder, and entries with right checksums that are made of them.
 * The first byte says which: 0, the rest is the file; else it is a list of entries: kind, frame, schema,
 * lengths. */
#define _POSIX_C_SOURCE 200809L
#include "core/encode/messages.h"
#include "core/flight/box_format.h"
#include "log/box/box_log.h"
#include "log/log_file.h"

#include <exray/codecs.h>
#include <exray/log.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4096, RING = 16 << 10, SIZE = XR_BOX_HEADER + HEAD + RING };

static uint32_t crc_of(uint32_t crc, const void *data, size_t size)
{
    return exray_codec_default()->crc32(crc, data, size);
}

/* Puts an entry made of `in` at `at`; returns how much of `in` it took. */
static size_t put_entry(uint8_t *at, size_t room, uint64_t sequence, const uint8_t *in, size_t size)
{
    static const char topics[][16] = {"/frame", "/layer/1", "/input/a", "/event", "/model", "", "/result"};
    if (size < 6)
        return size;
    const char *topic = topics[in[3] % 7];
    const size_t message = in[4] < size - 6 ? in[4] : size - 6, topic_size = strlen(topic);
    xr_box_entry entry = {.magic = XR_BOX_ENTRY,
                          .sequence = sequence + (in[5] == 255),
                          .frame = in[1],
                          .log_time = sequence,
                          .size = (uint32_t)message,
                          .kind = in[0] % (XR_BOX_KINDS + 1),
                          .schema = in[2],
                          .topic_size = (uint16_t)topic_size,
                          .channel = in[3]};
    if (sizeof entry + topic_size + message > room)
        return size;
    memcpy(at + sizeof entry, topic, topic_size);
    memcpy(at + sizeof entry + topic_size, in + 6, message);
    entry.content_crc = crc_of(0, at + sizeof entry, topic_size + message);
    entry.crc = crc_of(crc_of(0, "run!", 4), &entry.sequence,
                       offsetof(xr_box_entry, state) - offsetof(xr_box_entry, sequence));
    memcpy(at, &entry, sizeof entry);
    return 6 + message;
}

static void make_box(uint8_t *box, const uint8_t *in, size_t size)
{
    xr_box_header header = {
        .order = XR_BOX_ORDER, .version = XR_BOX_VERSION, .head_size = HEAD, .ring_size = RING};
    memcpy(header.magic, XR_BOX_MAGIC, sizeof header.magic);
    memcpy(&header.run, "run!", 4);
    header.crc = crc_of(0, &header.run, offsetof(xr_box_header, closed) - offsetof(xr_box_header, run));
    memcpy(box, &header, sizeof header);
    uint64_t sequence = 0;
    for (size_t at = XR_BOX_HEADER; size && at + 512 < SIZE; at += 448) {
        const size_t taken = put_entry(box + at, SIZE - at, sequence++, in, size);
        in += taken;
        size -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t box[SIZE];
    xr_box_saved saved;
    exray_error error;
    char *bytes = NULL;
    size_t used = 0;
    if (size == 0)
        return 0;
    memset(box, 0, sizeof box);
    if (data[0])
        make_box(box, data + 1, size - 1);
    FILE *out = open_memstream(&bytes, &used);
    if (!out)
        return 0;
    const bool good = data[0] ? xr_box_recover_bytes(box, sizeof box, out, &saved, &error)
                              : xr_box_recover_bytes(data + 1, size - 1, out, &saved, &error);
    fclose(out);
    if (good) {
        exray_log *log = xr_log_open_bytes(bytes, used, "recovered", &error);
        if (!log || exray_log_truncated(log))
            abort();
        exray_log_close(log);
    }
    free(bytes);
    return 0;
}
