"""What `exray validate` says of two inputs: causes that are there are named, all of
them, and nothing else is."""

import itertools
import math

import numpy as np
import pytest
from validate_support import (IMAGENET, LITE0, RAW, SYMMETRIC, UNIT, causes, finding, normalize, photographs, textures,
                              validate, write_inputs)

pytestmark = pytest.mark.data

ORDERS = list(itertools.permutations(range(3)))
LETTERS = "RGB"
CHANNELS, NORMALIZATION, UNKNOWN = "input.channel_order", "input.normalization", "input.unknown"


@pytest.fixture(scope="module", params=["photographs", "textures"])
def pictures(request):
    return photographs(8, 112) if request.param == "photographs" else textures(6, 112)


@pytest.fixture
def judge(tmp_path):
    """validate() of an edge's inputs against a reference's."""

    def run(edge, reference, options=(), edge_log=None, reference_log=None):
        e = write_inputs(tmp_path / "edge.mcap", "edge", edge, outputs=same(edge), **(edge_log or {}))
        r = write_inputs(tmp_path / "ref.mcap", "reference", reference, outputs=same(edge), **(reference_log or {}))
        return validate(e, r, *options)

    return run


def same(frames):
    return [np.linspace(0, 1, 10) for _ in frames]


def swap(pictures, order):
    return [np.ascontiguousarray(p[..., list(order)]) for p in pictures]


def quantize(arrays, scale, zero_point, dtype=np.uint8):
    limits = np.iinfo(dtype)
    stored = [np.clip(np.round(a / scale) + zero_point, limits.min, limits.max).astype(dtype) for a in arrays]
    return stored, {"keywords": {"scale": [scale], "zero_point": [zero_point]}}


# ---- Channel order -------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_every_order(judge, pictures, order, layout):
    reference = normalize(pictures, *LITE0)
    edge = swap(reference, order)
    if layout == "nchw":
        edge, reference = ([p.transpose(2, 0, 1) for p in side] for side in (edge, reference))
    verdict = judge(edge, reference)
    if order == (0, 1, 2):
        assert verdict["verdict"] == "pass" and verdict["findings"] == []
        return
    assert causes(verdict) == [CHANNELS]
    found = finding(verdict, CHANNELS)
    assert "the logs do not say" in found["summary"]  # no sensor, no pipeline: nothing tells R from B
    assert not any(letters in found["summary"] + found["fix"] for letters in ("RGB", "BGR"))
    assert found["severity"] == "error" and found["confidence"] >= 0.9
    assert found["evidence"]["order"] == ",".join(map(str, order))
    assert found["evidence"]["nrmse_after"] < 1e-6 < found["evidence"]["nrmse_before"]
    assert found["evidence"]["frames_contradicting"] == 0
    assert found["where"] == {"stage": "input", "tensor": "image", "layer": None, "op": None}


def test_order_across_layouts(judge, pictures):
    reference = normalize(pictures, *LITE0)
    edge = [p[..., ::-1].transpose(2, 0, 1) for p in reference]
    assert causes(judge(edge, reference)) == [CHANNELS]
    edge = [p.transpose(2, 0, 1) for p in reference]
    verdict = judge(edge, reference)
    assert verdict["findings"] == [] and verdict["inputs"][0]["max_abs"] == 0


@pytest.mark.parametrize("order", ORDERS[1:])
def test_order_and_quantization(judge, pictures, order):
    """uint8 on the edge, float in the reference."""
    reference = normalize(pictures, *LITE0)
    edge, log = quantize(swap(reference, order), 2 / 255, 127)
    verdict = judge(edge, reference, edge_log=log)
    assert causes(verdict) == [CHANNELS]
    assert finding(verdict, CHANNELS)["evidence"]["order"] == ",".join(map(str, order))


def test_order_under_noise(judge, pictures):
    random = np.random.default_rng(5)
    noisy = [np.clip(p.astype(int) + random.integers(-1, 2, p.shape), 0, 255) for p in pictures]
    verdict = judge(normalize(swap(noisy, (2, 1, 0)), *LITE0), normalize(pictures, *LITE0))
    assert causes(verdict) == [CHANNELS]


def grey(pictures):
    return [np.repeat(p.mean(-1, keepdims=True).round().astype(np.uint8), 3, -1) for p in pictures]


def test_grey_pictures_say_nothing(judge, pictures):
    """Swapped or not, they are equal: nothing is wrong with these frames."""
    reference = normalize(grey(pictures), *LITE0)
    verdict = judge(swap(reference, (2, 1, 0)), reference)
    assert verdict["findings"] == [] and verdict["verdict"] == "pass"


def test_grey_frames_abstain(judge, pictures):
    mixed = [p for pair in zip(grey(pictures), pictures) for p in pair][:7]
    reference = normalize(mixed, *LITE0)
    verdict = judge(swap(reference, (2, 1, 0)), reference)
    assert causes(verdict) == [CHANNELS]
    evidence = finding(verdict, CHANNELS)["evidence"]
    assert evidence["frames_abstaining"] >= 4 and evidence["frames_supporting"] >= 2
    assert evidence["frames"] == 7


def test_the_order_is_wrong_in_some_frames(judge, pictures):
    """They are listed; the others contradict a fault of all frames."""
    reference = normalize(pictures, *LITE0)
    edge = [p[..., ::-1] if i % 2 else p for i, p in enumerate(reference)]
    found = finding(judge(edge, reference), CHANNELS)
    assert found["evidence"]["frames_affected"] == len(pictures) // 2
    assert found["evidence"]["frame_list"].startswith("frames 1, 3")


def test_flat_colour_is_ambiguous(judge):
    """One colour: exchanged channels or other means, nobody can tell."""
    picture = np.zeros((64, 64, 3), np.uint8) + np.array([200, 120, 40], np.uint8)
    reference = normalize([picture], *LITE0)
    verdict = judge(swap(reference, (2, 1, 0)), reference)
    found = finding(verdict, CHANNELS)
    assert found["confidence"] < 0.8
    assert [a["cause"] for a in found["alternatives"]] == [NORMALIZATION]
    assert causes(verdict) == [CHANNELS]


def test_grey_with_constants_per_channel_is_ambiguous(judge, pictures):
    reference = normalize(grey(pictures), *IMAGENET)
    verdict = judge(swap(reference, (2, 1, 0)), reference)
    assert [a["cause"] for a in finding(verdict, CHANNELS)["alternatives"]] == [NORMALIZATION]


def test_two_equal_channels_leave_two_orders(judge, pictures):
    pictures = [np.stack([p[..., 0], p[..., 1], p[..., 1]], -1) for p in pictures]
    reference = normalize(pictures, *LITE0)
    verdict = judge(swap(reference, (1, 2, 0)), reference)
    found = finding(verdict, CHANNELS)
    assert causes(verdict) == [CHANNELS] and found["evidence"]["ambiguous_orders"] == 2


def test_four_channels(judge, pictures):
    alpha = [np.dstack([p, 255 - p[..., :1] // 2]) for p in pictures]
    reference = normalize(alpha, [127] * 4, [128] * 4)
    verdict = judge([p[..., [3, 0, 1, 2]] for p in reference], reference)
    assert causes(verdict) == [CHANNELS]
    assert finding(verdict, CHANNELS)["evidence"]["order"] == "3,0,1,2"


# ---- Normalization ----------------------------------------------------------------------

MAPS = {"raw": RAW, "unit": UNIT, "symmetric": SYMMETRIC, "imagenet": IMAGENET, "lite0": LITE0,
        "wrong mean": ([110, 127, 140], [128] * 3), "wrong std": ([127] * 3, [100, 64, 150])}


@pytest.mark.parametrize("edge,reference", [("unit", "symmetric"), ("symmetric", "unit"), ("raw", "symmetric"),
                                            ("raw", "lite0"), ("unit", "imagenet"), ("imagenet", "lite0"),
                                            ("symmetric", "imagenet"), ("lite0", "raw"), ("wrong mean", "lite0"),
                                            ("wrong std", "lite0")])
def test_affine_maps(judge, pictures, edge, reference):
    verdict = judge(normalize(pictures, *MAPS[edge]), normalize(pictures, *MAPS[reference]))
    assert causes(verdict) == [NORMALIZATION]
    found = finding(verdict, NORMALIZATION)
    m, s = np.array(MAPS[edge][0], float), np.array(MAPS[edge][1], float)
    n, t = np.array(MAPS[reference][0], float), np.array(MAPS[reference][1], float)
    gain, offset = t / s, (n - m) / s
    channels = [c for c in range(3) if f"gain_{c}" in found["evidence"]]
    for c in channels:
        assert found["evidence"][f"gain_{c}"] == pytest.approx(gain[c], rel=1e-3)
        assert found["evidence"][f"offset_{c}"] == pytest.approx(offset[c], rel=1e-3, abs=2e-3 / s[c])
    assert len(channels) == (1 if len(set(gain)) == 1 and len(set(offset)) == 1 else 3)
    assert found["evidence"]["nrmse_after"] < 1e-5


def test_names_both_ranges(judge, pictures):
    summary = finding(judge(normalize(pictures, *UNIT), normalize(pictures, *SYMMETRIC)), NORMALIZATION)["summary"]
    edge, reference = summary.split(";")
    assert "[0,1]" in edge and "[-1,1]" in reference and "[-1,1]" not in edge


@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("wrong", ["unit", "wrong mean", "wrong std", "imagenet"])
def test_order_and_map_are_both_named(judge, pictures, order, wrong):
    edge = normalize(swap(pictures, order), *MAPS[wrong])
    verdict = judge(edge, normalize(pictures, *LITE0))
    assert causes(verdict) == [CHANNELS, NORMALIZATION]
    assert finding(verdict, CHANNELS)["evidence"]["order"] == ",".join(map(str, order))
    assert finding(verdict, NORMALIZATION)["evidence"]["nrmse_after"] < 1e-5


@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("when", ["before", "after"])
def test_own_constants_are_no_second_fault(judge, pictures, order, when):
    """Normalized as the reference is, before or after the exchange of channels."""
    reference = normalize(pictures, *IMAGENET)
    edge = swap(reference, order) if when == "before" else normalize(swap(pictures, order), *IMAGENET)
    verdict = judge(edge, reference)
    assert causes(verdict) == [CHANNELS]
    assert finding(verdict, CHANNELS)["evidence"]["order"] == ",".join(map(str, order))


def test_exchanged_constants_are_no_exchanged_channels(judge, pictures):
    edge = normalize(pictures, IMAGENET[0][::-1], IMAGENET[1][::-1])
    verdict = judge(edge, normalize(pictures, *IMAGENET))
    assert causes(verdict) == [NORMALIZATION]
    assert any("exchanged" in d for d in finding(verdict, NORMALIZATION)["details"])


def test_swap_resize_and_map(judge):
    """Another kernel of the resize does not hide what else is wrong."""
    cv2 = pytest.importorskip("cv2")
    large = photographs(8, 200)
    reference = [cv2.resize(p, (112, 112), interpolation=cv2.INTER_AREA) for p in large]
    edge = [cv2.resize(p, (112, 112), interpolation=cv2.INTER_NEAREST)[..., ::-1] for p in large]
    verdict = judge(normalize(edge, *UNIT), normalize(reference, *LITE0))
    assert causes(verdict) == ["input.resize", CHANNELS, NORMALIZATION]


def test_half_a_level_is_certain_between_floats(judge, pictures):
    verdict = judge(normalize(pictures, *SYMMETRIC), normalize(pictures, *LITE0))
    assert causes(verdict) == [NORMALIZATION]


def test_quantized_map(judge, pictures):
    edge, log = quantize(normalize(pictures, *UNIT), 2 / 255, 127)
    verdict = judge(edge, normalize(pictures, *SYMMETRIC), edge_log=log)
    assert causes(verdict) == [NORMALIZATION]


def test_clipped_range_is_no_normalization(judge, pictures):
    edge, log = quantize(normalize(pictures, *LITE0), 0.0004, 130)
    verdict = judge(edge, normalize(pictures, *LITE0), edge_log=log)
    assert causes(verdict) == ["input.quantization"]
    assert "clipped" in finding(verdict, "input.quantization")["summary"]


# ---- Healthy --------------------------------------------------------------------------------


def healthy(verdict):
    assert verdict["findings"] == [] and verdict["verdict"] == "pass"


def test_equal(judge, pictures):
    reference = normalize(pictures, *LITE0)
    verdict = judge(reference, reference)
    healthy(verdict)
    assert verdict["inputs"][0]["nrmse"] == 0 and verdict["inputs"][0]["sqnr_db"] is None


def test_noise_of_one_level(judge, pictures):
    random = np.random.default_rng(7)
    edge = [np.clip(p.astype(int) + random.integers(-1, 2, p.shape), 0, 255) for p in pictures]
    for convention in (LITE0, UNIT, RAW, IMAGENET):
        healthy(judge(normalize(edge, *convention), normalize(pictures, *convention)))


@pytest.mark.parametrize("scale,zero_point,dtype", [(2 / 255, 127, np.uint8), (1 / 128, 127, np.uint8),
                                                    (2 / 255, -1, np.int8), (1 / 127, 0, np.int8)])
def test_8_bit_against_float(judge, pictures, scale, zero_point, dtype):
    for convention in (LITE0, SYMMETRIC):
        reference = normalize(pictures, *convention)
        edge, log = quantize(reference, scale, zero_point, dtype)
        healthy(judge(edge, reference, edge_log=log))


def test_pixels_handed_to_a_quantized_input(judge, pictures):
    """The bytes as they are, where scale and zero point are about those of the float pipeline."""
    healthy(judge(pictures, normalize(pictures, *LITE0), edge_log={"keywords": {"scale": [1 / 127.5], "zero_point": [127]}}))


def test_8_bit_against_8_bit(judge, pictures):
    reference, log = quantize(normalize(pictures, *LITE0), 2 / 255, 127)
    random = np.random.default_rng(3)
    edge = [np.clip(p.astype(int) + random.integers(-1, 2, p.shape), 0, 255).astype(np.uint8) for p in reference]
    healthy(judge(edge, reference, edge_log=log, reference_log=log))


def test_truncation_is_rounding(judge, pictures):
    cv2 = pytest.importorskip("cv2")
    smooth = [cv2.resize(p.astype(np.float32), (96, 96), interpolation=cv2.INTER_AREA) for p in pictures]
    edge = [np.floor(np.clip(p, 0, 255)).astype(np.uint8) for p in smooth]
    healthy(judge(normalize(edge, *LITE0), normalize(smooth, *LITE0)))


def test_float_noise(judge, pictures):
    reference = normalize(pictures, *LITE0)
    edge = [np.nextafter(p, np.float32(9)) for p in reference]
    healthy(judge(edge, reference))


def test_another_jpeg_decoder(judge, tmp_path):
    """Fast integer DCT against the accurate one: what conforming decoders differ by."""
    pictures = photographs(8, 224)
    random = np.random.default_rng(2)
    blurred = [p.astype(float) + random.normal(0, 0.5, p.shape[:2])[..., None] for p in pictures]
    chroma = [b + random.normal(0, 1.0, (112, 112, 3)).repeat(2, 0).repeat(2, 1) * [1.402, -0.5, 1.772] * 0.5
              for b in blurred]
    edge = [np.clip(np.round(c), 0, 255) for c in chroma]
    healthy(judge(normalize(edge, *LITE0), normalize(pictures, *LITE0)))


def test_flat_and_equal(judge):
    picture = np.full((64, 64, 3), 90, np.uint8)
    healthy(judge(normalize([picture], *LITE0), normalize([picture], *LITE0)))
    healthy(judge(normalize([picture + 1], *LITE0), normalize([picture], *LITE0)))


# ---- Neither ----------------------------------------------------------------------------------


def test_another_scene_is_unknown(judge, pictures):
    reference = normalize(pictures, *LITE0)
    verdict = judge(normalize(textures(len(pictures), pictures[0].shape[0], seed=77), *LITE0), reference)
    assert causes(verdict) == [UNKNOWN]
    assert finding(verdict, UNKNOWN)["evidence"]["residual_levels"] > 10


def test_one_frame_of_many(judge, pictures):
    reference = normalize(pictures, *LITE0)
    edge = reference[:-1] + [reference[0]]
    verdict = judge(edge, reference)
    assert causes(verdict) == ["input.frame_order"]
    assert any(f"Frame {len(edge) - 1} shows" in d for d in finding(verdict, "input.frame_order")["details"])


def test_grey_edge(judge, pictures):
    weights = np.array([0.299, 0.587, 0.114])
    edge = [np.repeat((p @ weights)[..., None].round(), 3, -1) for p in pictures]
    verdict = judge(normalize(edge, *LITE0), normalize(pictures, *LITE0))
    assert causes(verdict) == ["input.color_space"]
    assert "grey" in finding(verdict, "input.color_space")["summary"]


def test_constant_edge(judge, pictures):
    reference = normalize(pictures, *LITE0)
    verdict = judge([np.zeros_like(p) for p in reference], reference)
    assert causes(verdict) == [UNKNOWN]
    assert any("same value" in d for d in finding(verdict, UNKNOWN)["details"])


def test_nan_in_the_input(judge, pictures):
    reference = normalize(pictures, *LITE0)
    edge = [p.copy() for p in reference]
    edge[1][3, 4, 0], edge[2][5, 5, 1] = math.nan, math.inf
    verdict = judge(edge, reference)
    assert causes(verdict) == [UNKNOWN]
    evidence = finding(verdict, UNKNOWN)["evidence"]
    assert (evidence["nan"], evidence["inf"]) == (1, 1)


def test_nan_and_a_swap(judge, pictures):
    reference = normalize(pictures, *LITE0)
    edge = swap(reference, (2, 1, 0))
    edge[0][3, 4, 0] = math.nan
    assert causes(judge(edge, reference)) == [CHANNELS, UNKNOWN]


def test_all_nan(judge, pictures):
    reference = normalize(pictures, *LITE0)
    assert causes(judge([p * np.nan for p in reference], reference)) == [UNKNOWN]


def test_other_shape(judge, pictures):
    reference = normalize(pictures, *LITE0)
    verdict = judge([p[:96, :96] for p in reference], reference)
    assert causes(verdict) == ["input.shape"]
    assert "[1,96,96,3]" in finding(verdict, "input.shape")["summary"]


def test_integer_without_a_unit_is_unjudged(judge, pictures):
    verdict = judge(pictures, normalize(pictures, *LITE0))
    assert verdict["findings"] == []
    unjudged = {a["name"] for a in verdict["assertions"] if a["status"] == "unjudged"}
    assert "input" in unjudged


@pytest.mark.parametrize("count", [1, 300])
def test_any_number_of_frames(judge, count):
    pictures = [p for p in textures(5, 32)] * (count // 5 + 1)
    reference = normalize(pictures[:count], *LITE0)
    assert causes(judge(swap(reference, (2, 1, 0)), reference)) == [CHANNELS]


def test_sound(judge):
    """No picture: one channel, no order; a gain is named, noise is not."""
    random = np.random.default_rng(4)
    sound = [np.round(np.cumsum(random.normal(size=8000)) * 40).clip(-32768, 32767).astype(np.float32) / 32768
             for _ in range(4)]
    healthy(judge(sound, sound))
    healthy(judge([s + random.integers(-1, 2, s.shape).astype(np.float32) / 32768 for s in sound], sound))
    assert causes(judge([s * 0.5 for s in sound], sound)) == [NORMALIZATION]


def test_an_unexplained_sound_is_no_picture(judge):
    rng = np.random.default_rng(5)
    sounds = [rng.normal(0, 0.3, (1, 4000)).astype(np.float32) for _ in range(4)]
    verdict = judge([(s + rng.normal(0, 0.3, s.shape)).astype(np.float32) for s in sounds], sounds)
    found = finding(verdict, UNKNOWN)
    said = " ".join([found["summary"], *found["details"], found["fix"]])
    assert "picture" not in said and "levels" not in said and "nRMSE" in said and "rate, gain" in said
