#include "checks/input/picture/sampled_rendering.h"

#include <math.h>

/* The mean of a few pixels of a part of the picture; false: it is beyond. */
static bool mean_of_part(const exray_picture *picture, const xr_part *part, xr_changed_pixel *changed,
                         const void *change, double mean[XR_FIT_CHANNELS])
{
    enum { SIDE = 4 };
    size_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    if (part->x0 < 0 || part->y0 < 0 || part->x1 > 1 || part->y1 > 1)
        return false;
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        mean[c] = 0;
    for (size_t k = 0; k < (size_t)SIDE * SIDE; k++) {
        double u = part->x0 + (part->x1 - part->x0) * ((double)(k % SIDE) + 0.5) / SIDE;
        double v = part->y0 + (part->y1 - part->y0) * ((double)(k / SIDE) + 0.5) / SIDE;
        size_t x = (size_t)(u * (double)width), y = (size_t)(v * (double)height);
        double pixel[XR_FIT_CHANNELS] = {0};
        changed(change, picture, x < width ? x : width - 1, y < height ? y : height - 1, pixel);
        for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
            mean[c] += pixel[c] / (double)(SIDE * SIDE);
    }
    return true;
}

double xr_sampled_residual(const xr_raster *input, const exray_picture *picture, const xr_geometry *geometry,
                           xr_orientation orientation, xr_changed_pixel *changed, const void *change)
{
    enum { SAMPLES = 700 };
    bool swap = (orientation & 4) != 0;
    size_t width = swap ? input->height : input->width, height = swap ? input->width : input->height;
    size_t pixels = width * height, step = pixels / SAMPLES | 1, channels = input->channels;
    xr_part shown = xr_geometry_part(geometry, exray_picture_width(picture), exray_picture_height(picture),
                                     (double)width, (double)height);
    double across = (shown.x1 - shown.x0) / (double)width, down = (shown.y1 - shown.y0) / (double)height;
    xr_fit_sums sums = {0};
    if (channels != exray_picture_channels(picture) || channels > XR_FIT_CHANNELS)
        return 0;
    for (size_t i = step / 2; i < pixels; i += step) {
        double e[XR_FIT_CHANNELS], r[XR_FIT_CHANNELS], check = 0;
        size_t at = xr_orientation_source(i % input->width, i / input->width, width, height, orientation);
        double x = shown.x0 + across * (double)(at % width), y = shown.y0 + down * (double)(at / width);
        xr_part part = {x, x + across, y, y + down};
        for (size_t c = 0; c < channels; c++)
            check += e[c] = (double)input->v[c * pixels + i];
        if (isfinite(check) && mean_of_part(picture, &part, changed, change, r))
            xr_sums_add_pixel(&sums, channels, e, r, 1);
    }
    return sums.n < (double)SAMPLES / 4 ? 0 : xr_unexplained_by_color(&sums, channels);
}
