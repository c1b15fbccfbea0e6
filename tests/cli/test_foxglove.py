"""`exray export --foxglove`: what PyPI's mcap reads of it with the descriptors in the file, and what Foxglove's own
message classes make of the bytes."""

import io
import json
import subprocess

import numpy as np
import pytest
import testdata
from google.protobuf import descriptor_pb2
from log_writer import PB, Log
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
from PIL import Image
from validate_support import EXRAY, ROOT

foxglove_raw = pytest.importorskip("foxglove_schemas_protobuf.RawImage_pb2")
foxglove_file = pytest.importorskip("foxglove_schemas_protobuf.CompressedImage_pb2")


def export(path, out):
    result = subprocess.run([EXRAY, "export", str(path), "--foxglove", str(out)], capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr.decode()


def read(source):
    """(schema, channel, message, decoded by the file's own descriptors) in order of time."""
    stream = source if isinstance(source, io.BytesIO) else open(source, "rb")
    with stream:
        reader = make_reader(stream, validate_crcs=True)
        found = []
        factories = {}
        for schema, channel, message in reader.iter_messages():
            if channel.message_encoding == "json":
                decoded = json.loads(message.data)
                jsonschema = json.loads(schema.data)
                assert schema.encoding == "jsonschema" and set(decoded) <= set(jsonschema["properties"])
            else:
                decode = factories.setdefault(schema.id, DecoderFactory().decoder_for(channel.message_encoding, schema))
                decoded = decode(message.data)
            found.append((schema, channel, message, decoded))
        return found, reader.get_summary()


def pictures(found):
    return [(s.name, c.topic, m, d) for s, c, m, d in found if s.name.startswith("foxglove.")]


class Sensors(Log):
    def picture(self, topic, data, format, frame=0, time=None, **media):
        t = PB["Tensor"](frame=frame, data=data)
        t.info.dtype = 6
        t.info.shape.append(len(data))
        t.media.format = format
        for key, value in media.items():
            setattr(t.media, key, value)
        self.add(topic, "Tensor", t, time)


def file_of(format, seed=0, size=(40, 24)):
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format)
    return out.getvalue()


def test_descriptors_are_foxgloves():
    """Names, numbers and types of all fields, and of the messages."""
    header = (ROOT / "src" / "cli" / "export" / "foxglove_schema_fds.h").read_text()
    body = header[header.index("{") + 1:header.index("}")]
    ours = descriptor_pb2.FileDescriptorSet.FromString(bytes(int(n) for n in body.replace("\n", " ").split(",") if n.strip()))
    fields = {f"{f.package}.{m.name}": {(x.name, x.number, x.type, x.type_name, x.label) for x in m.field}
              for f in ours.file for m in f.message_type}
    for module, name in ((foxglove_raw, "RawImage"), (foxglove_file, "CompressedImage")):
        theirs = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(theirs)
        message, = theirs.message_type
        assert fields[f"foxglove.{name}"] == {(x.name, x.number, x.type, x.type_name, x.label) for x in message.field}
    assert [f.name for f in ours.file][0] == "google/protobuf/timestamp.proto"


def test_every_file_comes_back_byte_for_byte(tmp_path):
    log, wanted = Sensors(tmp_path / "log.mcap"), []
    for f in range(12):
        for camera in ("front", "back"):
            format = "jpeg" if f % 3 else "png"
            data, time = file_of(format.upper(), f), 1_700_000_000_123_456_789 + f * 33_000_000
            log.picture(f"/sensor/{camera}", data, format, f, time)
            wanted.append((f"/sensor/{camera}", format, data, time))
    log.finish()
    _, told = export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    found, summary = read(tmp_path / "out.mcap")
    got = pictures(found)
    assert told == "" and len(got) == summary.statistics.message_count == 24
    for (topic, format, data, time), (schema, at, message, decoded) in zip(wanted, got):
        own = foxglove_file.CompressedImage.FromString(message.data)
        assert schema == "foxglove.CompressedImage" and at == topic
        assert own.data == decoded.data == data and own.format == format and own.frame_id == topic.split("/")[2]
        assert own.timestamp.ToNanoseconds() == message.log_time == message.publish_time == time
    assert sorted(summary.channels[c].topic for c in summary.channels) == ["/sensor/back", "/sensor/front"]


@pytest.mark.parametrize("format, encoding, bytes_of_pixel", [
    ("rgb8", "rgb8", 3), ("bgr8", "bgr8", 3), ("rgba8", "rgba8", 4), ("bgra8", "bgra8", 4), ("gray8", "mono8", 1),
    ("yuyv", "yuyv", 2), ("uyvy", "uyvy", 2), ("nv12", "nv12", 1.5)])
@pytest.mark.parametrize("padding", [0, 16])
def test_raw_formats_that_foxglove_knows(tmp_path, format, encoding, bytes_of_pixel, padding):
    width, height = 20, 10
    step = width * (1 if format == "nv12" else bytes_of_pixel) + padding
    size = step * height * 3 // 2 if format == "nv12" else step * height
    data = np.random.default_rng(1).integers(0, 255, size, np.uint8).tobytes()
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", data, format, width=width, height=height, row_stride=step if padding else 0)
    log.finish()
    _, told = export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    (schema, _, message, decoded), = pictures(read(tmp_path / "out.mcap")[0])
    own = foxglove_raw.RawImage.FromString(message.data)
    assert schema == "foxglove.RawImage" and told == ""
    assert (own.encoding, own.width, own.height, own.step, own.data) == (encoding, width, height, step, data)
    assert decoded.data == data and decoded.frame_id == "camera"


@pytest.mark.parametrize("format", ["nv21", "i420", "yv12", "nv12", "yuyv"])
def test_other_raw_formats_become_rgb8(tmp_path, format):
    """Odd sizes of the last two, which Foxglove does not take.  OpenCV says what the colours are."""
    cv2 = pytest.importorskip("cv2")
    even = format in ("nv21", "i420", "yv12")
    width, height = (24, 12) if even else (23, 11)
    chroma = (width + 1) // 2 * ((height + 1) // 2)
    size = (width + 1) // 2 * 4 * height if format == "yuyv" else width * height + 2 * chroma
    data = np.random.default_rng(2).integers(16, 235, size, np.uint8)
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", data.tobytes(), format, width=width, height=height, matrix="bt601")
    log.finish()
    _, told = export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    (_, _, message, _), = pictures(read(tmp_path / "out.mcap")[0])
    own = foxglove_raw.RawImage.FromString(message.data)
    assert (own.encoding, own.width, own.height, own.step) == ("rgb8", width, height, width * 3)
    assert "1 of 1 pictures" in told and len(own.data) == width * height * 3
    if even:
        code = {"nv21": cv2.COLOR_YUV2RGB_NV21, "i420": cv2.COLOR_YUV2RGB_I420, "yv12": cv2.COLOR_YUV2RGB_YV12}[format]
        rgb = cv2.cvtColor(data.reshape(height * 3 // 2, width), code)
        assert np.abs(np.frombuffer(own.data, np.uint8).astype(int) - rgb.ravel()).max() <= 2


def test_a_last_row_without_its_padding_is_mended(tmp_path):
    """Foxglove wants step * height bytes; a camera's buffer may end with the last pixel."""
    rows = np.random.default_rng(3).integers(0, 255, (4, 32), np.uint8)
    data = rows.tobytes()[:3 * 32 + 15]
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", data, "rgb8", width=5, height=4, row_stride=32)
    log.finish()
    export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    own = foxglove_raw.RawImage.FromString(pictures(read(tmp_path / "out.mcap")[0])[0][2].data)
    assert own.step == 15 and own.data == rows[:, :15].tobytes()


def test_frames_and_results(tmp_path):
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", file_of("PNG"), "png")
    r = PB["Result"](frame=0, text="a \"cat\"")
    r.classes.add(id=281, score=0.5, label="tabby")
    r.boxes.add(x_min=0.25, y_min=0.5, x_max=0.75, y_max=1, id=3, score=float("nan"))
    log.add("/result", "Result", r)
    log.frame(0, 5, source="a.png", label=7, inference_ns=2_500_000, values={"lux": 12.5, "bad": float("nan")})
    log.finish()
    export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    found = {c.topic: d for _, c, _, d in read(tmp_path / "out.mcap")[0]}
    assert found["/frame"] == {"index": 0, "source": "a.png", "label": 7, "inference_ms": 2.5, "complete": True,
                               "values": {"lux": 12.5}}
    assert found["/result"] == {"frame": 0, "classes": [{"id": 281, "score": 0.5, "label": "tabby"}], "text": "a \"cat\"",
                                "boxes": [{"id": 3, "x_min": 0.25, "y_min": 0.5, "x_max": 0.75, "y_max": 1}]}


def test_what_is_no_picture_is_counted(tmp_path):
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/microphone", b"RIFF", "wav")
    log.tensor("/sensor/array", np.zeros(4, np.float32))
    log.picture("/sensor/rear", b"", "jpeg")
    log.picture("/sensor/camera", b"short", "rgb8", width=100, height=100)
    log.picture("/sensor/camera", b"bytes", "h266", width=100, height=100)
    log.picture("/sensor/camera", b"\0" * 64, "rgb8", width=0, height=4)
    log.picture("/sensor/camera", b"\0" * 64, "rgb8", width=2**31, height=2**31, row_stride=2**32 - 1)
    log.finish()
    _, told = export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    found, _ = read(tmp_path / "out.mcap")
    assert pictures(found) == [] and "no pictures" in told
    assert "2 records of sensors are no pictures" in told and "1 pictures were logged without their data" in told
    assert "4 damaged records" in told and told.count("/sensor/camera in frame 0: ") == 4


def test_large_pictures_and_many_chunks(tmp_path):
    log, wanted = Sensors(tmp_path / "log.mcap"), []
    for f in range(6):
        wanted.append(np.random.default_rng(f).integers(0, 255, 700 * 900 * 3, np.uint8).tobytes())
        log.picture("/sensor/camera", wanted[-1], "bgr8", f, width=900, height=700)
    log.finish()
    out, _ = export(tmp_path / "log.mcap", "-")
    found, summary = read(io.BytesIO(out))
    assert [foxglove_raw.RawImage.FromString(m.data).data for _, _, m, _ in pictures(found)] == wanted
    assert len(summary.chunk_indexes) == 6


def test_logs_take_the_place_of_logs_only(tmp_path):
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", file_of("PNG"), "png")
    log.finish()
    before = (tmp_path / "log.mcap").read_bytes()
    (tmp_path / "picture.jpg").write_bytes(b"pixels")
    (tmp_path / "link.mcap").symlink_to(tmp_path / "log.mcap")
    for target, said in (("log.mcap", "is being read"), ("link.mcap", "is being read"), ("picture.jpg", "is no log"),
                         ("no/folder", "cannot write")):
        result = subprocess.run([EXRAY, "export", tmp_path / "log.mcap", "--foxglove", tmp_path / target],
                                capture_output=True, text=True)
        assert result.returncode == 2 and said in result.stderr and result.stderr.count("\n") == 1
    assert (tmp_path / "log.mcap").read_bytes() == before and (tmp_path / "picture.jpg").read_bytes() == b"pixels"
    export(tmp_path / "log.mcap", tmp_path / "new.mcap")
    export(tmp_path / "log.mcap", tmp_path / "new.mcap")


def test_a_full_disk_is_said(tmp_path):
    log = Sensors(tmp_path / "log.mcap")
    log.picture("/sensor/camera", bytes(3 << 20), "gray8", width=1024, height=3072)
    log.finish()
    result = subprocess.run([EXRAY, "export", tmp_path / "log.mcap", "--foxglove", "/dev/full"], capture_output=True, text=True)
    assert result.returncode == 2 and result.stderr == "exray: cannot write /dev/full: No space left on device\n"


@pytest.mark.data
def test_a_real_recording(tmp_path):
    files, model = testdata.pictures(5), testdata.model("mobilenet_v1_0.25_224_float.tflite")
    (tmp_path / "list.txt").write_text("\n".join(map(str, files)))
    subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", model, "--pipeline", ROOT / "examples" / "lite0.yaml",
                    "--data", tmp_path / "list.txt", "-o", tmp_path / "log.mcap"], check=True, capture_output=True)
    export(tmp_path / "log.mcap", tmp_path / "out.mcap")
    found, _ = read(tmp_path / "out.mcap")
    assert [d.data for _, _, _, d in pictures(found)] == [f.read_bytes() for f in files]
    assert [d["index"] for _, c, _, d in found if c.topic == "/frame"] == list(range(5))
