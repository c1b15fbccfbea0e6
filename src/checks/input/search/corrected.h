/* The transform and the colors that explain an input's difference, kept with the findings so that a
 * report can show frames of the edge with the fault corrected. */
#ifndef XR_CORRECTED_H
#define XR_CORRECTED_H

#include "checks/findings.h"
#include "checks/input/search/input_pair.h"

typedef struct xr_corrected_input {
    xr_input_pair *pair;
    xr_transform transform;
    xr_input_fit fit; /* with the transform applied; the pair's, too */
    bool applied;     /* some steps lose pixels (a crop, a kernel, a color conversion): those are applied
                         to the reference instead of corrected on the edge */
    bool corrected;   /* some steps are corrected on the edge: order, map, layout, sign, turn */
} xr_corrected_input;

/* Attaches them to `findings`.  The pair and the transform are taken over (transform->frames is 0
 * afterwards); without memory nothing is kept. */
void xr_corrected_keep(exray_findings *findings, xr_input_pair *pair, xr_transform *transform,
                       const xr_input_fit *fit, bool recorded);

/* What was kept for an input, or NULL: nothing explains its difference. */
xr_corrected_input *xr_corrected_of(const exray_findings *findings, size_t index);

/* Both sides of a matched frame brought together: planar, upright, in the reference's unit and order
 * of channels.  What the named causes do not explain is the difference between the two.  False: this
 * frame cannot be read, or has no counterpart. */
typedef struct xr_corrected_frame {
    xr_raster side[2];   /* by exray_side; NAN where the edge's tensor could not hold a value */
    xr_raster edge;      /* the edge's, with such values as they are */
    size_t source_frame; /* the frame of the reference that the edge's shows */
} xr_corrected_frame;
bool xr_correct_frame(xr_corrected_input *input, size_t frame, xr_corrected_frame *out);
void xr_corrected_frame_free(xr_corrected_frame *frame);

#endif
