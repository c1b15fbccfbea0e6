"""Measures of results that are no classes, and what of outputs is read as classes."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXRAY = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build")) / "exray"
RNG = np.random.default_rng(15)


def write(path, outputs=None, results=None, truths=None, task="", role="edge", metadata={}):
    log = Log(path, metadata={"role": role, **({"task": task} if task else {}), **metadata})
    for i in range(len(outputs if outputs is not None else results)):
        begin = log.time
        if outputs is not None:
            log.tensor("/output/y", np.asarray(outputs[i], np.float32)[None], frame=i)
        for topic, told in (("/result", results), ("/truth", truths)):
            if told:
                message = PB["Result"](frame=i)
                message.MergeFrom(told[i])
                log.add(topic, "Result", message)
        log.frame(i, begin, source=f"{i}.jpg")
    log.finish()
    return path


def accuracy(tmp_path, edge, reference):
    a, b = write(tmp_path / "e.mcap", **edge), write(tmp_path / "r.mcap", role="reference", **reference)
    out = subprocess.run([EXRAY, "validate", a, b, "--json", "-"], capture_output=True, text=True)
    assert out.returncode in (0, 1, 3), out.stderr
    return json.loads(out.stdout)["accuracy"]


def measures(found):
    return {(m["name"], m["group"]): m for m in found["measures"]}


def test_masks_against_each_other_and_the_truth(tmp_path):
    masks = RNG.integers(0, 3, (3, 4, 6, 8), dtype=np.uint8)  # edge, reference, truth
    masks[2][:, :2] = 255
    told = [[PB["Result"](mask={"width": 8, "height": 6, "ids": m.tobytes()}) for m in side] for side in masks]
    found = accuracy(tmp_path, {"results": told[0], "truths": told[2]}, {"results": told[1]})

    def miou(a, b):
        counted = b != 255
        a, b = a[counted], b[counted]
        return np.mean([np.sum((a == c) & (b == c)) / np.sum((a == c) | (b == c)) for c in range(3)])

    m = measures(found)["miou", None]
    assert m["agreement"] == pytest.approx(miou(masks[0], masks[1]), abs=1e-12)
    assert m["edge"] == pytest.approx(miou(masks[0], masks[2]), abs=1e-12)
    assert m["reference"] == pytest.approx(miou(masks[1], masks[2]), abs=1e-12)
    assert found["task"] == "segmentation" and found["agreement"] == m["agreement"] and found["edge"] == m["edge"]
    assert measures(found)["pixels", None]["agreement"] == pytest.approx(np.mean(masks[0] == masks[1]), abs=1e-12)


def test_texts(tmp_path):
    told = [[PB["Result"](text=t) for t in side] for side in (["abcd", "x y"], ["abed", "x y"])]
    found = measures(accuracy(tmp_path, {"results": told[0]}, {"results": told[1]}))
    assert found["exact", None]["agreement"] == 0.5 and found["cer", None]["agreement"] == pytest.approx(1 / 7)
    assert found["cer", None]["better"] == "lower" and found["cer", None]["edge"] is None


def test_the_outputs_of_a_segmentation(tmp_path):
    scores = RNG.normal(size=(2, 6, 5, 4))
    other = scores.copy()
    other[:, 0] = -other[:, 0]
    found = measures(accuracy(tmp_path, {"outputs": scores, "task": "segmentation"}, {"outputs": other, "task": "segmentation"}))
    same = np.mean(scores.argmax(-1) == other.argmax(-1))
    assert found["pixels", None]["agreement"] == pytest.approx(same, abs=1e-12)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("kind, names", [
    ("logits", {"top1", "top5"}), ("softmax", {"top1", "top5"}), ("unit", {"cosine", "retrieval"}), ("landmarks", {"relative_error"})])
def test_what_is_read_as_classes(tmp_path, kind, names):
    x = RNG.normal(size=(6, 63)) * 3
    if kind == "softmax":
        x = softmax(x)
    elif kind == "unit":
        x /= np.linalg.norm(x, axis=-1, keepdims=True)
    elif kind == "landmarks":  # x and y in pixels, z about 0
        x = np.stack([112 + 30 * RNG.normal(size=(6, 21)), 120 + 40 * RNG.normal(size=(6, 21)), 5 * RNG.normal(size=(6, 21))], -1).reshape(6, 63)
    y = x * (1 + 1e-3 * RNG.normal(size=x.shape))
    found = accuracy(tmp_path, {"outputs": x}, {"outputs": y})
    assert {m["name"] for m in found["measures"]} == names
    if kind == "landmarks":
        x, y = x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)
        assert found["measures"][0]["agreement"] == pytest.approx(np.sqrt(np.sum((x - y) ** 2) / np.sum(y**2)), rel=1e-6)
        assert found["task"] == "regression"


def coco_boxes(seed):
    """Boxes of 8 pictures: of the truth with crowds, told boxes near them, elsewhere, and more than 100 of one class in a picture."""
    rng = np.random.default_rng(seed)
    truth, told = [], []
    for picture in range(8):
        corners = rng.uniform(0, 0.6, (7, 2))
        sizes = rng.uniform(0.05, 0.4, (7, 2))
        kinds, crowds = rng.integers(0, 4, 7), rng.random(7) < 0.25
        truth.append([] if picture == 3 else [(*c, *(c + s), int(k), 0.0, bool(w)) for c, s, k, w in zip(corners, sizes, kinds, crowds)])
        here = []
        for c, s, k, w in zip(corners, sizes, kinds, crowds):
            for _ in range(rng.integers(1, 4 if not w else 7)):
                spread = rng.choice([0.01, 0.03, 0.08])
                at = c + (rng.uniform(0, 0.5, 2) * s if w else rng.normal(0, spread, 2))
                size = s * rng.uniform(0.2, 0.5, 2) if w else s * np.exp(rng.normal(0, spread * 3, 2))
                here.append((*at, *(at + size), int(k if rng.random() < 0.9 else rng.integers(0, 6)), round(rng.random(), 2), False))
        if picture == 5:
            at = rng.uniform(0, 0.8, (150, 2))
            here += [(*a, *(a + 0.1), 1, float(rng.random()), False) for a in at]
        told.append(here)
    return truth, told


def result_of(boxes):
    keys = ("x_min", "y_min", "x_max", "y_max", "id", "score", "crowd")
    return PB["Result"](boxes=[dict(zip(keys, b)) for b in boxes])


def by_pycocotools(truth, told):
    """(map50, map) of the boxes as they are in the log: 32-bit shares."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def boxes(frames, **more):
        for i, frame in enumerate(frames):
            for b in frame:
                x0, y0, x1, y1 = np.asarray(b[:4], np.float32).astype(float)
                yield {"image_id": i + 1, "category_id": b[4], "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0),
                       "iscrowd": int(b[6]), "score": float(np.float32(b[5]))}

    data = COCO()
    data.dataset = {"info": {}, "images": [{"id": i + 1} for i in range(len(truth))], "categories": [{"id": i} for i in range(6)],
                    "annotations": [{**b, "id": n + 1} for n, b in enumerate(boxes(truth))]}
    data.createIndex()
    judge = COCOeval(data, data.loadRes(list(boxes(told))), "bbox")
    judge.evaluate()
    judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, 2]
    return tuple(np.mean(p[p > -1]) for p in (precision[0], precision))


@pytest.mark.parametrize("seed", range(3))
def test_mean_average_precision_is_that_of_pycocotools(tmp_path, seed):
    truth, told = coco_boxes(seed)
    other = coco_boxes(seed)[1][::-1]
    truths = [result_of(t) for t in truth]
    found = measures(accuracy(tmp_path, {"results": [result_of(t) for t in told], "truths": truths},
                              {"results": [result_of(t) for t in other]}))
    for side, boxes in (("edge", told), ("reference", other)):
        wanted = by_pycocotools(truth, boxes)
        assert 0 < wanted[1] < wanted[0] < 1 or side == "reference"
        assert (found["map50", None][side], found["map", None][side]) == pytest.approx(wanted, abs=1e-6)
    likely = [[(*b[:5], 0.0, b[6]) for b in frame if np.float32(b[5]) >= 0.5] for frame in other]
    assert found["map", None]["agreement"] == pytest.approx(by_pycocotools(likely, told)[1], abs=1e-6)
    assert found["map", None]["frames"] == 8


def test_mean_average_precision_can_be_required(tmp_path):
    truth, told = coco_boxes(1)
    a, b = (write(tmp_path / f"{role}.mcap", results=[result_of(t) for t in told], truths=[result_of(t) for t in truth], role=role)
            for role in ("edge", "reference"))
    for least, answer in (("0.01", "met"), ("0.99", "not met")):
        out = subprocess.run([EXRAY, "validate", a, b, "--require", f"map50>={least}"], capture_output=True, text=True).stdout
        assert f"required   map50>={least}   {answer} (0.38" in out


def test_boxes_of_a_truth_that_are_no_numbers_are_not_found(tmp_path):
    told = [result_of([(0.1, 0.1, 0.5, 0.5, 1, 0.9, False), (float("nan"), 0.1, 0.5, 0.5, 1, float("nan"), False)])] * 2
    truth = [result_of([(0.1, 0.1, 0.5, 0.5, 1, 0, False), (0.1, float("nan"), 0.5, float("inf"), 1, 0, False)])] * 2
    found = measures(accuracy(tmp_path, {"results": told, "truths": truth}, {"results": told}))
    assert found["map50", None]["edge"] == pytest.approx(51 / 101, abs=1e-9)


@pytest.mark.parametrize("task", ["audio", "text"])
def test_what_is_heard_or_read_may_be_classes(tmp_path, task):
    """`task` says what goes in: classes that were told, and outputs that are shares of one, are decisions all the same."""
    told = [[PB["Result"](classes=[{"id": int(c), "score": .9}]) for c in side] for side in ([1, 2, 3, 4], [1, 2, 0, 4])]
    found = accuracy(tmp_path, {"results": told[0], "task": task}, {"results": told[1], "task": task})
    assert found["agreement"] == pytest.approx(.75) and found["task"] == task
    shares = np.eye(4, dtype=np.float32)
    found = accuracy(tmp_path, {"outputs": shares, "task": task}, {"outputs": shares[[0, 1, 3, 2]], "task": task})
    assert found["agreement"] == pytest.approx(.5)


def test_what_is_read_is_no_class_by_itself(tmp_path):
    hidden = RNG.normal(size=(4, 64)).astype(np.float32)
    found = accuracy(tmp_path, {"outputs": hidden, "task": "text"}, {"outputs": hidden, "task": "text"})
    assert found["agreement"] is None and found["measures"] == []


def test_a_side_without_keys_keeps_its_own_label_offset(tmp_path):
    """Its outputs are read as the other side's are, but for the class that its own model has in front."""
    scores = RNG.random((6, 5))
    in_front = np.concatenate([np.zeros((6, 1)), scores], axis=1)
    keys = {"output.top_k": "5", "label_offset": "0"}
    for edge, agreement in (({"label_offset": "1"}, 1), ({}, 0)):
        found = accuracy(tmp_path, {"outputs": in_front, "task": "classification", "metadata": edge},
                         {"outputs": scores, "task": "classification", "metadata": keys})
        assert found["agreement"] == agreement
    found = accuracy(tmp_path, {"outputs": in_front, "task": "classification"},
                     {"outputs": in_front, "task": "classification", "metadata": {**keys, "label_offset": "1"}})
    assert found["agreement"] == 1
