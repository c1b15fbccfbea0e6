"""A tap for PyTorch: exray.torch.tap(model, recorder)."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from exray._errors import need
from exray._hook import Hook
from exray._recorder import Recorder
from exray._tap import Trace
from exray._types import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _array(tensor: Any) -> "NDArray[Any]":
    """Without a copy where the tensor is on the CPU; bfloat16, which torch cannot hand over, as its bits."""
    t = tensor.detach().cpu().contiguous()
    if str(t.dtype) == "torch.bfloat16":
        torch = need("torch", "exray.torch")
        ml_dtypes = need("ml_dtypes", "recording bfloat16")
        bits: "NDArray[Any]" = t.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return bits
    found: "NDArray[Any]" = t.numpy()
    return found


def _memory(tensor: Any) -> int:
    """Where the memory begins that a tensor shows; 0: it has none."""
    untyped = getattr(tensor, "untyped_storage", None)  # since PyTorch 2, which warns of the other one
    return int((untyped or tensor.storage)().data_ptr())


def _tensors(value: Any) -> List[Any]:
    """The tensors in what a function took or gave, however nested; those that a log can hold."""
    torch = need("torch", "exray.torch")
    if isinstance(value, torch.Tensor):
        plain = value.layout == torch.strided and not value.is_complex() and not value.is_quantized
        return [value] if plain else []
    if isinstance(value, dict):
        return [t for item in value.values() for t in _tensors(item)]
    if isinstance(value, (list, tuple)):
        return [t for item in value for t in _tensors(item)]
    return []


def _is_scripted(module: Any) -> bool:
    """Whether TorchScript runs the module (torch.jit.script, trace, load)."""
    return isinstance(module, need("torch", "exray.torch").jit.ScriptModule)


def _layout(tensor: Any) -> str:
    return "NCHW" if tensor.dim() == 4 else ""


_ATTRIBUTES = ("kernel_size", "stride", "padding", "dilation", "groups", "eps", "negative_slope", "output_size", "alpha", "mode",
               "align_corners", "scale_factor", "approximate", "upscale_factor", "num_groups", "count_include_pad", "ceil_mode",
               "padding_mode", "min_val", "max_val", "dim", "p", "dropout", "num_layers", "bidirectional", "nonlinearity")

# Modules that compute something else while a model is trained.
_TRAINED = ("BatchNorm", "SyncBatchNorm", "Dropout", "AlphaDropout", "FeatureAlphaDropout", "RReLU")


def _attributes(module: Any) -> Dict[str, str]:
    """The arguments of a leaf module: stride, padding, groups, eps, ...; whether it is in training mode."""
    out = {}
    for key in _ATTRIBUTES:
        value = getattr(module, key, None)
        if isinstance(value, (int, float, str, tuple)):
            out["group" if key == "groups" else key] = str(value)
    keeps = type(module).__name__.startswith("InstanceNorm") and getattr(module, "track_running_stats", False)
    if type(module).__name__.startswith(_TRAINED) or getattr(module, "dropout", False) or keeps:
        out["training"] = str(bool(module.training))
    return out


_DROPOUT = {"p": 1, "training": 2}
_CONVOLUTION = {"stride": 3, "padding": 4, "dilation": 5, "group": 6}
_TRANSPOSED = {"stride": 3, "padding": 4, "output_padding": 5, "group": 6, "dilation": 7}
_MAX_POOL = {"kernel_size": 1, "stride": 2, "padding": 3, "dilation": 4, "ceil_mode": 5}
_AVERAGE_POOL = {"kernel_size": 1, "stride": 2, "padding": 3, "ceil_mode": 4, "count_include_pad": 5}

# Where functions have the arguments that say what they compute.
_PLACES: Dict[str, Dict[str, int]] = {
    "dropout": _DROPOUT, "dropout1d": _DROPOUT, "dropout2d": _DROPOUT, "dropout3d": _DROPOUT, "alpha_dropout": _DROPOUT,
    "feature_alpha_dropout": _DROPOUT, "rrelu": {"training": 3}, "batch_norm": {"training": 5, "eps": 7},
    "pixel_shuffle": {"upscale_factor": 1}, "multi_head_attention_forward": {"dropout_p": 10, "training": 13},
    "softmax": {"dim": 1}, "log_softmax": {"dim": 1}, "leaky_relu": {"negative_slope": 1}, "elu": {"alpha": 1},
    "interpolate": {"mode": 3, "align_corners": 4}, "gelu": {"approximate": 99}, "layer_norm": {"eps": 4},
    "group_norm": {"num_groups": 1, "eps": 4}, "instance_norm": {"eps": 7},
    "conv1d": _CONVOLUTION, "conv2d": _CONVOLUTION, "conv3d": _CONVOLUTION, "conv_transpose1d": _TRANSPOSED, "conv_transpose2d": _TRANSPOSED,
    "max_pool1d": _MAX_POOL, "max_pool2d": _MAX_POOL, "avg_pool1d": _AVERAGE_POOL, "avg_pool2d": _AVERAGE_POOL}


def _padding(given: Any, args: Any, kwargs: Any) -> Dict[str, str]:
    """What pad() adds to a tensor, as ONNX says it: before each dimension, then behind each."""
    pairs, rank = kwargs.get("pad", args[1] if len(args) > 1 else ()), given.dim()
    mode, value = kwargs.get("mode", args[2] if len(args) > 2 else "constant"), kwargs.get("value", args[3] if len(args) > 3 else None)
    if not isinstance(pairs, (list, tuple)) or len(pairs) % 2 or len(pairs) > 2 * rank:
        return {}
    before, behind = [0] * rank, [0] * rank
    for i in range(len(pairs) // 2):  # the last dimension first
        before[rank - 1 - i], behind[rank - 1 - i] = int(pairs[2 * i]), int(pairs[2 * i + 1])
    out = {"pads": ",".join(str(n) for n in before + behind), "mode": {"replicate": "edge", "circular": "wrap"}.get(mode, mode)}
    if isinstance(value, (int, float)) and value != 0:
        out["value"] = str(value)
    return out


def _function_attributes(name: str, given: List[Any], args: Any, kwargs: Any) -> Dict[str, str]:
    """Of functions that are called outside of a module of PyTorch's own."""
    if name == "pad":
        return _padding(given[0], args, kwargs)
    out = {}
    for key, place in _PLACES.get(name, {}).items():
        value = kwargs.get("groups" if key == "group" else key, args[place] if len(args) > place else None)
        if isinstance(value, (int, float, str)) or (isinstance(value, (list, tuple)) and value):
            out[key] = str(tuple(value) if isinstance(value, (list, tuple)) else value)
    return out


def _is_own(module: Any) -> bool:
    """Whether a module is one of PyTorch's own, whose class says what it computes; another's may compute anything."""
    return type(module).__module__.startswith("torch.") and next(module.children(), None) is None


class _Watching(threading.local):
    """The taps whose models run now, in this thread.  One function mode serves all of them: what one does with
    tensors to record them would be functions of the model to another's."""

    def __init__(self) -> None:
        self.taps: "List[Tap]" = []
        self.paused = False  # what is called belongs to a tap

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before

    @contextlib.contextmanager
    def watch(self, tap: "Tap") -> Iterator[None]:
        before, self.paused = self.paused, False
        self.taps.append(tap)
        try:
            with contextlib.nullcontext() if len(self.taps) > 1 else _mode():
                yield
        finally:
            self.taps.remove(tap)
            self.paused = before

    def call(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Calls a function, and shows it to the taps."""
        if self.paused:
            return func(*args, **kwargs)
        start = time.perf_counter_ns()
        result = func(*args, **kwargs)
        took = time.perf_counter_ns() - start
        with self.pause():
            for tap in tuple(self.taps):
                tap._saw(func, args, kwargs, result, start, took)
        return result


_watching = _Watching()


def _mode() -> Any:
    """Sees every function that is called on tensors, those between modules as well."""
    base: Any = need("torch.overrides", "exray.torch").TorchFunctionMode

    class Mode(base):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return _watching.call(func, args, kwargs or {})

    return Mode()


class Tap:
    """What tap() returns; remove() takes it off again."""

    def __init__(self, model: Any, recorder: Recorder, name: Optional[str]) -> None:
        torch = need("torch", "exray.torch")
        self._torch = torch
        self._model = model
        self._path: List[Tuple[str, Any]] = []
        self._entered = 0  # when the module was that was entered last
        self._views: Dict[Tuple[str, str, int], List[int]] = {}  # see _show_views
        self._weights: Dict[int, str] = {id(p): n for n, p in model.named_parameters()}
        self._weights.update({id(b): n for n, b in model.named_buffers()})
        self._trace = Trace(recorder, Model(name or type(model).__name__, "torch", str(torch.__version__), "eager",
                                            torch.get_num_threads()))
        self._handles: List[Any] = []
        self._watch_modules(model)
        self._hook = Hook.of(model, "forward")
        self._hook.add(self._run)
        recorder._taps.add(self)

    def _watch_modules(self, model: Any) -> None:
        """Hooks every module within the model.  Of a scripted one Python runs the outermost alone, and only
        the base class lets it be hooked."""
        if _is_scripted(model):
            return
        module_class = self._torch.nn.Module
        scripted: List[str] = []
        for path, module in model.named_modules():
            if module is model or path.startswith(tuple(scripted)):
                continue
            leave: Callable[[Any, Any, Any], None] = self._leave
            if _is_scripted(module):
                scripted.append(path + ".")
                leave = self._leave_scripted
            self._handles.append(module_class.register_forward_pre_hook(module, self._enter(path)))
            self._handles.append(module_class.register_forward_hook(module, leave))

    def remove(self) -> None:
        """Takes the tap off: the model is as it was, but for other taps.  Closing the recorder does it, too."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._hook.remove(self._run)
        self._trace.recorder._taps.discard(self)

    def _show(self, example: Tuple[Any, ...]) -> None:
        """Runs the model once, unrecorded, to describe it."""
        self._observed(self._hook.method, example, {}, True)

    def _enter(self, path: str) -> Callable[[Any, Any], None]:
        def enter(module: Any, inputs: Any) -> None:
            if self._trace.active:
                self._path.append((path, module))
                self._entered = time.perf_counter_ns()

        return enter

    def _leave(self, module: Any, inputs: Any, output: Any) -> None:
        if self._trace.active and self._path:
            self._path.pop()

    def _leave_scripted(self, module: Any, inputs: Any, output: Any) -> None:
        """Nothing is seen of what such a module calls: it is one operation."""
        if not self._trace.active or not self._path:
            return
        path, _ = self._path[-1]
        with _watching.pause():
            self._saw_scripted(path, module, inputs, output, self._entered)
        self._path.pop()

    def _saw_scripted(self, name: str, module: Any, inputs: Any, output: Any, start: int) -> None:
        trace, op = self._trace, str(module.original_name)
        took = time.perf_counter_ns() - start
        made = _tensors(output)
        arrays = [_array(t) for t in made] if trace.wants(name, op) else []
        if made:
            trace.op(name, op, _tensors(inputs), made, arrays, _layout(made[0]), max(trace.now() - took, 0), took)

    def _name(self, func: Any) -> Tuple[str, str]:
        """A node's name and operator: the leaf module's where it is one that runs; of an application's own module
        the function's."""
        op = getattr(func, "__name__", str(func)).strip("_")
        if not self._path:
            return op, op
        path, module = self._path[-1]
        if _is_own(module):
            return path, type(module).__name__
        return f"{path}/{op}", op

    def _source(self, tensor: Any) -> Any:
        """The tensor of this run whose memory a tensor shows a part of that no function was seen to cut; None: there is none."""
        if id(tensor) in self._weights or self._trace.knows(tensor):
            return None
        place = _memory(tensor)
        found = next((t for t in reversed(self._trace.alive()) if _memory(t) == place), None) if place else None
        return None if id(found) in self._weights else found

    def _show_views(self, given: List[Any], reader: Tuple[str, str]) -> None:
        """Rows and parts that were taken by whole numbers alone, h[-1]: PyTorch shows no function that does so.  What is taken in the
        first run, where all of it is alive, is taken in later ones."""
        trace = self._trace
        key = (*reader, trace.times(*reader))
        if not trace.described:
            self._views[key] = [i for i, t in enumerate(given) if self._source(t) is not None]
        outer = self._path[:-1] if self._path and reader[0] == self._path[-1][0] else self._path
        name = f"{outer[-1][0]}/getitem" if outer else "getitem"
        for i in self._views.get(key, ()):
            if i >= len(given):
                continue
            source = None if trace.described else self._source(given[i])
            arrays = [_array(given[i])] if trace.wants(name, "getitem") else []
            trace.op(name, "getitem", [] if source is None else [source], [given[i]], arrays, _layout(given[i]), trace.now(), 0)

    def _saw(self, func: Any, args: Any, kwargs: Any, result: Any, start: int, took: int) -> None:
        """A function of the model has run."""
        trace = self._trace
        began = max(trace.now() - (time.perf_counter_ns() - start), 0)
        given = _tensors(args) + _tensors(kwargs)
        made = _tensors(result)
        if not made or not given:  # shapes, sizes, what makes constants
            return
        if made[0] is given[0] and id(given[0]) in self._weights:  # a counter of batches: no layer
            return
        name, op = self._name(func)
        self._show_views(given, (name, op))
        wanted = trace.wants(name, op)
        constants: List[Tuple[str, Any, Any]] = []
        attributes: Dict[str, str] = {}
        if not trace.described:
            constants = [(self._weights[id(t)], t, _array(t)) for t in given if id(t) in self._weights]
            own = bool(self._path) and _is_own(self._path[-1][1])
            attributes = _attributes(self._path[-1][1]) if own else _function_attributes(op, given, args, kwargs)
            if own and getattr(func, "__name__", "").strip("_") == "pad":
                attributes.update(_padding(given[0], args, kwargs))
        trace.op(name, op, given, made, [_array(t) for t in made] if wanted else [], _layout(made[0]), began, took,
                 attributes, constants)

    def _run(self, run: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if self._trace.active or not self._trace.recorder._takes:  # the model within itself, or a log that ended
            return run(*args, **kwargs)
        return self._observed(run, args, kwargs, False)

    def _observed(self, run: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any], silent: bool) -> Any:
        trace = self._trace
        with _watching.pause():
            given = _tensors(args) + _tensors(kwargs)
            trace.begin([(f"input{i}" if len(given) > 1 else "input", t, _array(t), _layout(t))
                         for i, t in enumerate(given)], silent)
        began = time.perf_counter_ns()
        try:
            with _watching.watch(self):
                result = run(*args, **kwargs)
        except BaseException:
            self._path.clear()
            trace.abandon()
            raise
        took = time.perf_counter_ns() - began
        with _watching.pause():
            if _is_scripted(self._model):
                self._saw_scripted(str(self._model.original_name), self._model, given, result, began)
            else:
                self._show_views(_tensors(result), ("", "output"))
            trace.end(_tensors(result), _array, took)
        return result


def tap(model: Any, recorder: Recorder, example: Any = None, *, name: Optional[str] = None) -> Tap:
    """From now on each call of `model` (a torch.nn.Module, eager) is recorded: inputs, the output of every
    operation under its module's name, outputs, latencies, weights.

    It goes into the recorder's open frame.  A call outside of one is a frame of its own; a second one within one begins
    a frame that takes its place until the `with` ends.  The model is described by its first run, or at once where
    `example` (its arguments: a tensor or a tuple) is given, with which it is then run unrecorded.  Latencies include
    what observing costs.  Once the recorder is closed, the model runs as if there were no tap.  Compiled and scripted
    modules show nothing of what is inside them:
    a scripted one (torch.jit) is one operation."""
    torch = need("torch", "exray.torch")
    made = Tap(model, recorder, name)
    if example is not None:
        with torch.no_grad():
            made._show(example if isinstance(example, tuple) else (example,))
    return made


__all__ = ["Tap", "tap"]
