/* Whether one side's samples are the other's behind a filter: a short one, of up to XR_FILTER_TAPS samples.
 */
#ifndef XR_SOUND_FILTER_H
#define XR_SOUND_FILTER_H

#include "checks/input/sound/sound_relation.h"

enum { XR_FILTER_TAPS = 32, XR_FILTER_BEFORE = 8 };

typedef struct xr_sound_filter {
    int filtered;               /* exray_side: whose samples are behind it */
    double tap[XR_FILTER_TAPS]; /* tap[k] is that of the sample k - XR_FILTER_BEFORE before */
    double rest;                /* the variance that it leaves */
} xr_sound_filter;

/* Of segments that were brought together without a shift; allowed: the variance that noise leaves. */
bool xr_find_sound_filter(const xr_sound_segment *segments, size_t count, double allowed,
                          xr_sound_filter *out);

/* How much it passes at a frequency (of half of the rate, 0..1), in dB. */
double xr_filter_decibels(const xr_sound_filter *filter, double share);

/* a where it is y[i] = g (x[i] - a x[i - 1]), pre-emphasis; 0: it is another filter. */
double xr_filter_emphasis(const xr_sound_filter *filter);

#endif
