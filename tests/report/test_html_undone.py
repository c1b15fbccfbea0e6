"""The pictures of the HTML report: what is left once the named fault is undone, or applied to
the reference, is next to nothing; for every kind of fault of the input."""

import re

import numpy as np
import pytest
from explain_support import COLOURS, FAULTS, QUANTIZED, UNIT, explain, from_yuv, normalize, preprocess, quantize, yuv_camera
from html_support import read_page, write_html

pytestmark = pytest.mark.data


def differences(folder, edge, reference, sensors=None, keywords=None):
    """nRMSE as it is and as it is left, for each frame shown."""
    explain(folder, edge, reference, sensors, keywords)
    page = read_page(write_html(folder / "r.html", folder / "edge.mcap", folder / "reference.mcap"))
    found = []
    for frame in page.having("frame"):
        texts = [f["text"] for f in page.inside(frame, "figure") if f["attributes"]["class"] == "difference"]
        found.append([0.0 if "equal" in t else float(re.search(r"nRMSE ([0-9.]+)", t)[1]) for t in texts])
    assert found
    return found, page


def check(found, left):
    for before, *after in found:
        assert len(after) == 1 and after[0] <= max(left, 0.25 * before), found


@pytest.mark.parametrize("sensor", ["sensor", "no sensor"])
@pytest.mark.parametrize("fault", ["rotated 90", "mirrored", "transposed", "stretched", "letterboxed", "a corner", "nearest",
                                   "bgr, unit, rotated", "stretched, bgr, mirrored", "all"])
def test_every_link_is_accounted_for(tmp_path, jpeg, fault, sensor):
    records, seen = jpeg
    how, numbers, *_ = FAULTS[fault]
    reference = normalize([preprocess(p) for p in seen])
    edge = quantize(normalize([preprocess(p, **how) for p in seen], **numbers))
    found, page = differences(tmp_path, edge, reference, records if sensor == "sensor" else None, QUANTIZED)
    if fault == "nearest" and sensor == "no sensor":  # which kernel it was cannot be told
        assert all(len(f) == 1 for f in found) and "cannot be told" in page.one("section", id="pictures")["text"]
        return
    # Of a picture with little detail, the part that is shown is known less well without the sensor's.
    check(found, 0.05 if (fault, sensor) == ("a corner", "no sensor") else 0.005)
    kinds = [t["text"] for t in page.all("figure") if t["attributes"]["class"] == "mended"]
    exact = fault in ("rotated 90", "mirrored", "transposed", "bgr, unit, rotated")
    assert all(("fault undone" in k) == exact for k in kinds) or not exact
    if exact:  # turned and coloured as the reference is: nothing had to be applied to it
        assert len(kinds) == len(found)


@pytest.mark.parametrize("sensor", ["sensor", "no sensor"])
@pytest.mark.parametrize("mistake", COLOURS)
def test_colours_are_accounted_for(tmp_path, pictures, mistake, sensor):
    records, raw = yuv_camera(pictures)
    reference = normalize([preprocess(from_yuv(y)) for y in raw])
    edge = normalize([preprocess(COLOURS[mistake](y)) for y in raw])
    check(differences(tmp_path, edge, reference, records if sensor == "sensor" else None)[0], 0.004)


def test_numbers_and_rows_are_accounted_for(tmp_path, jpeg):
    seen = [preprocess(p) for p in jpeg[1]]
    reference = normalize(seen)
    cases = {
        "planes": ([p.transpose(2, 0, 1).reshape(p.shape) for p in reference], None),
        "signed": ([q ^ np.uint8(128) for q in quantize(reference)], QUANTIZED),
        "no zero point": (quantize(reference, zero_point=0), QUANTIZED),
        "cast": ([np.clip(np.trunc(r), 0, 255).astype(np.uint8) for r in reference], QUANTIZED),
        "stride": ([np.pad(r, ((0, 0), (0, 4), (0, 0))).reshape(-1)[: r.size].reshape(r.shape) for r in reference], None),
        "gamma": (normalize([np.round(255 * (p / 255) ** 2.2) for p in seen]), None),
        "unit": (normalize(seen, **UNIT), None),
    }
    for name, (edge, keywords) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        check(differences(folder, edge, reference, None, keywords)[0], 0.004)


def test_a_late_frame_is_named(tmp_path, jpeg):
    reference = normalize([preprocess(p) for p in jpeg[1]])
    found, page = differences(tmp_path, [np.zeros_like(reference[0])] + reference[:-1], reference)
    assert [f for f in found if len(f) == 2] and all(f[1] == 0 for f in found if len(f) == 2)
    for frame in page.having("frame"):
        number = int(page.inside(frame, "h3")[0]["text"].split(",")[0].split()[1])
        texts = [f["text"] for f in page.inside(frame, "figure") if f["attributes"]["class"] == "mended"]
        assert all(f"of frame {number - 1}," in t for t in texts)
