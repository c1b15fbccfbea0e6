"""Mel spectrograms against librosa's and tf.signal's (golden numbers: make_golden_mel.py)."""

import subprocess

import numpy as np
import pytest
from make_golden_mel import GOLDEN, LIBROSA, TENSORFLOW, sound
from sound_support import sound_tool  # noqa: F401 (fixture)


def mel(tool, given, **options):
    rows = tool("mel", *(f"{name}={value}" for name, value in options.items()), given=given)
    return rows.reshape(-1, options.get("n_mels", 40))


@pytest.mark.parametrize("name", [*LIBROSA, *TENSORFLOW])
def test_equals_the_library(sound_tool, name):  # noqa: F811
    options, theirs = (LIBROSA | TENSORFLOW)[name], np.load(GOLDEN)[name]
    ours = mel(sound_tool, sound(), **options)
    assert ours.shape == theirs.shape
    if options.get("log"):
        assert np.abs(ours - theirs).max() < 1e-4
    else:
        assert (np.abs(ours - theirs) <= 1e-4 * np.maximum(np.abs(theirs), 1e-6 * theirs.max())).all()


def test_by_the_definition(sound_tool):  # noqa: F811
    """Windows that need not be of librosa's kind, by numpy."""
    given = sound()[:2000]
    for window, shape in ((1, np.hanning(480)), (3, np.blackman(481)[:480]), (4, np.ones(480))):
        cut = np.lib.stride_tricks.sliding_window_view(given.astype(np.float64), 480)[::320] * shape
        power = np.abs(np.fft.rfft(cut, 512)) ** 2
        edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 12) / 2595) - 1)
        hertz = np.arange(257) * 16000 / 512
        bank = [np.maximum(0, np.minimum((hertz - a) / (b - a), (c - hertz) / (c - b))) for a, b, c in zip(edges, edges[1:], edges[2:])]
        ours = mel(sound_tool, given, win_length=480, hop_length=320, n_mels=10, window=window)
        assert np.allclose(ours, power @ np.transpose(bank), rtol=1e-5)


def kaldi_fbank(x, window):
    """Kaldi's `fbank` without dither, as its documentation defines it (compute-fbank-feats), of 80 bins."""
    cut = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), 400)[::160]
    cut = cut - cut.mean(1, keepdims=True)
    cut = np.concatenate([cut[:, :1] * .03, cut[:, 1:] - .97 * cut[:, :-1]], 1)
    power = np.abs(np.fft.rfft(cut * window, 512)) ** 2
    mel = 1127 * np.log1p(np.arange(257) * 16000 / 512 / 700)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), 82)
    bank = [np.maximum(0, np.minimum((mel - a) / (b - a), (c - mel) / (c - b))) for a, b, c in zip(edges, edges[1:], edges[2:])]
    return np.log(np.maximum(power @ np.transpose(bank), 1.19e-7))


@pytest.mark.parametrize("window, shape", [(5, np.hanning(400) ** .85), (6, np.hamming(400))])
def test_kaldi(sound_tool, window, shape):  # noqa: F811
    given = np.round(sound()[:6000] * 32768 + 300).astype(np.float32)
    given[2000:2800] = 0
    ours = mel(sound_tool, given, n_fft=512, win_length=400, hop_length=160, window=window, n_mels=80, fmin=20, triangles=1, log=1,
               remove_dc_offset=1, pre_emphasis=.97, floor=1.19e-7)
    theirs = kaldi_fbank(given, shape)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-4 and ours.min() < -15


def test_a_limit_below_the_greatest(sound_tool):  # noqa: F811
    """As librosa's power_to_db and amplitude_to_db have it, in any logarithm."""
    for power in (1, 2):
        for log, below in ((0, None), (1, 3 * power / 2 * np.log(10)), (2, 1.5 * power), (3, 30)):
            whole = mel(sound_tool, sound(), log=log, power=power)
            least = whole.max() * 10 ** (-1.5 * power) if below is None else whole.max() - below
            assert (whole < least).any()
            assert np.allclose(mel(sound_tool, sound(), log=log, power=power, top_db=30), np.maximum(whole, least), rtol=1e-5)


def test_lengths(sound_tool):  # noqa: F811
    options = dict(n_fft=512, win_length=400, hop_length=160, n_mels=10)
    for length, rows, centered in ((0, 0, 0), (1, 0, 1), (399, 0, 3), (400, 1, 3), (559, 1, 4), (560, 2, 4)):
        given = np.ones(length, np.float32)
        assert len(mel(sound_tool, given, **options)) == rows
        for center in (1, 2):
            assert len(mel(sound_tool, given, center=center, **options)) == centered
        assert len(mel(sound_tool, given, pad=1, **options)) == (1 if length >= 512 else 0)


@pytest.mark.parametrize(
    "options, says",
    [
        ("n_fft=40000", "n_fft is 2 to 32768"),
        ("win_length=513", "win_length is at most n_fft"),
        ("n_mels=2000", "n_mels is at most 1024"),
        ("fmax=9000", "0 <= fmin < fmax <= half the rate"),
        ("power=3", "power is 1 or 2"),
        ("pre_emphasis=2", "pre_emphasis 0 to 1"),
        ("floor=-1", "floor is 0 or more"),
    ],
)
def test_a_wrong_option_is_one_line(sound_tool, options, says):  # noqa: F811
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sound_tool("mel", options, given=sound())
    assert says in failed.value.stderr.decode() and failed.value.stderr.count(b"\n") == 1
