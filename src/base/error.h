/* Errors: one line that says what failed; and untrusted text made fit for it. */
#ifndef XR_ERROR_H
#define XR_ERROR_H

#include <exray/types.h>

/* Fills error (may be NULL) and returns status. */
exray_status xr_error_set(exray_error *error, exray_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum { XR_SHOWN = 48 }; /* room for a piece of text */

/* A piece of untrusted text, made fit for a one-line message: shortened, without control characters.
 * Returns `out`. */
const char *xr_show(const char *text, char out[XR_SHOWN]);

#endif
