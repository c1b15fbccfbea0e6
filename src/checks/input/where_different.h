/* Where two inputs differ that nothing explains: in which frames, rows and columns. */
#ifndef XR_WHERE_DIFFERENT_H
#define XR_WHERE_DIFFERENT_H

#include "checks/input/fit/input_fit.h"

/* Adds to a finding in which frames, rows and columns the recorded values differ, apart from the fit's order
 * of channels and map. */
void xr_say_where(const exray_comparison *comparison, const xr_input_fit *fit, exray_finding *finding);

#endif
