"""Inputs so large that the search looks at a part of their rows first: what it names is the same."""

import numpy as np
import pytest
from explain_support import (BICUBIC, BILINEAR, centre, corner, decoded, encode, explain, named, normalize, opencv, pillow,
                             preprocess, scenes, whole)
from PIL import Image
from validate_support import finding

pytestmark = pytest.mark.data
SIDE = 256


def hsv(p):
    return np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert("HSV"))


@pytest.fixture(scope="module")
def camera():
    records = [encode(p, "jpeg") for p in scenes(4)]
    return records, [decoded(*r) for r in records]


FAULTS = {
    "equal": (dict(), ""),
    "bilinear": (dict(resize=BILINEAR), "resize"),
    "nearest": (dict(resize=pillow(Image.NEAREST)), "resize"),
    "another fraction, rotated": (dict(crop=centre(0.7), turns=1), "crop rotation"),
    "a corner, mirrored": (dict(crop=corner(0.8), mirror=1), "crop flip"),
    "stretched": (dict(crop=whole), "crop"),
    "letterboxed": (dict(boxed=(Image.BICUBIC, SIDE, 114)), "crop"),
    "letterboxed, transposed": (dict(boxed=(Image.BICUBIC, SIDE, 0), turns=1, mirror=0), "crop flip rotation"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path, camera, fault):
    records, seen = camera
    how, expected = FAULTS[fault]
    reference = normalize([preprocess(p, side=SIDE) for p in seen])
    edge = normalize([preprocess(p, side=SIDE, **how) for p in seen])
    assert named(explain(tmp_path, edge, reference, records)) == expected.split()


@pytest.mark.parametrize("wide", [True, False])
def test_resized_before_it_is_cut_out(tmp_path, camera, wide):
    """As torchvision does: the middle of the resized picture, in both orders."""
    def resize_first(p):
        h, w = p.shape[:2]
        scale = 292 / min(h, w)
        large = BICUBIC_TO(p, (int(w * scale), int(h * scale)))
        top, left = round((large.shape[0] - SIDE) / 2), round((large.shape[1] - SIDE) / 2)
        return large[top:top + SIDE, left:left + SIDE]

    def BICUBIC_TO(p, size):
        return np.asarray(Image.fromarray(p).resize(size, Image.BICUBIC))

    records, seen = camera
    sides = normalize([resize_first(p) for p in seen]), normalize([BICUBIC(centre(0.7)(p), SIDE) for p in seen])
    edge, reference = sides if wide else sides[::-1]
    verdict = explain(tmp_path, edge, reference, records)
    assert "crop" in named(verdict)
    assert not {"unknown", "rotation", "flip"} & set(named(verdict))


def test_colors_converted_before_the_resize(tmp_path, camera):
    records, seen = camera
    reference = normalize([preprocess(p, side=SIDE) for p in seen])
    edge = normalize([preprocess(hsv(p), side=SIDE) for p in seen])
    assert named(explain(tmp_path, edge, reference, records)) == ["color_space"]


def test_kernels_of_another_library(tmp_path, camera):
    pytest.importorskip("cv2")
    records, seen = camera
    reference = normalize([preprocess(p, side=SIDE) for p in seen])
    edge = normalize([preprocess(p, side=SIDE, resize=opencv("INTER_AREA")) for p in seen])
    verdict = explain(tmp_path, edge, reference, records)
    assert named(verdict) == ["resize"]
    assert finding(verdict, "input.resize")["evidence"]["edge_kernel"] == "area"


def test_noise_is_not_explained(tmp_path, camera):
    records, seen = camera
    random = np.random.default_rng(5)
    reference = [preprocess(p, side=SIDE) for p in seen]
    edge = [np.clip(p + random.normal(0, 40, p.shape), 0, 255).astype(np.uint8) for p in reference]
    assert named(explain(tmp_path, normalize(edge), normalize(reference), records)) == ["unknown"]
