"""What the taps share."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from exray._errors import FileError, encode_path, new_error, raise_filled, text
from exray._exray import ffi, lib
from exray._recorder import Recorder
from exray._types import DTYPE_NAMES, Model, Node, TensorInfo, has_log_dtype, log_dtype, model_from_c

PathLike = Union[str, "os.PathLike[str]"]


class Run:
    """The frame that one run of the model is recorded in: the one that is open; where none is open, one of its own,
    which ends with the run; where the open one has had a run, one that takes its place, until the `with` ends."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._serial = -1
        self._own = False

    def begin(self) -> None:
        r = self._recorder
        self._own = not r._in_frame
        if self._own or r._serial == self._serial:
            r._begin(None, None, None)
        self._serial = r._serial

    def end(self, inference_ns: int, latency: "Sequence[Tuple[int, int, int]]" = ()) -> None:
        r = self._recorder
        r.inference_ns(inference_ns)
        if latency:
            nodes, starts, durations = zip(*latency)
            r.latency(nodes, starts, durations)
        if self._own:
            self._own = False
            r._end(True)

    def abandon(self) -> None:
        """The run has failed: ends a frame that was begun for it, so that the next can begin."""
        if self._own:
            self._own = False
            self._recorder._end(False)


class ModelFile:
    """A model file (.tflite, .onnx) as the C library reads it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        error = new_error()
        made = lib.xr_py_model_read(ffi.from_buffer(data), len(data), error)
        if made == ffi.NULL:
            raise_filled(error)
        self._file = ffi.gc(made, lib.xr_py_model_free)
        self.model: Model = model_from_c(lib.xr_py_model_get(self._file))

    def constant(self, tensor: int) -> Optional[bytes]:
        """The data of a constant, where the file has it."""
        size = ffi.new("size_t *")
        data = lib.xr_py_model_constant(self._file, tensor, size)
        return None if data == ffi.NULL else bytes(ffi.buffer(data, size[0]))

    def exposed(self) -> bytes:
        """The same model with its inner tensors among its outputs."""
        size, error = ffi.new("size_t *"), new_error()
        data = lib.xr_py_model_expose(self._file, size, error)
        if data == ffi.NULL:
            raise_filled(error)
        return bytes(ffi.buffer(data, size[0]))


def read_file(path: PathLike) -> Tuple[bytes, str, bytes]:
    """A model file's bytes, with the tensors that lie in files beside it; its name in the log; their sha256."""
    encoded = encode_path(path, "the model's path")
    file = Path(os.fsdecode(encoded))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read the model {file}: {error.strerror}") from error
    data = _whole(encoded, data)
    return data, file.name, hashlib.sha256(data).digest()


def _whole(path: bytes, data: bytes) -> bytes:
    size, error = ffi.new("size_t *"), new_error()
    whole = lib.xr_py_model_whole(path, ffi.from_buffer(data), len(data), size, error)
    if whole == ffi.NULL:
        if error.status != 0:
            raise FileError(f"cannot read the model {os.fsdecode(path)}: {text(error.message)}")
        return data
    try:
        return bytes(ffi.buffer(whole, size[0]))
    finally:
        lib.xr_py_free(whole)


class _Output(NamedTuple):
    node: int
    output: int
    name: str
    array: "np.ndarray[Any, np.dtype[Any]]"


class Trace:
    """The graph of a model that is run operation by operation, learned in its first run.

    The framework's tap calls begin(), op() for each operation, end().  Tensors are known by their identity
    within a run.  The first run's outputs are copied and recorded once the model is described; those of later runs
    go straight to the log."""

    def __init__(self, recorder: Recorder, model: Model) -> None:
        self.recorder = recorder
        self._head = model
        self._run = Run(recorder)
        self._warned = False
        self._forget()

    def _forget(self) -> None:
        """Nothing is known of the model yet."""
        self.active = False  # within a run
        self.silent = False
        self._described = False
        self._tensors: List[TensorInfo] = []
        self._nodes: List[Node] = []
        self._inputs: List[int] = []
        self._constants: List[Tuple[int, Any]] = []
        self._kept: List[_Output] = []
        self._given: "List[Tuple[str, np.ndarray[Any, np.dtype[Any]]]]" = []
        self._position: Dict[int, int] = {}  # id of a framework's tensor -> position, in this run
        self._alive: List[Any] = []  # so that an id is not used twice within a run
        self._place: Dict[Tuple[str, str, int], int] = {}
        self._times: Dict[Tuple[str, str], int] = {}
        self._latency: List[Tuple[int, int, int]] = []

    @property
    def described(self) -> bool:
        """Whether a run has shown the model already."""
        return self._described

    def _info(self, name: str, array: "np.ndarray[Any, np.dtype[Any]]", layout: str, constant: bool = False) -> int:
        dtype = DTYPE_NAMES[log_dtype(array.dtype)] if has_log_dtype(array.dtype) else "unspecified"  # complex, say
        self._tensors.append(TensorInfo(name, dtype, array.shape,
                                        layout if len(layout) == array.ndim else "", None, constant))
        return len(self._tensors) - 1

    def begin(self, inputs: "Sequence[Tuple[str, Any, np.ndarray[Any, np.dtype[Any]], str]]",
              silent: bool = False) -> None:
        """A run begins.  inputs: name, the framework's tensor, its values, layout.  silent: it only shows the
        model, nothing of it is recorded."""
        self.active, self.silent = True, silent
        self._position.clear()
        self._alive.clear()
        self._times.clear()
        self._latency.clear()
        try:
            if not silent:
                self._run.begin()
            for name, tensor, array, layout in inputs:
                self._take_input(name, tensor, array, layout)
        except BaseException:
            self.abandon()
            raise

    def _take_input(self, name: str, tensor: Any, array: "np.ndarray[Any, np.dtype[Any]]", layout: str) -> None:
        if self._described:
            if not self.silent:
                self.recorder.input(name, array)
            return
        self._position[id(tensor)] = self._info(name, array, layout)
        self._inputs.append(self._position[id(tensor)])
        self._alive.append(tensor)
        self._given.append((name, array))

    def link(self, tensor: Any, array: "Callable[[Any], np.ndarray[Any, np.dtype[Any]]]") -> None:
        """An operation reads this tensor.  One that nothing made is an input of the model where it has its values: frameworks
        convert what they are given."""
        if self._described or id(tensor) in self._position:
            return
        values = array(tensor)
        for position, (_, given) in zip(self._inputs, self._given):
            if given.shape == values.shape and np.array_equal(given.astype(values.dtype), values):
                self._position[id(tensor)] = position
                self._alive.append(tensor)
                return

    def alive(self) -> List[Any]:
        """The framework's tensors of the first run so far, the newest last."""
        return self._alive

    def knows(self, tensor: Any) -> bool:
        """Whether a tensor of the first run was given to the model or made by an operation."""
        return id(tensor) in self._position

    def times(self, name: str, op: str) -> int:
        """How many operations of that name this run has had."""
        return self._times.get((name, op), 0)

    def now(self) -> int:
        """Nanoseconds since the frame began."""
        return 0 if self.silent else self.recorder.elapsed_ns()

    def wants(self, name: str, op: str) -> bool:
        """Whether the outputs of this operation, the next of its name, have to be fetched."""
        if not self._described:
            return True
        node = self._place.get((name, op, self._times.get((name, op), 0)))
        return node is not None and self.recorder.wants("layer", node, self._nodes[node].name)

    def op(self, name: str, op: str, inputs: Sequence[Any], outputs: Sequence[Any],
           arrays: "Sequence[np.ndarray[Any, np.dtype[Any]]]", layout: str, start_ns: int, duration_ns: int,
           attributes: Optional[Mapping[str, str]] = None,
           constants: "Sequence[Tuple[str, Any, Any]]" = ()) -> None:
        """An operation has run.  arrays: values of the outputs (none where wants() said so).  constants: name,
        tensor, values of weights."""
        nth = self._times.get((name, op), 0)
        self._times[name, op] = nth + 1
        if not self._described:
            self._place[name, op, nth] = len(self._nodes)
            self._add(f"{name}#{nth}" if nth else name, op, inputs, outputs, arrays, layout, attributes, constants)
        node = self._place.get((name, op, nth))
        if node is None:
            if not self._warned:
                warnings.warn(f"exray: {name} ({op}) did not run in the first run: it is not recorded", stacklevel=2)
            self._warned = True
            return
        self._latency.append((node, start_ns, duration_ns))
        for k, array in enumerate(arrays):
            made = self._nodes[node].outputs
            position = made[k] if k < len(made) else None
            info = None if position is None else self._tensors[position]
            if info is None or info.dtype == "unspecified":
                continue
            if self._described:
                self.recorder.layer(node, info.name, array, output=k)
            else:
                self._kept.append(_Output(node, k, info.name, np.array(array)))

    def _add(self, name: str, op: str, inputs: Sequence[Any], outputs: Sequence[Any],
             arrays: "Sequence[np.ndarray[Any, np.dtype[Any]]]", layout: str,
             attributes: Optional[Mapping[str, str]], constants: "Sequence[Tuple[str, Any, Any]]") -> None:
        for weight, tensor, values in constants:
            if id(tensor) not in self._position:
                position = self._info(weight, values, "", True)
                self._position[id(tensor)] = position
                self._alive.append(tensor)
                self._constants.append((position, values))
        taken = [self._position[id(t)] for t in inputs if id(t) in self._position]
        taken += [self._position[id(t)] for _, t, _ in constants if self._position[id(t)] not in taken]
        made = []
        for k, (tensor, array) in enumerate(zip(outputs, arrays)):
            position = self._info(name if k == 0 else f"{name}:{k}", array, layout)
            self._position[id(tensor)] = position
            self._alive.append(tensor)
            made.append(position)
        self._nodes.append(Node(op, name, tuple(taken), tuple(made), dict(attributes or {})))

    def end(self, outputs: Sequence[Any], array: Callable[[Any], "np.ndarray[Any, np.dtype[Any]]"],
            inference_ns: int) -> None:
        """The run is over.  outputs: the framework's tensors; array: gives the values of one."""
        try:
            name = "output{}" if len(outputs) > 1 else "output"
            self._finish([(name.format(i), t, array(t)) for i, t in enumerate(outputs)], inference_ns)
        except BaseException:
            self.abandon()
            raise

    def _finish(self, outputs: "Sequence[Tuple[str, Any, np.ndarray[Any, np.dtype[Any]]]]", inference_ns: int) -> None:
        self.active = False
        if not self._described:
            self._describe(outputs)
        if self.silent:
            self._given.clear()
            self._kept.clear()
        for name, array in self._given:
            self.recorder.input(name, array)
        for kept in self._kept:
            self.recorder.layer(kept.node, kept.name, kept.array, output=kept.output)
        self._given.clear()
        self._kept.clear()
        self._alive.clear()
        if self.silent:
            return
        for name, _, array in outputs:
            self.recorder.output(name, array)
        self._run.end(inference_ns, self._latency)

    def abandon(self) -> None:
        """The run has failed: drops what it has shown so far."""
        self.active = False
        self._run.abandon()
        if not self._described:
            self._forget()

    def _describe(self, outputs: "Sequence[Tuple[str, Any, np.ndarray[Any, np.dtype[Any]]]]") -> None:
        found = [self._position[id(t)] for _, t, _ in outputs if id(t) in self._position]
        h = self._head
        self.recorder._describe(Model(h.name, h.engine, h.engine_version, h.kernels, h.threads, tuple(self._tensors),
                                      tuple(self._nodes), tuple(self._inputs), tuple(found), h.sha256))
        self._described = True
        for position, values in self._constants:
            if self.recorder.wants("constant", position, self._tensors[position].name):
                self.recorder.constant(position, values, name=self._tensors[position].name)
        self._constants.clear()
