"""Validation, and assertions written in Python."""

from __future__ import annotations

import html as html_text
import json
import os
import re
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union, overload

from exray._arguments import number, whole
from exray._comparison import Comparison
from exray._errors import (ArgumentError, NotRecorded, ValidationFailed, encode, encode_path, new_error,
                           raise_filled, show, status_number, text)
from exray._exray import ffi, lib
from exray._log import Log
from exray._program import engine_library as library_of
from exray._task import Task, TasksRunning, check_misreadings
from exray._threads import StackOfThread
from exray._types import Keeper

Path_ = Union[str, "os.PathLike[str]"]
PathOrLog = Union[Log, Path_]
Check = Callable[[Comparison], None]

_SEVERITIES = ["info", "warning", "error"]


class Assertion:
    """A property that a pair of logs should have: what @exray.assertion makes of a function."""

    def __init__(self, function: Check, name: str, summary: str, needs: str, causes: Sequence[str],
                 options: Mapping[str, float]) -> None:
        if not re.fullmatch(r"[a-z0-9_.-]{1,80}", name):
            raise ArgumentError(f"{name!r} is no name of an assertion: a-z, 0-9, '_', '-' and dots, at most 80")
        for option in options:
            if not option or re.search(r"[.=\s]", option):
                raise ArgumentError(f"{option!r} is no name of an option: no dots, '=' or blanks")
        self.name, self.summary, self.needs = name, summary, needs
        self.causes: Tuple[str, ...] = tuple(causes)
        self.options: Dict[str, float] = dict(options)
        self.__doc__ = function.__doc__
        self._function = function
        self._keeper = Keeper()
        self._c = self._make()

    def _make(self) -> Any:
        k = self._keeper
        c = k.new("exray_assertion *")
        c.size, c.abi = ffi.sizeof("exray_assertion"), lib.EXRAY_ASSERTION_ABI
        c.name, c.summary, c.needs = k.text(self.name), k.text(self.summary or self.name), k.text(self.needs or "-")
        c.causes = k.array("char *", [k.text(cause) for cause in self.causes] + [ffi.NULL])
        c.run = lib.xr_py_run
        if self.options:
            options = k.new("exray_option[]", len(self.options) + 1)
            for option, (name, value) in zip(options, self.options.items()):
                option.name, option.meaning, option.value = k.text(name), k.text(name), float(value)
            c.options = options
        return c

    def __call__(self, comparison: Comparison) -> None:
        self._function(comparison)

    def __repr__(self) -> str:
        return f"<exray.Assertion {self.name}>"


@overload
def assertion(function: Check) -> Assertion: ...


@overload
def assertion(*, name: Optional[str] = None, needs: str = "", causes: Sequence[str] = (),
              options: Optional[Mapping[str, float]] = None) -> Callable[[Check], Assertion]: ...


def assertion(function: Optional[Check] = None, *, name: Optional[str] = None, needs: str = "",
              causes: Sequence[str] = (), options: Optional[Mapping[str, float]] = None) -> Any:
    """Makes a function an assertion for validate():

        @exray.assertion
        def brightness(c: exray.Comparison) -> None:
            "Inputs are about equally bright"
            for pair in c.inputs:
                if abs(pair.metrics.mean[0] - pair.metrics.mean[1]) > 10:
                    c.find(f"{pair.name[0]} is darker or brighter than the reference's")

    name     default: "user." and the function's name
    needs    one line: which records it needs
    causes   what it can name besides user.*
    options  numbers that callers may set, with their defaults (Comparison.option)

    An exception in it is told as the assertion's failure: the verdict then cannot be "pass".  NotRecorded
    counts as unjudged.  It runs in this process, on the thread that calls validate().
    """

    def make(f: Check) -> Assertion:
        doc = (f.__doc__ or "").strip().splitlines()
        return Assertion(f, name or f"user.{f.__name__.lower()}", doc[0] if doc else "", needs, causes, options or {})

    return make if function is None else make(function)


# ---- Running ------------------------------------------------------------------------------


class _Running:
    """The validation that runs in C: callbacks find it by the assertion's address."""

    here: "StackOfThread[_Running]" = StackOfThread()

    def __init__(self, logs: Tuple[Log, Log], assertions: Sequence[Assertion]) -> None:
        self.logs = logs
        self.by_address = {int(ffi.cast("uintptr_t", a._c)): a for a in assertions}
        self.interrupted: Optional[BaseException] = None


_STATE = status_number("EXRAY_E_STATE")
_FAILED = status_number("EXRAY_E_UNSUPPORTED")


def _say(error: Any, status: int, message: str) -> int:
    line = " ".join(message.split()).encode("utf-8", "replace")[: len(error.message) - 1]
    line = line.decode("utf-8", "ignore").encode()
    error.status = status
    ffi.memmove(error.message, line + b"\0", len(line) + 1)
    return status


def _describe(problem: BaseException) -> str:
    """The exception, and the line of the assertion that it came from."""
    frames = [f for f in traceback.extract_tb(problem.__traceback__) if not f.filename.startswith(_HERE)]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(problem).__name__}: {problem}{where}"


_HERE = str(Path(__file__).parent) + os.sep


@ffi.def_extern()  # type: ignore[untyped-decorator]
def xr_py_assertion(c_assertion: Any, c_comparison: Any, findings: Any, error: Any) -> int:
    address = int(ffi.cast("uintptr_t", c_assertion))
    running = next(r for r in reversed(_Running.here.items) if address in r.by_address)
    checked = running.by_address[address]
    comparison = Comparison(c_comparison, findings, running.logs, checked.name, checked.causes)
    try:
        if running.interrupted is None:
            checked(comparison)
    except NotRecorded as problem:
        return _say(error, _STATE, str(problem) or "what it needs was not recorded")
    except (Exception, SystemExit) as problem:  # sys.exit() in a check must not end its caller, with status 0 at that
        return _say(error, _FAILED, _describe(problem))
    except BaseException as problem:  # Ctrl-C: after C has returned
        running.interrupted = problem
        return _say(error, _FAILED, "interrupted")
    finally:
        comparison._c = None
    return 0


# ---- Results ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    cause: str
    severity: str
    confidence: float
    summary: str
    fix: str
    details: Tuple[str, ...]
    stage: Optional[str]
    tensor: Optional[str]
    layer: Optional[int]
    op: Optional[str]
    evidence: Mapping[str, Any]
    alternatives: Tuple[Tuple[str, float], ...]
    assertion: Optional[str]
    known: bool = False  #: accepted (validate(known=...)): it does not fail

    def __str__(self) -> str:
        return f"{self.severity}: {self.cause}: {self.summary} {self.fix}".strip()


@dataclass(frozen=True)
class LayerSide:
    """A layer as one side has it."""

    index: int
    name: str
    op: str


@dataclass(frozen=True)
class Layer:
    """A matched pair of layers; metrics are None where not defined."""

    edge: LayerSide
    reference: LayerSide
    role: str
    nrmse: Optional[float]
    cosine: Optional[float]
    max_abs: Optional[float]
    sqnr_db: Optional[float]


@dataclass(frozen=True)
class Measure:
    """How well both sides do their task, by one measure; values are None where not known."""

    name: str  #: "top1", "map50", "miou", ... (docs/tasks.md)
    unit: str  #: "share", "pixels", ...
    better: str  #: "higher" or "lower"
    output: Optional[str]  #: which output it is of; None: there is one
    group: Optional[str]  #: which part of the results, such as a class; None: all
    frames: int  #: against the truth where there is one
    edge: Optional[float]  #: against the truth
    reference: Optional[float]
    agreement: Optional[float]  #: of the edge with the reference


@dataclass(frozen=True)
class Accuracy:
    """Decisions of both sides; shares are None where there are no labels or no decisions."""

    task: Optional[str]
    frames: int
    edge: Optional[float]
    reference: Optional[float]
    agreement: Optional[float]
    measures: List[Measure] = field(default_factory=list, hash=False)  #: all; those of single classes have a `group`


def _measure(item: Mapping[str, Any]) -> Measure:
    return Measure(item["name"], item["unit"], item["better"], item["output"], item["group"], int(item["frames"] or 0),
                   item["edge"], item["reference"], item["agreement"])


def _accuracy(a: Mapping[str, Any]) -> Accuracy:
    return Accuracy(a["task"], int(a["frames"] or 0), a["edge"], a["reference"], a["agreement"],
                    [_measure(item) for item in a["measures"]])


def _finding(f: Mapping[str, Any]) -> Finding:
    where = f["where"]
    return Finding(f["cause"], f["severity"], f["confidence"], f["summary"], f["fix"], tuple(f.get("details", ())),
                   where["stage"], where["tensor"], where["layer"], where["op"], f["evidence"],
                   tuple((a["cause"], a["confidence"]) for a in f["alternatives"]), f.get("assertion"),
                   f.get("known") is not None)


def _layer(item: Mapping[str, Any]) -> Layer:
    sides = [LayerSide(int(s["index"]), s["name"] or "", s["op"] or "") for s in (item["edge"], item["reference"])]
    return Layer(sides[0], sides[1], item["role"],
                 *(item.get(name) for name in ("nrmse", "cosine", "max_abs", "sqnr_db")))


class Report:
    """A validation's result.  Shows as a table in notebooks; str() is the program's text."""

    def __init__(self, content: Dict[str, Any], words: str) -> None:
        self.json: Dict[str, Any] = content  #: the whole report: "exray-validation", version 1
        self.text: str = words  #: the same for people
        self.verdict: str = content["verdict"]  #: "pass", "fail" or "inconclusive"
        self.reason: str = content.get("reason") or ""  #: why it is inconclusive
        self.findings: List[Finding] = [_finding(f) for f in content["findings"]]  #: the likely root cause first
        self.layers: List[Layer] = [_layer(item) for item in content["layers"]]  #: in execution order of the edge
        self.accuracy = _accuracy(content["accuracy"])  #: how well both sides do their task

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<exray.Report {self.verdict}: {', '.join(f.cause for f in self.findings) or 'no findings'}>"

    def raise_for_findings(self, severity: str = "error", inconclusive: bool = False) -> None:
        """ValidationFailed, with the findings in words, if a new one has that severity or a worse one; with
        `inconclusive` also where it could not be told whether something is wrong."""
        if severity not in _SEVERITIES:
            raise ArgumentError(f"a severity is info, warning or error, not {severity!r}")
        least = _SEVERITIES.index(severity)
        wrong = [f for f in self.findings if _SEVERITIES.index(f.severity) >= least and not f.known]
        if wrong:
            raise ValidationFailed("\n".join(str(f) for f in wrong))
        if inconclusive and self.verdict == "inconclusive":
            raise ValidationFailed(f"inconclusive: {self.reason}")

    def _repr_html_(self) -> str:
        def cell(value: object) -> str:
            return f"<td style='text-align:left'>{html_text.escape(str(value))}</td>"

        rows = "".join(f"<tr>{cell('known' if f.known else f.severity)}{cell(f.cause)}{cell(f'{f.confidence:.2f}')}{cell(f.summary)}"
                       f"{cell(f.fix)}</tr>" for f in self.findings)
        head = "".join(f"<th>{name}</th>" for name in ("severity", "cause", "confidence", "what", "fix"))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
        reason = f": {html_text.escape(self.reason)}" if self.reason else ""
        a = self.accuracy
        shares = "".join(f", {name} {value:.3f}" for name, value in
                         (("edge", a.edge), ("reference", a.reference), ("agreement", a.agreement))
                         if value is not None)
        return f"<p><b>exray: {html_text.escape(self.verdict)}</b>{reason}{shares}</p>{table}"


def _own(assertions: "Sequence[Union[Assertion, Check, str]]") -> Tuple[List[Assertion], List[str]]:
    """Assertions in Python, and the names of built-in ones."""
    own: List[Assertion] = []
    names: List[str] = []
    for item in assertions:
        if isinstance(item, str):
            names.append(item)
        else:
            own.append(item if isinstance(item, Assertion) else assertion(item))
    if len({a.name for a in own}) < len(own):
        raise ArgumentError("two of the assertions have the same name")
    return own, names


def validate(edge: PathOrLog, reference: PathOrLog, *,
             assertions: "Union[Assertion, Check, Sequence[Union[Assertion, Check, str]]]" = (),
             only: Optional[str] = None, settings: Optional[Mapping[str, float]] = None,
             plugins: "Sequence[Path_]" = (), plugin_seconds: float = 0.0,
             min_coverage: float = 0.8, fail_on: Sequence[str] = (), html: Optional[Path_] = None,
             edge_model: Optional[Path_] = None, reference_model: Optional[Path_] = None,
             engine: Optional[str] = None, kernels: Optional[str] = None, engine_library: Optional[Path_] = None,
             repro: Optional[Path_] = None, known: Optional[Path_] = None, write_known: Optional[Path_] = None,
             require: "Union[str, Mapping[str, float], None]" = None, isolate: bool = True, jobs: int = 0,
             tasks: "Sequence[Task]" = ()) -> Report:
    """Compares what the edge recorded with what a reference recorded of the same data, and names what is wrong.

    assertions      own ones (functions with @exray.assertion), besides the built-in ones
    only            "input.*,user.mine": only assertions of these names
    settings        {"NAME.OPTION": value}: options of assertions
    plugins         shared libraries with assertions in C; plugin_seconds: what each may take (0: 60)
    min_coverage    share of frames, and of the edge's layers, that must have a counterpart
    fail_on         ["perf", "log"]: warnings of these kinds that fail
    html            a file to write the HTML report to
    edge_model, reference_model     model files: weights that a log has no data of are read from there
    engine          "tflite", "litert", "onnxruntime": each wrong layer is run alone, cut out of reference_model, on the
                    inputs that the edge recorded (capture="full"); engine_library: its library, where it is not
                    found; an installed ai_edge_litert or onnxruntime is
    kernels         the kernels that it runs with
    repro           a folder for the first layer that is wrong by itself: the cut-out model, its inputs, both outputs
    isolate         False: without `engine` nothing is run.  Else, where something is wrong, layers are run alone all the
                    same, for at most 10 s, if the file that the reference ran is reference_model, or lies beside its log
                    under the name that it recorded (and has the same SHA-256), and its engine is installed
    known           findings that were accepted: a YAML file, a list of {cause, where, reason, expires}.  They do not fail;
                    write_known: a file to write such a list to that accepts what fails now
    jobs            threads that compare layers; 0: as many as there are processors.  The result does not depend on it
    tasks           tasks of one's own (objects of exray.Task), besides the built-in ones
    require         what measures must reach: {"top1": 0.7, "agreement": 0.98}, or "top1>=0.7,top1.change>=-0.01"

    That something is wrong is no exception: see Report.verdict and raise_for_findings().  ArgumentError: an
    assertion or option that there is not; FileError, FormatError: a log, model or plug-in that cannot be used, a
    file that cannot be written; EngineError: the engine cannot be used.
    """
    own, names = _own([assertions] if callable(assertions) else assertions)
    own = [*own, *(_misreadings_of(task) for task in tasks)]
    if names:
        raise ArgumentError(f"{names[0]!r}: built-in assertions run anyway; name them with only=")
    if not 0 <= min_coverage <= 1:
        raise ArgumentError(f"min_coverage is 0 to 1, not {min_coverage}")
    if set(fail_on) - {"perf", "log"}:
        raise ArgumentError(f"fail_on takes 'perf' and 'log', not {list(fail_on)}")
    if html is not None and encode_path(html) == b"-":
        raise ArgumentError("html='-': a report in memory is report.json or report.text; name a file for the page")
    logs = (edge if isinstance(edge, Log) else Log(edge), reference if isinstance(reference, Log) else Log(reference))
    if engine_library is None and (engine is not None or isolate):
        model = logs[1].model
        engine_library = library_of(engine or (model.engine if model else "")) or None
    k = Keeper()
    options = k.new("exray_validation_options *")
    options.size = ffi.sizeof("exray_validation_options")
    wanted = [k.text(f"{name}={number(value, f'the setting {name}')!r}") for name, value in (settings or {}).items()]
    options.set, options.set_count = k.array("char *", wanted), len(wanted)
    libraries = [_path(k, p) for p in plugins]
    if libraries:
        _share_symbols()
    options.plugin, options.plugin_count = k.array("char *", libraries), len(libraries)
    options.plugin_seconds = plugin_seconds
    options.own = k.array("exray_assertion *", [a._c for a in own] + [ffi.NULL])
    options.min_coverage = min_coverage if min_coverage > 0 else -1
    options.jobs = whole(jobs, "jobs", 0, 1024)
    options.fail_on_perf, options.fail_on_log = "perf" in fail_on, "log" in fail_on
    options.no_isolate = not isolate
    if require is not None and not isinstance(require, str):
        require = ",".join(f"{name}>={number(value, f'the requirement {name}')!r}" for name, value in require.items())
    for name, text_ in (("assertions", only), ("engine", engine), ("kernels", kernels), ("require", require or None)):
        setattr(options, name, ffi.NULL if text_ is None else k.new("char[]", encode(text_, name)))
    for name, path in (("html", html), ("edge_model", edge_model), ("reference_model", reference_model),
                       ("engine_library", engine_library), ("repro", repro), ("known", known),
                       ("write_known", write_known)):
        setattr(options, name, _path(k, path))
    with TasksRunning(tasks) as running:
        return _run(logs, own, options, running)


def _path(keeper: Keeper, path: Optional[Path_]) -> Any:
    """A path for C; NULL for None."""
    return ffi.NULL if path is None else keeper.new("char[]", encode_path(path))


def _misreadings_of(task: Task) -> Assertion:
    """The assertion that results are what the task makes of the outputs."""
    if not isinstance(task, Task):
        raise ArgumentError(f"tasks takes objects of exray.Task, not {show(task)}")
    return Assertion(lambda c: check_misreadings(task, c), f"{task.name}.told", f"results are what {task.name} makes of the outputs",
                     "/output and /result of one side", ["output.postprocess"], {})


def _run(logs: Tuple[Log, Log], own: Sequence[Assertion], options: Any, tasks: TasksRunning) -> Report:
    error = new_error()
    running = _Running(logs, own)
    _Running.here.items.append(running)
    try:
        made = lib.exray_validation_run(logs[0]._handle.log, logs[1]._handle.log, options, error)
    finally:
        _Running.here.items.pop()
    if tasks.problem is not None:
        if made != ffi.NULL:
            lib.exray_validation_free(made)
        raise tasks.problem
    if made == ffi.NULL:
        raise_filled(error)
    validation = ffi.gc(made, lib.exray_validation_free)
    if running.interrupted is not None:
        raise running.interrupted
    strings = []
    for get in (lib.exray_validation_json, lib.exray_validation_text):
        found = get(validation, error)
        if found == ffi.NULL:
            raise_filled(error)
        strings.append(text(found))
    ffi.release(validation)
    return Report(json.loads(strings[0]), strings[1])


def _share_symbols() -> None:
    """Plug-ins in C find the public functions in the extension module."""
    import ctypes

    import exray._exray as module

    path = getattr(module, "__file__", None)
    if path:
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


__all__ = ["Accuracy", "Assertion", "Finding", "Layer", "LayerSide", "Measure", "Report", "assertion", "encode", "validate"]
