"""A fault in some frames only names the reading (/reading/NAME) that separates them from the others."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

COUNT = 12
rng = np.random.default_rng(3)
PICTURES = [rng.normal(0, .2, (24, 28, 3)).astype(np.float32) + np.float32([.5, 0, -.4]) for _ in range(COUNT)]


def log(path, role, inputs, readings=None, unit="lux"):
    """readings: {name: values of each frame, or a list of them}."""
    with Recording(path, role) as recording:
        for f, x in enumerate(inputs):
            for name, values in (readings or {}).items():
                recording.add(f"/reading/{name}", "Reading", PB["Reading"](frame=f, value=np.atleast_1d(values[f]).tolist(), unit=unit))
            recording.frame([("/input/image", np.ascontiguousarray(x)[None], {})])
    return path


def wrong_where(tmp_path, chosen, readings, **how):
    edge = [x[..., ::-1] if c else x for x, c in zip(PICTURES, chosen)]
    verdict = validate(log(tmp_path / "e.mcap", "edge", edge, readings, **how), log(tmp_path / "r.mcap", "reference", PICTURES))
    assert causes(verdict)[0] == "input.channel_order", verdict["findings"]
    return finding(verdict, "input.channel_order")


DARK = [f in (1, 4, 5, 8, 10) for f in range(COUNT)]
LIGHT = [3. + f / 10 if d else 200. + 13 * f for f, d in enumerate(DARK)]


@pytest.mark.parametrize("readings, words, relation, threshold", [
    ({"light": LIGHT}, "the reading light is below 102 lux", "below", (4, 200)),
    ({"light": [-v for v in LIGHT]}, "the reading light is above -102 lux", "above", (-200, -4)),
    ({"noise": rng.normal(0, 1, COUNT), "light": LIGHT}, "the reading light is below 102 lux", "below", (4, 200)),
    ({"motion": [[f % 3, v, f % 5] for f, v in enumerate(LIGHT)]}, "the reading motion[1] is below 102 lux", "below", (4, 200)),
    ({"turn": [90. if d else 180. * (f % 2) for f, d in enumerate(DARK)]}, "the reading turn is 90 lux", "within", None),
    ({"turn": [180. * (f % 2) if d else 90. for f, d in enumerate(DARK)]}, "the reading turn is not 90 lux", "beyond", None),
])
def test_the_reading_that_separates(tmp_path, readings, words, relation, threshold):
    f = wrong_where(tmp_path, DARK, readings)
    assert f["summary"].endswith(f", only where {words}."), f["summary"]
    e = f["evidence"]
    assert e["reading_condition"] == words and e["reading_relation"] == relation and e["reading_unit"] == "lux"
    assert e["frame_list"] == "frames 1, 4, 5, 8 and 10" and e["frames_affected"] == 5
    assert threshold is None or threshold[0] < e["reading_threshold"] < threshold[1]
    assert any("separates them" in d for d in f["details"])


@pytest.mark.parametrize("readings", [
    None, {"light": rng.normal(0, 1, COUNT)}, {"light": [v if f != 4 else 250. for f, v in enumerate(LIGHT)]},
    {"light": [v if f != 7 else float("nan") for f, v in enumerate(LIGHT)]},
    {f"r{i}": rng.normal(0, 1, COUNT) for i in range(12)}], ids=["none", "noise", "one frame is otherwise", "one has none", "many"])
def test_no_reading_separates(tmp_path, readings):
    f = wrong_where(tmp_path, DARK, readings)
    assert "separating_reading" not in f["evidence"] and "only where" not in f["summary"] and f["evidence"]["frames_affected"] == 5


def test_one_frame_is_separated_by_chance(tmp_path):
    """The largest of twelve random values is that of one frame of six in a sixth of all logs."""
    values = [.1, .4, .2, .9, .3, .6, .5, .7, .8, .35, .65, .75]
    f = wrong_where(tmp_path, [f == 3 for f in range(COUNT)], {"light": values})
    assert "separating_reading" not in f["evidence"]


def test_all_frames_need_no_reading(tmp_path):
    f = wrong_where(tmp_path, [True] * COUNT, {"light": LIGHT})
    assert "frame_list" not in f["evidence"] and "separating_reading" not in f["evidence"]
