"""Raw sound given to a model: what makes one side's samples the other's is named, with and without the microphone's record."""

import numpy as np
import pytest
from sound_support import LENGTH, RATE, UNIT, VOICES, fit, judge, log, resampled, voice  # noqa: F401 (fixture)
from validate_support import Recording, causes, finding, validate


def each(change, given=VOICES):
    return [fit(change(v)) for v in given]


def told(verdict):
    return " ".join(f["summary"] for f in verdict["findings"])


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.parametrize("recorded", [False, True])
def test_another_rate(judge, rate, recorded):
    raw = [resampled(v, rate).round().clip(-32768, 32767).astype(np.int16) for v in VOICES]
    reference = [fit(resampled(v, min(rate, RATE)) if rate >= RATE else resampled_back(v, rate)) / 32768 for v in VOICES]
    verdict = judge(each(lambda r: r / 32768, raw), reference, **({"heard": raw, "rate": rate} if recorded else {}))
    assert causes(verdict) == ["input.sample_rate"]
    found = verdict["findings"][0]
    assert abs(found["evidence"]["ratio"] - rate / RATE) < 1e-3 and f"{rate} Hz" in found["summary"]
    assert found["evidence"].get("wrong_side") == ("edge" if recorded else None)
    assert "mean" not in found["fix"] and "esample" in found["fix"]


def resampled_back(x, rate):
    low = resampled(x, rate)
    spectrum, made = np.fft.rfft(low), np.zeros(len(x) // 2 + 1, complex)
    made[:len(spectrum)] = spectrum
    return np.fft.irfft(made, len(x)) * len(x) / len(low)


def test_a_band_that_another_rate_left(judge):
    verdict = judge(each(lambda v: resampled_back(v, 8000) / 32768))
    assert causes(verdict) == ["input.sample_rate"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "band" and abs(evidence["cutoff_hz"] - 4000) < 300 and evidence["rate_before"] == 8000


def test_two_faults_have_two_names(judge):
    low = [resampled(v, 8000) for v in VOICES]
    verdict = judge([fit(x) for x in low], [fit(resampled_back(v, 8000)) / 32768 for v in VOICES])
    assert causes(verdict) == ["input.sample_rate", "input.gain"]
    assert abs(finding(verdict, "input.gain")["evidence"]["gain"] / 32768 - 1) < .02
    late = judge(each(lambda v: np.pad(v * .25 / 32768, (100, 0))))
    assert causes(late) == ["input.delay", "input.gain"] and finding(late, "input.delay")["evidence"]["late_samples"] == 100


@pytest.mark.parametrize("change, kind", [
    (lambda v: v.byteswap() / 32768, "byte_order"),
    (lambda v: v.byteswap().astype(float), "byte_order"),
    (lambda v: v.astype(np.uint16) / 32768, "unsigned"),
    (lambda v: (v.astype(int) ^ -32768) / 32768, "offset_binary"),
    (lambda v: np.frombuffer(v.astype("<i2").tobytes(), np.int8) / 128, "bytes"),
    (lambda v: (v.astype("<i4") * 65536).view("<i2") / 32768, "width_32"),
    (lambda v: (v / 32768).astype("<f4").view("<i2") / 32768, "floats_as_16_bit"),
])
def test_samples_of_another_type(judge, change, kind):
    verdict = judge(each(change))
    assert finding(verdict, "input.dtype")["evidence"]["kind"] == kind
    assert set(causes(verdict)) <= {"input.dtype", "input.gain"}


@pytest.mark.parametrize("recorded", [False, True])
def test_interleaved_channels(judge, recorded):
    stereo = [np.stack([v, np.pad(v, (5, 0))[:-5] * .7], 1).astype(np.int16) for v in VOICES]
    verdict = judge(each(lambda s: s.reshape(-1) / 32768, stereo), each(lambda s: s.mean(1) / 32768, stereo), **({"heard": stereo} if recorded else {}))
    assert causes(verdict) == ["input.layout"] and verdict["findings"][0]["evidence"]["channels"] == 2
    if recorded:
        verdict = judge(each(lambda s: s[:, 0] / 32768, stereo), each(lambda s: s.mean(1) / 32768, stereo), heard=stereo)
        assert causes(verdict) == ["input.layout"] and verdict["findings"][0]["evidence"]["kind"] == "channel"


@pytest.mark.parametrize("edge,reference", [(2, 0), (0, 3)])
def test_one_microphone_of_four_for_another(judge, edge, reference):
    four = [np.stack([np.pad(v, (3 * c, 0))[:len(v)] * (1 - .2 * c) for c in range(4)], 1).astype(np.int16) for v in VOICES]
    verdict = judge(each(lambda s: s[:, edge] / 32768, four), each(lambda s: s[:, reference] / 32768, four), heard=four)
    assert causes(verdict) == ["input.layout"]
    assert f"edge takes channel {edge} of 4; the reference takes channel {reference} of 4" in told(verdict)


def test_another_sum_of_channels(judge):
    stereo = [np.stack([v, np.pad(v, (5, 0))[:-5] * .7], 1).astype(np.int16) for v in VOICES]
    mix = lambda a, b: each(lambda s: (s @ np.array([a, b])).round() / 32768, stereo)  # noqa: E731
    verdict = judge(mix(.5, -.5), mix(.5, .5), heard=stereo)
    assert causes(verdict) == ["input.layout"] and "0.5 x channel 0 - 0.5 x channel 1; the reference takes" in told(verdict)
    assert verdict["findings"][0]["evidence"]["wrong_side"] == "edge"
    assert judge(mix(.7, .3), mix(.7, .3), heard=stereo)["findings"] == []


@pytest.mark.parametrize("late, gain", [(800, .5), (400, -.3)])
@pytest.mark.parametrize("recorded", [False, True])
def test_an_echo(judge, late, gain, recorded):
    verdict = judge([u + gain * np.pad(u, (late, 0))[:LENGTH] for u in UNIT], **({"heard": VOICES} if recorded else {}))
    assert causes(verdict) == ["input.gain"], told(verdict)
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "echo" and evidence["echo_samples"] == late and abs(evidence["echo_gain"] / gain - 1) < .1


def test_a_long_filter(judge):
    """A room: a tail of noise that dies away over 30 ms."""
    rng = np.random.default_rng(7)
    room = np.concatenate([[1], rng.normal(0, .3, 480) * np.exp(-np.arange(480) / 100)])
    verdict = judge([np.convolve(u, room)[:LENGTH] for u in UNIT])
    assert causes(verdict) == ["input.gain"] and verdict["findings"][0]["evidence"]["kind"] == "filter"
    assert verdict["findings"][0]["evidence"]["filtered_side"] == "edge"


def test_a_rate_that_the_model_is_told(tmp_path):
    def side(role, rate):
        with Recording(tmp_path / role, role) as r:
            for i, x in enumerate(UNIT):
                r.frame([("/input/audio", x[None], {}), ("/input/sr", np.array(rate, np.int64), {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(i))
        return tmp_path / role

    verdict = validate(side("edge", 16000), side("reference", 8000))
    assert causes(verdict) == ["input.sample_rate"] and "16000 Hz, in its input sr; the reference tells it 8000 Hz" in told(verdict)
    assert causes(validate(side("edge", 5), side("reference", 8))) == ["input.tokens"]


@pytest.mark.parametrize("rate", [22050, 24000, 48000])
def test_the_rate_of_a_stereo_microphone(judge, rate):
    """Its channels are put together rightly; of a low voice, a mean of neighbors is nearly a sound of half the rate, but not it."""
    low = [np.convolve(v, np.hanning(41) / 20, "same") for v in VOICES]
    stereo = [np.stack([v, np.pad(v, (5, 0))[:-5] * .7], 1).astype(np.int16) for v in low]
    right = each(lambda s: resampled(s.mean(1) / 32768, RATE * RATE / rate), stereo)
    verdict = judge(each(lambda s: s.mean(1) / 32768, stereo), right, heard=stereo, rate=rate)
    assert causes(verdict) == ["input.sample_rate"], verdict["findings"]
    assert f"{rate} Hz as if" in verdict["findings"][0]["summary"]


@pytest.mark.parametrize("gain", [.25, 32768, 32768 / 255, -1, 1 / 32768])
def test_a_factor(judge, gain):
    verdict = judge([u * gain for u in UNIT])
    assert causes(verdict) == ["input.gain"] and abs(verdict["findings"][0]["evidence"]["gain"] / gain - 1) < 1e-3


def test_a_small_factor(judge):
    """34 steps of 16 bits at full scale, and nothing else."""
    verdict = judge([u * 1.0011 for u in UNIT])
    assert causes(verdict) == ["input.gain"] and abs(verdict["findings"][0]["evidence"]["gain"] - 1.0011) < 1e-5
    assert judge([u * (32768 / 32767) for u in UNIT])["verdict"] == "pass"


@pytest.mark.parametrize("hertz, level, multiples", [(50, .03, 1), (60, .05, 3), (1234.5, .02, 1)])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_tone_that_one_side_has(judge, hertz, level, multiples, recorded):
    """It follows from itself, as from a filter with feedback, and is none."""
    at = 2 * np.pi * hertz * np.arange(LENGTH) / RATE
    hum = sum(level / k * np.sin(k * at + k) for k in range(1, multiples + 1))
    verdict = judge([u + hum for u in UNIT], **({"heard": VOICES} if recorded else {}))
    assert causes(verdict) == ["input.unknown"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "tone" and abs(evidence["hertz"] - hertz) < .2 and evidence.get("wrong_side") == ("edge" if recorded else None)


@pytest.mark.parametrize("change, kind", [
    (lambda u: np.clip(u * 9, -1, 1), "clipped"),
    (lambda u: u / np.abs(u).max(), "peak"),
    (lambda u: u * np.exp(1.2 * np.sin(np.arange(LENGTH) / 2000)), "moving"),
    (lambda u: np.sign(u) * np.log1p(255 * np.abs(u)) / 5.5, "curve"),
])
def test_a_gain_that_is_no_factor(judge, change, kind):
    verdict = judge([change(u) for u in UNIT])
    assert causes(verdict) == ["input.gain"] and verdict["findings"][0]["evidence"]["kind"] == kind


@pytest.mark.parametrize("gain, unit", [(12, 32768), (30, 1)])
def test_a_gain_that_wraps_in_16_bits(judge, gain, unit):
    quiet = [(v // 2).astype(np.int16) for v in VOICES]
    wrapped = [(v.astype(int) * gain).astype(np.int16) / unit for v in quiet]
    found = judge([fit(w) for w in wrapped], [fit(v) / unit for v in quiet])
    assert causes(found) == ["input.gain"] and found["findings"][0]["evidence"]["kind"] == "wrapped"
    assert abs(found["findings"][0]["evidence"]["gain"] / gain - 1) < 1e-3 and "saturate" in found["findings"][0]["fix"]


@pytest.mark.parametrize("first", [0, 300])
def test_reversed_in_time(judge, first):
    found = judge(each(lambda v: v[:LENGTH + first][::-1] / 32768))
    assert causes(found) == ["input.flip"] and "reversed in time" in told(found)


@pytest.mark.parametrize("late", [1600, 7, -800])
def test_late_and_early(judge, late):
    edge = each(lambda v: (np.pad(v, (late, 0)) if late > 0 else v[-late:]) / 32768)
    verdict = judge(edge)
    assert causes(verdict) == ["input.delay"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["late_samples"] == late and abs(evidence["late_ms"] - late / 16) < 1e-6


def test_another_shift_in_each_frame(judge):
    verdict = judge([fit(np.pad(v, (d, 0)) / 32768) for v, d in zip(VOICES, (100, 340, 37))])
    assert causes(verdict) == ["input.delay"]
    assert (verdict["findings"][0]["evidence"]["late_least_samples"], verdict["findings"][0]["evidence"]["late_most_samples"]) == (37, 340)


@pytest.mark.parametrize("size, of", [(160, 8), (256, 5)])
@pytest.mark.parametrize("kind", ["lost", "repeated", "zeroed"])
def test_buffers(judge, size, of, kind):
    def change(v):
        rows = (v / 32768)[:len(v) // size * size].reshape(-1, size)
        hit = np.arange(len(rows)) % of == of - 1
        return (rows[~hit] if kind == "lost" else np.repeat(rows, 1 + hit, 0) if kind == "repeated" else rows * ~hit[:, None]).ravel()

    verdict = judge(each(change))
    assert causes(verdict) == ["input.delay"]
    evidence = verdict["findings"][0]["evidence"]
    # A sample that is zero by chance may be the first or the last of the place.
    assert evidence["kind"] == kind and size - 4 <= evidence["samples"] <= size and abs(evidence["spacing_samples"] - size * of) < 20


def test_a_frame_that_is_not_filled(judge):
    verdict = judge([np.where(np.arange(LENGTH) < LENGTH - 900, x, 0) for x in UNIT])
    assert causes(verdict) == ["input.delay"] and "its last 900 samples are zero" in told(verdict)


def test_exchanged_buffers(judge):
    def change(v):
        rows = (v / 32768)[:len(v) // 400 * 400].reshape(-1, 400).copy()
        for i in range(3, len(rows) - 1, 6):
            rows[[i, i + 1]] = rows[[i + 1, i]]
        return rows.ravel()

    assert causes(judge(each(change))) == ["input.frame_order"]


@pytest.mark.parametrize("gain", [1, .5])
def test_frames_of_another_moment(judge, gain):
    verdict = judge([UNIT[0] * gain, UNIT[0] * gain, UNIT[1] * gain])
    assert causes(verdict)[0] == "input.frame_order" if gain == 1 else "input.frame_order" in causes(verdict)
    assert finding(verdict, "input.frame_order")["evidence"]["frames_ahead"] == -1


def test_some_frames_only(judge):
    verdict = judge([UNIT[0], fit(np.pad(UNIT[1], (50, 0))), UNIT[2]])
    found = finding(verdict, "input.delay")
    assert causes(verdict) == ["input.delay"] and "frame 1" in " ".join([found["summary"], *found["details"]])


def test_whose_side_is_wrong(judge):
    heard = [v[:LENGTH] for v in VOICES]
    assert judge(UNIT, [u * .5 for u in UNIT], heard=heard)["findings"][0]["evidence"]["wrong_side"] == "reference"
    assert judge([u * .5 for u in UNIT], heard=heard)["findings"][0]["evidence"]["wrong_side"] == "edge"
    assert "wrong_side" not in judge([u * .5 for u in UNIT])["findings"][0]["evidence"]


@pytest.mark.parametrize("said, wrong", [
    ({}, "reference"),  # most models of speech take 16 kHz
    ({"pipeline": "task: audio\naudio:\n  rate: 8000\n"}, "edge"),
    ({"pipeline": "# rate: 16000\naudio: {sample_rate: 16000, rate: 8000 linear} # rate: 16000"}, "edge"),
    ({"audio.rate": "8000"}, "edge"),
    ({"audio.rate": "16000"}, "reference"),
    ({"pipeline": "audio: {rate: 22050}"}, None),  # neither is of that rate
    ({"pipeline": "video: {rate: 8000}\n"}, "reference"),
    ({"pipeline": "audio: {rate: 8000x}\n"}, "reference"),
    ({"pipeline": "audio: {rate:"}, "reference"),
])
@pytest.mark.parametrize("side", ["edge", "reference"])
def test_the_rate_that_a_pipeline_names_tells_who_is_wrong(tmp_path, said, wrong, side):
    heard = [v[:LENGTH] for v in VOICES]
    logs = []
    for role, made in (("edge", UNIT), ("reference", each(lambda v: resampled(v, 8000) / 32768, heard))):
        logs.append(log(tmp_path / f"{role}.mcap", role, [x[:LENGTH // 2] for x in made], heard=heard, **(said if role == side else {})))
    found = validate(*logs)["findings"][0]
    assert found["cause"] == "input.sample_rate" and found["evidence"].get("wrong_side") == wrong, found
    if wrong == "edge":
        assert "The edge feeds sound of 16000 Hz as if it were of 8000 Hz; the reference's is resampled." == found["summary"]
        assert "as the log says that the model takes it" in " ".join(found["details"])


@pytest.mark.parametrize("rate", [11025, 44100])
def test_another_rate_of_short_windows(tmp_path, rate):
    """36 ms of a voice, which fall into rows as a table does; where such a window begins in the other rate's sound lies between
    two samples, in each frame at another place."""
    length, hop, frames = 576, 640, 16
    v = VOICES[1].astype(np.float64)
    raw = resampled(v, rate).round().clip(-32768, 32767).astype(np.int16)
    right = (v if rate >= RATE else resampled_back(v, rate)) / 32768
    window = max(length, int(length * rate / RATE))
    heard = [raw[i * hop:i * hop + window] for i in range(frames)]
    begin = [round(i * hop * RATE / rate) for i in range(frames)]
    pipeline = {"heard": heard, "rate": rate, "pipeline": "audio:\n  rate: 16000\n"}
    edge = log(tmp_path / "e", "edge", [h[:length] / 32768 for h in heard], **pipeline)
    verdict = validate(edge, log(tmp_path / "r", "reference", [right[b:b + length] for b in begin], **pipeline))
    assert causes(verdict) == ["input.sample_rate"]
    assert told(verdict) == f"The edge feeds sound of {rate} Hz as if it were of 16000 Hz; the reference's is resampled."


def a_third(x):
    """From 48 to 16 kHz by the Fourier transform."""
    return np.fft.irfft(np.fft.rfft(x)[:len(x) // 6 + 1], len(x) // 3) / 3


@pytest.mark.parametrize("side", ["edge", "reference", "both", "neither"])
def test_windows_that_one_side_resamples_by_themselves(judge, side):
    """It hears silence around each; the other hears the stream."""
    voices = np.fft.rfft(np.concatenate(VOICES))
    voices[len(voices) * 6 // 8:] = 0  # where filters end is another matter
    stream = np.fft.irfft(np.pad(voices, (0, 2 * len(voices))), 3 * sum(map(len, VOICES))) * 3
    size = LENGTH // 4 * 2
    heard = [stream[3 * (300 + k * size):][:3 * size].round().clip(-32768, 32767).astype(np.int16) for k in range(3)]
    whole = [a_third(stream)[300 + k * size:][:size] / 32768 for k in range(3)]
    alone = [a_third(np.pad(w / 32768, 6000))[2000:][:size] for w in heard]
    verdict = judge(alone if side in ("edge", "both") else whole, alone if side in ("reference", "both") else whole, heard=heard, rate=48000)
    if side in ("both", "neither"):
        assert not verdict["findings"]
        return
    found = verdict["findings"][0]
    assert causes(verdict) == ["input.sample_rate"] and found["severity"] == "warning" and verdict["verdict"] == "pass"
    assert found["evidence"]["kind"] == "window_ends" and found["evidence"]["alone_side"] == side and found["evidence"]["share_at_the_ends"] > .9


def test_periodic_sound_has_alternatives(judge):
    tone = (.3 * np.sin(2 * np.pi * 250 * np.arange(LENGTH + 64) / RATE)).astype(np.float32)
    verdict = judge([tone[16:][:LENGTH]] * 2, [tone[:LENGTH]] * 2)
    found = verdict["findings"][0]
    assert found["cause"] == "input.delay" and "periodic" in " ".join(found["details"])


@pytest.mark.parametrize("edge, reference", [
    (UNIT, UNIT),
    ([np.zeros(LENGTH)] * 2, [np.zeros(LENGTH)] * 2),
    ([u + np.random.default_rng(1).integers(-1, 2, LENGTH) / 32768 for u in UNIT], UNIT),
    ([np.round(u * 200) / 32768 + np.random.default_rng(1).integers(-1, 2, LENGTH) / 32768 for u in UNIT], [np.round(u * 200) / 32768 for u in UNIT]),
    ([v[:LENGTH] + np.random.default_rng(1).integers(-1, 2, LENGTH).astype(np.int16) for v in VOICES], [v[:LENGTH] for v in VOICES]),
    ([u / np.abs(u).max() for u in UNIT], [u / np.abs(u).max() for u in UNIT]),
], ids=["same", "silence", "dither", "quiet", "int16", "agc"])
def test_healthy(judge, edge, reference):
    verdict = judge(edge, reference)
    assert verdict["verdict"] == "pass" and not [f for f in verdict["findings"] if f["severity"] != "info"], told(verdict)


def test_noise_far_below_is_a_warning_and_near_an_error(judge):
    noise = [np.random.default_rng(i).normal(0, 1, LENGTH) * u.std() for i, u in enumerate(UNIT)]
    far, near = judge([u + n * 1e-2 for u, n in zip(UNIT, noise)]), judge([u + n * .1 for u, n in zip(UNIT, noise)])
    assert far["verdict"] == "pass" and {f["severity"] for f in far["findings"]} <= {"warning"}
    assert causes(near) == ["input.unknown"] and near["verdict"] == "fail"


def shifted(v, ppm):
    """A microphone whose clock runs faster: by a sinc under a window."""
    at = np.arange(LENGTH) * (1 + ppm * 1e-6)
    k = np.floor(at).astype(int)[:, None] + np.arange(-24, 25)
    kernel = np.sinc(at[:, None] - k) * np.kaiser(49, 9)
    return (v[np.clip(k, 0, len(v) - 1)] * kernel).sum(1) / 32768


@pytest.mark.parametrize("late", [.5, .3])
def test_a_part_of_a_sample(judge, late):
    """A shift that is the same all along is none of a clock's."""
    soft = [np.convolve(u, np.hanning(9) / 4, "same") for u in UNIT]

    def moved(u):
        turns = np.exp(-2j * np.pi * late * np.arange(LENGTH + 1) / (2 * LENGTH))
        return np.fft.irfft(np.fft.rfft(np.pad(u, (0, LENGTH))) * turns)[:LENGTH]

    verdict = judge([moved(u) for u in soft], soft)
    assert causes(verdict) == ["input.delay"] and abs(verdict["findings"][0]["evidence"]["late_samples"] - late) < .08


@pytest.mark.parametrize("ppm", [300, -1500, 9000])
def test_clocks_that_differ(judge, ppm):
    verdict = judge([shifted(v, ppm) for v in VOICES])
    assert causes(verdict) == ["input.sample_rate"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "clock" and abs(evidence["ppm"] - ppm) < 30


def test_pre_emphasis(judge):
    verdict = judge([x - np.float32(.97) * np.concatenate([[0], x[:-1]]) for x in UNIT])
    assert causes(verdict) == ["input.gain"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "filter" and abs(evidence["pre_emphasis"] - .97) < .01 and evidence["filtered_side"] == "edge"


@pytest.mark.parametrize("block", [160, LENGTH // 2])
def test_planes_of_two_channels(judge, block):
    two = [np.stack([v, np.roll(v, 5) * .8], 1)[:LENGTH] / 32768 for v in VOICES]
    planes = [t.reshape(-1, block, 2).transpose(0, 2, 1).reshape(-1)[:LENGTH] for t in two]
    verdict = judge(planes, [t.mean(1) for t in two])
    assert causes(verdict) == ["input.layout"] and verdict["findings"][0]["evidence"]["block_samples"] == block


def test_other_sound_in_16_bits_is_no_text(judge):
    edge, reference = [voice(50 + i)[:LENGTH] for i in range(3)], [v[:LENGTH] for v in VOICES]
    assert causes(judge(edge, reference)) == ["input.unknown"]
    assert causes(judge(edge, reference, heard=VOICES)) == ["input.unknown"]


def test_frames_that_one_side_mutes(judge):
    muted = [x * (i not in (1, 2)) for i, x in enumerate(UNIT)]
    verdict = judge(muted)
    found = finding(verdict, "input.gain")
    assert causes(verdict) == ["input.gain"] and found["evidence"]["kind"] == "silent"
    assert found["evidence"]["frames_silent"] == sum(i in (1, 2) for i in range(len(UNIT)))
    half = judge([x / 2 for x in muted])
    assert causes(half) == ["input.gain"] * 2 and {f["evidence"].get("kind") for f in half["findings"]} >= {"silent"}


def test_one_frame_late_and_all_louder(judge):
    late = lambda x: np.concatenate([np.zeros(160, np.float32), x])[:len(x)]
    verdict = judge([2 * (late(x) if i == len(UNIT) - 1 else x) for i, x in enumerate(UNIT)])
    assert causes(verdict) == ["input.delay", "input.gain"] and abs(finding(verdict, "input.gain")["evidence"]["gain"] - 2) < .01
