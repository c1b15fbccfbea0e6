#include "checks/input/sound/sound_order.h"

#include "checks/input/sound/sound_math.h"
#include "checks/input/sound/sound_relation.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FRAMES = 256, SAMPLE = 1024 };
/* Most of the frames that differ have to be another one. */
#define MOSTLY 0.7

/* Whether the edge's frame is the reference's of the other, up to a gain. */
static bool is_frame(const xr_sound_frame *edge, const xr_sound_frame *reference)
{
    size_t n = edge->count < SAMPLE ? edge->count : SAMPLE, at = (edge->count - n) / 2;
    if (edge->count != reference->count || reference->silent || !(reference->energy[1] > 0))
        return false;
    xr_line part = xr_fit_line(edge->side[0] + at, reference->side[1] + at, n);
    return (part.deviation == 0 || part.rest < 0.05) &&
           xr_fit_line(edge->side[0], reference->side[1], edge->count).rest <= XR_SOUND_NOISE;
}

/* The place of the reference's frame that the edge's is, nearest first; the same place where there is none.
 */
static size_t place_of(const xr_sound_frames *frames, size_t i)
{
    size_t n = frames->count < MOST_FRAMES ? frames->count : MOST_FRAMES;
    for (size_t d = 1; d < n; d++) {
        if (i >= d && is_frame(&frames->list[i], &frames->list[i - d]))
            return i - d;
        if (i + d < n && is_frame(&frames->list[i], &frames->list[i + d]))
            return i + d;
    }
    return i;
}

bool xr_find_sound_order(const xr_sound_frames *frames, xr_sound_order *out)
{
    size_t n = frames->count < MOST_FRAMES ? frames->count : MOST_FRAMES, alike = 0, unknown = 0;
    *out = (xr_sound_order){0};
    for (size_t i = 0; i < n; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->equal || f->silent || is_frame(f, f))
            continue;
        out->differing++;
        size_t place = place_of(frames, i);
        unknown += place == i;
        if (place == i)
            continue;
        long by = (long)place - (long)i;
        if (out->supporting == 0)
            out->by = by;
        alike += by == out->by;
        out->supporting++;
        if (unknown > 8 && unknown > 4 * out->supporting)
            return false;
    }
    if (alike < MOSTLY * (double)out->supporting)
        out->by = 0;
    return out->supporting > 0 && (double)out->supporting >= MOSTLY * (double)out->differing;
}
