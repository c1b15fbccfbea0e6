#include "checks/input/sound/sound_wrap.h"

#include <math.h>

/* So many samples wrap at least. */
enum { LEAST_WRAPPED = 16 };
/* The quiet samples that a gain is found by: from this part of the greatest down, by halves. */
#define FIRST_PART 0.5
enum { HALVES = 10, TURNS = 6 };
/* What a gain and wrapping may leave of the variance, and of a first guess by quiet samples. */
#define LEFT  1e-3
#define GUESS 0.01
/* By 256 it would be the order of the two bytes. */
#define LEAST_GAIN 1.02
#define MOST_GAIN  128

/* The range that y wraps in, of 16 bits in a usual unit; 0: it does not fill one. */
static double range_of(const xr_sound_segment *segments, size_t count, double *greatest)
{
    static const double units[] = {1, 32768};
    double most = 0;
    *greatest = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < segments[k].count; i++) {
            most = fmax(most, fabs(segments[k].y[i]));
            *greatest = fmax(*greatest, fabs(segments[k].x[i]));
        }
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (most > 0.95 * units[u] && most <= units[u])
            return 2 * units[u];
    return 0;
}

typedef struct wrap_fit {
    double gain, rest, wrapped, used, all;
} wrap_fit;

/* The gain through 0 of the samples whose x is no more than `limit`, each y moved by as many ranges as a
 * first gain asks for. */
static wrap_fit fit(const xr_sound_segment *segments, size_t count, double limit, double range, double gain)
{
    wrap_fit out = {.rest = 1};
    double xx = 0, xy = 0, yy = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < segments[k].count; i++) {
            double x = segments[k].x[i], y = segments[k].y[i];
            out.all++;
            if (fabs(x) > limit)
                continue;
            double turns = round((gain * x - y) / range);
            y += turns * range;
            out.wrapped += turns != 0, out.used++;
            xx += x * x, xy += x * y, yy += y * y;
        }
    if (xx > 0 && yy > 0) {
        out.gain = xy / xx;
        out.rest = fmax(0, 1 - xy * xy / (xx * yy));
    }
    return out;
}

bool xr_judge_sound_wrapping(const xr_sound_segment *segments, size_t count, xr_sound_values *out)
{
    double greatest, range = range_of(segments, count, &greatest);
    if (!(range > 0) || !(greatest > 0))
        return false;
    for (int half = 0; half < HALVES; half++) {
        double limit = greatest * FIRST_PART * pow(2, -half);
        /* No more than a little of those wraps, which then shows: nothing is moved by a gain of 0 within
         * half a range. */
        wrap_fit now = fit(segments, count, limit, range, 0);
        if (now.used < 64 || now.rest > GUESS)
            continue;
        /* Louder ones step by step, each with the gain of those before. */
        for (int up = half; up >= -1; up--)
            for (int turn = 0; turn < TURNS && now.rest <= GUESS; turn++)
                now = fit(segments, count, greatest * FIRST_PART * pow(2, -up), range, now.gain);
        if (now.rest > LEFT || now.wrapped < LEAST_WRAPPED || fabs(now.gain) < LEAST_GAIN ||
            fabs(now.gain) > MOST_GAIN)
            continue;
        out->kind = XR_SOUND_VALUES_WRAPPED;
        out->gain = out->least = out->most = now.gain;
        out->offset = 0;
        out->clipped_share = now.wrapped / now.all;
        out->rest = now.rest;
        return true;
    }
    return false;
}

/* ---- Fewer bits ----------------------------------------------------------------------------------- */

/* The least distance of samples that follow each other, of all frames; 0: they never differ. */
static double least_step(const xr_sound_frames *frames, int side)
{
    double least = 0;
    for (size_t i = 0; i < frames->count; i++)
        for (size_t k = 1; k < frames->list[i].count; k++) {
            const double d = fabs((double)frames->list[i].side[side][k] - frames->list[i].side[side][k - 1]);
            if (d > 0 && (least == 0 || d < least))
                least = d;
        }
    return least;
}

static bool is_whole(double v, double step)
{
    return fabs(v / step - round(v / step)) < 0.02;
}

static bool lies_in_steps(const xr_sound_frames *frames, int coarse, const double steps[2],
                          xr_sound_steps *out)
{
    enum { LEAST_BETWEEN = 4, MOST_BITS = 4096 };
    const double step = steps[coarse];
    double between = 0, all = 0, rest = 0, energy = 0;
    for (size_t i = 0; i < frames->count && step > 0; i++) {
        const xr_sound_frame *f = &frames->list[i];
        for (size_t k = 0; k < f->count && !f->equal; k++) {
            const double y = f->side[coarse][k], x = f->side[!coarse][k];
            /* The end of the range may be a step short: 127 for 128. */
            if (!is_whole(y, step) || fabs(y - x) > 1.01 * step || fabs(y) > MOST_BITS * step)
                return false;
            between += !is_whole(x, step), all++;
            rest += (y - x) * (y - x), energy += x * x;
        }
    }
    *out = (xr_sound_steps){.coarse = coarse, .step = step, .rest = energy > 0 ? rest / energy : 0};
    return all > 0 && between > all / LEAST_BETWEEN && steps[!coarse] < step / LEAST_BETWEEN;
}

bool xr_find_sound_steps(const xr_sound_frames *frames, xr_sound_steps *out)
{
    bool differ = false;
    for (size_t i = 0; i < frames->count && !differ; i++)
        differ = !frames->list[i].equal;
    if (!differ)
        return false;
    const double steps[2] = {least_step(frames, 0), least_step(frames, 1)};
    return lies_in_steps(frames, EXRAY_SIDE_EDGE, steps, out) ||
           lies_in_steps(frames, EXRAY_SIDE_REFERENCE, steps, out);
}
