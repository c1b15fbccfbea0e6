/* How a vector was made of an output's rows (one for each token, say): their mean, the first, ... */
#ifndef XR_POOLING_H
#define XR_POOLING_H

#include "checks/told/stages/stage_series.h"

typedef enum xr_pooling {
    XR_POOL_UNKNOWN,
    XR_POOL_MEAN,
    XR_POOL_FIRST,
    XR_POOL_LAST,
    XR_POOL_LARGEST,
    XR_POOL_SUM,
    XR_POOL_MEAN_OF_FIRST, /* another number in each frame: padding left out */
    XR_POOL_MEAN_OF_LAST,
    XR_POOLINGS
} xr_pooling;

typedef struct xr_pooling_habit {
    xr_pooling pooling;
    size_t rows;        /* of the output */
    size_t least, most; /* rows that the mean is of */
} xr_pooling_habit;

/* Finds how one side's vectors are made of its own outputs; all frames must agree.  Anything but EXRAY_OK is
 * an error. */
exray_status xr_pooling_find(const exray_comparison *comparison, const xr_stage_series *series,
                             exray_side side, xr_pooling_habit *out, exray_error *error);

/* "the mean of all 24 rows". */
void xr_pooling_words(const xr_pooling_habit *habit, char *text, size_t size);

#endif
