/* What an application makes of the boxes that its own model returned (outputs of boxes, classes and scores),
 * learned from what it told. */
#ifndef XR_BOX_ROWS_H
#define XR_BOX_ROWS_H

#include "checks/told/boxes/box_search.h"

/* How one side tells its rows. */
typedef struct xr_box_habit {
    bool known;          /* each told box is one of its rows, in their order, by `story` */
    bool plain;          /* as the model gives them, or with y and x put in order */
    xr_box_story story;  /* from rows (reference) to boxes told (edge) */
    int64_t offset;      /* class told - class of the row */
    double told, untold; /* the lowest score of a row that was told; the highest of one that was not */
    size_t frames;       /* of the story */
    size_t *place;       /* [frames of the told boxes] in the story, or SIZE_MAX */
} xr_box_habit;

/* Finds one side's habit in the frames that both sides are compared in. */
exray_status xr_box_habit_make(const exray_comparison *comparison, const xr_box_frames *told, exray_side side,
                               xr_box_habit *out, exray_error *error);
void xr_box_habit_free(xr_box_habit *habit);

/* In frames whose outputs differ by noise, what the reference's application would have made of the edge's
 * rows takes the place of what it told: then no noise is left. */
exray_status xr_box_expect(const exray_comparison *comparison, const xr_box_habit *reference,
                           xr_box_frames *told, exray_error *error);

#endif
