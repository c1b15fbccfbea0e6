"""Recording logs."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Protocol, Sequence, Set, Tuple, Type, Union

import numpy as np

from exray import _arguments as arguments
from exray import _files as files
from exray import _flight
from exray._errors import ArgumentError, Error, StateError, encode, encode_path, make_error, show, text
from exray._exray import ffi, lib
from exray._log import Frame, Log
from exray._told import ClassLike, Told
from exray._types import (DTYPE_NAMES, KINDS, NO_INDEX, Box, Keeper, Keypoint, Media, Model, Quantization, TensorInfo,
                          is_half_byte, log_dtype)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_KIND = {name: number for number, name in enumerate(KINDS)}
_ROLES = {"edge": 0, "reference": 1}
_COMPRESSIONS = {"none": 0, "lz4": 1, "zstd": 2}
_EVENTS = {text(lib.exray_event_kind_name(kind)): kind for kind in range(lib.EXRAY_EVENT_OTHER)}
_CAPTURES = {name: lib.exray_capture_from_name(name.encode())
             for name in ("off", "frame", "io", "stats", "sketch", "full")}


class _Tensor:
    """An exray_tensor that records of one kind, place, type and shape share."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.tensor = self.keeper.new("exray_tensor *")


class Place:
    """Where a recorder has an array of each frame, and what is known of the last one."""

    __slots__ = ("kind", "index", "output", "name", "dtype", "shape", "made")

    def __init__(self, kind: str, name: str, index: int = NO_INDEX, output: int = 0) -> None:
        self.kind, self.index, self.output, self.name = kind, index, output, name
        self.dtype: Any = None
        self.shape: Tuple[int, ...] = ()
        self.made: Optional[_Tensor] = None


def _pack(array: "NDArray[Any]") -> "NDArray[np.uint8]":
    """4-bit values, one to a byte, as the log has them: two to a byte, the first in the low nibble."""
    flat: "NDArray[np.uint8]" = array.reshape(-1).astype(np.int8).view(np.uint8) & np.uint8(15)
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    packed: "NDArray[np.uint8]" = flat[0::2] | (flat[1::2] << np.uint8(4))
    return packed


def _replayed(replay_of: "Union[Log, str, os.PathLike[str], None]") -> Tuple[str, Optional[files.Identity]]:
    """The log_id of the log that is replayed, and its file where that is known."""
    if isinstance(replay_of, Log):
        return replay_of.metadata.get("log_id", ""), replay_of._handle.identity
    if replay_of is None or replay_of == "":
        return "", None
    path = encode_path(replay_of, "replay_of")
    is_path = isinstance(replay_of, os.PathLike) or os.sep in str(replay_of) or str(replay_of).endswith(".mcap")
    if is_path or os.path.isfile(path):
        with Log(os.fsdecode(path)) as log:
            return log.metadata.get("log_id", ""), log._handle.identity
    return str(replay_of), None


class _FrameScope:
    """What Recorder.frame() returns: begins the frame at `with`, ends it after."""

    def __init__(self, recorder: "Recorder", index: Optional[int], source: Optional[str],
                 label: Optional[int]) -> None:
        self._recorder = recorder
        self._index, self._source, self._label = index, source, label

    def __enter__(self) -> "Recorder":
        self._recorder._begin_alone(self._index, self._source, self._label)
        return self._recorder

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._recorder._end(kind is None)


class Leaves(Protocol):
    """A tap, which leaves when its recorder is closed."""

    def remove(self) -> None:
        ...


class Recorder:
    """Writes a log.

        with exray.Recorder("ref.mcap", capture="full") as r:
            with r.frame(source="cat.jpg", label=281):
                r.image("camera", picture)
                r.input("image", tensor)
                r.output("probabilities", scores)

    path          the file: created; a closed log that stands there is overwritten, anything else is not.  %t in its
                  name becomes the time (UTC), %n a number, one more than the largest there.  Where a log stands
                  there that was not closed, a crashed run's, the file is NAME-2.mcap: `r.path` says so
    role          "edge" or "reference"
    capture       "off" < "frame" < "io" < "stats" < "sketch" < "full": how much is kept
    layers        "Conv*,#3-9": names and node indices of the layers that are kept
    replay_of     the log whose frames these are (a Log, its file or its log_id): frames then match by their index
    compression   "none", "lz4", "zstd"; None: "zstd" without io_data at "stats" or less, where most of a log repeats
    io_data, output_data    False: statistics instead of the data of sensor and input (output) records
    every_nth, first_frames, byte_budget, chunk_size, ring_size   limits, 0: none or the usual (exray.h)
    flush_frames, flush_ms, sync_frames, sync_ms    flush() and sync() by themselves, after so many frames or so much
                  time (docs/durability.md)
    max_files, file_bytes, file_seconds    several files, one after another, each a log of its own: another begins when
                  this one has so many bytes, or is so old; the oldest are removed.  byte_budget is then of all together
    keep_oldest   none is removed: the last one goes on with what it has room for
    flight        an exray.Flight: what waits in memory, above `capture`, until a trigger writes it
    task, session, device, app, metadata    what the log says of itself

    Arrays are taken as they are: whatever NumPy makes an array of without a copy (CPU tensors of PyTorch, too),
    is written from where it lies if it is contiguous and little-endian, and copied once if not.  They may be
    changed as soon as a call returns.

    FileError where the file cannot be written, or is something else than a log.  StateError where another
    recorder of this process writes it; for a record outside a frame, and for a frame within a frame.
    ArgumentError for arguments that mean nothing: such a call records nothing, and the recorder goes on: what the
    C library refuses is counted (dropped) and told in the log (Log.events).  Records that find no room, on a disk that
    is full, say, are dropped and counted without an error; only a file that is gone ends the log.

    A recorder belongs to one thread at a time: StateError for a call while another thread is in one.  It belongs
    to the process that opened it: after os.fork() the child's calls are StateErrors, and that it ends, or closes
    the recorder, does nothing to the log.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]", *, role: str = "reference",
                 capture: Optional[str] = None, layers: Optional[str] = None,
                 replay_of: "Union[Log, str, os.PathLike[str], None]" = None, compression: Optional[str] = None,
                 io_data: bool = True, output_data: bool = True, every_nth: int = 0, first_frames: int = 0,
                 byte_budget: int = 0, chunk_size: int = 0, ring_size: int = 0, flush_frames: int = 0, flush_ms: int = 0,
                 sync_frames: int = 0, sync_ms: int = 0, max_files: int = 0, file_bytes: int = 0,
                 file_seconds: int = 0, keep_oldest: bool = False, flight: "Optional[_flight.Flight]" = None,
                 task: Optional[str] = None, session: Optional[str] = None,
                 device: Optional[str] = None, app: Optional[str] = None,
                 metadata: Optional[Mapping[str, str]] = None) -> None:
        self._recorder: Any = None
        target = encode_path(path)
        self._path: str = os.fsdecode(target)
        self.identity: Optional[files.Identity] = None
        self._claim: Optional[int] = None  # on the file
        self._process = os.getpid()
        self._lock = threading.Lock()  # held within a call
        self._tensors: Dict[Any, _Tensor] = {}
        self._model: Optional[Model] = None
        self._by_name: Dict[Tuple[str, str], int] = {}
        self._in_frame = False
        self._serial = 0  # frames begun so far
        self._raised = ""  # the last error that a call raised
        self._taps: Set[Leaves] = set()
        self._alive = threading.Lock()  # held by what any thread may call, and while the recorder goes
        self._condition: Optional[_flight.Condition] = None
        keeper = Keeper()
        config = keeper.new("exray_recorder_config *")
        config.size = ffi.sizeof("exray_recorder_config")
        config.role = arguments.choice(role, _ROLES, "role")
        if compression is None:
            compression = "none" if io_data or capture in ("sketch", "full") else "zstd"
        config.compression = arguments.choice(compression, _COMPRESSIONS, "compression")
        if capture is not None:
            config.capture = arguments.choice(capture, _CAPTURES, "capture")
        config.codec = lib.exray_codec_default()
        config.no_io_data = not io_data
        config.no_output_data = not output_data
        log_id, replayed = _replayed(replay_of)
        texts = {"layers": layers, "task": task, "session": session, "replay_of": log_id, "device": device, "app": app}
        for name, value in texts.items():
            setattr(config, name, ffi.NULL if value is None else keeper.text(value, name))
        most = arguments.UINT64 >> 1
        numbers = {"every_nth": (every_nth, most), "first_frames": (first_frames, most),
                   "byte_budget": (byte_budget, most), "chunk_size": (chunk_size, arguments.UINT32),
                   "ring_size": (ring_size, most), "flush_frames": (flush_frames, arguments.UINT32),
                   "flush_ms": (flush_ms, arguments.UINT32), "sync_frames": (sync_frames, arguments.UINT32),
                   "sync_ms": (sync_ms, arguments.UINT32), "max_files": (max_files, arguments.UINT32),
                   "file_bytes": (file_bytes, most), "file_seconds": (file_seconds, arguments.UINT32)}
        config.keep_oldest = bool(keep_oldest)
        several = max_files > 1 or file_bytes > 0 or file_seconds > 0
        for name, number in arguments.numbers(numbers).items():
            setattr(config, name, number)
        if metadata:
            config.metadata, config.metadata_count = keeper.pairs(metadata), len(metadata)
        if flight is not None:
            config.flight = keeper.new("exray_flight_config *")
            self._condition = _flight.fill(config.flight, flight, keeper)
        files.check_target(target, replayed)
        self._claim = files.claim(target)
        try:
            self._open(target, config)
        except BaseException:
            files.release(self._claim)
            raise
        written = os.fsencode(self.path)
        if self._claim is None or written != target:  # the file is new
            files.release(self._claim)
            self._claim = None if several else files.claim(written)  # a file that is removed must not stay for this

    def _open(self, path: bytes, config: Any) -> None:
        recorder = ffi.new("exray_recorder *")
        status = lib.exray_recorder_open_file(recorder, path, config)
        if status:
            raise make_error(status, text(lib.exray_recorder_error_message(recorder)))
        self._recorder = recorder
        self.identity = files.identity(os.fsencode(self.path))
        files.writers.add(self)

    # ---- Its life ------------------------------------------------------------------

    @property
    def _is_here(self) -> bool:
        """Whether this is the process that opened it, not a forked child."""
        return os.getpid() == self._process

    @property
    def path(self) -> str:
        """The file that is written now, or was the last."""
        if self._recorder is not None and self._is_here:
            written: Any = lib.exray_recorder_path(self._recorder)
            self._path = os.fsdecode(ffi.string(written)) if written != ffi.NULL else self._path
        return self._path

    @property
    def _takes(self) -> bool:
        """Whether a tap still has somewhere to record to: an application continues when its recorder is closed, and so
        does a forked child."""
        return self._recorder is not None and self._is_here

    @property
    def _r(self) -> Any:
        if os.getpid() != self._process:
            raise StateError(f"the recorder of {self.path} belongs to process {self._process}, which forked this one; "
                             "open one here, of another file")
        if self._recorder is None:
            raise StateError(f"the recorder of {self.path} is closed")
        return self._recorder

    def _ready(self) -> Any:
        """The C recorder, for a call under _lock: cffi lets other threads run meanwhile.  If the lock is held, this
        raises instead of waiting; if two threads get here at the same moment, one does wait."""
        recorder = self._r
        if self._lock.locked():
            raise StateError(f"two threads use the recorder of {self.path} at once; it belongs to one at a time: put a "
                             "lock around its calls, or give each thread a recorder of its own")
        return recorder

    def _fail(self, recorder: Any, status: int) -> Error:
        message = self._raised = text(lib.exray_recorder_error_message(recorder))
        return make_error(status, message or f"the recorder of {self.path} is closed")

    def _call(self, function: Any, *values: Any) -> None:
        recorder = self._ready()
        with self._lock:
            status = function(recorder, *values)
        if status:
            raise self._fail(recorder, status)

    def _need_frame(self, what: str, name: str = "") -> None:
        """Raises where C would begin a frame by itself, without a source."""
        if not self._in_frame and self._r:
            raise StateError(f"{f'{what} {show(name)}' if name else what} outside a frame of {self.path}; use "
                             "`with r.frame():` around what belongs to it")

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if kind is None:
            self.close()
        elif self._recorder is not None and self._is_here:
            with self._lock:  # another thread's call may take its time
                self._close()

    def __del__(self) -> None:
        if getattr(self, "_recorder", None) is not None and self._is_here:
            self._close()

    def close(self) -> None:
        """Ends the log and closes the file; raises what no call raised before, such as a disk that is full.  A second
        call does nothing, nor does a call in a forked process."""
        if self._recorder is None or not self._is_here:
            return
        recorder = self._ready()
        with self._lock:
            status = self._close()
        if status and text(lib.exray_recorder_error_message(recorder)) != self._raised:
            raise self._fail(recorder, status)

    def flush(self) -> None:
        """Hands all that was recorded to the system, and waits for the writer's thread: a kill loses none of it."""
        self._call(lib.exray_recorder_flush)

    def sync(self) -> None:
        """flush(), and on to the disk: a loss of power loses none of it.  FileError where the disk does not take it;
        the recorder goes on."""
        recorder = self._ready()
        with self._lock:
            status = lib.exray_recorder_sync(recorder)
        if status and not lib.exray_recorder_error_status(recorder):
            raise make_error(status, f"cannot sync {self.path}: the disk does not take it; check the device")
        if status:
            raise self._fail(recorder, status)

    def next_file(self) -> None:
        """Begins another file (max_files, file_bytes, file_seconds): now, or when the open frame ends."""
        self._call(lib.exray_recorder_next_file)

    def _close(self) -> int:
        self._path = self.path
        with self._alive:
            recorder, self._recorder = self._recorder, None
        status = 0 if recorder is None else int(lib.exray_recorder_close(recorder))
        files.writers.discard(self)
        files.release(self._claim)
        self._claim = None
        for tap in tuple(self._taps):
            tap.remove()
        self._taps.clear()
        return status

    @property
    def dropped(self) -> int:
        """Records dropped so far for lack of memory."""
        return int(lib.exray_recorder_dropped(self._r))

    @property
    def has_model(self) -> bool:
        """Whether the model was described."""
        return bool(lib.exray_recorder_has_model(self._r))

    # ---- Frames --------------------------------------------------------------------

    def frame(self, of: Optional[Frame] = None, *, index: Optional[int] = None,
              source: "Union[str, os.PathLike[str], None]" = None, label: Optional[int] = None) -> _FrameScope:
        """A frame, for `with`: everything that is recorded in the body belongs to it, and nothing is recorded
        outside of one but the model, its weights and attachments.  Frames do not nest.

        of: a frame of the log that is replayed, whose index, source and label are taken.  index: larger than every
        one before; default: the next.  source: a file, a camera.  label: the number of the true class."""
        if of is not None:
            if not isinstance(of, Frame):
                raise ArgumentError(f"frame() takes a Frame of the log that is replayed, not {type(of).__name__}: "
                                    f"{show(of)}; a source is frame(source=...)")
            index = of.index if index is None else index
            source = of.source if source is None else source
            label = of.label if label is None else label
        if index is not None:
            index = arguments.whole(index, "a frame's index", 0, arguments.UINT64 - 1)
        return _FrameScope(self, index, arguments.source_name(source), arguments.optional_label(label))

    def _begin_alone(self, index: Optional[int], source: Optional[str], label: Optional[int]) -> None:
        if self._in_frame and self._r:
            raise StateError(f"a frame within frame {self.frame_index} of {self.path}: frames do not nest; end the one "
                             "before the next begins")
        if index is not None and index < self.frame_index:
            raise ArgumentError(f"a frame's index grows: {index} comes after {self.frame_index - 1} in {self.path}")
        self._begin(index, source, label)

    def _begin(self, index: Optional[int], source: Optional[str], label: Optional[int]) -> None:
        """Begins a frame in the place of the one that is open."""
        name = encode(source, "a frame's source") if source else ffi.NULL
        if index is None:
            self._call(lib.exray_recorder_frame_begin, name)
        else:
            self._call(lib.exray_recorder_frame_begin_at, index, name)
        self._in_frame = True
        self._serial += 1
        if label is not None:
            self._call(lib.exray_recorder_frame_label, label)

    def _end(self, raising: bool) -> None:
        self._in_frame = False
        if self._recorder is None or not self._is_here:
            return
        if raising:
            self._call(lib.exray_recorder_frame_end)
            self._raise_of_condition()
            return
        with self._lock:  # an exception is on its way: this one's end is no news
            lib.exray_recorder_frame_end(self._recorder)

    def _raise_of_condition(self) -> None:
        """What Flight.condition raised while C was in the call."""
        if self._condition is not None and self._condition.raised is not None:
            problem, self._condition.raised = self._condition.raised, None
            raise problem

    @property
    def frame_index(self) -> int:
        """Index of the open frame, else of the next one."""
        return int(lib.exray_recorder_frame_index(self._r))

    def inference_ns(self, nanoseconds: int) -> None:
        """What the engine's call took; taps call it."""
        took = arguments.whole(nanoseconds, "inference_ns")
        self._need_frame("inference_ns")
        self._call(lib.exray_recorder_frame_inference, took)

    def elapsed_ns(self) -> int:
        """Nanoseconds since the frame began."""
        self._need_frame("elapsed_ns")
        return int(lib.exray_recorder_frame_elapsed(self._r))

    # ---- Tensors --------------------------------------------------------------------

    def wants(self, kind: str, index: Optional[int] = None, name: Optional[str] = None) -> bool:
        """Whether such a record would be kept now; if not, its data need not be fetched."""
        what = ffi.NULL if name is None else encode(name, "a name")
        at = NO_INDEX if index is None else arguments.whole(index, "an index", 0, NO_INDEX)
        return bool(lib.exray_recorder_wants(self._r, arguments.choice(kind, _KIND, "kind"), at, what))

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
        what = f"{kind} {show(name)}"
        if name or kind not in ("layer", "constant"):  # whose place says which they are
            arguments.record_name(name, f"the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}")
        arguments.check_tensor(what, dtype, shape, layout)
        made = _Tensor()
        t = made.tensor
        t.kind = _KIND[kind]
        last = NO_INDEX - 1 if kind in ("layer", "constant") else NO_INDEX
        t.index = arguments.whole(index, f"the index of {what}", 0, last)
        t.output = arguments.whole(output, f"the output of {what}", 0, last)
        position = self._described(kind, index, output, name)
        info = TensorInfo(name, DTYPE_NAMES[log_dtype(dtype)], shape, layout, quantization, kind == "constant")
        if position is not None and self._model is not None:
            known = self._model.tensors[position]
            t.in_model, t.model_tensor = True, position
            t.info_differs = known.dtype != info.dtype or known.shape != info.shape or quantization is not None
            quantization = quantization or (known.quantization if known.dtype == info.dtype else None)
            if len(known.layout) == len(shape):
                layout = layout or known.layout
            info = TensorInfo(name or known.name, info.dtype, shape, layout, quantization, info.constant)
        made.keeper.fill_info(t.info, info)
        return made

    def _made(self, key: Any) -> _Tensor:
        """The exray_tensor of a record, made once."""
        try:
            made = self._tensors.get(key)
        except TypeError:  # a list as a name
            made = None
        if made is None:
            made = self._make(*key)
            if len(self._tensors) > 65536:  # shapes that never come again must not fill the memory
                self._tensors.clear()
            self._tensors[key] = made
        return made

    def _tensor(self, kind: str, index: int, output: int, name: str, array: "ArrayLike", layout: str = "",
                scale: "Union[float, Sequence[float], None]" = None,
                zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0, occurrence: int = 0) -> None:
        if kind != "constant" and not self._in_frame:
            self._need_frame(kind, name)
        a = array if type(array) is np.ndarray else arguments.array_of(array, f"{kind} {show(name)}")
        if a.dtype.byteorder == ">":
            a = a.astype(a.dtype.newbyteorder("<"))
        if not a.flags.c_contiguous:
            a = np.ascontiguousarray(a)
        quantization = None
        if scale is not None or zero_point is not None:
            quantization = arguments.quantization(f"{kind} {show(name)}", a.dtype, a.shape, scale, zero_point, axis)
        if occurrence:
            occurrence = arguments.whole(occurrence, "an occurrence", 0, arguments.UINT32)
        key = (kind, index, output, name, a.dtype, a.shape, layout, quantization)
        recorder = self._ready()
        with self._lock:
            t = self._made(key).tensor
            if is_half_byte(a.dtype):
                a = _pack(a)
            t.occurrence = occurrence
            t.data = ffi.cast("void *", a.__array_interface__["data"][0]) if a.dtype.kind != "V" else \
                ffi.cast("void *", a.ctypes.data)
            t.size = a.nbytes
            status = lib.exray_recorder_log_tensor(recorder, t)
        if status:
            raise self._fail(recorder, status)

    def _wanted_layers(self, names: Any) -> List[bool]:
        """wants() of layers 0, 1, ...; their names as an array of C's."""
        wants = ffi.new("bool[]", len(names))
        lib.xr_py_wants_layers(self._r, names, len(names), wants)
        return list(wants)

    def _log_tensors(self, arrays: "Sequence[Tuple[Place, NDArray[Any]]]") -> None:
        """input(), layer(), output() of each in one call; the arrays are numbers in the order of C."""
        if not self._in_frame:
            self._need_frame(arrays[0][0].kind)
        recorder = self._ready()
        with self._lock:
            tensors, alive = [], []
            for place, a in arrays:
                made = place.made
                if made is None or a.dtype is not place.dtype or a.shape != place.shape:
                    place.dtype, place.shape = a.dtype, a.shape
                    made = place.made = self._make(place.kind, place.index, place.output, place.name, a.dtype, a.shape,
                                                   "", None)
                    made.tensor.size = a.nbytes
                view = ffi.from_buffer(a)
                made.tensor.data = view
                tensors.append(made.tensor)
                alive.append(view)
            status = lib.xr_py_log_tensors(recorder, tensors, len(tensors))
        if status:
            raise self._fail(recorder, status)

    def stage(self, name: str, array: "ArrayLike", *, layout: str = "") -> None:
        """A named intermediate value of the application: /stage/NAME."""
        self._tensor("stage", NO_INDEX, 0, name, array, layout)

    def state(self, name: str, array: "ArrayLike", *, layout: str = "",
              scale: "Union[float, Sequence[float], None]" = None,
              zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0) -> None:
        """What the model remembers, before the run: a variable, or an input that gets an output of the frame before."""
        self._tensor("state", NO_INDEX, 0, name, array, layout, scale, zero_point, axis)

    def input(self, name: str, array: "ArrayLike", *, layout: str = "",
              scale: "Union[float, Sequence[float], None]" = None,
              zero_point: "Union[int, Sequence[int], None]" = None, axis: int = 0) -> None:
        """What the model was given: /input/NAME.  scale, zero_point: of a quantized tensor, unless model() has them."""
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
        formats (nv12, yuyv, rgb565, p010, ...: Media.format) give the bytes and width and height; gray16 and the
        filters of a sensor (bayer_rggb8 ... bayer_bggr16) may be a [height, width] array, of uint16 beyond 8 bits."""
        if isinstance(pixels, (bytes, memoryview)):
            pixels = np.frombuffer(pixels, np.uint8)
        a = np.ascontiguousarray(arguments.array_of(pixels, f"image {show(name)}"))
        said = arguments.picture(name, a, format, width, height, row_stride, matrix, full_range, rotation)
        self._need_frame("image", name)
        keeper = Keeper()
        self._call(lib.exray_recorder_log_image, arguments.record_name(name, "a sensor's name"), keeper.media(said),
                   ffi.from_buffer(a), a.nbytes)

    def encoded(self, name: str, data: bytes, format: Optional[str] = None) -> None:
        """An encoded file, byte for byte: /sensor/NAME.  format: "jpeg", "png" or "wav"; found from the bytes;
        ArgumentError where they are of another format."""
        view = arguments.bytes_of(data, f"encoded {show(name)}")
        format = arguments.file_format(name, view, format)
        self._need_frame("encoded", name)
        self._call(lib.exray_recorder_log_encoded, arguments.record_name(name, "a sensor's name"), encode(format), ffi.from_buffer(view),
                   len(view))

    def sound(self, name: str, samples: "ArrayLike", rate: int) -> None:
        """A sound: /sensor/NAME.  int16 samples, or floats of -1 to 1: [length], or [length, channels]; rate in Hz."""
        a = arguments.samples(name, samples)
        hertz = arguments.whole(rate, f"sound {show(name)}: rate", 1, arguments.UINT32)
        self._need_frame("sound", name)
        keeper = Keeper()
        said = Media(format="s16" if a.dtype == np.int16 else "f32", sample_rate=hertz, channels=a.shape[1])
        self._call(lib.exray_recorder_log_sound, arguments.record_name(name, "a sensor's name"), keeper.media(said),
                   ffi.from_buffer(a), a.nbytes)

    def prompt(self, name: str, text: "Union[str, bytes]") -> None:
        """A text that the application was given: /sensor/NAME (text() is what it told).  bytes are UTF-8 already."""
        if isinstance(text, str):
            try:
                text = text.encode()
            except UnicodeEncodeError:
                raise ArgumentError(f"prompt {show(name)} has characters that UTF-8 cannot encode: {show(text)}") from None
        view = arguments.bytes_of(text, f"prompt {show(name)}")
        self._need_frame("prompt", name)
        self._call(lib.exray_recorder_log_text, arguments.record_name(name, "a sensor's name"), ffi.from_buffer(view), len(view))

    def sensor(self, name: str, data: "Union[bytes, ArrayLike]", **media: Any) -> None:
        """encoded() for the bytes of a file, image() for arrays, and for bytes whose width and height are given."""
        if isinstance(data, (bytes, bytearray, memoryview)) and not {"width", "height"} & set(media):
            self.encoded(name, bytes(data), **media)
        else:
            self.image(name, data, **media)

    def reading(self, name: str, values: "Union[float, Sequence[float]]", unit: str = "") -> None:
        """A peripheral sensor: /reading/NAME."""
        numbers = arguments.readings(name, values)
        self._need_frame("reading", name)
        self._call(lib.exray_recorder_log_reading, arguments.record_name(name, "a sensor's name"), ffi.new("double[]", numbers),
                   len(numbers), encode(unit, "a unit"))

    def scalar(self, name: str, value: float) -> None:
        """Frame.values[name]."""
        found = arguments.number(value, f"the scalar {show(name)}")
        self._need_frame("scalar", name)
        self._call(lib.exray_recorder_log_scalar, arguments.record_name(name, "a scalar's name"), found)

    def span(self, name: str, nanoseconds: Optional[int] = None) -> "_Span":
        """Frame.spans_ns[name]: a time that is known, or, with `with`, what the body takes."""
        encoded = arguments.record_name(name, "a span's name")
        if nanoseconds is not None:
            took = arguments.whole(nanoseconds, f"the nanoseconds of the span {show(name)}")
            self._need_frame("span", name)
            self._call(lib.exray_recorder_log_span, encoded, took)
        return _Span(self, name)

    # ---- Results ----------------------------------------------------------------------

    @property
    def truth(self) -> Told:
        """/truth: the ground truth of the open frame, of whatever kind; the same calls: `r.truth.boxes([...])`."""
        return Told(lambda: self._need_frame("a truth"),
                    lambda truth: self._call(lib.exray_recorder_log_truth, truth))

    def classes(self, classes: "Union[Iterable[ClassLike], NDArray[Any]]", *, top: int = 5,
                labels: Optional[Sequence[str]] = None) -> None:
        """/result: (id, score[, label]) of each class, best first; or the vector of all scores (a NumPy array), of
        which the best `top` are kept; labels: the name of every class of that vector."""
        self._told().classes(classes, top=top, labels=labels)

    def boxes(self, boxes: Iterable[Box]) -> None:
        """/result of a detector."""
        self._told().boxes(boxes)

    def text(self, text: str) -> None:
        """/result as text."""
        self._told().text(text)

    def keypoints(self, points: "Union[Iterable[Keypoint], NDArray[Any]]") -> None:
        """/result: points that were found; or an array [n, 2] of x and y, or [n, 3] with scores, whose rows are the
        ids."""
        self._told().keypoints(points)

    def mask(self, ids: "ArrayLike", *, ignore: Optional[int] = None) -> None:
        """/result: a class for each pixel, whole numbers [height, width]; pixels of the value `ignore` do not count (in
        uint8 those of 255, in uint16 of 65535)."""
        self._told().mask(ids, ignore=ignore)

    def vector(self, name: str, values: "ArrayLike") -> None:
        """/result: numbers with a name, such as an embedding or a regression."""
        self._told().vector(name, values)

    def _told(self) -> Told:
        return Told(lambda: self._need_frame("a result"),
                    lambda result: self._call(lib.exray_recorder_log_result, result))

    # ---- From any thread ------------------------------------------------------------------

    def trigger(self, reason: str = "", *, before: Optional[int] = None, after: int = 0) -> None:
        """Has the flight recorder write what waits of the last `before` frames (None: all that wait; the last one is
        the frame that is open, else the one that ended last) and of the `after` frames that follow; `reason` is told
        by an /event.  Any thread.  StateError without a flight recorder."""
        told = encode(reason, "a trigger's reason")
        frames = _flight.ALL if before is None else arguments.whole(before, "before", 0, _flight.ALL)
        more = arguments.whole(after, "after", 0, _flight.ALL)
        with self._alive:
            status = lib.exray_recorder_trigger(self._r, frames, more, told)
        if status == lib.EXRAY_E_STATE:
            raise StateError(f"the recorder of {self.path} has no flight recorder; open it with flight=exray.Flight(...)")

    @property
    def capture(self) -> str:
        """The capture level; a new one holds from the next frame on, and is told by an /event.  Any thread."""
        with self._alive:
            return text(lib.exray_capture_name(lib.exray_recorder_capture(self._r)))

    @capture.setter
    def capture(self, level: str) -> None:
        number = arguments.choice(level, _CAPTURES, "capture")
        with self._alive:
            lib.exray_recorder_set_capture(self._r, number)

    def event(self, text: str, kind: str = "user") -> None:
        """What happened to the application, in one line: /event.  kind: "user", or "reset" where the model's state is
        reset (before the frame that begins anew, or within it before the run)."""
        self._call(lib.exray_recorder_event, arguments.choice(kind, {k: _EVENTS[k] for k in ("user", "reset")}, "kind"),
                   encode(text, "an event's text"))

    # ---- The model, and the rest ---------------------------------------------------------

    def model(self, model: Model) -> None:
        """Describes the model: once, and before its first layer.  From then on tensors of its names and
        positions need no quantization of their own."""
        arguments.check_model(model)
        self._describe(model)

    def _describe(self, model: Model) -> None:
        """The same for a model that an engine describes: not checked for consistency."""
        keeper = Keeper()
        self._call(lib.exray_recorder_log_model, keeper.model(model))
        self._model = model
        self._tensors.clear()
        for kind, positions in (("input", model.inputs), ("output", model.outputs)):
            for position in positions:
                self._by_name.setdefault((kind, model.tensors[position].name), position)

    def latency(self, nodes: Sequence[int], start_ns: Sequence[int], duration_ns: Sequence[int]) -> None:
        """/latency: the time of each node of the frame; starts from the frame's begin (elapsed_ns())."""
        try:
            if not len(nodes) == len(start_ns) == len(duration_ns):
                raise ArgumentError("latency(): nodes, start_ns and duration_ns have different lengths")
            columns = (ffi.new("uint32_t[]", list(nodes)), ffi.new("uint64_t[]", list(start_ns)),
                       ffi.new("uint64_t[]", list(duration_ns)))
        except (OverflowError, TypeError) as error:
            raise ArgumentError("latency() takes lists of whole numbers from 0 on, nodes and nanoseconds: "
                                f"{error}") from None
        self._need_frame("latency")
        self._call(lib.exray_recorder_log_latency, *columns, len(nodes))

    def attach(self, name: str, data: bytes, media_type: str = "") -> None:
        """An attachment: a pipeline file, a label file."""
        view = arguments.bytes_of(data, f"attachment {show(name)}")
        self._call(lib.exray_recorder_log_attachment, arguments.record_name(name, "an attachment's name"), encode(media_type, "a media type"),
                   ffi.from_buffer(view), len(view))


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
