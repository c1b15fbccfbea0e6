"""Weights that were rounded to 8 bits and are stored as floats again, pruned, or transposed all over: what is the same training, and what is not.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph
from validate_support import causes, finding


def net(path, change=None, kind="conv", only=None):
    """Four layers of one kind; change(w) makes the weights of them, or of layer `only`, others."""
    g, x = Graph(), "x"
    for i in range(4):
        shape = {"conv": (8, 3 if i == 0 else 8, 3, 3), "depthwise": (3, 1, 3, 3), "dense": (16, 16)}[kind]
        w = np.random.default_rng([31, i]).normal(0, 1.4 / np.sqrt(np.prod(shape[1:])), shape) * np.random.default_rng([32, i]).uniform(0.2, 1, (shape[0], *[1] * (len(shape) - 1)))
        w = w.astype(np.float32)
        if change and only in (None, i):
            w = change(w).astype(np.float32)
        weights = g.const(f"w{i}", w)
        more = {"group": 3} if kind == "depthwise" else {}
        y = g("MatMul", x, weights, to=f"m{i}") if kind == "dense" else g("Conv", x, weights, to=f"m{i}", kernel_shape=[3, 3], pads=[1] * 4, **more)
        x = g("Tanh", y, to="y" if i == 3 else f"t{i}")
    return g.save(path, [6, 16] if kind == "dense" else [1, 3, 12, 16])


def to_8_bits(w, axis=0, levels=127, offset=0.0):
    """Whole multiples of a step for each slice along the axis (None: one step for all)."""
    others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis)
    step = np.abs(w).max(others, keepdims=True) / levels
    return np.round(w / step + offset) * step.astype(np.float32)


def pruned(w, share=0.5):
    return np.where(np.abs(w) < np.quantile(np.abs(w), share), 0, w)


def judged(tmp_path, status, kind="conv", reference=None, **edge):
    shape = (6, 16) if kind == "dense" else (1, 3, 12, 16)
    return verdict_of(tmp_path, net(tmp_path / "edge.onnx", kind=kind, **edge), net(tmp_path / "reference.onnx", reference, kind=kind), status, shape=shape)


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense"])
@pytest.mark.parametrize("axis", [0, 1, None], ids=["rows", "columns", "one step"])
@pytest.mark.parametrize("levels", [127, 63])
def test_a_copy_of_8_bits_in_floats_is_the_same_training(tmp_path, kind, axis, levels):
    assert causes(judged(tmp_path, 0, kind, change=lambda w: to_8_bits(w, axis if kind != "depthwise" or axis is None else 0, levels))) == []


@pytest.mark.parametrize("side", ["edge", "reference"])
def test_another_training_of_8_bits_in_floats_is_another_version(tmp_path, side):
    noise = lambda w: to_8_bits(w + np.random.default_rng(4).normal(0, 0.1 * w.std(), w.shape))  # noqa: E731
    v = judged(tmp_path, 1, change=noise if side == "edge" else None, reference=noise if side == "reference" else None)
    assert causes(v) == ["model.version"]


def test_one_layer_of_8_bits_in_floats_is_another(tmp_path):
    """Its rows are others' and lie on the same grid: rounding explains none of it."""
    v = judged(tmp_path, 1, change=lambda w: to_8_bits(np.roll(w, 1, 1)), only=2)
    assert causes(v) == ["model.weights"] and "w2" in " ".join(finding(v, "model.weights")["details"])


def test_few_levels_are_no_healthy_copy(tmp_path):
    assert causes(judged(tmp_path, 1, change=lambda w: to_8_bits(w, levels=3), only=1)) == ["model.weights"]


def test_steps_that_fit_almost_are_none(tmp_path):
    """Multiples of a step, each off by a little: nothing has rounded them, so that their difference is another training's."""
    off = lambda w: to_8_bits(w, 0) + 0.02 * np.abs(w).max() / 127 * np.random.default_rng(6).normal(size=w.shape)  # noqa: E731
    assert causes(judged(tmp_path, 1, change=off)) == ["model.version"]


@pytest.mark.parametrize("side", ["edge", "reference"])
def test_zeros_of_one_side_are_told(tmp_path, side):
    words = "zero on the edge alone" if side == "edge" else "zero in the reference alone"
    if side == "edge":
        v = judged(tmp_path, 1, change=pruned, only=1)
        assert causes(v) == ["model.weights"] and f"288 of 576 values are {words}" in " ".join(finding(v, "model.weights")["details"])
    v = judged(tmp_path, 1, change=pruned if side == "edge" else None, reference=pruned if side == "reference" else None)
    assert causes(v) == ["model.version"] and f"4 of them differ in values that are {words}" in " ".join(finding(v, "model.version")["details"])


def test_square_weights_that_are_all_transposed_are_no_other_version(tmp_path):
    v = judged(tmp_path, 1, "dense", change=np.transpose)
    assert causes(v) == ["model.weights"] and "transposed" in " ".join(finding(v, "model.weights")["details"])
