"""Ranges of integers that the float reference has no counterpart of: copies behind a layer of floats, and integers before an
activation that the reference's engine fused; a second fault behind weights that are others."""

import numpy as np
import pytest
from test_quantized_models import judged, onnx, pytestmark, save  # noqa: F401

from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

SHAPE = (1, 3, 24, 24)


def network(path, bias=1., seed=8):
    """Convolutions, sums and LeakyReLUs."""
    random, nodes, constants, at = np.random.default_rng(seed), [], {}, "x"
    for i in range(4):
        inner = 8 if i else 3
        constants.update({f"w{i}": random.normal(0, np.sqrt(1.5 / inner) / 3, (8, inner, 3, 3)), f"b{i}": bias * random.normal(0, .3, 8)})
        nodes += [helper.make_node("Conv", [at, f"w{i}", f"b{i}"], [f"c{i}"], f"c{i}", kernel_shape=[3, 3], pads=[1] * 4),
                  helper.make_node("LeakyRelu", [f"c{i}"], [f"a{i}"], f"a{i}", alpha=.1)]
        if i:
            nodes.append(helper.make_node("Add", [f"a{i}", at], [f"s{i}"], f"s{i}"))
        at = f"s{i}" if i else f"a{i}"
    constants["wy"] = random.normal(0, .4, (4, 8, 1, 1))
    return save(path, nodes + [helper.make_node("Conv", [at, "wy"], ["y"], "y", kernel_shape=[1, 1])], constants, SHAPE)


class Reader(CalibrationDataReader):
    def __init__(self):
        random = np.random.default_rng(3)
        self.left = iter([{"x": random.normal(0, 1, SHAPE).astype(np.float32)} for _ in range(8)])

    def get_next(self):
        return next(self.left, None)


def quantized(source, path, change=None, symmetric=True):
    """change: factors of constants of the quantized model."""
    quantize_static(source, path, Reader(), activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8, weight_type=QuantType.QInt8,
                    per_channel=True, extra_options={"ActivationSymmetric": symmetric})
    model = onnx.load(path)
    for name, factor in (change or {}).items():
        found = next(i for i in model.graph.initializer if i.name == name)
        was = numpy_helper.to_array(found)
        found.CopyFrom(numpy_helper.from_array((was * np.asarray(factor, was.dtype if was.dtype.kind == "f" else np.int64)).astype(was.dtype), name))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_a_calibrated_model_is_healthy(tmp_path, kernels):
    right = network(tmp_path / "m.onnx")
    assert judged(tmp_path, quantized(right, tmp_path / "q.onnx"), right, SHAPE, kernels)[:2] == ("pass", [])


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_a_copy_of_a_sum_that_is_too_coarse(tmp_path, kernels):
    right = network(tmp_path / "m.onnx")
    verdict, found, report = judged(tmp_path, quantized(right, tmp_path / "q.onnx", {"s2_scale": 40.}), right, SHAPE, kernels)
    assert (verdict, found) == ("fail", [("layer.range", "error")]) and "s2" in report["findings"][0]["summary"]


@pytest.mark.parametrize("kernels", ["default", "none"])
@pytest.mark.parametrize("name", ["c1", "s1"])
def test_integers_that_clip_before_a_layer(tmp_path, kernels, name):
    right = network(tmp_path / "m.onnx")
    verdict, found, report = judged(tmp_path, quantized(right, tmp_path / "q.onnx", {f"{name}_scale": .2}), right, SHAPE, kernels)
    assert (verdict, found) == ("fail", [("layer.saturation", "error")]) and name in report["findings"][0]["summary"]


def test_a_range_that_clips_behind_other_biases_is_told_beside_them(tmp_path):
    right = network(tmp_path / "m.onnx", bias=3.)
    wrong = quantized(right, tmp_path / "q.onnx", {"b1_quantized": 0, "s2_scale": .2})
    verdict, found, _ = judged(tmp_path, wrong, right, SHAPE, "none", "none")
    assert (verdict, found) == ("fail", [("model.weights", "error"), ("layer.saturation", "error")])
    alone = quantized(right, tmp_path / "b.onnx", {"b1_quantized": 0})
    assert judged(tmp_path, alone, right, SHAPE, "none", "none")[:2] == ("fail", [("model.weights", "error")])


def test_weights_that_8_bits_round_away_are_no_wrong_kernel(tmp_path):
    """Channels of which one layer makes little and the next much: of its own integers the next one is right."""
    random = np.random.default_rng(5)
    size = np.where(np.arange(8) == 0, 1., 1 / 40)
    constants = {"w0": random.normal(0, .3, (8, 3, 3, 3)), "w1": random.normal(0, .3, (8, 8, 1, 1)) / size[None, ::-1, None, None].copy(),
                 "wy": random.normal(0, .4, (4, 8, 1, 1))}
    constants["w0"] *= size[::-1, None, None, None]
    nodes = [helper.make_node("Conv", ["x", "w0"], ["c0"], "c0", kernel_shape=[3, 3], pads=[1] * 4), helper.make_node("Relu", ["c0"], ["r0"], "r0"),
             helper.make_node("Conv", ["r0", "w1"], ["c1"], "c1", kernel_shape=[1, 1]), helper.make_node("Relu", ["c1"], ["r1"], "r1"),
             helper.make_node("Conv", ["r1", "wy"], ["y"], "y", kernel_shape=[1, 1])]
    right = save(tmp_path / "m.onnx", nodes, constants, SHAPE)
    verdict, found, report = judged(tmp_path, quantized(right, tmp_path / "q.onnx", symmetric=False), right, SHAPE)
    assert verdict == "fail" and {cause for cause, _ in found} <= {"layer.unknown", "layer.per_tensor_weights"}
    assert "rounding" in report["findings"][0]["summary"]


def test_layers_behind_one_that_clips_are_its_consequences(tmp_path):
    """Of fewer values that vary, the rounding of weights costs more: the next layer is not to blame for that."""
    right = network(tmp_path / "m.onnx", bias=4.)
    verdict, found, report = judged(tmp_path, quantized(right, tmp_path / "q.onnx", {"s1_scale": .12}), right, SHAPE, "none", "none")
    assert (verdict, found) == ("fail", [("layer.saturation", "error")]) and "s1" in report["findings"][0]["summary"]
