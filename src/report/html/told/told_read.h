/* What both sides told of a frame, and the truth. */
#ifndef XR_TOLD_READ_H
#define XR_TOLD_READ_H

#include "report/html/page.h"

typedef struct xr_told_frame {
    exray_result side[2]; /* by exray_side */
    bool has[2];
    bool decided; /* not recorded as told: what the outputs mean */
    exray_result truth;
    bool has_truth;
} xr_told_frame;

/* Reads a matched frame.  It lives in the page's slots until their next use.  False: neither side told
 * anything, and the outputs tell nothing. */
bool xr_told_read(xr_page *page, size_t frame, xr_told_frame *out);

#endif
