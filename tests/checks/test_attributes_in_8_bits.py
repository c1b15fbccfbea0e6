"""An operator's attribute that both models state, and that differs by less than 8 bits round: told all the same, as both ways are
computed on the edge's own values.  The same model, rightly quantized, has no finding."""

import numpy as np
import pytest
from onnx_log import record
from onnx_models import Graph
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from quantized_models import Data
from validate_support import causes, finding, validate

def pictures(count, seed):
    """Smooth pictures, [1,3,24,24]."""
    random = np.random.default_rng(seed)
    return [(np.kron(random.normal(size=(1, 3, 4, 4)), np.ones((6, 6))) + random.normal(0, 0.2, (1, 3, 24, 24))).astype(np.float32) for _ in range(count)]


def weight(g, name, *shape, scale=None, mean=0.0):
    return g.const(name, mean + np.random.default_rng([3, *name.encode()]).normal(0, scale or np.sqrt(2 / np.prod(shape[1:])), shape))


KINDS = {
    "linear": ("Resize", dict(mode="linear", coordinate_transformation_mode="half_pixel"), dict(coordinate_transformation_mode="asymmetric")),
    "nearest": ("Resize", dict(mode="nearest", coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor"), dict(nearest_mode="ceil")),
    "average": ("AveragePool", dict(kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=0), dict(count_include_pad=1)),
    "most": ("MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0]), dict(pads=[0, 0, 1, 1])),
    "instance": ("InstanceNormalization", dict(epsilon=1e-5), dict(epsilon=1e-2)),
    "layer": ("LayerNormalization", dict(axis=3, epsilon=1e-5), dict(epsilon=1e-2)),
    "slope": ("Elu", dict(alpha=1.0), dict(alpha=0.95)),
    "gelu": ("Gelu", dict(approximate="none"), dict(approximate="tanh")),
    "response": ("LRN", dict(alpha=0.01, beta=0.75, size=5), dict(beta=0.74)),
}


KINDS_OF_CONSTANTS = {"slopes": ("PRelu", {}, {})}


def network(path, kind, other=False):
    """Five convolutions, whose noise gathers, then the operator."""
    op, attributes, change = {**KINDS, **KINDS_OF_CONSTANTS}[kind]
    g, x, around = Graph(), "x", {"kernel_shape": [3, 3], "pads": [1] * 4}
    for i in range(5):
        g("Conv", x, weight(g, f"w{i}", 12, 12 if i else 3, 3, 3), to=f"c{i}", **around)
        x = g("Relu", f"c{i}", to=f"r{i}")
    inputs = ["c4" if op in ("Elu", "Gelu") else x]
    if op == "Resize":
        inputs += ["", g.const("scales", [1, 1, 1.5, 1.5])]
    if op == "PRelu":
        inputs = ["c4", g.const("slopes", np.full((12, 1, 1), 0.22 if other else 0.2))]
    if "Normalization" in op:
        size = 12 if kind == "instance" else 24
        inputs += [weight(g, "gain", size, scale=0.1, mean=1), weight(g, "shift", size, scale=0.1)]
    g(op, *inputs, to="made", **{**attributes, **(change if other else {})})
    # which decides, so that no two classes are level
    g("Conv", "made", weight(g, "wz", 8, 12, 3, 3), g.const("bz", [2] + [0] * 7), to="z", **around)
    g("GlobalAveragePool", "z", to="y")
    return g.save(path, [1, 3, 24, 24])


def judge(tmp_path, kind, other, form, status, capture="full"):
    right, source = network(tmp_path / "right.onnx", kind), network(tmp_path / "source.onnx", kind, other)
    quantize_static(str(source), str(tmp_path / "int8.onnx"), Data(pictures(6, 1) + pictures(2, 2)), per_channel=True, quant_format=form,
                    weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8 if form == QuantFormat.QDQ else QuantType.QInt8)
    record(tmp_path / "int8.onnx", tmp_path / "edge.mcap", pictures(2, 2), tmp_path, role="edge", constants=True, capture=capture)
    record(right, tmp_path / "reference.mcap", pictures(2, 2), tmp_path, constants=True, capture=capture)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.5", status=status)


FORMS = {"linear": QuantFormat.QOperator, "average": QuantFormat.QOperator, "slope": QuantFormat.QOperator}
#: Beyond what the layer's own 8 bits round, so that it is an error; the others are warnings.
SURE = {"linear", "nearest", "average", "most", "layer", "instance"}


@pytest.mark.parametrize("kind", KINDS)
def test_another_attribute_is_told(tmp_path, kind):
    v = judge(tmp_path, kind, True, FORMS.get(kind, QuantFormat.QDQ), 1 if kind in SURE else 0)
    f = finding(v, "model.operator")
    assert [g["cause"] for g in v["findings"] if g["severity"] in ("error", "warning")] == ["model.operator"]
    assert f["severity"] == ("error" if kind in SURE else "warning") and "made" in f["summary"]
    if kind in ("linear", "average", "layer", "slope", "gelu"):  # the others show in the layer's values, or are not computed
        assert 1e-4 < f["evidence"]["effect_to_signal"] < 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_attributes(tmp_path, kind):
    assert causes(judge(tmp_path, kind, False, FORMS.get(kind, QuantFormat.QDQ), 0)) == []


@pytest.mark.parametrize("form", [QuantFormat.QDQ, QuantFormat.QOperator], ids=["QDQ", "QOperator"])
def test_slopes_are_weights_and_no_bias(tmp_path, form):
    """Of all channels alike, they look like a factor that a converter may have folded; it does not."""
    assert causes(judge(tmp_path, "slopes", True, form, 1)) == ["model.weights"]
    assert causes(judge(tmp_path, "slopes", False, form, 0)) == []


def test_where_the_outputs_alone_are_recorded(tmp_path):
    """Nothing else shows what the attribute does: a warning, as both models state it."""
    v = judge(tmp_path, "linear", True, QuantFormat.QDQ, 0, capture="io")
    assert [(f["cause"], f["severity"]) for f in v["findings"] if f["cause"] == "model.operator"] == [("model.operator", "warning")]
