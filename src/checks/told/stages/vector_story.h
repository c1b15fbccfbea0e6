/* What is found of the edge's values of a stage: how they follow from the reference's. */
#ifndef XR_VECTOR_STORY_H
#define XR_VECTOR_STORY_H

#include "checks/told/stages/vector_steps.h"

typedef enum xr_vector_way {
    XR_VECTORS_SAME,
    XR_VECTORS_LATE,       /* of the frame `lag` before */
    XR_VECTORS_GAIN,       /* times `gain` plus `offset` */
    XR_VECTORS_NORMALIZED, /* the edge's have length 1 */
    XR_VECTORS_RAW,        /* the reference's have length 1, the edge's not */
    XR_VECTORS_LENGTH,     /* the same direction, another length in each frame */
    XR_VECTORS_COLUMNS,    /* columns exchanged, or each with its gain and offset */
    XR_VECTORS_ORDER,      /* the same values in another order */
    XR_VECTORS_SOFTMAX,    /* a softmax of the reference's */
    XR_VECTORS_SIGMOID,
    XR_VECTORS_CUT,      /* the reference's first values */
    XR_VECTORS_NAN,      /* one side's values that are no number where the other's are */
    XR_VECTORS_ROWS,     /* its rows in another order, and turned by `turn` */
    XR_VECTORS_FUNCTION, /* `gain` times `function` of the reference's plus `offset` */
    XR_VECTORS_FRAMES,   /* another gain and offset in each frame */
    XR_VECTORS_SMOOTHED, /* `gain` of this frame's and the rest of what the edge told in the frame before */
    XR_VECTORS_AVERAGED, /* ... of what the reference tells in the frame before */
    XR_VECTORS_WINDOW,   /* the mean or the median (`function`) of the reference's last `lag` frames */
    XR_VECTORS_MOVED,    /* each value has the place of another one, the same in all frames: `moved` */
    XR_VECTORS_WRAPPED,  /* whole numbers of `gain` apart: a period */
    XR_VECTORS_STEPS,    /* one side tells whole numbers of a step */
    XR_VECTORS_CLIPPED,  /* one side's values are limited to low .. high */
    XR_VECTORS_PLACES,   /* a few values differ, at the same places in all frames */
    XR_VECTORS_SHAPE,    /* another number of values */
    XR_VECTORS_UNKNOWN,
} xr_vector_way;

enum { XR_MOST_COLUMNS = 8, XR_MOST_MOVED = 64 };

typedef struct xr_vector_story {
    xr_vector_way way;
    long lag;
    double gain, offset;
    const char *function;                  /* words of it: "1 / x" */
    size_t not_numbers;                    /* such values, */
    exray_side not_number_side;            /* whose */
    const char *turn;                      /* of ROWS: "" or "mirrored left to right, and " */
    size_t columns, from[XR_MOST_COLUMNS]; /* the reference's column that the edge's is of */
    double column_gain[XR_MOST_COLUMNS], column_offset[XR_MOST_COLUMNS];
    size_t moved[XR_MOST_MOVED]; /* [places] the reference's place whose value the edge tells there */
    xr_vector_steps steps;
    exray_side clipped_side;
    double low, high;           /* infinite: not limited there */
    size_t places, first_place; /* how many values, the first of them */
    double place_value;         /* what the edge tells there, always; NaN: not one value */
    bool some;                  /* it holds in the frames that differ, not in the others */
    bool *differs;              /* [frames of the series] */
    size_t frames;              /* that differ */
    double cosine,
        error; /* of those: mean cosine; root of the squared error by that of the reference's values */
} xr_vector_story;

#endif
