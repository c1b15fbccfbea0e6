"""Layers of Keras against what converters make of them: several operators, numbers folded into weights, loops, windows along one dimension."""

import numpy as np
import pytest

import exray


class Net:
    """A model and what it computes, for a log: layers are added one after another."""

    def __init__(self, engine, x):
        self.engine, self.feeds = engine, x
        self.tensors, self.nodes, self.constants = [exray.TensorInfo("x", "float32", x[0].shape)], [], []
        self.values, self.place = {"x": x}, {"x": 0}

    def layer(self, op, name, inputs, function, attributes=None, **constants):
        read = [self.place[i] for i in inputs]
        for key, value in constants.items():
            value = np.asarray(value, np.float32)
            read.append(len(self.tensors))
            self.constants.append((len(self.tensors), f"{name}/{key}", value))
            self.tensors.append(exray.TensorInfo(f"{name}/{key}", "float32", value.shape, constant=True))
        made = [np.asarray(function(*(self.values[i][f] for i in inputs)), np.float32) for f in range(len(self.feeds))]
        self.place[name], self.values[name] = len(self.tensors), made
        self.tensors.append(exray.TensorInfo(name, "float32", made[0].shape))
        self.nodes.append(exray.Node(op, name, tuple(read), (self.place[name],), attributes or {}))
        return name

    def log(self, path, role):
        last = self.nodes[-1].name
        with exray.Recorder(path, role=role, capture="full") as r:
            r.model(exray.Model("net", self.engine, "2", "builtin", 1, tuple(self.tensors), tuple(self.nodes), (0,), (self.place[last],)))
            for place, name, value in self.constants:
                r.constant(place, value, name=name)
            for f, x in enumerate(self.feeds):
                with r.frame(source=str(f)):
                    r.input("x", x)
                    for k, node in enumerate(self.nodes):
                        r.layer(k, node.name, self.values[node.name][f])
                    r.output(last, self.values[last][f])


def compare(tmp_path, edge, reference):
    edge.log(tmp_path / "edge.mcap", "edge")
    reference.log(tmp_path / "reference.mcap", "reference")
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    told = [(f["cause"], f["summary"]) for f in report.json["findings"] if f["severity"] in ("error", "warning")]
    return report, [(c, s) for c, s in told if not c.startswith("perf.")]


def feeds(*shape, count=4):
    return [np.random.default_rng(i).normal(0, 1, shape).astype(np.float32) for i in range(count)]


def normal(seed, *shape, scale=.3):
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def half(w):
    return w.astype(np.float16).astype(np.float32)


def leaky(v, slope=.2):
    return np.where(v > 0, v, slope * v)


# ---- A layer of one's own ------------------------------------------------------------------------


def with_block(engine, stored, last=lambda w: w):
    """Dense, a residual block, dense; in Keras the block is one layer."""
    first, a, b, head = normal(1, 12, 16), normal(2, 16, 16), normal(3, 16, 16), last(normal(4, 16, 5))
    n = Net(engine, feeds(1, 12))
    if engine == "keras":
        n.layer("Dense", "first", ["x"], lambda x: x @ first, kernel=first)
        n.layer("Block", "block", ["first"], lambda x: x + leaky(x @ a) @ b, a=a, b=b)
        n.layer("Dense", "head", ["block"], lambda x: x @ head, kernel=head)
        return n
    first, a, b, head = (stored(w) for w in (first, a, b, head))
    none = {"fused_activation_function": "NONE"}
    n.layer("FULLY_CONNECTED", "net/first/MatMul", ["x"], lambda x: x @ first, none, w=first.T)
    n.layer("FULLY_CONNECTED", "net/block_1/dense_1/MatMul", ["net/first/MatMul"], lambda x: x @ a, none, w=a.T)
    n.layer("LEAKY_RELU", "net/block_1/LeakyRelu", ["net/block_1/dense_1/MatMul"], leaky, {"alpha": "0.2"})
    n.layer("FULLY_CONNECTED", "net/block_1/dense_2/MatMul", ["net/block_1/LeakyRelu"], lambda x: x @ b, none, w=b.T)
    n.layer("ADD", "net/block_1/add", ["net/first/MatMul", "net/block_1/dense_2/MatMul"], lambda x, y: x + y, none)
    n.layer("FULLY_CONNECTED", "net/head/MatMul", ["net/block_1/add"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize("stored", [lambda w: w, half, lambda w: np.round(w * 100) / 100], ids=["float", "float16", "coarse"])
def test_a_block_is_the_last_of_its_operators(tmp_path, stored):
    report, told = compare(tmp_path, with_block("litert", stored), with_block("keras", stored))
    pairs = {(x["edge"]["name"], x["reference"]["name"]) for x in report.json["layers"]}
    assert ("net/block_1/add", "block") in pairs and len(pairs) == 3
    assert report.json["verdict"] == "pass" or stored(1.2345) == 1.23, told


def test_another_head_behind_a_block(tmp_path):
    _, told = compare(tmp_path, with_block("litert", half, lambda w: w[::-1].copy()), with_block("keras", half))
    assert [c for c, _ in told] == ["model.weights"], told


def among_near(engine, apart):
    """Behind the first layer the engine has what is near the block's values, so far apart from them."""
    first, head = normal(1, 12, 300), normal(4, 300, 5, scale=.1)
    block = lambda x: x + leaky(x)
    n = Net(engine, feeds(1, 12))
    if engine == "keras":
        n.layer("Dense", "first", ["x"], lambda x: x @ first, kernel=first)
        n.layer("Block", "block", ["first"], block)
        n.layer("Dense", "head", ["block"], lambda x: x @ head, kernel=head)
        return n
    none = {"fused_activation_function": "NONE"}
    n.layer("FULLY_CONNECTED", "net/first/MatMul", ["x"], lambda x: x @ first, none, w=first.T)
    for i, off in enumerate(apart):
        side = np.where(normal(20 + i, 300) > 0, 1, -1)
        n.layer(("LEAKY_RELU", "GELU")[i], f"net/near_{i}", ["net/first/MatMul"], lambda x, o=off * side: block(x) + o * block(x).std())
    n.layer("FULLY_CONNECTED", "net/head/MatMul", [f"net/near_{i}"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize(("apart", "nearest"), [((.11, .08), None), ((.08, .11), None), ((.3, .08), "net/near_1"), ((.08, .3), "net/near_0")])
def test_near_values_are_a_counterpart_where_no_others_are_as_near(tmp_path, apart, nearest):
    report, _ = compare(tmp_path, among_near("litert", apart), among_near("keras", apart))
    assert [x["edge"]["name"] for x in report.json["layers"] if x["reference"]["name"] == "block"] == ([nearest] if nearest else [])


# ---- Numbers in the weights behind ----------------------------------------------------------------


def convolved(x, w, stride=1, before=0, behind=0):
    """[1,length,channels] with [k,in,out]."""
    x = np.pad(x, ((0, 0), (before, behind), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x[0], w.shape[0], 0)[::stride]
    return np.einsum("lik,kio->lo", windows, w)[None]


def rescaled(engine, others=False, first=None):
    """first: what is computed before, ReLU or tanh."""
    w, head, b = normal(1, 5, 3, 8), normal(2, 8, 4), normal(3, 8)
    n = Net(engine, [v * 60 + 120 for v in feeds(1, 40, 3)] if first is None else feeds(1, 40, 3))
    line = {"strides": "(1,)", "padding": "valid", "dilation_rate": "(1,)", "kernel_size": "(5,)"}
    if first:
        n.layer("Activation", "first", ["x"], {"relu": lambda x: np.maximum(x, 0) * 1., "tanh": np.tanh}[first], {"activation": first})
    at = "first" if first else "x"
    if engine == "keras":
        n.layer("Rescaling", "rescaling", [at], lambda x: x / 127.5 - 1, {"scale": str(1 / 127.5), "offset": "-1.0"})
        n.layer("Conv1D", "conv", ["rescaling"], lambda x: convolved(x, w) + b, line, kernel=w, bias=b)
    else:
        w = normal(9, 5, 3, 8) if others else w
        folded, bias = w / np.float32(127.5), b - w.sum((0, 1))
        n.layer("Conv1D", "conv", [at], lambda x: convolved(x, folded) + bias, line, kernel=folded, bias=bias)
    n.layer("GlobalAveragePooling1D", "pool", ["conv"], lambda x: x.mean(1))
    n.layer("Dense", "head", ["pool"], lambda x: x @ head, kernel=head)
    return n


@pytest.mark.parametrize("others", [False, True])
def test_a_rescaling_in_the_weights_behind(tmp_path, others):
    report, told = compare(tmp_path, rescaled("keras-export", others), rescaled("keras"))
    assert (report.json["verdict"] == "pass") != others, told
    assert not others or told[0][0] in ("model.weights", "model.version"), told


@pytest.mark.parametrize("first", ["relu", "tanh"])
def test_a_rescaling_in_the_bias_behind_a_fault(tmp_path, first):
    _, told = compare(tmp_path, rescaled("keras-export", first=first), rescaled("keras", first="relu"))
    assert [c for c, _ in told] == ([] if first == "relu" else ["model.operator"]), told


def gate(engine, others=False, added=3., first=False):
    """relu6(x + 3) / 6; a converter has the 3 in the bias before, and the bound in the layer before.  first: other weights before."""
    w, b, head, before = normal(1, 10, 8), normal(2, 8, scale=1), normal(3, 8, 4), normal(5, 10, 10)
    n = Net(engine, feeds(1, 10))
    if engine != "keras" and first:
        before = normal(6, 10, 10)
    if engine == "keras":
        n.layer("Dense", "before", ["x"], lambda x: x @ before, kernel=before)
    else:
        n.layer("FULLY_CONNECTED", "before", ["x"], lambda x: x @ before, {"fused_activation_function": "NONE"}, w=before.T)
    if engine == "keras":
        n.layer("Dense", "dense", ["before"], lambda x: x @ w + b, kernel=w, bias=b)
        n.layer("Add", "add", ["dense"], lambda x: x + 3, number=3)
        n.layer("ReLU", "relu", ["add"], lambda x: np.clip(x, 0, 6), {"max_value": "6.0", "negative_slope": "0.0", "threshold": "0.0"})
        n.layer("Multiply", "multiply", ["relu"], lambda x: x / 6, number=1 / 6)
        n.layer("Dense", "head", ["multiply"], lambda x: x @ head, kernel=head)
        return n
    head = normal(9, 8, 4) if others else head
    n.layer("FULLY_CONNECTED", "dense", ["before"], lambda x: np.clip(x @ w + (b + added), 0, 6), {"fused_activation_function": "RELU6"}, w=w.T, b=b + added)
    n.layer("MUL", "multiply", ["dense"], lambda x: x / 6, {"fused_activation_function": "NONE"}, number=1 / 6)
    n.layer("FULLY_CONNECTED", "head", ["multiply"], lambda x: x @ head, {"fused_activation_function": "NONE"}, w=head.T)
    return n


@pytest.mark.parametrize("others", [False, True])
def test_a_bound_behind_a_number_in_the_bias(tmp_path, others):
    _, told = compare(tmp_path, gate("litert", others), gate("keras"))
    assert [c for c, _ in told] == (["model.weights"] if others else []), told


@pytest.mark.parametrize("added", [3., 2.])
def test_a_number_in_the_bias_behind_other_weights(tmp_path, added):
    _, told = compare(tmp_path, gate("litert", added=added, first=True), gate("keras"))
    assert told[0][0] == "model.weights", told
    assert added != 3 or len(told) == 1, told


# ---- Loops that are written out --------------------------------------------------------------------


def recurrent(engine, others=False):
    """A GRU of Keras; an exporter that has no such operator writes a loop, and gives it Keras' weights as they are."""
    units = 12
    k, r, b, head = normal(1, 8, 3 * units), normal(2, units, 3 * units), normal(3, 2, 3 * units), normal(4, units, 4)
    if others:
        r = normal(8, units, 3 * units)

    def run(x):
        h, sigmoid = np.zeros((1, units), np.float32), lambda v: 1 / (1 + np.exp(-v))
        for row in x[0]:
            (az, ar, an), (bz, br, bn) = np.split(row[None] @ k + b[0], 3, 1), np.split(h @ r + b[1], 3, 1)
            z = sigmoid(az + bz)
            h = z * h + (1 - z) * np.tanh(an + sigmoid(ar + br) * bn)
        return h
    n = Net(engine, feeds(1, 6, 8))
    if engine == "keras":
        n.layer("GRU", "gru", ["x"], run, {"activation": "tanh"}, kernel=k, recurrent_kernel=r, bias=b)
        n.layer("Dense", "head", ["gru"], lambda x: x @ head, kernel=head)
    else:
        n.layer("Loop", "net/gru_1/while_loop", ["x"], run, {"body": "graph of Gemm,Gemm,Split,Add,Sigmoid,Mul,Tanh"}, bias=b, kernel=k, recurrent=r)
        n.layer("Gemm", "net/head/MatMul", ["net/gru_1/while_loop"], lambda x: x @ head, {"transB": "0"}, w=head)
    return n


@pytest.mark.parametrize("others", [False, True])
def test_a_loop_has_the_gates_in_the_framework_s_order(tmp_path, others):
    report, told = compare(tmp_path, recurrent("onnxruntime", others), recurrent("keras"))
    assert (report.json["verdict"] == "pass") != others, told
    assert not others or [c for c, _ in told] == ["model.weights"], told


# ---- Windows along one dimension --------------------------------------------------------------------


def line(engine, padding="causal", others=False):
    """Conv1D of stride 4; converters slide a window of one row over a picture of one row."""
    w, head, b = normal(1, 9, 2, 8), normal(2, 8, 4), normal(3, 8)
    n = Net(engine, feeds(1, 60, 2))
    if engine == "keras":
        n.layer("Conv1D", "conv", ["x"], lambda x: np.tanh(convolved(x, w, 4, 8) + b),
                {"strides": "(4,)", "padding": "causal", "dilation_rate": "(1,)", "kernel_size": "(9,)", "activation": "tanh"}, kernel=w, bias=b)
        n.layer("GlobalAveragePooling1D", "pool", ["conv"], lambda x: x.mean(1))
        n.layer("Dense", "head", ["pool"], lambda x: x @ head, kernel=head)
        return n
    head = normal(9, 8, 4) if others else head
    before, behind = (8, 0) if padding == "causal" else (2, 3)
    how = {"padding": "VALID" if padding == "causal" else "SAME", "stride_w": "4", "stride_h": "1", "dilation_w_factor": "1", "dilation_h_factor": "1",
           "fused_activation_function": "NONE"}
    at = "x"
    if padding == "causal":
        at = n.layer("PAD", "pad", [at], lambda x: np.pad(x, ((0, 0), (8, 0), (0, 0))), {}, paddings=[[0, 0], [8, 0], [0, 0]])
        before = 0
    n.layer("RESHAPE", "rows", [at], lambda x: x[:, None])
    n.layer("CONV_2D", "conv/BiasAdd", ["rows"], lambda x: convolved(x[:, 0], w, 4, before, behind)[:, None] + b, how, w=w.transpose(2, 0, 1)[:, None], b=b)
    n.layer("TANH", "conv/Tanh", ["conv/BiasAdd"], np.tanh)
    n.layer("MEAN", "pool/Mean", ["conv/Tanh"], lambda x: x.mean((1, 2)))
    n.layer("FULLY_CONNECTED", "head/MatMul", ["pool/Mean"], lambda x: x @ head, {"fused_activation_function": "NONE"}, w=head.T)
    return n


@pytest.mark.parametrize("others", [False, True])
def test_a_line_is_a_picture_of_one_row(tmp_path, others):
    _, told = compare(tmp_path, line("litert", others=others), line("keras"))
    assert [c for c, _ in told] == (["model.weights"] if others else []), told


def test_another_padding_of_a_line(tmp_path):
    _, told = compare(tmp_path, line("litert", "same"), line("keras"))
    assert [c for c, _ in told] == ["model.operator"] and "pads" in told[0][1], told


# ---- Training mode --------------------------------------------------------------------------------


def normed(engine, training=False, bound=False, epsilon=1e-3, faint=1., others=False):
    """A convolution, a batch normalization, a mean.  Exported in training mode, the statistics are operators of the graph.  bound: a ReLU6 for
    tanh, which is fused into what is before; faint: how small the variance is."""
    w, head = normal(1, 3, 4, 8), normal(2, 8, 4)
    random = np.random.default_rng(3)
    gamma, beta, mean, variance = random.uniform(.6, 1.4, 8), random.normal(0, .3, 8), random.normal(0, .5, 8), random.uniform(.5, 1.5, 8)
    mean, variance = mean * np.sqrt(faint), variance * faint
    if others:
        w = w * np.float32(1.5) + normal(8, 3, 4, 8)
    six = (lambda x: np.clip(x, 0, 6)) if bound else (lambda x: x)
    ending = {"fused_activation_function": "RELU6" if bound else "NONE"}
    how = {"padding": "VALID", "stride_w": "1", "stride_h": "1", "fused_activation_function": "NONE"}
    none = {"fused_activation_function": "NONE"}
    n = Net(engine, feeds(1, 40, 4))
    if engine == "keras":
        n.layer("Conv1D", "conv", ["x"], lambda x: convolved(x, w), {"strides": "(1,)", "padding": "valid", "kernel_size": "(3,)"}, kernel=w)
        n.layer("BatchNormalization", "bn", ["conv"], lambda x: (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, {"epsilon": "0.001"},
                gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
        if bound:
            n.layer("ReLU", "tanh", ["bn"], six, {"max_value": "6.0", "negative_slope": "0.0", "threshold": "0.0"})
        else:
            n.layer("Activation", "tanh", ["bn"], np.tanh, {"activation": "tanh"})
        n.layer("GlobalAveragePooling1D", "pool", ["tanh"], lambda x: x.mean(1))
        n.layer("Dense", "head", ["pool"], lambda x: x @ head, kernel=head)
        return n
    n.layer("RESHAPE", "rows", ["x"], lambda x: x[:, None])
    if not training:
        factor = gamma / np.sqrt(variance + epsilon)
        n.layer("CONV_2D", "conv/bn", ["rows"], lambda x: six(convolved(x[:, 0], w * factor)[:, None] + beta - mean * factor), {**how, **ending},
                w=(w * factor).transpose(2, 0, 1)[:, None], b=beta - mean * factor)
        at = "conv/bn"
    else:
        axes = (0, 1, 2)
        n.layer("CONV_2D", "conv", ["rows"], lambda x: convolved(x[:, 0], w)[:, None], how, w=w.transpose(2, 0, 1)[:, None])
        n.layer("MEAN", "bn/mean", ["conv"], lambda x: x.mean(axes, keepdims=True), {"keep_dims": "true"})
        n.layer("SQUARED_DIFFERENCE", "bn/square", ["conv", "bn/mean"], lambda x, m: (x - m) ** 2)
        n.layer("MEAN", "bn/variance", ["bn/square"], lambda x: x.mean(axes, keepdims=True), {"keep_dims": "true"})
        n.layer("ADD", "bn/epsilon", ["bn/variance"], lambda v: v + 1e-3, none, e=1e-3)
        n.layer("RSQRT", "bn/rsqrt", ["bn/epsilon"], lambda v: 1 / np.sqrt(v))
        n.layer("MUL", "bn/factor", ["bn/rsqrt"], lambda v: v * gamma, none, gamma=gamma)
        n.layer("MUL", "bn/scaled", ["conv", "bn/factor"], lambda x, f: x * f, none)
        n.layer("MUL", "bn/moved", ["bn/mean", "bn/factor"], lambda m, f: m * f, none)
        n.layer("SUB", "bn/shift", ["bn/moved"], lambda m: beta - m, none, beta=beta)
        at = n.layer("ADD", "bn/out", ["bn/scaled", "bn/shift"], lambda x, b: six(x + b), ending)
    at = at if bound else n.layer("TANH", "tanh", [at], np.tanh)
    n.layer("MEAN", "pool", [at], lambda x: x.mean((1, 2)))
    n.layer("FULLY_CONNECTED", "head", ["pool"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("bound", [False, True])
def test_an_export_in_training_mode(tmp_path, training, bound):
    report, told = compare(tmp_path, normed("litert", training, bound), normed("keras", bound=bound))
    assert [c for c, _ in told if c != "log.coverage"] == (["model.mode"] if training else []), told
    assert (report.json["verdict"] == "pass") != training and (not training or "The edge runs in training mode" in told[0][1])


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 2e-5])
@pytest.mark.parametrize("bound", [False, True])
def test_another_epsilon_that_was_folded(tmp_path, epsilon, bound):
    _, told = compare(tmp_path, normed("litert", bound=bound, epsilon=epsilon, faint=2e-3), normed("keras", bound=bound, faint=2e-3))
    assert [c for c, _ in told] == ([] if epsilon == 1e-3 else ["model.operator"]), told
    assert not told or f"epsilon {epsilon:g} on the edge, of 0.001 in the reference" in told[0][1]


def test_other_weights_before_a_normalization(tmp_path):
    _, told = compare(tmp_path, normed("litert", faint=2e-3, others=True, epsilon=1e-5), normed("keras", faint=2e-3))
    assert told[0][0] == "model.weights", told


# ---- What is folded ---------------------------------------------------------------------------------


def hard_gate(engine, alpha, others=False):
    """clip(alpha * x + 0.5): a converter has the factor, or all of it, in the weights before."""
    w, b, head = normal(1, 10, 8), normal(2, 8, scale=1), normal(3, 8, 4)
    n = Net(engine, feeds(1, 10))
    if engine == "keras":
        n.layer("Dense", "dense", ["x"], lambda x: x @ w + b, kernel=w, bias=b)
        n.layer("Activation", "gate", ["dense"], lambda x: np.clip(x * alpha + .5, 0, 1), {"activation": "hard_sigmoid"})
        n.layer("Dense", "head", ["gate"], lambda x: x @ head, kernel=head)
        return n
    w = normal(7, 10, 8) if others else w
    none, w, b = {"fused_activation_function": "NONE"}, w * np.float32(alpha), b * np.float32(alpha) + np.float32(.5)
    n.layer("FULLY_CONNECTED", "dense", ["x"], lambda x: x @ w + b, none, w=w.T, b=b)
    n.layer("MINIMUM", "gate/min", ["dense"], lambda x: np.minimum(x, 1), {}, one=1)
    n.layer("RELU", "gate", ["gate/min"], lambda x: np.maximum(x, 0))
    n.layer("FULLY_CONNECTED", "head", ["gate"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize("alpha", [1 / 6, .2])
def test_a_function_that_is_folded_into_weights(tmp_path, alpha):
    """Keras 2's hard sigmoid has 0.2 for Keras 3's 1/6."""
    _, told = compare(tmp_path, hard_gate("litert", alpha), hard_gate("keras", 1 / 6))
    assert [c for c, _ in told] == ([] if alpha == 1 / 6 else ["model.operator"]), told
    assert not told or "HardSigmoid" in told[0][1]


def test_other_weights_before_a_folded_function(tmp_path):
    _, told = compare(tmp_path, hard_gate("litert", 1 / 6, others=True), hard_gate("keras", 1 / 6))
    assert told and told[0][0] == "model.weights", told


def block_with_norm(engine, slope=.2):
    """A block with a normalization within, one layer in Keras: what a converter folds of it is no other bias."""
    first, a, head = normal(1, 12, 16), normal(2, 16, 16), normal(4, 16, 5)
    random = np.random.default_rng(3)
    gamma, beta, mean, variance = random.uniform(.6, 1.4, 16), random.normal(0, .3, 16), random.normal(0, .5, 16), random.uniform(.5, 1.5, 16)
    factor, none = gamma / np.sqrt(variance + 1e-3), {"fused_activation_function": "NONE"}
    n = Net(engine, feeds(1, 12))
    if engine == "keras":
        n.layer("Dense", "first", ["x"], lambda x: x @ first, kernel=first)
        n.layer("Block", "block", ["first"], lambda x: x + leaky((x @ a - mean) * factor + beta), a=a, gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
        n.layer("Dense", "head", ["block"], lambda x: x @ head, kernel=head)
        return n
    n.layer("FULLY_CONNECTED", "net/first/MatMul", ["x"], lambda x: x @ first, none, w=first.T)
    n.layer("FULLY_CONNECTED", "net/block_1/MatMul", ["net/first/MatMul"], lambda x: x @ (a * factor) + beta - mean * factor, none, w=(a * factor).T, b=beta - mean * factor)
    n.layer("LEAKY_RELU", "net/block_1/LeakyRelu", ["net/block_1/MatMul"], lambda x: leaky(x, slope), {"alpha": str(slope)})
    n.layer("ADD", "net/block_1/add", ["net/first/MatMul", "net/block_1/LeakyRelu"], lambda x, y: x + y, none)
    n.layer("FULLY_CONNECTED", "net/head/MatMul", ["net/block_1/add"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize("slope", [.2, .4])
def test_a_normalization_within_a_block(tmp_path, slope):
    report, told = compare(tmp_path, block_with_norm("litert", slope), block_with_norm("keras"))
    assert (report.json["verdict"] == "pass") == (slope == .2), told
    assert [c for c, _ in told] in ([], ["model.operator"], ["layer.unknown"]), told


# ---- Ends, loops, orders ------------------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def mapped(engine, seed=1):
    """A map of classes; ONNX has the classes first, and turns them behind the softmax."""
    w = normal(seed, 3, 5, scale=1)
    n = Net(engine, feeds(1, 6, 6, 3))
    if engine == "keras":
        n.layer("Conv2D", "classes", ["x"], lambda x: softmax(x @ w), {"strides": "(1, 1)", "padding": "valid", "kernel_size": "(1, 1)", "activation": "softmax"}, kernel=w[None, None])
        return n
    turn = [0, 3, 1, 2]
    n.layer("Transpose", "first", ["x"], lambda x: x.transpose(turn), {"perm": "0,3,1,2"})
    n.layer("Conv", "conv", ["first"], lambda x: np.einsum("bchw,co->bohw", x, w), {"kernel_shape": "1,1", "strides": "1,1", "group": "1"}, w=w.T[:, :, None, None])
    n.layer("Softmax", "softmax", ["conv"], lambda x: softmax(x.transpose(0, 2, 3, 1)).transpose(turn), {"axis": "1"})
    n.layer("Transpose", "last", ["softmax"], lambda x: x.transpose(0, 2, 3, 1), {"perm": "0,2,3,1"})
    return n


@pytest.mark.parametrize("seed", [1, 2])
def test_an_end_that_is_turned(tmp_path, seed):
    _, told = compare(tmp_path, mapped("onnxruntime", seed), mapped("keras"))
    assert [c for c, _ in told] == ([] if seed == 1 else ["model.weights"]), told


def looped(engine, factor=1.):
    """A recurrent layer; the edge's is a loop whose body has the weights, and whose first state is a constant of its own."""
    k, r, head = normal(1, 8, 40), normal(2, 40, 40, scale=.1), normal(3, 40, 3)

    def run(x):
        h = np.zeros((1, 40))
        for row in x[0]:
            h = np.tanh(row[None] @ k + h @ r * factor)
        return h
    n = Net(engine, feeds(1, 6, 8))
    if engine == "keras":
        n.layer("SimpleRNN", "rnn", ["x"], run, kernel=k, recurrent_kernel=r)
        n.layer("Dense", "head", ["rnn"], lambda x: x @ head, kernel=head)
    else:
        n.layer("WHILE", "net/while", ["x"], run, {"body_subgraph_index": "2"}, state=np.zeros((1, 1200)), other=np.zeros((1, 1200)))
        n.layer("FULLY_CONNECTED", "net/head", ["net/while"], lambda x: x @ head, {"fused_activation_function": "NONE"}, w=head.T)
    return n


@pytest.mark.parametrize("factor", [1., 3.])
def test_a_loop_hides_its_weights(tmp_path, factor):
    """Other sizes of what a loop is given are no other model."""
    _, told = compare(tmp_path, looped("litert", factor), looped("keras"))
    assert not any(c in ("model.version", "model.weights", "model.operator") for c, _ in told), told
    assert bool(told) == (factor != 1), told


def shuffled(engine, shuffle=True, perm=True):
    """Groups of channels that are exchanged between two layers with weights."""
    w, d, head = normal(1, 3, 8, scale=1), normal(2, 8, scale=1), normal(3, 8, 4)
    n = Net(engine, feeds(1, 30, 3))
    dense = "Dense" if engine == "keras" else "FULLY_CONNECTED"
    flip = (lambda v: v) if engine == "keras" else np.transpose
    n.layer(dense, "first", ["x"], lambda x: x @ w, {}, kernel=flip(w))
    at = "first"
    if shuffle:
        n.layer("Reshape", "cut", [at], lambda x: x.reshape(1, 30, 2, 4), {"target_shape": "(30, 2, 4)"})
        n.layer("Permute", "turn", ["cut"], lambda x: x.transpose(0, 1, 3, 2), {"perm": "0,1,3,2"} if perm else {})
        at = n.layer("Reshape", "join", ["turn"], lambda x: x.reshape(1, 30, 8), {"target_shape": "(30, 8)"})
    n.layer(dense, "second", [at], lambda x: x @ head, {}, kernel=flip(head))
    return n


@pytest.mark.parametrize("perm", [False, True])
def test_groups_that_are_not_exchanged(tmp_path, perm):
    _, told = compare(tmp_path, shuffled("litert", shuffle=False), shuffled("keras", perm=perm))
    assert [c for c, _ in told] in (["model.operator"], ["layer.unknown"]), told


def test_integers_that_hold_less_than_the_input(tmp_path):
    """Calibrated on fainter inputs: the range of the edge's type clips."""
    scale, zero, x = .007, -4, feeds(1, 20, 20, 1)
    for role in ("edge", "reference"):
        quantized = exray.Quantization((scale,), (zero,)) if role == "edge" else None
        info = exray.TensorInfo("x", "int8" if role == "edge" else "float32", (1, 20, 20, 1), "NHWC", quantized)
        stored = [np.clip(np.round(v / scale) + zero, -128, 127).astype(np.int8) for v in x]
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="full") as r:
            r.model(exray.Model("net", "litert", "2", "builtin", 1, (info, exray.TensorInfo("y", "float32", (1, 1))),
                                (exray.Node("MEAN", "y", (0,), (1,)),), (0,), (1,)))
            for i, v in enumerate(x):
                with r.frame(source=str(i)):
                    r.input("x", stored[i] if role == "edge" else v, **({"scale": scale, "zero_point": zero} if role == "edge" else {}))
                    y = ((stored[i].astype(np.float32) - zero) * scale if role == "edge" else v).mean((1, 2)).astype(np.float32)
                    r.layer(0, "y", y)
                    r.output("y", y)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    told = [(f["cause"], f["summary"]) for f in report.json["findings"] if f["severity"] == "error"]
    assert [c for c, _ in told] == ["input.quantization"] and "-0.868 to 0.917" in told[0][1], told


def turned(engine, other=False):
    """The difference of two branches."""
    a, b, head = normal(1, 10, 8), normal(2, 10, 8), normal(3, 8, 4)
    n, dense = Net(engine, feeds(1, 10)), "Dense" if engine == "keras" else "FULLY_CONNECTED"
    flip = (lambda v: v) if engine == "keras" else np.transpose
    for name, w in (("a", a), ("b", b)):
        n.layer(dense, name, ["x"], lambda x, w=w: x @ w, {}, kernel=flip(w))
    n.layer("Multiply" if engine == "keras" else "MUL", "product", ["a", "b"], lambda p, q: p * q)
    n.layer("Subtract" if engine == "keras" else "SUB", "difference", ["b", "a"] if other else ["a", "b"], lambda p, q: p - q)
    n.layer("Add" if engine == "keras" else "ADD", "sum", ["product", "difference"], lambda p, q: p + q)
    n.layer(dense, "head", ["sum"], lambda x: x @ head, {}, kernel=flip(head))
    return n


@pytest.mark.parametrize("other", [False, True])
def test_operands_that_are_exchanged(tmp_path, other):
    _, told = compare(tmp_path, turned("litert", other), turned("keras"))
    assert [c for c, _ in told] == (["model.operator"] if other else []), told
    assert not told or "in another order" in told[0][1]


def hard(v):
    return np.clip(v / 6 + .5, 0, 1)


FUNCTIONS = {"relu6": ("ReLU", {"max_value": "6.0", "negative_slope": "0.0", "threshold": "0.0"}, lambda v: np.clip(v, 0, 6)),
             "slope": ("ReLU", {"negative_slope": "0.3", "threshold": "0.0"}, lambda v: leaky(v, .3)),
             "hard_silu": ("Activation", {"activation": "hard_silu"}, lambda v: v * hard(v)),
             "leaky_relu": ("Activation", {"activation": "leaky_relu"}, leaky),
             "exponential": ("Activation", {"activation": "exponential"}, np.exp)}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("fault", ["none", "head", "tanh"])
def test_functions_of_keras(tmp_path, name, fault):
    """Keras' functions are those of TensorFlow Lite's operators: another head behind is that alone, another function named by what it is."""
    op, attributes, function = FUNCTIONS[name]
    lite = {"relu6": ("RELU6", {}), "slope": ("LEAKY_RELU", {"alpha": "0.3"}), "hard_silu": ("HARD_SWISH", {}), "leaky_relu": ("LEAKY_RELU", {"alpha": "0.2"}), "exponential": ("EXP", {})}[name]
    if fault == "tanh":
        lite = ("TANH", {})
    w, none = normal(1, 10, 8, scale=2), {"fused_activation_function": "NONE"}
    sides = []
    for engine in ("litert", "keras"):
        head = normal(2 if engine == "keras" or fault != "head" else 3, 8, 4)
        n, lites = Net(engine, feeds(1, 10)), engine == "litert"
        n.layer("FULLY_CONNECTED" if lites else "Dense", "dense", ["x"], lambda x: x @ w, none if lites else {}, w=w.T if lites else w)
        n.layer(*((lite[0], "f", ["dense"], np.tanh if fault == "tanh" else function, lite[1]) if lites else (op, "f", ["dense"], function, attributes)))
        n.layer("FULLY_CONNECTED" if lites else "Dense", "head", ["f"], lambda x, head=head: x @ head, none if lites else {}, w=head.T if lites else head)
        sides.append(n)
    _, told = compare(tmp_path, *sides)
    assert [c for c, _ in told] == {"none": [], "head": ["model.weights"], "tanh": ["model.operator"]}[fault], told
    said = {"relu6": "ReLU6", "slope": "LeakyReLU with slope (alpha) 0.3", "hard_silu": "hardswish", "leaky_relu": "LeakyReLU with slope (alpha) 0.2",
            "exponential": "exp"}[name].lower()
    assert fault != "tanh" or ("tanh on the edge" in told[0][1] and said in told[0][1].lower()), told


def gated(engine, causal=True, others=False):
    """tanh(a) * sigmoid(b) of one input: a converter lists the branches in another order."""
    a, b, head, bias = normal(1, 3, 4, 8), normal(2, 3, 4, 8), normal(3, 8, 3), normal(5, 8)
    n = Net(engine, feeds(1, 30, 4))
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    if engine == "keras":
        how = {"strides": "(1,)", "padding": "causal", "dilation_rate": "(1,)", "kernel_size": "(3,)"}
        n.layer("Conv1D", "conv_a", ["x"], lambda x: np.tanh(convolved(x, a, 1, 2) + bias), {**how, "activation": "tanh"}, kernel=a, bias=bias)
        n.layer("Conv1D", "conv_b", ["x"], lambda x: sigmoid(convolved(x, b, 1, 2) + bias), {**how, "activation": "sigmoid"}, kernel=b, bias=bias)
        n.layer("Multiply", "gate", ["conv_a", "conv_b"], lambda p, q: p * q)
        n.layer("GlobalAveragePooling1D", "pool", ["gate"], lambda x: x.mean(1))
        n.layer("Dense", "head", ["pool"], lambda x: x @ head, kernel=head)
        return n
    ends, weights = ((2, 0) if causal else (1, 1)), {"b": normal(7, 3, 4, 8) if others else b, "a": a}
    how = {"strides": "1,1", "dilations": "1,1", "kernel_shape": "1,3", "pads": f"0,{ends[0]},0,{ends[1]}", "group": "1"}
    n.layer("Transpose", "turned", ["x"], lambda x: x.transpose(0, 2, 1), {"perm": "0,2,1"})
    n.layer("Unsqueeze", "rows", ["turned"], lambda x: x[:, :, None], axes=2)
    for name, op, function in (("b", "Sigmoid", sigmoid), ("a", "Tanh", np.tanh)):
        w = weights[name]
        n.layer("Conv", f"net/{name}/conv", ["rows"], lambda x, w=w: convolved(x[:, :, 0].transpose(0, 2, 1), w, 1, *ends).transpose(0, 2, 1)[:, :, None], how,
                w=w.transpose(2, 1, 0)[:, :, None])
        n.layer("Squeeze", f"net/{name}/squeeze", [f"net/{name}/conv"], lambda x: x[:, :, 0], axes=2)
        n.layer("Add", f"net/{name}/BiasAdd", [f"net/{name}/squeeze"], lambda x: x + bias[:, None], bias=bias[:, None])
        n.layer(op, f"net/{name}/{op}", [f"net/{name}/BiasAdd"], function)
    n.layer("Mul", "net/gate", ["net/a/Tanh", "net/b/Sigmoid"], lambda p, q: p * q)
    n.layer("ReduceMean", "net/pool", ["net/gate"], lambda x: x.mean(2), {"axes": "2", "keepdims": "0"})
    n.layer("MatMul", "net/head", ["net/pool"], lambda x: x @ head, w=head)
    return n


@pytest.mark.parametrize("fault", ["none", "padding", "weights"])
def test_branches_in_another_order(tmp_path, fault):
    report, told = compare(tmp_path, gated("onnxruntime", causal=fault != "padding", others=fault == "weights"), gated("keras"))
    assert [c for c, _ in told] == {"none": [], "padding": ["model.operator"], "weights": ["model.weights"]}[fault], told
    assert fault != "padding" or "pads" in told[0][1]


def parted(engine, others=False):
    """A normalization behind a tanh, which a converter cannot fold: a factor and an offset."""
    w, head = normal(1, 10, 8), normal(2, 8, 4)
    random = np.random.default_rng(3)
    gamma, beta, mean, variance = random.uniform(.6, 1.4, 8), random.normal(0, .3, 8), random.normal(0, .5, 8), random.uniform(.5, 1.5, 8)
    factor, none = gamma / np.sqrt(variance + 1e-3), {"fused_activation_function": "NONE"}
    n = Net(engine, feeds(1, 10))
    if engine == "keras":
        n.layer("Dense", "dense", ["x"], lambda x: np.tanh(x @ w), {"activation": "tanh"}, kernel=w)
        n.layer("BatchNormalization", "bn", ["dense"], lambda x: (x - mean) * factor + beta, {"epsilon": "0.001"}, gamma=gamma, beta=beta, moving_mean=mean, moving_variance=variance)
        n.layer("Dense", "head", ["bn"], lambda x: x @ head, kernel=head)
        return n
    w = normal(7, 10, 8) if others else w
    n.layer("FULLY_CONNECTED", "net/dense", ["x"], lambda x: x @ w, none, w=w.T)
    n.layer("TANH", "net/tanh", ["net/dense"], np.tanh)
    n.layer("MUL", "net/bn/mul", ["net/tanh"], lambda x: x * factor, none, factor=factor)
    n.layer("ADD", "net/bn/add", ["net/bn/mul"], lambda x: x + beta - mean * factor, none, offset=beta - mean * factor)
    n.layer("FULLY_CONNECTED", "net/head", ["net/bn/add"], lambda x: x @ head, none, w=head.T)
    return n


@pytest.mark.parametrize("others", [False, True])
def test_a_normalization_in_parts(tmp_path, others):
    _, told = compare(tmp_path, parted("litert", others), parted("keras"))
    assert [c for c, _ in told] == (["model.weights"] if others else []), told
