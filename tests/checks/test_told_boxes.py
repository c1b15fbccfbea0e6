"""Boxes that two applications tell of the same outputs: the ways in which they are told wrongly, and healthy twins."""

import numpy as np
import pytest
from told_support import judged, told_finding

pytestmark = pytest.mark.data

FRAMES, ROWS = 6, 12
RANDOM = np.random.default_rng(7)


def some_rows():
    """Boxes (x_min, y_min, x_max, y_max, class, score) of each frame, the best first; some overlap."""
    frames = []
    for _ in range(FRAMES):
        low, size = RANDOM.uniform(0.02, 0.55, (ROWS, 2)), RANDOM.uniform(0.1, 0.4, (ROWS, 2))
        classes, scores = RANDOM.integers(1, 9, ROWS), np.sort(RANDOM.uniform(0.12, 0.95, ROWS))[::-1]
        frames.append(np.column_stack([low, low + size, classes, scores]).astype(np.float32))
    for rows in frames:  # what suppression over all classes would leave out
        rows[4, :4] = rows[1, :4] + 0.01
        rows[4, 4] = rows[1, 4] % 8 + 1
    return frames


ROWS_OF = some_rows()
OUTPUTS = [{"boxes": r[None, :, [1, 0, 3, 2]], "classes": r[None, :, 4], "scores": r[None, :, 5], "count": np.array([ROWS], np.float32)} for r in ROWS_OF]


def teller(change=lambda rows, k: rows, threshold=0.3):
    def tell(result, k):
        for b in change(np.array([r for r in ROWS_OF[k] if r[5] >= threshold], np.float64).reshape(-1, 6), k):
            result.boxes.add(x_min=b[0], y_min=b[1], x_max=b[2], y_max=b[3], id=int(b[4]), score=b[5])

    return tell


RIGHT = teller()


def placed(rows, *columns):
    return np.column_stack([*columns, rows[:, 4:]]) if len(rows) else rows


def letterboxed(rows, k):
    scale = [0.75, 0.5625, 0.66, 1.0, 0.6, 0.8][k]
    y = (1 - scale) / 2 + scale * rows[:, [1, 3]]
    return placed(rows, rows[:, 0], y[:, 0], rows[:, 2], y[:, 1])


@pytest.mark.parametrize("where", ["score", "place"])
@pytest.mark.parametrize("frames", [(2,), range(FRAMES)], ids=["one frame", "all"])
@pytest.mark.parametrize("side", ["edge", "reference"])
def test_values_that_are_no_number(tmp_path, where, frames, side):
    """Also where all boxes of a frame have such, and outputs were not recorded."""
    def change(rows, k):
        rows = rows.copy()
        if k in frames:
            rows[:, 5 if where == "score" else 0] = np.nan
        return rows

    told = [teller(change), RIGHT] if side == "edge" else [RIGHT, teller(change)]
    for kept in (True, False):
        folder = tmp_path / str(kept)
        folder.mkdir()
        f = told_finding(judged(folder, OUTPUTS, *told, keep_outputs=kept))
        assert f["evidence"]["kind"] == "nan" and f"the {side}'s boxes" in f["summary"], f
        assert len(frames) > 1 or "1 of 6 frames" in f["summary"]


@pytest.mark.parametrize("keep", [lambda rows: rows[:-1], lambda rows: rows[:1], lambda rows: rows[:0]])
def test_no_noise_takes_a_box_away_that_moves_no_other(tmp_path, keep):
    """The lowest boxes are missing in one frame, and all other scores are equal: also where outputs were not recorded."""
    less = teller(lambda rows, k: keep(rows) if k == 2 else rows)
    for kept in (True, False):
        folder = tmp_path / str(kept)
        folder.mkdir()
        assert told_finding(judged(folder, OUTPUTS, less, RIGHT, keep_outputs=kept))["evidence"]["kind"] == "missing"
    folder = tmp_path / "same"
    folder.mkdir()
    assert judged(folder, OUTPUTS, RIGHT, RIGHT, keep_outputs=False)["verdict"] == "pass"


@pytest.mark.parametrize("told", [lambda s: np.round(s, 2), lambda s: np.round(s * 256) / 256, lambda s: np.round(s * 211) * 0.0046], ids=["two digits", "8 bits", "8 bits with a scale"])
def test_coarse_scores_do_not_show_noise(tmp_path, told):
    """Scores that are equal as far as they are told; a box at the threshold is there on one side alone."""
    coarse = lambda rows: another(rows, score=lambda b: told(b[:, 5]))  # noqa: E731
    less = teller(lambda rows, k: coarse(rows[:-1] if k == 2 else rows))
    verdict = judged(tmp_path, OUTPUTS, less, teller(lambda rows, k: coarse(rows)), keep_outputs=False)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


def test_a_few_scores_do_not_show_noise(tmp_path):
    few = lambda rows: rows[-2:]  # noqa: E731
    less = teller(lambda rows, k: few(rows)[:-1] if k == 2 else few(rows))
    verdict = judged(tmp_path, OUTPUTS, less, teller(lambda rows, k: few(rows)), keep_outputs=False)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


def test_no_number_on_both_sides_is_no_difference(tmp_path):
    wrong = teller(lambda rows, k: np.column_stack([rows[:, :5], np.full(len(rows), np.nan)]) if k == 2 else rows)
    assert judged(tmp_path, OUTPUTS, wrong, wrong)["verdict"] == "pass"


def without(keep):
    return lambda rows, k: np.array([r for i, r in enumerate(rows) if keep(r, i, k)]).reshape(-1, 6)


def another(rows, **values):
    rows = rows.copy()
    for name, value in values.items():
        rows[:, {"id": 4, "score": 5}[name]] = value(rows)
    return rows


def resized(b, wide, high):
    """About their centers."""
    middle, half = (b[:, :2] + b[:, 2:4]) / 2, (b[:, 2:4] - b[:, :2]) / 2 * np.column_stack([wide, high])
    return placed(b, *(middle - half).T, *(middle + half).T)


FACTORS = np.array([0.4, 1.0, 2.2])


def suppressed(b, k):
    """Other sizes, of which suppression leaves others: one is missing, one more is told."""
    told = resized(b, *FACTORS[[np.arange(len(b)) % 3, (np.arange(len(b)) + 1) % 3]])
    extra = told[-1:].copy()
    extra[:, :4] += 0.2
    extra[:, 5] -= 0.02
    return np.concatenate([np.delete(told, 1, 0), extra])


WRONG = {
    "anchors of other levels": (lambda b, k: resized(b, *FACTORS[[np.arange(len(b)) % 3, (np.arange(len(b)) + 1) % 3]]), "scaled", "by 3 factors"),
    "anchors' width for height": (lambda b, k: resized(b, 1.3 + 0.1 * (np.arange(len(b)) % 4), 1 / (1.3 + 0.1 * (np.arange(len(b)) % 4))), "scaled", "width for height"),
    "sizes by another function": (lambda b, k: resized(b, *(4 * (b[:, 2:4] - b[:, :2])).T), "scaled", "times as high, in"),
    "anchors of other levels, suppressed": (suppressed, "scaled", "threshold and suppression"),
    "scores of another kind, suppressed": (lambda b, k: another(suppressed(resized(b, *(1 / FACTORS[[np.arange(len(b)) % 3, (np.arange(len(b)) + 1) % 3]])), k), score=lambda b: np.sin(9 * b[:, 5]) ** 2), "scores", "threshold and suppression"),
    "zoomed in some": (lambda b, k: placed(b, *(2 * b[:, :4] - 0.5).T) if k in (1, 4) else b, "scaled", "frames 1 and 4"),
    "told once more": ("held", "late", "up to 2 frames before"),
    "mirrored": (lambda b, k: placed(b, 1 - b[:, 2], b[:, 1], 1 - b[:, 0], b[:, 3]), "mirrored", "left to right"),
    "upside down": (lambda b, k: placed(b, b[:, 0], 1 - b[:, 3], b[:, 2], 1 - b[:, 1]), "mirrored", "upside down"),
    "upside down, the larger first": (lambda b, k: placed(b, b[:, 0], 1 - b[:, 1], b[:, 2], 1 - b[:, 3]), "mirrored", "upside down"),
    "by 90": (lambda b, k: placed(b, 1 - b[:, 3], b[:, 0], 1 - b[:, 1], b[:, 2]), "turned", "90 degrees clockwise"),
    "by 270": (lambda b, k: placed(b, b[:, 1], 1 - b[:, 2], b[:, 3], 1 - b[:, 0]), "turned", "counter-clockwise"),
    "by 180": (lambda b, k: placed(b, *(1 - b[:, [2, 3, 0, 1]]).T), "turned", "180"),
    "exchanged": (lambda b, k: placed(b, *b[:, [1, 0, 3, 2]].T), "exchanged", "x and y"),
    "shifted": (lambda b, k: placed(b, *(b[:, :4] + [0.04, -0.03, 0.04, -0.03]).T), "shifted", "shifted"),
    "twice as large": (lambda b, k: placed(b, *(b[:, :4] + (b[:, [2, 3, 0, 1]] - b[:, :4]) * [-0.5, -0.5, -0.5, -0.5]).T), "scaled", "2 times as wide"),
    "higher, and a higher threshold": (lambda b, k: (lambda c: placed(c, c[:, 0], c[:, 1] - 0.2 * (c[:, 3] - c[:, 1]), c[:, 2], c[:, 3] + 0.2 * (c[:, 3] - c[:, 1])))(b[b[:, 5] > 0.5]), "scaled", "1.4 times as high"),
    "shifted a little": (lambda b, k: placed(b, *(b[:, :4] + 0.006).T), "shifted", "shifted"),
    "scaled": (lambda b, k: placed(b, *(b[:, :4] * [1.15, 1, 1.15, 1]).T), "scaled", "scaled"),
    "pixels": (lambda b, k: placed(b, *(b[:, :4] * [640, 480, 640, 480]).T), "scaled", "pixels"),
    "pixels of each picture": (lambda b, k: placed(b, *(b[:, :4] * np.tile([640 + 20 * k, 480 - 7 * k], 2)).T), "scaled", "pixels"),
    "letterbox": (letterboxed, "letterbox", "letterbox"),
    "half scores": (lambda b, k: another(b, score=lambda b: b[:, 5] / 2), "scaled", "scores"),
    "one minus": (lambda b, k: another(b, score=lambda b: 1 - b[:, 5]), "scores", "1 minus"),
    "sigmoid again": (lambda b, k: another(b, score=lambda b: 1 / (1 + np.exp(-b[:, 5]))), "scores", "sigmoid"),
    "one class": (lambda b, k: another(b, id=lambda b: 0), "classes", "class 0"),
    "random classes": (lambda b, k: another(b, id=lambda b: (b[:, 4] * 7 + np.arange(len(b))) % 5), "classes", "another class"),
    "class for score": (lambda b, k: np.column_stack([b[:, :4], np.floor(b[:, 5]), b[:, 4]]), "exchanged", "class"),
    "twice": (lambda b, k: np.repeat(b, 2, 0), "extra", "twice"),
    "none": (lambda b, k: b[:0], "missing", "no box"),
    "silent": (lambda b, k: b[:0] if k in (1, 4) else b, "missing", "frames 1 and 4"),
    "best three": (lambda b, k: b[:3], "missing", "best 3"),
    "threshold": (without(lambda r, i, k: r[5] > 0.6), "missing", "threshold"),
    "a class left out": (without(lambda r, i, k: r[4] != 3), "missing", "class 3"),
    "over all classes": (without(lambda r, i, k: i != 4), "missing", "all classes"),
    "worst first": (lambda b, k: b[::-1], "order", "worst"),
    "late": (None, "late", "before"),
    "mirrored and fewer": (lambda b, k: placed(b, 1 - b[:, 2], b[:, 1], 1 - b[:, 0], b[:, 3])[:-1], "mirrored", "missing"),
    "anything": (lambda b, k: placed(b, *np.random.default_rng(k).uniform(0, 1, (4, len(b)))), "unknown", "counterpart"),
}


def late(result, k):
    RIGHT(result, max(k - 1, 0))


def held(result, k):
    """A detector that runs in every third frame."""
    RIGHT(result, k - k % 3)


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", WRONG)
def test_told_wrongly(tmp_path, way, outputs):
    change, kind, says = WRONG[way]
    verdict = judged(tmp_path, OUTPUTS, held if change == "held" else teller(change) if change else late, RIGHT, keep_outputs=outputs == "outputs")
    if way == "exchanged" and outputs == "outputs":  # each side's own outputs show it
        told_finding(verdict, "output.box_format")
        return
    f = told_finding(verdict)
    assert f["evidence"]["kind"] == kind and f["fix"]
    assert says in f["summary"] + " ".join(f["details"]), f


@pytest.mark.parametrize("way", ["mirrored", "letterbox", "threshold", "one class", "half scores"])
def test_the_other_way_round(tmp_path, way):
    change, kind, _ = WRONG[way]
    f = told_finding(judged(tmp_path, OUTPUTS, RIGHT, teller(change)))
    assert f["evidence"]["kind"] in (kind, "extra", "classes")


def test_whose_side(tmp_path):
    mirrored = teller(WRONG["mirrored"][0])
    assert "reference tells what its own model" in " ".join(told_finding(judged(tmp_path, OUTPUTS, mirrored, RIGHT))["details"])
    assert "edge tells what its own model" in " ".join(told_finding(judged(tmp_path, OUTPUTS, RIGHT, mirrored))["details"])
    unknown = told_finding(judged(tmp_path, OUTPUTS, mirrored, RIGHT, keep_outputs=False))
    assert "the logs do not say" in " ".join(unknown["details"])


def test_other_cause_names(tmp_path):
    plus = teller(lambda b, k: another(b, id=lambda b: b[:, 4] + 1))
    for kept in (True, False):
        f = told_finding(judged(tmp_path, OUTPUTS, plus, RIGHT, keep_outputs=kept), "output.label_offset")
        assert f["evidence"]["difference"] == 1
    sizes = teller(lambda b, k: placed(b, (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]))
    told_finding(judged(tmp_path, OUTPUTS, sizes, RIGHT, keep_outputs=False), "output.box_format")


def test_boxes_without_a_size(tmp_path):
    """There is no factor then."""
    points = teller(lambda b, k: placed(b, *2 * list(((b[:, :2] + b[:, 2:4]) / 2).T)))
    f = told_finding(judged(tmp_path, OUTPUTS, RIGHT, points, keep_outputs=False))
    assert f["evidence"]["kind"] == "scaled" and "one side's have no size" in f["summary"] and "inf" not in f["summary"], f


def outlined(sign=1, first=0, lost=()):
    """Boxes with corners: turned by an angle."""
    def tell(result, k):
        random = np.random.default_rng(k)
        for i in range(4):
            middle, side, angle = random.uniform(0.3, 0.7, 2), random.uniform(0.08, 0.2, 2), sign * random.uniform(0.3, 1.2)
            u, v = np.array([np.cos(angle), np.sin(angle)]) * side[0], np.array([-np.sin(angle), np.cos(angle)]) * side[1] / 3
            corners = np.roll(np.array([middle - u - v, middle + u - v, middle + u + v, middle - u + v]), -first, 0)
            low, high = corners.min(0), corners.max(0)
            corners = corners * (np.nan if (k, i) in lost else 1)
            result.boxes.add(x_min=low[0], y_min=low[1], x_max=high[0], y_max=high[1], id=i % 2, score=0.9 - 0.1 * i, corner=corners.ravel())

    return tell


@pytest.mark.parametrize("change, passes", [(dict(), True), (dict(first=2), True), (dict(sign=-1), False)])
def test_corners_of_turned_boxes(tmp_path, change, passes):
    """The bounds of a box turned by an angle are those of the one turned the other way."""
    verdict = judged(tmp_path, OUTPUTS, outlined(**change), outlined(), keep_outputs=False)
    if passes:
        assert verdict["findings"] == []
        return
    f = told_finding(verdict)
    assert f["evidence"]["kind"] == "mirrored" and "the other way" in f["summary"] and f["evidence"]["boxes_other_corners"] == 4 * FRAMES


@pytest.mark.parametrize("both", [False, True])
def test_corners_that_are_no_number(tmp_path, both):
    """The bounds are; of another box on the other side, they are not the same either."""
    verdict = judged(tmp_path, OUTPUTS, outlined(lost=[(2, 1)]), outlined(lost=[(2, 3)] if both else []), keep_outputs=False)
    assert told_finding(verdict)["evidence"]["kind"] == ("turned" if both else "nan")


def test_the_center_for_the_corner(tmp_path):
    """Sizes that were then moved and scaled as corners are have no form of their own any more."""
    def change(b, k):
        middle, size = (b[:, :2] + b[:, 2:4]) / 2, b[:, 2:4] - b[:, :2]
        return placed(b, *middle.T, *(size * (1.2 + 0.1 * k) - 0.1).T)

    told_finding(judged(tmp_path, OUTPUTS, teller(change), RIGHT, keep_outputs=False), "output.box_format")


HEALTHY = {
    "the same": lambda b, k: b,
    "whole pixels": lambda b, k: placed(b, *(np.round(b[:, :4] * 160) / 160).T),
    "whole pixels of a small picture, rounded down": lambda b, k: placed(b, *(np.floor(b[:, :4] * 48) / 48).T),
    "another order of boxes": lambda b, k: b[np.random.default_rng(k).permutation(len(b))],
    "scores in two digits": lambda b, k: another(b, score=lambda b: np.round(b[:, 5], 2)),
    "scores in percent": lambda b, k: another(b, score=lambda b: 100 * b[:, 5]),
    "clipped at the border": lambda b, k: placed(b, *b[:, :4].clip(0, 1).T),
}


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", HEALTHY)
def test_told_rightly(tmp_path, way, outputs):
    verdict = judged(tmp_path, OUTPUTS, teller(HEALTHY[way]), RIGHT, keep_outputs=outputs == "outputs")
    told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == ([("info", "unit")] if "percent" in way else []), verdict["findings"]


def noisy(threshold=0.3, seed=3):
    """An application behind other kernels: boxes, scores and so what is above the threshold are a little others."""
    random = np.random.default_rng(seed)
    rows = [r + np.concatenate([random.normal(0, 0.004, (ROWS, 4)), np.zeros((ROWS, 1)), random.normal(0, 0.01, (ROWS, 1))], 1) for r in ROWS_OF]

    def tell(result, k):
        for b in rows[k]:
            if b[5] >= threshold:
                result.boxes.add(x_min=b[0], y_min=b[1], x_max=b[2], y_max=b[3], id=int(b[4]), score=b[5])

    return tell


@pytest.mark.parametrize("seed", range(4))
def test_other_kernels(tmp_path, seed):
    verdict = judged(tmp_path, OUTPUTS, noisy(seed=seed), RIGHT, keep_outputs=False)
    told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == [], verdict["findings"]


def test_other_kernels_with_the_same_scores_by_chance(tmp_path):
    """8-bit scores of one frame may be the same while noise moved the boxes and ranked two of them otherwise."""
    def tied(rows, k):
        rows[:2, 5] = rows[0, 5]
        rows[0, 4], rows[1, 4] = 2, 5
        return rows

    def moved(rows, k):
        rows = tied(rows, k)
        if k == 3:
            rows[[0, 1]] = rows[[1, 0]]
            rows[:, :4] += 0.013 * np.sign(RANDOM.normal(size=rows[:, :4].shape))
        return rows

    verdict = judged(tmp_path, OUTPUTS, teller(moved), teller(tied), keep_outputs=False)
    told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == [], verdict["findings"]


def test_nothing_told_by_a_side_without_results(tmp_path):
    for edge, reference in ((None, RIGHT), (RIGHT, None), (None, None)):
        verdict = judged(tmp_path, OUTPUTS, edge, reference)
        assert verdict["findings"] == []
        said = next(a for a in verdict["assertions"] if a["name"] == "output.postprocess")
        assert said["status"] == ("judged" if edge == reference else "unjudged")


def test_behind_other_inputs(tmp_path):
    from told_support import write_told
    from validate_support import causes, validate

    inputs = [np.random.default_rng(90 + k).integers(0, 255, (1, 16, 16, 3)).astype(np.uint8) for k in range(FRAMES)]
    e = write_told(tmp_path / "e", "edge", OUTPUTS, teller(WRONG["mirrored"][0]), inputs=[255 - i for i in inputs], keep_outputs=False)
    r = write_told(tmp_path / "r", "reference", OUTPUTS, RIGHT, inputs=inputs, keep_outputs=False)
    assert not [c for c in causes(validate(e, r)) if c.startswith("output.")]
