"""Two files that compute one function in other operators, and what looks like it and is another."""

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SHAPE = (1, 3, 16, 16)


class Net:
    def __init__(self):
        self.nodes, self.constants = [], {}

    def __call__(self, op, *inputs, to, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [to], to, **attributes))
        return to

    def constant(self, name, value, kind=np.float32):
        self.constants[name] = np.asarray(value, kind)
        return name

    def conv(self, x, name, inner, outer, seed):
        weights = np.random.default_rng(seed).normal(0, 1 / np.sqrt(9 * inner), (outer, inner, 3, 3))
        return self("Conv", x, self.constant(name + ".w", weights), to=name, pads=[1] * 4)


def model(path, middle):
    """A convolution, what `middle(net, x)` makes of it, and another convolution."""
    net = Net()
    net("GlobalAveragePool", net.conv(middle(net, net.conv("x", "first", 3, 8, 1)), "second", 8, 8, 2), to="y")
    graph = helper.make_graph(net.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, k) for k, v in net.constants.items()])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return str(path)


def log(path, role, file, scale=1.0):
    random = np.random.default_rng(7)
    with exray.Recorder(str(path), role=role, capture="full") as recorder:
        session = exray.onnx.tap(file, recorder)
        for i in range(3):
            with recorder.frame(source=f"frame{i}"):
                session.run(None, {"x": random.normal(0, scale, SHAPE).astype(np.float32)})
    return str(path)


def validated(folder, edge, reference):
    return exray.validate(log(folder / "e.mcap", "edge", model(folder / "e.onnx", edge)),
                          log(folder / "r.mcap", "reference", model(folder / "r.onnx", reference)))


def errors(report):
    return [f["cause"] for f in report.json["findings"] if f["severity"] == "error"]


def clipped_line(net, x):
    line = net("Add", net("Mul", x, net.constant("sixth", 1 / 6), to="scaled"), net.constant("half", .5), to="line")
    return net("Mul", x, net("Clip", line, net.constant("zero", 0), net.constant("one", 1), to="gate"), to="swish")


def clipped_sum(net, x, three=3.0):
    gate = net("Clip", net("Add", x, net.constant("three", three), to="sum"), net.constant("low", 0), net.constant("six", 6), to="relu6")
    return net("Div", net("Mul", x, gate, to="product"), net.constant("sixes", 6), to="swish")


def test_a_function_in_other_operators_needs_no_counterparts(tmp_path):
    report = validated(tmp_path, clipped_line, clipped_sum)
    assert report.verdict == "pass" and errors(report) == [], report.json["findings"]


def test_another_function_is_told(tmp_path):
    report = validated(tmp_path, clipped_line, lambda net, x: clipped_sum(net, x, 2.0))
    assert errors(report) == ["model.operator"], report.json["findings"]


def through_bytes(net, x):
    times = net("Mul", net("Relu", x, to="positive"), net.constant("four", 4), to="times")
    net.nodes.append(helper.make_node("Cast", [times], ["whole"], "whole", to=TensorProto.INT32))
    net.nodes.append(helper.make_node("Cast", ["whole"], ["float"], "float", to=TensorProto.FLOAT))
    return net("Tanh", net("Mul", "float", net.constant("quarter", .25), to="back"), to="bent")


def test_a_cast_to_integers_cuts_off_what_is_behind_the_point(tmp_path):
    report = validated(tmp_path, through_bytes, lambda net, x: net("Tanh", net("Relu", x, to="positive"), to="bent"))
    assert errors(report) == ["model.operator"] and "Cast" in report.json["findings"][0]["summary"], report.json["findings"]
    assert validated(tmp_path, through_bytes, through_bytes).verdict == "pass"


def squared(alpha, turned):
    def middle(net, x):
        flat = net("Reshape", net("AveragePool", x, to="pool", kernel_shape=[2, 2], strides=[2, 2]), net.constant("rows", [8, 64], np.int64), to="flat")
        weights = net.constant("square.w", np.random.default_rng(3).normal(0, .2, (64, 64)))
        product = net("FusedMatMul", flat, weights, to="product", alpha=alpha, transB=turned, domain="com.microsoft")
        return net("Reshape", net("Tanh", product, to="bent"), net.constant("planes", [1, 8, 8, 8], np.int64), to="back")
    return middle


@pytest.mark.parametrize(("alpha", "turned", "says"), [(.5, 0, "0.5"), (1., 1, "transB")])
def test_options_of_a_product_with_a_factor(alpha, turned, says, tmp_path):
    report = validated(tmp_path, squared(alpha, turned), squared(1., 0))
    assert errors(report) == ["model.operator"] and says in report.json["findings"][0]["summary"], report.json["findings"]


def test_no_layer_is_blamed_for_steps_before_it_that_the_reference_has_not(tmp_path):
    """A normalization inside one file alone, of another mean: the first convolution is right on what it was given."""
    net_of = {}
    for name, inside in (("e", True), ("r", False)):
        net = Net()
        x = net("Div", net("Sub", "x", net.constant("mean", 100.), to="centered"), net.constant("std", 40.), to="normal") if inside else "x"
        net("GlobalAveragePool", net("Relu", net.conv(x, "first", 3, 8, 1), to="relu"), to="y")
        graph = helper.make_graph(net.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(v, k) for k, v in net.constants.items()])
        net_of[name] = str(tmp_path / f"{name}.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), net_of[name])
    for role, name in (("edge", "e"), ("reference", "r")):
        random = np.random.default_rng(9)
        with exray.Recorder(str(tmp_path / f"{name}.mcap"), role=role, capture="full") as recorder:
            session = exray.onnx.tap(net_of[name], recorder)
            for i in range(3):
                picture = random.integers(0, 256, SHAPE).astype(np.float32)
                with recorder.frame(source=f"frame{i}"):
                    session.run(None, {"x": picture if name == "e" else (picture - np.float32(127.5)) / np.float32(127.5)})
    report = exray.validate(str(tmp_path / "e.mcap"), str(tmp_path / "r.mcap"))
    assert report.verdict == "fail" and "layer.kernel" not in errors(report), report.json["findings"]


def perceiving(path, weights, bias, inside=False):
    """A network whose first convolution may expect other values, or that normalizes by itself."""
    net = Net()
    x = net("Div", net("Sub", "x", net.constant("mean", 127.5), to="centered"), net.constant("std", 63.75), to="normal") if inside else "x"
    x = net("Conv", x, net.constant("first.w", weights), net.constant("first.b", bias), to="first", strides=[2, 2])
    net("GlobalAveragePool", net("Relu", net.conv(net("Relu", x, to="relu"), "second", 8, 8, 2), to="relu2"), to="y")
    graph = helper.make_graph(net.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, k) for k, v in net.constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def compared(folder, edge, reference, feed_edge):
    for name, role, file in (("e", "edge", edge), ("r", "reference", reference)):
        random = np.random.default_rng(9)
        with exray.Recorder(str(folder / f"{name}.mcap"), role=role, capture="full") as recorder:
            session = exray.onnx.tap(file, recorder)
            for i in range(3):
                picture = np.round(random.uniform(0, 255, (1, 3, 1, 1)) + random.uniform(-60, 60, SHAPE)).clip(0, 255).astype(np.float32)
                normal = (picture - np.float32(127.5)) / np.float32(63.75)
                with recorder.frame(source=f"frame{i}"):
                    session.run(None, {"x": feed_edge(picture, normal) if role == "edge" else normal})
    return exray.validate(str(folder / "e.mcap"), str(folder / "r.mcap"))


FILTERS, BIAS = np.random.default_rng(4).normal(0, .2, (8, 3, 3, 3)), np.random.default_rng(5).normal(0, .2, 8)
FOLDED = FILTERS / 63.75, BIAS - 2 * FILTERS.sum((1, 2, 3))
UNDONE = {"inside": ((FILTERS, BIAS, True), lambda raw, normal: raw, "input.normalization"),
          "folded": (FOLDED, lambda raw, normal: raw, "input.normalization"),
          "bgr": ((FILTERS[:, ::-1], BIAS), lambda raw, normal: np.ascontiguousarray(normal[:, ::-1]), "input.channel_order")}


@pytest.mark.parametrize("how", UNDONE)
def test_what_one_file_does_itself_fails_nothing(how, tmp_path):
    edge, feed, cause = UNDONE[how]
    report = compared(tmp_path, perceiving(tmp_path / "e.onnx", *edge), perceiving(tmp_path / "r.onnx", FILTERS, BIAS), feed)
    assert report.verdict == "pass" and errors(report) == [], report.json["findings"]
    assert cause in [f["cause"] for f in report.json["findings"] if f["severity"] == "warning"]


@pytest.mark.parametrize(("edge", "feed"), [((FILTERS, BIAS), UNDONE["inside"][1]), ((FILTERS, BIAS), UNDONE["bgr"][1]), (FOLDED, lambda raw, normal: normal),
                                            ((FILTERS[:, ::-1], BIAS), lambda raw, normal: normal)], ids=["raw", "bgr", "twice", "rgb"])
def test_what_no_file_undoes_does(edge, feed, tmp_path):
    report = compared(tmp_path, perceiving(tmp_path / "e.onnx", *edge), perceiving(tmp_path / "r.onnx", FILTERS, BIAS), feed)
    assert report.verdict == "fail" and len(errors(report)) == 1, report.json["findings"]


def sharing(path, opset, **axis):
    net = Net()
    shares = net("Softmax", net("Relu", net.conv("x", "first", 3, 8, 1), to="relu"), to="shares", **axis)
    net("GlobalAveragePool", net("Relu", net.conv(net("Mul", shares, net.constant("many", 100.), to="scaled"), "second", 8, 8, 2), to="relu2"), to="y")
    graph = helper.make_graph(net.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, k) for k, v in net.constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7), path)
    return str(path)


@pytest.mark.parametrize("axis", [{}, {"axis": 1}, {"axis": 2}], ids=["left out", "1", "2"])
def test_a_softmax_of_before_opset_13_takes_all_behind_its_axis(axis, tmp_path):
    old, new = sharing(tmp_path / "a.onnx", 11, **axis), sharing(tmp_path / "b.onnx", 13, **axis)
    report = exray.validate(log(tmp_path / "e.mcap", "edge", old), log(tmp_path / "r.mcap", "reference", new))
    assert errors(report) == ["model.operator"] and "shares" in report.json["findings"][0]["summary"], report.json["findings"]


@pytest.mark.parametrize("axis", [{"axis": -1}, {"axis": 3}], ids=["-1", "3"])
def test_over_the_last_axis_both_are_one(axis, tmp_path):
    old, new = sharing(tmp_path / "a.onnx", 11, **axis), sharing(tmp_path / "b.onnx", 13)
    report = exray.validate(log(tmp_path / "e.mcap", "edge", old), log(tmp_path / "r.mcap", "reference", new))
    assert report.verdict == "pass" and errors(report) == [], report.json["findings"]


def picked(order):
    def middle(net, x):
        return net("Gather", x, net.constant("places", order, np.int64), to="picked", axis=2)
    return middle


def test_indices_of_another_kind_of_part(tmp_path):
    """Rows in reverse are a part by steps of -1; turned by one more, they are none."""
    order = np.arange(16)[::-1]
    report = validated(tmp_path, picked(np.roll(order, 1)), picked(order))
    assert errors(report) == ["model.operator"] and "places" in report.json["findings"][0]["summary"], report.json["findings"]


def recalling(path, kind):
    net, gates = Net(), {"LSTM": 4, "GRU": 3}[kind]
    random = np.random.default_rng(6)
    rows = net("Transpose", net("Reshape", net.conv("x", "first", 3, 8, 1), net.constant("steps", [1, 64, 32], np.int64), to="flat"), to="turned", perm=[1, 0, 2])
    w, r = (net.constant(n, random.normal(0, .3, (1, 8 * gates, columns))) for n, columns in (("W", 32), ("R", 8)))
    out = net(kind, rows, w, r, net.constant("B", random.normal(0, .3, (1, 16 * gates))), to="recalled", hidden_size=8)
    net("ReduceMax", out, to="y", axes=[0, 1], keepdims=0)
    graph = helper.make_graph(net.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(v, k) for k, v in net.constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def test_another_recurrent_layer_is_told_once(tmp_path):
    report = exray.validate(log(tmp_path / "e.mcap", "edge", recalling(tmp_path / "a.onnx", "GRU")),
                            log(tmp_path / "r.mcap", "reference", recalling(tmp_path / "b.onnx", "LSTM")))
    assert errors(report) == ["model.operator"], report.json["findings"]


@pytest.mark.parametrize("levels", [("none", "none"), ("default", "none"), ("none", "default")], ids="-".join)
def test_an_option_that_one_side_states_is_told_between_levels(levels, tmp_path):
    """An optimizer writes out defaults, and no other value."""
    def larger(**options):
        return lambda net, x: net("Resize", x, "", net.constant("scales", [1, 1, 1.5, 1.5]), to="larger", mode="cubic", **options)
    paths = [log_of(tmp_path, i, larger(**o), level) for i, (o, level) in enumerate(zip(({"exclude_outside": 1}, {}), levels))]
    report = exray.validate(*paths)
    assert errors(report) == ["model.operator"] and "exclude_outside 1" in report.json["findings"][0]["summary"], report.json["findings"]
    same = exray.validate(log_of(tmp_path, 0, larger(), levels[0]), paths[1])
    assert same.verdict == "pass" and errors(same) == []


def log_of(folder, i, middle, kernels):
    file = model(folder / f"{i}.onnx", middle)
    random = np.random.default_rng(7)
    with exray.Recorder(str(folder / f"{i}.mcap"), role=("edge", "reference")[i], capture="full") as recorder:
        session = exray.onnx.tap(file, recorder, kernels=kernels)
        for k in range(3):
            with recorder.frame(source=f"frame{k}"):
                session.run(None, {"x": random.normal(0, 1, SHAPE).astype(np.float32)})
    return str(folder / f"{i}.mcap")
