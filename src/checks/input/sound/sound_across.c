#include "checks/input/sound/sound_across.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 256, FARTHEST = 4, LEAST_PART = 64, PROBE = 48, MOST_SAMPLES = 1 << 22 };
/* Most of the frames that differ have to be so. */
#define MOSTLY 0.9

static bool same(float a, float b)
{
    return fabsf(a - b) <= 1e-6F * (fabsf(b) + 1e-3F * fabsf(a));
}

/* ---- Torn frames ---------------------------------------------------------------------------------- */

/* How many samples from the beginning (from the end) are another frame's, at their own places. */
static size_t alike(const float *a, const float *b, size_t n, bool from_end)
{
    size_t i = 0;
    while (i < n && (from_end ? same(a[n - 1 - i], b[n - 1 - i]) : same(a[i], b[i])))
        i++;
    return i;
}

static size_t loud_samples(const float *v, size_t n, double energy)
{
    size_t loud = 0;
    for (size_t i = 0; i < n; i++)
        loud += (double)v[i] * v[i] > 0.01 * energy;
    return loud;
}

/* What a frame says of a tear. */
typedef enum tear_answer { NOT_TORN, PERHAPS_TORN, TORN } tear_answer;

/* Whether frame i has its own samples on one side of a place, and those of frame i + by on the other; *at:
 * the place.  Perhaps: what is the other's is too quiet to tell. */
static tear_answer judge_tear(const xr_sound_frames *frames, size_t i, long by, bool own_first, size_t *at)
{
    const xr_sound_frame *f = &frames->list[i], *other = &frames->list[(size_t)((long)i + by)];
    const size_t n = f->count;
    if (other->count != n)
        return NOT_TORN;
    const size_t own = alike(f->side[0], f->side[1], n, !own_first),
                 rest = alike(f->side[0], other->side[1], n, own_first);
    if (own >= n || rest >= n || own + rest < n || own < LEAST_PART)
        return NOT_TORN;
    *at = own_first ? own : n - own;
    const float *part = own_first ? f->side[0] + own : f->side[0];
    return n - own >= LEAST_PART && loud_samples(part, n - own, f->energy[1]) > PROBE ? TORN : PERHAPS_TORN;
}

static bool find_torn(const xr_sound_frames *frames, long by, bool own_first, xr_sound_across *out)
{
    const long count = (long)frames->count < MOST_FRAMES ? (long)frames->count : MOST_FRAMES;
    size_t judged = 0;
    *out = (xr_sound_across){.torn = true, .own_first = own_first, .by = by, .least_at = SIZE_MAX};
    for (long i = 0; i < count; i++) {
        const xr_sound_frame *f = &frames->list[i];
        size_t at;
        if (f->equal || f->silent || i + by < 0 || i + by >= count)
            continue;
        const tear_answer found = judge_tear(frames, (size_t)i, by, own_first, &at);
        judged += found != PERHAPS_TORN;
        if (found == NOT_TORN && (double)(judged - out->supporting) > (1 - MOSTLY) * (double)count)
            return false;
        if (found != TORN)
            continue;
        out->supporting++;
        out->least_at = at < out->least_at ? at : out->least_at;
        out->most_at = at > out->most_at ? at : out->most_at;
    }
    out->differing = judged;
    return out->supporting > 0 && (double)out->supporting >= MOSTLY * (double)judged;
}

/* ---- Windows at another hop ----------------------------------------------------------------------- */

/* All frames of the reference, one behind the other. */
typedef struct stream {
    float *v;
    size_t count, length; /* samples; of a frame */
} stream;

static bool join(const xr_sound_frames *frames, stream *s)
{
    const size_t count = frames->count < MOST_FRAMES ? frames->count : MOST_FRAMES;
    s->length = frames->list[0].count;
    s->count = count * s->length;
    if (count < 3 || s->length < 4 * PROBE || s->count > MOST_SAMPLES ||
        !(s->v = malloc(s->count * sizeof *s->v)))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (frames->list[i].count != s->length)
            return false;
        memcpy(s->v + i * s->length, frames->list[i].side[1], s->length * sizeof *s->v);
    }
    return true;
}

static bool is_at(const stream *s, const float *window, size_t place)
{
    if (place + s->length > s->count)
        return false;
    for (size_t k = 0; k < s->length; k++)
        if (!same(window[k], s->v[place + k]))
            return false;
    return true;
}

/* The only place of the stream where the window is; false: there is none, or more. */
static bool find_place(const stream *s, const xr_sound_frame *f, size_t *place)
{
    size_t found = 0, probe = 0;
    for (size_t k = 1; k < f->count; k++) /* the loudest sample is the rarest */
        probe = fabsf(f->side[0][k]) > fabsf(f->side[0][probe]) ? k : probe;
    for (size_t i = probe; i + (s->length - probe) <= s->count && found < 2; i++)
        if (same(f->side[0][probe], s->v[i]) && is_at(s, f->side[0], i - probe))
            *place = i - probe, found++;
    return found == 1;
}

static bool find_hop(const xr_sound_frames *frames, xr_sound_across *out)
{
    stream s = {0};
    size_t first = 0, judged = 0;
    long first_place = 0;
    bool found = join(frames, &s);
    *out = (xr_sound_across){.length = found ? (long)s.length : 0};
    for (size_t i = 0; found && i < frames->count && i < MOST_FRAMES; i++) {
        const xr_sound_frame *f = &frames->list[i];
        size_t place;
        if (f->silent)
            continue;
        out->differing += !f->equal;
        /* Beyond the last of the reference's windows there is nothing to be found in. */
        if (out->hop && first_place + (long)(i - first) * out->hop + (long)s.length > (long)s.count)
            break;
        judged++;
        if (!find_place(&s, f, &place)) {
            found = false;
            break;
        }
        if (judged == 1)
            first = i, first_place = (long)place;
        else if (judged == 2)
            out->hop = ((long)place - first_place) / (long)(i - first);
        found = judged < 2 || (long)place == first_place + (long)(i - first) * out->hop;
        out->supporting++;
    }
    free(s.v);
    return found && out->supporting >= 3 && out->hop > 0 && out->hop % out->length != 0;
}

bool xr_find_sound_across(const xr_sound_frames *frames, xr_sound_across *out)
{
    for (long d = 1; d <= FARTHEST; d++)
        for (int way = 0; way < 4; way++)
            if (find_torn(frames, way & 1 ? d : -d, way < 2, out))
                return true;
    return find_hop(frames, out);
}
