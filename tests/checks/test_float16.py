"""A float16 copy of a model is healthy: its constants are rounded, its masks end at 65504, values that hardly vary around
their level are rounded to steps of that.  Other constants in such a copy are still found."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_log import record
from onnx_models import Graph
from validate_support import Recording, causes, finding, validate

LOWEST = float(np.finfo(np.float32).min)
INPUTS = [np.random.default_rng(i).normal(size=(1, 12, 16)).astype(np.float32) for i in range(3)]


def block(path, gain=0.3625, epsilon=1e-6, mask=LOWEST, half=False):
    """A dense layer, a gain and an offset, GELU by erf, a norm in parts, a masked softmax in parts.  half: constants are stored
    as float16 and cast where they are read, as ONNX Runtime runs such a file on a processor."""
    nodes, constants = [], {}

    def const(value, dtype=np.float32):
        value = np.asarray(value, dtype)
        name = f"c{len(constants)}"
        if half and dtype is np.float32:
            constants[name] = np.clip(value, -65504, 65504).astype(np.float16)
            nodes.append(helper.make_node("Cast", [name], [name + "_float"], name=name + "_float", to=TensorProto.FLOAT))
            return name + "_float"
        constants[name] = value
        return name

    def add(op, *inputs, to=None, **attributes):
        to = to or f"{op.lower()}_{sum(n.op_type == op for n in nodes)}"
        nodes.append(helper.make_node(op, inputs, [to], name=to, **attributes))
        return to

    random = np.random.default_rng(3)
    x = add("MatMul", "x", const(random.normal(0, .4, (16, 12))), to="dense")
    x = add("Add", add("Mul", x, const(gain)), const(0.00034), to="scaled")
    gate = add("Add", add("Erf", add("Div", x, const(np.sqrt(2)))), const(1))
    x = add("Mul", add("Mul", x, gate), const(0.5), to="gelu")
    centered = add("Sub", x, add("ReduceMean", x, axes=[2]))
    variance = add("ReduceMean", add("Mul", centered, centered, to="square"), axes=[2], to="variance")
    x = add("Mul", centered, add("Reciprocal", add("Sqrt", add("Add", variance, const(epsilon)))), to="norm")
    scores = add("MatMul", x, add("Transpose", x, perm=[0, 2, 1]), to="scores")
    bias = add("Where", const(np.tril(np.ones((12, 12), bool)), bool), const(0), const(mask), to="mask")
    masked = add("Add", scores, bias, to="masked")
    power = add("Exp", add("Sub", masked, add("ReduceMax", masked, axes=[2]), to="below"), to="power")
    weights = add("Div", power, add("ReduceSum", power, const([2], np.int64), to="sum"), to="softmax")
    add("MatMul", weights, x, to="y")
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 12, 16])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def judge(tmp_path, edge, reference, status):
    for path, role in ((edge, "edge"), (reference, "reference")):
        record(path, tmp_path / f"{role}.mcap", INPUTS, tmp_path, "none", role=role, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


def loud(v):
    return [(f["cause"], f["summary"]) for f in v["findings"] if f["severity"] != "info"]


def test_a_copy_in_float16_is_healthy(tmp_path):
    v = judge(tmp_path, block(tmp_path / "half.onnx", half=True), block(tmp_path / "float.onnx"), 0)
    assert loud(v) == [] and "model.operator" not in causes(v)


def test_a_mask_of_which_nothing_is_left_is_no_finding(tmp_path):
    v = judge(tmp_path, block(tmp_path / "half.onnx", half=True, mask=-10000), block(tmp_path / "float.onnx"), 0)
    assert loud(v) == []


@pytest.mark.parametrize(("fault", "words"), [({"gain": 0.42}, "gelu computes"), ({"epsilon": 0.05}, "0.05")])
def test_another_constant_in_float16_is_found(tmp_path, fault, words):
    v = judge(tmp_path, block(tmp_path / "half.onnx", half=True, **fault), block(tmp_path / "float.onnx"), 1)
    assert causes(v)[0] == "model.operator" and words in finding(v, "model.operator")["summary"]


def distances(path, parts, drop=None):
    """A softmax over the columns of a transposed picture.  parts: as an optimizer leaves it, with the Transpose moved behind the
    subtraction, and a tensor of ones in float16; drop: the values times this."""
    g = Graph(17)
    rows = g("Mul", g("MatMul", "x", g.weight("w", 16, 24), to="dense"), g.const("times", drop or 1.0), to="rows")
    if parts:
        below = g("Transpose", g("Sub", rows, g("ReduceMax", rows, axes=[1]), to="below"), to="moved", perm=[0, 2, 1])
        power = g("Exp", below, to="power")
        soft = g("Div", power, g("ReduceSum", power, g.const("axes", [2], np.int64)), to="soft")
    else:
        soft = g("Softmax", g("Transpose", rows, to="turned", perm=[0, 2, 1]), to="soft", axis=2)
    kind = np.float16 if parts else np.float32
    ones = g("ConstantOfShape", g("Shape", soft, to="shape"), to="ones", value=numpy_helper.from_array(kind([1])))
    if parts:
        g.nodes.append(helper.make_node("Cast", ["ones"], ["plain"], name="plain", to=TensorProto.FLOAT))
        ones = "plain"
    g("MatMul", g("Add", soft, ones, to="more"), g.weight("v", 12, 8), to="y")
    return g.save(path, [1, 12, 16])


@pytest.mark.parametrize(("drop", "status"), [(None, 0), (0.5, 1)])
def test_a_softmax_in_parts_behind_which_a_transpose_was_moved(tmp_path, drop, status):
    v = judge(tmp_path, distances(tmp_path / "parts.onnx", True, drop), distances(tmp_path / "whole.onnx", False), status)
    assert [c for c, _ in loud(v)] == ([] if drop is None else ["model.operator"])


def head(path, split, noise):
    """A dense layer, and one of a single number with a sigmoid; its bias is a constant of the layer, or added behind."""
    random = np.random.default_rng(5)
    first = random.normal(0, .4, (16, 16)).astype(np.float32)
    first = first + noise * np.random.default_rng(6).normal(size=first.shape).astype(np.float32)
    constants = {"w": first, "v": random.normal(0, .4, (16, 1)).astype(np.float32), "b": np.float32([-0.7])}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["dense"], name="dense"), helper.make_node("Relu", ["dense"], ["relu"], name="relu")]
    if split:
        nodes += [helper.make_node("MatMul", ["relu", "v"], ["product"], name="product"),
                  helper.make_node("Add", ["product", "b"], ["logit"], name="logit")]
    else:
        nodes += [helper.make_node("Gemm", ["relu", "v", "b"], ["logit"], name="logit")]
    nodes += [helper.make_node("Sigmoid", ["logit"], ["y"], name="y")]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [12, 16])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_the_bias_of_one_channel_is_no_other_function(tmp_path):
    """Where the product has a single result, what is added to it looks like a part of the sigmoid."""
    for path, role in ((head(tmp_path / "edge.onnx", True, .1), "edge"), (head(tmp_path / "reference.onnx", False, 0), "reference")):
        record(path, tmp_path / f"{role}.mcap", [x[0] for x in INPUTS], tmp_path, "none", role=role, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.5", status=1)
    assert causes(v) == ["model.weights"]


@pytest.mark.parametrize(("off", "status"), [(0, 0), (6, 1)])
def test_float16_rounds_to_steps_of_its_level(tmp_path, off, status):
    """Around 1000 a step is 0.5, half of what the values vary by."""
    for role in ("edge", "reference"):
        with Recording(tmp_path / f"{role}.mcap", role) as log:
            for i in range(4):
                random = np.random.default_rng(i)
                x = random.normal(size=(1, 64)).astype(np.float32)
                y = 1000 + random.normal(size=(1, 64)).astype(np.float32)
                y = (y + off * random.normal(size=y.shape)).astype(np.float16) if role == "edge" else y
                log.frame([("/input/x", x, {}), ("/output/y", y, {})])
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)
    assert bool(loud(v)) == bool(status)


def attention(path, half=False, scale=None, where="scores", lowest=-65000.0, order="qkv"):
    """Two heads of attention with padding behind what x holds; where: what the scale is applied to, "fused" into the product or
    as its root on "both" sides.  half: a copy in float16, as a converter clips its mask and ONNX Runtime runs it, the softmax in parts."""
    g = Graph(17)

    def const(name, value):
        if not half:
            return g.const(name, value)
        g.const(name, np.clip(value, -10000, 10000), np.float16)
        g.nodes.append(helper.make_node("Cast", [name], [name + "_float"], name=name + "_float", to=TensorProto.FLOAT))
        return name + "_float"

    def dense(x, name):
        w = g.weight(name + ".w", 16, 16)
        return g("MatMul", x, const(w, g.constants[w]), to=name)
    scale = 8 ** -0.5 if scale is None else scale
    seen = g("Greater", g("Slice", "x", g.const("from", [15], np.int64), g.const("to", [16], np.int64), g.const("axis", [2], np.int64)), g.const("least", -5.0), to="seen")
    bias = g("Where", g("Transpose", seen, perm=[0, 2, 1]), const("none", 0.0), const("lowest", lowest), to="bias")
    made = {n: dense("x", n) for n in order}
    q, k, v = made["q"], made["k"], made["v"]
    k = g("Transpose", k, to="turned", perm=[0, 2, 1])
    if where == "both":
        root = const("root", scale ** 0.5)
        q, k = g("Mul", q, root, to="less_q"), g("Mul", k, root, to="less_k")
    if where == "fused":
        s = g("FusedMatMul", q, k, to="scores", domain="com.microsoft", alpha=scale)
    else:
        s = g("MatMul", q, k, to="product" if where == "scores" else "scores")
    if where == "scores":
        s = g("Mul", s, const("scale", scale), to="scores")
    masked = g("Add", s, bias, to="masked")
    if half:
        power = g("Exp", g("Sub", masked, g("ReduceMax", masked, axes=[2]), to="below"), to="power")
        weights = g("Div", power, g("ReduceSum", power, g.const("last", [2], np.int64), to="sum"), to="weights")
    else:
        weights = g("Softmax", masked, to="weights", axis=2)
    g("MatMul", weights, v, to="y")
    return g.save(path, [1, 12, 16])


def padded():
    made = []
    for i, x in enumerate(INPUTS):
        x = x.copy()
        x[:, 12 - 2 * i:, 15] = -9
        made.append(x)
    return made


def compare(tmp_path, edge, reference, status):
    for path, role in ((edge, "edge"), (reference, "reference")):
        record(path, tmp_path / f"{role}.mcap", padded(), tmp_path, "none", role=role, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.95", status=status)


def test_a_softmax_in_parts_behind_a_clipped_mask_is_healthy_and_covered(tmp_path):
    v = compare(tmp_path, attention(tmp_path / "half.onnx", half=True), attention(tmp_path / "float.onnx"), 0)
    assert loud(v) == []


@pytest.mark.parametrize("half", [True, False], ids=["float16", "float32"])
@pytest.mark.parametrize(("edge", "reference"), [("both", "scores"), ("both", "fused"), ("fused", "both"), ("scores", "fused")])
def test_a_scale_may_be_applied_at_any_place(tmp_path, edge, reference, half):
    v = compare(tmp_path, attention(tmp_path / "edge.onnx", half=half, where=edge), attention(tmp_path / "reference.onnx", where=reference), 0)
    assert loud(v) == [] and "model.operator" not in causes(v)


@pytest.mark.parametrize("half", [True, False], ids=["float16", "float32"])
@pytest.mark.parametrize(("edge", "reference"), [("both", "scores"), ("both", "fused"), ("fused", "both"), ("both", "both")])
def test_another_scale_at_another_place(tmp_path, edge, reference, half):
    v = compare(tmp_path, attention(tmp_path / "edge.onnx", half=half, where=edge, scale=1.0), attention(tmp_path / "reference.onnx", where=reference), 1)
    assert [c for c, _ in loud(v)] == ["model.operator"]
    assert "x * 0.353553" in str(finding(v, "model.operator")) or "x * 0.594604" in str(finding(v, "model.operator"))


@pytest.mark.parametrize("lowest", [-10000.0, float("-inf"), LOWEST])
def test_what_hides_scores_may_be_any_number(tmp_path, lowest):
    v = compare(tmp_path, attention(tmp_path / "edge.onnx", lowest=lowest), attention(tmp_path / "reference.onnx"), 0)
    assert loud(v) == [] and "model.operator" not in causes(v)


def test_another_mask_that_does_not_hide(tmp_path):
    v = compare(tmp_path, attention(tmp_path / "edge.onnx", lowest=-1.0), attention(tmp_path / "reference.onnx"), 1)
    assert [c for c, _ in loud(v)] == ["model.operator"] and "lowest" in str(finding(v, "model.operator"))


def test_a_hidden_mask_is_not_told_beside_another_fault(tmp_path):
    """The scale is wrong behind a mask that the converter clipped."""
    v = compare(tmp_path, attention(tmp_path / "half.onnx", half=True, scale=1.0), attention(tmp_path / "float.onnx"), 1)
    assert [c for c, _ in loud(v)] == ["model.operator"] and "lowest" not in str(finding(v, "model.operator"))


@pytest.mark.parametrize("order", ["kqv", "vqk", "kvq"])
@pytest.mark.parametrize("scale", [None, 1.0], ids=["right", "wrong"])
def test_projections_that_run_in_another_order(tmp_path, order, scale):
    """Random matrices of one size are alike in mean and deviation, and told apart by their last digits."""
    edge = attention(tmp_path / "half.onnx", half=True, where="both", scale=scale, order=order)
    v = compare(tmp_path, edge, attention(tmp_path / "float.onnx", where="fused"), 0 if scale is None else 1)
    assert [c for c, _ in loud(v)] == ([] if scale is None else ["model.operator"])
