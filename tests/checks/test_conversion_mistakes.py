"""What goes wrong when a model is converted: windows along one dimension, heads cut up otherwise, constants of branches, statistics of
a normalization; and what may be written otherwise.  The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_log import verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding


def errors(v):
    return [f["cause"] for f in v["findings"] if f["severity"] == "error"]


def temporal(path, before=(2, 4), behind=(0, 0), node=False, turned=False, follows=True):
    """Causal convolutions along time, and a dense layer; turned: channels last before it, with weights that follow or not."""
    g = Graph()
    x = "x"
    for i, (a, b) in enumerate(zip(before, behind)):
        pads = [a, b]
        if node:
            x = g("Pad", x, g.const(f"pads{i}", [0, 0, a, 0, 0, b], np.int64), to=f"padded{i}")
            pads = [0, 0]
        x = g("Elu", g("Conv", x, g.weight(f"t{i}.w", 6, 4 if i == 0 else 6, 3), to=f"t{i}", kernel_shape=[3], pads=pads, dilations=[i + 1]), to=f"e{i}")
    weights = np.random.default_rng(1).normal(0, 0.1, (6, 20, 5))
    if turned:
        x = g("Transpose", x, to="turned", perm=[0, 2, 1])
        weights = weights.transpose(1, 0, 2) if follows else weights
    g("MatMul", g("Flatten", x, to="flat"), g.const("fc.w", weights.reshape(120, 5)), to="y")
    return g.save(path, [1, 4, 20])


@pytest.mark.parametrize("edge", [{"node": True}, {"turned": True}], ids=["padded by a node", "channels last, and the weights follow"])
def test_the_same_along_time_is_no_finding(tmp_path, edge):
    assert not errors(verdict_of(tmp_path, *models(tmp_path, temporal, edge), 0, shape=(1, 4, 20)))


def test_symmetric_padding_along_time_for_causal_is_one_finding(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, temporal, {"before": (1, 2), "behind": (1, 2)}), 1, shape=(1, 4, 20))
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert "pads 1,1 on the edge, 2,0 in the reference" in f["summary"]
    assert "t1: 2,2 on the edge, 4,0 in the reference" in " ".join(f["details"])


def test_weights_that_do_not_follow_moved_channels_are_named(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, temporal, {"turned": True, "follows": False}), 1, shape=(1, 4, 20))
    assert causes(v) == ["model.operator"]


def attention(path, cut=(4, 8), order=(0, 1, 2)):
    """One layer with a causal mask, over ten rows."""
    g = Graph()
    g.nodes.append(helper.make_node("Split", [g("MatMul", "x", g.weight("qkv", 32, 96), to="all"), g.const("parts", [32] * 3, np.int64)],
                                    ["p0", "p1", "p2"], axis=-1))
    shape = g.const("heads", [0, 0, *cut], np.int64)
    first, last = (2, 3) if cut[0] == 4 else (3, 2)
    q, k, v = (g("Transpose", g("Reshape", f"p{i}", shape, to=f"{n}_r"), to=f"{n}_t", perm=[0, first, 1, last] if n != "k" else [0, first, last, 1])
               for n, i in zip("qkv", order))
    masked = g("Where", g.const("causal", np.tril(np.ones((10, 10))), bool), g("Div", g("MatMul", q, k, to="qk"), g.const("root", 8**0.5), to="scores"),
               g.const("low", -1e9), to="masked")
    made = g("Transpose", g("MatMul", g("Softmax", masked, to="soft"), v, to="context"), to="back", perm=[0, 2, 1, 3] if first == 2 else [0, 2, 3, 1])
    g("MatMul", g("Reshape", made, g.const("joined", [0, 10, 32], np.int64), to="flat"), g.weight("out", 32, 5), to="y")
    return g.save(path, [1, 10, 32])


@pytest.mark.parametrize("edge,says", [({"cut": (8, 4)}, "moves values to other places"), ({"order": (1, 0, 2)}, "inputs in another order")],
                         ids=["heads behind their parts", "queries for keys"])
def test_attention_that_is_cut_up_or_fed_otherwise_is_one_finding(tmp_path, edge, says):
    v = verdict_of(tmp_path, *models(tmp_path, attention, edge), 1, shape=(1, 10, 32))
    assert errors(v) == ["model.operator"]
    assert says in finding(v, "model.operator")["summary"]


def choice(path, constants=(0.5, 2.0), op="Greater"):
    g = Graph()
    x = g("Tanh", "x", to="first")
    one, two = g.const("k.one", constants[0]), g.const("k.two", constants[1])

    def branch(name, k):
        return helper.make_graph([helper.make_node("Mul", [x, k], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])

    asked = g(op, g("ReduceSum", x, to="sum", keepdims=0), g.const("zero", 0), to="asked")
    chosen = g("If", asked, to="chosen", then_branch=branch("then", one), else_branch=branch("otherwise", two))
    g("MatMul", chosen, g.weight("out", 16, 4), to="y")
    return g.save(path, [5, 16])


@pytest.mark.parametrize("edge,says", [({"constants": (2.0, 0.5)}, "k.two: 0.5 on the edge, 2 in the reference"), ({"op": "Less"}, "by Greater")],
                         ids=["constants exchanged", "condition turned"])
def test_what_branches_read_and_are_chosen_by_is_compared(tmp_path, edge, says):
    v = verdict_of(tmp_path, *models(tmp_path, choice, edge), 1, shape=(5, 16))
    assert causes(v) == ["model.operator"]
    assert says in finding(v, "model.operator")["summary"]


def blocks(path, pool="GlobalAveragePool", joins="Mul", exchanged=False, ceil=0):
    """Two squeeze-and-excite blocks, a normalization, and a pool whose windows do not fit."""
    g = Graph()
    x = g.conv("x", "stem", 3, 12)
    for i in range(2):
        s = g("Sigmoid", g("Conv", g(pool, x, to=f"b{i}.pool"), g.weight(f"b{i}.w", 12, 12, 1, 1), to=f"b{i}.fc"), to=f"b{i}.gate")
        x = g(joins, x, s, to=f"b{i}.join")
    random = np.random.default_rng(2)
    mean, variance = (g.const(n, random.uniform(0.2, 1, 12)) for n in (("bn.var", "bn.mean") if exchanged else ("bn.mean", "bn.var")))
    x = g("BatchNormalization", x, g.const("bn.s", random.uniform(0.5, 1, 12)), g.const("bn.b", random.normal(0, 1, 12)), "bn.mean", "bn.var", to="bn")
    x = g("AveragePool", x, to="pool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=ceil)
    g("Flatten", x, to="y", axis=2)
    return g.save(path, [1, 3, 12, 16])


CHANGES = [({"pool": "GlobalMaxPool"}, "model.operator", "GlobalMaxPool"), ({"joins": "Add"}, "model.operator", "by Mul"),
           ({"exchanged": True}, "model.weights", "bn.var: in the place of others"), ({"ceil": 1}, "model.operator", "ceil_mode 1")]


@pytest.mark.parametrize("edge,cause,says", CHANGES, ids=[next(iter(c[0])) for c in CHANGES])
def test_one_mistake_in_several_blocks_is_one_finding(tmp_path, edge, cause, says):
    v = verdict_of(tmp_path, *models(tmp_path, blocks, edge), 1)
    assert errors(v) == [cause]
    f = finding(v, cause)
    assert says in " ".join([f["summary"], *f["details"]])
    if "pool" in edge:
        assert "The same at" in " ".join(f["details"])


def numbered(path, more=False):
    """Operators without names of their own, which an exporter numbers: with one more before them, the same numbers are of others."""
    g = Graph()
    x = g("Tanh", g("Identity", "x") if more else "x", to="first")
    for _ in range(3):
        x = g("Mul", x, g("Sigmoid", g("Mul", x, g.weight(f"w{len(g.nodes)}" if not more else f"w{len(g.nodes) - 1}", 16))))
        x = g("Add", x, g.const("half", 0.5))
    g("MatMul", x, g.weight("out", 16, 4), to="y")
    return g.save(path, [5, 16])


def test_numbers_for_names_are_no_proof_in_graphs_of_other_sizes(tmp_path):
    assert causes(verdict_of(tmp_path, *models(tmp_path, numbered, {"more": True}), 0, shape=(5, 16))) == []


def gated(path, halves=(0, 1), repeat=2, shared=False):
    """Two heads that are repeated, with a bias for each of two layers, and a gate of two halves."""
    g = Graph()
    x = g("MatMul", "x", g.weight("first", 16, 32), to="rows")
    wide = [1, 2, 1, 4, 4] if repeat == 2 else [1, 1, 2, 4, 4]
    heads = g("Reshape", g("Transpose", g("Reshape", x, g.const("cut", [4, 2, 16], np.int64)), perm=[1, 0, 2], to="heads"), g.const("four", [1, 2, 16, 4], np.int64))
    heads = g("Slice", heads, g.const("from", [0], np.int64), g.const("to", [4], np.int64), g.const("along", [2], np.int64), to="few")
    many = g("Expand", g("Reshape", heads, g.const("wide", wide, np.int64), to="apart"), g.const("many", [1, 2, 2, 4, 4], np.int64), to="many_heads")
    y = g("Reshape", many, g.const("flat", [4, 16], np.int64), to="flat_heads")
    for i in range(2):
        y = g("Tanh", g("Add", y, g.weight("bias0" if shared or not i else "bias1", 4, 16), to=f"biased{i}"), to=f"t{i}")
    g.nodes.append(helper.make_node("Split", [g("MatMul", y, g.weight("up", 16, 32), to="risen"), g.const("parts", [16, 16], np.int64)], ["h0", "h1"], axis=1))
    g("MatMul", g("Mul", g("Sigmoid", f"h{halves[0]}", to="gate"), f"h{halves[1]}", to="open"), g.weight("out", 16, 5), to="y")
    return g.save(path, [4, 16])


MISTAKES = [({"halves": (1, 0)}, "model.operator", "reads h1 on the edge, h0 in the reference"), ({"repeat": 1}, "model.operator", "1x1x2x4x4 on the edge"),
            ({"shared": True}, "model.weights", "bias0")]


@pytest.mark.parametrize("edge,cause,says", MISTAKES, ids=[next(iter(c[0])) for c in MISTAKES])
def test_halves_repeated_heads_and_a_shared_bias_are_told_apart(tmp_path, edge, cause, says):
    v = verdict_of(tmp_path, *models(tmp_path, gated, edge), 1, shape=(4, 16))
    assert errors(v) == [cause]
    f = finding(v, cause)
    assert says in " ".join([f["summary"], *f["details"]])
