"""What `validate` and `info` say of logs that lack frames, and of what happened to their recording."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from log_writer import PB
from small_log import info, run
from validate_support import EXRAY, Recording, validate


def write(path, role, which, events=(), **metadata):
    """events: (kind, text, frame, records_lost), each written before the frame of its position."""
    data = np.random.default_rng(1).random((64, 1, 8), dtype=np.float32)
    events = dict(events)
    with Recording(path, role, **metadata) as log:
        for k in which:
            log.count = k
            if k in events:
                log.add("/event", "Event", PB["Event"](**events[k]))
            log.frame([("/input/x", data[k % 64], {}), ("/output/y", data[k % 64] * 2, {})])
    return path


def text(*logs):
    result = subprocess.run([EXRAY, "validate", *logs], capture_output=True, text=True, timeout=60)
    assert result.returncode in (0, 1, 3), result.stderr
    return [line for line in result.stdout.splitlines() if line.startswith(("edge ", "reference "))], result


GAP = {399: {"kind": "gap", "text": "the disk was full", "frame": 47, "records_lost": 120}}
ERROR = {5: {"kind": "error", "text": "log_tensor: 5 bytes, 32 wanted", "frame": 5, "records_lost": 1}}
HOLED = [*range(47), 399]


def test_a_gap_and_an_error_are_said(tmp_path):
    edge = write(tmp_path / "e", "edge", HOLED, {**GAP, **ERROR}.items())
    reference = write(tmp_path / "r", "reference", HOLED)
    lines, result = text(edge, reference)
    assert lines == [
        "edge       frames 0-46 and 399 of 400; 1 gap, 120 records lost: the disk was full; "
        "1 error, 1 record lost: log_tensor: 5 bytes, 32 wanted",
        "reference  frames 0-46 and 399 of 400"]
    assert "PASS" in result.stdout


def test_a_whole_log_is_not_mentioned(tmp_path):
    logs = [write(tmp_path / role, role, range(5)) for role in ("edge", "reference")]
    assert text(*logs)[0] == []
    told = validate(*logs, status=0)["logs"]["edge"]
    assert told["frames"] == [[0, 4]] and told["frames_recorded"] == told["frames_ran"] == 5
    assert told["events"] == [] and told["gaps"] == told["errors"] == told["records_lost"] == told["event_count"] == 0


def test_json(tmp_path):
    edge = write(tmp_path / "e", "edge", HOLED, {**GAP, **ERROR, 0: {"kind": "user", "text": "on"}}.items())
    told = validate(edge, write(tmp_path / "r", "reference", HOLED), status=0)["logs"]["edge"]
    assert told["frames"] == [[0, 46], [399, 399]] and told["frame_ranges"] == 2
    assert told["frames_recorded"] == 48 and told["frames_ran"] == 400
    assert told["events"] == [
        {"kind": "user", "text": "on", "frame": None, "records_lost": None}, {"records_lost": 1, **ERROR[5]}, GAP[399]]
    assert (told["gaps"], told["errors"], told["records_lost"], told["event_count"]) == (1, 1, 121, 3)


def test_junit_and_page(tmp_path):
    events = {**GAP, 5: {"kind": "error", "text": "<b>\x1b[31m&\"", "frame": 5}}
    edge = write(tmp_path / "e", "edge", HOLED, events.items())
    reference = write(tmp_path / "r", "reference", range(400))
    subprocess.run([EXRAY, "validate", edge, reference, "--junit", tmp_path / "x.xml", "--html", tmp_path / "x.html"], capture_output=True)
    properties = {p.get("name"): p.get("value") for p in ElementTree.parse(tmp_path / "x.xml").iter("property")}
    assert set(properties) == {"edge", "reference", "edge covers"}
    assert properties["edge covers"].startswith("frames 0-46 and 399 of 400; 1 gap, 120 records lost")
    page = (tmp_path / "x.html").read_text()
    header = page[page.index('id="verdict"'):]
    header = header[:header.index("</section>")]
    assert "<strong>Edge log</strong>: frames 0-46 and 399 of 400; 1 gap" in header and "Reference log" not in header
    assert "<b>" not in header and "&lt;b&gt;" in header and "\x1b" not in page


def test_long_lists_are_bounded(tmp_path):
    which = range(0, 1000, 2)
    events = {k: {"kind": "gap", "text": "\u00fc" * 300, "frame": k, "records_lost": 2} for k in which}
    edge = write(tmp_path / "e", "edge", which, events.items())
    reference = write(tmp_path / "r", "reference", which)
    (line, _), _ = text(edge, reference)
    assert line.startswith("edge       frames 0, 2, 4, 6 and 496 more ranges of 999; 500 gaps, 1000 records lost: \u00fc")
    assert line.endswith("\u00fc...") and len(line.encode()) < 400
    told = validate(edge, reference, status=0)["logs"]["edge"]
    assert len(told["frames"]) == len(told["events"]) == 256
    assert told["frame_ranges"] == told["event_count"] == 500 and told["records_lost"] == 1000


def test_a_frame_of_which_the_system_alone_is_told_is_not_covered(tmp_path):
    with Recording(tmp_path / "e") as log:
        for _ in range(3):
            log.frame([("/output/y", np.ones((1, 8), np.float32), {})])
        log.add("/system", "System", PB["System"](frame=9, dropped_records=20))
    assert "frames     4: 0-2 of 10, 1 without an end\n" in run("info", tmp_path / "e")
    assert info(tmp_path / "e")["frames"]["ranges"] == [[0, 2]]


@pytest.mark.parametrize("which, words, ranges, ran", [
    (range(3), "frames     3\n", [[0, 2]], 3),
    (HOLED, "frames     48: 0-46 and 399 of 400\n", [[0, 46], [399, 399]], 400),
    ([7], "frames     1: 7 of 8\n", [[7, 7]], 8),
    ([1, 2, 5], "frames     3: 1-2 and 5 of 6\n", [[1, 2], [5, 5]], 6),
    (range(0, 40, 2), "frames     20: 0, 2, 4, 6, 8, 10, 12, 14 and 12 more ranges of 39\n", [[k, k] for k in range(0, 40, 2)], 39),
])
def test_info(tmp_path, which, words, ranges, ran):
    log = write(tmp_path / "e", "edge", which)
    assert words in run("info", log)
    frames = info(log)["frames"]
    assert frames["ranges"] == ranges and frames["ran"] == ran and frames["count"] == len(which)


def test_info_of_a_log_without_frames(tmp_path):
    with Recording(tmp_path / "e"):
        pass
    assert "frames     0\n" in run("info", tmp_path / "e")
    assert info(tmp_path / "e")["frames"]["ranges"] == []


def test_a_file_of_several(tmp_path):
    """The rest of the recording is in other files."""
    with Recording(tmp_path / "e") as log:
        log.writer.add_metadata("exray.file", {"number": "2", "previous": "e-1.mcap"})
        log.add("/event", "Event", PB["Event"](kind="rotate", text="the recording goes on from file 1"))
        for k in range(10, 20):
            log.count = k
            log.frame([("/output/y", np.full((1, 8), k, np.float32), {})])
        log.add("/event", "Event", PB["Event"](kind="rotate", text="this file ends here"))
    with Recording(tmp_path / "r", "reference") as log:
        for k in range(40):
            log.frame([("/output/y", np.full((1, 8), k, np.float32), {})])
    lines, _ = text(tmp_path / "e", tmp_path / "r")
    assert lines == ["edge       frames 10-19 of 20; file 2 of the recording, which goes on in the next"]
    found = next(f for f in validate(tmp_path / "e", tmp_path / "r", status=0)["findings"] if f["cause"] == "log.coverage")
    assert found["severity"] == "info" and found["evidence"]["frames_explained"] == 30
    assert "one file of several" in found["details"][0]


@pytest.mark.parametrize("number", ["\x1b[31m\n", "9" * 500])
def test_a_hostile_number_of_a_file(tmp_path, number):
    edge = write(tmp_path / "e", "edge", range(3))
    with Recording(tmp_path / "f") as log:
        log.writer.add_metadata("exray.file", {"number": number})
        log.add("/event", "Event", PB["Event"](kind="gap", text="", frame=2**64 - 1, records_lost=2**64 - 1))
        for k in (0, 1, 2**63, 2**64 - 1):
            log.count = k
            log.frame([("/output/y", np.full((1, 8), 1, np.float32), {})])
    (line, *_), result = text(tmp_path / "f", edge)
    assert "\x1b" not in result.stdout and len(line) < 500
    json.dumps(validate(tmp_path / "f", edge))


# ---- Scrubbed logs ----


def scrub(log, to, *options):
    run("scrub", log, "-o", to, *options)
    return to


def layers(path, role):
    """Inputs, a layer and outputs, of a model that is described."""
    data = np.random.default_rng(2).random((6, 1, 8), dtype=np.float32)
    with Recording(path, role) as log:
        log.model([("x", "float32", [1, 8], [], [], 0), ("m", "float32", [1, 8], [], [], 0), ("y", "float32", [1, 8], [], [], 0)],
                  [("RELU", [0], [1]), ("RELU", [1], [2])], [0], [2])
        for x in data:
            log.frame([("/input/x", x, {}), ("/layer/0", x, {}), ("/layer/1", x, {}), ("/output/y", x, {})])
    return path


def test_what_was_scrubbed_is_not_to_be_recorded_again(tmp_path):
    reference = layers(tmp_path / "r", "reference")
    edge = scrub(layers(tmp_path / "e", "edge"), tmp_path / "s", "--drop", "/input/*,/layer/*,/frame/source")
    verdict = validate(edge, reference, status=3)
    assert verdict["reason"] == "no input of the model is in both logs, and no layer: the edge log was scrubbed (without /input/*, /layer/*)"
    unjudged = {a["name"]: a["reason"] for a in verdict["assertions"] if a["status"] == "unjudged"}
    assert "no input of the model is in both logs: the edge log was scrubbed (without /input/*, /layer/*)" in unjudged.values()
    assert not any(reason and "record with" in reason for reason in unjudged.values())


def test_statistics_alone(tmp_path):
    edge = scrub(layers(tmp_path / "e", "edge"), tmp_path / "s", "--stats", "/*/*")
    reference = scrub(layers(tmp_path / "r", "reference"), tmp_path / "t", "--drop", "/output/y", "--stats", "/layer/?")
    texts = json.dumps(validate(edge, reference))
    assert "the edge log was scrubbed (statistics alone of /*/*), the reference log was scrubbed (without /output/y; statistics alone of /layer/?)" in texts


def test_what_has_nothing_to_do_with_it_is_not_told(tmp_path):
    """Sources alone were scrubbed: what is missing was not recorded."""
    logs = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            log.model([("x", "float32", [1, 8], [], [], 0), ("y", "float32", [1, 8], [], [], 0)], [("RELU", [0], [1])], [0], [1])
            for k in range(3):
                log.frame([("/output/y", np.full((1, 8), k, np.float32), {})])
        logs.append(scrub(tmp_path / role, tmp_path / f"{role}-s", "--drop", "/frame/source"))
    verdict = validate(*logs, status=3)
    assert "--capture io" in verdict["reason"] and "scrubbed" not in json.dumps(verdict)
