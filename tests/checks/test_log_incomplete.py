"""log.incomplete: frames that stop before the model's output."""

import numpy as np
import pytest
from validate_support import PB, Recording, causes, validate

PIXELS = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
SCORES = np.linspace(0, 1, 10, dtype=np.float32)[None]


def write(path, role, frames, dropped=None, **metadata):
    """frames: what each has, of "i" (input), "o" (output), "r" (result), "s" (a stage)."""
    with Recording(path, role, task="classification", **metadata) as log:
        for i, kept in enumerate(frames):
            if i == dropped:
                log.add("/system", "System", PB["System"](frame=i, dropped_records=3))
            tensors = {"i": ("/input/x", PIXELS, {}), "s": ("/stage/s", PIXELS, {}), "o": ("/output/y", SCORES, {})}
            log.frame([tensors[k] for k in kept if k != "r"], result=[9, 3] if "r" in kept else None)
    return path


def run(tmp_path, edge, reference, **options):
    return validate(write(tmp_path / "e", "edge", edge, **options), write(tmp_path / "r", "reference", reference))


@pytest.mark.parametrize("edge, reference, side, frames, first", [
    (["io", "i", "io"], ["io"] * 3, "edge", 1, 1),
    (["io", "io", "s", "i"], ["io"] * 4, "edge", 2, 2),
    (["ior", "ior", "i"], ["io"] * 3, "edge", 1, 2),
    (["io", "", "io", ""], ["io"] * 4, "edge", 2, 1),  # it failed before the model ran
    (["io"] * 3, ["i", "io", "io"], "reference", 1, 0)])
def test_a_frame_without_an_output_is_told(tmp_path, edge, reference, side, frames, first):
    verdict = run(tmp_path, edge, reference)
    assert causes(verdict) == ["log.incomplete"] and verdict["verdict"] == "pass"
    found = verdict["findings"][0]
    assert found["severity"] == "warning" and f"the {side} log" in found["summary"]
    assert f"{frames} of {len(edge)} frames" in found["summary"] and f"frame {first}, {first}.jpg" in found["summary"]
    assert found["evidence"]["frames"] == frames and found["evidence"]["first_frame"] == first


@pytest.mark.parametrize("edge, reference", [
    (["io"] * 3, ["io"] * 3),
    (["ir", "ir"], ["io", "io"]),  # the result is an output
    (["io", "i"], ["io", "i"]),    # nor has the reference one
    (["i", "i"], ["io", "io"])])   # outputs are not kept at all
def test_what_was_not_to_be_recorded_is_no_gap(tmp_path, edge, reference):
    verdict = validate(write(tmp_path / "e", "edge", edge), write(tmp_path / "r", "reference", reference), status=None)
    assert "log.incomplete" not in causes(verdict)


@pytest.mark.parametrize("frames, says", [
    (["io", "", "", "io", ""], {"every_nth": "3"}),
    (["io", "io", "", ""], {"first_frames": "2"}),
    (["", "io", "", "io"], {"flight": "full", "capture": "frame"})])
def test_frames_that_the_log_says_are_left_out(tmp_path, frames, says):
    whole = write(tmp_path / "r", "reference", ["io"] * len(frames))
    assert "log.incomplete" not in causes(validate(write(tmp_path / "e", "edge", frames, **says), whole, status=None))
    found = validate(write(tmp_path / "f", "edge", ["", *frames[1:]], **says), whole, status=None)
    assert ("log.incomplete" in causes(found)) == ("flight" not in says)  # frame 0 is none of those


def test_dropped_records_are_told_as_such(tmp_path):
    assert causes(run(tmp_path, ["io", "i", "io"], ["io"] * 3, dropped=1)) == ["perf.dropped"]
