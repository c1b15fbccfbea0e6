/* Ways in which a box is told elsewhere: another form, turned or mirrored, scaled, shifted. */
#ifndef XR_BOX_MAP_H
#define XR_BOX_MAP_H

#include <stdbool.h>
#include <stddef.h>

/* X(NAME, words): the four numbers that are told for a box. */
#define XR_BOX_FORMS(X)                                                                                      \
    X(CORNERS, "corners")                                                                                    \
    X(CENTER_SIZE, "center and size for corners")                                                            \
    X(CORNER_SIZE, "corner and size for corners")                                                            \
    X(OF_CENTER_SIZE, "corners of what is corners already, taken as center and size")                        \
    X(OF_CORNER_SIZE, "corners of what is corners already, taken as corner and size")                        \
    X(SIDES, "width and height exchanged about the center")

typedef enum xr_box_form {
#define XR_BOX_FORM_ENUM(name, words) XR_FORM_##name,
    XR_BOX_FORMS(XR_BOX_FORM_ENUM)
#undef XR_BOX_FORM_ENUM
        XR_FORM_COUNT
} xr_box_form;

/* Turns of the picture, in this order of bits: x and y exchanged, then x mirrored, then y. */
enum { XR_TURN_EXCHANGED = 1, XR_TURN_X = 2, XR_TURN_Y = 4, XR_TURNS = 8 };

typedef struct xr_box_map {
    xr_box_form form;
    int turn;
    double scale[2], shift[2]; /* of x and y, afterwards */
    double grow[2]; /* by how much of their width and height boxes grow about their center, first */
} xr_box_map;

extern const xr_box_map xr_box_map_none;

/* The box (x_min, y_min, x_max, y_max) as it is told by that map. */
void xr_box_map_apply(const xr_box_map *map, const double box[4], double out[4]);

/* "mirrored left to right", "turned by 90 degrees clockwise", "with x and y exchanged", ... */
const char *xr_turn_words(int turn);

/* "mirrored", "turned", "exchanged": the kind of a finding. */
const char *xr_turn_kind(int turn);

/* How to undo it. */
const char *xr_turn_fix(int turn);

const char *xr_form_words(xr_box_form form);

/* Intersection over union; 0 for boxes without an area. */
double xr_box_overlap(const double a[4], const double b[4]);

/* The largest difference of two coordinates; what lies beyond the picture's border counts as at it. */
double xr_box_distance(const double a[4], const double b[4]);

#endif
