"""Latency and memory causes end to end: TensorFlow Lite runs an application whose kernels
are slow, whose delegate takes a part, or which keeps memory; `exray validate` says so."""

import sys

import numpy as np
import pytest
import testdata
from tap_support import schema, tap_run
from validate_support import ROOT, causes, finding, validate

sys.path.insert(0, str(ROOT / "tests" / "faults"))
import model_files  # noqa: E402

pytestmark = [pytest.mark.data, pytest.mark.alone]
MOBILENET = testdata.MODELS / "mobilenet_v1_0.25_224_float.tflite"
DEPTHWISE, CUSTOM = schema.BuiltinOperator.DEPTHWISE_CONV_2D, schema.BuiltinOperator.CUSTOM


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / "x.bin"
    np.random.default_rng(1).uniform(-1, 1, (3, 224, 224, 3)).astype(np.float32).tofile(path)
    return path


def run(out, picture, *options, model=MOBILENET, runs=20):
    tap_run(testdata.need(model), "--input", picture, "--runs", runs, "--log", out, *options)
    return out


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, picture):
    return run(tmp_path_factory.mktemp("healthy") / "r.mcap", picture)


def all_depthwise_custom(out):
    """The model with every depthwise convolution as the custom operator DepthwiseConv2D."""
    model = model_files.read(MOBILENET)
    for i, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == DEPTHWISE:
            index = i
            code.builtinCode = code.deprecatedBuiltinCode = CUSTOM
            code.customCode, code.version = "DepthwiseConv2D", 1
    for op in model.subgraphs[0].operators:
        if op.opcodeIndex == index:
            o = op.builtinOptions
            same = 1 if o.padding == schema.Padding.SAME else 2
            values = [same, o.strideW, o.strideH, o.depthMultiplier, o.fusedActivationFunction, o.dilationWFactor, o.dilationHFactor]
            op.customOptions = np.frombuffer(np.array(values, np.int32).tobytes(), np.uint8)
            op.builtinOptions, op.builtinOptionsType = None, schema.BuiltinOptions.NONE
    model_files.write(model, out)
    return out


@pytest.mark.parametrize("custom", [False, True], ids=["builtin overridden", "custom operator"])
def test_slow_kernels_are_the_reason(tmp_path, picture, healthy, custom):
    model = all_depthwise_custom(tmp_path / "own.tflite") if custom else MOBILENET
    slow = run(tmp_path / "e.mcap", picture, "--slow", "1", model=model)
    verdict = validate(slow, healthy, status=0)
    assert [c for c in causes(verdict) if c != "model.version"] == ["perf.straggler"]
    found = finding(verdict, "perf.straggler")
    name = "DepthwiseConv2D" if custom else "DEPTHWISE_CONV_2D"
    assert found["summary"].startswith(f"All 13 {name} layers are slow") and found["evidence"]["slow_layers"] == 13
    # Drawn weights run faster beside the same slow kernel than trained ones.
    assert 10 < found["evidence"]["ratio"] < testdata.expected(imagenet=500, packages=2000) and found["evidence"]["edge_share"] > 0.8
    assert found["evidence"]["uniform_ratio"] < 2.5
    assert "perf.straggler" not in causes(validate(healthy, slow))


def test_a_delegate_that_leaves_layers_out(tmp_path, picture):
    """XNNPACK takes no custom operator: 13 of them cut the model into parts."""
    model = all_depthwise_custom(tmp_path / "own.tflite")
    cut = run(tmp_path / "e.mcap", picture, "--slow", "1", "--kernels", "xnnpack", model=model)
    whole = run(tmp_path / "r.mcap", picture, "--kernels", "xnnpack")
    found = finding(validate(cut, whole, "--min-coverage", "0"), "perf.fallback")
    assert found["evidence"]["partitions"] >= 13 and found["evidence"]["left_layers"] >= 13
    assert found["evidence"]["left_share"] > 0.5 and "DepthwiseConv2D" in found["summary"]
    assert found["evidence"]["reference_partitions"] == 2 and found["evidence"]["times_slower"] > 1.5
    activations = sum(np.prod(shape) * 4 for shape in depthwise_tensors())
    assert 0.9 * activations <= found["evidence"]["boundary_bytes"] <= 1.2 * activations
    again = run(tmp_path / "a.mcap", picture, "--slow", "1", "--kernels", "xnnpack", model=model)
    assert "perf.fallback" not in causes(validate(cut, again, "--min-coverage", "0"))
    assert "perf.fallback" not in causes(validate(whole, cut, "--min-coverage", "0"))


def depthwise_tensors():
    """Shapes of what goes in and out of the model's depthwise convolutions."""
    model = model_files.read(MOBILENET)
    graph = model.subgraphs[0]
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == DEPTHWISE:
            yield graph.tensors[op.inputs[0]].shape
            yield graph.tensors[op.outputs[0]].shape


@pytest.mark.parametrize("options,grows", [(["--leak", "400000"], True), (["--capture", "full"], False)], ids=["leak", "full capture"])
def test_memory_of_a_real_process(tmp_path, picture, options, grows):
    log = run(tmp_path / "e.mcap", picture, *options, runs=60)
    assert ("perf.memory_growth" in causes(validate(log, log))) == grows
