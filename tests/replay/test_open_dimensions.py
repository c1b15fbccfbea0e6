"""`exray record` and `replay` of models with open dimensions and of several inputs: fixed by the data of each frame."""

import json

import numpy as np
import pytest
from PIL import Image

onnx = pytest.importorskip("onnx")

from replayed import arrays, run  # noqa: E402
from small_tflite import TfliteModel  # noqa: E402
from validate_support import Recording  # noqa: E402


def verdict(edge, reference):
    return json.loads(run("validate", edge, reference, "--json", "-"))


def shapes(log, folder, name="input/x"):
    return [f[name].shape for f in arrays(log, folder)]


# ---- Models ------------------------------------------------------------------------------------


def save_onnx(path, nodes, inputs, outputs, constants=()):
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    described = [[helper.make_tensor_value_info(n, kind, s) for n, s in side.items()] for side in (inputs, outputs)]
    graph = helper.make_graph([helper.make_node(op, i, o, name=o[0], **a) for op, i, o, a in nodes], "g", *described,
                              [onnx.numpy_helper.from_array(np.asarray(v, np.float32), n) for n, v in constants])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def weights(*shape):
    return np.random.default_rng(sum(shape)).normal(0, .4, shape)


def onnx_cnn(path):
    return save_onnx(path, [("Conv", ["x", "w", "b"], ["c"], {"kernel_shape": [3, 3], "pads": [1] * 4}),
                            ("Relu", ["c"], ["r"], {}), ("GlobalAveragePool", ["r"], ["p"], {}),
                            ("Flatten", ["p"], ["y"], {})],
                     {"x": ["n", 3, "h", "w"]}, {"y": ["n", 6]}, [("w", weights(6, 3, 3, 3)), ("b", weights(6))])


def tflite_cnn(path, bias=0):
    """CONV_2D, RELU6, MEAN of a picture of any size: its signature has -1."""
    m = TfliteModel()
    x, c = m.tensor("x", [1, 1, 1, 3], signature=[1, -1, -1, 3]), m.tensor("c", [1, 1, 1, 6], signature=[1, -1, -1, 6])
    w, b = m.tensor("w", data=weights(6, 3, 3, 3).astype(np.float32)), m.tensor("b", data=weights(6).astype(np.float32) + np.float32(bias))
    y = m.tensor("y", [1, 6])
    m.op("CONV_2D", [x, w, b], [c], "Conv2D", strideW=1, strideH=1, padding=m.schema.Padding.SAME, dilationWFactor=1,
         dilationHFactor=1, fusedActivationFunction=m.schema.ActivationFunctionType.RELU6)
    m.op("MEAN", [c, m.tensor("axes", data=np.array([1, 2], np.int32))], [y], "Reducer", keepDims=False)
    return m.save(path, [x], [y])


def tflite_memory(path):
    """SVDF: a convolution over the frames, which it keeps in a variable."""
    m = TfliteModel()
    x, y = m.tensor("x", [1, 8]), m.tensor("y", [1, 4])
    m.op("SVDF", [x, m.tensor("feature", data=weights(4, 8).astype(np.float32)),
                  m.tensor("time", data=weights(4, 5).astype(np.float32)), -1, m.tensor("memory", [1, 20], variable=True)],
         [y], "SVDF", rank=1, fusedActivationFunction=m.schema.ActivationFunctionType.NONE)
    return m.save(path, [x], [y])


def several(path):
    """A picture, a scalar, a mask, and a state that halves."""
    return save_onnx(path, [("Mul", ["x", "gain"], ["s"], {}), ("Mul", ["s", "mask"], ["m"], {}),
                            ("GlobalAveragePool", ["m"], ["p"], {}), ("Mul", ["h", "half"], ["k"], {}),
                            ("Add", ["k", "p"], ["h_out"], {}), ("Relu", ["h_out"], ["y"], {})],
                     {"x": [1, 3, "a", "b"], "gain": [], "mask": [1, 1, "a", "b"], "h": [1, 3, 1, 1]},
                     {"y": [1, 3, 1, 1], "h_out": [1, 3, 1, 1]}, [("half", .5)])


MODELS = [("onnxruntime", onnx_cnn, "m.onnx", "nchw"), ("tflite", tflite_cnn, "m.tflite", "nhwc")]
engines = pytest.mark.parametrize("engine, make, name, layout", MODELS, ids=["onnxruntime", "tflite"])


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(5)
    for i, (height, width) in enumerate([(24, 32), (40, 20), (16, 48)]):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


def pipeline(tmp_path, text):
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    return path


NORMALIZE = "  normalize: {mean: 127.5, std: 127.5}\n"


@engines
@pytest.mark.parametrize("capture", ["io", "full"])
def test_a_size_from_the_pipeline(tmp_path, pictures, engine, make, name, layout, capture):
    model, p = make(tmp_path / name), pipeline(tmp_path, "image:\n  resize: bilinear 28x20\n" + NORMALIZE)
    given = "--engine", engine, "--model", model, "--pipeline", p, "--capture", capture
    run("record", "-q", *given, "--data", pictures, "-o", tmp_path / "a.mcap")
    run("replay", "-q", tmp_path / "a.mcap", *given, "-o", tmp_path / "b.mcap")
    assert verdict(tmp_path / "a.mcap", tmp_path / "b.mcap")["verdict"] == "pass"
    want = (1, 3, 20, 28) if layout == "nchw" else (1, 20, 28, 3)
    assert shapes(tmp_path / "b.mcap", tmp_path / "npz") == [want] * 3


@engines
@pytest.mark.parametrize("again", ["sensor", "input"])
def test_a_size_of_each_frame(tmp_path, pictures, engine, make, name, layout, again):
    """The picture's own size, another in each frame; replayed from either record."""
    model, p = make(tmp_path / name), pipeline(tmp_path, "image:\n  resize: none\n" + NORMALIZE)
    given = "--engine", engine, "--model", model, "--capture", "full"
    run("record", "-q", *given, "--pipeline", p, "--data", pictures, "-o", tmp_path / "a.mcap")
    more = ("--pipeline", p) if again == "sensor" else ()
    run("replay", "-q", tmp_path / "a.mcap", *given, "--from", again, *more, "-o", tmp_path / "b.mcap")
    judged = verdict(tmp_path / "a.mcap", tmp_path / "b.mcap")
    assert judged["verdict"] == "pass" and not [f for f in judged["findings"] if f["severity"] == "error"]
    sizes = [(24, 32), (40, 20), (16, 48)]
    want = [(1, 3, *s) if layout == "nchw" else (1, *s, 3) for s in sizes]
    assert shapes(tmp_path / "a.mcap", tmp_path / "npz") == shapes(tmp_path / "b.mcap", tmp_path / "npz2") == want
    pooled = [f["output/y"].shape for f in arrays(tmp_path / "b.mcap", tmp_path / "npz3")]
    assert pooled == [(1, 6)] * 3


def test_the_values_are_the_engine_s_own(tmp_path, pictures):
    runtime = pytest.importorskip("onnxruntime")
    model, p = onnx_cnn(tmp_path / "m.onnx"), pipeline(tmp_path, "image:\n  resize: none\n" + NORMALIZE)
    run("record", "-q", "--engine", "onnxruntime", "--model", model, "--pipeline", p, "--data", pictures,
        "--capture", "io", "-o", tmp_path / "a.mcap")
    session = runtime.InferenceSession(str(model))
    for frame, file in zip(arrays(tmp_path / "a.mcap", tmp_path / "npz"), sorted(pictures.iterdir())):
        x = (np.asarray(Image.open(file), np.float32).transpose(2, 0, 1)[None] - 127.5) / 127.5
        np.testing.assert_allclose(frame["input/x"], x, atol=1e-6)
        np.testing.assert_allclose(frame["output/y"], session.run(None, {"x": x})[0], atol=1e-5)


def test_isolation_of_a_model_with_open_dimensions(tmp_path, pictures):
    """The layer that differs is run alone on inputs of the frames' own sizes."""
    p = pipeline(tmp_path, "image:\n  resize: none\n" + NORMALIZE)
    for role, bias in (("edge", .5), ("reference", 0)):
        run("record", "-q", "--engine", "tflite", "--model", tflite_cnn(tmp_path / f"{role}.tflite", bias), "--pipeline", p,
            "--data", pictures, "--capture", "full", "--role", role, "-o", tmp_path / f"{role}.mcap")
    run("validate", tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--engine", "tflite", "--reference-model",
        tmp_path / "reference.tflite", "--json", tmp_path / "judged.json", status=1)
    layers = json.loads((tmp_path / "judged.json").read_text())["layers"]
    assert layers[0]["isolated_error"] > .1
    assert layers[1]["isolated_error"] is None or layers[1]["isolated_error"] < 1e-4


# ---- Several inputs, and a state -----------------------------------------------------------------

SEVERAL = ("image:\n  resize: none\n  normalize: {mean: 0, std: 255}\ninputs:\n  x: image\n  gain: {constant: 2.5}\n"
           "  mask: {mask_of: x}\nstate:\n  h: h_out\n")


def record_several(tmp_path, pictures, text=SEVERAL, **how):
    model, p = several(tmp_path / "s.onnx"), pipeline(tmp_path, text)
    return run("record", "-q", "--engine", "onnxruntime", "--model", model, "--pipeline", p, "--data", pictures,
               "-o", tmp_path / "a.mcap", **how)


def test_inputs_and_state(tmp_path, pictures):
    record_several(tmp_path, pictures)
    frames = arrays(tmp_path / "a.mcap", tmp_path / "npz")
    state = np.zeros((1, 3, 1, 1))
    for f in frames:
        np.testing.assert_allclose(f["input/h"], state, atol=1e-6)
        np.testing.assert_array_equal(f["state/h"], f["input/h"])
        assert f["input/gain"].shape == () and f["input/gain"] == 2.5
        assert (f["input/mask"] == 1).all() and f["input/mask"].shape[2:] == f["input/x"].shape[2:]
        state = state / 2 + 2.5 * f["input/x"].mean((2, 3), keepdims=True)
        np.testing.assert_allclose(f["output/h_out"], state, atol=1e-5)


def test_several_inputs_are_replayed_as_recorded(tmp_path, pictures):
    record_several(tmp_path, pictures)
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", tmp_path / "s.onnx", "--from", "input",
        "-o", tmp_path / "b.mcap")
    assert verdict(tmp_path / "a.mcap", tmp_path / "b.mcap")["verdict"] == "pass"


def test_a_replayed_state_is_carried_where_the_pipeline_says_so(tmp_path, pictures):
    record_several(tmp_path, pictures, SEVERAL.replace("state:\n  h: h_out\n", "  h: {constant: 0}\n"))
    again = tmp_path / "again.yaml"
    again.write_text("state:\n  h: h_out\n")
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", tmp_path / "s.onnx", "--from", "input",
        "--pipeline", again, "-o", tmp_path / "b.mcap")
    frames = [arrays(tmp_path / f"{log}.mcap", tmp_path / log) for log in "ab"]
    assert all((f["input/h"] == 0).all() for f in frames[0])
    np.testing.assert_array_equal(frames[1][1]["input/h"], frames[1][0]["output/h_out"])


@pytest.mark.parametrize("change, says", [
    (("  gain:", "  gian:"), ":6: inputs: the model has no input 'gian'; it has x, gain, mask, h"),
    (("h: h_out", "h: hidden"), ":9: state: the model has no output 'hidden'; it has y, h_out"),
    (("  h: h_out", "  hh: h_out"), ":9: state: the model has no input 'hh'"),
    (("mask_of: x", "mask_of: z"), ":7: inputs: the model has no input 'z'"),
    (("mask_of: x", "mask_of: mask"), ":7: inputs: 'mask' is a mask itself"),
    (("constant: 2.5", "constant: nan"), ":6: inputs.constant: needs a finite number"),
    (("x: image", "x: picture"), ":5: inputs: takes image"),
    (("  gain: {constant: 2.5}\n", ""), "say in the pipeline what 'gain' gets"),
])
def test_a_key_that_does_not_fit(tmp_path, pictures, change, says):
    assert says in record_several(tmp_path, pictures, SEVERAL.replace(*change), status=2)


def test_an_open_size_that_the_pipeline_leaves_out(tmp_path, pictures):
    model, p = onnx_cnn(tmp_path / "m.onnx"), pipeline(tmp_path, "image:\n" + NORMALIZE)
    said = run("record", "-q", "--engine", "onnxruntime", "--model", model, "--pipeline", p, "--data", pictures,
               "-o", tmp_path / "a.mcap", status=2)
    assert "the model's input has no fixed size; name one" in said


def test_a_record_of_another_rank(tmp_path, pictures):
    """What the model cannot take is said, frame by frame."""
    record_several(tmp_path, pictures)
    other = save_onnx(tmp_path / "o.onnx", [("Relu", ["x"], ["y"], {})], {"x": ["n", "k"]}, {"y": ["n", "k"]})
    said = run("replay", "-q", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", other, "--from", "input",
               "-o", tmp_path / "b.mcap", status=2)
    assert "has no shape that the model's input x takes" in said


# ---- Variables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kernels", ["builtin", "xnnpack"])
def test_variables_are_recorded_as_states(tmp_path, kernels):
    """Before the run: zeros at first, then what the run before left."""
    model = tflite_memory(tmp_path / "m.tflite")
    inputs = np.random.default_rng(6).normal(0, 1, (6, 1, 8)).astype(np.float32)
    with Recording(tmp_path / "a.mcap") as recording:
        for x in inputs:
            recording.frame([("/input/x", x, {})])
    run("replay", "-q", tmp_path / "a.mcap", "--engine", "tflite", "--model", model, "--from", "input", "--kernels", kernels,
        "-o", tmp_path / "b.mcap")
    frames = arrays(tmp_path / "b.mcap", tmp_path / "npz")
    feature, last = weights(4, 8).astype(np.float32), np.zeros((4, 5), np.float32)
    for x, f in zip(inputs, frames):
        if "state/memory" in f or kernels == "builtin":  # a partition at the beginning has run before it can be seen
            np.testing.assert_allclose(f["state/memory"].reshape(4, 5)[:, 1:], last[:, 1:], atol=1e-5)
        last = np.concatenate([last[:, 1:], (feature @ x[0])[:, None]], 1)
