/* How a detector's application numbers and orders its classes: the class of each box of its
 * results is compared with the model's own output of classes, row by row. */
#ifndef XR_BOX_LABELS_H
#define XR_BOX_LABELS_H

#include <exray/assertion.h>

typedef enum xr_box_label_state {
    XR_BOX_LABELS_UNKNOWN, /* no boxes, no output that determines their classes, or too few classes */
    XR_BOX_LABELS_OFFSET,  /* class = output - offset, for every box */
    XR_BOX_LABELS_PERMUTED /* one class for each value, but not by an offset */
} xr_box_label_state;

typedef struct xr_box_labels {
    xr_box_label_state state;
    int64_t offset;
    size_t classes, boxes, frames;
} xr_box_labels;

/* Reads one side.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_box_labels_make(const exray_comparison *comparison, exray_side side, xr_box_labels *out,
                                exray_error *error);

#endif
