"""Padding of its own that several convolutions read: how much is added, and where."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding


def gated(path, pads=(2, 0), plane=False, own=False):
    """Two convolutions of one padded tensor, one the other's gate; own: each pads by itself."""
    g = Graph(17)
    rank = 4 if plane else 3
    before, behind = [0] * rank, [0] * rank
    before[-1], behind[-1] = pads
    kernel = [1, 3] if plane else [3]
    ends = [*([0] if plane else []), pads[0], *([0] if plane else []), pads[1]]
    x = "x" if own else g("Pad", "x", g.const("ends", before + behind, np.int64), to="padded")
    a, b = (g("Conv", x, g.weight(f"{n}.w", 6, 3, *kernel), to=n, kernel_shape=kernel, pads=ends if own else [0] * len(ends)) for n in ("a", "b"))
    g("MatMul", g("Mul", g("Tanh", a, to="value"), g("Sigmoid", b, to="gate"), to="gated"), g.weight("head.w", 16, 5), to="y")
    return g.save(path, [1, 3, *([5] if plane else []), 16])


def judge(tmp_path, edge, reference, status, level, plane):
    paths = models(tmp_path, gated, {"plane": plane, **edge}, {"plane": plane, **reference})
    return verdict_of(tmp_path, *paths, status, level, shape=(1, 3, *([5] if plane else []), 16))


@pytest.mark.parametrize("plane", [False, True])
@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("pads", [(1, 1), (0, 2)])
def test_padding_elsewhere(tmp_path, level, pads, plane):
    v = judge(tmp_path, {"pads": pads}, {}, 1, level, plane)
    assert causes(v) == ["model.operator"] and "pads" in finding(v, "model.operator")["summary"]


@pytest.mark.parametrize("plane", [False, True])
@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("own", [False, True])
def test_the_same_padding(tmp_path, level, own, plane):
    v = judge(tmp_path, {"own": own}, {}, 0, level, plane)
    assert v["verdict"] == "pass" and causes(v) == []
