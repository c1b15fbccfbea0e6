/* How two tensors' shapes correspond, channels-last against channels-first. */
#ifndef XR_SHAPES_H
#define XR_SHAPES_H

#include <exray/types.h>

typedef enum xr_layout_match {
    XR_LAYOUT_NONE,
    XR_LAYOUT_SAME,
    XR_LAYOUT_EDGE_LAST,  /* the edge's is channels-last, the reference's channels-first */
    XR_LAYOUT_EDGE_FIRST, /* the other way round */
    XR_LAYOUT_SWAPPED,    /* the last two dimensions are exchanged: a transposed matrix, [84,N] for [N,84] */
    /* Of a clip; only values tell it from a mistake (layout_choice.h). */
    XR_LAYOUT_CLIP_LAST,      /* the edge's is [T,H,W,C], the reference's [C,T,H,W] */
    XR_LAYOUT_CLIP_FIRST,     /* the other way round */
    XR_LAYOUT_CLIP_EXCHANGED, /* [C,T,H,W] and [T,C,H,W] */
} xr_layout_match;
/* A shape without its dimensions of 1; returns the rank. */
uint32_t xr_squeeze(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK]);
/* Whether two shapes hold the same values in the same order, dimensions of 1 aside, or
 * in channels-last against channels-first, or transposed. */
xr_layout_match xr_match_layout(const exray_tensor_info *edge, const exray_tensor_info *reference);
/* All ways in which the shapes fit, the first is xr_match_layout's: shapes with equal dimensions, as a cube's
 * [1,16,16,16], fit in several. */
enum { XR_LAYOUT_WAYS = 4 };
uint32_t xr_layout_ways(const exray_tensor_info *edge, const exray_tensor_info *reference,
                        xr_layout_match way[XR_LAYOUT_WAYS]);
/* How the shapes of two clips fit, of which xr_match_layout knows nothing; else NONE. */
xr_layout_match xr_clip_layout(const exray_tensor_info *edge, const exray_tensor_info *reference);
/* How the reference's corresponds to the edge's. */
xr_layout_match xr_layout_reversed(xr_layout_match how);
/* Where the edge has the element that lies at `at` in the reference; `how` is not NONE. */
uint64_t xr_layout_element(const exray_tensor_info *edge, xr_layout_match how, uint64_t at);

/* How an engine stores pictures. */
typedef enum xr_engine_order { XR_ORDER_UNKNOWN, XR_ORDER_FIRST, XR_ORDER_LAST } xr_engine_order;
/* `model` may be NULL. */
xr_engine_order xr_order_of_engine(const exray_model *model);
/* Whether the two sides' engines store pictures in two orders. */
bool xr_layouts_may_differ(const exray_model *edge, const exray_model *reference);

/* Brings the edge's values into the reference's order; `how` is neither NONE nor SAME. */
void xr_convert_layout(const exray_tensor_info *edge, const float *values, xr_layout_match how, float *out);

#endif
