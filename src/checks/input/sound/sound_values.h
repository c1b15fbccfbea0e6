/* How the values of two sides that are brought together relate: gain, offset, limits, a gain that changes, a
 * curve, a band that one side lacks. */
#ifndef XR_SOUND_VALUES_H
#define XR_SOUND_VALUES_H

#include "checks/input/sound/sound_relation.h"

typedef enum xr_sound_values_kind {
    XR_SOUND_VALUES_UNKNOWN, /* no such relation explains them */
    XR_SOUND_VALUES_LINE,    /* gain and offset */
    XR_SOUND_VALUES_CLIPPED, /* a gain, and limits that the values do not exceed */
    XR_SOUND_VALUES_WRAPPED, /* a gain, and what exceeds 16 bits comes back at the other end */
    XR_SOUND_VALUES_FRAMES,  /* each frame has a gain of its own */
    XR_SOUND_VALUES_MOVING,  /* the gain changes within the frames */
    XR_SOUND_VALUES_CURVE,   /* each value is a function of the other side's: compressed, rectified */
    XR_SOUND_VALUES_BAND,    /* the gain is 1, and one side lacks what is above a frequency */
} xr_sound_values_kind;

typedef struct xr_sound_values {
    xr_sound_values_kind kind;
    double gain, offset;  /* y = gain x + offset; of the middle frame */
    double least, most;   /* gains */
    double limit[2];      /* that the clipped side does not exceed */
    int limited;          /* CLIPPED: 0: y is clipped, 1: x.  BAND: 0: y lacks the band */
    double clipped_share; /* of the clipped side's samples, in frames where there are any; WRAPPED: of y's */
    double cutoff;        /* BAND: of half of the rate, 0..1 */
    bool to_peak, to_loudness; /* FRAMES: each frame has the same peak, the same loudness on one side */
    double rest;               /* the variance that is left */
} xr_sound_values;

/* Lines and limits.  allowed: the variance that noise leaves. */
void xr_judge_sound_values(const xr_sound_segment *segments, size_t count, double allowed,
                           xr_sound_values *out);

/* A gain that moves within frames, and a curve: for what nothing else explains. */
bool xr_judge_sound_dynamics(const xr_sound_segment *segments, size_t count, double allowed,
                             xr_sound_values *out);

/* Whether one side lacks a band and is the other's below: sets BAND.  Of segments in which a line leaves some
 * of the variance. */
bool xr_judge_sound_band(const xr_sound_segment *segments, size_t count, xr_sound_values *out);

#endif
