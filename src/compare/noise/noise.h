/* The error that a healthy layer has: what data types, kernels and inputs explain.
 *
 * The measure is the error relative to the signal, e = rmse / standard deviation of the reference's values
 * (measured.h). A healthy layer's e has two parts:
 *
 *   given: the error that healthy differences of the model's inputs bring in (a decoder, rounding): e of the
 * worst input that is within noise of it, one level of its resolution.  It runs through the network
 * undiminished. own:   the noise that the layer adds by itself: float32   XR_NOISE_FLOAT32: the order of
 * additions, approximated functions float16   2^-10, bfloat16 2^-7: half a step of rounding, a few times 8
 * bits    sqrt((scale / (sqrt(12) std))^2 + XR_NOISE_8_BITS^2): rounding to the tensor's step, and of the
 * weights: their step is 1/127 of the largest, their deviation a quarter of it: 4 / (127 sqrt(12)) runs of
 * one input, where a log has such: at least what they differ by noise: sqrt((XR_NOISE_KEPT max(noise of its
 * inputs))^2 + own^2).  XR_NOISE_KEPT is below 1, as rounding is spread over all directions and each layer
 * averages a part of it away: the error of healthy 8-bit models does not grow with depth beyond a dozen
 * layers.
 *
 * A layer is clean where e <= sqrt((XR_NOISE_GAIN given)^2 + (XR_NOISE_CLEAN noise)^2): layers may amplify
 * either more than the signal.  docs/noise.md has the measurements behind these numbers. */
#ifndef XR_NOISE_H
#define XR_NOISE_H

#include <exray/assertion.h>
#include <math.h>

#define XR_NOISE_FLOAT32 4e-6
#define XR_NOISE_8_BITS  (4 / (127 * 3.4641016))
#define XR_NOISE_4_BITS  (4 / (7 * 3.4641016))
#define XR_NOISE_OF_ONE  6e-8 /* half of the last place of numbers below 1, in float32 */
#define XR_NOISE_KEPT    0.9
#define XR_NOISE_CLEAN   6.0
#define XR_NOISE_GAIN    16.0

/* The largest e that is healthy. */
static inline double xr_noise_bound(double given, double noise)
{
    return sqrt(XR_NOISE_GAIN * XR_NOISE_GAIN * given * given +
                XR_NOISE_CLEAN * XR_NOISE_CLEAN * noise * noise);
}

/* The noise behind a layer: what it keeps of its inputs', and its own. */
static inline double xr_noise_behind(double kept, double own)
{
    return sqrt(kept * kept + own * own);
}

/* Whether a node has a body, which may end in anything. */
bool xr_has_body(const exray_node *node);

/* Whether a node carries values from run to run, or from step to step (a recurrent layer). */
bool xr_keeps_state(const exray_node *node);

/* Whether a node tells what its input's shape is, whatever its values are. */
bool xr_is_of_shape(const exray_node *node);

/* Whether a node moves values, or changes them one by one: then the noise of its inputs stays as it is. */
bool xr_keeps_noise(const exray_node *node);

/* How much more noise that many layers in a row add than one of them. */
static inline double xr_noise_growth(double layers)
{
    return layers > 1 ? sqrt((1 - pow(XR_NOISE_KEPT, 2 * layers)) / (1 - XR_NOISE_KEPT * XR_NOISE_KEPT)) : 1;
}

/* What computing in a data type adds. */
double xr_type_noise(exray_dtype dtype);
/* The same of a node: of the coarsest of the types that it reads and writes. */
double xr_node_noise(const exray_model *model, uint32_t node);
/* What a node adds whose result comes out of sums with 1 (sigmoid, tanh), however small it is: absolute, not
 * relative to the signal.  0: it is none. */
double xr_bounded_noise(const exray_model *model, uint32_t node);
/* Whether the node is a sigmoid, or has a body that may end in one. */
bool xr_may_be_sigmoid(const exray_model *model, uint32_t node);
/* Whether a node quantizes its first input to 8 bits in each run, over the range that it has then (dynamic
 * quantization). */
bool xr_quantizes_in_run(const exray_model *model, uint32_t node);
/* What that adds, of an input whose largest and smallest value are `spread` deviations apart. */
static inline double xr_range_noise(double spread)
{
    return spread / (255 * 3.4641016);
}
/* Whether a model's description shows every node, and no types but floats of 32 bits: no integers, no
 * decision, no body of nodes that are not known. */
bool xr_is_of_floats(const exray_model *model);
/* The coarsest known type of a network whose layers were not recorded: of its inputs and outputs, and of both
 * graphs. */
double xr_network_noise(const exray_comparison *comparison);

/* Whether a node adds up products of integers, as its operator's specification says to the last of them
 * (MatMulInteger and what ONNX Runtime makes of it): equal integers give equal sums, on every processor. */
bool xr_adds_integers(const exray_model *model, uint32_t node);

/* Whether a type is of integers, or of truth values. */
bool xr_is_integer(exray_dtype dtype);
/* Whether a node is a single layer, and all that it reads and writes are quantized integers. */
bool xr_is_quantized_layer(const exray_model *model, uint32_t node);
/* Whether an operator can turn a difference within noise into another decision. */
bool xr_is_decision(const char *op);

/* Whether a node rounds to steps of a constant scale, as a training graph writes the quantization to come:
 * noise of few bits, no decision. */
bool xr_rounds_to_steps(const exray_model *model, uint32_t node);

/* Whether a node of a model is a decision. */
bool xr_node_decides(const exray_model *model, uint32_t node);
/* Whether an operator makes any error of some small difference of its inputs: there is a point near which
 * its function has no bound (a logarithm's zero), or what is left of a difference may be all noise. */
bool xr_is_steep(const char *op);

#endif
