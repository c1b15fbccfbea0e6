"""Outputs that are a function of the reference's, in part another frame's, or have their columns in another order."""

import numpy as np
import pytest
from told_support import told_finding, write_told
from validate_support import causes, validate

pytestmark = pytest.mark.data

FRAMES = 6


def random(k):
    return np.random.default_rng(700 + k)


def judge(folder, make, change, noise=0.0):
    """change(values, k): what the edge's output is; make(k): the reference's."""
    right = [make(k).astype(np.float32) for k in range(FRAMES)]
    e = write_told(folder / "e", "edge", [{"y": np.float32(change(v, k))} for k, v in enumerate(right)], None, noise=noise)
    return validate(e, write_told(folder / "r", "reference", [{"y": v} for v in right], None))


def positive(k, least=0.5, most=8.0):
    return random(k).uniform(least, most, (1, 24, 24))


FUNCTIONS = {
    "a disparity": (lambda v, k: 1 / v, "inverse"),
    "a variance": (lambda v, k: v * v, "square of"),
    "a root": (lambda v, k: np.sqrt(v), "square root"),
    "a logarithm": (lambda v, k: np.log(v), "logarithms of the reference's values"),
    "an exponential": (lambda v, k: np.exp(v), "where the reference gives their logarithms"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_the_output(tmp_path, name):
    change, says = FUNCTIONS[name]
    f = told_finding(judge(tmp_path, positive, change), "output.activation")
    assert says in f["summary"] and f["evidence"]["frames_supporting"] == FRAMES, f


@pytest.mark.parametrize("change", [lambda v, k: 1 / v + (k == 3) * v, lambda v, k: np.sin(v)], ids=["all but in one frame", "another function"])
def test_no_function_is_named_that_a_frame_contradicts(tmp_path, change):
    verdict = judge(tmp_path, positive, change)
    assert causes(verdict) == ["layer.unknown"], verdict["findings"]


def table(k):
    return random(k).normal(size=(1, 12, 4))


def mixed(lag, part, first):
    """The first (last) `part` of an output's rows are those of the frame `lag` before."""
    def change(v, k):
        other = table(k - lag)
        rows = np.arange(12)
        taken = rows < part if first else rows >= 12 - part
        return np.where(taken[None, :, None], other, v) if 0 <= k - lag < FRAMES else v
    return change


@pytest.mark.parametrize("lag,part,first", [(1, 6, False), (-1, 4, True), (2, 3, False), (1, 9, True)])
def test_a_part_of_another_frame(tmp_path, lag, part, first):
    f = told_finding(judge(tmp_path, table, mixed(lag, part, first), noise=1e-6), "output.frame_order")
    assert f["evidence"]["kind"] == "torn" and f["evidence"]["lag"] == lag and f["evidence"]["share"] == pytest.approx(part / 12), f
    assert ("first part" if first else "last part") in f["summary"], f


def endless(k):
    """Of an output of which one value, another in each frame, is infinite."""
    v = table(k)
    v[0, k % 3, k % 4] = np.inf
    return v


@pytest.mark.parametrize("own", [True, False])
def test_a_value_that_is_no_number_hides_no_difference(tmp_path, own):
    """What is behind another frame's infinity is looked at as what is behind its numbers."""
    def change(v, k):
        if k == 0:
            return v
        rest = v if own else np.random.default_rng(100 + k).normal(size=v.shape)
        return np.where((np.arange(12) < 6)[None, :, None], endless(k - 1), rest)
    verdict = judge(tmp_path, endless, change, noise=1e-6)
    assert ("output.frame_order" in causes(verdict)) == own and verdict["verdict"] == "fail", verdict["findings"]


def test_a_part_of_some_frames(tmp_path):
    change = mixed(1, 6, False)
    f = told_finding(judge(tmp_path, table, lambda v, k: change(v, k) if k in (2, 5) else v), "output.frame_order")
    assert f["evidence"]["which"] == "2, 5", f


def padded(k):
    """Few rows are filled; the others are zero in each frame."""
    return np.where(np.arange(12)[None, :, None] < 9 - k % 2, table(k), 0)


def test_rows_that_are_zero_are_of_no_frame(tmp_path):
    """The rows that the edge lacks are zero in the frame before, too, and no part of it."""
    verdict = judge(tmp_path, padded, lambda v, k: np.where(np.arange(12)[None, :, None] < 8, v, 0))
    assert "output.frame_order" not in causes(verdict), verdict["findings"]


COLUMNS = {
    "scores for and against": (lambda k: np.stack([random(k).uniform(size=(1, 60)) ** 3, random(k + 9).uniform(size=(1, 60))], -1), [1, 0]),
    "blue for red": (lambda k: random(k).uniform(size=(1, 16, 16, 3)), [2, 1, 0]),
    "x and y of points": (lambda k: random(k).uniform(size=(1, 17, 2)), [1, 0]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_in_another_order(tmp_path, name):
    make, order = COLUMNS[name]
    f = told_finding(judge(tmp_path, make, lambda v, k: v[..., order]), "output.order")
    assert f["evidence"]["rows"] == len(order), f
    (tmp_path / "twin").mkdir()
    assert judge(tmp_path / "twin", make, lambda v, k: v)["findings"] == []


def test_scores_that_are_mostly_zero_are_of_no_other_frame(tmp_path):
    """One class for the reference, hardly any for the edge: all but a few values are zero in each frame."""
    def scores(k):
        values = np.zeros((1, 400))
        values[0, [7, 90, 20, 60][k % 4]] = .8
        values[0, random(k).integers(0, 400, 12)] += 1 / 256
        return values

    faint = lambda v, k: np.where(random(k + 50).uniform(size=v.shape) < .08, random(k).integers(1, 6, v.shape) / 256, 0)
    assert causes(judge(tmp_path, scores, faint)) == ["layer.unknown"]


# ---- Scores that are told of an output in another unit ------------------------------------------------


def scored(folder, out, told, noise=0.0, name=int, scores=None):
    """Outputs and the scores that are told of them, by out(scores) and told(scores); name(class): the id that the edge tells."""
    scores = [random(k).dirichlet(np.full(6, .7)) if scores is None else scores + .01 * k * (np.arange(6) == 0) for k in range(FRAMES)]

    def tell(change, name=int):
        def write(result, k):
            s = change(scores[k])
            for c in np.argsort(-s, kind="stable")[:4]:
                result.classes.add(id=name(int(c)), score=float(s[c]))
        return write

    noisy = lambda s: told(s) + random(int(1e6 * s[0])).normal(0, noise, s.shape)
    inputs = [random(k).normal(size=(1, 16)).astype(np.float32) for k in range(FRAMES)]
    e = write_told(folder / "e", "edge", [{"y": np.float32(out(s))[None]} for s in scores], tell(noisy, name), inputs=inputs)
    return validate(e, write_told(folder / "r", "reference", [{"y": np.float32(s)[None]} for s in scores], tell(lambda s: s), inputs=inputs))


@pytest.mark.parametrize("change", [lambda s: 1.1 * s, lambda s: .93 * s, lambda s: s - .05], ids=["more", "less", "an offset"])
def test_scores_that_follow_the_output_away(tmp_path, change):
    """Each within a tenth, but all on one line: what was told is not the same."""
    verdict = scored(tmp_path, change, change)
    assert causes(verdict) == ["output.dequantization"], verdict["findings"]


@pytest.mark.parametrize("noise", [0, 1e-4, .02])
def test_scores_that_stay(tmp_path, noise):
    """An output in percent, behind which the scores are the same, noise apart: a warning; also where it exchanges classes of equal scores."""
    verdict = scored(tmp_path, lambda s: 100 * s, lambda s: s, noise)
    assert verdict["verdict"] == "pass" or noise > .01 and causes(verdict) == ["output.dequantization"]
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "warning"] == (["output.dequantization"] if verdict["verdict"] == "pass" else [])


# ---- One number a frame ----


def single(k):
    return random(k).normal(0, 2, (1, 1))


SINGLE = {
    "without its sigmoid": (lambda v, k: np.log(v / (1 - v)), lambda k: 1 / (1 + np.exp(-single(k))), "output.activation", "sigmoid is missing"),
    "through a second sigmoid": (lambda v, k: 1 / (1 + np.exp(-v)), lambda k: 1 / (1 + np.exp(-single(k))), "output.activation", "applies a sigmoid"),
    "of another unit": (lambda v, k: 0.1 * v + 3, single, "output.dequantization", "0.1"),
    "of no relation": (lambda v, k: single(k + 50), single, "layer.unknown", "differs"),
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_number_a_frame(tmp_path, name):
    """Scores of binary classifiers, values of regressions: the frames together tell."""
    change, make, cause, says = SINGLE[name]
    v = judge(tmp_path, make, change)
    assert causes(v) == [cause] and says in v["findings"][0]["summary"] + str(v["findings"][0]["evidence"]), v["findings"]


def test_one_number_a_frame_within_noise(tmp_path):
    assert causes(judge(tmp_path, single, lambda v, k: v, noise=1e-7)) == []


def test_numbers_of_few_frames_lie_on_a_line_by_chance(tmp_path):
    right = [single(k).astype(np.float32) for k in range(2)]
    e = write_told(tmp_path / "e", "edge", [{"y": np.float32(2 * v + 0.3 * k + 1)} for k, v in enumerate(right)], None)
    assert causes(validate(e, write_told(tmp_path / "r", "reference", [{"y": v} for v in right], None))) == ["layer.unknown"]


@pytest.mark.parametrize("apart, severity", [(.0002, "warning"), (.02, "error")])
def test_classes_that_change_places(tmp_path, apart, severity):
    """Behind the first, those of equal scores may; of two that were exchanged, or of a name for another, the scores by rank are the same, too."""
    names = lambda order: (lambda c: order[c])
    for k, name in enumerate([names([0, 2, 1, 3, 4, 5]), names([0, 1, 5, 3, 4, 2])]):
        (tmp_path / str(k)).mkdir()
        verdict = scored(tmp_path / str(k), lambda s: 100 * s, lambda s: s, name=name, scores=np.array([.5, .1 + apart, .1, .1 - apart, .1 - 2 * apart, .1 - 2 * apart]))
        assert [(f["cause"], f["severity"]) for f in verdict["findings"]] == [("output.dequantization", severity)], verdict["findings"]
