/* The evidence that a layer of one model and a layer of the other are the same. */
#ifndef XR_ALIGN_SCORE_H
#define XR_ALIGN_SCORE_H

#include "compare/match/naming.h"

#include <exray/assertion.h>

typedef struct xr_scorer {
    const xr_layers *side; /* [2] edge, reference; borrowed */
    xr_naming naming;
    struct xr_similarities *similarities; /* NULL: graphs and names alone */
    /* [layers of that side], with similarities: whether a layer of the other side has exactly its values */
    bool *twin[2];
} xr_scorer;

/* False: out of memory. */
bool xr_scorer_init(xr_scorer *scorer, const xr_layers side[2]);
/* From now on, values are evidence, too.  False: out of memory. */
bool xr_scorer_read_values(xr_scorer *scorer, const exray_comparison *comparison);
void xr_scorer_free(xr_scorer *scorer);

/* Larger means more evidence for the pair; 0: they cannot be the same layer. */
double xr_score(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

/* Whether their values resemble each other. */
bool xr_values_agree(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

/* The share of the reference's variance that the edge's values explain, 0..1; -1: unknown. */
double xr_values_determination(const xr_scorer *scorer, uint32_t edge, uint32_t reference);
/* Whether their values are the same but for rounding. */
bool xr_values_twins(const xr_scorer *scorer, uint32_t edge, uint32_t reference);

#endif
