"""The engine `litert`: every layer is what the classic TensorFlow Lite library computes,
outputs are what ai-edge-litert's own Python interpreter returns."""
import os
import subprocess

import numpy as np
import pytest
import testdata
from pipeline_support import pipeline_text
from tap_support import Log, library, litert, litert_library
from validate_support import BUILD, EXRAY

PIPELINE = pipeline_text("bilinear 224x224 antialias", 127.5, 127.5)
pytestmark = pytest.mark.data
TOOL = BUILD / "tests" / "litert_tool"
NAMES = ["micro_speech_int8", "mobilenet_v1_0.25_224_uint8", "mobilenet_v1_0.25_224_float", "efficientnet_lite0_int8",
         "movie_review_text", "yamnet_float", "ssd_mobilenet_v1_coco_300_uint8", "deeplabv3_257_float"]


def tool(engine, model, out, *inputs, kernels="builtin", threads=1, runs=1, lib=None, status=0, env=None):
    lib = lib or (litert_library() if engine == "litert" else library())
    command = [TOOL, engine, lib, kernels, threads, model, out, runs, *inputs]
    done = subprocess.run([str(c) for c in command], capture_output=True, timeout=300, env={**os.environ, **(env or {})})
    assert done.returncode == status, (done.returncode, done.stderr.decode())
    return done


def make_inputs(path, folder):
    """Random inputs within what the model's type takes, and the outputs of the Python
    interpreter (XNNPACK) for them."""
    interpreter = litert.Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    rng, files = np.random.default_rng(7), []
    for i, detail in enumerate(interpreter.get_input_details()):
        dtype, shape = detail["dtype"], detail["shape"]
        if dtype == np.float32:
            value = rng.uniform(-1, 1, shape).astype(np.float32)
        elif dtype == np.int32:
            value = rng.integers(0, 100, shape, dtype=np.int32)
        else:
            value = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
        files.append(folder / f"in{i}.bin")
        files[-1].write_bytes(value.tobytes())
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    return files, outputs


def graph(model):
    return [(n.op, n.name, n.subgraph, list(n.inputs), list(n.outputs), dict(n.attributes))
            for n in model.nodes]


@pytest.mark.parametrize("name", NAMES)
def test_builtin_layers_are_those_of_the_classic_library(name, tmp_path):
    model = testdata.model(f"{name}.tflite")
    files, _ = make_inputs(model, tmp_path)
    ours = tool("litert", model, tmp_path / "l.mcap", *files)
    classic = tool("tflite", model, tmp_path / "t.mcap", *files)
    assert ours.stdout == classic.stdout and ours.stdout
    a, b = Log(tmp_path / "l.mcap"), Log(tmp_path / "t.mcap")
    assert (a.model.engine, a.model.engine_version, a.model.kernels, a.model.threads) == ("litert", "2.3.0", "builtin", 1)
    assert graph(a.model) == graph(b.model)
    assert [t.name for t in a.model.tensors][: len(b.model.tensors)] == [t.name for t in b.model.tensors]
    assert a.model.sha256 == b.model.sha256 and list(a.model.outputs) == list(b.model.outputs)
    for kind in ("input", "layer", "output", "constant"):
        left, right = dict(keyed(a, kind)), dict(keyed(b, kind))
        assert left.keys() == right.keys() and (left or kind == "constant")
        for key, record in left.items():
            assert record.data == right[key].data, (kind, key)
            if kind != "constant":
                assert a.value(record).shape == b.value(right[key]).shape
    assert "exray.exposed_differs" not in a.metadata and "exray.unobserved" not in a.metadata
    times = {n for n in a.latency[0].node}
    assert times == set(range(len(a.model.nodes))) and max(a.latency[0].duration_ns) > 0
    assert 0 < sum(a.latency[0].duration_ns) <= a.frames[0].inference_ns


def keyed(log, kind):
    for name, record in log.records.get(kind, []):
        yield (name, record.frame), record


@pytest.mark.parametrize("kernels", ["default", "xnnpack"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_the_python_interpreter(name, kernels, tmp_path):
    model = testdata.model(f"{name}.tflite")
    files, expected = make_inputs(model, tmp_path)
    wanted = b"".join(np.ascontiguousarray(e).tobytes() for e in expected)
    assert tool("litert", model, "-", *files, kernels=kernels).stdout == wanted
    assert tool("litert", model, tmp_path / "l.mcap", *files, kernels=kernels, runs=2).stdout == wanted
    log = Log(tmp_path / "l.mcap")
    assert log.model.kernels == "xnnpack" and len(log.frames) == 2
    assert b"".join(r.data for _, r in log.records["output"] if r.frame == 1) == wanted
    assert "exray.unobserved" not in log.metadata
    assert {node for node, *_ in log.layers(1)} == set(range(len(log.model.nodes)))
    # Every node has a latency but those that XNNPACK does within others.
    timed = set(log.latency[1].node)
    free = {i for i, n in enumerate(log.model.nodes) if n.op in ("RESHAPE", "SQUEEZE", "QUANTIZE", "DEQUANTIZE", "PAD")}
    assert timed <= set(range(len(log.model.nodes))) and set(range(len(log.model.nodes))) - timed <= free
    assert sum(log.latency[1].duration_ns) <= log.frames[1].inference_ns
    assert max(log.latency[1].duration_ns) > 0 or name == "movie_review_text"  # which takes microseconds
    delegation = log.metadata["exray.delegation"]
    assert delegation["delegate"] == "TfLiteXNNPackDelegate" and "matched by kind" in delegation["remark"]


def test_threads(tmp_path):
    model = testdata.model("mobilenet_v1_0.25_224_uint8.tflite")
    files, _ = make_inputs(model, tmp_path)
    one = tool("litert", model, "-", *files, threads=1)
    two = tool("litert", model, tmp_path / "l.mcap", *files, threads=2)
    assert one.stdout == two.stdout and Log(tmp_path / "l.mcap").model.threads == 2


def test_broken_models(tmp_path):
    whole = testdata.model("micro_speech_int8.tflite").read_bytes()
    bad = tmp_path / "bad.tflite"
    for data, words in ((b"", "it is empty"), (b"no model at all", "identifier TFL3"), (whole[:2000], "bad.tflite")):
        bad.write_bytes(data)
        done = tool("litert", bad, "-", status=2).stderr.decode()
        assert words in done and "EXRAY_E_FORMAT" in done, done
    rng = np.random.default_rng(3)
    for _ in range(40):  # damaged at random: refused or run, never worse
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 3):
            data[at] ^= 1 << int(rng.integers(8))
        bad.write_bytes(data)
        command = [str(c) for c in (TOOL, "litert", litert_library(), "builtin", 1, bad, "-", 0)]
        assert subprocess.run(command, capture_output=True, timeout=60).returncode in (0, 2)


def test_wrong_arguments(tmp_path):
    model = testdata.model("micro_speech_int8.tflite")
    text = tool("litert", model, "-", kernels="fast", status=2).stderr.decode()
    assert 'no kernels "fast": use default, xnnpack or builtin' in text
    small = tmp_path / "small.bin"
    small.write_bytes(b"123")
    assert "takes 1960 bytes, given 3" in tool("litert", model, "-", small, status=2, runs=1).stderr.decode()
    assert "is not LiteRT" in tool("litert", model, "-", lib=library(), status=2).stderr.decode()
    assert "cannot load" in tool("litert", model, "-", lib=tmp_path / "none.so", status=2).stderr.decode()


def test_other_versions_are_refused(tmp_path):
    """A library that is none of the known builds, whatever its functions are called."""
    model = testdata.model("micro_speech_int8.tflite")
    other = tmp_path / "libLiteRt.so"
    other.write_bytes(litert_library().read_bytes() + b"\0")
    text = tool("litert", model, "-", lib=other, status=2).stderr.decode()
    assert "no known build of LiteRT 2.3.0" in text and "EXRAY_LITERT_VERSION" in text
    done = tool("litert", model, tmp_path / "l.mcap", lib=other, env={"EXRAY_LITERT_VERSION": "2.3.0"}, runs=0)
    assert Log(tmp_path / "l.mcap").model.engine_version == "2.3.0 (stated)" and done.returncode == 0
    listed = subprocess.run([EXRAY, "engines"], capture_output=True, text=True, env={**os.environ, "EXRAY_LITERT_LIB": str(other)})
    assert "no known build" in listed.stdout + listed.stderr


def test_record_and_validate(tmp_path):
    """Recorded from pictures, with all layers: healthy against the classic library."""
    model = testdata.model("mobilenet_v1_0.25_224_float.tflite")
    pictures = testdata.PICTURES
    (tmp_path / "p.yaml").write_text(PIPELINE)
    env = {**os.environ, "EXRAY_LITERT_LIB": str(litert_library()), "EXRAY_TFLITE_LIB": str(library())}

    def exray(*arguments):
        done = subprocess.run([EXRAY, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=300)
        return done

    for engine, kernels in (("litert", "builtin"), ("litert", "xnnpack"), ("tflite", "builtin")):
        done = exray("record", "--engine", engine, "--kernels", kernels, "--model", model, "--pipeline", tmp_path / "p.yaml",
                     "--data", pictures, "--frames", 3, "--capture", "full", "-o", tmp_path / f"{engine}-{kernels}.mcap")
        assert done.returncode == 0, done.stderr
    for kernels in ("builtin", "xnnpack"):
        done = exray("validate", tmp_path / f"litert-{kernels}.mcap", tmp_path / "tflite-builtin.mcap")
        assert done.returncode == 0, done.stdout + done.stderr
