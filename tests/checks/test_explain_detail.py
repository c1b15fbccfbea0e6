"""What a search by coarse averages does not tell: values that are clipped, parts moved by pixels,
grounds, kernels whose difference is no larger than noise, other readings of the sensor's bytes."""

import io

import numpy as np
import pytest
from explain_support import (BICUBIC, BILINEAR, QUANTIZED, SIDE, centre, encode, explain, from_yuv, letterbox, named,
                             normalize, nv12, opencv, pillow, preprocess, quantize)
from log_writer import PB
from PIL import Image, ImageFilter
from validate_support import finding

pytestmark = pytest.mark.data

both = pytest.mark.parametrize("sensor", [True, False], ids=["sensor", "no sensor"])

# ---- Clipped values ---------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [115, 139, 87, 180])
def test_a_wrong_mean_that_clips(tmp_path, jpeg, mean):
    seen = [preprocess(p) for p in jpeg[1]]
    edge = quantize(normalize(seen, mean=(mean,) * 3))
    assert named(explain(tmp_path, edge, normalize(seen), None, QUANTIZED)) == ["normalization"]


def test_exchanged_channels_and_a_mean_that_clips(tmp_path, jpeg):
    seen = [preprocess(p) for p in jpeg[1]]
    edge = quantize(normalize([p[..., ::-1] for p in seen], mean=(90,) * 3))
    assert named(explain(tmp_path, edge, normalize(seen), None, QUANTIZED)) == ["channel_order", "normalization"]


@pytest.mark.parametrize("mistake", ["missing", "twice"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_hardly_a_value_left(tmp_path, jpeg, mistake, dtype):
    """Nearly everything is clipped, and still there is one way how."""
    seen = [preprocess(p) for p in jpeg[1]]
    real = normalize(normalize(seen)) if mistake == "twice" else normalize(seen, (0,) * 3, (1,) * 3)
    zero = -1 if dtype is np.int8 else 127
    verdict = explain(tmp_path, quantize(real, 1 / 128, zero, dtype), normalize(seen), None,
                      {"scale": [1 / 128], "zero_point": [zero]})
    assert named(verdict) == ["normalization"]


# ---- Places ------------------------------------------------------------------------------------


def moved(dx, dy, fraction=0.875):
    def crop(p):
        h, w = p.shape[:2]
        side = int(np.floor(min(h, w) * fraction + 0.5))
        top = min(max((h - side) // 2 + dy, 0), h - side)
        left = min(max((w - side) // 2 + dx, 0), w - side)
        return p[top : top + side, left : left + side]

    return crop


@pytest.mark.parametrize("by", [(7, 5), (-14, 9), (20, -18)])
def test_moved_by_pixels(tmp_path, jpeg, by):
    records, seen = jpeg
    edge = normalize([preprocess(p, crop=moved(*by)) for p in seen])
    verdict = explain(tmp_path, edge, normalize([preprocess(p) for p in seen]), records)
    assert named(verdict) == ["crop"]
    assert f"({by[0]:+d}, {by[1]:+d}) pixels of the camera" in finding(verdict, "input.crop")["summary"]


@pytest.mark.parametrize("corner", ["edge", "reference"])
def test_a_letterbox_in_the_corner(tmp_path, jpeg, corner):
    """The fix names the key that makes the reference's: `corner` only where that is what it has."""
    def moved_up(p):
        boxed = letterbox(p, Image.BILINEAR, SIDE, 0)
        h, w = p.shape[:2]
        return np.roll(boxed, tuple(-((SIDE - max(1, int(np.floor(n * SIDE / max(h, w) + 0.5)))) // 2) for n in (h, w)), (0, 1))

    shown = [np.rot90(p).copy() if i % 2 else p for i, p in enumerate(jpeg[1])]
    sides = [[letterbox(p, Image.BILINEAR, SIDE, 0) for p in shown], [moved_up(p) for p in shown]]
    edge, reference = sides if corner == "reference" else sides[::-1]
    verdict = explain(tmp_path, normalize(edge), normalize(reference), [encode(p, "png") for p in shown])
    assert named(verdict) == ["crop"]
    found = finding(verdict, "input.crop")
    assert ("letterbox corner" in found["fix"] or "in the top left corner" in found["fix"]) == (corner == "reference"), found["fix"]
    assert "in the top left corner" in found["summary"]


@pytest.mark.parametrize("rounding", [round, int], ids=["rounded", "truncated"])
def test_resize_first_however_it_is_rounded(tmp_path, jpeg, rounding):
    records, seen = jpeg

    def resized_first(p):
        h, w = p.shape[:2]
        ratio = 192 / min(h, w)
        size = max(192, rounding(w * ratio)), max(192, rounding(h * ratio))
        large = np.asarray(Image.fromarray(p).resize(size, Image.BICUBIC))
        top, left = (large.shape[0] - SIDE) // 2, (large.shape[1] - SIDE) // 2
        return large[top : top + SIDE, left : left + SIDE]

    edge = normalize([resized_first(p) for p in seen])
    reference = normalize([preprocess(p, crop=centre(SIDE / 192)) for p in seen])
    assert named(explain(tmp_path, edge, reference, records)) == ["crop"]


@both
def test_cut_out_before_the_turn(tmp_path, jpeg, sensor):
    """A crop that is rounded on the other side, since the picture is turned only later: no kernel."""
    records, seen = jpeg
    reference = normalize([preprocess(p) for p in seen])
    edge = normalize([preprocess(np.rot90(p)) for p in seen])
    assert named(explain(tmp_path, edge, reference, records if sensor else None)) == ["rotation"]


@both
@pytest.mark.parametrize("pad", [114, 255])
@pytest.mark.parametrize("more", ["", "bgr"])
def test_another_ground(tmp_path, jpeg, sensor, pad, more):
    records, seen = jpeg
    boxed = [letterbox(p, Image.BILINEAR, SIDE, 0) for p in seen]
    other = [letterbox(p, Image.BILINEAR, SIDE, pad) for p in seen]
    if more:
        other = [p[..., ::-1] for p in other]
    verdict = explain(tmp_path, normalize(other), normalize(boxed), records if sensor else None)
    assert named(verdict) == sorted(["crop"] + ["channel_order"] * bool(more))
    evidence = finding(verdict, "input.crop")["evidence"]
    assert evidence["edge_ground"] == pytest.approx((pad - 127) / 128, abs=0.01)
    assert evidence["reference_ground"] == pytest.approx(-127 / 128, abs=0.01)


# ---- Kernels --------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("right, wrong", [("BILINEAR", "HAMMING"), ("BICUBIC", "LANCZOS"), ("BICUBIC", "BILINEAR"),
                                          ("BOX", "BILINEAR")])
def test_near_relatives(tmp_path, jpeg, sensor, right, wrong):
    records, seen = jpeg
    reference = normalize([preprocess(p, resize=pillow(getattr(Image, right))) for p in seen])
    edge = normalize([preprocess(p, resize=pillow(getattr(Image, wrong))) for p in seen])
    assert named(explain(tmp_path, edge, reference, records if sensor else None)) == ["resize"]


def grid(position):
    """Bilinear at other positions than half-pixel centres."""

    def resize(p, side):
        p = p.astype(np.float64)
        for axis in (0, 1):
            n = p.shape[axis]
            at = np.clip(position(np.arange(side), n, side), 0, n - 1)
            low = np.floor(at).astype(int)
            share = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
            p = np.take(p, low, axis) * (1 - share) + np.take(p, np.minimum(low + 1, n - 1), axis) * share
        return np.round(p).astype(np.uint8)

    return resize


GRIDS = {"asymmetric": lambda i, n, m: i * n / m, "align_corners": lambda i, n, m: i * (n - 1) / (m - 1)}


@pytest.mark.parametrize("name", GRIDS)
def test_grids(tmp_path, jpeg, name):
    records, seen = jpeg
    reference = normalize([preprocess(p, resize=opencv("INTER_LINEAR")) for p in seen])
    edge = normalize([preprocess(p, resize=grid(GRIDS[name])) for p in seen])
    verdict = explain(tmp_path, edge, reference, records)
    assert named(verdict) == ["resize"]
    assert finding(verdict, "input.resize")["evidence"]["edge_kernel"] == f"bilinear {name}"


def test_the_middle_s_nearest(tmp_path, jpeg):
    records, seen = jpeg
    reference = normalize([preprocess(p, resize=BILINEAR) for p in seen])
    edge = normalize([preprocess(p, resize=pillow(Image.NEAREST)) for p in seen])
    found = finding(explain(tmp_path, edge, reference, records), "input.resize")
    assert found["evidence"]["edge_kernel"] == "nearest exact"


@both
def test_compression_is_no_kernel(tmp_path, jpeg, sensor):
    records, seen = jpeg

    def again(p):
        out = io.BytesIO()
        Image.fromarray(p).save(out, "JPEG", quality=25)
        return np.asarray(Image.open(out).convert("RGB"))

    edge = normalize([preprocess(again(p)) for p in seen])
    verdict = explain(tmp_path, edge, normalize([preprocess(p) for p in seen]), records if sensor else None)
    assert named(verdict) in (["unknown"], ["decoder"])


def test_another_way_to_enlarge_chroma_is_healthy(tmp_path, pictures):
    made = [nv12(p) for p in pictures]
    repeated = [preprocess(from_yuv(yuv)) for _, yuv in made]

    def smooth(yuv):
        h, w = yuv.shape[:2]
        small = yuv[::2, ::2, 1:].astype(np.float32)
        planes = [np.asarray(Image.fromarray(small[..., c]).resize((w, h), Image.BILINEAR)) for c in range(2)]
        return np.dstack([yuv[..., 0], *planes])

    smoothed = [preprocess(from_yuv(smooth(yuv))) for _, yuv in made]
    assert named(explain(tmp_path, normalize(smoothed), normalize(repeated))) == []


# ---- Other readings of the sensor's bytes --------------------------------------------------------------


def as_i420(data, height, width):
    """NV12's bytes taken for I420."""
    flat = np.frombuffer(data, np.uint8).astype(float)
    y = flat[: height * width].reshape(height, width)
    chroma = flat[height * width :].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    return np.dstack([y, chroma.repeat(2, 0).repeat(2, 1)])


@both
def test_nv12_read_as_i420(tmp_path, pictures, sensor):
    made = [nv12(p) for p in pictures]
    records = [(data, PB["Media"](format="nv12", width=yuv.shape[1], height=yuv.shape[0])) for data, yuv in made]
    reference = normalize([preprocess(from_yuv(yuv)) for _, yuv in made])
    edge = normalize([preprocess(from_yuv(as_i420(data, *yuv.shape[:2]))) for data, yuv in made])
    verdict = explain(tmp_path, edge, reference, records if sensor else None)
    assert named(verdict) == ["color_space"]
    if sensor:
        assert finding(verdict, "input.color_space")["evidence"]["read_as"] == "i420"


@both
def test_yuyv_read_as_uyvy(tmp_path, pictures, sensor):
    records, right, wrong = [], [], []
    for p in pictures:
        _, yuv = nv12(p)
        h, w = yuv.shape[:2]
        packed = np.stack([yuv[:, ::2, 0], yuv[:, ::2, 1], yuv[:, 1::2, 0], yuv[:, ::2, 2]], -1)
        records.append((packed.astype(np.uint8).tobytes(), PB["Media"](format="yuyv", width=w, height=h)))
        right.append(preprocess(from_yuv(yuv)))
        u, y0, v, y1 = (packed[..., k] for k in range(4))
        swapped = np.zeros_like(yuv)
        swapped[:, ::2, 0], swapped[:, 1::2, 0] = y0, y1
        swapped[..., 1:] = np.stack([u, v], -1).repeat(2, 1)
        wrong.append(preprocess(from_yuv(swapped)))
    verdict = explain(tmp_path, normalize(wrong), normalize(right), records if sensor else None)
    assert named(verdict) == ["color_space"]


BLURS = {"0.7": ImageFilter.GaussianBlur(0.7), "3": ImageFilter.GaussianBlur(3), "box": ImageFilter.BoxBlur(1)}


@pytest.mark.parametrize("blur", BLURS)
def test_a_blur_is_no_jpeg_at_a_part_of_its_size(tmp_path, jpeg, blur):
    """Both are softer, and a smaller picture, or a part that moved a little, explains some of a blur."""
    records, seen = jpeg[0][:2], jpeg[1][:2]
    reference = [preprocess(p, side=224) for p in seen]
    edge = [np.asarray(Image.fromarray(p).filter(BLURS[blur])) for p in reference]
    verdict = explain(tmp_path, normalize(edge), normalize(reference), records)
    assert named(verdict) == ["resize"]
    assert "softer" in finding(verdict, "input.resize")["summary"]


@pytest.mark.parametrize("part", [2, 4, 8])
def test_a_jpeg_decoded_at_a_part_of_its_size(tmp_path, jpeg, part):
    """What Pillow's draft mode and thumbnailers do."""
    records, seen = jpeg

    def drafted(data):
        file = Image.open(io.BytesIO(data))
        size = file.width // part, file.height // part
        file.draft("RGB", size)
        assert abs(file.width - size[0]) <= 1, "Pillow chose another part"
        return np.asarray(file.convert("RGB"))

    reference = normalize([preprocess(p, resize=BILINEAR) for p in seen])
    edge = normalize([preprocess(drafted(data), resize=BILINEAR) for data, _ in records])
    verdict = explain(tmp_path, edge, reference, records)
    assert named(verdict) == ["decoder"]
    assert finding(verdict, "input.decoder")["evidence"]["read_as"] == f"jpeg/{part}"


@both
@pytest.mark.parametrize("exponent", [2.2, 1 / 2.2])
def test_a_gamma_before_the_resize(tmp_path, jpeg, sensor, exponent):
    records, seen = jpeg
    table = np.round(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    edge = normalize([preprocess(table[p], turns=1) for p in seen])
    verdict = explain(tmp_path, edge, normalize([preprocess(p) for p in seen]), records if sensor else None)
    assert named(verdict) == ["color_space", "rotation"]
    assert finding(verdict, "input.color_space")["evidence"]["gamma"] == pytest.approx(exponent, rel=0.04)


@pytest.mark.parametrize("pad", [12, 32])
@pytest.mark.parametrize("resize", [BICUBIC, opencv("INTER_LINEAR")], ids=["bicubic", "linear"])
def test_a_camera_s_stride_without_its_record(tmp_path, pictures, pad, resize):
    edge, seen = [], []
    for p in pictures:
        h, w = p.shape[:2]
        padded = np.pad(p, ((0, 0), (0, pad), (0, 0)))
        edge.append(preprocess(padded.reshape(-1)[: p.size].reshape(h, w, 3), resize=resize))
        seen.append(preprocess(p, resize=resize))
    assert named(explain(tmp_path, normalize(edge), normalize(seen))) == ["stride"]
