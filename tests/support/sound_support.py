"""Sounds like speech, the program that runs exray/sound.h on them, and logs of models that take raw sound."""

import io
import os
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from validate_support import PB, Recording, validate

RATE, LENGTH = 16000, 8000
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", "build/test"))


def speechlike(rate, seconds, seed=0):
    """Syllables: a voice of falling pitch through three formants, fricatives between, pauses; -1 to 1, of any rate
    the same sound up to 7 kHz."""
    time = np.arange(int(rate * seconds)) / rate
    rng = np.random.default_rng(seed)
    out = np.zeros(len(time))
    for begin in np.arange(0.05, seconds, 0.25):
        envelope = np.exp(-(((time - begin - 0.08) / 0.05) ** 2))
        pitch, formants = rng.uniform(90, 220), rng.uniform([300, 900, 2200], [800, 2000, 3200])
        for harmonic in np.arange(1, int(4000 / pitch)) * pitch:
            loudness = sum(np.exp(-(((harmonic - f) / 120) ** 2)) for f in formants)
            out += 0.08 * envelope * loudness * np.sin(2 * np.pi * harmonic * (time - 0.1 * time * time / seconds) + rng.uniform(0, 6.28))
        for hertz in rng.uniform(3500, 7000, 12):
            out += 0.006 * np.exp(-(((time - begin - 0.18) / 0.03) ** 2)) * np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6.28))
    return (out / max(1, np.abs(out).max() * 1.1)).astype(np.float32)


@pytest.fixture(scope="session")
def sound_tool():
    """sound_tool(FUNCTION, ARGUMENTS ..., given=samples): what it makes of them, float32; of int16: uint16."""

    def run(*arguments, given):
        command = [str(BUILD / "tests" / "sound_tool"), *(str(a) for a in arguments)]
        whole = np.asarray(given).dtype == np.int16
        done = subprocess.run(command, input=np.ascontiguousarray(given, np.int16 if whole else np.float32).tobytes(), capture_output=True, check=True)
        return np.frombuffer(done.stdout, np.uint16 if whole else np.float32)

    return run


def voice(seed, length=LENGTH + 4000):
    """Syllables of a buzz under moving formants, with hiss and silence between: 16-bit samples."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / RATE
    pitch = np.cumsum(90 + 40 * np.sin(2 * np.pi * rng.uniform(.5, 2) * t + rng.uniform(0, 6))) / RATE
    made = sum(np.sin(2 * np.pi * k * pitch) / k * (1 + np.sin(2 * np.pi * rng.uniform(1, 4) * t + k)) for k in range(1, 30))
    hiss = np.convolve(rng.normal(0, 1, length), [1, -1.2, .5], "same") * (np.sin(2 * np.pi * 3 * t + seed) > .6)
    loud = np.clip(np.sin(2 * np.pi * 2.5 * t + seed), 0, 1) + .02
    return np.round(3000 * loud * (made + hiss)).clip(-32768, 32767).astype(np.int16)


VOICES = [voice(i) for i in range(3)]


def wav(samples, rate=RATE):
    file = io.BytesIO()
    with wave.open(file, "wb") as w:
        w.setnchannels(1 if samples.ndim == 1 else samples.shape[1]), w.setsampwidth(2), w.setframerate(rate)
        w.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())
    return file.getvalue()


UNIT = [(v[:LENGTH] / 32768).astype(np.float32) for v in VOICES]


def resampled(x, to):
    """By the Fourier transform: what is above the lower of both rates is gone."""
    n = int(len(x) * to / RATE)
    spectrum = np.fft.rfft(np.asarray(x, np.float64))
    made = np.zeros(n // 2 + 1, complex)
    k = min(len(spectrum), len(made))
    made[:k] = spectrum[:k]
    return np.fft.irfft(made, n) * to / RATE


def log(path, role, frames, heard=None, rate=RATE, pipeline=None, **metadata):
    with Recording(path, role, **metadata) as r:
        if pipeline:
            r.writer.add_attachment(1, 1, "pipeline.yaml", "text/yaml", pipeline.encode())
        for i, x in enumerate(frames):
            sound = [("/sensor/mic", np.frombuffer(wav(heard[i], rate), np.uint8), {"media": PB["Media"](format="wav")})] if heard else []
            x = np.asarray(x)
            r.frame([*sound, ("/input/audio", x[None].astype(x.dtype if x.dtype == np.int16 else np.float32), {}),
                     ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(i))
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference=UNIT, **heard):
        return validate(log(tmp_path / "e.mcap", "edge", edge, **heard), log(tmp_path / "r.mcap", "reference", reference, **heard))

    return run


def fit(x):
    x = np.asarray(x)[:LENGTH]
    return np.pad(x, (0, LENGTH - len(x)))
