"""Output maps (segmentation, depth, heat maps) that are mirrored, turned, transposed or shifted behind equal inputs."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate


def smooth(shape, seed=0, rounds=6):
    """Random hills: [frames, channels, height, width]."""
    y = np.random.default_rng(seed).normal(size=shape)
    for _ in range(rounds):
        for axis in (2, 3):
            y = (np.roll(y, 1, axis) + y + np.roll(y, -1, axis)) / 3
    return y * 4


def write(path, role, outputs, dtype=np.float32, told=None):
    with Recording(path, role) as log:
        for image, output in zip(np.random.default_rng(3).normal(size=(len(outputs), 16, 16, 3)), outputs):
            if told:
                log.add("/result", "Result", PB["Result"](frame=log.count, **(dict(text=told) if isinstance(told, str) else dict(mask=told))))
            log.frame([("/input/image", np.ascontiguousarray(image[None], np.float32), {}), ("/output/map", np.ascontiguousarray(output[None]).astype(dtype), {})])
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, edge_log={}, reference_log={}):
        return validate(write(tmp_path / "e", "edge", edge, **edge_log), write(tmp_path / "r", "reference", reference, **reference_log))

    return run


def shifted(y, down, right):
    """What comes in at the border is of a larger map."""
    wide = np.pad(y, ((0, 0), (0, 0), (8, 8), (8, 8)), mode="reflect")
    h, w = y.shape[2:]
    return wide[:, :, 8 - down : 8 - down + h, 8 - right : 8 - right + w]


WAYS = {
    "left and right": (lambda y: y[..., ::-1], "mirrored", "left to right"),
    "upside down": (lambda y: y[..., ::-1, :], "mirrored", "upside down"),
    "180": (lambda y: y[..., ::-1, ::-1], "turned", "180"),
    "clockwise": (lambda y: np.rot90(y, -1, (2, 3)), "turned", "90 degrees clockwise"),
    "counterclockwise": (lambda y: np.rot90(y, 1, (2, 3)), "turned", "90 degrees counterclockwise"),
    "transposed": (lambda y: y.swapaxes(2, 3), "transposed", "x and y"),
    "other diagonal": (lambda y: y[..., ::-1, ::-1].swapaxes(2, 3), "transposed", "other diagonal"),
    "shifted": (lambda y: shifted(y, 2, -3), "shifted", "3 pixels to the left and 2 pixels down"),
    "shifted by a row": (lambda y: shifted(y, -1, 0), "shifted", "1 pixel up"),
}
KINDS = {
    "scores": lambda y: y,
    "channels last": lambda y: y.transpose(0, 2, 3, 1),
    "depth": lambda y: y[:, 0],
    "heat map": lambda y: np.exp(3 * y[:, :1]),
    "classes": lambda y: y.argmax(1).astype(np.float64),
}
# A shape that a turn does not change, and one that it does.
SHAPES = [(3, 5, 32, 32), (2, 21, 24, 40)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_named(judge, way, kind, shape):
    change, name, words = WAYS[way]
    y = smooth(shape, 1)
    noise = 1 + 3e-7 * np.random.default_rng(2).normal(size=KINDS[kind](y).shape)
    verdict = judge(KINDS[kind](change(y)), KINDS[kind](y) * (noise if kind != "classes" else 1))
    if way == "transposed" and kind in ("depth", "classes") and shape == SHAPES[1]:
        # as tables of three dimensions are that an exporter transposed: said, and no fault
        assert verdict["verdict"] == "pass" and [(f["cause"], f["severity"]) for f in verdict["findings"] if f["severity"] != "warning"] == [("output.order", "info")]
        return
    assert causes(verdict)[0] == "output.order", verdict["findings"]
    evidence = finding(verdict, "output.order")["evidence"]
    assert evidence["kind"] == name and words in evidence["how"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_equal(judge, kind, shape):
    y = KINDS[kind](smooth(shape, 2))
    noise = 1 + 3e-7 * np.random.default_rng(2).normal(size=y.shape)
    assert causes(judge(y if kind == "classes" else y * noise, y)) == []


def test_half_precision(judge):
    y = smooth(SHAPES[0], 3)
    assert causes(judge(y, y, dict(dtype=np.float16))) == []
    assert causes(judge(y[..., ::-1], y, dict(dtype=np.float16))) == ["output.order"]


def test_other_maps(judge):
    assert causes(judge(smooth(SHAPES[0], 4), smooth(SHAPES[0], 5))) == ["layer.unknown"]


def test_one_frame_is_right(judge):
    """What is not so in all frames is not named so."""
    y = smooth(SHAPES[0], 6)
    other = y[..., ::-1].copy()
    other[1] = y[1]
    assert "output.order" not in causes(judge(other, y)) or finding(judge(other, y), "output.order")["evidence"].get("kind") is None


def test_the_application_knows(judge):
    y = smooth(SHAPES[0], 7)
    verdict = judge(y[..., ::-1], y, dict(told="a cat"), dict(told="a cat"))
    assert verdict["verdict"] == "pass" and [f["severity"] for f in verdict["findings"]] == ["warning"], verdict["findings"]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("apart,known", [(114, True), (64, False)])
def test_the_application_knows_but_for_some_pixels(judge, wide, apart, known):
    """Of 1024 pixels noise moves up to a hundredth, however many bytes each has."""
    y, ids = smooth(SHAPES[0], 7), np.arange(1024) % 7
    other = np.where(np.arange(1024) % apart == 0, ids + 1, ids)
    told = [PB["Result"].Mask(width=32, height=32, ids=m.astype("<u2" if wide else "u1").tobytes(), wide=wide) for m in (other, ids)]
    verdict = judge(y[..., ::-1], y, dict(told=told[0]), dict(told=told[1]))
    assert finding(verdict, "output.order")["severity"] == ("warning" if known else "error")
