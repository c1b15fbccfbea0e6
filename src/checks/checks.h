/* Running assertions on a comparison, and the outcome.  run.c, settings.c and plugin/ implement
 * what is declared here. */
#ifndef XR_CHECKS_H
#define XR_CHECKS_H

#include "checks/findings.h"
#include "checks/gate/known.h"
#include "checks/gate/require.h"

/* The built-in assertions (table.c), NULL-terminated. */
extern const exray_assertion *const xr_assertions[];

typedef struct xr_check_options {
    const exray_assertion *const *extra; /* NULL-terminated, from plug-ins; or NULL */
    const exray_assertion *const *own;   /* likewise, the caller's: run in this process */
    const char *select;                  /* comma-separated names or PREFIX*; NULL: all */
    const char *const *set;              /* "NAME.OPTION=VALUE" */
    size_t set_count;
    double plugin_seconds;          /* time limit of a plug-in's assertion; 0: XR_PLUGIN_SECONDS */
    double min_coverage;            /* share of edge layers; 0.8 is the default of the command */
    bool fail_on_perf, fail_on_log; /* raise warnings of that prefix to errors */
    xr_known_finding *known;        /* [known_count] accepted findings; what they accept is noted there */
    size_t known_count;
    xr_requirement *require; /* [require_count] what measures must reach; likewise */
    size_t require_count;
    const xr_reruns *reruns; /* how models are run again; NULL: they are not */
} xr_check_options;

typedef enum xr_verdict { XR_PASS, XR_FAIL, XR_INCONCLUSIVE } xr_verdict;

/* How one assertion ended. */
typedef struct xr_run {
    const exray_assertion *assertion;
    exray_status status; /* OK; EXRAY_E_STATE: unjudged; else it failed */
    char message[480];   /* the reason, where not OK */
    size_t findings;
} xr_run;

typedef struct xr_outcome {
    xr_verdict verdict;
    char reason[480]; /* why inconclusive; "" otherwise */
    exray_findings findings;
    exray_finding **shown; /* sorted, the likely root cause first; known ones last; without consequences */
    size_t shown_count;
    xr_run *run;
    size_t run_count;
} xr_outcome;

/* Runs the assertions on a comparison, suppresses consequences, sorts, and gives the verdict.
 * EXRAY_E_ARGUMENT where `select` has a name that no assertion has, or `set` an option that no
 * assertion has. */
exray_status xr_run_assertions(const exray_comparison *comparison, const xr_check_options *options,
                               xr_outcome *out, exray_error *error);
void xr_outcome_free(xr_outcome *outcome);

/* "pass", "fail", "inconclusive". */
const char *xr_verdict_name(xr_verdict verdict);

/* Parses options->set; *out is the caller's to free, *count long. */
exray_status xr_settings_parse(const xr_check_options *options, xr_setting **out, size_t *count,
                               exray_error *error);

/* ---- Plug-ins ------------------------------------------------------------------ */

enum { XR_PLUGIN_SECONDS = 60 };

/* Loads shared libraries that define
 *     const exray_assertion *const exray_plugin_assertions[]   (NULL-terminated)
 * and checks size, ABI, strings and names of each assertion, first in a child process, so that
 * a library that crashes is an ordinary error.  They stay loaded until the process ends.  The
 * table of all their assertions is NULL-terminated and the caller's to free; NULL on failure. */
const exray_assertion **xr_plugins_load(const char *const *path, size_t count, exray_error *error);

/* Runs a plug-in's assertion in a child process and adds what it reports to `findings`.  A
 * crash, a time-out, or a report that breaks the rules is described in run->status and
 * run->message. */
void xr_plugin_run(const exray_comparison *comparison, double seconds, exray_findings *findings, xr_run *run);

#endif
