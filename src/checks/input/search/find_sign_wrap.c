#include "checks/input/search/find.h"

#include <math.h>

/* The sum of the differences between neighboring pixels, at every `step`th. */
static double roughness(const xr_raster *r, size_t step, const xr_sign_wrap *wrap)
{
    double sum = 0;
    size_t pixels = r->width * r->height;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels + 1; i < (c + 1) * pixels; i += step) {
            float a = r->v[i - 1], b = r->v[i];
            if (wrap) {
                a = xr_unwrapped(wrap, c, a);
                b = xr_unwrapped(wrap, c, b);
            }
            sum += isfinite(a) && isfinite(b) ? fabs((double)a - (double)b) : 0;
        }
    return sum;
}

/* Whether undoing the wrap makes the edge smoother, in either layout: in the wrong one, neighbors in
 * memory are no neighbors in the picture. */
static bool is_smoother(const xr_input_pair *pair, const xr_sign_wrap *wrap)
{
    size_t step = xr_search_step(pair, 1);
    double before[2] = {0, 0}, after[2] = {0, 0}, reference = 0;
    for (size_t f = 0; f < pair->count; f++) {
        reference += roughness(&pair->frame[f].reference, step, NULL);
        for (int l = 0; l < 2; l++) {
            before[l] += roughness(&pair->frame[f].edge[l], step, NULL);
            after[l] += roughness(&pair->frame[f].edge[l], step, wrap);
        }
    }
    for (int l = 0; l < 2; l++)
        if (after[l] < 0.6 * before[l] && before[l] > reference)
            return true;
    return false;
}

/* Stored bytes with the sign bit flipped: half of the range is added, and wraps around. */
static bool stored_wrap(xr_input_pair *pair, xr_sign_wrap *wrap)
{
    xr_storage stored;
    if (!xr_edge_storage(pair, &stored))
        return false;
    double scale = stored.scale, zero = stored.zero, least = stored.least;
    *wrap = (xr_sign_wrap){.set = true, .stored = true, .up = (float)(scale * 128)};
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        wrap->middle[c] = (float)(scale * (least + 127.5 - zero));
        wrap->down[c] = wrap->up;
    }
    return true;
}

/* Pixels of 128 and more that were read as p - 256 before they were normalized with these constants. */
static bool pixel_wrap(const xr_input_pair *pair, const double *mean, double std, xr_sign_wrap *wrap)
{
    *wrap = (xr_sign_wrap){.set = true, .up = (float)(256 / std)};
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        wrap->middle[c] = (float)((-0.5 - mean[c % 3]) / std);
    return is_smoother(pair, wrap);
}

void xr_find_sign_wrap(xr_input_pair *pair, xr_transform *transform)
{
    static const double means[][4] = {{0, 0, 0, 1},
                                      {0, 0, 0, 255},
                                      {127.5, 127.5, 127.5, 127.5},
                                      {127, 127, 127, 128},
                                      {128, 128, 128, 128}};
    xr_sign_wrap wrap;
    if (stored_wrap(pair, &wrap)) {
        if (is_smoother(pair, &wrap))
            transform->sign_wrap = wrap;
        return;
    }
    for (size_t i = 0; i < sizeof means / sizeof *means && !transform->sign_wrap.set; i++)
        if (fabs(pair->fit->level[1] * means[i][3] - 1) < 0.3 &&
            pixel_wrap(pair, means[i], means[i][3], &wrap))
            transform->sign_wrap = wrap;
}
