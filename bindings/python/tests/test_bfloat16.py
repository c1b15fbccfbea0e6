"""bfloat16 copies of a transformer and of a CNN are healthy; a fault in one is named all the same."""

import numpy as np
import pytest

import exray

bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
WIDTH, HEADS, TOKENS, FRAMES = 32, 4, 9, 6


class Run:
    """A model in numpy whose values are rounded to a type behind every operator, and its log."""

    def __init__(self, path, role, weights, dtype):
        self.weights = {n: a.astype(dtype) for n, a in weights.items()}
        self.dtype, self.recorder, self.steps = dtype, exray.Recorder(path, role=role, capture="full"), []

    def constant(self, name):
        return self.weights[name].astype(np.float32)

    def keep(self, op, name, reads, value):
        """What an operator makes of tensors (names; constants among them)."""
        kept = np.asarray(value, np.float32).astype(self.dtype)
        self.steps.append((op, name, reads, kept))
        return kept.astype(np.float32)

    def describe(self, x):
        names = ["x", *self.weights, *(s[1] for s in self.steps)]
        shape = {"x": x.shape, **{n: a.shape for n, a in self.weights.items()}, **{s[1]: s[3].shape for s in self.steps}}
        kind = "float32" if self.dtype == np.float32 else "bfloat16"
        tensors = tuple(exray.TensorInfo(n, kind, shape[n], constant=n in self.weights) for n in names)
        nodes = tuple(exray.Node(op, n, tuple(names.index(r) for r in reads), (names.index(n),)) for op, n, reads, _ in self.steps)
        self.recorder.model(exray.Model("net", "torch", "2", "eager", 1, tensors, nodes, (0,), (names.index(self.steps[-1][1]),)))
        for n, a in self.weights.items():
            self.recorder.constant(names.index(n), a, name=n)

    def frames(self, network, feeds):
        with self.recorder as r:
            for i, x in enumerate(feeds):
                self.steps = []
                network(self, x.astype(self.dtype).astype(np.float32))
                if i == 0:
                    self.describe(x)
                with r.frame(source=str(i)):
                    r.input("x", x.astype(self.dtype))
                    for k, (_, n, _, value) in enumerate(self.steps):
                        r.layer(k, n, value)
                    r.output(self.steps[-1][1], self.steps[-1][3])


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def norm(z):
    return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)


def transformer(run, x):
    h, last = x, "x"
    for b in range(3):
        n = run.keep("LayerNorm", f"{b}.norm1", (last,), norm(h))
        q, k, v = (run.keep("Linear", f"{b}.{p}", (f"{b}.norm1", f"{b}.{p}.weight"), n @ run.constant(f"{b}.{p}.weight").T) for p in "qkv")
        q, k, v = (a.reshape(TOKENS, HEADS, -1).swapaxes(0, 1) for a in (q, k, v))
        scores = run.keep("matmul", f"{b}.scores", (f"{b}.q", f"{b}.k"), q @ k.swapaxes(1, 2) / np.sqrt(WIDTH / HEADS))
        share = run.keep("Softmax", f"{b}.share", (f"{b}.scores",), softmax(scores))
        mixed = run.keep("matmul", f"{b}.mixed", (f"{b}.share", f"{b}.v"), (share @ v).swapaxes(0, 1).reshape(TOKENS, WIDTH))
        out = run.keep("Linear", f"{b}.out", (f"{b}.mixed", f"{b}.out.weight"), mixed @ run.constant(f"{b}.out.weight").T)
        h = run.keep("add", f"{b}.add1", (last, f"{b}.out"), h + out)
        n = run.keep("LayerNorm", f"{b}.norm2", (f"{b}.add1",), norm(h))
        up = run.keep("Linear", f"{b}.up", (f"{b}.norm2", f"{b}.up.weight"), n @ run.constant(f"{b}.up.weight").T)
        up = run.keep("ReLU", f"{b}.relu", (f"{b}.up",), np.maximum(up, 0))
        down = run.keep("Linear", f"{b}.down", (f"{b}.relu", f"{b}.down.weight"), up @ run.constant(f"{b}.down.weight").T)
        h = run.keep("add", f"{b}.add2", (f"{b}.add1", f"{b}.down"), h + down)
        last = f"{b}.add2"
    run.keep("Linear", "head", (last, "head.weight"), h @ run.constant("head.weight").T)


def convolve(x, w):
    p = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(p, (3, 3), (1, 2))
    return np.einsum("cyxij,ocij->oyx", windows, w)


def cnn(run, x):
    h, last = x[0], "x"
    for b in range(4):
        h = run.keep("Conv2d", f"{b}.conv", (last, f"{b}.conv.weight"), convolve(h, run.constant(f"{b}.conv.weight"))[None])[0]
        h = run.keep("ReLU", f"{b}.relu", (f"{b}.conv",), np.maximum(h, 0)[None])[0]
        last = f"{b}.relu"
    pooled = run.keep("mean", "mean", (last,), h.mean((1, 2))[None])
    run.keep("Linear", "head", ("mean", "head.weight"), pooled @ run.constant("head.weight").T)


def make(network):
    random = np.random.default_rng(7)
    if network is cnn:
        shapes = {f"{b}.conv.weight": (12, 3 if b == 0 else 12, 3, 3) for b in range(4)} | {"head.weight": (7, 12)}
        feeds = [random.normal(0, 1, (1, 3, 20, 20)).astype(np.float32) for _ in range(FRAMES)]
    else:
        each = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "out": (WIDTH, WIDTH), "up": (2 * WIDTH, WIDTH), "down": (WIDTH, 2 * WIDTH)}
        shapes = {f"{b}.{n}.weight": s for b in range(3) for n, s in each.items()} | {"head.weight": (5, WIDTH)}
        feeds = [random.normal(0, 1, (TOKENS, WIDTH)).astype(np.float32) for _ in range(FRAMES)]
    weights = {n: random.normal(0, 1.3 / np.sqrt(np.prod(s[1:])), s).astype(np.float32) for n, s in shapes.items()}
    return weights, feeds


def validate(tmp_path, network, change=None):
    weights, feeds = make(network)
    Run(tmp_path / "reference.mcap", "reference", weights, np.float32).frames(network, feeds)
    changed = {n: a.copy() for n, a in weights.items()}
    if change:
        change(changed)
    Run(tmp_path / "edge.mcap", "edge", changed, bfloat16).frames(network, feeds)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    return report, [(f["cause"], f["severity"]) for f in report.json["findings"] if not f["cause"].startswith("perf.")]


@pytest.mark.parametrize("network", [transformer, cnn])
def test_a_copy_is_healthy(tmp_path, network):
    report, found = validate(tmp_path, network)
    assert report.verdict == "pass" and not found, report.json["findings"]


def scale_a_row(weights):
    name = "1.up.weight" if "1.up.weight" in weights else "1.conv.weight"
    weights[name][3] *= 1.5


def change_a_layer(weights):
    name = "1.up.weight" if "1.up.weight" in weights else "1.conv.weight"
    weights[name] += np.random.default_rng(1).normal(0, .3 * weights[name].std(), weights[name].shape).astype(np.float32)


@pytest.mark.parametrize("network", [transformer, cnn])
@pytest.mark.parametrize("change", [scale_a_row, change_a_layer])
def test_a_change_is_named(tmp_path, network, change):
    report, found = validate(tmp_path, network, change)
    assert report.verdict == "fail" and found == [("model.weights", "error")], report.json["findings"]


def without_scale(run, x):
    """The second block's scores are not divided."""
    keep = run.keep

    def other(op, name, reads, value):
        return keep(op, name, reads, value * np.sqrt(WIDTH / HEADS) if name == "1.scores" else value)

    run.keep = other
    transformer(run, x)
    del run.keep


def test_a_wrong_layer_is_named(tmp_path):
    weights, feeds = make(transformer)
    Run(tmp_path / "reference.mcap", "reference", weights, np.float32).frames(transformer, feeds)
    Run(tmp_path / "edge.mcap", "edge", weights, bfloat16).frames(without_scale, feeds)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    found = [f for f in report.json["findings"] if f["severity"] == "error"]
    assert report.verdict == "fail" and len(found) == 1 and found[0]["cause"].startswith("layer.")
    assert report.json["layers"][found[0]["where"]["layer"]]["edge"]["name"] == "1.scores", found


def test_onnx_runtime_shows_layers_in_bfloat16(tmp_path):
    """NumPy has no such type, and run() of ONNX Runtime does not return it."""
    onnx, _ = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    w = np.random.default_rng(2).normal(0, .3, (8, 5)).astype(np.float32)
    nodes = [helper.make_node("Cast", ["x"], ["x16"], name="down", to=TensorProto.BFLOAT16), helper.make_node("Cast", ["x16"], ["x32"], name="up", to=TensorProto.FLOAT),
             helper.make_node("MatMul", ["x32", "w"], ["y"], name="dense")]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 8])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 5])],
                              [numpy_helper.from_array(w, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    x = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as recorder:
        session = exray.onnx.Session(tmp_path / "m.onnx", recorder, kernels="none")
        with recorder.frame(source="0"):
            y = session.run(None, {"x": x})[0]
    with exray.open(tmp_path / "a.mcap") as log:
        frame = next(iter(log))
        assert frame.layers[0].dtype == "bfloat16" and np.array_equal(frame.layers[0].numpy(), x.astype(bfloat16))
        assert np.array_equal(frame.layers[2].numpy(), y)
