"""Weights that are the reference's, at another place: layers exchanged, loaded in another order, or twice.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_log import verdict_of
from onnx_models import Graph
from validate_support import causes, finding


def blocks(path, order=(0, 1, 2, 3), parts=("w", "b", "p"), numbered=False, noise=0.0, seed=None):
    """Blocks of two convolutions; the weights of each part are those of the block that `order` names."""
    g = Graph()
    x = g.conv("x", "stem", 3, 8)
    for i, other in enumerate(order):
        shapes = {"w": (8, 8, 3, 3), "b": (8,), "p": (8, 8, 1, 1)}
        place = {}
        for k, (part, shape) in enumerate(shapes.items()):
            source = other if part in parts else i
            random = np.random.default_rng([11 if seed is None else seed, source, k])
            value = random.normal(0, 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.3, shape)
            value += noise * np.random.default_rng([12, i, k]).normal(0, value.std(), shape)
            place[part] = g.const(f"onnx::{400 + 10 * i + k if numbered else f'block{i}.{part}'}", value)
        y = g("Relu", g("Conv", x, place["w"], place["b"], to=f"c{i}", kernel_shape=[3, 3], pads=[1] * 4), to=f"r{i}")
        x = g("Add", x, g("Conv", y, place["p"], to=f"p{i}", kernel_shape=[1, 1]), to=f"s{i}" if i < len(order) - 1 else "y")
    return g.save(path, [1, 3, 12, 16])


def judged(tmp_path, edge, status=1, level="none"):
    return verdict_of(tmp_path, blocks(tmp_path / "edge.onnx", **edge), blocks(tmp_path / "reference.onnx"), status, level)


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("numbered", [False, True])
def test_exchanged_blocks_are_no_other_version(tmp_path, numbered, level):
    v = judged(tmp_path, {"order": (2, 1, 0, 3), "numbered": numbered}, level=level)
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["kind"] == "exchanged" and f["evidence"]["weights_elsewhere"] == 4 and "exchanged" in f["summary"]


def test_blocks_in_another_order_are_all_named(tmp_path):
    v = judged(tmp_path, {"order": (1, 2, 3, 0)})
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["kind"] == "elsewhere" and f["evidence"]["weights_elsewhere"] == 8
    assert any("block0.w" in d and "block1.w" in d for d in f["details"])


def test_a_block_that_was_loaded_twice(tmp_path):
    f = finding(judged(tmp_path, {"order": (0, 1, 1, 3)}), "model.weights")
    assert f["evidence"]["kind"] == "elsewhere" and "block2.w" in f["summary"] and "block1.w" in f["summary"]


def test_one_part_of_two_blocks(tmp_path):
    v = judged(tmp_path, {"order": (1, 0, 2, 3), "parts": ("p",)})
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["weights_elsewhere"] == 2 and f["evidence"]["biases_differ"] == 0


def test_another_training_is_not_exchanged(tmp_path):
    assert causes(judged(tmp_path, {"seed": 5})) == ["model.version"]
    v = judged(tmp_path, {"order": (2, 1, 0, 3), "noise": 0.01})
    assert all("kind" not in f["evidence"] for f in v["findings"])


def test_the_same_blocks_under_other_names(tmp_path):
    assert causes(judged(tmp_path, {"numbered": True}, 0)) == []


# ---- The same function of other weights ----


def branches(path, fused=False, forgotten=None, width=6):
    """Blocks of a 3x3 and a 1x1 convolution and the input itself, summed; or of the one convolution that this is."""
    g = Graph()
    x = g.conv("x", "stem", 3, width)
    for i in range(3):
        random = np.random.default_rng([13, i])
        wide, narrow = random.normal(0, 0.15, (width, width, 3, 3)), random.normal(0, 0.3, (width, width, 1, 1))
        bias, other = random.normal(0, 0.2, (2, width))
        if fused:
            wide[:, :, 1, 1] += narrow[:, :, 0, 0] + (0 if forgotten == i else np.eye(width))
            y = g("Conv", x, g.const(f"fused{i}.w", wide), g.const(f"fused{i}.b", bias + other), to=f"sum{i}", kernel_shape=[3, 3], pads=[1] * 4)
        else:
            a = g("Conv", x, g.const(f"wide{i}.w", wide), g.const(f"wide{i}.b", bias), to=f"wide{i}", kernel_shape=[3, 3], pads=[1] * 4)
            b = g("Conv", x, g.const(f"narrow{i}.w", narrow), g.const(f"narrow{i}.b", other), to=f"narrow{i}", kernel_shape=[1, 1])
            y = g("Add", g("Add", a, b), x, to=f"sum{i}")
        x = g("Relu", y, to=f"out{i}" if i < 2 else "y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("forgotten", [None, 1])
def test_branches_that_were_summed_into_one_convolution(tmp_path, forgotten, level):
    edge = branches(tmp_path / "edge.onnx", fused=True, forgotten=forgotten)
    v = verdict_of(tmp_path, edge, branches(tmp_path / "reference.onnx"), 0 if forgotten is None else 1, level)
    assert causes(v) == ([] if forgotten is None else ["model.weights"])
    if forgotten is not None:
        assert "fused1.w" in " ".join(finding(v, "model.weights")["details"])


def adapted(path, merged=False, alpha=2.0):
    """Dense layers with an adapter of rank 4 beside them, or merged into them."""
    g, x = Graph(), "x"
    for i in range(3):
        w, a, b = (np.random.default_rng([14, i, k]).normal(0, 0.25, s) for k, s in enumerate(((24, 24), (24, 4), (4, 24))))
        if merged:
            y = g("MatMul", x, g.const(f"dense{i}.w", w + alpha * a @ b), to=f"sum{i}")
        else:
            low = g("MatMul", g("MatMul", x, g.const(f"dense{i}.a", a)), g.const(f"dense{i}.b", b))
            y = g("Add", g("MatMul", x, g.const(f"dense{i}.w", w)), g("Mul", low, g.const("alpha", 2)), to=f"sum{i}")
        x = g("Tanh", y, to=f"t{i}" if i < 2 else "y")
    return g.save(path, [1, 5, 24])


def test_an_adapter_that_was_merged(tmp_path):
    beside = adapted(tmp_path / "reference.onnx")
    assert causes(verdict_of(tmp_path, adapted(tmp_path / "edge.onnx", True), beside, 0, shape=(1, 5, 24))) == []
    found = causes(verdict_of(tmp_path, adapted(tmp_path / "edge.onnx", True, 1.0), beside, 1, shape=(1, 5, 24)))
    assert found and set(found) <= {"model.weights", "model.version"}


def channels(path, order=None, back=True):
    """Two convolutions in a row; the first one's channels in another order, and the second's inputs, or not."""
    g = Graph()
    x = g("Relu", g.conv("x", "first", 3, 8), to="a")
    x = g("Relu", g.conv(x, "second", 8, 6), to="b")
    g("Gemm", g("Flatten", g("GlobalAveragePool", x)), g.weight("fc.w", 6, 4), to="y")
    if order is not None:
        g.constants["first.w"] = g.constants["first.w"][order]
        if back:
            g.constants["second.w"] = g.constants["second.w"][:, order]
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("back", [True, False])
def test_channels_in_another_order(tmp_path, back):
    edge = channels(tmp_path / "edge.onnx", [3, 1, 0, 2, 7, 6, 5, 4], back)
    v = verdict_of(tmp_path, edge, channels(tmp_path / "reference.onnx"), 0 if back else 1)
    assert [f["cause"] for f in v["findings"] if f["severity"] == "error"] == ([] if back else ["model.weights"])
    if not back:
        assert "another order along dimension 0" in " ".join(finding(v, "model.weights")["details"])


def shared(path, copied=False, other=None):
    """One layer that is applied three times; or three copies of it, of which one may be another."""
    g, x = Graph(), "x"
    for i in range(3):
        name = f"copy{i}" if copied else "one"
        up, down = ("up", "down") if i != other else ("other", "down")
        w = [np.random.default_rng([15, *part.encode()]).normal(0, 0.2, s) for part, s in ((up, (24, 40)), (down, (40, 24)))]
        y = g("Tanh", g("MatMul", x, g.const(name + ".up", w[0]), to=f"up{i}"), to=f"tanh{i}")
        x = g("Add", x, g("MatMul", y, g.const(name + ".down", w[1]), to=f"down{i}"), to=f"sum{i}" if i < 2 else "y")
    return g.save(path, [1, 5, 24])


@pytest.mark.parametrize("other", [None, 1])
def test_copies_of_what_the_other_side_shares_are_no_other_architecture(tmp_path, other):
    edge = shared(tmp_path / "edge.onnx", True, other)
    v = verdict_of(tmp_path, edge, shared(tmp_path / "reference.onnx"), 0 if other is None else 1, shape=(1, 5, 24))
    assert causes(v) == ([] if other is None else ["model.weights"])
    if other is not None:
        assert "copy1.up" in " ".join(finding(v, "model.weights")["details"])


def queries(path, order=None):
    """Queries that attend to what was given; a head of two outputs for each."""
    g = Graph()
    made = np.random.default_rng(16).normal(size=(1, 12, 16))
    q = g.const("queries", made if order is None else made[:, order])
    s = g("MatMul", q, g("Transpose", "x", perm=[0, 2, 1]), to="scores")
    y = g("Add", g("MatMul", g("Softmax", s, axis=-1), "x"), q, to="found")
    g("MatMul", y, g.weight("classes.w", 16, 9), to="logits")
    g("Sigmoid", g("MatMul", y, g.weight("boxes.w", 16, 4)), to="boxes")
    return g.save(path, [1, 20, 16], "logits", "boxes")


def test_queries_in_another_order_are_one_finding(tmp_path):
    edge = queries(tmp_path / "edge.onnx", np.roll(np.arange(12)[::-1], 5))
    v = verdict_of(tmp_path, edge, queries(tmp_path / "reference.onnx"), 1, shape=(1, 20, 16))
    assert causes(v) == ["model.weights"]
    assert "queries: the same values, in another order" in " ".join(finding(v, "model.weights")["details"])


# ---- Bodies ----


def branched(path, taken=None, other=None):
    """One of two branches, of one operator each, by the sum of the input; `taken`, `other`: seeds of their weights."""
    g = Graph()
    x = g("Tanh", g("MatMul", "x", g.weight("first.w", 12, 8)), to="a")
    positive = g("Greater", g("ReduceSum", g("Abs", "x"), keepdims=0), g.const("zero", 0.0), to="positive")

    def branch(name, seed):
        weights = numpy_helper.from_array(np.random.default_rng([17, seed]).normal(0, 0.4, (8, 5)).astype(np.float32), name + "_w")
        nodes = [helper.make_node("MatMul", [x, name + "_w"], [name + "_m"]), helper.make_node("Sigmoid", [name + "_m"], [name + "_y"])]
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(name + "_y", TensorProto.FLOAT, None)], [weights])

    g.nodes.append(helper.make_node("If", [positive], ["y"], name="choice", then_branch=branch("taken", taken or 1), else_branch=branch("other", other or 2)))
    return g.save(path, [1, 6, 12])


@pytest.mark.parametrize("seeds,wrong", [({"taken": 5}, True), ({"other": 5}, False), ({}, False)], ids=["taken", "never taken", "the same"])
def test_weights_within_a_branch(tmp_path, seeds, wrong):
    v = verdict_of(tmp_path, branched(tmp_path / "edge.onnx", **seeds), branched(tmp_path / "reference.onnx"), 1 if wrong else 0, shape=(1, 6, 12))
    assert causes(v) == (["model.weights"] if wrong else [])
    if wrong:
        f = finding(v, "model.weights")
        assert "then_branch" in f["summary"] and f["evidence"]["bodies_differ"] == 1 and "40 mean" in " ".join(f["details"])


def test_a_branch_of_another_function_is_an_operator(tmp_path):
    edge = branched(tmp_path / "edge.onnx", taken=5)
    model = onnx.load(edge)
    choice = next(n for n in model.graph.node if n.op_type == "If")
    next(a for a in choice.attribute if a.name == "then_branch").g.node[1].op_type = "Tanh"
    onnx.save(model, edge)
    v = verdict_of(tmp_path, edge, branched(tmp_path / "reference.onnx"), 1, shape=(1, 6, 12))
    assert causes(v) == ["model.operator"]


def skipping(path, names, skip):
    """Three convolutions, and a sum of the last with what one before has made; `names`: of what the first two make."""
    g = Graph()
    made = [g("Relu", g.conv("x", "c0", 3, 8), to=names[0])]
    made.append(g("Relu", g.conv(made[0], "c1", 8, 8), to=names[1]))
    last = g("Relu", g.conv(made[1], "c2", 8, 8), to="last")
    g("Sigmoid", g.conv(g("Add", last, made[skip], to="sum"), "c3", 8, 4), to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("names", [("10", "11"), ("11", "10"), ("onnx::Conv_7", "onnx::Conv_8"), ("first", "second")])
@pytest.mark.parametrize("skip, expected", [(0, []), (1, ["model.operator"])])
def test_a_name_that_counts_is_no_tensor(tmp_path, names, skip, expected):
    """The sum reads another tensor, of whatever name; in the healthy twin names alone are exchanged."""
    v = verdict_of(tmp_path, skipping(tmp_path / "edge.onnx", names, skip), skipping(tmp_path / "reference.onnx", ("10", "11"), 0), 1 if expected else 0)
    assert causes(v) == expected


@pytest.mark.parametrize("bias", [(-2500.0, -4000.0), (-1500.0, -2000.0)], ids=["right", "wrong"])
def test_a_bias_far_below_zero_is_no_mask(tmp_path, bias):
    """Masks that hide scores are the same whatever the number; this one hides nothing, and all of its numbers count."""
    def prices(path, bias):
        g = Graph()
        hidden = g("Relu", g("Gemm", "x", g.weight("w", 8, 16), to="hidden"), to="relu")
        g("Gemm", hidden, g.weight("v", 16, 2), g.const("far", bias), to="y")
        return g.save(path, [4, 8])

    right = bias[0] == -2500
    v = verdict_of(tmp_path, prices(tmp_path / "edge.onnx", bias), prices(tmp_path / "reference.onnx", (-2500.0, -4000.0)), 0 if right else 1, "none", [4, 8])
    assert causes(v) == ([] if right else ["model.weights"])
