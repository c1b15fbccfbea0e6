#include "checks/input/moments/moment_values.h"
#include "checks/port/tensor_type.h"

#include <math.h>

/* A histogram of 32 bins tells a mean to a level or so. */
#define EXPLAINED 1.5
#define WORST     3.0
#define SHARES    0.04 /* of values at the ends of the type */
#define RATIO     8.0
enum { FEWEST = 3, WITHIN = 16 };

/* How the edge's input stores real values. */
typedef struct storage {
    double scale, zero, least, greatest; /* the ends as integers */
} storage;

static bool storage_of(const xr_moment_frames *m, storage *out)
{
    const exray_dtype type = m->type[EXRAY_SIDE_EDGE];
    *out = (storage){m->scale[EXRAY_SIDE_EDGE], m->zero_point[EXRAY_SIDE_EDGE], 0, 255};
    if (type == EXRAY_DTYPE_INT8) {
        out->least = -128;
        out->greatest = 127;
    }
    return out->scale > 0 && xr_is_byte(type);
}

/* What a mistake stores of a real value, before it is clipped. */
static double stored_by(xr_moment_mistake mistake, const storage *s, double real)
{
    const double right = fmin(fmax(real / s->scale + s->zero, s->least), s->greatest);
    switch (mistake) {
    case XR_MISTAKE_WRAPPED:
        return right < s->least + 127.5 ? right + 128 : right - 128;
    case XR_MISTAKE_ZERO_MISSING:
        return real / s->scale;
    case XR_MISTAKE_ZERO_TWICE:
        return real / s->scale + 2 * s->zero;
    case XR_MISTAKE_QUANTIZED_TWICE:
        return right / s->scale + s->zero;
    case XR_MISTAKE_NOT_QUANTIZED:
        return trunc(real);
    case XR_MISTAKE_NONE:
    case XR_MISTAKES:
        break;
    }
    return right;
}

/* What a frame would be, in the stored unit. */
typedef struct expected {
    double mean, std, low, high;
} expected;

static expected expect(xr_moment_mistake mistake, const storage *s, const xr_input_moments *r)
{
    expected out = {0};
    double square = 0, all = 0;
    for (size_t b = 0; b < EXRAY_HISTOGRAM_BINS; b++)
        for (size_t k = 0; k < WITHIN && r->bin[b] > 0; k++) {
            const double at = ((double)b + ((double)k + 0.5) / WITHIN) / EXRAY_HISTOGRAM_BINS;
            const double w = r->bin[b] / WITHIN, q = stored_by(mistake, s, r->min + at * (r->max - r->min));
            const double kept = fmin(fmax(q, s->least), s->greatest);
            out.mean += w * kept;
            square += w * kept * kept;
            out.low += q <= s->least + 0.5 ? w : 0;
            out.high += q >= s->greatest - 0.5 ? w : 0;
            all += w;
        }
    out.mean /= all;
    out.std = sqrt(fmax(square / all - out.mean * out.mean, 0));
    return out;
}

/* The residual of a mistake over all pairs, levels rms; INFINITY: it contradicts one. */
static double residual_of(const xr_moment_pairs *p, const storage *s, xr_moment_mistake mistake)
{
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        const xr_input_moments *e = &p->frames->of[EXRAY_SIDE_EDGE][p->edge[i]],
                               *r = &p->frames->of[EXRAY_SIDE_REFERENCE][p->reference[i]];
        if (!r->bin || !(r->max > r->min))
            return INFINITY;
        const expected x = expect(mistake, s, r);
        const double mean = e->mean / s->scale + s->zero - x.mean, std = e->std / s->scale - x.std;
        const double squared = mean * mean + std * std;
        if (!(squared <= WORST * WORST) || fabs(e->low - x.low) > SHARES || fabs(e->high - x.high) > SHARES)
            return INFINITY;
        sum += squared;
    }
    return sqrt(sum / (double)p->count);
}

xr_moment_mistake xr_find_moment_mistake(const xr_moment_pairs *p, double before, double *residual)
{
    storage s;
    xr_moment_mistake found = XR_MISTAKE_NONE;
    if (p->count < FEWEST || !storage_of(p->frames, &s))
        return XR_MISTAKE_NONE;
    for (int m = XR_MISTAKE_WRAPPED; m < XR_MISTAKES; m++) {
        const xr_moment_mistake mistake = (xr_moment_mistake)m;
        const bool of_zero = mistake == XR_MISTAKE_ZERO_MISSING || mistake == XR_MISTAKE_ZERO_TWICE;
        if (of_zero && fabs(s.zero) < 3)
            continue;
        const double left = residual_of(p, &s, mistake);
        if (!(left <= EXPLAINED) || left * RATIO > before)
            continue;
        if (found)
            return XR_MISTAKE_NONE; /* these frames do not tell which */
        found = mistake;
        *residual = left;
    }
    return found;
}
