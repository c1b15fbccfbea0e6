/* The mean average precision of boxes, as COCO defines it. */
#ifndef XR_AVERAGE_PRECISION_H
#define XR_AVERAGE_PRECISION_H

#include <exray/task.h>

/* A class that a frame's truth has. */
typedef struct xr_precision_class {
    int64_t id;
    uint64_t boxes; /* that must be found: those of no crowd */
} xr_precision_class;

/* What was told of a class: each box with its score, and at which of the thresholds of the overlap it found
 * something (a bit each), or only what does not count. */
typedef struct xr_precision_box {
    int64_t id;
    float score;
    uint16_t found, ignored;
    uint64_t order; /* in which it came: of boxes with one score the earlier is the surer */
} xr_precision_box;

typedef struct xr_precision {
    xr_precision_box *box;     /* [count] */
    xr_precision_class *class; /* [classes] */
    size_t count, room, classes, class_room;
    uint64_t frames;
    bool failed; /* out of memory: nothing can be said */
} xr_precision;

/* Adds a frame: of what was told the 100 surest boxes of each class, and the boxes of the other side: the
 * truth, or of boxes with scores those of at least 0.5. */
void xr_precision_add(xr_precision *precision, const exray_result *told, const exray_result *other);
/* The mean over the classes that have boxes to be found of the precision at 101 recalls; *map50 at an overlap
 * of one half, *map the mean over 0.5, 0.55, ... 0.95.  NAN: there is no such class. */
void xr_precision_mean(const xr_precision *precision, double *map50, double *map);
void xr_precision_clear(xr_precision *precision);

#endif
