"""Recording logs."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, Union

import numpy as np

from exray._errors import ArgumentError, StateError, encode, make_error, text
from exray._exray import ffi, lib
from exray._log import Frame, Log
from exray._types import (DTYPE_NAMES, KINDS, NO_INDEX, Box, ClassScore, Keeper, Media, Model, Quantization, TensorInfo,
                          log_dtype)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_KIND = {name: number for number, name in enumerate(KINDS)}
_ROLES = {"edge": 0, "reference": 1}
_COMPRESSIONS = {"none": 0, "lz4": 1, "zstd": 2}
_MAGIC = [(b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"RIFF", "wav")]
_FORMAT_OF_CHANNELS = {1: "gray8", 3: "rgb8", 4: "rgba8"}

ClassLike = Union[ClassScore, Tuple[int, float], Tuple[int, float, str]]


class _Tensor:
    """An exray_tensor that records of one kind, place, type and shape share."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.tensor = self.keeper.new("exray_tensor *")


def _pack(array: "NDArray[Any]") -> "NDArray[np.uint8]":
    """4-bit values, one to a byte, as the log has them: two to a byte, the first in the low nibble."""
    flat: "NDArray[np.uint8]" = array.reshape(-1).astype(np.int8).view(np.uint8) & np.uint8(15)
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    packed: "NDArray[np.uint8]" = flat[0::2] | (flat[1::2] << np.uint8(4))
    return packed


class _FrameScope:
    """What Recorder.frame() returns: begins the frame at `with`, ends it after."""

    def __init__(self, recorder: "Recorder", index: Optional[int], source: Optional[str],
                 label: Optional[int]) -> None:
        self._recorder = recorder
        self._index, self._source, self._label = index, source, label

    def __enter__(self) -> "Recorder":
        self._recorder._begin(self._index, self._source, self._label)
        return self._recorder

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._recorder._end(kind is None)


class Recorder:
    """Writes a log.

        with exray.Recorder("ref.mcap", capture="full") as r:
            with r.frame(source="cat.jpg", label=281):
                r.image("camera", picture)
                r.input("image", tensor)
                r.output("probabilities", scores)

    path          the file, created or truncated
    role          "edge" or "reference"
    capture       "off" < "frame" < "io" < "stats" < "sketch" < "full": how much is kept
    layers        "Conv*,#3-9": names and node indices of the layers that are kept
    replay_of     the log whose frames these are (or its log_id): frames then match by their index
    compression   "none", "lz4", "zstd"
    io_data       False: statistics instead of the data of sensor and input records
    every_nth, first_frames, byte_budget, chunk_size, ring_size   limits, 0: none or the usual (exray.h)
    task, session, device, app, metadata    what the log says of itself

    Arrays are taken as they are: whatever NumPy makes an array of without a copy (CPU tensors of PyTorch, too),
    is written from where it lies if it is contiguous and little-endian, and copied once if not.  They may be
    changed as soon as a call returns.  FileError where the file cannot be written.  Errors are the recorder's:
    after the first, every call raises it.  A recorder belongs to one thread at a time.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]", *, role: str = "reference",
                 capture: Optional[str] = None, layers: Optional[str] = None,
                 replay_of: "Union[Log, str, None]" = None, compression: str = "none", io_data: bool = True,
                 every_nth: int = 0, first_frames: int = 0, byte_budget: int = 0, chunk_size: int = 0,
                 ring_size: int = 0, task: Optional[str] = None, session: Optional[str] = None,
                 device: Optional[str] = None, app: Optional[str] = None,
                 metadata: Optional[Mapping[str, str]] = None) -> None:
        self._recorder: Any = None
        keeper = Keeper()
        config = keeper.new("exray_config *")
        if role not in _ROLES:
            raise ArgumentError(f"role is 'edge' or 'reference', not {role!r}")
        if compression not in _COMPRESSIONS:
            raise ArgumentError(f"compression is one of {', '.join(_COMPRESSIONS)}, not {compression!r}")
        if capture is not None:
            config.capture = lib.exray_capture_from_name(encode(capture))
            if config.capture < 0:
                raise ArgumentError(f"capture is off, frame, io, stats, sketch or full, not {capture!r}")
        if isinstance(replay_of, Log):
            replay_of = replay_of.metadata.get("log_id", "")
        config.role = _ROLES[role]
        config.compression = _COMPRESSIONS[compression]
        config.codec = lib.exray_codecs()
        config.no_io_data = not io_data
        texts = {"layers": layers, "task": task, "session": session, "replay_of": replay_of, "device": device,
                 "app": app}
        for name, value in texts.items():
            setattr(config, name, keeper.text(value or ""))
        numbers = {"every_nth": every_nth, "first_frames": first_frames, "byte_budget": byte_budget,
                   "chunk_size": chunk_size, "ring_size": ring_size}
        for name, number in numbers.items():
            setattr(config, name, number)
        if metadata:
            config.metadata, config.metadata_count = keeper.pairs(metadata), len(metadata)
        self.path: str = os.fspath(path)
        self._tensors: Dict[Any, _Tensor] = {}
        self._model: Optional[Model] = None
        self._by_name: Dict[Tuple[str, str], int] = {}
        self._in_frame = False
        self._serial = 0  # frames begun so far
        recorder = ffi.new("exray_recorder *")
        status = lib.exray_open_file(recorder, os.fsencode(self.path), config)
        if status:
            raise make_error(status, text(lib.exray_error_message(recorder)))
        self._recorder = recorder

    # ---- Its life ------------------------------------------------------------------

    @property
    def _r(self) -> Any:
        if self._recorder is None:
            raise StateError(f"the recorder of {self.path} is closed")
        return self._recorder

    def _check(self, status: int) -> None:
        if status:
            raise make_error(status, text(lib.exray_error_message(self._recorder)))

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if kind is None:
            self.close()
        elif self._recorder is not None:
            lib.exray_close(self._recorder)
            self._recorder = None

    def __del__(self) -> None:
        if getattr(self, "_recorder", None) is not None:
            lib.exray_close(self._recorder)

    def close(self) -> None:
        """Ends the log and closes the file; raises the first error of the recorder's life.  A second one does
        nothing."""
        if self._recorder is None:
            return
        recorder, self._recorder = self._recorder, None
        status = lib.exray_close(recorder)
        if status:
            raise make_error(status, text(lib.exray_error_message(recorder)))

    @property
    def dropped(self) -> int:
        """Records that found no room and were dropped, so far."""
        return int(lib.exray_dropped(self._r))

    @property
    def has_model(self) -> bool:
        """Whether the model was described."""
        return bool(lib.exray_has_model(self._r))

    # ---- Frames --------------------------------------------------------------------

    def frame(self, of: Optional[Frame] = None, *, index: Optional[int] = None, source: Optional[str] = None,
              label: Optional[int] = None) -> _FrameScope:
        """A frame, for `with`.  `of`: a frame of the log that is replayed, whose index, source and label are
        taken.  `index`: larger than every one before; default: the next."""
        if of is not None:
            index = of.index if index is None else index
            source = of.source if source is None else source
            label = of.label if label is None else label
        return _FrameScope(self, index, source, label)

    def _begin(self, index: Optional[int], source: Optional[str], label: Optional[int]) -> None:
        name = encode(source, "a frame's source") if source else ffi.NULL
        if index is None:
            self._check(lib.exray_frame_begin(self._r, name))
        else:
            self._check(lib.exray_frame_begin_at(self._r, index, name))
        self._in_frame = True
        self._serial += 1
        if label is not None:
            self._check(lib.exray_frame_label(self._r, int(label)))

    def _end(self, raising: bool) -> None:
        self._in_frame = False
        if self._recorder is None:
            return
        status = lib.exray_frame_end(self._recorder)
        if raising:
            self._check(status)

    @property
    def frame_index(self) -> int:
        """Index of the open frame, else of the next one."""
        return int(lib.exray_frame_index(self._r))

    def inference_ns(self, nanoseconds: int) -> None:
        """What the engine's call took; taps call it."""
        self._check(lib.exray_frame_inference(self._r, int(nanoseconds)))

    def elapsed_ns(self) -> int:
        """Nanoseconds since the frame began."""
        return int(lib.exray_frame_elapsed(self._r))

    # ---- Tensors --------------------------------------------------------------------

    def wants(self, kind: str, index: Optional[int] = None, name: Optional[str] = None) -> bool:
        """Whether such a record would be kept now: what is not wanted need not be fetched."""
        what = ffi.NULL if name is None else encode(name)
        return bool(lib.exray_wants(self._r, _KIND[kind], NO_INDEX if index is None else index, what))

    def _described(self, kind: str, index: int, output: int, name: str) -> Optional[int]:
        """The tensor's position in the model that was recorded."""
        if self._model is None:
            return None
        if kind == "constant":
            return index if index < len(self._model.tensors) else None
        if kind == "layer":
            outputs = self._model.nodes[index].outputs if index < len(self._model.nodes) else ()
            return outputs[output] if output < len(outputs) else None
        return self._by_name.get((kind, name))

    def _make(self, kind: str, index: int, output: int, name: str, dtype: "np.dtype[Any]", shape: Tuple[int, ...],
              layout: str, quantization: Optional[Quantization]) -> _Tensor:
        made = _Tensor()
        t = made.tensor
        t.kind, t.index, t.output = _KIND[kind], index, output
        position = self._described(kind, index, output, name)
        info = TensorInfo(name, DTYPE_NAMES[log_dtype(dtype)], shape, layout, quantization, kind == "constant")
        if position is not None and self._model is not None:
            known = self._model.tensors[position]
            t.in_model, t.model_tensor = True, position
            t.info_differs = known.dtype != info.dtype or known.shape != info.shape or quantization is not None
            quantization = quantization or (known.quantization if known.dtype == info.dtype else None)
            info = TensorInfo(name or known.name, info.dtype, shape, layout or known.layout, quantization, info.constant)
        made.keeper.fill_info(t.info, info)
        return made

    def _tensor(self, kind: str, index: int, output: int, name: str, array: "ArrayLike", layout: str = "",
                scale: "Union[float, Sequence[float], None]" = None,
                zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0, occurrence: int = 0) -> None:
        a = np.asarray(array)
        if a.dtype.byteorder == ">":
            a = a.astype(a.dtype.newbyteorder("<"))
        if not a.flags.c_contiguous:
            a = np.ascontiguousarray(a)
        quantization = None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float64)).tolist()
            zeros = [] if zero_point is None else np.atleast_1d(np.asarray(zero_point, np.int64)).tolist()
            quantization = Quantization(tuple(scales), tuple(zeros), axis)
        key = (kind, index, output, name, a.dtype, a.shape, layout, quantization)
        made = self._tensors.get(key)
        if made is None:
            made = self._make(kind, index, output, name, a.dtype, a.shape, layout, quantization)
            if len(self._tensors) > 65536:  # shapes that never come again must not fill the memory
                self._tensors.clear()
            self._tensors[key] = made
        if a.dtype.name in ("int4", "uint4"):
            a = _pack(a)
        t = made.tensor
        t.occurrence = occurrence
        t.data = ffi.cast("void *", a.__array_interface__["data"][0]) if a.dtype.kind != "V" else \
            ffi.cast("void *", a.ctypes.data)
        t.size = a.nbytes
        self._check(lib.exray_record_tensor(self._r, t))

    def stage(self, name: str, array: "ArrayLike", *, layout: str = "") -> None:
        """A named intermediate value of the application: /stage/NAME."""
        self._tensor("stage", NO_INDEX, 0, name, array, layout)

    def input(self, name: str, array: "ArrayLike", *, layout: str = "",
              scale: "Union[float, Sequence[float], None]" = None,
              zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0) -> None:
        """What the model was given: /input/NAME.  scale, zero_point: of a quantized tensor, where model() has not
        said them."""
        self._tensor("input", NO_INDEX, 0, name, array, layout, scale, zero_point, axis)

    def output(self, name: str, array: "ArrayLike", *, layout: str = "",
               scale: "Union[float, Sequence[float], None]" = None,
               zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0) -> None:
        """What the model returned: /output/NAME."""
        self._tensor("output", NO_INDEX, 0, name, array, layout, scale, zero_point, axis)

    def layer(self, index: int, name: str, array: "ArrayLike", *, output: int = 0, occurrence: int = 0,
              layout: str = "", scale: "Union[float, Sequence[float], None]" = None,
              zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0) -> None:
        """An output of node `index`; `name` is the tensor's."""
        self._tensor("layer", index, output, name, array, layout, scale, zero_point, axis, occurrence)

    def constant(self, index: int, array: "ArrayLike", *, name: str = "") -> None:
        """The weights in tensor `index` of the model; after model(), before the first frame."""
        self._tensor("constant", index, 0, name, array)

    # ---- Sensors ----------------------------------------------------------------------

    def image(self, name: str, pixels: "ArrayLike", *, format: Optional[str] = None, width: int = 0, height: int = 0,
              row_stride: int = 0, matrix: str = "", full_range: bool = False, rotation: int = 0) -> None:
        """A raw picture: /sensor/NAME.  [height, width, 3] uint8 is RGB unless `format` says "bgr8"; of other
        formats (nv12, yuyv, ...: Media.format) give the bytes and width and height."""
        a = np.ascontiguousarray(pixels)
        if a.dtype != np.uint8:
            raise ArgumentError(f"a picture has uint8 pixels, not {a.dtype}")
        channels = a.shape[2] if a.ndim == 3 else 1
        if format is None:
            if a.ndim not in (2, 3) or channels not in _FORMAT_OF_CHANNELS:
                raise ArgumentError(f"a picture of shape {a.shape} needs a format, width and height")
            format = _FORMAT_OF_CHANNELS[channels]
        if a.ndim >= 2 and not width and not height:
            height, width = a.shape[:2]
        keeper = Keeper()
        media = keeper.new("exray_media *")
        keeper.fill_media(media, Media(format, width, height, row_stride, matrix, full_range, rotation))
        self._check(lib.exray_record_image(self._r, encode(name), media, ffi.from_buffer(a), a.nbytes))

    def encoded(self, name: str, data: bytes, format: Optional[str] = None) -> None:
        """An encoded file, byte for byte: /sensor/NAME.  format: "jpeg", "png" or "wav"; told from the bytes."""
        if format is None:
            format = next((f for magic, f in _MAGIC if data[: len(magic)] == magic), None)
        if format is None:
            raise ArgumentError("the bytes are no JPEG, PNG or WAV file; use image() for pixels")
        self._check(lib.exray_record_encoded(self._r, encode(name), encode(format), ffi.from_buffer(data), len(data)))

    def sensor(self, name: str, data: "Union[bytes, ArrayLike]", **media: Any) -> None:
        """encoded() for bytes, image() for arrays."""
        if isinstance(data, (bytes, bytearray, memoryview)):
            self.encoded(name, bytes(data), **media)
        else:
            self.image(name, data, **media)

    def reading(self, name: str, values: "Union[float, Sequence[float]]", unit: str = "") -> None:
        """A peripheral sensor: /reading/NAME."""
        numbers = [float(v) for v in np.atleast_1d(np.asarray(values, np.float64))]
        self._check(lib.exray_record_reading(self._r, encode(name), ffi.new("double[]", numbers), len(numbers),
                                             encode(unit)))

    def scalar(self, name: str, value: float) -> None:
        """Frame.values[name]."""
        self._check(lib.exray_record_scalar(self._r, encode(name), float(value)))

    def span(self, name: str, nanoseconds: Optional[int] = None) -> "_Span":
        """Frame.spans_ns[name]: a time that is known, or, with `with`, what the body takes."""
        if nanoseconds is not None:
            self._check(lib.exray_record_span(self._r, encode(name), int(nanoseconds)))
        return _Span(self, name)

    # ---- Results ----------------------------------------------------------------------

    def classes(self, classes: "Union[Iterable[ClassLike], NDArray[Any]]", *, top: int = 5,
                labels: Optional[Sequence[str]] = None) -> None:
        """/result: (id, score[, label]) of each class, best first; or the vector of all scores, of which the best
        `top` are kept."""
        if isinstance(classes, np.ndarray):
            scores = classes.reshape(-1)
            best = np.argsort(-scores.astype(np.float64), kind="stable")[:top]
            classes = [(int(i), float(scores[i]), labels[i] if labels else "") for i in best]
        self._result(classes, (), "")

    def boxes(self, boxes: Iterable[Box]) -> None:
        """/result of a detector."""
        self._result((), boxes, "")

    def text(self, text: str) -> None:
        """/result as text."""
        self._result((), (), text)

    def _result(self, classes: Iterable[ClassLike], boxes: Iterable[Box], text: str) -> None:
        keeper = Keeper()
        all_classes = [c if isinstance(c, ClassScore) else ClassScore(*c) for c in classes]
        all_boxes = list(boxes)
        result = keeper.new("exray_result *")
        c_classes = keeper.new("exray_class[]", max(len(all_classes), 1))
        for i, c in enumerate(all_classes):
            c_classes[i].id, c_classes[i].score, c_classes[i].label = int(c.id), float(c.score), keeper.text(c.label)
        c_boxes = keeper.new("exray_box[]", max(len(all_boxes), 1))
        for i, b in enumerate(all_boxes):
            for name in ("x_min", "y_min", "x_max", "y_max", "score", "id"):
                setattr(c_boxes[i], name, getattr(b, name))
            c_boxes[i].label = keeper.text(b.label)
        result.classes, result.class_count = c_classes, len(all_classes)
        result.boxes, result.box_count = c_boxes, len(all_boxes)
        result.text = keeper.text(text)
        self._check(lib.exray_record_result(self._r, result))

    # ---- The model, and the rest ---------------------------------------------------------

    def model(self, model: Model) -> None:
        """Describes the model: once, and before its first layer.  From then on tensors of its names and
        positions need no quantization of their own."""
        keeper = Keeper()
        self._check(lib.exray_record_model(self._r, keeper.model(model)))
        self._model = model
        self._tensors.clear()
        for kind, positions in (("input", model.inputs), ("output", model.outputs)):
            for position in positions:
                self._by_name.setdefault((kind, model.tensors[position].name), position)

    def latency(self, nodes: Sequence[int], start_ns: Sequence[int], duration_ns: Sequence[int]) -> None:
        """/latency: what each node of the frame took; starts from the frame's begin (elapsed_ns())."""
        if not len(nodes) == len(start_ns) == len(duration_ns):
            raise ArgumentError("nodes, start_ns and duration_ns have different lengths")
        self._check(lib.exray_record_latency(self._r, ffi.new("uint32_t[]", list(nodes)),
                                             ffi.new("uint64_t[]", list(start_ns)),
                                             ffi.new("uint64_t[]", list(duration_ns)), len(nodes)))

    def attach(self, name: str, data: bytes, media_type: str = "") -> None:
        """An attachment: a pipeline file, a label file."""
        self._check(lib.exray_attach(self._r, encode(name), encode(media_type), ffi.from_buffer(data), len(data)))


class _Span:
    """Measures a `with` body."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder, self._name, self._began = recorder, name, 0

    def __enter__(self) -> None:
        self._began = time.perf_counter_ns()

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if kind is None:
            self._recorder.span(self._name, time.perf_counter_ns() - self._began)


__all__: List[str] = ["ClassLike", "Recorder"]
