"""The flight recorder: what of the last frames waits in memory, and what has it written."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Callable, Optional, Union

from exray import _arguments as arguments
from exray._errors import ArgumentError, encode, encode_path, show, text
from exray._exray import ffi, lib
from exray._types import Keeper

_LEVELS = {name: lib.exray_capture_from_name(name.encode()) for name in ("io", "stats", "sketch", "full")}
ALL = 0xFFFFFFFF


@dataclasses.dataclass(frozen=True)
class FlightFrame:
    """What is known of a frame that ends, for Flight.condition."""
    index: int
    source: str
    duration_ns: int
    inference_ns: int  # 0: not told
    score: Optional[float]  # the highest of its classes and boxes; None: it has no result of that kind
    not_finite: Optional[str]  # an output with a NaN or an infinity in it, where Flight.not_finite is set


@dataclasses.dataclass(frozen=True)
class Flight:
    """What waits in memory, above Recorder's `capture`, until a trigger writes it: Recorder(..., flight=Flight(...)).

    bytes, frames, seconds   how much waits: as many frames as all three allow; 0 frames, 0 seconds: no limit but bytes
    capture         the level that waits: "io", "stats", "sketch", "full"
    file            a file of `bytes` that outlives the process: `exray recover` makes a log of it
    before, after   what a condition writes: frames up to the one that ends (None: all that wait), frames that follow
    score_below     a condition: the highest score of the frame's result is under it; 0: never
    latency_above   the inference, else the frame, took longer than so many seconds; 0: never
    not_finite      an output has a NaN or an infinity
    condition       called with a FlightFrame at each frame's end; returns the reason of a trigger, or None.  It must
                    not use the recorder.  What it raises, the end of the frame raises
    interval        each condition triggers at most once in so many seconds
    """
    bytes: int = 64 << 20
    frames: int = 0
    seconds: float = 0
    capture: str = "full"
    file: "Union[str, os.PathLike[str], None]" = None
    before: Optional[int] = None
    after: int = 0
    score_below: float = 0
    latency_above: float = 0
    not_finite: bool = False
    condition: Optional[Callable[[FlightFrame], Optional[str]]] = None
    interval: float = 60


class Condition:
    """Calls Flight.condition for C."""

    def __init__(self, function: Callable[[FlightFrame], Optional[str]]) -> None:
        self._function = function
        self._reason = ffi.NULL  # C reads it after the call
        self.raised: Optional[BaseException] = None
        self.handle = ffi.new_handle(self)

    def ask(self, c: Any) -> Any:
        frame = FlightFrame(c.index, text(c.source), c.duration_ns, c.inference_ns, c.score if c.has_score else None,
                            text(c.not_finite) if c.not_finite != ffi.NULL else None)
        try:
            reason = self._function(frame)
            self._reason = ffi.NULL if reason is None else ffi.new("char[]", encode(reason, "a condition's reason"))
        except BaseException as problem:  # it goes on in the thread that ended the frame
            self.raised = problem
            self._reason = ffi.NULL
        return self._reason


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_flight_condition(user: Any, frame: Any) -> Any:
    return ffi.from_handle(user).ask(frame)


def _duration(value: Any, what: str, unit: int, most: int) -> int:
    """Seconds as a whole number of units; what is not 0 is at least 1."""
    seconds = arguments.number(value, what)
    if not 0 <= seconds * unit <= most:
        raise ArgumentError(f"{what} is a number of seconds from 0 to {most // unit}, not {show(value)}")
    return max(int(seconds * unit), 1) if seconds else 0


def fill(out: Any, flight: Flight, keeper: Keeper) -> Optional[Condition]:
    """Fills an exray_flight_config; the caller keeps what is returned until the recorder is closed."""
    if not isinstance(flight, Flight):
        raise ArgumentError(f"flight is an exray.Flight, not {type(flight).__name__}: {show(flight)}")
    out.size = ffi.sizeof("exray_flight_config")
    out.capture = arguments.choice(flight.capture, _LEVELS, "the flight recorder's capture")
    out.memory_size = arguments.whole(flight.bytes, "the flight recorder's bytes", 1, arguments.UINT64 >> 1)
    out.frames = arguments.whole(flight.frames, "the flight recorder's frames", 0, arguments.UINT32)
    out.milliseconds = _duration(flight.seconds, "the flight recorder's seconds", 1000, arguments.UINT32)
    out.file = ffi.NULL if flight.file is None else keeper.new("char[]", encode_path(flight.file, "the flight recorder's file"))
    out.before = ALL if flight.before is None else arguments.whole(flight.before, "before", 1, ALL)
    out.after = arguments.whole(flight.after, "after", 0, ALL)
    out.score_below = arguments.number(flight.score_below, "score_below")
    out.latency_above_ns = _duration(flight.latency_above, "latency_above", 1000000000, arguments.UINT64)
    out.not_finite = bool(flight.not_finite)
    out.interval_ms = max(_duration(flight.interval, "interval", 1000, arguments.UINT32), 1)
    if flight.condition is None:
        return None
    if not callable(flight.condition):
        raise ArgumentError(f"condition is a function of a FlightFrame, not {type(flight.condition).__name__}")
    condition = Condition(flight.condition)
    out.condition, out.user = lib.xr_py_flight_condition, condition.handle
    return condition
