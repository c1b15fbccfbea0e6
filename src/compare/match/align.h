/* Which layer of one model corresponds to which of the other.  The only entry point:
 * another way to align replaces xr_align and nothing else. */
#ifndef XR_ALIGN_H
#define XR_ALIGN_H

#include <exray/assertion.h>

/* Why two layers are matched. */
typedef enum xr_match {
    XR_MATCH_NAME,      /* kind, size and name of the tensor or the node are the same */
    XR_MATCH_VALUES,    /* by their values, without a common name */
    XR_MATCH_POSITION,  /* the same kind and size, at the same place between matched neighbors */
    XR_MATCH_PRODUCERS, /* at another place, fed by the same layers */
    XR_MATCH_INSIDE,    /* the reference computes it within node[1] (a partition, a fused node): no values */
} xr_match;

typedef struct xr_layer_match {
    uint32_t node[2];   /* edge, reference */
    uint32_t output[2]; /* which output of the nodes; of INSIDE, the reference's is 0 */
    xr_match how;
    bool proven; /* the names come from one graph: they are the same tensor, whatever the values are */
} xr_layer_match;

typedef struct xr_alignment {
    xr_layer_match *match; /* in execution order of the edge; at most one for an edge layer */
    size_t count;
    size_t free[2]; /* edge, reference: layers without a counterpart that need none: they change type or shape
                       (QUANTIZE, CAST, Transpose, ...), or are computed from constants */
} xr_alignment;

/* Aligns two models.  `comparison` has the logs and matched frames whose values decide where graphs and
 * names do not; NULL: graphs and names alone.  Nodes without a counterpart are left out.  False: out of
 * memory. */
bool xr_align(const exray_model *edge, const exray_model *reference, const exray_comparison *comparison,
              xr_alignment *out);

void xr_alignment_free(xr_alignment *alignment);

/* "name", "values", "position", "producers", "inside". */
const char *xr_match_name(xr_match how);

#endif
