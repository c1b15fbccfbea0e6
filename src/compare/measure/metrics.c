#include "compare/measure/metrics.h"

#include "codecs/crc32_avx512.h"
#include "compare/measure/metrics_x86.h"

#include <math.h>
#include <string.h>

typedef size_t kernel_fn(xr_moments *moments, const float *a, const float *b, size_t n);

/* Takes no blocks: everything goes the portable way. */
static size_t kernel_none(xr_moments *moments, const float *a, const float *b, size_t n)
{
    (void)moments, (void)a, (void)b, (void)n;
    return 0;
}

typedef struct kernel {
    const char *name;
    kernel_fn *run;
    size_t block; /* elements */
} kernel;

#if defined(__x86_64__) && defined(__GNUC__)
static const kernel kernels[] = {
    {"avx512", xr_moments_avx512, XR_BLOCK_STEPS * 16},
    {"avx2", xr_moments_avx2, XR_BLOCK_STEPS * 8},
    {"portable", kernel_none, 4096},
};
static bool runs_here(const kernel *k)
{
    if (k->run == xr_moments_avx512)
        return __builtin_cpu_supports("avx512f");
    if (k->run == xr_moments_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
}
#else
static const kernel kernels[] = {{"portable", kernel_none, 4096}};
static bool runs_here(const kernel *k)
{
    (void)k;
    return true;
}
#endif
enum { KERNEL_COUNT = sizeof kernels / sizeof *kernels };

static const kernel *forced;

static const kernel *best_kernel(void)
{
    if (forced)
        return forced;
    for (size_t i = 0; i + 1 < KERNEL_COUNT; i++)
        if (runs_here(&kernels[i]))
            return &kernels[i];
    return &kernels[KERNEL_COUNT - 1];
}

bool xr_moments_use(const char *name)
{
    forced = NULL;
    if (!name)
        return true;
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(kernels[i].name, name) == 0 && runs_here(&kernels[i])) {
            forced = &kernels[i];
            return true;
        }
    }
    return false;
}

static float load(const float *p, size_t i)
{
    float value;
    memcpy(&value, (const char *)p + i * sizeof value, sizeof value);
    return value;
}

static bool note_side(xr_moments *m, int side, double x)
{
    if (isnan(x)) {
        m->nan_count[side]++;
        return false;
    }
    if (isinf(x)) {
        m->inf_count[side]++;
        return false;
    }
    if (x < m->min[side])
        m->min[side] = x;
    if (x > m->max[side])
        m->max[side] = x;
    return true;
}

static void add_portable(xr_moments *m, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = load(a, i), y = load(b, i);
        bool finite = note_side(m, EXRAY_SIDE_EDGE, x);
        finite &= note_side(m, EXRAY_SIDE_REFERENCE, y);
        if (!finite)
            continue;
        double d = x - y;
        m->count++;
        m->sum[0] += x;
        m->sum[1] += y;
        m->square[0] += x * x;
        m->square[1] += y * y;
        m->product += x * y;
        m->difference_square += d * d;
        if (fabs(d) > m->max_abs)
            m->max_abs = fabs(d);
    }
    m->total += n;
}

void xr_moments_add(xr_moments *m, const float *a, const float *b, size_t n)
{
    const kernel *k = best_kernel();
    while (n >= k->block) {
        size_t taken = k->run(m, a, b, n);
        if (taken == 0) {
            add_portable(m, a, b, k->block);
            taken = k->block;
        }
        a = (const float *)((const char *)a + taken * sizeof *a);
        b = (const float *)((const char *)b + taken * sizeof *b);
        n -= taken;
    }
    add_portable(m, a, b, n);
}

size_t xr_moments_add_summed(xr_moments *m, uint32_t crc[2], const float *a, const float *b, size_t n)
{
#if XR_CRC32_AVX512
    if (best_kernel()->run == xr_moments_avx512 && xr_crc32_avx512_is_there())
        return xr_summed_moments_avx512(m, crc, a, b, n);
#endif
    (void)m, (void)crc, (void)a, (void)b, (void)n;
    return 0;
}

void xr_moments_merge(xr_moments *into, const xr_moments *from)
{
    into->count += from->count;
    into->total += from->total;
    into->product += from->product;
    into->difference_square += from->difference_square;
    into->max_abs = fmax(into->max_abs, from->max_abs);
    for (int s = 0; s < 2; s++) {
        into->nan_count[s] += from->nan_count[s];
        into->inf_count[s] += from->inf_count[s];
        into->sum[s] += from->sum[s];
        into->square[s] += from->square[s];
        into->min[s] = fmin(into->min[s], from->min[s]);
        into->max[s] = fmax(into->max[s], from->max[s]);
    }
}

double xr_moments_std(const xr_moments *m, exray_side side)
{
    if (m->count == 0)
        return NAN;
    double n = (double)m->count, mean = m->sum[side] / n;
    double variance = m->square[side] / n - mean * mean;
    /* Below the resolution of the sums: it is a constant. */
    return variance > 1e-13 * m->square[side] / n ? sqrt(variance) : 0;
}

static double cosine(const xr_moments *m)
{
    double length = sqrt(m->square[0]) * sqrt(m->square[1]);
    if (length == 0)
        return m->square[0] == m->square[1] ? 1 : NAN;
    double c = m->product / length;
    /* Close to 1 the product cancels; the difference does not. */
    if (c > 0.9) {
        double gap = sqrt(m->square[0]) - sqrt(m->square[1]);
        c = 1 - (m->difference_square - gap * gap) / (2 * length);
    }
    return fmax(-1, fmin(1, c));
}

exray_metrics xr_moments_metrics(const xr_moments *m)
{
    exray_metrics r = {.count = m->count,
                       .nrmse = NAN,
                       .rmse = NAN,
                       .cosine = NAN,
                       .max_abs = NAN,
                       .sqnr_db = NAN,
                       .min = {NAN, NAN},
                       .max = {NAN, NAN},
                       .mean = {NAN, NAN},
                       .std = {NAN, NAN}};
    for (int s = 0; s < 2; s++) {
        r.nan_count[s] = m->nan_count[s];
        r.inf_count[s] = m->inf_count[s];
        if (m->min[s] <= m->max[s]) {
            r.min[s] = m->min[s];
            r.max[s] = m->max[s];
        }
        if (m->count)
            r.mean[s] = m->sum[s] / (double)m->count;
        r.std[s] = xr_moments_std(m, (exray_side)s);
    }
    if (m->count == 0)
        return r;
    r.rmse = sqrt(m->difference_square / (double)m->count);
    r.max_abs = m->max_abs;
    r.cosine = cosine(m);
    if (m->difference_square == 0)
        r.sqnr_db = INFINITY;
    else if (m->square[1] > 0)
        r.sqnr_db = 10 * log10(m->square[1] / m->difference_square);
    else
        r.sqnr_db = -INFINITY;
    double range = m->max[1] - m->min[1];
    if (range > 0)
        r.nrmse = r.rmse / range;
    else if (m->max_abs == 0)
        r.nrmse = 0;
    return r;
}
