/* Which findings are only consequences of others, and the order of the rest. */
#ifndef XR_CONSEQUENCES_H
#define XR_CONSEQUENCES_H

#include "checks/findings.h"

/* Marks findings that another finding accounts for as consequences, and lists them in that
 * one's evidence; sorts the rest into `shown` (room for all), the likely root cause first.
 * Returns their number.  `comparison` may be NULL: then nothing is known of layers. */
size_t xr_suppress_consequences(const exray_comparison *comparison, exray_findings *findings,
                                exray_finding **shown);

#endif
