/* The fewest ids of the reference's text to leave out, and of the edge's to add, that make one of the other.
 */
#ifndef XR_TOKEN_EDITS_H
#define XR_TOKEN_EDITS_H

#include "checks/input/tokens/token_map.h"
#include "checks/input/tokens/token_texts.h"

/* What the edits of all texts have in common. */
typedef enum xr_token_edits_kind {
    XR_TOKEN_EDITS_OTHER,
    XR_TOKEN_EDITS_ONE_EDGE,      /* all that the edge has otherwise is one id */
    XR_TOKEN_EDITS_ONE_REFERENCE, /* all that the reference has otherwise is one id */
    XR_TOKEN_EDITS_LEFT_OUT,      /* the edge lacks ids, and has no others */
    XR_TOKEN_EDITS_ADDED,         /* the edge has more, and lacks none */
} xr_token_edits_kind;

typedef struct xr_token_edits {
    xr_token_edits_kind kind;
    size_t *match;     /* the reference's id, counted in the text, that the edge's belongs to; SIZE_MAX:
                          none.  One array of all texts, each of `places` at start[text] */
    size_t *start;     /* [texts] */
    size_t equal;      /* ids that are the same */
    size_t changed[2]; /* by exray_side: ids that are only there */
    size_t ids[2];     /* different ones of these, up to a few */
    int64_t id[2];     /* one of these */
} xr_token_edits;

/* false: texts too long, or out of memory.  Free in any case. */
bool xr_token_edits_find(const xr_token_texts *texts, xr_token_edits *out);
void xr_token_edits_free(xr_token_edits *edits);

#endif
