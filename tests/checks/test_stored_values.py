"""Values that are the reference's, stored otherwise: another window, coarser steps, bytes of 0..1, frames that nothing filled, lines of each frame."""

import numpy as np
import pytest
from validate_support import Recording, causes, finding, textures, validate

SCENES = [p[:48, :64].astype(np.float32) for p in textures(6, 64, seed=21)]
GRAY = [p.mean(-1, keepdims=True) for p in SCENES]


def write(path, role, inputs, dtype):
    with Recording(path, role) as r:
        for i, x in enumerate(inputs):
            x = np.ascontiguousarray(x, dtype)
            r.frame([("/input/x", x[None], {}), ("/output/y", x.reshape(-1)[:4].astype(np.float32)[None], {})], source=f"s{i}")
    return path


def judged(tmp_path, edge, reference, dtype=np.float32):
    return validate(write(tmp_path / "e.mcap", "edge", edge, dtype), write(tmp_path / "r.mcap", "reference", reference, dtype), "--assert", "input", status=None)


def window(x, center, width):
    return np.clip((x - (center - width / 2)) / width, 0, 1)


@pytest.mark.parametrize("center, width", [(120, 120), (140, 170)])
def test_another_window(tmp_path, center, width):
    verdict = judged(tmp_path, [window(x, center, width) for x in GRAY], [window(x, 128, 180) for x in GRAY])
    assert causes(verdict) == ["input.normalization"]
    e = finding(verdict, "input.normalization")["evidence"]
    assert e["kind"] == "window" and e["gain"] == pytest.approx(180 / width, rel=1e-3)


def test_the_same_window_in_doubles(tmp_path):
    assert causes(judged(tmp_path, [window(x.astype(np.float64), 128, 180) for x in GRAY], [window(x, 128, 180) for x in GRAY])) == []


def fine(x, k):
    return x / 8 + np.random.default_rng(k).uniform(0, 1 / 8, x.shape)


@pytest.mark.parametrize("how", [np.floor, np.round])
def test_coarser_steps(tmp_path, how):
    heat = [fine(x, k) for k, x in enumerate(GRAY)]
    verdict = judged(tmp_path, [how(x / 4) * 4 for x in heat], heat)
    assert causes(verdict) == ["input.quantization"] and finding(verdict, "input.quantization")["evidence"]["kind"] == "steps"


def test_bytes_of_0_to_1(tmp_path):
    pixels = [np.clip(p * 1.1, 0, 255).astype(np.uint8) for p in SCENES]
    verdict = judged(tmp_path, [(p / 255.).astype(np.uint8) for p in pixels], pixels, np.uint8)
    assert causes(verdict) == ["input.quantization"] and finding(verdict, "input.quantization")["evidence"]["kind"] == "cast"


def test_zeros_and_ones_are_no_cast_where_both_have_them(tmp_path):
    masks = [(p > 120).astype(np.uint8) for p in SCENES]
    assert causes(judged(tmp_path, [m[:, ::-1] for m in masks], masks, np.uint8)) == ["input.flip"]
    assert causes(judged(tmp_path, masks, masks, np.uint8)) == []


@pytest.mark.parametrize("pictures", [SCENES, GRAY], ids=["color", "gray"])
@pytest.mark.parametrize("side", ["edge", "reference"])
def test_frames_that_nothing_filled(tmp_path, side, pictures):
    right = [p / 255 for p in pictures]
    other = [x * 0 - 1 if k < 2 else x for k, x in enumerate(right)]
    verdict = judged(tmp_path, *((other, right) if side == "edge" else (right, other)))
    assert causes(verdict) == ["input.unknown"]
    f = finding(verdict, "input.unknown")
    assert f["summary"].startswith(f"The {side}'s input is constant (-1) in 2 of 6 frames")


def test_frames_that_are_blank_on_both_sides(tmp_path):
    right = [p / 255 * (k > 1) for k, p in enumerate(SCENES)]
    assert causes(judged(tmp_path, right, right)) == []


def test_each_channel_of_each_frame_by_a_line_of_its_own(tmp_path):
    balanced = [p / 255 * (1 - np.random.default_rng(k).uniform(.05, .4, 3)) for k, p in enumerate(SCENES)]
    verdict = judged(tmp_path, balanced, [p / 255 for p in SCENES])
    assert causes(verdict) == ["input.normalization"] and finding(verdict, "input.normalization")["evidence"]["kind"] == "own_channels"


def test_each_frame_stretched_behind_a_known_unit(tmp_path):
    """One line for all fits badly, and is not told beside it."""
    heat = [20 + x / 10 + 3 * k for k, x in enumerate(GRAY)]
    verdict = judged(tmp_path, [(x - x.min()) / np.ptp(x) for x in heat], heat)
    assert causes(verdict) == ["input.normalization"] and finding(verdict, "input.normalization")["evidence"]["kind"] == "own_range"
