"""Models that take or return strings: classifiers as scikit-learn's converter leaves them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import exray
from exray import _strings

ML = "ai.onnx.ml"
NAMES = ("rose", "tulip", "naïve 日本", "")


def save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(v, n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(ML, 2)], ir_version=8), path)
    return path


def flowers(path, names=NAMES, label="label"):
    """x [n, 8] -> the names of the best classes, and probabilities."""
    weights = np.random.default_rng(2).normal(0, 1, (8, len(names))).astype(np.float32)
    return save(path, [helper.make_node("MatMul", ["x", "w"], ["raw"], "mm"), helper.make_node("Softmax", ["raw"], ["probabilities"], "soft"),
                       helper.make_node("ArgMax", ["probabilities"], ["best"], "best", axis=1, keepdims=0),
                       helper.make_node("LabelEncoder", ["best"], [label], "encode", domain=ML, keys_int64s=list(range(len(names))), values_strings=list(names))],
                [helper.make_tensor_value_info("x", 1, ["n", 8])],
                [helper.make_tensor_value_info(label, TensorProto.STRING, ["n"]), helper.make_tensor_value_info("probabilities", 1, ["n", len(names)])],
                {"w": weights})


def words(path):
    """A word -> probabilities, and the same as a list of maps (ZipMap)."""
    weights = np.random.default_rng(0).normal(0, 1, (3, 3)).astype(np.float32)
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(1, None)))
    return save(path, [helper.make_node("LabelEncoder", ["word"], ["id"], "encode", domain=ML, keys_strings=["a", "b", "c"], values_int64s=[0, 1, 2], default_int64=-1),
                       helper.make_node("OneHot", ["id", "depth", "values"], ["hot"], "hot"), helper.make_node("MatMul", ["hot", "w"], ["raw"], "mm"),
                       helper.make_node("Softmax", ["raw"], ["p"], "soft"), helper.make_node("ZipMap", ["p"], ["maps"], "zip", domain=ML, classlabels_strings=["x", "y", "z"])],
                [helper.make_tensor_value_info("word", TensorProto.STRING, ["n"])], [helper.make_tensor_value_info("p", 1, ["n", 3]), helper.make_value_info("maps", maps)],
                {"depth": np.array([3], np.int64), "values": np.array([0, 1], np.float32), "w": weights})


def record(path, role, model, feeds):
    with exray.Recorder(path, role=role, capture="full") as r:
        session = exray.onnx.Session(model, r)
        return [session.run(None, feed) for feed in feeds]


def rows(count=8, batch=1):
    return [{"x": np.random.default_rng(i).normal(0, 1, (batch, 8)).astype(np.float32)} for i in range(count)]


def unpacked(tensor):
    data = bytes(tensor.raw())
    at = np.frombuffer(data, "<u4", 2 + int.from_bytes(data[:4], "little"))
    return [data[a:b].decode() for a, b in zip(at[1:-1], at[2:])]


@pytest.mark.parametrize("batch", [1, 3])
def test_they_are_recorded_as_they_are(tmp_path, program, batch):
    """By the tap, and by the program's own adapter, byte for byte."""
    given = record(tmp_path / "e.mcap", "edge", flowers(tmp_path / "m.onnx"), rows(batch=batch))
    program("replay", tmp_path / "e.mcap", "--from", "input", "--model", tmp_path / "m.onnx", "-o", tmp_path / "r.mcap")
    with exray.open(tmp_path / "e.mcap") as edge, exray.open(tmp_path / "r.mcap") as reference:
        for outputs, a, b in zip(given, edge, reference):
            assert unpacked(a.outputs["label"]) == list(outputs[0]) and a.outputs["label"].shape == (batch,)
            assert bytes(a.outputs["label"].raw()) == bytes(b.outputs["label"].raw()) == bytes(a.layers[3].raw())
    report = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert report.verdict == "pass" and (batch > 1 or report.accuracy.agreement == 1)


@pytest.mark.parametrize("names, other", [(("tulip", "rose", "naïve 日本", ""), "tulip"), (("not rose", "tulip", "naïve 日本", ""), "not rose")])
@pytest.mark.parametrize("label, batch", [("label", 4), ("output_label", 1)])
def test_other_names_behind_equal_numbers(tmp_path, names, other, label, batch):
    record(tmp_path / "e.mcap", "edge", flowers(tmp_path / "a.onnx", names, label), rows(batch=batch))
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "b.onnx"), rows(batch=batch))
    report = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert [f.cause for f in report.findings if f.severity == "error"] == ["output.labels"] and report.verdict == "fail"
    assert other in report.findings[0].summary and (batch > 1 or report.accuracy.agreement == 1)


def best_names(path, count):
    """x [n, 8] -> the names of the best classes of each row, and probabilities."""
    weights = np.random.default_rng(2).normal(0, 1, (8, len(NAMES))).astype(np.float32)
    return save(path, [helper.make_node("MatMul", ["x", "w"], ["raw"], "mm"), helper.make_node("Softmax", ["raw"], ["probabilities"], "soft"),
                       helper.make_node("TopK", ["probabilities", "count"], ["top", "best"], "best"),
                       helper.make_node("LabelEncoder", ["best"], ["label"], "encode", domain=ML, keys_int64s=list(range(len(NAMES))), values_strings=list(NAMES))],
                [helper.make_tensor_value_info("x", 1, ["n", 8])],
                [helper.make_tensor_value_info("label", TensorProto.STRING, None), helper.make_tensor_value_info("probabilities", 1, ["n", len(NAMES)])],
                {"w": weights, "count": np.array([count], np.int64)})


@pytest.mark.parametrize("count", [2, 3])
def test_more_names_of_equal_numbers(tmp_path, count):
    for role, names in (("edge", count), ("reference", 2)):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="io") as r:
            session = exray.onnx.Session(best_names(tmp_path / f"{role}.onnx", names), r)
            for feed in rows():
                session.run(None, feed)
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    errors = [f for f in report.findings if f.severity == "error"]
    assert [f.cause for f in errors] == ["output.postprocess"] * (count > 2) and report.verdict == ("fail" if count > 2 else "pass")
    assert all("has 3 strings where the reference has 2, in 8 frames" in f.summary for f in errors)


@pytest.mark.parametrize("names", [NAMES, ("tulip", "rose", *NAMES[2:])])
def test_names_of_many_rows(tmp_path, names):
    record(tmp_path / "e.mcap", "edge", flowers(tmp_path / "a.onnx", names), rows(2, 5000))
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "b.onnx"), rows(2, 5000))
    report = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert [f.cause for f in report.findings if f.severity == "error"] == (["output.labels"] if names != NAMES else [])


def test_the_same_words_are_the_same_names(tmp_path):
    record(tmp_path / "e.mcap", "edge", flowers(tmp_path / "a.onnx", ("Rose", "TULIP ", "naïve_日本", "")), rows(batch=4))
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "b.onnx"), rows(batch=4))
    assert exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap").verdict == "pass"


def test_names_of_other_decisions_are_a_consequence(tmp_path):
    """Another input makes other classes, and these have other names."""
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "m.onnx"), rows())
    record(tmp_path / "e.mcap", "edge", tmp_path / "m.onnx", [{"x": -1.5 * feed["x"]} for feed in rows()])
    report = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert report.verdict == "fail" and not [f for f in report.findings if f.cause.startswith("output.")]
    assert report.findings[0].cause.startswith("input.")


def test_inputs(tmp_path):
    def feeds(*texts):
        return [{"word": np.array([t], object)} for t in texts]

    assert isinstance(record(tmp_path / "r.mcap", "reference", words(tmp_path / "m.onnx"), feeds("a", "b", "c", "d"))[0][1][0], dict)
    record(tmp_path / "e.mcap", "edge", tmp_path / "m.onnx", feeds("a", "b", "c", "d"))
    record(tmp_path / "list.mcap", "edge", tmp_path / "m.onnx", [{"word": np.array(["a"])}, *feeds("b", "c", "d")])
    record(tmp_path / "upper.mcap", "edge", tmp_path / "m.onnx", feeds("A", "b", "C", "d"))
    for equal in ("e.mcap", "list.mcap"):
        assert exray.validate(tmp_path / equal, tmp_path / "r.mcap").verdict == "pass"
    report = exray.validate(tmp_path / "upper.mcap", tmp_path / "r.mcap")
    assert [f.cause for f in report.findings if f.severity == "error"] == ["input.tokens"]
    assert '"A"' in report.findings[0].summary and "case alone" in str(report.json["findings"][0])


def test_layers_behind_other_strings_are_not_blamed(tmp_path):
    """Strings are no pair of numbers: what joins their codes with others answers to them all the same."""
    one = [helper.make_node("OneHotEncoder", [n], [n + "_hot"], n + "_hot", domain=ML, cats_strings=["a", "b", "c"]) for n in ("city", "plan")]
    model = save(tmp_path / "m.onnx", [*one, helper.make_node("Concat", ["city_hot", "plan_hot"], ["joined"], "joined", axis=2), helper.make_node("ReduceSum", ["joined", "last"], ["flat"], "flat", keepdims=0),
                                       helper.make_node("MatMul", ["joined", "w"], ["y"], "mm")],
                 [helper.make_tensor_value_info(n, TensorProto.STRING, [1, 1]) for n in ("city", "plan")], [helper.make_tensor_value_info("y", 1, None)],
                 {"w": np.random.default_rng(1).normal(0, 1, (6, 2)).astype(np.float32), "last": np.array([2], np.int64)})
    feed = lambda plan: [{"city": np.array([["abc"[i % 3]]], object), "plan": np.array([[plan("abc"[i // 3])]], object)} for i in range(9)]
    record(tmp_path / "e.mcap", "edge", model, feed(str.upper))
    record(tmp_path / "r.mcap", "reference", model, feed(str))
    found = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap").findings
    assert [f.cause for f in found if f.severity == "error"] == ["input.tokens"]


def scored(path, factor, maps):
    """Scores as a list of maps (ZipMap), or as they are; factor: of the coefficients, which changes no decision."""
    rng = np.random.default_rng(4)
    nodes = [helper.make_node("LinearClassifier", ["x"], ["label", "raw"], "linear", domain=ML, classlabels_ints=[0, 1, 2], post_transform="SOFTMAX",
                              coefficients=(factor * rng.normal(0, 1, 24)).tolist(), intercepts=[0., 0., 0.]),
             helper.make_node("Normalizer", ["raw"], ["scores"], "shares", domain=ML, norm="L1")]
    zipped = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(1, None)))
    end = helper.make_tensor_value_info("scores", 1, ["n", 3])
    if maps:
        nodes.append(helper.make_node("ZipMap", ["scores"], ["maps"], "zip", domain=ML, classlabels_int64s=[0, 1, 2]))
        end = helper.make_value_info("maps", zipped)
    return save(path, nodes, [helper.make_tensor_value_info("x", 1, ["n", 8])], [helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]), end], {})


@pytest.mark.parametrize("maps", [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize("factor", [1., 2.])
def test_scores_as_maps_are_no_numbers_and_count(tmp_path, maps, factor):
    for name, role, f, m in (("e", "edge", factor, maps[0]), ("r", "reference", 1., maps[1])):
        record(tmp_path / f"{name}.mcap", role, scored(tmp_path / f"{name}.onnx", f, m), rows())
    report = exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap")
    assert report.verdict == ("pass" if factor == 1 else "fail")
    assert [f.cause for f in report.findings if f.severity == "error"] == ([] if factor == 1 else ["model.operator"])


def test_strings_that_a_log_lacks_are_said(tmp_path, program):
    record(tmp_path / "e.mcap", "edge", flowers(tmp_path / "a.onnx", ("tulip", "rose", "x", "y")), rows())
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "b.onnx"), rows())
    program("scrub", tmp_path / "e.mcap", "-o", tmp_path / "s.mcap", "--stats", "/output/label,/layer/*")
    report = exray.validate(tmp_path / "s.mcap", tmp_path / "r.mcap")
    assert report.verdict == "pass" and "the strings of the output label are not in both logs" in str(report.json["assertions"])


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\xff" * 40, b"\1\0\0\0\x0c\0\0\0\xff\xff\xff\xff", b"\2\0\0\0\x10\0\0\0\x0c\0\0\0\x10\0\0\0",
                                  b"\1\0\0\0\0\0\0\0\x0c\0\0\0", b"\1\0\0\0\x0d\0\0\0\x0d\0\0\0"])
def test_damaged_ones_are_left_out(tmp_path, monkeypatch, data):
    record(tmp_path / "r.mcap", "reference", flowers(tmp_path / "m.onnx"), rows())
    monkeypatch.setattr(_strings, "packed", lambda array: np.frombuffer(data or b"\0", np.uint8))
    record(tmp_path / "e.mcap", "edge", tmp_path / "m.onnx", rows())
    assert exray.validate(tmp_path / "e.mcap", tmp_path / "r.mcap").verdict == "pass"


def test_packed():
    texts = np.array([["a", "日本"], ["", "x" * 300]], object)
    data = _strings.packed(texts).tobytes()
    at = np.frombuffer(data, "<u4", 6)
    assert at[0] == 4 and at[1] == 24 and [data[a:b].decode() for a, b in zip(at[1:-1], at[2:])] == list(texts.flat) and at[5] == len(data)
    assert _strings.are_strings(texts) and _strings.are_strings(np.array(["a"])) and not _strings.are_strings(np.array([1, "a"], object))
