/* Which of the edge's boxes is which of the reference's, in one frame, by a rule. */
#ifndef XR_BOX_MATCH_H
#define XR_BOX_MATCH_H

#include "checks/told/boxes/box_frames.h"
#include "checks/told/boxes/box_map.h"

typedef struct xr_box_rule {
    xr_box_map map;        /* of the reference's boxes */
    const xr_box_map *own; /* [frames] instead, one for each; or NULL */
    bool any_class, any_score;
    bool any_size;   /* centers alone */
    bool any_second; /* the first two numbers alone */
    long lag;        /* the edge's frame k has what the reference's frame k - lag has */
} xr_box_rule;

extern const xr_box_rule xr_box_rule_same;

/* Of one frame.  Arrays of indexes and flags belong to the match and live until the next one. */
typedef struct xr_box_match {
    size_t *partner;              /* [reference's count] of the edge's boxes, or SIZE_MAX */
    bool *taken;                  /* [edge's count] */
    size_t pairs, missing, extra; /* without those excused */
    size_t excused;               /* boxes that may come and go: their score is near the lowest told */
    const xr_told_box *box[2];
    size_t count[2];
} xr_box_match;

/* Room for any frame; false: out of memory. */
bool xr_box_match_begin(xr_box_match *match, const xr_box_frames *frames);
void xr_box_match_end(xr_box_match *match);

/* Matches frame f.  False: with that lag there is no such frame. */
bool xr_box_match_make(const xr_box_frames *frames, size_t f, const xr_box_rule *rule, xr_box_match *match);

/* How far scores may differ in a frame of that kind. */
double xr_score_noise(const xr_box_frame *frame);

#endif
