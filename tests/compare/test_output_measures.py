"""Models of several heads: each output that says something by itself is measured by itself."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXRAY = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build")) / "exray"
FRAMES = 8


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def made(seed=3):
    """What a model of faces returns: two classifiers, an age, an embedding; and boxes with their scores."""
    rng = np.random.default_rng(seed)
    x = rng.normal
    return {"gender": softmax(3 * x(size=(FRAMES, 1, 2))), "mood": softmax(3 * x(size=(FRAMES, 1, 7))), "age": 40 + 9 * x(size=(FRAMES, 1, 1)),
            "face": unit(x(size=(FRAMES, 1, 64))), "locations": x(size=(FRAMES, 1, 20, 4)), "surety": x(size=(FRAMES, 1, 20))}


def write(path, outputs, role, task="", results=None, truths=None, label=None):
    log = Log(path, metadata={"role": role, "task": task} if task else {"role": role})
    for i in range(FRAMES):
        begin = log.time
        for name, values in outputs.items():
            log.tensor(f"/output/{name}", np.asarray(values[i], None if values.dtype == np.int64 else np.float32), frame=i)
        for topic, told in (("/result", results), ("/truth", truths)):
            if told:
                message = PB["Result"](frame=i)
                message.MergeFrom(told[i])
                log.add(topic, "Result", message)
        log.frame(i, begin, source=f"{i}.jpg", **({} if label is None else {"label": label[i]}))
    log.finish()
    return path


def validate(tmp_path, edge, reference, *options, **both):
    a = write(tmp_path / "e.mcap", edge, "edge", **both)
    b = write(tmp_path / "r.mcap", reference, "reference", **{k: v for k, v in both.items() if k != "results"})
    out = subprocess.run([EXRAY, "validate", a, b, "--json", tmp_path / "v.json", "--html", tmp_path / "v.html", *options], capture_output=True, text=True)
    assert out.returncode in (0, 1, 3), out.stderr
    return json.loads((tmp_path / "v.json").read_text()), out.stdout, (tmp_path / "v.html").read_text()


def of_outputs(report):
    return {(m["output"], m["name"]): m for m in report["accuracy"]["measures"]}


def test_every_head_has_its_own_agreement(tmp_path):
    reference, edge = made(), made()
    edge["mood"] = np.roll(edge["mood"], 1, -1)
    report, text, page = validate(tmp_path, edge, reference)
    found = of_outputs(report)
    assert set(found) == {("gender", "top1"), ("mood", "top1"), ("mood", "top5"), ("age", "relative_error"), ("face", "cosine"), ("face", "retrieval")}
    assert found["gender", "top1"]["agreement"] == 1 and found["age", "relative_error"]["agreement"] == 0
    assert found["mood", "top1"]["agreement"] == np.mean(edge["mood"].argmax(-1) == reference["mood"].argmax(-1)) == 0
    assert report["verdict"] == "fail" and any(f["where"]["tensor"] == "mood" for f in report["findings"])
    assert "accuracy of mood" in text and "mood" in page


def test_no_figure_is_made_of_states_tables_and_whole_numbers(tmp_path):
    outputs = made()
    rng = np.random.default_rng(1)
    outputs["best"] = np.arange(FRAMES * 3).reshape(FRAMES, 1, 3)
    report, _, _ = validate(tmp_path, {**outputs, "map": rng.normal(size=(FRAMES, 1, 4, 4, 3))}, {**outputs, "map": rng.normal(size=(FRAMES, 1, 4, 4, 3))})
    assert {o for o, _ in of_outputs(report)} == {"gender", "mood", "age", "face"}


def test_the_truth_of_a_head(tmp_path):
    """A vector of its name; the frame's label where one head alone has classes."""
    reference, edge = made(), made()
    del reference["mood"], edge["mood"]
    edge["age"] = edge["age"] * 1.1
    truths = [PB["Result"](vectors=[{"name": "age", "value": [50.0]}, {"name": "pose", "value": [1.0]}]) for _ in range(FRAMES)]
    label = [int(c) for c in reference["gender"].argmax(-1)[:, 0]]
    label[0] = 1 - label[0]
    found = of_outputs(validate(tmp_path, edge, reference, truths=truths, label=label)[0])
    error = lambda a: np.sqrt(np.sum((a - 50) ** 2) / (2500 * FRAMES))
    assert found["age", "relative_error"]["edge"] == pytest.approx(error(edge["age"]), rel=1e-5)
    assert found["age", "relative_error"]["reference"] == pytest.approx(error(reference["age"]), rel=1e-5)
    assert found["gender", "top1"]["edge"] == found["gender", "top1"]["reference"] == (FRAMES - 1) / FRAMES


def test_two_classifiers_have_no_common_label(tmp_path):
    found = of_outputs(validate(tmp_path, made(), made(), label=[1] * FRAMES)[0])
    assert found["gender", "top1"]["edge"] is None and found["mood", "top1"]["agreement"] == 1


def test_vectors_told_by_name_are_measured_apart(tmp_path):
    def told(scale):
        values = made()
        return [PB["Result"](vectors=[{"name": "age", "value": scale * values["age"][i, 0]}, {"name": "face", "value": values["face"][i, 0]}]) for i in range(FRAMES)]

    a = write(tmp_path / "a.mcap", {}, "edge", results=told(1.5))
    b = write(tmp_path / "b.mcap", {}, "reference", results=told(1))
    out = subprocess.run([EXRAY, "validate", a, b, "--json", "-"], capture_output=True, text=True)
    found = of_outputs(json.loads(out.stdout))
    assert found["age", "relative_error"]["agreement"] == pytest.approx(0.5, rel=1e-5) and found["face", "cosine"]["agreement"] == pytest.approx(1)
    assert None not in {o for o, _ in found}


def test_a_detector_beside_an_embedding(tmp_path):
    """Post-processed boxes are read together, whatever else the model returns."""
    rng = np.random.default_rng(2)
    boxes = np.sort(rng.uniform(size=(FRAMES, 1, 5, 4)), -1)
    outputs = {"boxes": boxes, "classes": np.ones((FRAMES, 1, 5)), "scores": np.sort(rng.uniform(.5, 1, (FRAMES, 1, 5)))[..., ::-1], "count": np.full((FRAMES, 1), 5.),
               "face": made()["face"]}
    for task in ("", "detection"):
        edge = {**outputs, "face": outputs["face"][::-1]}
        found = of_outputs(validate(tmp_path, edge, outputs, task=task)[0])
        assert found[None, "boxes"]["agreement"] == 1 and found["face", "cosine"]["agreement"] < .5
        assert {o for o, _ in found} == {None, "face"}


def test_a_requirement_holds_for_every_head(tmp_path):
    reference, edge = made(), made()
    edge["mood"] = np.roll(edge["mood"], 1, -1)
    report, _, _ = validate(tmp_path, edge, reference, "--require", "top1.agreement>=0.9")
    assert any(f["cause"] == "user.require" for f in report["findings"])
