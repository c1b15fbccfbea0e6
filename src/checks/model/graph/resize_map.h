/* Where a resize takes its values from: engines name the same conventions differently, so the places are
 * compared. */
#ifndef XR_RESIZE_MAP_H
#define XR_RESIZE_MAP_H

#include <exray/types.h>

typedef enum xr_resize_grid {
    XR_GRID_HALF_PIXEL,
    XR_GRID_PYTORCH_HALF_PIXEL, /* the same, but of one value: the first */
    XR_GRID_ASYMMETRIC,
    XR_GRID_ALIGN_CORNERS,
} xr_resize_grid;

typedef enum xr_resize_round {
    XR_ROUND_HALF_DOWN,
    XR_ROUND_HALF_UP,
    XR_ROUND_FLOOR,
    XR_ROUND_CEIL,
} xr_resize_round;

typedef struct xr_resize_way {
    bool known;
    const char *mode; /* "nearest", "linear", "cubic": a constant string */
    xr_resize_grid grid;
    xr_resize_round round; /* of "nearest" */
} xr_resize_way;

/* `torch`: the node is PyTorch's, whose defaults are others. */
xr_resize_way xr_resize_way_of(const exray_node *node, bool torch);

/* "half-pixel centers": how the places are chosen. */
const char *xr_resize_name(const xr_resize_way *way);

/* The places in `in` values that `out` values are taken at: of at most `room`, spread over all.  Returns how
 * many. */
size_t xr_resize_places(const xr_resize_way *way, double in, double out, double *place, size_t room);

#endif
