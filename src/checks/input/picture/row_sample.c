#include "checks/input/picture/row_sample.h"

#include <stdlib.h>

enum {
    ENOUGH = 1 << 14, /* pixels of a frame that tell which of two renderings is better */
    SMALL = 2 * ENOUGH,
    BANDS = 8, /* rows lie together in bands: neighbors are made from the same rows of the picture */
    LEAST = 2, /* rows of a band */
};

void xr_row_sample_free(xr_row_sample *sample)
{
    for (size_t f = 0; f < XR_SAMPLED_PICTURES; f++)
        xr_raster_free(&sample->input[f]);
    free(sample->row);
    *sample = (xr_row_sample){0};
}

/* Bands of equal height, evenly spaced; false: they are most of the rows. */
static bool choose_rows(xr_row_sample *sample)
{
    size_t wanted = ENOUGH / sample->width, band = wanted / BANDS > LEAST ? wanted / BANDS : LEAST;
    if (sample->width * sample->height <= SMALL || 2 * band * BANDS > sample->height)
        return false;
    sample->row = malloc(band * BANDS * sizeof *sample->row);
    for (size_t i = 0; sample->row && i < band * BANDS; i++) {
        size_t middle = (2 * (i / band) + 1) * sample->height / (2 * BANDS);
        sample->row[sample->count++] = (uint32_t)(middle - band / 2 + i % band);
    }
    return sample->row != NULL;
}

/* The input's pixels at the sample's rows of the rendering that is turned to make it. */
static bool take_rows(const xr_row_sample *sample, const xr_raster *input, xr_orientation orientation,
                      xr_raster *out)
{
    xr_orientation back = xr_orientation_inverse(orientation);
    if (!xr_raster_make(out, sample->width, sample->count, input->channels))
        return false;
    size_t pixels = input->width * input->height;
    for (size_t i = 0; i < sample->count; i++)
        for (size_t x = 0; x < sample->width; x++) {
            size_t from = xr_orientation_source(x, sample->row[i], input->width, input->height, back);
            for (size_t c = 0; c < input->channels; c++)
                out->v[(c * sample->count + i) * sample->width + x] = input->v[c * pixels + from];
        }
    return true;
}

bool xr_row_sample_make(xr_row_sample *sample, const xr_raster *const input[], size_t pictures,
                        xr_orientation orientation)
{
    bool swap = (orientation & 4) != 0;
    *sample = (xr_row_sample){0};
    if (pictures == 0 || pictures > XR_SAMPLED_PICTURES)
        return false;
    sample->width = swap ? input[0]->height : input[0]->width;
    sample->height = swap ? input[0]->width : input[0]->height;
    bool ok = choose_rows(sample);
    for (size_t f = 0; ok && f < pictures; f++)
        ok = take_rows(sample, input[f], orientation, &sample->input[f]);
    if (!ok)
        xr_row_sample_free(sample);
    return ok;
}
