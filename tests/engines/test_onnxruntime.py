"""The engine onnxruntime against onnxruntime's own Python interface: outputs, every layer of the
graph that runs, constants; and against TensorFlow Lite's log of the same model."""

import subprocess

import numpy as np
import pytest
import testdata
from log_writer import PB
from mcap.reader import make_reader
from pipeline_support import onnx_pipeline
from validate_support import EXRAY, validate

onnx_log = pytest.importorskip("onnx_log")
ort = pytest.importorskip("onnxruntime")
MODELS = testdata.MODELS
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(b"onnxruntime  not found" in subprocess.run([EXRAY, "engines"], capture_output=True).stdout,
                       reason="ONNX Runtime is not here"),
]
NAMES = ["efficientnet_lite0_float", "efficientnet_lite0_int8", "mobilenet_v2_dogs_float", "mobilenet_v2_dogs_int8",
         "mobilenet_v2_dogs_int8_per_tensor"]
TYPES = {1: np.float32, 5: np.int8, 6: np.uint8, 9: np.int32, 11: np.int64}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ort")
    pictures = testdata.pictures(2)
    (folder / "list.txt").write_text("".join(f"{p}\n" for p in pictures))

    def run(name, kernels="default", capture="full", engine="onnxruntime", suffix="onnx"):
        out = folder / f"{name}-{kernels}-{capture}-{engine}.mcap"
        if not out.exists():
            dogs = "dogs" in name
            pipeline = folder / f"{dogs}.yaml"
            pipeline.write_text(onnx_pipeline("dogs" if dogs else ""))
            subprocess.run([EXRAY, "record", "--engine", engine, "--kernels", kernels, "--capture", capture,
                            "--model", testdata.model(f"{name}.{suffix}"), "--pipeline", pipeline,
                            "--data", folder / "list.txt", "-o", out], check=True, capture_output=True)
        return out

    return run


def contents(log):
    """The model, and of each frame the tensors by topic."""
    model, frames = None, {}
    with open(log, "rb") as f:
        for _, channel, message in make_reader(f).iter_messages():
            if channel.topic == "/model":
                model = PB["Model"].FromString(message.data)
            elif channel.topic.split("/")[1] in ("input", "layer", "output"):
                t = PB["Tensor"].FromString(message.data)
                info = t.info if t.HasField("info") else model.tensors[t.tensor]
                if not t.data:
                    continue
                frames.setdefault(t.frame, {})[channel.topic] = np.frombuffer(t.data, TYPES[info.dtype]).reshape(info.shape)
    return model, frames


def python_session(path, level):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("kernels", ["default", "extended", "none"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_onnxruntimes(record, name, kernels):
    levels = ort.GraphOptimizationLevel
    session = python_session(MODELS / f"{name}.onnx", {"default": levels.ORT_ENABLE_ALL, "none": levels.ORT_DISABLE_ALL,
                                                       "extended": levels.ORT_ENABLE_EXTENDED}[kernels])
    _, frames = contents(record(name, kernels, "io"))
    assert len(frames) == 2
    for tensors in frames.values():
        (given,) = [v for k, v in tensors.items() if k.startswith("/input/")]
        expected = session.run(None, {session.get_inputs()[0].name: given})
        for value, output in zip(expected, session.get_outputs(), strict=True):
            assert np.array_equal(tensors[f"/output/{output.name}"], value)


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_that_of_the_graph_that_runs(record, name, tmp_path):
    model, frames = contents(record(name))
    graph = onnx_log.optimized(MODELS / f"{name}.onnx", tmp_path)
    session = onnx_log.exposed_session(graph)
    names = [o.name for o in session.get_outputs()]
    assert [n.op for n in model.nodes] == [n.op_type for n in graph.graph.node]
    for tensors in frames.values():
        (given,) = [v for k, v in tensors.items() if k.startswith("/input/")]
        expected = dict(zip(names, session.run(names, {session.get_inputs()[0].name: given}), strict=True))
        seen = 0
        for i, node in enumerate(graph.graph.node):
            for k, output in enumerate(node.output):
                if output:
                    value = tensors[f"/layer/{i}" if k == 0 else f"/layer/{i}/{k}"]
                    assert np.array_equal(value.reshape(-1), expected[output].reshape(-1)), (i, output)
                    seen += 1
        assert seen == sum(topic.startswith("/layer/") for topic in tensors)


@pytest.mark.parametrize("edge", ["efficientnet_lite0_float", "efficientnet_lite0_int8"])
@pytest.mark.parametrize("reference", ["efficientnet_lite0_float", "efficientnet_lite0_int8"])
def test_against_tensorflow_lite(record, edge, reference):
    report = validate(record(edge, engine="tflite", suffix="tflite"), record(reference), status=0)
    assert report["coverage"]["compared"] + report["coverage"]["fused"] == report["coverage"]["edge_layers"] and report["findings"] == []


def test_the_broken_mobilenet(record, tmp_path):
    """One scale for all channels of the first depthwise layer, and the fix that was named brings it back."""
    reference = record("mobilenet_v2_dogs_float")
    options = ["--engine", "onnxruntime", "--reference-model", MODELS / "mobilenet_v2_dogs_float.onnx"]
    report = validate(record("mobilenet_v2_dogs_int8_per_tensor"), reference, *options, "--repro", tmp_path / "repro",
                      status=1)
    (found,) = report["findings"]
    assert found["cause"] == "layer.per_tensor_weights" and "per channel" in found["fix"]
    worst = {layer["edge"]["index"]: layer for layer in report["layers"]}[found["where"]["layer"]]
    assert "depthwise" in worst["edge"]["name"] and worst["isolated_error"] > 0.5
    assert report["accuracy"]["agreement"] == 0
    # The attachment is small, and another program runs it.
    cut = tmp_path / "repro" / "layer.onnx"
    assert cut.stat().st_size < 10000
    session = python_session(cut, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    given = dict(np.load(tmp_path / "repro" / "inputs.npz"))
    (expected,) = dict(np.load(tmp_path / "repro" / "reference.npz")).values()
    np.testing.assert_allclose(session.run(None, given)[0], expected, rtol=1e-5, atol=1e-5)
    mended = validate(record("mobilenet_v2_dogs_int8"), reference, status=0)
    assert mended["accuracy"]["agreement"] == 1


def test_latencies_are_of_the_logged_nodes(record):
    log = record("efficientnet_lite0_int8", capture="stats")
    model, counts = contents(log)[0], []
    with open(log, "rb") as f:
        for _, _, message in make_reader(f).iter_messages(topics=["/latency"]):
            latency = PB["Latency"].FromString(message.data)
            assert all(n < len(model.nodes) for n in latency.node) and all(latency.duration_ns)
            counts.append(len(latency.node))
    assert min(counts) > 0.9 * len(model.nodes)


def test_refusals(tmp_path):
    def run(*options):
        return subprocess.run([EXRAY, "record", "--engine", "onnxruntime", "--data", testdata.PICTURES, "-o",
                               tmp_path / "x.mcap", *options], capture_output=True, text=True)

    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(onnx_pipeline(""))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((MODELS / f"{NAMES[0]}.onnx").read_bytes()[:100000])
    cases = [(broken, []), (MODELS / "yamnet_float.tflite", []), (MODELS / f"{NAMES[0]}.onnx", ["--kernels", "xnnpack"])]
    for model, options in cases:
        result = run("--model", model, "--pipeline", pipeline, *options)
        assert result.returncode == 2 and len(result.stderr.splitlines()) == 1, result.stderr
        assert not (tmp_path / "x.mcap").exists()
