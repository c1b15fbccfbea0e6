"""Models in 8 bits against their float32 originals, as ONNX Runtime's own tools make them."""

import logging

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime.quantization")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: E402

logging.disable(logging.WARNING)
pytestmark = pytest.mark.filterwarnings("ignore")


def save(path, nodes, constants, shape):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def perceptron(path, width=48, layers=3, roll=None, seed=5):
    """Dense layers; roll: of that layer the weights are exchanged."""
    random, nodes, constants, at = np.random.default_rng(seed), [], {}, "x"
    for i in range(layers):
        w, b = random.normal(0, 1.2 / np.sqrt(width), (width, width)), random.normal(0, .05, width)
        constants.update({f"w{i}": np.roll(w, 1, 0) if i == roll else w, f"b{i}": b})
        last = "y" if i == layers - 1 else f"r{i}"
        nodes += [helper.make_node("MatMul", [at, f"w{i}"], [f"m{i}"], f"m{i}"), helper.make_node("Add", [f"m{i}", f"b{i}"], [f"a{i}"], f"a{i}"),
                  helper.make_node("Relu", [f"a{i}"], [last], last)]
        at = last
    return save(path, nodes, constants, [6, width])


def convolutions(path, roll=None, seed=6):
    random, nodes, constants, at = np.random.default_rng(seed), [], {}, "x"
    for i, (inner, outer) in enumerate([(3, 8), (8, 8)]):
        w = random.normal(0, np.sqrt(2 / inner) / 3, (outer, inner, 3, 3))
        constants.update({f"w{i}": np.roll(w, 1, 0) if i == roll else w, f"b{i}": random.normal(0, .1, outer)})
        last = "y" if i else "r0"
        nodes += [helper.make_node("Conv", [at, f"w{i}", f"b{i}"], [f"c{i}"], f"c{i}", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                  helper.make_node("Relu", [f"c{i}"], [last], last)]
        at = last
    return save(path, nodes, constants, [1, 3, 16, 16])


def weights_in(source, path, bits=8, columns=True, wider=1):
    """int8 behind DequantizeLinear, of as many bits; a scale for each column, or one; so many times too wide."""
    model = onnx.load(source)
    for node in [n for n in model.graph.node if n.op_type == "MatMul"]:
        found = next(i for i in model.graph.initializer if i.name == node.input[1])
        w = numpy_helper.to_array(found)
        scale = np.asarray(wider * np.abs(w).max(0 if columns else None) / (2 ** (bits - 1) - 1), np.float32)
        found.CopyFrom(numpy_helper.from_array(np.round(w / scale).astype(np.int8), found.name))
        model.graph.initializer.append(numpy_helper.from_array(scale, found.name + "_s"))
        model.graph.node.insert(0, helper.make_node("DequantizeLinear", [found.name, found.name + "_s"], [found.name + "_d"], axis=1))
        node.input[1] = found.name + "_d"
    onnx.save(model, path)
    return path


def log(path, role, model, kernels, shape, frames=4):
    random = np.random.default_rng(11)
    with exray.Recorder(path, role=role, capture="full") as recorder:
        session = exray.onnx.Session(model, recorder, kernels=kernels)
        for i in range(frames):
            with recorder.frame(source=str(i)):
                session.run(None, {"x": random.normal(0, 1, shape).astype(np.float32)})


def judged(folder, edge, reference, shape, kernels="default", others="default"):
    log(folder / "edge.mcap", "edge", edge, kernels, shape)
    log(folder / "reference.mcap", "reference", reference, others, shape)
    report = exray.validate(folder / "edge.mcap", folder / "reference.mcap")
    return report.verdict, [(f["cause"], f["severity"]) for f in report.json["findings"] if not f["cause"].startswith("perf.")], report.json


@pytest.mark.parametrize("kernels", ["default", "none"])
@pytest.mark.parametrize("make, shape, kind", [(perceptron, (6, 48), QuantType.QInt8), (convolutions, (1, 3, 16, 16), QuantType.QUInt8)])
def test_quantize_dynamic(tmp_path, make, shape, kind, kernels):
    right = make(tmp_path / "m.onnx")
    quantize_dynamic(right, tmp_path / "q.onnx", weight_type=kind)
    assert judged(tmp_path, tmp_path / "q.onnx", right, shape, kernels)[:2] == ("pass", [])
    quantize_dynamic(make(tmp_path / "w.onnx", roll=1), tmp_path / "qw.onnx", weight_type=kind)
    verdict, found, report = judged(tmp_path, tmp_path / "qw.onnx", right, shape, kernels)
    assert verdict == "fail" and found == [("model.weights", "error")]
    assert "w1" in str(report["findings"][0])


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_weights_alone(tmp_path, kernels):
    right = perceptron(tmp_path / "m.onnx")
    assert judged(tmp_path, weights_in(right, tmp_path / "q.onnx"), right, (6, 48), kernels, "none")[:2] == ("pass", [])
    wrong = weights_in(perceptron(tmp_path / "w.onnx", roll=1), tmp_path / "qw.onnx")
    verdict, found, _ = judged(tmp_path, wrong, right, (6, 48), kernels, "none")
    assert verdict == "fail" and found == [("model.weights", "error")]


def test_a_range_that_begins_at_zero_is_a_relu(tmp_path):
    """The tools leave out a ReLU whose integers cannot hold less."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            random = np.random.default_rng(3)
            self.left = iter([{"x": random.normal(0, 1, (6, 48)).astype(np.float32)} for _ in range(8)])

        def get_next(self):
            return next(self.left, None)
    right = perceptron(tmp_path / "m.onnx")
    quantize_static(right, tmp_path / "q.onnx", Reader())
    assert judged(tmp_path, tmp_path / "q.onnx", right, (6, 48), "none")[:2] == ("pass", [])


def test_a_bias_that_is_quantized_apart_is_still_the_bias(tmp_path):
    """MatMul and Add in integers against a Gemm with its activation: others' weights are the only difference."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.items = iter([{"x": np.random.default_rng(k).normal(0, 1, (6, 48)).astype(np.float32)} for k in range(4)])

        def get_next(self):
            return next(self.items, None)

    right = perceptron(tmp_path / "m.onnx")
    for roll, expected in ((None, []), (1, ["model.weights"])):
        quantize_static(perceptron(tmp_path / "w.onnx", roll=roll), tmp_path / "q.onnx", Reader(), weight_type=QuantType.QInt8, per_channel=True)
        for kernels in ("default", "none"):
            _, found, _ = judged(tmp_path, tmp_path / "q.onnx", right, (6, 48), kernels, kernels)
            assert [cause for cause, _ in found] == expected


def test_a_factor_behind_a_relu_that_the_range_is(tmp_path):
    """What the range of the integers cuts off is not computed on: the factor shows, and no other tensor is read."""
    from onnxruntime.quantization import quantize_static
    from test_inner_ranges import SHAPE, Reader

    def network(path, factor):
        random = np.random.default_rng(9)
        constants = {"w0": random.normal(0, .3, (8, 3, 3, 3)), "w1": random.normal(0, .2, (8, 8, 3, 3)), "wy": random.normal(0, .3, (4, 16, 1, 1)), "f": factor}
        nodes = [helper.make_node("Conv", ["x", "w0"], ["c0"], "c0", kernel_shape=[3, 3], pads=[1] * 4), helper.make_node("Relu", ["c0"], ["r0"], "r0"),
                 helper.make_node("Conv", ["r0", "w1"], ["c1"], "c1", kernel_shape=[3, 3], pads=[1] * 4), helper.make_node("Relu", ["c1"], ["r1"], "r1")]
        skip = "r0"
        if factor != 1:
            nodes.append(helper.make_node("Mul", ["r0", "f"], ["s0"], "s0"))
            skip = "s0"
        nodes += [helper.make_node("Concat", ["r1", skip], ["cat"], "cat", axis=1), helper.make_node("Conv", ["cat", "wy"], ["y"], "y", kernel_shape=[1, 1])]
        return save(path, nodes, constants, SHAPE)
    right = network(tmp_path / "m.onnx", 1)
    quantize_static(right, tmp_path / "q.onnx", Reader())
    assert judged(tmp_path, tmp_path / "q.onnx", right, SHAPE)[:2] == ("pass", [])
    quantize_static(network(tmp_path / "w.onnx", .5), tmp_path / "qw.onnx", Reader())
    verdict, found, report = judged(tmp_path, tmp_path / "qw.onnx", right, SHAPE)
    assert verdict == "fail" and found == [("model.operator", "error")]
    assert "0.5" in report["findings"][0]["summary"]
