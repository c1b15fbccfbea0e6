#include "compare/noise/measured.h"

#include "compare/measure/measure.h"
#include "compare/measure/metrics.h"
#include "compare/measure/sketch_distance.h"

#include <math.h>

/* The root of the mean square of the reference's values; 0: not known. */
static double level_of(const xr_pair *pair)
{
    const xr_moments *m = &pair->moments;
    return pair->frames && m->count ? sqrt(m->square[EXRAY_SIDE_REFERENCE] / (double)m->count) : 0;
}

/* The step between neighbors of a type of 16-bit floats at a value; 0: of other types, whose own noise says
 * it all. */
static double step_of_type(const xr_stored *stored, double value)
{
    int exponent;
    frexp(value, &exponent); /* value = [0.5, 1) 2^exponent */
    bool half = stored->known && stored->dtype == EXRAY_DTYPE_FLOAT16;
    bool brain = stored->known && stored->dtype == EXRAY_DTYPE_BFLOAT16;
    return half ? ldexp(1, (exponent > -13 ? exponent : -13) - 11) : brain ? ldexp(1, exponent - 8) : 0;
}

/* Rounding of the stored values themselves: integers to their scale, 16-bit floats to the step at their
 * level, which is much of a signal that hardly varies around it. */
double xr_step_noise(const xr_pair *pair, double deviation)
{
    double scale = fmax(pair->stored[0].scale, pair->stored[1].scale), level = level_of(pair);
    if (level > 0)
        for (int s = 0; s < 2; s++)
            scale = fmax(scale, step_of_type(&pair->stored[s], level));
    return scale > 0 && deviation > 0 ? scale / (sqrt(12) * deviation) : 0;
}

/* rmse and the reference's standard deviation, from data or else from statistics. */
bool xr_measured(const xr_pair *pair, double *rmse, double *deviation)
{
    if (pair->frames && pair->moments.count) {
        *rmse = sqrt(pair->moments.difference_square / (double)pair->moments.count);
        *deviation = xr_moments_std(&pair->moments, EXRAY_SIDE_REFERENCE);
        return true;
    }
    if (pair->frames == 0 && pair->stats.frames) {
        *rmse = xr_has_sketch(pair) ? xr_sketch_distance(pair).rmse
                                    : sqrt(pair->stats.bound / (double)pair->stats.count);
        *deviation = xr_stats_std(&pair->stats, EXRAY_SIDE_REFERENCE);
        return !isnan(*deviation);
    }
    return false;
}

double xr_relative_error(double rmse, double deviation, double magnitude)
{
    if (rmse == 0)
        return 0;
    if (deviation > 1e-6 * magnitude)
        return rmse / deviation;
    return magnitude > 0 ? rmse / magnitude : INFINITY; /* a constant reference */
}

double xr_magnitude(const xr_pair *pair)
{
    const double *min = pair->frames ? pair->moments.min : pair->stats.min;
    const double *max = pair->frames ? pair->moments.max : pair->stats.max;
    return fmax(fabs(min[1]), fabs(max[1]));
}

static bool lost_finiteness(const xr_pair *pair)
{
    const uint64_t *nan = pair->frames ? pair->moments.nan_count : pair->stats.nan_count;
    const uint64_t *inf = pair->frames ? pair->moments.inf_count : pair->stats.inf_count;
    return nan[0] > nan[1] || inf[0] > inf[1];
}

void xr_measure_error(xr_pair *pair, double *step)
{
    double rmse, deviation;
    pair->error = pair->error_low = pair->error_high = NAN;
    *step = 0;
    if (!xr_measured(pair, &rmse, &deviation))
        return;
    pair->error = lost_finiteness(pair) ? INFINITY : xr_relative_error(rmse, deviation, xr_magnitude(pair));
    *step = xr_step_noise(pair, deviation);
    pair->error_low = pair->error_high = pair->error;
    if (!xr_has_sketch(pair) || isinf(pair->error))
        return;
    const xr_distance d = xr_sketch_distance(pair);
    pair->error_low = xr_relative_error(d.low, deviation, xr_magnitude(pair));
    pair->error_high = xr_relative_error(d.high, deviation, xr_magnitude(pair));
}
