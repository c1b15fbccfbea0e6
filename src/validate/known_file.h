/* The list of accepted findings as a YAML file: `--known`, `--write-known`. */
#ifndef XR_KNOWN_FILE_H
#define XR_KNOWN_FILE_H

#include "checks/checks.h"

typedef struct xr_known_list {
    xr_known_finding *item;
    size_t count;
} xr_known_list;

/* Reads the file; NULL: an empty list.  EXRAY_E_IO, EXRAY_E_FORMAT (with the line), EXRAY_E_MEMORY. */
exray_status xr_known_read(const char *path, xr_known_list *out, exray_error *error);
void xr_known_free(xr_known_list *list);

/* What is to be said of an entry: that it has expired, or accepts nothing; "" where there is nothing. */
void xr_known_remark(const char *path, const xr_known_finding *known, char *out, size_t size);

/* Writes a file that accepts what fails now: the errors that are new, and the entries that were used, as they
 * were. `read`: what --known had. */
exray_status xr_known_write(const char *path, const xr_known_list *read, const xr_outcome *outcome,
                            exray_error *error);

#endif
