/* Floats that are dequantized 8-bit integers. */
#include "compare/measure/levels.h"

#include <math.h>
#include <string.h>

/* Fewer prove nothing: two numbers are always on a lattice. */
enum { FEWEST = 4, MOST_PARTS = 4 };
/* Of a step: how far from the lattice a value may be, besides float rounding. */
#define SLACK 2e-3

static void insert(xr_levels *l, float value)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->value[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < l->count && l->value[low] == value)
        return;
    if (l->count == XR_LEVELS_MOST) {
        l->too_many = true;
        return;
    }
    memmove(&l->value[low + 1], &l->value[low], (l->count - low) * sizeof *l->value);
    l->value[low] = value;
    l->count++;
}

void xr_levels_add(xr_levels *l, const float *values, uint64_t count)
{
    float before = NAN;
    for (uint64_t i = 0; i < count && !l->too_many; i++) {
        float value;
        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        if (value == before || !isfinite(value))
            continue;
        insert(l, value);
        before = value;
    }
}

static bool is_on_lattice(const xr_levels *l, double step)
{
    double low = l->value[0];
    if ((l->value[l->count - 1] - low) / step > XR_LEVELS_MOST - 0.5)
        return false;
    for (size_t i = 0; i < l->count; i++) {
        double steps = (l->value[i] - low) / step;
        double rounding = 4 * 6e-8 * (fabs((double)l->value[i]) + fabs(low)) / step;
        if (fabs(steps - rint(steps)) > SLACK + rounding)
            return false;
    }
    return true;
}

double xr_levels_step(const xr_levels *l)
{
    if (l->too_many || l->count < FEWEST)
        return 0;
    double gap = INFINITY;
    for (size_t i = 1; i < l->count; i++)
        gap = fmin(gap, (double)l->value[i] - l->value[i - 1]);
    /* Possibly no two values are neighbors. */
    for (int parts = 1; parts <= MOST_PARTS; parts++)
        if (is_on_lattice(l, gap / parts))
            return gap / parts;
    return 0;
}
