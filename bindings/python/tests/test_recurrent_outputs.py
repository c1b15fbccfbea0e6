"""Outputs of bidirectional recurrent layers: ONNX has [steps, directions, batch, units], PyTorch [steps, batch, 2 units]."""

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS, INPUTS, UNITS = 5, 6, 7


def weights(op, seed=2):
    random, g = np.random.default_rng(seed), 4 if op == "LSTM" else 3
    shapes = {"W": (2, g * UNITS, INPUTS), "R": (2, g * UNITS, UNITS), "B": (2, 2 * g * UNITS), "dense": (2 * UNITS, 3)}
    return {n: random.normal(0, .4, s).astype(np.float32) for n, s in shapes.items()}


def model(path, op, batch, w):
    more = {"linear_before_reset": 1} if op == "GRU" else {}
    nodes = [helper.make_node(op, ["x", "W", "R", "B"], ["directions"], "rnn", hidden_size=UNITS, direction="bidirectional", **more),
             helper.make_node("Transpose", ["directions"], ["turned"], "turn", perm=[0, 2, 1, 3]),
             helper.make_node("Reshape", ["turned", "shape"], ["beside"], "beside"), helper.make_node("MatMul", ["beside", "dense"], ["y"], "y")]
    constants = [numpy_helper.from_array(v, k) for k, v in w.items()] + [numpy_helper.from_array(np.array([0, 0, -1]), "shape")]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, batch, INPUTS])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [STEPS, batch, 3]),
                               helper.make_tensor_value_info("beside", TensorProto.FLOAT, [STEPS, batch, 2 * UNITS])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def log_torch(path, file, op, batch, feeds, w):
    """The same as PyTorch's module has it; what it computes is what ONNX Runtime does."""
    order = {"LSTM": ("iofc", "ifco"), "GRU": ("zrh", "rzh")}[op]
    names, arrays = [], []
    for d, suffix in enumerate(("", "_reverse")):
        def stacked(a):
            gates = dict(zip(order[0], np.split(a, len(order[0]))))
            return np.concatenate([gates[g] for g in order[1]])
        halves = np.split(w["B"][d], 2)
        for n, a in (("weight_ih", w["W"][d]), ("weight_hh", w["R"][d]), ("bias_ih", halves[0]), ("bias_hh", halves[1])):
            names.append(f"rnn.{n}_l0{suffix}")
            arrays.append(stacked(a))
    tensors = [exray.TensorInfo("x", "float32", (STEPS, batch, INPUTS)), *(exray.TensorInfo(n, "float32", a.shape, constant=True) for n, a in zip(names, arrays)),
               exray.TensorInfo("rnn", "float32", (STEPS, batch, 2 * UNITS)), exray.TensorInfo("dense.weight", "float32", (3, 2 * UNITS), constant=True),
               exray.TensorInfo("dense", "float32", (STEPS, batch, 3))]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    with exray.Recorder(path, role="reference", capture="full") as r:
        r.model(exray.Model("net", "torch", "2", "eager", 1, tuple(tensors),
                            (exray.Node(op, "rnn", tuple(range(9)), (9,)), exray.Node("Linear", "dense", (9, 10), (11,))), (0,), (11,)))
        for i, a in enumerate([*arrays]):
            r.constant(1 + i, a, name=names[i])
        r.constant(10, w["dense"].T.copy(), name="dense.weight")
        for i, x in enumerate(feeds):
            y, beside = session.run(["y", "beside"], {"x": x})
            with r.frame(source=str(i)):
                r.input("x", x)
                r.layer(0, "rnn", beside)
                r.layer(1, "dense", y)
                r.output("y", y)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("op", ["LSTM", "GRU"])
def test_both_directions_are_compared(tmp_path, op, batch):
    feeds = [np.random.default_rng(i).normal(0, 1, (STEPS, batch, INPUTS)).astype(np.float32) for i in range(3)]
    right = weights(op)
    log_torch(tmp_path / "reference.mcap", model(tmp_path / "right.onnx", op, batch, right), op, batch, feeds, right)
    wrong = {**right, "R": right["R"].copy()}
    wrong["R"][1] += np.random.default_rng(8).normal(0, .3, wrong["R"][1].shape).astype(np.float32)
    for w in (right, wrong):
        with exray.Recorder(tmp_path / "edge.mcap", role="edge", capture="full") as r:
            session = exray.onnx.Session(model(tmp_path / "m.onnx", op, batch, w), r, kernels="none")
            for i, x in enumerate(feeds):
                with r.frame(source=str(i)):
                    session.run(["y"], {"x": x})
        report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
        errors = [f["cause"] for f in report.json["findings"] if f["severity"] == "error"]
        assert errors == ([] if w is right else ["model.weights"]), report.json["findings"]
        if w is right:
            assert report.verdict == "pass" and report.json["coverage"]["compared"] == 2 == report.json["coverage"]["reference_layers"]


def test_outputs_that_a_node_leaves_out(tmp_path):
    """As decoders' exporters write normalizations of a sum: the mean and the deviation between its outputs are left out."""
    random, ms = np.random.default_rng(3), "com.microsoft"
    nodes = [helper.make_node("SkipLayerNormalization", ["x", "t", "scale", "bias"], ["normed", "", "", "sum"], "skip", domain=ms, epsilon=1e-5),
             helper.make_node("LSTM", ["normed", "W", "R"], ["", "h"], "rnn", hidden_size=UNITS),
             helper.make_node("MatMul", ["sum", "dense"], ["y"], "y")]
    shapes = {"W": (1, 4 * UNITS, INPUTS), "R": (1, 4 * UNITS, UNITS), "dense": (INPUTS, 3), "scale": (INPUTS,), "bias": (INPUTS,)}
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(n, TensorProto.FLOAT, [STEPS, 1, INPUTS]) for n in "xt"],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("y", "h")],
                              [numpy_helper.from_array(random.normal(0, .4, s).astype(np.float32), n) for n, s in shapes.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(ms, 1)], ir_version=8), tmp_path / "m.onnx")
    feed = {n: random.normal(size=(STEPS, 1, INPUTS)).astype(np.float32) for n in "xt"}
    for role in ("edge", "reference"):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="full") as r:
            exray.onnx.tap(tmp_path / "m.onnx", r).run(None, feed)
    with exray.open(tmp_path / "edge.mcap") as log:
        made = {n.name: n.outputs for n in log.model.nodes}
        assert [o is None for o in made["skip"]] == [False, True, True, False] and made["rnn"][0] is None
        assert {t.name for t in log[0].layers.values()} == {"normed", "sum", "h", "y"}
        assert log.model.node_name(next(i for i, n in enumerate(log.model.nodes) if n.op == "LSTM")) == "rnn"
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    assert report.verdict == "pass" and report.json["coverage"]["compared"] == 4
