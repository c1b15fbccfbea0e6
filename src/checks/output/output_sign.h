/* An output whose stored integers were read with the other sign before they were
 * dequantized: values beyond half of the range are 256 steps away from where they belong. */
#ifndef XR_OUTPUT_SIGN_H
#define XR_OUTPUT_SIGN_H

#include <exray/assertion.h>

typedef struct xr_sign_fit {
    bool explains;
    double residual, before, allowed;   /* of the reference's deviation; lower is better */
    double offset;                      /* the same everywhere: of a zero point that was not subtracted */
    double moved;                       /* 256 steps, up or down */
    double boundary;                    /* ... of the reference's values from here on, or up to here */
    size_t values_moved, contradicting; /* values */
    size_t frames;
} xr_sign_fit;

/* Judges output `pair` of an edge that logs floats.  Anything but EXRAY_OK is an error of
 * reading. */
exray_status xr_sign_fit_make(const exray_comparison *comparison, size_t pair, xr_sign_fit *out,
                              exray_error *error);

#endif
