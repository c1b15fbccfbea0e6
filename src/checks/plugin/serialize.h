/* Findings as bytes: from the child process that a plug-in runs in to this one. */
#ifndef XR_SERIALIZE_H
#define XR_SERIALIZE_H

#include "checks/checks.h"
#include "checks/plugin/subprocess.h"

/* Writes all findings, and how the assertion ended. */
void xr_findings_serialize(const exray_findings *from, exray_status status, const exray_error *error,
                           xr_reply *to);

/* Reads them and adds them to `to`.  Nothing in `from` is trusted.  What breaks the rules of
 * docs/assertions.md (a confidence outside 0..1, a cause that the assertion may not name, a
 * layer that does not exist) is corrected or left out, and the first violation becomes the
 * run's failure. */
void xr_findings_deserialize(const xr_reply *from, size_t layers, exray_findings *to, xr_run *run);

#endif
