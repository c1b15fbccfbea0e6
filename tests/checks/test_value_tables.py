"""Values that follow from the reference's, place by place, by a table: clipped lines, mild curves, maps of colors."""

import numpy as np
import pytest
from explain_support import QUANTIZED, explain, named, quantize
from validate_support import finding, textures

SIDE = 96


@pytest.fixture(scope="module")
def pictures():
    return [p[:SIDE, :SIDE] for p in textures(5, 128, seed=9)]


def norm(p):
    return ((p.astype(np.float32) - 128) / 128).astype(np.float32)


def judged(tmp_path, edge, reference):
    return explain(tmp_path, [norm(e) for e in edge], [norm(r) for r in reference], None)


def spread(p):
    """The whole range of bytes."""
    p = p.astype(float)
    return np.round((p - p.min()) * 255 / (p.max() - p.min())).astype(np.uint8)


def line(gain, offset):
    return lambda p: np.clip(np.round(p * gain + offset), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("gain, offset", [(1.04, -5.1), (1.06, -2), (.97, 14)])
@pytest.mark.parametrize("kind", ["float", "uint8"])
def test_a_contrast_that_clips_a_little(tmp_path, pictures, gain, offset, kind):
    sides, keywords = [[norm(line(gain, offset)(spread(p))) for p in pictures], [norm(spread(p)) for p in pictures]], None
    if kind == "uint8":
        sides, keywords = [quantize(s, zero_point=128) for s in sides], {**QUANTIZED, "zero_point": [128]}
    assert named(explain(tmp_path, *sides, None, keywords, keywords)) == ["normalization"]


@pytest.mark.parametrize("gamma", [1.06, .94])
def test_a_mild_gamma_is_no_line_of_each_frame(tmp_path, pictures, gamma):
    frames = [np.round(spread(p) * s).astype(np.uint8) for p, s in zip(pictures, (1, .4, .7, .25, .9))]  # brighter and darker
    verdict = judged(tmp_path, [np.round(255 * (p / 255.) ** gamma).astype(np.uint8) for p in frames], frames)
    assert named(verdict) == ["color_space"]


def heat(gray):
    x = gray.astype(float) / 255 * 4
    return np.round(255 * np.clip(np.stack([1.5 - abs(x - c) for c in (3, 2, 1)], -1), 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("turned", [False, True], ids=["edge", "reference"])
def test_gray_drawn_in_colors(tmp_path, pictures, turned):
    gray = [spread(p)[..., 1] for p in pictures]
    sides = [[heat(g) for g in gray], [g[..., None].repeat(3, -1) for g in gray]]
    verdict = judged(tmp_path, *(sides[::-1] if turned else sides))
    if turned:  # of colors, gray is no table
        assert verdict["verdict"] == "fail"
        return
    assert named(verdict) == ["color_space"] and finding(verdict, "input.color_space")["evidence"]["kind"] == "table"


def test_a_solarized_picture(tmp_path, pictures):
    edge = [np.where(spread(p) < 128, spread(p), 255 - spread(p)) for p in pictures]
    assert named(judged(tmp_path, edge, [spread(p) for p in pictures])) == ["color_space"]


def test_what_is_no_table(tmp_path, pictures):
    frames = [spread(p) for p in pictures]
    coarse = [(p >> 3 << 3 | p >> 5).astype(np.uint8) for p in frames]  # five bits: a warning at most
    assert judged(tmp_path, coarse, frames)["verdict"] == "pass"
    noise = [np.clip(p + np.random.default_rng(k).integers(-1, 2, p.shape), 0, 255) for k, p in enumerate(frames)]
    assert judged(tmp_path, noise, frames)["verdict"] == "pass"
    own = [line(1 + .1 * k, 4 * k)(np.round(p * .6)) for k, p in enumerate(frames, 1)]
    verdict = judged(tmp_path, own, [np.round(p * .6).astype(np.uint8) for p in frames])
    assert named(verdict) == ["normalization"] and finding(verdict, "input.normalization")["evidence"]["kind"] == "own_line"
