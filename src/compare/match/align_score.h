/* The evidence that a layer of one model and a layer of the other are the same. */
#ifndef XR_ALIGN_SCORE_H
#define XR_ALIGN_SCORE_H

#include "compare/match/layers.h"

#include <exray/assertion.h>

typedef struct xr_scorer {
    const xr_layers *side; /* [2] edge, reference; borrowed */
    uint32_t *namesake; /* [edge layers]: the reference's layer of the same unique name, or EXRAY_NO_INDEX */
    struct xr_similarities *similarities; /* NULL: graphs and names alone */
} xr_scorer;

/* False: out of memory. */
bool xr_scorer_init(xr_scorer *scorer, const xr_layers side[2]);
/* From now on, values are evidence, too.  False: out of memory. */
bool xr_scorer_read_values(xr_scorer *scorer, const exray_comparison *comparison);
void xr_scorer_free(xr_scorer *scorer);

/* Larger means more evidence for the pair; 0: they cannot be the same layer. */
double xr_score(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

/* Whether their values are nearly the same. */
bool xr_values_agree(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

#endif
