"""Layers that are wrong are cut out of the reference's model and run on the edge's inputs;
what --repro writes is run by an interpreter that is not ours."""

import subprocess

import numpy as np
import pytest
import testdata
from pipeline_support import pipeline_text
from validate_support import EXRAY, causes, validate

FLOAT = testdata.MODELS / "efficientnet_lite0_float.tflite"
pytestmark = pytest.mark.data
PIPELINE = pipeline_text()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("isolate")
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "bgr.yaml").write_text(PIPELINE.replace("image:", "image:\n  channels: bgr"))
    pictures = testdata.pictures(3)
    (folder / "list.txt").write_text("".join(f"{p}\n" for p in pictures))

    def record(name, capture="full", pipeline="p", options=()):
        out = folder / f"{'-'.join([name, capture, pipeline, *options])}.mcap"
        if not out.exists():
            subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.model(f"efficientnet_lite0_{name}.tflite"),
                            "--pipeline", folder / f"{pipeline}.yaml", "--data", folder / "list.txt", "--capture", capture, "-o", out, *options],
                           check=True, capture_output=True)
        return out

    return record


def isolated(edge, reference, *options):
    return validate(edge, reference, "--engine", "tflite", "--reference-model", FLOAT, *options)


def test_one_layer_is_to_blame(log, tmp_path):
    tf = pytest.importorskip("ai_edge_litert.interpreter")
    report = isolated(log("int8_per_tensor"), log("float"), "--repro", tmp_path / "repro")
    assert causes(report) == ["layer.per_tensor_weights"]
    layers = {layer["edge"]["index"]: layer for layer in report["layers"]}
    assert layers[2]["role"] == "originates" and layers[2]["isolated_error"] > 0.1
    # Those behind it are as wrong, and nearly right by themselves.
    alike = testdata.expected(imagenet=set(), packages={8})  # one more depthwise layer that one scale makes wrong by itself
    assert {i for i in range(3, 20) if layers[i]["role"] == "originates"} == alike
    for i in set(range(3, 20)) - alike:
        assert layers[i]["role"] == "propagates" and layers[i]["isolated_error"] < 0.1 < layers[i]["error_to_signal"]
    # Another interpreter makes of the cut-out model what the reference's engine made of it.
    arrays = {name: dict(np.load(tmp_path / "repro" / f"{name}.npz")) for name in ("inputs", "edge", "reference")}
    interpreter = tf.Interpreter(str(tmp_path / "repro" / "layer.tflite"),
                                 experimental_op_resolver_type=tf.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    (taken,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(taken["index"], next(iter(arrays["inputs"].values())))
    interpreter.invoke()
    reference, edge = (next(iter(arrays[k].values())) for k in ("reference", "edge"))
    np.testing.assert_allclose(interpreter.get_tensor(made["index"]), reference, rtol=1e-5, atol=1e-5)
    assert np.sqrt(np.mean((edge - reference) ** 2)) / reference.std() == pytest.approx(layers[2]["isolated_error"], rel=0.1)
    assert "DEPTHWISE_CONV_2D" in (tmp_path / "repro" / "README.txt").read_text()


def test_a_healthy_pair_runs_nothing(log, tmp_path):
    report = isolated(log("int8"), log("float"), "--repro", tmp_path / "repro")
    assert report["verdict"] == "pass" and not (tmp_path / "repro").exists()
    assert all(layer["isolated_error"] is None for layer in report["layers"])


def test_wrong_inputs_leave_the_layers_innocent(log):
    report = isolated(log("int8_badcal"), log("float"))
    assert report["findings"][0]["cause"] == "input.quantization"
    alone = [layer for layer in report["layers"] if layer["isolated_error"] is not None]
    innocent = [layer for layer in alone if layer["role"] == "propagates"]
    assert len(alone) > 40 and len(innocent) >= 0.9 * len(alone)


@pytest.mark.parametrize("name", ["int8_flatcal", "int8_darkcal"])
def test_want_of_room_is_no_broken_kernel(log, name):
    """Behind a wrong input, too: run alone, and cut off where the type ends, the layer is right."""
    report = isolated(log(name, pipeline="bgr"), log("float"))
    assert causes(report) == ["input.channel_order", "layer.saturation"]
    # Without isolation it cannot be told, and that is said.
    report = validate(log(name, pipeline="bgr"), log("float"))
    assert causes(report) == ["input.channel_order"]
    assert {a["name"]: a["status"] for a in report["assertions"]}["layer.range"] == "unjudged"


def test_an_input_far_from_calibration(log):
    """Steps that fit a usual signal cost more of a weak one."""
    report = isolated(log("int8_badcal"), log("float"))
    assert causes(report)[0] == "input.quantization" and "layer.kernel" not in causes(report)


@pytest.mark.parametrize("side", ["edge", "reference"])
def test_an_input_without_its_values_excuses_the_first_layer(log, side):
    """Means of its channels tell the order; no layer is blamed."""
    options = {"edge": [("--no-io-data",), ()], "reference": [(), ("--no-io-data",)]}[side]
    edge, reference = log("float", pipeline="bgr", options=options[0]), log("float", options=options[1])
    for report in (validate(edge, reference), isolated(edge, reference)):
        assert causes(report) == ["input.channel_order"]


@pytest.mark.parametrize("capture", ["io", "stats", "sketch"])
def test_a_log_without_values_is_said_to_be_one(log, tmp_path, capture):
    """"No layer is wrong by itself" would be a claim that nobody checked."""
    result = subprocess.run([EXRAY, "validate", log("int8_per_tensor", capture), log("float"), "--engine", "tflite",
                             "--reference-model", FLOAT, "--repro", tmp_path / "repro"], capture_output=True, text=True)
    said = " ".join(result.stdout.split())
    assert "wrong by itself" not in said and "no layer was run alone" in said and "--capture full" in said
    assert "nothing was written" in said and not (tmp_path / "repro").exists()


def test_usage(log, tmp_path):
    def run(*options):
        return subprocess.run([EXRAY, "validate", log("int8"), log("float"), *options], capture_output=True, text=True)

    for options in (["--engine", "tflite"], ["--repro", tmp_path / "x"], ["--engine", "nosuch", "--reference-model", FLOAT]):
        result = run(*options)
        assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(FLOAT.read_bytes()[:5000])
    result = run("--engine", "tflite", "--reference-model", broken)
    assert result.returncode == 2 and "broken.tflite" in result.stderr and len(result.stderr.splitlines()) == 1
