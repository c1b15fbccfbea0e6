"""Inputs that differ as sounds do that went another way: the last bits, noise far below the signal; and what is none of it."""

import numpy as np
import pytest

import exray

RATE, LENGTH = 16000, 4000
RANDOM = np.random.default_rng(8)
SPEECH = [sum(RANDOM.uniform(.05, .2) * np.sin(2 * np.pi * f * np.arange(LENGTH) / RATE + RANDOM.uniform(0, 6)) for f in RANDOM.uniform(100, 3000, 5)) for _ in range(4)]
WHOLE = [np.round(s / 2 * 32768) for s in SPEECH]


def log(path, role, frames):
    model = exray.Model("ear", "tests", "1", "numpy", 1, (exray.TensorInfo("sound", "float32", (LENGTH,)), exray.TensorInfo("y", "float32", (1,))),
                        (exray.Node("MEAN", "y", (0,), (1,)),), (0,), (1,))
    with exray.Recorder(path, role=role, capture="io") as r:
        r.model(model)
        for i, x in enumerate(frames):
            with r.frame(source=str(i)):
                r.input("sound", x.astype(np.float32))
                r.output("y", np.array([(x ** 2).mean()], np.float32))


def judged(folder, edge):
    log(folder / "edge.mcap", "edge", edge)
    log(folder / "reference.mcap", "reference", [w / 32768 for w in WHOLE])
    report = exray.validate(folder / "edge.mcap", folder / "reference.mcap")
    return report.verdict, {f["cause"] for f in report.json["findings"] if f["severity"] == "error"}


@pytest.mark.parametrize("edge", [
    [w / 32767 for w in WHOLE],
    [(w + np.random.default_rng(1).integers(-1, 2, LENGTH)) / 32768 for w in WHOLE],
    [w / 32768 + np.random.default_rng(2).normal(0, 1e-3 * w.std() / 32768, LENGTH) for w in WHOLE],
], ids=["divisor", "dither", "noise"])
def test_faint(tmp_path, edge):
    assert judged(tmp_path, edge) == ("pass", set())


@pytest.mark.parametrize("edge, cause", [
    ([w / 32768 * 1.015 for w in WHOLE], "input.normalization"),
    ([w / 32768 + .003 for w in WHOLE], "input.normalization"),
    ([w / 32768 + np.random.default_rng(2).normal(0, .1 * w.std() / 32768, LENGTH) for w in WHOLE], "input.unknown"),
], ids=["gain", "offset", "noise"])
def test_not_faint(tmp_path, edge, cause):
    verdict, causes = judged(tmp_path, edge)
    assert verdict == "fail" and causes & {cause, "input.gain"}
