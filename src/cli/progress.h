/* Progress of long work, shown on a terminal only; and how much is printed at all. */
#ifndef XR_PROGRESS_H
#define XR_PROGRESS_H

#include "cli/command.h"

#include <stdbool.h>
#include <stdint.h>

/* --quiet: errors and warnings only; --verbose: also what was used and how long it took. */
typedef enum xr_verbosity { XR_QUIET = -1, XR_NORMAL, XR_VERBOSE } xr_verbosity;

/* --quiet (-q) and --verbose (-v), which every command takes; the last one given counts. */
extern const xr_option xr_verbosity_options[];
/* Takes them out of the arguments before "--"; returns how many are left. */
int xr_take_verbosity(int argc, char **argv);
bool xr_is_quiet(void);

/* One line on standard error with --verbose: "exray: <message>". */
void xr_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Nanoseconds of a monotonic clock. */
uint64_t xr_clock(void);

/* "comparing: 120 of 600 frames, 41 a second, 12 s left" on standard error, where that is a
 * terminal and not --quiet; ten times a second at most. */
typedef struct xr_progress {
    const char *doing, *things; /* "comparing", "frames" */
    uint64_t began, told;
} xr_progress;

xr_progress xr_progress_begin(const char *doing, const char *things);
/* Fits the callbacks of libraries: `progress` is an xr_progress. */
void xr_progress_tell(void *progress, size_t done, size_t total);
/* Removes the line, before anything else is printed; it comes back with the next step. */
void xr_progress_clear(xr_progress *progress);

#endif
