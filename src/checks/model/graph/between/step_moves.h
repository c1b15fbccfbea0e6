/* Steps that move values and compute nothing (Reshape, Transpose), between two places of both models: which
 * value ends up where. */
#ifndef XR_STEP_MOVES_H
#define XR_STEP_MOVES_H

#include "checks/model/graph/step_match.h"

enum { XR_MOVES = 8 };
typedef struct xr_moves {
    uint32_t step[XR_MOVES]; /* the last one first */
    /* Of a Transpose: the order of dimensions that it makes, where that is known. */
    uint32_t order[XR_MOVES][EXRAY_MAX_RANK];
    bool known[XR_MOVES];
    uint32_t count;
    uint32_t entry;       /* the tensor that they begin at */
    const char *channels; /* their order in it, "first" or "last", where the two sides' differ; else NULL */
} xr_moves;

/* `edge` and `reference` are read at the same place.  Whether both begin at one and the same tensor, and take
 * its values in two orders.  False also where that is not known. */
bool xr_moves_differ(xr_step_match *match, uint32_t edge, uint32_t reference, xr_moves out[2]);

/* "Transpose 0,2,1,3,4 of 1x4x3x24x24", "no Transpose", or "channels last, no Transpose". */
void xr_moves_words(const xr_step_graph *graph, const xr_moves *moves, char *text, size_t size);

/* Whether two Transposes are of tensors that are arranged otherwise: then they have other orders, and
 * rightly; where their values end up is compared by what reads them. */
bool xr_transposes_others(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b);

/* Whether one of two Transposes is one of several in a row, which an optimizer joins to one, and the other
 * stands alone: each of several has another order than all of them together. */
bool xr_transposes_in_a_row(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b);

/* Whether the weights that two steps read are the same as they are, or transposed: then they do not follow
 * another order of what they are multiplied with. */
bool xr_have_equal_weights(xr_step_match *match, uint32_t edge, uint32_t reference);

enum { XR_REPEATED_WORDS = 200 };

/* Whether two steps repeat the same numbers along other dimensions, to one shape: heads side by side, or one
 * after another.  `text`: the shapes that they are given. */
bool xr_repeats_otherwise(const xr_step_graph side[2], const xr_op_step *edge, const xr_op_step *reference,
                          char text[2][XR_REPEATED_WORDS]);

#endif
