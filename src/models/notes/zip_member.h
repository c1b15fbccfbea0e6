/* Files of a zip archive, wherever in the bytes it begins. */
#ifndef XR_ZIP_MEMBER_H
#define XR_ZIP_MEMBER_H

#include "models/notes/model_notes.h"

#include <stddef.h>
#include <stdint.h>

typedef struct xr_zip_member {
    const uint8_t *data;
    size_t size;
    void *unpacked; /* free() it; NULL: `data` lies in the archive */
} xr_zip_member;

/* The file of that name, unpacked where it is deflated.  data NULL: there is none, it is damaged, larger than
 * 4 MiB, or compressed in a way that is not known.  False: out of memory. */
bool xr_zip_find(const uint8_t *data, size_t size, const char *name, xr_inflate_fn *inflate,
                 xr_zip_member *out);

#endif
