"""Reading logs."""

from __future__ import annotations

import warnings
import operator
import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple, Type, Union, overload

from exray import _picture as picture
from exray import _sound as sound
from exray._errors import ArgumentError, NotRecorded, StateError, encode_path, need, raise_filled, show, text
from exray._exray import ffi, lib
from exray._tensor import Handle, Tensor, Tensors
from exray._types import KINDS, Event, Model, Result, model_from_c, result_from_c

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray


class Frame:
    """One run of the model.  Valid as long as somebody holds it, also after the log's close()."""

    def __init__(self, log: "Log", handle: Handle, position: int) -> None:
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
    def states(self) -> Tensors:
        """What the model remembered before the run, by name."""
        return self._of("state")

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
                 "cpu_celsius": "has_celsius", "cpu_mhz": "has_mhz", "dropped_records": "has_dropped",
                 "processors": "has_processors"}
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
        return self._told(lib.EXRAY_MESSAGE_RESULT)

    @property
    def truth(self) -> Optional[Result]:
        """The ground truth, where recorded (`label`: the true class alone)."""
        return self._told(lib.EXRAY_MESSAGE_TRUTH)

    def _told(self, which: int) -> Optional[Result]:
        h = self._handle
        out = ffi.new("exray_result *")
        with h.lock:
            status = lib.exray_log_read_told(h.log, self._position, which, h.slot, out, h.error)
            if status == lib.EXRAY_E_STATE:
                return None
            if status:
                raise_filled(h.error)
            return result_from_c(out)

    def image(self, name: Optional[str] = None, upright: bool = True) -> "NDArray[np.uint8]":
        """A sensor's picture decoded: uint8, [height, width, 3], RGB, read-only.  `name`: the sensor (default:
        the first that is a picture).  upright: as EXIF's orientation says.  A KeyError where there is no such sensor,
        NotRecorded where none is a picture or its data was not kept, FormatError where it is damaged."""
        if name is not None:
            return picture.decode(self.sensors[name], upright)
        for tensor in self.sensors.values():
            if tensor.media is not None and tensor.media.format not in ("wav", "s16", "f32", "utf8"):
                return picture.decode(tensor, upright)
        raise NotRecorded(f"frame {self.index} has no picture; its sensors: {list(self.sensors) or 'none'}")

    def sound(self, name: Optional[str] = None) -> "Tuple[int, NDArray[np.float32]]":
        """A sensor's sound decoded: its rate in Hz (0: not recorded) and float32, [length, channels], -1 to 1,
        read-only.  `name`: the sensor (default: the first that is a sound).  Raises as image() does."""
        if name is not None:
            return sound.decode(self.sensors[name])
        for tensor in self.sensors.values():
            if tensor.media is not None and tensor.media.format in sound.SOUNDS:
                return sound.decode(tensor)
        raise NotRecorded(f"frame {self.index} has no sound; its sensors: {list(self.sensors) or 'none'}")

    def prompt(self, name: Optional[str] = None) -> str:
        """A text that the application was given (bytes that are no UTF-8 become U+FFFD).  `name`: the sensor (default: the
        first that is a text).  Raises as image() does."""
        for key, tensor in self.sensors.items():
            if key == name or (name is None and tensor.media is not None and tensor.media.format == "utf8"):
                return bytes(tensor.raw()).decode("utf-8", "replace")
        if name is not None:
            raise KeyError(name)
        raise NotRecorded(f"frame {self.index} has no text; its sensors: {list(self.sensors) or 'none'}")


class Log:
    """A log, open for reading.  Its index is in memory, its data is not: logs larger than memory are iterated.

    Use it as a context manager, or close() it.  Frames, tensors and arrays keep the file open for themselves.
    Any number of threads may read; reads of one log take turns.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._open: Optional[Handle] = None
        encoded = encode_path(path)
        self.path: str = os.fsdecode(encoded)
        self._open = Handle(encoded)
        self._model: Optional[Model] = None
        self._names: Optional[Dict[str, int]] = None

    @property
    def _handle(self) -> Handle:
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

    @property
    def lost(self) -> int:
        """Bytes of the file in which no record was found, or none that may be believed."""
        return int(lib.exray_log_lost(self._handle.log))

    @property
    def unchecked(self) -> int:
        """Records that no checksum covers (a stream without Check records): a flipped bit in their data goes unnoticed."""
        return int(lib.exray_log_unchecked(self._handle.log))

    @property
    def events(self) -> Tuple[Event, ...]:
        """What happened to the recording or to the application, in the order of the log: resets, gaps, errors, ..."""
        h = self._handle
        found = [lib.exray_log_event(h.log, i) for i in range(lib.exray_log_event_count(h.log))]
        return tuple(Event(text(e.kind_name), text(e.text), e.frame if e.has_frame else None,
                           e.records_lost if e.has_records_lost else None, e.log_time) for e in found)

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
        """The log's attachments: pipeline and label files.  One that is damaged is left out, with a warning."""
        h = self._handle
        out: Dict[str, bytes] = {}
        data, size = ffi.new("void const **"), ffi.new("size_t *")
        for i in range(lib.exray_log_attachment_count(h.log)):
            with h.lock:
                if lib.exray_log_read_attachment(h.log, i, h.slot, data, size, h.error):
                    if h.error.status != lib.EXRAY_E_FORMAT:
                        raise_filled(h.error)
                    warnings.warn(text(h.error.message), stacklevel=2)
                    continue
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
