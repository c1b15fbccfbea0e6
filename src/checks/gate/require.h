/* `--require`: measures that must reach a bound. */
#ifndef XR_REQUIRE_H
#define XR_REQUIRE_H

#include "checks/findings.h"

typedef enum xr_met { XR_MET_YES, XR_MET_NO, XR_MET_UNKNOWN } xr_met;

/* One of the list, "top1>=0.7". */
typedef struct xr_requirement {
    char text[80];         /* as it was written */
    char name[48];         /* of the measure */
    char field[16];        /* "edge", "reference", "agreement", "change" */
    bool at_least, strict; /* >= and >; <= and < */
    double bound;
    double value; /* once judged; NAN: not measured */
    xr_met met;
} xr_requirement;

/* Parses a comma-separated list; *out is the caller's to free.  EXRAY_E_ARGUMENT: it cannot be read. */
exray_status xr_requirements_parse(const char *text, xr_requirement **out, size_t *count, exray_error *error);

/* Judges each, and reports those that are not met as user.require. */
void xr_requirements_judge(xr_requirement *requirement, size_t count, const exray_comparison *comparison,
                           exray_findings *findings);

/* Why it cannot be told whether one is met; false: it can be of all. */
bool xr_requirements_unknown(const xr_requirement *requirement, size_t count,
                             const exray_comparison *comparison, char *reason, size_t size);

#endif
