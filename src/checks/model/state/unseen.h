/* States of two logs that differ where a log lacks what came before: of every Nth frame, say. */
#ifndef XR_UNSEEN_H
#define XR_UNSEEN_H

#include "checks/model/state/loops.h"

typedef struct xr_unseen {
    bool *in; /* [matched frames] in which the states differ beyond noise */
    size_t count, first;
    int zeros;   /* the side whose state is zeros in the first of them; 2: neither's */
    bool *reset; /* [matched frames] those of them in which that side's is zeros */
} xr_unseen;

/* Where the first frame in which the states differ has, on one side at least, no record of what the frame
 * before left, so that no link tells whether it was carried on.  `count` 0: it is not so.  False: out of
 * memory. */
bool xr_unseen_find(const exray_comparison *comparison, const xr_loop *loop, xr_unseen *out);
void xr_unseen_free(xr_unseen *unseen);

#endif
