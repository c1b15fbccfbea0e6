"""Features of a stream, a few rows a frame (wake words): what happened to the sound before the integer front end, told by computing them
again from the sound in the log. The rows are those of PyPI's pymicro-features."""

import numpy as np
import pytest
from sound_support import resampled, voice, wav
from validate_support import PB, Recording, causes, validate

features = pytest.importorskip("pymicro_features")
LENGTH, WINDOW, HOP = 24000, 800, 480
SOUNDS = [voice(20, LENGTH + 1600), voice(21, LENGTH + 1600)]


def stored(samples):
    """int8 [frames, 3, 40] of a recording, as microWakeWord has them."""
    front_end, data = features.MicroFrontend(), np.ascontiguousarray(samples[:LENGTH], "<i2").tobytes()
    rows = [front_end.process_samples(data[at:at + 320]).features for at in range(0, len(data) - 319, 320)]
    raw = np.round(np.array([r for r in rows if r], np.float64) * 25.6).astype(int)
    made = np.clip((raw * 256 + 333) // 666 - 128, -128, 127).astype(np.int8)
    return made[:len(made) // 3 * 3].reshape(-1, 3, 40)


RIGHT = [stored(s) for s in SOUNDS]


def log(path, role, made, shape, heard):
    with Recording(path, role) as r:
        for number, (frames, sound) in enumerate(zip(made, SOUNDS)):
            for k, t in enumerate(frames):
                part = np.frombuffer(wav(sound[HOP * k:HOP * k + WINDOW]), np.uint8)
                sensor = [("/sensor/mic", part, {"media": PB["Media"](format="wav")})] if heard else []
                r.frame([*sensor, ("/input/features", np.ascontiguousarray(shape(t))[None], {"scale": [.10196], "zero_point": [-128]}),
                         ("/output/y", np.array([[.2, .8]], np.float32), {})], source=f"{number}.wav@{HOP * k}")
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, shape=lambda t: t, heard=True):
        return validate(log(tmp_path / "e.mcap", "edge", edge, shape, heard), log(tmp_path / "r.mcap", "reference", RIGHT, shape, heard))

    return run


@pytest.mark.parametrize("change, cause, words", [
    (lambda s: s.byteswap(), "input.dtype", "byte order"),
    (lambda s: s // 10, "input.gain", "0.1 times"),
    (lambda s: (s.astype(int) * 8).clip(-32768, 32767).astype(np.int16), "input.gain", "8 times"),
    (lambda s: s[800:], "input.delay", "early by 800 samples"),
    (lambda s: np.concatenate([np.zeros(80, np.int16), s]), "input.delay", "late by 80 samples"),
    (lambda s: np.round(s - .97 * np.concatenate([[0], s[:-1]])).astype(np.int16), "input.gain", "pre-emphasis"),
])
def test_what_happened_before_the_front_end(judge, change, cause, words):
    verdict = judge([stored(change(s)) for s in SOUNDS])
    assert causes(verdict) == [cause] and words in verdict["findings"][0]["summary"]


@pytest.mark.parametrize("shape", [lambda t: t, lambda t: t.T], ids=["rows", "bins"])
@pytest.mark.parametrize("change, cause", [
    (lambda a: a[:, :, ::-1], "input.flip"),
    (lambda a: (a.view(np.uint8) ^ 0x80).view(np.int8), "input.dtype"),
    (lambda a: np.roll(a.reshape(-1, 40), 4, 0).reshape(a.shape), "input.delay"),
    (lambda a: np.concatenate([a[:1], a[:-1]]), "input.frame_order"),
])
def test_rows_of_frames_that_follow_each_other_are_one_table(judge, change, cause, shape):
    verdict = judge([change(a) for a in RIGHT], shape, heard=False)
    assert causes(verdict) == [cause]


def test_equal_streams_are_fine(judge):
    assert causes(judge(RIGHT)) == []


@pytest.mark.parametrize("change", [
    lambda s: s + np.random.default_rng(0).integers(-1, 2, len(s)).astype(np.int16),
    lambda s: np.round(s + np.random.default_rng(1).normal(0, 2e-3 * s.std(), len(s))).astype(np.int16),
], ids=["dither", "noise"])
def test_noise_of_the_sound_is_no_fault(judge, change):
    assert judge([stored(change(s)) for s in SOUNDS])["verdict"] == "pass"


def test_more_noise_than_that_is_told(judge):
    rng = np.random.default_rng(2)
    assert judge([stored(np.round(s + rng.normal(0, .1 * s.std(), len(s))).astype(np.int16)) for s in SOUNDS])["verdict"] == "fail"


def samples_log(path, role, sounds):
    """Windows of 576 samples, as Silero hears them."""
    with Recording(path, role) as r:
        for number, v in enumerate(sounds):
            for k in range(24):
                x = (v[512 * k:512 * k + 576] / 32768).astype(np.float32)[None]
                r.frame([("/input/input", x, {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=f"{number}.wav@{512 * k}")
    return path


@pytest.mark.parametrize("change, evidence", [
    (lambda v: v[1600:], ("late_samples", -1600)),
    (lambda v: np.delete(v, np.arange(len(v) // 1280 * 1280).reshape(-1, 1280)[:, -160:].ravel()), ("kind", "lost")),
])
def test_what_is_longer_than_a_frame_of_samples(tmp_path, change, evidence):
    verdict = validate(samples_log(tmp_path / "e", "edge", [change(s) for s in SOUNDS]), samples_log(tmp_path / "r", "reference", SOUNDS))
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"][evidence[0]] == evidence[1]


def windows_log(path, role, sound, count, hop, at, recorded=None):
    """Windows of samples `hop` apart, whose sources say where in a recording of another rate, perhaps, they begin."""
    with Recording(path, role) as r:
        for k in range(24):
            x = (sound[hop * k:hop * k + count] / 32768).astype(np.float32)[None]
            part = [] if recorded is None else [("/sensor/mic", np.frombuffer(wav(sound[:recorded], 44100), np.uint8), {"media": PB["Media"](format="wav")})]
            r.frame([*part, ("/input/input", x, {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=f"a.wav@{at * k}")
    return path


@pytest.mark.parametrize("count, hop, at, recorded, joined", [
    (576, 512, 512, None, True), (1600, 160, 441, None, False),  # 10 ms apart, of 44.1 kHz
    (512, 512, 512, 512, True), (512, 186, 512, 1411, False),  # windows that only touch are those of the record's own rate
])
def test_a_hop_in_samples_of_another_rate_joins_nothing(tmp_path, count, hop, at, recorded, joined):
    sound = SOUNDS[0]
    logs = [windows_log(tmp_path / role, role, s, count, hop, at, recorded) for role, s in (("edge", sound[1600:]), ("reference", sound))]
    verdict = validate(*logs)
    assert causes(verdict) == (["input.delay"] if joined else ["input.unknown"])  # pieces put together wrongly showed another order


def test_all_frames_of_a_joined_run_are_marked(tmp_path):
    """One recording is as it should be, the other early: all of its frames are named."""
    edge, reference = tmp_path / "e", tmp_path / "r"
    verdict = validate(samples_log(edge, "edge", [SOUNDS[0], SOUNDS[1][1600:]]), samples_log(reference, "reference", SOUNDS))
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"]["frame_list"] == "frames 24 to 47"


def test_samples_of_the_record_are_no_table_of_features(tmp_path):
    """A hum with a tone that repeats itself every 16 samples looks like rows of 16, and linear interpolation, which damps what is high, like a factor."""
    paths = [tmp_path / "edge", tmp_path / "reference"]
    t = np.arange(LENGTH) / 16000
    sound = 2000 * np.sin(2 * np.pi * 1000 * t) + 1500 * np.sin(2 * np.pi * 50 * t + 1)
    raw = resampled(sound, 44100).round().clip(-32768, 32767).astype(np.int16)
    linear = np.interp(np.arange(LENGTH) * 44100 / 16000, np.arange(len(raw)), raw)
    for path, samples in zip(paths, (linear, sound)):
        with Recording(path, path.name) as r:
            for k in range(24):
                begin, end = (round(n * 44.1 / 16) for n in (512 * k, 512 * k + 576))
                r.frame([("/sensor/mic", np.frombuffer(wav(raw[begin:end], 44100), np.uint8), {"media": PB["Media"](format="wav")}),
                         ("/input/input", (samples[512 * k:512 * k + 576] / 32768).astype(np.float32)[None], {}),
                         ("/output/y", np.array([[.2, .8]], np.float32), {})], source=f"a.wav@{begin}")
    found = validate(*paths)["findings"]
    assert found and all("features" not in f["summary"] and f["cause"] != "input.normalization" for f in found)
