"""Variants of a .tflite file: other weights, an activation more or less.  What a
wrong export or an old checkpoint leaves on a device."""

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FLOAT32, UINT8, INT8 = 0, 3, 9
SOFTMAX = schema.BuiltinOperator.SOFTMAX


def read(path):
    data = Path(path).read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    for buffer in model.buffers:  # constants behind the end of the flatbuffer
        if buffer.offset > 1:
            buffer.data = np.frombuffer(data[buffer.offset : buffer.offset + buffer.size], np.uint8)
            buffer.offset = buffer.size = 0
    return model


def write(model, path):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    Path(path).write_bytes(bytes(builder.Output()))


def weight_tensors(model):
    """Constants that are weights: of a convolution or a matrix, and not small."""
    found = []
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) >= 400 and tensor.type in (FLOAT32, UINT8, INT8) and len(tensor.shape) >= 2:
            found.append(tensor)
    return found


def disturb(model, tensor, amount, random):
    """Adds noise of `amount` times the weights' standard deviation."""
    kind = {FLOAT32: np.float32, UINT8: np.uint8, INT8: np.int8}[tensor.type]
    values = np.frombuffer(bytes(bytearray(model.buffers[tensor.buffer].data)), kind).astype(np.float64)
    values = values + random.normal(size=values.shape) * amount * values.std()
    if kind is not np.float32:
        limits = np.iinfo(kind)
        low = -127 if kind is np.int8 else limits.min
        values = np.clip(np.round(values), low, limits.max)
    model.buffers[tensor.buffer].data = np.frombuffer(values.astype(kind).tobytes(), np.uint8)


def other_weights(source, out, amount):
    """Every layer's weights differ, as those of another checkpoint do."""
    model, random = read(source), np.random.default_rng(5)
    for tensor in weight_tensors(model):
        disturb(model, tensor, amount, random)
    write(model, out)


def one_layer(source, out, amount):
    """The weights of one layer in the middle differ: a damaged file, a wrong merge."""
    model, random = read(source), np.random.default_rng(6)
    tensors = weight_tensors(model)
    disturb(model, tensors[len(tensors) // 2], amount, random)
    write(model, out)


def _softmax(model):
    graph = model.subgraphs[0]
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == SOFTMAX:
            return op
    return None


def has_softmax(source):
    return _softmax(read(source)) is not None


def without_softmax(source, out):
    """Exported one layer too early: the output is logits."""
    model = read(source)
    graph, op = model.subgraphs[0], _softmax(model)
    graph.outputs = [int(op.inputs[0])]
    graph.operators = graph.operators[: graph.operators.index(op)]
    model.signatureDefs = []
    write(model, out)


def with_two_softmax(source, out):
    """Exported with a softmax of its own around a model that has one."""
    model = read(source)
    graph, op = model.subgraphs[0], _softmax(model)
    first = graph.tensors[int(op.outputs[0])]
    again = schema.TensorT()
    again.shape, again.type, again.buffer = list(first.shape), first.type, len(model.buffers)
    again.name, again.quantization = b"softmax_again", first.quantization
    model.buffers.append(schema.BufferT())
    graph.tensors.append(again)
    more = schema.OperatorT()
    more.opcodeIndex, more.inputs, more.outputs = op.opcodeIndex, [int(op.outputs[0])], [len(graph.tensors) - 1]
    more.builtinOptionsType, more.builtinOptions = op.builtinOptionsType, op.builtinOptions
    graph.operators.insert(graph.operators.index(op) + 1, more)
    graph.outputs = [len(graph.tensors) - 1]
    model.signatureDefs = []
    write(model, out)
