"""Scores that a constant mask covers before a softmax (what a decoder may not see yet): a choice that the file made, not the values."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph, models
from validate_support import causes

LENGTH, WIDTH = 10, 12


def decoder(path, mask=None, computed=False, halves=False):
    """One head of attention, its later positions hidden; computed: by comparing positions in the run; halves: queries summed in another order."""
    g = Graph(17)
    q, k, v = (g("MatMul", "x", g.weight(f"{n}.w", WIDTH, WIDTH), to="qw" if halves and n == "q" else n) for n in "qkv")
    if halves:
        half = g.const("half", .5)
        q = g("Add", g("Mul", g("MatMul", "x", g.const("q.w3", 3 * g.constants["q.w"])), g.const("sixth", 1 / 6)), g("Mul", q, half), to="q")
    scores = g("MatMul", q, g("Transpose", k, to="kt", perm=[0, 2, 1]), to="scores")
    seen = g.const("mask", np.tril(np.ones((1, LENGTH, LENGTH))) if mask is None else mask, bool)
    if computed:
        row = g.const("row", np.arange(LENGTH)[None, None])
        seen = g("LessOrEqual", row, g.const("column", np.arange(LENGTH)[None, :, None]), to="seen")
    hidden = g("Where", seen, scores, g.const("lowest", np.finfo(np.float32).min), to="hidden")
    y = g("MatMul", g("Softmax", hidden, to="attention", axis=-1), v, to="context")
    g("MatMul", g("Add", y, "x", to="sum"), g.weight("head.w", WIDTH, 6), to="y")
    return g.save(path, [1, LENGTH, WIDTH])


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("computed", [False, True], ids=["stored", "computed"])
def test_the_same_mask(tmp_path, level, computed):
    v = verdict_of(tmp_path, *models(tmp_path, decoder, {"computed": computed, "halves": True}, {}), 0, level, shape=(1, LENGTH, WIDTH))
    assert v["verdict"] == "pass" and causes(v) == []


@pytest.mark.parametrize("mask", [np.ones((1, LENGTH, LENGTH)), np.triu(np.ones((1, LENGTH, LENGTH))), np.tril(np.ones((1, LENGTH, LENGTH)), 1)], ids=["none", "turned", "one later"])
@pytest.mark.parametrize("level", ["none", "extended"])
def test_another_mask(tmp_path, level, mask):
    v = verdict_of(tmp_path, *models(tmp_path, decoder, {"mask": mask, "halves": True}, {}), 1, level, shape=(1, LENGTH, WIDTH))
    assert v["verdict"] == "fail", v["findings"]
    assert all(c.startswith(("model.", "layer.")) for c in causes(v))
