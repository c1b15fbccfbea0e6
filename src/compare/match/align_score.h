/* What speaks for a pair of layers of two models being the same. */
#ifndef XR_ALIGN_SCORE_H
#define XR_ALIGN_SCORE_H

#include "compare/match/layers.h"

#include <exray/assertion.h>

typedef struct xr_scorer {
    const xr_layers *side; /* [2] edge, reference; borrowed */
    uint32_t *namesake; /* [edge layers]: the reference's layer of the same unique name, or EXRAY_NO_INDEX */
    struct xr_similarities *similarities; /* NULL: the graphs alone */
} xr_scorer;

/* False: out of memory. */
bool xr_scorer_init(xr_scorer *scorer, const xr_layers side[2]);
/* From now on, values count too.  False: out of memory. */
bool xr_scorer_read_values(xr_scorer *scorer, const exray_comparison *comparison);
void xr_scorer_free(xr_scorer *scorer);

/* Above 0, the larger the more speaks for the pair; 0: they cannot be the same layer. */
double xr_score(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

/* Whether their values are nearly the same. */
bool xr_values_agree(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

#endif
