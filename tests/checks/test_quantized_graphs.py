"""Static 8-bit models of ONNX Runtime's quantizer against the float file: healthy ones, other weights under them, calibration
that clips.  Activations are the ranges of integers there, and one side may be fused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_log import record
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
from quantized_models import Data
from validate_support import causes, finding, validate

def pictures(count, seed, gain=1.0):
    """Smooth pictures, [1,3,32,32]."""
    random = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        coarse = random.normal(size=(1, 3, 5, 5))
        fine = np.kron(coarse, np.ones((7, 7)))[:, :, :32, :32] + random.normal(0, 0.2, (1, 3, 32, 32))
        out.append((gain * fine).astype(np.float32))
    return out


def network(path, change=None, activation="Relu", linear=(), dilated=(), normed=False):
    """Convolutions, depthwise and pointwise, each with an activation; mean; dense.  change: {name of a weight: function};
    linear: convolutions without activation; normed: a batch normalization behind each."""
    nodes, constants = [], []

    def weight(name, *shape):
        random = np.random.default_rng([3, *name.encode()])
        value = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        constants.append(numpy_helper.from_array(np.ascontiguousarray((change or {}).get(name, lambda a: a)(value), np.float32), name))
        return name

    def norm(name, channels):
        values = np.random.default_rng([5, *name.encode()]).normal(0, 0.3, (4, channels))
        for key, value in zip(("scale", "shift", "mean", "variance"), (1 + values[0], values[1], values[2], 0.5 + values[3] ** 2)):
            constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}.{key}"))
        return [f"{name}.{key}" for key in ("scale", "shift", "mean", "variance")]

    def conv(x, name, channels, out, group=1, kernel=3):
        apart = 2 if name in dilated else 1
        nodes.append(helper.make_node("Conv", [x, weight(name + ".w", out, channels // group, kernel, kernel)], [name], name=name,
                                      group=group, kernel_shape=[kernel] * 2, pads=[kernel // 2 * apart] * 4, dilations=[apart] * 2))
        if normed:
            nodes.append(helper.make_node("BatchNormalization", [name, *norm(name, out)], [name + "_norm"], name=name + "_norm"))
        if name in linear:
            return name
        name += "_norm" if normed else ""
        bounds = ["zero", "six"] if activation == "Clip" else []
        nodes.append(helper.make_node(activation, [name, *bounds], [name + "_act"], name=name + "_act"))
        return name + "_act"

    x = conv("x", "stem", 3, 16)
    x = conv(x, "deep", 16, 16, group=16)
    x = conv(x, "point", 16, 16, kernel=1)
    x = conv(x, "last", 16, 16)
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pool"], name="pool"))
    nodes.append(helper.make_node("Flatten", ["pool"], ["flat"], name="flat"))
    nodes.append(helper.make_node("Gemm", ["flat", weight("fc.w", 16, 10)], ["y"], name="y"))
    constants += [numpy_helper.from_array(np.float32(v), n) for v, n in ((0, "zero"), (6, "six"))]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def judge(tmp_path, level, status, change=None, activation="Relu", gain=1.0, reference_level="none", activations=QuantType.QInt8, normed=False, form=QuantFormat.QDQ, **fault):
    right = network(tmp_path / "right.onnx", None, activation, normed=normed)
    source = network(tmp_path / "source.onnx", change, activation, normed=normed, **fault)
    quantize_static(str(source), str(tmp_path / "int8.onnx"), Data(pictures(12, 1, gain)), per_channel=True, weight_type=QuantType.QInt8,
                    activation_type=activations, quant_format=form)
    record(tmp_path / "int8.onnx", tmp_path / "edge.mcap", pictures(3, 2), tmp_path, level, role="edge", constants=True)
    record(right, tmp_path / "reference.mcap", pictures(3, 2), tmp_path, reference_level, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


LEVELS = ["none", "extended"]


@pytest.mark.parametrize("activation", ["Relu", "Clip"])
@pytest.mark.parametrize("level", LEVELS)
def test_healthy(tmp_path, level, activation):
    v = judge(tmp_path, level, 0, activation=activation)
    assert causes(v) == [] and v["coverage"]["compared"] >= 6
    # A convolution is not compared with what the activation makes of the reference's.
    assert all(p["reference"]["op"] != "Clip" or p["edge"]["op"] != "Conv" for p in v["layers"])


@pytest.mark.parametrize("reference_level", LEVELS)
def test_a_layer_behind_other_weights_is_no_kernel(tmp_path, reference_level):
    """Run alone from the nearest values of the edge, it runs the other weights, too."""
    v = judge(tmp_path, "none", 1, {"point.w": lambda a: a.transpose(1, 0, 2, 3)}, reference_level=reference_level, form=QuantFormat.QOperator)
    assert causes(v) == ["model.weights"]


CHANGES = {
    "rolled": ("point.w", lambda a: np.roll(a, 1, 0)),
    "permuted": ("deep.w", lambda a: a[np.random.default_rng(1).permutation(16)]),
    "mirrored": ("last.w", lambda a: a[..., ::-1]),
    "filters of zeros": ("point.w", lambda a: a * (np.arange(16) > 5)[:, None, None, None]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("level", LEVELS)
def test_other_weights_are_one_cause(tmp_path, level, change):
    """Ranges that were calibrated with the wrong weights are no second fault, nor are layers behind."""
    name, function = CHANGES[change]
    v = judge(tmp_path, level, 1, {name: function})
    assert causes(v) == ["model.weights"]
    assert f"weights {name}" in str(finding(v, "model.weights")) and finding(v, "model.weights")["evidence"]["weights_differ"] == 1


@pytest.mark.parametrize("level", LEVELS)
def test_calibration_that_clips_marks_each_layer(tmp_path, level):
    """With pictures a sixth as bright: all layers, or the first that stands at its end where what it gets is clipped, too."""
    v = judge(tmp_path, level, 1, gain=1 / 6)
    assert causes(v) == ["layer.saturation"]
    marked = [p["edge"]["index"] for p in v["layers"] if p["cause"] == "layer.saturation"]
    assert len(marked) == finding(v, "layer.saturation")["evidence"]["layers"] >= (3 if level == "extended" else 1)
    assert finding(v, "layer.saturation")["where"]["layer"] == marked[0]


@pytest.mark.parametrize("fault,place,words", [({"dilated": ["deep"]}, "deep", "dilations"), ({"linear": ["point"]}, "point", "ReLU")], ids=["dilation", "no ReLU"])
@pytest.mark.parametrize("level", LEVELS)
def test_an_operator_before_a_range_that_activates(tmp_path, level, fault, place, words):
    """Where the reference's convolution has its ReLU inside and the edge's range clips as that does, both are one layer: what
    it does otherwise is neither passed over nor a kernel's fault."""
    v = judge(tmp_path, level, 1, reference_level="extended", **fault)
    f = finding(v, "model.operator")
    assert causes(v) == ["model.operator"] and words in f["summary"] and place in f["summary"] + str(f["where"])


@pytest.mark.parametrize("level", LEVELS)
def test_ranges_of_16_bits_activate_too(tmp_path, level):
    assert causes(judge(tmp_path, level, 0, reference_level="extended", activations=QuantType.QInt16)) == []


@pytest.mark.parametrize("level", LEVELS)
def test_a_normalization_behind_quantized_values_is_folded(tmp_path, level):
    """The quantizer leaves batch normalizations behind integers, their constants in 8 bits; the reference has folded them."""
    assert causes(judge(tmp_path, level, 0, reference_level="extended", normed=True)) == []


@pytest.mark.parametrize("level", LEVELS)
def test_other_weights_before_a_normalization_behind_quantized_values(tmp_path, level):
    v = judge(tmp_path, level, 1, {"point.w": lambda a: np.roll(a, 1, 0)}, reference_level="extended", normed=True)
    assert causes(v) == ["model.weights"] and finding(v, "model.weights")["evidence"]["weights_differ"] == 1


def scaled(source, path, name, factor):
    model = onnx.load(source)
    found = next(i for i in model.graph.initializer if i.name == name)
    found.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(found) * factor).astype(np.float32), name))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("factor,cause", [(1 / 12, "layer.saturation"), (40, "layer.range")])
@pytest.mark.parametrize("level", LEVELS)
def test_the_range_that_the_model_quantizes_its_input_to(tmp_path, level, factor, cause):
    """The node that does so has no counterpart; what is behind it answers rightly to what it gets."""
    right = network(tmp_path / "right.onnx")
    quantize_static(str(right), str(tmp_path / "int8.onnx"), Data(pictures(12, 1)), per_channel=True, weight_type=QuantType.QInt8)
    edge = scaled(tmp_path / "int8.onnx", tmp_path / "edge.onnx", "x_scale", factor)
    record(edge, tmp_path / "edge.mcap", pictures(3, 2), tmp_path, level, role="edge", constants=True)
    record(right, tmp_path / "reference.mcap", pictures(3, 2), tmp_path, "extended", constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)
    assert causes(v) == [cause] and finding(v, cause)["where"]["stage"] == "input" and finding(v, cause)["where"]["tensor"] == "x"


def test_a_scale_of_weights_behind_integers(tmp_path):
    """One factor for all weights is no normalization that was folded; rows of the output that seem scaled are so because of it."""
    nodes, constants = [], []
    x = "x"
    for i in range(4):
        for name, shape in (("w", (48, 48)), ("b", (48,))):
            value = np.random.default_rng([i, *name.encode()]).normal(0, 1 / np.sqrt(48), shape)
            constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}{i}"))
        nodes += [helper.make_node("MatMul", [x, f"w{i}"], [f"m{i}"], name=f"m{i}"), helper.make_node("Add", [f"m{i}", f"b{i}"], [f"a{i}"], name=f"a{i}"),
                  helper.make_node("Relu", [f"a{i}"], ["y" if i == 3 else f"r{i}"], name=f"r{i}")]
        x = f"r{i}"
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 48])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 48])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "right.onnx")
    quantize_dynamic(str(tmp_path / "right.onnx"), str(tmp_path / "int8.onnx"), weight_type=QuantType.QInt8)
    inputs = [np.random.default_rng(i).normal(size=(8, 48)).astype(np.float32) for i in range(3)]
    record(tmp_path / "right.onnx", tmp_path / "reference.mcap", inputs, tmp_path, "extended", constants=True)
    for factor, status in ((1, 0), (2, 1)):
        edge = scaled(tmp_path / "int8.onnx", tmp_path / "edge.onnx", "w1_scale", factor)
        record(edge, tmp_path / "edge.mcap", inputs, tmp_path, "extended", role="edge", constants=True)
        v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.1", status=status)
        assert causes(v) == ([] if status == 0 else ["model.weights"])
