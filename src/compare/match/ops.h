/* What an operator does, whatever an engine calls it: CONV_2D, Conv, QLinearConv
 * and FusedConv are one kind. */
#ifndef XR_OPS_H
#define XR_OPS_H

#include <exray/log.h>

typedef enum xr_op_kind {
    XR_OP_OTHER, /* known by its name alone */
    XR_OP_CONV,
    XR_OP_DEPTHWISE,
    XR_OP_TRANSPOSE_CONV,
    XR_OP_DENSE,
    XR_OP_ADD,
    XR_OP_SUB,
    XR_OP_MUL,
    XR_OP_DIV,
    XR_OP_POOL_AVERAGE, /* means over space included */
    XR_OP_POOL_MAX,
    XR_OP_CONCAT,
    XR_OP_SOFTMAX,
    XR_OP_RESIZE,
    XR_OP_PAD,
    XR_OP_NORMALIZATION, /* of a batch, with constants */
    XR_OP_ACTIVATION,
    XR_OP_CONVERSION, /* of the type: quantize, dequantize, cast */
    XR_OP_SHAPE,      /* the same values in another shape or order */
    XR_OP_CONSTANT,
    XR_OP_LSTM,
    XR_OP_PARTITION, /* a delegate's: which nodes run in it is not known */
} xr_op_kind;

typedef enum xr_activation {
    XR_ACTIVATION_NONE,
    XR_ACTIVATION_RELU,
    XR_ACTIVATION_CLIP, /* bounded on both sides: ReLU6, Clip */
    XR_ACTIVATION_SIGMOID,
    XR_ACTIVATION_TANH,
    XR_ACTIVATION_OTHER,
    XR_ACTIVATION_UNKNOWN, /* the log does not tell */
} xr_activation;

typedef struct xr_op {
    xr_op_kind kind;
    xr_activation activation; /* of an ACTIVATION; what others have fused is xr_fused_activation's */
} xr_op;

/* By the engine's name for it; a NULL name is OTHER. */
xr_op xr_op_of(const exray_node *node);

/* What a node's output is made by last: of a dense layer with a softmax in it (Keras), the softmax. */
xr_op_kind xr_last_kind(const exray_node *node, xr_op_kind kind);

/* The activation that a node applies to its own result, from its attributes. */
xr_activation xr_fused_activation(const exray_node *node);

/* Whether two engines' names mean the same: case, punctuation, and what engines add for
 * quantized and fused forms aside. */
bool xr_same_op_name(const char *a, const char *b);

#endif
