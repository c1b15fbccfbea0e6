"""Models that hear, read or remember, with the faults of tests/faults/kinds/{sound,text}_faults.py and state_cases.py; some of them on data whose
classes are known."""

from functools import partial

import numpy as np
import sound_cases
import sound_faults
import sound_models
import state_cases
import text_cases
import text_faults
import text_models
from fault_rows import Changeless, Fault, Subject
from places import EXRAY, run
from rewrite_log import Log
from run_logs import tensors
from task_models import record_text
from testdata import AUDIO

SOUNDS = ("yamnet", "micro_speech", "silero", "okay_nabu", "alexa", "hey_jarvis", "hey_mycroft")
TEXTS = ("review", "minilm", "magika")
STATES = ("wake_okay_nabu", "voice_16k", "lstm")
MEASURES = {"audio": "top1", "classification": "top1", "embedding": "cosine", "regression": "relative_error"}
# Reviews whose sense nobody doubts: 1 is positive.  Each is said eight times: the model is of long texts.
REVIEWS = [
    (1, "A wonderful film, I loved every minute of it."), (0, "A terrible movie, boring and stupid; I hated it."),
    (1, "Brilliant acting and a beautiful story: one of the best films of the year."), (0, "The worst film I have ever seen, a complete waste of time."),
    (1, "Funny, clever and touching. Highly recommended, a great family movie!"), (0, "Awful dialogue, bad acting, no plot. Avoid it."),
    (1, "An excellent thriller with a superb cast; it's perfect."), (0, "Dull and predictable, it's a poor copy of a bad book."),
    (1, "What a masterpiece! Amazing pictures, fantastic music."), (0, "Disappointing and far too long; I fell asleep, it's just horrible."),
    (1, "I really enjoyed it, the ending is simply great."), (0, "It isn't funny, it isn't scary, it's only annoying and ridiculous."),
]
SPOKEN = {"micro_speech": {"silence_1000ms": 0, "noise_1000ms": 0, "yes_1000ms": 2, "no_1000ms": 3},
          "yamnet": {"silence_1000ms": 494, "yes_1000ms": 0, "no_1000ms": 0, "speech": 0}}


# ---- Against the reference ---------------------------------------------------------------------


def _results(log):
    return [m.SerializeToString() for m in Log(log).decoded("/result").values()]


def _sounds(bench, model):
    def again(fault, text, out):
        folder = sound_models.sounds(model, 0, fault.rate, fault.channels)
        return record_text(model, folder, text, out)

    def logs(fault):
        edge, reference = sound_cases.make_faulty(model, fault, 0, bench)
        if fault.where == "told" and _results(edge) == _results(reference):  # one score in all frames
            raise Changeless
        return edge, reference

    faults = [Fault("none", (), partial(sound_cases.make_healthy, model, 0, "", bench), kept=True)]
    faults += [Fault(f.name, f.causes, partial(logs, f), f.where == "settings", again=partial(again, f),
                     more={"mild": True} if f.mild else {}) for f in sound_faults.of(model)]
    return Subject("sources", model.task, model.name, model.file, MEASURES[model.task], faults)


def _texts(bench, model):
    again = partial(record_text, model, text_models.texts(model.texts, 0))
    faults = [Fault("none", (), partial(text_cases.same, model, 0, bench), kept=True)]
    faults += [Fault(f.name, f.causes, partial(text_cases.make_faulty, model, f, 0, True, bench), f.where == "settings", again=again) for f in text_faults.of(model)]
    return Subject("sources", model.task, model.name, model.file, MEASURES[model.task], faults)


def _equal_frames(edge, reference):
    """The share of frames whose outputs are as the reference's."""
    a, b = tensors(edge, "/output/"), tensors(reference, "/output/")
    shares = [[np.allclose(x, y, rtol=1e-3, atol=1e-6) for x, y in zip(a[n], b[n])] for n in a if n in b]
    return float(np.mean([all(s) for s in zip(*shares)])) if shares else None


def _states(bench, model):
    faults = [Fault("none", (), partial(state_cases.right, bench, model), kept=True)]
    faults += [Fault(f.name, f.causes, partial(state_cases.make_faulty, model, f, bench), False) for f in state_cases.of(model)]
    return Subject("sources", "state", model.name, model.file, "frames", faults, by_logs=_equal_frames, options=("--reference-model", model.path))


# ---- Against the truth -------------------------------------------------------------------------


def _labelled(bench, model, data, labels, faults):
    """faults: (name, causes, settings, more); labels: None where the data have them."""
    given = ("--labels", labels) if labels else ()
    again = lambda text, out: record_text(model, data, text, out, *given)

    def reference():
        def make():
            edge, out = bench._path("right.mcap"), bench._path(f"{model.name}-labelled.mcap")
            again(model.pipeline({}), edge)
            run(EXRAY, "replay", edge, "--engine", model.engine, "--model", model.path, "--pipeline", edge.with_suffix(".yaml"), "--capture", "io", "-o", out)
            edge.unlink()
            return out
        return bench.once(("labelled", model.name), make)

    def logs(settings):
        right, out = reference(), bench._path("edge.mcap")
        again(model.pipeline(settings), out)
        if settings and "output" not in settings and text_cases.equal(out, right, "/input/"):
            raise Changeless
        return out, right

    rows = [Fault("none", (), partial(logs, {}))] + [Fault(n, c, partial(logs, s), again=again, more=m) for n, c, s, m in faults]
    return Subject("sources", model.task, f"{model.name}, known answers", model.file, "top1", rows, truth=True)


def _spoken(bench, model):
    known = {name: label for name, label in SPOKEN[model.name].items() if (AUDIO / f"{name}.wav").exists()}
    if len(known) < len(SPOKEN[model.name]):
        return None
    folder = sound_models.FOLDER / f"{model.name}-known"
    folder.mkdir(parents=True, exist_ok=True)
    for name in known:
        (folder / f"{name}.wav").write_bytes((AUDIO / f"{name}.wav").read_bytes())
    labels = folder.with_suffix(".txt")
    labels.write_text("".join(f"{name}.wav {label}\n" for name, label in known.items()))
    faults = [(f.name, f.causes, f.change(model), {"mild": True} if f.mild else {}) for f in sound_faults.of(model)
              if f.where == "settings" and f.rate == sound_models.RATE and f.channels == 1]
    return _labelled(bench, model, folder, labels, faults)


def _reviews(bench, model):
    table = text_models.FOLDER / "known-reviews.tsv"
    table.write_text("label\ttext\n" + "".join(f"{label}\t{' '.join([text] * 8)}\n" for label, text in REVIEWS), encoding="utf-8")
    faults = [(f.name, f.causes, f.change(model), {}) for f in text_faults.of(model) if f.where == "settings"]
    return _labelled(bench, model, table, None, faults)


def subjects(bench, wanted):
    sounds, texts, states = sound_models.load(), text_models.load(), state_cases.load()
    for name in SOUNDS:
        if name in sounds and wanted(name):
            yield _sounds(bench, sounds[name])
            spoken = name in SPOKEN and _spoken(bench, sounds[name])
            if spoken:
                yield spoken
    for name in TEXTS:
        if name in texts and wanted(name):
            yield _texts(bench, texts[name])
    if "review" in texts and wanted("review"):
        yield _reviews(bench, texts["review"])
    for name in STATES:
        if name in states and wanted(name):
            yield _states(bench, states[name])
