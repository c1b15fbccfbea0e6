/* Whether one side's samples are the other's behind a filter: a short one, of up to XR_FILTER_TAPS samples,
 * or one with feedback, of up to XR_FILTER_ORDER samples. */
#ifndef XR_SOUND_FILTER_H
#define XR_SOUND_FILTER_H

#include "checks/input/sound/sound_relation.h"

enum { XR_FILTER_TAPS = 32, XR_FILTER_BEFORE = 8, XR_FILTER_ORDER = 4, XR_FILTER_SEGMENTS = 8 };

typedef struct xr_sound_filter {
    int filtered;               /* exray_side: whose samples are behind it */
    double tap[XR_FILTER_TAPS]; /* tap[k] is that of the sample k - XR_FILTER_BEFORE before */
    double rest;                /* the variance that it leaves */
    /* With feedback (order > 0) instead of taps: y[i] is the sum of forward[k] x[i - k] less that of
     * back[k] y[i - 1 - k]. */
    size_t order;
    double forward[XR_FILTER_ORDER + 1], back[XR_FILTER_ORDER];
} xr_sound_filter;

/* What filters are searched by: of the first segments (XR_FILTER_SEGMENTS at most; how many) the loudest
 * stretch of so many samples as tell a filter, as a part of each: nothing to be freed. */
size_t xr_filter_parts(const xr_sound_segment *segments, size_t count, xr_sound_segment *parts);

/* Of segments that were brought together without a shift; allowed: the variance that noise leaves. */
bool xr_find_sound_filter(const xr_sound_segment *segments, size_t count, double allowed,
                          xr_sound_filter *out);

/* The same of one with feedback: a high pass, a blocker of an offset, an equalizer. */
bool xr_find_recursive_filter(const xr_sound_segment *segments, size_t count, double allowed,
                              xr_sound_filter *out);

/* How much it passes at a frequency (of half of the rate, 0..1), in dB. */
double xr_filter_decibels(const xr_sound_filter *filter, double share);

/* a where it is y[i] = g (x[i] - a x[i - 1]), pre-emphasis; 0: it is another filter. */
double xr_filter_emphasis(const xr_sound_filter *filter);

#endif
