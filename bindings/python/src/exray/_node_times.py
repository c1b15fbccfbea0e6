"""The time of each node of a LiteRT or TensorFlow Lite interpreter, from a delegate that replaces nothing."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from exray._exray import ffi, lib

_KEPT = "_exray_node_times"  # in the interpreter: it is given one such delegate, however often it is tapped


class _Delegate:
    """The delegate that notes the times, and how many taps are waiting for them."""

    def __init__(self, times: Any) -> None:
        self.times, self.waiting = times, 0


class NodeTimes:
    """outputs: how many outputs each executed node has, by its index; position: where the log has it."""

    def __init__(self, interpreter: Any, outputs: Mapping[int, int], position: Mapping[int, int]) -> None:
        self._position = position
        self._shared: Optional[_Delegate] = interpreter.__dict__.get(_KEPT)
        self._room = len(outputs) + 16
        self._nodes = ffi.new("uint32_t[]", self._room)
        self._starts, self._durations = ffi.new("uint64_t[]", self._room), ffi.new("uint64_t[]", self._room)
        if self._shared is None:
            times = self._give(interpreter, outputs)
            self._shared = None if times is None else _Delegate(times)
            interpreter.__dict__[_KEPT] = self._shared

    @staticmethod
    def _give(interpreter: Any, outputs: Mapping[int, int]) -> Optional[Any]:
        """Gives the interpreter the delegate; None where it takes none."""
        modify = getattr(getattr(interpreter, "_interpreter", None), "ModifyGraphWithDelegate", None)
        if modify is None:
            return None
        counts = [outputs.get(i, -1) for i in range(max(outputs, default=-1) + 1)]
        times = lib.xr_py_times_new(ffi.new("int32_t[]", counts), len(counts))
        if times == ffi.NULL:
            return None
        try:
            modify(int(ffi.cast("uintptr_t", lib.xr_py_times_delegate(times))))
        except (RuntimeError, TypeError, ValueError):
            return None
        return times if lib.xr_py_times_ready(times) else None

    def begin(self) -> None:
        """Before a run; end() follows in any case."""
        if self._shared is not None:
            self._shared.waiting += 1
            lib.xr_py_times_begin(self._shared.times, True)

    def read(self, elapsed_ns: int) -> "Tuple[List[int], List[int], List[int]]":
        """After it: positions, starts and durations of the nodes that ran.  elapsed_ns: since the frame began, now."""
        if self._shared is None:
            return [], [], []
        began = time.monotonic_ns() - elapsed_ns
        count = lib.xr_py_times_read(self._shared.times, self._nodes, self._starts, self._durations, self._room)
        nodes, starts, durations = (ffi.unpack(column, count) for column in (self._nodes, self._starts, self._durations))
        places = [self._position.get(n, -1) for n in nodes]
        if -1 in places:
            kept = [i for i, place in enumerate(places) if place >= 0]
            places, starts, durations = ([column[i] for i in kept] for column in (places, starts, durations))
        return places, [start - began if start > began else 0 for start in starts], durations

    def end(self) -> None:
        """Runs are not timed any more, unless another tap waits for this one's times."""
        if self._shared is not None:
            self._shared.waiting -= 1
            if self._shared.waiting == 0:
                lib.xr_py_times_begin(self._shared.times, False)


def has_times(interpreter: Any) -> bool:
    """Whether the interpreter was given its delegate, or was asked to take it."""
    return _KEPT in interpreter.__dict__


def times_of(interpreter: Any, ops: Sequence[Any], wanted: bool) -> Optional[NodeTimes]:
    """ops: what the interpreter runs, in the log's order; each has an index and outputs."""
    if not wanted:
        return None
    outputs: Dict[int, int] = {op.index: len(op.outputs) for op in ops}
    return NodeTimes(interpreter, outputs, {op.index: i for i, op in enumerate(ops)})


__all__ = ["NodeTimes", "has_times", "times_of"]
