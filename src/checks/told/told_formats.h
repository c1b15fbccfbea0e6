/* Results that are the same in another format: scores in another unit, a mask of another size. */
#ifndef XR_TOLD_FORMATS_H
#define XR_TOLD_FORMATS_H

#include "checks/findings.h"

/* Reports them as information: nothing is wrong where both applications show the same.  For results that
 * nothing else was found about.  False: out of memory. */
bool xr_note_told_formats(const exray_comparison *comparison, exray_findings *findings);

#endif
