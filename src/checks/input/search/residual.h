/* What kind of difference a transform leaves, on the frames that are searched: a kernel's, one of
 * chroma, one of shifted rows. */
#ifndef XR_RESIDUAL_H
#define XR_RESIDUAL_H

#include "checks/input/search/input_pair.h"

/* Weights of luma by BT.601 and BT.709, of RGB and of BGR.  Healthy decoders differ in how they enlarge
 * the chroma, but not in the luma. */
enum { XR_LUMAS = 4 };
extern const double xr_luma_weights[XR_LUMAS][3];

typedef struct xr_residual_detail {
    double separable; /* share of its energy that a change along columns and rows explains, as another
                         kernel makes it, beyond chance: 0 noise, 1 a kernel alone */
    double by_motion; /* share that a small shift and enlargement of the whole picture explains */
    double shift;     /* of that, pixels at a border, in the frame where it is largest */
    double at_edges;  /* its energy where the picture is steep over that where it is flat; noise: 1 */
    bool everywhere;  /* it is in all rows and columns where the picture is steep; else in a few */
    double levels;    /* the difference itself, mean of the channels, rms */
    double sharpness; /* the edge's slopes over the reference's, rms; above 1: sharper */
} xr_residual_detail;
bool xr_measure_detail(xr_input_pair *pair, const xr_transform *transform, xr_residual_detail *out);

/* Differences in levels: of the luma (by the best of the usual matrices), the median in the frame where
 * it is largest; and of all channels, rms, the mean of the frames' medians.  False: not a color
 * picture. */
bool xr_measure_luma(xr_input_pair *pair, const xr_transform *transform, double *luma_median,
                     double *all_median);

/* Whether the edge's rows are the reference's, each shifted sideways by another amount: in *frames of
 * the *usable frames. */
bool xr_rows_are_shifted(xr_input_pair *pair, size_t *frames, size_t *usable);

#endif
