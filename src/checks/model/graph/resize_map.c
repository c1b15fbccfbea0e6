#include "checks/model/graph/resize_map.h"

#include "checks/model/graph/node_facts.h"

#include <math.h>
#include <string.h>

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const char *mode_of(const char *text)
{
    if (is(text, "nearest") || is(text, "nearest-exact"))
        return "nearest";
    if (is(text, "linear") || is(text, "bilinear"))
        return "linear";
    if (is(text, "cubic") || is(text, "bicubic"))
        return "cubic";
    return NULL;
}

static xr_resize_way of_tflite(const exray_node *node, bool nearest)
{
    bool corners = xr_attribute_flag(node, "align_corners", false),
         half = xr_attribute_flag(node, "half_pixel_centers", false);
    return (xr_resize_way){.known = true,
                           .mode = nearest ? "nearest" : "linear",
                           .grid = corners ? XR_GRID_ALIGN_CORNERS
                                   : half  ? XR_GRID_HALF_PIXEL
                                           : XR_GRID_ASYMMETRIC,
                           /* Half a pixel and a floor are the pixel whose center is nearest. */
                           .round = corners || half ? XR_ROUND_HALF_UP : XR_ROUND_FLOOR};
}

static xr_resize_way of_torch(const exray_node *node)
{
    const char *mode = exray_node_attribute(node, "mode");
    xr_resize_way way = {.known = mode_of(mode) != NULL, .mode = mode_of(mode)};
    bool nearest = is(mode, "nearest");
    way.grid = nearest                                           ? XR_GRID_ASYMMETRIC
               : xr_attribute_flag(node, "align_corners", false) ? XR_GRID_ALIGN_CORNERS
                                                                 : XR_GRID_HALF_PIXEL;
    way.round = nearest ? XR_ROUND_FLOOR : XR_ROUND_HALF_UP;
    return way;
}

static xr_resize_way of_onnx(const exray_node *node)
{
    const char *mode = exray_node_attribute(node, "mode"),
               *grid = exray_node_attribute(node, "coordinate_transformation_mode"),
               *round = exray_node_attribute(node, "nearest_mode");
    xr_resize_way way = {.known = true, .mode = mode ? mode_of(mode) : "nearest"};
    bool upsample = node->op && strcmp(node->op, "Upsample") == 0;
    way.known = way.mode != NULL;
    if (is(grid, "pytorch_half_pixel"))
        way.grid = XR_GRID_PYTORCH_HALF_PIXEL;
    else if (is(grid, "asymmetric") || (!grid && upsample))
        way.grid = XR_GRID_ASYMMETRIC;
    else if (is(grid, "align_corners"))
        way.grid = XR_GRID_ALIGN_CORNERS;
    else
        way.known = way.known && (!grid || is(grid, "half_pixel"));
    way.round = is(round, "round_prefer_ceil")               ? XR_ROUND_HALF_UP
                : is(round, "floor") || (!round && upsample) ? XR_ROUND_FLOOR
                : is(round, "ceil")                          ? XR_ROUND_CEIL
                                                             : XR_ROUND_HALF_DOWN;
    return way;
}

xr_resize_way xr_resize_way_of(const exray_node *node, bool torch)
{
    char plain[XR_PLAIN_NAME];
    exray_node_plain_op(node->op, plain, sizeof plain);
    if (strcmp(plain, "resizebilinear") == 0 || strcmp(plain, "resizenearestneighbor") == 0)
        return of_tflite(node, plain[6] == 'n');
    if (torch)
        return of_torch(node);
    if (strcmp(plain, "upsampling2d") == 0) { /* Keras: half pixels */
        const char *mode = mode_of(exray_node_attribute(node, "interpolation"));
        return (xr_resize_way){mode != NULL, mode, XR_GRID_HALF_PIXEL, XR_ROUND_HALF_UP};
    }
    return of_onnx(node);
}

const char *xr_resize_name(const xr_resize_way *way)
{
    static const char *const names[4][5] = {
        {"half-pixel centers, the nearer, of two the first",
         "half-pixel centers, the nearer, of two the second", "half-pixel centers, rounded down",
         "half-pixel centers, rounded up", "half-pixel centers"},
        {"PyTorch's half-pixel centers, the nearer, of two the first",
         "PyTorch's half-pixel centers, the nearer, of two the second",
         "PyTorch's half-pixel centers, rounded down", "PyTorch's half-pixel centers, rounded up",
         "PyTorch's half-pixel centers"},
        {"no offset (asymmetric), the nearer, of two the first",
         "no offset (asymmetric), the nearer, of two the second", "no offset (asymmetric), rounded down",
         "no offset (asymmetric), rounded up", "no offset (asymmetric)"},
        {"aligned corners, the nearer, of two the first", "aligned corners, the nearer, of two the second",
         "aligned corners, rounded down", "aligned corners, rounded up", "aligned corners"},
    };
    return names[way->grid][strcmp(way->mode, "nearest") == 0 ? (int)way->round : 4];
}

static double rounded(double x, xr_resize_round round)
{
    switch (round) {
    case XR_ROUND_FLOOR:
        return floor(x + 1e-9);
    case XR_ROUND_CEIL:
        return ceil(x - 1e-9);
    case XR_ROUND_HALF_UP:
        return floor(x + 0.5 + 1e-9);
    default:
        return ceil(x - 0.5 - 1e-9);
    }
}

size_t xr_resize_places(const xr_resize_way *way, double in, double out, double *place, size_t room)
{
    size_t count = out < (double)room ? (size_t)out : room;
    for (size_t k = 0; k < count; k++) {
        double i = floor((double)k * out / (double)count), x;
        if (way->grid == XR_GRID_ALIGN_CORNERS)
            x = out > 1 ? i * (in - 1) / (out - 1) : 0;
        else if (way->grid == XR_GRID_ASYMMETRIC)
            x = i * in / out;
        else if (way->grid == XR_GRID_PYTORCH_HALF_PIXEL && out <= 1)
            x = 0;
        else
            x = (i + 0.5) * in / out - 0.5;
        bool nearest = strcmp(way->mode, "nearest") == 0, linear = strcmp(way->mode, "linear") == 0;
        x = nearest ? rounded(x, way->round) : x;
        /* A cubic kernel looks beyond the rim; the others repeat it. */
        place[k] = nearest || linear ? fmin(fmax(x, 0), in - 1) : x;
    }
    return count;
}
