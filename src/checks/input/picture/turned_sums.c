#include "checks/input/picture/turned_sums.h"

enum { FEW = 256 }; /* pixels that are brought together at a time */

/* Copies pixels that are not beside each other, [channel][pixel]. */
static void take(const xr_raster *r, const size_t *pixel, size_t count, float *out)
{
    size_t pixels = r->width * r->height;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = 0; i < count; i++)
            out[c * count + i] = r->v[c * pixels + pixel[i]];
}

void xr_sums_add_turned(xr_fit_sums *s, const xr_raster *edge, const xr_raster *reference, xr_orientation o,
                        size_t step)
{
    bool swap = (o & 4) != 0;
    size_t width = edge->width, pixels = width * edge->height, at[FEW], from[FEW], count = 0;
    float e[XR_FIT_CHANNELS * FEW], r[XR_FIT_CHANNELS * FEW];
    if ((swap ? reference->height : reference->width) != width ||
        (swap ? reference->width : reference->height) != edge->height ||
        reference->channels != edge->channels || edge->channels > XR_FIT_CHANNELS)
        return;
    if (o == 0) {
        xr_sums_add(s, edge->channels, edge->v, reference->v, NULL, pixels, step);
        return;
    }
    for (size_t p = 0; p < pixels; p += step) {
        at[count] = p;
        from[count++] = xr_orientation_source(p % width, p / width, reference->width, reference->height, o);
        if (count == FEW || p + step >= pixels) {
            take(edge, at, count, e);
            take(reference, from, count, r);
            xr_sums_add(s, edge->channels, e, r, NULL, count, 1);
            count = 0;
        }
    }
}
