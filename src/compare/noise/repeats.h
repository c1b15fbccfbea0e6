/* How much runs of one input differ. */
#ifndef XR_REPEATS_H
#define XR_REPEATS_H

#include <exray/assertion.h>

/* Fills repeat_square of layers and outputs, where a log has frames of one input. */
void xr_measure_repeats(exray_comparison *comparison);

#endif
