"""Tables of floats that a model's graph takes row by row ([1, rows, bins], no sound in the log): features, and no gray pictures."""

import json

import numpy as np
import pytest
from sound_support import VOICES, voice, wav
from test_sound_features import table
from validate_support import PB, Recording, causes, finding, validate

ROWS, BINS = 36, 24
TABLES = [np.concatenate([table(v, rows=ROWS), np.zeros((0, BINS), np.float32)]) for v in [*VOICES, voice(9)]]


def log(path, role, tables, op="Conv", columns=False):
    """A convolution over time ([out, in, 3]), or one over a gray picture ([out, 1, 3, 3])."""
    rows, bins = tables[0].shape
    shape = [1, bins, rows] if columns else [1, rows, bins]
    filters = [8, bins, 3] if op == "Conv" else [8, 1, 3, 3]
    with Recording(path, role) as r:
        r.model([("features", "float32", shape, [], [], 0), ("columns", "float32", [1, bins, rows], [], [], 0), ("w", "float32", filters, [], [], 0),
                 ("y", "float32", [1, 8], [], [], 0)],
                [("Transpose", [0], [1]), ("Conv", [1, 2], [3])], [0], [3])
        for i, t in enumerate(tables):
            t = np.ascontiguousarray((t.T if columns else t)[None], np.float32)
            r.frame([("/input/features", t, {}), ("/output/y", np.ones((1, 8), np.float32) * t.mean(), {})], source=str(i))
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference=TABLES, **options):
        return validate(log(tmp_path / "e.mcap", "edge", [np.asarray(t, np.float32) for t in edge], **options),
                        log(tmp_path / "r.mcap", "reference", [np.asarray(t, np.float32) for t in reference], **options))

    return run


def cepstra(t, count=13):
    k, n = np.arange(count)[:, None], np.arange(t.shape[1])
    return (t @ np.cos(np.pi * k * (n + .5) / t.shape[1]).T * np.sqrt(2 / t.shape[1])).astype(np.float32)


def deltas(t):
    p = np.pad(t, ((1, 1), (0, 0)), mode="edge")
    return (p[2:] - p[:-2]) / 2


def per_bin(t):
    return (t - t.mean(0)) / (t.std(0) + 1e-5)


@pytest.mark.parametrize("columns", [False, True])
def test_another_hop_is_no_crop(judge, columns):
    verdict = judge([table(v, hop=256, rows=ROWS) for v in [*VOICES, voice(9)]], columns=columns)
    assert causes(verdict) == ["input.features"] and finding(verdict, "input.features")["evidence"]["ratio"] == 1.25


@pytest.mark.parametrize("late", [250, -199])
def test_late_by_hundreds_of_rows(judge, late):
    whole = table(np.concatenate([voice(20 + i, 64000) for i in range(4)]), rows=790)
    at = max(0, late)
    edge, reference = whole[at - late:at - late + 500], whole[at:at + 500]
    verdict = judge([edge, edge * 2 + 1], [reference, reference * 2 + 1])
    assert causes(verdict) == ["input.delay"] and abs(verdict["findings"][0]["evidence"]["late_rows"]) == abs(late)


def test_another_band_is_no_crop(judge):
    assert causes(judge([table(v, high=6200, rows=ROWS) for v in [*VOICES, voice(9)]])) == ["input.features"]


def test_constants_of_each_bin(judge):
    mean, deviation = np.concatenate(TABLES).mean(0) + .3, np.concatenate(TABLES).std(0) * np.linspace(.6, 1.5, BINS)
    verdict = judge(TABLES, [(t - mean) / deviation for t in TABLES])
    assert causes(verdict) == ["input.normalization"] and verdict["findings"][0]["evidence"]["kind"] == "own_bins"


def test_a_lifter(judge):
    lifter = 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    verdict = judge([cepstra(t) * lifter for t in TABLES], [cepstra(t) for t in TABLES])
    assert causes(verdict) == ["input.normalization"]
    evidence = verdict["findings"][0]["evidence"]
    assert evidence["kind"] == "own_bins" and evidence["gain_most"] == pytest.approx(lifter.max(), rel=1e-3)


def test_each_frame_by_itself(judge):
    verdict = judge([t - t.max() for t in TABLES])
    assert causes(verdict) == ["input.normalization"] and verdict["findings"][0]["evidence"]["kind"] == "own_frames"
    assert "one greatest value" in str(verdict["findings"][0])


def test_each_bin_of_each_frame_by_itself(judge):
    verdict = judge([(t - t.mean()) / t.std() for t in TABLES], [per_bin(t) for t in TABLES])
    assert causes(verdict) == ["input.normalization"] and verdict["findings"][0]["evidence"]["kind"] == "own_bins_in_frames"
    assert "The reference's values have the mean 0 and the deviation 1" in str(verdict["findings"][0])


def test_parts_of_a_row_in_another_order(judge):
    made = [cepstra(t) for t in TABLES]
    verdict = judge([np.concatenate([deltas(t), t], 1) for t in made], [np.concatenate([t, deltas(t)], 1) for t in made])
    assert causes(verdict) == ["input.layout"] and verdict["findings"][0]["evidence"]["kind"] == "bins_exchanged"
    assert "bins 0 to 12 are the reference's 13 to 25" in verdict["findings"][0]["summary"]


def test_deltas_that_are_zero(judge):
    """Small beside the cepstra, so that no picture would differ by more than a level."""
    made = [10 * cepstra(t) for t in TABLES]
    verdict = judge([np.concatenate([t, 0 * t], 1) for t in made], [np.concatenate([t, .1 * deltas(t)], 1) for t in made])
    assert causes(verdict) == ["input.features"] and verdict["findings"][0]["evidence"]["kind"] == "bins_missing"


def test_one_bin_that_is_computed_otherwise(judge):
    made = [cepstra(t) for t in TABLES]
    energy = [np.concatenate([np.log(np.exp(t).sum(1, keepdims=True)), m[:, 1:]], 1) for t, m in zip(TABLES, made)]
    verdict = judge(energy, made)
    assert causes(verdict) == ["input.features"] and verdict["findings"][0]["summary"].startswith("Bins 0 of 13")


def stacked(t):
    return t[:ROWS // 3 * 3].reshape(-1, 3 * BINS)


def test_stacks(judge):
    verdict = judge([stacked(np.concatenate([t[:1], t])[:ROWS]) for t in TABLES], [stacked(t) for t in TABLES])
    assert causes(verdict) == ["input.delay"] and verdict["findings"][0]["evidence"]["late_values"] == BINS
    verdict = judge([t.reshape(-1, 3, BINS)[:, ::-1].reshape(-1, 3 * BINS) for t in map(stacked, TABLES)], [stacked(t) for t in TABLES])
    assert causes(verdict) == ["input.layout"]


def test_healthy_twins(judge):
    assert judge(TABLES)["verdict"] == "pass"
    rng = np.random.default_rng(0)
    verdict = judge([t + rng.normal(0, 2e-3, t.shape) for t in TABLES])
    assert verdict["verdict"] == "pass"
    assert judge([t - t.max() + 1e-6 for t in TABLES], [t - t.max() for t in TABLES])["verdict"] == "pass"


def test_rows_that_see_other_samples(judge):
    rng = np.random.default_rng(5)
    ends, chunks, some = ([t.copy() for t in TABLES] for _ in range(3))
    for e, c, o in zip(ends, chunks, some):
        e[[0, 1, -1]] += rng.normal(0, 2, (3, BINS)).astype(np.float32)
        c[6::10] += rng.normal(-2, 1, (3, BINS)).astype(np.float32)
        o[[9, 20, 21]] += rng.normal(0, 2, (3, BINS)).astype(np.float32)
    for edge, cause, kind, words in ((ends, "input.features", "ends", "Rows 0 to 1, 35 of 36"), (chunks, "input.features", "chunks", "Rows 6, 16, 26 of 36"),
                                     (some, "input.unknown", "rows", "Rows 9, 20 to 21 of 36")):
        verdict = judge(edge)
        assert causes(verdict) == [cause]
        assert verdict["findings"][0]["evidence"]["kind"] == kind and verdict["findings"][0]["summary"].startswith(words)


def level_of(t):
    return (10 * np.log10(np.exp(t.astype(float)))).astype(np.float32)


@pytest.mark.parametrize("edge, reference, cause", [
    ([table(v, hop=256, rows=ROWS) for v in [*VOICES, voice(9)]], TABLES, "input.features"), ([table(v, high=6200, rows=ROWS) for v in [*VOICES, voice(9)]], TABLES, "input.features"),
    ([np.concatenate([t[:1], t[:-1]]) for t in TABLES], TABLES, "input.delay"), ([t - t.mean(0) for t in TABLES], TABLES, "input.normalization"),
    ([level_of(t) + 1 for t in TABLES], [level_of(t) for t in TABLES], "input.normalization"),
    ([level_of(table(v, window=np.hamming, rows=ROWS)) for v in [*VOICES, voice(9)]], [level_of(t) for t in TABLES], "input.features"),
])
def test_spectra_in_networks_of_pictures(judge, edge, reference, cause):
    """[1, rows, bins] taken as one channel: by what they look like."""
    assert causes(judge(edge, reference, op="Conv2D")) == [cause]


@pytest.mark.parametrize("made", [lambda t: t, level_of])
def test_spectra_in_networks_of_pictures_within_noise(judge, made):
    rng = np.random.default_rng(1)
    assert judge([made(t) + rng.normal(0, 3e-3, t.shape) for t in TABLES], [made(t) for t in TABLES], op="Conv2D")["verdict"] == "pass"


@pytest.mark.data
def test_gray_pictures_are_none(judge):
    """The same shape, taken as one channel: a crop stays a crop."""
    from validate_support import photographs

    pictures = [p.mean(-1)[:96, :96] / 255 for p in photographs(4)]
    moved = [np.asarray(p)[8:, 8:] for p in pictures]
    verdict = judge(moved, [np.asarray(p)[:-8, :-8] for p in pictures], op="Conv2D")
    assert not [c for c in causes(verdict) if c in ("input.features", "input.delay", "input.sample_rate")], causes(verdict)


def whisper(v, n_fft=400, scale="slaney", floor=80):
    """Log-mel as Whisper has it: decibels no further than 80 below the loudest."""
    edges = {"htk": lambda m: 700 * (10 ** (m / 2595) - 1), "slaney": lambda m: np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * np.log(6.4) / 27))}[scale](
        np.linspace(0, {"htk": 2595 * np.log10(1 + 8000 / 700), "slaney": 15 + np.log(8) * 27 / np.log(6.4)}[scale], 42))
    f, a, b, c = np.arange(n_fft // 2 + 1) * 16000 / n_fft, edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a)
    x = np.pad(v.astype(float) / 32768, n_fft // 2, mode="reflect")
    hann = np.pad(np.hanning(401)[:400], (n_fft - 400) // 2)
    cut = np.lib.stride_tricks.sliding_window_view(x, n_fft)[::160] * hann
    m = np.log10(np.maximum(np.abs(np.fft.rfft(cut, n_fft)) ** 2 @ triangles.T, 1e-10))
    return ((np.maximum(m, m.max() - floor / 10) + 4) / 4).astype(np.float32)


def heard_log(path, role, made):
    """Frames of (sound in the log, features, sound that they are of)."""
    with Recording(path, role) as r:
        for i, (sound, features) in enumerate(made):
            r.frame([("/sensor/mic", np.frombuffer(wav(sound), np.uint8), {"media": PB["Media"](format="wav")}),
                     ("/input/features", features[None], {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(i))
    return path


def test_dither_before_a_front_end_is_a_remark(tmp_path):
    sounds = [np.round(v[:12000]).astype(np.int16) for v in VOICES]
    dithered = [s + np.random.default_rng(i).integers(-1, 2, len(s)) for i, s in enumerate(sounds)]
    reference = heard_log(tmp_path / "r.mcap", "reference", [(s, whisper(s)) for s in sounds])
    verdict = validate(heard_log(tmp_path / "e.mcap", "edge", [(s, whisper(d)) for s, d in zip(sounds, dithered, strict=True)]), reference)
    assert verdict["verdict"] == "pass" and {f["severity"] for f in verdict["findings"]} <= {"info"}


def test_features_of_silence_are_no_biased_samples(tmp_path):
    """Long rows in which half of the values are the least one, of one mean in all frames."""
    tables = [np.maximum(0, table(v, rows=ROWS) - np.median(table(v, rows=ROWS))).astype(np.float32).reshape(-1) for v in [*VOICES, voice(9)]]
    sounds = [np.round(v[:16000]).astype(np.int16) for v in [*VOICES, voice(9)]]
    late = [np.concatenate([np.zeros(2 * BINS, np.float32), t[:-2 * BINS]]) for t in tables]
    reference = heard_log(tmp_path / "r.mcap", "reference", list(zip(sounds, tables, strict=True)))
    verdict = validate(heard_log(tmp_path / "e.mcap", "edge", list(zip(sounds, late, strict=True))), reference)
    assert "samples" not in json.dumps(verdict["findings"][0]) and "input.gain" not in causes(verdict), verdict["findings"][0]


@pytest.mark.parametrize("wrong, differences", [({"n_fft": 512}, "n_fft: 512 for 400"), ({"scale": "htk"}, "scale: htk for slaney"), ({"floor": 400}, "top_db: 0 for 80")])
def test_one_option_of_whisper(tmp_path, wrong, differences):
    """Told alone, and not taken for the noise of quiet rows."""
    sounds = [np.round(v[:12000] * (np.arange(12000) < 8000)).astype(np.int16) for v in VOICES]
    for name, role, options in (("e", "edge", wrong), ("r", "reference", {})):
        heard_log(tmp_path / f"{name}.mcap", role, [(s, whisper(s, **options)) for s in sounds])
    verdict = validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert causes(verdict) == ["input.features"] and verdict["findings"][0]["evidence"]["differences"] == differences
