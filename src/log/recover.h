/* Makes a whole log of one that has no end, or is damaged. */
#ifndef XR_LOG_RECOVER_H
#define XR_LOG_RECOVER_H

#include <exray/types.h>
#include <stdio.h>

typedef struct xr_recovery {
    uint64_t messages, attachments, metadata; /* saved */
    uint64_t damaged;                         /* chunks, attachments and messages that were left out */
    uint64_t saved_bytes;                     /* of the old file: records that were kept */
    uint64_t lost_bytes;                      /* of the old file: damaged, cut short, or not to be followed */
    uint64_t rebuilt_bytes;                   /* of the old file: indexes and summary, made anew */
    uint64_t file_bytes;                      /* of the old file */
    bool was_whole;                           /* it had a regular end, and nothing was lost */
    char problem[96];                         /* why it had no regular end, or "" */
} xr_recovery;

/* Whether xr_recover can begin; false, with `error` filled: no log, or none of its records can
 * be found. */
bool xr_recover_check(const char *from, exray_error *error);

/* Copies every whole record of the log `from` to `to`; chunks as they are, once
 * their CRC was checked; messages outside of chunks into new, uncompressed chunks.
 * Nothing is invented: a frame without its /frame message stays without.  `to`
 * gets new indexes and a summary.  Returns false with `error` filled; what was
 * written is then of no use. */
bool xr_recover(const char *from, FILE *to, xr_recovery *result, exray_error *error);
/* The same for a log in memory. */
bool xr_recover_bytes(const void *data, size_t size, FILE *to, xr_recovery *result, exray_error *error);

#endif
