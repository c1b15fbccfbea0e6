"""Weights that are the reference's, at another place: layers exchanged, loaded in another order, or twice.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph
from validate_support import causes, finding


def blocks(path, order=(0, 1, 2, 3), parts=("w", "b", "p"), numbered=False, noise=0.0, seed=None):
    """Blocks of two convolutions; the weights of each part are those of the block that `order` names."""
    g = Graph()
    x = g.conv("x", "stem", 3, 8)
    for i, other in enumerate(order):
        shapes = {"w": (8, 8, 3, 3), "b": (8,), "p": (8, 8, 1, 1)}
        place = {}
        for k, (part, shape) in enumerate(shapes.items()):
            source = other if part in parts else i
            random = np.random.default_rng([11 if seed is None else seed, source, k])
            value = random.normal(0, 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.3, shape)
            value += noise * np.random.default_rng([12, i, k]).normal(0, value.std(), shape)
            place[part] = g.const(f"onnx::{400 + 10 * i + k if numbered else f'block{i}.{part}'}", value)
        y = g("Relu", g("Conv", x, place["w"], place["b"], to=f"c{i}", kernel_shape=[3, 3], pads=[1] * 4), to=f"r{i}")
        x = g("Add", x, g("Conv", y, place["p"], to=f"p{i}", kernel_shape=[1, 1]), to=f"s{i}" if i < len(order) - 1 else "y")
    return g.save(path, [1, 3, 12, 16])


def judged(tmp_path, edge, status=1, level="none"):
    return verdict_of(tmp_path, blocks(tmp_path / "edge.onnx", **edge), blocks(tmp_path / "reference.onnx"), status, level)


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("numbered", [False, True])
def test_exchanged_blocks_are_no_other_version(tmp_path, numbered, level):
    v = judged(tmp_path, {"order": (2, 1, 0, 3), "numbered": numbered}, level=level)
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["kind"] == "exchanged" and f["evidence"]["weights_elsewhere"] == 4 and "exchanged" in f["summary"]


def test_blocks_in_another_order_are_all_named(tmp_path):
    v = judged(tmp_path, {"order": (1, 2, 3, 0)})
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["kind"] == "elsewhere" and f["evidence"]["weights_elsewhere"] == 8
    assert any("block0.w" in d and "block1.w" in d for d in f["details"])


def test_a_block_that_was_loaded_twice(tmp_path):
    f = finding(judged(tmp_path, {"order": (0, 1, 1, 3)}), "model.weights")
    assert f["evidence"]["kind"] == "elsewhere" and "block2.w" in f["summary"] and "block1.w" in f["summary"]


def test_one_part_of_two_blocks(tmp_path):
    v = judged(tmp_path, {"order": (1, 0, 2, 3), "parts": ("p",)})
    assert causes(v) == ["model.weights"]
    f = finding(v, "model.weights")
    assert f["evidence"]["weights_elsewhere"] == 2 and f["evidence"]["biases_differ"] == 0


def test_another_training_is_not_exchanged(tmp_path):
    assert causes(judged(tmp_path, {"seed": 5})) == ["model.version"]
    v = judged(tmp_path, {"order": (2, 1, 0, 3), "noise": 0.01})
    assert all("kind" not in f["evidence"] for f in v["findings"])


def test_the_same_blocks_under_other_names(tmp_path):
    assert causes(judged(tmp_path, {"numbered": True}, 0)) == []
