/* How values were stored: scaled and then limited, in coarser steps, or cast to whole numbers. */
#ifndef XR_FIND_STORED_H
#define XR_FIND_STORED_H

#include "checks/input/fit/input_fit.h"

typedef enum xr_stored_kind {
    XR_STORED_ALIKE,
    XR_STORED_LIMITED, /* gain * reference + offset, within [low, high]; of one channel */
    XR_STORED_STEPS,   /* the reference's in coarser steps; of one channel */
    XR_STORED_CAST,    /* bytes divided by 255 and stored in bytes again */
} xr_stored_kind;

typedef struct xr_found_stored {
    xr_stored_kind kind;
    double gain, offset, low, high;
    double clipped; /* LIMITED: share of the values that the line puts beyond the limits */
    double step;    /* STEPS */
    size_t levels;  /* STEPS: values that the edge has */
    size_t frames;
    bool by_type; /* LIMITED: the limits are those of the edge's integers, by their scale and zero point */
} xr_found_stored;

/* False: none of these, for all of the frames that are looked at. */
bool xr_find_stored(const exray_comparison *comparison, const xr_input_fit *fit, xr_found_stored *found);

#endif
