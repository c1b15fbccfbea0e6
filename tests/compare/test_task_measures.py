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


def write(path, outputs=None, results=None, truths=None, task="", role="edge"):
    log = Log(path, metadata={"role": role, "task": task} if task else {"role": role})
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
