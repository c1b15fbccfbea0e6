"""Integers that one side's model dequantizes, and the same numbers as floats that the other's normalizes: one input where both make
the same of them, and input.normalization where they do not."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_log import record
from validate_support import causes, textures, validate

SCALE, ZERO = np.float32(1 / 58), 114
PIXELS = [np.ascontiguousarray(p[:32, :32].transpose(2, 0, 1)[None]) for p in textures(4, 40, seed=8)]
PLAIN = [(p.astype(np.float32) - ZERO) * SCALE for p in PIXELS]
RAW = [p.astype(np.float32) for p in PIXELS]

FRONTS = {
    "bytes": [("DequantizeLinear", ["x", "scale", "zero"])],
    "bytes, other scale": [("DequantizeLinear", ["x", "wide", "zero"])],
    "raw": [("Sub", ["x", "mean"]), ("Mul", ["in0", "scale"])],
    "raw, divided": [("Mul", ["x", "scale"]), ("Sub", ["in0", "shift"])],
    "raw, moved first": [("Transpose", ["x"]), ("Transpose", ["in0"]), ("Sub", ["in1", "mean"]), ("Mul", ["in2", "scale"])],
    "raw, per channel": [("Sub", ["x", "means"]), ("Mul", ["in0", "scales"])],
    "raw, other mean": [("Sub", ["x", "hundred"]), ("Mul", ["in0", "scale"])],
    "plain": [],
}


def model(path, front):
    """A convolution, mean and dense layer behind a front that makes real values of the input."""
    random = np.random.default_rng(2)
    values = {"scale": SCALE, "wide": np.float32(1.5) * SCALE, "zero": np.uint8(ZERO), "mean": np.float32(ZERO), "hundred": np.float32(100),
              "shift": np.float32(ZERO) * SCALE, "means": np.full((3, 1, 1), ZERO, np.float32), "scales": np.full((3, 1, 1), SCALE, np.float32),
              "w": random.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32), "d": random.normal(0, 0.4, (8, 5)).astype(np.float32)}
    nodes, last, order = [], "x", iter(([0, 2, 3, 1], [0, 3, 1, 2]))
    for i, (op, inputs) in enumerate(FRONTS[front]):
        last = f"in{i}"
        nodes.append(helper.make_node(op, inputs, [last], name=last, **({"perm": next(order)} if op == "Transpose" else {})))
    for op, inputs, name, attributes in (("Conv", [last, "w"], "conv", {"strides": [2, 2]}), ("Relu", ["conv"], "relu", {}), ("GlobalAveragePool", ["relu"], "pool", {}),
                                         ("Flatten", ["pool"], "flat", {}), ("MatMul", ["flat", "d"], "y", {})):
        nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
    kind = TensorProto.UINT8 if front.startswith("bytes") else TensorProto.FLOAT
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", kind, [1, 3, 32, 32])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
                              [numpy_helper.from_array(np.asarray(v), n) for n, v in values.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def fed(front):
    return PIXELS if front.startswith("bytes") else PLAIN if front == "plain" else RAW


def judged(tmp_path, edge, reference, edge_feeds=None, **options):
    for role, front, feeds in (("edge", edge, edge_feeds or fed(edge)), ("reference", reference, fed(reference))):
        record(model(tmp_path / f"{role}.onnx", front), tmp_path / f"{role}.mcap", feeds, tmp_path, "none", role=role, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=None, **options)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("other", ["raw", "raw, divided", "raw, moved first", "raw, per channel", "plain"])
def test_what_the_models_make_up_for_is_no_difference(tmp_path, other, turned):
    verdict = judged(tmp_path, *(("bytes", other) if turned else (other, "bytes")))
    assert verdict["verdict"] == "pass" and causes(verdict) == []


@pytest.mark.parametrize("edge, reference, feeds", [
    ("plain", "bytes", RAW),                                         # floats 0..255 that nothing normalizes
    ("bytes, other scale", "raw", None),                             # the file's scale is not the training's
    ("raw, other mean", "bytes", None),
    ("bytes", "raw", [p // 2 for p in PIXELS]),
    ("raw", "bytes", [p / 255 for p in RAW]),                        # normalized before the model that normalizes
], ids=["nothing normalizes", "another scale", "another mean", "darker bytes", "normalized twice"])
def test_what_they_do_not_is_told_and_no_layer_is_blamed(tmp_path, edge, reference, feeds):
    assert causes(judged(tmp_path, edge, reference, feeds)) == ["input.normalization"]


@pytest.mark.parametrize("change, cause", [(lambda p: p[:, ::-1].copy(), "input.channel_order"), (lambda p: p[..., ::-1].copy(), "input.flip")])
def test_what_is_no_unit_is_told_alone(tmp_path, change, cause):
    assert causes(judged(tmp_path, "bytes", "raw", [change(p) for p in PIXELS])) == [cause]


@pytest.mark.parametrize("which", ["w", "d"])
def test_a_fault_behind_is_told_alone(tmp_path, which):
    judged(tmp_path, "bytes", "raw")
    wrong = onnx.load(tmp_path / "edge.onnx")
    for i in wrong.graph.initializer:
        if i.name == which:
            i.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(i), 1, 0), which))
    onnx.save(wrong, tmp_path / "wrong.onnx")
    for capture, expected in (("full", "model.weights"), ("io", "layer.unknown")):
        record(tmp_path / "wrong.onnx", tmp_path / "edge.mcap", PIXELS, tmp_path, "none", role="edge", constants=capture == "full", capture=capture)
        assert causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)) == [expected]


def test_without_constants_equal_outputs_tell(tmp_path):
    for role, front in (("edge", "bytes"), ("reference", "raw")):
        record(model(tmp_path / f"{role}.onnx", front), tmp_path / f"{role}.mcap", fed(front), tmp_path, "none", role=role, capture="io")
    assert causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")) == []
