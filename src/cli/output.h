/* Where commands write to: files that are not overwritten by mistake, standard output. */
#ifndef XR_OUTPUT_H
#define XR_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Opens `path` for writing; "-" is standard output.  NULL: failed; printed. An existing log is not
 * overwritten: it may be the one that is being read. */
FILE *xr_open_output(const char *path);
/* The same for a log, which may replace another log, and nothing else: it does so when it is closed
 * (xr_close_output), not before; until then, and where it is removed (xr_remove_output), the other stands. */
FILE *xr_open_log_output(const char *path);
/* Whether a log may be written to `path`; false: printed why not. */
bool xr_may_write_log(const char *path);
/* Whether two names are of the same file. */
bool xr_names_one_file(const char *a, const char *b);
/* Whether two outputs would be the same file, which need not exist yet; NULL: no output. */
bool xr_same_output(const char *a, const char *b);
/* Removes a half-written output, unless it is a device. */
void xr_remove_output(const char *path);
/* Closes it (not standard output); false: writing had failed; printed. */
bool xr_close_output(FILE *file, const char *path);
/* The same where `good`; else, and where it fails, removes it: what is in it is of no use.  Returns whether
 * it stands. */
bool xr_end_output(FILE *file, const char *path, bool good);

/* Called first: from then on what cJSON finds no memory for is counted, too (base/memory.h). */
void xr_watch_json_memory(void);
/* Writes `root` (taken over) as indented JSON to `path`; "-" is standard
 * output.  Returns an exit status; failures are printed. */
struct cJSON;
int xr_print_json(struct cJSON *root, const char *path);

#endif
