"""Tasks of one's own, written in Python."""

from __future__ import annotations

import itertools
import math
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from exray import _arguments as arguments
from exray._comparison import Comparison
from exray._errors import ArgumentError, NotRecorded, new_error, raise_filled, status_number
from exray._exray import ffi, lib
from exray._log import Frame
from exray._threads import StackOfThread
from exray._told import fill_boxes, fill_classes, fill_keypoints, fill_mask, fill_vectors
from exray._types import Keeper, Result, TensorInfo, info_from_c, result_from_c

if TYPE_CHECKING:
    from numpy.typing import NDArray

Outputs = Dict[str, "NDArray[np.float32]"]
Misreading = Callable[[Result], Result]


class Task:
    """What a model's outputs mean: subclass it, give `name` and at least decide() and compare(), and pass an object of it
    to validate(tasks=[...]).

        class Doors(exray.Task):
            "How many doors are open"
            name = "user.doors"
            measures = {"door_error": ("doors", "lower")}

            def decide(self, outputs):
                return exray.Result(vectors=(exray.Vector("doors", (float(outputs["scores"].argmax()),)),))

            def compare(self, told, other):
                return {"door_error": abs(told.vectors[0].values[0] - other.vectors[0].values[0])}

            misreadings = {"one door less": lambda r: ...}

    Logs name it (Recorder(task="user.doors")), and it is then how outputs are read where nothing was told; results that it
    `has` are measured in any case.  An exception in it ends validate().
    """

    name: str = ""  #: "user." and a name
    measures: Mapping[str, Tuple[str, str]] = {}  #: of compare()'s numbers: unit, and "higher" or "lower" where that is better
    misreadings: Mapping[str, Misreading] = {}  #: ways in which an application tells its results wrong, the simplest first

    def fits(self, outputs: Mapping[str, TensorInfo]) -> Optional[str]:
        """None where outputs of such types and shapes are of the task; else why they are not."""
        return None

    def decide(self, outputs: Outputs) -> Optional[Result]:
        """What the user is told by these outputs (real numbers, by name, in the model's order); None: they are not of the task."""
        raise NotImplementedError

    def has(self, result: Result) -> bool:
        """Whether a result is one of the task; without a word of yours, every one that tells something."""
        return result != Result()

    def compare(self, told: Result, other: Result) -> Mapping[str, float]:
        """How well one frame agrees with the other side, or with the truth: numbers by the names of `measures`, which are
        averaged over the frames; NaN, or none, where there is nothing to compare."""
        raise NotImplementedError


# ---- What C calls ------------------------------------------------------------------------------


class TasksRunning:
    """The tasks of a validation that runs."""

    here: "StackOfThread[TasksRunning]" = StackOfThread()
    numbers: Dict[str, int] = {}  # of names, as they are registered: for good
    lock = threading.Lock()
    texts: Dict[str, Any] = {}  # names of measures: constants, as C wants them

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = {self._register(task): task for task in tasks}
        self.problem: Optional[BaseException] = None
        self.sums: Dict[int, Dict[str, List[float]]] = {}
        self.next = itertools.count(1)
        self.kept: Deque[Keeper] = deque(maxlen=64)  # results that C still reads: those of the last frame

    @classmethod
    def _register(cls, task: Task) -> int:
        if not re.fullmatch(r"user\.[a-z0-9_.]{1,55}", task.name or ""):
            raise ArgumentError(f"{task.name!r} is no name of a task: user. and a-z, 0-9, '_' and '.'")
        for name, said in task.measures.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or len(said) != 2 or said[1] not in ("higher", "lower"):
                raise ArgumentError(f"the measure {name!r} of {task.name} needs a name of a-z, 0-9 and '_', a unit and 'higher' or 'lower'")
        with cls.lock:
            if task.name not in cls.numbers:
                if len(cls.numbers) == 16:
                    raise ArgumentError(f"{task.name} is one task too many: there are 16")
                error = new_error()
                if lib.xr_py_task_register(len(cls.numbers), task.name.encode(), error):
                    raise_filled(error)
                cls.numbers[task.name] = len(cls.numbers)
            return cls.numbers[task.name]

    def __enter__(self) -> "TasksRunning":
        self.here.items.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self.here.items.pop()

    @classmethod
    def call(cls, number: int, nothing: Any, function: "Callable[[TasksRunning, Task], Any]") -> Any:
        """What the task says; `nothing` where it is not of this validation, or something was raised."""
        running = cls.here.items[-1] if cls.here.items else None
        task = running.tasks.get(number) if running else None
        if running is None or task is None or running.problem is not None:
            return nothing
        try:
            return function(running, task)
        except BaseException as problem:  # raised when C has returned
            running.problem = problem
            return nothing

    @classmethod
    def text(cls, value: str) -> Any:
        return cls.texts.setdefault(value, ffi.new("char[]", value.encode()))


_NOT_OF_THE_TASK = status_number("EXRAY_E_UNSUPPORTED")


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_fits(number: int, outputs: Any, count: int, why: Any, why_size: int) -> bool:
    def fits(running: TasksRunning, task: Task) -> bool:
        infos = [info_from_c(outputs[i]) for i in range(count)]
        reason = task.fits({info.name: info for info in infos})
        if reason is None:
            return True
        line = f"task {task.name}: {reason}".encode("utf-8", "replace")[: why_size - 1]
        ffi.memmove(why, line + b"\0", len(line) + 1)
        return False

    return bool(TasksRunning.call(number, False, fits))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_decide(number: int, outputs: Any, count: int, told: Any, out: Any, error: Any) -> int:
    def decide(running: TasksRunning, task: Task) -> int:
        given: Outputs = {}
        for i in range(count):
            if outputs[i].values == ffi.NULL:
                return _NOT_OF_THE_TASK
            info = info_from_c(outputs[i].info)
            values = np.empty(int(outputs[i].count), np.float32)
            ffi.memmove(ffi.from_buffer(values), outputs[i].values, values.nbytes)
            given[info.name] = values.reshape(info.shape) if values.size == math.prod(info.shape) else values
        result = task.decide(given)
        if result is None:
            return _NOT_OF_THE_TASK
        keeper = Keeper()
        _result_to_c(result, keeper, out)
        running.kept.append(keeper)
        return 0

    return int(TasksRunning.call(number, _NOT_OF_THE_TASK, decide))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_has(number: int, result: Any) -> bool:
    return bool(TasksRunning.call(number, False, lambda running, task: task.has(result_from_c(result))))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_begin(number: int) -> int:
    def begin(running: TasksRunning, task: Task) -> int:
        made = next(running.next)
        running.sums[made] = {}
        return made

    return int(TasksRunning.call(number, 0, begin))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_compare(number: int, sums: int, told: Any, other: Any) -> None:
    def compare(running: TasksRunning, task: Task) -> None:
        for name, value in _compared(task, result_from_c(told), result_from_c(other)).items():
            running.sums[sums].setdefault(name, []).append(value)

    TasksRunning.call(number, None, compare)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_measure(number: int, sums: int, out: Any, most: int) -> int:
    def measure(running: TasksRunning, task: Task) -> int:
        found = [(name, values) for name in task.measures for values in [running.sums[sums].get(name)] if values]
        for i, (name, values) in enumerate(found[:most]):
            m = out[i]
            unit, better = task.measures[name]
            m.name, m.unit, m.higher = TasksRunning.text(name), TasksRunning.text(unit), better == "higher"
            m.group, m.frames, m.value = b"", len(values), math.fsum(values) / len(values)
        return min(len(found), most)

    return int(TasksRunning.call(number, 0, measure))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_task_end(number: int, sums: int) -> None:
    TasksRunning.call(number, None, lambda running, task: running.sums.pop(sums, None))


def _compared(task: Task, told: Result, other: Result) -> Dict[str, float]:
    """The numbers of a frame that are finite."""
    found = {name: float(value) for name, value in task.compare(told, other).items()}
    unknown = set(found) - set(task.measures)
    if unknown:
        raise ArgumentError(f"compare() of {task.name} gives {sorted(unknown)[0]!r}, which is not in its `measures`")
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _result_to_c(result: Result, k: Keeper, out: Any) -> None:
    if not isinstance(result, Result):
        raise ArgumentError(f"decide() gives an exray.Result or None, not {type(result).__name__}")
    classes, boxes = arguments.given_classes(result.classes), arguments.given_boxes(result.boxes)
    points = arguments.given_keypoints(result.keypoints)
    vectors = [arguments.given_vector(v.name, v.values) for v in result.vectors]
    mask = None if result.mask is None else arguments.given_mask(result.mask, None)
    fill_classes(out, k, classes)
    fill_boxes(out, k, boxes)
    fill_keypoints(out, k, points)
    fill_vectors(out, k, vectors)
    if mask is not None:
        fill_mask(out, k, mask)
    out.text = k.new("char[]", result.text.encode("utf-8", "replace"))


# ---- Misreadings ---------------------------------------------------------------------------------


def _is_same(task: Task, told: Result, own: Result) -> bool:
    """As like as it is to itself."""
    found, ideal = _compared(task, told, own), _compared(task, own, own)
    return found.keys() == ideal.keys() and all(abs(found[n] - ideal[n]) <= 1e-6 * max(1.0, abs(ideal[n])) for n in found)


def _own_and_told(task: Task, frame: Frame) -> Optional[Tuple[Result, Result]]:
    told = frame.result
    if told is None or not task.has(told):
        return None
    try:
        own = task.decide({tensor.name: tensor.values() for tensor in frame.outputs.values()})
    except NotRecorded:
        return None
    return None if own is None else (own, told)


def check_misreadings(task: Task, c: Comparison) -> None:
    """Finds results that are not what the task makes of the same side's outputs, and names the way in which they are told."""
    sides: Tuple[Dict[int, Tuple[Result, Result]], Dict[int, Tuple[Result, Result]]] = ({}, {})
    for at, frames in enumerate(c.frames):
        for results, frame in zip(sides, frames):
            found = _own_and_told(task, frame)
            if found is not None:
                results[at] = found
    if not sides[0] and not sides[1]:
        raise NotRecorded(f"no side has both outputs and results of the task {task.name}")
    wrong = [[at for at, (own, told) in results.items() if not _is_same(task, told, own)] for results in sides]
    for side, name, other in ((0, "edge", 1), (1, "reference", 0)):
        # Where both sides' results are not the task's, an application means something else by them.
        if not wrong[side] or wrong[other]:
            continue
        kind = next((kind for kind, misread in task.misreadings.items()
                     if all(_is_same(task, sides[side][at][1], misread(sides[side][at][0])) for at in wrong[side])), None)
        c.find(f"What the user was told on the {name} is not what the task {task.name} makes of the {name}'s own outputs"
               + (f": {kind}." if kind else f", in {len(wrong[side])} of {len(sides[side])} frames."),
               cause="output.postprocess", stage="result", severity="error", confidence=0.95 if kind else 0.8,
               fix=f"Make the {name}'s results of its outputs as the task does.",
               evidence={"kind": kind or "other", "side": name, "frames": float(len(sides[side])), "frames_wrong": float(len(wrong[side]))},
               frames=wrong[side] if len(wrong[side]) < len(c.frames) else ())
