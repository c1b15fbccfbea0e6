#include "checks/model/graph/pointwise.h"

#include "checks/model/graph/node_facts.h"

#include <math.h>
#include <string.h>

/* Even steps where activations bend, and powers of ten, for functions that depend on a small constant. */
const double xr_points[XR_POINTS] = {
    -12,  -10,  -8,   -7,    -6,    -5.5, -5,    -4.5, -4,    -3.5, -3.25, -3,   -2.75, -2.5, -2.25,
    -2,   -1.8, -1.6, -1.4,  -1.2,  -1,   -0.85, -0.7, -0.55, -0.4, -0.3,  -0.2, -0.1,  0,    0.1,
    0.2,  0.3,  0.4,  0.55,  0.7,   0.85, 1,     1.2,  1.4,   1.6,  1.8,   2,    2.25,  2.5,  2.75,
    3,    3.25, 3.5,  4,     4.5,   5,    5.5,   6,    6.5,   7,    8,     10,   12,    1e-6, 1e-5,
    1e-4, 1e-3, 1e-2, -1e-4, -1e-2, 20,   50,    127,  255,   1000, -50,   -1000};

typedef struct pointwise_word {
    const char *name;
    xr_pointwise_op op;
    uint32_t operands;
} pointwise_word;

static const pointwise_word table[] = {
    {"add", XR_PW_ADD, 2},
    {"sub", XR_PW_SUB, 2},
    {"subtract", XR_PW_SUB, 2},
    {"mul", XR_PW_MUL, 2},
    {"multiply", XR_PW_MUL, 2},
    {"div", XR_PW_DIV, 2},
    {"divide", XR_PW_DIV, 2},
    {"truediv", XR_PW_DIV, 2},
    {"pow", XR_PW_POW, 2},
    {"minimum", XR_PW_MIN, 2},
    {"min", XR_PW_MIN, 2},
    {"maximum", XR_PW_MAX, 2},
    {"max", XR_PW_MAX, 2},
    {"clip", XR_PW_CLIP, 3},
    {"relu", XR_PW_CLIP, 1},
    {"relu6", XR_PW_CLIP, 1},
    {"relun1to1", XR_PW_CLIP, 1},
    {"relu0to1", XR_PW_CLIP, 1},
    {"hardtanh", XR_PW_CLIP, 1},
    {"leakyrelu", XR_PW_LEAKY, 1},
    {"prelu", XR_PW_LEAKY, 2},
    {"elu", XR_PW_ELU, 1},
    {"celu", XR_PW_ELU, 1},
    {"selu", XR_PW_ELU, 1},
    {"logistic", XR_PW_SIGMOID, 1},
    {"sigmoid", XR_PW_SIGMOID, 1},
    {"tanh", XR_PW_TANH, 1},
    {"erf", XR_PW_ERF, 1},
    {"exp", XR_PW_EXP, 1},
    {"exponential", XR_PW_EXP, 1},
    {"log", XR_PW_LOG, 1},
    {"sqrt", XR_PW_SQRT, 1},
    {"rsqrt", XR_PW_RSQRT, 1},
    {"reciprocal", XR_PW_RECIPROCAL, 1},
    {"neg", XR_PW_NEGATIVE, 1},
    {"abs", XR_PW_ABS, 1},
    {"square", XR_PW_SQUARE, 1},
    {"softplus", XR_PW_SOFTPLUS, 1},
    {"softsign", XR_PW_SOFTSIGN, 1},
    {"hardsigmoid", XR_PW_HARD_SIGMOID, 1},
    {"hardswish", XR_PW_HARD_SWISH, 1},
    {"hardsilu", XR_PW_HARD_SWISH, 1},
    {"gelu", XR_PW_GELU, 1},
    {"fastgelu", XR_PW_TANH_GELU, 1},
    {"quickgelu", XR_PW_GATED, 1},
    {"silu", XR_PW_GATED, 1},
    {"swish", XR_PW_GATED, 1},
    {"mish", XR_PW_MISH, 1},
    {"identity", XR_PW_IDENTITY, 1},
    {"dropout", XR_PW_IDENTITY, 1},
    {"dropout2d", XR_PW_IDENTITY, 1},
    {"cast", XR_PW_IDENTITY, 1},
    {"quantize", XR_PW_IDENTITY, 1},
    {"dequantize", XR_PW_IDENTITY, 1},
    {"quantizelinear", XR_PW_IDENTITY, 1},
    {"dequantizelinear", XR_PW_IDENTITY, 1},
    {"fakequant", XR_PW_IDENTITY, 1},
    {"contiguous", XR_PW_IDENTITY, 1},
};

/* Keras' layer has a bound, a slope below its threshold, and that. */
static void read_relu(const exray_node *node, xr_pointwise *p)
{
    const double slope = xr_attribute_number(node, "negative_slope", 0);
    p->b = xr_attribute_number(node, "max_value", INFINITY);
    if (xr_attribute_number(node, "threshold", 0) != 0 || (slope != 0 && isfinite(p->b)))
        p->op = XR_PW_NONE;
    else if (slope != 0)
        *p = (xr_pointwise){.op = XR_PW_LEAKY, .operands = 1, .a = slope};
}

/* The parameters of an operator that has such, as attributes under the names of several frameworks. */
static void read_parameters(const exray_node *node, const char *name, xr_pointwise *p)
{
    switch (p->op) {
    case XR_PW_CLIP:
        p->a = strcmp(name, "relun1to1") == 0 || strcmp(name, "hardtanh") == 0 ? -1 : 0;
        p->b = strcmp(name, "relu") == 0 ? INFINITY : strcmp(name, "relu6") == 0 ? 6 : 1;
        if (strcmp(name, "clip") == 0) {
            p->a = xr_attribute_number(node, "min", -INFINITY);
            p->b = xr_attribute_number(node, "max", INFINITY);
        } else if (strcmp(name, "hardtanh") == 0) {
            p->a = xr_attribute_number(node, "min_val", -1);
            p->b = xr_attribute_number(node, "max_val", 1);
        } else if (strcmp(name, "relu") == 0)
            read_relu(node, p);
        return;
    case XR_PW_LEAKY:
        p->a = xr_attribute_number(node, "alpha", xr_attribute_number(node, "negative_slope", 0.01));
        return;
    case XR_PW_ELU:
        p->a = xr_attribute_number(node, "alpha", strcmp(name, "selu") == 0 ? 1.67326319217681884765625 : 1);
        p->b = xr_attribute_number(node, "gamma", strcmp(name, "selu") == 0 ? 1.05070102214813232421875 : 1);
        return;
    case XR_PW_HARD_SIGMOID: {
        /* ONNX's has parameters, 0.2 and 0.5 unless they are said; the others' is x / 6 + 0.5. */
        bool onnx = exray_node_attribute(node, "alpha") || exray_node_attribute(node, "beta") ||
                    (node->op && strcmp(node->op, "HardSigmoid") == 0);
        p->a = xr_attribute_number(node, "alpha", onnx ? 0.2 : 1.0 / 6);
        p->b = xr_attribute_number(node, "beta", 0.5);
        return;
    }
    case XR_PW_GELU: {
        const char *approximate = exray_node_attribute(node, "approximate");
        if (approximate && (strcmp(approximate, "tanh") == 0 || *approximate == 't' || *approximate == 'T'))
            p->op = XR_PW_TANH_GELU;
        return;
    }
    case XR_PW_GATED:
        p->a = xr_attribute_number(node, "alpha", strcmp(name, "quickgelu") == 0 ? 1.702 : 1);
        return;
    default:
        return;
    }
}

xr_pointwise xr_pointwise_of(const exray_node *node, const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) {
            xr_pointwise p = {.op = table[i].op, .operands = table[i].operands};
            read_parameters(node, name, &p);
            return p;
        }
    return (xr_pointwise){.op = XR_PW_NONE};
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double of_one(const xr_pointwise *p, double x)
{
    switch (p->op) {
    case XR_PW_CLIP:
        return fmin(fmax(x, p->a), p->b);
    case XR_PW_LEAKY:
        return x < 0 ? p->a * x : x;
    case XR_PW_ELU:
        return p->b * (x < 0 ? p->a * expm1(x) : x);
    case XR_PW_SIGMOID:
        return sigmoid(x);
    case XR_PW_TANH:
        return tanh(x);
    case XR_PW_ERF:
        return erf(x);
    case XR_PW_EXP:
        return exp(x);
    case XR_PW_LOG:
        return log(x);
    case XR_PW_SQRT:
        return sqrt(x);
    case XR_PW_RSQRT:
        return 1 / sqrt(x);
    case XR_PW_RECIPROCAL:
        return 1 / x;
    case XR_PW_NEGATIVE:
        return -x;
    case XR_PW_ABS:
        return fabs(x);
    case XR_PW_SQUARE:
        return x * x;
    case XR_PW_SOFTPLUS:
        return x > 30 ? x : log1p(exp(x));
    case XR_PW_SOFTSIGN:
        return x / (1 + fabs(x));
    case XR_PW_HARD_SIGMOID:
        return fmin(fmax(p->a * x + p->b, 0), 1);
    case XR_PW_HARD_SWISH:
        return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case XR_PW_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case XR_PW_TANH_GELU:
        return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case XR_PW_GATED:
        return x * sigmoid(p->a * x);
    case XR_PW_MISH:
        return x * tanh(x > 30 ? x : log1p(exp(x)));
    case XR_PW_TRUNCATE:
        return trunc(x);
    default:
        return x;
    }
}

static double of_two(xr_pointwise_op op, double x, double y)
{
    switch (op) {
    case XR_PW_ADD:
        return x + y;
    case XR_PW_SUB:
        return x - y;
    case XR_PW_MUL:
        return x * y;
    case XR_PW_DIV:
        return x / y;
    case XR_PW_POW:
        return pow(x, y);
    case XR_PW_MIN:
        return fmin(x, y);
    case XR_PW_MAX:
        return fmax(x, y);
    default: /* PRelu */
        return x < 0 ? y * x : x;
    }
}

void xr_pointwise_apply(const xr_pointwise *p, const xr_operand *operand, uint32_t operands, size_t count,
                        double *out)
{
    for (size_t i = 0; i < count; i++) {
        double v[3] = {0};
        for (uint32_t k = 0; k < operands && k < 3; k++)
            v[k] = operand[k].value ? operand[k].value[i] : operand[k].number;
        if (p->op == XR_PW_CLIP && operands > 1)
            out[i] = fmin(fmax(v[0], v[1]), operands > 2 ? v[2] : INFINITY);
        else
            out[i] = operands == 1 ? of_one(p, v[0]) : of_two(p->op, v[0], v[1]);
    }
}
