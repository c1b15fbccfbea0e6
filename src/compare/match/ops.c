#include "compare/match/ops.h"

#include <stdlib.h>
#include <string.h>

typedef struct op_entry {
    const char *name; /* as exray_node_plain_op makes it */
    xr_op op;
} op_entry;

/* Names of TensorFlow Lite's builtin operators, ONNX's, ONNX Runtime's own, and of PyTorch's
 * and Keras's modules and functions. */
static const op_entry table[] = {
    {"conv2d", {XR_OP_CONV, 0}},
    {"conv", {XR_OP_CONV, 0}},
    {"convinteger", {XR_OP_CONV, 0}},
    {"conv1d", {XR_OP_CONV, 0}},
    {"conv3d", {XR_OP_CONV, 0}},
    {"depthwiseconv1d", {XR_OP_DEPTHWISE, 0}},
    {"depthwiseconv2d", {XR_OP_DEPTHWISE, 0}},
    {"transposeconv", {XR_OP_TRANSPOSE_CONV, 0}},
    {"convtranspose", {XR_OP_TRANSPOSE_CONV, 0}},
    {"convolution2dtransposebias", {XR_OP_TRANSPOSE_CONV, 0}},
    {"fullyconnected", {XR_OP_DENSE, 0}},
    {"batchmatmul", {XR_OP_DENSE, 0}},
    {"gemm", {XR_OP_DENSE, 0}},
    {"qgemm", {XR_OP_DENSE, 0}},
    {"dynamicquantizematmul", {XR_OP_DENSE, 0}},
    {"gemmactivation", {XR_OP_DENSE, 0}},
    {"matmul", {XR_OP_DENSE, 0}},
    {"matmulinteger", {XR_OP_DENSE, 0}},
    {"matmulintegertofloat", {XR_OP_DENSE, 0}},
    {"matmulnbits", {XR_OP_DENSE, 0}},
    {"add", {XR_OP_ADD, 0}},
    {"sub", {XR_OP_SUB, 0}},
    {"mul", {XR_OP_MUL, 0}},
    {"div", {XR_OP_DIV, 0}},
    {"averagepool2d", {XR_OP_POOL_AVERAGE, 0}},
    {"averagepool", {XR_OP_POOL_AVERAGE, 0}},
    {"globalaveragepool", {XR_OP_POOL_AVERAGE, 0}},
    {"mean", {XR_OP_POOL_AVERAGE, 0}},
    {"reducemean", {XR_OP_POOL_AVERAGE, 0}},
    {"maxpool2d", {XR_OP_POOL_MAX, 0}},
    {"maxpool", {XR_OP_POOL_MAX, 0}},
    {"globalmaxpool", {XR_OP_POOL_MAX, 0}},
    {"reducemax", {XR_OP_POOL_MAX, 0}},
    {"concatenation", {XR_OP_CONCAT, 0}},
    {"concat", {XR_OP_CONCAT, 0}},
    {"softmax", {XR_OP_SOFTMAX, 0}},
    {"logsoftmax", {XR_OP_SOFTMAX, 0}},
    {"resizebilinear", {XR_OP_RESIZE, 0}},
    {"resizenearestneighbor", {XR_OP_RESIZE, 0}},
    {"resize", {XR_OP_RESIZE, 0}},
    {"upsample", {XR_OP_RESIZE, 0}},
    {"pad", {XR_OP_PAD, 0}},
    {"padv2", {XR_OP_PAD, 0}},
    {"mirrorpad", {XR_OP_PAD, 0}},
    {"batchnormalization", {XR_OP_NORMALIZATION, 0}},
    {"relu", {XR_OP_ACTIVATION, XR_ACTIVATION_RELU}},
    {"relu6", {XR_OP_ACTIVATION, XR_ACTIVATION_CLIP}},
    {"relun1to1", {XR_OP_ACTIVATION, XR_ACTIVATION_CLIP}},
    {"relu0to1", {XR_OP_ACTIVATION, XR_ACTIVATION_CLIP}},
    {"clip", {XR_OP_ACTIVATION, XR_ACTIVATION_CLIP}},
    {"logistic", {XR_OP_ACTIVATION, XR_ACTIVATION_SIGMOID}},
    {"sigmoid", {XR_OP_ACTIVATION, XR_ACTIVATION_SIGMOID}},
    {"tanh", {XR_OP_ACTIVATION, XR_ACTIVATION_TANH}},
    {"hardswish", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"hardsigmoid", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"leakyrelu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"prelu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"elu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"selu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"gelu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"biasgelu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"quickgelu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"softplus", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"quantize", {XR_OP_CONVERSION, 0}},
    {"dequantize", {XR_OP_CONVERSION, 0}},
    {"cast", {XR_OP_CONVERSION, 0}},
    {"quantizelinear", {XR_OP_CONVERSION, 0}},
    {"dequantizelinear", {XR_OP_CONVERSION, 0}},
    {"dynamicquantizelinear", {XR_OP_CONVERSION, 0}},
    {"fakequant", {XR_OP_CONVERSION, 0}},
    {"reshape", {XR_OP_SHAPE, 0}},
    {"squeeze", {XR_OP_SHAPE, 0}},
    {"unsqueeze", {XR_OP_SHAPE, 0}},
    {"expanddims", {XR_OP_SHAPE, 0}},
    {"flatten", {XR_OP_SHAPE, 0}},
    {"transpose", {XR_OP_SHAPE, 0}},
    {"identity", {XR_OP_SHAPE, 0}},
    {"dropout", {XR_OP_SHAPE, 0}},
    {"reorderinput", {XR_OP_SHAPE, 0}},
    {"reorderoutput", {XR_OP_SHAPE, 0}},
    {"convtranspose2d", {XR_OP_TRANSPOSE_CONV, 0}},
    {"conv2dtranspose", {XR_OP_TRANSPOSE_CONV, 0}},
    {"convtranspose1d", {XR_OP_TRANSPOSE_CONV, 0}},
    {"conv1dtranspose", {XR_OP_TRANSPOSE_CONV, 0}},
    {"linear", {XR_OP_DENSE, 0}},
    {"dense", {XR_OP_DENSE, 0}},
    {"bmm", {XR_OP_DENSE, 0}},
    {"iadd", {XR_OP_ADD, 0}},
    {"subtract", {XR_OP_SUB, 0}},
    {"isub", {XR_OP_SUB, 0}},
    {"multiply", {XR_OP_MUL, 0}},
    {"imul", {XR_OP_MUL, 0}},
    {"truediv", {XR_OP_DIV, 0}},
    {"divide", {XR_OP_DIV, 0}},
    {"avgpool2d", {XR_OP_POOL_AVERAGE, 0}},
    {"adaptiveavgpool2d", {XR_OP_POOL_AVERAGE, 0}},
    {"averagepooling2d", {XR_OP_POOL_AVERAGE, 0}},
    {"globalaveragepooling2d", {XR_OP_POOL_AVERAGE, 0}},
    {"avgpool1d", {XR_OP_POOL_AVERAGE, 0}},
    {"adaptiveavgpool1d", {XR_OP_POOL_AVERAGE, 0}},
    {"averagepooling1d", {XR_OP_POOL_AVERAGE, 0}},
    {"globalaveragepooling1d", {XR_OP_POOL_AVERAGE, 0}},
    {"maxpool1d", {XR_OP_POOL_MAX, 0}},
    {"adaptivemaxpool1d", {XR_OP_POOL_MAX, 0}},
    {"maxpooling1d", {XR_OP_POOL_MAX, 0}},
    {"globalmaxpooling1d", {XR_OP_POOL_MAX, 0}},
    {"adaptivemaxpool2d", {XR_OP_POOL_MAX, 0}},
    {"maxpooling2d", {XR_OP_POOL_MAX, 0}},
    {"globalmaxpooling2d", {XR_OP_POOL_MAX, 0}},
    {"cat", {XR_OP_CONCAT, 0}},
    {"concatenate", {XR_OP_CONCAT, 0}},
    {"interpolate", {XR_OP_RESIZE, 0}},
    {"upsampling1d", {XR_OP_RESIZE, 0}},
    {"upsampling2d", {XR_OP_RESIZE, 0}},
    {"resizing", {XR_OP_RESIZE, 0}},
    {"zeropad2d", {XR_OP_PAD, 0}},
    {"zeropadding1d", {XR_OP_PAD, 0}},
    {"zeropadding2d", {XR_OP_PAD, 0}},
    {"batchnorm1d", {XR_OP_NORMALIZATION, 0}},
    {"batchnorm2d", {XR_OP_NORMALIZATION, 0}},
    {"batchnorm", {XR_OP_NORMALIZATION, 0}},
    {"silu", {XR_OP_ACTIVATION, XR_ACTIVATION_OTHER}},
    {"view", {XR_OP_SHAPE, 0}},
    {"permute", {XR_OP_SHAPE, 0}},
    {"dropout2d", {XR_OP_SHAPE, 0}},
    {"shape", {XR_OP_CONSTANT, 0}},
    {"constant", {XR_OP_CONSTANT, 0}},
    {"lstm", {XR_OP_LSTM, 0}},
    {"dynamicquantizelstm", {XR_OP_LSTM, 0}},
    {"unidirectionalsequencelstm", {XR_OP_LSTM, 0}},
    {"bidirectionalsequencelstm", {XR_OP_LSTM, 0}},
};

enum { NAME_SIZE = 64 };

xr_op xr_op_of(const exray_node *node)
{
    char name[NAME_SIZE];
    if (node->op && strstr(node->op, "elegate"))
        return (xr_op){XR_OP_PARTITION, 0};
    exray_node_plain_op(node->op, name, sizeof name);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(name, table[i].name) == 0) {
            xr_op op = table[i].op;
            const char *group = op.kind == XR_OP_CONV ? exray_node_attribute(node, "group") : NULL;
            if (group && strtol(group, NULL, 10) > 1)
                op.kind = XR_OP_DEPTHWISE; /* or a grouped one: ONNX has one operator for all */
            return op;
        }
    return (xr_op){XR_OP_OTHER, XR_ACTIVATION_NONE};
}

xr_op_kind xr_last_kind(const exray_node *node, xr_op_kind kind)
{
    const char *activation = exray_node_attribute(node, "activation");
    return activation && strcmp(activation, "softmax") == 0 ? XR_OP_SOFTMAX : kind;
}

xr_activation xr_fused_activation(const exray_node *node)
{
    static const char *const keys[] = {"fused_activation_function", "fused_activation", "activation"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = exray_node_attribute(node, keys[i]);
        if (!value)
            continue;
        if (!*value || strcmp(value, "NONE") == 0)
            return XR_ACTIVATION_NONE;
        xr_op op = xr_op_of(&(exray_node){.op = value});
        return op.kind == XR_OP_ACTIVATION ? op.activation : XR_ACTIVATION_OTHER;
    }
    /* Integer forms may apply theirs by the range of the stored type. */
    bool hidden = node->attribute_count == 0 || (node->op && strncmp(node->op, "QLinear", 7) == 0);
    return hidden ? XR_ACTIVATION_UNKNOWN : XR_ACTIVATION_NONE;
}

bool xr_same_op_name(const char *a, const char *b)
{
    char x[NAME_SIZE], y[NAME_SIZE];
    exray_node_plain_op(a, x, sizeof x);
    exray_node_plain_op(b, y, sizeof y);
    return *x && strcmp(x, y) == 0;
}
