"""A cell in 8 bits whose state the application carries: ranges that clip are named though the state, which follows from them,
differs from the second frame on."""

import numpy as np
import pytest

import exray

onnx = pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

INPUTS, UNITS = 10, 16


def cell(path):
    """x, h -> scores, h_next: h + sigmoid(gate) * (tanh(new) - h)."""
    random, constants, nodes = np.random.default_rng(4), [], []

    def linear(x, name, rows, columns, scale):
        for key, value in (("w", random.normal(0, scale, (rows, columns))), ("b", random.normal(0, 0.05, columns))):
            constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}.{key}"))
        node("MatMul", [x, name + ".w"], name + "_mm")
        return node("Add", [name + "_mm", name + ".b"], name)

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    joined = node("Concat", ["x", "h"], "joined", axis=1)
    z = node("Sigmoid", [linear(joined, "gate", INPUTS + UNITS, UNITS, 0.4)], "z")
    n = node("Tanh", [linear(joined, "new", INPUTS + UNITS, UNITS, 0.4)], "n")
    node("Add", ["h", node("Mul", [z, node("Sub", [n, "h"], "step")], "gated")], "h_next")
    node("Softmax", [linear("h_next", "dense", UNITS, 4, 1.0)], "scores", axis=-1)
    shaped = lambda name, n: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n])  # noqa: E731
    graph = helper.make_graph(nodes, "g", [shaped("x", INPUTS), shaped("h", UNITS)], [shaped("scores", 4), shaped("h_next", UNITS)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def quantized(source, path, gain):
    class Data(quantization.CalibrationDataReader):
        def __init__(self):
            random = np.random.default_rng(9)
            self.left = iter([{"x": random.normal(0, gain, (1, INPUTS)).astype(np.float32),
                               "h": random.uniform(-gain, gain, (1, UNITS)).astype(np.float32)} for _ in range(40)])

        def get_next(self):
            return next(self.left, None)
    quantization.quantize_static(source, str(path), Data(), per_channel=True, weight_type=quantization.QuantType.QInt8)
    return str(path)


def log(path, role, model):
    with exray.Recorder(path, role=role, capture="full") as recorder:
        session, h = exray.onnx.tap(model, recorder), np.zeros((1, UNITS), np.float32)
        for k in range(12):
            with recorder.frame(source=str(k)):
                _, h = session.run(None, {"x": np.random.default_rng(50 + k).normal(0, 1, (1, INPUTS)).astype(np.float32), "h": h})
    return path


def judged(folder, gain):
    right = cell(folder / "m.onnx")
    return exray.validate(log(folder / "e.mcap", "edge", quantized(right, folder / "q.onnx", gain)), log(folder / "r.mcap", "reference", right))


def test_calibrated_as_in_use(tmp_path):
    report = judged(tmp_path, 1.3)
    assert report.verdict == "pass" and [f.cause for f in report.findings if f.severity == "error"] == []


@pytest.mark.parametrize("gain", [0.125, 0.25])
def test_calibrated_on_less(tmp_path, gain):
    report = judged(tmp_path, gain)
    assert [f.cause for f in report.findings if f.severity == "error"] == ["layer.saturation"]
