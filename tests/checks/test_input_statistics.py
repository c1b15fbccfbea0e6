"""Inputs of which statistics alone are in the logs (--no-io-data, exray scrub): what their means, deviations and ends
prove, and what they leave open."""

import subprocess

import numpy as np
import pytest
from validate_support import (EXRAY, IMAGENET, LITE0, RAW, SYMMETRIC, UNIT, Recording, causes, finding, normalize,
                              textures, validate, write_inputs)

PICTURES = textures(8, 64)


def scrub(log, topics="/input/*"):
    out = log.with_suffix(".s.mcap")
    subprocess.run([EXRAY, "scrub", log, "-o", out, "--stats", topics], check=True, capture_output=True)
    return out


def judge(folder, edge, reference, alone=(True, True), keywords=(None, None), status=None, **options):
    logs = [write_inputs(folder / f"{role}.mcap", role, inputs, keywords=k, **options)
            for role, inputs, k in (("edge", edge, keywords[0]), ("reference", reference, keywords[1]))]
    return validate(*(scrub(log) if s else log for log, s in zip(logs, alone)), status=status)


def bgr(pictures):
    return [np.ascontiguousarray(p[..., ::-1]) for p in pictures]


def planes(pictures):
    return [np.ascontiguousarray(p.transpose(2, 0, 1)) for p in pictures]


def late(frames):
    return [frames[0], *frames[:-1]]


def quantized(arrays, scale, zero_point, dtype):
    limits = np.iinfo(dtype)
    return [np.clip(np.round(a / scale) + zero_point, limits.min, limits.max).astype(dtype) for a in arrays]


RIGHT = normalize(PICTURES, *LITE0)
RANDOM = np.random.default_rng(5)
SOUNDS = [np.round(RANDOM.normal(0, 0.05 * (k + 1), 4000) * 32768).astype(np.float32) / 32768 for k in range(6)]
VECTORS = [RANDOM.normal(0, 1, 12).astype(np.float32) for _ in range(6)]
TABLES = [(RANDOM.normal(0, 1, (96, 6)) * np.arange(1, 7) + k * np.arange(6)).astype(np.float32) for k in range(6)]
IDS = [RANDOM.integers(0, 30000, 64).astype(np.int32) for _ in range(4)]


def grey(pictures):
    return [np.repeat(p[..., :1], 3, -1) for p in pictures]


def pixels(change):
    return normalize([np.clip(np.round(change(p.astype(float))), 0, 255).astype(np.uint8) for p in PICTURES], *LITE0)


@pytest.mark.parametrize("edge, reference, expected", [
    (bgr(RIGHT), RIGHT, ["input.channel_order"]),
    (planes(bgr(RIGHT)), planes(RIGHT), ["input.channel_order"]),
    (bgr(RIGHT)[:1], RIGHT[:1], ["input.channel_order"]),
    (normalize(PICTURES, *UNIT), normalize(PICTURES, *SYMMETRIC), ["input.normalization"]),
    (normalize(PICTURES, *RAW), normalize(PICTURES, *IMAGENET), ["input.normalization"]),
    (normalize(PICTURES, *SYMMETRIC), RIGHT, ["input.normalization"]),
    (normalize(PICTURES, *UNIT)[:1], RIGHT[:1], ["input.normalization"]),
    (bgr(normalize(PICTURES, *UNIT)), normalize(PICTURES, *IMAGENET), ["input.channel_order", "input.normalization"]),
    (normalize(bgr(PICTURES), *IMAGENET), normalize(PICTURES, *IMAGENET), ["input.channel_order"]),
    (late(RIGHT), RIGHT, ["input.frame_order"]),
    (late(bgr(RIGHT)), RIGHT, ["input.frame_order", "input.channel_order"]),
    ([RIGHT[i] for i in (0, 1, 2, 4, 5, 6, 7, 7)], RIGHT, ["input.frame_order"]),
    ([RIGHT[i] for i in (0, 1, 1, 3, 4, 5, 6, 7)], RIGHT, ["input.frame_order"]),
    (pixels(lambda p: 16 + p * 219 / 255), RIGHT, ["input.color_space"]),
    ([2 * s for s in SOUNDS], SOUNDS, ["input.normalization"]),
    (late(SOUNDS), SOUNDS, ["input.frame_order"]),
    ([3 * v - 1 for v in VECTORS], VECTORS, ["input.normalization"]),
    ([((t - np.arange(6)) / np.arange(2, 8)).astype(np.float32) for t in TABLES], TABLES, ["input.normalization"]),
    ([i + 1 for i in IDS], IDS, ["input.tokens"]),
], ids=["bgr", "planes", "one frame", "unit", "raw for ImageNet", "127.5 for 127", "one frame of another range",
        "both", "constants of the place", "late", "late and bgr", "dropped", "repeated", "limited range", "gain",
        "late sound", "vector", "table", "ids"])
def test_what_statistics_prove(tmp_path, edge, reference, expected):
    verdict = judge(tmp_path, edge, reference, status=1)
    assert causes(verdict) == expected
    for f in verdict["findings"]:
        assert f["evidence"]["judged_by"] == "statistics" and f["confidence"] <= 0.9


@pytest.mark.parametrize("edge, reference", [
    (pixels(lambda p: 255 * (p / 255) ** 0.8), RIGHT),
    (pixels(lambda p: 255 * (p / 255) ** 0.95), RIGHT),
    ([np.kron(p[16:48, 16:48], np.ones((2, 2, 1), np.float32)) for p in RIGHT], RIGHT),
    (grey(RIGHT), RIGHT),
    (normalize(PICTURES, *UNIT)[:1], normalize(PICTURES, *IMAGENET)[:1]),
    ([RANDOM.normal(0, 1, 12).astype(np.float32) for _ in range(6)], VECTORS),
    (VECTORS[:1], [2 * VECTORS[1]]),
    ([np.float32([4])], [np.float32([2])]),
], ids=["gamma", "mild gamma", "crop", "grey", "one frame of six maps", "other vectors", "one vector", "one number"])
def test_what_statistics_do_not_tell_is_unknown(tmp_path, edge, reference):
    verdict = judge(tmp_path, edge, reference, status=1)
    assert causes(verdict) == ["input.unknown"]
    assert "data on both sides" in verdict["findings"][0]["fix"] or "scrub" in verdict["findings"][0]["fix"]


@pytest.mark.parametrize("edge, reference", [
    (RIGHT, RIGHT),
    ([p[:, ::-1] for p in RIGHT], RIGHT),
    ([np.rot90(p) for p in RIGHT], RIGHT),
    (pixels(lambda p: p + RANDOM.integers(-1, 2, p.shape)), RIGHT),
    ([s[::-1] for s in SOUNDS], SOUNDS),
    ([s + RANDOM.normal(0, 0.0005, s.shape).astype(np.float32) for s in SOUNDS], SOUNDS),
    (bgr(grey(RIGHT)), grey(RIGHT)),
    ([v[::-1] for v in VECTORS], VECTORS),
    (IDS, IDS),
], ids=["same", "mirrored", "turned", "noise", "backwards", "noise of a sound", "grey and bgr", "shuffled", "ids"])
def test_equal_statistics_are_no_finding_and_no_proof(tmp_path, edge, reference):
    verdict = judge(tmp_path, edge, reference)
    assert causes(verdict) == []
    (judged,) = (a for a in verdict["assertions"] if a["name"] == "input")
    assert judged["status"] == "unjudged" and "they agree" in judged["reason"]


def test_numbers_convention_and_fix(tmp_path):
    verdict = judge(tmp_path, normalize(PICTURES, *UNIT), normalize(PICTURES, *IMAGENET))
    f = finding(verdict, "input.normalization")
    assert "[0,1]" in f["summary"] and "ImageNet" in f["summary"]
    for c in range(3):
        assert f["evidence"][f"gain_{c}"] == pytest.approx(IMAGENET[1][c] / 255, rel=1e-4)
        assert f["evidence"][f"offset_{c}"] == pytest.approx(IMAGENET[0][c] / 255, rel=1e-3)
    assert f["evidence"]["numbers"] == 48 and f["evidence"]["parameters"] == 6
    assert f["evidence"]["residual_after_levels"] < 0.01 < f["evidence"]["residual_before_levels"]
    assert "123.675" in f["fix"]


@pytest.mark.parametrize("alone", [(True, False), (False, True)], ids=["the edge's", "the reference's"])
def test_statistics_of_one_side_are_held_against_the_others_data(tmp_path, alone):
    assert causes(judge(tmp_path, bgr(RIGHT), RIGHT, alone)) == ["input.channel_order"]
    assert causes(judge(tmp_path, RIGHT, RIGHT, alone)) == []


def test_some_frames(tmp_path):
    f = finding(judge(tmp_path, RIGHT[:5] + bgr(RIGHT[5:]), RIGHT), "input.channel_order")
    assert f["evidence"]["frame_list"] == "frames 5 to 7" and f["evidence"]["frames_affected"] == 3


def test_a_frame_that_says_nothing_abstains(tmp_path):
    mixed = grey(RIGHT[:2]) + RIGHT[2:]
    f = finding(judge(tmp_path, bgr(mixed), mixed), "input.channel_order")
    assert f["evidence"]["frames_supporting"] == 6 and f["evidence"]["frames_abstaining"] == 2


def test_grey_frames_with_constants_of_each_channel_are_ambiguous(tmp_path):
    same = normalize(grey(PICTURES), *IMAGENET)
    f = finding(judge(tmp_path, bgr(same), same), "input.channel_order")
    assert f["confidence"] == 0.6 and f["alternatives"][0]["cause"] == "input.normalization"


@pytest.mark.parametrize("edge, meant, reference, stored, expected", [
    ((1 / 255, -128, np.int8), (1 / 255, 0), (1 / 255, -128, np.int8), (1 / 255, -128), "input.quantization"),
    ((1 / 255, 0, np.uint8), (2 / 255, 0), (1 / 255, 0, np.uint8), (1 / 255, 0), "input.quantization"),
    ((1 / 255, 0, np.uint8), (1 / 255, 0), (1 / 255, -128, np.int8), (1 / 255, 0), "input.dtype"),
    ((1 / 255, 0, np.uint8), (1 / 255, 0), (1 / 255, -128, np.int8), (1 / 255, -128), None),
], ids=["zero point", "scale", "signed", "healthy"])
def test_what_stored_integers_mean(tmp_path, edge, meant, reference, stored, expected):
    real = normalize(PICTURES, *UNIT)
    keywords = [{"scale": [s], "zero_point": [z]} for s, z in (meant, stored)]
    verdict = judge(tmp_path, quantized(real, *edge), quantized(real, *reference), keywords=keywords)
    assert causes(verdict) == ([expected] if expected else [])


UINT8, INT8 = {"scale": [1 / 255], "zero_point": [0]}, {"scale": [1 / 255], "zero_point": [-128]}


@pytest.mark.parametrize("edge, expected", [
    ([p.astype(np.int8) for p in PICTURES], "input.dtype"),
    (quantized(normalize(PICTURES, *UNIT), 1 / 255, 0, np.int8), "input.quantization"),
    ([np.clip(np.round((p.astype(float) - 128) * 255) - 128, -128, 127).astype(np.int8) for p in PICTURES], "input.quantization"),
    (quantized(normalize(PICTURES, *UNIT), 1 / 255, -128, np.int8), None),
    ([255 - p.astype(np.int16) - 128 for p in PICTURES], "input.normalization"),
], ids=["a cast", "no zero point", "quantized twice", "healthy", "negative"])
@pytest.mark.parametrize("against", ["float", "int8"])
def test_clipped_and_wrapped_integers(tmp_path, edge, expected, against):
    real = normalize(PICTURES, *UNIT)
    reference = real if against == "float" else quantized(real, 1 / 255, -128, np.int8)
    verdict = judge(tmp_path, [e.astype(np.int8) for e in edge], reference, keywords=(INT8, None if against == "float" else INT8))
    assert causes(verdict) == ([expected] if expected else [])


def test_frames_with_data_that_are_right_do_not_hide_those_with_statistics(tmp_path):
    """A budget that runs out: the data of the first frames, statistics of the others."""
    def judge(edge):
        for role, inputs in (("edge", RIGHT[:3] + edge), ("reference", RIGHT)):
            with Recording(tmp_path / f"{role}.mcap", role) as log:
                for i, array in enumerate(inputs):
                    if i < 3:
                        log.frame([("/input/image", array[None], {})])
                    else:
                        log.stats("/input/image", array[None], i)
                        log.frame()
        return causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap"))

    # without moments of channels an exchange leaves nothing that differs
    assert judge(bgr(RIGHT[3:])) == []
    assert judge(normalize(PICTURES[3:], *UNIT)) == ["input.normalization"]


def test_not_finite(tmp_path):
    broken = [r.copy() for r in RIGHT]
    broken[2][0, 0] = np.nan
    assert "NaN" in finding(judge(tmp_path, broken, RIGHT), "input.unknown")["summary"]


def outputs(*scales):
    return [np.float32([0.1, 0.7, 0.2]) * s for s in scales]


def test_an_input_that_may_be_mirrored_is_doubted_before_a_layer(tmp_path):
    logs = [write_inputs(tmp_path / f"{role}.mcap", role, inputs, outputs=[np.roll(o, role == "edge") for o in outputs(*[1] * 8)])
            for role, inputs in (("edge", [p[:, ::-1] for p in RIGHT]), ("reference", RIGHT))]
    verdict = validate(*map(scrub, logs), status=1)
    f = finding(verdict, "input.unknown")
    assert f["alternatives"] == [{"cause": "layer.unknown", "confidence": 0.4}] and f["confidence"] == 0.5
    assert "mirrored" in " ".join(f["details"])


def test_outputs_behind_an_input_that_is_proven_wrong_are_not_blamed(tmp_path):
    logs = [write_inputs(tmp_path / f"{role}.mcap", role, inputs, outputs=[np.roll(o, role == "edge") for o in outputs(*[1] * 8)])
            for role, inputs in (("edge", bgr(RIGHT)), ("reference", RIGHT))]
    assert causes(validate(*map(scrub, logs), status=1)) == ["input.channel_order"]
