"""What callers give the recorder, checked before C sees it.  Only descriptions of data are
checked, not a tensor's values, which may be many."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable as IterableABC
from collections.abc import Sized as SizedABC
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

import numpy as np

from exray._errors import ArgumentError, UnsupportedError, encode, show
from exray._types import Box, ClassScore, Keypoint, Media, Model, Node, Quantization, TensorInfo, Vector, has_log_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

UINT32 = 0xFFFFFFFF
UINT64 = 0xFFFFFFFFFFFFFFFF
_INT64 = 1 << 63
_MAX_RANK = 8
_FORMATS = ("rgb8", "bgr8", "rgba8", "bgra8", "argb8", "rgb565", "gray8", "gray16", "nv12", "nv21", "i420", "yv12", "yuyv",
            "uyvy", "p010", *(f"bayer_{order}{bits}" for order in ("rggb", "grbg", "gbrg", "bggr") for bits in (8, 10, 12, 16)))
_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "argb8": 4, "gray8": 1}
_PIXEL_BYTES = {"yuyv": 2, "uyvy": 2, "rgb565": 2, "gray16": 2, "p010": 2,
                **{f: 2 for f in _FORMATS if f.startswith("bayer_") and not f.endswith("8")}}
_FORMAT_OF_CHANNELS = {1: "gray8", 3: "rgb8", 4: "rgba8"}
_MATRICES = ("", "bt601", "bt709", "bt2020")
_ROTATIONS = (0, 90, 180, 270)
_FILES = ("jpeg", "png", "wav")


# ---- Numbers and words -----------------------------------------------------------------


def whole(value: Any, what: str, low: int = 0, high: int = UINT64) -> int:
    """A whole number within a range; neither 3.7 nor True is one."""
    if not isinstance(value, (bool, np.bool_)):
        try:
            number = operator.index(value)
        except TypeError:
            pass
        else:
            if low <= number <= high:
                return number
            raise ArgumentError(f"{what} is {low} to {high}, not {number}")
    raise ArgumentError(f"{what} is a whole number, not {type(value).__name__}: {show(value)}")


def number(value: Any, what: str) -> float:
    """A float from anything that converts to one, except text."""
    if not isinstance(value, (str, bytes)):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
    raise ArgumentError(f"{what} is a number, not {type(value).__name__}: {show(value)}")


def choice(value: Any, choices: Mapping[str, T], what: str) -> T:
    """What the name stands for."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(f"{what} is one of {', '.join(choices)}, not {show(value)}")
    return choices[value]


def optional_label(value: Any) -> Optional[int]:
    """A frame's true class.  3.0 is accepted: pandas makes floats of a column with gaps."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return None if value is None else whole(value, "a frame's label", -_INT64, _INT64 - 1)


_NAME_MOST = 1000


def record_name(name: Any, what: str) -> bytes:
    """A record's name as C takes it; raises for names that C would refuse."""
    if not isinstance(name, str):
        raise ArgumentError(f"{what} is a str, not {type(name).__name__}: {show(name)}")
    encoded = encode(name, what)
    if not 0 < len(encoded) <= _NAME_MOST:
        raise ArgumentError(f"{what} has {len(encoded)} bytes; it takes 1 to {_NAME_MOST}")
    return encoded


def source_name(source: "Union[str, os.PathLike[str], None]") -> Optional[str]:
    """A frame's source, as text or as a path."""
    if isinstance(source, os.PathLike):
        source = os.fsdecode(source)
    if source is not None and len(encode(source, "a frame's source")) > _NAME_MOST:
        raise ArgumentError(f"a frame's source has {len(source)} characters; {_NAME_MOST} bytes are the most")
    return source


# ---- Tensors ---------------------------------------------------------------------------


def array_of(value: Any, what: str) -> "NDArray[Any]":
    """An array, without a copy where NumPy needs none."""
    refuse_masked(value, what)
    try:
        return np.asarray(value)
    except Exception as error:  # whatever an __array__ of somebody's raises
        line = " ".join(str(error).split())
        raise ArgumentError(f"{what}: NumPy makes no array of this {type(value).__name__}: {line}") from error


def refuse_masked(value: Any, what: str) -> None:
    """A log has no masks, and what lies under one is arbitrary."""
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError(f"{what} is a masked array, and a log has no masks: give .filled(VALUE)")


def check_tensor(what: str, dtype: "np.dtype[Any]", shape: Tuple[int, ...], layout: Any) -> None:
    """Whether a log can hold such a tensor."""
    if dtype.kind == "O":
        raise UnsupportedError(f"{what} is an array of Python objects (rows of different lengths, None?), which a log "
                               "cannot hold: make it an array of numbers first")
    if not has_log_dtype(dtype):
        raise UnsupportedError(f"{what}: a log has no tensors of NumPy's type {dtype}; convert the array first")
    if len(shape) > _MAX_RANK:
        raise ArgumentError(f"{what} has {len(shape)} dimensions; a log's tensors have {_MAX_RANK} at most")
    check_layout(what, layout, len(shape))


def check_layout(what: str, layout: Any, rank: int) -> None:
    """A layout has a capital letter for each dimension; readers look for those they know (N, C, H, W)."""
    encode(layout, f"the layout of {what}")
    if layout and not (layout.isascii() and layout.isalpha() and layout.isupper()):
        raise ArgumentError(f"{what}: a layout is capital letters, one for each dimension (NHWC, NCHW, HWC, CHW, NC, "
                            f"...), not {show(layout)}")
    if layout and len(layout) != rank:
        raise ArgumentError(f"{what}: the layout {show(layout)} has {len(layout)} letters, but the tensor has {rank} "
                            "dimensions")


def _vector(value: Any, what: str) -> "NDArray[Any]":
    array = array_of(value, what)
    if array.ndim > 1 or not array.size:
        raise ArgumentError(f"{what} is one number, or one for each slice along `axis`, not of shape {array.shape}")
    return array.reshape(-1)


def _scales(scale: Any, what: str) -> Tuple[float, ...]:
    array = _vector(scale, f"{what}: scale")
    if array.dtype.kind not in "iuf":
        raise ArgumentError(f"{what}: a scale is a number, not {show(scale)}")
    with np.errstate(over="ignore", under="ignore"):
        stored = array.astype(np.float32)  # as the log has it
    for given, kept in zip(array.tolist(), stored.tolist()):
        if not 0 < kept < math.inf:
            raise ArgumentError(f"{what}: a scale is a finite float32 above 0, not {given!r}")
    return tuple(array.astype(np.float64).tolist())


def _range(dtype: "np.dtype[Any]") -> Optional[Tuple[int, int]]:
    """The smallest and the largest value of an integer type."""
    if dtype.name in ("int4", "uint4"):
        return (-8, 7) if dtype.name == "int4" else (0, 15)
    if dtype.kind not in "iu":
        return None
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _zero_points(zero_point: Any, what: str, dtype: "np.dtype[Any]") -> Tuple[int, ...]:
    array = _vector(zero_point, f"{what}: zero_point")
    if array.dtype.kind == "f" and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ArgumentError(f"{what}: a zero_point is a whole number, not {show(zero_point)}")
    low, high = _range(dtype) or (-_INT64, _INT64 - 1)
    for value in array.tolist():
        if not max(low, -_INT64) <= value <= min(high, _INT64 - 1):
            raise ArgumentError(f"{what}: the zero_point {value} is no {dtype.name} ({low} to {high})")
    return tuple(array.tolist())


def _check_pairs(what: str, scales: Tuple[float, ...], zeros: Tuple[int, ...]) -> None:
    """A zero point for each scale, or one for all."""
    if len(zeros) > 1 and len(zeros) != len(scales):
        raise ArgumentError(f"{what}: {len(scales)} scales and {len(zeros)} zero points; give as many of each, or one "
                            "zero point")


def quantization(what: str, dtype: "np.dtype[Any]", shape: Tuple[int, ...], scale: Any, zero_point: Any,
                 axis: Any) -> Optional[Quantization]:
    """A tensor's quantization as the caller gives it, or None."""
    if scale is None:
        if zero_point is not None:
            raise ArgumentError(f"{what}: a zero_point says nothing without a scale; give both, or describe the tensor "
                                "with model()")
        return None
    scales = _scales(scale, what)
    zeros = () if zero_point is None else _zero_points(zero_point, what, dtype)
    if dtype.kind not in "iuV" or dtype.name.startswith(("float", "bfloat")):
        raise ArgumentError(f"{what}: a tensor of {dtype.name} is not quantized: a scale is for integers")
    _check_pairs(what, scales, zeros)
    along = whole(axis, f"{what}: axis", 0, max(len(shape) - 1, 0))
    if len(scales) > 1 and (not shape or shape[along] != len(scales)):
        raise ArgumentError(f"{what}: {len(scales)} scales, but dimension {along} of {list(shape)} has another size; "
                            "say the `axis` they go along")
    return Quantization(scales, zeros, along)


# ---- Sensors ---------------------------------------------------------------------------


def _picture_format(what: str, pixels: "NDArray[Any]", format: Optional[str]) -> str:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if format is None:
        if pixels.ndim not in (2, 3) or channels not in _FORMAT_OF_CHANNELS:
            raise ArgumentError(f"{what} has the shape {list(pixels.shape)}: a picture is [height, width] or [height, "
                                "width, 1, 3 or 4]; of other formats give format, width and height")
        return _FORMAT_OF_CHANNELS[channels]
    if format not in _FORMATS:
        raise ArgumentError(f"{what}: a picture's format is one of {', '.join(_FORMATS)}, not {show(format)}")
    if pixels.ndim == 3 and _CHANNELS.get(format, channels) != channels:
        raise ArgumentError(f"{what} has {channels} channels, but {format} has {_CHANNELS[format]}")
    return format


def _picture_size(what: str, pixels: "NDArray[Any]", media: Media) -> Tuple[int, int]:
    """Width and height: as given, else the array's."""
    if bool(media.width) != bool(media.height):
        raise ArgumentError(f"{what}: give width and height, or neither")
    one = media.format in ("gray8", "gray16") or media.format.startswith("bayer_")
    is_array = (media.format in _CHANNELS and pixels.ndim == 3) or (
        one and pixels.ndim == 2 and pixels.itemsize == _PIXEL_BYTES.get(media.format, 1))
    if not media.width and not is_array:
        raise ArgumentError(f"{what} has the shape {list(pixels.shape)}: for bytes of {media.format} give width and "
                            "height")
    if not media.width:
        return pixels.shape[1], pixels.shape[0]
    if is_array and not media.row_stride and (media.height, media.width) != pixels.shape[:2]:
        raise ArgumentError(f"{what} is {pixels.shape[1]} x {pixels.shape[0]} pixels, not {media.width} x "
                            f"{media.height}; leave width and height out, or say the row_stride")
    return media.width, media.height


def _least_bytes(media: Media) -> int:
    """Bytes of such a picture; the last row may lack its padding."""
    pixel = _PIXEL_BYTES.get(media.format, _CHANNELS.get(media.format, 1))
    row = media.row_stride or media.width * pixel
    if media.format in ("nv12", "nv21", "i420", "yv12", "p010"):
        return row * media.height + 2 * ((media.height + 1) // 2) * ((media.width + 1) // 2) * pixel
    return row * (media.height - 1) + media.width * pixel


def picture(name: str, pixels: "NDArray[Any]", format: Optional[str], width: Any, height: Any, row_stride: Any,
            matrix: str, full_range: bool, rotation: Any) -> Media:
    """The arguments of image() for a picture, checked to be consistent."""
    what = f"image {name!r}"
    words = pixels.dtype == np.dtype("<u2") and isinstance(format, str) and _PIXEL_BYTES.get(format) == 2
    if pixels.dtype != np.uint8 and not words:
        raise ArgumentError(f"{what}: a picture has uint8 pixels, not {pixels.dtype}")
    if not pixels.size:
        raise ArgumentError(f"{what} has no pixels: its shape is {list(pixels.shape)}")
    turned = whole(rotation, f"{what}: rotation", -UINT32, UINT32)
    if turned not in _ROTATIONS:
        raise ArgumentError(f"{what}: a rotation is 0, 90, 180 or 270 degrees, not {show(rotation)}")
    if matrix not in _MATRICES:
        raise ArgumentError(f"{what}: a matrix is bt601, bt709 or bt2020, not {show(matrix)}")
    media = Media(_picture_format(what, pixels, format), whole(width, f"{what}: width", 0, UINT32 >> 1),
                  whole(height, f"{what}: height", 0, UINT32 >> 1),
                  whole(row_stride, f"{what}: row_stride", 0, UINT32), matrix, bool(full_range), turned)
    w, h = _picture_size(what, pixels, media)
    media = Media(media.format, w, h, media.row_stride, media.matrix, media.full_range, media.rotation)
    if pixels.nbytes < _least_bytes(media):
        raise ArgumentError(f"{what} has {pixels.nbytes} bytes; {w} x {h} pixels of {media.format} take "
                            f"{_least_bytes(media)}")
    return media


def samples(name: str, given: Any) -> "NDArray[Any]":
    """A sound's samples, [length, channels] of int16 or float32."""
    what = f"sound {show(name)}"
    a = array_of(given, what)
    if a.dtype == np.float64 or a.dtype == np.float16:
        a = a.astype(np.float32)
    if a.dtype not in (np.int16, np.float32) or a.ndim not in (1, 2) or (a.ndim == 2 and not 1 <= a.shape[1] <= 1024):
        raise ArgumentError(f"{what} is int16 or floats, [length] or [length, channels], not {a.dtype} {list(a.shape)}")
    return np.ascontiguousarray(a.reshape(len(a), -1) if a.size else a.reshape(0, a.shape[1] if a.ndim == 2 else 1))


def bytes_of(data: Any, what: str) -> memoryview:
    """Bytes from anything with a buffer."""
    try:
        view = memoryview(data)
        return view.cast("B") if view.contiguous and view.nbytes else memoryview(bytes(view))
    except (TypeError, ValueError, NotImplementedError):
        raise ArgumentError(f"{what} is bytes (of a file: Path.read_bytes()), not {type(data).__name__}") from None


def _told_format(head: bytes) -> Optional[str]:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "wav" if head[:4] == b"RIFF" and head[8:12] == b"WAVE" else None


def file_format(name: str, data: memoryview, format: Optional[str]) -> str:
    """The format of an encoded file, by its first bytes."""
    if format is not None and format not in _FILES:
        raise ArgumentError(f"encoded {name!r}: a format is one of {', '.join(_FILES)}, not {show(format)}")
    told = _told_format(bytes(data[:12]))
    if told is None:
        wanted = "JPEG, PNG or WAV" if format is None else format.upper()
        raise ArgumentError(f"encoded {name!r}: the bytes are no {wanted} file; use image() for pixels")
    if format is not None and format != told:
        raise ArgumentError(f"encoded {name!r}: the bytes are a {told.upper()} file, not {show(format)}")
    return told


def readings(name: str, values: Any) -> List[float]:
    """The numbers of a reading."""
    array = array_of(values, f"reading {name!r}")
    if array.ndim > 1 or array.dtype.kind not in "biuf":
        raise ArgumentError(f"reading {name!r} is a number or a list of numbers, not {show(values)}")
    return [float(v) for v in array.reshape(-1)]


# ---- Results ---------------------------------------------------------------------------


def best_classes(scores: "NDArray[Any]", top: int, labels: Optional[Sequence[str]]) -> List[ClassScore]:
    """The best of a vector of all scores; NaN last: a score that is none is what one wants to see in the log."""
    refuse_masked(scores, "classes(): the vector of scores")
    if scores.dtype.kind not in "biuf" and not has_log_dtype(scores.dtype):
        raise ArgumentError(f"classes(): scores are numbers, not {scores.dtype}")
    flat = scores.reshape(-1).astype(np.float64)
    if labels is not None and (isinstance(labels, str) or not isinstance(labels, SizedABC)):
        raise ArgumentError(f"classes(): labels is a list of names, not {show(labels)}")
    names = labels if labels is not None and len(labels) else None
    if names is not None and len(names) < flat.size:
        raise ArgumentError(f"classes(): {flat.size} scores, but only {len(names)} labels; give one for each class")
    best = np.argsort(-flat, kind="stable")[:top]
    return [ClassScore(int(i), float(flat[i]), "" if names is None else names[int(i)]) for i in best]


def given_classes(classes: Iterable[Any]) -> List[ClassScore]:
    """Classes that a caller lists."""
    out = []
    if not isinstance(classes, IterableABC):
        raise ArgumentError(f"classes() takes (id, score[, label]) of each class, or a NumPy array of all scores, not "
                            f"{type(classes).__name__}")
    for one in classes:
        if not isinstance(one, ClassScore):
            if not isinstance(one, (tuple, list)) or not 2 <= len(one) <= 3:
                raise ArgumentError(f"classes() takes (id, score[, label]) of each class, or a NumPy array of all "
                                    f"scores, not {show(one)}")
            one = ClassScore(*one)
        out.append(ClassScore(whole(one.id, "a class's id", -_INT64, _INT64 - 1),
                              number(one.score, f"the score of class {one.id}"), one.label))
    return out


def given_boxes(boxes: Iterable[Any]) -> List[Box]:
    """Boxes that a caller lists."""
    if not isinstance(boxes, IterableABC):
        raise ArgumentError(f"boxes() takes a list of exray.Box, not {type(boxes).__name__}")
    out = []
    for box in boxes:
        if not isinstance(box, Box):
            raise ArgumentError(f"boxes() takes a list of exray.Box, not one of {type(box).__name__}: {show(box)}")
        edges = [number(getattr(box, name), f"{name} of a box")
                 for name in ("x_min", "y_min", "x_max", "y_max")]
        out.append(Box(edges[0], edges[1], edges[2], edges[3], whole(box.id, "a box's id", -_INT64, _INT64 - 1),
                       number(box.score, "the score of a box"), box.label, given_corners(box.corners), bool(box.crowd)))
    return out


def given_corners(corners: Any) -> Optional[Tuple[float, ...]]:
    """x and y of four corners, one after another or in pairs."""
    if corners is None:
        return None
    flat = array_of(corners, "the corners of a box").reshape(-1)
    if flat.size != 8 or flat.dtype.kind not in "biuf":
        raise ArgumentError(f"the corners of a box are x and y of four corners, not {show(corners)}")
    return tuple(float(v) for v in flat)


def given_keypoints(points: Any) -> List[Keypoint]:
    """Points that a caller lists: exray.Keypoint, or an array of x, y and perhaps a score, whose rows are the ids."""
    if isinstance(points, np.ndarray):
        if points.ndim != 2 or points.shape[1] not in (2, 3) or points.dtype.kind not in "biuf":
            raise ArgumentError("keypoints() takes a list of exray.Keypoint, or an array [n, 2] of x and y or [n, 3] with "
                                f"scores, not one of the shape {list(points.shape)}")
        refuse_masked(points, "keypoints()")
        return [Keypoint(float(row[0]), float(row[1]), 0.0, float(row[2]) if len(row) > 2 else 1.0, i)
                for i, row in enumerate(points)]
    if not isinstance(points, IterableABC):
        raise ArgumentError(f"keypoints() takes a list of exray.Keypoint, not {type(points).__name__}")
    out = []
    for point in points:
        if not isinstance(point, Keypoint):
            raise ArgumentError(f"keypoints() takes a list of exray.Keypoint, not one of {type(point).__name__}: "
                                f"{show(point)}")
        x, y, z, score = (number(getattr(point, name), f"{name} of a keypoint") for name in ("x", "y", "z", "score"))
        out.append(Keypoint(x, y, z, score, whole(point.id, "a keypoint's id", -_INT64, _INT64 - 1)))
    return out


def given_mask(ids: Any, ignore: Optional[int]) -> "NDArray[Any]":
    """A class for each pixel as uint8 or, where they do not fit, uint16; pixels of the value `ignore` get the highest."""
    array = array_of(ids, "mask()")
    if array.ndim != 2 or array.dtype.kind not in "biu":
        raise ArgumentError(f"mask() takes whole numbers [height, width], the class of each pixel, not {show(ids)}")
    skip = None if ignore is None else array == whole(ignore, "ignore", -_INT64, _INT64 - 1)
    counted = array if skip is None else array[~skip]
    least, most = (int(counted.min()), int(counted.max())) if counted.size else (0, 0)
    if least < 0 or most > 0xFFFF:
        raise ArgumentError(f"mask(): a class is 0 to 65534, not {least if least < 0 else most}")
    wide = array.dtype == np.uint16 or most > 0xFF or (skip is not None and most == 0xFF)
    out = np.where(False if skip is None else skip, 0, array).astype("<u2" if wide else np.uint8)
    if skip is not None:
        out[skip] = 0xFFFF if wide else 0xFF
    return np.ascontiguousarray(out)


def given_vector(name: Any, values: Any) -> Vector:
    """Numbers with a name."""
    array = array_of(values, f"vector {name!r}")
    if array.dtype.kind not in "biuf" and not has_log_dtype(array.dtype):
        raise ArgumentError(f"vector {name!r} is a list of numbers, not {show(values)}")
    return Vector(name, tuple(float(v) for v in array.reshape(-1).astype(np.float32)))


# ---- The model -------------------------------------------------------------------------


def check_model(model: Model) -> None:
    """Checks that a model described by the caller is consistent."""
    if not isinstance(model, Model):
        raise ArgumentError(f"model() takes an exray.Model, not {type(model).__name__}")
    for what, kind in (("tensors", TensorInfo), ("nodes", Node), ("inputs", object), ("outputs", object)):
        values = getattr(model, what)
        if not isinstance(values, (tuple, list)) or not all(isinstance(one, kind) for one in values):
            raise ArgumentError(f"Model.{what} is a tuple of {'positions' if kind is object else kind.__name__}, not "
                                f"{show(values)}")
    whole(model.threads, "Model.threads", 0, UINT32)
    for position, info in enumerate(model.tensors):
        _check_info(f"tensor {position} ({info.name!r}) of the model", info)
    for index, node in enumerate(model.nodes):
        _check_node(f"node {index} ({node.op})", node, len(model.tensors))
    for what, positions in (("inputs", model.inputs), ("outputs", model.outputs)):
        for position in positions:
            whole(position, f"a position in Model.{what}, of {len(model.tensors)} tensors,", 0,
                  len(model.tensors) - 1)


def _check_info(what: str, info: TensorInfo) -> None:
    for size in info.shape:
        whole(size, f"{what}: a dimension (-1: unknown)", -1, _INT64 - 1)
    if len(info.shape) > _MAX_RANK:
        raise ArgumentError(f"{what} has {len(info.shape)} dimensions; a log's tensors have {_MAX_RANK} at most")
    check_layout(what, info.layout, len(info.shape))
    q = info.quantization
    if q is None:
        return
    scales = _scales(q.scale, what) if len(q.scale) else ()
    zeros = _zero_points(q.zero_point, what, _numpy_dtype(info.dtype)) if len(q.zero_point) else ()
    _check_pairs(what, scales, zeros)
    whole(q.axis, f"{what}: axis", 0, max(len(info.shape) - 1, 0))


def _numpy_dtype(name: str) -> "np.dtype[Any]":
    """The type, as far as a zero point must fit it."""
    return np.dtype(name) if name in _INTEGERS else np.dtype(np.int64)


_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def _check_node(what: str, node: Node, tensors: int) -> None:
    whole(node.subgraph, f"{what}: subgraph", 0, UINT32)
    for position in (*node.inputs, *node.outputs):
        if position is not None:
            whole(position, f"{what}: a position among {tensors} tensors", 0, tensors - 1)
    for inner in node.inner:
        _check_node(f"{what}, inner {inner.op}", inner, tensors)


# ---- Options ---------------------------------------------------------------------------


def numbers(given: Dict[str, Tuple[Any, int]]) -> Dict[str, int]:
    """Options that are counts: name, (value, largest)."""
    return {name: whole(value, name, 0, most) for name, (value, most) in given.items()}
