"""One case: the edge's log and the reference's are made, `validate` judges, and
what it said is held against what was done."""

import json
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
from places import ARM64_ENGINE, ARM64_ROOT, CAMERA, EXRAY, Failed, arm64_camera, engine_of, run, with_kernels
import level_pairs  # from tests/support, which places.py adds to the path
from preprocessing import NotInAPipeline, pipeline, switches
from sensors import SENSORS, Capture, draw_pictures

CASE = "{fault}/{severity} {model} {sensor} {capture}{tail}"


@dataclass
class Case:
    fault: str
    severity: int
    model: str
    sensor: str
    capture: str
    with_sensor: bool
    kind: str = "fault"  # "healthy"
    pictures: str = "0"  # seed of the choice
    settings: dict = field(default_factory=dict)  # of the edge
    links: list = field(default_factory=list)  # [[cause, also, ...], ...]
    edge_model: str = ""
    options: dict = field(default_factory=dict)  # of the edge's run: kernels, threads, program
    reference: dict = field(default_factory=dict)  # of the reference's run
    input_fault: bool = True
    right: dict = None  # None: the model's
    layer: int = None  # node of the edge that was changed
    frames: int = 0  # at most; 0: all
    patch: object = None  # (path): makes the edge's model file, for this case alone
    layer_op: str = ""  # else: it is the first convolution that has this in its operator or its name
    kernels: str = ""  # orders for the edge's own kernels (tests/faults/kernels/kernels.h)
    kernel_nodes: list = field(default_factory=list)  # nodes of that operator
    subject: str = ""  # of level_pairs: both sides run this model on its inputs, with their options' kernels
    isolate: bool = False  # judged a second time, with every layer run alone
    made: object = None  # (bench): makes the logs of both sides itself, and returns their paths
    mild: bool = False  # of `made`: it may stay unseen where no decision changes
    changed: object = None  # of `made`: (edge, reference): the share of frames in which the two decide otherwise
    judged: tuple = ()  # options of `validate`
    warns: tuple = ()  # of `made`, healthy: warnings that it may cause
    fix: dict = None  # "what" a fix must say, "edge_model" that it gives; the edge is run again so

    @property
    def name(self):
        return CASE.format(**asdict(self), tail="" if self.with_sensor else " without sensor")


@dataclass
class Outcome:
    case: Case
    verdict: str = ""
    causes: list = field(default_factory=list)
    summaries: list = field(default_factory=list)
    alternatives: list = field(default_factory=list)  # of each finding
    layers: list = field(default_factory=list)  # of each finding: the edge's node
    seconds: float = 0
    validate_seconds: float = 0
    change: float = None  # rms of the inputs' difference, in levels of a pixel
    agreement: float = None  # of decisions with the reference's
    fixes: list = field(default_factory=list)  # what each finding says to do
    isolated: "Outcome" = None  # what was said with every layer run alone
    fixed: "Outcome" = None  # what was said once the fix was done
    no_fault: bool = False  # the kernel's results differ by rounding alone; or a mild fault changes no decision, and is not seen
    decided: float = None  # the share of frames whose decision the fault changes
    error: str = ""
    logs: tuple = ()

    @property
    def fix_named(self):
        return bool(self.fixes) and self.case.fix["what"] in self.fixes[0]

    @property
    def mended(self):
        return bool(self.fixed) and self.fixed.verdict == "pass" and not self.fixed.causes

    def leave_out(self, beginning):
        """Drops the findings whose cause begins so."""
        kept = [k for k, cause in enumerate(self.causes) if not cause.startswith(beginning)]
        for told in ("causes", "summaries", "fixes", "layers", "alternatives"):
            setattr(self, told, [getattr(self, told)[k] for k in kept])

    @property
    def detected(self):
        return self.verdict == "fail"

    @property
    def first(self):
        return self.causes[0] if self.causes else ""

    @property
    def exact(self):
        """The first cause is one of those that were done."""
        return any(self.first in link for link in self.case.links)

    @property
    def exact_layer(self):
        """The first finding is at the layer that was changed."""
        return bool(self.layers) and self.layers[0] == self.case.layer

    @property
    def all_named(self):
        """Every one of them is named, and nothing else."""
        links = self.case.links
        return all(any(c in link for c in self.causes) for link in links) and not self.strangers

    @property
    def strangers(self):
        return [c for c in self.causes if not any(c in link for link in self.case.links)]


def first_wrong(report, nodes):
    """Of a report of own kernels: the first node whose results are wrong beyond rounding.  One step
    of an integer is what two right kernels may differ by; floats are rounded to a part of 1e7, many times."""
    worst = {}
    for line in report.read_text().splitlines():
        _, number, unit, distance = line.split()
        beyond = float(distance) > (1 if unit == "steps" else 1e-4)
        worst[int(number)] = worst.get(int(number), False) or beyond
    wrong = [n for n, beyond in sorted(worst.items()) if beyond]
    return nodes[wrong[0]] if wrong else None


def first_convolution(log, word):
    """The first node of a log's model that is a convolution and has the word in its operator or its output's name."""
    with open(log, "rb") as file:
        (model,) = (m for _, _, _, m in make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages(topics=["/model"]))
    for number, node in enumerate(model.nodes):
        if "conv" in node.op.lower() and word in f"{node.op} {model.tensors[node.outputs[0]].name}".lower():
            return number
    raise Failed(f"no {word} convolution in {log}")


def inputs_of(log):
    """{source: real values} of a log's model inputs, read by another library."""
    with open(log, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        topics = [c.topic for c in reader.get_summary().channels.values() if c.topic.startswith("/input/")]
        sources, values, of_model = {}, {}, None
        for _, channel, _, m in reader.iter_decoded_messages(topics=[*topics, "/frame", "/model"]):
            if channel.topic == "/frame":
                sources[m.index] = m.source
                continue
            if channel.topic == "/model":
                of_model = m.tensors[m.inputs[0]]
                continue
            info = m.info if m.info.dtype else of_model
            kind = {1: "<f4", 5: "i1", 6: "u1"}[info.dtype]
            a = np.frombuffer(m.data, kind).astype(np.float32)
            if kind != "<f4":
                q = info.quantization
                a = (a - (q.zero_point[0] if q.zero_point else 0)) * q.scale[0]
            values[m.frame] = a
    return {sources[i]: v for i, v in values.items()}


def change(edge, reference, std):
    """rms difference of two logs' inputs in levels of a pixel."""
    a, b = inputs_of(edge), inputs_of(reference)
    squares = [float(np.mean((a[s] - b[s]) ** 2)) for s in a if s in b and a[s].shape == b[s].shape]
    return float(np.sqrt(np.mean(squares)) * np.mean(std)) if squares else None


def made_case(name, model, made, with_sensor=True, capture="io", **more):
    """A case of logs that are made by made(bench)."""
    return Case(name, 0, model.name, "files", capture, with_sensor, input_fault=False, made=made, **more)


def healthy_pair(bench, right, kernels, record):
    """The logs of both sides where nothing is wrong; the edge's is record(path, ...) of these kernels, where some are named."""
    edge, reference = right
    return (bench.log("edge", lambda out: record(out, "--kernels", kernels)) if kernels else edge), reference


class Bench:
    """Runs cases; keeps captures and references that several cases need."""

    def __init__(self, models, folder: Path, keep=False, measure=True):
        self.models, self.folder, self.keep, self.measure = models, folder, keep, measure
        self.made, self.locks, self.lock = {}, {}, threading.Lock()
        self.serial = 0
        folder.mkdir(parents=True, exist_ok=True)

    def once(self, key, make):
        """Makes a thing the first time it is asked for; others wait."""
        with self.lock:
            lock = self.locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self.made:
                self.made[key] = make()
            return self.made[key]

    def _path(self, stem):
        with self.lock:
            self.serial += 1
            return self.folder / f"{self.serial:05d}-{stem}"

    def log(self, name, make):
        """A log that make(path) writes, under a path of its own."""
        out = self._path(f"{name}.mcap")
        make(out)
        return out

    def capture(self, sensor, pictures):
        return self.once(("capture", sensor, pictures), lambda: Capture(
            SENSORS[sensor], draw_pictures(pictures), self.folder / f"camera-{sensor}-{pictures}".replace(" ", "")))

    def pipeline_file(self, settings, model):
        path = self._path("pipeline.yaml")
        path.write_text(pipeline(settings, model.width, model.height, model.task))
        return path

    def camera(self, case, model_path, settings, capture, out, *options, task, environment=None):
        program = [CAMERA]
        if case.options.get("program") == "arm64" and out.name.endswith("edge.mcap"):
            built = self.once("arm64", lambda: arm64_camera(self.folder))
            if not built:
                raise Failed("no arm64 here")
            program = ["qemu-aarch64", "-L", ARM64_ROOT, built, "--engine-lib", ARM64_ENGINE]
        command = [*program, "--model", model_path, "--frames", capture.frames, "--out", out, "--capture", case.capture,
                   "--task", task, *options]
        if settings is not None:
            command += switches(settings)
        run(*command, environment=environment)

    def edge(self, case, model, capture, out, environment=None):
        """The faulty run: by `record` where a pipeline file can have the fault and the
        camera delivers files, else by the application."""
        path, settings = case.edge_model or model.path, {**(case.right or model.right), **case.settings}
        options = [x for k, v in case.options.items() if k != "program" for x in (f"--{k}", str(v))]
        limit = ["--frames", str(case.frames)] if case.frames else []
        if case.with_sensor and capture.sensor.encoded and "program" not in case.options:
            try:
                text = self.pipeline_file(settings, model)
                run(EXRAY, "record", "--engine", engine_of(path), "--model", path, "--pipeline", text, "--data", capture.list, "--capture", case.capture,
                    "-o", out, *options, *limit, cwd=capture.folder, environment=environment)
                return
            except NotInAPipeline:
                pass
        self.camera(case, path, settings, capture, out, "--sensor", "yes" if case.with_sensor else "no", *options, task=model.task,
                    environment=environment)

    def reference(self, case, model, capture):
        """The right pipeline's log, made once for a model, capture level and camera."""
        right = model.reference or model
        key = ("reference", right.name, case.frames, case.capture, case.sensor, case.pictures, case.with_sensor, str(case.reference), str(case.right or model.right))
        return self.once(key, lambda: self._make_reference(case, model, right, capture))

    def _make_reference(self, case, model, right, capture):
        out = self._path("reference.mcap")
        truth = case.right or model.right
        text = self.pipeline_file(truth, model)
        options = [x for k, v in case.reference.items() if k != "sensor" for x in (f"--{k}", str(v))]
        if not case.with_sensor:  # a lab that keeps inputs and no pictures
            if "sensor" in case.reference:
                capture = self.capture(case.reference["sensor"], case.pictures)
            self.camera(case, right.path, None, capture, out, "--sensor", "no", "--role", "reference", "--pipeline", text,
                        "--label-offset", truth.get("label_offset", 0), *options, task=model.task)
            return out
        if case.frames:
            run(EXRAY, "record", "--engine", engine_of(right.path), "--model", right.path, "--pipeline", text, "--data", capture.list, "--role", "reference",
                "--capture", case.capture, "--frames", str(case.frames), "-o", out, *options, cwd=capture.folder)
            return out
        edge = self.once(("seed", right.name, case.sensor, case.pictures), lambda: self._seed(case, right, capture))
        run(EXRAY, "replay", edge, "--model", right.path, "--pipeline", text, "--capture", case.capture, "-o", out, *options)
        return out

    def _seed(self, case, right, capture):
        """A right edge's log: what the references of this camera are replayed from."""
        out = self._path("seed.mcap")
        run(CAMERA, "--model", right.path, "--frames", capture.frames, "--out", out, "--capture", "io", *switches(right.right))
        return out

    def run(self, case):
        began = time.monotonic()
        outcome = Outcome(case)
        out = self._path("edge.mcap")
        if case.subject:
            return self.run_subject(outcome, began)
        if case.made:
            return self.run_made(outcome, began)
        try:
            model = self.models[case.model]
            capture = self.capture(case.sensor, case.pictures)
            reference = self.reference(case, model, capture)
            began = time.monotonic()
            if case.patch:
                case.edge_model = str(self._path("edge.tflite"))
                case.patch(case.edge_model)
            self.faulty(outcome, model, capture, out)
            at = time.monotonic()
            self.judge(outcome, out, reference)
            outcome.validate_seconds = time.monotonic() - at
            if case.kind == "healthy" and case.options.get("kernels") != case.reference.get("kernels"):
                outcome.leave_out("perf.kernels")  # they are others, and may well be slower
            if any(c.startswith("perf.") for c in outcome.strangers):
                self.run_calmly(outcome, model, capture, reference)
            if case.isolate:
                outcome.isolated = Outcome(case)
                right = model.reference or model
                self.judge(outcome.isolated, out, reference, "--engine", engine_of(right.path), "--reference-model", right.path)
            if case.fix and not outcome.no_fault:
                outcome.fixed = self.after_fix(case, model, capture, reference)
            if self.measure:
                outcome.change = change(out, reference, (case.right or model.right)["std"])
            outcome.logs = (str(out), str(reference))
        except Exception as error:  # the bench itself: told, counted, never taken for a finding
            outcome.error = f"{type(error).__name__}: {error}"
        finally:
            if not self.keep:
                out.unlink(missing_ok=True)
                if case.patch:
                    Path(case.edge_model).unlink(missing_ok=True)
        outcome.seconds = time.monotonic() - began
        return outcome

    def run_calmly(self, outcome, model, capture, reference):
        """Once more: times that a second run does not show are of other programs on this machine."""
        again, out = Outcome(outcome.case), self._path("again-edge.mcap")
        self.faulty(again, model, capture, out)
        self.judge(again, out, reference)
        out.unlink(missing_ok=True)
        for cause in {c for c in outcome.strangers if c.startswith("perf.") and c not in again.causes}:
            outcome.leave_out(cause)

    def run_subject(self, outcome, began):
        """One model file on both sides; what is compared of it must be all that can be."""
        case, subject = outcome.case, level_pairs.SUBJECTS[outcome.case.subject]

        def log(kernels):
            inputs = self.once(("inputs", case.subject), lambda: level_pairs.write_inputs(subject, self._path("inputs.mcap")))
            return self.once(("run", case.subject, kernels),
                             lambda: level_pairs.replay(EXRAY, subject, kernels, inputs, self._path(f"{case.subject}-{kernels}.mcap")))
        try:
            edge, reference = log(case.options["kernels"]), log(case.reference["kernels"])
            at = time.monotonic()
            said = self.judge(outcome, edge, reference)
            outcome.validate_seconds = time.monotonic() - at
            outcome.leave_out("perf.")  # other optimizations and kernels may well be slower
            outcome.logs = (str(edge), str(reference))
            if level_pairs.covered(said) < level_pairs.ENOUGH:
                raise Failed(f"{100 * level_pairs.covered(said):.0f} % of the layers were compared")
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
        outcome.seconds = time.monotonic() - began
        return outcome

    def run_made(self, outcome, began):
        case = outcome.case
        try:
            edge, reference = case.made(self)
            at = time.monotonic()
            self.judge(outcome, edge, reference, *case.judged)
            outcome.validate_seconds = time.monotonic() - at
            outcome.leave_out("perf.")  # other programs run here, and other kernels
            for cause in case.warns if outcome.verdict == "pass" else ():
                outcome.leave_out(cause)
            if case.changed:
                outcome.decided = case.changed(edge, reference)
                outcome.no_fault = case.mild and not outcome.detected and not outcome.decided
            outcome.logs = (str(edge), str(reference))
            if not self.keep and edge.name.endswith("-edge.mcap"):
                edge.unlink(missing_ok=True)
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
        outcome.seconds = time.monotonic() - began
        return outcome

    def faulty(self, outcome, model, capture, out):
        """The edge's run; with own kernels also which layer they got wrong."""
        case = outcome.case
        if not case.kernels:
            self.edge(case, model, capture, out)
            if case.layer_op:
                case.layer = first_convolution(out, case.layer_op)
            return
        report = self._path("kernels.txt")
        self.edge(case, model, capture, out, with_kernels(case.kernels, report))
        if case.kind == "fault":
            case.layer = first_wrong(report, case.kernel_nodes)
            outcome.no_fault = case.layer is None
        report.unlink(missing_ok=True)

    def after_fix(self, case, model, capture, reference):
        """The edge's run as the fix has it: the other model file, the engine's own kernels."""
        path = case.fix.get("edge_model", "" if case.kernels else case.edge_model)
        return self.once(("fixed", reference, path), lambda: self._run_fixed(case, path, model, capture, reference))

    def _run_fixed(self, case, path, model, capture, reference):
        fixed, out = Outcome(replace(case, kernels="", edge_model=str(path), patch=None)), self._path("fixed.mcap")
        self.edge(fixed.case, model, capture, out)
        self.judge(fixed, out, reference)
        out.unlink(missing_ok=True)
        return fixed

    def judge(self, outcome, edge, reference, *options):
        result = run(EXRAY, "validate", edge, reference, "--json", "-", *options, allowed=(0, 1, 3))
        said = json.loads(result.stdout)
        outcome.verdict = said["verdict"]
        outcome.agreement = said["accuracy"]["agreement"] if said.get("accuracy") else None
        for f in said["findings"]:
            if f["severity"] != "info":
                outcome.causes.append(f["cause"])
                outcome.summaries.append(f["summary"])
                outcome.fixes.append(f["fix"])
                outcome.layers.append(f["where"]["layer"])
                outcome.alternatives.append([a["cause"] for a in f.get("alternatives", [])])
        return said
