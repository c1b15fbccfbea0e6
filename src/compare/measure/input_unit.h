/* Inputs that one side's model is given as integers with a scale, and the other's as the same numbers in
 * floats, of which it makes the real values itself.  Both are compared as real values. */
#ifndef XR_INPUT_UNIT_H
#define XR_INPUT_UNIT_H

#include "compare/comparison.h"

/* Sets `unit` of the inputs of which the two models' first operators tell it.  False: out of memory. */
bool xr_find_input_units(exray_comparison *comparison);

/* Of values of that side as its log has them, in place or not; out may be `values`. */
void xr_to_unit(const xr_input_unit *unit, const float *values, uint64_t count, float *out);

/* Whether that side's values are recorded in another unit. */
bool xr_has_unit(const xr_pair *pair, exray_side side);

#endif
