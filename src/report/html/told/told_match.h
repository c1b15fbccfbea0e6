/* How what both sides told relates: which boxes are of one object, and whether anything is told otherwise. */
#ifndef XR_TOLD_MATCH_H
#define XR_TOLD_MATCH_H

#include <exray/types.h>

enum { XR_BOXES_MOST = 200 /* of a side that are looked at */, XR_NO_BOX = -1 };

/* Boxes of one object, or a box that the other side does not have. */
typedef struct xr_box_pair {
    int edge, reference; /* positions in the results; XR_NO_BOX: none */
    double overlap;      /* what they share by what they cover together, 0..1 */
    bool same;           /* of one class and name, and at one place: an overlap of 0.8 or more */
} xr_box_pair;

/* Pairs each of the edge's boxes with the reference's that overlaps it most, the same class first; then those
 * of the reference that are left.  Returns their number, at most 2 * XR_BOXES_MOST. */
size_t xr_pair_boxes(const exray_result *edge, const exray_result *reference,
                     xr_box_pair out[2 * XR_BOXES_MOST]);

/* Whether a person would say that the two tell different things: another first class, name, text, or object;
 * a hundredth of a mask's pixels; a point that is moved by 2 % of the picture; a vector of another direction.
 */
bool xr_told_differs(const exray_result *edge, const exray_result *reference);

/* Whether two names of one class are others, not only another spelling of one, or a part of it; NULL or "" is
 * no name. */
bool xr_names_differ(const char *a, const char *b);

/* The share of a mask's pixels that differ; NAN: they are not of one size. */
double xr_masks_apart(const exray_mask *a, const exray_mask *b);

/* A pixel's class. */
unsigned xr_mask_at(const exray_mask *mask, size_t pixel);

/* The cosine of two vectors; NAN: they are not of one length, or zero. */
double xr_vectors_cosine(const exray_vector *a, const exray_vector *b);

#endif
