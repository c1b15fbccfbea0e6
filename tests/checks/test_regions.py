"""Regions of the camera's picture, as a tracker or a detector cuts them out: another place, another unit, another shape."""

import numpy as np
import pytest
from explain_support import explain, named
from log_writer import PB
from PIL import Image
from validate_support import finding, textures

WIDE, HIGH, SIDE = 320, 240, 64


@pytest.fixture(scope="module")
def camera():
    return [np.asarray(Image.fromarray(p).resize((WIDE, HIGH), Image.BICUBIC)) for p in textures(4, 256, seed=21)]


def records(camera):
    return [(p.tobytes(), PB["Media"](format="rgb8", width=WIDE, height=HIGH)) for p in camera]


def cut(p, x, y, w, h, kernel=Image.BILINEAR):
    p = np.asarray(Image.fromarray(p[y:y + h, x:x + w]).resize((SIDE, SIDE), kernel))
    return ((p.astype(np.float32) - 128) / 128).astype(np.float32)


REGIONS = {
    "x and y exchanged": ((30, 120, 90, 90), (120, 30, 90, 90), (30, 120)),
    "pixels of a preview": ((70, 20, 60, 60), (140, 40, 120, 120), (70, 20)),
    "another shape": ((150, 60, 100, 140), (20, 80, 120, 120), (150, 60)),
}


@pytest.mark.parametrize("name", REGIONS)
def test_another_region(tmp_path, camera, name):
    edge, reference, place = REGIONS[name]
    verdict = explain(tmp_path, [cut(p, *edge) for p in camera], [cut(p, *reference) for p in camera], records(camera))
    assert named(verdict) == ["crop"]
    evidence = finding(verdict, "input.crop")["evidence"]
    if "kind" not in evidence:  # a rendering by a usual rule makes both
        assert evidence["residual_after_levels"] < .5
        return
    assert [evidence["edge_left"], evidence["edge_top"]] == pytest.approx(place, abs=1.5)
    assert [evidence["reference_left"], evidence["reference_top"]] == pytest.approx(reference[:2], abs=1.5)


def test_regions_that_move(tmp_path, camera):
    reference = [cut(p, 40 + 30 * k, 100 - 20 * k, 80, 80) for k, p in enumerate(camera)]
    edge = [cut(p, 100 - 20 * k, 40 + 30 * k, 80, 80) for k, p in enumerate(camera)]
    assert named(explain(tmp_path, edge, reference, records(camera))) == ["crop"]


def test_one_region(tmp_path, camera):
    """By two kernels, with noise, and with something that no cause explains: the region is no other one."""
    right = [cut(p, 120, 30, 90, 90) for p in camera]
    other = [cut(p, 120, 30, 90, 90, Image.BICUBIC) for p in camera]
    assert "crop" not in named(explain(tmp_path, other, right, records(camera)))
    rng = np.random.default_rng(3)
    for amount in (.006, .15):
        noisy = [(a + rng.normal(0, amount, a.shape)).astype(np.float32) for a in right]
        assert "crop" not in named(explain(tmp_path, noisy, right, records(camera)))
