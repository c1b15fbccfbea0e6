/* How the edge's texts follow from the reference's: the simplest explanation, in steps of which each may be
 * none: which ids stand in whose place, which part of the text is there, how rows are padded. */
#ifndef XR_TOKEN_STORY_H
#define XR_TOKEN_STORY_H

#include "checks/input/tokens/token_edits.h"
#include "checks/input/tokens/token_map.h"
#include "checks/input/tokens/token_place.h"

typedef struct xr_token_story {
    bool explained;       /* place and map (or edits of one kind) account for every id */
    bool frame_order;     /* each row is that of the frame `frames_late` before */
    int frames_late;      /* negative: of a later frame */
    bool stale;           /* behind the text, rows keep what was there in the frame before */
    bool whole_rows;      /* the map is of whole rows, padding included */
    xr_token_place place; /* of the texts, without padding */
    xr_token_map map;
    bool has_edits; /* no place explains the texts; `edits` do as far as they can */
    xr_token_edits edits;
    bool padding_id;   /* the edge pads with another id */
    bool padding_side; /* at the other end */
    int64_t moved;     /* texts begin this many places later than the reference's, otherwise padded alike */
    size_t texts, affected;         /* rows; of those, that differ */
    uint64_t ids, differing;        /* of the reference's texts; places that differ */
    size_t first_text, first_place; /* the first place that differs */
} xr_token_story;

/* false: out of memory.  Free in any case. */
bool xr_token_story_make(const xr_token_texts *texts, xr_token_story *out);
void xr_token_story_free(xr_token_story *story);

/* Which place of the reference's row each place of the edge's belongs to: from[places], SIZE_MAX: none, or
 * padding. */
void xr_token_story_align(const xr_token_texts *texts, const xr_token_story *story, size_t text,
                          size_t *from);

#endif
