/* A log on a link for `make torture`: sent by exray/link.h, and what `exray receive` makes of the bytes. */
#ifndef TORTURE_LINK_H
#define TORTURE_LINK_H

#include "log/receive/receive.h"
#include "torture_log.h"
#include <exray/link.h>

/* The bytes that a link carries of a stream: a frame's are those from the end of the one before to its own.
 */
static inline torture_log torture_send(const torture_kind *kind)
{
    static exray_link link;
    static uint8_t packet[1024], repeats[16384];
    torture_log log = {.frames = kind->frames, .input = kind->input, .stream = true};
    exray_link_config to = EXRAY_LINK_CONFIG_INIT;
    to.write = torture_sink;
    to.user = &log;
    to.packet = packet;
    to.packet_size = sizeof packet;
    to.repeats = repeats;
    to.repeats_size = sizeof repeats;
    to.stream = 7;
    exray_recorder recorder;
    exray_recorder_config config = torture_config(kind);
    config.stream = true;
    if (exray_link_open(&link, &to) ||
        exray_recorder_open_callback(&recorder, exray_link_write, &link, &config)) {
        fprintf(stderr, "torture: the link cannot be opened\n");
        exit(2);
    }
    log.begin = log.size;
    for (int f = 0; f < kind->frames; f++) {
        torture_frame(&recorder, (uint64_t)f, kind->input);
        log.end[f] = log.size;
    }
    exray_recorder_close(&recorder);
    log.end[kind->frames] = log.size;
    return log;
}

/* Where a received log goes. */
typedef struct torture_received {
    char *bytes;
    size_t size;
    FILE *file;
} torture_received;

static inline FILE *torture_receive_into(void *context, uint64_t number)
{
    torture_received *to = context;
    (void)number;
    free(to->bytes); /* another stream: the last one counts */
    return to->file = open_memstream(&to->bytes, &to->size);
}

static inline bool torture_received_all(void *context, FILE *file, bool good)
{
    (void)context;
    return fclose(file) == 0 && good;
}

/* Received in pieces of any size, and read.  `killed`: the receiver is, after it has flushed. */
static inline void torture_receive(const uint8_t *bytes, size_t size, bool killed, const torture_log *of,
                                   torture_outcome *out)
{
    torture_received to = {0};
    const xr_receiver_files files = {&to, torture_receive_into, torture_received_all};
    xr_receiver *receiver = xr_receiver_new(&files);
    exray_error error = {0};
    bool good = receiver != NULL;
    for (size_t at = 0, piece = 1; good && at < size; at += piece) {
        piece = 1 + (piece * 7 + 13) % 4000;
        piece = piece < size - at ? piece : size - at;
        good = xr_receiver_take(receiver, bytes + at, piece, &error);
    }
    good = good && (killed ? xr_receiver_flush(receiver, &error) : xr_receiver_end(receiver, &error));
    if (killed && to.file)
        fflush(to.file);
    memset(out, 0, sizeof *out);
    if (good && to.bytes)
        torture_open((const uint8_t *)to.bytes, to.size, of, out);
    if (receiver) {
        const xr_received count = xr_receiver_count(receiver);
        out->told = out->told || count.lost_records || count.bad_packets || count.unplaced;
    }
    xr_receiver_free(receiver);
    free(to.bytes);
}

#endif
