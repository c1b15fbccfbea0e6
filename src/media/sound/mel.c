/* Windows, spectra, triangles, logarithms: four windows at once.  In doubles: a quiet band beside a loud one
 * is exact, too. */
#include "base/error.h"
#include "media/sound/lane_fft.h"
#include "media/sound/mel_bands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

typedef struct mel_run {
    exray_mel o;
    const float *samples;
    size_t length, rows;
    ptrdiff_t before;         /* samples before the first one that the first window sees */
    double *window;           /* [win_length] */
    double *cut;              /* [win_length]: samples of one window */
    double *turns;            /* [n_fft][2] */
    xr_complex_double *x, *y; /* [n_fft] */
    xr_sound_doubles *power;  /* [n_fft / 2 + 1] */
    xr_fft_double
        fft; /* of n_fft / 2: even samples are real, odd ones imaginary; of n_fft where that is odd */
    bool halved;
    xr_mel_band *bands;
} mel_run;

/* Where the window begins among n_fft samples. */
static uint32_t offset_of(const exray_mel *o)
{
    return o->pad == EXRAY_MEL_PAD_MIDDLE ? (o->n_fft - o->win_length) / 2 : 0;
}

static size_t rows_of(const exray_mel *o, size_t length)
{
    if (o->center)
        return length ? 1 + length / o->hop_length : 0;
    const size_t needed = o->pad == EXRAY_MEL_PAD_MIDDLE ? o->n_fft : o->win_length;
    return length < needed ? 0 : 1 + (length - needed) / o->hop_length;
}

size_t exray_mel_rows(const exray_mel *how, size_t length)
{
    exray_mel options;
    exray_error error;
    return xr_mel_options(&options, how, &error) ? rows_of(&options, length) : 0;
}

static void fill_window(const exray_mel *o, double *window)
{
    const uint32_t n = o->win_length;
    const bool symmetric = o->window == EXRAY_MEL_HANN_SYMMETRIC || o->window == EXRAY_MEL_POVEY ||
                           o->window == EXRAY_MEL_HAMMING_SYMMETRIC;
    const double step = 2 * pi / (symmetric && n > 1 ? n - 1 : n);
    for (uint32_t i = 0; i < n; i++) {
        double turn = cos(step * i);
        window[i] = o->window == EXRAY_MEL_RECTANGULAR ? 1
                    : o->window == EXRAY_MEL_HAMMING || o->window == EXRAY_MEL_HAMMING_SYMMETRIC
                        ? 0.54 - 0.46 * turn
                    : o->window == EXRAY_MEL_BLACKMAN ? 0.42 - 0.5 * turn + 0.08 * cos(2 * step * i)
                    : o->window == EXRAY_MEL_POVEY    ? pow(0.5 - 0.5 * turn, 0.85)
                                                      : 0.5 - 0.5 * turn;
    }
}

/* The sample at a place that may lie outside. */
static double sample_at(const mel_run *r, ptrdiff_t at)
{
    const ptrdiff_t length = (ptrdiff_t)r->length;
    if (at >= 0 && at < length)
        return (double)r->samples[at];
    if (r->o.center != EXRAY_MEL_CENTER_REFLECT)
        return 0;
    const ptrdiff_t period = length > 1 ? 2 * (length - 1) : 1;
    at = ((at % period) + period) % period;
    return (double)r->samples[at < length ? at : period - at];
}

/* A window's own samples changed: without their mean, and with pre-emphasis, whose first sample has itself
 * before it. */
static void change_cut(const exray_mel *o, double *cut)
{
    const double part = (double)o->pre_emphasis;
    double mean = 0;
    for (uint32_t i = 0; o->remove_dc_offset && i < o->win_length; i++)
        mean += cut[i] / o->win_length;
    for (uint32_t i = o->win_length; i-- > 0;)
        cut[i] = cut[i] - mean - part * (cut[i > 0 ? i - 1 : 0] - mean);
}

/* One window of the lane, as its transform takes it. */
static void load_row(const mel_run *r, size_t row, unsigned lane)
{
    const uint32_t offset = offset_of(&r->o), n = r->o.win_length;
    const ptrdiff_t first = (ptrdiff_t)(row * r->o.hop_length) + (ptrdiff_t)offset - r->before;
    const bool inside = first >= 0 && (size_t)first + n <= r->length;
    for (uint32_t i = 0; i < n; i++)
        r->cut[i] = inside ? (double)r->samples[(size_t)first + i] : sample_at(r, first + (ptrdiff_t)i);
    if (r->o.remove_dc_offset || r->o.pre_emphasis > 0)
        change_cut(&r->o, r->cut);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t at = offset + i;
        xr_complex_double *x = &r->x[r->halved ? at / 2 : at];
        if (r->halved && at % 2)
            XR_LANE(x->im, lane) = r->cut[i] * r->window[i];
        else
            XR_LANE(x->re, lane) = r->cut[i] * r->window[i];
    }
}

XR_SOUND_INLINED void take_power(const mel_run *r, const xr_complex_double *x)
{
    const uint32_t n = r->fft.n;
    if (!r->halved) {
        for (uint32_t k = 0; k <= n / 2; k++)
            r->power[k] = x[k].re * x[k].re + x[k].im * x[k].im;
        return;
    }
    /* The spectra of even and odd samples, taken apart by symmetry and joined. */
    for (uint32_t k = 0; k <= n; k++) {
        const xr_complex_double *a = &x[k % n], *b = &x[(n - k) % n];
        const double *turn = r->turns + 2 * (size_t)k;
        xr_sound_doubles even_re = (a->re + b->re) * 0.5, even_im = (a->im - b->im) * 0.5;
        xr_sound_doubles odd_re = (a->im + b->im) * 0.5, odd_im = (b->re - a->re) * 0.5;
        xr_sound_doubles re = even_re + odd_re * turn[0] - odd_im * turn[1],
                         im = even_im + odd_re * turn[1] + odd_im * turn[0];
        r->power[k] = re * re + im * im;
    }
}

static double scaled(const exray_mel *o, double value)
{
    value += (double)o->offset;
    if (o->log == EXRAY_MEL_LINEAR)
        return value;
    const bool amplitude = o->log == EXRAY_MEL_DB && o->power == 1;
    value = fmax(value, o->floor > 0 ? (double)o->floor : amplitude ? 1e-5 : 1e-10);
    return o->log == EXRAY_MEL_NATURAL ? log(value)
                                       : log10(value) * (o->log == EXRAY_MEL_LOG10 ? 1
                                                         : amplitude               ? 20
                                                                                   : 10);
}

static void store_band(const mel_run *r, const xr_sound_doubles *sum, size_t row, uint32_t band, float *out)
{
    for (unsigned l = 0; l < XR_SOUND_DOUBLES && row + l < r->rows; l++)
        out[(row + l) * r->o.n_mels + band] = (float)scaled(&r->o, XR_LANE(*sum, l));
}

XR_SOUND_INLINED void run_rows(const mel_run *r, size_t row, float *out)
{
    memset(r->x, 0, r->fft.n * sizeof *r->x);
    for (unsigned l = 0; l < XR_SOUND_DOUBLES && row + l < r->rows; l++)
        load_row(r, row + l, l);
    take_power(r, xr_fft_run_double(&r->fft, r->x, r->y));
    if (r->o.power == 1)
        for (uint32_t k = 0; k <= r->o.n_fft / 2; k++)
            for (unsigned l = 0; l < XR_SOUND_DOUBLES; l++)
                XR_LANE(r->power[k], l) = sqrt(XR_LANE(r->power[k], l));
    for (uint32_t b = 0; b < r->o.n_mels; b++) {
        const xr_mel_band *band = &r->bands[b];
        xr_sound_doubles sum = r->power[band->first] * band->weights[0];
        for (uint32_t k = 1; k < band->count; k++)
            sum += r->power[band->first + k] * band->weights[k];
        store_band(r, &sum, row, b, out);
    }
}

static void run_narrow(const mel_run *r, size_t row, float *out)
{
    run_rows(r, row, out);
}

XR_SOUND_WIDE static void run_wide(const mel_run *r, size_t row, float *out)
{
    run_rows(r, row, out);
}

/* Raises what is too far below the greatest value. */
static void limit(const exray_mel *o, float *out, size_t count)
{
    const double bels = (double)o->top_db / 10;
    const double ratio = o->power == 1 ? bels / 2 : bels; /* of the values before the logarithm, as log10 */
    float most = -INFINITY, least;
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, out[i]);
    least = o->log == EXRAY_MEL_LINEAR    ? (float)((double)most * pow(10, -ratio))
            : o->log == EXRAY_MEL_NATURAL ? (float)((double)most - ratio * log(10))
            : o->log == EXRAY_MEL_LOG10   ? (float)((double)most - ratio)
                                          : most - o->top_db;
    for (size_t i = 0; i < count; i++)
        out[i] = fmaxf(out[i], least);
}

static bool allocate(mel_run *r)
{
    const uint32_t n = r->o.n_fft;
    r->window = malloc(r->o.win_length * sizeof *r->window);
    r->cut = malloc(r->o.win_length * sizeof *r->cut);
    r->turns = malloc(((size_t)n + 1) * 2 * sizeof *r->turns);
    r->x = malloc(n * sizeof *r->x);
    r->y = malloc(n * sizeof *r->y);
    r->power = malloc((n / 2 + 1) * sizeof *r->power);
    r->bands = xr_mel_bands(&r->o);
    if (!r->window || !r->cut || !r->turns || !r->x || !r->y || !r->power || !r->bands)
        return false;
    fill_window(&r->o, r->window);
    xr_fft_turns_double(r->turns, n);
    r->halved = n % 2 == 0;
    r->fft = xr_fft_of_double(r->turns, r->halved ? n / 2 : n, r->halved ? 2 : 1);
    return true;
}

exray_status exray_mel_run(const exray_mel *how, const float *samples, size_t length, float *out,
                           exray_error *error)
{
    mel_run r = {.samples = samples, .length = length};
    if (!xr_mel_options(&r.o, how, error))
        return EXRAY_E_ARGUMENT;
    r.rows = rows_of(&r.o, length);
    if (r.rows && (!samples || !out))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a mel spectrogram of no samples, or without room");
    if (r.o.center)
        r.before = (ptrdiff_t)(r.o.pad == EXRAY_MEL_PAD_MIDDLE ? r.o.n_fft / 2 : r.o.win_length / 2);
    const bool ok = r.rows == 0 || allocate(&r);
    for (size_t row = 0; ok && row < r.rows; row += XR_SOUND_DOUBLES)
        (XR_SOUND_HAS_WIDE ? run_wide : run_narrow)(&r, row, out);
    if (ok && r.o.top_db > 0)
        limit(&r.o, out, r.rows * r.o.n_mels);
    free(r.window);
    free(r.cut);
    free(r.turns);
    free(r.x);
    free(r.y);
    free(r.power);
    free(r.bands);
    return ok ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a mel spectrogram");
}
