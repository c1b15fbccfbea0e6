"""Features of sound given to a model, tables of rows in time: which rows, bins, hop, logarithm and bytes they are of."""

import numpy as np
import pytest
from sound_support import VOICES, voice, wav
from validate_support import PB, Recording, causes, finding, validate

ROWS, BINS = 40, 24


def bank(scale, size=512, low=125, high=7500):
    """Triangles that are straight in Hz, [bins, size / 2 + 1]."""
    if scale == "htk":
        to, back = (lambda f: 2595 * np.log10(1 + f / 700)), (lambda m: 700 * (10 ** (m / 2595) - 1))
    else:
        to = back = lambda f: f
    edges = back(np.linspace(to(low), to(high), BINS + 2))
    f = np.arange(size // 2 + 1) * 16000 / size
    a, b, c = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b)))


def table(v, hop=320, first=0, scale="htk", log=np.log, power=2, window=np.hanning, level=32768, rows=ROWS, floor=1e-6, high=7500):
    x = np.pad(v.astype(float) / level, (4096, 32768))[4096 + first:]
    cut = np.lib.stride_tricks.sliding_window_view(x, 480)[::hop][:rows] * window(480)
    return (log(np.abs(np.fft.rfft(cut, 512)) ** power @ bank(scale, high=high).T + floor)).astype(np.float32)


TABLES = [table(v) for v in [*VOICES, voice(9)]]
FOUR = [*VOICES, voice(9)]


def log(path, role, tables, shape, heard, quantized):
    sounds, rate = heard if isinstance(heard, tuple) else (FOUR, 16000)
    with Recording(path, role) as r:
        for i, t in enumerate(tables):
            sound = [("/sensor/mic", np.frombuffer(wav(sounds[i], rate), np.uint8), {"media": PB["Media"](format="wav")})] if heard else []
            t = np.ascontiguousarray(shape(np.asarray(t)))
            r.frame([*sound, ("/input/features", t, {"scale": [.15], "zero_point": [-30]} if quantized else {}),
                     ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(i))
    return path


def flat(t):
    return t.reshape(1, -1)


def grid(t):
    return t[None, :, :, None]


def upright(t):
    return t.T[None]


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference=TABLES, shape=flat, heard=False, quantized=False):
        return validate(log(tmp_path / "e.mcap", "edge", edge, shape, heard, quantized),
                        log(tmp_path / "r.mcap", "reference", reference, shape, heard, quantized))

    return run


SHAPES = pytest.mark.parametrize("shape, heard", [(flat, False), (grid, True), (upright, True)], ids=["flat", "grid", "upright"])


@SHAPES
@pytest.mark.parametrize("late", [1, 3, -2])
def test_late_rows(judge, shape, heard, late):
    verdict = judge([table(v, first=-320 * late) for v in FOUR], shape=shape, heard=heard)
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"]["late_rows"] == late


def test_a_part_of_a_row_late(judge):
    verdict = judge([table(v, first=-240) for v in FOUR])
    assert causes(verdict) == ["input.delay"] and abs(verdict["findings"][0]["evidence"]["late_rows"] - .75) < .2


@SHAPES
@pytest.mark.parametrize("hop, ratio", [(160, 2), (640, .5), (480, 2 / 3)])
def test_another_hop(judge, shape, heard, hop, ratio):
    verdict = judge([table(v, hop=hop) for v in FOUR], shape=shape, heard=heard)
    found = finding(verdict, "input.features")
    assert causes(verdict) == ["input.features"] and found["evidence"]["kind"] == "hop"
    assert abs(found["evidence"]["ratio"] - ratio) < 1e-6 and "hop" in found["fix"]


@pytest.mark.parametrize("change, cause", [
    (lambda t: t[:, ::-1], "input.flip"),
    (lambda t: t[::-1], "input.flip"),
    (lambda t: np.ascontiguousarray(t.T).reshape(t.shape), "input.layout"),
])
def test_turned_tables(judge, change, cause):
    assert causes(judge([change(t) for t in TABLES])) == [cause]


@pytest.mark.parametrize("up", [1, -2])
def test_bins_moved_as_a_whole(judge, up):
    """An energy, or a bin of 0 Hz, that one side has before the others."""
    odd = [np.random.default_rng(i).normal(-5, 1, (ROWS, abs(up))).astype(np.float32) for i in range(4)]
    moved = [np.concatenate([o, t[:, :-up]] if up > 0 else [t[:, -up:], o], 1) for o, t in zip(odd, TABLES)]
    found = judge(moved)
    assert causes(found) == ["input.features"] and found["findings"][0]["evidence"]["bins_up"] == up


@pytest.mark.parametrize("rows, verdict", [((0, ROWS - 1), "fail"), (range(ROWS), "pass")])
def test_noise_is_in_all_rows(judge, rows, verdict):
    """As much as noise over all: in two rows beside equal ones it is none."""
    rng, edge = np.random.default_rng(8), [t.copy() for t in TABLES]
    size = .012 * np.std(TABLES[0]) * np.sqrt(ROWS / len(rows))
    for t in edge:
        for row in rows:
            t[row] += rng.normal(0, size, BINS)
    found = judge(edge, shape=grid, heard=True)
    assert found["verdict"] == verdict and {f["cause"] for f in found["findings"]} <= {"input.features", "input.unknown"}
    assert [f["cause"] for f in found["findings"] if f["severity"] == "error"] == (["input.features"] if verdict == "fail" else [])


def test_a_ring_that_is_not_turned(judge):
    found = judge([np.roll(t, -k, 0) for k, t in zip((3, 11, 19, 27), TABLES)], shape=grid)
    assert causes(found) == ["input.frame_order"] and found["findings"][0]["evidence"]["kind"] == "ring"
    assert (found["findings"][0]["evidence"]["turned_least"], found["findings"][0]["evidence"]["turned_most"]) == (3, 27)


@pytest.mark.parametrize("option, kind", [
    ({"log": np.log10}, "logarithm"), ({"log": lambda v: 10 * np.log10(v)}, "logarithm"), ({"scale": "linear"}, "bins"), ({"window": np.ones}, "bins"),
])
@pytest.mark.parametrize("heard", [False, True])
def test_computed_otherwise(judge, option, kind, heard):
    verdict = judge([table(v, **option) for v in FOUR], heard=heard)
    assert causes(verdict) == ["input.features"]
    evidence = verdict["findings"][0]["evidence"]
    if heard and "window" in option:  # computed again from the sound in the log, with exactly what differs
        assert evidence["kind"] == "options" and evidence["differences"].startswith("window: rectangular for hann")
        assert "hop_length: 320, win_length: 480, n_fft: 512" in evidence["reference_options"]
    else:
        assert evidence["kind"] == kind


@pytest.mark.parametrize("option, difference", [
    ({"power": 1, "floor": 1e-3}, "power: 1 for 2"), ({"hop": 256}, "hop_length: 256 for 320"), ({"high": 4000}, "fmax: 4000 for 7500"),
])
def test_options_by_the_sound_in_the_log(judge, option, difference):
    verdict = judge([table(v, **option) for v in FOUR], heard=True)
    assert causes(verdict) == ["input.features"]
    evidence = verdict["findings"][0]["evidence"]
    assert difference in evidence["differences"] if evidence["kind"] == "options" else evidence["kind"] in ("hop", "power")


def test_sound_that_was_not_resampled(judge):
    """The front end takes the record of 44,100 Hz for one of 16,000."""
    raw = [voice(i, 40000) for i in range(4)]
    slow = [np.interp(np.arange(int(len(v) * 16000 / 44100)) * 44100 / 16000, np.arange(len(v)), smooth(v)) for v in raw]
    verdict = judge([table(v) for v in raw], [table(v) for v in slow], heard=(raw, 44100))
    assert causes(verdict) == ["input.sample_rate"] and "44100" in verdict["findings"][0]["summary"]


def test_narrow_sound_that_was_not_resampled(judge):
    """Of 8,000 Hz: half of the bins are empty, so a flat input shows no rows; it is made again from the sound."""
    raw = [voice(i, 8000) for i in range(4)]
    wide = [doubled(v) for v in raw]
    verdict = judge([table(v, rows=40) for v in raw], [table(v, rows=40) for v in wide], heard=(raw, 8000))
    assert causes(verdict) == ["input.sample_rate"] and "8000" in verdict["findings"][0]["summary"]


def test_a_narrow_band_is_told_as_of_sound(judge):
    """The edge's sound went through 8,000 Hz: the end of its band, and that rate, are two numbers."""
    def narrow(v):
        passed = np.clip((4000 - np.fft.rfftfreq(len(v), 1 / 16000)) / 345, 0, 1)
        return np.fft.irfft(np.fft.rfft(v.astype(float)) * np.sin(passed * np.pi / 2) ** 2, len(v))

    evidence = judge([table(narrow(v)) for v in FOUR], heard=True)["findings"][0]["evidence"]
    assert (evidence["cutoff_hz"], evidence["rate_before"]) == (4000, 8000)


def doubled(v):
    """At twice the rate, to the end of its band."""
    spectrum = np.fft.rfft(np.pad(v.astype(float), (0, 2000)))
    return 2 * np.fft.irfft(np.pad(spectrum, (0, len(spectrum) - 1)))[:2 * len(v)]


def smooth(v):
    """What lies above 7 kHz at 44,100 Hz is taken out."""
    spectrum = np.fft.rfft(v.astype(float))
    spectrum[np.fft.rfftfreq(len(v), 1 / 44100) > 7000] = 0
    return np.fft.irfft(spectrum, len(v))


def test_the_level_before_the_logarithm(judge):
    # The samples' factor of 32768 is an offset in the logarithm of powers, far above the floor.
    loud = [table(v, level=1) for v in FOUR]
    verdict = judge([t - 2 * np.log(32768) for t in loud], loud)
    assert causes(verdict) == ["input.gain"] and verdict["findings"][0]["evidence"]["kind"] == "level"


def test_stored_bytes(judge):
    right = [np.clip(np.round(t / .15) - 30, -128, 127).astype(np.int8) for t in TABLES]
    wrapped = [(q.view(np.uint8) ^ 0x80).view(np.int8) for q in right]
    unmoved = [np.clip(np.round(t / .15), -128, 127).astype(np.int8) for t in TABLES]
    assert causes(judge(wrapped, right, quantized=True)) == ["input.dtype"]
    assert causes(judge(unmoved, right, quantized=True))[0] in ("input.quantization", "input.normalization")
    steps = [np.clip(q.astype(int) + np.random.default_rng(3).integers(-1, 2, q.shape), -128, 127).astype(np.int8) for q in right]
    assert judge(steps, right, quantized=True)["verdict"] == "pass"


def stored(values):
    return np.clip(np.round(np.asarray(values) / .15) - 30, -128, 127).astype(np.int8)


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("bits", [32, 8])
def test_log2_for_ln(judge, heard, bits):
    """Also where 8 bits clip what is far below 0: then no line is near all cells."""
    store = stored if bits == 8 else np.asarray
    verdict = judge([store(table(v, log=np.log2)) for v in FOUR], [store(t) for t in TABLES], heard=heard, quantized=bits == 8)
    found = finding(verdict, "input.features")
    assert causes(verdict) == ["input.features"] and found["evidence"]["kind"] == "logarithm" and "log2" in found["summary"]
    assert abs(found["evidence"]["gain"] - 1.4427) < .006


@pytest.mark.parametrize("gain, offset, words", [(2, 0, "2 times the reference's, clipped"), (.7, 0, "0.7 times the reference's."), (1, 1.5, "the reference's + 1.5")])
def test_a_scale_and_an_offset_are_told_in_numbers(judge, gain, offset, words):
    middle = [t + 5 for t in TABLES]
    verdict = judge([stored(gain * t + offset) for t in middle], [stored(t) for t in middle], quantized=True)
    found = finding(verdict, "input.normalization")
    assert causes(verdict) == ["input.normalization"] and words in found["summary"]
    assert abs(found["evidence"]["gain"] / gain - 1) < .01 and ("divide" in found["fix"] or offset)


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("row, cause", [(19, "input.delay"), (None, "input.unknown")])
def test_one_row(judge, row, cause, heard):
    """Noise chooses no row."""
    def other(t):
        t = t.copy()
        t[20] = t[row] if row else t[20] + np.linspace(0, 4, BINS)
        return t

    verdict = judge([other(t) for t in TABLES], heard=heard)
    assert causes(verdict) == [cause] and verdict["verdict"] == "fail"
    assert finding(verdict, cause)["evidence"]["row"] == 20


@pytest.mark.parametrize("move, cause", [(lambda t: np.roll(t, 2, 0), "input.delay"), (lambda t: t[:, ::-1], "input.flip")])
def test_what_is_moved_may_have_another_scale(judge, move, cause):
    verdict = judge([move(t) * np.float32(.5) for t in TABLES])
    assert causes(verdict) == sorted([cause, "input.normalization"])
    assert "0.5 times the reference's" in finding(verdict, "input.normalization")["summary"]


def test_time_is_what_goes_on_from_frame_to_frame(judge):
    """Without a sound in the log: the rows of one frame are rows of the next."""
    whole = table(voice(5, 40000), rows=ROWS + 60)
    frames = [whole[8 + 6 * i:8 + 6 * i + ROWS] for i in range(6)]
    verdict = judge([whole[7 + 6 * i:7 + 6 * i + ROWS] for i in range(6)], frames, shape=grid)
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"]["late_rows"] == 1


@SHAPES
def test_healthy(judge, shape, heard):
    noise = [t + np.random.default_rng(i).normal(0, .01, t.shape).astype(np.float32) for i, t in enumerate(TABLES)]
    assert judge(TABLES, shape=shape, heard=heard)["findings"] == []
    assert judge(noise, shape=shape, heard=heard)["verdict"] == "pass"


@pytest.mark.parametrize("by", [1, -2])
def test_frames_of_another_moment(judge, by):
    """A few rows a frame, as streaming models take them."""
    whole = table(voice(7, 60000), rows=60)
    chunks = [whole[3 * i:3 * i + 3] for i in range(18)]
    edge = [chunks[min(max(i + by, 0), len(chunks) - 1)] for i in range(len(chunks))]
    verdict = judge(edge, chunks, shape=lambda t: t[None])
    assert causes(verdict) == ["input.frame_order"] and verdict["findings"][0]["evidence"]["frames_ahead"] == by


@pytest.mark.parametrize("one_way", [True, False])
def test_integers_that_are_rounded_otherwise(judge, one_way):
    """One step more in half of the values is another rounding; as many to both sides, or few, are noise."""
    rng, right = np.random.default_rng(6), stored(TABLES)
    steps = [(rng.random(v.shape) < 0.5) * (1 if one_way else rng.choice([-1, 1], v.shape)) for v in right]
    made = [np.clip(v.astype(int) + s, -128, 127).astype(np.int8) for v, s in zip(right, steps)]
    outcome = judge(made, right, quantized=True)
    assert causes(outcome) == (["input.quantization"] if one_way else [])
    if one_way:
        assert finding(outcome, "input.quantization")["severity"] == "warning" and "one step more" in finding(outcome, "input.quantization")["summary"]
        few = [np.where(rng.random(v.shape) < 0.05, m, v) for v, m in zip(right, made)]
        assert causes(judge(few, right, quantized=True)) == []


@pytest.mark.parametrize("heard", [False, True], ids=["no sound", "sound"])
def test_rows_at_the_places_of_others(judge, heard):
    """Two of a table's rows, in windows that overlap as well: of those a state was blamed."""
    exchanged = lambda t: t[[*range(20), 30, *range(21, 30), 20, *range(31, ROWS)]]
    found = finding(judge([exchanged(t) for t in TABLES], shape=lambda t: t[None], heard=heard), "input.frame_order")
    assert found["evidence"]["kind"] == "rows_exchanged" and found["evidence"]["rows_moved"] == 2 and "row 20 has row 30" in found["summary"]
    silent = [t.copy() for t in TABLES]
    silent[0][5] = silent[0][30]  # in one frame two rows are equal: the others tell which it is
    found = finding(judge([exchanged(t) for t in silent], silent, shape=lambda t: t[None], heard=heard), "input.frame_order")
    assert found["evidence"]["rows_moved"] == 2 and "row 20 has row 30" in found["summary"]
    stream = table(voice(7, 60000), rows=100)
    windows = [stream[8 * i:8 * i + ROWS] for i in range(6)]
    verdict = judge([exchanged(t) for t in windows], windows, shape=lambda t: t[None])
    assert causes(verdict) == ["input.frame_order"]
