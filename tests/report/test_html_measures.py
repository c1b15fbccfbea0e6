"""The measures of what both sides told, as the page and the terminal show them."""

import subprocess

import numpy as np
from html_support import read_page, write_html
from log_writer import PB, Log
from validate_support import EXRAY, validate

HOSTILE = "</td></table><script>alert(1)</script>"


def write(path, role, results, truths=None):
    log = Log(path, metadata={"role": role})
    for i, told in enumerate(results):
        begin = log.time
        for topic, content in (("/result", told), *([("/truth", truths[i])] if truths else [])):
            message = PB["Result"](frame=i)
            message.MergeFrom(content)
            log.add(topic, "Result", message)
        log.frame(i, begin, source=f"{i}.jpg")
    log.finish()
    return path


def boxes(shift, classes=30):
    """A box of each class; the later its number, the more `shift` moves it."""
    told = []
    for k in range(classes):
        x = 0.02 * k + 0.02 * shift * k / classes
        told.append({"x_min": x, "y_min": 0.1, "x_max": x + 0.05, "y_max": 0.2, "id": k, "score": 0.9,
                     "label": HOSTILE if k == classes - 1 else f"thing {k}"})
    return PB["Result"](boxes=told)


def mask(seed):
    return PB["Result"](mask={"width": 8, "height": 6, "ids": np.random.default_rng(seed).integers(0, 3, 48, dtype=np.uint8).tobytes()})


def rows_of(page, table):
    return [[c["text"] for c in page.elements if c["tag"] in ("th", "td") and c["parent"] is row] for row in page.inside(table, "tr")]


def shown(value):
    return "\u2013" if value is None else f"{100 * value:.1f}\u00a0%"


def test_detections_against_the_truth(tmp_path):
    edge = write(tmp_path / "e.mcap", "edge", [boxes(2)] * 2, [boxes(0)] * 2)
    reference = write(tmp_path / "r.mcap", "reference", [boxes(0.1)] * 2)
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
    assert HOSTILE[:47] in {r[0] for r in rows} and len(page.all("script")) == 2
    assert [a["text"] for a in page.all("a", href="#measures")] == ["Measures"]


def test_masks_without_a_truth_and_words_instead_of_names(tmp_path):
    edge, reference = write(tmp_path / "e.mcap", "edge", [mask(1)] * 2), write(tmp_path / "r.mcap", "reference", [mask(2)] * 2)
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
    edge, reference = write(tmp_path / "e.mcap", "edge", sides[:1]), write(tmp_path / "r.mcap", "reference", sides[1:])
    text = subprocess.run([EXRAY, "validate", edge, reference], capture_output=True, text=True).stdout
    assert "equal pixels   agreement 99.99 %" in text


def test_nothing_where_nothing_is_measured(tmp_path):
    sides = [write(tmp_path / f"{role}.mcap", role, [PB["Result"]()] * 2) for role in ("edge", "reference")]
    page = read_page(write_html(tmp_path / "p.html", *sides))
    assert page.all("section", id="measures") == page.all("a", href="#measures") == []
