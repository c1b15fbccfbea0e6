"""Models that hear, their right pipelines, and sounds: of samples (YAMNet, Silero), of TensorFlow Lite's integer front end (micro_speech,
wake words), and of log-mel spectrograms (two classifiers that are built here)."""

import wave
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from places import BUILD, EXRAY, engine_of, is_at_hand, run
from sound_support import speechlike
from testdata import AUDIO, MODELS

FOLDER = BUILD / "faults" / "sounds"
RATE = 16000
MEL = dict(n_fft=512, win_length=480, hop_length=320, n_mels=40, fmin=20, fmax=7600, log="natural", offset=1e-6)
WHISPER = dict(n_fft=400, hop_length=160, n_mels=80, scale="slaney", norm="slaney", center="reflect", log="log10")
FRONT_END = dict(window_size=30, window_step=10, num_channels=40, enable_pcan="true")


@dataclass
class SoundModel:
    name: str
    family: str  # what it takes: "samples", "integers" (of the integer front end), "mel"
    file: str
    right: dict  # keys of `audio:`; features: (kind, {its keys})
    task: str = "audio"
    length: int = 16000  # samples of a frame
    stream: bool = False  # frames follow each other; else each recording is one
    more: str = ""  # other keys of the pipeline
    kernels: tuple = ()  # others that a healthy edge may have
    make: object = None  # (path): builds the file where none has it
    told: str = "classes"  # or "score"
    path: Path = field(default=None)

    @property
    def engine(self):
        return engine_of(self.file)

    def pipeline(self, settings):
        """`settings`: other keys of `audio:` (None: left out); "features": other keys of the features."""
        s = {**self.right, **{k: v for k, v in settings.items() if k != "features"}}
        if "features" in self.right:
            kind, keys = self.right["features"]
            keys = {**keys, **settings.get("features", {})}
            s["features"] = kind + " {" + ", ".join(f"{k}: {v}" for k, v in keys.items() if v is not None) + "}"
        lines = "".join(f"  {k}: {v}\n" for k, v in s.items() if v is not None)
        return f"task: {self.task}\naudio:\n{lines}{self.more}"


# ---- Models that are built here ------------------------------------------------------------------


def _classifier(path, shape, mean, std, seed):
    """Eight classes by two dense layers with random weights, of features that are brought to mean 0 and deviation 1 first."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    rng, n = np.random.default_rng(seed), int(np.prod(shape))
    weights = {"mean": mean, "std": std, "w1": rng.normal(0, 1 / np.sqrt(n), (n, 64)), "b1": rng.normal(0, 0.1, 64), "w2": rng.normal(0, 0.7, (64, 8)), "b2": np.zeros(8)}
    nodes = [
        helper.make_node("Flatten", ["features"], ["flat"]), helper.make_node("Sub", ["flat", "mean"], ["centered"]),
        helper.make_node("Div", ["centered", "std"], ["scaled"]), helper.make_node("MatMul", ["scaled", "w1"], ["dense"]),
        helper.make_node("Add", ["dense", "b1"], ["biased"]), helper.make_node("Relu", ["biased"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "w2"], ["logits_0"]), helper.make_node("Add", ["logits_0", "b2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1)]
    graph = helper.make_graph(nodes, "sounds", [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 8])],
                              [numpy_helper.from_array(np.float32(v), k) for k, v in weights.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _mel_model(path):
    _classifier(path, [1, 49, 40], -6, 4, 1)


def _whisper_model(path):
    _classifier(path, [1, 80, 101], -5, 1.5, 2)


# ---- Sounds --------------------------------------------------------------------------------------


def _recorded(name):
    path = AUDIO / f"{name}.wav"
    if not path.exists():
        return None
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def _sound(rng, seconds, real):
    """Speech, -1 to 1, over the noise of a room: recorded where there is such, else like it."""
    n = int(seconds * RATE)
    found = [s for s in (_recorded(name) for name in (("speech", "yes_1000ms", "no_1000ms", "speech"))) if s is not None] if real else []
    if not found:
        made = np.concatenate([speechlike(RATE, 1.0, int(rng.integers(1 << 30))) for _ in range(int(np.ceil(seconds)))])[:n].astype(np.float64)
    else:
        one = np.concatenate([np.roll(found[k], -int(rng.integers(len(found[k])))) for k in rng.permutation(len(found))])
        made = np.resize(one, n)
    loud = 0.5 * rng.uniform(0.4, 1) / max(np.abs(made).max(), 1e-3)
    return made * loud + rng.normal(0, 5e-4, n)


def int16(x):
    return np.clip(np.round(np.asarray(x, np.float64) * 32768), -32768, 32767).astype(np.int16)


@lru_cache(None)
def _masters(stream, seed):
    rng = np.random.default_rng([seed, 77])
    real = seed % 2 == 0
    if stream:
        return [_sound(rng, 4.2, real) for _ in range(2)]
    return [_sound(rng, 3.2, real and i % 3) for i in range(5)]


def masters(model, seed):
    """The sounds of a set, 16 kHz, -1 to 1, longer than what the model hears of them."""
    return _masters(model.stream, seed)


def heard_length(model):
    """Samples of a recording that the model hears."""
    return 2 * RATE if model.stream else model.length


def resampled(x, rate, to):
    from scipy.signal import resample_poly
    common = np.gcd(int(rate), int(to))
    return resample_poly(x, to // common, rate // common, axis=0, window=("kaiser", 12.0))


def write_wav(path, samples, rate):
    """int16 samples, or floats (written as 32-bit floats), [n] or [n, channels]."""
    samples = np.asarray(samples)
    if samples.dtype == np.int16:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
            file.setsampwidth(2)
            file.setframerate(int(rate))
            file.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())
        return
    from scipy.io import wavfile
    wavfile.write(path, int(rate), np.asarray(samples, np.float32))


def microphone(model, seed, rate=RATE, channels=1):
    """What the microphone gives: int16 samples of each recording, longer than what is heard."""
    made = []
    for x in masters(model, seed):
        x = x if rate == RATE else resampled(x, RATE, rate)
        if channels == 2:  # the second hears it five samples later, and quieter
            late = np.concatenate([np.zeros(5), x[:-5]])
            x = np.stack([x, 0.8 * late], 1)
        made.append(int16(x))
    return made


def folder_of(name, sounds, rate):
    """A folder of recordings; made once."""
    folder = FOLDER / name
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for i, samples in enumerate(sounds):
            write_wav(folder / f"{i}.wav", samples, rate)
        (folder / "done").touch()
    return folder


def sounds(model, seed, rate=RATE, channels=1):
    """The folder that a right edge hears."""
    kind = f"{model.name}-{seed}-{rate}-{channels}"
    n = heard_length(model) * rate / RATE
    return folder_of(kind, [x[:int(np.ceil(n))] for x in microphone(model, seed, rate, channels)], rate)


# ---- All of them ---------------------------------------------------------------------------------


def _wake_word(name):
    return SoundModel(name, "integers", f"pymicro_wakeword_{name}.tflite", dict(rate=RATE, window="800 hop 480", features=("microfrontend", FRONT_END)),
                      "regression", 800, True, kernels=("builtin", "xnnpack"), told="score")


ALL = [
    SoundModel("yamnet", "samples", "yamnet_float.tflite", dict(rate=RATE, window=15600, scale="float"), length=15600, kernels=("builtin", "xnnpack")),
    SoundModel("silero", "samples", "silero_vad_silero_vad_16k_op15.onnx", dict(rate=RATE, window="576 hop 512", scale="float"), "regression", 576, True,
               "inputs:\n  input: audio\n  sr: {constant: 16000}\nstate: {state: stateN}\n", kernels=("none", "extended"), told="score"),
    SoundModel("micro_speech", "integers", "micro_speech_int8.tflite",
               dict(rate=RATE, window=16000, features=("microfrontend", {**FRONT_END, "window_step": 20})), kernels=("builtin", "xnnpack")),
    *[_wake_word(name) for name in ("okay_nabu", "alexa", "hey_jarvis", "hey_mycroft")],
    SoundModel("mel_classifier", "mel", "mel_classifier.onnx", dict(rate=RATE, window=16000, scale="float", features=("mel", MEL)), kernels=("none", "extended"),
               make=_mel_model),
    SoundModel("whisper_classifier", "mel", "whisper_classifier.onnx", dict(rate=RATE, window=16000, scale="float", features=("mel", WHISPER)),
               kernels=("none", "extended"), make=_whisper_model),
]


def load():
    """{name: SoundModel}, those that are at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {}
    for model in ALL:
        if is_at_hand(model, MODELS, FOLDER):
            found[model.name] = model
    return found


def record(model, folder, settings, out, *options):
    """The edge's log: `record` with these settings."""
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline(settings))
    return run(EXRAY, "record", "--engine", model.engine, "--model", model.path, "--pipeline", text, "--data", folder, "--capture", "io", "-o", out, *options)


def replay(model, edge, out, *options):
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline({}))
    return run(EXRAY, "replay", edge, "--engine", model.engine, "--model", model.path, "--pipeline", text, "--capture", "io", "-o", out, *options)
