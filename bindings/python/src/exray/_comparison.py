"""What an assertion sees: two logs, aligned and measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from exray._arguments import UINT32, choice, number, whole
from exray._errors import ArgumentError, NotRecorded, StateError, encode, new_error, raise_filled, show, text
from exray._exray import ffi, lib
from exray._log import Frame, Log
from exray._types import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDES = {"edge": 0, "reference": 1}
_KINDS = {name: number for number, name in enumerate(KINDS)}
_ROLES = ["clean", "originates", "propagates", "unjudged"]
_SEVERITIES = {"info": 0, "warning": 1, "error": 2}


@dataclass(frozen=True)
class Metrics:
    """How far two tensors are apart, over all compared frames, on dequantized values; nan where not defined.
    Pairs are (edge, reference)."""

    count: int  #: elements compared
    nrmse: float  #: sqrt(mean((a-b)^2)) / range of the reference; lower is better
    rmse: float  #: in the tensor's unit; lower is better
    cosine: float  #: higher is better; 1 is equal up to scale
    max_abs: float  #: in the tensor's unit; lower is better
    sqnr_db: float  #: dB; higher is better
    min: Tuple[float, float]
    max: Tuple[float, float]
    mean: Tuple[float, float]
    std: Tuple[float, float]
    nan_count: Tuple[int, int]
    inf_count: Tuple[int, int]


@dataclass(frozen=True)
class IOPair:
    """A matched input or output.  error: rmse / standard deviation of the reference; noise: the part that data
    types explain; step: distance of neighboring values."""

    position: int
    name: Tuple[str, str]
    comparable: bool
    metrics: Metrics
    error: float
    noise: float
    step: Tuple[float, float]
    problem: str


@dataclass(frozen=True)
class ReadingSeries:
    """A reading of a peripheral sensor along the matched frames: values[frame, k], nan where a frame has none.
    side: whose log it is from, "edge" or, where that has no such reading, "reference"."""

    name: str
    unit: str
    side: str
    values: "NDArray[np.float64]"


@dataclass(frozen=True)
class LayerPair:
    """A matched pair of layers; fields as in IOPair.  role: "clean", "originates", "propagates", "unjudged"."""

    position: int
    node: Tuple[int, int]
    name: Tuple[str, str]
    op: Tuple[str, str]
    output: int
    role: str
    metrics: Metrics
    error: float
    noise: float
    own_noise: float
    matched_by: str
    problem: str


def _pair(values: Any) -> Any:
    return (values[0], values[1])


def _metrics(m: Any) -> Metrics:
    return Metrics(m.count, m.nrmse, m.rmse, m.cosine, m.max_abs, m.sqnr_db, _pair(m.min), _pair(m.max),
                   _pair(m.mean), _pair(m.std), _pair(m.nan_count), _pair(m.inf_count))


def _texts(values: Any) -> Tuple[str, str]:
    return (text(values[0]), text(values[1]))


class Comparison:
    """What a custom assertion is given.  Valid during its call."""

    def __init__(self, comparison: Any, findings: Any, logs: Tuple[Log, Log], name: str,
                 causes: Sequence[str]) -> None:
        self._c: Optional[Any] = comparison
        self._findings = findings
        self._logs = logs
        self._name = name
        self._causes = causes

    @property
    def _comparison(self) -> Any:
        if self._c is None:
            raise StateError(f"the assertion {self._name} has returned: its comparison is gone")
        return self._c

    @property
    def edge(self) -> Log:
        """The edge's log."""
        return self._logs[0]

    @property
    def reference(self) -> Log:
        """The reference's log."""
        return self._logs[1]

    @property
    def frames(self) -> List[Tuple[Frame, Frame]]:
        """Matched frames, (edge, reference)."""
        out = []
        for i in range(lib.exray_comparison_frame_count(self._comparison)):
            pair = lib.exray_comparison_frame(self._comparison, i).frame
            out.append((self._logs[0][pair[0]], self._logs[1][pair[1]]))
        return out

    @property
    def matched_by(self) -> str:
        """How frames were matched: "index" or "source"."""
        return text(lib.exray_comparison_matched_by(self._comparison))

    @property
    def readings(self) -> Dict[str, ReadingSeries]:
        """Readings of peripheral sensors (orientation, light, ...) along the matched frames, by name."""
        frames, out = lib.exray_comparison_frame_count(self._comparison), {}
        for i in range(lib.exray_comparison_reading_count(self._comparison)):
            r = lib.exray_comparison_reading(self._comparison, i)
            values = np.empty((frames, int(r.width)), np.float64)
            ffi.memmove(ffi.from_buffer(values), r.value, values.nbytes)
            name = text(r.name)
            out[name] = ReadingSeries(name, text(r.unit), list(_SIDES)[r.side], values)
        return out

    def _io(self, count: Any, get: Any) -> List[IOPair]:
        out = []
        for i in range(count(self._comparison)):
            p = get(self._comparison, i)
            out.append(IOPair(i, _texts(p.name), p.comparable, _metrics(p.metrics), p.error, p.noise, _pair(p.step),
                              text(p.problem)))
        return out

    @property
    def inputs(self) -> List[IOPair]:
        """Matched inputs of the model."""
        return self._io(lib.exray_comparison_input_count, lib.exray_comparison_input)

    @property
    def outputs(self) -> List[IOPair]:
        """Matched outputs of the model."""
        return self._io(lib.exray_comparison_output_count, lib.exray_comparison_output)

    @property
    def layers(self) -> List[LayerPair]:
        """Matched layers, in execution order of the edge."""
        out = []
        for i in range(lib.exray_comparison_layer_count(self._comparison)):
            p = lib.exray_comparison_layer(self._comparison, i)
            out.append(LayerPair(i, _pair(p.node), _texts(p.name), _texts(p.op), p.output, _ROLES[p.role],
                                 _metrics(p.metrics), p.error, p.noise, p.own_noise, text(p.matched_by),
                                 text(p.problem)))
        return out

    def values(self, side: str, frame: int, pair: "Union[IOPair, LayerPair, int]",
               kind: str = "layer") -> "NDArray[np.float32]":
        """One side's dequantized values ("edge" or "reference") of a matched frame (its position in frames), in
        the recorded shape; a copy.  `pair`: of layers, inputs or outputs; of the last two say the kind ("input",
        "output"), or give a position among the frame's sensors with kind "sensor".  NotRecorded where the
        frame has no data of it."""
        of_side, of_kind = choice(side, _SIDES, "side"), choice(kind, _KINDS, "kind")
        at = whole(frame, "a matched frame's position", 0, UINT32)
        position = pair.position if isinstance(pair, (IOPair, LayerPair)) else whole(pair, "a pair's position", 0,
                                                                                      UINT32)
        view, values, error = ffi.new("exray_tensor_view *"), ffi.new("float const **"), new_error()
        slot = ffi.gc(lib.exray_slot_new(), lib.exray_slot_free)
        status = lib.exray_comparison_values(self._comparison, of_side, at, of_kind, position, slot, view, values,
                                             error)
        if status:
            if text(lib.exray_status_name(status)) == "EXRAY_E_STATE":
                raise NotRecorded(text(error.message))
            raise_filled(error)
        out = np.empty(int(view.count), np.float32)
        ffi.memmove(ffi.from_buffer(out), values[0], out.nbytes)
        shape = tuple(ffi.unpack(view.info.shape, view.info.rank)) if view.info.rank else ()
        return out if -1 in shape else out.reshape(shape)

    def option(self, name: str) -> float:
        """The value of an option of this assertion: what the caller set, else its default."""
        value = float(lib.exray_findings_option(self._findings, encode(name)))
        if value != value:
            raise ArgumentError(f"the assertion {self._name} has no option {name!r}")
        return value

    def find(self, summary: str, *, cause: Optional[str] = None, severity: str = "error", confidence: float = 1.0,
             fix: str = "", details: Sequence[str] = (), stage: str = "", tensor: str = "",
             layer: "Union[LayerPair, int, None]" = None,
             evidence: "Optional[Mapping[str, Union[float, str]]]" = None,
             alternatives: Optional[Mapping[str, float]] = None, frames: Sequence[int] = ()) -> None:
        """Reports a finding.  cause: one that the assertion declares, or user.NAME (default: its own name);
        summary: one sentence; fix: one sentence, imperative; layer: of `layers`; alternatives: other causes
        with their confidence; frames: the matched frames (positions in `frames`) that it is about alone: they are
        listed, and the reading that separates them from the others is named, where there is one."""
        cause = cause or self._name
        name = encode(cause, "a cause")
        if cause not in self._causes and not cause.startswith("user."):
            raise ArgumentError(f"named the cause {cause!r}, which it does not declare and which is no user.NAME")
        how_bad, sure = choice(severity, _SEVERITIES, "a severity"), _share(confidence, "a confidence")
        if isinstance(details, str):
            raise ArgumentError(f"details is a list of sentences, not one: {show(details)}")
        # Everything is checked before the finding begins: half a finding would stay in the report.
        calls: List[Tuple[Any, Tuple[Any, ...]]] = [
            (lib.exray_finding_summary, _sentence(summary, "a finding's summary"))]
        calls += [(lib.exray_finding_fix, _sentence(fix, "a finding's fix"))] if fix else []
        calls += [(lib.exray_finding_detail, _sentence(detail, "a finding's detail")) for detail in details]
        calls.append((lib.exray_finding_where, (encode(stage, "stage") if stage else ffi.NULL,
                                                encode(tensor, "tensor") if tensor else ffi.NULL,
                                                self._layer_position(layer))))
        calls += [_evidence(key, value) for key, value in (evidence or {}).items()]
        calls += [(lib.exray_finding_alternative, (encode(other, "an alternative"),
                                                   _share(share, f"the confidence of {show(other)}")))
                  for other, share in (alternatives or {}).items()]
        chosen = self._chosen(frames)
        f = lib.exray_findings_add(self._findings, name, how_bad, sure)
        for function, values in calls:
            function(f, *values)
        if chosen is not None:
            lib.exray_finding_frames(f, self._comparison, chosen)

    def _chosen(self, frames: Sequence[int]) -> Any:
        count = lib.exray_comparison_frame_count(self._comparison)
        if len(frames) == 0:
            return None
        chosen = ffi.new("bool[]", max(count, 1))
        for frame in frames:
            position = whole(frame, "a matched frame's position", 0, UINT32)
            if position >= count:
                raise ArgumentError(f"there is no matched frame {position}; there are {count}")
            chosen[position] = True
        return chosen

    def _layer_position(self, layer: "Union[LayerPair, int, None]") -> int:
        comparison = self._comparison
        if layer is None:
            return UINT32
        count = lib.exray_comparison_layer_count(comparison)
        position = whole(layer.position if isinstance(layer, LayerPair) else layer, "a layer's position", 0, UINT32)
        if position >= count:
            raise ArgumentError(f"there is no layer {position} in the comparison; it has {count}")
        return position


def _share(value: Any, what: str) -> float:
    found = number(value, what)
    if not 0 <= found <= 1:
        raise ArgumentError(f"{what} is 0 to 1, not {show(value)}")
    return found


def _sentence(value: str, what: str) -> Tuple[bytes, Any]:
    """For a function that formats as printf does."""
    return b"%s", ffi.new("char[]", encode(value, what))


def _evidence(key: str, value: "Union[float, str]") -> Tuple[Any, Tuple[Any, ...]]:
    name = encode(key, "the name of evidence")
    if isinstance(value, str):
        return lib.exray_finding_text, (name, encode(value, f"the evidence {key}"))
    return lib.exray_finding_number, (name, number(value, f"the evidence {key}"))
