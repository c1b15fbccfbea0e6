"""What is made of a sequence: masks that are part of the file, one token or all, several outputs, Transposes in a row, sizes that change.
The graphs are built here, run by onnxruntime and logged by a writer that is not ours."""

import numpy as np
import pytest
from log_writer import Log
from onnx_log import record, verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding, validate

LENGTH, WIDTH = 12, 16
MASKS = {"causal": np.tril(np.ones((LENGTH, LENGTH), bool)), "none": np.ones((LENGTH, LENGTH), bool), "peek": np.tril(np.ones((LENGTH, LENGTH), bool), 1),
         "inverted": np.triu(np.ones((LENGTH, LENGTH), bool))}


def attention(path, mask="causal", pooled="last", first=""):
    """x [1, 12, 16]: two heads; keys are transposed twice, which an optimizer joins; first: another training of that name."""
    g = Graph(17)
    heads, joined = g.const("heads", [1, LENGTH, 2, WIDTH // 2], np.int64), g.const("joined", [1, LENGTH, WIDTH], np.int64)
    x = g("Tanh", g("MatMul", "x", g.weight(first + "first.w", WIDTH, WIDTH), to="first"), to="h")
    q, k, v = (g("Transpose", g("Reshape", g("MatMul", x, g.weight(f"{n}.w", WIDTH, WIDTH), to=n), heads), to=f"{n}_heads", perm=[0, 2, 1, 3]) for n in "qkv")
    s = g("MatMul", q, g("Transpose", k, to="k_turned", perm=[0, 1, 3, 2]), to="raw")
    s = g("Where", g.const("allowed", MASKS[mask], bool), s, g.const("never", -1e4), to="masked")
    y = g("Reshape", g("Transpose", g("MatMul", g("Softmax", s, to="attention"), v, to="context"), perm=[0, 2, 1, 3]), joined)
    y = g("Add", x, g("MatMul", y, g.weight("o.w", WIDTH, WIDTH), to="out"), to="sum")
    one = g("Slice", y, g.const("from", [LENGTH - 1], np.int64), g.const("to", [LENGTH], np.int64), g.const("dim", [1], np.int64), to="last_token")
    p = g("Squeeze", one, "dim") if pooled == "last" else g("ReduceMean", y, axes=[1], keepdims=0)
    g("LpNormalization", p, to="y", axis=1, p=2)
    g("MatMul", g("Squeeze", one, "dim"), g.weight("head.w", WIDTH, 20), to="logits")
    return g.save(path, [1, LENGTH, WIDTH], "y", "logits")


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("mask", ["none", "peek", "inverted", "causal"])
def test_flags_of_a_mask_are_compared(tmp_path, mask, level):
    v = verdict_of(tmp_path, *models(tmp_path, attention, {"mask": mask, "pooled": "mean"}, {"pooled": "mean"}), mask != "causal", level, (1, LENGTH, WIDTH))
    assert causes(v) == ([] if mask == "causal" else ["model.operator"])
    if mask != "causal":
        said = finding(v, "model.operator")["summary"]
        assert "allowed" in said and "78 of 144 flags set in the reference" in said and ("others" in said) == (mask == "inverted"), said


def test_the_mean_for_the_last_token(tmp_path):
    v = verdict_of(tmp_path, *models(tmp_path, attention, {"pooled": "mean"}), 1, shape=(1, LENGTH, WIDTH))
    assert causes(v) == ["model.operator"]
    assert "reducemean" in finding(v, "model.operator")["summary"]


@pytest.mark.parametrize("levels", [("none", "extended"), ("extended", "none")])
@pytest.mark.parametrize("first", ["", "another_"])
def test_transposes_in_a_row_are_one(tmp_path, first, levels):
    """Behind other weights, too: an optimizer joins them, and each has another order than both."""
    inputs = [np.random.default_rng(i).normal(size=(1, LENGTH, WIDTH)).astype(np.float32) for i in range(3)]
    for role, path, level in zip(("edge", "reference"), models(tmp_path, attention, {"first": first}), levels, strict=True):
        record(path, tmp_path / f"{role}.mcap", inputs, tmp_path, level, role=role, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=1 if first else 0)
    assert causes(v) == (["model.weights"] if first else [])


def test_several_outputs_of_which_nothing_is_known_are_one_finding(tmp_path):
    """Outputs alone: the graphs say nothing of the weights."""
    for role in ("edge", "reference"):
        log = Log(tmp_path / role, metadata={"role": role})
        for k in range(4):
            begin, rng = log.time + 5, np.random.default_rng(k)
            log.tensor("/input/x", rng.normal(0, 1, (1, 8)).astype(np.float32), frame=k)
            for i in range(3):
                y = np.random.default_rng([k, i, role == "edge" and i != 1]).normal(0, 1, (1, 6)).astype(np.float32)
                log.tensor(f"/output/y{i}", y, frame=k)
            log.frame(k, begin, source=f"{k}")
        log.finish()
    v = validate(tmp_path / "edge", tmp_path / "reference", status=1)
    assert causes(v) == ["layer.unknown"]
    said = str(finding(v, "layer.unknown"))
    assert "Output y0 differs" in said and "Output y2 differs" in said and "y1" not in said


def pooled(path, up=0):
    """Of any size, once around: what a last window beyond the rim adds is left out again, but moves what is resized."""
    g = Graph(17)
    a = g("MaxPool", "x", to="down", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=up)
    back = g("Resize", a, "", "", g("Shape", "x"), to="up", mode="linear", coordinate_transformation_mode="half_pixel")
    g.conv(g("Add", back, "x"), "y", 3, 4)
    return g.save(path, [1, 3, "h", "w"])


@pytest.mark.parametrize("up,sizes", [(1, [(12, 16), (13, 15), (9, 10)]), (1, [(12, 16), (14, 10), (8, 10)]), (0, [(12, 16), (13, 15), (9, 10)])])
def test_a_pool_that_rounds_up_where_later_frames_are_odd(tmp_path, up, sizes):
    inputs = [np.random.default_rng(i).normal(size=(1, 3, *s)).astype(np.float32) for i, s in enumerate(sizes)]
    for role, path in zip(("edge", "reference"), models(tmp_path, pooled, {"up": up}), strict=True):
        record(path, tmp_path / f"{role}.mcap", inputs, tmp_path, "none", role=role, constants=True)
    shows = up and any(h % 2 or w % 2 for h, w in sizes)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=1 if shows else 0)
    assert causes(v) == (["model.operator"] if shows else [])
    if shows:
        assert "ceil_mode 1 on the edge, 0 in the reference" in finding(v, "model.operator")["summary"]


def summed(path, exclusive=0, order=("x", "trend"), dense="w"):
    """x [4, 12], of which each row sums up to zero: a sum that leaves out its own element has the same values, a place further."""
    g = Graph(17)
    x = g("Sub", "x", g("ReduceMean", "x", axes=[1], keepdims=1, to="mean"), to="centred")
    trend = g("CumSum", x, g.const("axis", 1, np.int64), to="trend", exclusive=exclusive)
    joined = g("Concat", *({"x": x, "trend": trend}[n] for n in order), to="joined", axis=1)
    g("Tanh", g("MatMul", joined, g.weight(f"{dense}.w", 24, 8), to="dense"), to="y")
    return g.save(path, [4, LENGTH])


@pytest.mark.parametrize("edge,says", [({"exclusive": 1}, "exclusive"), ({"order": ("trend", "x")}, "order"), ({"dense": "other"}, None), ({}, "")])
@pytest.mark.parametrize("capture", ["stats", "full"])
def test_what_statistics_of_a_layer_do_not_show_the_next_one_does(tmp_path, edge, says, capture):
    inputs = [np.random.default_rng(i).normal(size=(4, LENGTH)).astype(np.float32) for i in range(3)]
    for role, path in zip(("edge", "reference"), models(tmp_path, summed, edge), strict=True):
        record(path, tmp_path / f"{role}.mcap", inputs, tmp_path, "none", role=role, capture=capture, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=0 if says == "" else 1)
    assert causes(v) == ([] if says == "" else ["model.operator" if says else "model.weights"])
    if says:
        assert says in finding(v, "model.operator")["summary"]
