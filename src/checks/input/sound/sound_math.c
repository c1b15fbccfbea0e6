#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

const double xr_usual_rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 0};

size_t xr_power_of_two(size_t n)
{
    size_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static void reverse_bits(double *re, double *im, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i >= j)
            continue;
        double a = re[i], b = im[i];
        re[i] = re[j], im[i] = im[j];
        re[j] = a, im[j] = b;
    }
}

/* Cosine and sine of -+2 pi k / n for k < n / 2, at [n / 2 + k]: by the products of a few. */
static void fill_turns(double *c, double *s, size_t n, bool inverse)
{
    enum { FINE = 64 };
    const double step = (inverse ? 2 : -2) * PI / (double)n;
    double fine[2][FINE];
    for (size_t k = 0; k < FINE; k++)
        fine[0][k] = cos(step * (double)k), fine[1][k] = sin(step * (double)k);
    for (size_t k = 0; k < n / 2; k += FINE) {
        const double a = cos(step * (double)k), b = sin(step * (double)k);
        for (size_t i = 0; i < FINE && k + i < n / 2; i++) {
            c[n / 2 + k + i] = a * fine[0][i] - b * fine[1][i];
            s[n / 2 + k + i] = a * fine[1][i] + b * fine[0][i];
        }
    }
}

void xr_fft(double *re, double *im, size_t n, bool inverse)
{
    /* [half + k]: the factor of a stage's k-th pair. */
    double *c = malloc((n + 1) * sizeof *c), *s = malloc((n + 1) * sizeof *s);
    if (c && s && n > 1)
        fill_turns(c, s, n, inverse);
    for (size_t half = n / 4; c && s && half >= 1; half /= 2)
        for (size_t k = 0; k < half; k++) {
            c[half + k] = c[2 * half + 2 * k];
            s[half + k] = s[2 * half + 2 * k];
        }
    if (!c || !s)
        memset(re, 0, n * sizeof *re),
            memset(im, 0, n * sizeof *im); /* nothing is found; memory.h counts it */
    else
        reverse_bits(re, im, n);
    for (size_t half = 1; c && s && half < n; half *= 2)
        for (size_t start = 0; start < n; start += 2 * half)
            for (size_t k = 0; k < half; k++) {
                size_t at = start + k, to = at + half;
                double a = re[to] * c[half + k] - im[to] * s[half + k];
                double b = re[to] * s[half + k] + im[to] * c[half + k];
                re[to] = re[at] - a, im[to] = im[at] - b;
                re[at] += a, im[at] += b;
            }
    free(c);
    free(s);
}

/* ---- Lag ------------------------------------------------------------------------------------- */

/* Sums of squares up to each sample. */
static double *energies(const float *x, size_t n)
{
    double *sum = malloc((n + 1) * sizeof *sum);
    if (!sum)
        return NULL;
    sum[0] = 0;
    for (size_t i = 0; i < n; i++)
        sum[i + 1] = sum[i] + (double)x[i] * x[i];
    return sum;
}

/* Both series go through one transform, as real and imaginary part. */
void xr_correlate(const float *y, size_t y_count, const float *x, size_t x_count, size_t n, double *re,
                  double *im)
{
    for (size_t i = 0; i < n; i++) {
        re[i] = i < y_count ? y[i] : 0;
        im[i] = i < x_count ? x[i] : 0;
    }
    xr_fft(re, im, n, false);
    for (size_t k = 0; k <= n / 2; k++) {
        size_t m = k ? n - k : 0;
        double yr = (re[k] + re[m]) / 2, yi = (im[k] - im[m]) / 2;
        double xr = (im[k] + im[m]) / 2, xi = (re[m] - re[k]) / 2;
        double pr = yr * xr + yi * xi, pi = yr * xi - yi * xr; /* conj(Y) X */
        re[k] = pr, im[k] = pi;
        re[m] = pr, im[m] = -pi;
    }
    xr_fft(re, im, n, true);
}

/* The share of y's energy that x explains at a shift; negative where they are of opposite sign. */
static double share_at(const double *ey, size_t y_count, const double *ex, size_t x_count, double product,
                       long shift)
{
    long first = shift < 0 ? -shift : 0;
    long end = (long)y_count < (long)x_count - shift ? (long)y_count : (long)x_count - shift;
    if (end - first < 32 || end - first < (long)y_count / 8)
        return 0;
    double x_energy = ex[end + shift] - ex[first + shift], y_energy = ey[y_count];
    if (x_energy <= 1e-12 * ex[x_count] || y_energy <= 0)
        return 0;
    double share = product * product / (x_energy * y_energy);
    return product < 0 ? -share : share;
}

bool xr_find_lag(const float *y, size_t y_count, const float *x, size_t x_count, size_t most, xr_lag *out)
{
    size_t n = xr_power_of_two(y_count + x_count);
    double *ey = energies(y, y_count), *ex = energies(x, x_count);
    double *re = malloc(n * sizeof *re), *im = malloc(n * sizeof *im);
    bool known = ey && ex && re && im && ey[y_count] > 0 && ex[x_count] > 0;
    *out = (xr_lag){0};
    if (known) {
        xr_correlate(y, y_count, x, x_count, n, re, im);
        long low = -(long)(most < y_count - 1 ? most : y_count - 1);
        long high = (long)(most < x_count - 1 ? most : x_count - 1);
        for (int pass = 0; pass < 2; pass++)
            for (long shift = low; shift <= high; shift++) {
                size_t at = shift < 0 ? n - (size_t)-shift : (size_t)shift;
                double share = share_at(ey, y_count, ex, x_count, re[at] / (double)n, shift);
                double size = fabs(share);
                if (pass == 0 && size > fabs(out->share))
                    out->share = share, out->shift = shift;
                bool beside = labs(shift - out->shift) < 12;
                if (pass == 1 && !beside && size > out->rival)
                    out->rival = size, out->rival_shift = shift;
                if (pass == 1 && (share < 0) != (out->share < 0) && size > out->opposite)
                    out->opposite = size;
            }
        out->share = fabs(out->share);
    }
    free(ey);
    free(ex);
    free(re);
    free(im);
    return known;
}

/* ---- A line ---------------------------------------------------------------------------------- */

xr_line xr_fit_line(const float *y, const float *x, size_t n)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sx += x[i], sy += y[i];
    if (n == 0)
        return (xr_line){1, 0, 1, 0};
    double mx = sx / count, my = sy / count;
    for (size_t i = 0; i < n; i++) {
        double a = x[i] - mx, b = y[i] - my;
        xx += a * a, yy += b * b, xy += a * b;
    }
    xr_line out = {1, my - mx, 1, sqrt(xx / count)};
    if (xx > 0 && yy > 0) {
        out.gain = xy / xx;
        out.offset = my - out.gain * mx;
        out.rest = fmax(0, 1 - xy * xy / (xx * yy));
    }
    return out;
}

/* ---- Linear equations -------------------------------------------------------------------------- */

bool xr_solve_positive(double *a, size_t stride, double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * stride + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * stride + k] * a[j * stride + k];
            if (i == j && !(sum > 0))
                return false;
            a[i * stride + j] = i == j ? sqrt(sum) : sum / a[j * stride + j];
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i * stride + k] * b[k];
        b[i] /= a[i * stride + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= a[k * stride + i] * b[k];
        b[i] /= a[i * stride + i];
    }
    return true;
}

/* ---- Another rate ------------------------------------------------------------------------------ */

enum { ZEROS = 24, PHASES = 256 }; /* of the sinc on either side; steps of its table between two zeros */

/* The right half of a sinc under a Hann window, ZEROS zeros long. */
static float *sinc_table(void)
{
    float *table = malloc((ZEROS * PHASES + 2) * sizeof *table);
    for (size_t i = 0; table && i < ZEROS * PHASES + 2; i++) {
        double t = (double)i / PHASES;
        double window = t < ZEROS ? 0.5 + 0.5 * cos(PI * t / ZEROS) : 0;
        table[i] = (float)(i == 0 ? 1 : sin(PI * t) / (PI * t) * window);
    }
    return table;
}

/* x at a place between its samples, of the band `low` (1: all of it). */
static float sample_at(const float *x, size_t n, double at, double low, const float *table)
{
    double reach = ZEROS / low, sum = 0;
    double first = ceil(at - reach), last = floor(at + reach);
    if (last < 0 || first > (double)n - 1)
        return 0;
    size_t k = first < 0 ? 0 : (size_t)first, end = last > (double)n - 1 ? n - 1 : (size_t)last;
    for (; k <= end; k++) {
        double d = fabs(at - (double)k) * low * PHASES;
        size_t i = (size_t)d;
        if (i >= ZEROS * PHASES)
            continue;
        double part = d - (double)i;
        sum += x[k] * (table[i] + part * (table[i + 1] - table[i]));
    }
    return (float)(sum * low);
}

/* The weights of the samples around places that lie `step` apart, which repeat after `count` of them. */
typedef struct sinc_phases {
    size_t count, step; /* place i is i step / count */
    long reach;         /* the first weight is that of the sample as far before the place's own */
    size_t taps;        /* of a place */
    float *weight;      /* [count][taps] */
} sinc_phases;

/* How many steps make a whole number of samples; 0: too many to be worth a table. */
static size_t steps_to_repeat(double step, size_t most)
{
    enum { MOST = 2048 };
    for (size_t count = 1; count <= MOST && 2 * count <= most; count++)
        if (fabs(step * (double)count - round(step * (double)count)) < 1e-9)
            return count;
    return 0;
}

/* Weights for places `step` apart, moved by a fraction; false: out of memory, or there are too many. */
static bool make_phases(double step, double fraction, double low, size_t most, sinc_phases *out)
{
    *out = (sinc_phases){.count = steps_to_repeat(step, most), .reach = (long)ceil(ZEROS / low)};
    if (out->count == 0)
        return false;
    out->step = (size_t)round(step * (double)out->count);
    out->taps = 2 * (size_t)out->reach + 2;
    float *table = sinc_table();
    out->weight = table ? malloc(out->count * out->taps * sizeof *out->weight) : NULL;
    for (size_t p = 0; out->weight && p < out->count; p++)
        for (size_t k = 0; k < out->taps; k++) {
            double place = fraction + (double)p / (double)out->count;
            double d = fabs(place - ((double)k - (double)out->reach)) * low * PHASES, part = d - floor(d);
            size_t i = d < ZEROS * PHASES ? (size_t)d : ZEROS * PHASES;
            out->weight[p * out->taps + k] =
                i < ZEROS * PHASES ? (float)((table[i] + part * (table[i + 1] - table[i])) * low) : 0;
        }
    free(table);
    return out->weight != NULL;
}

/* Sums of eight at a time, which a compiler makes of one register. */
static float product_of(const float *a, const float *b, size_t n)
{
    enum { LANES = 8 };
    float sum[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += a[i + (size_t)l] * b[i + (size_t)l];
    float rest = 0;
    for (; i < n; i++)
        rest += a[i] * b[i];
    return rest + ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

static float sample_by(const sinc_phases *w, const float *x, size_t n, size_t i)
{
    const size_t phase = i * w->step % w->count;
    const long first = (long)(i * w->step / w->count) - w->reach, end = first + (long)w->taps;
    const long from = first < 0 ? 0 : first, to = end < (long)n ? end : (long)n;
    return from < to ? product_of(x + from, w->weight + phase * w->taps + (from - first), (size_t)(to - from))
                     : 0;
}

/* out[i] = x at step i + fraction, of the band `low`; false: out of memory. */
static bool sample_all(const float *x, size_t n, double step, double fraction, double low, float *out,
                       size_t count)
{
    sinc_phases phases;
    if (make_phases(step, fraction, low, count, &phases)) {
        for (size_t i = 0; i < count; i++)
            out[i] = sample_by(&phases, x, n, i);
        free(phases.weight);
        return true;
    }
    float *table = sinc_table();
    for (size_t i = 0; table && i < count; i++)
        out[i] = sample_at(x, n, (double)i * step + fraction, low, table);
    free(table);
    return table != NULL;
}

size_t xr_change_rate(const float *x, size_t n, double ratio, float *out, size_t most)
{
    double made = floor((double)n * ratio);
    size_t count = made < (double)most ? (size_t)made : most;
    return sample_all(x, n, 1 / ratio, 0, XR_KEPT_BAND * fmin(1, ratio), out, count) ? count : 0;
}

bool xr_low_pass(const float *x, size_t n, double share, float *out)
{
    return sample_all(x, n, 1, 0, share, out, n);
}

bool xr_shift_by_fraction(const float *x, size_t n, double fraction, float *out)
{
    return sample_all(x, n, 1, fraction, 1, out, n);
}

float *xr_mean_of_channels(const float *samples, size_t length, size_t channels)
{
    float *out = malloc((length + 1) * sizeof *out);
    for (size_t i = 0; out && i < length; i++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++)
            sum += (double)samples[i * channels + c];
        out[i] = (float)(sum / (double)channels);
    }
    return out;
}
