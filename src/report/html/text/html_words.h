/* Keys of the JSON and of logs ("residual_before_levels") as words for readers. */
#ifndef XR_HTML_WORDS_H
#define XR_HTML_WORDS_H

#include <stdio.h>

/* A key as words, escaped: "residual before", "nRMSE after".  A unit at its end is left out, and is what
 * xr_unit_of_key returns. */
void xr_put_key(FILE *out, const char *key);

/* "ms", "levels", ...: a constant; "" where the key does not end with a unit. */
const char *xr_unit_of_key(const char *key);

#endif
