"""Pixels that one side's model takes as bytes and normalizes itself, while the other's takes floats: the unit is open, all else is judged."""

import numpy as np
import pytest
from PIL import Image
from validate_support import Recording, causes, textures, validate

SIZE = 96, 120
SCENES = [p[:SIZE[0], :SIZE[1]] for p in textures(6, 160, seed=3)]
MEAN, STD = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
FLOATS = {"0..1": lambda p: p / np.float32(255), "-1..1": lambda p: (p - np.float32(127.5)) / np.float32(127.5), "ImageNet": lambda p: (p - MEAN) / STD}


def write(path, role, pictures):
    with Recording(path, role) as r:
        for i, p in enumerate(pictures):
            p = np.ascontiguousarray(p)
            r.frame([("/input/x", p[None], {}), ("/output/y", p.reshape(-1, 3)[:8].mean(0, dtype=np.float32)[None], {})], source=str(i))
    return path


def judged(tmp_path, change, norm, bytes_on):
    sides = {"edge": [change(p) for p in SCENES], "reference": SCENES}
    e, r = (write(tmp_path / f"{side}.mcap", side, pictures if side == bytes_on else [norm(p).astype(np.float32) for p in pictures]) for side, pictures in sides.items())
    return validate(e, r, "--assert", "input", status=None)


part = lambda p: np.asarray(Image.fromarray(p).crop((8, 6, 112, 90)).resize(SIZE[::-1], Image.BILINEAR))  # noqa: E731
FAULTS = {"input.channel_order": lambda p: p[..., ::-1], "input.flip": lambda p: p[:, ::-1], "input.rotation": lambda p: p[::-1, ::-1], "input.crop": part,
          "input.color_space": lambda p: np.asarray(Image.fromarray(p).convert("YCbCr"))}


@pytest.mark.parametrize("bytes_on", ["edge", "reference"])
@pytest.mark.parametrize("norm", FLOATS)
@pytest.mark.parametrize("cause", FAULTS)
def test_what_is_no_unit_is_named(tmp_path, cause, norm, bytes_on):
    verdict = judged(tmp_path, FAULTS[cause], FLOATS[norm], bytes_on)
    told = causes(verdict)
    assert verdict["verdict"] == "fail" and cause in told and "input.normalization" not in told


@pytest.mark.parametrize("bytes_on", ["edge", "reference"])
@pytest.mark.parametrize("norm", FLOATS)
@pytest.mark.parametrize("noise", [0, 1])
def test_the_same_pixels_are_unjudged_as_to_their_unit(tmp_path, norm, noise, bytes_on):
    noisy = lambda p: np.clip(p.astype(int) + np.random.default_rng(int(p.sum())).integers(-noise, noise + 1, p.shape), 0, 255).astype(np.uint8)  # noqa: E731
    verdict = judged(tmp_path, noisy, FLOATS[norm], bytes_on)
    assert causes(verdict) == []
    assert any("a factor and an offset" in str(a["reason"]) for a in verdict["assertions"])


def test_one_frame_of_other_channels_does_not_pass(tmp_path):
    edge = [p[..., ::-1] if i == 2 else p for i, p in enumerate(SCENES)]
    e = write(tmp_path / "e.mcap", "edge", edge)
    r = write(tmp_path / "r.mcap", "reference", [FLOATS["0..1"](p).astype(np.float32) for p in SCENES])
    assert causes(validate(e, r, "--assert", "input", status=1)) in (["input.channel_order"], ["input.unknown"])
