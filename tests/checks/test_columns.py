"""Inputs that are tables (motion, points, leads, records) or pictures of many bands: columns of another order or unit, later, reversed, rolled."""

import re

import numpy as np
import pytest
from validate_support import Recording, causes, finding, validate


def write(path, role, inputs):
    with Recording(path, role) as r:
        for i, x in enumerate(inputs):
            x = np.ascontiguousarray(x, np.float32)
            r.frame([("/input/x", x, {}), ("/output/y", x.reshape(-1)[:4][None] * 2, {})], source=f"s{i}")
    return path


def judged(tmp_path, edge, reference):
    return validate(write(tmp_path / "e.mcap", "edge", edge), write(tmp_path / "r.mcap", "reference", reference), "--assert", "input", status=None)


def words(verdict, cause):
    found = finding(verdict, cause)
    return " ".join([found["summary"], *found["details"]])


def motion(k, n=96):
    """[1, T, 6]: m/s2 with gravity in the third column, radians a second."""
    rng, t = np.random.default_rng(k), np.arange(n) / 50 + 1.7 * k
    x = np.stack([np.sin(11 * t), .7 * np.cos(5.6 * t + 1), 9.8 + 3 * np.sin(11 * t + .5) ** 3, .7 * np.sin(5.7 * t), .4 * np.cos(11 * t), np.sin(5.5 * t + 2)], -1)
    return (x + rng.normal(0, .05, x.shape))[None].astype(np.float32)


MOTION = [motion(k) for k in range(6)]


def columns(which, by=1., plus=0.):
    def change(x):
        x = x.copy()
        x[..., which] = x[..., which] * np.float32(by) + np.float32(plus)
        return x
    return change


FAULTS = {
    "g for m/s2": (columns([0, 1, 2], 1 / 9.80665), "normalization", r"columns 0, 1 and 2.*g for m/s2"),
    "degrees for radians": (columns([3, 4, 5], 180 / np.pi), "normalization", "degrees for radians"),
    "two units": (lambda x: columns([4], 1000)(columns([0], -1)(x)), "normalization", "sign is the other one.*1000"),
    "turns first": (lambda x: x[..., [3, 4, 5, 0, 1, 2]], "channel_order", "column 0 has the reference's 3"),
    "one column twice": (lambda x: x[..., [0, 0, 2, 3, 4, 5]], "channel_order", "twice"),
    "reversed": (lambda x: x[:, ::-1], "flip", "rows"),
    "transposed": (lambda x: x.transpose(0, 2, 1).reshape(x.shape), "layout", "transposed"),
    "rolled": (lambda x: np.roll(x, 17, 1), "delay", "rolled by 17 of 96"),
    "half the rate": (lambda x: np.repeat(x[:, :48], 2, 1), "sample_rate", "2 times"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_columns_and_rows_of_a_table(tmp_path, name):
    change, cause, says = FAULTS[name]
    verdict = judged(tmp_path, [change(x) for x in MOTION], MOTION)
    assert causes(verdict) == [f"input.{cause}"]
    assert re.search(says, words(verdict, f"input.{cause}"))


SCALES = [(.15, .2), (.192, .256), (.075, .1333), (.288, .192), (.12, .16)]


def test_two_numbers_exchanged_in_a_few_frames(tmp_path):
    """A detector's scale factors as x, y for y, x."""
    right = [np.float32([s]) for s in SCALES]
    verdict = judged(tmp_path, [x[:, ::-1] for x in right], right)
    assert causes(verdict) == ["input.channel_order"] and "column 0 has the reference's 1" in words(verdict, "input.channel_order")
    assert judged(tmp_path, right, right)["verdict"] == "pass"
    other = judged(tmp_path, [x[:, ::-1] * np.float32(1.02) for x in right], right)  # too few for an order and factors
    assert causes(other) == ["input.unknown"]


def test_two_columns_at_each_others_places(tmp_path):
    """Told of features, too, as rows or columns of another place."""
    verdict = judged(tmp_path, [x[..., [1, 0, 2, 3, 4, 5]] for x in MOTION], MOTION)
    assert causes(verdict) in (["input.channel_order"], ["input.frame_order"])


@pytest.mark.parametrize("by", [5, -3])
def test_rows_that_are_late(tmp_path, by):
    stream = np.concatenate([x[0] for x in MOTION])
    window = lambda at: stream[at:at + 96][None]  # noqa: E731
    verdict = judged(tmp_path, [window(100 * k + 20 - by) for k in range(4)], [window(100 * k + 20) for k in range(4)])
    assert causes(verdict) == ["input.delay"] and finding(verdict, "input.delay")["evidence"]["late_rows"] == by


def test_an_order_and_a_unit(tmp_path):
    change = lambda x: columns([4], 100)(x[..., [1, 0, 2, 3, 4, 5]])  # noqa: E731
    assert sorted(causes(judged(tmp_path, [change(x) for x in MOTION], MOTION))) == ["input.channel_order", "input.normalization"]


def test_each_column_by_its_own_moments(tmp_path):
    own = lambda x: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)  # noqa: E731
    rows = [x * np.float32(1 + k / 5) for k, x in enumerate(MOTION)]
    verdict = judged(tmp_path, [own(x) for x in rows], rows)
    assert causes(verdict) == ["input.normalization"] and finding(verdict, "input.normalization")["evidence"]["kind"] == "own_columns"


@pytest.mark.parametrize("healthy", [lambda x: x, lambda x: x.astype(np.float16), lambda x: np.round(x * 4096) / 4096], ids=["same", "float16", "steps"])
def test_rounding_is_no_column_of_its_own(tmp_path, healthy):
    assert judged(tmp_path, [healthy(x) for x in MOTION], MOTION)["verdict"] == "pass"


def test_columns_that_nothing_fills(tmp_path):
    verdict = judged(tmp_path, [columns([3, 4, 5], 0)(x) for x in MOTION], MOTION)
    assert causes(verdict) == ["input.unknown"] and "columns 3, 4 and 5 are constant (0)" in words(verdict, "input.unknown")


def test_a_column_that_nothing_fills_beside_one_that_is_always_so(tmp_path):
    """Both are 0: no proof that one is at the other's place.  Where it is, the other column shows it."""
    rows = [columns([5], 0)(x) for x in MOTION]
    verdict = judged(tmp_path, [columns([3], 0)(x) for x in rows], rows)
    assert causes(verdict) == ["input.unknown"] and "column 3 are constant (0)" in words(verdict, "input.unknown")
    verdict = judged(tmp_path, [x[..., [0, 1, 2, 5, 4, 3]] for x in rows], rows)
    assert causes(verdict) == ["input.channel_order"] and "column 3 has the reference's 5" in words(verdict, "input.channel_order")


def test_what_only_padding_shows_is_no_delay(tmp_path):
    """Padded at the other end, and other values: that the padding is alike at some distance proves nothing."""
    pad = np.zeros((1, 48, 6), np.float32)
    reference = [np.concatenate([x[:, :48], pad], 1) for x in MOTION]
    edge = [np.concatenate([pad, motion(k + 20, 48)], 1) for k in range(6)]
    assert causes(judged(tmp_path, edge, reference)) == ["input.unknown"]


@pytest.mark.parametrize("change", [lambda x: x + np.random.default_rng(int(abs(x.sum()) * 10)).normal(0, .3, x.shape),
                                    lambda x: np.where(np.arange(6) == 1, x ** 3, x)], ids=["noise", "no line"])
def test_what_is_no_line_of_a_column_is_not_named(tmp_path, change):
    verdict = judged(tmp_path, [change(x) for x in MOTION], MOTION)
    assert causes(verdict) == ["input.unknown"]


def test_one_frame_contradicts(tmp_path):
    edge = [columns([0, 1, 2], 1 / 9.80665)(x) if k != 4 else x[..., ::-1] for k, x in enumerate(MOTION)]
    assert causes(judged(tmp_path, edge, MOTION)) == ["input.unknown"]


# ---- Bands ----


def bands(k, n=6, size=40):
    y, x = np.mgrid[:size, :size] / 9.
    rng, spectra = np.random.default_rng(20 + k), np.random.default_rng(3).uniform(-1, 1, (n, 3))
    parts = np.stack([np.sin(x * rng.uniform(.4, 1.2) + rng.uniform(0, 6)) * np.cos(y * rng.uniform(.4, 1.2) + rng.uniform(0, 6)) for _ in range(3)])
    return (np.arange(1, n + 1)[:, None, None] / 2 + np.einsum("bp,pyx->byx", spectra, parts) + rng.normal(0, .05, (n, size, size)))[None].astype(np.float32)


MEAN, STD = np.linspace(.5, 3, 6, dtype=np.float32)[:, None, None], np.linspace(.4, .9, 6, dtype=np.float32)[:, None, None]
TURNS = pytest.mark.parametrize("turn", [lambda x: x, lambda x: x.transpose(0, 2, 3, 1)], ids=["C,H,W", "H,W,C"])


@TURNS
@pytest.mark.parametrize("change, cause", [
    (lambda b: (b[:, [0, 1, 3, 2, 4, 5]] - MEAN) / STD, "channel_order"), (lambda b: (b - np.roll(MEAN, 1, 0)) / np.roll(STD, 1, 0), "normalization"),
    (lambda b: ((b - MEAN) / STD).transpose(0, 2, 1, 3).reshape(b.shape), "layout")], ids=["order", "constants", "lines"])
def test_bands(tmp_path, change, cause, turn):
    scenes = [bands(k) for k in range(4)]
    right = [turn((b - MEAN) / STD) for b in scenes]
    edge = [turn(change(b)) for b in scenes] if cause != "layout" else [change(b) if turn(b).shape == b.shape else ((b - MEAN) / STD).reshape(turn(b).shape) for b in scenes]
    assert causes(judged(tmp_path, edge, right)) == [f"input.{cause}"]


@TURNS
def test_healthy_bands(tmp_path, turn):
    scenes = [turn((bands(k) - MEAN) / STD) for k in range(4)]
    assert judged(tmp_path, [s.astype(np.float16) for s in scenes], scenes)["verdict"] == "pass"


# ---- A roll of a picture, and records ----


def test_a_spectrum_that_is_not_centered(tmp_path):
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:48, :64]
    maps = [(rng.exponential(1, (48, 64)) + sum(rng.uniform(5, 40) * np.exp(-((x - rng.uniform(0, 64)) ** 2 + (y - rng.uniform(0, 48)) ** 2) / 4) for _ in range(5)))[None, None] for _ in range(4)]
    verdict = judged(tmp_path, [np.fft.fftshift(m, axes=3) for m in maps], maps)
    assert causes(verdict) == ["input.delay"] and "rolled by 32 of 64" in words(verdict, "input.delay")


@pytest.mark.parametrize("change, cause", [(columns([0], 18., 49.), "normalization"), (lambda x: x[..., [0, 1, 4, 2, 3, 5]], "channel_order")])
def test_records(tmp_path, change, cause):
    """A row a frame: a number, a long tail, a field of three classes, a share."""
    rng = np.random.default_rng(5)
    rows = [np.concatenate([[rng.normal(), np.log1p(rng.lognormal(3, 1))], np.eye(3)[rng.integers(0, 3)], [rng.random()]])[None] for _ in range(32)]
    assert causes(judged(tmp_path, [change(x) for x in rows], rows)) == [f"input.{cause}"]
    assert judged(tmp_path, [np.round(x, 6) for x in rows], rows)["verdict"] == "pass"


def test_few_records_prove_no_unit(tmp_path):
    """Through two records there is always a line."""
    rng = np.random.default_rng(6)
    rows = [rng.normal(0, 1, (1, 6)) for _ in range(2)]
    assert causes(judged(tmp_path, [x + rng.normal(0, 1, x.shape) for x in rows], rows)) == ["input.unknown"]
