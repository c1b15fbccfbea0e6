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
} xr_frame_facts;
/* Facts of all matched frames; the caller frees them.  NULL: no memory, or no frame. */
xr_frame_facts *xr_frame_facts_read(xr_page *page);

/* The input that the pictures show: the one that differs most; EXRAY_NO_INDEX: none. */
size_t xr_shown_input(const exray_comparison *comparison);

enum { XR_NOTABLE_MOST = 4 };
/* Picks the frames worth looking at, with the reason; returns their number, at most XR_NOTABLE_MOST. */
typedef struct xr_notable_frame {
    size_t frame;
    const char *why; /* a constant */
} xr_notable_frame;
size_t xr_pick_notable(const xr_frame_facts *facts, size_t count, xr_notable_frame out[XR_NOTABLE_MOST]);

/* "Frame 12, 12.jpg": of a matched frame, for a person; without the folders of its source. */
typedef char xr_frame_text[200];
const char *xr_frame_name(const xr_page *page, size_t frame, xr_frame_text buffer);

#endif
