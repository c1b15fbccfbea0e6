/* The built-in assertions, the runner, and what came of a validation. */
#ifndef XR_CHECKS_H
#define XR_CHECKS_H

#include <exray/assertion.h>

/* ---- Findings, as reports see them ----------------------------------------- */

typedef struct xr_evidence {
    char *key;
    char *text;    /* NULL: a number */
    double number; /* may be non-finite */
} xr_evidence;

typedef struct xr_alternative {
    char *cause;
    double confidence;
} xr_alternative;

struct exray_finding {
    char *cause;
    exray_severity severity;
    double confidence;
    char *summary; /* NULL: none given */
    char **detail;
    size_t detail_count;
    char *fix;
    char *stage, *tensor; /* NULL: not given */
    uint32_t layer;       /* position among the comparison's layers, or EXRAY_NO_INDEX */
    xr_evidence *evidence;
    size_t evidence_count;
    xr_alternative *alternative;
    size_t alternative_count;
    const exray_assertion *assertion; /* who found it; NULL: the runner */
    bool folded;                      /* a consequence of another finding; not shown by itself */
    size_t number;                    /* in order of reporting */
    exray_finding *next;
};

struct exray_findings {
    exray_finding *first, *last;
    size_t count;
    const exray_assertion *assertion; /* running now */
    bool out_of_memory;
    exray_finding spare; /* what exray_find returns when there is no memory */
};

/* Frees what exray_find and its like took; the struct itself is the caller's. */
void xr_findings_clear(exray_findings *findings);

/* ---- Running ----------------------------------------------------------------- */

/* NULL-terminated. */
extern const exray_assertion *const xr_assertions[];

typedef struct xr_check_options {
    const exray_assertion *const *extra; /* NULL-terminated, from plug-ins; or NULL */
    const char *select;                  /* comma-separated names; NULL: all */
    double min_coverage;                 /* share of edge layers; 0.8 is the default of the command */
    bool fail_on_perf, fail_on_log;      /* raise warnings of that prefix to errors */
} xr_check_options;

typedef enum xr_verdict { XR_PASS, XR_FAIL, XR_INCONCLUSIVE } xr_verdict;

/* How one assertion ended. */
typedef struct xr_run {
    const exray_assertion *assertion;
    exray_status status; /* OK; EXRAY_E_STATE: unjudged; else it failed */
    char message[480];   /* why, where not OK */
    size_t findings;
} xr_run;

typedef struct xr_outcome {
    xr_verdict verdict;
    char reason[480]; /* why inconclusive; "" otherwise */
    exray_findings findings;
    exray_finding **shown; /* sorted, the likely root cause first; folded ones left out */
    size_t shown_count;
    xr_run *run;
    size_t run_count;
} xr_outcome;

/* Runs the assertions on a comparison, folds, sorts, and gives the verdict.
 * EXRAY_E_ARGUMENT where `select` has a name that no assertion has. */
exray_status xr_run_assertions(const exray_comparison *comparison, const xr_check_options *options,
                               xr_outcome *out, exray_error *error);
void xr_outcome_free(xr_outcome *outcome);

/* Marks consequences of other findings as folded, with a remark in the cause's
 * evidence; sorts the rest into `shown` (room for all).  Returns their number. */
size_t xr_fold(const exray_comparison *comparison, exray_findings *findings, exray_finding **shown);

/* "pass", "fail", "inconclusive"; "error", "warning", "info". */
const char *xr_verdict_name(xr_verdict verdict);
const char *xr_severity_name(exray_severity severity);

/* ---- Plug-ins ------------------------------------------------------------------ */

/* Loads a shared library that defines
 *     const exray_assertion *const exray_plugin_assertions[]   (NULL-terminated)
 * and checks size and ABI of each.  The library stays loaded until the process
 * ends.  NULL on failure. */
const exray_assertion *const *xr_plugin_load(const char *path, exray_error *error);

#endif
