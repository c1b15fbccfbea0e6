/* What is true of each picture (--labels), read from a file or a folder. */
#ifndef XR_TRUTH_H
#define XR_TRUTH_H

#include <exray/task.h>

typedef struct xr_truth xr_truth;

/* By what `path` is: a folder of masks; NAME.json, COCO's annotations; NAME.tsv, a table of texts; else lines
 * "FILE CLASS" (labels.h).  NULL on failure. */
xr_truth *xr_truth_load(const char *path, exray_error *error);
/* Whether it says anything of a file: by its whole relative path, else by its base name where that is unique.
 */
bool xr_truth_has(const xr_truth *truth, const char *file);
/* The class of a file, where it has one.  Any thread. */
bool xr_truth_label(const xr_truth *truth, const char *file, int64_t *label);
/* What else is true of it; *out and what it refers to live in `told`.  The names of its boxes' classes are
 * those of the file.  EXRAY_E_STATE: nothing (no message). */
exray_status xr_truth_result(const xr_truth *truth, const char *file, exray_told *told, exray_result *out,
                             exray_error *error);
/* The class lines alone have none. */
bool xr_truth_has_results(const xr_truth *truth);
/* "its 12 pictures": what a message says that it has. */
void xr_truth_describe(const xr_truth *truth, char *text, size_t size);
void xr_truth_free(xr_truth *truth);

#endif
