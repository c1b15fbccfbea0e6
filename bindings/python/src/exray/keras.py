"""A tap for Keras 3, whatever its backend: exray.keras.tap(model, recorder)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np

from exray._errors import need
from exray._hook import Hook, Observer
from exray._recorder import Recorder
from exray._tap import Trace
from exray._types import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _array(tensor: Any) -> "NDArray[Any]":
    keras = need("keras", "exray.keras")
    found: "NDArray[Any]" = keras.ops.convert_to_numpy(tensor)
    return found


def _flat(value: Any) -> List[Any]:
    keras = need("keras", "exray.keras")
    return [t for t in keras.tree.flatten(value) if hasattr(t, "shape") and hasattr(t, "dtype")]


def _layout(array: "NDArray[Any]") -> str:
    keras = need("keras", "exray.keras")
    if array.ndim != 4:
        return ""
    return "NHWC" if keras.config.image_data_format() == "channels_last" else "NCHW"


def _attributes(layer: Any) -> Dict[str, str]:
    out = {}
    for key in ("strides", "padding", "dilation_rate", "groups", "epsilon", "kernel_size", "pool_size",
                "interpolation", "size", "negative_slope", "alpha", "max_value", "threshold", "approximate", "axis", "data_format"):
        value = getattr(layer, key, None)
        if isinstance(value, (int, float, str, tuple)):
            out["group" if key == "groups" else key] = str(value)
    for key in ("scale", "offset"):  # of a Rescaling; a normalization's are whether it has them
        value = getattr(layer, key, None)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            out[key] = str(value)
    for key in ("reset_after", "go_backwards", "merge_mode", "target_shape", "cropping", "num_heads"):
        value = getattr(layer, key, None)
        if isinstance(value, (int, str, tuple)):
            out[key] = str(value)
    dims = getattr(layer, "dims", None)  # of a Permute: from 1 on, the batch left out
    if isinstance(dims, tuple):
        out["perm"] = ",".join(str(d) for d in (0, *dims))
    for key in ("activation", "recurrent_activation"):
        function = getattr(getattr(layer, key, None), "__name__", "linear")
        if function != "linear":
            out[key] = function
    return out


def _operands(layer: Any, args: Tuple[Any, ...], known: Callable[[Any], bool]) -> List[Tuple[str, Any, Any]]:
    """The constants that an operation between layers (x + 3, x * table) is given: name, tensor, values."""
    keras = need("keras", "exray.keras")
    if isinstance(layer, keras.Layer):
        return []
    out: List[Tuple[str, Any, Any]] = []
    for k, value in enumerate(args):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = np.array(value, np.float32)
            out.append((f"{layer.name}/{k}", number, number))
        elif hasattr(value, "shape") and hasattr(value, "dtype") and not known(value):
            out.append((f"{layer.name}/{k}", value, _array(value)))
    return out


class Tap:
    """What tap() returns; remove() ends it."""

    def __init__(self, model: Any, recorder: Recorder, name: Optional[str]) -> None:
        keras = need("keras", "exray.keras")
        self._model = model
        self._hooks: List[Tuple[Hook, Observer]] = []
        self._inside = 0  # layers within layers are their layer's
        self._trace = Trace(recorder, Model(name or model.name, "keras", str(keras.__version__),
                                            str(keras.backend.backend()), 0))
        for layer in self._operations(model):
            if type(layer).__name__ != "InputLayer":
                self._wrap(layer, self._observe_layer(layer))
        self._wrap(model, self._observe_model)
        recorder._taps.add(self)

    def _operations(self, model: Any) -> List[Any]:
        """Layers, and the operations between them; those of models within the model."""
        out = []
        for layer in getattr(model, "operations", None) or model.layers:
            inner = hasattr(layer, "layers") and layer.layers
            out += self._operations(layer) if inner else [layer]
        return out

    def _wrap(self, layer: Any, observer: Observer) -> None:
        hook = Hook.of(layer, "call")
        hook.add(observer)
        self._hooks.append((hook, observer))

    def remove(self) -> None:
        """Removes the tap: the model is as before, but for other taps.  Closing the recorder does it, too."""
        for hook, observer in self._hooks:
            hook.remove(observer)
        self._hooks.clear()
        self._trace.recorder._taps.discard(self)

    def _observe_layer(self, layer: Any) -> Observer:
        trace = self._trace
        name, op = layer.name, type(layer).__name__

        def observed(call: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
            if not trace.active or self._inside:
                return call(*args, **kwargs)
            self._inside += 1
            began, start = trace.now(), time.perf_counter_ns()
            try:
                result = call(*args, **kwargs)
            finally:
                self._inside -= 1
            took = time.perf_counter_ns() - start
            made = _flat(result)
            arrays = [_array(t) for t in made] if trace.wants(name, op) else []
            weights = [] if trace.described else [(w.path, w, _array(w)) for w in getattr(layer, "weights", ())]
            given = _flat((args, kwargs))
            for tensor in given:
                trace.link(tensor, _array)
            if not trace.described:
                numbers = _operands(layer, args, trace.knows)
                place = {name: tensor for name, tensor, _ in numbers}
                given = _flat(([place.get(f"{layer.name}/{k}", v) for k, v in enumerate(args)], kwargs))
                weights += numbers
            trace.op(name, op, given, made, arrays, _layout(arrays[0]) if arrays else "", began, took,
                     None if trace.described else _attributes(layer), weights)
            return result

        return observed

    def _observe_model(self, call: Callable[..., Any], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if self._trace.active or not self._trace.recorder._takes:
            return call(*args, **kwargs)
        return self._run(call, args, kwargs, False)

    def _show(self, example: Tuple[Any, ...]) -> None:
        """Runs the model once, unrecorded, to describe it."""
        self._run(self._hooks[-1][0].method, example, {}, True)

    def _run(self, call: Callable[..., Any], args: Any, kwargs: Any, silent: bool) -> Any:
        trace = self._trace
        given = _flat((args, kwargs))
        names = list(getattr(self._model, "input_names", ()) or ())
        if len(names) != len(given):
            names = [f"input{i}" for i in range(len(given))] if len(given) > 1 else ["input"]
        arrays = [_array(t) for t in given]
        trace.begin([(n, t, a, _layout(a)) for n, t, a in zip(names, given, arrays)], silent)
        began = time.perf_counter_ns()
        try:
            result = call(*args, **kwargs)
        except BaseException:
            trace.abandon()
            raise
        took = time.perf_counter_ns() - began
        trace.end(_flat(result), _array, took)
        return result


def tap(model: Any, recorder: Recorder, example: Any = None, *, name: Optional[str] = None) -> Tap:
    """From now on each eager call `model(x)` is recorded: inputs, the output of every layer, outputs,
    latencies, weights.  predict() compiles, and shows nothing: call the model itself.

    Frames and `example` are as in exray.torch.tap()."""
    need("keras", "exray.keras")
    made = Tap(model, recorder, name)
    if example is not None:
        made._show(example if isinstance(example, tuple) else (example,))
    return made


__all__ = ["Tap", "tap"]
