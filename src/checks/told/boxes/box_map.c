#include "checks/told/boxes/box_map.h"

#include <math.h>

const xr_box_map xr_box_map_none = {XR_FORM_CORNERS, 0, {1, 1}, {0, 0}, {0, 0}};

static void reform(xr_box_form form, const double b[4], double out[4])
{
    double x = b[0], y = b[1], u = b[2], v = b[3];
    double of[XR_FORM_COUNT][4] = {[XR_FORM_CORNERS] = {x, y, u, v},
                                   [XR_FORM_CENTER_SIZE] = {(x + u) / 2, (y + v) / 2, u - x, v - y},
                                   [XR_FORM_CORNER_SIZE] = {x, y, u - x, v - y},
                                   [XR_FORM_OF_CENTER_SIZE] = {x - u / 2, y - v / 2, x + u / 2, y + v / 2},
                                   [XR_FORM_OF_CORNER_SIZE] = {x, y, x + u, y + v},
                                   [XR_FORM_SIDES] = {(x + u - v + y) / 2, (y + v - u + x) / 2,
                                                      (x + u + v - y) / 2, (y + v + u - x) / 2}};
    for (int i = 0; i < 4; i++)
        out[i] = of[form][i];
}

static void exchange(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

void xr_box_map_apply(const xr_box_map *map, const double box[4], double out[4])
{
    reform(map->form, box, out);
    for (int axis = 0; axis < 2; axis++) {
        const double more = map->grow[axis] * (out[axis + 2] - out[axis]) / 2;
        out[axis] -= more;
        out[axis + 2] += more;
    }
    if (map->turn & XR_TURN_EXCHANGED) {
        exchange(&out[0], &out[1]);
        exchange(&out[2], &out[3]);
    }
    for (int axis = 0; axis < 2; axis++) {
        if (map->turn & (axis ? XR_TURN_Y : XR_TURN_X)) {
            double low = 1 - out[axis + 2];
            out[axis + 2] = 1 - out[axis];
            out[axis] = low;
        }
        out[axis] = out[axis] * map->scale[axis] + map->shift[axis];
        out[axis + 2] = out[axis + 2] * map->scale[axis] + map->shift[axis];
        if (map->scale[axis] < 0)
            exchange(&out[axis], &out[axis + 2]);
    }
}

const char *xr_turn_words(int turn)
{
    static const char *const words[XR_TURNS] = {
        "as they are",
        "with x and y exchanged",
        "mirrored left to right",
        "turned by 90 degrees clockwise",
        "flipped upside down",
        "turned by 90 degrees counter-clockwise",
        "turned by 180 degrees",
        "with x and y exchanged and turned by 180 degrees",
    };
    return words[turn & (XR_TURNS - 1)];
}

const char *xr_turn_kind(int turn)
{
    static const char *const kinds[XR_TURNS] = {"unknown",  "exchanged", "mirrored", "turned",
                                                "mirrored", "turned",    "turned",   "exchanged"};
    return kinds[turn & (XR_TURNS - 1)];
}

const char *xr_turn_fix(int turn)
{
    static const char *const fixes[XR_TURNS] = {
        "Compare what is done behind the model on the two sides.",
        "Read x and y in the order in which the model gives them.",
        "Mirror the picture and what is drawn on it, or neither: a camera's preview may be mirrored.",
        "Turn what the model found by the angle by which the picture was turned before it.",
        "Count rows from the top on both sides, or flip back what the model found.",
        "Turn what the model found by the angle by which the picture was turned before it.",
        "Turn what the model found by the angle by which the picture was turned before it.",
        "Read x and y in the model's order, and turn what it found as the picture was.",
    };
    return fixes[turn & (XR_TURNS - 1)];
}

const char *xr_form_words(xr_box_form form)
{
    static const char *const words[XR_FORM_COUNT] = {
#define XR_BOX_FORM_WORDS(name, text) text,
        XR_BOX_FORMS(XR_BOX_FORM_WORDS)
#undef XR_BOX_FORM_WORDS
    };
    return words[form];
}

double xr_box_overlap(const double a[4], const double b[4])
{
    double w = fmin(a[2], b[2]) - fmax(a[0], b[0]), h = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double both = w > 0 && h > 0 ? w * h : 0;
    double all = fmax(a[2] - a[0], 0) * fmax(a[3] - a[1], 0) + fmax(b[2] - b[0], 0) * fmax(b[3] - b[1], 0);
    return all - both > 0 ? both / (all - both) : 0;
}

/* Applications clip boxes at the border of the picture, or do not. */
static double at_border(double x)
{
    return x < 0 && x > -1 ? 0 : x > 1 && x < 2 ? 1 : x;
}

double xr_box_distance(const double a[4], const double b[4])
{
    double most = 0;
    for (int i = 0; i < 4; i++)
        most = fmax(most, fmin(fabs(a[i] - b[i]), fabs(at_border(a[i]) - at_border(b[i]))));
    return most;
}
