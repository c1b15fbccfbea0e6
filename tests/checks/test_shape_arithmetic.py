"""Shapes that a file computes, and a file of fixed dimensions has as constants: what is only given another shape is the same."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph
from onnxruntime.quantization import quantize_dynamic
from validate_support import causes, finding

ROWS, COLUMNS = 8, 16
SHAPE = (1, ROWS, COLUMNS)


def network(path, computed=True, scaled=True, repeat=1):
    """Products, and rows divided by their root mean square between.  Its shape is computed of the input's (and Expand to that shape, which
    repeats nothing), or a constant; repeat: how many rows it is expanded to; scaled: False where they are not divided."""
    g = Graph(17)
    x = g("MatMul", "x", g.weight("a.w", COLUMNS, COLUMNS), to="a")
    total = g("ReduceSum", g("Mul", x, x, to="square"), g.const("axis", [1], np.int64), to="total", keepdims=0)
    level = g("Mul", total, g.const("share", 1 / ROWS), to="level")
    one_row = g.const("one_row", [1, 1, COLUMNS], np.int64)
    shape = one_row if repeat == 1 else g.const("shape", [1, repeat, COLUMNS], np.int64)
    if computed:
        first = g("Slice", g("Shape", "x", to="of_x"), g.const("zero", [0], np.int64), g.const("one", [1], np.int64), to="first")
        shape = g("Concat", first, g.const("row_count", [repeat], np.int64), g.const("columns", [COLUMNS], np.int64), to="row_shape", axis=0)
    row = g("Reshape", level, one_row if repeat > 1 else shape, to="row")
    if computed or repeat > 1:
        row = g("Expand", row, shape, to="rows")
    scale = g("Reciprocal", g("Sqrt", g("Add", row, g.const("epsilon", 1e-5), to="positive"), to="root"), to="scale")
    g("MatMul", g("Mul", x, scale, to="level_rows") if scaled else x, g.weight("b.w", COLUMNS, 5), to="y")
    return g.save(path, ["batch" if computed else 1, *SHAPE[1:]])


def judged(tmp_path, edge, reference, status, quantized=True):
    paths = [network(tmp_path / f"{name}.onnx", **keys) for name, keys in (("e", edge), ("reference", reference))]
    if quantized:
        quantize_dynamic(paths[0], tmp_path / "edge.onnx")
        paths[0] = tmp_path / "edge.onnx"
    return verdict_of(tmp_path, *paths, status, "extended", shape=SHAPE)


FIXED = [{"computed": False}, {"computed": True}, {"computed": False, "repeat": ROWS}]


@pytest.mark.parametrize("quantized", [True, False])
@pytest.mark.parametrize("edge", FIXED)
def test_a_file_of_fixed_dimensions(tmp_path, edge, quantized):
    v = judged(tmp_path, edge, {"computed": True, "repeat": edge.get("repeat", 1)}, 0, quantized)
    assert causes(v) == []


@pytest.mark.parametrize("computed", [True, False])
def test_rows_that_are_not_divided(tmp_path, computed):
    v = judged(tmp_path, {"scaled": False}, {"computed": computed}, 1)
    assert causes(v) == ["model.operator"] and "scale" in str(finding(v, "model.operator"))
