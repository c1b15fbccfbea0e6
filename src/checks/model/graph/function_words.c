/* A function by its name: known ones are tried, with the parameters that its values show. */
#include "checks/model/graph/pointwise.h"

#include <math.h>
#include <stdio.h>

/* Constants are stored as float32, and some are rounded further by exporters. */
#define SAME 2e-6

/* Past the largest float32, one side may say infinite and the other not. */
static bool same_limits(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || (a > 1e30 && b > 1e30) || (a < -1e30 && b < -1e30);
}

bool xr_same_function(const double *a, const double *b, const double *slack_a, const double *slack_b)
{
    for (int i = 0; i < XR_POINTS; i++) {
        bool finite = isfinite(a[i]) && isfinite(b[i]);
        if (!finite && !same_limits(a[i], b[i]))
            return false;
        double slack = (slack_a ? slack_a[i] : 0) + (slack_b ? slack_b[i] : 0);
        if (finite &&
            fabs(a[i] - b[i]) > SAME * (fabs(a[i]) + fabs(b[i])) + SAME * fmin(1, fabs(xr_points[i])) + slack)
            return false;
    }
    return true;
}

static double at(const double *value, double x)
{
    for (int i = 0; i < XR_POINTS; i++)
        if (xr_points[i] == x)
            return value[i];
    return NAN;
}

static bool is(const double *value, xr_pointwise p)
{
    double known[XR_POINTS];
    xr_operand x = {.value = xr_points};
    xr_pointwise_apply(&p, &x, 1, XR_POINTS, known);
    return xr_same_function(value, known, NULL, NULL);
}

bool xr_is_line(const double *value, double *factor, double *offset)
{
    double line[XR_POINTS];
    *offset = at(value, 0);
    *factor = at(value, 1) - *offset;
    for (int i = 0; i < XR_POINTS; i++)
        line[i] = *factor * xr_points[i] + *offset;
    return isfinite(*factor) && isfinite(*offset) && xr_same_function(value, line, NULL, NULL);
}

static bool line_words(const double *value, char *text, size_t size)
{
    double factor, offset;
    if (!xr_is_line(value, &factor, &offset))
        return false;
    if (factor == 1 && offset == 0)
        snprintf(text, size, "no function");
    else if (fabs(factor - 1) < SAME)
        snprintf(text, size, "x %c %.6g", offset < 0 ? '-' : '+', fabs(offset));
    else if (fabs(offset) < SAME)
        snprintf(text, size, "x * %.6g", factor);
    else
        snprintf(text, size, "%.6g x %c %.6g", factor, offset < 0 ? '-' : '+', fabs(offset));
    return true;
}

static bool fixed_words(const double *value, char *text, size_t size)
{
    static const struct {
        xr_pointwise p;
        const char *name;
    } known[] = {
        {{XR_PW_CLIP, 0, INFINITY, 1}, "ReLU"},
        {{XR_PW_CLIP, 0, 6, 1}, "ReLU6"},
        {{XR_PW_CLIP, -1, 1, 1}, "clip from -1 to 1 (RELU_N1_TO_1)"},
        {{XR_PW_SIGMOID, 0, 0, 1}, "sigmoid"},
        {{XR_PW_TANH, 0, 0, 1}, "tanh"},
        {{XR_PW_GELU, 0, 0, 1}, "GELU (erf)"},
        {{XR_PW_TANH_GELU, 0, 0, 1}, "tanh GELU"},
        {{XR_PW_GATED, 1.702, 0, 1}, "quick GELU (x * sigmoid(1.702 x))"},
        {{XR_PW_GATED, 1, 0, 1}, "SiLU (x * sigmoid(x))"},
        {{XR_PW_HARD_SWISH, 0, 0, 1}, "HardSwish"},
        {{XR_PW_MISH, 0, 0, 1}, "Mish"},
        {{XR_PW_TRUNCATE, 0, 0, 1}, "a cast to integers"},
        {{XR_PW_SOFTPLUS, 0, 0, 1}, "softplus"},
        {{XR_PW_SOFTSIGN, 0, 0, 1}, "softsign"},
        {{XR_PW_ERF, 0, 0, 1}, "erf"},
        {{XR_PW_EXP, 0, 0, 1}, "exp"},
        {{XR_PW_LOG, 0, 0, 1}, "log"},
        {{XR_PW_SQRT, 0, 0, 1}, "square root"},
        {{XR_PW_RSQRT, 0, 0, 1}, "1 / square root"},
        {{XR_PW_RECIPROCAL, 0, 0, 1}, "1 / x"},
        {{XR_PW_ABS, 0, 0, 1}, "abs"},
        {{XR_PW_SQUARE, 0, 0, 1}, "x * x"},
        {{XR_PW_ELU, 1.67326319217681884765625, 1.05070102214813232421875, 1}, "SELU"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is(value, known[i].p)) {
            snprintf(text, size, "%s", known[i].name);
            return true;
        }
    return false;
}

/* HardSigmoid: the line between its two flat ends. */
static bool hard_sigmoid_words(const double *value, char *text, size_t size)
{
    double beta = at(value, 0), alpha = (at(value, 0.1) - beta) / 0.1;
    if (!is(value, (xr_pointwise){XR_PW_HARD_SIGMOID, alpha, beta, 1}))
        return false;
    snprintf(text, size, "HardSigmoid with alpha %.6g, beta %.6g", alpha, beta);
    return true;
}

static void clip_words(double low, double high, char *text, size_t size)
{
    if (high == 1000)
        snprintf(text, size, "max(x, %.6g)", low);
    else if (low == -1000)
        snprintf(text, size, "min(x, %.6g)", high);
    else
        snprintf(text, size, "clip to %.6g...%.6g", low, high);
}

static bool parameter_words(const double *value, char *text, size_t size)
{
    double low = at(value, -1000), high = at(value, 1000), slope = -at(value, -1);
    if (is(value, (xr_pointwise){XR_PW_CLIP, low, high, 1}))
        clip_words(low, high, text, size);
    else if (is(value, (xr_pointwise){XR_PW_LEAKY, slope, 0, 1}))
        snprintf(text, size, "LeakyReLU with slope (alpha) %.6g", slope);
    else if (is(value, (xr_pointwise){XR_PW_ELU, -low, 1, 1}))
        snprintf(text, size, "ELU with alpha %.6g", -low);
    else if (hard_sigmoid_words(value, text, size))
        return true;
    else {
        double gate = at(value, 1);
        double k = gate > 0 && gate < 1 ? -log(1 / gate - 1) : NAN;
        if (isnan(k) || !is(value, (xr_pointwise){XR_PW_GATED, k, 0, 1}))
            return false;
        snprintf(text, size, "x * sigmoid(%.6g x)", k);
    }
    return true;
}

/* A root of x plus a small constant: what a normalization divides by. */
static bool root_words(const double *value, char *text, size_t size)
{
    double constant = value[58] * value[58] - xr_points[58],
           inverse = 1 / (value[58] * value[58]) - xr_points[58];
    double root[XR_POINTS], over[XR_POINTS];
    for (int i = 0; i < XR_POINTS; i++) {
        root[i] = sqrt(xr_points[i] + constant);
        over[i] = 1 / sqrt(xr_points[i] + inverse);
    }
    bool plain = constant > 0 && xr_same_function(value, root, NULL, NULL);
    if (!plain && !(inverse > 0 && xr_same_function(value, over, NULL, NULL)))
        return false;
    snprintf(text, size, "%ssquare root of x + %.3g (epsilon)", plain ? "" : "1 / ",
             plain ? constant : inverse);
    return true;
}

/* z with erf(z), or tanh(z), equal to `share`; NAN: there is none. */
static double inverse(double (*function)(double), double share)
{
    double low = -6, high = 6;
    if (!(fabs(share) < 1))
        return NAN;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (function(middle) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* A GELU with other numbers, and what they are in the usual one. */
static bool gelu_words(const double *value, char *text, size_t size)
{
    double factor = at(value, 1000) / 2000, made[XR_POINTS];
    double half = at(value, 0.55) / (0.55 * factor) - 1, one = at(value, 1) / factor - 1;
    double scale = inverse(erf, one), root, cube;
    if (!(fabs(factor) > 1e-6) || !isfinite(scale))
        return false;
    for (int i = 0; i < XR_POINTS; i++)
        made[i] = factor * xr_points[i] * (1 + erf(scale * xr_points[i]));
    if (xr_same_function(value, made, NULL, NULL)) {
        snprintf(text, size, "%.6g x (1 + erf(x / %.6g)), a GELU with other numbers than 0.5 and 1.41421",
                 factor, 1 / scale);
        return true;
    }
    /* atanh at two places: root (x + cube x^3). */
    double y1 = inverse(tanh, half) / 0.55, y2 = inverse(tanh, one);
    root = y1 - (y2 - y1) * 0.55 * 0.55 / (1 - 0.55 * 0.55);
    cube = (y2 - root) / root;
    for (int i = 0; i < XR_POINTS; i++) {
        double x = xr_points[i];
        made[i] = factor * x * (1 + tanh(root * (x + cube * x * x * x)));
    }
    if (!xr_same_function(value, made, NULL, NULL))
        return false;
    snprintf(text, size, "%.6g x (1 + tanh(%.6g (x + %.6g x^3))) (tanh GELU has 0.5, 0.797885 and 0.044715)",
             factor, root, cube);
    return true;
}

static double logit(double share)
{
    return log(share / (1 - share));
}

/* exp, sigmoid or tanh of a line. */
static bool of_line_words(const double *value, char *text, size_t size)
{
    static const struct {
        xr_pointwise_op op;
        double (*inverse)(double);
        const char *name;
    } known[] = {{XR_PW_EXP, log, "exp"}, {XR_PW_SIGMOID, logit, "sigmoid"}, {XR_PW_TANH, atanh, "tanh"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double offset = known[i].inverse(at(value, 0)), factor = known[i].inverse(at(value, 1)) - offset;
        double line[XR_POINTS], made[XR_POINTS];
        for (int k = 0; k < XR_POINTS; k++)
            line[k] = factor * xr_points[k] + offset;
        const xr_operand x = {.value = line};
        xr_pointwise_apply(&(xr_pointwise){known[i].op, 0, 0, 1}, &x, 1, XR_POINTS, made);
        if (!isfinite(factor) || !isfinite(offset) || !xr_same_function(value, made, NULL, NULL))
            continue;
        if (known[i].op == XR_PW_EXP && fabs(offset) >= SAME)
            snprintf(text, size, "%.6g exp(%.6g x)", exp(offset), factor);
        else if (fabs(offset) >= SAME)
            snprintf(text, size, "%s(%.6g x %c %.6g)", known[i].name, factor, offset < 0 ? '-' : '+',
                     fabs(offset));
        else
            snprintf(text, size, "%s(%.6g x)", known[i].name, factor);
        return true;
    }
    return false;
}

bool xr_function_words(const double *value, char *text, size_t size)
{
    if (line_words(value, text, size) || fixed_words(value, text, size) ||
        parameter_words(value, text, size) || root_words(value, text, size) ||
        gelu_words(value, text, size) || of_line_words(value, text, size))
        return true;
    snprintf(text, size, "another function");
    return false;
}
