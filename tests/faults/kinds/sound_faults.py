"""What goes wrong with models that hear: in what reaches the front end (`heard`), in the pipeline's keys (`settings`), in the values that the
model is given (`values`), in what the user is told (`told`).

Each fault has the causes that are right: the first is the exact one, others say the same of these data. A `mild` one may stay unseen
where no decision changes."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
from sound_models import RATE, int16
from task_faults import TaskFault
from told_changes import each, of_the_frame_before


@dataclass
class SoundFault(TaskFault):
    """change: heard: (samples int16 [n] or [n, channels], rng) -> what the front end gets, int16 or floats;
    settings: (model) -> other keys of `audio:`, or None; values: ([frames, ...], model) -> the same; told: (list of Result) -> the same."""
    families: tuple = ("samples", "integers", "mel")
    rate: int = RATE  # of the microphone
    channels: int = 1  # of the microphone
    lying: bool = False  # what the microphone gives is taken for one channel of the model's rate
    settings: Callable = None  # (model) -> other keys, beside what is heard
    mild: bool = False
    streams: bool = True  # also where frames follow each other
    still: bool = True  # also where each recording is a frame


SAMPLES, INTEGERS, MEL, FEATURES = ("samples",), ("integers",), ("mel",), ("integers", "mel")
GAIN, SCALE, TYPE, DELAY = ("input.gain", "input.normalization"), ("input.normalization", "input.gain"), ("input.dtype",), ("input.delay",)
# Of features: what is before the front end shows in them alone.
GAIN_OF = ("input.gain", "input.features", "input.normalization")
COMPUTED = ("input.features",)
LOST = ("input.delay", "input.frame_order")


# ---- What reaches the front end ------------------------------------------------------------------


def _unit(x):
    return x.astype(np.float64) / 32768


def _gain(factor, clip=True):
    return lambda x, rng: int16(_unit(x) * factor) if clip else (_unit(x) * factor).astype(np.float32)


def _late_by(samples):
    return lambda x, rng: np.concatenate([np.zeros(samples, np.int16), x])


def _buffers(size, every, how):
    """Every so-manieth buffer lost, zero, or the one before again; or two exchanged."""
    def changed(x, rng):
        b = x[:len(x) // (size * every) * size * every].reshape(-1, every, size).copy()
        if how == "lost":
            return b[:, :-1].reshape(-1)
        if how == "zero":
            b[:, -1] = 0
        elif how == "repeated":
            return np.concatenate([b, b[:, -1:]], 1).reshape(-1)
        else:
            b[:, [0, 1]] = b[:, [1, 0]]
        return b.reshape(-1)
    return changed


def _wrapped(x, rng):
    return (np.round(_unit(x) * 32768 * 4).astype(np.int64) & 0xFFFF).astype(np.uint16).view(np.int16)


def _mu_law(x, rng):
    """Its codes, taken for bytes of samples."""
    v = np.clip(_unit(x), -1, 1)
    code = np.sign(v) * np.log1p(255 * np.abs(v)) / np.log(256)
    return int16(code)


def _band_of(rate):
    def changed(x, rng):
        from sound_models import resampled
        return int16(resampled(resampled(_unit(x), RATE, rate), rate, RATE))
    return changed


def _pre_emphasis(x, rng):
    v = _unit(x)
    return int16(v - 0.97 * np.concatenate([[0], v[:-1]]))


def _drift(ppm):
    def changed(x, rng):
        at = np.arange(len(x)) * (1 + ppm * 1e-6)
        v, whole = _unit(x), np.arange(-24, 25)
        first = np.floor(at).astype(int)
        k = first[:, None] + whole
        kernel = np.sinc(at[:, None] - k) * np.kaiser(49, 9)
        return int16((v[np.clip(k, 0, len(v) - 1)] * kernel).sum(1))
    return changed


def _agc(x, rng):
    """Toward a loudness, over a tenth of a second."""
    v = _unit(x)
    power = np.convolve(v * v, np.ones(1600) / 1600, "same")
    return int16(v * np.clip(0.1 / np.sqrt(power + 1e-8), 0.2, 12))


def _noise(decibels):
    return lambda x, rng: int16(_unit(x) + rng.normal(0, np.sqrt(np.mean(_unit(x) ** 2)) * 10 ** (decibels / 20), len(x)))


def _eight_bits(x, rng):
    return ((x.astype(np.int32) >> 8) << 8).astype(np.int16)


HEARD = [
    SoundFault("byte order", TYPE, lambda x, rng: x.byteswap(), "heard", families=SAMPLES),
    SoundFault("byte order", ("input.dtype", *GAIN_OF), lambda x, rng: x.byteswap(), "heard", families=FEATURES),
    SoundFault("unsigned for signed", TYPE, lambda x, rng: (x.view(np.uint16) / 32768).astype(np.float32), "heard", families=SAMPLES),
    SoundFault("offset binary", TYPE, lambda x, rng: (x.view(np.uint16) ^ 0x8000).view(np.int16), "heard", families=SAMPLES),
    SoundFault("bytes for 16 bits", TYPE, lambda x, rng: x.view(np.int8).astype(np.int16) * 256, "heard", families=SAMPLES),
    SoundFault("mu-law not decoded", ("input.dtype", "input.gain"), _mu_law, "heard", families=SAMPLES),
    SoundFault("8 bits of 16", ("input.dtype", "input.unknown", "input.gain"), _eight_bits, "heard", families=SAMPLES, mild=True),
    SoundFault("quarter of the volume", GAIN, _gain(0.25), "heard", families=SAMPLES),
    SoundFault("quieter by 20 dB", GAIN_OF, _gain(0.1), "heard", families=FEATURES),
    SoundFault("3 dB louder", GAIN, _gain(1.41), "heard", families=SAMPLES),
    SoundFault("1 dB quieter", GAIN, _gain(0.89), "heard", families=SAMPLES, mild=True),
    SoundFault("clipped by a gain of 8", ("input.gain",), _gain(8), "heard", families=SAMPLES),
    SoundFault("clipped by a gain of 8", GAIN_OF, _gain(8), "heard", families=FEATURES),
    SoundFault("clipped by a gain of 2", ("input.gain",), _gain(2.5), "heard", families=SAMPLES),
    SoundFault("wrapped by a gain of 4", ("input.gain", "input.dtype"), _wrapped, "heard", families=SAMPLES),
    SoundFault("automatic gain", ("input.gain", "input.normalization"), _agc, "heard", families=SAMPLES),
    SoundFault("polarity", GAIN, lambda x, rng: int16(-_unit(x)), "heard", families=SAMPLES),
    SoundFault("offset of 0.1", ("input.normalization", "input.gain"), lambda x, rng: int16(_unit(x) + 0.1), "heard", families=SAMPLES),
    SoundFault("pre-emphasis", ("input.gain",), _pre_emphasis, "heard"),
    SoundFault("late by 100 ms", DELAY, _late_by(1600), "heard", families=SAMPLES),
    SoundFault("late by 100 ms", DELAY, _late_by(1600), "heard", families=FEATURES),
    SoundFault("late by 10 ms", DELAY, _late_by(160), "heard", families=SAMPLES),
    SoundFault("late by 5 ms", ("input.delay", "input.features"), _late_by(80), "heard", families=FEATURES, mild=True),
    SoundFault("early by 50 ms", DELAY, lambda x, rng: x[800:], "heard"),
    SoundFault("buffers of 160 lost", LOST, _buffers(160, 8, "lost"), "heard", families=SAMPLES),
    SoundFault("buffers of 512 lost", LOST, _buffers(512, 4, "lost"), "heard", families=SAMPLES, streams=False),
    SoundFault("buffers of 160 zero", LOST, _buffers(160, 8, "zero"), "heard", families=SAMPLES),
    SoundFault("buffers of 256 repeated", LOST, _buffers(256, 6, "repeated"), "heard", families=SAMPLES, streams=False),
    SoundFault("buffers exchanged", ("input.frame_order", "input.delay"), _buffers(256, 4, "exchanged"), "heard", families=SAMPLES, streams=False),
    SoundFault("buffers of 160 lost", (*LOST, "input.features", "input.sample_rate", "input.unknown"), _buffers(160, 8, "lost"), "heard", families=FEATURES, streams=False),
    SoundFault("buffers of 160 zero", (*LOST, "input.features", "input.unknown"), _buffers(160, 8, "zero"), "heard", families=FEATURES),
    SoundFault("clock off by 300 ppm", ("input.sample_rate", "input.delay"), _drift(300), "heard", families=SAMPLES, streams=False),
    SoundFault("clock off by 2000 ppm", ("input.sample_rate", "input.delay"), _drift(2000), "heard", families=SAMPLES, streams=False),
    SoundFault("telephone band", ("input.sample_rate", "input.features"), _band_of(8000), "heard", families=SAMPLES),
    SoundFault("telephone band", ("input.sample_rate", "input.features"), _band_of(8000), "heard", families=FEATURES),
    SoundFault("noise of -20 dB", ("input.unknown", "input.decoder", "input.features", "input.gain"), _noise(-20), "heard", mild=True),
]


# ---- The microphone's rate and channels ----------------------------------------------------------


def _rates():
    found = []
    for rate in (8000, 11025, 22050, 32000, 44100, 48000):
        name = f"{rate / 1000:g} kHz told as 16"
        found.append(SoundFault(name, ("input.sample_rate",), None, "heard", families=SAMPLES, rate=rate, lying=True))
        if rate in (8000, 44100, 48000):
            found.append(SoundFault(name, ("input.sample_rate", "input.features"), None, "heard", families=FEATURES, rate=rate, lying=True, streams=False))
    return found


def _interleaved(x, rng):
    return x.reshape(-1)


def _planar(x, rng):
    """Blocks of one channel after blocks of the other, read as one."""
    n = len(x) // 512 * 512
    return x[:n].reshape(-1, 512, 2).transpose(0, 2, 1).reshape(-1)


RATES = [
    *_rates(),
    SoundFault("stereo read as one", ("input.layout",), _interleaved, "heard", families=SAMPLES, channels=2, lying=True),
    SoundFault("stereo read as one", ("input.layout", "input.sample_rate", "input.features"), _interleaved, "heard", families=FEATURES, channels=2, lying=True,
               streams=False),
    SoundFault("planes of stereo read as one", ("input.layout", "input.frame_order", "input.delay"), _planar, "heard", families=SAMPLES, channels=2, lying=True,
               streams=False),
    SoundFault("left channel for the mean", ("input.layout", "input.gain"), lambda m: {"channels": "left"}, "settings", families=SAMPLES, channels=2),
    SoundFault("linear resampling", ("input.sample_rate", "input.decoder", "input.unknown", "input.features", "input.resize"), lambda m: {"rate": f"{RATE} linear"}, "settings", rate=44100, mild=True),
    SoundFault("sample and hold", ("input.sample_rate", "input.decoder", "input.unknown", "input.features", "input.resize"), lambda m: {"rate": f"{RATE} hold"}, "settings", rate=48000, mild=True),
]
COMPOSED = [  # each of them names one of the two first
    SoundFault("8 kHz and int16", ("input.sample_rate", *SCALE), None, "heard", families=SAMPLES, rate=8000, lying=True, settings=lambda m: {"scale": "int16"}),
    SoundFault("44.1 kHz and polarity", ("input.sample_rate", *GAIN), lambda x, rng: int16(-_unit(x)), "heard", families=SAMPLES, rate=44100, lying=True),
    SoundFault("stereo and int16", ("input.layout", *SCALE), _interleaved, "heard", families=SAMPLES, channels=2, lying=True, settings=lambda m: {"scale": "int16"}),
    SoundFault("late and quiet", (*DELAY, *GAIN), lambda x, rng: _gain(0.25)(_late_by(320)(x, rng), rng), "heard", families=SAMPLES),
    SoundFault("byte order and 8 kHz", ("input.dtype", "input.sample_rate"), lambda x, rng: x.byteswap(), "heard", families=SAMPLES, rate=8000, lying=True),
    SoundFault("lost and quiet", (*LOST, *GAIN), lambda x, rng: _gain(0.5)(_buffers(160, 8, "lost")(x, rng), rng), "heard", families=SAMPLES, streams=False),
]


# ---- Keys of the pipeline ------------------------------------------------------------------------


def _keys(**keys):
    return lambda m: {"features": keys}


def _half_hop(m):
    """As many rows, of half of the time."""
    keys = m.right["features"][1]
    hop = keys["hop_length"] // 2
    length = 100 * hop if "center" in keys else keys["n_fft"] + 48 * hop
    return {"window": f"{length} hop 16000", "features": {"hop_length": hop}}


def _centered(m):
    keys = m.right["features"][1]
    return {"features": {"center": "true"}, **({} if "center" in keys else {"window": f"{48 * keys['hop_length']} hop 16000"})}


def _shorter(m):
    keys = m.right["features"][1]
    return {"features": {"win_length": 320}, **({} if "center" in keys else {"window": f"{320 + 48 * keys['hop_length']} hop 16000"})}


SETTINGS = [
    SoundFault("int16 for float", SCALE, lambda m: {"scale": "int16"}, "settings", families=SAMPLES),
    SoundFault("divided by 255", SCALE, lambda m: {"scale": 32768 / 255}, "settings", families=SAMPLES),
    SoundFault("int16 for float", ("input.gain", "input.normalization", "input.features"), lambda m: {"scale": "int16"}, "settings", families=MEL),
    # The integer front end
    SoundFault("hop of half", COMPUTED, lambda m: {"window": "8160 hop 16000", "features": {"window_step": 10}}, "settings", families=INTEGERS, streams=False),
    SoundFault("window of 25 ms", COMPUTED, _keys(window_size=25), "settings", families=INTEGERS),
    SoundFault("PCAN off", COMPUTED, _keys(enable_pcan="false"), "settings", families=INTEGERS),
    SoundFault("no logarithm", ("input.features", "input.normalization", "input.gain"), _keys(enable_log="false"), "settings", families=INTEGERS),
    SoundFault("band up to 4 kHz", COMPUTED, _keys(upper_band_limit=4000), "settings", families=INTEGERS),
    SoundFault("band from 20 Hz", COMPUTED, _keys(lower_band_limit=20), "settings", families=INTEGERS),
    SoundFault("no noise reduction", COMPUTED, _keys(min_signal_remaining=1), "settings", families=INTEGERS),
    SoundFault("another smoothing", COMPUTED, _keys(even_smoothing=0.1, odd_smoothing=0.2), "settings", families=INTEGERS, mild=True),
    SoundFault("another strength of PCAN", COMPUTED, _keys(pcan_strength=0.5), "settings", families=INTEGERS),
    SoundFault("another shift of the logarithm", ("input.normalization", "input.features", "input.quantization", "input.gain"), _keys(scale_shift=5), "settings", families=INTEGERS),
    # Mel spectrograms
    SoundFault("hop of half", COMPUTED, _half_hop, "settings", families=MEL),
    SoundFault("another window length", COMPUTED, _shorter, "settings", families=MEL),
    SoundFault("another shape of the window", COMPUTED, _keys(window="rectangular"), "settings", families=MEL),
    SoundFault("Hamming for Hann", COMPUTED, _keys(window="hamming"), "settings", families=MEL, mild=True),
    SoundFault("another mel scale", COMPUTED, lambda m: {"features": {"scale": "htk" if m.right["features"][1].get("scale") == "slaney" else "slaney"}}, "settings", families=MEL),
    SoundFault("another norm", COMPUTED, lambda m: {"features": {"norm": "none" if m.right["features"][1].get("norm") == "slaney" else "slaney"}}, "settings", families=MEL),
    SoundFault("another band", COMPUTED, _keys(fmin=300, fmax=3800), "settings", families=MEL),
    SoundFault("magnitudes for powers", COMPUTED, _keys(power=1), "settings", families=MEL),
    SoundFault("another logarithm", ("input.features", "input.normalization"), lambda m: {"features": {"log": "log10" if m.right["features"][1]["log"] == "natural" else "natural"}},
               "settings", families=MEL),
    SoundFault("decibels", ("input.features", "input.normalization"), _keys(log="db"), "settings", families=MEL),
    SoundFault("no logarithm", ("input.features", "input.normalization", "input.gain"), _keys(log="none"), "settings", families=MEL),
    SoundFault("another centering", ("input.delay", "input.features"), _centered, "settings",
               families=MEL),
    SoundFault("another floor", COMPUTED, lambda m: {"features": {"offset": 1e-2}}, "settings", families=MEL),
]


# ---- What the model is given ---------------------------------------------------------------------


def _tables(change):
    """Of [frames, rows, bins] in the order of time, whatever the model's order is."""
    def changed(values, model):
        kind = values.shape[1:]
        turned = model.name == "whisper_classifier"
        rows = {"micro_speech": (49, 40), "mel_classifier": (49, 40), "whisper_classifier": (80, 101)}.get(model.name, (3, 40))
        v = values.reshape(len(values), *rows)
        made = np.array(change(v.transpose(0, 2, 1) if turned else v))
        return (made.transpose(0, 2, 1) if turned else made).reshape(len(values), *kind)
    return changed


def _transposed(values, model):
    rows = {"whisper_classifier": (80, 101)}.get(model.name, (49, 40))
    return np.stack([v.reshape(rows).T.reshape(v.shape) for v in values])


def _moved_rows(count):
    def change(v):
        out = np.roll(v, count, 1)
        out[:, :count] = v[:, :1]
        return out
    return _tables(change)


def _frames_late(values, model):
    return np.concatenate([values[:1], values[:-1]])


def _integer_arithmetic(values, model):
    """(raw * 256 + 333) / 666 - 128 by floats that are rounded, not cut: one step more where the rest is a half or more."""
    rng = np.random.default_rng(5)
    more = rng.random(values.shape) < 0.5
    return np.clip(values.astype(int) + more, -128, 127).astype(np.int8)


VALUES = [
    SoundFault("one frame late", ("input.frame_order",), _frames_late, "values", families=("samples", "mel"), streams=False),
    SoundFault("one frame late", ("input.frame_order",), _frames_late, "values", families=INTEGERS),
    SoundFault("reversed in time", ("input.flip",), lambda v, m: v[..., ::-1], "values", families=SAMPLES, streams=False),
    SoundFault("transposed", ("input.layout",), _transposed, "values", families=FEATURES, streams=False),
    SoundFault("bins reversed", ("input.flip",), _tables(lambda v: v[:, :, ::-1]), "values", families=FEATURES),
    SoundFault("rows reversed", ("input.flip",), _tables(lambda v: v[:, ::-1]), "values", families=FEATURES, streams=False),
    SoundFault("one row late", DELAY, _moved_rows(1), "values", families=FEATURES, streams=False),
    SoundFault("without the zero point", ("input.quantization", "input.dtype"), lambda v, m: np.clip(v.astype(int) + 128, -128, 127).astype(np.int8), "values", families=INTEGERS),
    SoundFault("unsigned bytes", ("input.dtype", "input.quantization"), lambda v, m: (v.view(np.uint8) ^ 0x80).view(np.int8), "values", families=INTEGERS),
    SoundFault("half of the scale", ("input.normalization", "input.quantization", "input.features"), lambda v, m: ((v.astype(int) + 128) // 2 - 128).astype(np.int8), "values",
               families=INTEGERS),
    SoundFault("half of the scale", ("input.normalization", "input.features"), lambda v, m: v * np.float32(0.5), "values", families=MEL),
    SoundFault("offset of the features", ("input.normalization", "input.features"), lambda v, m: v + np.float32(2), "values", families=MEL),
    SoundFault("rounded arithmetic of features", ("input.quantization", "input.unknown", "input.normalization", "input.features"), _integer_arithmetic, "values", families=INTEGERS, mild=True),
]


# ---- What the user is told -----------------------------------------------------------------------


def _classes(change):
    def one(r):
        for c in r.classes:
            c.id = change(c.id)
            c.label = ""
    return each(one)


TOLD = {
    "classes": [
        ("classes off by one", ("output.label_offset", "output.label_map", "output.postprocess"), _classes(lambda i: i + 1)),
        ("labels of another map", ("output.label_map", "output.postprocess", "output.label_offset"), _classes(lambda i: (i * 3 + 2) % 521)),
        ("result of the frame before", ("output.postprocess", "output.frame_order"), of_the_frame_before),
    ],
    "score": [
        ("result of the frame before", ("output.postprocess", "output.frame_order"), of_the_frame_before),
    ],
}


def _fits(fault, model):
    return model.family in fault.families and (fault.streams if model.stream else fault.still) and (fault.where != "settings" or fault.change(model) is not None)


def of(model):
    """All faults of a model."""
    told = [SoundFault(name, causes, change, "told", mild=True) for name, causes, change in TOLD[model.told]]
    return [f for f in HEARD + RATES + COMPOSED + SETTINGS + VALUES if _fits(f, model)] + told
