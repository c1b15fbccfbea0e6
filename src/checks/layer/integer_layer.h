/* A layer that multiplies 8-bit integers and adds up the products, as its side recorded it: ONNX's operators
 * on unsigned activations (signed ones count from 128) and signed weights. */
#ifndef XR_INTEGER_LAYER_H
#define XR_INTEGER_LAYER_H

#include <exray/assertion.h>

/* The orders in which a convolution's products may be added up: by channel, then place, as the weights are
 * stored; or by place, then channel, as channels-last kernels do. */
typedef enum xr_sum_order { XR_SUM_CHANNELS_FIRST, XR_SUM_PLACES_FIRST, XR_SUM_ORDERS } xr_sum_order;

typedef struct xr_integer_window {
    int64_t in[3], out[2]; /* channels, height, width of the input; height, width of the output */
    int64_t size[2], stride[2], dilation[2], pad[2];
    int64_t group_channels, group_columns;
} xr_integer_window;

/* Of one frame. */
typedef struct xr_integer_layer {
    uint64_t rows, depth, columns; /* of the product; a row of a convolution is a pixel of the output */
    int32_t zero, weight_zero;     /* zero points */
    const int8_t *weight;          /* [depth][columns], or transposed */
    bool transposed, window;
    xr_integer_window at;
    const float *output; /* real numbers; [rows][columns], of windows [batch][columns][pixels] */
    double *factor;      /* [columns] what a sum is multiplied by to be a real number */
    double *bias;        /* [columns] real numbers */
    double step;         /* of the output's type; 0: it is not quantized */
    double low, high;    /* its range */
    bool whole;          /* the output is the sums themselves, integers */

    uint8_t *input;      /* owned, unsigned */
    exray_slot *slot[4]; /* what owns the rest */
} xr_integer_layer;

/* The layer `layer` of the comparison in its matched frame `frame`, as that side recorded it.  False: it is
 * none of these operators, its weights are not signed, something was not recorded, or memory is short; closed
 * either way. */
bool xr_integer_layer_open(const exray_comparison *comparison, size_t layer, exray_side side, size_t frame,
                           xr_integer_layer *out);
void xr_integer_layer_close(xr_integer_layer *layer);

/* The activations that the sum of that row and column reads, and its weights: `depth` of each. */
void xr_integer_layer_gather(const xr_integer_layer *layer, uint64_t row, uint64_t column, xr_sum_order order,
                             uint8_t *activations, int8_t *weights);

/* What the side recorded for it. */
double xr_integer_layer_output(const xr_integer_layer *layer, uint64_t row, uint64_t column);

#endif
