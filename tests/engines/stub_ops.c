#include "stub_ops.h"

#include <math.h>
#include <string.h>

enum { PADDING_SAME = 1 };
enum { NO_ACTIVATION = 0, RELU = 1, RELU_N1_TO_1 = 2, RELU6 = 3 };

static const struct {
    const char *name;
    int code, inputs;
} known[] = {
    {"ADD", STUB_ADD, 2},         {"AVERAGE_POOL_2D", STUB_AVERAGE_POOL_2D, 1},
    {"CONV_2D", STUB_CONV_2D, 3}, {"DEPTHWISE_CONV_2D", STUB_DEPTHWISE_CONV_2D, 3},
    {"RESHAPE", STUB_RESHAPE, 1}, /* the shape is the output's */
    {"SOFTMAX", STUB_SOFTMAX, 1},
};

int stub_op_code(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].code;
    return -1;
}

int stub_op_inputs(int code)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].inputs;
    return 0;
}

size_t stub_count(const stub_tensor *tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= (size_t)tensor->dims[i];
    return count;
}

/* ---- Parameters ------------------------------------------------------------------- */

static void set_convolution(stub_op *op, const int *options, bool depthwise)
{
    const int *rest = options + 3 + depthwise; /* the depth multiplier follows from the shapes */
    op->same = options[0] == PADDING_SAME;
    op->stride[0] = options[2];
    op->stride[1] = options[1];
    op->activation = rest[0];
    op->dilation[0] = rest[2];
    op->dilation[1] = rest[1];
    op->window[0] = op->inputs[1]->dims[1];
    op->window[1] = op->inputs[1]->dims[2];
}

static void set_pool(stub_op *op, const int *options)
{
    op->same = options[0] == PADDING_SAME;
    op->stride[0] = options[2];
    op->stride[1] = options[1];
    op->window[0] = options[4];
    op->window[1] = options[3];
    op->activation = options[5];
    op->dilation[0] = op->dilation[1] = 1;
}

static bool is_image(const stub_tensor *tensor)
{
    return tensor && tensor->rank == 4;
}

static bool same_shape(const stub_tensor *a, const stub_tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

bool stub_op_set(stub_op *op, const void *options)
{
    bool window = op->code == STUB_CONV_2D || op->code == STUB_DEPTHWISE_CONV_2D;
    for (int i = 0; i < op->input_count; i++)
        if (!op->inputs[i])
            return false;
    if ((!options && op->code != STUB_RESHAPE) || op->input_count < 1)
        return false;
    switch (op->code) {
    case STUB_ADD:
        op->activation = *(const int *)options;
        return op->input_count == 2 && same_shape(op->inputs[0], op->inputs[1]);
    case STUB_AVERAGE_POOL_2D:
        if (is_image(op->inputs[0]))
            set_pool(op, options);
        break;
    case STUB_CONV_2D:
    case STUB_DEPTHWISE_CONV_2D:
        if (op->input_count >= 2 && is_image(op->inputs[0]) && is_image(op->inputs[1]))
            set_convolution(op, options, op->code == STUB_DEPTHWISE_CONV_2D);
        break;
    case STUB_RESHAPE:
        return stub_count(op->inputs[0]) == stub_count(op->output);
    case STUB_SOFTMAX:
        op->beta = *(const float *)options;
        return op->output->rank > 0;
    default:
        return false;
    }
    return op->stride[0] > 0 && op->stride[1] > 0 && op->window[0] > 0 && op->window[1] > 0 &&
           (!window || (op->dilation[0] > 0 && op->dilation[1] > 0));
}

/* ---- Operators -------------------------------------------------------------------- */

static float activated(float value, int activation)
{
    switch (activation) {
    case RELU:
        return fmaxf(value, 0);
    case RELU_N1_TO_1:
        return fminf(fmaxf(value, -1), 1);
    case RELU6:
        return fminf(fmaxf(value, 0), 6);
    default:
        return value;
    }
}

/* Rows or columns of padding before the input's first. */
static int padding_before(const stub_op *op, int axis)
{
    int in = op->inputs[0]->dims[axis + 1], out = op->output->dims[axis + 1];
    int all = (out - 1) * op->stride[axis] + (op->window[axis] - 1) * op->dilation[axis] + 1 - in;
    return op->same && all > 0 ? all / 2 : 0;
}

/* Where in the input the window's element (i, j) is, at one output pixel: its first channel;
 * NULL: in the padding. */
static const float *pixel(const stub_op *op, const int at[3], const int pad[2], int i, int j)
{
    const int *dims = op->inputs[0]->dims;
    int row = at[1] * op->stride[0] - pad[0] + i * op->dilation[0];
    int column = at[2] * op->stride[1] - pad[1] + j * op->dilation[1];
    if (row < 0 || row >= dims[1] || column < 0 || column >= dims[2])
        return NULL;
    return op->inputs[0]->data +
           (((size_t)at[0] * (size_t)dims[1] + (size_t)row) * (size_t)dims[2] + (size_t)column) *
               (size_t)dims[3];
}

static float convolved(const stub_op *op, const int at[3], const int pad[2], int channel)
{
    const stub_tensor *filter = op->inputs[1];
    int depth = op->inputs[0]->dims[3];
    float sum = op->input_count > 2 ? op->inputs[2]->data[channel] : 0;
    for (int i = 0; i < op->window[0]; i++)
        for (int j = 0; j < op->window[1]; j++) {
            const float *x = pixel(op, at, pad, i, j);
            if (!x)
                continue;
            size_t tap = (size_t)(i * op->window[1] + j);
            if (op->code == STUB_DEPTHWISE_CONV_2D) {
                size_t channels = (size_t)filter->dims[3], multiplier = channels / (size_t)depth;
                sum += x[(size_t)channel / multiplier] * filter->data[tap * channels + (size_t)channel];
                continue;
            }
            const float *w =
                filter->data +
                ((size_t)channel * (size_t)(op->window[0] * op->window[1]) + tap) * (size_t)depth;
            for (int c = 0; c < depth; c++)
                sum += x[c] * w[c];
        }
    return sum;
}

static float pooled(const stub_op *op, const int at[3], const int pad[2], int channel)
{
    float sum = 0;
    int count = 0;
    for (int i = 0; i < op->window[0]; i++)
        for (int j = 0; j < op->window[1]; j++) {
            const float *x = pixel(op, at, pad, i, j);
            sum += x ? x[channel] : 0;
            count += x != NULL;
        }
    return count ? sum / (float)count : 0;
}

static void run_window(const stub_op *op)
{
    const int *dims = op->output->dims;
    int pad[2] = {padding_before(op, 0), padding_before(op, 1)}, at[3];
    float *to = op->output->data;
    for (at[0] = 0; at[0] < dims[0]; at[0]++)
        for (at[1] = 0; at[1] < dims[1]; at[1]++)
            for (at[2] = 0; at[2] < dims[2]; at[2]++)
                for (int channel = 0; channel < dims[3]; channel++)
                    *to++ = activated(op->code == STUB_AVERAGE_POOL_2D ? pooled(op, at, pad, channel)
                                                                       : convolved(op, at, pad, channel),
                                      op->activation);
}

static void run_softmax(const stub_op *op)
{
    size_t width = (size_t)op->output->dims[op->output->rank - 1], count = stub_count(op->output);
    for (size_t row = 0; row + width <= count && width; row += width) {
        const float *x = op->inputs[0]->data + row;
        float *y = op->output->data + row, most = x[0], sum = 0;
        for (size_t i = 0; i < width; i++)
            most = fmaxf(most, x[i]);
        for (size_t i = 0; i < width; i++)
            sum += y[i] = expf((x[i] - most) * op->beta);
        for (size_t i = 0; i < width; i++)
            y[i] /= sum;
    }
}

void stub_op_run(const stub_op *op)
{
    size_t count = stub_count(op->output);
    if (op->code == STUB_SOFTMAX)
        run_softmax(op);
    else if (op->code == STUB_RESHAPE)
        memcpy(op->output->data, op->inputs[0]->data, count * sizeof(float));
    else if (op->code == STUB_ADD)
        for (size_t i = 0; i < count; i++)
            op->output->data[i] = activated(op->inputs[0]->data[i] + op->inputs[1]->data[i], op->activation);
    else
        run_window(op);
}
