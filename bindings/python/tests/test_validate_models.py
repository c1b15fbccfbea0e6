"""Model files and layers that are run alone, from Python: what the program says, with real models."""

import json

import pytest

import testdata

import exray

PIPELINE = """task: classification
image:
  crop: center 0.875
  resize: bicubic 224x224 antialias
  normalize: {mean: [127, 127, 127], std: [128, 128, 128]}
"""


@pytest.fixture(scope="module")
def lite0(model_file, program, tmp_path_factory):
    """model(name) and log(name, capture) of EfficientNet-Lite0, run by the engine that is installed as a package."""
    pytest.importorskip("ai_edge_litert")
    folder = tmp_path_factory.mktemp("lite0")
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "list.txt").write_text("".join(f"{p}\n" for p in testdata.pictures(3)))

    class Lite0:
        @staticmethod
        def model(name):
            return model_file(f"efficientnet_lite0_{name}.tflite")

        def log(self, name, capture="full"):
            out = folder / f"{name}-{capture}.mcap"
            if not out.exists():
                program("record", "--engine", "litert", "--kernels", "builtin", "--model", self.model(name), "--pipeline",
                        folder / "p.yaml", "--data", folder / "list.txt", "--capture", capture, "-o", out)
            return out

    return Lite0()


def test_weights_of_a_model_file(lite0, program):
    edge, reference = lite0.log("int8_per_tensor", "sketch"), lite0.log("float", "sketch")
    file = lite0.model("int8_per_tensor")
    with exray.open(edge) as log:  # the caller's own log is as it was, and is meant, not its path
        edge.rename(edge.with_suffix(".elsewhere"))
        report = exray.validate(log, reference, edge_model=file)
        again = exray.validate(log, reference)
        edge.with_suffix(".elsewhere").rename(edge)
    assert "layer.per_tensor_weights" in [f.cause for f in report.findings]
    assert "layer.per_tensor_weights" not in [f.cause for f in again.findings]
    wanted = program("validate", edge, reference, "--edge-model", file, "--json", "-", status=1)
    assert report.json == json.loads(wanted)


def test_layers_run_alone(lite0, program, tmp_path):
    edge, reference = lite0.log("int8_per_tensor"), lite0.log("float")
    options = dict(engine="litert", kernels="builtin", reference_model=lite0.model("float"))
    report = exray.validate(edge, reference, repro=tmp_path / "repro", **options)
    alone = [layer for layer in report.json["layers"] if layer["isolated_error"] is not None]
    assert report.findings[0].cause == "layer.per_tensor_weights" and len(alone) > 10
    assert {"README.txt", "layer.tflite", "inputs.npz", "edge.npz", "reference.npz"} == {p.name for p in (tmp_path / "repro").iterdir()}
    wanted = program("validate", edge, reference, "--engine", "litert", "--kernels", "builtin", "--reference-model",
                     lite0.model("float"), "--json", "-", status=1)
    assert report.json == json.loads(wanted)


def test_a_log_without_values_is_told(lite0):
    report = exray.validate(lite0.log("int8_per_tensor", "io"), lite0.log("float"), engine="litert",
                            reference_model=lite0.model("float"))
    assert "no layer was run alone" in report.text


def test_misuse(logs, tmp_path):
    edge, reference, _ = logs
    (tmp_path / "no.tflite").write_bytes(b"nothing")
    for options, error, said in (
            (dict(engine="litert"), exray.ArgumentError, "reference's model file"),
            (dict(repro=tmp_path / "r"), exray.ArgumentError, "engine"),
            (dict(engine="abacus", reference_model="x"), exray.ArgumentError, "no engine 'abacus'"),
            (dict(edge_model=tmp_path / "missing"), exray.FileError, "missing"),
            (dict(reference_model=tmp_path / "no.tflite"), exray.FormatError, "no.tflite"),
            (dict(html="-"), exray.ArgumentError, "html='-'")):
        with pytest.raises(error, match=said) as caught:
            exray.validate(edge, reference, **options)
        assert "\n" not in str(caught.value)
