"""Masks, keypoints and vectors that an application tells in /result, behind equal outputs."""

import numpy as np
import pytest
from told_support import judged, told_finding
from validate_support import PB, Recording, validate

FRAMES, SIDE = 5, 48


def outputs():
    rng = np.random.default_rng(3)
    return [{"scores": rng.normal(0, 1, (1, 40)).astype(np.float32)} for _ in range(FRAMES)]


def mask(k):
    """A few things in a picture, of other classes each."""
    rng, made = np.random.default_rng(k + 50), np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(4):
        x, y = rng.integers(0, SIDE - 16, 2)
        made[y:y + rng.integers(8, 16), x:x + rng.integers(8, 16)] = rng.integers(1, 6)
    return made


def points(k):
    return np.random.default_rng(k + 90).uniform(0.2, 0.8, (17, 2))


def vector(k):
    made = np.random.default_rng(k + 130).normal(0, 1, 64)
    return made / np.linalg.norm(made)


def teller(kind, change=lambda v: v, late=0):
    def tell(result, k):
        k = max(k - late, 0)
        if kind == "mask":
            made = change(mask(k))
            result.mask.width, result.mask.height, result.mask.ids = made.shape[1], made.shape[0], np.ascontiguousarray(made).tobytes()
        elif kind == "points":
            for i, (x, y) in enumerate(change(points(k))):
                result.keypoints.add(x=x, y=y, score=1, id=i)
        else:
            result.vectors.add(name="embedding", value=change(vector(k)))
    return tell


@pytest.mark.parametrize("kind", ["mask", "points", "vector"])
def test_the_same(tmp_path, kind):
    assert judged(tmp_path, outputs(), teller(kind), teller(kind))["verdict"] == "pass"


CHANGES = [
    ("mask", lambda m: m[:, ::-1], "mirrored", "mask (/result) is the reference's mirrored"),
    ("mask", lambda m: m.T, "exchanged", "/result"), ("mask", lambda m: np.roll(m, 5, 1), "shifted", "shifted by +5"), ("mask", lambda m: m * 0, "mask", "/result"),
    ("points", lambda p: p * [-1, 1] + [1, 0], "mirrored", "keypoints"), ("points", lambda p: p[:, ::-1], "exchanged", "keypoints"),
    ("points", lambda p: p * 320, "scaled", "320 times"), ("points", lambda p: p + [0.05, 0.02], "shifted", "keypoints"),
    ("points", lambda p: p[:9], "missing", "first 18 of the reference's 34"),
    ("vector", lambda v: v * 12.5, "scaled", "12.5 times"), ("vector", lambda v: -v, "scaled", "-1 times"), ("vector", lambda v: v[::-1], "order", "another order")]


@pytest.mark.parametrize("case", range(len(CHANGES)))
def test_told_otherwise(tmp_path, case):
    kind, change, called, says = CHANGES[case]
    f = told_finding(judged(tmp_path, outputs(), teller(kind, change), teller(kind)))
    assert f["evidence"]["kind"] == called and says in f["summary"], f


@pytest.mark.parametrize("kind", ["mask", "points", "vector"])
def test_late(tmp_path, kind):
    f = told_finding(judged(tmp_path, outputs(), teller(kind, late=1), teller(kind)))
    assert f["evidence"]["kind"] == "late" and "frame before" in f["summary"]


def test_vectors_of_other_names_are_other_things(tmp_path):
    def two(first, second):
        def tell(result, k):
            result.vectors.add(name=first, value=vector(k))
            result.vectors.add(name=second, value=vector(k + 9))
        return tell
    assert judged(tmp_path, outputs(), two("age", "embedding"), two("pose", "embedding"))["verdict"] == "pass"


@pytest.mark.parametrize("told_by, verdict", [(1, "pass"), (1.5, "fail")], ids=["as the outputs", "otherwise"])
def test_a_step_of_a_small_score(tmp_path, told_by, verdict):
    """Scores of 8 bits: other kernels make 4 steps of 3, a third more, and that is what the application tells."""
    steps = {"edge": [4, 200, 3, 121, 4, 180, 0, 90], "reference": [3, 200, 4, 120, 3, 180, 0, 90]}
    for role, values in steps.items():
        with Recording(tmp_path / role, role) as log:
            for k, v in enumerate(values):
                begin, result = log.time, PB["Result"](frame=k)
                log.tensor("/input/x", np.random.default_rng(k).normal(0, 1, (1, 64)).astype(np.float32), frame=k)
                log.tensor("/output/score", np.array([[v]], np.uint8), frame=k, scale=[1 / 256], zero_point=[0])
                result.vectors.add(name="score", value=[v / 256 * (told_by if role == "edge" else 1)])
                log.add("/result", "Result", result)
                log.add("/frame", "Frame", PB["Frame"](index=k, source=str(k), begin_ns=begin, end_ns=log.time + 10, inference_ns=2_000_000))
    assert validate(tmp_path / "edge", tmp_path / "reference")["verdict"] == verdict
