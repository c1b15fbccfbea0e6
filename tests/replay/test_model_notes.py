"""What a model's file says of itself: names of classes, the normalization of its picture; and inputs that saturate."""

import json
import zipfile

import flatbuffers
import numpy as np
import onnx
import pytest
from demo_support import EXRAY, run
from gathered import messages
from onnx import TensorProto, helper
from PIL import Image
from small_tflite import TfliteModel


def onnx_model(path, **notes):
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])
    mean = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])
    node = helper.make_node("ReduceMean", ["image"], ["scores"], axes=[2, 3], keepdims=0)
    model = helper.make_model(helper.make_graph([node], "mean", [image], [mean]), opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, notes)
    onnx.save(model, path)


def vector(b, offsets):
    b.StartVector(4, len(offsets), 4)
    for o in reversed(offsets):
        b.PrependUOffsetTRelative(o)
    return b.EndVector()


def floats(b, values):
    b.StartVector(4, len(values), 4)
    for v in reversed(values):
        b.PrependFloat32(v)
    return b.EndVector()


def table(b, fields):
    """fields: {number: ("offset" | "byte", value)}"""
    b.StartObject(max(fields) + 1)
    for number, (kind, value) in fields.items():
        if kind == "offset":
            b.PrependUOffsetTRelativeSlot(number, value, 0)
        else:
            b.PrependUint8Slot(number, value, 0)
    return b.EndObject()


def metadata(mean, std, files):
    """metadata_schema.fbs: one input with NormalizationOptions, one output with label files [(name, locale)]."""
    b = flatbuffers.Builder(0)
    made = []
    for name, locale in files:
        n, l = b.CreateString(name), b.CreateString(locale)
        made.append(table(b, {0: ("offset", n), 2: ("byte", 2), 3: ("offset", l)}))
    output = table(b, {6: ("offset", vector(b, made))})
    m, s = floats(b, mean), floats(b, std)
    options = table(b, {0: ("offset", m), 1: ("offset", s)})
    unit = table(b, {0: ("byte", 1), 1: ("offset", options)})
    given = table(b, {4: ("offset", vector(b, [unit]))})
    inputs, outputs = vector(b, [given]), vector(b, [output])
    subgraph = table(b, {2: ("offset", inputs), 3: ("offset", outputs)})
    b.Finish(table(b, {3: ("offset", vector(b, [subgraph]))}), b"M001")
    return bytes(b.Output())


def tflite_model(path, said=None, files=(), scale=None, zero_point=0, compression=zipfile.ZIP_STORED):
    """The mean of a picture of 8x8x3; quantized where a scale is given."""
    m = TfliteModel()
    s = m.schema
    image, mean = m.tensor("image", [1, 8, 8, 3]), m.tensor("scores", [1, 3])
    axes = m.tensor("axes", data=np.array([1, 2], np.int32))
    if scale:
        for at in (image, mean):
            q = s.QuantizationParametersT()
            q.scale, q.zeroPoint = [scale], [zero_point]
            m.graph.tensors[at].quantization, m.graph.tensors[at].type = q, s.TensorType.UINT8
    m.op("MEAN", [image, axes], [mean], "Reducer", keepDims=False)
    if said:
        b, note = s.BufferT(), s.MetadataT()
        b.data = np.frombuffer(said, np.uint8)
        m.model.buffers.append(b)
        note.name, note.buffer = "TFLITE_METADATA", len(m.model.buffers) - 1
        m.model.metadata = [note]
    m.save(path, [image], [mean])
    if files:
        with zipfile.ZipFile(path, "a", compression) as archive:
            for name, text in files:
                archive.writestr(name, text)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """recorded(model, pipeline, color=): the Result, the input's bytes and what was warned."""
    monkeypatch.chdir(tmp_path)

    def record(model, pipeline="image: {normalize: none}\n", color=(10, 200, 90)):
        engine = "onnxruntime" if model.endswith("onnx") else "tflite"
        Image.fromarray(np.full((8, 8, 3), color, np.uint8)).save("a.png")
        (tmp_path / "p.yaml").write_text(pipeline)
        said = run(EXRAY, "record", "--engine", engine, "--model", model, "--pipeline", "p.yaml", "--data", "a.png", "--capture", "io", "-o", "a.mcap").stderr
        log = messages("a.mcap")
        result = next((m for t, m in log if t == "/result"), None)
        return result, next(m for t, m in log if t.startswith("/input")).data, said

    return record


NAMES = {
    "names": "{0: 'cat', 1: \"dog's\", 2: 'it\\'s'}", "labels": json.dumps(["cat", "dog's", "it's"]), "classes": json.dumps({"0": "cat", "1": "dog's", "2": "it's"}),
    "class_names": "cat\ndog's\r\nit's\n"}


@pytest.mark.parametrize("key", NAMES)
def test_names_in_an_onnx_file(recorded, key):
    onnx_model("m.onnx", **{"stride": "32", key: NAMES[key]})
    result, _, said = recorded("m.onnx")
    assert [(c.id, c.label) for c in result.classes] == [(1, "dog's"), (2, "it's"), (0, "cat")] and said == ""


def test_names_of_a_file_of_the_pipeline_come_first_and_offsets_move_the_model_s(recorded, tmp_path):
    onnx_model("m.onnx", names="{0: 'background', 1: 'cat', 2: 'dog'}")
    result, _, _ = recorded("m.onnx", "image: {normalize: none}\noutput: {label_offset: 1}\n")
    assert [(c.id, c.label) for c in result.classes] == [(0, "cat"), (1, "dog"), (-1, "")]
    (tmp_path / "mine.txt").write_text("a\nb\nc\n")
    result, _, _ = recorded("m.onnx", "image: {normalize: none}\noutput: {labels: mine.txt}\n")
    assert [c.label for c in result.classes] == ["b", "c", "a"]


@pytest.mark.parametrize("value", ["{0: 'cat', 2: 'dog'}", "{0: cat}", "[", "{", "{0:", "['a", "", "{0: 'a', 1: 'b\\"])
def test_damaged_names(recorded, value):
    onnx_model("m.onnx", names=value)
    result, _, said = recorded("m.onnx")
    assert [c.id for c in result.classes] == [1, 2, 0] and said == ""


def test_tflite_metadata(recorded):
    said = metadata([127.5], [127.5], [("de.txt", "de"), ("labels.txt", "")])
    tflite_model("m.tflite", said, [("de.txt", "Katze\nHund\nKuh\n"), ("labels.txt", "cat\ndog\ncow\n")])
    result, data, warned = recorded("m.tflite", "task: classification\n")
    assert [c.label for c in result.classes] == ["dog", "cow", "cat"]
    np.testing.assert_allclose(np.frombuffer(data, np.float32)[:3], (np.array([10, 200, 90]) - 127.5) / 127.5, atol=1e-6)
    assert warned == "exray: warning: the pipeline has no normalize: (x - 127.5) / 127.5 is used, as the model's metadata say; `normalize: none` keeps 0 to 255\n"
    for given, wanted in (("none", (10, 200, 90)), ("{mean: 10, std: 2}", (0, 95, 40)), ("model", (np.array([10, 200, 90]) - 127.5) / 127.5)):
        _, data, warned = recorded("m.tflite", f"image: {{normalize: {given}}}\n")
        np.testing.assert_allclose(np.frombuffer(data, np.float32)[:3], wanted, atol=1e-6)
        assert warned == ""


def test_labels_that_are_compressed(recorded):
    """As ordinary zip programs write them; those in a way that is not known are not read."""
    names = ["cat", "dog", "cow"] + [f"thing {i}" for i in range(300)]
    for compression, wanted in ((zipfile.ZIP_DEFLATED, ["dog", "cow", "cat"]), (zipfile.ZIP_BZIP2, [""] * 3)):
        tflite_model("m.tflite", metadata([127.5], [127.5], [("labels.txt", "")]), [("labels.txt", "\n".join(names))], compression=compression)
        result, _, _ = recorded("m.tflite", "image: {normalize: none}\n")
        assert [c.id for c in result.classes] == [1, 2, 0] and [c.label for c in result.classes] == wanted


@pytest.mark.parametrize("damage", ["size", "bomb", "bytes", "cut"])
def test_damaged_archives(recorded, tmp_path, damage):
    """A size that is not so, more than 4 MiB, bytes that are no deflate: no names, and nothing else is lost."""
    text = "a\n" * 4_000_000 if damage == "bomb" else "cat\ndog\ncow\n" * 40
    tflite_model("m.tflite", metadata([127.5], [127.5], [("labels.txt", "")]), [("labels.txt", text)], compression=zipfile.ZIP_DEFLATED)
    data = bytearray((tmp_path / "m.tflite").read_bytes())
    entry, local = data.rindex(b"PK\1\2"), data.rindex(b"PK\3\4")
    if damage == "size":
        data[entry + 24:entry + 28] = (len(text) + 1).to_bytes(4, "little")
    elif damage == "bytes":
        data[local + 40:local + 44] = bytes([0xFF] * 4)
    elif damage == "cut":
        data[entry + 20:entry + 24] = (7).to_bytes(4, "little")
    (tmp_path / "m.tflite").write_bytes(data)
    result, _, said = recorded("m.tflite", "image: {normalize: none}\n")
    assert [(c.id, c.label) for c in result.classes] == [(1, ""), (2, ""), (0, "")] and said == ""


def test_means_of_each_channel(recorded):
    tflite_model("m.tflite", metadata([1, 2, 3], [2, 4, 8], []))
    _, data, _ = recorded("m.tflite", "image: {normalize: model}\n")
    np.testing.assert_allclose(np.frombuffer(data, np.float32)[:3], [4.5, 49.5, 87 / 8], atol=1e-6)


@pytest.mark.parametrize("cut", [8, 40, 90])
def test_damaged_metadata(recorded, cut):
    said = metadata([127.5], [127.5], [("labels.txt", "")])
    tflite_model("m.tflite", said[:cut], [("labels.txt", "a\nb\nc\n")])
    result, _, _ = recorded("m.tflite", "image: {normalize: none}\n")
    assert [c.id for c in result.classes] == [1, 2, 0]


def test_an_input_that_saturates(recorded):
    tflite_model("m.tflite", scale=1 / 128, zero_point=128)
    _, data, warned = recorded("m.tflite", "image: {normalize: none}\n")
    assert set(data) == {255}
    assert warned == ("exray: warning: 100 % of the input image is 255, the most that it holds: the pipeline makes 0 to 255, the model takes -1 to 0.9922; "
                      "`normalize: model` maps bytes as they are\n")
    _, data, warned = recorded("m.tflite", "image: {normalize: model}\n")
    assert list(data[:3]) == [10, 200, 90] and warned == ""
    _, data, warned = recorded("m.tflite", "image: {normalize: {mean: 128, std: 128}}\n", color=(255, 255, 255))
    assert set(data) == {255} and warned == ""  # a white picture


def test_normalize_model_where_nothing_says_how(recorded, tmp_path):
    onnx_model("m.onnx")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("a.png")
    (tmp_path / "p.yaml").write_text("image: {normalize: model}\n")
    said = run(EXRAY, "record", "--engine", "onnxruntime", "--model", "m.onnx", "--pipeline", "p.yaml", "--data", "a.png", "-o", "a.mcap", status=2).stderr
    assert said == "exray: m.onnx: p.yaml:1: image.normalize: the model's file does not say how; give {mean: ..., std: ...}\n"


def test_many_labels_and_points(recorded):
    onnx_model("m.onnx")
    text = "task: multi_label\nimage: {normalize: {mean: 0, std: 255}}\noutput: {threshold: 0.3}\n"
    result, _, said = recorded("m.onnx", text)
    assert [c.id for c in result.classes] == [1, 2] and said == ""
    onnx_model("m.onnx")
    result, _, said = recorded("m.onnx", "image: {normalize: none}\noutput: {head: points, classes: 1}\n")
    assert [(round(p.x * 8), round(p.y * 8), p.id) for p in result.keypoints] == [(10, 200, 0)] and said == ""
    result, _, said = recorded("m.onnx", "image: {normalize: none}\noutput: {head: points}\n")
    assert result is None and "head points needs to know how many points there are" in said
