#include "checks/input/sound/sound_values.h"

#include "checks/ascending.h"
#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>

/* Gains of frames are one where they differ by no more. */
#define SAME_GAIN 0.02
/* Of the clipped side, this many samples are at a limit at least; of the others this share has to be left. */
enum { LEAST_CLIPPED = 8 };
#define LEAST_INSIDE 0.2
/* What is more than a line has to leave so much less. */
#define MUCH_BETTER 5

static double middle(double *values, size_t count)
{
    qsort(values, count, sizeof *values, xr_ascending_doubles);
    return count ? values[count / 2] : NAN;
}

/* ---- Lines ------------------------------------------------------------------------------------------ */

/* Frames that are so quiet that they show no gain are left out: those of no more than this deviation. */
static double inaudible(const xr_line *lines, size_t count)
{
    double loudest = 0;
    for (size_t k = 0; k < count; k++)
        loudest = fmax(loudest, lines[k].deviation);
    return 1e-2 * loudest;
}

static double peak(const float *v, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(v[i]));
    return most;
}

static double loudness(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum / (double)n);
}

static bool is_even(double (*measure)(const float *, size_t), const xr_sound_segment *segments, size_t count,
                    bool of_y)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < count; i++) {
        double now = measure(of_y ? segments[i].y : segments[i].x, segments[i].count);
        least = fmin(least, now), most = fmax(most, now);
    }
    return count > 1 && most < 1.05 * least;
}

/* All frames by lines: one, or each frame's own. */
static bool judge_lines(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_values *out)
{
    xr_line *lines = malloc((count + 1) * sizeof *lines);
    double *gains = malloc(3 * (count + 1) * sizeof *gains);
    size_t used = 0;
    double *offsets = gains ? gains + count : NULL, *rests = gains ? gains + 2 * count : NULL;
    for (size_t i = 0; lines && i < count; i++)
        lines[i] = xr_fit_line(segments[i].y, segments[i].x, segments[i].count);
    bool explained = lines && gains && count > 0;
    const double quiet = explained ? inaudible(lines, count) : 0;
    for (size_t i = 0; explained && i < count; i++) {
        if (!(lines[i].deviation > quiet))
            continue;
        gains[used] = lines[i].gain, offsets[used] = lines[i].offset, rests[used] = lines[i].rest;
        used++;
    }
    if (explained && used) {
        out->rest = middle(rests, used);
        explained = rests[used - 1] <= allowed;
        out->gain = middle(gains, used);
        out->offset = middle(offsets, used);
        out->least = gains[0], out->most = gains[used - 1];
        double spread = fmax(fabs(out->least), fabs(out->most));
        out->kind =
            out->most - out->least > SAME_GAIN * spread ? XR_SOUND_VALUES_FRAMES : XR_SOUND_VALUES_LINE;
    }
    if (explained && out->kind == XR_SOUND_VALUES_FRAMES) {
        out->to_peak = is_even(peak, segments, count, true) != is_even(peak, segments, count, false);
        out->to_loudness =
            is_even(loudness, segments, count, true) != is_even(loudness, segments, count, false);
    }
    free(lines);
    free(gains);
    if (!(explained && used))
        out->kind = XR_SOUND_VALUES_UNKNOWN;
    return explained && used;
}

/* ---- Limits ------------------------------------------------------------------------------------------- */

/* The limits of all frames' values: the greatest and the least. */
static void limits_of(const xr_sound_segment *segments, size_t count, bool of_y, double limit[2])
{
    limit[0] = INFINITY, limit[1] = -INFINITY;
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < segments[s].count; i++) {
            double v = of_y ? segments[s].y[i] : segments[s].x[i];
            limit[0] = fmin(limit[0], v), limit[1] = fmax(limit[1], v);
        }
}

typedef struct clip_sums {
    double n, c, f, cc, ff, cf; /* of the samples between the limits: the clipped side, the free one */
    double at_limit, all;
} clip_sums;

static bool is_at_limit(double v, const double limit[2])
{
    double near = 1e-4 * (limit[1] - limit[0]);
    return v <= limit[0] + near || v >= limit[1] - near;
}

static clip_sums sums_inside(const xr_sound_segment *segments, size_t count, bool of_y, const double limit[2])
{
    clip_sums s = {0};
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < segments[k].count; i++) {
            double c = of_y ? segments[k].y[i] : segments[k].x[i],
                   f = of_y ? segments[k].x[i] : segments[k].y[i];
            s.all++;
            if (is_at_limit(c, limit)) {
                s.at_limit++;
                continue;
            }
            s.n++, s.c += c, s.f += f, s.cc += c * c, s.ff += f * f, s.cf += c * f;
        }
    return s;
}

/* How much is left where the free side goes through the gain and the limits. */
static double clipped_rest(const xr_sound_segment *segments, size_t count, bool of_y, const double limit[2],
                           double gain, double offset)
{
    double rest = 0, all = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < segments[k].count; i++) {
            double c = of_y ? segments[k].y[i] : segments[k].x[i],
                   f = of_y ? segments[k].x[i] : segments[k].y[i];
            double made = fmin(limit[1], fmax(limit[0], gain * f + offset));
            rest += (c - made) * (c - made), all += c * c;
        }
    return all > 0 ? rest / all : 1;
}

static bool judge_clipping(const xr_sound_segment *segments, size_t count, double allowed,
                           xr_sound_values *out)
{
    for (int side = 0; side < 2; side++) {
        double limit[2];
        bool of_y = side == 0;
        limits_of(segments, count, of_y, limit);
        if (!(limit[1] > limit[0]))
            continue;
        clip_sums s = sums_inside(segments, count, of_y, limit);
        if (s.at_limit < LEAST_CLIPPED || s.n < LEAST_INSIDE * s.all || s.n < 2)
            continue;
        double var = s.ff - s.f * s.f / s.n, gain = var > 0 ? (s.cf - s.c * s.f / s.n) / var : 0;
        double offset = (s.c - gain * s.f) / s.n;
        double rest = clipped_rest(segments, count, of_y, limit, gain, offset);
        if (rest > fmax(allowed, 1e-3) || gain == 0)
            continue;
        out->kind = XR_SOUND_VALUES_CLIPPED;
        out->limited = side;
        out->gain = of_y ? gain : 1 / gain;
        out->offset = of_y ? offset : -offset / gain;
        out->least = out->most = out->gain;
        out->limit[0] = limit[0], out->limit[1] = limit[1];
        out->clipped_share = s.at_limit / s.all;
        out->rest = rest;
        return true;
    }
    return false;
}

/* ---- A gain that moves ----------------------------------------------------------------------------------
 */

/* A gain that moves less is none. */
#define LEAST_MOVE 1.4

/* Short pieces by a gain each: what is left of them all together. */
static bool judge_moving(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_values *out)
{
    enum { PIECE = 128 };
    double rest = 0, all = 0, least = INFINITY, most = -INFINITY, loudest = 0;
    for (size_t k = 0; k < count; k++)
        loudest = fmax(loudest, loudness(segments[k].x, segments[k].count));
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i + PIECE <= segments[k].count; i += PIECE) {
            const float *y = segments[k].y + i, *x = segments[k].x + i;
            double xx = 0, yy = 0, xy = 0;
            for (size_t j = 0; j < PIECE; j++)
                xx += (double)x[j] * x[j], yy += (double)y[j] * y[j], xy += (double)x[j] * y[j];
            all += yy;
            if (xx <= 0) {
                rest += yy;
                continue;
            }
            rest += fmax(0, yy - xy * xy / xx);
            if (sqrt(xx / PIECE) > 0.3 * loudest)
                least = fmin(least, xy / xx), most = fmax(most, xy / xx);
        }
    double share = all > 0 ? rest / all : 1;
    if (share > fmax(10 * allowed, 0.01) || least <= 0 || !(most > LEAST_MOVE * least))
        return false;
    out->kind = XR_SOUND_VALUES_MOVING;
    out->least = least, out->most = most, out->gain = sqrt(least * most);
    out->rest = share;
    return true;
}

/* ---- A curve --------------------------------------------------------------------------------------------
 */

/* Each value by the mean of those whose counterparts are as large. */
static bool judge_curve(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_values *out)
{
    enum { BINS = 256 };
    double limit[2], n[BINS] = {0}, sum[BINS] = {0}, square[BINS] = {0}, rest = 0, all = 0, total = 0,
                     mean = 0;
    limits_of(segments, count, false, limit);
    double size = fmax(fabs(limit[0]), fabs(limit[1]));
    if (!(size > 0) || !isfinite(size))
        return false;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < segments[k].count; i++) {
            /* Finer bins for quieter samples, of which there are more. */
            double x = segments[k].x[i] / size, root = copysign(sqrt(fabs(x)), x);
            int b = (int)((root + 1) / 2 * (BINS - 1) + 0.5);
            double y = segments[k].y[i];
            n[b]++, sum[b] += y, square[b] += y * y;
        }
    for (int b = 0; b < BINS; b++)
        total += n[b], mean += sum[b], all += square[b],
            rest += n[b] > 0 ? square[b] - sum[b] * sum[b] / n[b] : 0;
    if (total < 8 * BINS)
        return false;
    all -= mean * mean / total;
    double share = all > 0 ? rest / all : 1;
    if (share > fmax(10 * allowed, 0.01))
        return false;
    out->kind = XR_SOUND_VALUES_CURVE;
    out->rest = share;
    return true;
}

void xr_judge_sound_values(const xr_sound_segment *segments, size_t count, double allowed,
                           xr_sound_values *out)
{
    *out = (xr_sound_values){.gain = 1, .least = 1, .most = 1, .rest = 1};
    if (count && !judge_lines(segments, count, allowed, out))
        judge_clipping(segments, count, allowed, out);
}

bool xr_judge_sound_dynamics(const xr_sound_segment *segments, size_t count, double allowed,
                             xr_sound_values *out)
{
    xr_sound_values line = {.rest = 1};
    *out = (xr_sound_values){.gain = 1, .least = 1, .most = 1, .rest = 1};
    judge_lines(segments, count, allowed, &line);
    bool found =
        count && (judge_moving(segments, count, allowed, out) || judge_curve(segments, count, allowed, out));
    if (found && out->rest < line.rest / MUCH_BETTER)
        return true;
    out->kind = XR_SOUND_VALUES_UNKNOWN;
    return false;
}

/* ---- A band ---------------------------------------------------------------------------------------------
 */

enum { WINDOW = 512, BANDS = WINDOW / 2 + 1, LEAST_BAND = 12 };

static double signal_of(const double spectrum[BANDS])
{
    double sum = 0;
    for (size_t b = 0; b < BANDS; b++)
        sum += spectrum[b];
    return sum;
}

/* Energies by frequency: of both sides and of their difference. */
static void add_spectra(const xr_sound_segment *g, double x2[BANDS], double y2[BANDS], double d2[BANDS])
{
    double re[WINDOW], im[WINDOW];
    for (size_t at = 0; at + WINDOW <= g->count; at += WINDOW / 2) {
        for (size_t i = 0; i < WINDOW; i++) {
            double w = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * (double)i / WINDOW);
            re[i] = w * g->x[at + i], im[i] = w * g->y[at + i];
        }
        xr_fft(re, im, WINDOW, false);
        for (size_t k = 0; k < BANDS; k++) {
            size_t m = (WINDOW - k) % WINDOW;
            double xr = (re[k] + re[m]) / 2, xi = (im[k] - im[m]) / 2;
            double yr = (im[k] + im[m]) / 2, yi = (re[m] - re[k]) / 2;
            x2[k] += xr * xr + xi * xi, y2[k] += yr * yr + yi * yi;
            d2[k] += (xr - yr) * (xr - yr) + (xi - yi) * (xi - yi);
        }
    }
}

bool xr_judge_sound_band(const xr_sound_segment *segments, size_t count, xr_sound_values *out)
{
    double x2[BANDS] = {0}, y2[BANDS] = {0}, d2[BANDS] = {0}, all, signal;
    for (size_t k = 0; k < count; k++)
        add_spectra(&segments[k], x2, y2, d2);
    all = signal_of(d2), signal = signal_of(x2);
    if (!(all > XR_SOUND_NOISE / 4 * signal))
        return false;
    for (int lacks = 0; lacks < 2; lacks++) {
        /* Below the cutoff nothing differs, above it one side has nothing. */
        const double *poor = lacks == 0 ? y2 : x2, *rich = lacks == 0 ? x2 : y2;
        double best = INFINITY, above = 0, below = all, heard = signal_of(rich), same = 0;
        size_t cut = 0;
        for (size_t b = BANDS; b-- > LEAST_BAND;) {
            above += poor[b], below -= d2[b], heard -= rich[b];
            if (above + below < best)
                best = above + below, cut = b, same = heard > 0 ? below / heard : 1;
        }
        if (best < 0.15 * all && same < 0.05 && cut < BANDS - 4) {
            out->kind = XR_SOUND_VALUES_BAND;
            out->limited = lacks;
            out->cutoff = (double)cut / (BANDS - 1);
            out->rest = best / signal;
            return true;
        }
    }
    return false;
}
