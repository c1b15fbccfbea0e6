"""Faults of models that hear, and healthy pairs of them.

The edge is `record` with other keys, or of sounds that something happened to while the log keeps what the microphone gave, or its inputs are
rewritten and the model run on them (`replay --from input`). The reference is `replay` of the right edge, or of the microphone's sound in the
edge's log, with the right pipeline."""

from functools import partial

import numpy as np
import sound_faults
import sound_models
from execute import healthy_pair, made_case
from rewrite_log import Log, rewrite
from run_logs import graft, tensors
from sound_models import RATE, int16


def _right(bench, model, seed, rate=RATE, channels=1):
    """The logs of both sides where nothing is wrong; made once."""
    def make():
        folder = sound_models.sounds(model, seed, rate, channels)
        edge, reference = bench._path(f"{model.name}-right.mcap"), bench._path(f"{model.name}-reference.mcap")
        sound_models.record(model, folder, {}, edge)
        sound_models.replay(model, edge, reference)
        return edge, reference
    return bench.once(("sound", model.name, seed, rate, channels), make)


def _recorded(bench, model, heard, settings):
    """`record` of these sounds."""
    out = bench._path("heard.mcap")
    n = sound_models.heard_length(model)
    folder = out.with_suffix("")
    folder.mkdir()
    for i, x in enumerate(heard):
        sound_models.write_wav(folder / f"{i}.wav", x[:n] if len(x) >= n else np.concatenate([x, np.zeros(n - len(x), x.dtype)]), RATE)
    sound_models.record(model, folder, settings, out)
    return out


def _hear(bench, model, fault, seed):
    """The edge's log of sounds that something happened to, and the reference's."""
    rng = np.random.default_rng([seed, 5])
    given = sound_models.microphone(model, seed, fault.rate, fault.channels)
    heard = [fault.change(x, rng) if fault.change else x for x in given]
    settings = fault.settings(model) if fault.settings else {}
    out = bench._path("edge.mcap")
    made = _recorded(bench, model, heard, settings)
    if not fault.lying:
        edge, reference = _right(bench, model, seed)
        graft(edge, made, out, attachments=False)
        return out, reference
    # What the microphone gave, for as long as the model heard it.
    cut = _cut(model, given, fault)
    rewrite(made, out, sensors=lambda records: [_told(r, next(cut), fault) for r in records])
    reference = bench._path("reference.mcap")
    sound_models.replay(model, out, reference)
    return out, reference


def _cut(model, given, fault):
    """Each frame's part of what the microphone gave: as long as the model's window, or as it took."""
    n, hop = (int(w) for w in (*str(model.right["window"]).split(" hop "), 0)[:2])
    for x in given:
        if not model.stream:
            yield x[:max(int(np.ceil(n * fault.rate / RATE)), n)]
            continue
        for first in range(0, 2 * RATE - n + 1, hop):
            step = first if fault.channels == 1 else first // fault.channels
            yield x[step:step + max(int(np.ceil(n * fault.rate / RATE)), n)]


def _told(record, samples, fault):
    """A sensor record with these samples."""
    record.data = np.ascontiguousarray(samples, "<i2").tobytes()
    record.media.format, record.media.sample_rate, record.media.channels = "s16", fault.rate, fault.channels
    del record.info.shape[:]
    record.info.shape.extend([len(samples), fault.channels])
    return record


def _values(bench, model, change, seed):
    """The model run on other inputs."""
    edge, reference = _right(bench, model, seed)
    changed, ran, out = (bench._path(f"{name}.mcap") for name in ("changed", "ran", "edge"))
    read = tensors(edge, "/input/")
    name = min(read)
    values = change(np.stack(read[name]), model)
    rewrite(edge, changed, inputs={name: values})
    sound_models.replay(model, changed, ran, "--from", "input", "--role", "edge")
    graft(edge, ran, out, attachments=False)
    return out, reference


def make_faulty(model, fault, seed, bench):
    """Paths of the edge's log and the reference's."""
    if fault.where == "heard":
        return _hear(bench, model, fault, seed)
    if fault.where == "values":
        return _values(bench, model, fault.change, seed)
    edge, reference = _right(bench, model, seed, fault.rate, fault.channels)
    out = bench._path("edge.mcap")
    if fault.where == "settings":
        settings = fault.change(model)
        made = bench._path("heard.mcap") if "window" in settings else out  # of a shorter one the log keeps the whole sound
        sound_models.record(model, sound_models.sounds(model, seed, fault.rate, fault.channels), settings, made)
        if made != out:
            graft(edge, made, out, attachments=False)
    else:
        rewrite(edge, out, results=fault.change)
    return out, reference


def decisions(log, model):
    """What the model decides, frame by frame: the class, or whether the score is more than a half."""
    outputs = tensors(log, "/output/")
    name = "output" if model.name == "silero" else sorted(outputs)[0]
    v = np.stack(outputs[name]).reshape(len(outputs[name]), -1).astype(np.float64)
    if model.told == "classes":
        return v.argmax(1)
    return v[:, 0] > (0.5 if v.max() <= 1.5 else 127)


def changed_decisions(model, edge, reference):
    """The share of frames in which the two decide otherwise."""
    a, b = decisions(edge, model), decisions(reference, model)
    n = min(len(a), len(b))
    return float(np.mean(a[:n] != b[:n])) if n else 0.0


def changed_results(edge, reference):
    """The share of frames in which the two tell otherwise: scores that are all alike may be told of any frame."""
    told = []
    for log in (edge, reference):
        rows = list(Log(log).decoded("/result").values())
        for r in rows:
            r.frame = 0
        told.append([r.SerializeToString() for r in rows])
    return float(np.mean([a != b for a, b in zip(*told)])) if told[0] else 0.0


def faults(models, seeds=(0, 1)):
    found = []
    for model in models.values():
        for k, fault in enumerate(sound_faults.of(model)):
            seed = seeds[k % len(seeds)]
            found.append(made_case(f"sound:{fault.where}:{fault.name}", model, partial(make_faulty, model, fault, seed), links=[list(fault.causes)],
                               mild=fault.mild, changed=changed_results if fault.where == "told" else partial(changed_decisions, model)))
    return found


# ---- Healthy pairs -------------------------------------------------------------------------------


def _dither(x, rng):
    return int16((x + rng.integers(-1, 2, x.shape)) / 32768)


def _faint(x, rng):
    return int16(x / 32768 + rng.normal(0, 1e-3 * np.sqrt(np.mean((x / 32768) ** 2)), x.shape))


def _small_steps(x, rng):
    """A gain control that has settled: within a thousandth."""
    steps = np.repeat(1 + rng.uniform(-1e-3, 1e-3, len(x) // 800 + 1), 800)[:len(x)]
    return int16(x / 32768 * steps)


def _other_divisor(x, rng):
    return (x / 32767).astype(np.float32)


def _by_soxr(rate):
    def made(x, rng):
        import soxr
        return soxr.resample(x.astype(np.float32) / 32768, rate, RATE, "VHQ").astype(np.float32)
    return made


def _by_scipy(rate):
    def made(x, rng):
        return sound_models.resampled(x / 32768.0, rate, RATE).astype(np.float32)
    return made


def _mean(x, rng):
    return int16(x.mean(1) / 32768)


# name: what the edge hears, the microphone's rate and channels
ALIKE = {
    "dither": (_dither, RATE, 1),
    "noise_of_-60_dB": (_faint, RATE, 1),
    "settled_gain_control": (_small_steps, RATE, 1),
    "divided_by_32767": (_other_divisor, RATE, 1),
    "resampled_by_soxr_44100": (_by_soxr(44100), 44100, 1),
    "resampled_by_soxr_48000": (_by_soxr(48000), 48000, 1),
    "resampled_by_scipy_48000": (_by_scipy(48000), 48000, 1),
    "resampled_by_soxr_8000": (_by_soxr(8000), 8000, 1),
    "mean_of_stereo": (_mean, RATE, 2),
}


def make_alike(model, name, seed, bench):
    change, rate, channels = ALIKE[name]
    rng = np.random.default_rng([seed, 9])
    edge, reference = _right(bench, model, seed, rate, channels)
    heard = [change(x, rng) for x in sound_models.microphone(model, seed, rate, channels)]
    made, out = _recorded(bench, model, heard, {}), bench._path("edge.mcap")
    graft(edge, made, out, attachments=False)
    return out, reference


def make_healthy(model, seed, kernels, bench):
    return healthy_pair(bench, _right(bench, model, seed), kernels, partial(sound_models.record, model, sound_models.sounds(model, seed), {}))


def _one_step(values, model):
    rng = np.random.default_rng(3)
    if values.dtype == np.int8:
        return np.clip(values.astype(int) + rng.integers(-1, 2, values.shape) * (rng.random(values.shape) < 0.05), -128, 127).astype(np.int8)
    return values * (1 + rng.uniform(-1, 1, values.shape).astype(np.float32) * np.float32(1e-5))


def make_rounded(model, seed, bench):
    return _values(bench, model, _one_step, seed)


def healthy(models, seeds=range(4)):
    """Each model on other sounds, with its own kernels and others; sounds that are alike."""
    found = []
    for model in models.values():
        for seed in seeds:
            found += [made_case(f"sound:healthy_{seed}{'_' + k if k else ''}", model, partial(make_healthy, model, seed, k), kind="healthy") for k in ("", *model.kernels)]
        for name in ALIKE:
            if model.family == "integers" and name == "divided_by_32767":
                continue  # its samples are integers
            for seed in (0, 1):
                # It may be told that there is noise, and that a divisor is nearly another.
                heard = ("input.unknown", "input.normalization") if "dither" not in name and "mean" not in name else ()
                heard += ("input.sample_rate",) if "resampled" in name else ()  # the end of the band
                found.append(made_case(f"sound:healthy_{name}_{seed}", model, partial(make_alike, model, name, seed), kind="healthy", warns=heard))
        if model.family != "samples":
            found.append(made_case("sound:healthy_rounding", model, partial(make_rounded, model, 2), kind="healthy"))
    return found


def fast(models):
    """A few, of each family."""
    chosen = {("micro_speech", "PCAN off"), ("mel_classifier", "another mel scale"), ("okay_nabu", "bins reversed"), ("yamnet", "polarity")}
    return [c for c in faults(models) if (c.model, c.fault.split(":")[2]) in chosen]
