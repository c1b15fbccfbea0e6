/* Values that one side told with fewer digits. */
#ifndef XR_VECTOR_ROUNDING_H
#define XR_VECTOR_ROUNDING_H

#include "checks/told/stages/stage_series.h"

/* Whether the two sides' values of a frame are the same but for rounding that moves them by a hundredth at
 * most: to 16-bit floats, to decimals, or (tables of two columns: points) to whole pixels of a picture. */
bool xr_is_rounded(const xr_stage_values *edge, const xr_stage_values *reference);

#endif
