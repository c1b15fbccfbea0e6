/* An output whose stored integers were read with the other signedness before they were
 * dequantized: half of the range is off by 256 steps. */
#ifndef XR_SIGN_FIT_H
#define XR_SIGN_FIT_H

#include <exray/assertion.h>

typedef struct xr_sign_fit {
    bool explains;
    bool known; /* the output's quantization, and so which side is right; else the values' steps alone */
    double residual, before, allowed;   /* rms / the reference's deviation; lower is better */
    double offset;                      /* of all values, from a zero point that was not subtracted */
    double moved;                       /* by how much values are off: 256 steps, up (> 0) or down */
    double boundary;                    /* the reference's values above it (moved < 0) or below it are off */
    size_t values_moved, contradicting; /* values */
    size_t frames;
} xr_sign_fit;

/* Judges output `pair` of an edge that logs floats.  Anything but EXRAY_OK is an error of
 * reading. */
exray_status xr_sign_fit_make(const exray_comparison *comparison, size_t pair, xr_sign_fit *out,
                              exray_error *error);

#endif
