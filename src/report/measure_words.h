/* Measures of how well both sides do their task, as people read them. */
#ifndef XR_MEASURE_WORDS_H
#define XR_MEASURE_WORDS_H

enum { XR_MEASURE_WORDS_MOST = 96, XR_MEASURE_VALUE_MOST = 64 };

/* "mean IoU" of "miou"; names of other tasks lose their underscores. `buffer` is returned. */
const char *xr_measure_words(char buffer[XR_MEASURE_WORDS_MOST], const char *name);

/* "97.3 %" of shares, with as many digits as keep it apart from 0 and 100 %; "1.25 pixels"; "0.9987" of what
 * has no unit; "-" where it is none.  `percent` is what stands behind a share. `buffer` is returned. */
const char *xr_measure_value(char buffer[XR_MEASURE_VALUE_MOST], double value, const char *unit,
                             const char *percent);

#endif
