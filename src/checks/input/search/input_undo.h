/* What was found to take the reference's model input to the edge's, kept so that a
 * report can show a frame with it undone. */
#ifndef XR_INPUT_UNDO_H
#define XR_INPUT_UNDO_H

#include "checks/input/search/input_search.h"

typedef struct xr_undo {
    size_t pair; /* among the comparison's inputs */
    xr_scene *scene;
    xr_chain chain;
    xr_input_fit fit; /* with the chain applied; the scene's, too */
    bool applied;     /* the chain has links that lose pixels (a crop, a kernel, a colour
                         conversion): those are applied to the reference, not undone on the edge */
    bool undone;      /* it has links that were undone on the edge: order, map, layout, sign, turn */
} xr_undo;

/* Keeps them with `findings`.  The scene and the chain are taken over (chain->frames 0: there is
 * none); without memory nothing is kept. */
void xr_undo_keep(exray_findings *findings, xr_scene *scene, xr_chain *chain, const xr_input_fit *fit,
                  bool recorded);

/* The recipe for an input, or NULL: nothing was found that explains its difference. */
xr_undo *xr_undo_of(const exray_findings *findings, size_t pair);

/* Both sides of a matched frame brought together, planar, upright, in the reference's unit and
 * order of channels: between the two is what the named causes do not explain.  False: this frame
 * cannot be read, or has no counterpart. */
typedef struct xr_undone {
    xr_raster side[2]; /* by exray_side; NAN where the edge's tensor could not hold a value */
    xr_raster shown;   /* the edge's with such values as they are */
    size_t shows; /* the frame of the reference that the edge's shows: another where frames are mixed up */
} xr_undone;
bool xr_undo_frame(xr_undo *undo, size_t frame, xr_undone *out);
void xr_undone_free(xr_undone *undone);

#endif
