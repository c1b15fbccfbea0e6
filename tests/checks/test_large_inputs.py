"""Inputs so large that the search looks at a part of their rows first: what it names is the same."""

import io

import numpy as np
import pytest
from explain_support import (centre, decoded, encode, explain, named, normalize, opencv, preprocess, scenes, whole)
from PIL import Image, ImageFilter
from validate_support import finding

pytestmark = pytest.mark.data
SIDE = 192  # hardly larger than the inputs of which all rows are looked at


def hsv(p):
    return np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert("HSV"))


def bicubic(p, size):
    return np.asarray(Image.fromarray(p).resize(size, Image.BICUBIC))


@pytest.fixture(scope="module")
def camera():
    """What the camera recorded, what that shows, and the reference's inputs."""
    records = [encode(p, "jpeg") for p in scenes(3)]
    seen = [decoded(*r) for r in records]
    return records, seen, [preprocess(p, side=SIDE) for p in seen]


FAULTS = {
    "another fraction, rotated": (dict(crop=centre(0.7), turns=1), "crop rotation"),
    "stretched": (dict(crop=whole), "crop"),
    "letterboxed, transposed": (dict(boxed=(Image.BICUBIC, SIDE, 0), turns=1, mirror=0), "crop flip rotation"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path, camera, fault):
    records, seen, reference = camera
    how, expected = FAULTS[fault]
    edge = normalize([preprocess(p, side=SIDE, **how) for p in seen])
    assert named(explain(tmp_path, edge, normalize(reference), records)) == expected.split()


def test_turned_before_its_middle_is_cut_out(tmp_path):
    """The room beside the middle is odd in some frames: rounded to the other side there, where the picture lies otherwise."""
    seen = [p[:h, :w] for p, (h, w) in zip(scenes(3), ((300, 375), (288, 375), (301, 374)))]
    edge = [preprocess(np.ascontiguousarray(np.rot90(p))) for p in seen]
    verdict = explain(tmp_path, normalize(edge), normalize([preprocess(p) for p in seen]), [encode(p, "png") for p in seen])
    assert named(verdict) == ["rotation"]


def test_resized_before_it_is_cut_out(tmp_path, camera):
    """As torchvision does: the middle of the resized picture."""
    def resize_first(p):
        h, w = p.shape[:2]
        large = bicubic(p, (220 * w // min(h, w), 220 * h // min(h, w)))
        top, left = round((large.shape[0] - SIDE) / 2), round((large.shape[1] - SIDE) / 2)
        return large[top:top + SIDE, left:left + SIDE]

    records, seen, _ = camera
    reference = normalize([bicubic(centre(0.7)(p), (SIDE, SIDE)) for p in seen])
    names = named(explain(tmp_path, normalize([resize_first(p) for p in seen]), reference, records))
    assert "crop" in names and not {"unknown", "rotation", "flip"} & set(names)


def test_colors_converted_before_the_resize(tmp_path, camera):
    records, seen, reference = camera
    edge = normalize([preprocess(hsv(p), side=SIDE) for p in seen])
    assert named(explain(tmp_path, edge, normalize(reference), records)) == ["color_space"]


def test_kernels_of_another_library(tmp_path, camera):
    pytest.importorskip("cv2")
    records, seen, reference = camera
    edge = normalize([preprocess(p, side=SIDE, resize=opencv("INTER_AREA")) for p in seen])
    verdict = explain(tmp_path, edge, normalize(reference), records)
    assert named(verdict) == ["resize"]
    assert finding(verdict, "input.resize")["evidence"]["edge_kernel"] == "area"


def test_noise_is_not_explained(tmp_path, camera):
    records, _, reference = camera
    random = np.random.default_rng(5)
    edge = [np.clip(p + random.normal(0, 40, p.shape), 0, 255).astype(np.uint8) for p in reference]
    assert named(explain(tmp_path, normalize(edge), normalize(reference), records)) == ["unknown"]


@pytest.mark.parametrize("wrong, expected", [("blurred", "resize"), ("at half its size", "decoder")])
def test_larger_than_the_sensor_s_picture(tmp_path, camera, wrong, expected):
    """A blurred input is no smaller JPEG, nor another part; a smaller JPEG is that alone, however it is rounded."""
    records, seen = camera[0][:2], camera[1][:2]
    reference = [preprocess(p, side=512) for p in seen]
    if wrong == "blurred":
        edge = [np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(3))) for p in reference]
    else:
        files = [Image.open(io.BytesIO(data)) for data, _ in records]
        for file in files:
            file.draft("RGB", (file.width // 2, file.height // 2))
        edge = [preprocess(np.asarray(file.convert("RGB")), side=512) for file in files]
    verdict = explain(tmp_path, normalize(edge), normalize(reference), records)
    if named(verdict) == ["resize"]:  # where the smaller picture is not met to the pixel, it is an alternative alone
        alternatives = [a["cause"] for a in finding(verdict, "input.resize")["alternatives"]]
        assert expected == "resize" or f"input.{expected}" in alternatives
    else:
        assert named(verdict) == [expected]
