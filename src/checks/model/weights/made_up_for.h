/* Weights that differ where it does not matter. */
#ifndef XR_MADE_UP_FOR_H
#define XR_MADE_UP_FOR_H

#include <exray/assertion.h>

/* Whether all layers that read what a layer makes are right, though it is not: a function behind makes up for
 * one factor of its weights, and one number in its biases.  layer: SIZE_MAX: of none that is known. */
bool xr_is_made_up_for_behind(const exray_comparison *comparison, size_t layer);

#endif
