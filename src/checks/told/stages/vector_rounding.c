#include "checks/told/stages/vector_rounding.h"

#include "checks/told/stages/vector_steps.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    LEAST_VALUES = 4,
    MOST_DECIMALS = 6,
    FEWEST_PIXELS = 64, /* of a picture's side */
    MOST_PIXELS = 8192,
};

/* Of float32 values of a grid: what its own rounding leaves. */
static bool is_on_grid(double value, double per_one)
{
    const double at = value * per_one;
    return fabs(at - rint(at)) <= 1e-3 + 2e-7 * fabs(at);
}

static bool are_within(const xr_stage_values *a, const xr_stage_values *b, size_t first, size_t step,
                       double far)
{
    for (size_t i = first; i < a->count; i += step)
        if (!(fabs((double)a->value[i] - (double)b->value[i]) <= far + 2e-7 * fabs((double)b->value[i])))
            return false;
    return true;
}

static bool all_on_grid(const xr_stage_values *v, size_t first, size_t step, double per_one)
{
    for (size_t i = first; i < v->count; i += step)
        if (!is_on_grid((double)v->value[i], per_one))
            return false;
    return true;
}

static bool is_half_precision(const xr_stage_values *a, const xr_stage_values *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const double y = (double)b->value[i], apart = fabs((double)a->value[i] - y);
        if (!(apart <= 1.01 * fabs(y) / 2048 + 3e-8)) /* 11 bits; the smallest step of such floats, 2^-24 */
            return false;
    }
    return true;
}

/* The upper half of a float32's bits. */
static bool is_bfloat16(const xr_stage_values *v)
{
    for (size_t i = 0; i < v->count; i++) {
        uint32_t bits;
        memcpy(&bits, &v->value[i], sizeof bits);
        if (bits & 0xFFFF)
            return false;
    }
    return true;
}

static bool has_brief_floats(const xr_stage_values *a, const xr_stage_values *b)
{
    if (is_bfloat16(a) == is_bfloat16(b))
        return false;
    for (size_t i = 0; i < a->count; i++) /* 8 bits, rounded or cut off */
        if (!(fabs((double)a->value[i] - (double)b->value[i]) <= 1.01 * fabs((double)b->value[i]) / 128))
            return false;
    return true;
}

static bool has_decimals(const xr_stage_values *a, const xr_stage_values *b)
{
    double per_one = 1;
    for (int k = 0; k <= MOST_DECIMALS; k++, per_one *= 10)
        if (are_within(a, b, 0, 1, 0.505 / per_one) &&
            all_on_grid(a, 0, 1, per_one) != all_on_grid(b, 0, 1, per_one))
            return true;
    return false;
}

/* One coordinate of all points: rounded, or the pixel that it lies in. */
static bool has_pixels(const xr_stage_values *a, const xr_stage_values *b, size_t column)
{
    if (are_within(a, b, column, 2, 1e-6))
        return true;
    for (int n = FEWEST_PIXELS; n <= MOST_PIXELS; n++)
        if (are_within(a, b, column, 2, 1.001 / n) &&
            (all_on_grid(a, column, 2, n) || all_on_grid(b, column, 2, n)))
            return true;
    return false;
}

bool xr_is_rounded(const xr_stage_values *edge, const xr_stage_values *reference)
{
    double difference = 0, square = 0;
    if (edge->count != reference->count || edge->count == 0)
        return false;
    for (size_t i = 0; i < edge->count; i++) {
        const double x = (double)edge->value[i], y = (double)reference->value[i];
        if (!isfinite(x) || !isfinite(y))
            return false;
        difference += (x - y) * (x - y);
        square += y * y;
    }
    if (!(difference <= XR_LARGEST_ROUNDING * XR_LARGEST_ROUNDING * square))
        return false;
    if (is_half_precision(edge, reference) || has_brief_floats(edge, reference))
        return true;
    if (edge->count < LEAST_VALUES)
        return has_decimals(edge, reference);
    const bool points = edge->rank == 2 && edge->shape[1] == 2;
    return has_decimals(edge, reference) ||
           (points && has_pixels(edge, reference, 0) && has_pixels(edge, reference, 1));
}
