#include "media/picture.h"

#include "base/error.h"

#include <stdlib.h>

exray_status xr_picture_allocate(exray_picture *picture, const char *what, exray_error *error)
{
    uint64_t pixels = (uint64_t)picture->width * picture->height;
    if (!pixels)
        return xr_error_set(error, EXRAY_E_FORMAT, "the %s picture has %u x %u pixels: nothing to see", what,
                            picture->width, picture->height);
    if (picture->width > XR_MAX_SIDE || picture->height > XR_MAX_SIDE || pixels > XR_MAX_PIXELS)
        return xr_error_set(error, EXRAY_E_LIMIT, "the %s picture has %u x %u pixels; the limit is %d", what,
                            picture->width, picture->height, XR_MAX_PIXELS);
    picture->pixels = malloc((size_t)pixels * picture->channels);
    if (!picture->pixels)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a %s picture of %u x %u", what,
                            picture->width, picture->height);
    return EXRAY_OK;
}

void xr_picture_clear(exray_picture *picture)
{
    free(picture->pixels);
    *picture = (exray_picture){0};
}
