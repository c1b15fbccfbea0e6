"""Tensors of strings, as logs hold them (spec/log-format.md, "Strings")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exray._exray import ffi, lib
from exray._types import KINDS, NO_INDEX, Keeper, TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from exray._recorder import Recorder


def are_strings(array: "NDArray[Any]") -> bool:
    """Whether all elements are texts (or bytes), as engines take and give them."""
    return array.dtype.kind in "US" or (array.dtype.kind == "O" and all(isinstance(e, (str, bytes)) for e in array.flat))


def packed(array: "NDArray[Any]") -> "NDArray[np.uint8]":
    """How many they are, where each begins and the last one ends, and the texts in UTF-8."""
    texts = [e.encode("utf-8", "surrogateescape") if isinstance(e, str) else bytes(e) for e in array.flat]
    ends = np.cumsum([4 * (len(texts) + 2), *map(len, texts)])
    return np.frombuffer(np.array([len(texts), *ends], "<u4").tobytes() + b"".join(texts), np.uint8)


def record(recorder: "Recorder", kind: str, name: str, array: "NDArray[Any]", index: int = NO_INDEX, output: int = 0) -> None:
    """An input, an output, or the output of a layer."""
    keeper, data = Keeper(), packed(array)
    tensor = keeper.new("exray_tensor *")
    tensor.kind, tensor.index, tensor.output = KINDS.index(kind), index, output
    keeper.fill_info(tensor.info, TensorInfo(name, "string", array.shape))
    position = recorder._described(kind, index, output, name)
    if position is not None and recorder._model is not None:
        tensor.in_model, tensor.model_tensor = True, position
        tensor.info_differs = recorder._model.tensors[position].shape != array.shape
    view = ffi.from_buffer(data)
    tensor.data, tensor.size = view, data.nbytes
    ready = recorder._ready()
    with recorder._lock:
        status = lib.exray_recorder_log_tensor(ready, tensor)
    if status:
        raise recorder._fail(ready, status)


__all__ = ["are_strings", "packed", "record"]
