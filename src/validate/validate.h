/* What the program needs of a validation beyond <exray/validate.h>. */
#ifndef XR_VALIDATE_H
#define XR_VALIDATE_H

#include "report/report.h"

#include <exray/validate.h>

/* What the reports show; lives as long as the validation. */
const xr_report *xr_validation_report(const exray_validation *validation);

#endif
