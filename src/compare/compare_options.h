/* Options of a comparison. */
#ifndef XR_COMPARE_OPTIONS_H
#define XR_COMPARE_OPTIONS_H

#include <stddef.h>

/* Called from time to time: `done` of `total` frames are compared. */
typedef void xr_progress_fn(void *user, size_t done, size_t total);

typedef struct xr_compare_options {
    xr_progress_fn *progress; /* NULL: none */
    void *user;
    unsigned jobs; /* threads; 0: as many as there are processors.  The result does not depend on it */
} xr_compare_options;

#endif
