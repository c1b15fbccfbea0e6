"""Kaldi's `fbank` of the sound in the log: which of its options differ, and what is noise of the sound."""

import numpy as np
import pytest
from sound_support import voice
from test_sound_features import judge  # noqa: F401 (fixture)
from validate_support import causes

SOUNDS = [np.pad(voice(i)[:14000], (0, 2000)) for i in range(3)]


def fbank(x, bins=40, shape=np.hanning(400) ** .85, emphasis=.97, mean=True, low=20, floor=1.19e-7):
    x = np.asarray(x, float)
    length = len(shape)
    cut = np.lib.stride_tricks.sliding_window_view(x, length)[::160][:80]
    cut = cut - cut.mean(1, keepdims=True) * mean
    cut = cut - emphasis * np.concatenate([cut[:, :1], cut[:, :-1]], 1)
    power = np.abs(np.fft.rfft(cut * shape, 512)) ** 2
    mel = 1127 * np.log1p(np.arange(257) * 16000 / 512 / 700)
    edges = np.linspace(1127 * np.log1p(low / 700), 1127 * np.log1p(8000 / 700), bins + 2)
    bank = [np.maximum(0, np.minimum((mel - a) / (b - a), (c - mel) / (c - b))) for a, b, c in zip(edges, edges[1:], edges[2:])]
    return np.log(np.maximum(power @ np.transpose(bank), floor)).astype(np.float32)


RIGHT = [fbank(x) for x in SOUNDS]


def heard_by(judge, edge, reference=RIGHT, sounds=SOUNDS):  # noqa: F811
    return judge(edge, reference, shape=lambda t: t[None, :, :, None], heard=(sounds, 16000))


@pytest.mark.parametrize("option, difference", [
    ({"low": 0}, "fmin: 0 for 20"), ({"shape": np.hamming(400)}, "window: hamming_symmetric for povey"),
    ({"emphasis": 0}, "pre_emphasis: 0 for 0.97"), ({"shape": np.hanning(320) ** .85}, "win_length: 320 for 400"),
])
def test_another_option(judge, option, difference):  # noqa: F811
    verdict = heard_by(judge, [fbank(x, **option) for x in SOUNDS])
    assert causes(verdict) == ["input.features"] and verdict["findings"][0]["evidence"]["differences"] == difference, verdict["findings"]


def test_the_mean_of_a_window(judge):  # noqa: F811
    """A microphone with a bias; without pre-emphasis, which would take most of it off."""
    biased = [x + 900 for x in SOUNDS]
    verdict = heard_by(judge, [fbank(x, mean=False, emphasis=0) for x in biased], [fbank(x, emphasis=0) for x in biased], biased)
    assert causes(verdict) == ["input.features"] and "remove_dc_offset: false for true" in verdict["findings"][0]["summary"]


def test_windows_that_begin_elsewhere(judge):  # noqa: F811
    """By three quarters of a row: nearly those of a whole one."""
    verdict = heard_by(judge, [fbank(np.pad(x, (120, 0))) for x in SOUNDS])
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"]["late_samples"] == 120


def test_dither_is_a_remark(judge):  # noqa: F811
    rng = np.random.default_rng(3)
    verdict = heard_by(judge, [fbank(x + rng.integers(-1, 2, len(x)) * (np.abs(x) > 0)) for x in SOUNDS])
    assert verdict["verdict"] == "pass" and {f["severity"] for f in verdict["findings"]} <= {"info"}
