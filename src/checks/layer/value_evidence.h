/* Evidence in a layer's values for the reasons why they may be wrong: each reason predicts the edge's
 * values from the reference's, and the energy of its residual is compared with that of the
 * difference. */
#ifndef XR_VALUE_EVIDENCE_H
#define XR_VALUE_EVIDENCE_H

#include <exray/assertion.h>

/* Activations that clip values. */
enum { XR_RELU, XR_RELU6, XR_ACTIVATIONS };

/* Of a matched pair of layers, over a few frames; mean squares are in the squared unit of the
 * tensor. */
typedef struct xr_layer_evidence {
    size_t frames;         /* with data on both sides; 0: nothing else is filled in */
    double count;          /* elements */
    double difference;     /* mean((a-b)^2), a the edge's, b the reference's */
    double deviation;      /* of b */
    double min[2], max[2]; /* by exray_side */
    double shift;          /* mean(a-b) */

    /* The range of the edge's type; step is 0 where it is not quantized with one scale. */
    double step, zero_point, low, high;
    double below, above; /* shares of b that are beyond low and high by more than half a step */
    double held;         /* share of b that is so, where a is at that end */
    double clipped;      /* mean((b - clip(b))^2) */
    double unclipped;    /* mean((a - clip(b))^2) */

    /* Residuals, mean squares, if one side alone has an activation. */
    double without[XR_ACTIVATIONS]; /* (clip(a) - b)^2: the edge lacks it */
    double with[XR_ACTIVATIONS];    /* (a - clip(b))^2: the reference lacks it */

    double border, border_area; /* shares of the difference and of the elements in the outermost rows and
                                   columns */

    double half; /* share of the nonzero a that float16 can hold; 0 for integers, and where nearly all of b
                    can be held as well */
} xr_layer_evidence;

/* Reads the layer's data in up to a few frames.  EXRAY_OK also where there is none. */
exray_status xr_layer_evidence_get(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out,
                                   exray_error *error);

/* The same without the residuals, the border and the half precision, which are 0: in half the time or less.
 */
exray_status xr_layer_range_evidence_get(const exray_comparison *comparison, size_t layer,
                                         xr_layer_evidence *out, exray_error *error);

/* The same with the range of another tensor: a copy of what the layer made. */
exray_status xr_layer_range_evidence_in(const exray_comparison *comparison, size_t layer,
                                        const exray_tensor_info *range, xr_layer_evidence *out,
                                        exray_error *error);

/* The same from a layer's statistics: frames (1 or 0), count, difference (a lower bound without
 * sketches), deviation, min, max, shift, the type's range; `below`, `above` and `clipped` (a lower
 * bound) from the shares of the edge's values at the ends of the range.  The rest is NAN. */
void xr_layer_evidence_from_stats(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out);

/* Fills in the range of a tensor that is quantized with one scale. */
void xr_note_range(const exray_tensor_info *info, xr_layer_evidence *out);

/* Whether the layer's values themselves were compared, and not their statistics or sketches alone. */
bool xr_layer_has_data(const exray_layer_pair *layer);

/* The layer's tensor in the side's model, or NULL. */
const exray_tensor_info *xr_layer_info(const exray_comparison *comparison, const exray_layer_pair *layer,
                                       exray_side side);

/* The same, or of the values that a DequantizeLinear unpacks: how the integers are stored. */
const exray_tensor_info *xr_layer_stored(const exray_comparison *comparison, const exray_layer_pair *layer,
                                         exray_side side);

/* A shape without its dimensions of 1; returns the rank. */
uint32_t xr_squeezed_shape(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK]);

/* The layer of the comparison whose result is that tensor of a side's model, or SIZE_MAX. */
size_t xr_layer_that_makes(const exray_comparison *comparison, exray_side side, uint32_t tensor);

/* Whether both sides ran the same model file: then operators, attributes and quantization are the
 * same, and the weights unless they were changed in memory. */
bool xr_is_same_file(const exray_comparison *comparison);

/* Whether nearly all of the difference lies in the outermost rows and columns, a small part of the
 * area. */
bool xr_is_at_border(const xr_layer_evidence *evidence);

/* Whether a layer that was run alone is wrong by itself only because the range of its type is too
 * narrow: clipped to that range, the reference's values are the edge's. */
bool xr_is_only_clipped(const exray_layer_pair *layer);

/* Whether the values exceed the range on one side by about as much as the range exceeds the values on
 * the other: the range is long enough, but in the wrong place.  Each range has to hold zero. */
bool xr_is_range_off_center(const xr_layer_evidence *evidence);

#endif
