/* Integers with a scale that one side's model is given, and the same numbers as floats that the other's is:
 * the first takes them for scale * (q - zero point), the second may well compute that itself. */
#ifndef XR_STORED_UNIT_H
#define XR_STORED_UNIT_H

#include "checks/input/fit/input_fit.h"

/* Whether all that a pair differs by is that, and what the models make of it is the same as far as the logs
 * tell: the other one scales its input by constants that were not recorded, and the outputs agree.  (Where
 * they were recorded, both sides are compared as real values already.) */
bool xr_is_stored_unit(const exray_comparison *comparison, const xr_input_fit *fit);

#endif
