/* Marks over a picture: an image, and a drawing of its size upon it. */
#ifndef XR_OVERLAY_H
#define XR_OVERLAY_H

#include "report/html/frames/html_pictures.h"

typedef struct xr_overlay_drawing {
    FILE *out;
    double width, height; /* of the drawing, in its own pixels: about those of the screen */
} xr_overlay_drawing;

/* Begins a figure; `id` is the page's own; title and description are read aloud.  ground: NULL is an empty
 * frame. */
xr_overlay_drawing xr_overlay_begin(xr_gallery *gallery, const exray_picture *ground, const char *id,
                                    const char *title, const char *description);
void xr_overlay_end(const xr_overlay_drawing *drawing, const char *caption);

/* A part of the picture, 0..1, as a place in the drawing; brought near its ends, so that no number of a log
 * makes the page's own impossible. */
double xr_overlay_x(const xr_overlay_drawing *drawing, double share);
double xr_overlay_y(const xr_overlay_drawing *drawing, double share);

/* Which mark is whose. */
void xr_put_overlay_key(FILE *out, bool truth);

#endif
