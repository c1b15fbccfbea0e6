/* Which part of the reference's text the edge's is, and where it begins: ids left out or added at the ends,
 * texts cut or turned round. */
#ifndef XR_TOKEN_PLACE_H
#define XR_TOKEN_PLACE_H

#include "checks/input/tokens/token_map.h"
#include "checks/input/tokens/token_texts.h"

typedef enum xr_token_place_kind {
    XR_TOKEN_PLACE_SAME, /* as many ids, in the same order */
    XR_TOKEN_PLACE_ENDS, /* the edge's lack ids at the ends, or have more there: the same number in all */
    XR_TOKEN_PLACE_CUT,  /* one side's long texts keep `head` first and `tail` last ids */
    XR_TOKEN_PLACE_OTHER_END, /* both sides' long texts fill the row, with different parts of them */
    XR_TOKEN_PLACE_REVERSED,
} xr_token_place_kind;

typedef struct xr_token_place {
    xr_token_place_kind kind;
    int front, back;    /* ENDS: ids that the edge lacks there; negative: that it has more */
    exray_side shorter; /* CUT: whose texts lack something; OTHER_END: whose keep the beginning */
    size_t length;      /* CUT: ids that remain */
    bool by_head;       /* CUT: `head` ids are kept in front and the rest behind; else `tail` behind */
    size_t head, tail;  /* CUT: the one that is fixed */
    size_t moved;       /* OTHER_END: of the first such text, by how many places */
    size_t texts;       /* that are cut or moved */
} xr_token_place;

/* A run of ids that belong together: edge + i and reference + i, counted from the texts' begins. */
typedef struct xr_token_run {
    size_t edge, reference, length;
} xr_token_run;

enum { XR_TOKEN_RUNS = 3 };

/* The runs of a text under a place, and their number; SIZE_MAX: it does not fit.  (REVERSED has none.) */
size_t xr_token_place_runs(const xr_token_text *text, const xr_token_place *place,
                           xr_token_run run[XR_TOKEN_RUNS]);

/* The simplest place under which all texts have equal ids; false: there is none. */
bool xr_token_place_find(const xr_token_texts *texts, xr_token_place *out);

/* The simplest one under which ids follow by a map that is more than chance; false: none, or out of memory.
 * `pair` has room for all ids of a side. */
bool xr_token_place_find_mapped(const xr_token_texts *texts, xr_token_pair *pair, xr_token_place *out,
                                xr_token_map *map);

/* All pairs of ids under a place, and their number; SIZE_MAX: it does not fit some text. */
size_t xr_token_place_pairs(const xr_token_texts *texts, const xr_token_place *place, xr_token_pair *pair);

#endif
