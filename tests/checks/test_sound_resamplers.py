"""Two usual resamplers end the band differently, which is no fault; no resampler is one."""

import numpy as np
import pytest
from sound_support import LENGTH, RATE, UNIT, VOICES, fit, judge, resampled  # noqa: F401 (fixture)
from validate_support import finding

# Where the slope begins and ends, of half of the rate: SciPy's short filter, torchaudio's, resampy's fast one, speexdsp's.
SLOPES = [(.84, 1.16), (.73, 1.25), (.70, 1.0), (.80, .99)]


def behind(x, begin, end):
    """A low pass of linear phase that falls from `begin` to `end` of half of the rate; what is left at the end comes back."""
    n = len(x)
    f = np.arange(n // 2 + 1) / (n // 2)
    fall = lambda g: .5 + .5 * np.cos(np.pi * np.clip((g - begin) / (end - begin), 0, 1))  # noqa: E731
    spectrum = np.fft.rfft(np.asarray(x, np.float64))
    mirror = np.where(2 - f <= end, spectrum[::-1].conj() * fall(2 - f) * np.exp(2j * np.pi * f * n * .31), 0)
    return np.fft.irfft(spectrum * fall(f) + mirror, n)


@pytest.mark.parametrize("slope", SLOPES)
def test_another_resampler_is_a_warning(judge, slope):  # noqa: F811
    verdict = judge([fit(behind(v / 32768, *slope)) for v in VOICES])
    assert verdict["verdict"] == "pass"
    for found in (f for f in verdict["findings"] if f["cause"] == "input.sample_rate"):
        assert found["severity"] == "warning" and found["evidence"]["kind"] == "resampler" and found["evidence"]["same_up_to_hz"] > 5000


def test_another_resampler_of_the_record(judge):  # noqa: F811
    raw = [resampled(v, 48000).round().clip(-32768, 32767).astype(np.int16) for v in VOICES]
    verdict = judge([fit(behind(v / 32768, .7, 1)) for v in VOICES], heard=raw, rate=48000)
    found = finding(verdict, "input.sample_rate")
    assert verdict["verdict"] == "pass" and found["severity"] == "warning" and found["evidence"]["band_end_hz"] == 8000


@pytest.mark.parametrize("slope", [(.55, .75), (.45, .6)])
def test_a_low_pass_far_below_the_end_is_a_fault(judge, slope):  # noqa: F811
    assert judge([fit(behind(v / 32768, *slope)) for v in VOICES])["verdict"] == "fail"


def test_noise_all_over_the_band_is_no_resampler(judge):  # noqa: F811
    rng = np.random.default_rng(0)
    noisy = [v / 32768 + .02 * rng.normal(0, v.std() / 32768, len(v)) for v in VOICES]
    assert judge([fit(x) for x in noisy], [fit(behind(x, .7, 1)) for x in [v / 32768 for v in VOICES]])["verdict"] == "fail"


def test_every_third_sample_of_the_record(judge):  # noqa: F811
    rng = np.random.default_rng(1)
    raw = [(resampled(v, 48000) + rng.normal(0, 400, 3 * len(v))).round().clip(-32768, 32767).astype(np.int16) for v in VOICES]
    low = [np.fft.irfft(np.fft.rfft(x)[:len(x) // 6 + 1], len(x) // 3) / 3 for x in raw]
    found = finding(judge([fit(x[::3] / 32768) for x in raw], [fit(x / 32768) for x in low], heard=raw, rate=48000), "input.sample_rate")
    assert found["severity"] == "error" and found["evidence"]["kind"] == "hold" and found["evidence"]["wrong_side"] == "edge"
