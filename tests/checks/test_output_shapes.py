"""Outputs of other shapes: parts and rows that one side has alone, padding, another format; outputs that are one value; frames with NaN."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

FRAMES = 8


def x(k):
    return np.random.default_rng(k).normal(0, 1, (1, 24)).astype(np.float32)


def rows(k, count=None):
    return np.random.default_rng(100 + k).normal(0, 1, (3 + k % 4 if count is None else count, 7)).astype(np.float32)


def vector(k):
    return np.random.default_rng(200 + k).normal(0, 1, (1, 10)).astype(np.float32)


def judged(folder, edge, reference, tell=(None, None), status=None):
    """edge, reference: {name: make(k)} of the outputs; tell: words of each side's text."""
    for role, made, words in (("edge", edge, tell[0]), ("reference", reference, tell[1])):
        with Recording(folder / role, role) as log:
            for k in range(FRAMES):
                if words:
                    log.add("/result", "Result", PB["Result"](frame=log.count, text=words(k)))
                log.frame([("/input/x", x(k), {})] + [(f"/output/{name}", np.ascontiguousarray(make(k)), {}) for name, make in made.items()])
    return validate(folder / "edge", folder / "reference", status=status)


def some(change, frames=(2, 5)):
    return lambda make: lambda k: change(make(k)) if k in frames else make(k)


PARTS = {
    "one row less in two frames": (some(lambda r: r[:-1]), rows, "missing", "the first", "frames 2 and 5"),
    "the first row is left out": (lambda make: lambda k: make(k)[1:], rows, "missing", "the last", "in 8 of 8"),
    "rows in between are left out": (lambda make: lambda k: make(k)[::2], rows, "missing", "the first 1 and the last 1 of 3", "in 8 of 8"),
    "every third row is left out": (lambda make: lambda k: np.delete(make(k), slice(2, None, 3), 0), lambda k: rows(k, 9), "missing", "the edge has 6 of 9", "in 8 of 8"),
    "no rows in two frames": (some(lambda r: r[:0]), rows, "missing", "", "frames 2 and 5"),
    "half of a vector": (lambda make: lambda k: make(k)[:, :5], vector, "missing", "the first 5 of 10", "in 8 of 8"),
    "the last value of a vector": (lambda make: lambda k: make(k)[:, :9], vector, "missing", "the first 9 of 10", "in 8 of 8"),
    "the last value, in one frame": (some(lambda v: v[:, :9], (4,)), vector, "missing", "the first 9 of 10", "in 1 of 8"),
    "more of a vector": (lambda make: lambda k: np.concatenate([make(k), make(k + 50)[:, :3]], 1), vector, "extra", "the first 10 of 13", "in 8 of 8"),
}


@pytest.mark.parametrize("way", PARTS)
def test_a_part_of_the_values(tmp_path, way):
    change, make, kind, where, frames = PARTS[way]
    verdict = judged(tmp_path, {"y": change(make), "z": vector}, {"y": make, "z": vector}, status=1)
    assert causes(verdict) == ["output.shape"]
    f = finding(verdict, "output.shape")
    words = f["summary"] + " ".join(f["details"])
    assert f["severity"] == "error" and f["evidence"]["kind"] == kind and where in words and frames in words and f["where"]["tensor"] == "y", f


def test_several_outputs_are_one_finding(tmp_path):
    verdict = judged(tmp_path, {"boxes": lambda k: rows(k)[:-1, :4], "scores": lambda k: rows(k)[:-1, 4]}, {"boxes": lambda k: rows(k)[:, :4], "scores": lambda k: rows(k)[:, 4]}, status=1)
    assert causes(verdict) == ["output.shape"] and "scores" in " ".join(finding(verdict, "output.shape")["details"])


def noisy(make):
    return lambda k: make(k) + np.random.default_rng(k).normal(0, 1e-6, make(k).shape).astype(np.float32)


def test_noise_takes_rows_away(tmp_path):
    """What is near a threshold comes and goes with noise, which the other rows or another output show."""
    verdict = judged(tmp_path, {"y": some(lambda r: r[:-1], (2,))(noisy(rows))}, {"y": rows}, status=0)
    assert [(f["cause"], f["severity"]) for f in verdict["findings"]] == [("log.coverage", "info")]
    (tmp_path / "two").mkdir()
    verdict = judged(tmp_path / "two", {"y": some(lambda r: r[:-1], (2,))(rows), "z": noisy(vector)}, {"y": rows, "z": vector}, status=0)
    assert "output.shape" not in causes(verdict)


@pytest.mark.parametrize("how", ["padding", "told alike"])
def test_another_format_is_a_warning(tmp_path, how):
    if how == "padding":
        verdict = judged(tmp_path, {"y": lambda k: rows(k, 3)}, {"y": lambda k: np.pad(rows(k, 3), ((0, 2), (0, 0)))}, status=0)
    else:
        verdict = judged(tmp_path, {"y": lambda k: rows(k, 3)}, {"y": lambda k: np.concatenate([rows(k, 3), rows(k + 50, 2)])}, tell=(str, str), status=0)
        (tmp_path / "other").mkdir()
        other = judged(tmp_path / "other", {"y": lambda k: rows(k, 3)}, {"y": lambda k: np.concatenate([rows(k, 3), rows(k + 50, 2)])}, tell=(str, lambda k: str(max(k, 1))), status=1)
        assert "output.shape" in causes(other)
    assert [(f["cause"], f["severity"]) for f in verdict["findings"]] == [("output.shape" if how == "padding" else "log.coverage", "warning")], verdict["findings"]


@pytest.mark.parametrize("right", [True, False])
def test_the_class_for_the_scores(tmp_path, right):
    """Of equal inputs the same was told: the format alone differs.  Where it was not, that is told."""
    best = lambda k: int(vector(k).argmax())  # noqa: E731
    verdict = judged(tmp_path, {"class": lambda k: np.array([best(k)], np.int64)}, {"scores": vector},
                     tell=(lambda k: f"class {best(k) if right or k != 3 else 77}", lambda k: f"class {best(k)}"), status=0 if right else 1)
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "error"] == ([] if right else ["output.postprocess"]), verdict["findings"]


def test_a_class_that_is_tied_with_another(tmp_path):
    """One frame whose two best are nearly as large: each side tells its own choice."""
    def tied(k):
        v = vector(k)
        order = v[0].argsort()
        v[0, order[-2]] = v[0, order[-1]] - (1e-6 if k == 3 else 1)
        return v
    best = lambda k, place=-1: int(tied(k)[0].argsort()[place])  # noqa: E731
    own = lambda k: best(k, -2 if k == 3 else -1)  # noqa: E731
    verdict = judged(tmp_path, {"class": lambda k: np.array([own(k)], np.int64)}, {"scores": tied}, tell=(lambda k: f"class {own(k)}", lambda k: f"class {best(k)}"), status=0)
    assert "output.postprocess" not in [f["cause"] for f in verdict["findings"]], verdict["findings"]


def test_the_same_class_in_all_frames(tmp_path):
    """Of another format: no buffer that is never filled."""
    verdict = judged(tmp_path, {"class": lambda k: np.array([4], np.int64)}, {"scores": lambda k: vector(k) + 9 * (np.arange(10) == 4).astype(np.float32)}, tell=(lambda k: "four",) * 2, status=0)
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "error"] == []


@pytest.mark.parametrize("alike", [0, 1])
@pytest.mark.parametrize("told", ["", "four"])
def test_results_that_hold_nothing_vouch_for_no_output(tmp_path, alike, told):
    """Outputs of other shapes (but for the first frame) and other values, of which both applications tell nothing, or the same."""
    verdict = judged(tmp_path, {"y": lambda k: rows(k, 3) if k < alike else rows(k + 77, 5)}, {"y": lambda k: rows(k, 3)}, tell=(lambda k: told,) * 2)
    assert verdict["verdict"] == ("pass" if told else "inconclusive")


def test_an_output_that_is_never_filled(tmp_path):
    verdict = judged(tmp_path, {"y": lambda k: 0 * vector(k)}, {"y": vector}, status=1)
    assert causes(verdict) == ["layer.constant"]
    f = finding(verdict, "layer.constant")
    assert "0 everywhere" in f["summary"] and f["where"]["stage"] == "output"


@pytest.mark.parametrize("edge, dead", [(lambda k: 0 * vector(k), True), (lambda k: 0 * vector(k) + k, False), (vector, False)])
def test_an_output_that_is_never_filled_by_statistics(tmp_path, edge, dead):
    for role, make in (("edge", edge), ("reference", vector)):
        with Recording(tmp_path / role, role) as log:
            for k in range(FRAMES):
                log.stats("/output/y", make(k), k)
                log.frame([("/input/x", x(k), {})])
    verdict = validate(tmp_path / "edge", tmp_path / "reference", status=1 if dead else None)
    assert ("layer.constant" in causes(verdict)) == dead


def test_an_output_of_one_value_on_both_sides(tmp_path):
    """A wake word that nobody says."""
    assert judged(tmp_path, {"y": lambda k: 0 * vector(k)}, {"y": lambda k: 0 * vector(k)}, status=0)["findings"] == []


def test_frames_with_nan_are_listed(tmp_path):
    def broken(k):
        return np.where(np.arange(10) == 3, np.nan, vector(k)).astype(np.float32) if k in (1, 6) else vector(k)
    f = finding(judged(tmp_path, {"y": broken}, {"y": vector}, status=1), "layer.nan")
    assert "frames 1 and 6" in " ".join(f["details"]) and f["evidence"]["frame_list"] == "frames 1 and 6"


@pytest.mark.parametrize("kept,dtype,told", [(7, "float32", True), (20, "float32", False), (7, "int8", False)], ids=["a third", "one less", "integers inside"])
def test_another_number_of_results_where_outputs_alone_are_recorded(tmp_path, kept, dtype, told):
    """One frame: rounding of floats moves a value over a threshold, not two thirds of them; what integers inside round is not known."""
    for role, n in (("edge", kept), ("reference", 21)):
        with Recording(tmp_path / role, role) as log:
            log.model([("x", "float32", (1, 24), [], [], 0), ("h", dtype, (1, 24), [1.0] if dtype == "int8" else [], [0] if dtype == "int8" else [], 0), ("kept", "float32", (-1, 7), [], [], 0)],
                      [("RELU", [0], [1]), ("NON_MAX_SUPPRESSION_V5", [1], [2])], [0], [2])
            log.frame([("/input/x", x(0), {}), ("/output/kept", rows(0 if role == "edge" else 1, n), {})])
    v = validate(tmp_path / "edge", tmp_path / "reference", status=1 if told else 3)
    assert [f["cause"] for f in v["findings"] if f["severity"] == "error"] == (["layer.unknown"] if told else [])
