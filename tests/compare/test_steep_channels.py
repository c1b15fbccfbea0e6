"""Logarithms of bands in which hardly anything is heard: what rounding leaves there is much of such a band, and no layer's fault."""

import numpy as np
import pytest
from onnx_log import record
from onnx_models import Graph, models
from validate_support import causes, validate

TIME, TAPS, BANDS = 40, 64, 24


def spectrum(path, halves=False, slip=0.0):
    """Half of the bands see a level that stays, the others only what is left without it; halves: summed in another order."""
    g, random = Graph(17), np.random.default_rng(3)
    w = random.normal(0, 1, (TAPS, BANDS))
    w[:, ::2] -= w[:, ::2].mean(0)
    w[:, 1] *= 1 + slip
    if halves:
        cut = lambda i: g("Slice", "x", g.const(f"from{i}", [i * TAPS // 2], np.int64), g.const(f"to{i}", [(i + 1) * TAPS // 2], np.int64), g.const("last", [2], np.int64))
        bands = g("Add", *(g("MatMul", cut(i), g.const(f"w{i}", w[i * TAPS // 2:(i + 1) * TAPS // 2])) for i in (1, 0)), to="bands")
    else:
        bands = g("MatMul", "x", g.const("w", w), to="bands")
    power = g("Add", g("Mul", bands, bands, to="power"), g.const("floor", 1e-10), to="floored")
    decibels = g("Mul", g("Log", power, to="log"), g.const("ten", 10 / np.log(10)), to="decibels")
    relative = g("Sub", decibels, g("ReduceMin", decibels, to="least", axes=[1, 2], keepdims=1), to="relative")
    g("Div", relative, g("ReduceMax", relative, to="most", axes=[1, 2], keepdims=1), to="y")
    return g.save(path, [1, TIME, TAPS])


def judge(tmp_path, change, status):
    random = np.random.default_rng(4)
    sounds = [(1 + 1e-5 * random.normal(size=(1, TIME, TAPS))).astype(np.float32) for _ in range(3)]
    for path, role in zip(models(tmp_path, spectrum, change, {}), ("edge", "reference")):
        record(path, tmp_path / f"{role}.mcap", sounds, tmp_path, level="none", role=role, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.5", status=status)


def test_sums_in_another_order(tmp_path):
    v = judge(tmp_path, {"halves": True}, 0)
    assert v["verdict"] == "pass" and causes(v) == []


@pytest.mark.parametrize("slip", [0.01, 0.5])
def test_a_band_that_is_louder(tmp_path, slip):
    v = judge(tmp_path, {"slip": slip}, 1)
    assert v["verdict"] == "fail" and causes(v)[0].startswith("model.")
