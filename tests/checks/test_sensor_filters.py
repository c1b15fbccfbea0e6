"""Raw pictures of sensors (Bayer) and 10-bit YUV: read in another order than the camera delivers them."""

import numpy as np
import pytest
from explain_support import explain, from_yuv, named, normalize, nv12, preprocess
from log_writer import PB
from validate_support import finding

cv2 = pytest.importorskip("cv2")

pytestmark = pytest.mark.data


def mosaic(picture, order, bits=8):
    """What a sensor with these filters delivers of a scene."""
    raw = np.empty(picture.shape[:2], "u1" if bits == 8 else "<u2")
    for i, letter in enumerate(order):
        at = (slice(i // 2, None, 2), slice(i % 2, None, 2))
        raw[at] = picture[..., "rgb".index(letter)][at].astype(int) << (bits - 8)
    return raw


def record(raw, format):
    return raw.tobytes(), PB["Media"](format=format, width=raw.shape[1], height=raw.shape[0])


def demosaic(raw, order, bits=8):
    return (cv2.cvtColor(raw, getattr(cv2, f"COLOR_Bayer{order.upper()}2RGB")) >> (bits - 8)).astype(np.uint8)


@pytest.mark.parametrize("right, wrong, bits", [("rggb", "grbg", 8), ("bggr", "gbrg", 12)])
def test_another_order_of_the_filters(tmp_path, pictures, right, wrong, bits):
    raws = [mosaic(p, right, bits) for p in pictures[:3]]
    records = [record(raw, f"bayer_{right}{bits}") for raw in raws]
    reference = normalize([preprocess(demosaic(raw, right, bits)) for raw in raws])
    verdict = explain(tmp_path, normalize([preprocess(demosaic(raw, wrong, bits)) for raw in raws]), reference, records)
    assert named(verdict) == ["color_space"], verdict["findings"]
    assert finding(verdict, "input.color_space")["evidence"]["read_as"] == f"bayer_{wrong}{bits}"


def test_red_and_blue_filters_exchanged(tmp_path, pictures):
    """RGGB as BGGR is red and blue exchanged, pixel by pixel: the finding names the order of filters, too."""
    raws = [mosaic(p, "rggb") for p in pictures[:3]]
    reference, edge = (normalize([preprocess(demosaic(raw, order)) for raw in raws]) for order in ("rggb", "bggr"))
    found = finding(explain(tmp_path, edge, reference, [record(raw, "bayer_rggb8") for raw in raws]), "input.channel_order")
    assert found["evidence"]["edge_order"] == "BGR" and found["evidence"]["read_as"] == "bayer_bggr8"


def test_filters_that_are_not_demosaiced(tmp_path, pictures):
    raws = [mosaic(p, "rggb") for p in pictures[:3]]
    reference = normalize([preprocess(demosaic(raw, "rggb")) for raw in raws])
    verdict = explain(tmp_path, normalize([preprocess(np.repeat(raw[..., None], 3, -1)) for raw in raws]), reference, [record(raw, "bayer_rggb8") for raw in raws])
    assert named(verdict) == ["color_space"] and "demosaiced" in finding(verdict, "input.color_space")["summary"]


def test_filters_read_as_they_lie(tmp_path, pictures):
    raws = [mosaic(p, "grbg", 10) for p in pictures[:3]]
    seen = normalize([preprocess(demosaic(raw, "grbg", 10)) for raw in raws])
    early = normalize([preprocess(demosaic((raw >> 2).astype(np.uint8), "grbg")) for raw in raws])  # 8 bits before colors
    assert named(explain(tmp_path, early, seen, [record(raw, "bayer_grbg10") for raw in raws])) == []


@pytest.mark.parametrize("swapped", [False, True])
def test_chroma_of_ten_bits(tmp_path, pictures, swapped):
    """The edge drops the two low bits, which is healthy; and exchanges U and V, which is not."""
    random, records, right, edge = np.random.default_rng(1), [], [], []
    for p in pictures:
        data, yuv = nv12(p, matrix="bt709")
        h, w = yuv.shape[:2]
        words = np.frombuffer(data, np.uint8).astype(int) * 4 + random.integers(0, 4, len(data))
        records.append(((words << 6).astype("<u2").tobytes(), PB["Media"](format="p010", width=w, height=h, matrix="bt709")))
        chroma = (words[h * w:] / 4).reshape(h // 2, w // 2, 2).repeat(2, 0).repeat(2, 1)
        right.append(preprocess(from_yuv(np.dstack([words[: h * w].reshape(h, w) / 4, chroma]), "bt709")))
        edge.append(preprocess(from_yuv(yuv[..., [0, 2, 1]] if swapped else yuv, "bt709")))
    verdict = explain(tmp_path, normalize(edge), normalize(right), records)
    assert named(verdict) == (["color_space"] if swapped else [])
    if swapped:
        assert finding(verdict, "input.color_space")["summary"].count("U and V are exchanged")
