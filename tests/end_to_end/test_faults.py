"""The fast subset of the fault bench (`make faults` runs it all), and the bench's
own parts held against other libraries."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import testdata
from validate_support import BUILD, ROOT

BENCH = ROOT / "tests" / "faults"
sys.path.insert(0, str(BENCH))

import accuracy
import bench_models
import cases
import preprocessing
import sensors
from execute import Bench
from places import CAMERA, ENGINE, EXRAY, KERNELS

TARGET = 0.98  # of the faults, whose first cause is the right one


@testdata.fixture(scope="module")
def models():
    for needed in (CAMERA, KERNELS, ENGINE):
        if not needed.exists():
            pytest.skip(f"no {needed}")
    return bench_models.load()


@pytest.fixture(scope="module")
def report(models, tmp_path_factory):
    out = tmp_path_factory.mktemp("faults") / "report.json"
    command = [sys.executable, BENCH / "run.py", "--fast", "--json", out]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=1200)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    print(result.stdout)
    return json.loads(out.read_text())


def of_kind(report, kind):
    return [c for c in report["cases"] if c["kind"] == kind]


def test_every_case_ran(report):
    assert [c["name"] + ": " + c["error"] for c in report["cases"] if c["error"]] == []
    assert report["totals"]["faults"] >= 15 and report["totals"]["healthy"] >= 10


def test_every_fault_is_in_the_log(report):
    """What a case does must be there to be found."""
    assert [c["name"] for c in of_kind(report, "fault") if c["input_fault"] and not c["change_levels"] > 2] == []


def test_every_fault_is_detected(report):
    assert [c["name"] for c in of_kind(report, "fault") if not c["detected"]] == []


def test_the_first_cause_is_the_right_one(report):
    faults = of_kind(report, "fault")
    wrong = {c["name"]: c["causes"] for c in faults if not c["exact"]}
    assert len(wrong) <= (1 - TARGET) * len(faults), wrong


def test_the_layer_that_was_changed_is_named(report):
    inside = [c for c in of_kind(report, "fault") if c["layer"] is not None]
    assert len(inside) >= 5
    assert {c["name"]: c["layers"] for c in inside if not c["exact_layer"]} == {}


def test_layers_run_alone_are_named_too(report):
    """Kernels of our own that are wrong: with every layer run alone, the same layer and cause."""
    again = [c for c in of_kind(report, "fault") if "isolated" in c]
    assert len(again) >= 3 and any(c["options"].get("program") for c in again)
    assert {c["name"]: c["isolated"] for c in again if not (c["isolated"]["exact"] and c["isolated"]["exact_layer"])} == {}


def test_named_fixes_mend(report):
    """The edge run again as the finding says: a clean pair, and the reference's decisions."""
    fixed = {c["name"]: c["fixed"] for c in of_kind(report, "fault") if "fixed" in c}
    assert len(fixed) >= 3
    assert {n: f for n, f in fixed.items() if not (f["named"] and f["clean"] and f["agreement"][1] == 1)} == {}
    assert any(f["agreement"][0] < 0.5 for f in fixed.values())


def test_healthy_pairs_have_no_finding(report):
    assert {c["name"]: c["causes"] for c in of_kind(report, "healthy") if c["causes"] or c["verdict"] != "pass"} == {}


# ---- The bench itself ----------------------------------------------------------------------


@pytest.mark.parametrize("name,code", [("nv12", cv2.COLOR_YUV2RGB_NV12), ("i420", None), ("yuyv", None)])
def test_cameras_deliver_what_their_records_say(name, code):
    """A picture through a camera's raw format and back by OpenCV, where it has that matrix and range."""
    random = np.random.default_rng(1)
    rgb = cv2.resize(random.integers(64, 192, (3, 4, 3), dtype=np.uint8), (64, 48), interpolation=cv2.INTER_CUBIC)
    sensor = sensors.SENSORS[name]
    data, stride = sensors.raw_bytes(rgb, sensor)
    rows = np.frombuffer(data, np.uint8)
    assert stride > rgb.shape[1] * (2 if name == "yuyv" else 1)
    if code is None:
        luma = rows.reshape(-1, stride)[:48, : 128 if name == "yuyv" else 64][:, :: 2 if name == "yuyv" else 1]
        kr, kb = sensors.COEFFICIENTS[sensor.matrix]
        expected = kr * rgb[..., 0] + (1 - kr - kb) * rgb[..., 1] + kb * rgb[..., 2]
        expected = expected if sensor.full_range else 16 + expected * 219 / 255
        assert np.abs(luma - expected).max() <= 0.51
        return
    packed = np.ascontiguousarray(rows.reshape(-1, stride)[:, :64])
    back = cv2.cvtColor(packed, code).astype(np.int32)
    assert np.sqrt(np.mean((back - rgb) ** 2)) < 6  # what halved chroma loses


def test_a_pipeline_file_has_the_settings_it_is_given():
    text = preprocessing.pipeline({"crop": "center", "fraction": 0.875, "rotate": 90, "mean": (1, 2, 3)}, 20, 10, "classification")
    assert "crop: center 0.875" in text and "resize: bilinear 10x20" in text and "mean: [1,2,3]" in text
    with pytest.raises(preprocessing.NotInAPipeline):
        preprocessing.pipeline({"gamma": 2.2}, 20, 10, "classification")


def test_settings_are_read_from_a_fix():
    fix = "Do this (pipeline: `crop: center 0.875`, `normalize: {mean: [1, 2, 3], std: [4, 5, 6]}`); leave `layout` out."
    assert accuracy.parse_fix(fix) == {"crop": "center", "fraction": 0.875, "mean": (1, 2, 3), "std": (4, 5, 6), "layout": "nhwc"}
    assert accuracy.parse_fix("Normalize (pipeline: `normalize: {mean: ..., std: ...}`).") == {}


def test_mixtures_repeat_by_their_seed(models):
    first, again, other = (cases.drawn(models, seed, 30) for seed in (3, 3, 4))
    assert [c.name for c in first] == [c.name for c in again] != [c.name for c in other]
    assert any(len(c.links) > 1 for c in first) and any(c.kind == "healthy" for c in first)


@pytest.mark.parametrize("sensor", ["jpeg", "nv12_full", "yuyv", "i420", "gray8", "rgb8_turned"])
def test_the_application_without_a_bug_equals_the_reference(models, tmp_path, sensor):
    """Two implementations of decoding, resizing and normalizing: a level apart at most, on average."""
    model = next(iter(models.values()))
    case = cases.pair("own_arithmetic", model, sensor, "io", options={"program": "camera_app"})
    outcome = Bench(models, tmp_path).run(case)
    assert outcome.error == "" and outcome.change < 1 and outcome.verdict == "pass", outcome
    assert EXRAY.is_relative_to(BUILD)
