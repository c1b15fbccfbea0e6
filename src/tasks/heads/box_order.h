/* The order and the unit of a box's four numbers (the key output.boxes). */
#ifndef XR_BOX_ORDER_H
#define XR_BOX_ORDER_H

#include <exray/task.h>

typedef enum xr_box_unit { XR_BOX_UNSAID, XR_BOX_SHARES, XR_BOX_PIXELS } xr_box_unit;

typedef struct xr_box_order {
    bool y_first;
    bool sized;    /* the last two are the size; else the other corner */
    bool centered; /* the first two are the middle; else the first corner */
    xr_box_unit unit;
} xr_box_order;

/* Reads "ORDER [shares|pixels]", ORDER one of xyxy, yxyx, xywh, cxcywh, cycxhw; `standard` where the text is
 * NULL.  False: it is no such text. */
bool xr_box_order_read(const char *text, xr_box_order standard, xr_box_order *out);

/* The corners, in shares; width and height are those of the picture that the model takes, used where the unit
 * is pixels. */
exray_box xr_box_of(const xr_box_order *order, const float at[4], float width, float height);

#endif
