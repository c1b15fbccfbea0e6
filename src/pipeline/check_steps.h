/* What steps need of each other. */
#ifndef XR_CHECK_STEPS_H
#define XR_CHECK_STEPS_H

#include "pipeline/steps.h"

/* Whether the parsed steps can run in their order; false with a message that names the line. */
bool xr_check_steps(const xr_pipeline *pipeline, exray_error *error);

#endif
