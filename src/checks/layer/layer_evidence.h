/* What a layer's values say of the reasons why they are wrong: each reason predicts the
 * edge's values from the reference's, and the energy that it leaves unexplained is
 * compared with the energy of the difference. */
#ifndef XR_LAYER_EVIDENCE_H
#define XR_LAYER_EVIDENCE_H

#include <exray/assertion.h>

/* Activations that cut values off. */
enum { XR_RELU, XR_RELU6, XR_ACTIVATIONS };

/* Of a matched pair of layers, over a few frames; means of squares in the tensor's unit. */
typedef struct xr_layer_evidence {
    size_t frames;         /* with data on both sides; 0: nothing else is filled in */
    double count;          /* elements */
    double difference;     /* mean((a-b)^2), a the edge's, b the reference's */
    double deviation;      /* of b */
    double min[2], max[2]; /* by exray_side */
    double shift;          /* mean(a-b) */

    /* What the edge's type can hold; where it is not quantized by one scale, step is 0. */
    double step, zero_point, low, high;
    double below, above; /* share of b beyond low, high by more than half a step */
    double clipped;      /* mean((b - clip(b))^2) */
    double unclipped;    /* mean((a - clip(b))^2) */

    /* What an activation on one side alone would leave: mean squares. */
    double without[XR_ACTIVATIONS]; /* (clip(a) - b)^2: the edge lacks it */
    double with[XR_ACTIVATIONS];    /* (a - clip(b))^2: the edge has it, the reference not */

    double border, border_area; /* shares of the difference, and of the elements, at the rim of the picture;
                                   0: none */

    double
        half; /* share of a that float16 holds exactly, where b is not all so; zeros aside; 0 for integers */
} xr_layer_evidence;

/* Reads the layer's data in up to a few frames.  EXRAY_OK also where there is none. */
exray_status xr_layer_evidence_get(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out,
                                   exray_error *error);

/* What statistics of a layer say: frames (1 or 0), count, difference (a lower bound without
 * sketches), deviation, min, max, shift, the type's range, and from the share of the edge's values
 * that are at its ends `below`, `above` and `clipped`, the latter a lower bound.  The rest is NAN. */
void xr_layer_evidence_from_stats(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out);

/* The node's tensor as the side's model has it, or NULL. */
const exray_tensor_info *xr_layer_info(const exray_comparison *comparison, const exray_layer_pair *layer,
                                       exray_side side);

/* Whether both sides ran one model file: the same operators, attributes and quantization, and
 * the same weights unless they were changed in memory. */
bool xr_is_same_file(const exray_comparison *comparison);

/* Whether the difference lies in the outermost rows and columns, and these are few. */
bool xr_is_at_rim(const xr_layer_evidence *evidence);

/* Whether the model's inputs are the same on both sides, within noise, as far as they are known. */
bool xr_inputs_are_clean(const exray_comparison *comparison);

/* Whether a layer that was run alone is wrong by itself, and only for want of room: the reference's
 * values, cut off where the edge's type ends, are the edge's. */
bool xr_is_cut_off(const exray_layer_pair *layer);

/* Whether some layer or output is wrong beyond noise. */
bool xr_something_is_wrong(const exray_comparison *comparison);

#endif
