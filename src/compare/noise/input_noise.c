#include "compare/noise/input_noise.h"

#include "compare/match/shapes.h"
#include "compare/measure/table_input.h"
#include "compare/noise/few_lines.h"
#include "compare/noise/noise.h"

#include <math.h>

/* 34 dB below the signal. */
#define MOST_NOISE 0.02
/* Of the difference's deviation, what a gain may explain; of its rms, what an offset may. */
#define MOST_RELATED 0.2
#define MOST_OFFSET  0.3

/* More than rows of samples or of features. */
static bool is_picture(const exray_comparison *c, const xr_pair *pair)
{
    int64_t shape[EXRAY_MAX_RANK];
    exray_slot *slot = exray_slot_new();
    exray_tensor_info info;
    bool picture = !slot || !xr_input_shape(c, pair, &info, slot) || xr_squeeze(&info, shape) > 2;
    exray_slot_free(slot);
    return picture;
}

/* Two steps of 16-bit sound, in [-1, 1] or as integers, whose differences are whole. */
static bool is_within_steps(const xr_moments *m)
{
    enum { STEPS = 32768, LOUD = 256 };
    double most = 0;
    for (int s = 0; s < 2; s++)
        most = fmax(most, fmax(fabs(m->min[s]), fabs(m->max[s])));
    if (most <= 1 + 2.0 / STEPS)
        return m->max_abs <= 2.0 / STEPS * (1 + 1e-3);
    return most >= LOUD && most <= STEPS + 2 && (m->max_abs == 1 || m->max_abs == 2);
}

static bool is_unrelated(const xr_moments *m)
{
    double n = (double)m->count, mean[2] = {m->sum[0] / n, m->sum[1] / n};
    double square = m->difference_square / n, offset = mean[0] - mean[1];
    double variance = square - offset * offset, signal = m->square[1] / n - mean[1] * mean[1];
    double shared = m->product / n - mean[0] * mean[1] - signal; /* covariance of difference and signal */
    return variance > 0 && signal > 0 && fabs(offset) <= MOST_OFFSET * sqrt(square) &&
           fabs(shared) <= MOST_RELATED * sqrt(variance * signal);
}

double xr_input_noise(const exray_comparison *c, const xr_pair *pair)
{
    const xr_moments *m = &pair->moments;
    for (int s = 0; s < 2; s++) {
        /* Of integers, samples swing about zero; what counts or names something does not. */
        bool samples = pair->stored[s].dtype == EXRAY_DTYPE_INT16 && m->min[0] < 0 && m->min[1] < 0;
        if (xr_is_integer(pair->stored[s].dtype) && pair->stored[s].scale == 0 && !samples)
            return 0;
    }
    bool judged = pair->frames > 0 && m->count > 0 && m->count == m->total && isfinite(pair->error);
    if (!judged || is_picture(c, pair))
        return 0;
    if (is_within_steps(m))
        return pair->error;
    /* What is noise is everywhere, not in a few rows beside others that are equal bit for bit. */
    const bool noise = pair->error > 0 && pair->error <= MOST_NOISE && is_unrelated(m) &&
                       xr_error_in_few_lines(c, pair) <= MOST_NOISE;
    return noise ? pair->error : 0;
}
