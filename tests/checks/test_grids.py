"""Places of a grid that a graph makes of a feature map's size, as detectors do: rows and columns of a square one are as many, and a wrong
input says nothing about them."""

import numpy as np
import pytest
from onnx import helper
from onnx_log import record
from onnx_models import Graph, models
from validate_support import causes, validate


def detector(path, turned=False):
    """Adds each cell's row and column to what a convolution makes of it; turned: columns first."""
    g = Graph(17)
    f = g("Relu", g.conv("x", "stem", 3, 2, strides=[2, 2]), to="features")
    size = g("Shape", f, to="size")
    ends = [g("Gather", size, g.const(f"at{d}", 2 + d, np.int64), to=f"end{d}") for d in (0, 1)]
    one = g.const("front", [0], np.int64)
    whole = g("Concat", *(g("Unsqueeze", e, one, to=f"length{d}") for d, e in enumerate(ends)), to="whole", axis=0)
    lines = []
    for d, e in enumerate(ends):
        line = g("Cast", g("Range", g.const("zero", 0, np.int64), e, g.const("step", 1, np.int64), to=f"range{d}"), to=f"line{d}")
        g.nodes[-1].attribute.append(helper.make_attribute("to", 1))
        lines.append(g("Expand", g("Reshape", line, g.const(f"stand{d}", [1, -1][:: 1 if d else -1], np.int64), to=f"standing{d}"), whole, to=f"grid{d}"))
    places = g("Concat", *(g("Unsqueeze", x, one, to=f"plane{d}") for d, x in enumerate(lines[::-1] if turned else lines)), to="places", axis=0)
    y = g("Mul", g("Add", f, places, to="moved"), g.const("stride", 8), to="boxes")
    g("MatMul", y, g.weight("head.w", 8, 5), to="y")
    return g.save(path, [1, 3, 16, 16])


def judge(tmp_path, change, factor, status):
    pictures = [np.random.default_rng(i).uniform(0, 1, (1, 3, 16, 16)).astype(np.float32) for i in range(3)]
    for path, role, times in zip(models(tmp_path, detector, change, {}), ("edge", "reference"), (factor, 1)):
        record(path, tmp_path / f"{role}.mcap", [p * np.float32(times) for p in pictures], tmp_path, level="none", role=role, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.3", status=status)


@pytest.mark.parametrize("factor", [1, 255])
def test_a_square_grid(tmp_path, factor):
    assert causes(judge(tmp_path, {}, factor, int(factor > 1))) == (["input.normalization"] if factor > 1 else [])


def test_columns_before_rows(tmp_path):
    assert causes(judge(tmp_path, {"turned": True}, 1, 1)) == ["model.operator"]
