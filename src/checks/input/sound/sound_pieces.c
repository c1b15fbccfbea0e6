#include "checks/input/sound/sound_pieces.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAMES = 24,
    WINDOW = 48,         /* samples that have to agree where a piece begins */
    REACH = 8192,        /* how far a piece may have moved */
    MOST_PLACES = 400,   /* in a frame */
    MOST_SILENCE = 16384 /* that is passed over before a piece can be placed */
};
/* How far samples may differ, of the frame's loudness: copies, and what went through a resampler or a dither.
 */
static const double tolerances[] = {2e-4, 0.01};
#define SILENCE 4.0  /* tolerances: quieter samples tell nothing */
#define COVERED 0.95 /* of a frame's samples */

/* One frame being taken apart: e[i] is gain r[i + shift]. */
typedef struct sound_walk {
    const float *e, *r;
    size_t n;
    double gain, tolerance, silence;
    long shift;
    size_t at;
} sound_walk;

static bool agrees(const sound_walk *w, size_t i, long shift)
{
    long j = (long)i + shift;
    return j >= 0 && j < (long)w->n && fabs(w->e[i] - w->gain * w->r[j]) <= w->tolerance;
}

static bool is_loud(const sound_walk *w, size_t i)
{
    size_t loud = 0;
    for (size_t k = 0; k < WINDOW && i + k < w->n; k++)
        loud += fabs(w->e[i + k]) > w->silence;
    return loud > WINDOW / 4;
}

static bool window_agrees(const sound_walk *w, size_t i, long shift)
{
    if (i + WINDOW > w->n)
        return false;
    size_t wrong = 0;
    for (size_t k = 0; k < WINDOW; k++)
        if (!agrees(w, i + k, shift) && ++wrong > 1)
            return false;
    return true;
}

/* The nearest shift at which the window at i agrees. */
static bool find_shift(const sound_walk *w, size_t i, long *shift)
{
    for (long d = 0; d <= REACH; d++)
        for (int sign = 0; sign < (d ? 2 : 1); sign++) {
            long s = w->shift + (sign ? -d : d);
            if ((long)i + s >= 0 && (long)i + s + WINDOW <= (long)w->n && window_agrees(w, i, s)) {
                *shift = s;
                return true;
            }
        }
    return false;
}

/* The first sample that does not agree, and is not one alone. */
static size_t end_of_piece(const sound_walk *w)
{
    size_t i = w->at;
    for (; i < w->n; i++) {
        if (agrees(w, i, w->shift))
            continue;
        size_t wrong = 0, seen = 0;
        for (size_t k = i; k < w->n && k < i + 12; k++, seen++)
            wrong += !agrees(w, k, w->shift);
        if (2 * wrong >= seen)
            return i;
    }
    return i;
}

static size_t zeros_from(const sound_walk *w, size_t i)
{
    size_t k = i;
    while (k < w->n && w->e[k] == 0)
        k++;
    return k - i;
}

static void note(xr_sound_pieces *out, int kind, size_t samples)
{
    size_t *counts[3] = {&out->lost, &out->repeated, &out->zeroed};
    ++*counts[kind];
    if (*counts[kind] == 1 || samples < out->least[kind])
        out->least[kind] = samples;
    if (samples > out->most[kind])
        out->most[kind] = samples;
}

typedef struct places {
    size_t at[MOST_PLACES]; /* in the reference */
    size_t count;
    size_t passed; /* samples that are too quiet to be placed */
} places;

/* Goes on behind a place where the pieces do not agree; false: there is no such piece. */
static bool pass_gap(sound_walk *w, xr_sound_pieces *out, places *p)
{
    size_t zeros = zeros_from(w, w->at);
    if (zeros >= 8 && w->at + zeros < w->n && window_agrees(w, w->at + zeros, w->shift)) {
        note(out, 2, zeros);
        p->at[p->count++] = w->at;
        w->at += zeros;
        return true;
    }
    /* The join may be smeared over a few samples; a silent beginning tells nothing. */
    for (size_t skip = 0; skip < MOST_SILENCE && w->at + skip + WINDOW <= w->n; skip += skip < 8 ? 1 : 8) {
        size_t i = w->at + skip;
        long shift;
        if (!is_loud(w, i))
            continue;
        if (find_shift(w, i, &shift)) {
            if (shift != w->shift) {
                note(out, shift > w->shift ? 0 : 1, (size_t)labs(shift - w->shift));
                p->at[p->count++] = (size_t)((long)w->at + w->shift);
            }
            p->passed += skip;
            w->shift = shift;
            w->at = i;
            return true;
        }
        if (skip > 64)
            return false;
    }
    return false;
}

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* From one place to the next, where most are as far apart: in silence some are missed. */
static size_t even_spacing(const places *p)
{
    size_t steps[MOST_PLACES], count = 0, alike = 0;
    for (size_t i = 1; i < p->count; i++)
        steps[count++] = p->at[i] > p->at[i - 1] ? p->at[i] - p->at[i - 1] : 0;
    if (count < 2)
        return 0;
    qsort(steps, count, sizeof *steps, ascending);
    size_t middle = steps[count / 2];
    for (size_t i = 0; i < count; i++)
        alike += steps[i] + middle / 16 >= middle && steps[i] <= middle + middle / 16;
    return 3 * alike >= 2 * count ? middle : 0;
}

static bool take_apart(const xr_sound_frame *f, double gain, double tolerance, xr_sound_pieces *out,
                       places *p)
{
    double loud = sqrt(f->energy[0]);
    sound_walk w = {.e = f->side[0],
                    .r = f->side[1],
                    .n = f->count,
                    .gain = gain,
                    .tolerance = tolerance * loud,
                    .silence = SILENCE * tolerance * loud};
    size_t covered = 0;
    *p = (places){.count = 0};
    for (;;) {
        size_t end = end_of_piece(&w);
        covered += end - w.at;
        w.at = end;
        /* The reference's samples, or the edge's, end. */
        if (end >= f->count || (long)end + w.shift >= (long)f->count ||
            zeros_from(&w, end) == f->count - end) {
            covered += f->count - end;
            /* Nothing else is wrong: what is not filled, and no end of what lost samples make shorter. */
            if (p->count == 0 && f->count - end >= WINDOW && zeros_from(&w, end) == f->count - end) {
                note(out, 2, f->count - end);
                p->at[p->count++] = end;
                out->unfilled++;
            }
            break;
        }
        if (p->count >= MOST_PLACES)
            return false;
        size_t before = w.at;
        if (!pass_gap(&w, out, p)) {
            if (f->count - end > f->count / 50)
                return false;
            break;
        }
        covered += w.at > before && zeros_from(&w, before) ? w.at - before : 0;
    }
    return p->count > 0 && (double)(covered + p->passed) >= COVERED * (double)f->count;
}

/* The gain of a piece: of those that lie whole between two places. */
static double piece_gain(const xr_sound_frame *f)
{
    enum { LENGTH = 512, TRIES = 8 };
    double loud = sqrt(f->energy[0]), best = 0.9, gain = 1;
    size_t at = 0;
    for (int i = 0; i < TRIES && best < 0.9999; i++) {
        while (at < f->count && fabs(f->side[0][at]) < loud / 2)
            at++;
        size_t n = f->count - at < LENGTH ? f->count - at : LENGTH;
        /* Where a piece may have moved to. */
        const size_t first = at > REACH ? at - REACH : 0;
        const size_t room = (at + n + REACH < f->count ? at + n + REACH : f->count) - first;
        const float *x = f->side[1] + first;
        xr_lag lag;
        if (n < 64)
            break;
        if (xr_find_lag(f->side[0] + at, n, x, room, room, &lag) && lag.share > best && lag.shift >= 0 &&
            (size_t)lag.shift + n <= room) {
            best = lag.share;
            gain = xr_fit_line(f->side[0] + at, x + lag.shift, n).gain;
        }
        at += LENGTH * 5 / 4;
    }
    return gain;
}

/* By copies first, then by what is only near, each at the gain that the frames before have or its own. */
static bool take_frame(const xr_sound_frame *f, xr_sound_pieces *out, places *p)
{
    const xr_sound_pieces before = *out;
    double gains[2] = {out->gain, out->frames ? out->gain : piece_gain(f)};
    for (size_t t = 0; t < sizeof tolerances / sizeof *tolerances; t++)
        for (size_t g = 0; g < 2; g++) {
            if (g && gains[1] == gains[0])
                continue;
            *out = before;
            out->gain = gains[g];
            if (take_apart(f, gains[g], tolerances[t], out, p))
                return true;
        }
    *out = before;
    return false;
}

bool xr_find_sound_pieces(const xr_sound_frames *frames, xr_sound_pieces *out)
{
    places *p = malloc(sizeof *p);
    bool found = p != NULL;
    *out = (xr_sound_pieces){.gain = 1};
    for (size_t i = 0; found && i < frames->count && out->frames < MOST_FRAMES; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->equal || f->silent)
            continue;
        found = take_frame(f, out, p);
        size_t spacing = found ? even_spacing(p) : 0;
        out->spacing = out->frames == 0 || (spacing && !out->spacing) ? spacing : out->spacing;
        out->frames += found;
    }
    free(p);
    return found && out->frames > 0;
}
