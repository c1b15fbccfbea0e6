#include "checks/input/search/residual.h"

#include "checks/ascending.h"
#include "checks/input/search/apply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_LIMIT = 6000 };

const double xr_luma_weights[XR_LUMAS][3] = {
    {0.299, 0.587, 0.114}, {0.114, 0.587, 0.299}, {0.2126, 0.7152, 0.0722}, {0.0722, 0.7152, 0.2126}};

/* Samples of one frame, sorted: the differences of each luma, and at the end the rms of all channels. */
static size_t measure_luma(const xr_input_pair *pair, const xr_placed *p, float *sample[XR_LUMAS + 1])
{
    size_t pixels = p->width * p->height, step = pixels / SAMPLE_LIMIT + 1, count = 0;
    for (size_t i = 0; i < pixels && count < SAMPLE_LIMIT; i += step) {
        double d[3];
        for (size_t c = 0; c < 3; c++)
            d[c] = ((double)p->plane[0][c * pixels + i] - (double)p->plane[1][c * pixels + i]) /
                   pair->fit->level[EXRAY_SIDE_EDGE];
        if (!isfinite(d[0] + d[1] + d[2]))
            continue;
        sample[XR_LUMAS][count] = (float)sqrt((d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) / 3);
        for (int w = 0; w < XR_LUMAS; w++)
            sample[w][count] = (float)fabs(xr_luma_weights[w][0] * d[0] + xr_luma_weights[w][1] * d[1] +
                                           xr_luma_weights[w][2] * d[2]);
        count++;
    }
    for (int w = 0; w <= XR_LUMAS && count; w++)
        qsort(sample[w], count, sizeof *sample[w], xr_ascending_floats);
    return count;
}

bool xr_measure_luma(xr_input_pair *pair, const xr_transform *transform, double *luma_median,
                     double *all_median)
{
    float *sample[XR_LUMAS + 1] = {NULL};
    double worst[XR_LUMAS] = {0}, sum = 0;
    size_t frames = 0;
    bool ok = pair->channels == 3;
    for (int w = 0; w <= XR_LUMAS; w++)
        ok = (sample[w] = malloc(SAMPLE_LIMIT * sizeof *sample[w])) && ok;
    for (size_t f = 0; ok && f < pair->count; f++) {
        xr_applied applied = {.pair = pair, .transform = transform};
        xr_placed p;
        exray_error error;
        size_t count = xr_apply_transform(&applied, pair->frame[f].frame, &p, &error) == EXRAY_OK
                           ? measure_luma(pair, &p, sample)
                           : 0;
        for (int w = 0; w < XR_LUMAS && count; w++)
            worst[w] = fmax(worst[w], (double)sample[w][count / 2]);
        sum += count ? (double)sample[XR_LUMAS][count / 2] : 0;
        frames += count > 0;
        xr_applied_free(&applied);
    }
    *luma_median = INFINITY;
    for (int w = 0; w <= XR_LUMAS; w++) {
        if (w < XR_LUMAS)
            *luma_median = fmin(*luma_median, worst[w]);
        free(sample[w]);
    }
    *all_median = frames ? sum / (double)frames : 0;
    return ok && frames > 0;
}
