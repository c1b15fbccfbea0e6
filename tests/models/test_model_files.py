"""validate --edge-model, --reference-model: weights that a log has no data of come from the files."""

import json
import subprocess
import sys

import pytest
import testdata
from validate_support import EXRAY, ROOT, causes, finding, validate

sys.path.insert(0, str(ROOT / "tests" / "faults"))
import layer_files  # noqa: E402

MODELS = testdata.MODELS
FLOAT, INT8 = MODELS / "efficientnet_lite0_float.tflite", MODELS / "efficientnet_lite0_int8.tflite"
PER_TENSOR = MODELS / "efficientnet_lite0_int8_per_tensor.tflite"
pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")

    def make(model, capture):
        out = folder / f"{model.stem}-{capture}.mcap"
        if not out.exists():
            subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.need(model), "--pipeline", ROOT / "examples" / "lite0.yaml",
                            "--data", testdata.PICTURES, "--frames", "3", "--capture", capture, "-o", out], check=True, capture_output=True)
        return out

    return make


def test_channels_lost_in_one_scale(record):
    """Sketches alone do not tell a kernel from a scale; with the weights it is named as with all the data."""
    edge, reference = record(PER_TENSOR, "sketch"), record(FLOAT, "sketch")
    assert "layer.per_tensor_weights" not in causes(validate(edge, reference))
    named = finding(validate(edge, reference, "--edge-model", PER_TENSOR), "layer.per_tensor_weights")
    truth = finding(validate(record(PER_TENSOR, "full"), record(FLOAT, "full")), "layer.per_tensor_weights")
    assert named["where"]["layer"] == truth["where"]["layer"] == 2
    for key in ("step", "channel_rms_min", "channel_rms_max", "channels", "channels_lost", "predicted_error"):
        assert named["evidence"][key] == truth["evidence"][key]
    # The step is in the log, what it was made of in the other side's file.
    assert "layer.per_tensor_weights" in causes(validate(edge, reference, "--reference-model", FLOAT))


def test_other_weights(record, tmp_path):
    """One layer's weights were changed; the logs have statistics of constants, or none."""
    changed = tmp_path / "changed.tflite"
    layer_files.patched(FLOAT, layer_files.noisy, 1.0, 30, changed)
    edge, reference = record(changed, "sketch"), record(FLOAT, "sketch")
    named = validate(edge, reference, "--edge-model", changed, "--reference-model", FLOAT)
    truth = validate(record(changed, "full"), record(FLOAT, "full"))
    assert causes(named)[0] == causes(truth)[0] == "model.weights"
    assert named["findings"][0]["where"]["layer"] == truth["findings"][0]["where"]["layer"]


def test_healthy_pairs(record):
    assert causes(validate(record(INT8, "stats"), record(FLOAT, "sketch"), "--edge-model", INT8, "--reference-model", FLOAT)) == []
    assert causes(validate(record(INT8, "full"), record(FLOAT, "full"), "--edge-model", INT8, "--reference-model", FLOAT)) == []


def test_a_file_that_is_not_the_logs(record):
    run = subprocess.run([EXRAY, "validate", record(INT8, "stats"), record(FLOAT, "stats"), "--edge-model", FLOAT], capture_output=True, text=True)
    assert run.returncode == 0
    assert "its weights are not used: the log was recorded with another file" in run.stdout


def test_no_model_at_all(record, tmp_path):
    text = tmp_path / "model.tflite"
    text.write_text("not a model")
    for path, why in ((text, "model.tflite: "), (tmp_path / "missing", "missing")):
        run = subprocess.run([EXRAY, "validate", record(INT8, "stats"), record(FLOAT, "stats"), "--edge-model", path], capture_output=True, text=True)
        assert run.returncode == 2 and why in run.stderr and run.stderr.count("\n") == 1


def test_json_is_the_same_where_nothing_was_missing(record):
    edge, reference = record(INT8, "full"), record(FLOAT, "full")
    with_files = validate(edge, reference, "--edge-model", INT8, "--reference-model", FLOAT)
    assert json.dumps(with_files) == json.dumps(validate(edge, reference))
