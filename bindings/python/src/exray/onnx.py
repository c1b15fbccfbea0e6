"""ONNX Runtime: exray.onnx.Session records what exray's own engine adapter would."""

from __future__ import annotations

import ctypes
import math
import os
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from exray import _ort_profile, _strings
from exray._errors import ArgumentError, UnsupportedError, need
from exray._recorder import Recorder
from exray._tap import ModelFile, PathLike, Run, read_file
from exray._types import DTYPE_NAMES, Model, TensorInfo, has_log_dtype, log_dtype, numpy_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVELS = {"default": "ORT_ENABLE_ALL", "extended": "ORT_ENABLE_EXTENDED", "none": "ORT_DISABLE_ALL"}


# Types of ONNX Runtime's that NumPy lacks, and their names in the log.
_NOT_OF_NUMPY = {"tensor(bfloat16)": "bfloat16", "tensor(float8e4m3fn)": "float8_e4m3", "tensor(float8e5m2)": "float8_e5m2"}


def _array(value: Any) -> "NDArray[Any]":
    """An OrtValue as an array, also where NumPy has its type only with the package ml_dtypes."""
    import numpy as np

    name = _NOT_OF_NUMPY.get(value.data_type()) if hasattr(value, "data_type") else None
    if name is None:
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    dtype, shape = numpy_dtype(name), tuple(value.shape())
    if value.device_name() != "cpu":
        raise UnsupportedError(f"{name} in an accelerator's memory")
    return np.frombuffer(ctypes.string_at(value.data_ptr(), dtype.itemsize * math.prod(shape)), dtype).reshape(shape)


def _held(values: "Mapping[str, Any]") -> "Dict[str, NDArray[Any]]":
    """Those that a log can hold, as arrays: numbers and strings in whatever ONNX Runtime takes and gives; no maps, no
    sequences."""
    held: "Dict[str, NDArray[Any]]" = {}
    for name, value in values.items():
        try:
            array = _array(value)
        except Exception:  # of an accelerator's memory, ragged, of a type that NumPy lacks
            continue
        if has_log_dtype(array.dtype) or _strings.are_strings(array):
            held[name] = array
    return held


class Session:
    """An onnxruntime.InferenceSession that records each run: inputs, layers, outputs, latency, weights.

    The layers are those of the graph that ONNX Runtime makes of the model at the level "extended", which keeps
    names: that graph is run a second time with every tensor an output, so that the run that is timed and whose outputs are
    returned stays the one that is deployed.

    model       the .onnx file
    recorder    where it goes; runs go into its open frame (a second one within it: a frame in its place)
    kernels     graph optimization: "default" (all), "extended", "none"
    threads     0: as ONNX Runtime likes
    latency     the time of each node: ONNX Runtime's profiler, in a session of its own, runs the first inputs twelve
                times (a second at most), and the first frames get these times.  False: only whole runs are timed
    options     more for InferenceSession: providers, ...
    """

    def __init__(self, model: PathLike, recorder: Recorder, *, kernels: str = "default", threads: int = 1,
                 latency: bool = True, **options: Any) -> None:
        ort = need("onnxruntime", "exray.onnx")
        if kernels not in _LEVELS:
            raise ArgumentError(f"kernels is one of {', '.join(_LEVELS)}, not {kernels!r}")
        self._ort, self._threads, self._options = ort, threads, options
        self._options.setdefault("providers", ["CPUExecutionProvider"])
        self._recorder = recorder
        self._run = Run(recorder)
        data, name, sha256 = read_file(model)
        self._model, self._level = os.fspath(model), _LEVELS[kernels]
        self._latency, self._profiled = latency, not latency
        self._times: List[_ort_profile.Run] = []
        self.session: Any = self._make(os.fspath(model), _LEVELS[kernels])
        self._observed: Optional[Any] = None
        graph = data if kernels == "none" else self._graph(data)
        self._file = ModelFile(graph)
        self._head = Model(name, "onnxruntime", str(ort.__version__), kernels, threads, sha256=sha256)
        self._tensors: List[TensorInfo] = list(self._file.model.tensors)
        self._places: Dict[str, List[int]] = {}
        for i, node in enumerate(self._file.model.nodes):
            if node.subgraph == 0:
                for k, position in enumerate(node.outputs):
                    if position is not None:  # else an optional one that the node leaves out
                        self._places[self._tensors[position].name] = [i, k, position]
        self._exposed: List[str] = []
        self._beyond_numpy = False  # some of these have types that run() cannot return
        self._described = self._warned = False
        self._observe()

    def _make(self, model: Any, level: str, saved: str = "", profile: str = "") -> Any:
        options = self._ort.SessionOptions()
        options.graph_optimization_level = getattr(self._ort.GraphOptimizationLevel, level)
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        if saved:
            options.optimized_model_filepath = saved
        if profile:
            options.enable_profiling, options.profile_file_prefix = True, profile
        return self._ort.InferenceSession(model, options, **self._options)

    def _graph(self, model: bytes) -> bytes:
        """The graph that ONNX Runtime makes of the model (whole: of one beside other files it would write where these
        lie), which it writes to a file only."""
        with tempfile.TemporaryDirectory(prefix="exray-") as folder:
            saved = Path(folder) / "graph.onnx"
            self._make(model, _LEVELS["extended"], str(saved))
            return saved.read_bytes()

    def _to(self, recorder: Recorder) -> "Session":
        """A session with another recorder, which shares the engine's."""
        made: Session = object.__new__(Session)
        vars(made).update(vars(self))
        made._recorder, made._run = recorder, Run(recorder)
        made._tensors, made._described, made._times = list(self._file.model.tensors), False, []
        made._profiled = not self._latency
        made._observe()
        if self._observed is None:
            self._observed, self._exposed, self._beyond_numpy = made._observed, made._exposed, made._beyond_numpy
        return made

    def _observe(self) -> None:
        """Makes the session that shows layers, where the recorder wants any and there is none yet."""
        nodes = self._file.model.nodes
        self._wanted = any(self._recorder.wants("layer", i, n.name) for i, n in enumerate(nodes))
        if self._wanted and self._observed is None:
            self._observed = self._make(self._file.exposed(), _LEVELS["none"])
            shown = [o for o in self._observed.get_outputs() if o.name in self._places]
            self._exposed = [o.name for o in shown]
            self._beyond_numpy = any(o.type in _NOT_OF_NUMPY for o in shown)

    def __getattr__(self, name: str) -> Any:
        own = getattr(self.session, name)
        if not name.startswith("run_"):
            return own

        def unrecorded(*args: Any, **kwargs: Any) -> Any:
            if self._recorder._takes and not self._warned:
                self._warned = True
                warnings.warn(f"exray: {name}() is not recorded; run() and run_with_ort_values() are", stacklevel=2)
            return own(*args, **kwargs)

        return unrecorded

    def _describe(self, values: Mapping[str, "NDArray[Any]"]) -> None:
        """Types and shapes that are not in the file are those of the first run."""
        for name, array in values.items():
            position = self._places[name][2] if name in self._places else \
                next((i for i in self._file.model.inputs if self._tensors[i].name == name), None)
            if position is None:
                continue
            known = self._tensors[position]
            dtype = DTYPE_NAMES[log_dtype(array.dtype)] if has_log_dtype(array.dtype) else "string"
            if known.dtype != dtype or known.shape != array.shape:
                quantization = known.quantization if known.dtype == dtype else None
                self._tensors[position] = replace(known, dtype=dtype, shape=array.shape, quantization=quantization)
        described = replace(self._head, tensors=tuple(self._tensors), nodes=self._file.model.nodes,
                            inputs=self._file.model.inputs, outputs=self._file.model.outputs)
        self._recorder._describe(described)
        self._described = True
        self._record_constants()

    def _record_constants(self) -> None:
        import numpy as np

        for position, info in enumerate(self._tensors):
            if not info.constant or info.dtype in ("string", "unspecified", "int4", "uint4") or -1 in info.shape:
                continue
            if not self._recorder.wants("constant", position, info.name):
                continue
            data = self._file.constant(position)
            if data is not None and self._has_numpy(info.dtype):
                array = np.frombuffer(data, numpy_dtype(info.dtype)).reshape(info.shape)
                self._recorder.constant(position, array, name=info.name)

    @staticmethod
    def _has_numpy(dtype: str) -> bool:
        try:
            numpy_dtype(dtype)
        except UnsupportedError:  # bfloat16 without the package ml_dtypes
            return False
        return True

    def run(self, output_names: Optional[Sequence[str]], feed: Mapping[str, "NDArray[Any]"],
            run_options: Any = None) -> List[Any]:
        """As InferenceSession.run()."""
        return self._observed_run(self.session.run, output_names, feed, run_options)

    def run_with_ort_values(self, output_names: Optional[Sequence[str]], feed: Mapping[str, Any],
                            run_options: Any = None) -> List[Any]:
        """As InferenceSession.run_with_ort_values(); what lies in an accelerator's memory is copied to be recorded."""
        return self._observed_run(self.session.run_with_ort_values, output_names, feed, run_options)

    def _observed_run(self, run: "Callable[..., List[Any]]", output_names: Optional[Sequence[str]], feed: Mapping[str, Any],
                      run_options: Any) -> List[Any]:
        names = list(output_names) if output_names else [o.name for o in self.session.get_outputs()]
        began = time.perf_counter_ns()
        outputs = run(names, feed, run_options)
        took = time.perf_counter_ns() - began
        if not self._recorder._takes:  # the log has ended; the application goes on
            return outputs
        self._run.begin()  # not before: a run that is refused is no frame
        try:
            began = max(self._recorder.elapsed_ns() - took, 0)
            self._record(feed, dict(zip(names, outputs)))
            times = self._times.pop(0) if self._times else []
            self._run.end(took, [(node, began + start, duration) for node, start, duration in times])
        except BaseException:
            self._run.abandon()
            raise
        return outputs

    def _record(self, feed: Mapping[str, "NDArray[Any]"], outputs: Mapping[str, Any]) -> None:
        r, first = self._recorder, not self._described
        layers: Dict[str, Any] = {}
        inputs = _held(feed)
        if not first:  # at once: what is between the frame's begin and its inputs is the application's time
            self._record_inputs(inputs)
        if self._observed is not None and self._wanted:
            layers = self._layers(self._observed, {**feed, **inputs})
        layers, outputs = _held(layers), _held(outputs)
        if first:
            self._describe({**inputs, **outputs, **layers})
            self._record_inputs(inputs)
        for name, array in layers.items():
            node, output, _ = self._places[name]
            if not r.wants("layer", node, self._file.model.nodes[node].name):
                continue
            if has_log_dtype(array.dtype):
                r.layer(node, name, array, output=output)
            else:
                _strings.record(r, "layer", name, array, node, output)
        for name, array in outputs.items():
            if has_log_dtype(array.dtype):
                r.output(name, array)
            else:
                _strings.record(r, "output", name, array)
        if not self._profiled:
            self._profiled = True
            self._times = _ort_profile.profile(lambda prefix: self._make(self._model, self._level, profile=prefix),
                                               {**feed, **inputs}, self._nodes_by_name())

    def _layers(self, observed: Any, feed: "Mapping[str, Any]") -> "Dict[str, Any]":
        if not self._beyond_numpy:
            return dict(zip(self._exposed, observed.run(self._exposed, feed)))
        value = self._ort.OrtValue.ortvalue_from_numpy
        given = {name: array if hasattr(array, "data_type") else value(array) for name, array in feed.items()}
        return dict(zip(self._exposed, observed.run_with_ort_values(self._exposed, given)))

    def _record_inputs(self, inputs: "Mapping[str, NDArray[Any]]") -> None:
        for name, array in inputs.items():
            if has_log_dtype(array.dtype):
                self._recorder.input(name, array)
            else:
                _strings.record(self._recorder, "input", name, array)

    def _nodes_by_name(self) -> Dict[str, int]:
        """Positions of the nodes by their names, and by the names of what they make, as events name them."""
        nodes = {name: place[0] for name, place in self._places.items()}
        nodes.update({n.name: i for i, n in enumerate(self._file.model.nodes) if n.name and n.subgraph == 0})
        return nodes


def tap(model: "Union[PathLike, Session]", recorder: Recorder, **options: Any) -> Session:
    """Session(model, recorder, **options): a session shows its layers only if it was made for it.  model: also a Session,
    whose engine then serves this recorder as well (without options): a new log costs no new engine."""
    if not isinstance(model, Session):
        return Session(model, recorder, **options)
    if options:
        raise ArgumentError(f"the session has its options: {', '.join(options)} cannot be changed")
    return model._to(recorder)


__all__ = ["Session", "tap"]
