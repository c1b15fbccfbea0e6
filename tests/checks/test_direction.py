"""Whose input is right is said where something in the logs tells, else that nothing does."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, finding, textures, validate

UNSAID = "Which of the two is right, the logs do not say"
PICTURES = textures(4, 48)


def log(path, role, change=lambda p: p, sensor=False, pipeline=False):
    with Recording(path, role) as recording:
        if pipeline:
            recording.writer.add_attachment(0, 0, "pipeline.yaml", "text/yaml", b"image:\n  normalize: {mean: 128, std: 128}\n")
        for p in PICTURES:
            tensors = [("/input/image", np.ascontiguousarray(change((p.astype(np.float32) - 128) / 128))[None], {})]
            if sensor:
                media = PB["Media"](format="rgb8", width=p.shape[1], height=p.shape[0])
                tensors.append(("/sensor/camera", p, {"media": media}))
            recording.frame(tensors)
    return path


FAULTS = {"input.normalization": lambda p: p / 2, "input.flip": lambda p: p[:, ::-1], "input.shape": lambda p: p[:32]}


@pytest.mark.parametrize("cause", FAULTS)
def test_nothing_tells(tmp_path, cause):
    verdict = validate(log(tmp_path / "e", "edge", FAULTS[cause]), log(tmp_path / "r", "reference"), status=1)
    f = finding(verdict, cause)
    assert sum("logs do not say" in s for s in (f["summary"], *f["details"])) == 1, f


@pytest.mark.parametrize("told", ["sensor", "pipeline"])
def test_the_sensor_or_a_pipeline_tells(tmp_path, told):
    verdict = validate(log(tmp_path / "e", "edge", FAULTS["input.normalization"]), log(tmp_path / "r", "reference", **{told: True}), status=1)
    assert not any(UNSAID in d for d in finding(verdict, "input.normalization")["details"])


def test_equal_inputs_have_no_side(tmp_path):
    assert validate(log(tmp_path / "e", "edge"), log(tmp_path / "r", "reference"))["findings"] == []
