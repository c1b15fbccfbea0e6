"""ONNX files of float TensorFlow Lite models, and 8-bit ones of those by ONNX Runtime's own quantizer."""

from __future__ import annotations

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import helper, numpy_helper

OP, ACT = schema.BuiltinOperator, schema.ActivationFunctionType
OPSET, IR_VERSION = 17, 8


class Converter:
    """One graph, in NCHW inside; the input stays NHWC, with a Transpose behind it, or is NCHW itself."""

    def __init__(self, data, channels_first, output):
        self.model = schema.ModelT.InitFromPackedBuf(data)
        self.graph = self.model.subgraphs[0]
        self.channels_first, self.nodes, self.constants = channels_first, [], {}
        self.names = {int(t): self.graph.tensors[t].name.decode() for t in (*self.graph.inputs,)}
        self.names.update({int(op.outputs[0]): self.graph.tensors[op.outputs[0]].name.decode() for op in self.graph.operators})
        self.names[int(self.graph.outputs[0])] = output

    def values(self, tensor):
        t = self.graph.tensors[tensor]
        kind = {0: np.float32, 2: np.int32}[t.type]
        return np.frombuffer(bytes(self.model.buffers[t.buffer].data), kind).reshape(t.shape)

    def constant(self, name, values):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))

    def convolution(self, op, depthwise):
        x, weights, bias = op.inputs
        options, out = op.builtinOptions, self.names[int(op.outputs[0])]
        values = self.values(weights)
        values = values.transpose(3, 0, 1, 2) if depthwise else values.transpose(0, 3, 1, 2)
        pads = [0, 0, 0, 0]
        for axis, stride in enumerate((options.strideH, options.strideW)):
            size, kernel = self.graph.tensors[x].shape[1 + axis], values.shape[2 + axis]
            total = max(0, (-(-size // stride) - 1) * stride + kernel - size) if options.padding == schema.Padding.SAME else 0
            pads[axis], pads[axis + 2] = int(total // 2), int(total - total // 2)
        clipped = options.fusedActivationFunction == ACT.RELU6
        made = out + "/conv" if clipped else out
        self.node("Conv", [self.names[int(x)], self.constant(f"{out}/w", values), self.constant(f"{out}/b", self.values(bias))], made,
                  kernel_shape=values.shape[2:], strides=[options.strideH, options.strideW], pads=pads,
                  group=values.shape[0] if depthwise else 1)
        if clipped:
            self.constant("zero", np.float32(0))
            self.constant("six", np.float32(6))
            self.node("Clip", [made, "zero", "six"], out)

    def convert(self, op):
        code = self.model.operatorCodes[op.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        ins, out = [self.names.get(int(i)) for i in op.inputs], self.names[int(op.outputs[0])]
        if kind in (OP.CONV_2D, OP.DEPTHWISE_CONV_2D):
            self.convolution(op, kind == OP.DEPTHWISE_CONV_2D)
        elif kind == OP.ADD:
            self.node("Add", ins, out)
        elif kind == OP.MEAN:  # of height and width
            self.node("GlobalAveragePool", ins[:1], out + "/pool")
            self.node("Flatten", [out + "/pool"], out)
        elif kind == OP.FULLY_CONNECTED:
            weights = self.constant(f"{out}/w", self.values(op.inputs[1]))
            self.node("Gemm", [ins[0], weights, self.constant(f"{out}/b", self.values(op.inputs[2]))], out, transB=1)
        elif kind == OP.SOFTMAX:
            self.node("Softmax", ins, out, axis=-1)
        else:
            raise ValueError(f"no ONNX for operator {kind}")

    def run(self, input_name):
        source = int(self.graph.inputs[0])
        shape = [int(n) for n in self.graph.tensors[source].shape]
        if self.channels_first:
            shape = [shape[i] for i in (0, 3, 1, 2)]
            self.names[source] = input_name
        else:
            self.names[source] = input_name + "/nchw"
            self.node("Transpose", [input_name], self.names[source], perm=[0, 3, 1, 2])
        for op in self.graph.operators:
            self.convert(op)
        last = int(self.graph.outputs[0])
        made = [int(n) for n in self.graph.tensors[last].shape]
        graph = helper.make_graph(self.nodes, "main", [helper.make_tensor_value_info(input_name, 1, shape)],
                                  [helper.make_tensor_value_info(self.names[last], 1, made)], list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                                  producer_name="exray tests")
        onnx.checker.check_model(model, full_check=True)
        return model


def convert(tflite, path, input_name, output_name, channels_first):
    onnx.save(Converter(tflite, channels_first, output_name).run(input_name), path)


def quantize(source, path, samples, per_channel):
    """QDQ: activations uint8, weights int8, ranges as on the samples."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    name = onnx.load(source).graph.input[0].name

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter(samples)

        def get_next(self):
            sample = next(self.left, None)
            return None if sample is None else {name: sample}

    quantize_static(source, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=per_channel,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
