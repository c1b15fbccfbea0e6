"""A function that a transpose cuts in two on one side, and not on the other, where an optimizer has moved it."""

import pytest
from onnx_log import verdict_of
from onnx_models import Graph, models
from validate_support import finding


def features(path, between=True, cube=False):
    """Loudness of bands, its square's logarithm; between: transposed before the square, not behind the logarithm."""
    g = Graph(17)
    bands = g("MatMul", "x", g.weight("bank.w", 16, 12), to="bands")
    y = g("Sqrt", g("Mul", bands, bands, to="power"), to="loudness")
    if between:
        y = g("Transpose", y, to="turned", perm=[0, 2, 1])
    y = g("Mul", y, g("Mul", y, y, to="again") if cube else y, to="square")
    y = g("Log", g("Add", y, g.const("floor", 1e-3), to="floored"), to="log")
    if not between:
        y = g("Transpose", y, to="log_turned", perm=[0, 2, 1])
    g("MatMul", y, g.weight("head.w", 10, 5), to="y")
    return g.save(path, [1, 10, 16])


@pytest.mark.parametrize("between", [True, False])
@pytest.mark.parametrize("cube", [False, True])
def test_a_transpose_within_a_function(tmp_path, between, cube):
    v = verdict_of(tmp_path, *models(tmp_path, features, {"between": between, "cube": cube}, {"between": not between}), int(cube), shape=(1, 10, 16))
    told = [f["cause"] for f in v["findings"]]
    assert told[:1] == (["model.operator"] if cube else []), told
    assert not cube or finding(v, "model.operator")["severity"] == "error"
