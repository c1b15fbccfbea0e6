"""What was told of outputs that a log keeps as statistics alone, or not at all."""

import numpy as np
import pytest
from told_support import told_finding
from validate_support import Recording, causes, finding, validate

pytestmark = pytest.mark.data

FRAMES, CLASSES = 8, 12


def scores(k, noise=0.0, seed=0):
    made = np.random.default_rng(k).normal(0, 2, CLASSES) + np.random.default_rng(100 + k + seed).normal(0, noise, CLASSES)
    e = np.exp(made)
    return (e / e.sum()).astype(np.float32)


def write(path, role, keep, pick=lambda k, s: np.argsort(-s), noise=0.0):
    """keep(k): what the log has of frame k: "data", "stats" (of input and output), or "nothing"."""
    with Recording(path, role) as log:
        for k in range(FRAMES):
            s = scores(k, noise)
            image = np.random.default_rng(50 + k).integers(0, 255, (1, 8, 8, 3)).astype(np.uint8)
            kept = keep(k)
            if kept == "stats":
                log.stats("/input/image", image, k)
                log.stats("/output/scores", s[None], k)
            tensors = [("/input/image", image, {}), ("/output/scores", s[None], {})] if kept == "data" else []
            told(log, k, tensors, s, pick)
    return path


def told(log, k, tensors, s, pick):
    from log_writer import PB

    result = PB["Result"](frame=k)
    for i in pick(k, s)[:4]:
        result.classes.add(id=int(i), score=float(s[i]))
    log.add("/result", "Result", result)
    log.frame(tensors)


def worst(frames):
    return lambda k, s: np.argsort(s if k in frames else -s)


STATS, DATA = (lambda k: "stats"), (lambda k: "data")


@pytest.mark.parametrize("keep", [(STATS, DATA), (DATA, STATS), (STATS, STATS)])
@pytest.mark.parametrize("frames", [range(FRAMES), (2, 5)])
def test_told_otherwise_of_equal_statistics(tmp_path, keep, frames):
    e = write(tmp_path / "e", "edge", keep[0], worst(frames))
    f = told_finding(validate(e, write(tmp_path / "r", "reference", keep[1]), status=1))
    assert f["evidence"]["frames_differ"] == len(frames), f


@pytest.mark.parametrize("keep", [(STATS, DATA), (STATS, STATS)])
def test_told_alike_of_equal_statistics(tmp_path, keep):
    e = write(tmp_path / "e", "edge", keep[0])
    assert validate(e, write(tmp_path / "r", "reference", keep[1]))["findings"] == []


def test_statistics_of_a_budget(tmp_path):
    """Data, then statistics: that the first frames follow from their outputs says nothing of the others."""
    e = write(tmp_path / "e", "edge", lambda k: "data" if k < 3 else "stats", worst((5, 6, 7)))
    f = told_finding(validate(e, write(tmp_path / "r", "reference", DATA), status=1))
    assert f["evidence"]["frames_differ"] == 3, f


def test_other_outputs_excuse_what_was_told(tmp_path):
    """Other statistics are other outputs, of which another class may well be the best."""
    e = write(tmp_path / "e", "edge", STATS, noise=0.3)
    verdict = validate(e, write(tmp_path / "r", "reference", DATA))
    assert not [f for f in verdict["findings"] if f["cause"] == "output.postprocess"], verdict["findings"]


def first_three(k):
    return "data" if k < 3 else "nothing"


@pytest.mark.parametrize("frames", [(6,), range(3, FRAMES)])
def test_frames_of_which_nothing_is_known(tmp_path, frames):
    """No name for what differs, and no pass."""
    e = write(tmp_path / "e", "edge", first_three, worst(frames))
    verdict = validate(e, write(tmp_path / "r", "reference", DATA), status=3)
    assert f"in {len(frames)} of 5 frames (the first is {frames[0]})" in verdict["reason"], verdict["reason"]


def test_frames_of_which_nothing_is_known_told_alike(tmp_path):
    e = write(tmp_path / "e", "edge", first_three)
    assert validate(e, write(tmp_path / "r", "reference", DATA), status=0)["findings"] == []


def test_noise_takes_a_decision_across(tmp_path):
    """Scores that differ by noise, and one of five classes: no more than noise explains."""
    e = write(tmp_path / "e", "edge", first_three, lambda k, s: np.roll(np.argsort(-s), 1 if k == 6 else 0), noise=1e-5)
    assert validate(e, write(tmp_path / "r", "reference", DATA), status=0)["verdict"] == "pass"


@pytest.mark.parametrize("alike", [True, False])
def test_a_rule_behind_the_output(tmp_path, alike):
    """Classes that are not the best of the output: no fault where both sides tell the same."""
    rule = lambda k, s: [k % 3]  # noqa: E731
    e = write(tmp_path / "e", "edge", DATA, rule)
    r = write(tmp_path / "r", "reference", DATA, rule if alike else lambda k, s: np.argsort(-s))
    verdict = validate(e, r, status=0 if alike else 1)
    assert not alike or verdict["findings"] == [], verdict["findings"]


def boxes(result, k, shift=0.0):
    random = np.random.default_rng(300 + k)
    for i in range(3):
        x, y = random.uniform(0, 0.6, 2) + shift
        result.boxes.add(x_min=x, y_min=y, x_max=x + 0.2, y_max=y + 0.3, id=i, score=random.uniform(0.4, 0.9))


def write_boxes(path, role, statistics, shift=0.0):
    from log_writer import PB

    with Recording(path, role) as log:
        for k in range(FRAMES):
            result = PB["Result"](frame=k)
            boxes(result, k, shift if k in (4, 7) else 0.0)
            s = scores(k)[None]
            if statistics:
                log.stats("/output/scores", s, k)
            log.add("/result", "Result", result)
            image = np.random.default_rng(50 + k).integers(0, 255, (1, 8, 8, 3)).astype(np.uint8)
            log.frame([("/input/image", image, {})] + ([] if statistics else [("/output/scores", s, {})]))
    return path


def test_equal_statistics_leave_less_to_noise_than_equal_inputs(tmp_path):
    r = write_boxes(tmp_path / "r", "reference", False)
    f = told_finding(validate(write_boxes(tmp_path / "e", "edge", True, 0.05), r, status=1))
    assert f["evidence"]["kind"] == "shifted" and f["evidence"]["frame_list"] == "frames 4 and 7", f
    verdict = validate(write_boxes(tmp_path / "twin", "edge", True), r)
    assert verdict["findings"] == [], verdict["findings"]


def write_spent(path, role, change=lambda s, k: s, data=range(3), counted=True):
    """A budget that was spent: data of some frames, statistics of the others; nothing told."""
    with Recording(path, role) as log:
        for k in range(FRAMES):
            s = change(scores(k), k)[None]
            image = np.random.default_rng(50 + k).integers(0, 255, (1, 8, 8, 3)).astype(np.uint8)
            if k not in data:
                log.stats("/input/image", image, k)
                log.stats("/output/scores", s, k, counted=counted)
            log.frame([("/input/image", image, {}), ("/output/scores", s, {})] if k in data else [])
    return path


def with_nan(s, k):
    return np.where((np.arange(CLASSES) == 4) & (k in (4, 7)), np.nan, s).astype(np.float32)


@pytest.mark.parametrize("data", [range(3), ()], ids=["some data", "no data"])
def test_nan_in_statistics(tmp_path, data):
    r = write_spent(tmp_path / "r", "reference", data=range(FRAMES))
    f = finding(validate(write_spent(tmp_path / "e", "edge", with_nan, data), r, status=1), "layer.nan")
    assert f["where"]["tensor"] == "scores" and (not data or f["evidence"]["frame_list"] == "frames 4 and 7"), f
    both = validate(write_spent(tmp_path / "twin", "edge", with_nan, data), write_spent(tmp_path / "s", "reference", with_nan, range(FRAMES)))
    assert "layer.nan" not in causes(both), both["findings"]


def test_nan_in_statistics_that_count_none(tmp_path):
    """A mean that is no number equals no other, whoever wrote it."""
    r = write_spent(tmp_path / "r", "reference", data=range(FRAMES))
    f = finding(validate(write_spent(tmp_path / "e", "edge", with_nan, counted=False), r, status=1), "layer.nan")
    assert f["evidence"]["frame_list"] == "frames 4 and 7", f
    assert validate(write_spent(tmp_path / "twin", "edge", counted=False), r, status=0)["findings"] == []


def test_other_statistics_behind_equal_data(tmp_path):
    """Frames of equal values say nothing of those whose statistics are others."""
    r = write_spent(tmp_path / "r", "reference", data=range(FRAMES))
    verdict = validate(write_spent(tmp_path / "e", "edge", lambda s, k: s * np.float32(2 if k == 5 else 1)), r, status=3)
    assert "statistics of output scores differ in frame 5" in verdict["reason"], verdict["reason"]
    assert validate(write_spent(tmp_path / "twin", "edge"), r, status=0)["findings"] == []
