/* Whether one side's samples are the other's behind a long filter: a band pass of many poles, a room, an
 * echo. */
#ifndef XR_SOUND_RESPONSE_H
#define XR_SOUND_RESPONSE_H

#include "checks/input/sound/sound_relation.h"

enum { XR_RESPONSE_TAPS = 1024, XR_RESPONSE_BEFORE = 32 };

typedef struct xr_sound_response {
    int filtered;                 /* exray_side: whose samples are behind it */
    double tap[XR_RESPONSE_TAPS]; /* tap[k] is that of the sample k - XR_RESPONSE_BEFORE before */
    double rest;                  /* the variance that it leaves */
    long echo;                    /* it is the sound and one echo, so many samples later; 0: it is not */
    double echo_gain;
} xr_sound_response;

/* Of segments that were brought together without a shift; NULL: there is none, or memory is lacking.  Free it
 * with free. */
xr_sound_response *xr_find_sound_response(const xr_sound_segment *segments, size_t count);

/* How much it passes at a frequency (of half of the rate, 0..1), in dB. */
double xr_response_decibels(const xr_sound_response *response, double share);

#endif
