"""Arguments that mean nothing: one line each, and the recorder goes on."""

import re
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import exray
from conftest import TINY, record

ONES = np.ones((1, 2, 2, 3), np.float32)
BYTES = np.ones((4, 3), np.int8)
PIXELS = np.zeros((4, 6, 3), np.uint8)
JPEG = b"\xff\xd8\xff\xe0 and so on"
RAGGED = np.array([[1], [1, 2]], dtype=object)


def cases():
    """Call, and what its error says."""
    q = "scale is a finite float32 above 0, not"
    yield from [
        (lambda r, s=s: r.input("x", BYTES, scale=s), q) for s in (np.nan, np.inf, -0.5, 0, 1e-60, 1e60, [0.5, 0.0])]
    yield from [
        # Quantization
        (lambda r: r.input("x", BYTES, scale="1"), "scale is a number, not '1'"),
        (lambda r: r.input("x", BYTES, scale=[]), "one number, or one for each slice along `axis`"),
        (lambda r: r.input("x", BYTES, scale=np.ones((2, 2))), "one number, or one for each slice"),
        (lambda r: r.input("x", BYTES, zero_point=3), "input 'x': a zero_point says nothing without a scale"),
        (lambda r: r.layer(1, "x", BYTES, scale=1, zero_point=1.5), "layer 'x': a zero_point is a whole number, not 1.5"),
        (lambda r: r.output("x", BYTES, scale=1, zero_point=True), "zero_point is a whole number, not True"),
        (lambda r: r.output("x", BYTES, scale=1, zero_point=200), r"zero_point 200 is no int8 \(-128 to 127\)"),
        (lambda r: r.output("x", BYTES.view(np.uint8), scale=1, zero_point=-1), r"zero_point -1 is no uint8"),
        (lambda r: r.output("x", BYTES.astype(ml_dtypes.int4), scale=1, zero_point=8), r"8 is no int4 \(-8 to 7\)"),
        (lambda r: r.output("x", BYTES, scale=[1, 2, 3], zero_point=[1, 2], axis=1), "3 scales and 2 zero points"),
        (lambda r: r.output("x", BYTES, scale=[1, 2, 3]), r"3 scales, but dimension 0 of \[4, 3\] has another size"),
        (lambda r: r.output("x", BYTES, scale=1, axis=2), "axis is 0 to 1, not 2"),
        (lambda r: r.output("x", BYTES, scale=1, axis=-1), "axis is 0 to 1, not -1"),
        # Arrays
        (lambda r: r.input("x", np.ma.masked_equal(ONES, 1)), r"input 'x' is a masked array.*\.filled\(VALUE\)"),
        (lambda r: r.image("x", np.ma.masked_equal(PIXELS, 1)), "is a masked array"),
        (lambda r: r.input("x", [[1], [1, 2]]), "input 'x': NumPy makes no array of this list"),
        (lambda r: r.input("x", np.zeros((1,) * 9)), "has 9 dimensions; a log's tensors have 8 at most"),
        (lambda r: r.input("x", ONES, layout="banana"), "input 'x': a layout is capital letters, .*NHWC.*not 'banana'"),
        (lambda r: r.input("x", ONES, layout="N-WC"), "capital letters"),
        (lambda r: r.stage("x", ONES, layout="HWC"), "the layout 'HWC' has 3 letters, but the tensor has 4 dimensions"),
        (lambda r: r.stage("x", ONES, layout=4), "the layout of stage 'x' is a str, not int: 4"),
        (lambda r: r.stage(5, ONES), "the name of a stage is a str, not int: 5"),
        (lambda r: r.stage(["x"], ONES), "the name of a stage is a str, not list"),
        (lambda r: r.stage("a\ud800", ONES), "characters that UTF-8 cannot encode"),
        (lambda r: r.layer(-1, "x", ONES), "the index of layer 'x' is 0 to 4294967294, not -1"),
        (lambda r: r.layer(1.0, "x", ONES), "the index of layer 'x' is a whole number, not float: 1.0"),
        (lambda r: r.layer(1, "x", ONES, output=-1), "the output of layer 'x' is 0 to"),
        (lambda r: r.layer(1, "x", ONES, occurrence=-1), "an occurrence is 0 to"),
        (lambda r: r.wants("layers"), "kind is one of sensor, stage, input, layer, output, constant, state, not 'layers'"),
        (lambda r: r.wants("layer", -3), "an index is 0 to"),
        # Pictures and files
        (lambda r: r.image("c", PIXELS, rotation=45), "image 'c': a rotation is 0, 90, 180 or 270 degrees, not 45"),
        (lambda r: r.image("c", PIXELS[None]), r"has the shape \[1, 4, 6, 3\]: a picture is \[height, width\] or"),
        (lambda r: r.image("c", PIXELS[..., :2]), r"has the shape \[4, 6, 2\]"),
        (lambda r: r.image("c", PIXELS.reshape(-1)), r"has the shape \[72\]"),
        (lambda r: r.image("c", np.uint8(3)), r"has the shape"),
        (lambda r: r.image("c", PIXELS[:0]), "has no pixels"),
        (lambda r: r.image("c", PIXELS.astype(float)), "a picture has uint8 pixels, not float64"),
        (lambda r: r.image("c", None), "a picture has uint8 pixels, not object"),
        (lambda r: r.image("c", PIXELS, format="rgb"), "format is one of rgb8, bgr8, .*not 'rgb'"),
        (lambda r: r.image("c", PIXELS, format="rgba8"), "has 3 channels, but rgba8 has 4"),
        (lambda r: r.image("c", PIXELS, width=6), "give width and height, or neither"),
        (lambda r: r.image("c", PIXELS, width=4, height=6), "is 6 x 4 pixels, not 4 x 6"),
        (lambda r: r.image("c", PIXELS, width=-6, height=4), "width is 0 to"),
        (lambda r: r.image("c", PIXELS[..., 0], format="nv12"), "for bytes of nv12 give width and height"),
        (lambda r: r.image("c", PIXELS[..., 0], format="nv12", width=6, height=4), "24 bytes; 6 x 4 .*nv12 take 36"),
        (lambda r: r.image("c", PIXELS, matrix="bt2000"), "a matrix is bt601, bt709 or bt2020, not 'bt2000'"),
        (lambda r: r.image(7, PIXELS), "a sensor's name is a str, not int: 7"),
        (lambda r: r.encoded("c", None), r"encoded 'c' is bytes \(of a file: Path.read_bytes\(\)\), not NoneType"),
        (lambda r: r.encoded("c", "cat.jpg"), "not str"),
        (lambda r: r.encoded("c", b""), "the bytes are no JPEG, PNG or WAV file"),
        (lambda r: r.encoded("c", b"hello", format="jpeg"), "the bytes are no JPEG file"),
        (lambda r: r.encoded("c", JPEG, format="png"), "the bytes are a JPEG file, not 'png'"),
        (lambda r: r.encoded("c", JPEG, format="gif"), "a format is one of jpeg, png, wav, not 'gif'"),
        (lambda r: r.encoded("c", b"RIFF1234WEBPVP8 "), "the bytes are no JPEG, PNG or WAV"),
        (lambda r: r.sensor("c", "cat.jpg"), "uint8 pixels"),
        # The rest
        (lambda r: r.reading("x", "a"), "reading 'x' is a number or a list of numbers, not 'a'"),
        (lambda r: r.reading("x", [[1, 2]]), "a number or a list of numbers"),
        (lambda r: r.reading("x", 1, unit=3), "a unit is a str, not int: 3"),
        (lambda r: r.scalar("x", "1"), "the scalar 'x' is a number, not str: '1'"),
        (lambda r: r.scalar("x", None), "is a number, not NoneType"),
        (lambda r: r.scalar(1, 1), "a scalar's name is a str, not int"),
        (lambda r: r.span("x", -1), "the nanoseconds of the span 'x' is 0 to"),
        (lambda r: r.span("x", 1.5), "is a whole number, not float: 1.5"),
        (lambda r: r.inference_ns(-1), "inference_ns is 0 to"),
        (lambda r: r.latency([-1], [0], [0]), r"latency\(\) takes lists of whole numbers from 0 on"),
        (lambda r: r.latency([0.5], [0], [0]), r"latency\(\) takes lists of whole numbers from 0 on"),
        (lambda r: r.latency(None, None, None), r"latency\(\) takes lists"),
        (lambda r: r.latency([0], [0], []), "have different lengths"),
        (lambda r: r.attach("x", "text"), "attachment 'x' is bytes"),
        (lambda r: r.classes(np.ones(3), top=0), "top is 1 to .*, not 0"),
        (lambda r: r.classes(np.ones(3), top=-1), "top is 1 to .*, not -1"),
        (lambda r: r.classes(np.ones(3), labels=["a", "b"]), r"classes\(\): 3 scores, but only 2 labels"),
        (lambda r: r.classes(np.ones(3), labels="abc"), "labels is a list of names, not 'abc'"),
        (lambda r: r.classes(np.ones(3), labels=3), "labels is a list of names, not 3"),
        (lambda r: r.classes(np.ma.masked_equal([1.0, 2], 1)), "masked array"),
        (lambda r: r.classes(np.array(["a"])), "scores are numbers, not <U1"),
        (lambda r: r.classes([0.1, 0.9]), r"takes \(id, score\[, label\]\) of each class, .* not 0.1"),
        (lambda r: r.classes(5), "not int"),
        (lambda r: r.classes([(1.5, 0.5)]), "a class's id is a whole number, not float: 1.5"),
        (lambda r: r.classes([(1, 0.5, 7)]), "a class's label is a str, not int: 7"),
        (lambda r: r.classes([(1, 0.5)], labels=["a"]), "labels go with a NumPy array"),
        (lambda r: r.boxes([(0, 0, 1, 1)]), r"boxes\(\) takes a list of exray.Box, not one of tuple"),
        (lambda r: r.boxes(exray.Box(0, 0, 1, 1)), r"boxes\(\) takes a list of exray.Box, not Box"),
        (lambda r: r.boxes([exray.Box(0, 0, 1, 1, corners=[1, 2])]), "corners of a box are x and y of four corners"),
        (lambda r: r.keypoints([(0, 1)]), "takes a list of exray.Keypoint, not one of tuple"),
        (lambda r: r.keypoints(np.zeros(4)), r"not one of the shape \[4\]"),
        (lambda r: r.mask([1, 2]), r"takes whole numbers \[height, width\]"),
        (lambda r: r.mask([[0.5]]), r"takes whole numbers \[height, width\]"),
        (lambda r: r.mask([[-1]]), "a class is 0 to 65534, not -1"),
        (lambda r: r.truth.mask([[70000]]), "a class is 0 to 65534, not 70000"),
        (lambda r: r.vector("e", ["a"]), "vector 'e' is a list of numbers"),
        (lambda r: r.vector(5, [1]), "a vector's name is a str, not int"),
        (lambda r: r.text(5), "a result's text is a str, not int"),
        # Frames
        (lambda r: r.frame("cat.jpg"), r"frame\(\) takes a Frame .*not str: 'cat.jpg'; a source is frame\(source=...\)"),
        (lambda r: r.frame(source=5), "a frame's source is a str, not int"),
        (lambda r: r.frame(source="a\0b"), "a frame's source must not have a NUL"),
        (lambda r: r.frame(label=3.7), "a frame's label is a whole number, not float: 3.7"),
        (lambda r: r.frame(label=True), "a frame's label is a whole number, not bool: True"),
        (lambda r: r.frame(label=1 << 63), "a frame's label is -9223372036854775808 to"),
        (lambda r: r.frame(index=-1), "a frame's index is 0 to"),
        (lambda r: r.frame(index="3"), "a frame's index is a whole number, not str: '3'"),
        # The model
        (lambda r: r.model("tiny"), "takes an exray.Model, not str"),
        (lambda r: r.model(exray.Model(tensors=None)), "Model.tensors is a tuple of TensorInfo, not None"),
        (lambda r: r.model(exray.Model(nodes=("CONV",))), r"Model.nodes is a tuple of Node, not \('CONV',\)"),
        (lambda r: r.model(exray.Model(tensors=(exray.TensorInfo("x"),), inputs=(1,))), "Model.inputs, of 1 tensors"),
        (lambda r: r.model(exray.Model(tensors=(exray.TensorInfo("x", "int8", (2,), "N", exray.Quantization((0.0,))),))),
         r"tensor 0 \('x'\) of the model: a scale is a finite float32 above 0"),
        (lambda r: r.model(exray.Model(tensors=(exray.TensorInfo("x", "int8", (2,), "banana"),))), "capital letters"),
        (lambda r: r.model(exray.Model(nodes=(exray.Node("A", inner=(exray.Node("B", inputs=(4,)),)),))),
         r"node 0 \(A\), inner B: a position among 0 tensors"),
    ]


@pytest.mark.parametrize("call, says", list(cases()), ids=lambda value: value if isinstance(value, str) else "")
def test_recorder(tmp_path, call, says):
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        with r.frame(source="x"):
            with pytest.raises(exray.ArgumentError, match=says) as raised:
                call(r)
            assert "\n" not in str(raised.value)
            r.scalar("after", 1)  # the recorder goes on
    log = exray.open(tmp_path / "a.mcap")
    assert len(log) == 1 and log[0].values == {"after": 1}
    for part in (log[0].inputs, log[0].layers, log[0].outputs, log[0].sensors, log[0].stages):
        assert len(part) == 0
    assert log[0].result is None and log.model is None


def test_objects(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
        for wrong in (RAGGED, None, [None, 1]):
            with pytest.raises(exray.UnsupportedError, match="stage 'x' is an array of Python objects"):
                r.stage("x", wrong)


@pytest.mark.parametrize("options, says", [
    ({"every_nth": -1}, "every_nth is 0 to"), ({"first_frames": 1.5}, "first_frames is a whole number, not float: 1.5"),
    ({"byte_budget": -5}, "byte_budget is 0 to"), ({"byte_budget": 1 << 70}, "byte_budget is 0 to"),
    ({"chunk_size": 1 << 32}, "chunk_size is 0 to 4294967295"), ({"ring_size": "1M"}, "ring_size is a whole number"),
    ({"role": ["edge"]}, "role is one of edge, reference"), ({"capture": 3}, "capture is one of off, frame, io"),
    ({"compression": "gzip"}, "compression is one of none, lz4, zstd, not 'gzip'"), ({"task": 5}, "task is a str, not int"),
    ({"layers": ["Conv*"]}, "layers is a str, not list"), ({"metadata": ["a"]}, "mapping of texts, not list")])
def test_options(tmp_path, options, says):
    with pytest.raises(exray.ArgumentError, match=says):
        exray.Recorder(tmp_path / "a.mcap", **options)
    assert not (tmp_path / "a.mcap").exists()


def test_what_is_right_stays_right(tmp_path):
    """Neighbours of what is refused."""
    padded = np.zeros((4, 8, 3), np.uint8)
    with exray.Recorder(tmp_path / "a.mcap", capture="full", chunk_size=np.int64(1 << 20)) as r:
        with r.frame(source=Path("dir/cat.jpg"), label=np.int64(3), index=np.uint8(2)):
            r.input("x", BYTES, layout="NC", scale=np.float32(0.5), zero_point=np.int8(-128))
            r.output("x", BYTES, scale=[1, 2, 3], zero_point=np.array([1, 2, 3]), axis=1)
            r.layer(0, "", BYTES, scale=[0.5, 1, 2], zero_point=3, axis=1)
            r.image("padded", padded, width=6, height=4, row_stride=24, rotation=270)
            r.image("nv12", np.zeros(36, np.uint8), format="nv12", width=6, height=4, matrix="bt709")
            r.encoded("jpeg", memoryview(JPEG), format="jpeg")
            r.encoded("wav", bytearray(b"RIFF\x04\0\0\0WAVE"))
            r.reading("n", np.arange(3))
            r.scalar("nan", np.float32("nan"))
            r.latency(np.arange(2), [0, 1], np.array([5, 6], np.uint64))
            r.classes(np.array([-np.inf, 0.5, 0.25], np.float32), top=99, labels=("a", "b", "c", "more"))
        with r.frame(label=-1):
            r.classes([exray.ClassScore(7, 0.5), (8, np.float32(0.25), "eight"), [9, 0]])
    log = exray.open(tmp_path / "a.mcap")
    frame = log[0]
    assert (frame.source, frame.label, frame.index) == ("dir/cat.jpg", 3, 2) and log[1].label == -1
    assert frame.inputs["x"].info.quantization == exray.Quantization((0.5,), (-128,))
    assert frame.outputs["x"].info.quantization == exray.Quantization((1, 2, 3), (1, 2, 3), 1)
    assert frame.inputs["x"].info.layout == "NC" and frame.latency == [(0, 0, 5), (1, 1, 6)]
    assert frame.image("padded").shape == (6, 4, 3) and frame.sensors["jpeg"].media.format == "jpeg"
    assert frame.sensors["wav"].media.format == "wav"
    assert [(c.id, c.label) for c in frame.result.classes] == [(1, "b"), (2, "c"), (0, "a")]
    assert [(c.id, c.label) for c in log[1].result.classes] == [(7, ""), (8, "eight"), (9, "")]


def test_slices_of_a_log(tmp_path):
    log = exray.open(record(tmp_path / "a.mcap"))
    assert [f.index for f in log[1:3]] == [1, 2] and [f.index for f in log[::-2]] == [5, 3, 1] and log[9:] == []
    assert log[np.int64(2)].index == 2 and log[-1].index == 5
    for wrong in ("0", 1.0, None):
        with pytest.raises(exray.ArgumentError, match="a log is indexed by positions of frames, not by"):
            log[wrong]
    assert log[0].inputs.get(1) is None and 5 not in log[0].inputs
    with pytest.raises(KeyError):
        log[0].inputs[1]


FINDINGS = [
    ({"severity": "bad"}, "a severity is one of info, warning, error, not 'bad'"),
    ({"severity": 2}, "a severity is one of info, warning, error, not 2"),
    ({"confidence": 1.5}, "a confidence is 0 to 1, not 1.5"),
    ({"confidence": float("nan")}, "a confidence is 0 to 1, not nan"),
    ({"confidence": "sure"}, "a confidence is a number, not str: 'sure'"),
    ({"details": "one"}, "details is a list of sentences, not one: 'one'"),
    ({"details": [1]}, "a finding's detail is a str, not int"),
    ({"fix": 5}, "a finding's fix is a str, not int"),
    ({"layer": 99}, "there is no layer 99 in the comparison; it has 2"),
    ({"layer": -1}, "a layer's position is 0 to"),
    ({"layer": "pool"}, "a layer's position is a whole number, not str"),
    ({"evidence": {"x": None}}, "the evidence x is a number, not NoneType"),
    ({"alternatives": {"user.other": 3}}, "the confidence of 'user.other' is 0 to 1, not 3"),
    ({"cause": 5}, "a cause is a str, not int"),
]


@pytest.mark.parametrize("wrong, says", FINDINGS, ids=[says for _, says in FINDINGS])
def test_findings(logs, wrong, says):
    edge, reference, _ = logs
    said = []

    @exray.assertion(name="user.mine")
    def mine(c):
        try:
            c.find("something", **wrong)
        except exray.ArgumentError as error:
            said.append(str(error))

    report = exray.validate(edge, reference, assertions=[mine])
    assert len(said) == 1 and re.search(says, said[0])
    assert ("severity" in said[0]) == ("severity" in wrong)  # no other argument is blamed
    assert "user.mine" not in {f.cause for f in report.findings}  # nor is there half a finding


def test_values_of_a_comparison(logs):
    said = []

    @exray.assertion(name="user.mine")
    def mine(c):
        for arguments in (("left", 0, 0), ("edge", -1, 0), ("edge", 0, "pool"), ("edge", 0, 0, "layers")):
            try:
                c.values(*arguments)
            except exray.ArgumentError as error:
                said.append(str(error))

    exray.validate(logs[0], logs[1], assertions=[mine])
    assert [line.split(",")[0] for line in said] == [
        "side is one of edge", "a matched frame's position is 0 to 4294967295", "a pair's position is a whole number",
        "kind is one of sensor"]


def test_model_that_is_described(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        r.model(TINY)
        with r.frame(), pytest.raises(exray.ArgumentError, match="the layout 'NHWC' has 4 letters"):
            r.input("image", np.zeros((4, 4, 3), np.float32), layout="NHWC")
        with r.frame():
            r.input("image", np.zeros((4, 4, 3), np.float32))
    log = exray.open(tmp_path / "a.mcap")
    assert log[1].inputs["image"].info.layout == ""  # the model's is of another rank
