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

/* One `--set NAME.OPTION=VALUE`, understood. */
typedef struct xr_setting {
    const exray_assertion *assertion;
    const char *option;
    double value;
} xr_setting;

struct exray_findings {
    exray_finding *first, *last;
    size_t count;
    size_t most;                      /* findings that are taken; 0: any number */
    size_t refused;                   /* beyond */
    const exray_assertion *assertion; /* running now */
    const xr_setting *setting;
    size_t setting_count;
    bool out_of_memory;
    exray_finding spare;          /* what exray_findings_add returns when there is no room */
    struct xr_model_fit *weights; /* model_compare.h: made once for two assertions; NULL: not yet */
    struct xr_undo *undo; /* input_undo.h: what explains the inputs, for reports; NULL: nothing does */
};

/* Frees what exray_findings_add and its like took; the struct itself is the caller's. */
void xr_findings_clear(exray_findings *findings);

/* ---- Running ----------------------------------------------------------------- */

/* NULL-terminated. */
extern const exray_assertion *const xr_assertions[];

typedef struct xr_check_options {
    const exray_assertion *const *extra; /* NULL-terminated, from plug-ins; or NULL */
    const exray_assertion *const *own;   /* likewise, the caller's: run in this process */
    const char *select;                  /* comma-separated names or PREFIX*; NULL: all */
    const char *const *set;              /* "NAME.OPTION=VALUE" */
    size_t set_count;
    double plugin_seconds;          /* what a plug-in's assertion may take; 0: XR_PLUGIN_SECONDS */
    double min_coverage;            /* share of edge layers; 0.8 is the default of the command */
    bool fail_on_perf, fail_on_log; /* raise warnings of that prefix to errors */
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
 * EXRAY_E_ARGUMENT where `select` has a name that no assertion has, or `set` what no
 * assertion takes. */
exray_status xr_run_assertions(const exray_comparison *comparison, const xr_check_options *options,
                               xr_outcome *out, exray_error *error);
void xr_outcome_free(xr_outcome *outcome);

/* Marks consequences of other findings as folded, with a remark in the cause's
 * evidence; sorts the rest into `shown` (room for all).  Returns their number. */
size_t xr_fold(const exray_comparison *comparison, exray_findings *findings, exray_finding **shown);

/* Whether a finding is about a layer of the comparison: its place, or one of those that it
 * lists as evidence ("layer_17": node 17 of the edge). */
bool xr_is_about_layer(const exray_comparison *comparison, const exray_finding *finding, size_t layer);

/* "pass", "fail", "inconclusive"; "error", "warning", "info". */
const char *xr_verdict_name(xr_verdict verdict);
const char *xr_severity_name(exray_severity severity);

/* ---- Options (settings.c) --------------------------------------------------------- */

/* An assertion's options, or NULL; also of plug-ins built before there were any. */
const exray_option *xr_options_of(const exray_assertion *assertion);

/* Understands options->set; *out is the caller's to free, *count long. */
exray_status xr_settings_parse(const xr_check_options *options, xr_setting **out, size_t *count,
                               exray_error *error);

/* ---- Plug-ins ------------------------------------------------------------------ */

enum { XR_PLUGIN_SECONDS = 60 };

/* Loads shared libraries that define
 *     const exray_assertion *const exray_plugin_assertions[]   (NULL-terminated)
 * and checks size, ABI, strings and names of each assertion, first in a process of
 * its own, so that a library that crashes is an error like another.  They stay loaded
 * until the process ends.  The table of all their assertions is NULL-terminated and
 * the caller's to free; NULL on failure. */
const exray_assertion **xr_plugins_load(const char *const *path, size_t count, exray_error *error);

/* Runs a plug-in's assertion in a process of its own and adds what it reports to
 * `findings`.  A crash, a time-out, or a report that breaks the rules is told in
 * run->status and run->message. */
void xr_plugin_run(const exray_comparison *comparison, double seconds, exray_findings *findings, xr_run *run);

#endif
