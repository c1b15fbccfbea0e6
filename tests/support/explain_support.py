"""A device's pre-processing in Python (Pillow, OpenCV, numpy: none of it ours), right and
wrong, and the logs that it leaves: what `exray validate` has to explain."""

import io

import numpy as np
import testdata
from log_writer import PB
from PIL import Image
from validate_support import Recording, causes, textures, validate

SIDE = 160
LITE0 = ((127, 127, 127), (128, 128, 128))


def scenes(count=8):
    """Pictures of several shapes, as a camera takes them."""
    files = testdata.pictures(4 * count)
    pictures = [np.asarray(Image.open(f).convert("RGB")) for f in files]
    pictures = [p for p in pictures if min(p.shape[:2]) >= 300][:count]
    if len(pictures) == count:
        return pictures
    shapes = [(375, 500), (400, 320), (333, 480), (360, 360)]
    large = textures(count, 512, seed=9)
    return [p[: shapes[i % 4][0], : shapes[i % 4][1]] for i, p in enumerate(large)]


# ---- Pre-processing: rgb, uint8 in and out ------------------------------------------------


def centre(fraction):
    def crop(p):
        h, w = p.shape[:2]
        side = int(np.floor(min(h, w) * fraction + 0.5))
        top, left = (h - side) // 2, (w - side) // 2
        return p[top : top + side, left : left + side]

    return crop


def whole(p):
    return p


def corner(fraction):
    return lambda p: p[: int(round(min(p.shape[:2]) * fraction)), : int(round(min(p.shape[:2]) * fraction))]


def pillow(kernel):
    return lambda p, side: np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize((side, side), kernel))


def opencv(kernel):
    import cv2

    return lambda p, side: cv2.resize(np.ascontiguousarray(p), (side, side), interpolation=getattr(cv2, kernel))


BICUBIC, BILINEAR = pillow(Image.BICUBIC), pillow(Image.BILINEAR)


def letterbox(p, resize, side, pad):
    h, w = p.shape[:2]
    scale = side / max(h, w)
    size = max(1, int(np.floor(w * scale + 0.5))), max(1, int(np.floor(h * scale + 0.5)))
    out = np.full((side, side, 3), pad, np.uint8)
    small = np.asarray(Image.fromarray(p).resize(size, resize))
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    out[top : top + size[1], left : left + size[0]] = small
    return out


def preprocess(p, crop=centre(0.875), resize=BICUBIC, side=SIDE, boxed=None, turns=0, mirror=None, order=(0, 1, 2)):
    p = letterbox(p, *boxed) if boxed else resize(crop(p), side)
    p = np.rot90(p, turns)
    if mirror is not None:
        p = np.flip(p, mirror)
    return p[..., list(order)]


# ---- YUV ----------------------------------------------------------------------------------

WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}


def to_yuv(p, matrix="bt601", full=False):
    kr, kb = WEIGHTS[matrix]
    r, g, b = (p[..., c].astype(float) for c in range(3))
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    if full:
        return np.stack([y, u + 128, v + 128], -1)
    return np.stack([16 + y * 219 / 255, 128 + u * 224 / 255, 128 + v * 224 / 255], -1)


def from_yuv(yuv, matrix="bt601", full=False):
    kr, kb = WEIGHTS[matrix]
    y, u, v = yuv[..., 0], yuv[..., 1] - 128, yuv[..., 2] - 128
    if not full:
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    g = (y - kr * r - kb * b) / (1 - kr - kb)
    return np.clip(np.round(np.stack([r, g, b], -1)), 0, 255).astype(np.uint8)


def nv12(p, stride=None, matrix="bt601", full=False):
    """The bytes of NV12, and what they decode to when read rightly."""
    p = p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2]
    h, w = p.shape[:2]
    yuv = np.clip(np.round(to_yuv(p, matrix, full)), 0, 255)
    small = yuv[..., 1:].reshape(h // 2, 2, w // 2, 2, 2).mean((1, 3)).round()
    yuv = np.dstack([yuv[..., 0], small.repeat(2, 0).repeat(2, 1)])
    stride = stride or w
    planes = np.zeros((h + h // 2, stride), np.uint8)
    planes[:h, :w] = yuv[..., 0]
    planes[h:, :w] = small.reshape(h // 2, w)
    return planes.tobytes(), yuv


def yuv_camera(pictures, **how):
    made = [nv12(p, **how) for p in pictures]
    records = [(data, PB["Media"](format="nv12", width=yuv.shape[1], height=yuv.shape[0], matrix=how.get("matrix", "bt601"),
                                  full_range=how.get("full", False), row_stride=how.get("stride") or 0))
               for data, yuv in made]
    return records, [yuv for _, yuv in made]


COLOURS = {
    "nv21": lambda yuv: from_yuv(yuv[..., [0, 2, 1]]),
    "bt709": lambda yuv: from_yuv(yuv, "bt709"),
    "full range": lambda yuv: from_yuv(yuv, full=True),
    "grey": lambda yuv: np.repeat(from_yuv(np.dstack([yuv[..., 0], yuv[..., 1:] * 0 + 128]))[..., :1], 3, -1),
}


# ---- Logs ------------------------------------------------------------------------------------


def encode(p, how):
    """(bytes, Media) of a picture."""
    if how == "rgb8":
        return np.ascontiguousarray(p).tobytes(), PB["Media"](format="rgb8", width=p.shape[1], height=p.shape[0])
    out = io.BytesIO()
    Image.fromarray(p).save(out, how.upper(), **({"quality": 95} if how == "jpeg" else {}))
    return out.getvalue(), PB["Media"](format=how)


def decoded(data, media):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) if media.format in ("jpeg", "png") else None


def normalize(pictures, mean=LITE0[0], std=LITE0[1]):
    return [((p.astype(np.float32) - np.float32(mean)) / np.float32(std)).astype(np.float32) for p in pictures]


def quantize(arrays, scale=1 / 128, zero_point=127, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return [np.clip(np.round(a / scale) + zero_point, limits.min, limits.max).astype(dtype) for a in arrays]


QUANTIZED = {"scale": [1 / 128], "zero_point": [127]}


def write(path, role, inputs, sensors=None, keywords=None):
    with Recording(path, role) as log:
        for i, array in enumerate(inputs):
            index = log.count
            tensors = [("/input/image", np.ascontiguousarray(array)[None], keywords or {})]
            if sensors:
                data, media = sensors[i]
                log.tensor("/sensor/camera", np.frombuffer(data, np.uint8), frame=index, media=media)
            tensors.append(("/output/probabilities", np.linspace(0, 1, 10, dtype=np.float32)[None], {}))
            log.frame(tensors)
    return path


def explain(folder, edge, reference, sensors=None, edge_keywords=None, reference_keywords=None, options=()):
    e = write(folder / "edge.mcap", "edge", edge, sensors, edge_keywords)
    r = write(folder / "reference.mcap", "reference", reference, sensors, reference_keywords)
    return validate(e, r, *options)


def named(verdict):
    return sorted(c.removeprefix("input.") for c in causes(verdict))


# ---- Faults ----------------------------------------------------------------------------------

UNIT = {"mean": (0, 0, 0), "std": (255, 255, 255)}

# name: (what the edge does, its normalization, causes with the sensor, causes without it)
FAULTS = {
    "rotated 90": (dict(turns=1), {}, "rotation"),
    "rotated 180": (dict(turns=2), {}, "rotation"),
    "rotated 270": (dict(turns=3), {}, "rotation"),
    "mirrored": (dict(mirror=1), {}, "flip"),
    "upside down": (dict(mirror=0), {}, "flip"),
    "transposed": (dict(turns=1, mirror=0), {}, "flip rotation"),
    "stretched": (dict(crop=whole), {}, "crop"),
    "letterboxed": (dict(boxed=(Image.BICUBIC, SIDE, 0)), {}, "crop"),
    "letterboxed on grey": (dict(boxed=(Image.BICUBIC, SIDE, 114)), {}, "crop"),
    "another fraction": (dict(crop=centre(0.7)), {}, "crop"),
    "all of the square": (dict(crop=centre(1)), {}, "crop"),
    "a corner": (dict(crop=corner(0.8)), {}, "crop"),
    "bilinear": (dict(resize=BILINEAR), {}, "resize"),
    "nearest": (dict(resize=pillow(Image.NEAREST)), {}, "resize"),
    "bgr, unit, rotated": (dict(turns=1, order=(2, 1, 0)), UNIT, "channel_order normalization rotation"),
    "letterboxed, bilinear": (dict(boxed=(Image.BILINEAR, SIDE, 0)), {}, "crop resize", "crop"),
    "stretched, bgr, mirrored": (dict(crop=whole, order=(2, 1, 0), mirror=1), {}, "channel_order crop flip"),
    "all": (dict(crop=centre(1), resize=BILINEAR, turns=2, order=(1, 2, 0)), UNIT,
            "channel_order crop normalization resize rotation", "channel_order crop normalization rotation"),
}
