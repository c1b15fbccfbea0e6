/* Whether the edge's input holds the bytes of values of another type: bytes of pixels in a buffer of floats,
 * 16-bit samples in one of bytes, values of the other byte order. */
#ifndef XR_FIND_BYTES_H
#define XR_FIND_BYTES_H

#include <exray/assertion.h>

typedef struct xr_byte_reading {
    const char *type;         /* of the values that the bytes are: "uint8", "int16, high byte first" */
    size_t channels;          /* of a pixel */
    size_t first;             /* which of them is the first color: 1 where alpha comes first */
    double filled;            /* share of the input that they fill at most */
    double residual;          /* of the pictures that the bytes show, a share of their variance: 0 equal */
    double residual_as_typed; /* the same of the values as they are */
    size_t frames, supporting;
} xr_byte_reading;

/* In every frame of input `pair` with contrast; false: no reading of the bytes is the reference's. */
bool xr_find_bytes(const exray_comparison *comparison, size_t pair, xr_byte_reading *found);

#endif
