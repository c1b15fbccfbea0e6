/* Makes a whole log of one that has no end, or is damaged. */
#ifndef XR_LOG_RECOVER_H
#define XR_LOG_RECOVER_H

#include "log/mcap_writer.h"

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

/* What becomes of the content of a record on its way. */
typedef enum xr_fate {
    XR_FATE_KEEP,
    XR_FATE_DROP,
    XR_FATE_REPLACE, /* by other content */
} xr_fate;

/* Decides it, for a copy that is not all of a log.  Every function is needed; each gets `context`. */
typedef struct xr_rewrite {
    void *context;
    /* Whether anything of a topic is kept. */
    bool (*topic)(void *context, const char *topic);
    /* So many messages more were left out with their topics. */
    void (*dropped)(void *context, uint64_t messages);
    /* A message, without what MCAP has before it; on XR_FATE_REPLACE its new content was appended to `out`.
     */
    xr_fate (*message)(void *context, const char *topic, const uint8_t *content, size_t size, xr_buffer *out);
    /* Whether an attachment is kept. */
    bool (*attachment)(void *context, const char *name);
    /* A metadata record's content, replaced likewise. */
    xr_fate (*metadata)(void *context, const uint8_t *content, size_t size, xr_buffer *out);
    /* Writes records of its own, behind all others. */
    void (*end)(void *context, xr_mcap_writer *w);
} xr_rewrite;

/* Whether xr_recover can begin; false, with `error` filled: no log, or none of its records can
 * be found. */
bool xr_recover_check(const char *from, exray_error *error);

/* Copies every whole record of the log `from` to `to`; chunks as they are, once
 * their CRC was checked; messages outside of chunks into new, uncompressed chunks.
 * Nothing is invented: a frame without its /frame message stays without.  `to`
 * gets new indexes and a summary.  Returns false with `error` filled; what was
 * written is then of no use. */
bool xr_recover(const char *from, FILE *to, xr_recovery *result, exray_error *error);
/* The same, but for what `rewrite` says: all messages are in new chunks, and records that no version of this
 * format has are left out. */
bool xr_recover_rewritten(const char *from, FILE *to, const xr_rewrite *rewrite, xr_recovery *result,
                          exray_error *error);
/* xr_recover for a log in memory. */
bool xr_recover_bytes(const void *data, size_t size, FILE *to, xr_recovery *result, exray_error *error);

#endif
