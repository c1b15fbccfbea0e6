/* Whether an output map (segmentation, depth, heat map: two large dimensions beside each other) is the
 * reference's mirrored, turned, transposed or shifted. */
#ifndef XR_MAP_FIT_H
#define XR_MAP_FIT_H

#include <exray/assertion.h>

/* The edge's pixel (y, x) is the reference's: first transposed, then mirrored. */
typedef struct xr_map_turn {
    bool transposed, mirrored_y, mirrored_x;
    int down, right; /* how far the edge's map is shifted; only where nothing else is done */
} xr_map_turn;

typedef struct xr_map_turn_fit {
    bool explains; /* in every frame that was read */
    xr_map_turn turn;
    bool smooth;          /* neighbors are alike, as in a picture */
    size_t height, width; /* of the reference's map */
    uint32_t rank; /* of its tensor: one of three dimensions may be a table, which exporters transpose */
    size_t channels, frames;
    double before, after; /* rms of the difference / the reference's deviation; before: NAN where the shapes
                             differ */
    double runner_up;     /* `after` of the next best way that is none of these frames' symmetries */
} xr_map_turn_fit;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_map_fit_make(const exray_comparison *comparison, size_t pair, xr_map_turn_fit *out,
                             exray_error *error);

/* Whether height and width are exchanged between the shapes of both sides, and nothing else. */
exray_status xr_map_is_exchanged(const exray_comparison *comparison, size_t pair, bool *exchanged,
                                 exray_error *error);

/* "mirrored", "turned", "transposed", "shifted": the evidence's kind. */
const char *xr_map_kind(const xr_map_turn *turn);

/* "mirrored from left to right", "turned by 90 degrees clockwise", "shifted 2 pixels to the right and 1
 * down". */
void xr_map_words(const xr_map_turn *turn, char *text, size_t size);

#endif
