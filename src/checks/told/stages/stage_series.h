/* What both sides recorded under one name behind the model (/stage/NAME): results of a kind of their own. */
#ifndef XR_STAGE_SERIES_H
#define XR_STAGE_SERIES_H

#include "checks/told/comparable_frames.h"

/* One side's values in one frame; dimensions of 1 are left out of the shape. */
typedef struct xr_stage_values {
    float *value; /* [count] */
    size_t count;
    uint32_t rank;
    size_t shape[4]; /* of rank at most 4; else rank is 1 */
} xr_stage_values;

typedef struct xr_stage_frame {
    size_t frame; /* of the comparison */
    bool exact;
    xr_stage_values side[2];
} xr_stage_frame;

enum { XR_TOLD_NAME = 96 };

typedef struct xr_stage_series {
    const char *name;             /* the log's */
    bool whole;                   /* integers on both sides */
    char place[96];               /* its topic: "/stage/NAME", "/result" (told_series.h) */
    char told_name[XR_TOLD_NAME]; /* of a vector of /result, as far as it fits: `name` is this then */
    xr_stage_frame *frame;
    size_t count;
    unsigned char *lacks; /* or NULL: [frames of the comparison] 1 + the exray_side that alone lacks it */
} xr_stage_series;

/* Reads the stage of that position among the names that both sides have.  *found is false beyond the last.
 * Anything but EXRAY_OK is an error; free in any case. */
exray_status xr_stage_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  size_t position, xr_stage_series *out, bool *found, exray_error *error);
void xr_stage_series_free(xr_stage_series *series);

#endif
