/* Which side is right: said of what differs in the model's inputs where the logs hold nothing that tells. */
#ifndef XR_DIRECTION_H
#define XR_DIRECTION_H

#include "checks/findings.h"

/* Adds to findings about inputs that the logs do not say which side is right, unless they do, or have it
 * said. */
void xr_say_no_direction(const exray_comparison *comparison, exray_findings *findings);

#endif
