#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "slow_kernels.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

enum { DEPTHWISE_CONV_2D = 4, CUSTOM = 32, VERSIONS = 7, PADDING_SAME = 1 };
enum { NO_ACTIVATION = 0, RELU = 1, RELU_N1_TO_1 = 2, RELU6 = 3 };

/* The name of the custom operator: written otherwise than the engine does, so that none of its own matches.
 */
static const char custom_name[] = "DepthwiseConv2D";

/* The engine's description of a kernel, as far as all versions agree on it. */
typedef struct registration {
    void *init, *free, *prepare;
    TfLiteStatus (*invoke)(TfLiteOpaqueContext *, TfLiteOpaqueNode *);
    const char *(*profiling_string)(const TfLiteOpaqueContext *, const TfLiteOpaqueNode *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *later[8]; /* NULL */
} registration;

/* The engine's parameters of a depthwise convolution. */
typedef struct depthwise {
    int padding, stride_width, stride_height, multiplier, activation, dilation_width, dilation_height;
} depthwise; /* a custom operator's options are the same, as bytes */

static struct {
    TfLiteOperator *(*OperatorCreate)(int code, const char *name, int version, void *user_data);
    void (*OperatorDelete)(TfLiteOperator *);
    void (*OperatorSetInvoke)(TfLiteOperator *, TfLiteStatus (*)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));
    void (*InterpreterOptionsAddOperator)(TfLiteInterpreterOptions *, TfLiteOperator *);
    void (*InterpreterOptionsAddBuiltinOp)(TfLiteInterpreterOptions *, int code, const registration *,
                                           int32_t from_version, int32_t to_version);
    TfLiteStatus (*OpaqueNodeGetCustomInitialData)(const TfLiteOpaqueNode *, const void **, int *);
    void *(*OpaqueNodeGetBuiltinData)(const TfLiteOpaqueNode *);
    const TfLiteOpaqueTensor *(*OpaqueNodeGetInput)(const TfLiteOpaqueContext *, const TfLiteOpaqueNode *,
                                                    int);
    TfLiteOpaqueTensor *(*OpaqueNodeGetOutput)(TfLiteOpaqueContext *, const TfLiteOpaqueNode *, int);
    void *(*OpaqueTensorData)(const TfLiteOpaqueTensor *);
    int32_t (*OpaqueTensorDim)(const TfLiteOpaqueTensor *, int32_t);
    int (*OpaqueTensorType)(const TfLiteOpaqueTensor *);
} api;
static TfLiteOperator *custom;
static int repeats;

/* One result.  The tensors' dimensions are asked for at every element, which is what
 * makes it slow. */
static float one(const depthwise *p, const TfLiteOpaqueTensor *const in[3], const int at[4], const int pad[2])
{
    const float *x = api.OpaqueTensorData(in[0]), *w = api.OpaqueTensorData(in[1]);
    float sum = in[2] ? ((const float *)api.OpaqueTensorData(in[2]))[at[3]] : 0;
    for (int i = 0; i < api.OpaqueTensorDim(in[1], 1); i++)
        for (int j = 0; j < api.OpaqueTensorDim(in[1], 2); j++) {
            int height = api.OpaqueTensorDim(in[0], 1), width = api.OpaqueTensorDim(in[0], 2);
            int channels = api.OpaqueTensorDim(in[0], 3);
            int row = at[1] * p->stride_height - pad[0] + i * p->dilation_height;
            int column = at[2] * p->stride_width - pad[1] + j * p->dilation_width;
            if (row < 0 || row >= height || column < 0 || column >= width)
                continue;
            sum += x[((at[0] * height + row) * width + column) * channels + at[3] / p->multiplier] *
                   w[(i * api.OpaqueTensorDim(in[1], 2) + j) * api.OpaqueTensorDim(in[1], 3) + at[3]];
        }
    switch (p->activation) {
    case RELU:
        return fmaxf(sum, 0);
    case RELU_N1_TO_1:
        return fminf(fmaxf(sum, -1), 1);
    case RELU6:
        return fminf(fmaxf(sum, 0), 6);
    default:
        return sum;
    }
}

/* Rows or columns before the input's first. */
static int padding_before(int in, int out, int kernel, int stride, int dilation)
{
    int all = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
    return all > 0 ? all / 2 : 0;
}

static bool read_parameters(const TfLiteOpaqueNode *node, depthwise *p)
{
    const void *bytes = api.OpaqueNodeGetBuiltinData(node);
    int size = sizeof *p;
    if (!bytes && api.OpaqueNodeGetCustomInitialData(node, &bytes, &size) != kTfLiteOk)
        return false;
    if (!bytes || size != (int)sizeof *p)
        return false;
    memcpy(p, bytes, sizeof *p);
    return p->multiplier > 0 && p->activation >= NO_ACTIVATION && p->activation <= RELU6;
}

static TfLiteStatus invoke(TfLiteOpaqueContext *context, TfLiteOpaqueNode *node)
{
    depthwise p;
    const TfLiteOpaqueTensor *const in[3] = {api.OpaqueNodeGetInput(context, node, 0),
                                             api.OpaqueNodeGetInput(context, node, 1),
                                             api.OpaqueNodeGetInput(context, node, 2)};
    TfLiteOpaqueTensor *out = api.OpaqueNodeGetOutput(context, node, 0);
    if (!read_parameters(node, &p) || !in[0] || !in[1] || !out ||
        api.OpaqueTensorType(in[0]) != XR_TFLITE_FLOAT32)
        return kTfLiteError;
    int size[4], pad[2] = {0, 0}, at[4];
    for (int i = 0; i < 4; i++)
        size[i] = api.OpaqueTensorDim(out, i);
    if (p.padding == PADDING_SAME) {
        pad[0] = padding_before(api.OpaqueTensorDim(in[0], 1), size[1], api.OpaqueTensorDim(in[1], 1),
                                p.stride_height, p.dilation_height);
        pad[1] = padding_before(api.OpaqueTensorDim(in[0], 2), size[2], api.OpaqueTensorDim(in[1], 2),
                                p.stride_width, p.dilation_width);
    }
    float *to = api.OpaqueTensorData(out);
    for (at[0] = 0; at[0] < size[0]; at[0]++)
        for (at[1] = 0; at[1] < size[1]; at[1]++)
            for (at[2] = 0; at[2] < size[2]; at[2]++)
                for (at[3] = 0; at[3] < size[3]; at[3]++, to++)
                    for (int i = 0; i < repeats; i++)
                        *to = one(&p, in, at, pad);
    return kTfLiteOk;
}

static const char *find(void *library)
{
    const struct {
        const char *name;
        void *to;
    } wanted[] = {
        {"TfLiteOperatorCreate", &api.OperatorCreate},
        {"TfLiteOperatorDelete", &api.OperatorDelete},
        {"TfLiteOperatorSetInvoke", &api.OperatorSetInvoke},
        {"TfLiteInterpreterOptionsAddOperator", &api.InterpreterOptionsAddOperator},
        {"TfLiteInterpreterOptionsAddBuiltinOp", &api.InterpreterOptionsAddBuiltinOp},
        {"TfLiteOpaqueNodeGetCustomInitialData", &api.OpaqueNodeGetCustomInitialData},
        {"TfLiteOpaqueNodeGetBuiltinData", &api.OpaqueNodeGetBuiltinData},
        {"TfLiteOpaqueNodeGetInput", &api.OpaqueNodeGetInput},
        {"TfLiteOpaqueNodeGetOutput", &api.OpaqueNodeGetOutput},
        {"TfLiteOpaqueTensorData", &api.OpaqueTensorData},
        {"TfLiteOpaqueTensorDim", &api.OpaqueTensorDim},
        {"TfLiteOpaqueTensorType", &api.OpaqueTensorType},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *address = dlsym(library ? library : RTLD_DEFAULT, wanted[i].name);
        if (!address)
            return wanted[i].name;
        memcpy(wanted[i].to, &address, sizeof address);
    }
    return NULL;
}

const char *slow_kernels_add(void *library, TfLiteInterpreterOptions *options, int repeat)
{
    const char *missing = find(library);
    if (missing)
        return missing;
    repeats = repeat;
    static const registration own = {.invoke = invoke, .builtin_code = DEPTHWISE_CONV_2D, .version = 1};
    api.InterpreterOptionsAddBuiltinOp(options, DEPTHWISE_CONV_2D, &own, 1, VERSIONS);
    custom = api.OperatorCreate(CUSTOM, custom_name, 1, NULL);
    api.OperatorSetInvoke(custom, invoke);
    api.InterpreterOptionsAddOperator(options, custom);
    return NULL;
}

void slow_kernels_free(void)
{
    if (custom)
        api.OperatorDelete(custom);
    custom = NULL;
}
