#include "base/picture_size.h"

bool xr_picture_size(const int64_t *shape, uint32_t rank, uint32_t *width, uint32_t *height)
{
    if (rank < 3 || rank > 4)
        return false;
    const int64_t *at = shape + (rank - 3);
    const bool channels_first = at[2] != 1 && at[2] != 3;
    const int64_t rows = at[channels_first ? 1 : 0], columns = at[channels_first ? 2 : 1];
    if (rows <= 0 || columns <= 0 || rows > UINT16_MAX || columns > UINT16_MAX)
        return false;
    *width = (uint32_t)columns;
    *height = (uint32_t)rows;
    return true;
}
