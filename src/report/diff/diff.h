/* Two validations (`exray validate --json`) compared: what is new, gone or worse.
 *
 * diff.c reads and compares; diff_text.c, diff_json.c and diff_html.c write it. */
#ifndef XR_DIFF_H
#define XR_DIFF_H

#include <exray/types.h>

#include <stdio.h>

struct cJSON;

typedef enum xr_change { XR_SAME, XR_NEW, XR_GONE, XR_WORSE, XR_BETTER } xr_change;
enum { XR_CHANGES = 5 };

typedef struct xr_diff_options {
    double tolerance;               /* by how much a share may fall without being worse */
    bool fail_on_perf, fail_on_log; /* findings of these kinds count although they are warnings */
} xr_diff_options;

/* A finding of one of the validations or of both. */
typedef struct xr_diff_finding {
    xr_change change;
    const struct cJSON *side[2]; /* old, new; NULL: not there */
    bool counts;                 /* new or worse, and of a kind that makes the whole worse */
} xr_diff_finding;

/* A number of both validations: a measure's value, or its agreement. */
typedef struct xr_diff_measure {
    char name[120];  /* for programs */
    char words[180]; /* for people */
    bool of_group;   /* of a single class */
    xr_change change;
    double value[2]; /* NAN: not told */
    bool counts;
} xr_diff_measure;

/* Both numbers of the measures of two validations that have none in common, and the coverage. */
enum { XR_DIFF_MEASURES = 640 };

typedef struct xr_diff {
    const char *path[2];
    struct cJSON *root[2];
    xr_diff_finding *finding;
    size_t findings;
    xr_diff_measure measure[XR_DIFF_MEASURES];
    size_t measures;
    xr_change verdict; /* SAME, WORSE, BETTER */
    double latency[2]; /* edge's milliseconds */
    xr_change change;  /* of the whole: WORSE where anything counts */
} xr_diff;

/* Reads and compares.  EXRAY_E_IO, EXRAY_E_FORMAT, EXRAY_E_MEMORY.  *out is to be freed in any case. */
exray_status xr_diff_read(const char *old_path, const char *new_path, const xr_diff_options *options,
                          xr_diff *out, exray_error *error);
void xr_diff_free(xr_diff *diff);

/* "same", "new", "gone", "worse", "better". */
const char *xr_change_name(xr_change change);

/* Single classes are told to people where they changed. */
bool xr_diff_tells(const xr_diff_measure *measure);

/* A text member of an object of the file; "" where it has none. */
const char *xr_diff_member(const struct cJSON *object, const char *key);
/* Whether it was accepted (--known). */
bool xr_diff_is_known(const struct cJSON *finding);
/* Where a finding is: its tensor, or its stage; "". */
const char *xr_diff_place(const struct cJSON *finding);
size_t xr_diff_count(const xr_diff *diff, xr_change change);
/* Whether the finding is in the list of a report: those that are as they were are not. */
const struct cJSON *xr_diff_shown(const xr_diff_finding *finding);

void xr_diff_text(const xr_diff *diff, FILE *out, bool color);
bool xr_diff_json(const xr_diff *diff, FILE *out);
bool xr_diff_html(const xr_diff *diff, FILE *out);

#endif
