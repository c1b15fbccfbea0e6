"""Faults of one layer, made in a .tflite file: other weights, another range of its output,
another operator.  What a wrong export, a bad calibration or a damaged file leaves there.

A patch is `patch(file, node, parameter)`; it changes the file, or raises Impossible."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from model_files import FLOAT32, INT8, UINT8, read, write

OPS = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
ACTIVATION = schema.ActivationFunctionType
FLOAT16 = 1
KINDS = {FLOAT32: np.float32, FLOAT16: np.float16, UINT8: np.uint8, INT8: np.int8, 2: np.int32}
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


class Impossible(Exception):
    """This layer cannot have the fault."""


class File:
    """A model with the few questions that patches ask."""

    def __init__(self, path):
        self.model = read(path)
        self.graph = self.model.subgraphs[0]
        self.nodes = self.graph.operators

    def op(self, node):
        code = self.model.operatorCodes[node.opcodeIndex]
        return OPS[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def tensor(self, index):
        return self.graph.tensors[int(index)]

    def values(self, tensor):
        data = self.model.buffers[tensor.buffer].data
        if data is None:
            raise Impossible("no constant")
        return np.frombuffer(bytes(bytearray(data)), KINDS[tensor.type]).reshape(tensor.shape).copy()

    def put(self, tensor, values):
        """A buffer of its own: equal constants share one."""
        tensor.buffer = len(self.model.buffers)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values, KINDS[tensor.type]).tobytes(), np.uint8)
        self.model.buffers.append(buffer)

    def weights(self, node):
        if self.op(node) not in CONVOLUTIONS:
            raise Impossible("no weights")
        return self.tensor(node.inputs[1])

    def bias(self, node):
        return self.tensor(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] >= 0 else None

    def output(self, node):
        return self.tensor(node.outputs[0])

    def dequantize(self):
        """The number of that operator's code."""
        code = schema.OperatorCodeT()
        code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.DEQUANTIZE
        code.version = 3
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def readers(self, node):
        return [n for n in self.nodes if node.outputs[0] in list(n.inputs)]


def _need(condition, why="another kind of layer"):
    if not condition:
        raise Impossible(why)


# ---- Weights ---------------------------------------------------------------------------------


def _rounded(values, kind):
    if kind == np.float32:
        return values
    limits = np.iinfo(kind)
    return np.clip(np.round(values), -127 if kind == np.int8 else limits.min, limits.max)


def noisy(file, node, amount):
    tensor = file.weights(node)
    values = file.values(tensor)
    noise = np.random.default_rng(len(values)).normal(size=values.shape) * amount * values.std()
    file.put(tensor, _rounded(values + noise, values.dtype))


def transposed(file, node, _):
    """Rows and columns: of a square matrix, else of the kernel."""
    tensor = file.weights(node)
    values = file.values(tensor)
    if values.ndim == 4 and values.shape[1:3] == (1, 1) and values.shape[0] == values.shape[3]:
        file.put(tensor, values.transpose(3, 1, 2, 0))
        return
    _need(values.ndim == 4 and values.shape[1] == values.shape[2] > 1)
    file.put(tensor, values.transpose(0, 2, 1, 3))


def channels(file, node, shift):
    """The input's channels in another order; a depthwise layer has but one order."""
    tensor = file.weights(node)
    values = file.values(tensor)
    _need(values.shape[-1] > 2)
    file.put(tensor, values[..., ::-1] if shift == 0 else np.roll(values, shift, -1))


def scaled_bias(file, node, factor):
    bias = file.bias(node)
    _need(bias is not None)
    values = file.values(bias)
    _need(np.any(values))
    file.put(bias, np.round(values * factor) if bias.type != FLOAT32 else values * factor)


def dead(file, node, _):
    """Weights and biases are zero, as of a variable that was never loaded."""
    tensor = file.weights(node)
    zero = 0 if tensor.type == FLOAT32 else int(tensor.quantization.zeroPoint[0])
    file.put(tensor, np.full(tensor.shape, zero, KINDS[tensor.type]))
    if file.bias(node) is not None:
        file.put(file.bias(node), np.zeros(file.bias(node).shape))


def not_finite(file, node, value):
    tensor = file.weights(node)
    _need(tensor.type == FLOAT32)
    values = file.values(tensor)
    values.flat[values.size // 2] = value
    file.put(tensor, values)


def half(file, node, _):
    """Stored in 16 bits and read through a DEQUANTIZE, as converters do it: healthy."""
    tensor = file.weights(node)
    _need(tensor.type == FLOAT32)
    values = file.values(tensor)
    wide = schema.TensorT()
    wide.shape, wide.type, wide.buffer, wide.name = list(tensor.shape), FLOAT32, 0, tensor.name + b"_dequantize"
    tensor.type, tensor.quantization = FLOAT16, None
    file.put(tensor, values)
    file.graph.tensors.append(wide)
    op = schema.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = file.dequantize(), [int(node.inputs[1])], [len(file.graph.tensors) - 1]
    inputs = list(node.inputs)
    node.inputs = [inputs[0], len(file.graph.tensors) - 1, *inputs[2:]]
    file.nodes.insert(next(i for i, n in enumerate(file.nodes) if n is node), op)


def weight_zero_point(file, node, shift):
    tensor = file.weights(node)
    _need(tensor.type == UINT8)
    tensor.quantization.zeroPoint = np.array([int(tensor.quantization.zeroPoint[0]) + shift], np.int64)


def one_scale(file, node, spread):
    """Weights quantized per tensor, where channels differ that much at least."""
    tensor, bias = file.weights(node), file.bias(node)
    _need(tensor.type == INT8 and len(tensor.quantization.scale) > 1 and bias is not None)
    axis = tensor.quantization.quantizedDimension
    scale = np.asarray(tensor.quantization.scale, np.float64)
    _need(scale.max() > spread * scale.min(), "channels alike")
    across = [1] * len(tensor.shape)
    across[axis] = -1
    real = file.values(tensor) * scale.reshape(across)
    step = np.float32(scale.max())
    file.put(tensor, np.clip(np.round(real / step), -127, 127))
    tensor.quantization.scale, tensor.quantization.zeroPoint = np.array([step], np.float32), np.array([0], np.int64)
    old = np.asarray(bias.quantization.scale, np.float64)
    new = np.float32(float(file.tensor(node.inputs[0]).quantization.scale[0]) * step)
    file.put(bias, np.round(file.values(bias) * old / new))
    bias.quantization.scale, bias.quantization.zeroPoint = np.array([new], np.float32), np.array([0], np.int64)


# ---- The range of the output ------------------------------------------------------------------


def _rescalable(file, node):
    """Its readers take any scale."""
    tensor = file.output(node)
    _need(file.op(node) in (*CONVOLUTIONS, "ADD") and tensor.type in (UINT8, INT8))
    readers = file.readers(node)
    _need(readers and all(file.op(n) in (*CONVOLUTIONS, "ADD") for n in readers), "readers share the scale")
    return tensor, readers


def output_scale(file, node, factor):
    """Biases behind it are in its steps, as a converter makes them."""
    tensor, readers = _rescalable(file, node)
    tensor.quantization.scale = np.asarray(tensor.quantization.scale, np.float32) * np.float32(factor)
    for reader in readers:
        bias = file.bias(reader) if file.op(reader) != "ADD" else None
        if bias is not None:
            file.put(bias, np.round(file.values(bias) / factor))
            bias.quantization.scale = np.asarray(bias.quantization.scale, np.float32) * np.float32(factor)


def output_zero_point(file, node, shift):
    tensor, _ = _rescalable(file, node)
    limits = np.iinfo(KINDS[tensor.type])
    old = int(tensor.quantization.zeroPoint[0])
    new = old + shift if limits.min <= old + shift <= limits.max else old - shift
    _need(limits.min <= new <= limits.max)
    tensor.quantization.zeroPoint = np.array([new], np.int64)


# ---- The operator -------------------------------------------------------------------------------


def activation(file, node, change):
    before, after = change
    _need(getattr(node.builtinOptions, "fusedActivationFunction", None) == before)
    if before == ACTIVATION.NONE:
        _need(len(file.output(node).shape) == 4 and file.output(node).shape[1] > 1)
        tensor = file.output(node)
        if tensor.type != FLOAT32:  # its zero point is at the end of its range: it has one already
            limits = np.iinfo(KINDS[tensor.type])
            _need(int(tensor.quantization.zeroPoint[0]) > limits.min + 16)
    else:
        _need(file.output(node).type == FLOAT32, "its range does the same")
    node.builtinOptions.fusedActivationFunction = after


def dilation(file, node, rate):
    _need(file.op(node) == "DEPTHWISE_CONV_2D" and node.builtinOptions.strideH == 1 and node.builtinOptions.padding == 0)
    _need(file.tensor(node.inputs[0]).shape[1] > 2 * rate and node.builtinOptions.dilationHFactor == 1)
    node.builtinOptions.dilationHFactor = node.builtinOptions.dilationWFactor = rate


def pool_window(file, node, less):
    """A smaller window with a stride that leaves the shape alone."""
    _need(file.op(node) == "AVERAGE_POOL_2D" and file.output(node).shape[1] == 1)
    options = node.builtinOptions
    options.filterHeight -= less
    options.filterWidth -= less
    options.strideH = options.strideW = less + 1


def beta(file, node, value):
    _need(file.op(node) == "SOFTMAX")
    node.builtinOptions.beta = value


def corners(file, node, _):
    before, after = file.tensor(node.inputs[0]).shape, file.output(node).shape
    _need(file.op(node) == "RESIZE_BILINEAR" and before[1] > 1 and list(before) != list(after), "does nothing")
    node.builtinOptions.alignCorners = not node.builtinOptions.alignCorners
    node.builtinOptions.halfPixelCenters = False


def swapped(file, node, _):
    _need(file.op(node) in ("CONCATENATION", "SUB", "DIV") and len(node.inputs) == 2)
    _need(file.op(node) == "CONCATENATION" or list(file.tensor(node.inputs[0]).shape) == list(file.tensor(node.inputs[1]).shape))
    node.inputs = list(node.inputs)[::-1]


# ---- Files --------------------------------------------------------------------------------------


def candidates(source, patch, parameter):
    """Numbers of the nodes that can have it."""
    found, count = [], len(File(source).nodes)
    file = File(source)
    for n in range(count):
        try:
            patch(file, file.nodes[n], parameter)
        except (Impossible, KeyError, AttributeError):
            continue
        found.append(n)
    return found


def spread(nodes, count):
    """So many of them, from early to late ones."""
    return sorted({nodes[(2 * k + 1) * len(nodes) // (2 * count)] for k in range(count)}) if nodes else []


def patched(source, patch, parameter, node, out):
    file = File(source)
    patch(file, file.nodes[node], parameter)
    write(file.model, out)


def all_half(source, out):
    """Every layer's weights in 16 bits."""
    file = File(source)
    for node in list(file.nodes):
        try:
            half(file, node, 0)
        except (Impossible, KeyError):
            continue
    write(file.model, out)
