/* Error lines of the program. */
#ifndef XR_FAIL_H
#define XR_FAIL_H

#include "cli/command.h"

#include <exray/types.h>

/* Prints "exray: <message>" and returns XR_EXIT_FAILED. */
int xr_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for an error that a library filled. */
int xr_fail_error(const exray_error *error);
/* The same for memory that there was none of, unless a line has said so before: `what` would lack something.
 */
int xr_fail_for_memory(const char *what);
/* "exray NAME: <message>" and where to find help; returns XR_EXIT_FAILED. */
int xr_usage_error(const xr_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
