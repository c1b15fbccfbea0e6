#include "checks/input/sound/filters/sound_response.h"

#include "checks/input/sound/filters/sound_filter.h"
#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = XR_RESPONSE_TAPS, BEFORE = XR_RESPONSE_BEFORE, SAMPLES_A_TAP = 16 };

/* What is added to the diagonal, of the signal's energy: bands in which there is nothing tell nothing. */
#define RIDGE 1e-8
/* What ends of segments and of longer filters leave; and it has to leave so many times less than the samples
 * as they are. */
#define EXPLAINS    0.02
#define MUCH_BETTER 20
/* So much of a filter's energy is the sound and its echo, each within a few samples. */
#define ECHO_SHARE 0.95

/* A segment in two spectra of `n` bins, without its means. */
typedef struct response_spectra {
    size_t n;
    double *in_re, *in_im, *out_re, *out_im, *sum; /* sum: [4][n]: |in|^2 and its 0, out conj(in) */
} response_spectra;

static double mean_of(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] / (double)n;
    return sum;
}

static void load(const float *v, size_t count, double *re, double *im, size_t n)
{
    const double mean = mean_of(v, count);
    for (size_t i = 0; i < n; i++)
        re[i] = i < count ? (double)v[i] - mean : 0, im[i] = 0;
    xr_fft(re, im, n, false);
}

static void add_segment(const xr_sound_segment *g, int filtered, response_spectra *s)
{
    double *power = s->sum, *cross_re = s->sum + 2 * s->n, *cross_im = s->sum + 3 * s->n;
    load(filtered ? g->y : g->x, g->count, s->in_re, s->in_im, s->n);
    load(filtered ? g->x : g->y, g->count, s->out_re, s->out_im, s->n);
    for (size_t k = 0; k < s->n; k++) {
        power[k] += s->in_re[k] * s->in_re[k] + s->in_im[k] * s->in_im[k];
        cross_re[k] += s->out_re[k] * s->in_re[k] + s->out_im[k] * s->in_im[k];
        cross_im[k] += s->out_im[k] * s->in_re[k] - s->out_re[k] * s->in_im[k];
    }
}

/* Levinson's recursion: the taps whose correlations with the given side are b, of which r are its own. */
static bool solve(const double *r, const double *b, double tap[TAPS])
{
    double back[TAPS] = {1}, next[TAPS], error = r[0] * (1 + RIDGE);
    if (!(error > 0))
        return false;
    tap[0] = b[0] / error;
    for (size_t m = 1; m < TAPS; m++) {
        double k = 0, q = b[m];
        for (size_t i = 0; i < m; i++)
            k -= back[i] * r[m - i], q -= tap[i] * r[m - i];
        k /= error;
        for (size_t i = 0; i <= m; i++)
            next[i] = (i < m ? back[i] : 0) + k * (i > 0 ? back[m - i] : 0);
        memcpy(back, next, (m + 1) * sizeof *back);
        error *= 1 - k * k;
        if (!(error > 0))
            return false;
        q /= error;
        tap[m] = 0;
        for (size_t i = 0; i <= m; i++)
            tap[i] += q * back[m - i];
    }
    return true;
}

static bool fit(const xr_sound_segment *parts, size_t count, int filtered, response_spectra *s,
                double tap[TAPS])
{
    double *b = malloc(TAPS * sizeof *b);
    memset(s->sum, 0, 4 * s->n * sizeof *s->sum);
    for (size_t i = 0; i < count; i++)
        add_segment(&parts[i], filtered, s);
    xr_fft(s->sum, s->sum + s->n, s->n, true);
    xr_fft(s->sum + 2 * s->n, s->sum + 3 * s->n, s->n, true);
    for (size_t k = 0; b && k < TAPS; k++)
        b[k] = s->sum[2 * s->n + (k + s->n - BEFORE) % s->n];
    const bool solved = b && solve(s->sum, b, tap);
    free(b);
    return solved;
}

/* The variance that the taps leave where all that they reach is in the segment; *as_is: without them. */
static double rest_of(const xr_sound_segment *parts, size_t count, int filtered, const double tap[TAPS],
                      response_spectra *s, double *as_is)
{
    double rest = 0, plain = 0, yy = 0, *tap_re = s->sum, *tap_im = s->sum + s->n;
    for (size_t k = 0; k < s->n; k++)
        tap_re[k] = k < TAPS ? tap[k] : 0, tap_im[k] = 0;
    xr_fft(tap_re, tap_im, s->n, false);
    for (size_t p = 0; p < count; p++) {
        const xr_sound_segment *g = &parts[p];
        const float *out = filtered ? g->x : g->y, *in = filtered ? g->y : g->x;
        const double mean = mean_of(out, g->count), in_mean = mean_of(in, g->count);
        load(in, g->count, s->in_re, s->in_im, s->n);
        for (size_t k = 0; k < s->n; k++) {
            const double re = s->in_re[k] * tap_re[k] - s->in_im[k] * tap_im[k];
            s->in_im[k] = s->in_re[k] * tap_im[k] + s->in_im[k] * tap_re[k];
            s->in_re[k] = re;
        }
        xr_fft(s->in_re, s->in_im, s->n, true);
        for (size_t i = TAPS; i + BEFORE < g->count; i++) {
            const double y = (double)out[i] - mean, made = s->in_re[i + BEFORE] / (double)s->n;
            rest += (y - made) * (y - made), yy += y * y;
            plain += (y - (double)in[i] + in_mean) * (y - (double)in[i] + in_mean);
        }
    }
    *as_is = yy > 0 ? plain / yy : 0;
    return yy > 0 ? rest / yy : 1;
}

/* The greatest tap, apart from those near another; its energy with its neighbors'. */
static size_t strongest(const double tap[TAPS], size_t apart_from, double *energy)
{
    enum { NEAR = 24 };
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < TAPS; k++) {
        const bool beside = apart_from != SIZE_MAX && k + 2 * NEAR > apart_from && k < apart_from + 2 * NEAR;
        if (!beside && (best == SIZE_MAX || fabs(tap[k]) > fabs(tap[best])))
            best = k;
    }
    *energy = 0;
    for (size_t k = best > NEAR ? best - NEAR : 0; k < TAPS && k <= best + NEAR; k++)
        *energy += tap[k] * tap[k];
    return best;
}

static void note_echo(xr_sound_response *r)
{
    double sound, echo, all = 0;
    const size_t at = strongest(r->tap, SIZE_MAX, &sound), later = strongest(r->tap, at, &echo);
    for (size_t k = 0; k < TAPS; k++)
        all += r->tap[k] * r->tap[k];
    if (later < at || sound + echo < ECHO_SHARE * all || echo < (1 - ECHO_SHARE) * all)
        return;
    r->echo = (long)(later - at);
    r->echo_gain = r->tap[later] / r->tap[at];
}

xr_sound_response *xr_find_sound_response(const xr_sound_segment *segments, size_t count)
{
    xr_sound_segment parts[XR_FILTER_SEGMENTS];
    const size_t used = xr_filter_parts(segments, count, parts);
    size_t longest = 0, samples = 0;
    for (size_t i = 0; i < used; i++) {
        longest = parts[i].count > longest ? parts[i].count : longest;
        samples += parts[i].count > TAPS + BEFORE ? parts[i].count - TAPS - BEFORE : 0;
    }
    if (samples < (size_t)SAMPLES_A_TAP * TAPS)
        return NULL;
    const size_t n = xr_power_of_two(longest + TAPS);
    xr_sound_response *best = calloc(1, sizeof *best), *now = calloc(1, sizeof *now);
    double *room = malloc(8 * n * sizeof *room);
    bool found = false;
    for (int filtered = 0; filtered < 2 && room && best && now; filtered++) {
        response_spectra s = {n, room, room + n, room + 2 * n, room + 3 * n, room + 4 * n};
        double as_is;
        *now = (xr_sound_response){.filtered = filtered};
        if (!fit(parts, used, filtered, &s, now->tap))
            continue;
        now->rest = rest_of(parts, used, filtered, now->tap, &s, &as_is);
        if (now->rest <= EXPLAINS && now->rest < as_is / MUCH_BETTER &&
            (!found || now->rest < best->rest / 2))
            *best = *now, found = true;
    }
    free(room);
    free(now);
    if (found) {
        note_echo(best);
        return best;
    }
    free(best);
    return NULL;
}

double xr_response_decibels(const xr_sound_response *r, double share)
{
    double re = 0, im = 0;
    for (int k = 0; k < TAPS; k++) {
        const double angle = 3.14159265358979323846 * share * (k - BEFORE);
        re += r->tap[k] * cos(angle), im -= r->tap[k] * sin(angle);
    }
    return 20 * log10(fmax(hypot(re, im), 1e-6));
}
