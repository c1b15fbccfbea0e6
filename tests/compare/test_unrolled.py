"""A recurrent layer whose steps the other side has written out: nothing within has a counterpart, and what comes of it is compared.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import pytest
from onnx import helper
from onnx_log import verdict_of
from onnx_models import Graph
from validate_support import causes

STEPS, UNITS = 6, 8


def written_out(g, rows, w, r, b):
    """The steps of an LSTM; its gates are input, output, forget and cell."""
    w, r, b = g.const("W", w[0].T), g.const("R", r[0].T), g.const("B", b[0, :4 * UNITS] + b[0, 4 * UNITS:])
    h = c = g.const("nothing", np.zeros((1, UNITS)))
    made, parts = [], g.const("parts", [UNITS] * 4, np.int64)
    for t in range(STEPS):
        row = g("Gather", rows, g.const(f"at{t}", t, np.int64), to=f"row{t}", axis=1)
        g("Add", g("Add", g("MatMul", row, w), b), g("MatMul", h, r), to=f"sum{t}")
        g.nodes.append(helper.make_node("Split", [f"sum{t}", parts], [f"{gate}{t}" for gate in "iofg"], name=f"gates{t}", axis=1))
        opened = {gate: g("Sigmoid", f"{gate}{t}") for gate in "iof"}
        c = g("Add", g("Mul", opened["f"], c), g("Mul", opened["i"], g("Tanh", f"g{t}")), to=f"cell{t}")
        h = g("Mul", opened["o"], g("Tanh", c), to=f"h{t}")
        made.append(g("Unsqueeze", h, g.const("front", [0], np.int64)))
    return g("Concat", *made, to="states", axis=0)


def reader(path, unrolled=False, slip=0.0, left_out=()):
    """A cell over the rows of a picture; slip: what is added to its recurrent weights; left_out: more outputs of it."""
    g, random = Graph(17), np.random.default_rng(5)
    w, r, b = (random.normal(0, 0.4, (1, *shape)) for shape in ((4 * UNITS, 10), (4 * UNITS, UNITS), (8 * UNITS,)))
    rows = g("Tanh", g("MatMul", "x", g.weight("proj.w", 10, 10), to="projected"), to="rows")
    if unrolled:
        states = written_out(g, rows, w, r + slip, b)
    else:
        turned = g("Transpose", rows, to="turned", perm=[1, 0, 2])
        g.nodes.append(helper.make_node("LSTM", [turned, g.const("W", w), g.const("R", r + slip), g.const("B", b)], ["turns", *left_out], name="lstm", hidden_size=UNITS))
        states = g("Squeeze", "turns", g.const("direction", [1], np.int64), to="states")
    g("Softmax", g("MatMul", states, g.weight("head.w", UNITS, 7), to="logits"), to="y", axis=-1)
    return g.save(path, [1, STEPS, 10])


@pytest.mark.parametrize("left_out", [(), ("", ""), ("last", "memory")], ids=["one", "left out", "not read"])
@pytest.mark.parametrize("slip", [0.0, 0.05])
@pytest.mark.parametrize("unrolled", [True, False], ids=["edge", "reference"])
def test_steps_that_are_written_out(tmp_path, unrolled, slip, left_out):
    edge, reference = reader(tmp_path / "edge.onnx", unrolled, slip, left_out), reader(tmp_path / "reference.onnx", not unrolled, left_out=left_out)
    v = verdict_of(tmp_path, edge, reference, int(slip > 0), "none", shape=(1, STEPS, 10))
    assert v["verdict"] == ("fail" if slip else "pass") and (causes(v) == []) == (slip == 0)
    c = v["coverage"]
    assert slip or (c["compared"] >= 5 and c["edge_layers"] - c["fused"] <= c["compared"] + 1), c
