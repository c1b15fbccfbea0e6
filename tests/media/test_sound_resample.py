"""The resampler against soxr's "HQ", on sounds like speech and on noise."""

import subprocess

import numpy as np
import pytest
from sound_support import sound_tool, speechlike  # noqa: F401 (fixtures)

soxr = pytest.importorskip("soxr")

PAIRS = [(44100, 16000), (48000, 16000), (8000, 16000), (16000, 8000), (16000, 48000), (22050, 16000), (16000, 44100), (48000, 44100)]


def share(values, rate, below):
    """The power below a frequency."""
    spectrum = np.abs(np.fft.rfft(values * np.hanning(len(values)))) ** 2
    return spectrum[: int(below / rate * len(values))].sum()


@pytest.mark.parametrize("before, after", PAIRS)
def test_equals_soxr(sound_tool, before, after):  # noqa: F811
    given = np.round(speechlike(before, 1.5) * 32768).astype(np.float32) / 32768
    ours, theirs = sound_tool("resample", before, after, given=given), soxr.resample(given.astype(np.float64), before, after)
    assert len(ours) == len(theirs)
    common = 0.9 * min(before, after) / 2
    decibels = 10 * np.log10(share(ours - theirs, after, common) / share(theirs, after, common))
    steps = np.abs(np.round(ours * 32768) - np.round(theirs * 32768)).max()
    assert decibels < -90 or steps <= 1, (decibels, steps)


def test_a_wrong_rate_is_one_line(sound_tool):  # noqa: F811
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sound_tool("resample", 1, 1000, given=np.zeros(10, np.float32))
    assert failed.value.stderr == b"cannot resample from 1 to 1000 Hz: more than 256 times\n"
