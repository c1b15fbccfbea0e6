"""Faults of texts, tokens and what is told of them, with real models; and healthy pairs of them.

The edge is `record` with a wrong pipeline or other texts, or a run of other ids put into a right edge's log; or its log rewritten: other results.
The reference is `replay` of the right edge with the right pipeline.  Each is judged with the text in the log, and by the ids alone."""

from functools import partial
from zlib import crc32

import level_pairs
import numpy as np
import text_faults
import text_models
from execute import made_case
from places import Changeless
from rewrite_log import rewrite
from run_logs import change, graft, tensors

SENSORS = ("/sensor/",)
ROOMY = 400  # a row that holds any of the texts


def right(bench, model, seed):
    """The logs of both sides where nothing is wrong; made once."""
    def make():
        edge = bench.log(f"{model.name}-right", lambda out: text_models.record(model, text_models.texts(model.texts, seed), {}, out))
        return edge, bench.log(f"{model.name}-reference", lambda out: text_models.replay(model, edge, out))
    return bench.once(("text", model.name, seed), make)


def without_text(bench, *logs):
    """Copies without what the sensor gave."""
    return [bench.log(f"without-{log.stem.split('-', 1)[1]}", lambda out, log=log: change(log, out, drop=SENSORS)) for log in logs]


def run_of(bench, model, edge, inputs, out):
    """The edge's log with other inputs, and what the model makes of them: inputs({name: [array]}) -> the same."""
    fed = bench.log("fed", lambda o: change(edge, o, inputs=inputs))
    ran = bench.log("ran", lambda o: text_models.replay(model, fed, o, "--from", "input", "--role", "edge"))
    graft(edge, ran, out)
    for made in (fed, ran):
        made.unlink()


def _of_bytes(model, seed, row):
    """The rows that an application makes of the files, which `record` reads in the order of their names."""
    folder = text_models.texts(model.texts, seed)
    rows = [row(path.read_bytes()) for path in sorted(folder.iterdir(), key=lambda p: p.name.encode())]
    return lambda inputs: {name: rows for name in inputs}


def _pooled(edge, pool):
    outputs, inputs = tensors(edge, "/output/"), tensors(edge)
    return lambda results: pool(results, outputs, inputs)


def _faulty_edge(model, fault, seed, bench, edge, out):
    data, key = text_models.texts(model.texts, seed), f"{crc32(fault.name.encode()):08x}"
    if fault.where == "settings":
        text_models.record(model, data, fault.change(model), out)
    elif fault.where == "text":
        wrong = bench.log("wrong", lambda o: text_models.record(model, text_models.texts(model.texts, seed, fault.change, key), {}, o))
        graft(edge, wrong, out)
        wrong.unlink()
    elif fault.where in ("ids", "bytes"):
        run_of(bench, model, edge, fault.change if fault.where == "ids" else _of_bytes(model, seed, fault.change), out)
    else:
        rewrite(edge, out, results=_pooled(edge, fault.change) if fault.where == "pooled" else fault.change)


def equal(edge, reference, beginning):
    a, b = tensors(edge, beginning), tensors(reference, beginning)
    return all(len(a[n]) == len(b[n]) and all(np.array_equal(x, y) for x, y in zip(a[n], b[n])) for n in a)


def make_faulty(model, fault, seed, with_text, bench):
    """Paths of the edge's log and the reference's."""
    edge, reference = right(bench, model, seed)
    out = bench._path("edge.mcap")
    _faulty_edge(model, fault, seed, bench, edge, out)
    if fault.where in ("settings", "text", "ids", "bytes") and "output.label_offset" not in fault.causes and equal(out, reference, "/input/"):
        raise Changeless(f"{fault.name} changes no input of {model.name}")
    return (out, reference) if with_text else without_text(bench, out, reference)


def faults(models, seed=0):
    found = []
    for model in models.values():
        for fault in text_faults.of(model):
            for with_text in (True, False) if fault.where in ("settings", "text", "ids", "bytes") else (True,):
                found.append(made_case(f"text:{fault.where}:{fault.name}", model, partial(make_faulty, model, fault, seed, with_text), with_text, links=[list(fault.causes)]))
    return found


# ---- Healthy pairs ------------------------------------------------------------------------------------


def _edge(model, seed, bench, *options, settings=None, path=None):
    return bench.log("edge", lambda out: text_models.record(model, text_models.texts(model.texts, seed), settings or {}, out, *options, path=path))


def same(model, seed, bench):
    return right(bench, model, seed)


def ids_alone(model, seed, bench):
    return without_text(bench, *right(bench, model, seed))


def with_options(model, seed, given, bench):
    return _edge(model, seed, bench, *given.split()), right(bench, model, seed)[1]


def all_layers(model, kernels, seed, bench):
    edge = _edge(model, seed, bench, "--capture", "full", "--kernels", kernels)
    return edge, bench.log("reference", lambda out: text_models.replay(model, edge, out, "--capture", "full"))


def other_file(model, how, seed, bench):
    """A copy of the model in other types; how: of level_pairs, or (path): makes it."""
    def make():
        path = text_models.FOLDER / f"{model.path.stem}-{getattr(how, '__name__', how)}.onnx"
        if not path.exists():
            (level_pairs.COPIES[how] if isinstance(how, str) else lambda _, out: how(out))(model.path, path)
        return path
    return _edge(model, seed, bench, path=bench.once(("copy", model.name, str(how)), make)), right(bench, model, seed)[1]


def other_length(model, lengths, seed, bench):
    """Rows of two lengths that hold every text; the mask says what is text."""
    edge = _edge(model, seed, bench, settings={"length": lengths[0]})
    return edge, bench.log("reference", lambda out: text_models.replay(model, edge, out, settings={"length": lengths[1]}))


def some_frames(model, every, seed, bench):
    return _edge(model, seed, bench, "--every", str(every)), right(bench, model, seed)[1]


def of_inputs(model, seed, bench):
    """A reference that was given the recorded ids."""
    edge = right(bench, model, seed)[0]
    return edge, bench.log("reference", lambda out: text_models.replay(model, edge, out, "--from", "input"))


def lstm_of_longs(path):
    return text_models.lstm_of_words(path, "l")


def _healthy_of(model, seed):
    pairs = [("same", partial(same, model, seed)), ("ids_alone", partial(ids_alone, model, seed))]
    pairs += [(f"kernels_{k}", partial(with_options, model, seed, f"--kernels {k}")) for k in model.kernels]
    return pairs


def _more_of(model):
    pairs = [("given_ids", partial(of_inputs, model, 0)), ("every_second_frame", partial(some_frames, model, 2, 0)), ("stats", partial(with_options, model, 0, "--capture stats")),
             ("threads", partial(with_options, model, 0, "--threads 2"))]
    pairs += [(f"all_layers_{k}", partial(all_layers, model, k, 0)) for k in ("default", *model.kernels)]
    if model.engine == "onnxruntime" and not model.name.startswith("words"):
        pairs += [(how, partial(other_file, model, how, 0)) for how in ("dynamic",)]
    if model.inputs and "length" in model.right:
        pairs.append(("longer_rows", partial(other_length, model, (ROOMY + 40, ROOMY), 0)))
    if model.name == "words_lstm":
        pairs.append(("ids_of_64_bits", partial(other_file, model, lstm_of_longs, 0)))
    return pairs


def healthy(models, seeds=range(3)):
    found = []
    for model in models.values():
        pairs = [(f"{name}_{seed}", made) for seed in seeds for name, made in _healthy_of(model, seed)] + _more_of(model)
        found += [made_case(f"text:healthy:{name}", model, made, kind="healthy") for name, made in pairs]
    return found


def fast(models):
    """A few, of each way to make them."""
    chosen = {("words_lstm", "not lower-cased"), ("review", "cut after 8 words"), ("magika", "tail before head"), ("words_lstm", "worst class first")}
    return [c for c in faults(models) if (c.model, c.fault.split(":")[2]) in chosen and c.with_sensor]
