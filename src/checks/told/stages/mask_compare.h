/* Two maps of labels, pixel by pixel. */
#ifndef XR_MASK_COMPARE_H
#define XR_MASK_COMPARE_H

#include "checks/told/stages/stage_series.h"

/* How the reference's map is brought to the edge's. */
typedef struct xr_mask_rule {
    int turn;                 /* as of boxes (box_map.h) */
    long shift[2];            /* pixels of the edge's map, x and y */
    double scale[2], move[2]; /* shares: edge = scale * reference + move, after the turn; 1 and 0 */
    long lag;
    const float *label; /* [XR_MASK_LABELS] of each of the reference's; NULL: as they are */
    float background;   /* the label of most pixels: what differs is held against the others, too */
    bool ignore;        /* pixels of XR_MASK_IGNORED beside a border of the other side do not count */
    bool corner; /* maps of other sizes are sampled at the pixels' top left corners, not in their middles */
} xr_mask_rule;

enum { XR_MASK_LABELS = 256, XR_MASK_IGNORED = 255 };

extern const xr_mask_rule xr_mask_rule_same;

/* Sums over frames. */
typedef struct xr_mask_sums {
    double pixels, other; /* compared; with another label */
    double front;         /* not background on both sides */
    double off;           /* of those, beside no border: the label is not near in the other map */
} xr_mask_sums;

/* Adds the frame's pixels, every `step`-th of x and y.  False: with that lag there is no such frame, or the
 * maps are not of two dimensions. */
bool xr_mask_add(const xr_stage_series *series, size_t f, const xr_mask_rule *rule, size_t step,
                 xr_mask_sums *sums);

/* Whether no noise is between the two sides: equal outputs, and maps of one size. */
bool xr_is_exact_mask(const xr_stage_frame *frame);

/* Whether what differs is no more than borders that noise moves (exact: that rounding moves). */
bool xr_mask_fits(const xr_mask_sums *sums, bool exact);

/* Whether the values are maps of labels: whole numbers of two dimensions, the
 * reference's of eight or more. */
bool xr_is_mask(const xr_stage_series *series);

#endif
