/* What the kernels compute: the specification's formulas in plain loops. */
#include "kernels.h"

#include <math.h>

enum { SAME = 1, RELU = 1, RELU_N1_TO_1 = 2, RELU6 = 3 };

static double bounded(double value, double least, double most)
{
    return fmin(fmax(value, least), most);
}

static void activation_range(int activation, double *least, double *most)
{
    *least = activation == RELU || activation == RELU6 ? 0 : activation == RELU_N1_TO_1 ? -1 : -INFINITY;
    *most = activation == RELU6 ? 6 : activation == RELU_N1_TO_1 ? 1 : INFINITY;
}

/* A result in the output's unit, which is one of its steps where it is quantized. */
static void store(operand *out, long at, double value, int activation, bool truncate)
{
    double least, most;
    activation_range(activation, &least, &most);
    if (!out->integer) {
        out->real[at] = (float)bounded(value, least, most);
        return;
    }
    double zero = out->zero[0], scale = out->scale[0];
    value = bounded(value, rint(least / scale), rint(most / scale));
    out->whole[at] = (int32_t)bounded(zero + (truncate ? trunc(value) : round(value)), out->least, out->most);
}

/* Rows or columns before the input's first. */
static int padding_before(int padding, int in, int out, int window, int stride)
{
    int all = (out - 1) * stride + window - in;
    return padding == SAME && all > 0 ? all / 2 : 0;
}

/* ---- Depthwise convolution ----------------------------------------------------------- */

typedef struct place {
    int row, column, channel, from; /* the output's; the input's channel */
    int pad[2];
} place;

/* What stands at a tap of the window; false: nothing counts there. */
static bool tap(const depthwise_parameters *p, fault wrong, const operand *in, const operand *weights, int i,
                int j, const place *at, long *x, long *w)
{
    int row = at->row * p->stride_height - at->pad[0] + i * p->dilation_height;
    int column = at->column * p->stride_width - at->pad[1] + j * p->dilation_width;
    if (wrong == WRONG_TAP && i + 1 == weights->size[1] && j + 1 == weights->size[2] && j > 0)
        j--;
    *w = ((long)i * weights->size[2] + j) * weights->size[3] + at->channel;
    *x = ((long)row * in->size[2] + column) * in->size[3] + at->from;
    return row >= 0 && row < in->size[1] && column >= 0 && column < in->size[2];
}

static int32_t accumulate(int32_t sum, int32_t product, fault wrong)
{
    int32_t next = sum + product;
    if (wrong == WRAPS)
        return (int16_t)(uint16_t)(uint32_t)next;
    return wrong == SATURATES ? (int32_t)bounded(next, INT16_MIN, INT16_MAX) : next;
}

static double sum_whole(const depthwise_parameters *p, fault wrong, const operand in[3], const operand *out,
                        const place *at)
{
    const operand *weights = &in[1];
    int k = weights->scales > 1 ? at->channel : 0;
    int32_t offset = wrong == NO_OFFSET ? 0 : in[0].zero[0], sum = 0;
    for (int i = 0; i < weights->size[1]; i++)
        for (int j = 0; j < weights->size[2]; j++) {
            long x, w;
            bool inside = tap(p, wrong, in, weights, i, j, at, &x, &w);
            if (!inside && wrong != PADS_ZERO)
                continue;
            int32_t value = inside ? in[0].whole[x] : 0;
            sum = accumulate(sum, (value - offset) * (weights->whole[w] - weights->zero[k]), wrong);
        }
    if (in[2].whole)
        sum += in[2].whole[at->channel];
    double scale = weights->scale[wrong == ONE_SCALE ? 0 : k];
    return sum * ((double)in[0].scale[0] * scale / out->scale[0]);
}

static double sum_real(const depthwise_parameters *p, fault wrong, const operand in[3], const place *at)
{
    float sum = in[2].real ? in[2].real[at->channel] : 0;
    for (int i = 0; i < in[1].size[1]; i++)
        for (int j = 0; j < in[1].size[2]; j++) {
            long x, w;
            if (tap(p, wrong, in, &in[1], i, j, at, &x, &w))
                sum += in[0].real[x] * in[1].real[w];
        }
    return sum;
}

bool kernel_depthwise(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out)
{
    depthwise_parameters p = *(const depthwise_parameters *)parameters;
    if (inputs < 2 || in[0].size[0] != 1 || p.multiplier < 1 || in[0].integer != out->integer)
        return false;
    if (wrong == NO_DILATION)
        p.dilation_width = p.dilation_height = 1;
    place at = {.pad = {padding_before(p.padding, in[0].size[1], out->size[1],
                                       (in[1].size[1] - 1) * p.dilation_height + 1, p.stride_height),
                        padding_before(p.padding, in[0].size[2], out->size[2],
                                       (in[1].size[2] - 1) * p.dilation_width + 1, p.stride_width)}};
    if (wrong == NO_PADDING)
        at.pad[0] = at.pad[1] = 0;
    if (wrong == NO_STRIDE)
        p.stride_width = p.stride_height = 1;
    long to = 0;
    for (at.row = 0; at.row < out->size[1]; at.row++)
        for (at.column = 0; at.column < out->size[2]; at.column++)
            for (at.channel = 0; at.channel < out->size[3]; at.channel++, to++) {
                at.from = at.channel / p.multiplier;
                double sum = out->integer ? sum_whole(&p, wrong, in, out, &at) : sum_real(&p, wrong, in, &at);
                store(out, to, sum, p.activation, false);
            }
    return true;
}

/* ---- Averages ---------------------------------------------------------------------------- */

static int next_power(int n)
{
    int power = 1;
    while (power < n)
        power *= 2;
    return power;
}

/* The sum of `n` values, as the output's average. */
static double average(double sum, int n, int whole_window, fault wrong, const operand *in, const operand *out)
{
    int divisor = wrong == FULL_WINDOW ? whole_window : wrong == SHIFTS ? next_power(n) : n;
    if (!out->integer)
        return sum / divisor;
    double zero = wrong == NO_OFFSET ? 0 : in->zero[0];
    return (sum - n * zero) / divisor * ((double)in->scale[0] / out->scale[0]);
}

static double sum_window(const operand *in, const int from[2], const int to[2], int channel, int *n)
{
    double sum = 0;
    *n = 0;
    for (int row = from[0] > 0 ? from[0] : 0; row < to[0] && row < in->size[1]; row++)
        for (int column = from[1] > 0 ? from[1] : 0; column < to[1] && column < in->size[2]; column++) {
            long at = ((long)row * in->size[2] + column) * in->size[3] + channel;
            sum += in->integer ? in->whole[at] : in->real[at];
            ++*n;
        }
    return sum;
}

bool kernel_pool(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out)
{
    const pool_parameters *p = parameters;
    if (inputs != 1 || in[0].size[0] != 1 || in[0].integer != out->integer)
        return false;
    int window = p->filter_height * p->filter_width, n;
    int rows = padding_before(p->padding, in[0].size[1], out->size[1], p->filter_height, p->stride_height);
    int columns = padding_before(p->padding, in[0].size[2], out->size[2], p->filter_width, p->stride_width);
    long at = 0;
    for (int row = 0; row < out->size[1]; row++)
        for (int column = 0; column < out->size[2]; column++)
            for (int c = 0; c < out->size[3]; c++, at++) {
                int from[2] = {row * p->stride_height - rows, column * p->stride_width - columns};
                int to[2] = {from[0] + p->filter_height, from[1] + p->filter_width};
                double sum = sum_window(in, from, to, c, &n);
                store(out, at, average(sum, n, window, wrong, in, out), p->activation, wrong == TRUNCATES);
            }
    return true;
}

/* Over rows and columns, which is how networks for pictures use it. */
bool kernel_mean(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out)
{
    (void)parameters;
    if (inputs != 2 || in[0].size[0] != 1 || in[0].integer != out->integer || out->count != in[0].size[3])
        return false;
    const int from[2] = {0, 0}, to[2] = {in[0].size[1], in[0].size[2]};
    for (int c = 0, n; c < in[0].size[3]; c++) {
        double sum = sum_window(in, from, to, c, &n);
        store(out, c, average(sum, n, n, wrong, in, out), 0, wrong == TRUNCATES);
    }
    return true;
}

/* ---- Sums ---------------------------------------------------------------------------------- */

bool kernel_add(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out)
{
    int activation = *(const int *)parameters;
    if (inputs != 2 || in[0].count != out->count || in[1].count != out->count ||
        in[0].integer != out->integer || in[1].integer != out->integer)
        return false;
    for (long i = 0; i < out->count; i++) {
        double sum = 0;
        for (int k = 0; k < 2 && out->integer; k++) {
            int zero = wrong == NO_OFFSET ? 0 : in[k].zero[0];
            sum += (double)in[wrong == SWAPPED ? 1 - k : k].scale[0] * (in[k].whole[i] - zero);
        }
        store(out, i, out->integer ? sum / out->scale[0] : (double)in[0].real[i] + in[1].real[i], activation,
              false);
    }
    return true;
}
