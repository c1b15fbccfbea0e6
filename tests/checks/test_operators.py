"""model.operator: two files of one model whose graphs differ.  The graphs are built here, run by onnxruntime and
logged by a writer that is not ours."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_log import record, verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding, validate


def activate(g, x, kind, to):
    c = g.const
    if kind == "erf":
        e = g("Add", g("Erf", g("Div", x, c("sqrt2", np.sqrt(2)))), c("one", 1))
        return g("Mul", g("Mul", x, e), c("half", 0.5), to=to)
    if kind == "erf of a root":  # as ONNX writes its function Gelu out: the root of two is computed
        phi = g("Sum", c("one", 1), g("Erf", g("Div", x, g("Sqrt", c("two", 2)))))
        return g("Mul", g("Mul", c("half", 0.5), x), phi, to=to)
    if kind == "tanh":
        inner = g("Add", x, g("Mul", g("Pow", x, c("three", 3)), c("k", 0.044715)))
        t = g("Tanh", g("Mul", inner, c("root", np.sqrt(2 / np.pi))))
        return g("Mul", g("Mul", c("half", 0.5), x), g("Add", c("one", 1), t), to=to)
    if kind == "quick":
        return g("Mul", x, g("Sigmoid", g("Mul", x, c("quick", 1.702))), to=to)
    if kind == "silu":
        return g("Mul", g("Sigmoid", x), x, to=to)
    if kind == "six":
        return g("Clip", x, c("zero", 0), c("six", 6), to=to)
    if kind == "swish in parts":
        gate = g("Clip", g("Add", x, c("three", 3)), c("zero", 0), c("six", 6))
        return g("Div", g("Mul", x, gate), c("six", 6), to=to)
    op, attributes = {"relu": ("Relu", {}), "gelu": ("Gelu", {}), "leaky": ("LeakyRelu", {"alpha": 0.2}), "elu": ("Elu", {"alpha": 1.0}),
                      "leaky2": ("LeakyRelu", {"alpha": 0.3}), "swish": ("HardSwish", {}), "gate": ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
                      "gate6": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}), "sigmoid": ("Sigmoid", {}), "tanh alone": ("Tanh", {})}[kind]
    return g(op, x, to=to, **attributes)


def chain(path, kinds=("relu", "relu", "relu"), channels=6, **change):
    """Three convolutions with an activation each, a resize and a softmax over the channels."""
    g = Graph()
    x = "x"
    for i, kind in enumerate(kinds):
        options = change.get(f"conv{i}", {})
        x = activate(g, g.conv(x, f"conv{i}", 3 if i == 0 else channels, channels, **options), kind, f"act{i}")
    x = g("Resize", x, "", g.const("scales", [1, 1, 2, 2]), to="up", **change.get("resize", {"mode": "linear"}))
    g("Softmax", x, to="y", axis=change.get("axis", 1))
    return g.save(path, [1, 3, 12, 16])


PAIRS = [("relu", "gelu", "ReLU", r"GELU \(erf\)"), ("quick", "erf", "quick GELU", "GELU"), ("silu", "tanh", "SiLU", "tanh GELU"),
         ("leaky", "leaky2", "0.2", "0.3"), ("gate6", "gate", "0.166667", "0.2"), ("six", "relu", "ReLU6", "ReLU"),
         ("elu", "swish in parts", "ELU", "HardSwish"), ("sigmoid", "tanh alone", "sigmoid", "tanh")]


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("edge,reference,words,others", PAIRS, ids=[f"{a} for {b}" for a, b, *_ in PAIRS])
def test_activations_are_told_apart(tmp_path, edge, reference, words, others, level):
    v = verdict_of(tmp_path, *models(tmp_path, chain, {"kinds": (edge, "relu", edge)}, {"kinds": (reference, "relu", reference)}), 1, level)
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert words in f["evidence"]["edge"]
    assert others.replace("\\", "") in f["evidence"]["reference"]
    if edge != "six":  # there values beyond 6 are few
        assert "The same at" in " ".join(f["details"])  # both places in one finding


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("edge,reference", [("erf", "gelu"), ("swish in parts", "swish"), ("six", "six")])
def test_one_function_written_in_two_ways_is_no_finding(tmp_path, edge, reference, level):
    v = verdict_of(tmp_path, *models(tmp_path, chain, {"kinds": (edge,) * 3}, {"kinds": (reference,) * 3}), 0, level)
    assert causes(v) == []


def test_numbers_that_the_graph_computes_are_constants(tmp_path):
    """A GELU with its root of two as a node is none of the differences beside the one that is."""
    v = verdict_of(tmp_path, *models(tmp_path, chain, {"kinds": ("erf of a root", "relu", "silu")}, {"kinds": ("gelu", "relu", "relu")}), 1, "none")
    assert causes(v) == ["model.operator"] and "SiLU" in finding(v, "model.operator")["evidence"]["edge"]


def test_a_tanh_gelu_within_noise_is_a_warning(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, chain, {"kinds": ("tanh",) * 3}, {"kinds": ("erf",) * 3}), 0, scale=0.1)
    found = [f for f in v["findings"] if f["cause"] == "model.operator"]
    assert all(f["severity"] != "error" for f in v["findings"])
    assert len(found) <= 1 and all("tanh GELU" in f["summary"] for f in found)


ATTRIBUTES = [
    ({"conv0": {"pads": [0, 0, 2, 2]}}, {}, "pads", "conv0"),
    ({"conv1": {"pads": [2, 2, 2, 2], "dilations": [2, 2]}}, {}, "pads, dilations", "conv1"),
    ({"resize": {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}}, {"resize": {"mode": "linear"}}, "coordinate_transformation_mode", "up"),
    ({"resize": {"mode": "nearest", "nearest_mode": "ceil"}}, {"resize": {"mode": "nearest", "nearest_mode": "floor"}}, "nearest_mode", "up"),
    ({"axis": 2}, {}, "axis", "y"),
]


@pytest.mark.parametrize("edge,reference,key,place", ATTRIBUTES, ids=[a[2] for a in ATTRIBUTES])
def test_an_attribute_is_named_at_its_node(tmp_path, edge, reference, key, place):
    v = verdict_of(tmp_path, *models(tmp_path, chain, edge, reference), 1)
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert f["evidence"]["attribute"] == key and f["where"]["tensor"] == place


@pytest.mark.parametrize("edge,reference", [
    ({"conv0": {"pads": [1, 1, 1, 1]}}, {"conv0": {"auto_pad": "SAME_UPPER", "pads": None}}),
    ({"axis": 1}, {"axis": -3}),
    ({"resize": {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}}, {"resize": {"mode": "linear"}}),
], ids=["SAME and pads", "axis from the end", "half pixels"])
@pytest.mark.parametrize("fault", [False, True], ids=["healthy", "behind a fault"])
def test_attributes_that_come_to_the_same_are_no_finding(tmp_path, edge, reference, fault):
    kinds = {"kinds": ("leaky", "relu", "relu")} if fault else {}
    for change in (edge, reference):
        for options in change.values():
            if isinstance(options, dict) and options.get("pads", 0) is None:
                del options["pads"]
    g = Graph.conv
    try:  # a convolution without pads of its own where SAME says them
        Graph.conv = lambda self, x, name, channels, out, **a: g(self, x, name, channels, out, **a) if "auto_pad" not in a else self(
            "Conv", x, self.weight(name + ".w", out, channels, 3, 3), to=name, kernel_shape=[3, 3], **a)
        v = verdict_of(tmp_path, *models(tmp_path, chain, {**edge, **kinds}, reference), int(fault))
    finally:
        Graph.conv = g
    assert causes(v) == (["model.operator"] if fault else [])
    if fault:
        assert "LeakyReLU" in finding(v, "model.operator")["summary"]


def responses(path, **options):
    """A normalization over neighboring channels, whose numbers have defaults that a file may leave out."""
    g = Graph(17)
    x = g("LRN", g.conv("x", "conv", 3, 6), to="lrn", size=3, **options)
    g("Flatten", g("GlobalAveragePool", x), to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("edge,fault", [({"bias": 3.0}, True), ({"bias": 1.0, "alpha": 1e-4, "beta": 0.75}, False)], ids=["another", "the default"])
def test_an_attribute_that_one_side_leaves_out(tmp_path, edge, fault, level):
    v = verdict_of(tmp_path, *models(tmp_path, responses, edge), int(fault), level)
    assert causes(v) == (["model.operator"] if fault else [])
    if fault:
        assert "bias 3 on the edge, its default in the reference" in finding(v, "model.operator")["summary"]


def decoded(path, scale):
    """Sizes as detectors have them: exp(scale x)."""
    g = Graph(17)
    x = g("Exp", g("Mul", g.conv("x", "conv", 3, 6), g.const("scale", scale), to="scaled"), to="sizes")
    g("Flatten", g("GlobalAveragePool", x), to="y")
    return g.save(path, [1, 3, 12, 16])


def test_a_function_of_a_multiple_has_a_name(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, decoded, {"scale": 0.1}, {"scale": 0.2}), 1)
    assert "exp(0.1 x) on the edge, exp(0.2 x) in the reference" in finding(v, "model.operator")["summary"]


def test_two_faults_are_two_findings_with_all_their_places(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, chain, {"kinds": ("gate6", "relu", "gate6"), "axis": 3}, {"kinds": ("gate", "relu", "gate")}), 1)
    told = [f for f in v["findings"] if f["cause"] == "model.operator"]
    assert [f["evidence"]["attribute"] for f in told] == ["function", "axis"]
    assert "act2" in " ".join(told[0]["details"])


def blocks(path, left_out=(), swapped=False, first=0):
    """Residual blocks of products, the sum of a table's rows, and a difference whose order matters."""
    g = Graph()
    rows = g("Slice", g.weight("table", 20, 8), g.const("from", [first], np.int64), g.const("to", [first + 6], np.int64), g.const("zero", [0], np.int64), to="rows")
    x = g("Add", "x", rows, to="placed")
    for i in range(3):
        if i not in left_out:
            up = g("Tanh", g("MatMul", x, g.weight(f"block{i}.up", 8, 16), to=f"block{i}_up"), to=f"block{i}_tanh")
            x = g("Add", x, g("MatMul", up, g.weight(f"block{i}.down", 16, 8), to=f"block{i}_down"), to=f"block{i}_sum")
    a, b = (g("MatMul", x, g.weight(f"head.{n}", 8, 8), to=f"head_{n}") for n in "ab")
    g("Sub", *((b, a) if swapped else (a, b)), to="y")
    return g.save(path, [1, 6, 8])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("block", [0, 1, 2])
def test_a_block_that_was_left_out_is_one_finding(tmp_path, block, level):
    v = verdict_of(tmp_path, *models(tmp_path, blocks, {"left_out": (block,)}), 1, level, shape=(1, 6, 8))
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert "lacks" in f["summary"] and f"block{block}" in f["summary"] and f["evidence"]["reference_steps"] >= 3


def test_a_block_that_was_added_is_told_as_such(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, blocks, {}, {"left_out": (1,)}), 1, shape=(1, 6, 8))
    assert [f["cause"] for f in v["findings"] if f["severity"] == "error"] == ["model.operator"]
    assert "reference lacks" in finding(v, "model.operator")["summary"]


def test_operands_in_another_order(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, blocks, {"swapped": True}), 1, shape=(1, 6, 8))
    assert causes(v) == ["model.operator"]
    assert finding(v, "model.operator")["evidence"]["attribute"] == "inputs"


def test_a_constant_that_is_no_weight(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, pairs, {"factor": 0.25}, {"factor": 0.5}), 1, shape=(1, 6, 8))
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert (f["evidence"]["edge"], f["evidence"]["reference"]) == ("x * 0.25", "x * 0.5")


def pairs(path, factor):
    g = Graph()
    a = g("MatMul", "x", g.weight("a", 8, 8), to="first")
    g("Softmax", g("Mul", a, g.const("factor", factor), to="scaled"), to="y", axis=-1)
    return g.save(path, [1, 6, 8])


def classifier(path, ends=("Softmax",)):
    g = Graph()
    x = g("GlobalAveragePool", g("Relu", g.conv("x", "conv", 3, 24), to="act"), to="mean")
    x = g("MatMul", g("Flatten", x, to="flat"), g.weight("w", 24, 10), to="logits")
    for i, op in enumerate(ends):
        x = g(op, x, to="y" if i == len(ends) - 1 else f"end{i}")
    return g.save(path, [1, 3, 12, 16], x)


@pytest.mark.parametrize("ends,words", [((), "softmax is missing"), (("Softmax", "Softmax"), "softmax twice"), (("Sigmoid",), "sigmoid where")],
                         ids=["missing", "twice", "sigmoid"])
def test_an_activation_at_the_end_is_one_finding(tmp_path, ends, words):
    """The output's cause is named; the operator is in its details."""
    v = verdict_of(tmp_path, *models(tmp_path, classifier, {"ends": ends}), 1, scale=8.0)
    assert causes(v) == ["output.activation"]
    f = finding(v, "output.activation")
    assert words in f["summary"] and any("SOFTMAX" in d.upper() or "SIGMOID" in d.upper() for d in f["details"])


# ---- Parts of a tensor: splits, slices, gathered ranges ----

PARTS = ((0, 2), (2, 6), (6, 9))


def sliced(g, x, start, end, to, axis=1, step=1):
    lists = [g.const(f"{to}.{key}", [value], np.int64) for key, value in (("starts", start), ("ends", end), ("axes", axis), ("steps", step))]
    return g("Slice", x, *lists, to=to)


def cut(g, x, way, ranges):
    """The parts of nine channels, made in one of several ways."""
    names = [f"part{i}" for i in range(len(ranges))]
    if way == "split":
        sizes = g.const("sizes", [b - a for a, b in ranges], np.int64)
        g.nodes.append(helper.make_node("Split", [x, sizes], names, name="split", axis=1))
        return names
    if way == "backward":  # counted from the end, in another order
        for (a, b), name in reversed(list(zip(ranges, names))):
            sliced(g, x, a - 9, b - 9 if b < 9 else 2**31, name, axis=-3)
        return names
    if way == "slices of slices":
        whole = sliced(g, x, 0, 2**31, "whole")
        rest = sliced(g, whole, 1, 9, "rest")  # of which the first part is none
        return [sliced(g, whole if a == 0 else rest, a - (a > 0), b - (a > 0), n) for (a, b), n in zip(ranges, names)]
    if way == "gather":
        return [g("Gather", x, g.const(n + ".at", range(a, b), np.int64), to=n, axis=1) for (a, b), n in zip(ranges, names)]
    return [sliced(g, x, a, b, n) for (a, b), n in zip(ranges, names)]


def parted(path, way="split", ranges=PARTS, order=(0, 1, 2)):
    g = Graph()
    made = cut(g, g("Relu", g.conv("x", "conv", 3, 9), to="act"), way, ranges)
    parts = [g.conv(made[k], f"conv{i}", ranges[k][1] - ranges[k][0], 4) for i, k in enumerate(order)]
    return g.save(path, [1, 3, 12, 16], g("Concat", *parts, to="y", axis=1))


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("edge,reference", [("slices", "split"), ("split", "backward"), ("slices of slices", "split"), ("gather", "split"),
                                            ("slices", "gather")])
def test_parts_that_are_cut_in_two_ways_are_no_finding(tmp_path, edge, reference, level):
    v = verdict_of(tmp_path, *models(tmp_path, parted, {"way": edge}, {"way": reference}), 0, level)
    assert causes(v) == []


@pytest.mark.parametrize("way", ["slices", "slices of slices", "gather", "split"])
def test_another_range_is_named(tmp_path, way):
    ranges = ((0, 2), (2, 6), (5, 8)) if way != "split" else ((0, 2), (2, 5), (5, 9))
    reference = {"way": "split"} if way != "split" else {"way": "slices", "ranges": ((0, 2), (3, 6), (5, 9))}
    v = verdict_of(tmp_path, *models(tmp_path, parted, {"way": way, "ranges": ranges}, reference), 1)
    assert causes(v) == ["model.operator"]
    f = finding(v, "model.operator")
    assert f["evidence"]["attribute"] == "range"
    words = ("5:8 of axis 1", "6:9 of axis 1") if way != "split" else ("2:5 of axis 1", "3:6 of axis 1")
    assert (f["evidence"]["edge"], f["evidence"]["reference"]) == words


def test_one_part_twice_is_named(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, parted, {"way": "slices", "ranges": ((0, 3), (3, 6), (3, 6))}, {"ranges": ((0, 3), (3, 6), (6, 9))}), 1)
    assert causes(v) == ["model.operator"]
    assert finding(v, "model.operator")["evidence"]["reference"] == "6:9 of axis 1"


@pytest.mark.parametrize("way", ["slices", "backward", "split"])
def test_parts_in_another_order_are_named(tmp_path, way):
    ranges = ((0, 3), (3, 6), (6, 9))
    v = verdict_of(tmp_path, *models(tmp_path, parted, {"way": way, "ranges": ranges, "order": (1, 0, 2)}, {"ranges": ranges}), 1)
    assert causes(v) == ["model.operator"]  # one exchange, at each convolution that reads the other part
    f = finding(v, "model.operator")
    told = {(f["evidence"]["edge"], f["evidence"]["reference"])} | {("part0", "part1") for d in f["details"] if "part0 on the edge, part1" in d} | {
        ("part1", "part0") for d in f["details"] if "part1 on the edge, part0" in d}
    assert told == {("part0", "part1"), ("part1", "part0")}


@pytest.mark.parametrize("level", ["none", "extended"])
def test_single_values_that_are_gathered_are_the_parts_of_a_split(tmp_path, level):
    """A number as the index takes its axis away, as a squeeze behind a split does."""
    def build(path, split):
        g = Graph()
        x = g("MatMul", "x", g.weight("w", 8, 3), to="dense")
        names = ["q", "k", "v"]
        if split:
            g.nodes.append(helper.make_node("Split", [x], [n + ".cut" for n in names], name="split", axis=-1, num_outputs=3))
            q, k, v = (g("Squeeze", n + ".cut", g.const(n + ".axis", [2], np.int64), to=n) for n in names)
        else:
            q, k, v = (g("Gather", x, g.const(n + ".at", i, np.int64), to=n, axis=2) for i, n in enumerate(names))
        return g.save(path, [1, 6, 8], g("Sub", g("Mul", q, g("Tanh", k, to="gate"), to="gated"), v, to="y"))
    edge, reference = build(tmp_path / "edge.onnx", False), build(tmp_path / "reference.onnx", True)
    v = verdict_of(tmp_path, edge, reference, 0, level, shape=(1, 6, 8))
    assert causes(v) == []


def moved(path, part, **options):
    """A convolution, a part between, and another convolution."""
    g = Graph()
    x = g.conv("x", "first", 3, 12)
    x = part(g, x, **options)
    g("GlobalAveragePool", g("Relu", g.conv(x, "last", 12, 8), to="bent"), to="y")
    return g.save(path, [1, 3, 12, 12])


def shuffled(g, x, groups):
    x = g("Reshape", x, g.const("split", [1, groups, 12 // groups, 12, 12], np.int64), to="grouped")
    return g("Reshape", g("Transpose", x, to="turned", perm=[0, 2, 1, 3, 4]), g.const("whole", [1, 12, 12, 12], np.int64), to="shuffled")


def turned(g, x, perm):
    return g("Transpose", x, to="turned", perm=perm) if perm else x


def subtracted(g, x, first, op="Sub"):
    k = g.const("plane", np.linspace(0.5, 1, 12).reshape(12, 1, 1))
    return g(op, *((k, x) if first else (x, k)), to="less")


def rimmed(g, x, value):
    """An engine takes zeros into the convolution behind, and nothing else."""
    return g("Pad", x, g.const("rim", [0, 0, 1, 1, 0, 0, 1, 1], np.int64), g.const("v", value), to="padded")


def resized(g, x, **options):
    scale = options.pop("scale", 1.5)
    return g("Resize", x, "", g.const("scales", [1, 1, scale, scale]), to="up", **options)


MOVED = [(shuffled, {"groups": 4}, {"groups": 3}, "order of values"), (turned, {"perm": [0, 1, 3, 2]}, {"perm": None}, "order of values"),
         (subtracted, {"first": True}, {"first": False}, "inputs"), (subtracted, {"first": True, "op": "Div"}, {"first": False, "op": "Div"}, "inputs"),
         (resized, {"mode": "cubic", "cubic_coeff_a": -0.5}, {"mode": "cubic"}, "cubic_coeff_a"),
         (rimmed, {"value": 1.0}, {"value": 0.0}, "v"),
         (resized, {"mode": "linear", "antialias": 1, "scale": 0.5}, {"mode": "linear", "scale": 0.5}, "antialias")]


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("part,edge,reference,attribute", MOVED, ids=[f"{m[0].__name__} {i}" for i, m in enumerate(MOVED)])
def test_values_that_are_moved_or_weighted_otherwise(tmp_path, part, edge, reference, attribute, level):
    v = verdict_of(tmp_path, moved(tmp_path / "e.onnx", part, **edge), moved(tmp_path / "r.onnx", part, **reference), 1, level, (1, 3, 12, 12))
    assert causes(v) == ["model.operator"]
    told = finding(v, "model.operator")["evidence"]["attribute"]
    assert told == attribute or (level == "extended" and part is rimmed and told == "steps")  # there one side has the Pad alone


@pytest.mark.parametrize("part,edge,reference", [(turned, {"perm": [0, 1, 2, 3]}, {"perm": None}), (resized, {"mode": "cubic", "cubic_coeff_a": -0.75}, {"mode": "cubic"}),
                                                 (resized, {"mode": "linear", "antialias": 1}, {"mode": "linear"})])
def test_moves_and_kernels_that_come_to_the_same(tmp_path, part, edge, reference):
    v = verdict_of(tmp_path, moved(tmp_path / "e.onnx", part, **edge), moved(tmp_path / "r.onnx", part, **reference), 0, shape=(1, 3, 12, 12))
    assert causes(v) == []


def products(path, alpha=0.7, turned=1, slope=0.1, gone=()):
    """Gemm with a bias, a factor and a square matrix, each with an activation that an engine fuses."""
    g = Graph(17)
    x = "x"
    for i, op in enumerate(("Tanh", "Relu", "LeakyRelu", "Sigmoid")):
        name = f"fc{i}"
        g("Gemm", x, g.weight(name + ".w", 24, 24), g.const(name + ".b", np.zeros(24) if i in gone else np.linspace(-0.4, 0.5, 24)), to=name,
          alpha=alpha if i % 2 == 0 else 0.8, transB=turned if i == 1 else 1)
        x = g(op, name, to=f"act{i}", **({"alpha": slope} if op == "LeakyRelu" else {}))
    g("Gemm", x, g.weight("last.w", 24, 5), to="y")
    return g.save(path, [3, 24])


@pytest.mark.parametrize("edge,words", [({"alpha": 1.0}, "alpha 1 on the edge, 0.7"), ({"turned": 0}, "transB 0 on the edge, 1"), ({"slope": 0.3}, "0.3")], ids=lambda p: str(p))
def test_attributes_of_a_product_with_a_fused_activation(tmp_path, edge, words):
    """Gemm and its activation on one side, FusedGemm on the other: a factor stays with the product whose bias it does not reach."""
    right, wrong = products(tmp_path / "right.onnx"), products(tmp_path / "edge.onnx", **edge)
    inputs = [np.random.default_rng(i).normal(size=(3, 24)).astype(np.float32) for i in range(3)]
    record(right, tmp_path / "reference.mcap", inputs, tmp_path, level="extended", role="reference", constants=True)
    for path, status in ((wrong, 1), (right, 0)):
        record(path, tmp_path / "edge.mcap", inputs, tmp_path, level="none", role="edge", constants=True)
        v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=status)
        assert causes(v) == ([] if status == 0 else ["model.operator"])
        assert status == 0 or words in str(finding(v, "model.operator"))


def attention(path, whole=True, axis=-1, scale=1.0):
    """A softmax between two products, as one node or as what it is made of."""
    g = Graph(17)
    x = g("MatMul", "x", g.weight("first.w", 16, 16), to="scores")
    if whole:
        x = g("Softmax", x, to="shares", axis=axis)
    else:
        less = g("Sub", x, g("ReduceMax", x, to="most", axes=[axis], keepdims=1), to="less")
        e = g("Exp", less, to="grown")
        x = g("Div", e, g("ReduceSum", e, g.const("axis", [axis], np.int64), to="all", keepdims=1), to="shares")
    second = g.weight("second.w", 16, 5)
    g.constants[second] = (g.constants[second] * np.where(np.arange(16) < 8, scale, 1)[:, None]).astype(np.float32)
    g("MatMul", x, second, to="y")
    return g.save(path, [1, 12, 16])


@pytest.mark.parametrize("edge,cause,words", [({}, None, ""), ({"axis": 1}, "model.operator", "axis 1 on the edge, 2"), ({"scale": -1.0}, "model.weights", "second.w")], ids=["same", "axis", "weights"])
def test_a_softmax_that_was_taken_apart(tmp_path, edge, cause, words):
    v = verdict_of(tmp_path, attention(tmp_path / "e.onnx", whole=False, **edge), attention(tmp_path / "r.onnx"), int(cause is not None), shape=(1, 12, 16))
    assert causes(v) == ([cause] if cause else [])
    assert not cause or words in str(finding(v, cause))


def test_exchanged_dimensions_of_weights_whose_node_is_fused(tmp_path):
    """The convolution has no counterpart on the side that fused it: the activation behind is the first that is compared."""
    edge = chain(tmp_path / "e.onnx")
    model = onnx.load(edge)
    weights = [i for i in model.graph.initializer if i.name.endswith(".w")][1]
    weights.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(numpy_helper.to_array(weights).swapaxes(2, 3)), weights.name))
    onnx.save(model, edge)
    right = chain(tmp_path / "r.onnx")
    inputs = [2 * np.random.default_rng(i).normal(size=(1, 3, 12, 16)).astype(np.float32) for i in range(3)]
    record(edge, tmp_path / "edge.mcap", inputs, tmp_path, level="none", role="edge", constants=True)
    record(right, tmp_path / "reference.mcap", inputs, tmp_path, level="extended", role="reference", constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=1)
    assert causes(v) == ["model.weights"] and "transposed" in str(finding(v, "model.weights"))


def channels_last(path, pads=(0, 0, 1, 1)):
    """As converters from TensorFlow write it: a Transpose at both ends, factors and offsets of channels behind convolutions."""
    g = Graph(17)
    x = g("Transpose", "x", to="planes", perm=[0, 3, 1, 2])
    for i, channels in enumerate((3, 8)):
        x = g.conv(x, f"c{i}", channels, 8, strides=[2, 2], pads=list(pads))
        x = g("Mul", x, g.const(f"c{i}.scale", np.linspace(0.5, 2, 8).reshape(1, 8, 1, 1)), to=f"scaled{i}")
        x = g("Relu", g("Add", x, g.const(f"c{i}.shift", np.linspace(-0.2, 0.3, 8).reshape(1, 8, 1, 1)), to=f"shifted{i}"), to=f"act{i}")
    x = g("ReduceMean", g("Transpose", x, to="last", perm=[0, 2, 3, 1]), to="mean", axes=[1, 2], keepdims=0)
    g("MatMul", x, g.weight("fc.w", 8, 5), to="y")
    return g.save(path, [1, 24, 24, 3])


def test_what_an_optimizer_moves_and_folds_is_no_second_fault(tmp_path):
    """The mean runs over other numbers of the same dimensions behind a Transpose that was moved; factors are in the weights."""
    right = channels_last(tmp_path / "r.onnx")
    inputs = [np.random.default_rng(i).normal(size=(1, 24, 24, 3)).astype(np.float32) for i in range(3)]
    record(right, tmp_path / "reference.mcap", inputs, tmp_path, level="extended", role="reference", constants=True)
    for edge, status in ((right, 0), (channels_last(tmp_path / "e.onnx", (1, 1, 0, 0)), 1)):
        record(edge, tmp_path / "edge.mcap", inputs, tmp_path, level="none", role="edge", constants=True)
        v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=status)
        assert causes(v) == ([] if status == 0 else ["model.operator"])
        assert status == 0 or "pads 1,1,0,0" in finding(v, "model.operator")["summary"]


def grouped(path, groups=4, channels=8):
    """A group normalization as PyTorch exports it: channels parted to groups, each normalized, and put together again."""
    g = Graph(17)
    x = g.conv("x", "first", 3, channels)
    parts = g("Reshape", x, g.const(f"to{groups}", [0, groups, -1], np.int64), to="parts")
    parts = g("InstanceNormalization", parts, g.const(f"ones{groups}", np.ones(groups)), g.const(f"zeros{groups}", np.zeros(groups)), to="normed")
    x = g("Reshape", parts, g("Shape", x), to="whole")
    x = g("Add", g("Mul", x, g.weight("scale", channels, 1, 1)), g.weight("shift", channels, 1, 1), to="affine")
    g("Relu", x, to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("groups", [2, 4])
def test_another_number_of_groups_is_named(tmp_path, groups, level):
    v = verdict_of(tmp_path, *models(tmp_path, grouped, {"groups": groups}), 0 if groups == 4 else 1, level)
    assert causes(v) == ([] if groups == 4 else ["model.operator"])
    if groups == 2:
        assert "num_groups 2 on the edge, 4 in the reference" in finding(v, "model.operator")["summary"]


def normalized(path, of_the_run=False):
    """Two convolutions with a batch normalization each; or one by the statistics of what is normalized."""
    g, x = Graph(17), "x"
    for i, (a, b) in enumerate(((3, 8), (8, 8))):
        random = np.random.default_rng([18, i])
        scale, shift, mean, variance = (g.const(f"bn{i}.{n}", v) for n, v in zip("sbmv", (*random.normal(1, 0.3, (3, b)), random.uniform(0.4, 2, b))))
        x = g.conv(x, f"conv{i}", a, b)
        x = g("InstanceNormalization", x, scale, shift, to=f"bn{i}") if of_the_run else g("BatchNormalization", x, scale, shift, mean, variance, to=f"bn{i}")
        x = g("Relu", x, to=f"r{i}" if i == 0 else "y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("of_the_run", [True, False])
def test_a_normalization_that_cannot_be_folded_is_one_finding(tmp_path, of_the_run):
    """The reference's is folded into its convolutions: that their weights are others is no second fault."""
    v = verdict_of(tmp_path, *models(tmp_path, normalized, {"of_the_run": of_the_run}), 1 if of_the_run else 0, "extended")
    assert causes(v) == (["model.operator"] if of_the_run else [])
    if of_the_run:
        assert "InstanceNormalization" in finding(v, "model.operator")["summary"]
