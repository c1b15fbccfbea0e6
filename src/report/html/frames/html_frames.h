/* What is known of each matched frame, and which of them the page shows. */
#ifndef XR_HTML_FRAMES_H
#define XR_HTML_FRAMES_H

#include "compare/judge/decisions.h"
#include "report/html/page.h"

/* What is known of one matched frame. */
typedef struct xr_frame_facts {
    double apart; /* difference of the inputs: rmse over the range of the reference's values; NAN: unknown */
    bool decided; /* both sides */
    xr_decision decision;
    bool told;         /* by one side or both */
    bool told_differs; /* something of it */
} xr_frame_facts;
/* Facts of all matched frames; the caller frees them.  NULL: no memory, or no frame. */
xr_frame_facts *xr_frame_facts_read(xr_page *page);

/* The input that the pictures show: the one that differs most; EXRAY_NO_INDEX: none. */
size_t xr_shown_input(const exray_comparison *comparison);

/* Whether anything that the page shows of a frame differs between the sides, beyond noise. */
bool xr_frame_differs(const xr_frame_facts *facts);

enum { XR_NOTABLE_MOST = 4, XR_FRAMES_MOST = 60 };
/* A frame that the page shows. */
typedef struct xr_shown_frame {
    size_t frame;
    const char *why; /* a constant: why it is worth looking at; NULL: it is one of the others */
} xr_shown_frame;
/* Picks frames in their order: all where there are few; else the notable ones, others that differ, and of the
 * rest some that are evenly spaced.  *first: the position in `out` of the most notable one.  Returns their
 * number, at most XR_FRAMES_MOST. */
size_t xr_pick_frames(const xr_frame_facts *facts, size_t count, xr_shown_frame out[XR_FRAMES_MOST],
                      size_t *first);

/* "Frame 12, 12.jpg": of a matched frame, for a person; without the folders of its source. */
typedef char xr_frame_text[200];
const char *xr_frame_name(const xr_page *page, size_t frame, xr_frame_text buffer);

#endif
