#include "compare/noise/input_noise.h"

#include "compare/match/shapes.h"
#include "compare/noise/noise.h"

#include <math.h>

/* 34 dB below the signal. */
#define MOST_NOISE 0.02
/* Of the difference's deviation, what a gain may explain; of its rms, what an offset may. */
#define MOST_RELATED 0.1
#define MOST_OFFSET  0.3

/* Rows of samples or of features. */
static bool is_picture(const exray_comparison *c, const xr_pair *pair)
{
    const exray_model *model = exray_log_model(c->log[EXRAY_SIDE_REFERENCE]);
    uint32_t tensor = pair->tensor[EXRAY_SIDE_REFERENCE];
    int64_t shape[EXRAY_MAX_RANK];
    return !model || tensor >= model->tensor_count || xr_squeeze(&model->tensors[tensor], shape) > 2;
}

static bool is_within_steps(const xr_moments *m)
{
    enum { STEPS = 32768 };
    double most = 0;
    for (int s = 0; s < 2; s++)
        most = fmax(most, fmax(fabs(m->min[s]), fabs(m->max[s])));
    return most <= 1 + 2.0 / STEPS && m->max_abs <= 2.0 / STEPS * (1 + 1e-3);
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
    for (int s = 0; s < 2; s++)
        if (xr_is_integer(pair->stored[s].dtype) && pair->stored[s].scale == 0)
            return 0;
    bool judged = pair->frames > 0 && m->count > 0 && m->count == m->total && isfinite(pair->error);
    if (!judged || is_picture(c, pair))
        return 0;
    return is_within_steps(m) || (pair->error <= MOST_NOISE && is_unrelated(m)) ? pair->error : 0;
}
