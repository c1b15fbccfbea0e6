/* What `exray scrub` took out of a log: advice to record more would be wrong where it was recorded. */
#ifndef XR_SCRUBBED_H
#define XR_SCRUBBED_H

#include <exray/assertion.h>

/* "the edge log was scrubbed (without /sensor/x; statistics alone of /input/x)", where the tensors or results
 * of a log went or became statistics; of both logs where both were; "" else. */
void xr_scrubbed_words(const exray_comparison *comparison, char *text, size_t size);

/* Where `message` ends with the advice to record with another --capture: `words` of xr_scrubbed_words instead
 * of it. */
void xr_scrubbed_instead(char *message, size_t size, const char *words);

#endif
