"""Tensor records of a log."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np

from exray import _files as files
from exray._errors import FormatError, NotRecorded, new_error, raise_filled, text
from exray._exray import ffi, lib
from exray._types import (KINDS, Media, Sketch, Stats, TensorInfo, info_from_c, media_from_c, numpy_dtype,
                          stats_from_c)

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A name; a position or a node's index; (node, output) or (node, output, occurrence).
Key = Union[str, int, Tuple[int, ...]]


class Handle:
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
        # The destructor does nothing but refer to `self`.
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

    def __init__(self, handle: Handle, record: Any) -> None:
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
        """ "sensor", "stage", "input", "layer", "output", "constant" or "state"."""
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
        """The number of the node's execution within the frame, from 0."""
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
                self._stats = stats_from_c(view.stats, view.channels)
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
        """The data as stored, in the tensor's shape: a read-only array that keeps the log open, without a
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
