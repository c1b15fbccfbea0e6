"""layer.kernel where both sides ran one model file by different kernels: TensorFlow Lite's own,
those of the LiteRT Python interpreter written for reference, and ours (tests/faults/kernels),
right or wrong on purpose."""

import os
import subprocess
import sys

import numpy as np
import pytest
import testdata
from log_writer import PB, Log
from mcap.reader import make_reader
from pipeline_support import pipeline_text
from validate_support import EXRAY, ROOT, causes, finding, validate

sys.path.insert(0, str(ROOT / "tests" / "faults"))
places = pytest.importorskip("places")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not places.ENGINE.exists(), reason="TensorFlow Lite is not here"),
]
LITE0, UINT8, FLOAT = "efficientnet_lite0_int8", "mobilenet_v1_0.25_224_uint8", "mobilenet_v1_0.25_224_float"
V2 = "mobilenet_v2_1.0_224_uint8"
PIPELINE = pipeline_text("bilinear 224x224 antialias")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "p.yaml").write_text(PIPELINE)
    pictures = testdata.pictures(2)
    (folder / "list.txt").write_text("".join(f"{p}\n" for p in pictures))

    def run(model, orders=""):
        out = folder / f"{model}-{orders.replace(':', '-')}.mcap"
        if not out.exists():
            environment = places.with_kernels(orders, folder / "report.txt") if orders else {"EXRAY_TFLITE_LIB": str(places.ENGINE)}
            subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.model(f"{model}.tflite"), "--pipeline",
                            folder / "p.yaml", "--data", folder / "list.txt", "-o", out], check=True, capture_output=True,
                           env={**os.environ, **environment})
        return out

    return run


@pytest.fixture(scope="module")
def referenced(record, tmp_path_factory):
    """referenced(model): the log by_reference_kernels makes, once."""
    made, folder = {}, tmp_path_factory.mktemp("reference")

    def make(model):
        if model not in made:
            made[model] = by_reference_kernels(record(model), model, folder / f"{model}.mcap")
        return made[model]

    return make


def by_reference_kernels(log, model, path):
    """The same run by the LiteRT Python interpreter's reference kernels: the log with every layer and
    output replaced by what that interpreter makes of the log's input."""
    tf = pytest.importorskip("ai_edge_litert.interpreter")
    run = tf.Interpreter(str(testdata.model(f"{model}.tflite")), experimental_op_resolver_type=tf.OpResolverType.BUILTIN_REF,
                         experimental_preserve_all_tensors=True)
    run.allocate_tensors()
    into, out = run.get_input_details()[0], Log(path, metadata={"role": "reference", "log_id": "reference"})
    with open(log, "rb") as file:
        messages = [(c.topic, m.data) for _, c, m in make_reader(file).iter_messages()]
    for topic, data in messages:
        if topic == "/model":
            said = PB["Model"].FromString(data)
            said.engine, said.kernels, said.engine_version = "litert", "reference", "python"
            out.add(topic, "Model", said)
        elif topic == "/frame":
            out.add(topic, "Frame", PB["Frame"].FromString(data))
        elif topic.startswith("/constant/"):
            out.add(topic, "Tensor", PB["Tensor"].FromString(data))
        elif topic.startswith("/input/"):
            given = PB["Tensor"].FromString(data)
            run.set_tensor(into["index"], np.frombuffer(given.data, into["dtype"]).reshape(into["shape"]))
            run.invoke()
            out.add(topic, "Tensor", given)
        elif topic.startswith(("/layer/", "/output/")):
            made = PB["Tensor"].FromString(data)
            made.data = run.get_tensor(made.tensor).tobytes()
            out.add(topic, "Tensor", made)
    out.finish()
    return path


@pytest.mark.parametrize("model", [LITE0, UINT8, V2, FLOAT])
def test_right_kernels_differ_by_rounding(record, referenced, model):
    """Builtin, reference and our own: nothing to find, not even with every layer run alone."""
    reference = referenced(model)
    alone = ["--engine", "tflite", "--engine-lib", places.ENGINE, "--reference-model", testdata.model(f"{model}.tflite")]
    for edge in (record(model), record(model, "right")):
        assert causes(validate(edge, reference, *alone, status=0)) == []
    report = validate(record(model, "right"), record(model), *alone, status=0)
    assert report["findings"] == []
    run = [layer for layer in report["layers"] if layer["isolated_error"] is not None]
    assert (len(run) > 10) == (model != FLOAT) and all(layer["role"] == "clean" for layer in run)


@pytest.mark.parametrize("orders,op", [("depthwise:wraps", "DEPTHWISE_CONV_2D"), ("mean:shifts", "MEAN"), ("add:no_offset", "ADD")])
def test_both_kernels_are_named(record, referenced, orders, op):
    edge, reference = record(LITE0, orders), referenced(LITE0)
    alone = ["--engine", "tflite", "--engine-lib", places.ENGINE, "--reference-model", testdata.model(f"{LITE0}.tflite")]
    report = validate(edge, reference, *alone, status=1)
    found = finding(report, "layer.kernel")
    assert f"({op})" in found["summary"] and "edge's builtin kernel differs from the reference's reference kernel" in found["summary"]
    text = "\n".join(found["details"])
    assert "builtin kernels (tflite 2.17.1)" in text and "reference kernels (litert python)" in text and "one of the two is wrong" in text
    assert found["evidence"]["edge_kernels"] == "builtin" and found["evidence"]["reference_kernels"] == "reference"
    assert causes(report) == ["layer.kernel"]


def test_kernels_of_one_name_that_disagree(record):
    report = validate(record(LITE0, "add:no_offset"), record(LITE0), status=1)
    found = finding(report, "layer.kernel")
    first = next(layer for layer in report["layers"] if layer["edge"]["op"] == "ADD")
    assert found["where"]["layer"] == first["edge"]["index"] and "which is right, the logs do not say" in found["summary"]
    assert "Both logs name builtin kernels of tflite 2.17.1, and they disagree" in "\n".join(found["details"])


def test_a_kernel_that_errs_by_less_than_its_network_is_found_alone(record):
    """Some steps in one layer: within what 8 bits may differ by at that depth, beyond what a right kernel may."""
    edge, reference = record(LITE0, "depthwise:wrong_tap:8"), record(LITE0)
    assert causes(validate(edge, reference, status=0)) == []
    report = validate(edge, reference, "--engine", "tflite", "--engine-lib", places.ENGINE,
                      "--reference-model", testdata.model(f"{LITE0}.tflite"), status=1)
    found = finding(report, "layer.kernel")
    nodes = [layer["edge"]["index"] for layer in report["layers"] if layer["edge"]["op"] == "DEPTHWISE_CONV_2D"]
    assert causes(report) == ["layer.kernel"] and found["where"]["layer"] == nodes[8]


def test_rounding_otherwise_is_no_fault(record):
    """An average that is cut off, not rounded, is off by half a step on average."""
    report = validate(record(LITE0, "mean:truncates"), record(LITE0), "--engine", "tflite", "--engine-lib", places.ENGINE,
                      "--reference-model", testdata.model(f"{LITE0}.tflite"), status=0)
    (mean,) = [layer for layer in report["layers"] if layer["edge"]["op"] == "MEAN"]
    assert report["findings"] == [] and mean["isolated_error"] > 0


def test_another_reference_model_is_not_taken_for_the_same(record):
    """The steps of the log's model say nothing of a float model's layers."""
    report = validate(record(LITE0, "right"), record(LITE0), "--engine", "tflite", "--engine-lib", places.ENGINE,
                      "--reference-model", testdata.model("efficientnet_lite0_float.tflite"), status=0)
    assert report["findings"] == [] and all(layer["isolated_error"] is None for layer in report["layers"])


def test_what_wraps_the_engine_says_what_it_is_told_wrongly():
    for orders, why in (("depthwise", "not OP:FAULT[:N]"), ("matmul:wraps", "no such kernel"), ("add:lies", "no such fault")):
        result = subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.model(f"{UINT8}.tflite"), "--pipeline", "/dev/null",
                                 "--data", testdata.PICTURES, "--frames", "1", "-o", "/dev/null"], capture_output=True, text=True,
                                env={**os.environ, **places.with_kernels(orders, "/dev/null")})
        assert result.returncode == 2 and why in result.stderr
