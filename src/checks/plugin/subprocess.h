/* Work in a process of its own: what crashes or hangs there does nothing here. */
#ifndef XR_ISOLATE_H
#define XR_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes in the making; `failed` once memory ran out or `most` was reached. */
typedef struct xr_bytes {
    uint8_t *data;
    size_t size, room;
    bool failed;
} xr_bytes;

enum { XR_ISOLATED_MOST = 16 << 20 }; /* bytes that a child may hand back */

void xr_bytes_add(xr_bytes *bytes, const void *data, size_t size);

/* Forks; the child runs work(user, &answer), hands `answer` back and ends.  Its standard
 * output is our standard error, so that what it prints does not mix with a report.
 * True where the whole answer arrived within `seconds`: it is the caller's to
 * free, and to distrust.  Else `why` says how the child ended: "crashed:
 * Segmentation fault". */
bool xr_isolated(double seconds, void (*work)(void *user, xr_bytes *answer), void *user, xr_bytes *answer,
                 char *why, size_t why_size);

#endif
