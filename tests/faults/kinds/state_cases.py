"""Faults of what a model remembers, with streaming models: state in variables of TensorFlow Lite, or handed back by the application; and healthy pairs.

A right edge is `record` (sounds) or `replay` (numbers) with the right pipeline.  A wrong one has the same frames, but the model was run on a schedule of
its own: reset elsewhere, some frames not at all or twice, frames of another stream between them.  The reference is `replay` of the right edge."""

import wave
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Callable

import numpy as np
import stateful_models
import testdata
from execute import made_case
from log_writer import PB, Log
from places import BUILD, EXRAY, Changeless, engine_of, is_at_hand, run
from rewrite_log import Log as Recorded
from run_logs import OF_A_RUN, change, graft, stored, tensors
from sound_models import write_wav
from testdata import MODELS
from text_models import MAKING, _onnx

FOLDER = BUILD / "faults" / "states"
WAKE = "audio:\n  rate: 16000\n  window: %d hop %d\n  features: microfrontend {window_size: 30, window_step: 10, num_channels: 40, enable_pcan: true}\n"
VAD = "audio: {rate: 16000, window: %d hop %d}\ninputs: {input: audio, sr: {constant: 16000}}\nstate: {state: stateN}\n"
STREAM, OTHER = 0, 1  # whose inputs


@dataclass
class StateModel:
    name: str
    file: str
    pipeline: str = ""  # its text; of sounds with the samples of window and hop
    window: tuple = ()
    loops: dict = field(default_factory=dict)  # {input: output} that the application hands back
    make: object = None  # (path): builds the file
    inputs: dict = field(default_factory=dict)  # {name: shape} of what is no state, where no sound is heard
    count: int = 40  # frames
    capture: str = "io"
    kernels: tuple = ()
    path: Path = None

    @property
    def engine(self):
        return engine_of(self.file)


def language_model(path):
    """token [1, 1], h -> scores [1, 50], h_out: a GRU that gets a token at a time."""
    w = stateful_models.weights
    _onnx(path, [("Gather", ["table", "token"], ["e"], {}), ("GRU", ["e", "w", "r", "b", "", "h"], ["all", "h_out"], {"hidden_size": 16}),
                 ("Reshape", ["h_out", "flat"], ["f"], {}), ("MatMul", ["f", "dense"], ["logits"], {}), ("Softmax", ["logits"], ["scores"], {"axis": 1})],
          {"token": ("l", [1, 1]), "h": ("f", [1, 1, 16])}, {"scores": ("f", [1, 50]), "h_out": ("f", [1, 1, 16])},
          {"table": w(50, 8) * 4, "w": w(1, 48, 8) * 2, "r": w(1, 48, 16), "b": w(1, 96), "flat": np.array([1, 16], np.int64), "dense": w(16, 50) * 4})


def _lstm(path):
    """x [4, 1, 8], h and c -> y, h_out, c_out."""
    w = stateful_models.weights
    return stateful_models.save_onnx(path, [("LSTM", ["x", "w", "r", "b", "", "h", "c"], ["all", "h_out", "c_out"], {"hidden_size": 6}),
                                            ("ReduceMean", ["all"], ["y"], {"axes": [0, 1], "keepdims": 0})],
                                     {"x": [4, 1, 8], "h": [1, 1, 6], "c": [1, 1, 6]}, {"y": [1, 6], "h_out": [1, 1, 6], "c_out": [1, 1, 6]},
                                     {"w": w(1, 24, 8), "r": w(1, 24, 6), "b": w(1, 48)})


def _wake(name):
    return StateModel(f"wake_{name}", f"pymicro_wakeword_{name}.tflite", WAKE, (800, 480), count=60, capture="full", kernels=("builtin", "xnnpack"))


_ORT = ("none", "extended")
ALL = [_wake(n) for n in ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")] + [
    StateModel("voice_16k", "silero_vad_silero_vad_16k_op15.onnx", VAD, (576, 512), {"state": "stateN"}, kernels=_ORT),
    StateModel("voice", "silero_vad_silero_vad.onnx", VAD, (576, 512), {"state": "stateN"}, kernels=_ORT),
    StateModel("svdf", "svdf.tflite", make=stateful_models.variable, inputs={"x": (1, 8)}, kernels=("builtin", "xnnpack")),
    StateModel("handle", "handle.tflite", make=stateful_models.handle, inputs={"x": (1, 8)}, kernels=("builtin", "xnnpack")),
    StateModel("looped", "looped.onnx", "state: {h: h_out}\n", (), {"h": "h_out"}, stateful_models.looped, {"x": (1, 8)}, kernels=_ORT),
    StateModel("gru", "gru.onnx", "state: {h: h_out}\n", (), {"h": "h_out"}, stateful_models.gru, {"x": (4, 1, 8)}, kernels=_ORT),
    StateModel("lstm", "lstm.onnx", "state: {h: h_out, c: c_out}\n", (), {"h": "h_out", "c": "c_out"}, _lstm, {"x": (4, 1, 8)}, kernels=_ORT),
    StateModel("cache", "cache.onnx", "state: {cache1: cache1_out, cache2: cache2_out}\n", (), {"cache1": "cache1_out", "cache2": "cache2_out"},
               stateful_models.conv_cache, {"x": (1, 4, 5)}, kernels=_ORT),
    StateModel("tokens", "tokens.onnx", "state: {h: h_out}\n", (), {"h": "h_out"}, language_model, {"token": (1, 1)}, kernels=_ORT),
]


def load():
    """{name: StateModel}, those that are at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {}
    for model in ALL:
        if is_at_hand(model, MODELS, FOLDER) and (model.make or any(testdata.AUDIO.glob("*.wav"))):
            found[model.name] = model
    return found


# ---- What they hear, and what they are given ---------------------------------------------------------------


def _samples(name):
    with wave.open(str(testdata.AUDIO / name)) as w:
        return np.frombuffer(w.readframes(w.getnframes()), np.int16)


def _heard(stream):
    """Speech where it is at hand; each stream is another part of it."""
    found = {p.name: _samples(p.name) for p in testdata.AUDIO.glob("*.wav")}
    whole = np.concatenate([found[n] for n in ("yes_1000ms.wav", "speech.wav", "no_1000ms.wav", "chirp_1000ms.wav", "noise_1000ms.wav") if n in found])
    return np.roll(whole, -24000 * stream)


def sounds(model, recordings):
    """A folder of so many recordings."""
    folder, samples = FOLDER / f"{model.name}-{recordings}", model.window[0] + model.window[1] * (model.count // recordings - 1)
    with MAKING:
        if not folder.exists():
            folder.mkdir(parents=True)
            for k in range(recordings):
                write_wav(folder / f"{k}.wav", np.resize(_heard(k), samples), 16000)
    return folder


def _numbers(model, stream):
    """{input: [array of each frame]}."""
    rng = np.random.default_rng([7, stream])
    return {n: [rng.integers(0, 50, s) if n == "token" else rng.normal(0, 1, s).astype(np.float32) for _ in range(model.count)] for n, s in model.inputs.items()}


def write_inputs(out, sources, resets, arrays):
    log = Log(out, metadata={"role": "edge", "log_id": "inputs"})
    for k, source in enumerate(sources):
        if k in resets:
            log.add("/event", "Event", PB["Event"](kind="reset", text="a button", frame=k))
        for name, values in arrays.items():
            log.tensor(f"/input/{name}", np.asarray(values[k]), frame=k)
        log.frame(k, log.time, source)
    log.finish()


def replay(model, edge, out, *options, role="reference", capture=None):
    given = ()
    if model.pipeline:
        text = out.with_suffix(".yaml")
        text.write_text(model.pipeline % model.window if model.window else model.pipeline)
        given = ("--pipeline", text)
    return run(EXRAY, "replay", edge, "--engine", model.engine, "--model", model.path, *given, "--role", role, "--capture", capture or model.capture, "-o", out, *options)


def record(model, data, out, *options, window=None, role="edge"):
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline % (window or model.window))
    return run(EXRAY, "record", "--engine", model.engine, "--model", model.path, "--pipeline", text, "--data", data, "--role", role, "--capture", model.capture, "-o", out, *options)


def _untold(bench, log):
    """Without results: what is told of a score is the tasks'."""
    return bench.log(f"untold-{log.stem.split('-', 1)[1]}", lambda out: change(log, out, drop=("/result",)))


def _edge(bench, model, recordings, *options, name="right"):
    if model.window:
        return bench.log(name, lambda out: record(model, sounds(model, recordings), out, *options))
    each = model.count // recordings
    sources = [f"{k // each}.raw@{k % each * 100}" for k in range(model.count)]
    given = bench.log("given", lambda out: write_inputs(out, sources, (), _numbers(model, STREAM)))
    return bench.log(name, lambda out: replay(model, given, out, "--from", "input", *options, role="edge"))


def _reference(bench, model, edge, *options):
    return bench.log("reference", lambda out: replay(model, edge, out, *(() if model.window else ("--from", "input")), *options))


def right(bench, model, recordings=1):
    """The logs of both sides where nothing is wrong; made once."""
    def make():
        edge = _edge(bench, model, recordings)
        return [_untold(bench, log) for log in (edge, _reference(bench, model, edge))]
    return bench.once(("state", model.name, recordings), make)


# ---- Schedules -------------------------------------------------------------------------------------------


@dataclass
class Step:
    """The model is run on a frame of a stream; what comes out is that of `kept`, a frame of the log."""
    frame: int
    stream: int = STREAM
    reset: bool = False
    kept: int = None


def run_schedule(bench, model, edge, steps, out):
    """The edge's log with what the model got and gave on this schedule; frames that none is kept of are left out."""
    own = tensors(edge)
    other = tensors(_other(bench, model)) if any(s.stream == OTHER for s in steps) else own
    arrays = {n: [(own if s.stream == STREAM else other)[n][s.frame] for s in steps] for n in own if n not in model.loops}
    given = bench.log("given", lambda o: write_inputs(o, [f"step{k}" for k in range(len(steps))], {k for k, s in enumerate(steps) if s.reset}, arrays))
    ran = bench.log("ran", lambda o: replay(model, given, o, "--from", "input", role="edge"))
    graft(edge, ran, out, {s.kept: k for k, s in enumerate(steps) if s.kept is not None})
    for made in (given, ran):
        made.unlink()


def _other(bench, model):
    """The log of another stream."""
    def make():
        if not model.window:
            return bench.log("other", lambda out: write_inputs(out, ["other"] * model.count, (), _numbers(model, OTHER)))
        def heard(out):
            folder = FOLDER / f"{model.name}-other"
            folder.mkdir(parents=True, exist_ok=True)
            write_wav(folder / "other.wav", np.resize(_heard(OTHER), model.window[0] + model.window[1] * (model.count - 1)), 16000)
            record(model, folder, out)
        return bench.log("other", heard)
    return bench.once(("other", model.name), make)


def _plain(n):
    return [Step(k, kept=k) for k in range(n)]


def _resets(*frames):
    def made(n):
        return [Step(k, reset=k in frames, kept=k) for k in range(n)]
    return made


def _reset_each(n):
    return [Step(k, reset=True, kept=k) for k in range(n)]


def _missed(first, count):
    return lambda n: [s for s in _plain(n) if not first <= s.frame < first + count]


def _twice(frames):
    def made(n):
        return [s for k in range(n) for s in ([Step(k)] if frames is None or k in frames else []) + [Step(k, kept=k)]]
    return made


def _late(n):
    return [Step(max(k - 1, 0), kept=k) for k in range(n)]


def _warm(stream, count):
    return lambda n: [Step(n - count + k, stream) for k in range(count)] + _plain(n)


def _shared(n):
    """Two streams take turns with one model."""
    return [s for k in range(n) for s in (Step(k, kept=k), Step(k, OTHER))]


def _switched(n):
    """From the middle on, the model has just heard ten frames of the other stream."""
    half = n // 2
    return _plain(half) + [Step(k, OTHER) for k in range(10)] + [Step(k, kept=k) for k in range(half, n)]


# ---- States that an application hands back otherwise ------------------------------------------------------------


def run_loop(model, edge, hand, out):
    """hand(k, states): what frame k gets, of [zeros, what came out of frames 0 .. k - 1], each {input: array}."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])
    names, inputs = [o.name for o in session.get_outputs()], tensors(edge)
    states, given, gave = [{n: np.zeros_like(inputs[n][0]) for n in model.loops}], [], []
    for k in range(len(next(iter(inputs.values())))):
        feed = {**{n: a[k] for n, a in inputs.items()}, **hand(k, states)}
        made = dict(zip(names, session.run(None, feed)))
        given.append(feed)
        gave.append(made)
        states.append({n: made[o] for n, o in model.loops.items()})
    change(edge, out, inputs=lambda _: {n: [f[n] for f in given] for n in inputs}, outputs=lambda _: {n: [g[n] for g in gave] for n in names})


def _each(make):
    return lambda k, states: {n: make(a) for n, a in states[-1].items()}


def _first(make):
    return lambda k, states: {n: make(a) if k == 0 else a for n, a in states[-1].items()}


def _exchanged(k, states):
    (a, x), (b, y) = states[-1].items()
    return {a: y, b: x}


STATE, ORDER = ("model.state",), ("input.frame_order", "input.delay")
NOT_SEEN = ("model.state", "log.coverage")


@dataclass
class StateFault:
    name: str
    causes: tuple
    change: Callable  # schedule: (number of frames) -> steps; loop: hand of run_loop; window: (window, hop) of the model -> others
    where: str = "schedule"
    models: tuple = ()  # beginnings of names; (): all
    recordings: int = 1


FAULTS = [
    StateFault("never reset", STATE, _plain, recordings=2),
    StateFault("never reset, three recordings", STATE, _plain, recordings=4),
    StateFault("reset before each frame", STATE, _reset_each),
    StateFault("reset at 12", STATE, _resets(12)),
    StateFault("reset at 5 and 20", STATE, _resets(5, 20)),
    StateFault("reset at each tenth", STATE, _resets(10, 20, 30)),
    StateFault("three frames missed", NOT_SEEN, _missed(15, 3)),
    StateFault("one frame missed", NOT_SEEN, _missed(9, 1)),
    StateFault("twelve frames missed", NOT_SEEN, _missed(8, 12)),
    StateFault("run twice on each", STATE, _twice(None)),
    StateFault("run twice on one", STATE, _twice({11})),
    StateFault("inputs one frame late", ORDER, _late),
    StateFault("heard something before", STATE, _warm(OTHER, 20)),
    StateFault("not reset since its last run", STATE, _warm(STREAM, 10)),
    StateFault("two streams share it", STATE, _shared),
    StateFault("another stream in between", STATE, _switched),
    StateFault("reset at 12, every third frame logged", STATE, _resets(12), "sparse"),
    StateFault("reset before each frame, every third logged", STATE, _reset_each, "sparse"),
    StateFault("two streams share it, every third frame logged", STATE, _shared, "sparse"),
    StateFault("begins with ones", STATE, _first(np.ones_like), "loop"),
    StateFault("begins with noise", STATE, _first(lambda a: np.random.default_rng(2).normal(0, 1, a.shape).astype(a.dtype)), "loop"),
    StateFault("state of the frame before", STATE, lambda k, states: states[max(k - 1, 0)], "loop"),
    StateFault("state in half", STATE, _each(lambda a: a * np.float32(.5)), "loop"),
    StateFault("state negated", STATE, _each(lambda a: -a), "loop"),
    StateFault("first state forever", STATE, lambda k, states: states[min(k, 1)], "loop"),
    StateFault("h and c exchanged", STATE + ("input.order",), _exchanged, "loop", ("lstm",)),
    StateFault("halves of the state exchanged", STATE, _each(lambda a: a[::-1].copy()), "loop", ("voice",)),
    StateFault("no overlap of windows", ("input.shape", "input.unknown", "input.crop", "input.delay"), lambda w: (w[1], w[1]), "window", ("voice",)),
]


def make_faulty(model, fault, bench):
    edge, reference = right(bench, model, fault.recordings)
    out = bench._path("edge.mcap")
    if fault.where == "window":
        wrong = bench.log("wrong", lambda o: record(model, sounds(model, 1), o, window=fault.change(model.window)))
        change(wrong, out, drop=("/result",))
        return out, reference
    if fault.where == "loop":
        run_loop(model, edge, fault.change, out)
    else:
        run_schedule(bench, model, edge, fault.change(_frames(edge)), out)
    if fault.where == "sparse":
        every(out, 3)
    if not _differ(out, reference):
        raise Changeless(f"{fault.name} changes nothing in {model.name}")
    return out, reference


def every(path, n):
    """As a recorder with every_nth: of the frames between, it has neither what the sensor gave nor what the model did."""
    log = Recorded(path)
    for record in log.metadata:
        if record.name == "exray":
            record.metadata["every_nth"] = str(n)
    log.write(path, {i: None for i, m in log.decoded("/sensor/", *OF_A_RUN).items() if m.frame % n})


def _frames(edge):
    return len(next(iter(tensors(edge).values())))


def _differ(edge, reference):
    """In outputs, or in layers: a wake word that was not said stays 0."""
    for beginning in ("/output/", "/layer/"):
        a, b = stored(edge, beginning), stored(reference, beginning)
        if any(a[n] != b[n] for n in a if n in b):
            return True
    return False


def _case(name, model, made, **more):
    return made_case(name, model, made, bool(model.window), model.capture, judged=("--reference-model", str(model.path)), **more)


def of(model):
    """The faults that the model can have."""
    return [f for f in FAULTS if (not f.models or model.name.startswith(f.models)) and (f.where != "loop" or model.loops)]


def faults(models):
    return [_case(f"state:{f.where}:{f.name}", m, partial(make_faulty, m, f), links=[list(f.causes)]) for m in models.values() for f in of(m)]


# ---- Healthy pairs ------------------------------------------------------------------------------------


def _pair(bench, edge, reference):
    return _untold(bench, edge), _untold(bench, reference)


def with_options(model, recordings, given, bench):
    edge = _edge(bench, model, recordings, *given.split())
    return _untold(bench, edge), right(bench, model, recordings)[1]


def given_inputs(model, recordings, bench):
    """A reference that was given the recorded inputs; what it remembers is its own."""
    edge = right(bench, model, recordings)[0]
    return edge, _untold(bench, bench.log("reference", lambda out: replay(model, edge, out, "--from", "input")))


def told_resets(model, bench):
    """The application reset its model, and told so."""
    edge = right(bench, model)[0]
    arrays, sources = {n: a for n, a in tensors(edge).items() if n not in model.loops}, [f"frame{k}" for k in range(_frames(edge))]
    given = bench.log("given", lambda out: write_inputs(out, sources, (7, 20), arrays))
    logs = [bench.log(role, lambda out, role=role: replay(model, given, out, "--from", "input", role=role)) for role in ("edge", "reference")]
    return _pair(bench, *logs)


def healthy(models):
    found = []
    for model in models.values():
        pairs = [(f"same_{n}", partial(lambda m, n, bench: right(bench, m, n), model, n)) for n in (1, 2, 4)]
        pairs += [(f"given_inputs_{n}", partial(given_inputs, model, n)) for n in (1, 4)]
        pairs += [(f"kernels_{k}", partial(with_options, model, 2, f"--kernels {k}")) for k in model.kernels]
        pairs += [("told_resets", partial(told_resets, model)), ("stats", partial(with_options, model, 1, "--capture stats")),
                  ("every_third_frame", partial(with_options, model, 1, "--every 3")), ("first_20_frames", partial(with_options, model, 1, "--frames 20"))]
        pairs += [("all_layers", partial(with_options, model, 2, "--capture full")), ("outputs_alone", partial(with_options, model, 2, "--capture io"))]
        found += [_case(f"state:healthy:{name}", model, made, kind="healthy") for name, made in pairs]
    return found


def fast(models):
    """A few, of each way to make them."""
    chosen = {("gru", "reset at 12"), ("handle", "three frames missed"), ("looped", "state of the frame before")}
    return [c for c in faults(models) if (c.model, c.fault.split(":")[2]) in chosen]
