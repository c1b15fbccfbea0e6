/* How the rows and bins of one side's features follow from the other's. */
#ifndef XR_FEATURE_RELATION_H
#define XR_FEATURE_RELATION_H

#include "checks/input/features/feature_frames.h"

typedef enum xr_feature_kind {
    XR_FEATURES_UNRELATED,
    XR_FEATURES_LINE,       /* the same cells, by a gain and an offset */
    XR_FEATURES_LIMITED,    /* likewise, and what exceeds a side's range is clipped there */
    XR_FEATURES_MOST_CELLS, /* likewise, but for those near the floor of the logarithm */
    XR_FEATURES_SIGN,       /* stored bytes with the other sign */
    XR_FEATURES_NO_ZERO,    /* stored without the zero point */
    XR_FEATURES_DELAY,
    XR_FEATURES_BINS_REVERSED,
    XR_FEATURES_ROWS_REVERSED,
    XR_FEATURES_TRANSPOSED,
    XR_FEATURES_STRETCHED,     /* another hop */
    XR_FEATURES_BAND,          /* the same bins up to one, and one side has nothing above */
    XR_FEATURES_TIME_ONLY,     /* rows are loud and quiet together, bins are not */
    XR_FEATURES_TIME_AND_BINS, /* likewise, with time stretched: sound of another rate */
} xr_feature_kind;

typedef struct xr_feature_relation {
    xr_feature_kind kind;
    double late;         /* DELAY: rows; the edge has what the reference had as many rows before */
    double ratio;        /* STRETCHED, TIME_AND_BINS: rows of the edge for one of the reference */
    double gain, offset; /* edge = gain reference + offset */
    double rest;         /* the variance that is left, relative to the edge's */
    double rest_before;  /* by the best line alone */
    double spread;       /* the standard deviation of the edge's values; 0: not measured */
    double in_time;      /* the correlation of the rows' levels, 0..1 */
    size_t cut;          /* BAND: the first bin above */
    int lacks;           /* BAND: exray_side */
} xr_feature_relation;

/* The simplest relation that holds in all frames that differ. */
void xr_find_feature_relation(const xr_feature_frames *frames, xr_feature_relation *out);

#endif
