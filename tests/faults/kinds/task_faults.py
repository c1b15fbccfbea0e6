"""What goes wrong with models of the tasks: before the model (a wrong pipeline), in what it returns, and in what the user is told.

Each fault has the causes that are right: the first is the exact one, others say the same of these data."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
from told_changes import each, each_vector, of_the_frame_before


@dataclass
class TaskFault:
    name: str
    causes: tuple
    change: Callable  # settings: (model) -> changed settings, or None; told: (list of Result) -> the same; outputs: (name, array, record) -> array
    where: str  # "input", "output", "told"
    models: tuple = ()  # (): all whose results are of the kind
    told: str = ""


def _settings(make):
    return lambda m: make(m, m.right)


def _normalization(m, r):
    return {"mean": (0,) * 3, "std": (255,) * 3} if r["std"][0] != 255 else {"mean": (127.5,) * 3, "std": (127.5,) * 3}


def _crop(m, r):
    if m.pictures == "lines":
        return None  # pictures of the model's shape
    if m.pictures == "faces":
        return {"crop": "center", "fraction": 0.8}  # square pictures
    return {"crop": "none"} if r.get("crop", "none") != "none" else {"crop": "letterbox", "pad": 0}


FRAMES, FORMAT = "output.frame_order", "output.box_format"
INPUT = [
    TaskFault("bgr", ("input.channel_order",), _settings(lambda m, r: {"channels": "rgb" if r.get("channels") == "bgr" else "bgr"}), "input"),
    TaskFault("other normalization", ("input.normalization", "input.quantization"), _settings(_normalization), "input"),
    TaskFault("not normalized", ("input.normalization", "input.quantization"), _settings(lambda m, r: {"mean": (0,) * 3, "std": (1,) * 3}), "input"),
    TaskFault("turned by 180 degrees", ("input.rotation",), _settings(lambda m, r: {"rotate": 180}), "input"),
    TaskFault("mirrored", ("input.flip",), _settings(lambda m, r: {"flip": "h"}), "input"),
    TaskFault("another crop", ("input.crop",), _settings(_crop), "input"),
    TaskFault("nearest neighbor", ("input.resize",), _settings(lambda m, r: None if m.pictures == "lines" else {"filter": "nearest", "antialias": 0}), "input"),
    TaskFault("layout", ("input.layout",), _settings(lambda m, r: {"layout": "nhwc" if r.get("layout") == "nchw" else "nchw"}), "input"),
]


# ---- What the user is told ---------------------------------------------------------------------


def _no_boxes(r):
    del r.boxes[:]
    del r.keypoints[:]


def _boxes(change):
    """change: [n, 4] x_min, y_min, x_max, y_max -> the same."""
    def one(r):
        for b in r.boxes:
            b.x_min, b.y_min, b.x_max, b.y_max = change(np.array([b.x_min, b.y_min, b.x_max, b.y_max]))
    return each(one)


def _one_box_less(r):
    if r.boxes:
        del r.boxes[0]


def _more_boxes(r):
    for b in list(r.boxes):
        for step in (0.015, -0.02):
            r.boxes.add().CopyFrom(b)
            r.boxes[-1].x_min += step
            r.boxes[-1].x_max += step
            r.boxes[-1].score *= 0.9


def _reverse(items):
    kept = [type(i).FromString(i.SerializeToString()) for i in items][::-1]
    del items[:]
    items.extend(kept)


def _ids(change, items):
    def one(r):
        for b in items(r):
            b.id = change(b.id)
            b.label = ""
    return each(one)


BOXES = [
    ("boxes mirrored", "output.postprocess", _boxes(lambda b: [1 - b[2], b[1], 1 - b[0], b[3]])),
    ("boxes turned", "output.postprocess", _boxes(lambda b: [b[1], 1 - b[2], b[3], 1 - b[0]])),
    ("boxes shifted", "output.postprocess", _boxes(lambda b: b + [0.06, 0.03, 0.06, 0.03])),
    ("letterbox not undone", "output.postprocess", _boxes(lambda b: [b[0], 0.5 + (b[1] - 0.5) * 0.75, b[2], 0.5 + (b[3] - 0.5) * 0.75])),
    ("x and y exchanged", FORMAT, _boxes(lambda b: b[[1, 0, 3, 2]])),
    ("boxes in pixels", "output.postprocess", _boxes(lambda b: b * 300)),
    ("center for corner", FORMAT, _boxes(lambda b: [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2, (b[0] + b[2]) / 2 + b[2] - b[0], (b[1] + b[3]) / 2 + b[3] - b[1]])),
    ("surest box missing", "output.postprocess", each(_one_box_less)),
    ("no suppression", "output.postprocess", each(_more_boxes)),
    ("boxes of the frame before", FRAMES, of_the_frame_before),
    ("no boxes at all", "output.postprocess", each(_no_boxes)),
]
MANY_BOXES = [  # where there are several boxes, of several classes
    ("worst box first", "output.postprocess", each(lambda r: _reverse(r.boxes))),
    ("class of a box off by one", "output.label_offset", _ids(lambda i: i + 1, lambda r: r.boxes)),
    ("all boxes of one class", "output.postprocess", _ids(lambda i: 0, lambda r: r.boxes)),
]


def _mask(change):
    def one(r):
        m = r.mask
        size = np.dtype("<u2" if m.wide else "u1")
        made = change(np.frombuffer(m.ids, size).reshape(m.height, m.width))
        m.height, m.width, m.ids = made.shape[0], made.shape[1], np.ascontiguousarray(made).astype(size).tobytes()
    return each(one)


def _next_class(a):
    none = np.iinfo(a.dtype).max
    return np.where((a == none) | (a == 0), a, a + 1)


MASKS = [
    ("mask mirrored", "output.postprocess", _mask(lambda a: a[:, ::-1])),
    ("mask turned by 180 degrees", "output.postprocess", _mask(lambda a: a[::-1, ::-1])),
    ("mask along another axis", "output.postprocess", _mask(lambda a: a.T)),
    ("mask shifted", "output.postprocess", _mask(lambda a: np.roll(a, 9, 1))),
    ("mask of nothing", "output.postprocess", _mask(lambda a: a * 0)),
    ("mask of the frame before", FRAMES, of_the_frame_before),
]


def _points(change):
    """change: [n, 2] -> the same."""
    def one(r):
        made = change(np.array([[p.x, p.y] for p in r.keypoints]))
        for p, (x, y) in zip(r.keypoints, made):
            p.x, p.y = x, y
    return each(one)


POINTS = [
    ("points mirrored", "output.postprocess", _points(lambda p: p * [-1, 1] + [1, 0])),
    ("x and y exchanged", "output.postprocess", _points(lambda p: p[:, ::-1])),
    ("points in pixels", "output.postprocess", _points(lambda p: p * 192)),
    ("points shifted", "output.postprocess", _points(lambda p: p + [0.05, -0.03])),
    ("crop not undone", "output.postprocess", _points(lambda p: 0.5 + (p - 0.5) * 0.8)),
    ("points in another order", "output.postprocess", _points(lambda p: p[::-1])),
    ("points of the frame before", FRAMES, of_the_frame_before),
]


def _text(change):
    def one(r):
        r.text = change(r.text)
    return each(one)


TEXTS = [
    ("repeats kept", "output.postprocess", _text(lambda t: "".join(c * 2 for c in t))),
    ("text reversed", "output.postprocess", _text(lambda t: t[::-1])),
    ("last letter cut off", "output.postprocess", _text(lambda t: t.strip()[:-1])),
    ("another alphabet", "output.postprocess", _text(lambda t: "".join(chr(ord(c) + 1) for c in t))),
    ("spaces lost", "output.postprocess", _text(lambda t: t.replace(" ", ""))),
    ("text of the frame before", FRAMES, of_the_frame_before),
    ("no text", "output.postprocess", _text(lambda t: "")),
]


VECTORS = [
    ("vector negated", "output.postprocess", each_vector(lambda v: -v)),
    ("vector scaled", "output.postprocess", each_vector(lambda v: v * 17)),
    ("vector rolled", "output.postprocess", each_vector(lambda v: np.roll(v, 1))),
    ("vector cut in half", "output.postprocess", each_vector(lambda v: np.where(np.arange(len(v)) < len(v) // 2, v, 0))),
    ("vector of the frame before", FRAMES, of_the_frame_before),
]

# ---- What the model returns (results left out on both sides) -----------------------------------


def _logit(p):
    p = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def _yolo(change):
    """change: [4 + classes, n] -> the same."""
    return lambda name, a, m: change(a.reshape(22, -1).copy())


def _rows(first, change):
    def changed(t):
        t[first] = change(t[first])
        return t
    return changed


def _of(part, change):
    """An output whose name has `part`."""
    return lambda name, a, m: change(a) if part in name else a


def _map(change, classes=21, side=257):
    return lambda name, a, m: change(a.reshape(side, side, classes))


OUTPUTS = [
    TaskFault("boxes in shares", ("output.box_format", "output.dequantization"), _yolo(_rows(slice(0, 4), lambda b: b / 320)), "output", ("yolo8",)),
    TaskFault("corners for center and size", ("output.box_format",), _yolo(lambda t: np.concatenate([t[:2] - t[2:4] / 2, t[:2] + t[2:4] / 2, t[4:]])), "output",
              ("yolo8",)),
    TaskFault("x and y exchanged", ("output.box_format", "output.order"), _yolo(lambda t: t[[1, 0, 3, 2, *range(4, 22)]]), "output", ("yolo8",)),
    TaskFault("sigmoid missing", ("output.activation",), _yolo(_rows(slice(4, 22), _logit)), "output", ("yolo8",)),
    TaskFault("boxes in another order", ("output.order",), _yolo(lambda t: t[:, ::-1]), "output", ("yolo8",)),
    TaskFault("sigmoid done already", ("output.activation",), _of("classificators", lambda a: 1 / (1 + np.exp(-a.astype(np.float64)))), "output", ("face",)),
    TaskFault("map mirrored", ("output.order",), _map(lambda a: a[:, ::-1]), "output", ("deeplab",)),
    TaskFault("map turned by 180 degrees", ("output.order",), _map(lambda a: a[::-1, ::-1]), "output", ("deeplab",)),
    TaskFault("map transposed", ("output.order",), _map(lambda a: a.transpose(1, 0, 2)), "output", ("deeplab",)),
    TaskFault("map shifted", ("output.order",), _map(lambda a: np.roll(a, 12, 1)), "output", ("deeplab",)),
    TaskFault("points in shares", ("output.dequantization", "output.box_format", "model.operator"), lambda name, a, m: a / 192 if a.size == 1404 else a, "output", ("face_points",)),
    TaskFault("log of the scores", ("output.activation",), lambda name, a, m: np.log(np.maximum(a, 1e-30)), "output", ("read",)),
    TaskFault("not of length 1", ("output.dequantization", "output.activation", "model.operator"), lambda name, a, m: a * 23.5, "output", ("features",)),
]

KINDS = {"boxes": BOXES, "mask": MASKS, "points": POINTS, "text": TEXTS, "vector": VECTORS}


def causes(name):
    """The format of boxes is of what is told, too; results of another frame are told either way."""
    return {FRAMES: ("output.postprocess", FRAMES), FORMAT: (FORMAT, "output.postprocess")}.get(name, (name,))


def of(model):
    """All faults of a model."""
    told = KINDS[model.told] + (MANY_BOXES if model.name == "ssd" else [])
    return (INPUT + [TaskFault(name, causes(cause), change, "told") for name, cause, change in told]
            + [f for f in OUTPUTS if model.name in f.models])
