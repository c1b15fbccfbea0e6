"""ONNX Runtime's QAttention is Attention in integers: its weights and its heads are compared with it."""

import numpy as np
import pytest

import exray

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

WIDTH, HEADS = 32, 4


def model(path, integers, heads=HEADS, change=lambda layer, w: w):
    """Two attentions with residual sums, and a dense layer."""
    nodes, constants, x = [], {}, "x"

    def node(op, inputs, outputs, domain="", **attributes):
        nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attributes))

    for i in range(2):
        random = np.random.default_rng(i)
        w = change(i, random.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, 3 * WIDTH)).astype(np.float32))
        constants[f"b{i}"] = random.normal(0, 0.1, 3 * WIDTH).astype(np.float32)
        constants[f"out{i}"] = random.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH)).astype(np.float32)
        if integers:
            scale = np.float32(np.abs(w).max() / 127)
            constants.update({f"w{i}": np.round(w / scale).astype(np.int8), f"ws{i}": scale, f"wz{i}": np.int8(0)})
            node("DynamicQuantizeLinear", [x], [f"q{i}", f"qs{i}", f"qz{i}"])
            node("QAttention", [f"q{i}", f"w{i}", f"b{i}", f"qs{i}", f"ws{i}", "", f"qz{i}", f"wz{i}"], [f"a{i}"], "com.microsoft", num_heads=heads)
        else:
            constants[f"w{i}"] = w
            node("Attention", [x, f"w{i}", f"b{i}"], [f"a{i}"], "com.microsoft", num_heads=heads)
        node("MatMul", [f"a{i}", f"out{i}"], [f"o{i}"])
        node("Add", [f"o{i}", x], ["y" if i else "s0"])
        x = "s0"
    shaped = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 12, WIDTH])  # noqa: E731
    graph = helper.make_graph(nodes, "g", [shaped("x")], [shaped("y")], [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8), path)
    return str(path)


def errors(folder, **edge):
    for role, made in (("edge", model(folder / "e.onnx", True, **edge)), ("reference", model(folder / "r.onnx", False))):
        with exray.Recorder(folder / f"{role}.mcap", role=role, capture="full") as recorder:
            session = exray.onnx.tap(made, recorder)
            for k in range(4):
                with recorder.frame(source=str(k)):
                    session.run(None, {"x": np.random.default_rng(20 + k).normal(0, 1, (1, 12, WIDTH)).astype(np.float32)})
    report = exray.validate(folder / "edge.mcap", folder / "reference.mcap")
    return [(f["cause"], f["summary"] + str(f["evidence"])) for f in report.json["findings"] if f["severity"] == "error"]


def test_a_healthy_copy_passes(tmp_path):
    assert errors(tmp_path) == []


@pytest.mark.parametrize("layer", [0, 1])
def test_heads_in_another_order_are_other_weights(tmp_path, layer):
    def roll(i, w):
        return np.concatenate([np.roll(w[:, :WIDTH], WIDTH // HEADS, 1), w[:, WIDTH:]], 1) if i == layer else w
    assert [cause for cause, _ in errors(tmp_path, change=roll)] == ["model.weights"]


def test_another_number_of_heads_is_another_operator(tmp_path):
    (cause, words), = errors(tmp_path, heads=8)
    assert cause == "model.operator" and "num_heads" in words
