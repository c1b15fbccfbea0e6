/* How the edge's lists of classes follow from the reference's. */
#ifndef XR_CLASS_SEARCH_H
#define XR_CLASS_SEARCH_H

#include "checks/told/classes/class_lists.h"

typedef enum xr_class_way {
    XR_CLASSES_SAME,
    XR_CLASSES_NONE,     /* the edge tells none */
    XR_CLASSES_ADDED,    /* the edge alone tells some */
    XR_CLASSES_REVERSED, /* the worst first */
    XR_CLASSES_CONSTANT, /* always the same best class */
    XR_CLASSES_LATE,     /* of the frame `lag` before */
    XR_CLASSES_OFFSET,   /* a constant number of classes: another cause's */
    XR_CLASSES_RENAMED,  /* another class for each, always the same */
    XR_CLASSES_REST,     /* the best is the same, the others are not the next best */
    XR_CLASSES_SCALED,   /* the same classes, scores times `gain` */
    XR_CLASSES_INVERSE,  /* ... 1 minus the reference's */
    XR_CLASSES_SCORES,   /* ... other scores, in some frames alone */
    XR_CLASSES_UNKNOWN,
} xr_class_way;

typedef struct xr_class_story {
    xr_class_way way;
    long lag;
    double gain;
    size_t listed;    /* classes of a list that were compared, at most */
    bool rest_always; /* the others are the same in all frames */
    bool some;        /* scores are others in those frames alone that differ */
} xr_class_story;

/* follow: both sides' classes are known to be the best of their own outputs; scores alone are compared. Where
 * these are others in some frames alone, `differs` of the frames says in which. */
xr_class_story xr_class_search(xr_class_frames *frames, bool follow);

#endif
