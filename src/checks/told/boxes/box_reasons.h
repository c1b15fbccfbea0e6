/* Why boxes are missing or extra, and how classes and scores of the same boxes relate. */
#ifndef XR_BOX_REASONS_H
#define XR_BOX_REASONS_H

#include "checks/told/boxes/box_search.h"

typedef enum xr_box_reason {
    XR_REASON_UNKNOWN,
    XR_REASON_NONE_TOLD, /* one side tells no box in any frame */
    XR_REASON_SILENT,    /* no box in those frames */
    XR_REASON_MOST,      /* at most `most` a frame, the best */
    XR_REASON_THRESHOLD, /* scores of the others are below `high`, at `low` at most */
    XR_REASON_CLASSES,   /* classes that the side does not tell at all */
    XR_REASON_OVERLAP,   /* they overlap better boxes of other classes (missing), of their own (extra) */
    XR_REASON_REPEATED,  /* the same boxes, `most` times each */
} xr_box_reason;

typedef struct xr_box_sets {
    xr_box_reason reason;
    size_t boxes; /* missing, or extra */
    size_t most;
    double low, high;
    int64_t class; /* one of those that are not told */
    size_t classes;
} xr_box_sets;

/* Why the boxes that only `side` tells are told by it alone.  False: out of memory. */
bool xr_box_sets_judge(const xr_box_frames *frames, const xr_box_story *story, exray_side side,
                       xr_box_sets *out);

typedef enum xr_value_relation {
    XR_VALUES_OTHER,    /* by no rule known */
    XR_VALUES_CONSTANT, /* the edge's are all the same */
    XR_VALUES_OFFSET,   /* the reference's plus a constant */
    XR_VALUES_RENAMED,  /* one for each of the reference's */
    XR_VALUES_GAIN,     /* the reference's times a constant */
    XR_VALUES_INVERSE,  /* 1 minus the reference's */
    XR_VALUES_SQUARED,
    XR_VALUES_ROOT,
    XR_VALUES_SIGMOID,   /* a sigmoid of the reference's */
    XR_VALUES_EXCHANGED, /* class and score with each other */
} xr_value_relation;

typedef struct xr_box_values {
    xr_value_relation classes, scores;
    size_t pairs, other; /* boxes at one place; of those, with another class */
    size_t distinct;     /* classes of the reference */
    int64_t difference, constant;
    int64_t edge, reference; /* the first class that differs */
    double gain;
} xr_box_values;

/* How class and score of the pairs of the story relate.  False: out of memory. */
bool xr_box_values_judge(const xr_box_frames *frames, const xr_box_story *story, xr_box_values *out);

/* Whether a gain is a unit, such as percent. */
bool xr_is_unit(double gain);

#endif
