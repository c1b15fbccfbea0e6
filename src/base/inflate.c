#include "base/inflate.h"

#include <libdeflate.h>

bool xr_inflate(const void *packed, size_t packed_size, void *out, size_t size)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d)
        return false;
    /* Without a place for the size that was reached, any other than `size` is an error. */
    const bool good =
        libdeflate_deflate_decompress(d, packed, packed_size, out, size, NULL) == LIBDEFLATE_SUCCESS;
    libdeflate_free_decompressor(d);
    return good;
}
