/* Weights that were rounded to 8 bits and are stored as floats again: each slice holds whole multiples of a
 * step of its own. */
#include <exray/assertion.h>

#include "base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_LEVELS = 256,
    LEAST_LEVELS = 60, /* of 7 bits, which some tools leave: fewer levels are no healthy copy */
    TABLE = 1024,      /* of the different values of a slice: a power of two */
    FEWEST = 16, /* values of a constant, different within their slices: of fewer, multiples may be chance */
    FEWEST_OF_SLICE = 4,
    MOST_GAP = 32 /* the smallest gap between two values may be so many steps */
};

/* How far from a whole number a multiple of the step may be: float32 rounds one of 255 by 3e-5. */
#define OFF 1e-3

/* The different values of a slice. */
typedef struct distinct {
    float value[MOST_LEVELS];
    size_t count;
    short place[TABLE]; /* of a hash: its position + 1; 0: none */
} distinct;

/* False: there are too many. */
static bool add(distinct *d, float value)
{
    uint32_t bits;
    value = value == 0 ? 0 : value; /* one zero */
    memcpy(&bits, &value, sizeof bits);
    size_t at = (bits * 2654435761u) >> 22;
    while (d->place[at] && d->value[d->place[at] - 1] != value)
        at = (at + 1) % TABLE;
    if (d->place[at])
        return true;
    if (d->count == MOST_LEVELS || !isfinite(value))
        return false;
    d->value[d->count++] = value;
    d->place[at] = (short)d->count;
    return true;
}

/* Whether all are whole multiples of about that step, and enough of these lie between the ends. */
static bool are_multiples(const distinct *d, double step)
{
    const double low = d->value[0], high = d->value[d->count - 1];
    const double largest = fmax(fabs(low), fabs(high));
    const double times = rint(largest / step);
    if (times < 1 || times > MOST_LEVELS)
        return false;
    step = largest / times;
    for (size_t i = 0; i < d->count; i++)
        if (fabs(d->value[i] / step - rint(d->value[i] / step)) > OFF)
            return false;
    double levels = (high - low) / step;
    return levels < MOST_LEVELS - 0.5 && fmax(levels, times) >= LEAST_LEVELS;
}

/* The step of a slice; 0: it has none. */
static double step_of(distinct *d)
{
    qsort(d->value, d->count, sizeof *d->value, xr_by_float);
    double gap = INFINITY;
    for (size_t i = 1; i < d->count; i++)
        gap = fmin(gap, (double)d->value[i] - d->value[i - 1]);
    for (int k = 1; k <= MOST_GAP; k++)
        if (are_multiples(d, gap / k))
            return gap / k;
    return 0;
}

/* The sum of the squares of all slices' steps; 0: a slice is on no grid, or too little is known. */
static double squares_along(const float *values, uint64_t slices, uint64_t outer, uint64_t inner, distinct *d)
{
    double sum = 0;
    uint64_t telling = 0;
    for (uint64_t s = 0; s < slices; s++) {
        memset(d, 0, sizeof *d);
        for (uint64_t o = 0; o < outer; o++)
            for (uint64_t k = 0; k < inner; k++)
                if (!add(d, values[(o * slices + s) * inner + k]))
                    return 0;
        if (d->count < 2)
            continue;
        double step = step_of(d);
        if (step == 0)
            return 0;
        sum += step * step;
        telling += d->count - 1;
    }
    return telling >= FEWEST ? sum : 0;
}

double exray_weights_rounding(const exray_tensor_info *info, const float *values)
{
    static const double variance_of_step = 12;
    uint64_t count = 1;
    if (info->dtype != EXRAY_DTYPE_FLOAT32 || info->rank < 2)
        return 0;
    for (uint32_t d = 0; d < info->rank; d++)
        count *= info->shape[d] > 0 ? (uint64_t)info->shape[d] : 0;
    distinct *d = count >= FEWEST ? malloc(sizeof *d) : NULL;
    double sum = d ? squares_along(values, 1, 1, count, d) : 0;
    uint64_t slices = 1, outer = 1;
    for (uint32_t axis = 0; d && sum == 0 && axis < info->rank; axis++) {
        slices = (uint64_t)info->shape[axis];
        if (count / slices >= FEWEST_OF_SLICE)
            sum = squares_along(values, slices, outer, count / slices / outer, d);
        outer *= slices;
    }
    free(d);
    return sqrt(sum / (double)slices / variance_of_step);
}
