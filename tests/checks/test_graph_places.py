"""What two files of one model read where: constants that change places, small biases, loops, sizes that the values decide.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_log import verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding


def suppression(path, iou=0.3, center=0, least=0.4):
    """Boxes and scores of a convolution's pixels, and what a suppression leaves of them."""
    g = Graph(18)
    x = g("Reshape", g.conv("x", "rows", 3, 5), g.const("flat", [1, 5, -1], np.int64))
    box, score = g.const("cut", [4, 1], np.int64), "likely"
    g.nodes.append(helper.make_node("Split", [x, box], ["corners", "raw"], name="parts", axis=1))
    g("Sigmoid", "raw", to=score)
    boxes = g("Transpose", g("Abs", "corners"), to="boxes", perm=[0, 2, 1])
    kept = g("NonMaxSuppression", boxes, score, g.const("most", 60, np.int64), g.const("iou", iou), g.const("least", least), to="kept",
             center_point_box=center)
    g("Gather", score, g("Gather", kept, g.const("column", 2, np.int64), to="place", axis=1), to="y", axis=2)
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("edge,says", [({"iou": 0.9}, "iou"), ({"center": 1}, "center_point_box"), ({"least": 0.62}, "least"), ({}, None)])
def test_what_a_suppression_keeps_is_judged_though_its_number_differs(tmp_path, edge, says):
    v = verdict_of(tmp_path, *models(tmp_path, suppression, edge), 1 if says else 0)
    assert [f["cause"] for f in v["findings"] if f["severity"] == "error"] == (["model.operator"] if says else [])
    if says:
        assert says in finding(v, "model.operator")["summary"]


def shared_head(path, own=False, bias=(0.5, -0.4, 0.3)):
    """Two places that one kernel reads; a head of three classes with a bias."""
    g = Graph()
    kernel = g.weight("head.w", 6, 6, 1, 1)
    other = g.weight("other.w", 6, 6, 1, 1) if own else kernel
    a = g("Relu", g.conv("x", "first", 3, 6), to="a")
    b = g("Relu", g("Conv", a, kernel, to="near", kernel_shape=[1, 1]), to="b")
    c = g("Conv", g("Tanh", b), other, to="far", kernel_shape=[1, 1])
    flat = g("Flatten", g("GlobalAveragePool", g("Add", b, c, to="both")), to="flat")
    g("Gemm", flat, g.weight("fc.w", 6, 3), g.const("fc.b", bias), to="y")
    return g.save(path, [1, 3, 12, 16])


def test_weights_that_one_place_does_not_share_are_named(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, shared_head, {"own": True}), 1)
    assert causes(v) == ["model.weights"]
    assert "other.w" in " ".join(finding(v, "model.weights")["details"])


def test_a_lost_bias_of_three_classes_is_named(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, shared_head, {"bias": (0, 0, 0)}), 1)
    assert causes(v) == ["model.weights"]
    assert "biases fc.b" in " ".join(finding(v, "model.weights")["details"])


def two_layers(path, exchanged=False):
    g = Graph()
    one, two = [g.const(n, np.random.default_rng(i).normal(size=16)) for i, n in enumerate(("one.b", "two.b"))]
    if exchanged:
        one, two = two, one
    x = g("Relu", g("Conv", "x", g.weight("one.w", 16, 3, 3, 3), one, to="one", kernel_shape=[3, 3]))
    x = g("Relu", g("Conv", x, g.weight("two.w", 16, 16, 3, 3), two, to="two", kernel_shape=[3, 3]))
    g("Flatten", g("GlobalAveragePool", x), to="y")
    return g.save(path, [1, 3, 12, 16])


def test_biases_of_two_layers_that_are_exchanged_are_weights_and_no_kernel(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, two_layers, {"exchanged": True}), 1)
    assert causes(v) == ["model.weights"]
    assert "biases" in " ".join(finding(v, "model.weights")["details"])


def loop(path, rounds=3, rate=0.5):
    g = Graph()
    body = helper.make_graph(
        [helper.make_node("MatMul", ["v", "step"], ["m"]), helper.make_node("Tanh", ["m"], ["c"]), helper.make_node("Mul", ["c", "rate"], ["t"]),
         helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("v", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("t", TensorProto.FLOAT, None)])
    g.weight("step", 16, 16)
    g.const("rate", rate)
    x = g("Loop", g.const("rounds", rounds, np.int64), g.const("yes", True, bool), g("Tanh", "x", to="first"), to="looped", body=body)
    g("MatMul", x, g.weight("out", 16, 4), to="y")
    return g.save(path, [5, 16])


@pytest.mark.parametrize("rounds", [3, 4])
def test_how_often_a_loop_runs_is_compared(tmp_path, rounds):
    v = verdict_of(tmp_path, *models(tmp_path, loop, {"rounds": rounds}), int(rounds != 3), shape=(5, 16))
    assert causes(v) == (["model.operator"] if rounds != 3 else [])
    if rounds != 3:
        assert "rounds: 4 on the edge, 3 in the reference" in finding(v, "model.operator")["summary"]


def test_a_number_that_a_loop_reads_from_outside_is_no_kernel(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, loop, {"rate": 0.25}), 1, shape=(5, 16))
    assert causes(v) == ["model.operator"]
    assert "rate: 0.25 on the edge, 0.5 in the reference" in finding(v, "model.operator")["summary"]


def experts(path, chosen=2, count=4):
    """The best of some experts' shares at their places: how many there are decides a size, which nothing of the other side has."""
    g = Graph(17)
    shares = g("Softmax", g("MatMul", "x", g.weight("router.w", 12, count), to="routed"), to="shares", axis=-1)
    g.nodes.append(helper.make_node("TopK", [shares, g.const("chosen", [chosen], np.int64)], ["best", "where"], name="best", axis=-1))
    gates = g("ScatterElements", g("Mul", shares, g.const("nothing", 0.0), to="empty"), "where", "best", to="gates", axis=-1)
    up = g("Relu", g("MatMul", "x", g.weight("up.w", 12, count), to="up"), to="high")
    g("MatMul", g("Mul", up, gates, to="mixed"), g.weight("down.w", count, 3), to="y")
    return g.save(path, [7, 12])


@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_how_many_are_chosen_shows_in_all_that_read_them(tmp_path, chosen):
    v = verdict_of(tmp_path, *models(tmp_path, experts, {"chosen": chosen}), int(chosen != 2), shape=(7, 12))
    assert [f["cause"] for f in v["findings"] if f["severity"] == "error"] == (["model.operator"] if chosen != 2 else [])
    if chosen != 2:
        assert f"chosen: {chosen} on the edge, 2 in the reference" in finding(v, "model.operator")["summary"]


def messages(path, turned=False):
    """Rows that are sent along edges and summed where they arrive."""
    g, random = Graph(18), np.random.default_rng(3)
    source, target = random.integers(0, 9, (2, 20))
    if turned:
        source, target = target, source
    sent = g("Gather", g("MatMul", "x", g.weight("w", 5, 6), to="rows"), g.const("source", source, np.int64), to="sent", axis=0)
    nothing = g.const("nothing", np.zeros((9, 6)))
    y = g("ScatterND", nothing, g.const("target", target[:, None], np.int64), sent, to="arrived", reduction="add")
    g("Tanh", y, to="y")
    return g.save(path, [9, 5])


@pytest.mark.parametrize("turned", [False, True])
def test_two_constants_that_are_exchanged_are_one_finding(tmp_path, turned):
    v = verdict_of(tmp_path, *models(tmp_path, messages, {"turned": turned}), int(turned), shape=(9, 5))
    assert causes(v) == (["model.operator"] if turned else [])
    if turned:
        f = finding(v, "model.operator")
        assert "source" in f["summary"] and "target" in " ".join(f["details"]) + f["summary"]


def attention(path, order="qkv", heads=4, width=16, length=9):
    """One projection that is cut into queries, keys and values: exchanged, queries and keys make the scores' transpose."""
    g = Graph(17)
    parts = {n: np.random.default_rng([41, ord(n)]).normal(0, 0.5, (width, width)) for n in "qkv"}
    y = g("MatMul", "x", g.const("qkv.w", np.concatenate([parts[n] for n in order], 1)), to="qkv")
    y = g("Transpose", g("Reshape", y, g.const("five", [1, length, 3, heads, width // heads], np.int64)), to="turned", perm=[2, 0, 3, 1, 4])
    q, k, v = (g("Gather", y, g.const(f"at{i}", i, np.int64), to=n, axis=0) for i, n in enumerate("qkv"))
    scores = g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2]), to="scores")
    context = g("MatMul", g("Softmax", scores, to="shares", axis=-1), v, to="context")
    g("Reshape", g("Transpose", context, perm=[0, 2, 1, 3]), g.const("joined", [1, length, width], np.int64), to="y")
    return g.save(path, [1, length, width])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("order", ["qkv", "kqv"])
def test_scores_that_agree_when_they_are_turned_are_no_right_input(tmp_path, order, level):
    wrong = order != "qkv"
    v = verdict_of(tmp_path, *models(tmp_path, attention, {"order": order}), int(wrong), level, shape=(1, 9, 16))
    assert causes(v) == (["model.weights"] if wrong else [])
    if wrong:
        assert "in another order along dimension 1" in " ".join(finding(v, "model.weights")["details"])


def normalized(path, axis=-1):
    """Its scale is of another size where its axis is another: nothing but the operator's name is the same."""
    g = Graph(17)
    x = g.conv("x", "conv", 3, 8)
    y = g("LayerNormalization", x, g.const("scale", np.ones((16,) if axis == -1 else (8, 12, 16))), to="normed", axis=axis)
    g("Flatten", g("GlobalAveragePool", g("Tanh", y)), to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("axis", [-1, 1])
def test_an_operator_whose_constants_are_of_another_size_has_an_attribute(tmp_path, axis):
    v = verdict_of(tmp_path, *models(tmp_path, normalized, {"axis": axis}), int(axis == 1))
    assert causes(v) == (["model.operator"] if axis == 1 else [])
    if axis == 1:
        assert "normed has axis 1 on the edge, -1 in the reference" in finding(v, "model.operator")["summary"]


def grouped(path, groups=4):
    g = Graph(21)
    y = g("GroupNormalization", g.conv("x", "conv", 3, 8), g.const("scale", np.ones(8)), g.const("bias", np.zeros(8)), to="normed", num_groups=groups)
    g("Flatten", g("Tanh", y), to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("groups", [2, 4])
def test_a_constant_that_is_divided_by_and_gives_a_shape_is_one_finding(tmp_path, groups, level):
    """An engine without a kernel takes the normalization apart: the number of groups is a constant then, which two nodes read."""
    v = verdict_of(tmp_path, *models(tmp_path, grouped, {"groups": groups}), int(groups == 2), level)
    told = [f for f in v["findings"] if f["severity"] == "error"]
    assert [f["cause"] for f in told] == (["model.operator"] if groups == 2 else [])


def heads(path, count=4, numbered=False, exchanged="", order=(0, 1, 2)):
    """Two blocks of ONNX Runtime's attention over three products of one size."""
    g, x = Graph(17), "x"
    for b in range(2):
        made = []
        for n in "qkv":
            source = {"q": "k", "k": "q"}[n] if b == 1 and n in exchanged else n
            w = np.random.default_rng([51, b, ord(source)]).normal(0, 0.5, (16, 16))
            place = f"{b * 3 + 'qkv'.index(n)}"
            made.append(g("MatMul", x, g.const(f"onnx::{40 + int(place)}" if numbered else f"b{b}.{n}", w), to=place + "0" if numbered else f"b{b}_{n}"))
        y = g("MultiHeadAttention", *(made[i] for i in order), to=f"{90 + b}" if numbered else f"b{b}_heads", num_heads=count, domain="com.microsoft")
        x = g("Tanh", g("Add", x, y), to="y" if b else "95" if numbered else "between")
    g.save(path, [1, 9, 16])
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("edge,cause,words", [({}, None, ""), ({"count": 2}, "model.operator", "num_heads 2 on the edge"), ({"order": (0, 2, 1)}, "model.operator", "another order"),
                                              ({"exchanged": "qk"}, "model.weights", "exchanged")], ids=["the same", "heads", "order", "weights"])
def test_layers_of_one_size_behind_a_fault_are_not_paired_crosswise(tmp_path, edge, cause, words, numbered):
    """Where names say nothing, exchanged weights are exchanged operands."""
    if numbered and "exchanged" in edge:
        cause, words = "model.operator", "another order"
    left, right = models(tmp_path, heads, {**edge, "numbered": numbered})
    v = verdict_of(tmp_path, left, right, int(cause is not None), "none", shape=(1, 9, 16))
    assert causes(v) == ([cause] if cause else [])
    assert not cause or words in finding(v, cause)["summary"]


def means(path, order="rows columns", gain=1.5):
    """Two means of a picture over other axes, which an optimizer may compute in either order."""
    g = Graph(13)
    x = g("Mul", g.conv("x", "first", 3, 6), g.const("gain", gain), to="gained")
    axes = {"rows": [3], "columns": [2]}
    for name in order.split():
        g("ReduceMean", x, to=name, axes=axes[name], keepdims=1)
    both = g("Tanh", g("Mul", "rows", "columns", to="both"))
    g("Gemm", g("Flatten", g("GlobalAveragePool", both), to="flat"), g.weight("fc.w", 6, 7), to="y")
    return g.save(path, [1, 3, 12, 12])


@pytest.mark.parametrize("gain", [1.5, 1.1])
def test_namesakes_that_run_in_another_order(tmp_path, gain):
    v = verdict_of(tmp_path, *models(tmp_path, means, {"order": "columns rows", "gain": gain}), 0 if gain == 1.5 else 1, shape=(1, 3, 12, 12))
    told = [f for f in v["findings"] if f["severity"] != "info"]
    assert [f["cause"] for f in told] == ([] if gain == 1.5 else ["model.operator"])
    assert not told or "1.1" in told[0]["summary"]
