/* How the edge's maps of labels follow from the reference's: the simplest way that leaves nothing but
 * borders. */
#ifndef XR_MASK_SEARCH_H
#define XR_MASK_SEARCH_H

#include "checks/told/stages/mask_compare.h"

typedef enum xr_mask_way {
    XR_MASKS_SAME,
    XR_MASKS_TURNED,   /* by rule.turn */
    XR_MASKS_LATE,     /* rule.lag */
    XR_MASKS_CONSTANT, /* one label all over */
    XR_MASKS_INVERSE,  /* 0 for 1 and the reverse */
    XR_MASKS_CLASS,    /* 1 where the reference has the label `class`, else 0 */
    XR_MASKS_OFFSET,   /* each label is `class` more */
    XR_MASKS_LABELS,   /* another label for each */
    XR_MASKS_MISSING,  /* the label `class` is not told */
    XR_MASKS_SHIFTED,  /* rule.shift */
    XR_MASKS_SCALED,   /* rule.scale and rule.move */
    XR_MASKS_UNKNOWN,
} xr_mask_way;

typedef struct xr_mask_story {
    xr_mask_way way;
    xr_mask_rule rule;
    float label[XR_MASK_LABELS]; /* for rule.label */
    long class;
    bool *differs; /* [frames of the series] */
    size_t frames; /* that differ */
    xr_mask_sums before, after;
} xr_mask_story;

/* Searches.  False: out of memory; free in any case. */
bool xr_mask_search(const xr_stage_series *series, xr_mask_story *out);
void xr_mask_story_free(xr_mask_story *story);

#endif
