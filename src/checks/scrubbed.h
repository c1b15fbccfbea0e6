/* What `exray scrub` took out of a log: advice to record more would be wrong where it was recorded. */
#ifndef XR_SCRUBBED_H
#define XR_SCRUBBED_H

#include <exray/assertion.h>

/* Where a walk over what was done to a log is; zeros: at its beginning. */
typedef struct xr_scrubbed_walk {
    size_t record, pair;
} xr_scrubbed_walk;

/* The next of it: *what was done ("without", "statistics alone of") with the topics of *patterns, which are
 * the log's.  False: no more. */
bool xr_scrubbed_next(const exray_log *log, xr_scrubbed_walk *walk, const char **what, const char **patterns);

/* "the edge log was scrubbed (without /sensor/x; statistics alone of /input/x)", where the tensors or results
 * of a log went or became statistics; of both logs where both were; "" else. */
void xr_scrubbed_words(const exray_comparison *comparison, char *text, size_t size);

/* Where `message` ends with the advice to record with another --capture: `words` of xr_scrubbed_words instead
 * of it. */
void xr_scrubbed_instead(char *message, size_t size, const char *words);

#endif
