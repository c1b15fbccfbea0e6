#include "checks/model/weight_difference.h"

#include "checks/ascending.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Error of float arithmetic in converters (folding a normalization), relative to the weights. */
#define FLOAT_NOISE 1e-5

enum { MOST_DIMENSIONS = 4 };

/* ---- Rounding ------------------------------------------------------------------------ */

/* Whether all values that are stored with scale i are zeros: tools then take any scale, such as 1, which
 * explains nothing. */
static bool is_empty_channel(const exray_tensor_info *info, const float *values, uint32_t i)
{
    const exray_quantization *q = &info->quantization;
    if (!values || q->count < 2 || q->axis >= info->rank || info->shape[q->axis] != (int64_t)q->count)
        return false;
    uint64_t outer = 1, inner = 1;
    for (uint32_t d = 0; d < info->rank; d++)
        *(d < q->axis ? &outer : &inner) *= d == q->axis ? 1 : (uint64_t)info->shape[d];
    for (uint64_t o = 0; o < outer; o++)
        for (uint64_t k = 0; k < inner; k++)
            if (values[(o * q->count + i) * inner + k] != 0)
                return false;
    return true;
}

/* rms error from storing the values, in their unit; NAN for integers without a scale.  `values`: NULL where
 * they are not known. */
static double rounding_of(const exray_tensor_info *info, const float *values, double rms)
{
    double sum = 0;
    const bool floats = xr_is_float8(info->dtype);
    for (uint32_t i = 0; i < info->quantization.count && !floats; i++)
        if (!is_empty_channel(info, values, i))
            sum += (double)info->quantization.scale[i] * info->quantization.scale[i];
    if (info->quantization.count && !floats) /* of floats, the scale is no step */
        return sqrt(sum / info->quantization.count / 12);
    switch (info->dtype) {
    case EXRAY_DTYPE_FLOAT32:
    case EXRAY_DTYPE_FLOAT64:
        return FLOAT_NOISE * rms;
    case EXRAY_DTYPE_FLOAT16: /* of small numbers to a multiple of 2^-24 */
        return hypot(rms / 4096, 0x1p-24 / sqrt(12));
    case EXRAY_DTYPE_BFLOAT16:
        return rms / 512;
    case EXRAY_DTYPE_FLOAT8_E4M3:
        return rms / 32;
    case EXRAY_DTYPE_FLOAT8_E5M2:
        return rms / 16;
    default:
        return NAN;
    }
}

/* rms error of a float32 constant that was rounded to a shorter type before it was stored; 0: its
 * mantissas use more bits. */
static double rounded_before(const exray_tensor_info *info, const float *values, uint64_t count, double rms)
{
    if (info->dtype != EXRAY_DTYPE_FLOAT32)
        return 0;
    uint32_t used = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        used |= bits;
    }
    if ((used & 0x7fffff) == 0) /* zeros and powers of two fit any type */
        return 0;
    return (used & 0xffff) == 0 ? rms / 512 : (used & 0x1fff) == 0 ? rms / 4096 : 0;
}

static uint64_t not_finite(const float *values, uint64_t count)
{
    uint64_t found = 0;
    for (uint64_t i = 0; i < count; i++)
        found += !isfinite(values[i]);
    return found;
}

/* ---- Layouts --------------------------------------------------------------------------- */

typedef struct weight_layout {
    uint32_t rank;
    uint64_t size[MOST_DIMENSIONS];   /* of the reference */
    uint64_t stride[MOST_DIMENSIONS]; /* of the edge, in the reference's order of dimensions */
    bool turned;                      /* the shapes are the same, the order of dimensions is not */
} weight_layout;

/* The shape without dimensions of 1; false where more than four remain. */
static bool squeeze(const exray_tensor_info *info, uint32_t *rank, uint64_t *size)
{
    *rank = 0;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] == 1)
            continue;
        if (*rank == MOST_DIMENSIONS || info->shape[i] < 1)
            return false;
        size[(*rank)++] = (uint64_t)info->shape[i];
    }
    return true;
}

typedef struct moment_sums {
    double n, a, b, aa, bb, ab, dd;
    double zeros[2], others; /* how often one side alone is 0; the sum of squares of all other differences */
} moment_sums;

static void add(moment_sums *s, double a, double b)
{
    s->n++;
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
    s->dd += (a - b) * (a - b);
    if ((a == 0) != (b == 0))
        s->zeros[a == 0 ? 0 : 1]++;
    else
        s->others += (a - b) * (a - b);
}

/* Visits all pairs of values, in the reference's order.  With `channels`, sums go to
 * into[index along `axis`], else all to into[0]. */
static void walk(const weight_layout *l, const float *edge, const float *reference, uint32_t axis,
                 bool channels, moment_sums *into)
{
    uint64_t at[MOST_DIMENSIONS] = {0}, count = 1;
    for (uint32_t d = 0; d < l->rank; d++)
        count *= l->size[d];
    uint64_t place = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (isfinite(edge[place]) && isfinite(reference[i]))
            add(&into[channels ? at[axis] : 0], edge[place], reference[i]);
        for (uint32_t d = l->rank; d-- > 0;) {
            place += l->stride[d];
            if (++at[d] < l->size[d])
                break;
            place -= l->stride[d] * l->size[d];
            at[d] = 0;
        }
    }
}

/* The edge's dimensions in the order `order`; false where that is not the reference's shape. */
static bool make_layout(const uint64_t *edge, const uint64_t *reference, uint32_t rank,
                        const unsigned char *order, weight_layout *out)
{
    uint64_t stride[MOST_DIMENSIONS];
    uint64_t step = 1;
    for (uint32_t d = rank; d-- > 0;) {
        stride[d] = step;
        step *= edge[d];
    }
    out->rank = rank;
    for (uint32_t d = 0; d < rank; d++) {
        if (edge[order[d]] != reference[d])
            return false;
        out->size[d] = reference[d];
        out->stride[d] = stride[order[d]];
    }
    out->turned = false;
    for (uint32_t d = 0; d < rank; d++)
        out->turned = out->turned || order[d] != d;
    out->turned = out->turned && memcmp(edge, reference, rank * sizeof *edge) == 0;
    return true;
}

/* The next permutation, in lexical order. */
static bool next_order(unsigned char *order, uint32_t rank)
{
    for (uint32_t i = rank; i-- > 1;) {
        if (order[i - 1] >= order[i])
            continue;
        uint32_t j = rank - 1;
        while (order[j] <= order[i - 1])
            j--;
        unsigned char swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
        for (uint32_t low = i, high = rank - 1; low < high; low++, high--) {
            swap = order[low];
            order[low] = order[high];
            order[high] = swap;
        }
        return true;
    }
    return false;
}

/* The layout with the smallest difference.  The identity comes first; the search ends at a
 * difference within `enough` (mean square). */
static bool nearest_layout(const exray_tensor_view view[2], const float *const values[2], double enough,
                           weight_layout *best, moment_sums *out)
{
    uint32_t rank[2];
    uint64_t size[2][MOST_DIMENSIONS];
    bool fit = squeeze(&view[0].info, &rank[0], size[0]) && squeeze(&view[1].info, &rank[1], size[1]);
    bool found = false;
    unsigned char order[MOST_DIMENSIONS] = {0, 1, 2, 3};
    for (bool more = fit && rank[0] == rank[1]; more; more = next_order(order, rank[0])) {
        weight_layout l;
        moment_sums s = {0};
        if (!make_layout(size[0], size[1], rank[0], order, &l))
            continue;
        walk(&l, values[0], values[1], 0, false, &s);
        if (!found || s.dd < out->dd) {
            *out = s;
            *best = l;
        }
        found = true;
        if (out->dd <= enough * out->n)
            return true;
    }
    return found;
}

/* ---- Other orders, other scales ------------------------------------------------------------ */

/* For shapes that no permutation of dimensions matches (flattened after a change of layout):
 * compares the sorted values. */
static bool sorted_sums(const float *const values[2], uint64_t count, moment_sums *out)
{
    size_t room = (count + 1) * sizeof(float);
    float *copy[2] = {malloc(room), malloc(room)};
    bool ok = copy[0] && copy[1];
    *out = (moment_sums){0};
    for (int s = 0; ok && s < 2; s++) {
        memcpy(copy[s], values[s], count * sizeof(float));
        qsort(copy[s], count, sizeof(float), xr_ascending_floats);
    }
    for (uint64_t i = 0; ok && i < count; i++)
        add(out, copy[0][i], copy[1][i]);
    free(copy[0]);
    free(copy[1]);
    return ok;
}

/* Whether one factor for each slice along some dimension explains the difference, as after folding
 * a normalization into a convolution. */
static bool is_rescaled(const weight_layout *l, const float *const values[2], double factor,
                        double rounding_squared)
{
    for (uint32_t axis = 0; axis < l->rank; axis++) {
        uint64_t slices = l->size[axis], total = 1;
        for (uint32_t d = 0; d < l->rank; d++)
            total *= l->size[d];
        if (total / slices < 4) /* too few values to fit a factor */
            continue;
        moment_sums *s = calloc(slices, sizeof *s);
        if (!s)
            return false;
        walk(l, values[0], values[1], axis, true, s);
        double residual = 0, gain_squared = 0, n = 0;
        bool positive = true;
        for (uint64_t i = 0; i < slices; i++) {
            double gain = s[i].bb > 0 ? s[i].ab / s[i].bb : 1;
            positive = positive && gain > 0;
            residual += fmax(s[i].aa - gain * s[i].ab, 0);
            gain_squared += gain * gain;
            n += s[i].n;
        }
        free(s);
        double bound = factor * factor * rounding_squared * (1 + gain_squared / (double)slices);
        if (positive && n > 0 && residual / n <= bound)
            return true;
    }
    return false;
}

/* Whether some slice along a dimension has lost half of its signal or more, beyond what rounding explains:
 * two filters exchanged, one of zeros; in all of the weights that is little.  Yet it is no less than in the
 * slice: where all together differ by too little for a wrong one, none is looked for. */
static exray_status has_wrong_slice(const weight_layout *l, const float *const values[2], double rounding,
                                    const moment_sums *all, bool *yes)
{
    enum { FEWEST = 16 };
    static const double half = 0.5, beyond = 4, least = 0.1; /* times the signal, the rounding, all weights */
    const double own = sqrt(all->bb / all->n), wrong = fmax(half * least * own, beyond * rounding);
    uint64_t total = 1;
    for (uint32_t d = 0; d < l->rank; d++)
        total *= l->size[d];
    *yes = false;
    for (uint32_t axis = 0; axis < l->rank && !*yes; axis++) {
        const uint64_t each = total / l->size[axis];
        const bool too_little = all->n == (double)total && all->dd < (double)each * wrong * wrong;
        if (each < FEWEST || too_little)
            continue;
        moment_sums *s = calloc(l->size[axis] + 1, sizeof *s);
        if (!s)
            return EXRAY_E_MEMORY;
        walk(l, values[0], values[1], axis, true, s);
        for (uint64_t i = 0; i < l->size[axis] && !*yes; i++) {
            double off = sqrt(s[i].dd / s[i].n), signal = sqrt(s[i].bb / s[i].n);
            *yes = off > half * signal && off > beyond * rounding && signal > least * own;
        }
        free(s);
    }
    return EXRAY_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool stored_alike(const exray_tensor_info *a, const exray_tensor_info *b)
{
    const exray_quantization *p = &a->quantization, *q = &b->quantization;
    if (a->dtype != b->dtype || p->count != q->count || p->count == 0 || !p->zero_point != !q->zero_point)
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->scale[i] != q->scale[i] || (p->zero_point && p->zero_point[i] != q->zero_point[i]))
            return false;
    return true;
}

/* Equal weights that are stored with equal scales have equal statistics.  Where a tool chose either
 * neighbor for each, a weight moves by half a step rms: mean and deviation move by that over the root
 * of their number, and the variance by a twelfth of a step squared.  More than that, in most tensors,
 * is another training. */
static bool has_moved(const exray_tensor_view view[2], double step, double factor, const xr_weight_pair *pair)
{
    double deviation = sqrt(fmax(view[1].stats.variance, 0)), n = (double)view[1].stats.count;
    double chance = fmax(step * sqrt(2 / n), FLOAT_NOISE * deviation);
    double spread = step * step / (2 * deviation); /* twice what a twelfth of a step gives */
    return stored_alike(&view[0].info, &view[1].info) &&
           pair->difference * deviation > factor * chance + spread;
}

/* From mean and deviation alone: a lower bound of the difference, and how far rounding moves
 * them. */
static bool from_statistics(const exray_tensor_view view[2], double factor, xr_weight_pair *pair)
{
    const exray_stats *a = &view[0].stats, *b = &view[1].stats;
    double deviation[2] = {sqrt(fmax(a->variance, 0)), sqrt(fmax(b->variance, 0))};
    double rounding[2], n = (double)b->count;
    for (int s = 0; s < 2; s++) {
        const exray_stats *x = &view[s].stats;
        rounding[s] = rounding_of(&view[s].info, NULL, sqrt(x->variance + x->mean * x->mean));
    }
    double step = hypot(rounding[0], rounding[1]);
    if (isnan(step) || !(deviation[1] > 0) || n < 16)
        return false;
    /* Rounding adds its own variance, and moves the mean at random: by up to 4 deviations. */
    double moved = step * step / deviation[1] + 4 * step / sqrt(n);
    pair->from_stats = true;
    pair->correlation = NAN;
    pair->difference = hypot(a->mean - b->mean, deviation[0] - deviation[1]) / deviation[1];
    pair->rounding = fmax(moved, FLOAT_NOISE * deviation[1]) / deviation[1];
    pair->differs = pair->difference > factor * pair->rounding;
    pair->moved = pair->differs || has_moved(view, step, factor, pair);
    return true;
}

bool xr_weight_difference(const exray_tensor_view view[2], const float *const values[2],
                          const double stored[2], double factor, xr_weight_pair *pair)
{
    bool slice = false;
    pair->count = view[1].count;
    if (!values[0] || !values[1]) {
        return view[0].has_stats && view[1].has_stats && view[0].stats.count == view[1].stats.count &&
               from_statistics(view, factor, pair);
    }
    pair->not_finite = not_finite(values[0], pair->count);
    if (pair->not_finite && not_finite(values[1], pair->count) == 0) {
        pair->correlation = NAN;
        pair->differs = pair->moved = true;
        return true;
    }
    weight_layout l = {0};
    moment_sums s = {0};
    double square[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        for (uint64_t i = 0; i < pair->count; i++)
            square[side] += (double)values[side][i] * values[side][i];
        double rms = sqrt(square[side] / (double)pair->count);
        double own = isnan(stored[side]) ? rounding_of(&view[side].info, values[side], rms) : stored[side];
        if (isnan(own))
            return false; /* integers whose scale is not known */
        square[side] = fmax(own, rounded_before(&view[side].info, values[side], pair->count, rms));
        square[side] *= square[side];
    }
    double rounding = square[0] + square[1];
    if (!isfinite(rounding))
        return false;
    bool laid = nearest_layout(view, values, factor * factor * rounding, &l, &s);
    if (!laid && !sorted_sums(values, pair->count, &s))
        return false;
    double variance = s.bb / s.n - (s.b / s.n) * (s.b / s.n), own = s.aa / s.n - (s.a / s.n) * (s.a / s.n);
    double unit = sqrt(variance > 1e-12 * s.bb / s.n ? variance : s.bb / s.n);
    if (!(unit > 0))
        unit = s.aa > 0 ? sqrt(s.aa / s.n) : 1;
    pair->unit = unit;
    pair->sum[0] = s.a;
    pair->sum[1] = s.b;
    pair->square[0] = s.aa;
    pair->square[1] = s.bb;
    pair->difference = sqrt(s.dd / s.n) / unit;
    pair->rounding = fmax(sqrt(rounding) / unit, FLOAT_NOISE);
    pair->correlation = (s.ab / s.n - s.a / s.n * (s.b / s.n)) / sqrt(fmax(variance * own, 1e-300));
    pair->differs = pair->moved = pair->difference > factor * pair->rounding;
    if (pair->differs && laid) { /* else what costs more to see explains nothing */
        double grid = hypot(exray_weights_rounding(&view[0].info, values[0]),
                            exray_weights_rounding(&view[1].info, values[1]));
        rounding += grid * grid;
        pair->rounding = fmax(sqrt(rounding) / unit, FLOAT_NOISE);
        pair->differs = pair->moved = pair->difference > factor * pair->rounding;
    }
    if (!pair->differs && laid && !pair->bias &&
        has_wrong_slice(&l, values, sqrt(rounding), &s, &slice) != EXRAY_OK)
        return false;
    pair->differs = pair->moved = pair->differs || slice;
    pair->transposed = laid && l.turned && !pair->differs;
    for (int side = 0; side < 2 && pair->differs; side++)
        pair->zeroed[side] =
            s.others <= factor * factor * rounding * s.n && s.zeros[!side] == 0 ? (uint64_t)s.zeros[side] : 0;
    if (pair->differs && laid && is_rescaled(&l, values, factor, fmax(rounding, 1e-10 * unit * unit)))
        pair->rescaled = true;
    return true;
}

double xr_weight_deviation(const xr_weight_pair *pair, int side)
{
    const double n = (double)pair->count, mean = pair->sum[side] / n;
    return sqrt(fmax(pair->square[side] / n - mean * mean, 0));
}

/* Deviations of a sum of independent errors that are allowed. */
#define MOST_DEVIATIONS 4.0

bool xr_weights_may_be_equal(const xr_weight_pair *edge, const xr_weight_pair *reference, double factor)
{
    if (edge->count != reference->count || reference->from_stats)
        return false;
    const double n = (double)edge->count;
    const double error =
        factor * hypot(edge->rounding * edge->unit, reference->rounding * reference->unit) * sqrt(n);
    return fabs(edge->sum[0] - reference->sum[1]) <= MOST_DEVIATIONS * error &&
           fabs(edge->square[0] - reference->square[1]) <=
               2 * error * sqrt(reference->square[1]) + error * error;
}
