"""What was told in another unit or size: said, and no fault; what is not that stays one."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXRAY = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build")) / "exray"
FRAMES = 5


def write(path, role, results, outputs=None):
    log = Log(path, metadata={"role": role})
    for i, result in enumerate(results):
        begin = log.time
        log.tensor("/input/image", np.full((1, 8, 8, 3), i, np.float32), frame=i)
        if outputs is not None:
            log.tensor("/output/scores", outputs[i][None], frame=i)
        message = PB["Result"](frame=i)
        message.MergeFrom(result)
        log.add("/result", "Result", message)
        log.frame(i, begin, source=f"{i}.jpg")
    log.finish()
    return path


@pytest.fixture
def found(tmp_path):
    def judge(edge, reference, outputs=None):
        a, b = write(tmp_path / "e.mcap", "edge", edge, outputs), write(tmp_path / "r.mcap", "reference", reference, outputs)
        out = subprocess.run([EXRAY, "validate", a, b, "--json", "-"], capture_output=True, text=True)
        report = json.loads(out.stdout)
        return report["verdict"], [(f["cause"], f["severity"], f["evidence"].get("kind"), f["evidence"].get("gain")) for f in report["findings"]]

    return judge


def boxes(score, seed=1):
    rng = np.random.default_rng(seed)
    return [PB["Result"](boxes=[dict(x_min=.2 * k, y_min=.1, x_max=.2 * k + .15, y_max=.4, id=k, score=float(score(rng.uniform(.3, .99)))) for k in range(rng.integers(2, 5))])
            for _ in range(FRAMES)]


SCORES = np.random.default_rng(2).dirichlet(np.full(9, .3), FRAMES).astype(np.float32)


def classes(score):
    return [PB["Result"](classes=[dict(id=int(c), score=float(score(s[c]))) for c in np.argsort(-s)[:5]]) for s in SCORES]


@pytest.mark.parametrize("edge, reference, gain", [
    (lambda s: 100 * s, lambda s: s, 100), (lambda s: s, lambda s: 100 * s, .01), (lambda s: round(100 * s), lambda s: s, 100), (lambda s: s, lambda s: round(100 * s), .01)])
def test_percent(found, edge, reference, gain):
    unit = [("output.postprocess", "info", "unit", pytest.approx(gain))]
    assert found(boxes(edge), boxes(reference)) == ("pass", unit)
    assert found(classes(edge), classes(reference), SCORES) == ("pass", unit)


def test_the_same_and_other_scores(found):
    assert found(boxes(lambda s: s), boxes(lambda s: s)) == found(classes(lambda s: s), classes(lambda s: s), SCORES) == ("pass", [])
    for other in (lambda s: s * s, lambda s: round(100 * s * s), lambda s: 255 * s):
        verdict, causes = found(boxes(other), boxes(lambda s: s))
        assert verdict == "fail" and causes[0][:2] == ("output.postprocess", "error")


@pytest.mark.parametrize("part", [(2, 2), (1, 2)])
def test_a_mask_of_another_size(found, part):
    rng = np.random.default_rng(3)
    masks = [np.kron(rng.integers(0, 3, (6, 8)), np.ones((4, 4))).astype(np.uint8) for _ in range(FRAMES)]
    told = [[PB["Result"](mask={"width": m.shape[1], "height": m.shape[0], "ids": np.ascontiguousarray(m).tobytes()}) for m in side]
            for side in ([m[::part[0], ::part[1]] for m in masks], masks)]
    assert found(*told) == ("pass", [("output.postprocess", "info", "size", None)])
    assert found(told[1], told[1]) == ("pass", [])
