/* A command's options as its usage text has them: the one place where they are written
 * down, for completions, manual pages and suggestions alike. */
#ifndef XR_USAGE_H
#define XR_USAGE_H

#include "cli/cli.h"

#include <stdbool.h>
#include <stddef.h>

/* One option.  Texts point into the usage text and end after their sizes. */
typedef struct xr_usage_option {
    char short_name;  /* 'o', or 0 */
    const char *name; /* behind "--" */
    size_t name_size;
    const char *value; /* the placeholder of its value; size 0: it takes none */
    size_t value_size;
    const char *text; /* the first line of what is said of it */
    size_t text_size;
} xr_usage_option;

/* Where one is in a usage text: {text, text} to begin with. */
typedef struct xr_usage_place {
    const char *text, *at;
} xr_usage_place;

/* The next option; the place moves on.  False: there are no more. */
bool xr_usage_next(xr_usage_place *place, xr_usage_option *out);

/* "--engine tflit: no such engine (did you mean tflite?)"; returns XR_EXIT_FAILED. */
int xr_no_engine(const xr_command *command, const char *given);

/* "there is no option --frams (did you mean --frames?)"; returns XR_EXIT_FAILED. */
int xr_no_option(const xr_command *command, const char *given);

#endif
