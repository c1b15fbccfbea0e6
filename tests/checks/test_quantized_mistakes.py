"""Mistakes of quantizers that the noise of few bits is wide enough to hide, beside healthy twins: factors that nothing undoes, a
range without the negative part, branches that an optimizer has put in another order, quantization written in floats."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_log import record
from onnx_models import Graph
from onnxruntime.quantization import QuantType, quantize_static
from quantized_models import Data
from validate_support import causes, finding, validate


def arrays(shape, count, seed, gain=1.0):
    return [(gain * np.random.default_rng([seed, i]).normal(size=shape)).astype(np.float32) for i in range(count)]


def judge(tmp_path, edge, reference, inputs, status, edge_level="extended", reference_level="extended"):
    record(edge, tmp_path / "edge.mcap", inputs, tmp_path, edge_level, role="edge", constants=True)
    record(reference, tmp_path / "reference.mcap", inputs, tmp_path, reference_level, constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


def initializer(model, name, function):
    found = next(i for i in model.graph.initializer if i.name == name)
    value = numpy_helper.to_array(found)
    found.CopyFrom(numpy_helper.from_array(np.asarray(function(value.copy()), value.dtype).reshape(value.shape), name))


def static(source, path, data, change=None, **options):
    """By ONNX Runtime's quantizer; change(model) alters the file."""
    quantize_static(str(source), str(path), Data(data), per_channel=True, weight_type=QuantType.QInt8, **options)
    model = onnx.load(path)
    (change or (lambda m: None))(model)
    onnx.save(model, path)
    return path


# ---- 4 bits ----


def dense(path, uneven=False):
    """Layers of matrices; uneven: blocks of inputs of unequal sizes in the seventh."""
    g, x = Graph(), "x"
    for i in range(8):
        name = g.weight(f"m{i}.w", 64, 64)
        if uneven and i == 6:
            g.constants[name] *= np.repeat(np.float32([0.4, 1.6, 0.8, 1.2]), 16)[:, None]
        x = g("Tanh", g("MatMul", x, name, to=f"m{i}"), to="y" if i == 7 else f"t{i}")
    return g.save(path, [8, 64])


def in_4_bits(source, path, spoil=lambda name, scale: scale, block=16):
    """Every matrix as MatMulNBits has it, in blocks of rows with a scale each."""
    model = onnx.load(source)
    held = {i.name: i for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "MatMul":
            continue
        name = node.input[1]
        w = numpy_helper.to_array(held[name])
        rows, columns = w.shape
        blocks = w.T.reshape(columns, rows // block, block)
        scale = np.abs(blocks).max(-1) / 7
        q = (np.round(blocks / scale[..., None]) + 8).astype(np.uint8)
        packed = (q[..., ::2] | q[..., 1::2] << 4).astype(np.uint8)
        model.graph.initializer.remove(held[name])
        model.graph.initializer.extend([numpy_helper.from_array(packed, name), numpy_helper.from_array(spoil(name, scale).astype(np.float32).reshape(-1), name + "_scale")])
        node.CopyFrom(helper.make_node("MatMulNBits", [node.input[0], name, name + "_scale"], list(node.output), name=node.name, domain="com.microsoft", K=rows, N=columns, bits=4, block_size=block))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("moved", [0, 1], ids=["healthy", "moved by a block"])
def test_scales_of_blocks_that_nothing_undoes(tmp_path, moved):
    """A factor for each input is undone by what makes it or not at all; 4 bits are noise enough that the layer seems right."""
    right = dense(tmp_path / "right.onnx", uneven=True)
    edge = in_4_bits(right, tmp_path / "edge.onnx", lambda name, scale: np.roll(scale, moved, 1) if name == "m6.w" else scale)
    v = judge(tmp_path, edge, right, arrays((8, 64), 4, 1), moved)
    assert causes(v) == (["model.weights"] if moved else [])
    assert not moved or "m6.w" in str(finding(v, "model.weights"))
    assert next(p for p in v["layers"] if p["edge"]["name"] == "m6")["role"] == "clean"


def sorted_rows(source, path, gathers, sorts=True):
    """Rows of the fourth matrix from the least to the greatest, as quantizers sort them; a Gather does the same to what it multiplies, or not."""
    model = onnx.load(source)
    order = np.argsort(np.abs(numpy_helper.to_array(next(i for i in model.graph.initializer if i.name == "m3.w"))).max(1))
    if sorts:
        initializer(model, "m3.w", lambda w: w[order])
    node = next(n for n in model.graph.node if n.name == "m3")
    if gathers:
        model.graph.initializer.append(numpy_helper.from_array(order.astype(np.int64), "order"))
        model.graph.node.insert(list(model.graph.node).index(node), helper.make_node("Gather", [node.input[0], "order"], ["sorted"], "sorted", axis=-1))
        node.input[0] = "sorted"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("gathers", [True, False])
def test_rows_that_were_sorted_before_they_were_quantized(tmp_path, gathers):
    right = dense(tmp_path / "right.onnx")
    edge = in_4_bits(sorted_rows(right, tmp_path / "sorted.onnx", gathers), tmp_path / "edge.onnx")
    v = judge(tmp_path, edge, right, arrays((8, 64), 4, 1), 0 if gathers else 1)
    assert causes(v) == ([] if gathers else ["model.weights"])


def test_values_that_are_sorted_for_weights_that_are_not(tmp_path):
    right = dense(tmp_path / "right.onnx")
    edge = in_4_bits(sorted_rows(right, tmp_path / "sorted.onnx", True, False), tmp_path / "edge.onnx")
    assert causes(judge(tmp_path, edge, right, arrays((8, 64), 4, 1), 1)) == ["model.operator"]


@pytest.mark.parametrize("row", [0, 17])
def test_two_rows_of_many_that_are_exchanged(tmp_path, row):
    """Of all weights that is less than the rounding of 4 bits; of those two it is everything."""
    right = dense(tmp_path / "right.onnx")
    swapped = onnx.load(right)
    initializer(swapped, "m5.w", lambda w: w[:, [row + 1 if i == row else row if i == row + 1 else i for i in range(64)]])
    onnx.save(swapped, tmp_path / "swapped.onnx")
    v = judge(tmp_path, in_4_bits(tmp_path / "swapped.onnx", tmp_path / "edge.onnx"), right, arrays((8, 64), 4, 1), 1)
    assert causes(v) == ["model.weights"] and "m5.w" in str(finding(v, "model.weights"))


# ---- What 8 bits are wide enough to hide ----


def deep(path):
    g, x = Graph(opset=17), "x"
    for i in range(6):
        name = f"c{i}"
        y = g("Conv", x, g.weight(name + ".w", 12, 3 if i == 0 else 12, 3, 3), g.const(name + ".b", 0.3 * np.random.default_rng(i).normal(size=12)), to=name, kernel_shape=[3, 3], pads=[1] * 4)
        x = g("Relu", y, to=f"r{i}")
    g("Flatten", g("GlobalAveragePool", x, to="pool"), to="y")
    return g.save(path, [1, 3, 24, 24])


HIDDEN = {"healthy": None, "a channel's scale": ("c3.w_scale", lambda a: a * np.where(np.arange(12) == 5, 2, 1)), "scales moved by one": ("c3.w_scale", lambda a: np.roll(a, 1)),
          "a bias lost": ("c3.b_quantized", lambda a: a * 0)}


@pytest.mark.parametrize("name", HIDDEN)
def test_weights_and_biases_that_nothing_undoes(tmp_path, name):
    """Factors of one layer's channels belong to something that takes them back, where there is anything; a bias shows where its layer errs by it."""
    right, change = deep(tmp_path / "right.onnx"), HIDDEN[name]
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), change and (lambda model: initializer(model, *change)), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1 if change else 0, "none", "none")
    assert causes(v) == (["model.weights"] if change else [])
    assert not change or "c3." in str(finding(v, "model.weights"))


def convolutions_in_time(path):
    g, x = Graph(opset=17), "x"
    for i in range(6):
        y = g("Conv", x, g.weight(f"c{i}.w", 12, 12, 3), g.const(f"c{i}.b", 0.1 * np.random.default_rng(i).normal(size=12)), to=f"c{i}", kernel_shape=[3], pads=[2**i] * 2, dilations=[2**i])
        x = g("Add", x, g("Relu", y, to=f"r{i}"), to=f"s{i}")
    g("ReduceMean", x, to="y", axes=[2], keepdims=0)
    return g.save(path, [1, 12, 100])


def normalized(path):
    g, x = Graph(opset=17), "x"
    for i in range(3):
        r = np.random.default_rng(i)
        n = g("LayerNormalization", x, g.const(f"n{i}.s", 1 + 0.1 * r.normal(size=64)), g.const(f"n{i}.b", 0.1 * r.normal(size=64)), to=f"n{i}")
        y = g("Add", g("MatMul", n, g.weight(f"u{i}.w", 64, 128), to=f"u{i}m"), g.const(f"u{i}.b", 0.05 * r.normal(size=128)), to=f"u{i}")
        x = g("Add", x, g("MatMul", g("Relu", y, to=f"r{i}"), g.weight(f"d{i}.w", 128, 64), to=f"d{i}"), to=f"s{i}")
    g("Identity", x, to="y")
    return g.save(path, [16, 64])


def corrected(model):
    """As quantizers do: every bias by what the rounding of its layer's weights makes on average."""
    for i in range(6):
        initializer(model, f"c{i}.b_quantized", lambda b: b + 0.03 * b.std() * np.random.default_rng(i).normal(size=b.shape))


def moved_on(model):
    """As optimizers do: what a normalization adds is moved into the next layer's bias."""
    value = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    initializer(model, "u1.b", lambda b: b + value["n1.b"] @ value["u1.w"])
    initializer(model, "n1.b", lambda b: b * 0)


LOST = {"healthy": (None, False), "zero": (lambda m, bias: initializer(m, bias, lambda b: b * 0), True), "negated": (lambda m, bias: initializer(m, bias, lambda b: -b), True)}


@pytest.mark.parametrize("name", [*LOST, "corrected"])
@pytest.mark.parametrize("at", [1, 5])
def test_a_bias_that_is_less_than_what_its_layer_reads_errs(tmp_path, name, at):
    """The noise of 8 bits that has added up before the layer is more than a bias makes, but both logs have it."""
    change, wrong = LOST.get(name, (lambda m, bias: corrected(m), False))
    right = convolutions_in_time(tmp_path / "right.onnx")
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 12, 100), 8, 1), change and (lambda m: change(m, f"c{at}.b_quantized")), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 12, 100), 4, 2), int(wrong), "none", "none")
    assert causes(v) == (["model.weights"] if wrong else [])
    assert not wrong or f"c{at}.b" in str(finding(v, "model.weights"))


@pytest.mark.parametrize("name", [*LOST, "moved into the next bias"])
def test_a_normalization_whose_bias_is_lost(tmp_path, name):
    change, wrong = LOST.get(name, (lambda m, bias: moved_on(m), False))
    right = normalized(tmp_path / "right.onnx")
    model = onnx.load(right)
    if change:
        change(model, "n1.b")
    onnx.save(model, tmp_path / "changed.onnx")
    edge = static(tmp_path / "changed.onnx", tmp_path / "edge.onnx", arrays((16, 64), 8, 1), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((16, 64), 4, 2), int(wrong), "none", "none")
    assert causes(v) == (["model.weights"] if wrong else [])


# ---- Ranges ----


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("up", [0, 1, 25])
def test_a_range_that_is_a_relu_no_more(tmp_path, up, level):
    """The zero point of what a ReLU made, moved: negative numbers are let through.  What is added behind is noisier than that."""
    right = convolutions_in_time(tmp_path / "right.onnx")
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 12, 100), 8, 1), lambda m: initializer(m, "r2_zero_point", lambda z: z + up), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 12, 100), 4, 2), int(up > 1), level, level)
    assert causes(v) == (["model.operator"] if up > 1 else [])
    assert up <= 1 or "ReLU" in finding(v, "model.operator")["summary"]


def swish(path, activation="HardSwish"):
    g = Graph(opset=17)
    x = g.conv("x", "stem", 3, 16)
    for i in range(3):
        x = g.conv(g(activation, x, to=f"act{i}"), f"c{i}", 16, 16)
    g("Flatten", g("GlobalAveragePool", x, to="pool"), to="y")
    return g.save(path, [1, 3, 24, 24])


def lose_zero(model):
    initializer(model, "act1_zero_point", lambda a: a * 0)


@pytest.mark.parametrize("activation,change", [("HardSwish", None), ("HardSwish", lose_zero), ("Relu", None)], ids=["healthy", "no negative part", "a ReLU has none"])
def test_a_range_that_begins_at_zero_behind_values_that_do_not(tmp_path, activation, change):
    right = swish(tmp_path / "right.onnx", activation)
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), change, activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1 if change else 0)
    assert causes(v) == (["layer.saturation"] if change else [])
    assert not change or "act1" in finding(v, "layer.saturation")["summary"]


# ---- Branches ----


def branches(path, lacking=False):
    """Three branches of one shape, one behind a pool, joined; lacking: in the second block it reads what the pool would."""
    g = Graph(opset=17)
    x = g("Relu", g.conv("x", "stem", 3, 12), to="stem_act")
    for i, channels in enumerate((12, 24)):
        p = g("AveragePool", x, to=f"pool{i}", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
        one = {"kernel_shape": [1, 1], "pads": [0] * 4}
        parts = [g.conv(x, f"a{i}", channels, 8, **one), g.conv(x, f"b{i}", channels, 8), g.conv(x if lacking and i else p, f"c{i}", channels, 8, **one)]
        x = g("Concat", *(g("Relu", part, to=part + "_act") for part in parts), to=f"joined{i}", axis=1)
    g("Flatten", g("GlobalAveragePool", g.conv(x, "last", 24, 8), to="pool"), to="y")
    return g.save(path, [1, 3, 24, 24])


@pytest.mark.parametrize("symmetric", [False, True])
def test_branches_in_another_order_are_known_by_their_values(tmp_path, symmetric):
    """The optimizer runs the branches of the 8-bit copy from the last to the first: two of one shape were taken for each other."""
    right = branches(tmp_path / "right.onnx")
    options = {"activation_type": QuantType.QInt8, "extra_options": {"ActivationSymmetric": True}} if symmetric else {"activation_type": QuantType.QUInt8}
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), **options)
    assert causes(judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 0)) == []


def test_a_branch_that_reads_something_else_is_still_told(tmp_path):
    right, wrong = branches(tmp_path / "right.onnx"), branches(tmp_path / "wrong.onnx", lacking=True)
    edge = static(wrong, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1)
    assert causes(v) == ["model.operator"] and "pool1" in str(finding(v, "model.operator"))


# ---- Quantization in floats ----


def trained(path, activations="float", rounded=False, other=0.0, zero=0, relu=True, high=127):
    """Two convolutions and what is between, as a training graph has them.  activations: "float", "fake" (divided by a step, rounded,
    clipped, multiplied) or "integers"; rounded: every filter to 255 steps; other: another checkpoint; zero: the zero point of what is
    fake; relu: before it, or -128 is its zero point and the range its ReLU; high: where it ends."""
    g = Graph(opset=17)

    def stored(x, name, step):
        if activations == "integers":
            one = [g.const(name + ".step", step), g.const(name + ".zero", 0, np.int8)]
            return g("DequantizeLinear", g("QuantizeLinear", x, *one, to=name + "_q"), *one, to=name)
        if activations == "float":
            return x
        x = g("Div", x, g.const(name + ".step", step), to=name + "_div")
        if zero:
            x = g("Add", x, g.const("zero", zero), to=name + "_moved")
        x = g("Clip", g("Round", x, to=name + "_round"), g.const("low", -128), g.const("high", high), to=name + "_clip")
        if zero:
            x = g("Sub", x, "zero", to=name + "_back")
        return g("Mul", x, name + ".step", to=name)

    def conv(x, name, channels, out):
        y = g.conv(x, name, channels, out)
        w = g.constants[name + ".w"]
        w = w + np.float32(other) * np.random.default_rng(9).normal(0, w.std(), w.shape).astype(np.float32)
        if rounded:
            step = (np.abs(w).max((1, 2, 3), keepdims=True) / 127).astype(np.float32)
            w = np.round(w / step).astype(np.float32) * step
        g.constants[name + ".w"] = w
        return y

    x = g("Relu", conv(stored("x", "given", 0.03) if not zero else "x", "c0", 3, 12), to="act0")
    for i in (1, 2):
        x = conv(stored(x, f"kept{i}", 0.02), f"c{i}", 12, 12)
        if relu or i == 2:
            x = g("Relu", x, to=f"act{i}")
    g("Flatten", g("GlobalAveragePool", x, to="pool"), to="y")
    return g.save(path, [1, 3, 24, 24])


@pytest.mark.parametrize("level", ["none", "extended"])
def test_rounding_that_a_training_graph_writes_in_floats_is_quantization(tmp_path, level):
    fake, integers = trained(tmp_path / "fake.onnx", "fake", True), trained(tmp_path / "integers.onnx", "integers", True)
    assert causes(judge(tmp_path, integers, fake, arrays((1, 3, 24, 24), 3, 2), 0, level, level)) == []


FAKE = {"signed": {}, "a zero point": dict(zero=-100), "its range is the ReLU": dict(zero=-128, relu=False)}


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("name", FAKE)
def test_rounding_in_floats_is_the_noise_of_8_bits(tmp_path, name, level):
    """The clip is the range of a type, the float original needs none."""
    fake, right = trained(tmp_path / "fake.onnx", "fake", True, **FAKE[name]), trained(tmp_path / "right.onnx")
    assert causes(judge(tmp_path, fake, right, arrays((1, 3, 24, 24), 3, 2), 0, level, level)) == []


WRONG = {"another checkpoint": (dict(other=0.3), "model.version"), "a ReLU lost": (dict(relu=False), "model.operator"), "no range of a type": (dict(high=25), "model.operator")}


@pytest.mark.parametrize("name", WRONG)
def test_faults_beside_rounding_in_floats_are_told(tmp_path, name):
    """Its noise is that of 8 bits: what follows is judged."""
    change, cause = WRONG[name]
    fake, right = trained(tmp_path / "fake.onnx", "fake", True, **change), trained(tmp_path / "right.onnx")
    assert causes(judge(tmp_path, fake, right, arrays((1, 3, 24, 24), 3, 2), 1, "none", "none"))[:1] == [cause]


@pytest.mark.parametrize("other", [0.0, 0.3], ids=["rounded", "another checkpoint"])
def test_floats_that_were_rounded_to_steps(tmp_path, other):
    """Weights of 8 bits that are stored in float32 are off by rounding, as those stored in 8 bits are; and no more."""
    right, edge = trained(tmp_path / "right.onnx"), trained(tmp_path / "edge.onnx", "integers", True, other)
    assert causes(judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1 if other else 0)) == (["model.version"] if other else [])


# ---- Beside other causes ----


def test_a_layer_and_its_activation_quantized_each(tmp_path):
    """The optimizer drops the ReLU between two copies: the second one's range is it."""
    right = swish(tmp_path / "right.onnx", "Relu")
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), activation_type=QuantType.QUInt16, nodes_to_exclude=["act0", "act1"], extra_options={"UseQDQContribOps": True})
    assert causes(judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 0)) == []


def test_a_range_behind_other_weights_is_their_consequence(tmp_path):
    """Signed weights read as unsigned ones make values that no range was chosen for: layers that only clip them are not blamed."""

    def unsigned(model):
        for name in ("c0.w_quantized", "c0.w_zero_point"):
            found = next(i for i in model.graph.initializer if i.name == name)
            found.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(found).view(np.uint8), name))

    right = swish(tmp_path / "right.onnx")
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), unsigned, activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1)
    assert causes(v) == ["model.weights"] and "c0.w" in str(finding(v, "model.weights"))


def read_with(kind, change, undone=""):
    """What unpacks act1 has a scale ("1") or a zero point ("2") of its own; undone: weights of which the other factor is part."""

    def apply(model):
        node = next(n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0].startswith("act1_Quant"))
        value = next(numpy_helper.to_array(i) for i in model.graph.initializer if i.name == node.input[kind])
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(change(value), value.dtype), "own"))
        node.input[kind] = "own"
        if undone:
            initializer(model, undone, lambda a: a / 1.5)

    return apply


@pytest.mark.parametrize("level", ["none", "extended"])
@pytest.mark.parametrize("change,word", [(read_with(1, lambda a: a * 1.5), "scale"), (read_with(2, lambda a: a + 20), "zero point"), (read_with(1, lambda a: a * 1.5, "c1.w_scale"), "")],
                         ids=["scale", "zero point", "a factor that is meant"])
def test_integers_that_are_read_otherwise_than_written(tmp_path, level, change, word):
    """No kernel is wrong where the file itself does not agree; a factor may be put there that the weights behind undo."""
    right = swish(tmp_path / "right.onnx")
    edge = static(right, tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), change, activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), 1 if word else 0, level)
    assert causes(v) == (["model.operator"] if word else [])
    if word:
        f = finding(v, "model.operator")
        assert f["evidence"]["attribute"] == word and "act1" in f["summary"] and word in f["summary"]


@pytest.mark.parametrize("by", [1, 0])
def test_one_step_between_two_files_of_integers_that_are_equal_before_it(tmp_path, by):
    """Within the noise of 8 bits; but all before it and beside it is equal bit for bit, and one file contradicts itself."""
    right = static(swish(tmp_path / "right.onnx"), tmp_path / "reference.onnx", arrays((1, 3, 24, 24), 8, 1), activation_type=QuantType.QUInt8)
    edge = static(tmp_path / "right.onnx", tmp_path / "edge.onnx", arrays((1, 3, 24, 24), 8, 1), read_with(2, lambda a: a + by), activation_type=QuantType.QUInt8)
    v = judge(tmp_path, edge, right, arrays((1, 3, 24, 24), 3, 2), by, "none", "none")
    assert causes(v) == (["model.operator"] if by else [])
    if by:
        assert "zero point" in finding(v, "model.operator")["summary"]
