/* The classes that both sides told, frame by frame. */
#ifndef XR_CLASS_LISTS_H
#define XR_CLASS_LISTS_H

#include "checks/told/comparable_frames.h"

enum { XR_CLASSES_COMPARED = 16 }; /* of a list */

typedef struct xr_class_list {
    int64_t id[XR_CLASSES_COMPARED];
    double score[XR_CLASSES_COMPARED];
    size_t count;
} xr_class_list;

typedef struct xr_class_frame {
    size_t frame; /* of the comparison */
    bool noisy;   /* the best value of the outputs is another on the two sides, or is not known */
    bool exact;
    bool differs;          /* beyond ties, as far as both lists go; or one is empty */
    xr_class_list list[2]; /* by exray_side */
} xr_class_frame;

typedef struct xr_class_frames {
    xr_class_frame *frame;
    size_t count;
    size_t differ;
} xr_class_frames;

/* Reads the frames in which both sides must tell the same.  Anything but EXRAY_OK is an error; free in any
 * case. */
exray_status xr_class_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  xr_class_frames *out, exray_error *error);
void xr_class_frames_free(xr_class_frames *frames);

/* Whether two lists name the same classes in the same order, as far as both go. */
bool xr_same_classes(const xr_class_list *a, const xr_class_list *b);

#endif
