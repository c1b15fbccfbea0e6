"""Recurrent layers of one framework against another's: each stacks the gates in its own order."""

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
INPUTS, UNITS, STEPS = 7, 10, 6
ORDERS = {"LSTM": ("iofc", "ifco"), "GRU": ("zrh", "rzh")}  # ONNX's, PyTorch's


def weights(op, seed=4):
    """In PyTorch's order: of the inputs, of the state, both biases; then a dense layer's."""
    random, g = np.random.default_rng(seed), len(ORDERS[op][0])
    return [random.normal(0, .4, s).astype(np.float32) for s in ((g * UNITS, INPUTS), (g * UNITS, UNITS), (g * UNITS,), (g * UNITS,))], \
        random.normal(0, .4, (UNITS, 3)).astype(np.float32)


def reorder(op, w, mapping):
    gates = w.reshape(len(ORDERS[op][0]), UNITS, -1)
    return np.concatenate([gates[k] for k in mapping]).reshape(w.shape)


def onnx_model(path, op, mapping):
    (wi, wh, bi, bh), dense = weights(op)
    constants = {"W": reorder(op, wi, mapping)[None], "R": reorder(op, wh, mapping)[None],
                 "B": np.concatenate([reorder(op, bi, mapping), reorder(op, bh, mapping)])[None], "shape": np.array([STEPS, UNITS]), "dense": dense}
    more = {"linear_before_reset": 1} if op == "GRU" else {}
    nodes = [helper.make_node(op, ["x", "W", "R", "B"], ["rnn"], "rnn", hidden_size=UNITS, **more),
             helper.make_node("Reshape", ["rnn", "shape"], ["rows"], "rows"), helper.make_node("MatMul", ["rows", "dense"], ["y"], "y")]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, 1, INPUTS])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [STEPS, 3])], [numpy_helper.from_array(v, k) for k, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def run(op, x):
    """PyTorch's equations."""
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))
    (wi, wh, bi, bh), _ = weights(op)
    h = c = np.zeros(UNITS)
    out = []
    for row in x:
        a, b = wi @ row + bi, wh @ h + bh
        if op == "LSTM":
            i, f, g, o = np.split(a + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
            z = sigmoid(az + bz)
            h = (1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * h
        out.append(h)
    return np.array(out, np.float32)


def log_torch(path, op, feeds):
    w, dense = weights(op)
    names = ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0")
    tensors = [exray.TensorInfo("x", "float32", (STEPS, 1, INPUTS)), *(exray.TensorInfo(n, "float32", a.shape, constant=True) for n, a in zip(names, w)),
               exray.TensorInfo("rnn", "float32", (STEPS, UNITS)), exray.TensorInfo("dense.weight", "float32", (UNITS, 3), constant=True), exray.TensorInfo("y", "float32", (STEPS, 3))]
    with exray.Recorder(path, role="reference", capture="full") as r:
        r.model(exray.Model("net", "torch", "2", "eager", 1, tuple(tensors), (exray.Node(op, "rnn", (0, 1, 2, 3, 4), (5,)), exray.Node("MatMul", "y", (5, 6), (7,))), (0,), (7,)))
        for i, a in enumerate([*w]):
            r.constant(1 + i, a, name=names[i])
        r.constant(6, dense, name="dense.weight")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                h = run(op, x[:, 0])
                r.input("x", x)
                r.layer(0, "rnn", h)
                r.layer(1, "y", h @ dense)
                r.output("y", h @ dense)


@pytest.mark.parametrize("op", ["LSTM", "GRU"])
def test_gates(tmp_path, op):
    feeds = [np.random.default_rng(i).normal(0, 1, (STEPS, 1, INPUTS)).astype(np.float32) for i in range(4)]
    log_torch(tmp_path / "reference.mcap", op, feeds)
    to, had = ORDERS[op]
    for right in (True, False):
        edge = tmp_path / f"edge{right}.mcap"
        mapping = [had.index(k) for k in to] if right else range(len(to))
        with exray.Recorder(edge, role="edge", capture="full") as r:
            session = exray.onnx.Session(onnx_model(tmp_path / "m.onnx", op, mapping), r, kernels="none")
            for i, x in enumerate(feeds):
                with r.frame(source=str(i)):
                    session.run(None, {"x": x})
        report = exray.validate(edge, tmp_path / "reference.mcap")
        found = [(f["cause"], f["severity"]) for f in report.json["findings"] if not f["cause"].startswith("perf.")]
        if right:
            assert report.verdict == "pass" and not found
        else:
            assert report.verdict == "fail" and found == [("model.weights", "error")]
            assert "gates are in another order" in str(report.json["findings"][0])


# ---- TensorFlow Lite: a constant for each gate, one bias ---------------------------------------------------


def log_tflite(path, feeds, change=None, dtype=np.float32):
    """The edge: gates in the order i, f, c, o; change(gate constants) before they are recorded and run."""
    (wi, wh, bi, bh), dense = weights("LSTM")
    gates = {f"{kind}_{g}": part.copy() for kind, w in (("input", wi), ("state", wh), ("bias", bi + bh)) for g, part in zip("ifco", np.split(w, 4))}
    if change:
        change(gates)
    names = list(gates)
    scale = {n: float(np.abs(a).max()) / 127 for n, a in gates.items()}
    stored = {n: np.clip(np.round(a / scale[n]), -127, 127).astype(np.int8) if dtype == np.int8 and "bias" not in n else a for n, a in gates.items()}
    used = {n: (a * np.float32(scale[n])).astype(np.float32) if a.dtype == np.int8 else a for n, a in stored.items()}
    tensors = [exray.TensorInfo("x", "float32", (1, STEPS, INPUTS))]
    for n, a in stored.items():
        quantized = {"quantization": exray.Quantization((scale[n],), (0,))} if a.dtype == np.int8 else {}
        tensors.append(exray.TensorInfo(n, str(a.dtype), a.shape, constant=True, **quantized))
    tensors += [exray.TensorInfo("lstm", "float32", (1, STEPS, UNITS)), exray.TensorInfo("kernel", "float32", (3, UNITS), constant=True),
                exray.TensorInfo("y", "float32", (1, STEPS, 3))]
    inputs = (0, *range(1, 9), None, None, None, *range(9, 13))
    with exray.Recorder(path, role="edge", capture="full") as r:
        r.model(exray.Model("net", "litert", "2", "xnnpack", 1, tuple(tensors),
                            (exray.Node("UNIDIRECTIONAL_SEQUENCE_LSTM", "lstm", inputs, (13,)), exray.Node("FULLY_CONNECTED", "y", (13, 14), (15,))), (0,), (15,)))
        for i, n in enumerate(names):
            r.constant(1 + i, stored[n], name=n)
        r.constant(14, dense.T.copy(), name="kernel")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                wi, wh, b = (np.concatenate([used[f"{kind}_{g}"] for g in "ifco"]) for kind in ("input", "state", "bias"))
                h = cells(x[:, 0], wi, wh, b)[None]
                r.input("x", x.reshape(1, STEPS, INPUTS))
                r.layer(0, "lstm", h)
                r.layer(1, "y", h @ dense)
                r.output("y", h @ dense)


def cells(x, wi, wh, bias):
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))
    h = c = np.zeros(UNITS)
    out = []
    for row in x:
        i, f, g, o = np.split(wi @ row + wh @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out, np.float32)


def exchange_gates(gates):
    for kind in ("input", "state", "bias"):
        gates[f"{kind}_f"], gates[f"{kind}_o"] = gates[f"{kind}_o"], gates[f"{kind}_f"]


def train_again(gates):
    random = np.random.default_rng(9)
    for n in gates:
        gates[n] = random.normal(0, .4, gates[n].shape).astype(np.float32)


def change_one(gates):
    gates["state_f"] += np.random.default_rng(3).normal(0, .4, gates["state_f"].shape).astype(np.float32)


def change_bias(gates):
    gates["bias_f"] += np.linspace(1, 2, UNITS).astype(np.float32)


@pytest.mark.parametrize("other", ["torch", "onnx"])
@pytest.mark.parametrize("change, dtype, cause, words", [
    (None, "float32", None, ""), (None, "int8", None, ""), (exchange_gates, "float32", "model.weights", "gates are in another order"),
    (train_again, "float32", "model.version", "another training"), (change_one, "float32", "model.weights", "of the forget gate"),
    (change_one, "int8", "model.weights", "of the forget gate"), (change_bias, "float32", "model.weights", "biases bias_i, of the forget gate")])
def test_gates_of_tflite(tmp_path, other, change, dtype, cause, words):
    feeds = [np.random.default_rng(i).normal(0, 1, (STEPS, 1, INPUTS)).astype(np.float32) for i in range(4)]
    log_tflite(tmp_path / "edge.mcap", feeds, change, np.dtype(dtype))
    if other == "torch":
        log_torch(tmp_path / "reference.mcap", "LSTM", feeds)
    else:
        model = onnx_model(tmp_path / "m.onnx", "LSTM", [ORDERS["LSTM"][1].index(k) for k in ORDERS["LSTM"][0]])
        with exray.Recorder(tmp_path / "reference.mcap", role="reference", capture="full") as r:
            session = exray.onnx.Session(model, r, kernels="none")
            for i, x in enumerate(feeds):
                with r.frame(source=str(i)):
                    session.run(None, {"x": x})
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    found = [(f["cause"], f["severity"]) for f in report.json["findings"] if not f["cause"].startswith("perf.")]
    assert found == ([(cause, "error")] if cause else []), report.json["findings"]
    assert report.verdict == ("fail" if cause else "pass")
    assert words in str(report)


# ---- Two directions, and layers on top of each other: one node in PyTorch ------------------------------------


def halves(seed):
    """Of two directions (or layers) of one size, in PyTorch's order: of the inputs, of the state, both biases."""
    random = np.random.default_rng(seed)
    return [[random.normal(0, .4, s).astype(np.float32) for s in ((4 * UNITS, UNITS), (4 * UNITS, UNITS), (4 * UNITS,), (4 * UNITS,))] for _ in range(2)]


def to_onnx(parts):
    """W, R and B of these directions, gates in ONNX's order."""
    order = [ORDERS["LSTM"][1].index(k) for k in ORDERS["LSTM"][0]]
    w, r, bi, bh = (np.stack([reorder("LSTM", part[i], order) for part in parts]) for i in range(4))
    return {"W": w, "R": r, "B": np.concatenate([bi, bh], 1)}


def both_ways(x, parts):
    return np.concatenate([cells(x, *parts[0][:2], parts[0][2] + parts[0][3]), cells(x[::-1], *parts[1][:2], parts[1][2] + parts[1][3])[::-1]], 1)


def stacked(x, parts):
    for wi, wh, bi, bh in parts:
        x = cells(x, wi, wh, bi + bh)
    return x


def log_parts(path, engine, parts, compute, nodes):
    """nodes: the constants of each LSTM, by name; the last one's output is compute(x, parts)."""
    constants = [(f"{k}.{name}", a) for k, node in enumerate(nodes) for name, a in node.items()]
    places = [1 + i for i in range(len(constants))]
    outputs = [f"h{k}" for k in range(len(nodes) - 1)] + ["y"]
    tensors = [exray.TensorInfo("x", "float32", (STEPS, UNITS)), *(exray.TensorInfo(n, "float32", a.shape, constant=True) for n, a in constants)]
    made, first, graph = 0, 0, []
    for node, output in zip(nodes, outputs):
        tensors.append(exray.TensorInfo(output, "float32", compute(np.zeros((STEPS, UNITS), np.float32), parts).shape))
        graph.append(exray.Node("LSTM", output, (made, *places[first:first + len(node)]), (len(tensors) - 1,)))
        made, first = len(tensors) - 1, first + len(node)
    with exray.Recorder(path, role="edge" if engine == "onnxruntime" else "reference", capture="full") as r:
        r.model(exray.Model("net", engine, "1", "", 1, tuple(tensors), tuple(graph), (0,), (made,)))
        for (name, a), place in zip(constants, places):
            r.constant(place, a, name=name)
        for i in range(3):
            x = np.random.default_rng(i).normal(0, 1, (STEPS, UNITS)).astype(np.float32)
            with r.frame(source=str(i)):
                r.input("x", x)
                for k, output in enumerate(outputs):
                    r.layer(k, output, compute(x, parts[:k + 1] if len(nodes) > 1 else parts))
                r.output("y", compute(x, parts))


def torch_node(parts):
    return [{f"{name}_{k}": a for k, part in enumerate(parts) for name, a in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), part)}]


def exchanged(parts, *which):
    """The directions' constants `which` in each other's place."""
    return [[parts[1 - d][i] if i in which else parts[d][i] for i in range(4)] for d in range(2)]


@pytest.mark.parametrize("which", [(), (0,), (1,)], ids=["right", "of the inputs", "of the state"])
def test_two_directions(tmp_path, which):
    parts = halves(1)
    wrong = exchanged(parts, *which)
    log_parts(tmp_path / "edge.mcap", "onnxruntime", wrong, both_ways, [to_onnx(wrong)])
    log_parts(tmp_path / "reference.mcap", "torch", parts, both_ways, torch_node(parts))
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    assert [f["cause"] for f in report.json["findings"]] == (["model.weights"] if which else [])
    assert not which or "weights of 2 of 4" in str(report) and "the other direction's" in str(report)


@pytest.mark.parametrize("changed", [False, True])
def test_layers_in_one_node(tmp_path, changed):
    """A bias of the second layer, which must not take the counterpart of the first one's; no layer was added."""
    parts, wrong = halves(2), halves(2)
    if changed:
        wrong[1][3] = wrong[1][3] + np.linspace(1, 2, 4 * UNITS).astype(np.float32)
    log_parts(tmp_path / "edge.mcap", "onnxruntime", wrong, stacked, [to_onnx(wrong[:1]), to_onnx(wrong[1:])])
    log_parts(tmp_path / "reference.mcap", "torch", parts, stacked, torch_node(parts))
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    assert [f["cause"] for f in report.json["findings"]] == (["model.weights"] if changed else [])
    assert not changed or "biases of 1 of 4" in str(report)


# ---- Keras's LSTM returns its last step; TensorFlow Lite takes that out with a node of its own ---------------------


@pytest.mark.parametrize("noise", [0, 2e-4])
def test_a_last_step_that_is_taken_out(noise, tmp_path):
    random = np.random.default_rng(3)
    runs = [(random.normal(0, 1, (1, 12, 6)).astype(np.float32), random.normal(0, .3, (1, 12, 8)).astype(np.float32)) for _ in range(4)]
    dense = random.normal(0, .4, (8, 3)).astype(np.float32)

    def info(name, *shape, **more):
        return exray.TensorInfo(name, "float32", shape, **more)
    kernel = info("kernel", 8, 3, constant=True)
    lite = exray.Model("net", "litert", "2", "builtin", 1, (info("x", 1, 12, 6), info("steps", 1, 12, 8), info("step", 1, 8), kernel, info("y", 1, 3)),
                       (exray.Node("UNIDIRECTIONAL_SEQUENCE_LSTM", "tfl.lstm", (0,), (1,)), exray.Node("STRIDED_SLICE", "tfl.strided_slice", (1,), (2,)),
                        exray.Node("FULLY_CONNECTED", "y", (2, 3), (4,))), (0,), (4,))
    keras = exray.Model("net", "keras", "3", "", 1, (info("input", 1, 12, 6), info("lstm", 1, 8), kernel, info("dense", 1, 3)),
                        (exray.Node("LSTM", "lstm", (0,), (1,)), exray.Node("Dense", "dense", (1, 2), (3,))), (0,), (3,))
    for role, model, off in (("edge", lite, noise), ("reference", keras, 0)):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="full") as r:
            r.model(model)
            r.constant(3 if role == "edge" else 2, dense, name="kernel")
            for k, (x, h) in enumerate(runs):
                h = h + np.float32(off) * np.random.default_rng(k).normal(0, 1, h.shape).astype(np.float32)
                with r.frame(source=str(k)):
                    r.input("x", x)
                    layers = [h, h[:, -1], h[:, -1] @ dense] if role == "edge" else [h[:, -1], h[:, -1] @ dense]
                    for node, values in enumerate(layers):
                        r.layer(node, model.nodes[node].name, values)
                    r.output("y", layers[-1])
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", min_coverage=0.8)
    pairs = [(p["edge"]["op"], p["reference"]["op"]) for p in report.json["layers"]]
    assert ("STRIDED_SLICE", "LSTM") in pairs and report.verdict != "inconclusive"
