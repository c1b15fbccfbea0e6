/* Statistics of a pair of inputs, frame by frame: those that were recorded where a side has no data, else
 * computed from its data as the recorder does. */
#ifndef XR_MOMENT_READ_H
#define XR_MOMENT_READ_H

#include <exray/assertion.h>

/* Of one tensor.  Values are dequantized. */
typedef struct xr_input_moments {
    double mean, std, min, max;
    double low, high;  /* shares of the stored values at the ends of an integer type */
    const float *part; /* [2 * parts]: mean and deviation of each channel (of all, where there are none) */
    const float *bin;  /* [EXRAY_HISTOGRAM_BINS] shares between min and max; NULL: not recorded */
} xr_input_moments;

typedef struct xr_moment_frames {
    size_t count;            /* frames in which both sides have statistics, and one has no data */
    size_t *frame;           /* [count] matched frames */
    xr_input_moments *of[2]; /* [count] by exray_side */
    size_t parts;            /* channels with moments of their own; 1: none have, or there is one */
    bool channels;           /* the parts are channels on both sides */
    bool ordered;       /* they may be exchanged: not the columns of a picture whose layout is not recorded */
    bool picture;       /* rows, columns and at most four channels */
    bool floats;        /* both sides are floats */
    bool ids;           /* integers without a unit, and no picture */
    bool summarized[2]; /* by exray_side: of some frame there are no data */
    uint64_t elements;  /* of the first frame */
    uint64_t not_finite; /* values of the edge, in frames that are left out for them */
    const char *problem; /* why they do not compare; NULL: they do */
    exray_dtype type[2];
    double scale[2], zero_point[2]; /* of one quantization for all values; scale 0: none */
    float *room;
} xr_moment_frames;

/* Reads them.  EXRAY_OK also where there are none; EXRAY_E_MEMORY, and errors of reading. */
exray_status xr_moments_read(const exray_comparison *comparison, size_t pair, xr_moment_frames *out,
                             exray_error *error);
void xr_moments_free(xr_moment_frames *frames);

#endif
