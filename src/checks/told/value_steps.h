/* Numbers that are too coarse to show noise. */
#ifndef XR_VALUE_STEPS_H
#define XR_VALUE_STEPS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all are whole numbers of a step that noise may be smaller than: scores of few digits, of 8 bits.
 * Sorts them; count is not 0. */
bool xr_are_in_steps(double *value, size_t count);

#endif
