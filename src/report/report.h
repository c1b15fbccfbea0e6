/* Validations in words, as a page, and in the formats of other tools. */
#ifndef XR_REPORT_H
#define XR_REPORT_H

#include "checks/checks.h"

#include <stdio.h>

/* Layers that were run alone. */
typedef struct xr_isolation {
    bool asked;                /* the engine was named; else what was at hand was used */
    const char *engine;        /* NULL: nothing was run */
    const char *model;         /* the file that they were cut out of; NULL: none was at hand */
    size_t wrong, run, failed; /* layers beyond noise; of them, run alone; layers wrong by themselves */
    const char *why;           /* why nothing, or not all, was run; NULL: all was */
} xr_isolation;

/* Models that were run again to tell what they remembered. */
typedef struct xr_told_reruns {
    const char *engine; /* NULL: none was run */
    size_t runs;
    char why[320]; /* why none, or not all that was to be tried, was run; "" */
} xr_told_reruns;

/* One validation, as every report shows it.  Borrowed. */
typedef struct xr_report {
    const exray_comparison *comparison;
    const xr_outcome *outcome;
    const char *const *not_used;   /* NULL-terminated remarks on options without effect; or NULL */
    const xr_known_finding *known; /* [known_count] accepted findings */
    size_t known_count;
    const xr_requirement *require; /* [require_count] what measures must reach */
    size_t require_count;
    const xr_isolation *isolation; /* or NULL */
    const xr_told_reruns *reruns;  /* or NULL */
} xr_report;

/* For people. color: with ANSI escapes. */
void xr_report_text(const xr_report *report, FILE *out, bool color);

/* Whether `out` is a terminal with colors (NO_COLOR, TERM=dumb: no). */
bool xr_wants_color(FILE *out);

/* The contract "exray-validation", version 1: UTF-8, indented, a
 * newline at the end.  False: out of memory. */
bool xr_report_json(const xr_report *report, FILE *out);

/* JUnit's XML (the dialect that Jenkins, GitLab and pytest share): one test case a
 * cause, and one for the verdict.  UTF-8; what XML cannot hold becomes '?'.  False: the
 * write failed. */
bool xr_report_junit(const xr_report *report, FILE *out);

/* The page for a browser: one UTF-8 file that loads nothing.  False: out of memory. */
bool xr_report_html(const xr_report *report, FILE *out);

/* What is in an overlay, and what is not. */
typedef struct xr_overlay {
    size_t nodes;   /* with a value */
    size_t unnamed; /* that Model Explorer cannot find: no name, or the name of a later node */
    size_t inner;   /* of other subgraphs than the first: nodes of the first may have the same names */
    size_t unknown; /* without a value: not compared, not finite, not timed */
    bool bounds;    /* the numbers are lower bounds of the error from statistics, not nRMSE */
} xr_overlay;

/* Overlays of Model Explorer (its GraphNodeData), a number for each node of the edge's model, by
 * the name that Model Explorer knows the node by.  False: out of memory. */

/* nRMSE of the node's worst output; the color shows its role. Where the logs have statistics only: the
 * smallest error that these allow. */
bool xr_report_model_explorer(const exray_comparison *comparison, FILE *out, xr_overlay *overlay);
/* Median time in milliseconds; from light to dark. */
bool xr_report_model_explorer_times(const exray_log *log, FILE *out, xr_overlay *overlay);

/* Median of inference_ns over the frames after the warm-up, in milliseconds; NAN where
 * none was recorded. */
double xr_report_latency(const exray_comparison *comparison, exray_side side);

#endif
