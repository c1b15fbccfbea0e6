"""Sounds like speech, and the program that runs exray/sound.h on them."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

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
