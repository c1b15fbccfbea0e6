"""Ways to fill, read and convert a picture's memory that are not the reference's; torn frames, turned regions, single
frames; and whose side has which order of channels."""

import io
import re
import time

import numpy as np
import pytest
from camera_support import HIGH, SIDE, WIDE, camera, judged, norm, records, resized, right, text  # noqa: F401 (fixture)
from explain_support import QUANTIZED, explain, from_yuv, named, quantize, to_yuv
from log_writer import PB
from PIL import Image, ImageFilter
from validate_support import finding, textures

# ---- Rows ----


def rows(a, step, length):
    """The rows of a picture written every `step` values, `length` of each."""
    flat = a.reshape(a.shape[0], -1)
    out = np.zeros(flat.size + step * len(flat), np.float32)
    for i, row in enumerate(flat):
        out[i * step:i * step + length] = row[:length]
    return out[:flat.size].reshape(a.shape)


def moved(a, by):
    out = np.roll(a.ravel(), by)
    out[:by] = 0
    return out.reshape(a.shape)


BUFFERS = {
    "rows filled in part": (lambda a: rows(a, 288, 72), "stride", r"first 72 of the 288"),
    "rows over each other": (lambda a: rows(a, 100, 288), "stride", "overwrites"),
    "rows with gaps": (lambda a: rows(a, 291, 288), "stride", "97 for 96"),
    "a buffer filled in part": (lambda a: np.where(np.arange(a.size).reshape(a.shape) < a.size // 3, a, 0), "stride",
                                "first 9216 of the 27648"),
    "a buffer that begins elsewhere": (lambda a: moved(a, 54), "stride", "54 values"),
}


@pytest.mark.parametrize("planar", [False, True], ids=["nhwc", "nchw"])
@pytest.mark.parametrize("name", BUFFERS)
def test_buffers(tmp_path, camera, name, planar):
    change, cause, says = BUFFERS[name]
    reference = right(camera)
    edge = [change(a) for a in reference]
    if planar:
        edge, reference = ([np.ascontiguousarray(a.transpose(2, 0, 1)) for a in side] for side in (edge, reference))
    verdict = judged(tmp_path, edge, reference)
    if planar:  # transposed after the fault: whole pixels are moved, or none
        assert verdict["verdict"] == "fail"
        return
    assert named(verdict) == [cause]
    assert re.search(says, text(finding(verdict, "input." + cause)))


def test_sides_exchanged_and_columns(tmp_path, camera):
    reference = [norm(resized(p, 128, 80)) for p in camera]
    columns = [a.transpose(1, 0, 2).reshape(a.shape) for a in reference]
    assert named(judged(tmp_path, columns, reference)) == ["layout"]
    exchanged = [norm(resized(p, 80, 128)).reshape(80, 128, 3) for p in camera]
    for sensor in (records(camera), None):
        verdict = judged(tmp_path, exchanged, reference, sensor)
        assert named(verdict) == ["stride"]
        assert "80x128" in finding(verdict, "input.stride")["summary"]


@pytest.mark.parametrize("offset", [0, 4321])
def test_the_cameras_bytes_copied(tmp_path, camera, offset):
    edge = [norm(p.ravel()[offset:offset + SIDE * SIDE * 3].reshape(SIDE, SIDE, 3)) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["stride"]
    assert "without" in text(finding(verdict, "input.stride")) or "as they are" in text(finding(verdict, "input.stride"))


# ---- Bars of a letterbox ----


def letterboxed(p, **how):
    return norm(np.pad(resized(p, SIDE, 72), ((12, 12), (0, 0), (0, 0)), **how))


@pytest.mark.parametrize("recorded", [False, True], ids=["no sensor", "sensor"])
@pytest.mark.parametrize("side", [0, 1], ids=["edge", "reference"])
@pytest.mark.parametrize("mode", ["edge", "reflect"])
def test_bars_that_one_side_fills(tmp_path, camera, mode, side, recorded):
    sides = [[letterboxed(p, mode=mode) for p in camera], [letterboxed(p, constant_values=114) for p in camera]]
    verdict = judged(tmp_path, *(sides[::-1] if side else sides), records(camera) if recorded else None)
    assert named(verdict) == ["crop"] and "bars" in finding(verdict, "input.crop")["summary"]


def test_two_bands_of_rows_are_told(tmp_path, camera):
    edge = [a.copy() for a in right(camera)]
    for k, a in enumerate(edge):
        noise = np.random.default_rng(k).normal(0, .3, a.shape)
        a[:8] += noise[:8]
        a[80:] += noise[80:]
    assert finding(judged(tmp_path, edge, right(camera)), "input.unknown")["evidence"]["rows"] == "rows 0 to 7 and 80 to 95 of 96"


# ---- Fields of interlaced pictures ----


def woven(a, low=False):
    upper, lower = a[:len(a) // 2], a[len(a) // 2:]
    return np.stack([lower, upper] if low else [upper, lower], 1).reshape(a.shape)


FIELDS = {
    "exchanged": lambda a: a.reshape(-1, 2, *a.shape[1:])[:, ::-1].reshape(a.shape),
    "apart": lambda a: np.concatenate([a[::2], a[1::2]]),
    "apart_odd_first": lambda a: np.concatenate([a[1::2], a[::2]]),
    "woven": woven,
    "woven_low_first": lambda a: woven(a, True),
    "even_twice": lambda a: a[::2].repeat(2, 0),
    "odd_twice": lambda a: a[1::2].repeat(2, 0),
}


@pytest.mark.parametrize("planar", [False, True], ids=["nhwc", "nchw"])
@pytest.mark.parametrize("name", FIELDS)
def test_rows_of_fields(tmp_path, camera, name, planar):
    turn = (lambda a: np.ascontiguousarray(a.transpose(2, 0, 1))) if planar else (lambda a: a)
    reference = [norm(resized(p, 128, SIDE)) for p in camera]
    verdict = judged(tmp_path, [turn(FIELDS[name](a)) for a in reference], [turn(a) for a in reference])
    assert named(verdict) == ["stride"]
    assert finding(verdict, "input.stride")["evidence"]["fields"] == name


def test_fields_before_the_resize(tmp_path, camera):
    edge = [norm(resized(FIELDS["apart"](p))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["stride"] and finding(verdict, "input.stride")["evidence"]["fields"] == "apart"


def panned(count=6):
    """Frames of a camera that moves."""
    scene = textures(1, 256, seed=8)[0]
    return [norm(scene[20 + 2 * k:20 + 2 * k + SIDE, 11 * k:11 * k + 128]) for k in range(count)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("late", [-1, 1])
def test_fields_of_two_frames(tmp_path, first, late):
    frames = panned()
    edge = [a.copy() for a in frames]
    for k, a in enumerate(edge):
        a[first::2] = frames[min(max(k - late, 0), len(frames) - 1)][first::2]
    found = finding(judged(tmp_path, edge, frames), "input.frame_order")
    assert found["evidence"]["kind"] == "fields" and f"the {['even', 'odd'][first]} rows" in text(found)


@pytest.mark.parametrize("share", [.2, .5])
def test_blended_frames(tmp_path, share):
    frames = panned()
    edge = [(1 - share) * a + share * frames[min(k + 1, len(frames) - 1)] for k, a in enumerate(frames)]
    found = finding(judged(tmp_path, edge, frames), "input.frame_order")
    assert found["evidence"]["kind"] == "blended" and found["evidence"]["share"] == pytest.approx(share, abs=.02)


def test_frames_smoothed_over_time(tmp_path):
    frames, edge = panned(8), []
    for a in frames:
        edge.append(.7 * a + .3 * edge[-1] if edge else a)
    found = finding(judged(tmp_path, edge, frames), "input.frame_order")
    assert found["evidence"]["kind"] == "smoothed" and found["evidence"]["share"] == pytest.approx(.3, abs=.02)


def test_a_moving_camera_and_brightness_are_no_blend(tmp_path):
    frames = panned()
    assert named(judged(tmp_path, [.8 * a + .1 for a in frames], frames)) == ["normalization"]
    assert judged(tmp_path, frames, [a + np.float32(1e-4) for a in frames])["verdict"] == "pass"


# ---- Bytes ----


def in_floats(a):
    out = np.zeros(SIDE * SIDE * 12, np.uint8)
    raw = np.ascontiguousarray(a).view(np.uint8).ravel()[:out.size]
    out[:raw.size] = raw
    return out.view(np.float32).reshape(SIDE, SIDE, 3)


ALPHA = np.full((SIDE, SIDE, 1), 255, np.uint8)
BYTES = {
    "rgb": (lambda p: p, "uint8", 3),
    "rgba": (lambda p: np.concatenate([p, ALPHA], 2), "uint8", 4),
    "argb": (lambda p: np.concatenate([ALPHA, p], 2), "uint8", 4),
    "bgra": (lambda p: np.concatenate([p[..., ::-1], ALPHA], 2), "uint8", 4),
    "int16": (lambda p: p.astype(np.int16) - 128, "int16", 3),
    "float16": (lambda p: norm(p).astype(np.float16), "float16", 3),
    "bfloat16": (lambda p: (norm(p).view(np.uint32) >> 16).astype(np.uint16), "bfloat16", 3),
    "floats, high byte first": (lambda p: norm(p).byteswap(), "float32, high byte first", 3),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_of_another_type(tmp_path, camera, name):
    make, read_as, channels = BYTES[name]
    edge = [in_floats(make(resized(p))) for p in camera]
    verdict = explain(tmp_path, edge, right(camera), None)
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "error"] == ["input.dtype"]
    evidence = finding(verdict, "input.dtype")["evidence"]
    assert evidence["read_as"] == read_as and evidence["values_per_pixel"] == channels


# ---- Values, one by one ----


def as_pixels(a, of, step):
    """Pixels of `of` bytes read as if they had `step`."""
    p = np.dstack([a, np.full(a.shape[:2], 127 / 128, np.float32)]) if of == 4 else a
    flat = np.concatenate([p.ravel(), np.full(a.shape[0] * a.shape[1], -1, np.float32)])
    return flat[:a.shape[0] * a.shape[1] * step].reshape(*a.shape[:2], step)[..., :3]


VALUES = {
    "clipped above": (lambda a: np.minimum(a, 0.2), "quantization", "at most 0.2"),
    "clipped at both ends": (lambda a: np.clip(a, -0.25, 0.25), "quantization", "-0.25 to 0.25"),
    "sign bit": (lambda a: norm((a * 128 + 128).astype(np.uint8) ^ 0x80), "dtype", "sign"),
    "four for three": (lambda a: as_pixels(a, 4, 3), "stride", "four bytes"),
    "three for four": (lambda a: as_pixels(a, 3, 4), "stride", "three bytes"),
    "rows that nobody wrote": (lambda a: np.concatenate([a[:40], np.full_like(a[40:], -1)]), "stride", "first 11520 of the 27648"),
}


@pytest.mark.parametrize("before", [False, True], ids=["after the resize", "before it"])
@pytest.mark.parametrize("kind", ["float", "uint8"])
def test_rows_below_that_are_black(tmp_path, camera, kind, before):
    """Of 8 bits, too, where black is the end of the range: what is there is not clipped."""
    def black(p, rows):
        p = p.copy()
        p[-rows:] = 0
        return p

    edge = [norm(resized(black(p, 20)) if before else black(resized(p), 16)) for p in camera]
    sides, keywords = [edge, right(camera)], None
    if kind == "uint8":
        sides, keywords = [quantize(s, zero_point=128) for s in sides], {**QUANTIZED, "zero_point": [128]}
    verdict = explain(tmp_path, *sides, records(camera), keywords, keywords)
    assert verdict["verdict"] == "fail" and named(verdict) == ["stride"]


@pytest.mark.parametrize("planar", [False, True], ids=["nhwc", "nchw"])
@pytest.mark.parametrize("name", VALUES)
def test_values_of_one_mistake(tmp_path, camera, name, planar):
    change, cause, says = VALUES[name]
    sides = [[change(a) for a in right(camera)], right(camera)]
    if planar:
        sides = [[np.ascontiguousarray(a.transpose(2, 0, 1)) for a in side] for side in sides]
    verdict = judged(tmp_path, *sides)
    assert verdict["verdict"] == "fail"
    if not planar or cause != "stride" or "bytes" in says:
        assert named(verdict) == [cause]
        assert says in text(finding(verdict, "input." + cause))


@pytest.mark.parametrize("gain, offset", [(1, 60), (1, -35), (1.5, 0), (1.3, 20)])
@pytest.mark.parametrize("kind", ["float", "uint8"])
def test_pixels_that_wrap_around(tmp_path, camera, gain, offset, kind):
    edge = [norm((np.floor(resized(p).astype(float) * gain + offset).astype(int) % 256).astype(np.uint8)) for p in camera]
    sides, keywords = [edge, right(camera)], None
    if kind == "uint8":
        sides, keywords = [quantize(s, zero_point=128) for s in sides], {**QUANTIZED, "zero_point": [128]}
    verdict = explain(tmp_path, *sides, None, keywords, keywords)
    found = finding(verdict, "input.dtype")
    assert named(verdict) == ["dtype"] and found["evidence"]["kind"] == "wrapped"
    assert found["evidence"]["gain"] == pytest.approx(gain, abs=.02) and found["evidence"]["offset_levels"] == pytest.approx(offset, abs=5)


@pytest.mark.parametrize("mean,std,severity", [(127, 128, "warning"), (128.5, 128, "warning"), (120, 128, "error")])
def test_two_levels_are_a_warning(tmp_path, camera, mean, std, severity):
    edge = [((resized(p).astype(np.float32) - mean) / std) for p in camera]
    found = finding(judged(tmp_path, edge, right(camera)), "input.normalization")
    assert found["severity"] == severity


# ---- Colors ----


def space(name):
    return lambda p: np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert(name))


def lost(*planes):
    def change(p):
        yuv = np.round(to_yuv(p))
        yuv[..., list(planes)] = 0
        return from_yuv(yuv)
    return change


def turned_hue(degrees):
    def change(p):
        hsv = np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert("HSV")).astype(int)
        hsv[..., 0] = (hsv[..., 0] + round(degrees / 360 * 256)) % 256
        return np.asarray(Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB"))
    return change


@pytest.mark.parametrize("before", [False, True], ids=["after the resize", "before it"])
@pytest.mark.parametrize("recorded", [False, True], ids=["no sensor", "sensor"])
@pytest.mark.parametrize("degrees", [-30, 57, 180])
def test_a_turned_hue(tmp_path, camera, degrees, recorded, before):
    turn = turned_hue(degrees)
    edge = [norm(resized(turn(p)) if before else turn(resized(p))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera) if recorded else None)
    assert named(verdict) == ["color_space"]
    found = finding(verdict, "input.color_space")["evidence"]["hue_degrees"]
    assert abs((found - degrees + 180) % 360 - 180) < 3


IMAGENET = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])


def cut565(p):
    q = p.astype(int)
    return np.stack([q[..., 0] >> 3 << 3, q[..., 1] >> 2 << 2, q[..., 2] >> 3 << 3], -1).astype(np.uint8)


def repeated565(p):
    q = p.astype(int)
    return np.stack([np.round((q[..., c] >> d) * 255 / (255 >> d)) for c, d in enumerate((3, 2, 3))], -1).astype(np.uint8)


def limited(p):
    return np.round(16 + p.astype(float) * 219 / 255).astype(np.uint8)


@pytest.mark.parametrize("change, cause, severity", [
    (lambda p: p, None, None), (repeated565, "input.color_space", "warning"), (cut565, "input.color_space", "warning"), (limited, "input.color_space", "error"),
    (lambda p: np.round(p * .7).astype(np.uint8), "input.normalization", "error")], ids=["alone", "565", "565 cut off", "limited range", "darker"])
def test_an_exchange_before_mean_and_std_and_more(tmp_path, camera, change, cause, severity):
    """Mean and std of each channel cancel; what is left is what else was done to the pixels."""
    imagenet = lambda p: ((p.astype(np.float32) - IMAGENET[0]) / IMAGENET[1]).astype(np.float32)
    verdict = explain(tmp_path, [imagenet(change(resized(p))[..., ::-1]) for p in camera], [imagenet(resized(p)) for p in camera], records(camera))
    told = {f["cause"]: f["severity"] for f in verdict["findings"]}
    assert told == {"input.channel_order": "error", **({cause: severity} if cause else {})}


def balanced(p, gains=(1.4, 1.0, 1.25), black=0):
    return np.clip(np.round(p.astype(float) * gains + black), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("before", [False, True], ids=["after the resize", "before it"])
@pytest.mark.parametrize("recorded", [False, True], ids=["no sensor", "sensor"])
@pytest.mark.parametrize("gains, black", [((1.4, 1., 1.25), 0), ((1.3, 1.3, 1.3), -30)])
def test_a_white_balance_that_clips(tmp_path, camera, gains, black, recorded, before):
    edge = [norm(resized(balanced(p, gains, black)) if before else balanced(resized(p), gains, black)) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera) if recorded else None)
    if before and black and not recorded:  # what the resize made of it is not told without the sensor's picture
        assert named(verdict)[0] == "normalization"
        return
    assert named(verdict) == ["normalization"]
    evidence = finding(verdict, "input.normalization")["evidence"]
    assert [evidence[f"gain_{c}"] for c in ("red", "green", "blue")] == pytest.approx(gains, abs=.03)


@pytest.mark.parametrize("weights, says", [((.114, .587, .299), "BGR"), ((0, 1, 0), "1.000 green"), ((1 / 3,) * 3, "0.333")])
def test_gray_of_other_weights(tmp_path, camera, weights, says):
    gray = lambda p, w: norm(resized(np.round(p.astype(float) @ np.array(w)).astype(np.uint8), 112, SIDE))[..., None]
    verdict = judged(tmp_path, [gray(p, weights) for p in camera], [gray(p, (.299, .587, .114)) for p in camera], records(camera))
    assert named(verdict) == ["color_space"] and says in text(finding(verdict, "input.color_space"))


def test_filters_read_a_column_off(tmp_path, camera):
    """By an interpolation that is not exray's."""
    def shifted(p):
        p = p.astype(float)
        return np.stack([p[..., 1], (p[..., 0] + p[..., 2]) / 2, p[..., 1]], -1).round().astype(np.uint8)
    verdict = judged(tmp_path, [norm(shifted(resized(p))) for p in camera], right(camera))
    assert named(verdict) == ["color_space"] and "filters" in text(finding(verdict, "input.color_space"))


def words565(p):
    p = p.astype(np.uint16)
    return (p[..., 0] >> 3) << 11 | (p[..., 1] >> 2) << 5 | p[..., 2] >> 3


def of565(words):
    r, g, b = words >> 11, words >> 5 & 63, words & 31
    return np.stack([r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2], -1).astype(np.uint8)


def of555(words):
    r, g, b = words >> 10 & 31, words >> 5 & 31, words & 31
    return np.stack([r << 3 | r >> 2, g << 3 | g >> 2, b << 3 | b >> 2], -1).astype(np.uint8)


COLORS = {
    "hsv": (space("HSV"), "HSV"),
    "ycbcr": (space("YCbCr"), "YCbCr"),
    "no u": (lost(1), "U plane"),
    "no v": (lost(2), "V plane"),
    "16-bit colors by other bits": (lambda p: of555(words565(p)), "of 5, 5 and 5"),
    "bytes of 16-bit colors exchanged": (lambda p: of565(words565(p).byteswap()), "RGB565"),
    "alpha taken for blue": (lambda p: np.dstack([p[..., 1], p[..., 0], np.full_like(p[..., 0], 255)]), "alpha"),
    "alpha taken for red": (lambda p: np.dstack([np.full_like(p[..., 0], 255), p[..., 0], p[..., 1]]), "alpha"),
}


@pytest.mark.parametrize("before", [True, False], ids=["before the resize", "after it"])
@pytest.mark.parametrize("name", COLORS)
def test_colors(tmp_path, camera, name, before):
    change, says = COLORS[name]
    edge = [norm(resized(change(p)) if before else change(resized(p))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["color_space"]
    assert says in text(finding(verdict, "input.color_space"))


GRAY = np.array([.299, .587, .114])
MIXED = {
    "saturation": (.7 * np.eye(3) + .3 * GRAY, "saturation is 0.70"),
    "more of it": (1.4 * np.eye(3) - .4 * GRAY, "saturation is 1.3"),
    "a matrix": (np.array([[.9, .1, 0], [.05, .85, .1], [0, .2, .8]]), "mixture of the reference's: red is +0.90 red +0.10 green"),
}


@pytest.mark.parametrize("sensor", [True, False])
@pytest.mark.parametrize("name", MIXED)
def test_mixtures_of_colors(tmp_path, camera, name, sensor):
    """Also those that change no luma, and little of the rest."""
    matrix, says = MIXED[name]
    edge = [norm(resized(np.clip(np.round(p @ matrix.T), 0, 255).astype(np.uint8))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera) if sensor else None)
    assert named(verdict) == ["color_space"]
    assert says in text(finding(verdict, "input.color_space"))


def test_a_mixture_in_some_frames(tmp_path, camera):
    edge = [norm(resized(np.clip(np.round(p @ MIXED["saturation"][0].T), 0, 255).astype(np.uint8) if k in (1, 4) else p)) for k, p in enumerate(camera)]
    verdict = judged(tmp_path, edge, right(camera))
    assert named(verdict) == ["color_space"]
    assert "2 of 6 frames only: frames 1 and 4" in text(finding(verdict, "input.color_space"))


@pytest.mark.parametrize("frames", [range(6), (2, 5)], ids=["all", "two"])
def test_a_part_of_so_many_pixels(tmp_path, camera, frames):
    """Cut out by numbers of pixels, of which none is a round share of the camera's."""
    edge = [norm(resized(p[11:103, 19:142] if k in frames else p)) for k, p in enumerate(camera)]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["crop"]
    assert "by 0.00" in text(finding(verdict, "input.crop"))


def test_fewer_bits_are_a_warning(tmp_path, camera):
    edge, reference = [norm(of565(words565(p))) for p in camera], [norm(p) for p in camera]
    verdict = judged(tmp_path, edge, reference, records(camera))
    assert verdict["verdict"] == "pass"
    assert [f["severity"] for f in verdict["findings"] if f["cause"] == "input.color_space"] == ["warning"]


def cut_off(p):
    return np.stack([p[..., 0] & 0xF8, p[..., 1] & 0xFC, p[..., 2] & 0xF8], -1)


@pytest.mark.parametrize("before", [True, False], ids=["before the resize", "after it"])
def test_low_bits_that_are_zero_are_a_warning(tmp_path, camera, before):
    edge = [norm(resized(cut_off(p)) if before else cut_off(resized(p))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert verdict["verdict"] == "pass"
    assert [(f["cause"], f["severity"]) for f in verdict["findings"] if f["severity"] != "info"] == [("input.color_space", "warning")]


@pytest.mark.parametrize("before", [True, False], ids=["before the resize", "after it"])
def test_low_bits_that_one_side_fills_are_a_warning(tmp_path, camera, before):
    imagenet = lambda p: ((p.astype(np.float32) - IMAGENET[0]) / IMAGENET[1]).astype(np.float32)
    filled = lambda p: of565(words565(p)).astype(np.uint8)
    made = lambda f: [imagenet(resized(f(p)) if before else f(resized(p))) for p in camera]
    verdict = explain(tmp_path, made(cut_off), made(filled))
    assert verdict["verdict"] == "pass" and "low bits" in text(finding(verdict, "input.color_space"))
    assert [(f["cause"], f["severity"]) for f in verdict["findings"] if f["severity"] != "info"] == [("input.color_space", "warning")]
    darker = lambda p: np.round(filled(p) * .95).astype(np.uint8)
    assert named(explain(tmp_path, made(darker), made(filled))) == ["normalization"]


@pytest.mark.parametrize("constants", [IMAGENET, (np.float32(0), np.float32(255))], ids=["for each channel", "0..1"])
def test_channels_that_are_exchanged_at_night(tmp_path, camera, constants):
    """Less than noise, but exact."""
    norm = lambda p: ((p.astype(np.float32) - constants[0]) / constants[1]).astype(np.float32)
    night = [resized(p) // 48 for p in camera]
    assert named(explain(tmp_path, [norm(p[..., ::-1]) for p in night], [norm(p) for p in night])) == ["channel_order"]
    noisy = [np.clip(p.astype(int) + np.random.default_rng(k).integers(-1, 2, p.shape), 0, 255) for k, p in enumerate(night)]
    assert named(explain(tmp_path, [norm(p) for p in noisy], [norm(p) for p in night])) == []


def picked(p, width, height, middle):
    """Nearest neighbors: OpenCV's (rounded down) or Pillow's (those at the middles)."""
    at = lambda n, to: np.floor((np.arange(to) + middle) * n / to).astype(int)  # noqa: E731
    return p[at(p.shape[0], height)][:, at(p.shape[1], width)]


@pytest.mark.parametrize("edge, reference", [("down", "middle"), ("middle", "down"), ("down", "bilinear"), ("bilinear", "down")])
def test_nearest_neighbors_of_small_pictures(tmp_path, camera, edge, reference):
    """They move the picture by a part of a pixel, as a letterbox would."""
    kernels = {"down": lambda p: picked(p, 112, 88, 0), "middle": lambda p: picked(p, 112, 88, .5), "bilinear": lambda p: resized(p, 112, 88)}
    side = lambda name: [norm(kernels[name](p)) for p in camera]  # noqa: E731
    verdict = judged(tmp_path, side(edge), side(reference), records(camera))
    assert named(verdict) == ["resize"] and "nearest" in text(finding(verdict, "input.resize"))
    assert named(judged(tmp_path, side(edge), side(edge), records(camera))) == []


def test_a_logarithm_is_no_gamma_and_more(tmp_path, camera):
    """One curve, where a gamma, a line and another kernel would imitate it."""
    curve = lambda p: np.round(255 * np.log1p(9 * (p / 255.)) / np.log(10)).astype(np.uint8)  # noqa: E731
    dark = [np.round(p * (p / 255.)).astype(np.uint8) for p in camera]
    for recorded in (None, records(dark)):
        verdict = judged(tmp_path, [norm(curve(resized(p))) for p in dark], [norm(resized(p)) for p in dark], recorded)
        assert named(verdict) == ["color_space"]


@pytest.mark.parametrize("change", [lambda a: np.roll(a, 1, 0), lambda a: a[:, ::-1]], ids=["one row lower", "mirrored"])
def test_one_channel_alone_is_no_kernel(tmp_path, camera, change):
    edge = [np.dstack([a[..., 0], a[..., 1], change(a[..., 2])]) for a in right(camera)]
    verdict = judged(tmp_path, edge, right(camera))
    assert verdict["verdict"] == "fail" and named(verdict) in (["unknown"], ["color_space"])
    if named(verdict) == ["unknown"]:
        assert "Only channel 2" in text(finding(verdict, "input.unknown"))


@pytest.mark.parametrize("recorded", [False, True], ids=["no sensor", "sensor"])
def test_the_ground_of_a_letterbox_is_no_row_that_goes_on(tmp_path, camera, recorded):
    """At the left for in the middle: as if the buffer began elsewhere, too."""
    def boxed(p, at):
        made = np.full((SIDE, SIDE, 3), 114, np.uint8)
        made[:, at:at + 72] = resized(p, 72, SIDE)
        return norm(made)
    tall = [np.ascontiguousarray(p.transpose(1, 0, 2)) for p in camera]
    sensor = [(p.tobytes(), PB["Media"](format="rgb8", width=HIGH, height=WIDE)) for p in tall] if recorded else None
    assert named(judged(tmp_path, [boxed(p, 0) for p in tall], [boxed(p, 12) for p in tall], sensor)) == ["crop"]


def offset_buffer(p):
    return moved(p, 6)


def columns_left(p):
    return np.concatenate([p[:, 2:], p[:, -2:]], 1)


DARK = {
    "mirrored": (lambda p: p[:, ::-1], "flip"),
    "upside down": (lambda p: p[::-1], "flip"),
    "half a turn": (lambda p: p[::-1, ::-1], "rotation"),
    "a quarter turn": (np.rot90, "rotation"),
    "columns": (columns_left, "crop"),
    "rows": (lambda p: np.concatenate([p[:1], p[:-1]]), "crop"),
    "an offset": (offset_buffer, "stride"),
    "one channel": (lambda p: np.repeat(p[..., 1:2], 3, -1), "color_space"),
}


def night_of(camera, divisor):
    return [resized(p) // divisor for p in camera]


@pytest.mark.parametrize("divisor", [60, 110])
@pytest.mark.parametrize("name", DARK)
def test_dark_pictures(tmp_path, camera, name, divisor):
    """Within noise, but exact."""
    change, cause = DARK[name]
    night = night_of(camera, divisor)
    assert named(judged(tmp_path, [norm(change(p)) for p in night], [norm(p) for p in night])) == [cause]


def test_dark_pictures_of_some_frames(tmp_path, camera):
    night = night_of(camera, 90)
    turned = [p[:, ::-1] if k in (1, 4) else p for k, p in enumerate(night)]
    verdict = judged(tmp_path, [norm(p) for p in turned], [norm(p) for p in night])
    assert named(verdict) == ["flip"]
    assert "frames 1 and 4" in text(finding(verdict, "input.flip"))


@pytest.mark.parametrize("order", [(0, 0, 1, 2, 3, 4), (1, 0, 3, 2, 5, 4), (0, 1, 1, 3, 3, 5)], ids=["late", "exchanged", "repeated"])
def test_dark_pictures_of_other_frames(tmp_path, camera, order):
    night = night_of(camera, 110)
    assert named(judged(tmp_path, [norm(night[k]) for k in order], [norm(p) for p in night])) == ["frame_order"]


def jitter(p, seed, most=1):
    return np.clip(p.astype(int) + np.random.default_rng(seed).integers(-most, most + 1, p.shape), 0, 255)


def dithered(p, phase):
    """Levels of two, by a checkerboard."""
    y, x = np.mgrid[:p.shape[0], :p.shape[1]]
    return p // 2 * 2 + ((x + y + phase) % 2)[..., None]


def symmetric(p):
    half = p[:, :SIDE // 2]
    return np.concatenate([half, half[:, ::-1]], 1)


NOISY = {
    "noise": lambda p, k: (p, jitter(p, k)),
    "noise of a symmetric picture": lambda p, k: (symmetric(p), jitter(symmetric(p), k)),
    "noise of a still picture": lambda p, k: (jitter(p * 0 + 2, 7), jitter(jitter(p * 0 + 2, 7), k)),
    "black": lambda p, k: (p * 0, np.minimum(jitter(p * 0, k), 1)),
    "a flat dither": lambda p, k: (dithered(p * 0, 0), dithered(p * 0, 1)),
    "a dither": lambda p, k: (dithered(p, 0), dithered(p, 1)),
    "nearly gray": lambda p, k: (np.stack([p[..., 1], p[..., 1], jitter(p[..., 1], k)], -1), np.repeat(p[..., 1:2], 3, -1)),
    "a sensor's noise": lambda p, k: (jitter(p, k), jitter(p, 100 + k)),
    "half a pixel": lambda p, k: (p, (p.astype(int) + np.roll(p, 1, 1) + 1) // 2),
}


@pytest.mark.parametrize("divisor", [60, 110])
@pytest.mark.parametrize("name", NOISY)
def test_dark_pictures_that_are_noisy(tmp_path, camera, name, divisor):
    sides = [NOISY[name](p, k) for k, p in enumerate(night_of(camera, divisor))]
    verdict = judged(tmp_path, [norm(e) for _, e in sides], [norm(r) for r, _ in sides])
    assert not {"flip", "rotation", "crop", "frame_order", "stride", "channel_order"} & set(named(verdict)), named(verdict)
    assert not any("so dark" in text(f) for f in verdict["findings"])
    assert name not in ("noise", "noise of a symmetric picture", "noise of a still picture", "black") or named(verdict) == []


BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16


@pytest.mark.parametrize("levels", [2, 3])
@pytest.mark.parametrize("columns, matrix", [(1, BAYER), (2, BAYER), (1, np.array([[.25, .75], [.75, .25]])), (1, None)], ids=["a column", "opposite", "a checkerboard", "at random"])
def test_dithers_in_another_phase(tmp_path, columns, matrix, levels):
    """A smooth wall of few levels: each value is at most one level away, whatever order that has."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE

    def wall(k, phase):
        smooth = 100 + levels * (.5 + .175 * np.sin(2 * x + k) + .175 * np.cos(3 * y - k))
        t = np.random.default_rng([k, phase]).uniform(0, 1, x.shape) if matrix is None else np.roll(np.tile(matrix, (SIDE // len(matrix),) * 2), phase, 1)
        return np.repeat(np.floor(smooth + t)[..., None], 3, -1)

    verdict = judged(tmp_path, [norm(wall(k, columns)) for k in range(4)], [norm(wall(k, 0)) for k in range(4)])
    assert named(verdict) == [] and verdict["verdict"] == "pass", verdict["findings"]


@pytest.mark.parametrize("channel,name", list(enumerate(["red", "green", "blue"])))
def test_one_channel_in_all_three(tmp_path, camera, channel, name):
    edge = [np.repeat(norm(resized(p))[..., channel:channel + 1], 3, -1) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["color_space"]
    assert name in text(finding(verdict, "input.color_space"))


@pytest.mark.parametrize("gamma", [2.2, 1 / 1.8])
def test_a_gamma_behind_the_resize(tmp_path, camera, gamma):
    edge = [norm(255 * (resized(p) / 255) ** gamma) for p in camera]
    assert named(judged(tmp_path, edge, right(camera), records(camera))) == ["color_space"]


@pytest.mark.parametrize("ground,name", [(0, "black"), (255, "white")])
def test_alpha_blended(tmp_path, camera, ground, name):
    y, x = np.mgrid[:HIGH, :WIDE]
    alpha = np.round(np.clip(1.6 - np.hypot((x - 80) / 60, (y - 60) / 45), 0, 1) * 255)[..., None]
    sensor = []
    for p in camera:
        file = io.BytesIO()
        Image.fromarray(np.dstack([p, alpha.astype(np.uint8)]), "RGBA").save(file, "PNG")
        sensor.append((file.getvalue(), PB["Media"](format="png")))
    edge = [norm(resized(np.round((p * alpha + ground * (255 - alpha)) / 255).astype(np.uint8))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), sensor)
    assert named(verdict) == ["color_space"]
    assert name in finding(verdict, "input.color_space")["summary"]
    assert judged(tmp_path, right(camera), right(camera), sensor)["verdict"] == "pass"


# ---- Regions ----


def region(p, degrees):
    angle, side = np.deg2rad(degrees), 90 / SIDE
    c, s, h = np.cos(angle) * side, np.sin(angle) * side, SIDE / 2
    return np.asarray(Image.fromarray(np.ascontiguousarray(p)).transform(
        (SIDE, SIDE), Image.AFFINE, (c, -s, 80 - h * c + h * s, s, c, 60 - h * s - h * c), Image.BILINEAR))


@pytest.mark.parametrize("edge,reference", [(12, 0), (0, -25), (8, 3)])
@pytest.mark.parametrize("sensor", [True, False], ids=["sensor", "no sensor"])
def test_turned_regions(tmp_path, camera, edge, reference, sensor):
    verdict = judged(tmp_path, [norm(region(p, edge)) for p in camera], [norm(region(p, reference)) for p in camera],
                     records(camera) if sensor else None)
    assert named(verdict) == ["rotation"]
    found = finding(verdict, "input.rotation")["evidence"]["degrees_counter_clockwise"]
    assert abs(found) == pytest.approx(abs(edge - reference), abs=0.5)


# ---- Single frames ----


@pytest.mark.parametrize("part", [np.s_[:50], np.s_[70:], np.s_[:, :40]], ids=["upper", "lower", "left"])
@pytest.mark.parametrize("other", [1, -1], ids=["next", "previous"])
def test_torn_frames(tmp_path, camera, part, other):
    edge = [p.copy() for p in camera]
    for k in range(1, 5):
        edge[k][part] = camera[k + other][part]
    verdict = judged(tmp_path, [norm(resized(p)) for p in edge], right(camera))
    assert named(verdict) == ["frame_order"]
    found = finding(verdict, "input.frame_order")
    assert found["evidence"]["frames_torn"] == 4 and found["evidence"]["frame_list"] == "frames 1 to 4"


@pytest.mark.parametrize("shape", [(2, 200000, 3), (200000, 2, 3), (16, 20000, 3)])
def test_long_strips_take_no_minutes(tmp_path, shape):
    rng = np.random.default_rng(0)
    sides = [[rng.random(shape, dtype=np.float32) for _ in range(2)] for _ in range(2)]
    began = time.monotonic()
    assert named(judged(tmp_path, *sides)) == ["unknown"]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("change,cause", [(lambda a: np.rot90(a), "rotation"), (lambda a: a[:, ::-1], "flip"),
                                          (lambda a: a[..., ::-1], "channel_order")])
def test_some_frames(tmp_path, camera, change, cause):
    reference = right(camera)
    edge = [change(a) if k in (1, 4, 5) else a for k, a in enumerate(reference)]
    verdict = judged(tmp_path, edge, reference)
    assert named(verdict) == [cause]
    found = finding(verdict, "input." + cause)
    assert found["evidence"]["frames_affected"] == 3 and "3 of 6" in text(found)


# ---- Whose order is which ----


def test_the_sensor_tells_whose_order_is_which(tmp_path, camera):
    rgb, bgr = right(camera), [a[..., ::-1] for a in right(camera)]
    for edge, reference, letters in ((bgr, rgb, "BGR RGB"), (rgb, bgr, "RGB BGR")):
        found = finding(judged(tmp_path, edge, reference, records(camera)), "input.channel_order")
        assert f"{found['evidence']['edge_order']} {found['evidence']['reference_order']}" == letters
        assert f"Convert to {letters[4:]}" in found["fix"]
        found = finding(judged(tmp_path, edge, reference), "input.channel_order")
        assert "do not say" in found["summary"] and "edge_order" not in found["evidence"]
        assert "RGB" not in found["fix"] and "pipeline" not in found["fix"]


def test_where_an_unexplained_difference_is(tmp_path, camera):
    """In the rows, columns and frames that differ, and in no others."""
    random = np.random.default_rng(1)
    reference = right(camera)
    edge = [a.copy() for a in reference]
    for k in (2, 3):
        edge[k][20:50, 60:] += random.normal(0, 0.5, (30, 36, 3)).astype(np.float32)
    verdict = judged(tmp_path, edge, reference)
    assert named(verdict) == ["unknown"]
    evidence = finding(verdict, "input.unknown")["evidence"]
    assert evidence["rows"] == "rows 20 to 49 of 96" and evidence["columns"] == "columns 60 to 95 of 96"
    assert evidence["frame_list"] == "frames 2 and 3"


@pytest.mark.parametrize("blue", [None, 0], ids=["three", "two and a constant"])
def test_another_kernel_of_the_channels_that_vary(tmp_path, camera, blue):
    """A channel that is a constant stays so behind any kernel."""
    seen = [p if blue is None else np.dstack([p[..., :2], np.full_like(p[..., 2], blue)]) for p in camera]
    shrunk = lambda p, kernel: norm(np.asarray(Image.fromarray(p).resize((SIDE, SIDE), kernel)))  # noqa: E731
    verdict = judged(tmp_path, [shrunk(p, Image.BICUBIC) for p in seen], [shrunk(p, Image.BILINEAR) for p in seen])
    assert named(verdict) == ["resize"]


def test_a_region_that_moved_is_no_buffer(tmp_path, camera):
    """In a smooth picture the pixels of a buffer that begins elsewhere are those of a crop that moved, but where rows wrap."""
    smooth = [np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(5))) for p in camera]
    v = judged(tmp_path, [1.2 * norm(p[14:110, 31:127]) + 0.1 for p in smooth], [norm(p[12:108, 30:126]) for p in smooth])
    assert "stride" not in named(v) and "crop" in named(v)


def test_another_scale_in_all_frames_and_a_turn_in_some(tmp_path, camera):
    """What is left of some frames by the line of the others is explained by itself; the line is of all."""
    given = [resized(p) for p in camera]
    edge = [(np.rot90(p) if i > 2 else p) / np.float32(255) for i, p in enumerate(given)]
    verdict = judged(tmp_path, edge, [norm(p) for p in given], records(camera))
    assert [f["cause"] for f in verdict["findings"]] == ["input.rotation", "input.normalization"]
    assert "frames 3 to 5" in text(finding(verdict, "input.rotation")) and "only" not in text(finding(verdict, "input.normalization"))
