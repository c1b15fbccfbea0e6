/* Names of log files: what %t and %n stand for, and which files of a folder have such a name. */
#ifndef XR_LOG_NAMES_H
#define XR_LOG_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XR_LOG_PATH = 4096, XR_LOG_TIME = 17 /* 20260131T235959Z, with its NUL */ };

/* The time as %t writes it: UTC, to the second.  `wall`: ns since 1970; 0, unknown: 1970. */
void xr_log_time(uint64_t wall, char out[XR_LOG_TIME]);

/* Where the file's name begins in the path. */
size_t xr_log_folder(const char *path);
/* Whether the path has this letter behind a %. */
bool xr_log_has(const char *path, char letter);
/* The path with `what` before the extension of its file's name.  false: longer than a path may be. */
bool xr_log_insert(const char *path, const char *what, char out[XR_LOG_PATH]);
/* The path that the pattern stands for.  false: longer than a path may be. */
bool xr_log_expand(const char *pattern, const char *time, uint64_t number, char out[XR_LOG_PATH]);
/* Whether `name`, without a folder, is one that the pattern (likewise) stands for, of what time and number.
 */
bool xr_log_matches(const char *pattern, const char *name, char time[XR_LOG_TIME], uint64_t *number);

#endif
