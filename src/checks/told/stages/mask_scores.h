/* What a side's maps of labels are of its own outputs: the best class along an axis, a threshold. */
#ifndef XR_MASK_SCORES_H
#define XR_MASK_SCORES_H

#include "checks/told/stages/stage_series.h"

typedef enum xr_mask_habit_kind {
    XR_MASK_HABIT_UNKNOWN,
    XR_MASK_HABIT_BEST,      /* the best along `axis` of the output */
    XR_MASK_HABIT_THRESHOLD, /* of the score of one class: above `low`, from `high` on */
} xr_mask_habit_kind;

typedef struct xr_mask_habit {
    xr_mask_habit_kind kind;
    const char *output;
    size_t axis, classes; /* along it */
    long class;
    double low, high;
} xr_mask_habit;

/* Finds it in the first frames.  Anything but EXRAY_OK is an error. */
exray_status xr_mask_habit_find(const exray_comparison *comparison, const xr_stage_series *series,
                                exray_side side, xr_mask_habit *out, exray_error *error);

#endif
