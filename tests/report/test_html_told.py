"""What both sides told, as the HTML report draws it: boxes, points and masks over the picture, texts, vectors."""

import re

import numpy as np
import pytest
from html_logs import HOSTILE, write_drawn
from html_support import image_of, page_writer, read_page, write_html
from log_writer import PB, Log
from validate_support import Recording, textures

page_of = page_writer(write_drawn)


def marks(page, frame, css):
    drawing = [s for s in page.inside(page.one("div", id=f"frame-{frame}"), "svg") if "marks" in s["attributes"]["class"]]
    return [e for tag in ("path", "circle") for e in page.inside(drawing[0], tag) if e["attributes"]["class"] == css]


def corners(path):
    return np.array(re.findall(r"-?[\d.]+", path["attributes"]["d"]), float).reshape(-1, 2)


def rows(page, frame):
    table = page.inside(page.one("div", id=f"frame-{frame}"), "table")[0]
    return [[re.sub(r"\s+", " ", c["text"]) for c in page.elements if c["tag"] == "td" and c["parent"] is r]
            for r in page.inside(table, "tr")][1:]


def box(result, x, y, side, k, label=None, score=0.5):
    result.boxes.add(x_min=x, y_min=y, x_max=x + side, y_max=y + side, id=k, score=score, label=label)


def test_boxes_of_both_sides(tmp_path):
    def edge(r, i):
        box(r, 0.1, 0.2, 0.4, 1, "cat")
        box(r, 0.6, 0.6, 0.3, 2, HOSTILE)

    def reference(r, i):
        box(r, 0.1, 0.2, 0.4, 1, "cat")
        if i == 0:
            box(r, 0.6, 0.61, 0.3, 3, "a dog")

    def truth(r, i):
        box(r, 0.1, 0.2, 0.41, 1)

    page, _ = page_of(tmp_path, edge, reference, truth=truth)
    same, = marks(page, 0, "edge same")
    assert np.abs(corners(same) / 480 - [[0.1, 0.2], [0.5, 0.2], [0.5, 0.6], [0.1, 0.6]]).max() < 1e-3
    assert len(marks(page, 0, "edge")) == len(marks(page, 0, "reference")) == 1 == len(marks(page, 0, "truth"))
    assert len(marks(page, 1, "reference")) == 0
    hostile, dog = HOSTILE.replace("\u2028", "\ufffd").replace("\u202e", "\ufffd"), "a dog class 3 score 0.5"
    assert rows(page, 0) == [[f"{hostile} class 2 score 0.5", dog, "0.94"], ["cat class 1 score 0.5", "cat class 1 score 0.5", "1.00"]]
    assert rows(page, 1)[0] == [f"{hostile} class 2 score 0.5", "none", "–"]
    # They lie on the sensor's picture.
    figure = page.having("overlay")[0]
    assert np.abs(image_of(figure, page).astype(int) - textures(2, 64, seed=5)[0]).max() <= 1


def test_many_and_impossible_boxes(tmp_path):
    def many(r, i):
        for k in range(3000):
            box(r, 0.0003 * k, 0.1, 0.01, k)

    def odd(r, i):
        for x in (float("nan"), float("inf"), -1e30, 1e30):
            box(r, x, x, 1, -(2**63))

    page, target = page_of(tmp_path, many, odd)
    assert target.stat().st_size < 600_000
    section = page.one("section", id="pictures")["text"]
    assert "Of the edge's 3000 boxes the first 200 are shown." in section and "And 184 more." in section
    for path in marks(page, 0, "edge") + marks(page, 0, "reference"):
        assert np.abs(corners(path)).max() <= 720


def test_without_a_picture(tmp_path):
    page, _ = page_of(tmp_path, lambda r, i: box(r, 0.1, 0.1, 0.5, 1), lambda r, i: box(r, 0.2, 0.1, 0.5, 1), camera=False)
    assert page.inside(page.having("overlay")[0], "img")  # the reference's input
    pair = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / f"{role}2", role) as log:
            for i in range(2):
                r = PB["Result"](frame=i)
                box(r, 0.1 if role == "edge" else 0.4, 0.1, 0.5, 1)
                log.add("/result", "Result", r)
                log.frame([])
        pair.append(tmp_path / f"{role}2")
    page = read_page(write_html(tmp_path / "n.html", *pair))
    assert "No picture was recorded" in page.having("overlay")[0]["text"] and len(marks(page, 0, "edge")) == 1


def test_key_points(tmp_path):
    def at(dx):
        def tell(r, i):
            for k in range(3):
                r.keypoints.add(x=0.2 + 0.2 * k + (dx if k == 1 else 0), y=0.5, score=0.9, id=k)
        return tell

    page, _ = page_of(tmp_path, at(0.1), at(0))
    assert [float(c["attributes"]["cx"]) for c in marks(page, 0, "edge")] == [96, 240, 288]
    assert len(marks(page, 0, "reference")) == 3 and len(marks(page, 0, "move")) == 1
    assert "1 of 3 points are 2 % of the picture's sides or more apart; the mean is 3.3 %, the most 10.0 % (point 1)." in page.one("div", id="frame-0")["text"]


@pytest.mark.parametrize("stage", [False, True])
def test_masks(tmp_path, stage):
    ids = np.zeros((64, 64), np.uint8)
    ids[16:48, 8:24] = 1
    turned = np.ascontiguousarray(ids[:, ::-1])

    def tell(ids):
        def fill(r, i):
            r.mask.width, r.mask.height, r.mask.ids = 64, 64, ids.tobytes()
        return fill

    if stage:
        page, _ = page_of(tmp_path, None, None, stages=({"mask": turned}, {"mask": ids}))
    else:
        page, _ = page_of(tmp_path, tell(turned), tell(ids))
    edge, reference, difference = [f for f in page.inside(page.one("div", id="frame-0"), "figure") if f["attributes"]["class"] == "mask"]
    assert "25 % of the pixels" in difference["text"]
    orange = np.all(np.abs(image_of(difference, page).astype(int) - [240, 112, 32]) < 40, axis=-1)
    nearest = np.arange(orange.shape[0]) * 64 // orange.shape[0]
    assert (orange != (ids != turned)[np.ix_(nearest, nearest)]).mean() < 0.06  # JPEG blurs the edges
    plain = textures(2, 64, seed=5)[0].astype(int)
    shown = image_of(reference, page).astype(int)
    step = shown.shape[0] / 64
    assert np.abs(shown[int(4 * step), int(4 * step)] - plain[4, 4]).max() < 60
    assert [[c.strip() for c in r] for r in rows(page, 0)] == [["class 0", "87.5 %", "87.5 %"], ["class 1", "12.5 %", "12.5 %"]]


def test_masks_of_other_sizes(tmp_path):
    def tell(side):
        def fill(r, i):
            r.mask.width = r.mask.height = side
            r.mask.ids = np.full((side, side), 255, np.uint8).tobytes()
        return fill

    page, _ = page_of(tmp_path, tell(10), tell(300))
    text = page.one("div", id="frame-0")["text"]
    assert "0.0 % of the pixels; the sizes differ" in text and "not counted" in text


@pytest.mark.parametrize("edge, reference, marked, at", [
    ("hello wörld", "hello wörd", ["l", "\u00a0"], 10),
    ("é1", "è1", ["é", "è"], 1),
    ("a" * 900 + "b" + "c" * 900, "a" * 900 + "d" + "c" * 900, ["b", "d"], 901),
    ("", "said", ["said"], 1),
])
def test_texts_side_by_side(tmp_path, edge, reference, marked, at):
    page, _ = page_of(tmp_path, lambda r, i: setattr(r, "text", edge), lambda r, i: setattr(r, "text", reference))
    frame = page.one("div", id="frame-0")
    assert [m["text"] for m in page.inside(frame, "mark")] == marked
    assert f"The texts differ from character {at} on." in frame["text"] and len(frame["text"]) < 2000


def test_equal_texts_and_vectors(tmp_path):
    def tell(last):
        def fill(r, i):
            r.text = "<i>same</i>"
            r.vectors.add(name="embedding", value=[1, 0, last])
        return fill

    page, _ = page_of(tmp_path, tell(0), tell(1))
    frame = page.one("div", id="frame-0")
    assert "Both texts are equal." in frame["text"] and "<i>same</i>" in frame["text"] and "0.70711" in frame["text"]


def test_one_of_several_outputs_is_no_result(tmp_path):
    """Where some frames were told classes, another frame of a model of several outputs shows none of the first output."""
    def log_of(role):
        log = Log(tmp_path / role, metadata={"role": role})
        for i in range(2):
            begin = log.time
            for name in ("gender", "mood"):
                log.tensor(f"/output/{name}", np.array([[0.1, 0.2, 0.7]], np.float32), frame=i)
            if i == 0:
                log.add("/result", "Result", PB["Result"](frame=i, classes=[{"id": 1, "score": 0.9}]))
            log.frame(i, begin, source=f"{i}.jpg", label=1)
        log.finish()
        return tmp_path / role

    page = read_page(write_html(tmp_path / "r.html", log_of("edge"), log_of("reference")))
    assert "class 1" in page.one("div", id="frame-0")["text"]
    assert not any(page.inside(d, "table") for d in page.elements if d["attributes"].get("id") == "frame-1")
