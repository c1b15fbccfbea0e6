/* How the edge's boxes follow from the reference's: the simplest way that leaves nothing. */
#ifndef XR_BOX_SEARCH_H
#define XR_BOX_SEARCH_H

#include "checks/told/boxes/box_place.h"

typedef enum xr_box_way {
    XR_BOXES_SAME,
    XR_BOXES_MISSING, /* fewer than the reference's */
    XR_BOXES_EXTRA,   /* more */
    XR_BOXES_TURNED,  /* by rule.map.turn */
    XR_BOXES_LATE,    /* of another frame: rule.lag */
    XR_BOXES_HELD,    /* of some frame before: told again until there are new ones */
    XR_BOXES_CLASSES, /* at the same places, of other classes */
    XR_BOXES_SCORES,  /* with other scores */
    XR_BOXES_VALUES,  /* classes and scores are others */
    XR_BOXES_PLACED,  /* scaled, shifted: `model` */
    XR_BOXES_FORM,    /* by rule.map.form */
    XR_BOXES_GROWN,   /* of other sizes about their centers: rule.map.grow */
    XR_BOXES_SIZES,   /* of other sizes about their centers, by no one factor */
    XR_BOXES_ORDER,   /* the worst first */
    XR_BOXES_NAN,     /* values that are no number, on one side alone */
    XR_BOXES_UNKNOWN,
} xr_box_way;

typedef struct xr_box_story {
    xr_box_way way;
    xr_box_rule rule;
    xr_box_place_model model;
    xr_box_map *own;              /* [frames], for rule.own; or NULL */
    bool *differs;                /* [frames] where they are not the same */
    size_t frames;                /* that differ */
    size_t boxes;                 /* of the reference in these */
    size_t pairs, missing, extra; /* by the rule; of UNKNOWN: as they are */
    size_t furthest;              /* HELD: how many frames before, at most */
    size_t together;              /* turns that explain it, too: symmetric boxes */
    bool contradicted;            /* a frame that is the same cannot be so by the rule */
    bool shifted;                 /* SAME but for a constant shift below the tolerance: rule.map */
} xr_box_story;

/* Searches.  False: out of memory; free in any case. */
bool xr_box_search(const xr_box_frames *frames, xr_box_story *out);
void xr_box_story_free(xr_box_story *story);

#endif
