"""Integers of the same stored numbers: of equal inputs two engines make the same to a step, whatever file they read them from.  Engines of one's
own, recorded by hand, that add up otherwise, beside those that only round otherwise; results whose number is another, outputs alone."""

import numpy as np
import pytest
from log_writer import DTYPES, PB
from validate_support import Recording, causes, finding, validate

WIDTHS = (64, 48, 32, 10)
SCALE = {"scale": [1 / 32], "zero_point": [0]}


def weights():
    rng = np.random.default_rng(181)
    return [np.clip(np.round(rng.normal(0, 40, (a, b))), -127, 127).astype(np.int8) for a, b in zip(WIDTHS, WIDTHS[1:])]


def clipped(h, w):
    """An accumulator that saturates after each product."""
    total = np.zeros((1, w.shape[1]), np.int64)
    for j in range(len(w)):
        total = np.clip(total + h[:, j : j + 1] * w[j].astype(int), -32768, 32767)
    return total


def exact(h, w):
    return h @ w.astype(int)


def log(path, role, add, rounding=np.round, spoil=None):
    """spoil(i, w): the weights that are stored and used."""
    stored = [w if spoil is None else spoil(i, w) for i, w in enumerate(weights())]
    with Recording(path, role) as made:
        m = PB["Model"](name="own", engine="own", inputs=[0], outputs=[3])
        for name, shape, scale in [("x", (1, 64), 1 / 64), *((f"dense{i}", (1, n), 1 / 32) for i, n in enumerate(WIDTHS[1:])), *((f"w{i}", w.shape, 1 / 128) for i, w in enumerate(stored))]:
            t = m.tensors.add(name=name, dtype=DTYPES["int8"], shape=shape, constant=name[0] == "w")
            t.quantization.scale.append(scale)
            t.quantization.zero_point.append(0)
        for i in range(3):
            m.nodes.add(op="FULLY_CONNECTED", name=f"dense{i}", inputs=[i, 4 + i], outputs=[i + 1])
        made.add("/model", "Model", m)
        for i, w in enumerate(stored):
            made.tensor(f"/constant/{4 + i}", w, tensor=4 + i, scale=[1 / 128], zero_point=[0])
        for k in range(6):
            x = np.clip(np.round(np.random.default_rng(190 + k).normal(0, 40, (1, WIDTHS[0]))), -128, 127).astype(np.int8)
            h, said = x.astype(int), [("/input/x", x, {"scale": [1 / 64], "zero_point": [0]})]
            for i, w in enumerate(stored):
                h = np.clip(rounding(add(h, w) / 256), 0 if i < 2 else -128, 127).astype(int)
                said.append((f"/layer/{i}", h.astype(np.int8), {"tensor": i + 1, **SCALE}))
            made.frame([*said, ("/output/dense2", h.astype(np.int8), SCALE)])
    return path


def judged(tmp_path, status, edge, reference=None):
    return validate(log(tmp_path / "edge.mcap", "edge", **edge), log(tmp_path / "reference.mcap", "reference", **(reference or {"add": exact})), status=status)


def test_a_few_sums_that_saturate_are_no_rounding(tmp_path):
    """4 of 288 values of the first layer are off by up to 25 steps; 8 bits' usual noise would hide them."""
    v = judged(tmp_path, 1, {"add": clipped})
    assert causes(v) == ["layer.kernel"] and "dense0" in str(finding(v, "layer.kernel"))


@pytest.mark.parametrize("rounding", [np.floor, np.ceil, lambda v: np.floor(v + 0.5)], ids=["down", "up", "half up"])
def test_another_rounding_is_healthy(tmp_path, rounding):
    assert causes(judged(tmp_path, 0, {"add": exact, "rounding": rounding})) == []


def test_weights_off_by_a_unit_are_another_quantizer_s(tmp_path):
    """Then the stored numbers are not the same, and the usual noise holds."""
    nudge = lambda i, w: np.clip(w + np.random.default_rng(i).integers(-1, 2, w.shape), -127, 127).astype(np.int8)
    assert causes(judged(tmp_path, 0, {"add": exact, "spoil": nudge})) == []
