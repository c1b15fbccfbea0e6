"""Small TensorFlow Lite models, written with the schema of the package ai-edge-litert."""

from pathlib import Path

import numpy as np
import pytest


class TfliteModel:
    """m = TfliteModel(); x = m.tensor("x", [1, 8]); m.op("RELU", [x], [y]); m.save(path, [x], [y])"""

    def __init__(self):
        self.schema = s = pytest.importorskip("ai_edge_litert.schema_py_generated")
        self.model, self.graph = s.ModelT(), s.SubGraphT()
        self.model.version, self.model.description = 3, ""
        self.model.buffers, self.model.operatorCodes = [s.BufferT()], []
        self.graph.tensors, self.graph.operators, self.graph.name = [], [], "main"

    def tensor(self, name, shape=(), data=None, signature=None, variable=False):
        """Of float32, or the data's int32; returns its position."""
        t, b = self.schema.TensorT(), self.schema.BufferT()
        t.name, t.shape, t.type, t.isVariable = name, list(shape), self.schema.TensorType.FLOAT32, variable
        if data is not None:
            t.shape, b.data = list(data.shape), np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            t.type = self.schema.TensorType.INT32 if data.dtype == np.int32 else t.type
        if signature:
            t.shapeSignature = signature
        self.model.buffers.append(b)
        t.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def op(self, code, inputs, outputs, options="", **values):
        c, o = self.schema.OperatorCodeT(), self.schema.OperatorT()
        c.builtinCode, c.version = getattr(self.schema.BuiltinOperator, code), 1
        c.deprecatedBuiltinCode = min(c.builtinCode, 127)
        self.model.operatorCodes.append(c)
        o.opcodeIndex, o.inputs, o.outputs = len(self.model.operatorCodes) - 1, list(inputs), list(outputs)
        if options:
            o.builtinOptionsType = getattr(self.schema.BuiltinOptions, options + "Options")
            o.builtinOptions = getattr(self.schema, options + "OptionsT")()
        for key, value in values.items():
            setattr(o.builtinOptions, key, value)
        self.graph.operators.append(o)

    def save(self, path, inputs, outputs, more=()):
        """more: further subgraphs."""
        import flatbuffers

        self.graph.inputs, self.graph.outputs, self.model.subgraphs = inputs, outputs, [self.graph, *more]
        builder = flatbuffers.Builder(1 << 14)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        Path(path).write_bytes(bytes(builder.Output()))
        return path
