/* Functions of one number that a graph applies to every element: activations, and sums, products and powers
 * with constants.  They are told apart by what they compute, not by the nodes that they are written with. */
#ifndef XR_POINTWISE_H
#define XR_POINTWISE_H

#include <exray/types.h>

/* What a function is known by: its values at so many places. */
enum { XR_POINTS = 72 };
extern const double xr_points[XR_POINTS];

typedef enum xr_pointwise_op {
    XR_PW_NONE, /* not a function of single elements, or one that is not known here */
    XR_PW_IDENTITY,
    XR_PW_ADD,
    XR_PW_SUB,
    XR_PW_MUL,
    XR_PW_DIV,
    XR_PW_POW,
    XR_PW_MIN,
    XR_PW_MAX,
    XR_PW_CLIP, /* to [a, b] */
    XR_PW_LEAKY,
    XR_PW_ELU, /* a (e^x - 1), times b */
    XR_PW_SIGMOID,
    XR_PW_TANH,
    XR_PW_ERF,
    XR_PW_EXP,
    XR_PW_LOG,
    XR_PW_SQRT,
    XR_PW_RSQRT,
    XR_PW_RECIPROCAL,
    XR_PW_NEGATIVE,
    XR_PW_ABS,
    XR_PW_SQUARE,
    XR_PW_SOFTPLUS,
    XR_PW_SOFTSIGN,
    XR_PW_HARD_SIGMOID, /* clip(a x + b) to [0, 1] */
    XR_PW_HARD_SWISH,
    XR_PW_GELU,
    XR_PW_TANH_GELU,
    XR_PW_GATED, /* x sigmoid(a x) */
    XR_PW_MISH,
    XR_PW_TRUNCATE, /* what is before the point */
} xr_pointwise_op;

typedef struct xr_pointwise {
    xr_pointwise_op op;
    double a, b; /* parameters, where it has such */
    uint32_t operands;
} xr_pointwise;

/* What the node computes; `name` is its plain name (exray_node_plain_op).  Bounds that are inputs of the node
 * (Clip, PRelu) are operands. */
xr_pointwise xr_pointwise_of(const exray_node *node, const char *name);

/* An operand: values, or one number for all. */
typedef struct xr_operand {
    const double *value; /* NULL: `number` */
    double number;
} xr_operand;

/* Computes `count` values; `out` may be an operand's. */
void xr_pointwise_apply(const xr_pointwise *p, const xr_operand *operand, uint32_t operands, size_t count,
                        double *out);

/* Whether two functions, by their values at xr_points, are the same up to the rounding of floats, and what
 * either may be off by for its constants (`slack`, NULL: nothing). */
bool xr_same_function(const double *a, const double *b, const double *slack_a, const double *slack_b);

/* Whether it is factor * x + offset. */
bool xr_is_line(const double *value, double *factor, double *offset);

/* The function in words: "ReLU", "tanh GELU", "LeakyReLU with slope 0.1", "x / 8", ... False: it has none;
 * then `text` says so. */
bool xr_function_words(const double *value, char *text, size_t size);

#endif
