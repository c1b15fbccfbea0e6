/* Some rows of a few pictures: comparing renderings of those alone is as good for finding the best of many,
 * and costs as much less as there are fewer. */
#ifndef XR_ROW_SAMPLE_H
#define XR_ROW_SAMPLE_H

#include "checks/input/picture/raster.h"

enum { XR_SAMPLED_PICTURES = 6 };

typedef struct xr_row_sample {
    size_t width, height; /* of a rendering before it is turned */
    uint32_t *row;        /* [count] the rows of it, ascending */
    size_t count;
    xr_raster input[XR_SAMPLED_PICTURES]; /* what each picture has there, turned back; width x count */
} xr_row_sample;

/* Of `pictures` rasters of one size, which are turned so.  False: they are small, so that all rows are the
 * better sample; or no memory. */
bool xr_row_sample_make(xr_row_sample *sample, const xr_raster *const input[], size_t pictures,
                        xr_orientation orientation);
void xr_row_sample_free(xr_row_sample *sample);

#endif
