/* A log from a link: packets -> records -> an MCAP file with chunks, checksums and an index. */
#ifndef XR_RECEIVE_H
#define XR_RECEIVE_H

#include <exray/types.h>
#include <stdio.h>

typedef struct xr_receiver xr_receiver;

/* What has come so far. */
typedef struct xr_received {
    uint64_t packets, bad_packets; /* bad: changed on the way, or none of ours */
    uint64_t messages;
    uint64_t lost_records;
    uint64_t unplaced; /* messages whose channel never came: not in the log */
    uint64_t logs;
} xr_received;

/* Where logs go. */
typedef struct xr_receiver_files {
    void *context;
    /* Opens the file of the log with that number, from 0; NULL: cannot (printed). */
    FILE *(*open)(void *context, uint64_t number);
    /* Takes it back; `good`: all of it was written.  False: cannot (printed). */
    bool (*close)(void *context, FILE *file, bool good);
} xr_receiver_files;

/* NULL: out of memory. */
xr_receiver *xr_receiver_new(const xr_receiver_files *files);
void xr_receiver_free(xr_receiver *r);

/* Takes the next bytes of the link, any number of them.  A log begins with the first packet, and another one
 * where the sender's stream changes.  False, with `error` filled (unless a file could not be opened, which
 * was printed): it cannot go on; what has been written stays. */
bool xr_receiver_take(xr_receiver *r, const void *data, size_t size, exray_error *error);
/* Writes what has been gathered: called now and then, a crash loses what came since. */
bool xr_receiver_flush(xr_receiver *r, exray_error *error);
/* Ends the open log. */
bool xr_receiver_end(xr_receiver *r, exray_error *error);

xr_received xr_receiver_count(const xr_receiver *r);

#endif
