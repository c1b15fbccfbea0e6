"""The measures of what both sides told, as the page and the terminal show them."""

import subprocess

import numpy as np
from html_logs import HOSTILE_CELL, boxes, write_results
from html_support import read_page, write_html
from log_writer import PB
from validate_support import EXRAY, validate


def mask(seed):
    return PB["Result"](mask={"width": 8, "height": 6, "ids": np.random.default_rng(seed).integers(0, 3, 48, dtype=np.uint8).tobytes()})


def rows_of(page, table):
    return [[c["text"] for c in page.elements if c["tag"] in ("th", "td") and c["parent"] is row] for row in page.inside(table, "tr")]


def shown(value):
    return "\u2013" if value is None else f"{100 * value:.1f}\u00a0%"


def test_detections_against_the_truth(tmp_path):
    edge = write_results(tmp_path / "e.mcap", "edge", [boxes(2)] * 2, [boxes(0)] * 2)
    reference = write_results(tmp_path / "r.mcap", "reference", [boxes(0.1)] * 2)
    found = validate(edge, reference)["accuracy"]["measures"]
    page = read_page(write_html(tmp_path / "p.html", edge, reference))
    section = page.one("section", id="measures")
    whole, classes = page.inside(section, "table")
    head, *rows = rows_of(page, whole)
    assert head == ["Measure", "Edge", "Reference", "Agreement", "Better", "Frames"]
    words = {"boxes": "boxes that match", "map50": "mean average precision at IoU 0.5", "map": "mean average precision"}
    assert rows == [[words[m["name"]], shown(m["edge"]), shown(m["reference"]), shown(m["agreement"]), "higher", "2"]
                    for m in found if m["group"] is None]
    # Classes: folded, the worst of them, what they are called as text.
    details = page.inside(section, "details")
    assert len(details) == 1 and "open" not in details[0]["attributes"]
    assert page.inside(details[0], "summary")[0]["text"] == "Of each class: boxes that match (the worst 20 of 30)"
    rows = rows_of(page, classes)[1:]
    lost = {m["group"]: m["reference"] - m["edge"] for m in found if m["group"]}
    assert len(rows) == 20 and min(lost[r[0]] for r in rows) >= max(v for k, v in lost.items() if k not in {r[0] for r in rows})
    assert HOSTILE_CELL[:47] in {r[0] for r in rows} and len(page.all("script")) == 2
    assert [a["text"] for a in page.all("a", href="#measures")] == ["Measures"]


def test_masks_without_a_truth_and_words_instead_of_names(tmp_path):
    edge, reference = write_results(tmp_path / "e.mcap", "edge", [mask(1)] * 2), write_results(tmp_path / "r.mcap", "reference", [mask(2)] * 2)
    page = read_page(write_html(tmp_path / "p.html", edge, reference))
    section = page.one("section", id="measures")
    head, *rows = rows_of(page, page.inside(section, "table")[0])
    assert head == ["Measure", "Agreement", "Better", "Frames"] and "no truth" in section["text"]
    assert [r[0] for r in rows] == ["mean IoU", "equal pixels", "distance of boundaries"]
    assert rows[2][1].endswith(" pixels") and rows[2][2] == "lower"
    text = subprocess.run([EXRAY, "validate", edge, reference], capture_output=True, text=True).stdout
    assert "distance of boundaries   agreement" in text and "boundary_shift" not in text + section["text"]


def test_nearly_all_is_not_all(tmp_path):
    ids = np.zeros((100, 100), np.uint8)
    sides = []
    for changed in (0, 1):
        ids[0, :changed] = 1
        sides.append(PB["Result"](mask={"width": 100, "height": 100, "ids": ids.tobytes()}))
    edge, reference = write_results(tmp_path / "e.mcap", "edge", sides[:1]), write_results(tmp_path / "r.mcap", "reference", sides[1:])
    text = subprocess.run([EXRAY, "validate", edge, reference], capture_output=True, text=True).stdout
    assert "equal pixels   agreement 99.99 %" in text


def test_nothing_where_nothing_is_measured(tmp_path):
    sides = [write_results(tmp_path / f"{role}.mcap", role, [PB["Result"]()] * 2) for role in ("edge", "reference")]
    page = read_page(write_html(tmp_path / "p.html", *sides))
    assert page.all("section", id="measures") == page.all("a", href="#measures") == []
