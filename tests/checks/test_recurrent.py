"""Conversions of models with memory and with branches: what is healthy of 8 and 16 bits, and what is not."""

import logging
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log
from validate_support import EXRAY, finding, validate

onnx = pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
logging.disable(logging.WARNING)
FLOAT = onnx.TensorProto.FLOAT


class Net:
    """Nodes and weights by name; weights are random by their name."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def const(self, name, value, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def weight(self, name, *shape, scale=0.3):
        return self.const(name, np.random.default_rng([1, *name.encode()]).normal(0, scale, shape))

    def __call__(self, op, *inputs, to, **attributes):
        self.nodes.append(helper.make_node(op, list(inputs), [to] if isinstance(to, str) else to, name=to if isinstance(to, str) else to[0], **attributes))
        return to

    def save(self, path, inputs, outputs):
        def info(ports):
            return [helper.make_tensor_value_info(n, FLOAT, s) for n, s in ports.items()]
        graph = helper.make_graph(self.nodes, "g", info(inputs), info(outputs), self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        return path


def normal(shape, count=4):
    return [np.random.default_rng(k).normal(0, 1, shape).astype(np.float32) for k in range(count)]


def replay(model, frames, folder, role, kernels="default"):
    """A log of all layers of a model whose one input is x."""
    inputs, out = folder / f"{role}.inputs.mcap", folder / f"{role}.mcap"
    log = Log(inputs, metadata={"role": "edge", "log_id": "inputs"})
    for index, array in enumerate(frames):
        log.tensor("/input/x", array, frame=index)
        log.add("/frame", "Frame", PB["Frame"](index=index, source=f"frame{index}", begin_ns=log.time, end_ns=log.time + 10))
    log.finish()
    done = subprocess.run([EXRAY, "replay", inputs, "--from", "input", "--engine", "onnxruntime", "--model", model, "--kernels", kernels,
                           "--capture", "full", "-o", out], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return out


def judged(edge, reference, frames, folder, kernels="default"):
    return validate(replay(edge, frames, folder, "edge", kernels), replay(reference, frames, folder, "reference", kernels))


def told(report):
    return [f["cause"] for f in report["findings"] if f["severity"] != "info" and not f["cause"].startswith("perf.")]


def dynamic(source, path):
    quantization.quantize_dynamic(source, path, weight_type=quantization.QuantType.QInt8)
    return path


# ---- 8 bits over the range of each run ----


def convolutions(path, uneven):
    """Two convolutions of sound; uneven: the second one's channels have weights of very different sizes."""
    n = Net()
    n("Relu", n("Conv", "x", n.weight("w1", 16, 8, 3), n.weight("b1", 16), to="conv1", pads=[1, 1]), to="relu1")
    w = np.random.default_rng(3).normal(0, 0.3, (16, 16, 3))
    w *= np.where(np.arange(16) % 4, 0.01, 1.0)[:, None, None] if uneven else 1
    n("Relu", n("Conv", "relu1", n.const("w2", w), n.const("b2", np.zeros(16)), to="conv2", pads=[1, 1]), to="relu2")
    g = 1 / np.where(np.arange(16) % 4, 0.01, 1.0)[:, None] if uneven else np.ones((16, 1))
    n("Mul", "relu2", n.const("gain", g), to="level")
    n("Conv", "level", n.weight("w3", 4, 16, 3), to="y", pads=[1, 1])
    return n.save(path, {"x": [1, 8, 20]}, {"y": [1, 4, 20]})


def test_one_scale_for_uneven_channels_of_an_integer_convolution(tmp_path):
    right = convolutions(tmp_path / "right.onnx", uneven=True)
    report = judged(dynamic(right, tmp_path / "q.onnx"), right, normal((1, 8, 20)), tmp_path)
    found = finding(report, "layer.per_tensor_weights")
    assert told(report) == ["layer.per_tensor_weights"] and "relu2" in found["summary"]
    assert found["evidence"]["channels_lost"] == 12


def test_even_channels_of_an_integer_convolution(tmp_path):
    right = convolutions(tmp_path / "right.onnx", uneven=False)
    assert told(judged(dynamic(right, tmp_path / "q.onnx"), right, normal((1, 8, 20)), tmp_path)) == []


# ---- Branches ----


def branch(path):
    """A branch whose arm runs an LSTM on what was made outside of it, by the length of the input; two constants go in."""
    n = Net()
    n("MatMul", "x", n.weight("w", 12, 16), to="mm")
    n("Relu", n("Add", "mm", n.weight("b", 16), to="sum"), to="features")
    shape = n("Shape", "features", to="shape")
    n("Gather", shape, n.const("first", 1, np.int64), to="length")
    n("Equal", "length", n.const("eight", 8, np.int64), to="is_eight")
    W, R, B = n.weight("W", 1, 64, 16), n.weight("R", 1, 64, 16), n.weight("B", 1, 128, scale=0.1)
    axes, squeezed = n.const("axes", [1], np.int64), n.const("order", [1], np.int64)
    turn = helper.make_node("Transpose", ["features"], ["time"], name="time", perm=[1, 0, 2])
    lstm = helper.make_node("LSTM", ["time", W, R, B], ["steps", "h", "c"], name="lstm", hidden_size=16)
    arm = helper.make_graph([turn, lstm, helper.make_node("Squeeze", ["steps", axes], ["then_out"], name="squeeze")], "then", [],
                            [helper.make_tensor_value_info("then_out", FLOAT, [8, 1, 16])])
    other = helper.make_graph([helper.make_node("Transpose", ["features"], ["time2"], name="time2", perm=[1, 0, 2]),
                               helper.make_node("Unsqueeze", ["time2", squeezed], ["wide"], name="wide"),
                               helper.make_node("Squeeze", ["wide", axes], ["else_out"], name="narrow")], "else", [],
                              [helper.make_tensor_value_info("else_out", FLOAT, [8, 1, 16])])
    n("If", "is_eight", to="branch", then_branch=arm, else_branch=other)
    n("MatMul", "branch", n.weight("out", 16, 3), to="y")
    return n.save(path, {"x": [1, 8, 12]}, {"y": [8, 1, 3]})


@pytest.mark.parametrize("kernels", ["none", "default"])
def test_a_branch_behind_8_bits(kernels, tmp_path):
    right = branch(tmp_path / "right.onnx")
    quantized = dynamic(right, tmp_path / "q.onnx")
    assert told(judged(quantized, right, normal((1, 8, 12)), tmp_path, kernels)) == []


def test_a_branch_that_stands_before_what_it_reads(tmp_path):
    right = branch(tmp_path / "right.onnx")
    model = onnx.load(dynamic(right, tmp_path / "q.onnx"))
    nodes = list(model.graph.node)
    early = [i for i in nodes if i.op_type == "If"]
    del model.graph.node[:]
    model.graph.node.extend(early + [i for i in nodes if i.op_type != "If"])
    onnx.save(model, tmp_path / "unsorted.onnx")
    report = judged(tmp_path / "unsorted.onnx", right, normal((1, 8, 12)), tmp_path, "none")
    assert told(report) == []
    places = {pair["edge"]["op"]: pair["edge"]["index"] for pair in report["layers"]}
    assert places["If"] > places["Relu"]


# ---- Weights of 16 bits, stored in 32 ----


def lstm(path, change=lambda name, w: w, lengths="", softmax=False, **attributes):
    n = Net()
    for name, shape in (("W", (1, 96, 10)), ("R", (1, 96, 24)), ("B", (1, 192))):
        n.const(name, change(name, np.random.default_rng([5, *name.encode()]).normal(0, 0.3, shape).astype(np.float32)))
    if lengths:
        n.const("lengths", lengths, np.int32)
    n("LSTM", "x", "W", "R", "B", *(["lengths"] if lengths else []), to=["steps", "h", "c"], hidden_size=24, **attributes)
    n("Squeeze", "h", n.const("axes", [0], np.int64), to="last")
    n("MatMul", "last", n.weight("out", 24, 4), to="logits" if softmax else "y")
    if softmax:
        n("Softmax", "logits", to="y")
    return n.save(path, {"x": [30, 1, 10]}, {"y": [1, 4]})


def brain(w):
    return ((w.view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)


def half(w):
    return w.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("rounded", [brain, half])
def test_weights_that_fit_16_bits(rounded, tmp_path):
    right, edge = lstm(tmp_path / "right.onnx"), lstm(tmp_path / "edge.onnx", lambda name, w: rounded(w))
    assert told(judged(edge, right, normal((30, 1, 10)), tmp_path)) == []


def test_weights_of_16_bits_whose_gates_are_exchanged(tmp_path):
    def exchanged(name, w):
        return brain(np.roll(w, 24, 1)) if name != "B" else brain(w)

    right, edge = lstm(tmp_path / "right.onnx"), lstm(tmp_path / "edge.onnx", exchanged)
    assert told(judged(edge, right, normal((30, 1, 10)), tmp_path))[0] in ("model.weights", "model.version")


def both_ways(path, turned=False):
    """An LSTM in both directions and enough other layers that those with equal weights, moved by nothing, are the most."""
    n = Net()
    for name, shape in (("W", (2, 96, 10)), ("R", (2, 96, 24)), ("B", (2, 192))):
        w = np.random.default_rng([5, *name.encode()]).normal(0, 0.3, shape)
        n.const(name, w[::-1] if turned else w)
    n("LSTM", "x", "W", "R", "B", to=["steps", "h", "c"], hidden_size=24, direction="bidirectional")
    x = "h"
    for i in range(8):
        x = n("Tanh", n("MatMul", x, n.weight(f"w{i}", 24, 24), to=f"m{i}"), to="y" if i == 7 else f"t{i}")
    return n.save(path, {"x": [30, 1, 10]}, {"y": [2, 1, 24]})


@pytest.mark.parametrize("turned", [False, True])
def test_directions_that_are_exchanged_are_no_other_version(turned, tmp_path):
    report = judged(both_ways(tmp_path / "edge.onnx", turned), both_ways(tmp_path / "right.onnx"), normal((30, 1, 10)), tmp_path)
    assert told(report) == (["model.weights"] if turned else [])


def gru(path, behind, swapped=False):
    """Both biases are added up, but where the state is reset behind the product."""
    n = Net()
    for name, shape in (("W", (1, 72, 10)), ("R", (1, 72, 24)), ("B", (1, 144))):
        w = np.random.default_rng([6, *name.encode()]).normal(0, 0.3, shape)
        n.const(name, np.roll(w, 72, 1) if swapped and name == "B" else w)
    n("GRU", "x", "W", "R", "B", to=["steps", "h"], hidden_size=24, linear_before_reset=behind)
    n("Tanh", n("MatMul", "h", n.weight("w", 24, 24), to="m"), to="y")
    return n.save(path, {"x": [30, 1, 10]}, {"y": [1, 1, 24]})


@pytest.mark.parametrize("behind,swapped", [(1, True), (0, True), (1, False)])
def test_biases_of_inputs_and_state_that_are_exchanged(behind, swapped, tmp_path):
    report = judged(gru(tmp_path / "edge.onnx", behind, swapped), gru(tmp_path / "right.onnx", behind), normal((30, 1, 10)), tmp_path)
    assert told(report) == (["model.weights"] if behind and swapped else [])


# ---- What a recurrent operator is told ----


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("told_otherwise", [{"direction": "reverse"}, {"clip": 0.3}, {"lengths": [20]}, {"activations": ["Sigmoid", "Relu", "Tanh"]}],
                         ids=lambda d: next(iter(d)))
def test_another_attribute_of_an_lstm(told_otherwise, quantized, tmp_path):
    right, edge = lstm(tmp_path / "right.onnx"), lstm(tmp_path / "edge.onnx", **told_otherwise)
    report = judged(dynamic(edge, tmp_path / "q.onnx") if quantized else edge, right, normal((30, 1, 10)), tmp_path)
    assert told(report) == ["model.operator"]
    attribute = {"lengths": "sequence_lens"}.get(next(iter(told_otherwise)), next(iter(told_otherwise)))
    assert finding(report, "model.operator")["evidence"]["attribute"] == attribute


def test_defaults_that_are_written_out(tmp_path):
    right = lstm(tmp_path / "right.onnx")
    edge = lstm(tmp_path / "edge.onnx", activations=["Sigmoid", "Tanh", "Tanh"], direction="forward", input_forget=0)
    assert told(judged(edge, right, normal((30, 1, 10)), tmp_path)) == []


def test_a_softmax_that_the_engine_takes_apart(tmp_path):
    """ONNX Runtime has no kernel of float16 for it on a CPU; the gates are wrong, the model's end is not."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    right = lstm(tmp_path / "right.onnx", softmax=True)
    wrong = lstm(tmp_path / "wrong.onnx", lambda name, w: np.roll(w, 24, 1) if name != "B" else w, softmax=True)
    onnx.save(convert_float_to_float16(onnx.load(wrong), keep_io_types=True), tmp_path / "half.onnx")
    causes = told(judged(tmp_path / "half.onnx", right, normal((30, 1, 10)), tmp_path))
    assert len(causes) == 1 and causes[0] in ("model.weights", "model.version")
