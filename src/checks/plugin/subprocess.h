/* Work in a child process: a crash or an endless loop there does not harm this process. */
#ifndef XR_SUBPROCESS_H
#define XR_SUBPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a child sends back, while it is put together; `failed` once memory ran out or
 * XR_REPLY_LIMIT was reached. */
typedef struct xr_reply {
    uint8_t *data;
    size_t size, room;
    bool failed;
} xr_reply;

enum { XR_REPLY_LIMIT = 16 << 20 }; /* bytes */

void xr_reply_add(xr_reply *reply, const void *data, size_t size);

/* Forks; the child runs work(user, &reply), sends `reply` and ends.  Its standard output is our
 * standard error, so that what it prints does not mix with a report.  True where the whole reply
 * arrived within `seconds`: it is the caller's to free, and its content is not to be trusted.
 * Else `why` says how the child ended: "crashed: Segmentation fault". */
bool xr_subprocess_run(double seconds, void (*work)(void *user, xr_reply *reply), void *user, xr_reply *reply,
                       char *why, size_t why_size);

#endif
