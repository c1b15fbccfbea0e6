"""The HTML report frame by frame: which frames it shows, and what it calls classes, keys and causes."""

import re

import numpy as np
from html_logs import write_classes
from html_support import read_page, write_html
from validate_support import SYMMETRIC, Recording, normalize, textures


def page_of(folder, frames, wrong=(), **keywords):
    pair = [write_classes(folder, role, frames, wrong, **keywords) for role in ("edge", "reference")]
    target = write_html(folder / "r.html", *pair)
    return read_page(target), target


def test_all_frames_are_there(tmp_path):
    page, _ = page_of(tmp_path, 20, wrong=(4, 11))
    frames = page.having("frame")
    assert [f["attributes"]["id"] for f in frames] == [f"frame-{i}" for i in range(20)]
    assert [i for i, f in enumerate(frames) if "differs" in f["attributes"]["class"]] == [4, 11]
    assert 2 <= len(page.having("notable")) <= 4 and "all of the 20 matched frames" in page.one("section", id="pictures")["text"]
    strip = page.inside(page.having("strip")[0], "a")
    assert [a["attributes"]["href"] for a in strip] == [f"#frame-{i}" for i in range(20)]
    assert page.one("div", id="viewer")["attributes"]["data-first"] in ("frame-4", "frame-11")
    # Equal inputs are one picture, except in the notable frames.
    assert all(len(page.inside(f, "figure")) == 1 for f in frames if "more" in f["attributes"]["class"])


def test_many_frames_are_bounded(tmp_path):
    page, target = page_of(tmp_path, 500, wrong=range(40, 240))
    frames = [int(f["attributes"]["id"].split("-")[1]) for f in page.having("frame")]
    assert len(frames) <= 60 and frames == sorted(set(frames)) and frames[0] == 0 and frames[-1] > 480
    assert 20 < sum(40 <= f < 240 for f in frames) < 50
    assert re.search(r"\b\d\d of the 500 matched frames", page.one("section", id="pictures")["text"])
    assert target.stat().st_size < 1_000_000


def test_classes_have_names(tmp_path):
    page, _ = page_of(tmp_path, 6, wrong=(2,))
    decisions = page.one("section", id="decisions")["text"]
    assert "<b>\ufffdcat</b>" in decisions and "name 1" in decisions  # of the first of two messages, and of the label
    row = page.inside(page.having("changes")[0], "tr")[1]
    assert [re.sub(r"\s+", " ", c["text"]) for c in page.inside(row, "td")][-1] == "name 1 class 1"
    wrong = page.one("div", id="frame-2")["text"]
    assert "Edge: <b>\ufffdcat</b> (class 3); reference: name 1 (class 1); label: name 1 (class 1)." in wrong


def test_names_from_the_label_file(tmp_path):
    page, _ = page_of(tmp_path, 4, wrong=(2,), labels=False, attach=["zero", "one", "two", "three"])
    assert "Edge: three (class 3); reference: one (class 1)" in page.one("div", id="frame-2")["text"]


def test_keys_are_words_and_causes_explained(tmp_path):
    pictures = textures(8, 32)
    pair = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for p in pictures:
                log.frame([("/input/image", normalize([p[..., ::-1] if role == "edge" else p], *SYMMETRIC)[0][None], {})])
        pair.append(tmp_path / role)
    page = read_page(write_html(tmp_path / "r.html", *pair))
    keys = [page.inside(d, "dt") for d in page.having("evidence")][0]
    assert len(keys) > 5 and not [k["text"] for k in keys if "_" in k["text"]]
    assert not [t["text"] for t in page.inside(page.having("facts")[0], "th") if "_" in t["text"]]
    link = page.inside(page.having("cause")[0], "a")[0]
    assert link["attributes"]["href"] == "#cause-input-channel_order".replace("_", "-")
    meaning = page.one("article", id="cause-input-channel-order")["text"]
    assert meaning.startswith("input.channel_order") and "Fix:" in meaning
    fix = page.having("fix")[0]
    assert [b["attributes"]["class"] for b in page.inside(fix, "button")] == ["copy"]


def test_a_mask_does_not_flatten_the_ranges(tmp_path):
    layers = np.random.default_rng(4).normal(size=(12, 64)).astype(np.float32)
    layers[7] = -3.4e38
    pair = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            log.model([(f"t{i}", "float32", (1, 64), [], [], 0) for i in range(13)], [("ADD", [i], [i + 1]) for i in range(12)], [0], [12])
            for _ in range(2):
                log.frame([("/input/t0", layers[:1], {})] + [(f"/layer/{i}", layers[i : i + 1], {}) for i in range(12)])
        pair.append(tmp_path / role)
    page = read_page(write_html(tmp_path / "r.html", *pair))
    chart = page.one("svg", id="chart-range")
    heights = [float(r["attributes"]["height"]) for r in page.inside(chart, "rect")]
    assert sorted(heights)[-20] > 60  # of about 180
    beyond = [e for e in page.inside(chart, "path") if e["attributes"].get("class") == "beyond"]
    assert len(beyond) == 1 and "3.4e+38" in beyond[0]["text"]
    assert "1 layer reaches further than the chart" in page.one("section", id="layers")["text"]
    assert abs(page.data["layers"][3]["h"]["lo"]) < 10
