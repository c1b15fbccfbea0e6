"""A tap for the Interpreter of LiteRT and TensorFlow Lite: exray.litert.tap(interpreter, recorder)."""

from __future__ import annotations

import warnings
from importlib import metadata
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from exray._errors import EngineError, encode
from exray._exray import ffi
from exray._hook import Hook
from exray._node_times import has_times, times_of
from exray._recorder import Place, Recorder
from exray._tap import ModelFile, PathLike, Run, read_file
from exray._types import DTYPE_NAMES, Model, Node, Quantization, TensorInfo, has_log_dtype, log_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PACKAGES = {"ai_edge_litert": ("litert", "ai-edge-litert"), "tflite_runtime": ("tflite", "tflite-runtime"),
             "tensorflow": ("tflite", "tensorflow")}


# Inputs that are variables: what an operation keeps from run to run.
_STATES = {"LSTM": (18, 19), "UNIDIRECTIONAL_SEQUENCE_LSTM": (18, 19), "BIDIRECTIONAL_SEQUENCE_LSTM": (35, 36, 37, 38),
           "RNN": (4,), "UNIDIRECTIONAL_SEQUENCE_RNN": (4,), "BIDIRECTIONAL_SEQUENCE_RNN": (4, 8), "SVDF": (4,)}


def _engine(interpreter: Any) -> Tuple[str, str]:
    """The engine's name and version: the package that the interpreter is of."""
    engine, package = _PACKAGES.get(type(interpreter).__module__.split(".")[0], ("tflite", ""))
    try:
        return engine, metadata.version(package) if package else ""
    except metadata.PackageNotFoundError:
        return engine, ""


def _slices(values: "NDArray[Any]", info: TensorInfo) -> "NDArray[Any]":
    """In the shape in which each scale is that of one slice: of rows in blocks with a scale each, the blocks."""
    scales = info.quantization.scale if info.quantization else ()
    axis = info.quantization.axis if info.quantization else 0
    whole = len(scales) < 2 or (axis < values.ndim and values.shape[axis] == len(scales)) or values.size % len(scales) != 0
    return values if whole else values.reshape(len(scales), -1)


def _info(details: Mapping[str, Any], constant: bool) -> TensorInfo:
    q = details["quantization_parameters"]
    quantization = None
    if len(q["scales"]):
        quantization = Quantization(tuple(float(s) for s in q["scales"]), tuple(int(z) for z in q["zero_points"]),
                                    int(q["quantized_dimension"]))
    try:
        dtype = DTYPE_NAMES[log_dtype(np.dtype(details["dtype"]))]
    except Exception:  # strings, resources
        dtype = "unspecified"
    shape = tuple(int(n) for n in details["shape"])
    return TensorInfo(details["name"], dtype, shape, "NHWC" if len(shape) == 4 and not constant else "",
                      quantization, constant)


class _Op:
    """An operation as the interpreter describes it."""

    def __init__(self, details: Mapping[str, Any]) -> None:
        self.index = int(details["index"])
        self.op = str(details["op_name"])
        self.inputs = [int(i) for i in details["inputs"]]
        self.outputs = [int(i) for i in details["outputs"]]
        self.inner: "List[_Op]" = []


def _executed(ops: "List[_Op]") -> "List[_Op]":
    """What runs, in its order.  The interpreter lists the model's operations and then the delegates, which replace
    those between their inputs and their outputs."""
    maker = {t: op for op in ops if op.op != "DELEGATE" for t in op.outputs}
    replaced: Set[int] = set()
    for delegate in (op for op in ops if op.op == "DELEGATE"):
        borders, todo, seen = set(delegate.inputs), list(delegate.outputs), set()
        while todo:
            tensor = todo.pop()
            op = maker.get(tensor)
            if op is None or tensor in borders or op.index in seen:
                continue
            seen.add(op.index)
            todo += op.inputs
        delegate.inner = [op for op in ops if op.index in seen]
        replaced |= seen
    left = [op for op in ops if op.op == "DELEGATE" or op.index not in replaced]
    return _sorted(left)


def _sorted(ops: "List[_Op]") -> "List[_Op]":
    """Producers before consumers, else as they were."""
    made_by_others = {t for op in ops for t in op.outputs}
    ready: Set[int] = set()
    out: "List[_Op]" = []
    todo = list(ops)
    while todo:
        now = next((op for op in todo if all(t in ready or t not in made_by_others for t in op.inputs)), todo[0])
        todo.remove(now)
        ready.update(now.outputs)
        out.append(now)
    return out


class _Held:
    """What tensors hold that no operation makes: inputs and states.  An interpreter that is given a delegate allocates
    anew, which zeroes its variables: the application's model would forget what it was fed before the tap."""

    def __init__(self, interpreter: Any, ops: "List[_Op]", file_tensors: Sequence[TensorInfo]) -> None:
        self._interpreter = interpreter
        constants = {(i, t.name) for i, t in enumerate(file_tensors) if t.constant}
        made = {t for op in ops for t in op.outputs}
        read = {t for op in ops for t in op.inputs} | {int(d["index"]) for d in interpreter.get_input_details()}
        self._values: "Dict[int, NDArray[Any]]" = {}
        for details in interpreter.get_tensor_details():
            tensor = int(details["index"])
            if tensor in read - made and (tensor, details["name"]) not in constants and \
                    has_log_dtype(np.dtype(details["dtype"])):
                try:
                    self._values[tensor] = interpreter.get_tensor(tensor)
                except ValueError:  # it has no memory
                    continue

    def give_back(self) -> None:
        """Writes what has changed; what is constant never has."""
        for tensor, was in self._values.items():
            try:
                now = self._interpreter.tensor(tensor)()
            except ValueError:
                continue
            if now.shape == was.shape and now.tobytes() != was.tobytes():
                now[...] = was


class Tap:
    """What tap() returns; remove() ends it."""

    def __init__(self, interpreter: Any, recorder: Recorder, model_path: Optional[PathLike],
                 kernels: Optional[str], threads: int, latency: bool) -> None:
        self._interpreter, self._recorder = interpreter, recorder
        self._run = Run(recorder)
        self._attributes: Dict[int, Mapping[str, str]] = {}
        self._file_tensors: Sequence[TensorInfo] = ()
        self._readers: List[List[Tuple[Place, Any]]] = []
        self._names: Any = None
        self._keep: List[Any] = []
        name, sha256 = "", b""
        if model_path is not None:
            data, name, sha256 = read_file(model_path)
            file = ModelFile(data).model
            self._attributes = {i: n.attributes for i, n in enumerate(n for n in file.nodes if n.subgraph == 0)}
            self._file_tensors = file.tensors
        self._ops = _executed([_Op(d) for d in interpreter._get_ops_details()])
        observed = latency and not has_times(interpreter)
        held = _Held(interpreter, self._ops, self._file_tensors) if observed else None
        self._times = times_of(interpreter, self._ops, latency)
        if held is not None:
            held.give_back()
        self._details = {int(d["index"]): d for d in interpreter.get_tensor_details()}
        self._overwritten: Set[int] = set()
        self._input_readers: List[Tuple[Place, Any]] = []
        self._output_readers: List[Tuple[Place, Any]] = []
        self._inputs = [(int(d["index"]), str(d["name"])) for d in interpreter.get_input_details()]
        self._outputs = [(int(d["index"]), str(d["name"])) for d in interpreter.get_output_details()]
        delegated = any(op.op == "DELEGATE" for op in self._ops)
        engine, version = _engine(interpreter)
        self._check_preserved()
        self._describe(Model(name, engine, version, kernels or ("xnnpack" if delegated else "builtin"), threads,
                             sha256=sha256))
        self._hook = Hook.of(interpreter, "invoke")
        self._hook.add(self._observed)
        # Interpreters of old versions have none.
        self._runners = Hook.of(interpreter, "get_signature_runner") if hasattr(interpreter, "get_signature_runner") else None
        if self._runners:
            self._runners.add(self._warn_of_runner)
        recorder._taps.add(self)

    def remove(self) -> None:
        """Removes the tap: the interpreter is as before, but for other taps.  Closing the recorder does it, too."""
        self._hook.remove(self._observed)
        if self._runners:
            self._runners.remove(self._warn_of_runner)
        self._recorder._taps.discard(self)

    def _warn_of_runner(self, run: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """It does not call the interpreter's invoke()."""
        if self._recorder._takes:
            warnings.warn("exray: what a signature's runner runs is not recorded; set_tensor() and invoke() are", stacklevel=5)
        return run(*args, **kwargs)

    def _computed_from_constants(self) -> Set[int]:
        """What operations make of constants and shapes alone: computed once, before any run, and never overwritten."""
        fixed, made = set(self._constants()), set()  # type: Set[int], Set[int]
        for op in self._ops:
            if op.op == "SHAPE" or (op.inputs and all(t < 0 or t in fixed for t in op.inputs)):
                fixed.update(op.outputs)
                made.update(op.outputs)
        return made

    def _check_preserved(self) -> None:
        """Raises for tensors that share memory, with each other or with an output: they are overwritten before they can be read.
        What no operation reads (a loop's counters) is kept by no interpreter: it is left out where something else took its memory."""
        if not any(self._recorder.wants("layer", i, self._name(op)) for i, op in enumerate(self._ops)):
            return
        spans = []
        fixed = self._computed_from_constants()
        unread = {t for op in self._ops for t in op.outputs} - {t for op in self._ops for t in op.inputs} - {t for t, _ in self._outputs}
        for tensor in {t for op in self._ops for t in op.outputs} - fixed:
            view = self._view(tensor)
            if view is not None and view.nbytes:
                begin = view.__array_interface__["data"][0]
                spans.append((begin, begin + view.nbytes, tensor))
        end, last = 0, -1  # of those that are not made in place
        for begin, own_end, tensor in sorted(spans):
            if not self._view_kind(tensor):
                continue
            if begin < end:
                lost = {tensor, last} & unread
                if not lost:
                    raise EngineError("the interpreter's tensors share memory, so layers cannot be read: create it with "
                                      "experimental_preserve_all_tensors=True, or record with capture='io'")
                self._overwritten |= lost
            if own_end > end:
                end, last = own_end, tensor

    def _view_kind(self, tensor: int) -> bool:
        """Whether sharing is unexpected: RESHAPE works in place."""
        maker = next((op for op in self._ops if tensor in op.outputs), None)
        return maker is not None and maker.op not in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")

    def _view(self, tensor: int) -> "Optional[NDArray[Any]]":
        """The tensor's own memory, or None where it has none (inside a delegate), or is of a type that logs do not have
        (strings, complex numbers, handles of resources: NumPy would take a handle's bytes for Python objects)."""
        details = self._details.get(tensor)
        if details is None or not has_log_dtype(np.dtype(details["dtype"])):
            return None
        try:
            found: "Optional[NDArray[Any]]" = self._interpreter.tensor(tensor)()
        except ValueError:
            return None
        return found

    def _name(self, op: _Op) -> str:
        return str(self._details[op.outputs[0]]["name"]) if op.outputs and op.outputs[0] in self._details else ""

    def _node(self, op: _Op, place: Mapping[int, int]) -> Node:
        inner = tuple(self._node(one, place) for one in op.inner)
        return Node(op.op, "", tuple(place.get(t) for t in op.inputs),
                    tuple(place[t] for t in op.outputs if t in place), dict(self._attributes.get(op.index, {})), 0, inner)

    def _constants(self) -> List[int]:
        """Tensors that operations read and none makes: weights.  Kernels' scratch tensors are read by none, and
        variables hold a state."""
        ops = [one for op in self._ops for one in (op, *op.inner)]
        read = {t for op in ops for t in op.inputs} - {i for i, _ in self._inputs}
        for op in ops:
            read.difference_update(op.outputs)
            read.difference_update(op.inputs[i] for i in _STATES.get(op.op, ()) if i < len(op.inputs))
        return [t for t in sorted(read & set(self._details)) if self._is_constant_in_file(t)]

    def _is_constant_in_file(self, tensor: int) -> bool:
        """True also where the file is not known, or is another."""
        info = self._file_tensors[tensor] if tensor < len(self._file_tensors) else None
        return info is None or info.name != self._details[tensor]["name"] or info.constant

    def _describe(self, head: Model) -> None:
        order = sorted(self._details)
        place = {tensor: position for position, tensor in enumerate(order)}
        constants = self._constants()
        infos = tuple(_info(self._details[t], t in constants) for t in order)
        self._recorder._describe(Model(head.name, head.engine, head.engine_version, head.kernels, head.threads, infos,
                                       tuple(self._node(op, place) for op in self._ops),
                                       tuple(place[i] for i, _ in self._inputs),
                                       tuple(place[i] for i, _ in self._outputs), head.sha256))
        for tensor in constants:
            if infos[place[tensor]].dtype != "unspecified" and \
                    self._recorder.wants("constant", place[tensor], infos[place[tensor]].name):
                try:
                    values = self._interpreter.get_tensor(tensor)
                except ValueError:  # it has no data here
                    continue
                self._recorder.constant(place[tensor], _slices(values, infos[place[tensor]]), name=infos[place[tensor]].name)

    def _observed(self, run: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if not self._recorder._takes:
            return run(*args, **kwargs)
        self._run.begin()
        try:
            self._record_inputs()
            result, times = self._timed(run, args, kwargs)
            took = self._hook.took_ns
            self._record_made()
            if times[0]:
                self._recorder.latency(*times)
            self._run.end(took)
        except BaseException:
            self._run.abandon()
            raise
        return result

    def _timed(self, run: Callable[..., Any], args: Tuple[Any, ...],
               kwargs: Mapping[str, Any]) -> Tuple[Any, Tuple[List[int], List[int], List[int]]]:
        """What the run returns, and the times of its nodes."""
        if self._times is None:
            return run(*args, **kwargs), ([], [], [])
        self._times.begin()
        try:
            result = run(*args, **kwargs)
            return result, self._times.read(self._recorder.elapsed_ns())
        finally:
            self._times.end()

    def _readers_of(self, tensors: Sequence[Tuple[int, Place]]) -> List[Tuple[Place, Any]]:
        """Of those that a log can have: the interpreter's function that gives its memory as it is then."""
        return [(place, self._interpreter.tensor(t)) for t, place in tensors
                if t in self._details and t not in self._overwritten and has_log_dtype(np.dtype(self._details[t]["dtype"]))]

    def _prepare_readers(self) -> None:
        """The operations' names for C, and what gives inputs, layers and outputs."""
        self._keep = [ffi.new("char[]", encode(self._name(op), "a name")) for op in self._ops]
        self._names = ffi.new("char *[]", self._keep)
        self._readers = [self._readers_of([(t, Place("layer", str(self._details[t]["name"]), i, k))
                                           for k, t in enumerate(op.outputs) if t in self._details])
                         for i, op in enumerate(self._ops)]
        self._input_readers = self._readers_of([(t, Place("input", name)) for t, name in self._inputs])
        self._output_readers = self._readers_of([(t, Place("output", name)) for t, name in self._outputs])

    def _record_inputs(self) -> None:
        if self._names is None:
            self._prepare_readers()
        self._record(self._input_readers)

    def _record_made(self) -> None:
        """Layers and outputs."""
        wanted = self._recorder._wanted_layers(self._names) if self._ops else []
        readers = [one for i, outputs in enumerate(self._readers) if wanted[i] for one in outputs]
        self._record(readers + self._output_readers)

    def _record(self, readers: Sequence[Tuple[Place, Any]]) -> None:
        arrays = []
        for place, read in readers:
            try:
                arrays.append((place, read()))
            except ValueError:  # it has no memory: within a delegate
                continue
        if arrays:
            self._recorder._log_tensors(arrays)


def tap(interpreter: Any, recorder: Recorder, model_path: Optional[PathLike] = None, *,
        kernels: Optional[str] = None, threads: int = 1, latency: bool = True) -> Tap:
    """From now on each invoke() of the interpreter (of ai_edge_litert, tflite_runtime or tensorflow; its tensors
    allocated, none resized after) is recorded: inputs, the output of every operation, outputs, weights, and what the
    whole invoke and each operation took.

    Layers can be read only of an interpreter that was created with experimental_preserve_all_tensors=True
    (EngineError otherwise, where memory is shared); of a part that a delegate runs, what leaves it.  For the kernels that the model was made for
    use experimental_op_resolver_type=OpResolverType.BUILTIN_REF or BUILTIN_WITHOUT_DEFAULT_DELEGATES.  model_path:
    the model's file, for its name, hash and operators' attributes.  kernels, threads: what the log says.  latency: the
    interpreter is given a delegate that replaces no operation and notes when each runs; False leaves it as it is.  Frames are as in
    exray.torch.tap(); once the recorder is closed, the interpreter runs as if there were no tap."""
    return Tap(interpreter, recorder, model_path, kernels, threads, latency)


__all__ = ["Tap", "tap"]
