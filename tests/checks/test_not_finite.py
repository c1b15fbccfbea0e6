"""Values that are no number, place by place; and inputs and outputs of other frames that no one lag explains."""

import numpy as np
import pytest
from validate_support import Recording, causes, finding, validate

FRAMES, COUNT = 10, 24
nan, inf = np.nan, np.inf


def x(k):
    return np.random.default_rng(k).normal(0, 1, (1, COUNT)).astype(np.float32)


def y(k):
    return np.random.default_rng(100 + k).normal(0, 1, (1, 8)).astype(np.float32)


def put(values, place, value):
    values = values.copy()
    values[0, place] = value
    return values


def judged(tmp_path, edge=(x, y), reference=(x, y), status=None, keywords=None):
    for role, (given, made) in (("edge", edge), ("reference", reference)):
        with Recording(tmp_path / role, role) as log:
            for k in range(FRAMES):
                log.frame([("/input/x", given(k), {}), ("/output/y", made(k), (keywords or {}).get(role, {}))])
    return validate(tmp_path / "edge", tmp_path / "reference", status=status)


OTHERS = [((3, nan), (5, nan)), (None, (3, nan)), ((3, inf), (3, -inf)), ((3, nan), (3, inf)), ((3, inf), (5, inf))]


def at_4(make, what):
    return lambda k: put(make(k), *what) if what and k == 4 else make(k)


@pytest.mark.parametrize("edge, reference", OTHERS)
def test_no_numbers_at_other_places(tmp_path, edge, reference):
    found = judged(tmp_path, (x, at_4(y, edge)), (x, at_4(y, reference)), status=1)
    assert causes(found) == ["layer.nan"], found["findings"]
    (tmp_path / "inputs").mkdir()
    found = judged(tmp_path / "inputs", (at_4(x, edge), y), (at_4(x, reference), y), status=1)
    assert causes(found) == ["input.unknown"], found["findings"]


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_no_numbers_at_the_same_places_are_healthy(tmp_path, value):
    what = (3, value)
    assert judged(tmp_path, (at_4(x, what), at_4(y, what)), (at_4(x, what), at_4(y, what)), status=0)["findings"] == []


def test_what_a_type_cannot_hold_for_an_infinity_is_healthy(tmp_path):
    """-inf of scores that are ruled out, and the least that 8 bits hold."""
    scale = 4 / 127
    made = lambda k: np.clip(np.round(put(y(k), 3, -99) / scale), -128, 127).astype(np.int8)  # noqa: E731
    found = judged(tmp_path, (x, made), (x, lambda k: put(y(k), 3, -inf)), keywords={"edge": {"scale": [scale], "zero_point": [0]}})
    assert "layer.nan" not in causes(found)


def test_an_output_of_the_next_frame(tmp_path):
    """The last frame's is of none that the log has."""
    f = finding(judged(tmp_path, (x, lambda k: y(k + 1)), status=1), "output.frame_order")
    assert "that of the next frame, in 9 of 10 frames" in f["summary"] and any("came after the log ends" in d for d in f["details"])
    (tmp_path / "twice").mkdir()  # two at the end that no frame has: not one frame early
    found = judged(tmp_path / "twice", (x, lambda k: y(k + 1) if k < 8 else y(50 + k)), status=1)
    assert "output.frame_order" not in causes(found)


@pytest.mark.parametrize("origin, pattern, moved", [
    (lambda k: 0, "repeated", 9),                                    # a sensor that is stuck
    (lambda k: min(k, 5), "repeated", 4),                            # ... from frame 6 on
    (lambda k: {2: 7, 7: 2}.get(k, k), "exchanged", 2),
    (lambda k: [0, 4, 2, 1, 9, 5, 3, 7, 6, 8][k], "exchanged", 6)])
def test_inputs_of_other_frames(tmp_path, origin, pattern, moved):
    f = finding(judged(tmp_path, (lambda k: x(origin(k)), lambda k: y(origin(k))), status=1), "input.frame_order")
    assert (f["evidence"]["pattern"], f["evidence"]["frames_moved"]) == (pattern, moved)


def test_inputs_of_no_frame_are_none_of_another(tmp_path):
    other = lambda k: x({2: 7, 7: 2, 8: 60}.get(k, k))  # noqa: E731
    assert causes(judged(tmp_path, (other, y), status=1)) == ["input.unknown"]
    (tmp_path / "still").mkdir()
    still = lambda k: x(k // 5)  # noqa: E731
    assert judged(tmp_path / "still", (still, y), (still, y), status=0)["findings"] == []
