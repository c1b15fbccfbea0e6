/* Floats that are dequantized 8-bit integers, or converted from 16 bits. */
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

/* Whether numbers of 10 digits behind the first (bits) can be the value, as far as float16 reaches. */
static bool is_half(float value, uint32_t bits)
{
    const float size = fabsf(value), least = 6.103515625e-5f; /* below it, steps of 2^-24 */
    return size >= least ? (bits & 0x1fff) == 0 && size <= 65504
                         : size * 16777216.0f == rintf(size * 16777216.0f);
}

static void add_digits(xr_levels *l, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool whole = value == rintf(value); /* counts and classes */
    l->beyond_half = l->beyond_half || !is_half(value, bits);
    l->beyond_brain = l->beyond_brain || (bits & 0xffff) != 0;
    l->fine_half += !whole && (bits & 0xe000) != 0;
    l->fine_brain += !whole && (bits & 0x70000) != 0;
}

void xr_levels_add(xr_levels *l, const float *values, uint64_t count)
{
    float before = NAN;
    for (uint64_t i = 0; i < count && !(l->too_many && l->beyond_half && l->beyond_brain); i++) {
        float value;
        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        if (value == before || !isfinite(value))
            continue;
        if (!l->too_many)
            insert(l, value);
        add_digits(l, value);
        before = value;
    }
}

exray_dtype xr_levels_type(const xr_levels *l)
{
    enum { FEWEST_FINE = 16 };
    if (!l->beyond_half && l->fine_half >= FEWEST_FINE)
        return EXRAY_DTYPE_FLOAT16;
    if (!l->beyond_brain && l->fine_brain >= FEWEST_FINE)
        return EXRAY_DTYPE_BFLOAT16;
    return EXRAY_DTYPE_FLOAT32;
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
