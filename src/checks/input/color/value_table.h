/* A table of values: each value of the reference, of one channel, becomes one value of the edge's at the same
 * place, in all frames.  What a table is made of says what was done: a line that limits clip, a curve, a map
 * of colors. */
#ifndef XR_VALUE_TABLE_H
#define XR_VALUE_TABLE_H

#include "checks/input/fit/input_fit.h"

typedef enum xr_table_kind {
    XR_TABLE_NONE,
    XR_TABLE_CLIPPED, /* a line, and values at the ends of the edge's range */
    XR_TABLE_RISING,  /* a curve */
    XR_TABLE_OTHER,   /* it falls somewhere */
} xr_table_kind;

typedef struct xr_value_table {
    xr_table_kind kind;
    size_t channels, frames;
    double before, after; /* levels rms: by the best line of each channel, by the table */
    /* Of each channel: the line within the ends (CLIPPED), and three of the table's values. */
    double gain[XR_FIT_CHANNELS], offset[XR_FIT_CHANNELS];
    double at[XR_FIT_CHANNELS][3], value[XR_FIT_CHANNELS][3];
    double low, high;     /* of the edge's values */
    double clipped;       /* CLIPPED: share of the values at these ends */
    bool at_low, at_high; /* CLIPPED: which */
} xr_value_table;

/* False: values at other places have a part in it, or there are too few; or a line, or steps (fewer bits),
 * say it all. */
bool xr_find_value_table(const exray_comparison *comparison, const xr_input_fit *fit, xr_value_table *found);

#endif
