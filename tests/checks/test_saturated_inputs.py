"""An 8-bit input that is clipped all over: the finding is on the side where it is, and healthy or unproven twins have none."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXRAY = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build")) / "exray"
RNG = np.random.default_rng(8)
SIZE, FRAMES = 24, 3


def scenes(low=0, high=256):
    return [np.kron(RNG.integers(low, high, (SIZE // 4, SIZE // 4, 3)), np.ones((4, 4, 1))).astype(np.uint8) for _ in range(FRAMES)]


def write(path, role, inputs, pictures=None, scale=1 / 128, zero=128, dtype=np.uint8):
    log = Log(path, metadata={"role": role})
    for i, values in enumerate(inputs):
        begin = log.time
        if pictures is not None:
            log.tensor("/sensor/camera", pictures[i], media={"format": "rgb8", "width": SIZE, "height": SIZE}, frame=i)
        log.tensor("/input/image", np.asarray(values, dtype)[None], frame=i, scale=[scale], zero_point=[zero])
        log.frame(i, begin, source=f"{i}.png")
    log.finish()
    return path


def findings(tmp_path, edge, reference, pictures=None, **options):
    a = write(tmp_path / "e.mcap", "edge", edge, pictures, **options)
    b = write(tmp_path / "r.mcap", "reference", reference, **options)
    out = subprocess.run([EXRAY, "validate", a, b, "--json", "-"], capture_output=True, text=True)
    assert out.returncode in (0, 1, 3), out.stderr
    return json.loads(out.stdout)["findings"]


def stored(pictures, gain, offset):
    """What a tensor of -1 to 1 holds of (byte - offset) * gain."""
    return [np.clip(np.round((p.astype(float) - offset) * gain * 128 + 128), 0, 255) for p in pictures]


@pytest.mark.parametrize("gain, offset, end", [(1, 0, 255), (1 / 16, 0, 255), (1 / 24, 255, 0)])
@pytest.mark.parametrize("side", ["edge", "reference"])
def test_the_side_that_is_clipped_is_named(tmp_path, gain, offset, end, side):
    pictures = scenes()
    right, wrong = pictures, stored(pictures, gain, offset)
    found = findings(tmp_path, *((wrong, right) if side == "edge" else (right, wrong)), pictures)
    assert found[0]["severity"] == "error"
    if side == "reference":
        assert [f["cause"] for f in found] == ["input.quantization"] and found[0]["evidence"]["clipped"] == side
        assert f"is {end}, the" in found[0]["summary"] and "`normalize: model`" in found[0]["fix"]
    else:  # the search on inputs may say more
        assert found[0]["evidence"].get("clipped") in (None, "edge")


def test_what_proves_nothing(tmp_path):
    """A dark scene that the edge brightened, noise where the lens was covered, a white wall: not the reference's clipping."""
    dark = [p * (p > 180) for p in scenes()]
    for edge, reference in (([np.clip(d.astype(float) * 1.5 + 20, 0, 255) for d in dark], dark), (scenes(), [np.zeros_like(d) for d in dark]), (scenes(), [np.full_like(d, 255) for d in dark])):
        assert not [f for f in findings(tmp_path, edge, reference, reference) if f["evidence"].get("clipped") == "reference"]


def test_equal_inputs_that_are_clipped_are_no_finding(tmp_path):
    clipped = stored(scenes(), 1, 0)
    assert findings(tmp_path, clipped, clipped) == []
