/* How many of the frames were compared, and what the logs say about the others. */
#ifndef XR_FRAME_COVERAGE_H
#define XR_FRAME_COVERAGE_H

#include <exray/assertion.h>

typedef struct xr_frame_coverage {
    exray_side larger; /* the log with more frames */
    size_t frames;     /* of that one */
    size_t matched;    /* of them, in the other log, too */
    size_t explained;  /* of the others: a log says why they are not in both */
    char why[800];     /* what it says, clauses; "" where nothing is explained */
    double share;      /* matched / (frames - explained) */
} xr_frame_coverage;

/* What a log says of frames that it has without their tensors: a filter, a flight recorder, a level. */
typedef struct xr_left_out {
    uint64_t nth, first; /* every Nth frame, the first N have theirs; 0: no such filter */
    size_t lowered; /* from this position on the level was another (/event); the number of frames: never */
    bool all;       /* a trigger or a later level decides which */
} xr_left_out;

void xr_left_out_of(const exray_log *log, xr_left_out *out);

/* Whether it says why the frame at a position has no tensors. */
bool xr_is_left_out(const xr_left_out *left, const exray_log *log, size_t frame);

void xr_frame_coverage_get(const exray_comparison *comparison, xr_frame_coverage *out);

/* log.coverage, where not all frames of the larger log were matched: a warning below `least`. */
void xr_report_frame_coverage(const xr_frame_coverage *coverage, double least, exray_findings *findings);

/* "4 of the 40 frames of the reference log are in the edge's", for a reason and a summary. */
void xr_frame_coverage_words(const xr_frame_coverage *coverage, char *text, size_t size);

#endif
