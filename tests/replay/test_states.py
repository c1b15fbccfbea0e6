"""`exray record` and `replay` of models with a memory: it is reset where a recording begins, and where the application
reset it (/event, kind reset); in the model's inputs (`state` of the pipeline) and in its own variables."""

import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from log_writer import PB  # noqa: E402
from replayed import arrays, run  # noqa: E402
from small_tflite import TfliteModel  # noqa: E402
from stateful_models import Handle, Variable, handle, looped, looped_states, variable  # noqa: E402
from validate_support import Recording  # noqa: E402

WINDOWS = ["a.wav@0", "a.wav@160", "a.wav@320", "b.wav@0", "b.wav@160", "b.wav@0"]  # recordings begin at 3 and 5
FRAMES = [f"frame{i}" for i in range(6)]
STATE = "state: {h: h_out}\n"


def resets(log):
    return [e["frame"] for e in json.loads(run("info", log, "--json", "-")).get("events", []) if e["kind"] == "reset"]


def edge(path, sources, events=(), first=0):
    """A log of inputs; the application reset its model before the frames of `events`."""
    inputs = np.random.default_rng(6).normal(0, 1, (len(sources), 1, 8)).astype(np.float32)
    with Recording(path) as recording:
        for e in events:
            recording.add("/event", "Event", PB["Event"](kind="reset", text="a button", frame=e))
        for k, (x, source) in enumerate(zip(inputs, sources)):
            recording.count = first + k
            recording.frame([("/input/x", x, {})], source=source)
    return inputs


CASES = [(WINDOWS, (), (3, 5)), (FRAMES, (), ()), (FRAMES, (2,), (2,)), (WINDOWS, (1,), (1, 3, 5)), (["a@b"] * 6, (), ())]
cases = pytest.mark.parametrize("sources, events, anew", CASES, ids=["files", "frames", "event", "both", "no sample"])


@cases
@pytest.mark.parametrize("engine, kernels, capture, make, Truth", [
    ("tflite", "builtin", "io", variable, Variable), ("tflite", "builtin", "full", variable, Variable),
    ("tflite", "xnnpack", "full", handle, Handle), ("litert", "default", "io", handle, Handle),
    ("litert", "default", "full", handle, Handle)])
def test_variables(tmp_path, sources, events, anew, engine, kernels, capture, make, Truth):
    inputs, model, outputs = edge(tmp_path / "a.mcap", sources, events), make(tmp_path / "m.tflite"), []
    run("replay", "-q", tmp_path / "a.mcap", "--engine", engine, "--model", model, "--from", "input", "--kernels", kernels,
        "--capture", capture, "-o", tmp_path / "b.mcap")
    frames = arrays(tmp_path / "b.mcap")
    for k, x in enumerate(inputs):
        truth = Truth() if k == 0 or k in anew else truth
        outputs.append(truth(x))
    np.testing.assert_allclose([f["output/y"] for f in frames], outputs, atol=1e-5)
    assert resets(tmp_path / "b.mcap") == list(anew)
    if capture == "full":
        last = [k for k in frames[0] if k.startswith("layer/")][-1]
        np.testing.assert_array_equal([f[last] for f in frames], [f["output/y"] for f in frames])


@cases
def test_inputs_that_are_states(tmp_path, sources, events, anew):
    inputs, model = edge(tmp_path / "a.mcap", sources, events), looped(tmp_path / "m.onnx")
    (tmp_path / "p.yaml").write_text(STATE)
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", model, "--from", "input",
        "--pipeline", tmp_path / "p.yaml", "-o", tmp_path / "b.mcap")
    frames = arrays(tmp_path / "b.mcap")
    np.testing.assert_allclose([f["input/h"] for f in frames], looped_states(inputs, anew), atol=1e-6)
    assert resets(tmp_path / "b.mcap") == list(anew)


def test_a_reset_before_a_frame_that_the_log_lacks(tmp_path):
    """What begins anew then is the next frame."""
    inputs, model = edge(tmp_path / "a.mcap", FRAMES, (3,), first=4), looped(tmp_path / "m.onnx")
    (tmp_path / "p.yaml").write_text(STATE)
    given = "--engine", "onnxruntime", "--model", model, "--from", "input", "--pipeline", tmp_path / "p.yaml"
    run("replay", "-q", tmp_path / "a.mcap", *given, "-o", tmp_path / "b.mcap")
    np.testing.assert_allclose([f["input/h"] for f in arrays(tmp_path / "b.mcap")], looped_states(inputs, ()), atol=1e-6)


def test_a_model_that_keeps_nothing_has_no_resets(tmp_path):
    edge(tmp_path / "a.mcap", WINDOWS, (1,))
    m = TfliteModel()
    x, y = m.tensor("x", [1, 8]), m.tensor("y", [1, 8])
    m.op("RELU", [x], [y])
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "tflite", "--model", m.save(tmp_path / "m.tflite", [x], [y]), "--from", "input",
        "-o", tmp_path / "b.mcap")
    assert resets(tmp_path / "b.mcap") == []


@pytest.mark.parametrize("text, shape, says", [
    (STATE, (1, 4, 2), ":1: state: the input 'h' is float32 [1,8], but the output 'h_out' is float32 [1,4,2]"),
    ("state: {h: h_out}\ninputs: {h: {constant: 0}}\n", (1, 8), ":1: state: the input 'h' is under inputs, too"),
    ("state: {h: y}\n", (1, 8), "state: the input 'h' is float32 [1,8], but its output 'y' is float32 [1,1] after a run"),
])
def test_a_state_that_does_not_fit(tmp_path, text, shape, says):
    edge(tmp_path / "a.mcap", FRAMES)
    (tmp_path / "p.yaml").write_text(text)
    said = run("replay", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", looped(tmp_path / "m.onnx", shape), "--from", "input",
               "--pipeline", tmp_path / "p.yaml", "-o", tmp_path / "b.mcap", status=2)
    assert says in said and len([line for line in said.splitlines() if "warning" not in line]) == 1


def test_integers_that_were_recorded_without_a_scale_are_fed_as_they_are(tmp_path):
    """A model of 8 bits returns the very bytes that it was given."""
    m = TfliteModel()
    x, y = m.tensor("x", [1, 8]), m.tensor("y", [1, 8])
    for t in (x, y):
        m.graph.tensors[t].type = m.schema.TensorType.INT8
        m.graph.tensors[t].quantization = m.schema.QuantizationParametersT()
        m.graph.tensors[t].quantization.scale, m.graph.tensors[t].quantization.zeroPoint = [0.1], [-128]
    m.op("RESHAPE", [x, m.tensor("shape", data=np.array([1, 8], np.int32))], [y], "Reshape", newShape=[1, 8])
    model, inputs = m.save(tmp_path / "m.tflite", [x], [y]), np.arange(-128, 127, 5, np.int8)[:48].reshape(6, 1, 8)
    with Recording(tmp_path / "a.mcap") as recording:
        for k, values in enumerate(inputs):
            recording.frame([("/input/x", values, {})], source=f"frame{k}")
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "tflite", "--model", model, "--from", "input", "-o", tmp_path / "b.mcap")
    np.testing.assert_array_equal([f["output/y"] for f in arrays(tmp_path / "b.mcap")], inputs)
