#include "checks/input/sound/filters/sound_resampler.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A resampler keeps what is below the end of the band (half of the lower rate) and takes what is above.  Its
 * filter is finite, so that it does so over a range around the end: usual ones keep everything up to two
 * thirds of it, more than half of the amplitude up to eight tenths, and what they leave above comes back
 * (aliases, images) in that range.  Linear interpolation and taking the nearest sample are not of that kind:
 * they weaken what is far below the end, or bring back what is far above. */
#define KEPT    0.66
#define HALF_AT 0.82
/* Images are above the end by no more. */
#define IMAGES 1.25

/* Windows are as long as the shortest sound allows; the bands of the spectrum are as many in all. */
enum { LONGEST = 512, SHORTEST = 128, GROUPS = 64, MOST_WINDOWS = 4096 };

/* 0.1 dB, and 40 dB below. */
#define SAME_GAIN 0.012
#define UNRELATED 1e-4
/* Between what is kept and the half: 6 dB, and 20 dB below. */
#define LEAST_HALF    0.25
#define UNRELATED_END 1e-2
/* Of what is loudest near the end, aliases come back. */
#define ALIASED 0.05
/* Of the difference, at most this part is where both should be the same. */
#define MOST_BELOW 0.1
/* Images hold this part of what is as far below the end; beyond them is this part of the sound. */
#define MOST_IMAGES 0.1
#define MOST_BEYOND 1e-5
/* Near the end there is no more than so many times what is before it. */
#define MOST_RISE 4

/* Energies by frequency, summed over windows: of both sides, their product, their difference. */
typedef struct spectra {
    double x2[GROUPS], y2[GROUPS], re[GROUPS], im[GROUPS], d2[GROUPS];
    double floor; /* of a group: what rounding to 16 bits on both sides makes at most */
    size_t windows;
} spectra;

static void add_window(const float *x, const float *y, size_t n, const double *shape, spectra *out)
{
    double re[LONGEST], im[LONGEST];
    for (size_t i = 0; i < n; i++)
        re[i] = shape[i] * x[i], im[i] = shape[i] * y[i];
    xr_fft(re, im, n, false);
    for (size_t k = 0; k < n / 2; k++) {
        const size_t m = (n - k) % n, g = k * GROUPS / (n / 2);
        const double xr = (re[k] + re[m]) / 2, xi = (im[k] - im[m]) / 2;
        const double yr = (im[k] + im[m]) / 2, yi = (re[m] - re[k]) / 2;
        out->x2[g] += xr * xr + xi * xi, out->y2[g] += yr * yr + yi * yi;
        out->re[g] += yr * xr + yi * xi, out->im[g] += yi * xr - yr * xi;
        out->d2[g] += (xr - yr) * (xr - yr) + (xi - yi) * (xi - yi);
    }
    out->windows++;
}

static size_t window_of(const xr_sound_segment *segments, size_t count)
{
    size_t n = LONGEST;
    for (size_t s = 0; s < count; s++)
        while (n > SHORTEST && n > segments[s].count)
            n /= 2;
    return n;
}

static void add_all(const xr_sound_segment *segments, size_t count, spectra *out)
{
    double shape[LONGEST], energy = 0, most = 0;
    const size_t n = window_of(segments, count);
    for (size_t i = 0; i < n; i++) {
        shape[i] = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * (double)i / (double)n);
        energy += shape[i] * shape[i];
    }
    *out = (spectra){0};
    for (size_t s = 0; s < count; s++) {
        const xr_sound_segment *g = &segments[s];
        for (size_t i = 0; i < g->count; i++)
            most = fmax(most, fabs(g->x[i]));
        for (size_t at = 0; at + n <= g->count && out->windows < MOST_WINDOWS; at += n / 2)
            add_window(g->x + at, g->y + at, n, shape, out);
    }
    const double step = most <= 1.01 ? 1.0 / 32768 : 1;
    out->floor = energy * step * step * (2.0 / 3) * (double)out->windows * (double)(n / 2 / GROUPS);
}

static double sum_between(const double *v, double from, double to)
{
    double sum = 0;
    for (size_t g = 0; g < GROUPS; g++)
        if ((double)g / GROUPS >= from && (double)(g + 1) / GROUPS <= to)
            sum += v[g];
    return sum;
}

/* Of a group by its mean: what is between the two frequencies. */
static double density(const double *v, double from, double to)
{
    size_t n = 0;
    double sum = 0;
    for (size_t g = 0; g < GROUPS; g++)
        if ((double)g / GROUPS >= from && (double)(g + 1) / GROUPS <= to)
            sum += v[g], n++;
    return n ? sum / (double)n : 0;
}

static bool is_audible(const spectra *s, size_t g)
{
    return s->x2[g] > 4 * s->floor || s->y2[g] > 4 * s->floor;
}

/* How far y = gain x is from y = x, and what of y no gain explains. */
static double gain_off(const spectra *s, size_t g)
{
    return hypot(s->re[g] / s->x2[g] - 1, s->im[g] / s->x2[g]);
}

static double unrelated(const spectra *s, size_t g)
{
    return fmax(0, s->y2[g] - (s->re[g] * s->re[g] + s->im[g] * s->im[g]) / s->x2[g]);
}

static bool is_same(const spectra *s, size_t g)
{
    return s->x2[g] > 0 && gain_off(s, g) <= SAME_GAIN + sqrt(s->floor / s->x2[g]) &&
           unrelated(s, g) <= UNRELATED * s->x2[g] + s->floor;
}

/* loud: of a group near the end, of which aliases may come back. */
static bool is_mostly_kept(const spectra *s, size_t g, double loud)
{
    const double least = LEAST_HALF * fmax(s->x2[g], s->y2[g]) - s->floor;
    return s->x2[g] > 0 && fmin(s->x2[g], s->y2[g]) >= least &&
           unrelated(s, g) <= fmax(UNRELATED_END * s->x2[g], ALIASED * loud) + s->floor;
}

/* Whether a side has no more around the end and beyond it than a resampler leaves there. */
static bool ends_well(const spectra *s, const double *side, double end)
{
    const double before =
        fmax(density(s->x2, KEPT * end, HALF_AT * end), density(s->y2, KEPT * end, HALF_AT * end));
    if (density(side, HALF_AT * end, end) > MOST_RISE * before + s->floor)
        return false;
    const double richer =
        fmax(sum_between(s->x2, (2 - IMAGES) * end, end), sum_between(s->y2, (2 - IMAGES) * end, end));
    return sum_between(side, end, IMAGES * end) <= MOST_IMAGES * richer + s->floor * GROUPS &&
           sum_between(side, IMAGES * end, 1) <= MOST_BEYOND * sum_between(side, 0, 1) + s->floor * GROUPS;
}

/* Whether the sides are the same up to an end of the band. */
static bool fits(const spectra *s, double end, xr_sound_resamplers *out)
{
    const double all = sum_between(s->d2, 0, 1), below = sum_between(s->d2, 0, KEPT * end);
    const double loud = fmax(density(s->x2, HALF_AT * end, end), density(s->y2, HALF_AT * end, end));
    size_t heard = 0;
    *out = (xr_sound_resamplers){.end = end, .share = all / sum_between(s->x2, 0, 1)};
    out->share_below = all > 0 ? below / all : 1;
    if (!(all > 0) || out->share_below > MOST_BELOW)
        return false;
    for (size_t g = 0; (double)(g + 1) / GROUPS <= HALF_AT * end; g++) {
        const bool kept = (double)(g + 1) / GROUPS <= KEPT * end;
        if (!is_audible(s, g))
            continue;
        if (!(kept ? is_same(s, g) : is_mostly_kept(s, g, loud)))
            return false;
        heard++;
        if (kept && s->x2[g] > 1e3 * s->floor)
            out->worst_gain = fmax(out->worst_gain, gain_off(s, g));
    }
    return heard > 8 && ends_well(s, s->x2, end) && ends_well(s, s->y2, end);
}

/* Whether both sides end there: no sound of a microphone falls so steeply. */
static bool both_end(const spectra *s, double end)
{
    const double *const side[2] = {s->x2, s->y2};
    for (int k = 0; k < 2; k++)
        if (density(side[k], 1.3 * end, 1) > 1e-3 * density(side[k], 0.75 * end, 0.9 * end) + s->floor)
            return false;
    return true;
}

static void describe(const spectra *s, xr_sound_resamplers *out)
{
    const double edge = sum_between(s->y2, KEPT * out->end, out->end),
                 reference = sum_between(s->x2, KEPT * out->end, out->end);
    out->poorer = edge <= reference ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    const double *poor = out->poorer == EXRAY_SIDE_EDGE ? s->y2 : s->x2,
                 *rich = out->poorer == EXRAY_SIDE_EDGE ? s->x2 : s->y2;
    size_t g = 0;
    while (g < GROUPS && (!is_audible(s, g) || is_same(s, g)))
        g++;
    out->same_up_to = (double)g / GROUPS;
    for (; g < GROUPS && out->half_at == 0; g++)
        if (is_audible(s, g) && poor[g] < rich[g] / 2)
            out->half_at = (g + 0.5) / GROUPS;
}

bool xr_find_sound_resamplers(const xr_sound_segment *segments, size_t count, const xr_sound_sides *sides,
                              xr_sound_resamplers *out)
{
    static const double usual[] = {0.5, 11.025 / 16, 0.75};
    spectra s;
    add_all(segments, count, &s);
    const double rate = sides->at_rate[EXRAY_SIDE_REFERENCE] > 0 ? sides->at_rate[EXRAY_SIDE_REFERENCE]
                                                                 : sides->at_rate[EXRAY_SIDE_EDGE];
    bool found = false;
    if (s.windows == 0)
        return false;
    if (sides->rate > 0 && rate > 0)
        found = fits(&s, fmin(1, sides->rate / rate), out);
    else {
        found = fits(&s, 1, out);
        for (size_t i = 0; !found && i < sizeof usual / sizeof *usual; i++)
            found = both_end(&s, usual[i]) && fits(&s, usual[i], out);
    }
    if (found)
        describe(&s, out);
    return found;
}

/* ---- Each window by itself ---- */

/* Frames that are looked at; what a usual resampler's filter reaches, in samples of the lower rate. */
enum { LOOKED_AT = 3, REACH = 160 };
/* The share of the difference that must lie at the ends, and that the window by itself may leave of it. */
#define AT_THE_ENDS 0.9
#define LEFT        0.25

typedef struct alone_sums {
    size_t frames;
    double all, ends, alone[2]; /* squares of differences; of each side to the window by itself */
} alone_sums;

/* The window by itself at the other rate; NULL: its length is another than the frame's, or memory. */
static float *made_alone(const xr_sound_frame *f, const exray_sound *sound, uint32_t to)
{
    const size_t length = exray_sound_length(sound);
    const size_t made = exray_resampling_length(length, exray_sound_rate(sound), to);
    if (made < f->count || made > f->count + 2)
        return NULL;
    float *mono = xr_mean_of_channels(exray_sound_samples(sound), length, exray_sound_channels(sound)),
          *out = malloc((made + 1) * sizeof *out);
    exray_error error;
    const bool ok =
        mono && out &&
        exray_resampling_run(NULL, mono, length, exray_sound_rate(sound), to, out, &error) == EXRAY_OK;
    free(mono);
    if (ok)
        return out;
    free(out);
    return NULL;
}

static bool add_frame(const xr_sound_frame *f, const exray_sound *sound, const xr_sound_alone *a,
                      alone_sums *t)
{
    float *made = made_alone(f, sound, (uint32_t)a->rate);
    if (!made)
        return false;
    const double unit = f->energy[1] > 4 ? 32768 : 1;
    for (size_t i = 0; i < f->count; i++) {
        const double apart = (double)f->side[0][i] - (double)f->side[1][i];
        t->all += apart * apart;
        t->ends += i < a->reach || i + a->reach >= f->count ? apart * apart : 0;
        for (int s = 0; s < 2; s++) {
            const double left = (double)f->side[s][i] - unit * (double)made[i];
            t->alone[s] += left * left;
        }
    }
    t->frames++;
    free(made);
    return true;
}

bool xr_find_sound_alone(const xr_sound_frames *frames, const xr_sound_sides *sides, xr_sound_alone *out)
{
    const double rate = sides->at_rate[0];
    alone_sums t = {0};
    if (!frames->has_sensor || rate <= 0 || rate != sides->at_rate[1] || sides->rate == 0 ||
        rate == sides->rate)
        return false;
    *out = (xr_sound_alone){.rate = rate, .reach = (size_t)ceil(REACH * fmax(1, rate / sides->rate))};
    for (size_t i = 0; i < frames->count && t.frames < LOOKED_AT; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->equal || f->silent)
            continue;
        exray_sound *sound =
            f->joined || f->count <= 2 * out->reach ? NULL : xr_sensor_sound(frames->comparison, f->frame);
        const bool added = sound && add_frame(f, sound, out, &t);
        exray_sound_free(sound);
        if (!added)
            return false;
    }
    const bool alone[2] = {t.alone[0] < LEFT * t.all, t.alone[1] < LEFT * t.all};
    if (!(t.all > 0) || alone[0] == alone[1] || t.ends < AT_THE_ENDS * t.all)
        return false;
    out->side = alone[0] ? 0 : 1;
    out->within = t.ends / t.all;
    return true;
}
