"""`validate` decides raw heads itself, by the keys in the metadata of either log, where a side told nothing."""

import json
import os
import subprocess

import numpy as np
import pytest
from demo_support import EXRAY, run
from gathered import messages
from log_writer import PB, Log
from onnx_models import SIZE, model_of
from PIL import Image

os.environ.setdefault("ORT_LOGGING_LEVEL", "3")
RNG = np.random.default_rng(5)


def table(rows=60, classes=4):
    """A yolo8 head in pixels: some sure boxes, and rows that are none."""
    found = np.concatenate([RNG.uniform(14, 50, (rows, 2)), RNG.uniform(8, 16, (rows, 2)), RNG.uniform(0, .2, (rows, classes))], 1)
    for i in range(0, rows, 9):
        found[i, 4 + i % classes] = RNG.uniform(.6, .95)
    return found.T[None].astype(np.float32)


OUTPUT = {"output": "{head: yolo8, threshold: 0.4, nms: 0.5}", "raw": table()}


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """recorded(output, image, picture, **outputs): ref.mcap, as `record` writes it."""
    monkeypatch.chdir(tmp_path)

    def record(output, image="{resize: none}", picture=(SIZE, SIZE), task="", **outputs):
        model_of("model.onnx", **outputs)
        Image.fromarray(np.full((picture[1], picture[0], 3), 90, np.uint8)).save("a.png")
        (tmp_path / "p.yaml").write_text(f"{task}image: {image}\noutput: {output}\n")
        run(EXRAY, "record", "--engine", "onnxruntime", "--model", "model.onnx", "--pipeline", "p.yaml", "--data", "a.png", "--role", "reference", "--capture", "io",
            "-o", "ref.mcap")

    return record


def outputs_alone(path, role, truth=None, metadata=None, **outputs):
    """What an application logs that keeps its outputs alone."""
    log = Log(path, metadata={"role": role, **(metadata or {})})
    begin = log.time
    log.tensor("/input/image", np.full((1, 3, SIZE, SIZE), 90, np.float32), frame=0)
    for name, values in outputs.items():
        log.tensor(f"/output/{name}", values, frame=0)
    if truth:
        message = PB["Result"](frame=0)
        message.MergeFrom(truth)
        log.add("/truth", "Result", message)
    log.frame(0, begin, source="a.png")
    log.finish()


def measures(edge="edge.mcap", reference="ref.mcap"):
    done = subprocess.run([EXRAY, "validate", edge, reference, "--json", "v.json"], capture_output=True, text=True)
    assert done.returncode in (0, 1, 3), done.stderr
    return {(m["name"], m["group"]): m for m in json.loads(open("v.json").read())["accuracy"]["measures"]}


def test_one_side_told_nothing(recorded):
    recorded(OUTPUT["output"], raw=OUTPUT["raw"])
    outputs_alone("edge.mcap", "edge", raw=OUTPUT["raw"])
    found = measures()
    assert found["boxes", None]["agreement"] == 1 and found["map", None]["agreement"] == 1
    other = OUTPUT["raw"].copy()
    sure = other[0, 4:].max(0) > .4
    other[0, 0, np.flatnonzero(sure)[:3]] += 30  # three boxes lie elsewhere
    outputs_alone("edge.mcap", "edge", raw=other)
    assert 0.2 < measures()["boxes", None]["agreement"] < 0.9


def test_neither_side_told_anything(recorded):
    recorded(OUTPUT["output"], raw=OUTPUT["raw"])
    run(EXRAY, "scrub", "ref.mcap", "-o", "silent.mcap", "--drop", "/result")
    outputs_alone("edge.mcap", "edge", raw=OUTPUT["raw"])
    assert measures("edge.mcap", "silent.mcap")["boxes", None]["agreement"] == 1
    outputs_alone("silent.mcap", "reference", raw=OUTPUT["raw"])
    assert ("boxes", None) not in measures("edge.mcap", "silent.mcap")  # nothing says how rows are read
    keys = {"task": "detection", "output.head": "yolo8", "output.threshold": "0.4"}
    outputs_alone("edge.mcap", "edge", metadata=keys, raw=OUTPUT["raw"])  # an application may say it
    assert measures("edge.mcap", "silent.mcap")["boxes", None]["agreement"] == 1


def test_against_the_truth_where_the_model_saw_the_whole_picture(recorded):
    recorded(OUTPUT["output"], raw=OUTPUT["raw"])
    log = [m for t, m in messages("ref.mcap") if t == "/result"]
    truth = PB["Result"](boxes=[dict(x_min=b.x_min, y_min=b.y_min, x_max=b.x_max, y_max=b.y_max, id=b.id) for b in log[0].boxes])
    assert len(truth.boxes) > 3
    outputs_alone("edge.mcap", "edge", truth=truth, raw=OUTPUT["raw"])
    found = measures()["map50", None]
    assert found["edge"] == found["reference"] == 1
    # in a letterbox what the outputs say lies elsewhere than the truth: no figure for the side that told nothing
    recorded(OUTPUT["output"], image=f"{{crop: letterbox, resize: bilinear {SIZE}x{SIZE}}}", picture=(2 * SIZE, SIZE), raw=OUTPUT["raw"])
    found = measures()
    assert found["map50", None]["edge"] is None and found["boxes", None]["agreement"] == 1


def test_letters_and_anchors_are_in_the_log(recorded, tmp_path):
    (tmp_path / "letters.list").write_text("".join(f"{c}\n" for c in "abcdef"))
    scores = RNG.normal(size=(1, 12, 7)).astype(np.float32)
    recorded("{head: ctc, labels: letters.list, label_offset: 1}", task="task: text\n", scores=scores)
    outputs_alone("edge.mcap", "edge", scores=scores)
    assert measures()["exact", None]["agreement"] == 1
    outputs_alone("edge.mcap", "edge", scores=np.roll(scores, 1, -1))
    assert measures()["cer", None]["agreement"] > 0.5

    anchors = np.concatenate([RNG.uniform(.2, .8, (30, 2)), RNG.uniform(.1, .3, (30, 2))], 1)
    np.savetxt("anchors.csv", anchors, fmt="%.6f")
    boxes, classes = RNG.normal(size=(1, 30, 4)).astype(np.float32), RNG.uniform(0, 1, (1, 30, 3)).astype(np.float32)
    recorded("{head: ssd, anchors: anchors.csv, threshold: 0.6}", boxes=boxes, classes=classes)
    outputs_alone("edge.mcap", "edge", boxes=boxes, classes=classes)
    assert measures()["boxes", None]["agreement"] == 1


@pytest.mark.parametrize("keys", [
    {"output.head": "yolo99"}, {"output.head": "y" * 300}, {"output.head": "yolo8", "output.classes": "nan", "output.threshold": "1e99", "output.nms": "-3", "output.boxes": "z" * 90},
    {"output.head": "ctc"}, {"output.head": "ssd", "output.sigmoid": "x", "output.top_k": "99999999999999999999"}, {"output.threshold": ""}])
def test_keys_that_make_no_sense(tmp_path, monkeypatch, keys):
    monkeypatch.chdir(tmp_path)
    for name, role in (("edge.mcap", "edge"), ("ref.mcap", "reference")):
        outputs_alone(name, role, metadata={"task": "detection", **keys}, raw=OUTPUT["raw"])
    assert run(EXRAY, "validate", "edge.mcap", "ref.mcap", status=0).stdout
