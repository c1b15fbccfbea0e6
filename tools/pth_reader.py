"""Reads a PyTorch checkpoint (.pth, the legacy format) without PyTorch.

The file is a row of pickles - magic number, protocol version, facts about the
machine, the object, the list of storage keys - and then, per key, an int64
count and the elements.  A pickle can call any function it names, so the
unpickler here knows the four names that a state dict needs, and refuses every
other.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import struct

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


class CheckpointError(ValueError):
    """The bytes are not a checkpoint that this reader understands."""


class _Storage:
    """A row of elements that tensors are views of; filled after the pickles."""

    def __init__(self, dtype: np.dtype, count: int):
        self.dtype = dtype
        self.count = count
        self.elements: np.ndarray | None = None


class _Tensor:
    """What a pickled tensor is: a strided view of a storage."""

    def __init__(self, storage, offset, size, stride, *_unused):
        if not isinstance(storage, _Storage) or len(size) != len(stride):
            raise CheckpointError("a tensor of the checkpoint has no storage, or a shape without strides")
        self.storage = storage
        self.offset = offset
        self.size = tuple(size)
        self.stride = tuple(stride)

    def to_numpy(self) -> np.ndarray:
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride))
        count = math.prod(self.size)
        if min((self.offset, *self.size, *self.stride)) < 0 or max(last + 1, count) > self.storage.count:
            raise CheckpointError(f"a tensor of shape {self.size} reaches beyond its storage")
        elements = self.storage.elements[self.offset :]
        strides = [step * elements.itemsize for step in self.stride]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(elements, self.size, strides))


class _Unpickler(pickle.Unpickler):
    ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module, name):
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise CheckpointError(f"the checkpoint asks for {module}.{name}, which no weights need") from None

    def persistent_load(self, pid):
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise CheckpointError(f"a storage of the checkpoint is of an unknown kind: {pid!r}")
        return self.storages.setdefault(key, _Storage(dtype, count))


def read_state_dict(data: bytes) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint by name.  Raises CheckpointError."""
    file = io.BytesIO(data)
    try:
        if _Unpickler(file).load() != MAGIC_NUMBER or _Unpickler(file).load() != PROTOCOL_VERSION:
            raise CheckpointError("not a legacy PyTorch checkpoint (wrong magic number or version)")
        if not _Unpickler(file).load().get("little_endian", False):
            raise CheckpointError("the checkpoint was written on a big-endian machine")
        unpickler = _Unpickler(file)
        tensors = unpickler.load()
        keys = _Unpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError) as e:
        if isinstance(e, CheckpointError):
            raise
        raise CheckpointError(f"not a legacy PyTorch checkpoint: {e}") from e

    for key in keys:
        storage = unpickler.storages.get(key)
        header = file.read(8)
        if storage is None or len(header) != 8 or struct.unpack("<q", header)[0] != storage.count:
            raise CheckpointError(f"storage {key} is not the size that the checkpoint announces")
        elements = file.read(storage.count * storage.dtype.itemsize)
        if len(elements) != storage.count * storage.dtype.itemsize:
            raise CheckpointError(f"the checkpoint ends within storage {key}")
        storage.elements = np.frombuffer(elements, storage.dtype)
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise CheckpointError("the checkpoint is not a table of tensors")
    if any(t.storage.elements is None for t in tensors.values()):
        raise CheckpointError("the checkpoint lacks a storage that a tensor needs")
    return {name: t.to_numpy() for name, t in tensors.items()}
