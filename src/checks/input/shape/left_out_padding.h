/* Rows that are padded otherwise on the two sides, by a model that leaves padding out. */
#ifndef XR_LEFT_OUT_PADDING_H
#define XR_LEFT_OUT_PADDING_H

#include <exray/assertion.h>

typedef enum xr_padding_effect {
    XR_PADDING_NONE,     /* no frame differs by its padding, or no output was compared in all such frames */
    XR_PADDING_LEFT_OUT, /* in each such frame the outputs are the same, within noise */
    XR_PADDING_READ,     /* in some they are not */
} xr_padding_effect;

/* What frames that differ by their padding alone (exray_comparison_is_padded) show in the outputs.  MEMORY is
 * the only error. */
exray_status xr_padding_effect_find(const exray_comparison *comparison, xr_padding_effect *out);

/* Whether all that differs in an input is padding. */
bool xr_differs_by_padding_alone(const exray_comparison *comparison, size_t input);

#endif
