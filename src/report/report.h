/* Validations in words, in JSON and as a page. */
#ifndef XR_REPORT_H
#define XR_REPORT_H

#include "checks.h"

#include <stdio.h>

/* One validation, as every report shows it.  Borrowed. */
typedef struct xr_report {
    const exray_comparison *comparison;
    const xr_outcome *outcome;
    const char *const *not_used; /* NULL-terminated remarks on options without effect; or NULL */
} xr_report;

/* For people.  colour: ANSI escapes. */
void xr_report_text(const xr_report *report, FILE *out, bool colour);

/* Whether `out` is a terminal that wants colour (NO_COLOR, TERM=dumb: no). */
bool xr_wants_colour(FILE *out);

/* The contract "exray-validation", version 1: UTF-8, indented, a
 * newline at the end.  False: out of memory. */
bool xr_report_json(const xr_report *report, FILE *out);

/* JUnit's XML (the dialect that Jenkins, GitLab and pytest share): one test case an
 * assertion, and one for the verdict.  UTF-8; what XML cannot hold becomes '?'.  False: the
 * write failed. */
bool xr_report_junit(const xr_report *report, FILE *out);

/* The page for a browser: one UTF-8 file that loads nothing.  False: out of memory. */
bool xr_report_html(const xr_report *report, FILE *out);

/* Median of inference_ns over the frames after the warm-up, in milliseconds; NAN where
 * none was recorded. */
double xr_report_latency(const exray_comparison *comparison, exray_side side);

#endif
