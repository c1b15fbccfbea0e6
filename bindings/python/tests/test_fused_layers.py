"""One model, two graphs: ONNX Runtime's levels of optimization, and files that name or wire things otherwise."""

import itertools

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

LEVELS = ("none", "default", "extended")
PAIRS = [p for p in itertools.product(LEVELS, LEVELS) if p[0] != p[1]]


class Net:
    """A graph of named nodes: net("Relu", "x", to="r") is "r"."""

    def __init__(self, seed=0):
        self.random, self.nodes, self.constants = np.random.default_rng(seed), [], {}

    def __call__(self, op, *inputs, to, outputs=1, **attributes):
        names = [to] if outputs == 1 else [f"{to}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, to, **attributes))
        return to if outputs == 1 else names

    def constant(self, name, value, kind=np.float32):
        self.constants[name] = np.asarray(value, kind)
        return name

    def weights(self, name, *shape, scale=None):
        fan = shape[0] if len(shape) < 3 else int(np.prod(shape[1:]))
        return self.constant(name, self.random.normal(0, scale or 1 / np.sqrt(fan), shape))

    def dense(self, x, name, rows, columns):
        product = self("MatMul", x, self.weights(name + ".w", rows, columns), to=name + "_mm")
        return self("Add", product, self.weights(name + ".b", columns, scale=.1), to=name)

    def conv(self, x, name, inner, outer, kernel=3, **attributes):
        weights = self.weights(name + ".w", outer, inner, kernel, kernel, scale=1.5 / np.sqrt(inner * kernel ** 2))
        return self("Conv", x, weights, self.weights(name + ".b", outer, scale=.1), to=name, pads=[kernel // 2] * 4,
                    kernel_shape=[kernel] * 2, **attributes)

    def save(self, path, shape, output="y", kind=TensorProto.FLOAT):
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", kind, shape)],
                                  [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
                                  [numpy_helper.from_array(v, k) for k, v in self.constants.items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        return str(path)


def gelu(net, x, to):
    half = net("Div", x, net.constant("root", np.sqrt(2)), to=to + "_div")
    one = net("Add", net("Erf", half, to=to + "_erf"), net.constant("one", 1.), to=to + "_one")
    return net("Mul", net("Mul", x, one, to=to + "_x"), net.constant("half", .5), to=to)


def perceptron(path, activation=gelu):
    net, x = Net(1), "x"
    for i in range(3):
        x = activation(net, net.dense(x, f"dense{i}", 48, 48), f"act{i}")
    net.dense(x, "y", 48, 12)
    return net.save(path, [1, 10, 48]), (1, 10, 48)


def attention(path, key=(0, 2, 3, 1)):
    """Two heads; key: how the keys are transposed (a head's size equals the length, so that both are of one shape)."""
    net = Net(2)
    split = net.constant("split", [0, 0, 2, 16], np.int64)
    q, k, v = (net("Reshape", net.dense("x", n, 32, 32), split, to=n + "_split") for n in ("query", "key", "value"))
    q, v = (net("Transpose", t, to=t + "_t", perm=[0, 2, 1, 3]) for t in (q, v))
    k = net("Transpose", k, to="key_split_t", perm=list(key))
    k = k if key == (0, 2, 3, 1) else net("Transpose", k, to="key_split_t2", perm=[0, 1, 3, 2])
    a = net("Softmax", net("Mul", net("MatMul", q, k, to="qk"), net.constant("quarter", .25), to="scaled"), to="attention", axis=-1)
    o = net("Transpose", net("MatMul", a, v, to="context"), to="context_t", perm=[0, 2, 1, 3])
    o = net("Reshape", o, net.constant("joined", [0, 0, 32], np.int64), to="joined_o")
    o = net("Add", net.dense(o, "out", 32, 32), "x", to="sum")
    net("LayerNormalization", o, net.weights("norm.w", 32, scale=1.), net.weights("norm.b", 32), to="y", axis=-1)
    return net.save(path, [1, 16, 32]), (1, 16, 32)


def detector(path):
    """Split, SiLU, two scales, two gates of one shape."""
    net = Net(3)

    def silu(x, *arguments, **attributes):
        y = net.conv(x, *arguments, **attributes)
        return net("Mul", y, net("Sigmoid", y, to=y + "_s"), to=y + "_silu")

    def gate(x, name):
        s = net("GlobalAveragePool", x, to=name + "_pool")
        s = net("HardSigmoid", net.conv(s, name + "_gate", 16, 16, kernel=1), to=name + "_sigmoid")
        return net("Mul", x, s, to=name + "_scaled")
    a, b = net("Split", silu("x", "stem", 3, 32, strides=[2, 2]), to="split", outputs=2, axis=1)
    a, b = gate(silu(a, "left", 16, 16), "gate_a"), gate(silu(b, "right", 16, 16), "gate_b")
    y = net("Concat", a, b, net("Add", a, b, to="sum"), to="joined", axis=1)
    heads = [net("Reshape", net.conv(h, f"head{i}", 48, 6, kernel=1), net.constant("flat", [1, 6, -1], np.int64), to=f"flat{i}")
             for i, h in enumerate((y, silu(y, "down", 48, 48, strides=[2, 2])))]
    net("Concat", *heads, to="y", axis=2)
    return net.save(path, [1, 3, 32, 32]), (1, 3, 32, 32)


def log(path, role, model, shape, kernels="default", frames=3):
    random = np.random.default_rng(7)
    with exray.Recorder(str(path), role=role, capture="full") as recorder:
        session = exray.onnx.tap(model, recorder, kernels=kernels)
        for i in range(frames):
            with recorder.frame(source=f"frame{i}"):
                session.run(None, {"x": random.normal(0, 1, shape).astype(np.float32)})
    return str(path)


def validated(tmp_path, edge, reference, shape, levels=("none", "default")):
    edge = log(tmp_path / "e.mcap", "edge", edge, shape, levels[0])
    return exray.validate(edge, log(tmp_path / "r.mcap", "reference", reference, shape, levels[1]))


def errors(report):
    return [f["cause"] for f in report.json["findings"] if f["severity"] == "error"]


def covered(report):
    c = report.json["coverage"]
    return c["compared"] / (c["edge_layers"] - c["fused"])


@pytest.mark.parametrize("levels", PAIRS, ids="-".join)
@pytest.mark.parametrize("build", [perceptron, attention, detector], ids=lambda b: b.__name__)
def test_levels_of_optimization_agree(build, levels, tmp_path):
    model, shape = build(tmp_path / "m.onnx")
    report = validated(tmp_path, model, model, shape, levels)
    assert report.verdict == "pass" and errors(report) == [], report.json["findings"]
    assert covered(report) >= .95, report.json["coverage"]


def test_a_fused_node_is_compared_where_it_ends(tmp_path):
    model, shape = perceptron(tmp_path / "m.onnx")
    report = validated(tmp_path, model, model, shape)
    end = {p["edge"]["name"]: p["reference"]["op"] for p in report.json["layers"]}
    assert "Gelu" in end["act0"] and "act0_erf" not in end and "dense0_mm" not in end
    assert report.json["coverage"]["fused"] >= 15


def test_another_transposition_is_no_wrong_layer(tmp_path):
    """Of one name and one shape, in another order; what is computed from it agrees."""
    (edge, shape), (reference, _) = attention(tmp_path / "a.onnx", (0, 2, 1, 3)), attention(tmp_path / "b.onnx")
    report = validated(tmp_path, edge, reference, shape, ("none", "none"))
    assert report.verdict == "pass" and errors(report) == [], report.json["findings"]


def test_a_wrong_transposition_is(tmp_path):
    edge, shape = attention(tmp_path / "a.onnx")
    model = onnx.load(edge)
    node = next(n for n in model.graph.node if n.name == "key_split_t")
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("perm", [0, 2, 1, 3]))
    onnx.save(model, tmp_path / "b.onnx")
    report = validated(tmp_path, str(tmp_path / "b.onnx"), edge, shape, ("none", "none"))
    assert report.verdict == "fail"


def changed(path, name, function):
    model = onnx.load(path)
    found = next(i for i in model.graph.initializer if i.name == name)
    found.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(function(numpy_helper.to_array(found).copy())), name))
    out = path.replace(".onnx", "-changed.onnx")
    onnx.save(model, out)
    return out


WEIGHTS = [(perceptron, "dense1.w"), (attention, "value.w"), (detector, "left.w")]


@pytest.mark.parametrize("levels", [("none", "default"), ("default", "none"), ("extended", "none")], ids="-".join)
@pytest.mark.parametrize(("build", "weights"), WEIGHTS, ids=lambda v: getattr(v, "__name__", v))
def test_other_weights_are_named_first(build, weights, levels, tmp_path):
    right, shape = build(tmp_path / "m.onnx")
    report = validated(tmp_path, changed(right, weights, lambda w: np.roll(w, 1, 0)), right, shape, levels)
    assert errors(report)[0] == "model.weights" and weights in str(report.json["findings"][0]), report.json["findings"]


@pytest.mark.parametrize("levels", [("none", "default"), ("default", "none")], ids="-".join)
@pytest.mark.parametrize(("build", "weights"), WEIGHTS, ids=lambda v: getattr(v, "__name__", v))
def test_scaled_weights_do_not_pass(build, weights, levels, tmp_path):
    right, shape = build(tmp_path / "m.onnx")
    assert validated(tmp_path, changed(right, weights, lambda w: w * np.float32(1.05)), right, shape, levels).verdict == "fail"


def test_another_activation_is_told_where_it_is(tmp_path):
    right, shape = perceptron(tmp_path / "m.onnx")
    wrong, _ = perceptron(tmp_path / "w.onnx", lambda net, x, to: net("Relu", x, to=to))
    report = validated(tmp_path, wrong, right, shape)
    assert report.verdict == "fail"
    assert {f["where"]["tensor"] for f in report.json["findings"] if f["severity"] == "error"} <= {"act0", "act1", "act2"}


def counted(path, slope=.1):
    """Names that count (mul_3, add_4); a frozen normalization, which an optimizer folds into the convolution before."""
    net = Net(5)
    x = net("LeakyRelu", net.conv("x", "conv0", 3, 8), to="leakyrelu_1", alpha=slope)
    x = net("Conv", x, net.weights("conv1.w", 8, 8, 1, 1), to="conv1", kernel_shape=[1, 1])
    x = net("Mul", x, net.constant("factor", np.linspace(.4, 1.6, 8).reshape(8, 1, 1)), to="mul_3")
    x = net("Add", x, net.constant("term", np.linspace(-1, 1, 8).reshape(8, 1, 1)), to="add_4")
    x = net("Relu", net.conv(x, "conv2", 8, 8), to="relu_6")
    net("GlobalAveragePool", x, to="y")
    return net.save(path, [1, 3, 16, 16]), (1, 3, 16, 16)


@pytest.mark.parametrize("levels", [("none", "default"), ("default", "none")], ids="-".join)
def test_a_layer_ends_where_what_reads_it_begins(levels, tmp_path):
    """Behind another slope no values are equal; the folded factor and sum belong to the convolution nevertheless."""
    (edge, shape), (reference, _) = counted(tmp_path / "a.onnx", slope=.4), counted(tmp_path / "b.onnx")
    report = validated(tmp_path, edge, reference, shape, levels)
    assert errors(report) == ["model.operator"] and "0.4" in report.json["findings"][0]["summary"], report.json["findings"]
    same = validated(tmp_path, reference, reference, shape, levels)
    assert same.verdict == "pass" and errors(same) == []


def choosing(path, compare):
    """A mask of what is not negative: zeros of a ReLU count, or do not."""
    net = Net(6)
    other = net.conv("x", "other", 3, 8, kernel=1)
    mask = net(compare, net("Relu", other, to="positive"), net.constant("zero", 0.), to="mask")
    chosen = net("Where", mask, net.conv("x", "one", 3, 8), other, to="chosen")
    net("GlobalAveragePool", net.conv(chosen, "last", 8, 8), to="y")
    return net.save(path, [1, 3, 16, 16]), (1, 3, 16, 16)


def test_a_zero_is_not_rounded(tmp_path):
    """GreaterOrEqual of a ReLU's exact zeros is true; no rounding of them explains that Greater is not."""
    (edge, shape), (reference, _) = choosing(tmp_path / "a.onnx", "Greater"), choosing(tmp_path / "b.onnx", "GreaterOrEqual")
    report = validated(tmp_path, edge, reference, shape, ("default", "default"))
    assert errors(report) == ["model.operator"] and "GreaterOrEqual" in report.json["findings"][0]["summary"], report.json["findings"]
    assert validated(tmp_path, edge, edge, shape).verdict == "pass"


@pytest.mark.parametrize("levels", [("none", "default"), ("default", "none"), ("extended", "none")], ids="-".join)
def test_a_lost_bias_is_no_kernel(levels, tmp_path):
    """Gemm of a bias of zeros is the other side's product; the sum behind that shows it."""
    right, shape = perceptron(tmp_path / "m.onnx", lambda net, x, to: net("Relu", x, to=to))
    report = validated(tmp_path, changed(right, "dense1.b", lambda b: 0 * b), right, shape, levels)
    assert errors(report) == ["model.weights"] and "dense1.b" in str(report.json["findings"][0]), report.json["findings"]


@pytest.mark.parametrize("levels", [("none", "none"), *PAIRS[:4]], ids="-".join)
def test_a_gate_of_another_branch_is_told(levels, tmp_path):
    """Nothing computes the right gate any more: what the reference reads has no counterpart."""
    right, shape = detector(tmp_path / "m.onnx")
    model = onnx.load(right)
    next(n for n in model.graph.node if n.name == "gate_b_scaled").input[1] = "gate_a_sigmoid"
    onnx.save(model, tmp_path / "w.onnx")
    report = validated(tmp_path, str(tmp_path / "w.onnx"), right, shape, levels)
    assert errors(report) == ["model.operator"] and "gate_b_scaled" in report.json["findings"][0]["summary"], report.json["findings"]


@pytest.mark.parametrize("levels", [("none", "none"), ("none", "default"), ("default", "none")], ids="-".join)
def test_exchanged_weights_exchange_no_attributes(levels, tmp_path):
    right, shape = attention(tmp_path / "m.onnx")
    weights = {i.name: numpy_helper.to_array(i) for i in onnx.load(right).graph.initializer}
    wrong = changed(changed(right, "query.w", lambda _: weights["key.w"]), "key.w", lambda _: weights["query.w"])
    report = validated(tmp_path, wrong, right, shape, levels)
    assert errors(report) == ["model.weights"], report.json["findings"]
