"""A Keras model against its export to TensorFlow Lite, which takes a layer's softmax apart from its product."""

import numpy as np
import pytest

import exray

FRAMES, INPUTS, CLASSES = 6, 24, 6


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def weights():
    random = np.random.default_rng(5)
    return random.normal(0, .3, (INPUTS, 20)).astype(np.float32), random.normal(0, .5, (20, CLASSES)).astype(np.float32)


def log_keras(path, feeds):
    first, last = weights()
    tensors = (exray.TensorInfo("x", "float32", (1, INPUTS)), exray.TensorInfo("first/kernel", "float32", first.shape, constant=True),
               exray.TensorInfo("first", "float32", (1, 20)), exray.TensorInfo("last/kernel", "float32", last.shape, constant=True),
               exray.TensorInfo("last", "float32", (1, CLASSES)))
    nodes = (exray.Node("Dense", "first", (0, 1), (2,), {"activation": "relu"}), exray.Node("Dense", "last", (2, 3), (4,), {"activation": "softmax"}))
    with exray.Recorder(path, role="reference", capture="full") as r:
        r.model(exray.Model("net", "keras", "3", "tensorflow", 1, tensors, nodes, (0,), (4,)))
        r.constant(1, first, name="first/kernel")
        r.constant(3, last, name="last/kernel")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                hidden = np.maximum(x @ first, 0)
                r.input("x", x)
                r.layer(0, "first", hidden)
                r.layer(1, "last", softmax(hidden @ last))
                r.output("last", softmax(hidden @ last))


def log_tflite(path, feeds, change=None):
    """In 8 bits: each tensor with a scale of its own."""
    first, last = weights()
    if change:
        last = change(last)
    hidden = np.concatenate([np.maximum(x @ first, 0) for x in feeds])
    logits = hidden @ last
    values = {"x": np.concatenate(feeds), "first": hidden, "logits": logits, "classes": softmax(logits)}
    scale = {n: float(np.ptp(v)) / 255 for n, v in values.items()} | {n: float(np.abs(w).max()) / 127 for n, w in (("w1", first), ("w2", last))}
    scale["classes"] = 1 / 256
    zero = {n: int(np.round(-128 - v.min() / scale[n])) for n, v in values.items()}

    def stored(n, v):
        return np.clip(np.round(v / scale[n]) + zero.get(n, 0), -128, 127).astype(np.int8)

    def tensor(n, shape, constant=False):
        return exray.TensorInfo(n, "int8", shape, constant=constant, quantization=exray.Quantization((scale[n],), (zero.get(n, 0),)))

    tensors = (tensor("x", (1, INPUTS)), tensor("w1", (20, INPUTS), True), tensor("first", (1, 20)), tensor("w2", (CLASSES, 20), True),
               tensor("logits", (1, CLASSES)), tensor("classes", (1, CLASSES)))
    nodes = (exray.Node("FULLY_CONNECTED", "first", (0, 1), (2,)), exray.Node("FULLY_CONNECTED", "logits", (2, 3), (4,)), exray.Node("SOFTMAX", "classes", (4,), (5,)))
    with exray.Recorder(path, role="edge", capture="full") as r:
        r.model(exray.Model("net", "litert", "2", "builtin", 1, tensors, nodes, (0,), (5,)))
        r.constant(1, stored("w1", first.T.copy()), name="w1")
        r.constant(3, stored("w2", last.T.copy()), name="w2")
        for i in range(len(feeds)):
            with r.frame(source=str(i)):
                each = {n: stored(n, v[i : i + 1]) for n, v in values.items()}
                how = {n: {"scale": scale[n], "zero_point": zero[n]} for n in values}
                r.input("x", each["x"], **how["x"])
                for k, n in enumerate(("first", "logits", "classes")):
                    r.layer(k, n, each[n], **how[n])
                r.output("classes", each["classes"], **how["classes"])


@pytest.mark.parametrize("change", [None, lambda w: w + np.random.default_rng(3).normal(0, .3, w.shape).astype(np.float32)])
def test_softmax_inside_a_layer(tmp_path, change):
    feeds = [np.random.default_rng(i).normal(0, 1, (1, INPUTS)).astype(np.float32) for i in range(FRAMES)]
    log_keras(tmp_path / "reference.mcap", feeds)
    log_tflite(tmp_path / "edge.mcap", feeds, change)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    errors = [f["cause"] for f in report.json["findings"] if f["severity"] == "error"]
    assert errors == (["model.weights"] if change else []), report.json["findings"]
    pairs = {(x["edge"]["op"], x["reference"]["op"]) for x in report.json["layers"]}
    assert ("SOFTMAX", "Dense") in pairs and len(pairs) == 2


def convolve(x, w, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), (0, 1))[::stride, ::stride]
    return np.einsum("yxcij,ijco->yxo", windows, w)[None].astype(np.float32)


def log_convolutions(path, role, kernels):
    engine = "keras" if role == "reference" else "litert"
    tensors, nodes, x = [exray.TensorInfo("x", "float32", (1, 19, 19, 3), "NHWC")], [], None
    feeds = [np.random.default_rng(i).normal(0, 1, (1, 19, 19, 3)).astype(np.float32) for i in range(FRAMES)]
    outputs = []
    for feed in feeds:
        x, out = feed, []
        for w in kernels:
            x = convolve(x, w, 2)
            out.append(x)
        outputs.append(out)
    last = 0
    for k, w in enumerate(kernels):
        shape = w.shape if role == "reference" else (w.shape[3], 3, 3, w.shape[2])
        tensors += [exray.TensorInfo(f"k{k}", "float32", shape, constant=True), exray.TensorInfo(f"{engine}{k}", "float32", outputs[0][k].shape, "NHWC")]
        how = {"strides": "(2, 2)", "padding": "valid", "kernel_size": "(3, 3)", "activation": "linear"} if role == "reference" else {}
        nodes.append(exray.Node("Conv2D" if role == "reference" else "CONV_2D", f"{engine}{k}", (last, 2 * k + 1), (2 * k + 2,), how))
        last = 2 * k + 2
    with exray.Recorder(path, role=role, capture="full") as r:
        r.model(exray.Model("net", engine, "2", "builtin", 1, tuple(tensors), tuple(nodes), (0,), (last,)))
        for k, w in enumerate(kernels):
            r.constant(2 * k + 1, w if role == "reference" else w.transpose(3, 0, 1, 2).copy(), name=f"k{k}")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                r.input("x", x)
                for k, out in enumerate(outputs[i]):
                    r.layer(k, f"{engine}{k}", out)
                r.output("y", outputs[i][-1])


def test_attributes_that_a_tap_does_not_know(tmp_path):
    """Without the file, the tap of LiteRT has no strides: they are not 1."""
    random = np.random.default_rng(4)
    kernels = [random.normal(0, .2, s).astype(np.float32) for s in ((3, 3, 3, 8), (3, 3, 8, 6))]
    log_convolutions(tmp_path / "reference.mcap", "reference", kernels)
    kernels[0] = kernels[0] + random.normal(0, .1, kernels[0].shape).astype(np.float32)
    log_convolutions(tmp_path / "edge.mcap", "edge", kernels)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    assert [f["cause"] for f in report.json["findings"] if f["severity"] == "error"] == ["model.weights"], report.json["findings"]
