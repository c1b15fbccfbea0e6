#include "compare/noise/functions_pointwise.h"

#include <exray/log.h>

#include <math.h>
#include <string.h>

/* ---- Of one value ---- */

typedef struct parameters {
    double alpha, beta;
} parameters;

#define UNARY(NAME, VALUE)                                                                                   \
    static double do_##NAME(double x, const parameters *p)                                                   \
    {                                                                                                        \
        (void)p;                                                                                             \
        return VALUE;                                                                                        \
    }
#define BINARY(NAME, VALUE)                                                                                  \
    static double do_##NAME(double a, double b)                                                              \
    {                                                                                                        \
        return VALUE;                                                                                        \
    }

UNARY(abs, fabs(x))
UNARY(ceil, ceil(x))
UNARY(cos, cos(x))
UNARY(exp, exp(x))
UNARY(erf, erf(x))
UNARY(floor, floor(x))
UNARY(identity, x)
UNARY(log, log(x))
UNARY(log1p, log1p(x))
UNARY(neg, -x)
UNARY(reciprocal, 1 / x)
UNARY(relu, fmax(x, 0))
UNARY(relu6, fmin(fmax(x, 0), 6))
UNARY(round, rint(x))
UNARY(rsqrt, 1 / sqrt(x))
UNARY(sigmoid, 1 / (1 + exp(-x)))
UNARY(sign, (double)((x > 0) - (x < 0)))
UNARY(silu, x / (1 + exp(-x)))
UNARY(sin, sin(x))
UNARY(softplus, fmax(x, 0) + log1p(exp(-fabs(x))))
UNARY(sqrt, sqrt(x))
UNARY(square, x *x)
UNARY(tanh, tanh(x))
UNARY(hardswish, x *fmin(fmax(x + 3, 0), 6) / 6)
UNARY(gelu, x *(1 + erf(x / sqrt(2))) / 2)
UNARY(tanhgelu, x *(1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))) / 2)
UNARY(elu, x > 0 ? x : p->alpha * expm1(x))
UNARY(leakyrelu, x > 0 ? x : p->alpha * x)
UNARY(hardsigmoid, fmin(fmax(p->alpha *x + p->beta, 0), 1))
UNARY(quickgelu, x / (1 + exp(-p->alpha * x)))
typedef double unary_fn(double x, const parameters *p);

static const struct {
    const char *name;
    unary_fn *function;
    parameters usual; /* of the attributes alpha and beta */
} unary[] = {
    {"abs", do_abs, {0, 0}},
    {"ceil", do_ceil, {0, 0}},
    {"cos", do_cos, {0, 0}},
    {"exp", do_exp, {0, 0}},
    {"erf", do_erf, {0, 0}},
    {"floor", do_floor, {0, 0}},
    {"identity", do_identity, {0, 0}},
    {"log", do_log, {0, 0}},
    {"log1p", do_log1p, {0, 0}},
    {"neg", do_neg, {0, 0}},
    {"negative", do_neg, {0, 0}},
    {"reciprocal", do_reciprocal, {0, 0}},
    {"relu", do_relu, {0, 0}},
    {"relu6", do_relu6, {0, 0}},
    {"round", do_round, {0, 0}},
    {"rsqrt", do_rsqrt, {0, 0}},
    {"sigmoid", do_sigmoid, {0, 0}},
    {"logistic", do_sigmoid, {0, 0}},
    {"sign", do_sign, {0, 0}},
    {"silu", do_silu, {0, 0}},
    {"swish", do_silu, {0, 0}},
    {"sin", do_sin, {0, 0}},
    {"softplus", do_softplus, {0, 0}},
    {"sqrt", do_sqrt, {0, 0}},
    {"square", do_square, {0, 0}},
    {"tanh", do_tanh, {0, 0}},
    {"hardswish", do_hardswish, {0, 0}},
    {"gelu", do_gelu, {0, 0}},
    {"elu", do_elu, {1, 0}},
    {"leakyrelu", do_leakyrelu, {0.01, 0}},
    {"hardsigmoid", do_hardsigmoid, {0.2, 0.5}},
    {"quickgelu", do_quickgelu, {1.702, 0}},
};

static bool apply_unary(unary_fn *function, const parameters *p, const xr_array *in, xr_array *out)
{
    if (!xr_array_make(out, in->rank, in->shape))
        return false;
    for (uint64_t i = 0; i < in->count; i++)
        out->value[i] = (float)function(in->value[i], p);
    return true;
}

/* ---- Of two values ---- */

BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, a / b)
BINARY(pow, pow(a, b))
BINARY(maximum, fmax(a, b))
BINARY(minimum, fmin(a, b))
BINARY(squareddifference, (a - b) * (a - b))
BINARY(prelu, a > 0 ? a : a * b)
BINARY(equal, a == b)
BINARY(greater, a > b)
BINARY(greaterequal, a >= b)
BINARY(less, a < b)
BINARY(lessequal, a <= b)
BINARY(biasgelu, (a + b) * (1 + erf((a + b) / sqrt(2))) / 2)
typedef double binary_fn(double a, double b);

static const struct {
    const char *name;
    binary_fn *function;
} binary[] = {
    {"add", do_add},
    {"addv2", do_add},
    {"sum", do_add},
    {"sub", do_sub},
    {"subtract", do_sub},
    {"mul", do_mul},
    {"multiply", do_mul},
    {"div", do_div},
    {"divide", do_div},
    {"pow", do_pow},
    {"maximum", do_maximum},
    {"max", do_maximum},
    {"minimum", do_minimum},
    {"min", do_minimum},
    {"squareddifference", do_squareddifference},
    {"prelu", do_prelu},
    {"equal", do_equal},
    {"greater", do_greater},
    {"greaterequal", do_greaterequal},
    {"greaterorequal", do_greaterequal},
    {"less", do_less},
    {"lessequal", do_lessequal},
    {"lessorequal", do_lessequal},
    {"biasgelu", do_biasgelu},
};

/* Where an array has the element of a place in a broadcast shape. */
static uint64_t place_in(const xr_array *a, uint32_t rank, const int64_t *at)
{
    uint64_t place = 0;
    for (uint32_t d = rank - a->rank; d < rank; d++) {
        int64_t size = a->shape[d - (rank - a->rank)];
        place = place * (uint64_t)size + (size == 1 ? 0 : (uint64_t)at[d]);
    }
    return place;
}

static void next_place(uint32_t rank, const int64_t *shape, int64_t *at)
{
    for (uint32_t d = rank; d-- > 0;) {
        if (++at[d] < shape[d])
            return;
        at[d] = 0;
    }
}

static bool apply_binary(binary_fn *function, const xr_array *a, const xr_array *b, xr_array *out)
{
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK], at[EXRAY_MAX_RANK] = {0};
    if (!b->value || !xr_broadcast_shape(a, b, &rank, shape) || !xr_array_make(out, rank, shape))
        return false;
    for (uint64_t i = 0; i < out->count; i++) {
        out->value[i] = (float)function(a->value[place_in(a, rank, at)], b->value[place_in(b, rank, at)]);
        next_place(rank, shape, at);
    }
    return true;
}

/* ---- Others ---- */

/* The limits are inputs, or attributes in older operator sets. */
static bool apply_clip(const exray_node *node, const xr_array *in, uint32_t count, xr_array *out)
{
    double low = xr_function_number(node, "min", -INFINITY), high = xr_function_number(node, "max", INFINITY);
    if (count > 1 && in[1].count == 1 && in[1].value)
        low = in[1].value[0];
    if (count > 2 && in[2].count == 1 && in[2].value)
        high = in[2].value[0];
    if (!xr_array_make(out, in->rank, in->shape))
        return false;
    for (uint64_t i = 0; i < in->count; i++)
        out->value[i] = (float)fmin(fmax(in->value[i], low), high);
    return true;
}

/* Where the first input is true the second's value, else the third's. */
static bool apply_where(const xr_array *in, xr_array *out)
{
    xr_array both = {0};
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK], at[EXRAY_MAX_RANK] = {0};
    if (!in[1].value || !in[2].value || !xr_broadcast_shape(&in[1], &in[2], &rank, shape))
        return false;
    both.rank = rank;
    memcpy(both.shape, shape, sizeof shape);
    if (!xr_broadcast_shape(&in[0], &both, &rank, shape) || !xr_array_make(out, rank, shape))
        return false;
    for (uint64_t i = 0; i < out->count; i++) {
        const xr_array *from = in[0].value[place_in(&in[0], rank, at)] != 0 ? &in[1] : &in[2];
        out->value[i] = from->value[place_in(from, rank, at)];
        next_place(rank, shape, at);
    }
    return true;
}

static unary_fn *find_unary(const char *name, const exray_node *node, parameters *p)
{
    const char *kind = exray_node_attribute(node, "approximate");
    if (strcmp(name, "gelu") == 0 && kind && (strcmp(kind, "tanh") == 0 || strcmp(kind, "true") == 0))
        return do_tanhgelu;
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++)
        if (strcmp(name, unary[i].name) == 0) {
            *p = (parameters){xr_function_number(node, "alpha", unary[i].usual.alpha),
                              xr_function_number(node, "beta", unary[i].usual.beta)};
            return unary[i].function;
        }
    return NULL;
}

bool xr_function_pointwise(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                           xr_array *out)
{
    parameters p = {0, 0};
    unary_fn *function = find_unary(name, node, &p);
    if (function)
        return apply_unary(function, &p, in, out);
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        if (strcmp(name, binary[i].name) == 0)
            return count == 2 && apply_binary(binary[i].function, &in[0], &in[1], out);
    if (strcmp(name, "clip") == 0)
        return apply_clip(node, in, count, out);
    if (strcmp(name, "where") == 0 || strcmp(name, "selectv2") == 0)
        return count == 3 && apply_where(in, out);
    return false;
}
