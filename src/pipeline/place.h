/* Where in the picture a point of the model's input lies: what the steps of a pipeline did to it.  Points are
 * in shares (0..1) of the width and height of either. */
#ifndef XR_PLACE_H
#define XR_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* x = x0 + xu * u + xv * v, y = y0 + yu * u + yv * v for a point (u, v) of the input. */
typedef struct xr_seen_part {
    bool known;
    double x0, xu, xv, y0, yu, yv;
} xr_seen_part;

xr_seen_part xr_place_whole(void);
/* Whether points lie where they lie in the input; also where the place is not known. */
bool xr_place_is_whole(const xr_seen_part *place);
void xr_place_point(const xr_seen_part *place, double u, double v, double *x, double *y);
/* The way back; false: there is none. */
bool xr_place_inverse(const xr_seen_part *place, xr_seen_part *out);

/* What a step makes of a place: the part at (left, top) of width x height pixels, of a picture that has
 * `of_width` x `of_height` (beyond it where the picture is padded). */
void xr_place_cut(xr_seen_part *place, double left, double top, double width, double height, double of_width,
                  double of_height);
/* Turned by quarters, counterclockwise. */
void xr_place_turn(xr_seen_part *place, unsigned quarters);
void xr_place_flip(xr_seen_part *place, bool horizontal);
/* A rectangle of `of_width` x `of_height` pixels: its middle, size, and angle (clockwise, radians). */
void xr_place_region(xr_seen_part *place, const double region[5], double of_width, double of_height);

#endif
