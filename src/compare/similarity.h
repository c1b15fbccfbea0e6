/* How alike the recorded values of two layers are, whatever they are called: seen in
 * a few hundred elements of the first frames, or in statistics. */
#ifndef XR_LIKENESS_H
#define XR_LIKENESS_H

#include "compare/comparison.h"
#include "compare/layers.h"

typedef struct xr_likeness xr_likeness;

/* Reads a few matched frames of both logs.  NULL: out of memory. */
xr_likeness *xr_likeness_new(const exray_comparison *comparison, const xr_layers layers[2]);
void xr_likeness_free(xr_likeness *likeness);

typedef struct xr_like {
    bool known;
    bool from_stats;
    double correlation;   /* -1 to 1; of statistics: 1 equal, 0 another layer */
    double determination; /* 1 - mean((a-b)^2) / var(b), not below 0 */
} xr_like;

/* Layers by their numbers in the two lists. */
xr_like xr_likeness_of(const xr_likeness *likeness, uint32_t edge, uint32_t reference);

#endif
