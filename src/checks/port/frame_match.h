/* Whether the edge's frames have an output that the reference has in another frame. */
#ifndef XR_FRAME_MATCH_H
#define XR_FRAME_MATCH_H

#include <exray/assertion.h>

typedef struct xr_frame_match {
    bool explains;  /* every frame that differs has the output of another one */
    size_t *source; /* [frame_count]: the matched frame whose output it has; its own where that is so, or
                       where it says nothing */
    size_t frame_count;
    size_t moved;     /* frames with another's output */
    size_t unknown;   /* at the beginning: of frames before the first */
    size_t after;     /* at the end: of frames behind the last */
    bool late, early; /* all of them: by one frame */
    bool same_lag;    /* by the same number of frames */
    long lag;         /* then: how many frames late */
    bool torn; /* a part of it alone is the other frame's; the parts of all begin, or end, the output: */
    bool torn_first; /* it begins it */
    double share;    /* which share of the output is the other's, at most */
} xr_frame_match;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading; free in any case. */
exray_status xr_frame_match_make(const exray_comparison *comparison, size_t pair, xr_frame_match *out,
                                 exray_error *error);
void xr_frame_match_free(xr_frame_match *match);

#endif
