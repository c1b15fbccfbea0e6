"""Raw sound whose frames are torn or cut at another hop, goes through a filter with feedback, or is kept in fewer bits."""

import numpy as np
import pytest
from sound_support import LENGTH, UNIT, VOICES, fit, judge, resampled, voice  # noqa: F401 (fixture)
from validate_support import causes

STREAM = voice(11, 8 * 4000)
WINDOWS = [STREAM[4000 * k:4000 * k + 4000] / 32768 for k in range(8)]


def biquad(kind, hertz, rate=16000):
    """(forward, back) of the audio cookbook's filters; back begins with a1."""
    turn = 2 * np.pi * hertz / rate
    c, alpha = np.cos(turn), np.sin(turn) / 1.4
    b, a = {"high": ([(1 + c) / 2, -1 - c, (1 + c) / 2], [1 + alpha, -2 * c, 1 - alpha]), "low": ([(1 - c) / 2, 1 - c, (1 - c) / 2], [1 + alpha, -2 * c, 1 - alpha]),
            "peak": ([1 + alpha * 2, -2 * c, 1 - alpha * 2], [1 + alpha / 2, -2 * c, 1 - alpha / 2])}[kind]
    return [x / a[0] for x in b], [x / a[0] for x in a[1:]]


def recursive(x, forward, back):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = sum(f * x[i - k] for k, f in enumerate(forward) if i >= k) - sum(f * y[i - 1 - k] for k, f in enumerate(back) if i > k)
    return y


@pytest.mark.parametrize("own_first, by, at", [(True, -1, 1500), (False, 1, 3000), (True, -2, 2048)])
def test_torn_frames(judge, own_first, by, at):
    def torn(k):
        own, other = WINDOWS[k], WINDOWS[k + by] if 0 <= k + by < 8 else WINDOWS[k]
        return np.concatenate([own[:at], other[at:]] if own_first else [other[:at], own[at:]])

    verdict = judge([torn(k) for k in range(8)], WINDOWS)
    assert causes(verdict) == ["input.frame_order"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "torn" and evidence["frames_ahead"] == by and abs(evidence["torn_at"] - at) < 8


@pytest.mark.parametrize("hop", [1000, 3000, 5000])
def test_windows_at_another_hop(judge, hop):
    more = np.concatenate([STREAM, voice(12, 16000)]) / 32768
    verdict = judge([more[hop * k:hop * k + 4000] for k in range(8)], WINDOWS)
    assert causes(verdict) == ["input.delay"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "hop" and evidence["hop"] == hop and evidence["hop_reference"] == 4000


@pytest.mark.parametrize("forward, back", [biquad("high", 120), biquad("low", 3000), ([1, -1], [-.995]), biquad("peak", 1000)])
def test_a_filter_with_feedback(judge, forward, back):
    bias = .05 if sum(forward) == 0 else 0
    verdict = judge([recursive(u + bias, forward, back) for u in UNIT], [u + bias for u in UNIT])
    assert causes(verdict) == ["input.gain"] and verdict["findings"][0]["evidence"]["kind"] == "filter"
    if sum(forward) == 0:  # what is gone is not brought back
        assert verdict["findings"][0]["evidence"]["filtered_side"] == "edge"
    assert judge([recursive(u, forward, back) for u in UNIT], [recursive(u, forward, back) for u in UNIT])["verdict"] == "pass"


@pytest.mark.parametrize("forward, back", [biquad("high", 120), ([1, -.95], [])])
def test_a_filter_of_long_sounds(judge, forward, back):
    """Whose beginning is silent; and a part that another filter made is no part of it."""
    silence, sounds = np.zeros(70000), [np.tile(u, 6) for u in UNIT[:2]]
    long = [np.concatenate([silence, u]) for u in sounds]
    made = [np.concatenate([silence, recursive(u, forward, back)]) for u in sounds]
    verdict = judge(made, long)
    assert causes(verdict) == ["input.gain"] and verdict["findings"][0]["evidence"]["kind"] in ("filter", "pre-emphasis"), verdict["findings"][0]["evidence"]
    other = [np.concatenate([m[:-LENGTH * 2], u[-LENGTH * 2:][::-1]]) for m, u in zip(made, long, strict=True)]
    assert [f["evidence"].get("kind") for f in judge(other, long)["findings"]] != ["filter"]


@pytest.mark.parametrize("rounded", [np.round, np.floor])
def test_fewer_bits(judge, rounded):
    quiet = [u / 8 for u in UNIT]
    verdict = judge([rounded(u * 128) / 128 for u in quiet], quiet)
    assert causes(verdict) == ["input.dtype"]
    assert verdict["findings"][0]["evidence"]["kind"] == "bits" and verdict["findings"][0]["evidence"]["bits"] == 8


def test_as_many_bits(judge):
    rng = np.random.default_rng(0)
    assert judge([np.round(u * 32768 + rng.integers(-1, 2, LENGTH)) / 32768 for u in UNIT])["verdict"] == "pass"
    coarse = [np.round(u * 16) / 128 for u in UNIT]
    assert judge(coarse, coarse)["verdict"] == "pass"


def test_rates_that_microphones_have(judge):
    verdict = judge([fit(resampled(v, 14700)) / 32768 for v in VOICES], [fit(v) / 32768 for v in VOICES])
    assert causes(verdict) == ["input.sample_rate"] and "44100 Hz fed as if it were of 48000 Hz" in verdict["findings"][0]["summary"]


def test_samples_with_a_bias(judge):
    biased = [u / 4 + .09 for u in UNIT]
    late = judge([np.concatenate([np.full(320, b[0]), b[:-320]]) for b in biased], biased)
    assert causes(late) == ["input.delay"] and late["findings"][0]["evidence"]["late_samples"] == 320
    assert causes(judge([b - .09 for b in biased], biased)) == ["input.normalization"]
    assert judge([b + np.random.default_rng(3).integers(-1, 2, LENGTH) / 32768 for b in biased], biased)["verdict"] == "pass"
