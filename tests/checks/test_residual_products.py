"""Residual sums that an optimizer fuses into a Gemm, as its third input: a product and a sum, as the other side writes them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_log import record
from validate_support import causes, finding, validate

WIDTH, LEVELS = 32, [("extended", "none"), ("none", "extended")]


def network(path, act="Relu", dropped=(), missing=(), change=lambda name, w: w):
    """Blocks of two dense layers with a residual sum, and a head; dropped: blocks without their sum; missing: blocks that are not there."""
    nodes, constants, x = [], [], "x"

    def product(x, name, rows, columns):
        w = np.random.default_rng([3, *name.encode()]).normal(0, 1 / np.sqrt(rows), (rows, columns)).astype(np.float32)
        constants.append(numpy_helper.from_array(np.ascontiguousarray(change(name, w)), name + ".w"))
        nodes.append(helper.make_node("MatMul", [x, name + ".w"], [name], name=name))
        return name

    def biased(x, name, rows, columns):
        y = product(x, name + "_mm", rows, columns)
        constants.append(numpy_helper.from_array(np.random.default_rng([4, *name.encode()]).normal(0, .1, columns).astype(np.float32), name + ".b"))
        nodes.append(helper.make_node("Add", [y, name + ".b"], [name], name=name))
        return name

    for i in (i for i in range(3) if i not in missing):
        up = biased(x, f"b{i}_up", WIDTH, 2 * WIDTH)
        nodes.append(helper.make_node(act, [up], [f"b{i}_act"], name=f"b{i}_act"))
        y = product(f"b{i}_act", f"b{i}_down", 2 * WIDTH, WIDTH)
        if i not in dropped:
            nodes.append(helper.make_node("Add", [y, x], [f"b{i}_sum"], name=f"b{i}_sum"))
        x = y if i in dropped else f"b{i}_sum"
    nodes.append(helper.make_node("Identity", [biased(x, "head", WIDTH, 7)], ["y"], name="y"))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [5, WIDTH])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [5, 7])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def judged(tmp_path, levels, status, **edge):
    feeds = [np.random.default_rng(k).normal(0, 1, (5, WIDTH)).astype(np.float32) for k in range(4)]
    act = edge.get("act", "Relu") if edge.pop("both", False) else "Relu"
    record(network(tmp_path / "edge.onnx", **edge), tmp_path / "edge.mcap", feeds, tmp_path, levels[0], role="edge", constants=True)
    record(network(tmp_path / "reference.onnx", act), tmp_path / "reference.mcap", feeds, tmp_path, levels[1], constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("act", ["Relu", "Tanh"])
def test_one_model_at_two_levels_passes(tmp_path, levels, act):
    verdict = judged(tmp_path, levels, 0, act=act, both=True)
    assert causes(verdict) == [] and any("Gemm" in layer[side]["op"] for layer in verdict["layers"] for side in ("edge", "reference"))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("edge, words", [({"dropped": (1,)}, "b1_sum"), ({"missing": (1,)}, "b1_sum"), ({"act": "Tanh"}, "tanh")], ids=["no sum", "no block", "another activation"])
def test_what_is_computed_otherwise_is_named(tmp_path, levels, edge, words):
    verdict = judged(tmp_path, levels, 1, **edge)
    found = finding(verdict, "model.operator")
    assert [c for c in causes(verdict) if c != "log.coverage"] == ["model.operator"] and words in found["summary"]


@pytest.mark.parametrize("levels", LEVELS)
def test_weights_of_such_a_product_are_named(tmp_path, levels):
    verdict = judged(tmp_path, levels, 1, change=lambda name, w: np.roll(w, 1, 0) if name == "b1_down" else w)
    assert causes(verdict) == ["model.weights"] and "b1" in str(finding(verdict, "model.weights"))
