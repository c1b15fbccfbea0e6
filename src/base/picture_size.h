/* The size of the picture that a tensor holds, by its shape. */
#ifndef XR_PICTURE_SIZE_H
#define XR_PICTURE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Height, width, channels, or channels, height, width where the last dimension is neither 1 nor 3; a batch
 * may stand before them.  False: the shape is no picture's. */
bool xr_picture_size(const int64_t *shape, uint32_t rank, uint32_t *width, uint32_t *height);

#endif
