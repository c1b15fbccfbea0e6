"""The sensor's bytes decoded otherwise: chroma with another pixel stride, inks, indices of a palette."""

import io

import numpy as np
import pytest
from explain_support import explain, named
from log_writer import PB
from PIL import Image
from validate_support import finding, textures

WIDE, HIGH, SIDE = 160, 120, 96


@pytest.fixture(scope="module")
def camera():
    return [p[:HIGH, :WIDE] for p in textures(5, WIDE, seed=12)]


def norm(p, width=SIDE, height=72):
    p = np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize((width, height), Image.BILINEAR))
    return ((p.astype(np.float32) - 128) / 128).astype(np.float32)


def text(found):
    return " ".join([found["summary"], *found["details"]])


def judged(tmp_path, edge, reference, sensor):
    """Wrong on the edge, and the same on both sides."""
    assert explain(tmp_path, edge, edge, sensor)["verdict"] == "pass"
    verdict = explain(tmp_path, edge, reference, sensor)
    assert named(verdict) == ["color_space"]
    return text(finding(verdict, "input.color_space"))


# ---- Two planes in one ----

STRIDE = 176


def planes(p):
    """Y, U, V of BT.601's limited range."""
    r, g, b = (p[..., i].astype(float) for i in range(3))
    y, u, v = 16 + .257 * r + .504 * g + .098 * b, 128 - .148 * r - .291 * g + .439 * b, 128 + .439 * r - .368 * g - .071 * b
    half = lambda q: q.reshape(HIGH // 2, 2, WIDE // 2, 2).mean((1, 3))
    return [np.clip(np.round(q), 0, 255).astype(np.uint8) for q in (y, half(u), half(v))]


def rgb(y, u, v):
    y, u, v = 1.164 * (y.astype(float) - 16), *(q.repeat(2, 0).repeat(2, 1).astype(float) - 128 for q in (u, v))
    return np.clip(np.round(np.stack([y + 1.596 * v, y - .813 * v - .391 * u, y + 2.018 * u], -1)), 0, 255).astype(np.uint8)


def buffers(p, order):
    y, u, v = planes(p)
    chroma = np.zeros((HIGH // 2, STRIDE), np.uint8)
    chroma[:, :WIDE] = np.stack([u, v] if order == "nv12" else [v, u], -1).reshape(HIGH // 2, WIDE)
    return np.pad(y, ((0, 0), (0, STRIDE - WIDE))), chroma


def misread(p, order, packed):
    y, chroma = buffers(p, order)
    first = [chroma.ravel()[k:] for k in ((0, 1) if order == "nv12" else (1, 0))]
    row = WIDE // 2 if packed else STRIDE
    u, v = (np.stack([f[i * row:i * row + WIDE // 2] for i in range(HIGH // 2)]) for f in first)
    return rgb(y[:, :WIDE], u, v)


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "packed"])
@pytest.mark.parametrize("order", ["nv12", "nv21"])
def test_a_pixel_stride_of_two_taken_for_one(tmp_path, camera, order, packed):
    sensor = [(b"".join(q.tobytes() for q in buffers(p, order)), PB["Media"](format=order, width=WIDE, height=HIGH, row_stride=STRIDE)) for p in camera]
    says = judged(tmp_path, [norm(misread(p, order, packed)) for p in camera], [norm(rgb(*planes(p))) for p in camera], sensor)
    assert "pixel stride of 2" in says and ("without padding" in says) == packed


# ---- Files ----


def file_of(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def inks(p):
    ink = 255 - p.astype(np.int32)
    black = ink.min(-1)
    colors = np.clip(255 * (ink - black[..., None]) / np.maximum(255 - black, 1)[..., None], 0, 255)
    return file_of(Image.fromarray(np.dstack([colors, black]).astype(np.uint8), "CMYK"), "JPEG", quality=95)


INKS = {
    "without black": (lambda four: 255 - four[..., :3], "black ink"),
    "not inverted": (lambda four: four[..., :3] * four[..., 3:] // 255, "not inverted"),
}


@pytest.mark.parametrize("name", INKS)
def test_inks(tmp_path, camera, name):
    change, words = INKS[name]
    files = [inks(p) for p in camera]
    opened = [Image.open(io.BytesIO(f)) for f in files]
    edge = [norm(change(np.asarray(i).astype(np.int32)).astype(np.uint8)) for i in opened]
    assert words in judged(tmp_path, edge, [norm(np.asarray(i.convert("RGB"))) for i in opened], [(f, PB["Media"](format="jpeg")) for f in files])


@pytest.mark.parametrize("colors", [100, 250])
def test_indices_of_a_palette(tmp_path, camera, colors):
    made = [Image.fromarray(p).quantize(colors) for p in camera]
    edge = [norm(np.asarray(i)[..., None].repeat(3, -1)) for i in made]
    says = judged(tmp_path, edge, [norm(np.asarray(i.convert("RGB"))) for i in made], [(file_of(i, "PNG"), PB["Media"](format="png")) for i in made])
    assert "palette" in says


# ---- Gray ----

GRAYS = {
    "largest": (lambda p: p.max(-1), "largest"), "smallest": (lambda p: p.min(-1), "smallest"),
    "extremes": (lambda p: np.round((p.max(-1).astype(float) + p.min(-1)) / 2).astype(np.uint8), "lightness"),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", GRAYS)
def test_gray_that_is_no_mixture(tmp_path, camera, name, channels):
    change, words = GRAYS[name]
    put = lambda g: norm(g)[..., None].repeat(channels, -1)
    sensor = [(p.tobytes(), PB["Media"](format="rgb8", width=WIDE, height=HIGH)) for p in camera]
    reference = [put(np.asarray(Image.fromarray(p).convert("L"))) for p in camera]
    assert words in judged(tmp_path, [put(change(p)) for p in camera], reference, sensor)


@pytest.mark.parametrize("channels", [1, 3])
def test_gray_of_gray_pictures_tells_no_way(tmp_path, camera, channels):
    """All ways make the same of them: noise on one side is none."""
    gray = [p.mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1) for p in camera]
    sensor = [(p.tobytes(), PB["Media"](format="rgb8", width=WIDE, height=HIGH)) for p in gray]
    reference = [norm(p[..., 0])[..., None].repeat(channels, -1) for p in gray]
    rng = np.random.default_rng(2)
    edge = [(r + rng.normal(0, .02, r.shape[:2])[..., None]).astype(np.float32) for r in reference]
    assert "color_space" not in named(explain(tmp_path, edge, reference, sensor))
