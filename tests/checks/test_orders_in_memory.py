"""Pixels and values that lie in the model's input, or in the camera's memory, in another order than they are read in."""

import numpy as np
import pytest
from camera_support import SIDE, camera, judged, norm, records, resized, right, text  # noqa: F401 (fixture)
from explain_support import QUANTIZED, explain, named, quantize
from validate_support import finding, textures


def tiles(a, side, reverse=False):
    """Tiles of side x side pixels, one after another, read as rows."""
    h, w, c = a.shape
    shape = (h // side, side, w // side, side, c) if not reverse else (h // side, w // side, side, side, c)
    return a.reshape(shape).transpose(0, 2, 1, 3, 4).reshape(a.shape)


ORDERS = {
    "tiles of 8": (lambda a: tiles(a, 8), "stride", "tiles of 8x8"),
    "tiles of 32": (lambda a: tiles(a, 32), "stride", "tiles of 32x32"),
    "rows for tiles of 4": (lambda a: tiles(a, 4, True), "stride", "read as tiles of 4x4"),
    "pixels in pairs": (lambda a: a.reshape(a.shape[0], -1, 2, 3)[:, :, ::-1].reshape(a.shape), "stride", "each 2 pixels"),
}


@pytest.mark.parametrize("kind", ["nhwc", "nchw", "uint8"])
@pytest.mark.parametrize("name", ORDERS)
def test_pixels_in_another_order(tmp_path, camera, name, kind):
    change, cause, says = ORDERS[name]
    reference, keywords = [norm(resized(p, 128, SIDE)) for p in camera], None
    sides = [[change(a) for a in reference], reference]
    if kind == "nchw":
        sides = [[np.ascontiguousarray(a.transpose(2, 0, 1)) for a in side] for side in sides]
    elif kind == "uint8":
        sides, keywords = [quantize(s, zero_point=128) for s in sides], {**QUANTIZED, "zero_point": [128]}
    verdict = explain(tmp_path, *sides, None, keywords, keywords)
    assert named(verdict) == [cause] and says in text(finding(verdict, "input." + cause))
    level = 1 if kind == "uint8" else 1 / 128
    noisy = [np.clip(a + np.random.default_rng(k).integers(-1, 2, a.shape) * level, a.min(), a.max()).astype(a.dtype) for k, a in enumerate(sides[0])]
    assert explain(tmp_path, noisy, sides[0], None, keywords, keywords)["verdict"] == "pass"


def test_tiles_before_the_resize(tmp_path, camera):
    edge = [norm(resized(tiles(p, 8))) for p in camera]
    verdict = judged(tmp_path, edge, right(camera), records(camera))
    assert named(verdict) == ["stride"] and "camera's picture is stored in tiles of 8x8" in text(finding(verdict, "input.stride"))


@pytest.mark.parametrize("size", [2, 4])
def test_bytes_of_words_in_the_other_order(tmp_path, camera, size):
    swapped = [a.reshape(-1, size)[:, ::-1].reshape(a.shape) for a in right(camera)]
    verdict = judged(tmp_path, swapped, right(camera))
    assert named(verdict) == ["dtype"] and f"each {size} values" in text(finding(verdict, "input.dtype"))


def test_four_interleaved_values_as_planes(tmp_path, camera):
    reference = [a.transpose(2, 0, 1) for a in right(camera)]
    edge = [np.dstack([a, np.ones((SIDE, SIDE), np.float32)]).ravel()[:a.size].reshape(3, SIDE, SIDE) for a in right(camera)]
    verdict = judged(tmp_path, edge, reference)
    assert named(verdict) == ["layout"] and "four interleaved" in text(finding(verdict, "input.layout"))


@pytest.mark.parametrize("wrong", [0, 1], ids=["edge", "reference"])
@pytest.mark.parametrize("planar", [False, True], ids=["nhwc", "nchw"])
def test_layouts_exchanged_on_either_side(tmp_path, camera, planar, wrong):
    pictures = [norm(resized(p, 112, 84)) for p in camera]
    planes = [np.ascontiguousarray(a.transpose(2, 0, 1)) for a in pictures]
    sides = [[a.reshape(3, 84, 112) for a in pictures], planes] if planar else [[a.reshape(84, 112, 3) for a in planes], pictures]
    assert named(judged(tmp_path, *(sides[::-1] if wrong else sides))) == ["layout"]


# ---- Parts of the picture ----


def panned(count=6):
    """Frames of a camera that moves."""
    scene = textures(1, 256, seed=8)[0]
    return [norm(scene[20 + 2 * k:20 + 2 * k + SIDE, 11 * k:11 * k + 128]) for k in range(count)]


def blocks_of(a, other, side=16, seed=0):
    out, rng = a.copy(), np.random.default_rng(seed)
    for y in range(32, 80, side):
        for x in range(0, 128, side):
            if rng.random() < .6:
                out[y:y + side, x:x + side] = other[y:y + side, x:x + side]
    return out


def shrunk(a):
    return norm(resized(np.round(a * 128 + 128).astype(np.uint8), 88, 66))


@pytest.mark.parametrize("small", [False, True], ids=["as it is", "resized"])
@pytest.mark.parametrize("of", [0, 1], ids=["the edge's own", "the reference's"])
def test_patches_of_another_frame(tmp_path, of, small):
    frames = panned()
    edge = [a.copy() for a in frames]
    for k in (3, 4):
        edge[k] = blocks_of(frames[k], (frames if of else edge)[k - 1], seed=k)
    sides = [[shrunk(a) for a in side] for side in (edge, frames)] if small else [edge, frames]
    verdict = judged(tmp_path, *sides)
    assert named(verdict) == ["frame_order"]
    found = finding(verdict, "input.frame_order")
    assert found["evidence"]["kind"] == "patches" and "frames 3 and 4" in str(found["evidence"]["frame_list"])


def test_patches_of_nothing_are_of_no_frame(tmp_path):
    frames = panned()
    for ground in (np.float32(-1), np.float32(.2)):
        edge = [blocks_of(a, np.full_like(a, ground), seed=3) if k in (3, 4) else a for k, a in enumerate(frames)]
        assert "frame_order" not in named(judged(tmp_path, edge, frames))


@pytest.mark.parametrize("axis, says", [(0, "rows 94 to 95 of 96"), (1, "columns 94 to 95 of 96")], ids=["rows", "columns"])
def test_last_lines_that_repeat_are_no_kernel(tmp_path, camera, axis, says):
    def repeat(a):
        a = np.moveaxis(a.copy(), axis, 0)
        a[-2:] = a[-3]
        return np.moveaxis(a, 0, axis)

    verdict = judged(tmp_path, [repeat(a) for a in right(camera)], right(camera), records(camera))
    assert named(verdict) == ["unknown"] and says in text(finding(verdict, "input.unknown"))


def test_one_column(tmp_path, camera):
    edge = [a.copy() for a in right(camera)]
    for a in edge:
        a[:, 40] = -1
    assert finding(judged(tmp_path, edge, right(camera)), "input.unknown")["evidence"]["columns"] == "column 40 of 96"
