"""Small networks, and the TensorFlow Lite files of them: floats, or 8 bits by ranges that were
seen.  Names are the caller's; the operators are those of MobileNets, SSD and DeepLab."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_files import write

OP, TYPE, ACT = schema.BuiltinOperator, schema.TensorType, schema.ActivationFunctionType
TYPES = {np.dtype(np.float32): TYPE.FLOAT32, np.dtype(np.int32): TYPE.INT32, np.dtype(np.uint8): TYPE.UINT8,
         np.dtype(np.int8): TYPE.INT8}
WEIGHTED = (OP.CONV_2D, OP.DEPTHWISE_CONV_2D, OP.FULLY_CONNECTED)
SAME_SCALE = (OP.AVERAGE_POOL_2D, OP.RESHAPE, OP.SQUEEZE)  # what they make is in the steps of what they read
PROBABILITIES = (OP.SOFTMAX, OP.LOGISTIC)


@dataclass
class Tensor:
    name: str
    shape: tuple
    data: np.ndarray | None = None  # of a constant
    dtype: np.dtype = np.dtype(np.float32)
    scale: float = 0
    zero_point: int = 0


@dataclass
class Node:
    op: int
    inputs: list
    outputs: list
    options: object = None  # of the schema's union BuiltinOptions
    custom: tuple | None = None  # (name, flexbuffer)
    gain: float = 1  # of a convolution's results, for fit.normalize: deviation
    shift: float = 0  # and mean


def same(size, stride):
    return -(-size // stride)


@dataclass
class Net:
    """Nodes in the order that they run in.  Weights are drawn from the seed, as wide as what they read."""

    seed: int = 0
    tensors: list = field(default_factory=list)
    nodes: list = field(default_factory=list)
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)

    def __post_init__(self):
        self.random = np.random.default_rng(self.seed)

    def tensor(self, name, shape, data=None, dtype=np.float32):
        dtype = data.dtype if data is not None else np.dtype(dtype)
        self.tensors.append(Tensor(name, tuple(int(n) for n in shape), data, np.dtype(dtype)))
        return len(self.tensors) - 1

    def constant(self, name, values):
        values = np.asarray(values)
        return self.tensor(name, values.shape, values)

    def input(self, name, shape, dtype=np.float32):
        self.inputs.append(self.tensor(name, shape, dtype=dtype))
        return self.inputs[-1]

    def shape(self, tensor):
        return self.tensors[tensor].shape

    def node(self, op, inputs, name, shape, options=None, **more):
        made = self.tensor(name, shape)
        self.nodes.append(Node(op, list(inputs), [made], options, **more))
        return made

    def draw(self, shape, fan_in):
        return self.random.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)

    def smooth(self, shape):
        """Kernels [n, height, width, n] as trained ones are: mostly blur, so that noise of a pixel does not grow
        from layer to layer."""
        first, height, width, last = shape
        bells = [np.hanning(n + 2)[1:-1] for n in (height, width)]
        blur = np.outer(*bells)[None, :, :, None] / np.prod([b.sum() for b in bells])
        signs = self.random.choice([-1, 1], (first, 1, 1, last)) * self.random.uniform(0.5, 1.5, (first, 1, 1, last))
        return (blur * signs + self.random.normal(0, 0.3 / (height * width), shape)).astype(np.float32)

    # ---- Operators --------------------------------------------------------------------------

    def conv(self, x, name, channels, kernel=1, stride=1, act=ACT.RELU6, dilation=1, weights=None, bias=None, **more):
        _, height, width, depth = self.shape(x)
        if weights is None:
            shape = (channels, kernel, kernel, depth)
            weights = self.draw(shape, depth) if kernel == 1 else self.smooth(shape)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideW, options.strideH, options.fusedActivationFunction = 0, stride, stride, act
        options.dilationWFactor = options.dilationHFactor = dilation
        return self.node(OP.CONV_2D, [x, *self._weights(name, weights, bias, channels)], name,
                         (1, same(height, stride), same(width, stride), channels), options, **more)

    def depthwise(self, x, name, kernel=3, stride=1, act=ACT.RELU6, dilation=1, weights=None, bias=None, multiplier=1, **more):
        _, height, width, depth = self.shape(x)
        channels = depth * multiplier
        kernels = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        if weights is None:
            weights = self.smooth((1, *kernels, channels))
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.strideW, options.strideH, options.fusedActivationFunction = 0, stride, stride, act
        options.depthMultiplier, options.dilationWFactor, options.dilationHFactor = multiplier, dilation, dilation
        return self.node(OP.DEPTHWISE_CONV_2D, [x, *self._weights(name, weights, bias, channels)], name,
                         (1, same(height, stride), same(width, stride), channels), options, **more)

    def dense(self, x, name, units, act=ACT.NONE, weights=None, bias=None, **more):
        depth = int(np.prod(self.shape(x)[1:]))
        if weights is None:
            weights = self.draw((units, depth), depth)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = act
        return self.node(OP.FULLY_CONNECTED, [x, *self._weights(name, weights, bias, units)], name, (1, units), options, **more)

    def _weights(self, name, weights, bias, channels):
        bias = np.zeros(channels, np.float32) if bias is None else bias.astype(np.float32)
        return self.constant(f"{name}/weights", weights.astype(np.float32)), self.constant(f"{name}/bias", bias)

    def add(self, a, b, name):
        options = schema.AddOptionsT()
        options.fusedActivationFunction = ACT.NONE
        return self.node(OP.ADD, [a, b], name, self.shape(a), options)

    def average(self, x, name):
        """All of the picture, into one pixel."""
        _, height, width, depth = self.shape(x)
        options = schema.Pool2DOptionsT()
        options.padding, options.strideW, options.strideH = 1, 1, 1
        options.filterHeight, options.filterWidth, options.fusedActivationFunction = height, width, ACT.NONE
        return self.node(OP.AVERAGE_POOL_2D, [x], name, (1, 1, 1, depth), options)

    def reshape(self, x, name, shape):
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        return self.node(OP.RESHAPE, [x, self.constant(f"{name}/shape", np.array(shape, np.int32))], name, shape, options)

    def squeeze(self, x, name):
        options = schema.SqueezeOptionsT()
        options.squeezeDims = [1, 2]
        return self.node(OP.SQUEEZE, [x], name, (1, self.shape(x)[3]), options)

    def softmax(self, x, name):
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self.node(OP.SOFTMAX, [x], name, self.shape(x), options)

    def logistic(self, x, name):
        return self.node(OP.LOGISTIC, [x], name, self.shape(x))

    def resize(self, x, name, side):
        options = schema.ResizeBilinearOptionsT()
        options.alignCorners = True
        size = self.constant(f"{name}/size", np.array([side, side], np.int32))
        return self.node(OP.RESIZE_BILINEAR, [x, size], name, (1, side, side, self.shape(x)[3]), options)

    def concatenate(self, xs, name, axis):
        options = schema.ConcatenationOptionsT()
        options.axis, options.fusedActivationFunction = axis, ACT.NONE
        shape = list(self.shape(xs[0]))
        shape[axis] = sum(self.shape(x)[axis] for x in xs)
        return self.node(OP.CONCATENATION, xs, name, shape, options)

    def mean(self, x, name, axis):
        options = schema.ReducerOptionsT()
        options.keepDims = False
        shape = [n for i, n in enumerate(self.shape(x)) if i not in np.atleast_1d(axis)]
        return self.node(OP.MEAN, [x, self.constant(f"{name}/axis", np.array(axis, np.int32))], name, shape, options)

    def gather(self, table, x, name):
        options = schema.GatherOptionsT()
        options.axis = 0
        return self.node(OP.GATHER, [table, x], name, (*self.shape(x), self.shape(table)[1]), options)


# ---- Files ------------------------------------------------------------------------------------

OPTIONS = {kind[:-1]: value for value, kind in ((getattr(schema.BuiltinOptions, n), f"{n}T") for n in vars(schema.BuiltinOptions)
                                                if not n.startswith("_"))}
VERSIONS = {OP.DEPTHWISE_CONV_2D: 2, OP.RESIZE_BILINEAR: 1}


def _code(op, custom):
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = op, min(op, 127), VERSIONS.get(op, 1)
    if custom:
        code.customCode = custom[0]
    return code


def _quantization(tensor):
    q = schema.QuantizationParametersT()
    q.scale, q.zeroPoint = np.array([tensor.scale], np.float32), np.array([tensor.zero_point], np.int64)
    return q


def tflite(net, description):
    """The file's bytes."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.subgraphs = 3, description, [graph]
    empty = schema.BufferT()
    model.buffers, graph.tensors, graph.operators, model.operatorCodes = [empty], [], [], []
    graph.inputs, graph.outputs, graph.name = net.inputs, net.outputs, "main"
    for t in net.tensors:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = t.name, list(t.shape), TYPES[t.dtype], 0
        if t.scale:
            made.quantization = _quantization(t)
        if t.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(t.data).tobytes(), np.uint8)
            made.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(made)
    codes = {}
    for n in net.nodes:
        key = (n.op, n.custom[0] if n.custom else "")
        if key not in codes:
            codes[key] = len(codes)
            model.operatorCodes.append(_code(n.op, n.custom))
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = codes[key], n.inputs, n.outputs
        if n.options is not None:
            op.builtinOptions, op.builtinOptionsType = n.options, OPTIONS[type(n.options).__name__[:-1]]
        if n.custom:
            op.customOptions = np.frombuffer(n.custom[1], np.uint8)
        graph.operators.append(op)
    return write(model)


def runner(data):
    """Runs a model; every tensor stays to be read."""
    run = Interpreter(model_content=data, num_threads=1, experimental_preserve_all_tensors=True,
                      experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    run.allocate_tensors()
    return run
