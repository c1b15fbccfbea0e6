/* How the edge's values of a stage (an embedding, key points, a regression) follow from the reference's. */
#ifndef XR_VECTOR_SEARCH_H
#define XR_VECTOR_SEARCH_H

#include "checks/told/stages/stage_series.h"

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
    XR_VECTORS_CUT,   /* the reference's first values */
    XR_VECTORS_SHAPE, /* another number of values */
    XR_VECTORS_UNKNOWN,
} xr_vector_way;

enum { XR_MOST_COLUMNS = 8 };

typedef struct xr_vector_story {
    xr_vector_way way;
    long lag;
    double gain, offset;
    size_t columns, from[XR_MOST_COLUMNS]; /* the reference's column that the edge's is of */
    double column_gain[XR_MOST_COLUMNS], column_offset[XR_MOST_COLUMNS];
    bool *differs; /* [frames of the series] */
    size_t frames; /* that differ */
    double cosine,
        error; /* of those: mean cosine; root of the squared error by that of the reference's values */
} xr_vector_story;

/* noise: how large such an error is where kernels are others.  False: out of memory; free in any case. */
bool xr_vector_search(const xr_stage_series *series, double noise, xr_vector_story *out);
void xr_vector_story_free(xr_vector_story *story);

/* The error of a against b, as above; INFINITY where they are not as many. */
double xr_vector_error(const xr_stage_values *a, const xr_stage_values *b);

/* What of it is noise in that frame. */
double xr_vector_noise(const xr_stage_frame *frame, double noise);

#endif
