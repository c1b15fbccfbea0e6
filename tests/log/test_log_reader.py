"""Reading logs that PyPI's mcap wrote: `exray info`, `exray export`."""

import json
import os
import re
import subprocess

import ml_dtypes
import numpy as np
import pytest
from google.protobuf import descriptor_pb2
from log_writer import DESCRIPTORS, PB, ROOT, CompressionType, Log, compile_schema, messages
from small_log import EXRAY, WRITERS, arrays, assert_equal, info, run, write_small


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
def test_every_way_of_writing(tmp_path, options):
    path = tmp_path / "log.mcap"
    expected = write_small(path, **options)
    assert_equal(arrays(tmp_path, path), expected)
    said = info(path)
    assert said["truncated"] is None and said["damaged"] == 0 and said["role"] == "edge"
    assert said["frames"] == {"count": 3, "complete": 3, "labelled": 3, "ran": 3, "ranges": [[0, 2]]}
    assert said["model"]["sha256"] == bytes(range(32)).hex() and said["model"]["layers"] == 2
    assert said["model"]["inputs"] == [{"name": "image", "dtype": "float32", "shape": [1, 4, 4, 3]}]
    assert said["records"]["layer"]["records"] == 6 and said["records"]["layer"]["with_data"] == 6
    assert said["latency"] == {"inference_ms_min": 1, "inference_ms_median": 2, "inference_ms_max": 3}
    assert said["system"] == {"rss_bytes": 1002, "dropped_records": 2}
    assert said["attachments"] == [{"name": "pipeline.yaml", "media_type": "text/yaml", "size": 21}]
    assert said["metadata"]["exray"]["device"] == "a board"
    text = run("info", path, "--check")
    for word in ("edge", "tflite 2.17.1", "builtin", "pipeline.yaml", "whole", "3 labelled"):
        assert word in text


def test_dequantized(tmp_path):
    path = tmp_path / "log.mcap"
    expected = write_small(path)
    for name, frame in arrays(tmp_path, path, "--dequantize").items():
        for key, array in frame.items():
            stored = expected[name][key]
            real = (stored.astype(np.float32) + 3) * np.float32(0.5) if stored.dtype == np.int8 else stored
            np.testing.assert_array_equal(array, real)
            assert array.dtype == np.float32


NUMPY_TYPES = ["float32", "float16", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
               "bool"]


def test_every_type(tmp_path):
    path, log, expected = tmp_path / "log.mcap", Log(tmp_path / "log.mcap"), {}
    rng = np.random.default_rng(1)
    for dtype in NUMPY_TYPES:
        array = np.frombuffer(rng.bytes(8 * 35), dtype=dtype)[:35].reshape(5, 7)
        array = rng.random((5, 7)).astype(dtype) if "float" in dtype else array
        if dtype == "bool":
            array = rng.integers(0, 2, (5, 7)).astype(bool)
        log.tensor(f"/stage/{dtype}", array)
        expected[f"stage/{dtype}"] = array
    every = np.arange(256, dtype=np.uint8)
    for dtype, numpy_type in (("float8_e4m3", ml_dtypes.float8_e4m3fn), ("float8_e5m2", ml_dtypes.float8_e5m2)):
        log.tensor(f"/stage/{dtype}", every, dtype=dtype)
        expected[f"stage/{dtype}"] = every.view(numpy_type).astype(np.float32)
    bf16 = np.arange(0, 65536, 7, dtype=np.uint16)
    log.tensor("/stage/bfloat16", bf16, dtype="bfloat16")
    expected["stage/bfloat16"] = bf16.view(ml_dtypes.bfloat16).astype(np.float32)
    packed = np.array([0x10, 0x32, 0xF8], dtype=np.uint8)
    log.tensor("/stage/uint4", packed, dtype="uint4", shape=[5])
    log.tensor("/stage/int4", packed, dtype="int4", shape=[2, 3])
    expected["stage/uint4"] = np.array([0, 1, 2, 3, 8], dtype=np.uint8)
    expected["stage/int4"] = np.array([[0, 1, 2], [3, -8, -1]], dtype=np.int8)
    log.finish()
    assert_equal(arrays(tmp_path, path), {"frame-000000": expected})


def test_every_type_dequantized(tmp_path):
    path, log, expected = tmp_path / "log.mcap", Log(tmp_path / "log.mcap"), {}
    rng = np.random.default_rng(2)
    scale = np.array([0.5, 0.03, 7], dtype=np.float32)
    for dtype in ("int8", "uint8", "int16", "int32", "uint16", "int64"):
        low, high = (-100, 100) if dtype[0] == "i" else (0, 200)
        array = rng.integers(low, high, (2, 3, 500)).astype(dtype)
        for axis in (0, 1, 2):
            zero = rng.integers(-5, 5, array.shape[axis])
            scales = np.resize(scale, array.shape[axis])
            key = f"stage/{dtype} {axis}"
            log.tensor("/" + key, array, scale=scales, zero_point=zero, axis=axis)
            along = [1, 1, 1]
            along[axis] = -1
            difference = (array.astype(np.int64) - zero.reshape(along)).astype(np.float32)
            expected[key] = difference * scales.reshape(along)
    # One zero point may stand for all; none means zero.
    array = rng.integers(-8, 8, (3, 4)).astype(np.int8)
    log.tensor("/stage/one zero", array, scale=scale, zero_point=[2], axis=0)
    log.tensor("/stage/no zero", array, scale=scale, axis=0)
    expected["stage/one zero"] = (array - 2).astype(np.float32) * scale.reshape(3, 1)
    expected["stage/no zero"] = array.astype(np.float32) * scale.reshape(3, 1)
    log.finish()
    assert_equal(arrays(tmp_path, path, "--dequantize"), {"frame-000000": expected})


def test_quantization_that_does_not_fit_is_left_out(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    array = np.zeros((2, 3), np.int8)
    log.tensor("/stage/wrong", array, scale=[1, 2, 3, 4], axis=1)
    log.tensor("/stage/axis", array, scale=[1, 2], axis=9)
    log.tensor("/stage/right", array, scale=[1, 2, 3], axis=1)
    log.finish()
    assert list(arrays(tmp_path, path, "--dequantize")["frame-000000"]) == ["stage/right"]
    result = subprocess.run([EXRAY, "export", path, "--npz", tmp_path / "x", "--dequantize"], capture_output=True, text=True)
    assert "/stage/wrong" in result.stderr and "2 damaged records" in result.stderr


def test_unpacked_fields_in_any_order(tmp_path):
    """Repeated numbers one by one, fields backwards, fields of a later version."""
    text = (ROOT / "schema" / "exray.proto").read_text()
    unpacked = messages(compile_schema("".join(
        line.replace(";", " [packed = false];", 1)
        if line.strip().startswith("repeated") and any(t in line for t in (" float ", " int64 ", " uint32 ", " uint64 ", " double "))
        else line for line in text.splitlines(keepends=True))))

    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    tensor_info = unpacked["TensorInfo"](name="x", dtype=7, shape=[2, 3])
    tensor_info.quantization.scale.extend([0.5, 2])
    tensor_info.quantization.zero_point.extend([1, -1])
    packed_info = PB["TensorInfo"].FromString(tensor_info.SerializeToString()).SerializeToString()
    assert tensor_info.SerializeToString() != packed_info, "the schema has to be unpacked for this test"
    unknown = b"\xfa\x7f\x03abc" + b"\x98\x7d\x05"  # fields 2047 (bytes) and 2003 (number)
    backwards = field(3, array.tobytes()) + unknown + field(2, tensor_info.SerializeToString() + unknown) + b"\x08\x05"
    log = Log(tmp_path / "log.mcap")
    log.add("/stage/x", "Tensor", backwards)
    log.add("/latency", "Latency", unpacked["Latency"](frame=5, node=[0, 1], start_ns=[1, 2], duration_ns=[3000, 5000]))
    model = unpacked["Model"](name="m", inputs=[0], outputs=[0])
    model.tensors.add(name="t", dtype=1, shape=[1, 2])
    model.nodes.add(op="A", outputs=[0])
    model.nodes.add(op="B", outputs=[0])
    log.add("/model", "Model", model)
    log.finish()
    found = arrays(tmp_path, tmp_path / "log.mcap", "--dequantize")
    np.testing.assert_array_equal(found["frame-000005"]["stage/x"], [[-0.5, 0, 0.5], [8, 10, 12]])
    assert info(tmp_path / "log.mcap")["model"]["inputs"][0]["shape"] == [1, 2]


def test_frame_without_an_end(tmp_path):
    log = Log(tmp_path / "log.mcap")
    log.tensor("/input/x", np.zeros(3, np.float32), frame=0)
    log.frame(0, 1000)
    log.tensor("/input/x", np.ones(3, np.float32), frame=7)
    log.finish()
    assert info(tmp_path / "log.mcap")["frames"] == \
        {"count": 2, "complete": 1, "labelled": 0, "ran": 8, "ranges": [[0, 0], [7, 7]]}
    assert sorted(arrays(tmp_path, tmp_path / "log.mcap")) == ["frame-000000", "frame-000007"]


def test_foreign_topics_and_schemas(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    other = log.writer.register_schema("other.Thing", "jsonschema", b"{}")
    for topic, encoding, schema in (("/lidar", "json", other), ("/input/cloud", "protobuf", other),
                                    ("/layer/x", "protobuf", 0), ("/layer/1/2/3", "protobuf", 0), ("/frames", "json", 0)):
        channel = log.writer.register_channel(topic, encoding, schema)
        log.writer.add_message(channel, 1, b"{}", 1)
    log.tensor("/input/x", np.zeros(3, np.float32))
    log.frame(0, 1000)
    log.finish()
    assert list(arrays(tmp_path, path)["frame-000000"]) == ["input/x"]
    assert info(path)["damaged"] == 0
    assert info(path)["unknown"] == ("5 topics (/lidar: other.Thing, /input/cloud: other.Thing, /layer/x, /layer/1/2/3, "
                                     "/frames)")


@pytest.mark.parametrize("options", [{}, {"compression": CompressionType.ZSTD}, {"use_chunking": False}], ids=str)
def test_unknown_fields_are_told_once(tmp_path, options):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap", **options)
    later = b"\xfa\x7f\x03abc"  # field 2047
    for f in range(3):
        begin = log.time
        tensor = PB["Tensor"](frame=f, info={"dtype": 1, "shape": [1]}, data=b"1234").SerializeToString()
        log.add("/input/x", "Tensor", tensor + b"\x22\x06" + later)  # in its stats
        log.add("/frame", "Frame", PB["Frame"](index=f, begin_ns=begin, end_ns=log.time + 10).SerializeToString() + later)
    log.finish()
    assert info(path)["unknown"] == "2 fields (TensorStats 2047, Frame 2047)"
    assert info(path)["frames"]["complete"] == 3 and info(path)["damaged"] == 0
    told = [line for line in run("info", path).splitlines() if "2047" in line]
    assert told == ["unknown    2 fields (TensorStats 2047, Frame 2047): of a later version or another program, and skipped"]


def test_the_reader_knows_the_schema():
    """src/log/unknown.c has a table of what schema/exray.proto has."""
    text = (ROOT / "src" / "log" / "unknown.c").read_text()
    rows = re.findall(r'\{"([\w. ]+)", (\d+), \{(.*?)\}\}', text)
    assert int(re.search(r"MOST_FIELDS = (\d+)", text)[1]) >= max(int(most) for _, most, _ in rows)
    table = {name: (int(most), sorted(int(n) for n in re.findall(r"\[(\d+)\]", nested))) for name, most, nested in rows}
    assert table.pop("map entry") == (2, [])
    wanted = {}

    def walk(message, prefix=""):
        if not message.options.map_entry:
            numbers = sorted(f.number for f in message.field)
            assert numbers == list(range(1, len(numbers) + 1)), "the table has only how many there are"
            wanted[prefix + message.name] = (numbers[-1], sorted(f.number for f in message.field if f.type == f.TYPE_MESSAGE))
        for nested in message.nested_type:
            walk(nested, f"{message.name}.")

    for message in descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS).file[0].message_type:
        walk(message)
    assert table == wanted


def test_a_flipped_bit_is_no_unknown_field(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    log.tensor("/input/x", np.arange(16, dtype=np.float32))
    log.frame(0, 1000)
    log.finish()
    data = path.read_bytes()
    at = data.index(np.arange(16, dtype=np.float32).tobytes()) - 2
    assert data[at] == 0x1A  # Tensor.data becomes a field 11
    path.write_bytes(data[:at] + b"\x5a" + data[at + 1:])
    assert info(path)["unknown"] is None and info(path)["damaged"] == 1


def test_no_metadata_means_edge(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap", metadata={})
    log.frame(0, 0)
    log.finish()
    assert info(path)["role"] == "edge" and info(path)["metadata"] == {}


def test_records_of_one_frame_are_sorted(tmp_path):
    """Layers by index, then output, then occurrence, whatever order they came in."""
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    order = [(9, 0, 0), (10, 0, 1), (10, 0, 0), (2, 1, 0), (2, 0, 0)]
    for index, output, occurrence in order:
        topic = f"/layer/{index}" + (f"/{output}" if output else "")
        log.tensor(topic, np.array([index, output, occurrence], np.int32), occurrence=occurrence)
    log.finish()
    keys = list(arrays(tmp_path, path)["frame-000000"])
    assert keys == ["layer/2", "layer/2/1", "layer/9", "layer/10", "layer/10#1"]


def test_hostile_names(tmp_path):
    """Nothing of a name reaches the terminal or the file system as a command."""
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap", metadata={"role": "edge", "device": "\x1b[31mred\n"})
    model = PB["Model"](name='a"b\\\x07\u009b', engine="tflite")
    log.add("/model", "Model", model)
    log.tensor("/input/../../../etc/passwd", np.zeros(1, np.float32))
    log.tensor("/input//a\\b", np.zeros(1, np.float32))
    bad_utf8 = PB["Frame"](index=0, source="SOURCE").SerializeToString().replace(b"SOURCE", b"\xff\xc0\x80ab\xed")
    log.add("/frame", "Frame", bad_utf8)
    log.finish()
    text = run("info", path)
    assert "\x1b" not in text and "\x07" not in text and "\u009b" not in text
    assert info(path)["model"]["name"] == 'a"b\\\x07\u009b'
    run("export", path, "--npz", tmp_path / "npz", "--trace", tmp_path / "trace.json")
    assert sorted(np.load(tmp_path / "npz" / "frame-000000.npz").files) == ["input/_./_./_./etc/passwd", "input/a_b"]
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [e["args"]["source"] for e in events if e["name"] == "frame 0"] == ["???ab?"]


def test_rank_and_shape_limits(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    log.tensor("/stage/deep", np.zeros(4, np.float32), shape=[1] * 9)
    log.tensor("/stage/unknown", np.arange(4, dtype=np.float32), shape=[-1, 2])
    log.tensor("/stage/short", np.arange(4, dtype=np.float32), shape=[5])
    log.tensor("/stage/huge", np.arange(4, dtype=np.float32), shape=[2**62, 2**62])
    log.tensor("/stage/scalar", np.float32(3))
    log.finish()
    found = arrays(tmp_path, path)["frame-000000"]
    assert {k: v.shape for k, v in found.items()} == {
        "stage/deep": (4,), "stage/unknown": (4,), "stage/short": (4,), "stage/huge": (4,), "stage/scalar": ()}


@pytest.mark.parametrize("make, words", [
    (lambda p: None, "No such file"),
    (lambda p: p.mkdir(), "directory"),
    (lambda p: p.write_bytes(b""), "empty"),
    (lambda p: p.write_bytes(b"PNG"), "no MCAP file"),
    (lambda p: p.write_bytes(b"\x89MCAP0\r\n"), "header"),
    (lambda p: p.write_bytes(b"\x89MCAP0\r\n\x01\xff\xff\xff\xff\xff\xff\xff\xff"), "header"),
    (lambda p: os.mkfifo(p), "no regular file"),
    (lambda p: Log(p, profile="ros2").finish(), 'profile "ros2"'),
    (lambda p: Log(p, profile="").finish(), 'profile ""'),
], ids=["missing", "folder", "empty", "other", "magic", "huge header", "fifo", "ros2", "no profile"])
@pytest.mark.parametrize("command", ["info", "export", "recover"])
def test_no_log(tmp_path, command, make, words):
    path = tmp_path / "log.mcap"
    make(path)
    out = tmp_path / "out"
    arguments = {"info": [], "export": ["--csv", out], "recover": ["-o", out]}[command]
    message = run(command, path, *arguments, status=2)
    assert words in message and str(path) in message
    assert not out.exists()


@pytest.mark.parametrize("arguments", [["info"], ["info", "a", "b"], ["info", "--jsno", "x", "a"], ["info", "a", "--json"],
                                       ["export", "a"], ["export", "a", "--csv"], ["export", "a", "--csv", "-", "--trace", "-"],
                                       ["export", "a", "--npz", "-"], ["recover", "a"], ["recover", "-o", "b"]],
                         ids=" ".join)
def test_usage(arguments):
    assert "--help" in run(*arguments, status=2)


@pytest.mark.parametrize("command", ["info", "export", "recover"])
def test_help_has_an_example(command):
    assert "example:" in run(command, "--help")


def test_where_nothing_can_be_written(tmp_path):
    path = tmp_path / "log.mcap"
    write_small(path)
    for options in (["info", path, "--json", "/dev/full"], ["export", path, "--csv", "/dev/full"],
                    ["export", path, "--trace", "/dev/full"], ["recover", path, "-o", "/dev/full"]):
        assert "No space left" in run(*options, status=2)
    (tmp_path / "npz").mkdir()
    (tmp_path / "npz" / "constants.npz").symlink_to("/dev/full")
    assert "No space left" in run("export", path, "--npz", tmp_path / "npz", status=2)
    (tmp_path / "file").write_text("")
    for options in (["export", path, "--npz", tmp_path / "file"], ["recover", path, "-o", tmp_path / "no" / "such"],
                    ["export", path, "--csv", tmp_path / "no" / "such"]):
        assert str(options[-1]) in run(*options, status=2)
    if os.geteuid() != 0:
        (tmp_path / "sealed").mkdir(mode=0o500)
        assert "Permission denied" in run("recover", path, "-o", tmp_path / "sealed" / "x", status=2)


def test_full_standard_output(tmp_path):
    path = tmp_path / "log.mcap"
    write_small(path)
    with open("/dev/full", "w") as full:
        result = subprocess.run([EXRAY, "info", path], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2 and "No space left" in result.stderr
