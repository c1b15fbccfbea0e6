/* How each frame's values follow from the reference's by a line of its own, or all of them by a curve. */
#ifndef XR_VALUE_LINES_H
#define XR_VALUE_LINES_H

#include "checks/input/fit/input_fit.h"

/* edge = gain reference + offset, of one frame. */
typedef struct xr_value_line {
    bool known; /* read, and neither side is one value */
    bool same;  /* the two sides are equal, to the level */
    double gain, offset;
    double rest;         /* share of the edge's variance that the line leaves */
    double edge[2];      /* least and largest value of the edge */
    double mean, spread; /* of the edge */
} xr_value_line;

enum { XR_ALL_CHANNELS = -1 };

/* A line for each matched frame, of one channel or of all together, to be freed; NULL: out of memory.  Behind
 * a frame whose line leaves more than `limit`, and that is not the same on both sides, no more are made. */
xr_value_line *xr_value_lines(const exray_comparison *comparison, const xr_input_fit *fit, int channel,
                              double limit);

enum { XR_CURVE_POINTS = 64 };

/* A curve that takes the reference's values to the edge's, the same in all frames and channels. */
typedef struct xr_tone_curve {
    double at[XR_CURVE_POINTS], value[XR_CURVE_POINTS]; /* the reference's value, the edge's */
    size_t points;
    double before, after; /* levels rms: by the best line, by the curve */
} xr_tone_curve;

/* False: no rising curve explains far more than a line does. */
bool xr_find_tone_curve(const exray_comparison *comparison, const xr_input_fit *fit, xr_tone_curve *found);

#endif
