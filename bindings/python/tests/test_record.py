"""Recording: as PyPI's mcap reader and protobuf see it, and back through the package."""

import io
import time

import ml_dtypes
import numpy as np
import pytest
from log_writer import DTYPES
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
from PIL import Image

import exray
from conftest import TINY, picture, record


def messages(path):
    """{topic: [message]} and metadata, by other people's reader."""
    out = {}
    with open(path, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for _, channel, _, message in reader.iter_decoded_messages():
            out.setdefault(channel.topic, []).append(message)
        metadata = {m.name: m.metadata for m in reader.iter_metadata()}
        attachments = {a.name: a.data for a in reader.iter_attachments()}
    return out, metadata, attachments


ARRAYS = [np.arange(24).reshape(2, 3, 4).astype(t) for t in
          ("f4", "f2", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?")] + \
    [np.arange(6).astype(t) for t in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2)] + \
    [np.array(2.5, np.float32), np.zeros((0, 3), np.int32), np.arange(5).astype(ml_dtypes.uint4),
     np.arange(-3, 3).astype(ml_dtypes.int4)]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_every_type(tmp_path, array):
    path = tmp_path / "a.mcap"
    with exray.Recorder(path, capture="full") as r, r.frame():
        r.input("x", array)
    (message,) = messages(path)[0]["/input/x"]
    name = {"float8_e4m3fn": "float8_e4m3"}.get(array.dtype.name, array.dtype.name)
    assert message.info.dtype == DTYPES[name] and list(message.info.shape) == list(array.shape)
    if "int4" not in name:
        assert message.data == array.tobytes()
    back = exray.open(path)[0].inputs["x"].numpy()
    assert back.shape == array.shape and np.array_equal(back, array.astype(back.dtype))


@pytest.mark.parametrize("array", [np.arange(24.0).reshape(4, 6)[:, ::2], np.asfortranarray(np.arange(6.0).reshape(2, 3)),
                                   np.arange(5, dtype=">f4"), np.broadcast_to(np.float32(3), (2, 2))],
                         ids=["strided", "fortran", "big-endian", "broadcast"])
def test_any_memory_layout(tmp_path, array):
    with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
        r.input("x", array)
    assert np.array_equal(exray.open(tmp_path / "a.mcap")[0].inputs["x"].numpy(), array)


def test_what_other_readers_see(tmp_path):
    path = record(tmp_path / "a.mcap", role="edge", task="classification", device="here", metadata={"serial": "7"})
    found, metadata, _ = messages(path)
    assert metadata["exray"]["role"] == "edge" and metadata["exray"]["serial"] == "7"
    assert metadata["exray"]["device"] == "here"
    model = found["/model"][0]
    assert [n.op for n in model.nodes] == ["MEAN", "DELEGATE"] and list(model.nodes[0].inputs) == [0, 0xFFFFFFFF]
    assert model.nodes[1].inner[0].name == "fc" and model.nodes[0].attributes == {"keep_dims": "false"}
    assert list(model.tensors[3].quantization.zero_point) == [-3] and model.sha256 == bytes(range(32))
    frame = found["/frame"][2]
    assert (frame.index, frame.source, frame.label, frame.inference_ns) == (2, "2.png", 2, 1002)
    assert list(found["/latency"][0].duration_ns) == [100, 50]
    camera = found["/sensor/camera"][0]
    assert camera.media.format == "rgb8" and camera.data == picture(0).tobytes()
    assert found["/layer/1"][0].tensor == 3 and not found["/layer/1"][0].HasField("info")  # /model tells it
    assert len(found["/constant/1"]) == 1


def test_the_rest_of_a_frame(tmp_path):
    path = tmp_path / "a.mcap"
    with exray.Recorder(path) as r:
        r.attach("labels.txt", b"cat\n", "text/plain")
        with r.frame(index=5, source="x"):
            r.scalar("lux", 2.5)
            r.span("known", 77)
            with r.span("sleep"):
                time.sleep(0.002)
            r.reading("light", [1, 2], "lx")
            r.stage("crop", np.ones(3))
            r.classes(np.array([0.1, 0.7, 0.2]), top=2, labels=["a", "b", "c"])
        with r.frame():
            r.boxes([exray.Box(0, 0, 0.5, 1, 3, 0.9, "dog")])
        with r.frame():
            r.text("hello")
    found, _, attachments = messages(path)
    assert attachments == {"labels.txt": b"cat\n"}
    first = found["/frame"][0]
    assert dict(first.values) == {"lux": 2.5} and first.spans_ns["known"] == 77
    assert 2e6 <= first.spans_ns["sleep"] < 1e9
    assert [f.index for f in found["/frame"]] == [5, 6, 7]
    assert list(found["/reading/light"][0].value) == [1, 2] and found["/reading/light"][0].unit == "lx"
    classes, boxes, text = found["/result"]
    assert [(c.id, c.label) for c in classes.classes] == [(1, "b"), (2, "c")]
    assert boxes.boxes[0].label == "dog" and text.text == "hello"
    assert "/stage/crop" in found


def tell(told):
    """One of every kind."""
    told.classes([(3, 0.5, "cat")])
    told.boxes([exray.Box(0.25, 0, 0.5, 1, 3, 0.75, "dog", corners=[[0.25, 0], [0.5, 0], [0.5, 1], [0.25, 1]], crowd=True),
                exray.Box(0, 0, 1, 1)])
    told.text("hello")
    told.keypoints([exray.Keypoint(0.5, 0.25, -1, 0.75, 4)])
    told.keypoints(np.array([[0.5, 0.25], [0, 1]]))
    told.mask(np.array([[0, 1, 2], [3, 4, 20]]), ignore=20)
    told.vector("embedding", np.array([1, 2.5, -3]))


@pytest.mark.parametrize("topic", ["/result", "/truth"])
def test_what_was_told_and_the_truth(tmp_path, topic):
    """Read by Google's protobuf, and by exray: several messages of a frame are one."""
    path = tmp_path / "a.mcap"
    with exray.Recorder(path) as r:
        with r.frame():
            tell(r if topic == "/result" else r.truth)
        with r.frame():
            pass
    found, _, _ = messages(path)
    assert {"/result", "/truth"} & set(found) == {topic}
    classes, boxes, text, one, two, mask, vector = found[topic]
    assert classes.classes[0].label == "cat" and text.text == "hello"
    assert list(boxes.boxes[0].corner) == [0.25, 0, 0.5, 0, 0.5, 1, 0.25, 1] and boxes.boxes[0].crowd
    assert not boxes.boxes[1].corner and not boxes.boxes[1].crowd
    point = one.keypoints[0]
    assert (point.x, point.y, point.z, point.score, point.id) == (0.5, 0.25, -1, 0.75, 4)
    assert [(p.x, p.y, p.id, p.score) for p in two.keypoints] == [(0.5, 0.25, 0, 1), (0, 1, 1, 1)]
    assert (mask.mask.width, mask.mask.height, mask.mask.ids, mask.mask.wide) == (3, 2, bytes([0, 1, 2, 3, 4, 255]), False)
    assert vector.vectors[0].name == "embedding" and list(vector.vectors[0].value) == [1, 2.5, -3]
    with exray.open(path) as log:
        frame, empty = log
        told, other = (frame.result, frame.truth) if topic == "/result" else (frame.truth, frame.result)
        assert other is None and empty.result is None and empty.truth is None
        assert told.classes == (exray.ClassScore(3, 0.5, "cat"),) and told.text == "hello"
        assert told.boxes[0].crowd and told.boxes[0].corners == (0.25, 0, 0.5, 0, 0.5, 1, 0.25, 1)
        assert told.boxes[1].corners is None and len(told.keypoints) == 3
        assert told.vectors == (exray.Vector("embedding", (1, 2.5, -3)),)
        assert told.mask.dtype == np.uint8 and told.mask.tolist() == [[0, 1, 2], [3, 4, 255]]
        assert told == exray.Result(told.classes, told.boxes, "hello", told.keypoints, told.vectors, told.mask.copy())
        assert told != exray.Result(told.classes, told.boxes, "hello", told.keypoints, told.vectors)


def test_masks_are_as_wide_as_they_must_be(tmp_path):
    path = tmp_path / "a.mcap"
    masks = [np.array([[0, 300]]), np.zeros((2, 2), np.uint16), np.array([[255, 7]], np.int64), np.zeros((3, 4), bool)]
    with exray.Recorder(path) as r:
        for mask in masks:
            with r.frame():
                r.mask(mask)
        with r.frame():
            r.truth.mask([[255, -1]], ignore=-1)
    with exray.open(path) as log:
        found = [f.result.mask for f in log if f.result]
        assert [m.dtype.itemsize for m in found] == [2, 2, 1, 1]
        assert all(np.array_equal(a, b) for a, b in zip(found, masks, strict=True))
        assert log[4].truth.mask.tolist() == [[255, 65535]]


def test_a_million_boxes(tmp_path):
    path = tmp_path / "a.mcap"
    with exray.Recorder(path) as r:
        with r.frame():
            r.boxes([exray.Box(0, 0, 0.5, np.nan, 3, 0.5)] * 100000)
    with exray.open(path) as log:
        assert len(log[0].result.boxes) == 100000 and np.isnan(log[0].result.boxes[-1].y_max)


def test_pictures_come_back(tmp_path):
    """Through the log's decoder; Pillow's is the truth."""
    pixels = picture(3)
    files = {}
    for name in ("jpeg", "png"):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, name)
        files[name] = file.getvalue()
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(turned, "png", exif=exif)
    path = tmp_path / "a.mcap"
    with exray.Recorder(path) as r:
        with r.frame():
            for name, data in files.items():
                r.sensor(name, data)
            r.sensor("raw", pixels)
            r.image("bgr", pixels[..., ::-1], format="bgr8")
            r.image("gray", pixels[..., 0])
            r.encoded("turned", turned.getvalue())
            r.image("rotated", pixels, rotation=90)
    frame = exray.open(path)[0]
    for name in ("raw", "bgr", "png"):
        assert np.array_equal(frame.image(name), pixels), name
    jpeg = np.asarray(Image.open(io.BytesIO(files["jpeg"])))
    assert np.abs(frame.image("jpeg").astype(int) - jpeg).max() <= 2
    assert np.array_equal(frame.image("gray"), np.repeat(pixels[..., :1], 3, axis=2))
    assert np.array_equal(frame.image("rotated"), np.rot90(pixels))
    assert np.array_equal(frame.image("rotated", upright=False), pixels)
    assert frame.image("turned").shape == (16, 12, 3)
    assert np.array_equal(frame.image("turned"), np.rot90(pixels, -1))
    with pytest.raises(KeyError):
        frame.image("nothing")


def test_playback_is_a_replay(tmp_path):
    edge = record(tmp_path / "edge.mcap", role="edge")
    log = exray.open(edge)
    with exray.Recorder(tmp_path / "ref.mcap", replay_of=log) as r:
        for frame in exray.playback(log):
            if frame.index % 2:  # a replay may leave frames out
                with r.frame(frame):
                    r.stage("mean", frame.image().mean(axis=(0, 1)))
    found, metadata, _ = messages(tmp_path / "ref.mcap")
    assert metadata["exray"]["replay_of"] == log.metadata["log_id"] and metadata["exray"]["role"] == "reference"
    assert [(f.index, f.source, f.label) for f in found["/frame"]] == [(1, "1.png", 1), (3, "3.png", 3), (5, "5.png", 0)]
    wanted = picture(1).mean(axis=(0, 1))
    assert np.allclose(np.frombuffer(found["/stage/mean"][0].data), wanted)


@pytest.mark.parametrize("capture, kept", [("off", set()), ("frame", {"/frame"}), ("io", {"/input/image"}),
                                           ("stats", {"/layers"})])
def test_capture_levels(tmp_path, capture, kept):
    found = messages(record(tmp_path / "a.mcap", capture=capture))[0]
    assert kept <= set(found) and ("/layers" in found) == (capture == "stats")


def test_arrays_may_change_afterwards(tmp_path):
    block = np.zeros(1 << 18, np.float32)
    with exray.Recorder(tmp_path / "a.mcap", capture="full", ring_size=1 << 24) as r:
        for i in range(4):
            with r.frame():
                block[:] = i
                r.layer(0, "x", block)
                block[:] = -1
    for i, frame in enumerate(exray.open(tmp_path / "a.mcap")):
        assert (frame.layers[0].numpy() == i).all()


def test_misuse(tmp_path):
    with pytest.raises(exray.FileError, match="No such file"):
        exray.Recorder(tmp_path / "no" / "a.mcap")
    for wrong in ({"role": "x"}, {"capture": "all"}, {"compression": "gzip"}):
        with pytest.raises(exray.ArgumentError):
            exray.Recorder(tmp_path / "a.mcap", **wrong)
    r = exray.Recorder(tmp_path / "a.mcap")
    for wrong in (lambda: r.input("x", ["a"]), lambda: r.input("x", np.zeros(2, complex)),
                  lambda: r.image("x", np.zeros((2, 2, 7), np.uint8)), lambda: r.image("x", np.zeros((2, 2, 3))),
                  lambda: r.encoded("x", b"what"), lambda: r.input("a\0b", np.zeros(1))):
        with pytest.raises(exray.Error):
            wrong()
    r.model(TINY)
    with pytest.raises(exray.StateError, match="model already"):
        r.model(TINY)
    with r.frame():
        r.scalar("x", 1)  # the recorder goes on
    r.close()  # and what a call raised is not raised again
    with exray.open(tmp_path / "a.mcap") as log:
        assert len(log) == 1 and log[0].system["dropped_records"] == 1
        (event,) = log.events
        assert event.kind == "error" and "model already" in event.text and event.records_lost == 1
    r.close()
    with pytest.raises(exray.StateError, match="closed"):
        r.scalar("x", 1)


def test_an_exception_ends_the_log_whole(tmp_path):
    with pytest.raises(RuntimeError, match="mine"):
        with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
            r.scalar("x", 1)
            raise RuntimeError("mine")
    log = exray.open(tmp_path / "a.mcap")
    assert log.truncated == "" and log[0].values == {"x": 1}


def test_what_one_is_after_is_recorded(tmp_path):
    """Scores that are NaN, boxes of NaN or without an area, and no boxes at all: no reason to stop an application."""
    with exray.Recorder(tmp_path / "log.mcap") as recorder:
        with recorder.frame():
            recorder.classes(np.array([0.25, np.nan, 0.5, np.inf], np.float32))
        with recorder.frame():
            recorder.classes([(7, np.nan), (3, 0.5)])
        with recorder.frame():
            recorder.boxes([exray.Box(np.nan, 0, 1, 1, 2, np.nan), exray.Box(0.5, 0.5, 0.5, 0.5)])
        with recorder.frame():
            recorder.boxes([])
        with recorder.frame():
            recorder.boxes(np.zeros((0, 6)))
        with recorder.frame():
            recorder.classes(np.full(3, np.nan))
    with exray.open(tmp_path / "log.mcap") as log:
        results = [frame.result for frame in log]
    assert [c.id for c in results[0].classes] == [3, 2, 0, 1] and np.isnan(results[0].classes[3].score)
    assert [c.id for c in results[1].classes] == [7, 3] and np.isnan(results[1].classes[0].score)
    assert np.isnan(results[2].boxes[0].x_min) and np.isnan(results[2].boxes[0].score) and results[2].boxes[1].x_max == 0.5
    assert all(r is None or len(r.boxes) == 0 for r in results[3:5])
    assert len(results[5].classes) == 3 and all(np.isnan(c.score) for c in results[5].classes)


def test_pictures_of_two_bytes_and_alpha_first_come_back(tmp_path):
    pixels = picture(3)
    h, w = pixels.shape[:2]
    five, six = pixels[..., [0, 2]].astype(np.uint16) >> 3, pixels[..., 1].astype(np.uint16) >> 2
    words = five[..., 0] << 11 | six << 5 | five[..., 1]
    with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
        r.image("rgb565", words.astype("<u2").tobytes(), format="rgb565", width=w, height=h)
        r.image("gray16", (pixels[..., 0].astype("<u2") * 256 + 200).tobytes(), format="gray16", width=w, height=h)
        r.image("argb8", np.concatenate([pixels[..., :1] // 2, pixels], -1), format="argb8")
    frame = exray.open(tmp_path / "a.mcap")[0]
    assert np.abs(frame.image("rgb565").astype(int) - pixels).max() <= 7
    assert np.array_equal(frame.image("gray16"), np.repeat(pixels[..., :1], 3, axis=2))
    assert np.array_equal(frame.image("argb8"), pixels)


def test_sensors_filters_and_ten_bits_come_back(tmp_path):
    raw = np.full((6, 8), 40, np.uint8)
    raw[::2, ::2], raw[1::2, 1::2] = 200, 9
    words = np.full((9, 8), 512, "<u2")
    words[:6] = 500
    with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
        r.image("eight", raw, format="bayer_rggb8")
        r.image("twelve", raw.astype("<u2") * 16 + 15, format="bayer_rggb12")
        r.image("p010", (words << 6).tobytes(), format="p010", width=8, height=6)
        for bad in ({"format": "bayer_rggb14"}, {"format": "bayer_rggb10"}, {"format": "p010", "width": 8, "height": 6}):
            with pytest.raises(exray.ArgumentError):
                r.image("bad", raw, **bad)
    frame = exray.open(tmp_path / "a.mcap")[0]
    assert frame.image("eight").shape == (6, 8, 3) and (frame.image("eight") == [200, 40, 9]).all()
    assert (frame.image("twelve") == [200, 40, 9]).all()
    assert (frame.image("p010") == round((500 - 64) * 255 / 876)).all()
