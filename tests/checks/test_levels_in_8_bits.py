"""Values far from zero in 8 bits: quantizers have zero within each range, so that a level's steps are coarse, which no calibration mends."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_log import record
from onnx_models import Graph
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from quantized_models import Data
from validate_support import causes, finding, validate

SHAPE = (1, 3, 96)


def series(count):
    random, t = np.random.default_rng(8), np.arange(96)
    return [np.stack([20 + 3 * k + 5 * np.sin(2 * np.pi * (t + 7 * i) / 24 + k) + random.normal(0, .7, 96) for k in range(3)])[None].astype(np.float32) for i in range(count)]


def forecaster(path):
    """The mean of a series is taken away, and added to what is made of the rest."""
    g = Graph(17)
    level = g("ReduceMean", "x", to="level", axes=[2], keepdims=1)
    c = g("Relu", g("Conv", g("Sub", "x", level, to="centered"), g.weight("c.w", 12, 3, 5), to="c", kernel_shape=[5], pads=[2, 2]), to="bent")
    y = g("Conv", c, g.weight("h.w", 3, 12, 1), to="head", kernel_shape=[1])
    first = g("Gather", level, g.const("zero", 0, np.int64), to="first", axis=1)  # of one channel: hardly another number in any frame
    g("Add", y, first, to="y")
    return g.save(path, list(SHAPE))


def widened(path, name, factor):
    """The scale of one tensor's integers is another."""
    model = onnx.load(path)
    for i in model.graph.initializer:
        if i.name == name + "_scale":
            i.CopyFrom(numpy_helper.from_array(np.float32(factor) * numpy_helper.to_array(i), i.name))
    onnx.save(model, path)


@pytest.mark.parametrize("factor", [1, 12])
def test_a_level_in_8_bits(tmp_path, factor):
    reference, edge = forecaster(tmp_path / "reference.onnx"), tmp_path / "edge.onnx"
    quantize_static(reference, edge, Data(series(8)), quant_format=QuantFormat.QDQ, weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8)
    if factor > 1:
        widened(edge, "first", factor)
    for path, role in ((edge, "edge"), (reference, "reference")):
        record(path, tmp_path / f"{role}.mcap", series(4), tmp_path, "none", role=role, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=int(factor > 1))
    assert causes(v) == (["layer.range"] if factor > 1 else [])
    if factor > 1:
        assert "first" in finding(v, "layer.range")["summary"]
