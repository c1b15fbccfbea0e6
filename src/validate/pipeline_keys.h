/* What a fix says of the pipeline files: where both logs have one and they differ in a key that the finding's
 * cause is about, the reference's value. */
#ifndef XR_PIPELINE_KEYS_H
#define XR_PIPELINE_KEYS_H

#include "checks/checks.h"

/* Adds a sentence to the fixes of errors that name no value of such a key themselves. */
void xr_say_pipeline_keys(const exray_comparison *comparison, exray_findings *findings);

#endif
