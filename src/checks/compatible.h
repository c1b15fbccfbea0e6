/* Assertions that were compiled elsewhere: plug-ins' and callers'. */
#ifndef XR_COMPATIBLE_H
#define XR_COMPATIBLE_H

#include <exray/assertion.h>

/* Why the assertion cannot be used: compiled for another ABI, or it sets a field that this exray does not
 * know.  NULL: it can.  `why` has room for the text. */
const char *xr_assertion_problem(const exray_assertion *assertion, char why[160]);

#endif
