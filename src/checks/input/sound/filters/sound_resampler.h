/* Whether two sides are one sound behind two usual resamplers, whose low passes end differently. */
#ifndef XR_SOUND_RESAMPLER_H
#define XR_SOUND_RESAMPLER_H

#include "checks/input/sound/sound_relation.h"
#include "checks/input/sound/sound_sides.h"

typedef struct xr_sound_resamplers {
    double end;         /* of the band that both may have, of half of the model's rate: 0..1 */
    double same_up_to;  /* in that unit: both agree up to here, in amount and in phase */
    double half_at;     /* ... here one has half of the other's power; 0: nowhere */
    int poorer;         /* exray_side that has less near the end */
    double worst_gain;  /* the greatest difference of the gain from 1 below 2 / 3 of the end */
    double share;       /* the variance of the difference, of the reference's */
    double share_below; /* of the difference's variance, what is below 2 / 3 of the end */
} xr_sound_resamplers;

/* Segments of sides that are the same but for the end of the band: `y` of the edge, `x` of the reference. */
bool xr_find_sound_resamplers(const xr_sound_segment *segments, size_t count, const xr_sound_sides *sides,
                              xr_sound_resamplers *out);

/* Windows of a recording, of which one side resamples each by itself. */
typedef struct xr_sound_alone {
    int side;      /* the exray_side that hears silence around each window */
    double rate;   /* of both sides, Hz */
    size_t reach;  /* samples at each end that the filter mixes with what is around */
    double within; /* the share of the difference that lies there */
} xr_sound_alone;

/* false: the log does not prove it.  It does where one side's samples are those of the window in the log,
 * resampled with silence around it, and the two sides differ at the windows' ends alone. */
bool xr_find_sound_alone(const xr_sound_frames *frames, const xr_sound_sides *sides, xr_sound_alone *out);

#endif
