/* Findings, as the runner and reports see them: what assertions reported, and what they keep for
 * each other.  exray/assertion.h has the functions that fill them. */
#ifndef XR_FINDINGS_H
#define XR_FINDINGS_H

#include "checks/reruns.h"

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
    const exray_assertion *assertion;     /* that reported it; NULL: the runner */
    bool is_consequence;                  /* of another finding, and not shown by itself */
    const struct xr_known_finding *known; /* the entry that accepts it; NULL: it is new */
    size_t number;                        /* in the order of reporting */
    exray_finding *next;
};

/* One `--set NAME.OPTION=VALUE`, parsed. */
typedef struct xr_setting {
    const exray_assertion *assertion;
    const char *option;
    double value;
} xr_setting;

struct exray_findings {
    exray_finding *first, *last;
    size_t count;
    size_t limit;                     /* findings that are accepted; 0: any number */
    size_t refused;                   /* findings beyond the limit */
    const exray_assertion *assertion; /* running now */
    const xr_setting *setting;
    size_t setting_count;
    bool out_of_memory;
    bool inputs_judged;  /* the assertion about the model's inputs ran */
    exray_finding spare; /* what exray_findings_add returns when there is no memory */
    struct xr_attached *attached;
    const xr_reruns *reruns; /* how models are run again; NULL: they cannot be */
};

/* Frees all findings and what is attached; the struct itself is the caller's. */
void xr_findings_clear(exray_findings *findings);

/* Whether a finding is about a layer of the comparison: its place, or one of those that it
 * lists as evidence ("layer_17": node 17 of the edge). */
bool xr_is_about_layer(const exray_comparison *comparison, const exray_finding *finding, size_t layer);

/* Whether a finding of that cause is. */
bool xr_is_told_of_layer(const exray_comparison *comparison, const exray_findings *findings,
                         const char *cause, size_t layer);

/* Whether there is an error of that cause; where it is empty or ends with a dot, of any that begins so. */
bool xr_has_error(const exray_findings *findings, const char *cause);

/* The evidence with that key, or NULL. */
const xr_evidence *xr_finding_evidence(const exray_finding *finding, const char *key);

/* Keeps `state` under a key (a constant string and a number), so that a later assertion or a
 * report can use it.  It belongs to `findings`, which call `release` in the end, and also
 * where there is no memory to keep it (false). */
bool xr_findings_attach(exray_findings *findings, const char *key, size_t index, void *state,
                        void (*release)(void *state));
/* What was kept under that key, or NULL. */
void *xr_findings_attached(const exray_findings *findings, const char *key, size_t index);

/* "error", "warning", "info". */
const char *xr_severity_name(exray_severity severity);

#endif
