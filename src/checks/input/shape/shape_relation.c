#include "checks/input/shape/shape_relation.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <string.h>

/* Values 34 dB below the signal are noise, whatever made them (docs/causes-input.md). */
#define NOISE 0.02
/* Pictures of one scene at two sizes correlate by more than this, on a small grid. */
#define ALIKE 0.9
/* Comparisons of elements that the search for a part may cost. */
static const uint64_t MOST_WORK = UINT64_C(1) << 24;

enum { GRID = 12 };

/* ---- Shapes -------------------------------------------------------------------------------- */

static bool is_one(const exray_tensor_info *info, uint32_t i)
{
    return info->shape[i] == 1;
}

/* The shapes in the same dimensions, or false: of another rank. */
static bool align(const exray_tensor_info *a, const exray_tensor_info *b, xr_shape_relation *r)
{
    if (a->rank > EXRAY_MAX_RANK || b->rank > EXRAY_MAX_RANK)
        return false;
    if (a->rank == b->rank) {
        for (uint32_t i = 0; i < a->rank; i++) {
            if (is_one(a, i) && is_one(b, i))
                continue;
            r->axis[r->rank] = i;
            r->size[0][r->rank] = a->shape[i];
            r->size[1][r->rank++] = b->shape[i];
        }
        return true;
    }
    uint32_t i = 0, j = 0;
    for (; i < a->rank || j < b->rank; i++, j++) {
        while (i < a->rank && is_one(a, i))
            i++;
        while (j < b->rank && is_one(b, j))
            j++;
        if (i == a->rank && j == b->rank)
            return true;
        if (i == a->rank || j == b->rank)
            return false;
        r->axis[r->rank] = i;
        r->size[0][r->rank] = a->shape[i];
        r->size[1][r->rank++] = b->shape[j];
    }
    return true;
}

/* Whether the aligned sizes are those of the values. */
static bool fills(const xr_shape_relation *r, int side, uint64_t count)
{
    uint64_t product = 1;
    for (uint32_t i = 0; i < r->rank; i++) {
        if (r->size[side][i] < 1 || product > count / (uint64_t)r->size[side][i])
            return false;
        product *= (uint64_t)r->size[side][i];
    }
    return product == count;
}

static void strides_of(const int64_t *size, uint32_t rank, uint64_t out[EXRAY_MAX_RANK])
{
    uint64_t stride = 1;
    for (uint32_t i = rank; i-- > 0;) {
        out[i] = stride;
        stride *= (uint64_t)size[i];
    }
}

/* ---- Values -------------------------------------------------------------------------------- */

static float load(const float *p, uint64_t i)
{
    float value;
    memcpy(&value, (const char *)p + i * sizeof value, sizeof value);
    return value;
}

/* The sum of squares of differences that noise explains in `count` values; 0 with ids. */
static double allowance(const xr_shaped *s, bool exact)
{
    double sum = 0, square = 0;
    if (exact)
        return 0;
    for (uint64_t i = 0; i < s->count; i++) {
        double v = load(s->values, i);
        sum += v;
        square += v * v;
    }
    double n = (double)s->count, variance = square / n - sum / n * (sum / n);
    return isfinite(variance) && variance > 0 ? NOISE * NOISE * variance * n : 0;
}

static double squared(double a, double b)
{
    double d = a - b;
    return a == b || (isnan(a) && isnan(b)) ? 0 : isfinite(d) ? d * d : INFINITY;
}

typedef struct part_walk {
    const float *small, *large;
    const int64_t *size; /* of the smaller */
    uint32_t rank;
    uint64_t small_stride[EXRAY_MAX_RANK], large_stride[EXRAY_MAX_RANK];
    double left;   /* what noise may still explain */
    uint64_t work; /* comparisons so far */
} part_walk;

/* Whether the part of the larger from `at` on is the smaller. */
static bool same_from(part_walk *w, uint32_t axis, uint64_t small, uint64_t large)
{
    if (axis == w->rank) {
        w->work++;
        w->left -= squared(load(w->small, small), load(w->large, large));
        return w->left >= 0;
    }
    for (int64_t i = 0; i < w->size[axis]; i++)
        if (!same_from(w, axis + 1, small + (uint64_t)i * w->small_stride[axis],
                       large + (uint64_t)i * w->large_stride[axis]))
            return false;
    return true;
}

static bool is_part_at(part_walk *w, const int64_t begin[EXRAY_MAX_RANK], double allowed)
{
    uint64_t large = 0;
    for (uint32_t i = 0; i < w->rank; i++)
        large += (uint64_t)begin[i] * w->large_stride[i];
    w->left = allowed;
    return same_from(w, 0, 0, large);
}

/* ---- A part ---------------------------------------------------------------------------------- */

/* Whether one side is at least as large in every dimension. */
static bool find_larger(xr_shape_relation *r)
{
    bool edge = true, reference = true;
    for (uint32_t i = 0; i < r->rank; i++) {
        edge = edge && r->size[0][i] >= r->size[1][i];
        reference = reference && r->size[1][i] >= r->size[0][i];
    }
    r->larger = edge ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    return edge != reference;
}

/* The next place after `begin`; false after the last. */
static bool next_place(const xr_shape_relation *r, int64_t begin[EXRAY_MAX_RANK])
{
    const int64_t *large = r->size[r->larger], *small = r->size[!r->larger];
    for (uint32_t i = r->rank; i-- > 0;) {
        if (++begin[i] <= large[i] - small[i])
            return true;
        begin[i] = 0;
    }
    return false;
}

/* The usual places first: begin, middle, end; then all. */
static bool find_place(const xr_shape_relation *r, part_walk *w, double allowed,
                       int64_t begin[EXRAY_MAX_RANK])
{
    const int64_t *large = r->size[r->larger], *small = r->size[!r->larger];
    for (int usual = 0; usual < 3; usual++) {
        for (uint32_t i = 0; i < r->rank; i++)
            begin[i] = (large[i] - small[i]) * usual / 2;
        if (is_part_at(w, begin, allowed))
            return true;
    }
    memset(begin, 0, EXRAY_MAX_RANK * sizeof *begin);
    do
        if (is_part_at(w, begin, allowed))
            return true;
    while (w->work < MOST_WORK && next_place(r, begin));
    return false;
}

/* Whether an element of the larger lies in the part. */
static bool is_inside(const xr_shape_relation *r, const part_walk *w, uint64_t element)
{
    for (uint32_t i = 0; i < r->rank; i++) {
        int64_t at = (int64_t)(element / w->large_stride[i]);
        element %= w->large_stride[i];
        if (at < r->begin[i] || at >= r->begin[i] + r->size[!r->larger][i])
            return false;
    }
    return true;
}

/* Whether all around the part is one value. */
static bool is_padding(xr_shape_relation *r, const part_walk *w, uint64_t count, double deviation)
{
    double low = INFINITY, high = -INFINITY;
    for (uint64_t i = 0; i < count; i++)
        if (!is_inside(r, w, i)) {
            double v = load(w->large, i);
            low = fmin(low, v);
            high = fmax(high, v);
            if (!(high - low <= NOISE / 10 * deviation))
                return false;
        }
    r->pad = (low + high) / 2;
    return true;
}

static bool find_part(const xr_shaped side[2], bool exact, xr_shape_relation *r)
{
    if (!find_larger(r))
        return false;
    const xr_shaped *small = &side[!r->larger], *large = &side[r->larger];
    part_walk w = {
        .small = small->values, .large = large->values, .size = r->size[!r->larger], .rank = r->rank};
    strides_of(r->size[!r->larger], r->rank, w.small_stride);
    strides_of(r->size[r->larger], r->rank, w.large_stride);
    double allowed = allowance(small, exact);
    if (!find_place(r, &w, allowed, r->begin))
        return false;
    double deviation = sqrt(allowance(large, exact) / (double)large->count) / NOISE;
    r->kind = is_padding(r, &w, large->count, deviation) ? XR_SHAPE_PADDED : XR_SHAPE_PART;
    return true;
}

/* ---- The first and the last ------------------------------------------------------------------- */

/* The only dimension in which the sizes differ, or rank. */
static uint32_t only_axis(const xr_shape_relation *r)
{
    uint32_t axis = r->rank;
    for (uint32_t i = 0; i < r->rank; i++)
        if (r->size[0][i] != r->size[1][i]) {
            if (axis != r->rank)
                return r->rank;
            axis = i;
        }
    return axis;
}

/* Whether slice i of the smaller is slice k of the larger along the axis. */
static bool same_slice(const xr_shape_relation *r, const part_walk *w, uint32_t axis, int64_t i, int64_t k,
                       double allowed)
{
    int64_t one[EXRAY_MAX_RANK];
    memcpy(one, w->size, sizeof one);
    one[axis] = 1;
    part_walk s = *w;
    s.size = one;
    s.rank = r->rank;
    s.left = allowed;
    return same_from(&s, 0, (uint64_t)i * w->small_stride[axis], (uint64_t)k * w->large_stride[axis]);
}

static bool find_split(const xr_shaped side[2], bool exact, xr_shape_relation *r)
{
    uint32_t axis = only_axis(r);
    if (axis == r->rank || !find_larger(r))
        return false;
    const xr_shaped *small = &side[!r->larger], *large = &side[r->larger];
    int64_t n = r->size[!r->larger][axis], m = r->size[r->larger][axis];
    part_walk w = {
        .small = small->values, .large = large->values, .size = r->size[!r->larger], .rank = r->rank};
    strides_of(r->size[!r->larger], r->rank, w.small_stride);
    strides_of(r->size[r->larger], r->rank, w.large_stride);
    double allowed = allowance(small, exact) / (double)n;
    while (r->head < n && same_slice(r, &w, axis, r->head, r->head, allowed))
        r->head++;
    while (r->tail < n - r->head && same_slice(r, &w, axis, n - 1 - r->tail, m - 1 - r->tail, allowed))
        r->tail++;
    r->first = axis;
    bool found = r->head > 0 && r->tail > 0 && r->head + r->tail == n;
    if (found)
        r->kind = XR_SHAPE_SPLIT;
    return found;
}

/* ---- The same values --------------------------------------------------------------------------- */

static bool find_reshaped(const xr_shaped side[2], bool exact, xr_shape_relation *r)
{
    if (side[0].count != side[1].count)
        return false;
    double left = allowance(&side[1], exact);
    for (uint64_t i = 0; i < side[0].count && left >= 0; i++)
        left -= squared(load(side[0].values, i), load(side[1].values, i));
    if (left >= 0)
        r->kind = XR_SHAPE_RESHAPED;
    return left >= 0;
}

/* Whether exchanging dimensions i and k of the edge's makes it the reference's. */
static bool is_transposed(const xr_shaped side[2], bool exact, const xr_shape_relation *r, uint32_t i,
                          uint32_t k)
{
    int64_t turned[EXRAY_MAX_RANK];
    memcpy(turned, r->size[0], sizeof turned);
    turned[i] = r->size[0][k];
    turned[k] = r->size[0][i];
    if (memcmp(turned, r->size[1], r->rank * sizeof *turned) != 0)
        return false;
    part_walk w = {.small = side[0].values,
                   .large = side[1].values,
                   .size = r->size[0],
                   .rank = r->rank,
                   .left = allowance(&side[1], exact)};
    strides_of(r->size[0], r->rank, w.small_stride);
    strides_of(r->size[1], r->rank, w.large_stride);
    uint64_t stride = w.large_stride[i];
    w.large_stride[i] = w.large_stride[k];
    w.large_stride[k] = stride;
    return same_from(&w, 0, 0, 0);
}

static bool find_transposed(const xr_shaped side[2], bool exact, xr_shape_relation *r)
{
    for (uint32_t i = 0; side[0].count == side[1].count && i < r->rank; i++)
        for (uint32_t k = i + 1; k < r->rank; k++)
            if (r->size[0][i] != r->size[0][k] && is_transposed(side, exact, r, i, k)) {
                r->kind = XR_SHAPE_TRANSPOSED;
                r->first = i;
                r->second = k;
                return true;
            }
    return false;
}

/* ---- Pictures ------------------------------------------------------------------------------------ */

/* Whether the shape is that of the values. */
static bool has_all(const exray_tensor_info *info, uint64_t count)
{
    uint64_t product = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 1 || product > count / (uint64_t)info->shape[i])
            return false;
        product *= (uint64_t)info->shape[i];
    }
    return product == count;
}

/* Averages of a picture's values on a small grid, all channels together. */
static bool make_grid(const xr_shaped *s, double grid[GRID * GRID])
{
    xr_pixel_view v = xr_pixel_view_of(s->info, s->count);
    double number[GRID * GRID] = {0};
    if (s->info->rank == 4) /* of a batch the first picture: there may be another number of them */
        v.rows = v.picture_rows;
    memset(grid, 0, GRID * GRID * sizeof *grid);
    if (v.rows < GRID || v.columns < GRID || !has_all(s->info, s->count))
        return false;
    for (size_t y = 0; y < v.rows; y++)
        for (size_t x = 0; x < v.columns; x++) {
            size_t at = y * GRID / v.rows * GRID + x * GRID / v.columns;
            for (size_t c = 0; c < v.channels; c++)
                grid[at] += load(s->values, xr_element_place(&v, y, x, c));
            number[at] += (double)v.channels;
        }
    for (int i = 0; i < GRID * GRID; i++)
        grid[i] /= number[i];
    return true;
}

static double correlation(const double *a, const double *b, int n)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < n; i++)
        sa += a[i], sb += b[i];
    for (int i = 0; i < n; i++) {
        double x = a[i] - sa / n, y = b[i] - sb / n;
        aa += x * x, bb += y * y, ab += x * y;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static bool find_resized(const xr_shaped side[2], xr_shape_relation *r)
{
    double grid[2][GRID * GRID];
    if (!make_grid(&side[0], grid[0]) || !make_grid(&side[1], grid[1]) ||
        !(correlation(grid[0], grid[1], GRID * GRID) > ALIKE))
        return false;
    r->kind = XR_SHAPE_RESIZED;
    return true;
}

void xr_relate_shapes(const xr_shaped side[2], bool exact, xr_shape_relation *out)
{
    *out = (xr_shape_relation){0};
    bool aligned = align(side[0].info, side[1].info, out);
    if (!side[0].values || !side[1].values || side[0].count == 0 || side[1].count == 0)
        return;
    if (aligned && fills(out, 0, side[0].count) && fills(out, 1, side[1].count) &&
        (find_part(side, exact, out) || find_split(side, exact, out) || find_transposed(side, exact, out)))
        return;
    if (find_reshaped(side, exact, out))
        return;
    find_resized(side, out);
}
