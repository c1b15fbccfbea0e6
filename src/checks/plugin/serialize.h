/* Findings as bytes: from the process that a plug-in runs in to this one. */
#ifndef XR_HANDOVER_H
#define XR_HANDOVER_H

#include "checks/checks.h"
#include "checks/plugin/subprocess.h"

/* Writes all findings, and how the assertion ended. */
void xr_hand_over(const exray_findings *from, exray_status status, const exray_error *error, xr_bytes *to);

/* Reads them and adds them to `to`.  Nothing in `from` is trusted.  What breaks the
 * rules of docs/assertions.md (a confidence outside 0..1, a cause that the assertion
 * may not name, a layer that does not exist) is set right or left out, and the first
 * such thing becomes the run's failure. */
void xr_take_over(const xr_bytes *from, size_t layers, exray_findings *to, xr_run *run);

#endif
