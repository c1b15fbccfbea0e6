/* How similar the recorded values of two layers are, whatever their names: by a few hundred
 * elements of the first frames, or by statistics. */
#ifndef XR_SIMILARITY_H
#define XR_SIMILARITY_H

#include "compare/match/layers.h"

#include <exray/assertion.h>

typedef struct xr_similarities xr_similarities;

/* Reads a few matched frames of both logs.  NULL: out of memory. */
xr_similarities *xr_similarities_new(const exray_comparison *comparison, const xr_layers layers[2]);
void xr_similarities_free(xr_similarities *similarities);

typedef struct xr_similarity {
    bool known;
    bool from_stats;
    double correlation;   /* -1 to 1; of statistics: 1 equal, 0 another layer */
    double determination; /* 1 - mean((a-b)^2) / var(b), not below 0 */
} xr_similarity;

/* Layers by their numbers in the two lists. */
xr_similarity xr_similarity_of(const xr_similarities *similarities, uint32_t edge, uint32_t reference);

/* Whether they are the same numbers but for the rounding of float arithmetic, and not constant. */
bool xr_values_equal(const xr_similarities *similarities, uint32_t edge, uint32_t reference);

#endif
