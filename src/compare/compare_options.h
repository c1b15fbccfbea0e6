/* Options of a comparison. */
#ifndef XR_COMPARE_OPTIONS_H
#define XR_COMPARE_OPTIONS_H

#include <stddef.h>

/* Called from time to time: `done` of `total` frames are compared. */
typedef void xr_progress_fn(void *user, size_t done, size_t total);

typedef struct xr_compare_options {
    xr_progress_fn *progress; /* NULL: none */
    void *user;
} xr_compare_options;

#endif
