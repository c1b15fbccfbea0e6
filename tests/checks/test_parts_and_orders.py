"""Parts of a tensor whose names stay while the parts change, orders of channels that cancel, and branches that a file lists otherwise."""

import numpy as np
import pytest
from onnx_log import record, verdict_of
from onnx_models import Graph, models
from validate_support import causes, finding, validate

SHAPE, WIDTH = (1, 3, 12, 16), 8


def halves(path, swapped=False, slices=True):
    """Half of the channels goes through a convolution; swapped: the other half, under its name."""
    g = Graph(17)
    x = g("Relu", g.conv("x", "stem", 3, WIDTH), to="bent")
    first, second = ("b", "a") if swapped else ("a", "b")
    if slices:
        for k, name in enumerate((first, second)):
            g("Slice", x, g.const(f"from{k}", [k * WIDTH // 2], np.int64), g.const(f"to{k}", [(k + 1) * WIDTH // 2], np.int64), g.const("axis", [1], np.int64), to=name)
    else:
        g("Split", x, g.const("sizes", [WIDTH // 2] * 2, np.int64), to="split", axis=1)
        g.nodes[-1].output[:] = [first, second]
    y = g("Relu", g.conv("b", "deep", WIDTH // 2, WIDTH // 2), to="deeper")
    g("Flatten", g("GlobalAveragePool", g.conv(g("Concat", "a", "b", y, to="all", axis=1), "last", 3 * WIDTH // 2, 5)), to="y")
    return g.save(path, list(SHAPE))


@pytest.mark.parametrize("slices", [(True, False), (False, False), (True, True)])
@pytest.mark.parametrize("swapped", [False, True])
def test_halves_that_keep_their_names(tmp_path, swapped, slices):
    v = verdict_of(tmp_path, *models(tmp_path, halves, {"swapped": swapped, "slices": slices[0]}, {"slices": slices[1]}), int(swapped))
    assert causes(v) == (["model.operator"] if swapped else [])
    if swapped:
        assert "4:8 of axis 1" in finding(v, "model.operator")["summary"]


def shuffled(path, turned=False, back=False, first=False):
    """turned: the channels of a convolution's input by halves the other way round; back: its weights, too.  first: of the stem, whose
    weights alone are in another order."""
    g = Graph(17)
    if first:
        g.const("stem.w", np.roll(g.constants[g.weight("stem.w", WIDTH, 3, 3, 3)], 1, 1))
        x = g("Conv", "x", "stem.w", to="stem", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    else:
        x = g.conv("x", "stem", 3, WIDTH)
    x = g("Relu", x, to="bent")
    if turned:
        cut = lambda k: g("Slice", x, g.const(f"from{k}", [k * WIDTH // 2], np.int64), g.const(f"to{k}", [(k + 1) * WIDTH // 2], np.int64), g.const("axis", [1], np.int64), to=f"half{k}")
        x = g("Concat", cut(1), cut(0), to="turned", axis=1)
    weights = g.constants[g.weight("next.w", 6, WIDTH, 3, 3)]
    if back:
        g.const("next.w", np.roll(weights, WIDTH // 2, 1))
    g("Flatten", g("GlobalAveragePool", g("Tanh", g("Conv", x, "next.w", to="next", kernel_shape=[3, 3], pads=[1, 1, 1, 1]))), to="y")
    return g.save(path, list(SHAPE))


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("turned, back, cause", [(True, True, []), (True, False, ["model.operator"]), (False, True, ["model.weights"])])
def test_an_order_of_channels_that_cancels(tmp_path, turned, back, cause, level):
    v = verdict_of(tmp_path, *models(tmp_path, shuffled, {"turned": turned, "back": back}), int(bool(cause)), level)
    assert causes(v) == cause


def test_gray_pictures_do_not_excuse_an_order(tmp_path):
    """Equal channels make the same of weights in any order: that is by these pictures."""
    gray = [np.repeat(np.random.default_rng(i).normal(size=(1, 1, *SHAPE[2:])), 3, 1).astype(np.float32) for i in range(3)]
    for path, role in zip(models(tmp_path, shuffled, {"first": True}), ("edge", "reference"), strict=True):
        record(path, tmp_path / f"{role}.mcap", gray, tmp_path, "none", role=role, constants=True)
    assert causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)) == ["model.weights"]


def counted(path, bias=1.2):
    """One channel decides how often something is done: its bias is one number."""
    g = Graph(17)
    x = g("Relu", g.conv("x", "stem", 3, WIDTH), to="bent")
    g("Conv", x, g.weight("one.w", 1, WIDTH, 1, 1), g.const("one.b", [bias]), to="one", kernel_shape=[1, 1])
    g("Flatten", g("Ceil", g("Exp", "one", to="grown"), to="counts"), to="y")
    return g.save(path, list(SHAPE))


@pytest.mark.parametrize("bias", [1.2, 0.])
def test_a_bias_of_one_channel_is_one_finding(tmp_path, bias):
    v = verdict_of(tmp_path, *models(tmp_path, counted, {"bias": bias}), int(bias == 0))
    assert causes(v) == (["model.weights"] if bias == 0 else [])


def branches(path, other=False):
    """Octaves: each is padded in two ways; other: the file lists all pads of one kind before the other's."""
    g = Graph(17)
    nodes = []
    x = "x"
    for i in range(4):
        a = g("Pad", x, g.const("left", [0, 0, 0, 2, 0, 0, 0, 0], np.int64), to=f"left{i}")
        b = g("Pad", x, g.const("right", [0, 0, 0, 0, 0, 0, 0, 2], np.int64), to=f"right{i}")
        g("Sub", a, b, to=f"octave{i}")
        x = g("Add", x, g("Mul", x, g.const(f"gain{i}", .5 + i), to=f"scaled{i}"), to=f"down{i}")
    g("Concat", *(f"octave{i}" for i in range(4)), to="y", axis=1)
    nodes = list(g.nodes)
    if other:
        rank = {"down": 0, "scaled": 0, "right": 1, "left": 2, "octave": 3, "y": 4}
        g.nodes.sort(key=lambda n: rank[n.output[0].rstrip("0123456789")])
        assert [n.output[0] for n in nodes] != [n.output[0] for n in g.nodes]
    return g.save(path, list(SHAPE))


@pytest.mark.parametrize("gain", [1., 1 / 3])
def test_branches_in_another_order_behind_a_wrong_input(tmp_path, gain):
    inputs = [np.random.default_rng(i).normal(size=SHAPE).astype(np.float32) for i in range(3)]
    for path, role in zip(models(tmp_path, branches, {"other": True}), ("edge", "reference"), strict=True):
        record(path, tmp_path / f"{role}.mcap", [np.float32(gain if role == "edge" else 1) * x for x in inputs], tmp_path, "none", role=role, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=int(gain != 1))
    assert [c for c in causes(v) if not c.startswith("input.")] == []
