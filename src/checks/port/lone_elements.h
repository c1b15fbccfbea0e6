/* Elements of an output vector that are wrong in a network of 8 bits, though the output as a whole is within
 * the noise of these: rounding is spread over all of them. */
#ifndef XR_LONE_ELEMENTS_H
#define XR_LONE_ELEMENTS_H

#include <exray/assertion.h>

typedef struct xr_lone_elements {
    size_t count, first; /* elements that are wrong, and the first of them; 0: none, or it is not known */
    size_t elements;     /* that vary */
    size_t frames;       /* that were compared */
    double error, usual; /* of the first one, and of the median one, relative to their own deviations */
} xr_lone_elements;

/* Of output `position` of the comparison; vectors of scores or features, no probabilities. */
xr_lone_elements xr_lone_elements_of(const exray_comparison *comparison, size_t position);

#endif
