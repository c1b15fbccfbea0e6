/* Label files: "FILE CLASS" lines (true classes), and class names a line. */
#ifndef XR_LABELS_H
#define XR_LABELS_H

#include <exray/types.h>

typedef struct xr_labels xr_labels;

/* Lines "FILE CLASS_INDEX"; blank lines and lines beginning with # are skipped.  Anything else is an error
 * that names the line.  NULL on failure. */
xr_labels *xr_labels_load(const char *path, exray_error *error);
/* The class of a file: by its whole relative path, else by its base name where
 * that is unique in the label file.  False: none. */
bool xr_labels_find(const xr_labels *labels, const char *file, int64_t *label);
/* How many entries there are. */
size_t xr_labels_count(const xr_labels *labels);
void xr_labels_free(xr_labels *labels);

/* Class names, one a line; names->name[i] is the name of class i. */
typedef struct xr_names {
    char **name;
    size_t count;
} xr_names;
exray_status xr_names_load(const char *path, xr_names *out, exray_error *error);
void xr_names_free(xr_names *names);

#endif
