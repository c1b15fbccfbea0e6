"""Reading logs."""

from __future__ import annotations

import operator
import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Tuple, Type, Union, overload

import numpy as np

from exray import _files as files
from exray._errors import (ArgumentError, FormatError, NotRecorded, StateError, encode, encode_path, need, new_error,
                           raise_filled, show, text)
from exray._exray import ffi, lib
from exray._types import (KINDS, Box, ClassScore, Media, Model, Result, Sketch, Stats, TensorInfo, info_from_c,
                          media_from_c, model_from_c, numpy_dtype, stats_from_c)

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray

#: A name; a position or a node's index; (node, output) or (node, output, occurrence).
Key = Union[str, int, Tuple[int, ...]]


class _Handle:
    """The C log, open as long as somebody refers to it: arrays do, too."""

    def __init__(self, path: bytes) -> None:
        error = new_error()
        pointer = lib.exray_log_open(path, error)
        if pointer == ffi.NULL:
            raise_filled(error)
        self.path = os.fsdecode(path)
        self.identity = files.identity(path)
        files.readers.add(self)  # a recorder would cut the file that is mapped here
        self.log = ffi.gc(pointer, lib.exray_log_close)
        self.slot = ffi.gc(lib.exray_slot_new(), lib.exray_slot_free)
        self.lock = threading.Lock()
        self.view = ffi.new("exray_tensor_view *")
        self.error = new_error()

    def owned(self, data: Any, size: int) -> memoryview:
        """Bytes of the file, without a copy; they keep the log open."""
        # The destructor does nothing: that it refers to `self` is the point.
        owner = ffi.gc(ffi.cast("uint8_t *", data), lambda _, handle=self: None)
        return memoryview(ffi.buffer(owner, size)).toreadonly()

    def take(self, data: Any, size: int) -> memoryview:
        """Bytes that were read: as they lie in the file, else (in the slot) a copy."""
        if size == 0:
            return memoryview(b"")
        if lib.xr_py_is_mapped(self.log, data):
            return self.owned(data, size)
        return memoryview(bytes(ffi.buffer(data, size)))


class Tensor:
    """One tensor record.  Nothing of it is read before it is asked for.

    The data that raw(), numpy() and values() give are independent of the log's close().
    """

    def __init__(self, handle: _Handle, record: Any) -> None:
        self._handle = handle
        self._record = record
        self._info: Optional[TensorInfo] = None
        self._data: Optional[memoryview] = None
        self._stats: Optional[Stats] = None
        self._sketch: Optional[Sketch] = None
        self._media: Optional[Media] = None
        self._count = 0

    def __repr__(self) -> str:
        return f"<exray.Tensor {self.topic} {self.dtype}{list(self.shape)}>"

    @property
    def topic(self) -> str:
        """The record's topic, such as "/layer/3"."""
        return text(self._record.topic)

    @property
    def kind(self) -> str:
        """ "sensor", "stage", "input", "layer", "output" or "constant"."""
        return str(KINDS[self._record.kind])

    @property
    def index(self) -> int:
        """The node of a layer, the tensor of a constant; else 0xFFFFFFFF."""
        return int(self._record.index)

    @property
    def output(self) -> int:
        """Which of the node's outputs it is."""
        return int(self._record.output)

    @property
    def occurrence(self) -> int:
        """The how-manieth execution of the node within the frame, from 0."""
        return int(self._record.occurrence)

    @property
    def has_data(self) -> bool:
        """Whether the data was kept, not only statistics."""
        return bool(self._record.has_data)

    def _read(self) -> TensorInfo:
        if self._info is not None:
            return self._info
        h = self._handle
        with h.lock:
            view = h.view
            if lib.exray_log_read_tensor(h.log, self._record, h.slot, view, h.error):
                raise_filled(h.error)
            if view.data != ffi.NULL:
                self._data = h.take(view.data, view.size)
            if view.has_stats:
                self._stats = stats_from_c(view.stats)
            if view.has_sketch:
                s = view.sketch
                bucket = np.frombuffer(bytes(ffi.buffer(s.bucket, 4 * s.count)), np.float32) if s.count else \
                    np.empty(0, np.float32)
                self._sketch = Sketch(s.version, s.seed, bucket)
            if view.has_media:
                self._media = media_from_c(view.media)
            self._count = int(view.count)
            self._info = info_from_c(view.info)
        return self._info

    @property
    def info(self) -> TensorInfo:
        """Name, type, shape, quantization: of the record, else of the model."""
        return self._read()

    @property
    def name(self) -> str:
        """The name in the topic; of a layer the tensor's."""
        return text(self._record.name) if self.kind not in ("layer", "constant") else self.info.name

    @property
    def dtype(self) -> str:
        """The type's name in the log: "float32", "int4", "bfloat16", ..."""
        return self._read().dtype

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape; a dimension that only the run knew is filled in where one alone is missing."""
        shape = self._read().shape
        if shape.count(-1) == 1:
            known = int(np.prod([n for n in shape if n >= 0], dtype=np.int64))
            if known:
                return tuple(self._count // known if n < 0 else n for n in shape)
        return shape

    @property
    def stats(self) -> Optional[Stats]:
        """Statistics, where they were recorded (in place of the data, as a rule)."""
        self._read()
        return self._stats

    @property
    def sketch(self) -> Optional[Sketch]:
        """The sketch, where one was recorded."""
        self._read()
        return self._sketch

    @property
    def media(self) -> Optional[Media]:
        """How a sensor record's bytes are to be understood."""
        self._read()
        return self._media

    def raw(self) -> memoryview:
        """The data's bytes, little-endian, C order, read-only; without a copy where the log is not compressed.
        NotRecorded where they were not kept."""
        self._read()
        if self._data is None:
            raise NotRecorded(f"the data of {self.topic} was not kept; record with more capture")
        return self._data

    def numpy(self) -> "NDArray[Any]":
        """The data as stored, in the tensor's shape: a read-only array that keeps what it lies in alive, without a
        copy where the log is not compressed.  int4 and uint4 are unpacked (a copy) to int8 and uint8; bfloat16
        and float8 need the package ml_dtypes.  NotRecorded, UnsupportedError (strings), FormatError."""
        data = self.raw()
        if self.dtype in ("int4", "uint4"):
            array = _unpack(np.frombuffer(data, np.uint8), self.dtype == "int4", self._count)
        else:
            dtype = numpy_dtype(self.dtype)
            if self._count * dtype.itemsize > len(data):
                raise FormatError(f"{self.topic}: its data is shorter than its shape says")
            array = np.frombuffer(data, dtype, self._count)
        return array.reshape(self.shape) if -1 not in self.shape else array

    def values(self) -> "NDArray[np.float32]":
        """The data dequantized, as float32: a view where it is such already, else a new array.
        NotRecorded, UnsupportedError (strings), FormatError."""
        info = self._read()
        if info.dtype == "float32" and info.quantization is None:
            return self.numpy()
        self.raw()
        h = self._handle
        with h.lock:
            view = h.view
            values = ffi.new("float const **")
            if lib.exray_log_read_values(h.log, self._record, h.slot, view, values, h.error):
                raise_filled(h.error)
            out = np.empty(int(view.count), np.float32)
            ffi.memmove(ffi.from_buffer(out), values[0], out.nbytes)
        return out.reshape(self.shape) if -1 not in self.shape else out


def _unpack(packed: "NDArray[np.uint8]", signed: bool, count: int) -> "NDArray[Any]":
    """Two values to a byte, the first in the low nibble."""
    if count > 2 * packed.size:
        raise FormatError("a 4-bit tensor's data is shorter than its shape says")
    both = np.empty((packed.size, 2), np.uint8)
    both[:, 0] = packed & 15
    both[:, 1] = packed >> 4
    flat: "NDArray[Any]" = both.reshape(-1)[:count]
    if signed:
        flat = ((flat ^ 8).astype(np.int8) - 8).astype(np.int8)
    flat.flags.writeable = False
    return flat


class Tensors(Mapping[Key, Tensor]):
    """The tensors of one kind in a frame.  A key is a name, or a position; of layers the node's index, a layer's
    name, or (node, output[, occurrence])."""

    def __init__(self, kind: str, tensors: List[Tensor], names: Mapping[str, int]) -> None:
        self._kind = kind
        self._order: Dict[Key, Tensor] = {}
        self._names = names
        for tensor in tensors:
            self._order[self._key(tensor)] = tensor

    def _key(self, tensor: Tensor) -> Key:
        if self._kind not in ("layer", "constant"):
            return text(tensor._record.name)
        if tensor.occurrence:
            return (tensor.index, tensor.output, tensor.occurrence)
        return (tensor.index, tensor.output) if tensor.output else tensor.index

    def __getitem__(self, key: Key) -> Tensor:
        if isinstance(key, tuple):
            trimmed: Key = key if len(key) > 2 and key[2] else key[:2]
            if isinstance(trimmed, tuple) and len(trimmed) == 2 and trimmed[1] == 0:
                trimmed = trimmed[0]
            key = trimmed
        if key in self._order:
            return self._order[key]
        if isinstance(key, int) and self._kind not in ("layer", "constant"):
            if not -len(self._order) <= key < len(self._order):
                raise self._missing(key)
            return list(self._order.values())[key]
        if isinstance(key, str) and key in self._names and self._names[key] in self._order:
            return self._order[self._names[key]]
        raise self._missing(key)

    def _missing(self, key: object) -> KeyError:
        there = [str(k) for k in self._order][:12] + (["..."] if len(self._order) > 12 else [])
        return KeyError(f"the frame has no {self._kind} {key!r}; there are: {', '.join(there) or 'none'}")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __repr__(self) -> str:
        return f"<exray.Tensors {self._kind}: {', '.join(str(k) for k in self._order)}>"


class Frame:
    """One run of the model.  Valid as long as somebody holds it, also after the log's close()."""

    def __init__(self, log: "Log", handle: _Handle, position: int) -> None:
        self._log = log
        self._handle = handle
        self._position = position
        self._frame = lib.exray_log_frame(handle.log, position)
        self._tensors: Optional[Dict[str, Tensors]] = None

    def __repr__(self) -> str:
        return f"<exray.Frame {self.index} {self.source!r}>"

    @property
    def index(self) -> int:
        """Frame.index in the log; replays keep it."""
        return int(self._frame.index)

    @property
    def source(self) -> str:
        """What it is of: a file, a camera; "" where unknown."""
        return text(self._frame.source)

    @property
    def label(self) -> Optional[int]:
        """The true class, where known."""
        return int(self._frame.label) if self._frame.has_label else None

    @property
    def begin_ns(self) -> int:
        """The recorder's monotonic clock when the frame began."""
        return int(self._frame.begin_ns)

    @property
    def end_ns(self) -> int:
        """The same when it ended."""
        return int(self._frame.end_ns)

    @property
    def inference_ns(self) -> int:
        """What the engine's call took; 0 where unknown."""
        return int(self._frame.inference_ns)

    @property
    def complete(self) -> bool:
        """Whether the frame was ended before the log was."""
        return bool(self._frame.complete)

    @property
    def values(self) -> Dict[str, float]:
        """Custom scalars by name."""
        count = ffi.new("size_t *")
        found = lib.exray_log_frame_values(self._handle.log, self._position, count)
        return {text(found[i].name): found[i].value for i in range(count[0])}

    @property
    def spans_ns(self) -> Dict[str, int]:
        """Custom spans by name, in nanoseconds."""
        count = ffi.new("size_t *")
        found = lib.exray_log_frame_spans(self._handle.log, self._position, count)
        return {text(found[i].name): found[i].nanoseconds for i in range(count[0])}

    def _records(self) -> Iterator[Any]:
        records = lib.exray_log_records(self._handle.log, self._position)
        for i in range(self._frame.record_count):
            yield records + i

    def _of(self, kind: str) -> Tensors:
        if self._tensors is None:
            found: Dict[str, List[Tensor]] = {k: [] for k in KINDS}
            for record in self._records():
                if record.message == lib.EXRAY_MESSAGE_TENSOR:
                    found[KINDS[record.kind]].append(Tensor(self._handle, record))
            names = self._log._layer_names()
            self._tensors = {k: Tensors(k, v, names if k == "layer" else {}) for k, v in found.items()}
        return self._tensors[kind]

    @property
    def sensors(self) -> Tensors:
        """What was captured, before any pre-processing, by name."""
        return self._of("sensor")

    @property
    def stages(self) -> Tensors:
        """Named intermediate values of the application."""
        return self._of("stage")

    @property
    def inputs(self) -> Tensors:
        """What the model was given, by name or position."""
        return self._of("input")

    @property
    def layers(self) -> Tensors:
        """Outputs of nodes, by the node's index or name."""
        return self._of("layer")

    @property
    def outputs(self) -> Tensors:
        """What the model returned, by name or position."""
        return self._of("output")

    def _message(self, message: int, kind: str, read: Any) -> Iterator[Tuple[Any, Any]]:
        """Records of one message, read; valid until the next."""
        h = self._handle
        for record in self._records():
            if record.message == message:
                out = ffi.new(kind)
                with h.lock:
                    if read(h.log, record, h.slot, out, h.error):
                        raise_filled(h.error)
                    yield record, out

    @property
    def latency(self) -> List[Tuple[int, int, int]]:
        """(node, start, duration) of each execution; nanoseconds, starts from the frame's begin."""
        out: List[Tuple[int, int, int]] = []
        for _, found in self._message(lib.EXRAY_MESSAGE_LATENCY, "exray_latency *", lib.exray_log_read_latency):
            n = found.count
            if n:
                out += zip(ffi.unpack(found.node, n), ffi.unpack(found.start_ns, n), ffi.unpack(found.duration_ns, n))
        return out

    @property
    def system(self) -> Dict[str, float]:
        """Memory, temperature and the like, as far as recorded."""
        out: Dict[str, float] = {}
        names = {"rss_bytes": "has_rss", "peak_rss_bytes": "has_peak_rss", "arena_bytes": "has_arena",
                 "cpu_celsius": "has_celsius", "cpu_mhz": "has_mhz", "dropped_records": "has_dropped"}
        for _, found in self._message(lib.EXRAY_MESSAGE_SYSTEM, "exray_system *", lib.exray_log_read_system):
            out.update({name: getattr(found, name) for name, has in names.items() if getattr(found, has)})
        return out

    @property
    def readings(self) -> Dict[str, Tuple[Tuple[float, ...], str]]:
        """Readings of peripheral sensors by name: values and unit."""
        out = {}
        for record, found in self._message(lib.EXRAY_MESSAGE_READING, "exray_reading *", lib.exray_log_read_reading):
            values = tuple(ffi.unpack(found.value, found.count)) if found.count else ()
            out[text(record.name) or text(record.topic).rsplit("/", 1)[-1]] = (values, text(found.unit))
        return out

    @property
    def result(self) -> Optional[Result]:
        """What the application told its user, where recorded."""
        for _, r in self._message(lib.EXRAY_MESSAGE_RESULT, "exray_result *", lib.exray_log_read_result):
            classes = tuple(ClassScore(c.id, c.score, text(c.label))
                            for c in (r.classes[i] for i in range(r.class_count)))
            boxes = tuple(Box(b.x_min, b.y_min, b.x_max, b.y_max, b.id, b.score, text(b.label))
                          for b in (r.boxes[i] for i in range(r.box_count)))
            return Result(classes, boxes, text(r.text))
        return None

    def image(self, name: Optional[str] = None, upright: bool = True) -> "NDArray[np.uint8]":
        """A sensor's picture decoded: uint8, [height, width, 3], RGB, read-only.  `name`: the sensor (default:
        the first that is a picture).  upright: as EXIF's orientation says.  A KeyError where there is no such sensor,
        NotRecorded where none is a picture or its data was not kept, FormatError where it is damaged."""
        from exray._picture import decode

        if name is not None:
            return decode(self.sensors[name], upright)
        for tensor in self.sensors.values():
            if tensor.media is not None and tensor.media.format not in ("wav", "s16", "f32", "utf8"):
                return decode(tensor, upright)
        raise NotRecorded(f"frame {self.index} has no picture; its sensors: {list(self.sensors) or 'none'}")

    def sound(self, name: Optional[str] = None) -> "Tuple[int, NDArray[np.float32]]":
        """A sensor's sound decoded: its rate in Hz (0: not recorded) and float32, [length, channels], -1 to 1,
        read-only.  `name`: the sensor (default: the first that is a sound).  Raises as image() does."""
        from exray._sound import SOUNDS, decode

        if name is not None:
            return decode(self.sensors[name])
        for tensor in self.sensors.values():
            if tensor.media is not None and tensor.media.format in SOUNDS:
                return decode(tensor)
        raise NotRecorded(f"frame {self.index} has no sound; its sensors: {list(self.sensors) or 'none'}")


class Log:
    """A log, open for reading.  Its index is in memory, its data is not: logs larger than memory are iterated.

    Use it as a context manager, or close() it.  Frames, tensors and arrays keep the file open for themselves.
    Any number of threads may read; reads of one log take turns.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._open: Optional[_Handle] = None
        encoded = encode_path(path)
        self.path: str = os.fsdecode(encoded)
        self._open = _Handle(encoded)
        self._model: Optional[Model] = None
        self._names: Optional[Dict[str, int]] = None

    @property
    def _handle(self) -> _Handle:
        if self._open is None:
            raise StateError(f"the log {self.path} is closed")
        return self._open

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Closes the log; the file is unmapped when the last array of it is gone."""
        self._open = None

    def __repr__(self) -> str:
        return f"<exray.Log {self.path!r}{' (closed)' if self._open is None else f', {len(self)} frames'}>"

    @property
    def metadata(self) -> Dict[str, str]:
        """The metadata record "exray": role, log_id, device, ..."""
        return self.all_metadata.get("exray", {})

    @property
    def all_metadata(self) -> Dict[str, Dict[str, str]]:
        """Every metadata record by name."""
        out: Dict[str, Dict[str, str]] = {}
        name = ffi.new("char const **")
        pairs = ffi.new("exray_key_value const **")
        for i in range(1 << 20):
            count = lib.exray_log_metadata_at(self._handle.log, i, name, pairs)
            if name[0] == ffi.NULL:
                break
            record = out.setdefault(text(name[0]), {})
            record.update({text(pairs[0][k].key): text(pairs[0][k].value) for k in range(count)})
        return out

    @property
    def model(self) -> Optional[Model]:
        """The model as it was executed, or None."""
        if self._model is None:
            found = lib.exray_log_model(self._handle.log)
            if found != ffi.NULL:
                self._model = model_from_c(found)
        return self._model

    def _layer_names(self) -> Dict[str, int]:
        if self._names is None:
            self._names = {}
            if self._open is not None and self.model is not None:
                for i in range(len(self.model.nodes)):
                    self._names.setdefault(self.model.node_name(i), i)
        return self._names

    @property
    def truncated(self) -> str:
        """Why the log has no regular end; "" where it has one."""
        return text(lib.exray_log_truncated(self._handle.log))

    @property
    def damaged(self) -> int:
        """Chunks and messages passed over since they were damaged."""
        return int(lib.exray_log_damaged(self._handle.log))

    def __len__(self) -> int:
        return int(lib.exray_log_frame_count(self._handle.log))

    @overload
    def __getitem__(self, position: int) -> Frame: ...

    @overload
    def __getitem__(self, position: slice) -> List[Frame]: ...

    def __getitem__(self, position: Union[int, slice]) -> Union[Frame, List[Frame]]:
        """The frame at a position (not of an index); of a slice, the frames.  An IndexError beyond the last."""
        count = len(self)
        if isinstance(position, slice):
            return [Frame(self, self._handle, i) for i in range(count)[position]]
        try:
            position = operator.index(position)
        except TypeError:
            raise ArgumentError(f"a log is indexed by positions of frames, not by {type(position).__name__}: "
                                f"{show(position)}") from None
        if not -count <= position < count:
            raise IndexError(f"frame {position} of {count}")
        return Frame(self, self._handle, position % count)

    def __iter__(self) -> Iterator[Frame]:
        for i in range(len(self)):
            yield Frame(self, self._handle, i)

    @property
    def constants(self) -> Tensors:
        """The model's weights, as far as recorded, by their position in Model.tensors."""
        h = self._handle
        count = ffi.new("size_t *")
        records = lib.exray_log_constants(h.log, count)
        return Tensors("constant", [Tensor(h, records + i) for i in range(count[0])], {})

    @property
    def attachments(self) -> Dict[str, bytes]:
        """The log's attachments: pipeline and label files."""
        h = self._handle
        out: Dict[str, bytes] = {}
        data, size = ffi.new("void const **"), ffi.new("size_t *")
        for i in range(lib.exray_log_attachment_count(h.log)):
            with h.lock:
                if lib.exray_log_read_attachment(h.log, i, h.slot, data, size, h.error):
                    raise_filled(h.error)
                out[text(lib.exray_log_attachment(h.log, i).name)] = bytes(ffi.buffer(data[0], size[0]))
        return out

    def latency(self) -> "pandas.DataFrame":
        """One row for each execution of a node: frame, node, name, op, start_ms (from the frame's begin),
        duration_ms.  MissingPackage without pandas."""
        pd = need("pandas", "Log.latency()")
        model = self.model
        rows = []
        for frame in self:
            for node, start, duration in frame.latency:
                known = model is not None and node < len(model.nodes)
                name = model.node_name(node) if model is not None and known else ""
                op = model.nodes[node].op if model is not None and known else ""
                rows.append((frame.index, node, name, op, start / 1e6, duration / 1e6))
        columns = ["frame", "node", "name", "op", "start_ms", "duration_ms"]
        # One type a column, whatever was recorded: tables of many logs go into one Parquet file.
        kinds = ["uint64", "uint32", "object", "object", "float64", "float64"]
        table: "pandas.DataFrame" = pd.DataFrame(rows, columns=columns).astype(dict(zip(columns, kinds)))
        return table

    def metrics(self) -> "pandas.DataFrame":
        """One row for each frame: frame, source, label (<NA> where none), inference_ms (NaN), the frame's scalars
        ("value.NAME"), spans ("span_ms.NAME") and the system's figures.  MissingPackage without pandas."""
        pd = need("pandas", "Log.metrics()")
        rows = []
        for frame in self:
            row: Dict[str, Any] = {"frame": frame.index, "source": frame.source, "label": frame.label,
                                   "inference_ms": frame.inference_ns / 1e6 if frame.inference_ns else None}
            row.update({f"value.{name}": value for name, value in frame.values.items()})
            row.update({f"span_ms.{name}": ns / 1e6 for name, ns in frame.spans_ns.items()})
            row.update(frame.system)
            rows.append(row)
        first = ["frame", "source", "label", "inference_ms"]
        table: "pandas.DataFrame" = pd.DataFrame(rows, columns=None if rows else first)
        table["label"] = pd.array([row["label"] for row in rows], dtype="Int64")  # exact, with gaps
        return table.astype({"frame": "uint64", "inference_ms": "float64"})


def open(path: "Union[str, os.PathLike[str]]") -> Log:
    """Opens a log.  FileError where it cannot be read, FormatError where it is none."""
    return Log(path)


def playback(log: "Union[Log, str, os.PathLike[str]]") -> Iterator[Frame]:
    """The captured frames of a log, one after the other, to run another pipeline on: Frame.image(),
    Frame.sensors, .label, .index, .source.  Give each to Recorder.frame(), and the logs match."""
    return iter(log if isinstance(log, Log) else Log(log))


__all__ = ["ArgumentError", "Frame", "Key", "Log", "Tensor", "Tensors", "encode", "open", "playback"]
