"""Two quantized copies of one model, and copies in fewer bits than their integers are stored in."""

import numpy as np
import pytest
from test_quantized_models import judged, onnx, perceptron, pytestmark, save, weights_in  # noqa: F401

from onnx import helper, numpy_helper

SHAPE = (6, 48)


def test_other_scales_of_the_same_weights_are_no_biases(tmp_path):
    right = perceptron(tmp_path / "m.onnx")
    edge, reference = weights_in(right, tmp_path / "e.onnx", 6), weights_in(right, tmp_path / "r.onnx", 8)
    assert judged(tmp_path, edge, reference, SHAPE)[:2] == ("pass", [])
    wrong = weights_in(perceptron(tmp_path / "w.onnx", roll=1), tmp_path / "q.onnx", 6)
    assert judged(tmp_path, wrong, reference, SHAPE)[:2] == ("fail", [("model.weights", "error")])


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_4_bits_in_bytes_have_the_noise_of_4_bits(tmp_path, kernels):
    right = perceptron(tmp_path / "m.onnx")
    assert judged(tmp_path, weights_in(right, tmp_path / "q.onnx", 4), right, SHAPE, kernels)[:2] == ("pass", [])
    wrong = weights_in(perceptron(tmp_path / "w.onnx", roll=1), tmp_path / "qw.onnx", 4)
    assert judged(tmp_path, wrong, right, SHAPE, kernels)[:2] == ("fail", [("model.weights", "error")])


def test_a_scale_of_8_bits_that_is_too_wide_is_no_type_of_4_bits(tmp_path):
    right = perceptron(tmp_path / "m.onnx")
    wide = weights_in(right, tmp_path / "q.onnx", 8, columns=False, wider=18)
    assert judged(tmp_path, wide, right, SHAPE)[0] == "fail"


def equalized(source, path, moved=True):
    """Factors of channels behind the first layer, which the weights of the second take off again."""
    model, factor = onnx.load(source), 2. ** np.random.default_rng(7).uniform(-2, 2, 48)
    for name, by in {"w0": factor, "b0": factor, "w1": 1 / factor[:, None]}.items():
        found = next(i for i in model.graph.initializer if i.name == name)
        if name != "w1" or moved:
            found.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(found) * by).astype(np.float32), name))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_factors_that_were_moved_between_layers(tmp_path, kernels):
    """A quantizer equalizes ranges: what lies between is another quantity, and what is made of it is the same."""
    right = perceptron(tmp_path / "m.onnx")
    edge = weights_in(equalized(right, tmp_path / "s.onnx"), tmp_path / "q.onnx", 8)
    assert judged(tmp_path, edge, right, SHAPE, kernels)[:2] == ("pass", [])
    wrong = weights_in(equalized(right, tmp_path / "w.onnx", moved=False), tmp_path / "qw.onnx", 8)
    assert judged(tmp_path, wrong, right, SHAPE, kernels)[0] == "fail"


def test_ties_that_8_bits_decide_are_no_other_decisions(tmp_path):
    """No application told anything: what a side decides is the best of its own scores."""
    random = np.random.default_rng(4)
    last = np.repeat(random.normal(0, .3, (48, 4)), 2, 1) + random.normal(0, 2e-4, (48, 8))
    right = save(tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w0"], ["m0"], "m0"), helper.make_node("Relu", ["m0"], ["r0"], "r0"),
                                       helper.make_node("MatMul", ["r0", "w1"], ["y"], "y")], {"w0": random.normal(0, .2, (48, 48)), "w1": last}, [1, 48])
    verdict, found, report = judged(tmp_path, weights_in(right, tmp_path / "q.onnx", 8), right, (1, 48))
    assert report["accuracy"]["agreement"] <= 0.5
    assert (verdict, found) == ("pass", [])
