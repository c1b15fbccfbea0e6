/* What the program needs of a validation beyond <exray/validate.h>. */
#ifndef XR_VALIDATE_H
#define XR_VALIDATE_H

#include "compare/compare.h"
#include "report.h"

#include <exray/validate.h>

typedef struct xr_validate_hooks {
    /* Called once the logs are compared, before anything is judged: isolation.  Anything
     * but EXRAY_OK ends the validation, with `error` filled.  May be NULL. */
    exray_status (*compared)(void *user, exray_comparison *comparison, exray_error *error);
    void *user;
    /* NULL-terminated remarks on options without effect, read after `compared`, and as
     * long as the validation; or NULL. */
    const char *const *remarks;
} xr_validate_hooks;

/* exray_validate; `hooks` may be NULL. */
exray_validation *xr_validate(const exray_log *edge, const exray_log *reference,
                              const exray_validate_options *options, const xr_validate_hooks *hooks,
                              exray_error *error);

/* What the reports show; lives as long as the validation. */
const xr_report *xr_validation_report(const exray_validation *validation);

#endif
