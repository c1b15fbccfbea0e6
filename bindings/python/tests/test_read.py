"""Reading: against logs that PyPI's mcap and protobuf wrote, and against NumPy."""

import gc
import subprocess
import sys
import textwrap

import hostile_logs
import ml_dtypes
import numpy as np
import pytest
from log_writer import DTYPES, PB, Log, small_model
from mcap.writer import CompressionType

import exray
from conftest import record

NUMPY = {name: np.dtype(name) for name in DTYPES if name not in ("string", "bfloat16", "int4", "uint4") and
         not name.startswith("float8")}
NUMPY |= {"bfloat16": np.dtype(ml_dtypes.bfloat16), "float8_e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
          "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2)}


def some(dtype, shape, seed=0):
    values = np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 100, shape)
    return values.astype(NUMPY[dtype])


def write(path, add, **options):
    log = Log(path, **options)
    log.add("/model", "Model", small_model())
    begin = log.time
    add(log)
    log.frame(0, begin, source="a.jpg", label=7, inference_ns=1234, values={"lux": 2.5}, spans={"resize": 99})
    log.finish()
    return path


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize("dtype", list(NUMPY))
def test_every_type(tmp_path, dtype, compression):
    array = some(dtype, (2, 3, 5))
    path = write(tmp_path / "a.mcap", lambda log: log.tensor("/input/image", array, dtype=dtype),
                 compression=compression)
    with exray.open(path) as log:
        tensor = log[0].inputs["image"]
        read = tensor.numpy()
        assert read.dtype == array.dtype and np.array_equal(read, array)
        assert np.array_equal(tensor.values(), array.astype(np.float32))
        assert bytes(tensor.raw()) == array.tobytes()
        assert not read.flags.writeable
        with pytest.raises(ValueError):
            read.flags.writeable = True
    del log, tensor
    gc.collect()
    assert np.array_equal(read, array)  # it outlives its log


@pytest.mark.parametrize("dtype, signed", [("int4", True), ("uint4", False)])
def test_four_bits(tmp_path, dtype, signed):
    packed = np.array([0x21, 0xF8, 0x07], np.uint8)
    wanted = [1, 2, -8, -1, 7] if signed else [1, 2, 8, 15, 7]
    path = write(tmp_path / "a.mcap", lambda log: log.tensor("/input/x", packed, dtype=dtype, shape=[5]))
    tensor = exray.open(path)[0].inputs["x"]
    assert tensor.numpy().tolist() == wanted and tensor.values().tolist() == wanted


def test_quantized(tmp_path):
    stored = some("int8", (4, 3))
    scale, zero = np.array([0.5, 0.25, 2.0], np.float32), np.array([0, -3, 5])
    path = write(tmp_path / "a.mcap",
                 lambda log: log.tensor("/input/x", stored, scale=scale, zero_point=zero, axis=1))
    tensor = exray.open(path)[0].inputs["x"]
    assert np.array_equal(tensor.numpy(), stored)
    assert np.allclose(tensor.values(), scale * (stored.astype(np.float32) - zero), rtol=1e-6)
    assert tensor.info.quantization == exray.Quantization((0.5, 0.25, 2.0), (0, -3, 5), 1)


def test_strings_are_refused(tmp_path):
    path = write(tmp_path / "a.mcap",
                 lambda log: log.tensor("/input/x", np.frombuffer(b"abc", np.uint8), dtype="string", shape=[1]))
    tensor = exray.open(path)[0].inputs["x"]
    for refused in (tensor.numpy, tensor.values):
        with pytest.raises(exray.UnsupportedError):
            refused()
    assert bytes(tensor.raw()) == b"abc"


def test_no_copy_of_what_is_mapped(tmp_path):
    array = some("float32", (64, 1024))
    path = write(tmp_path / "a.mcap", lambda log: log.tensor("/layer/0", array))
    tensor = exray.open(path)[0].layers[0]
    address = tensor.numpy().__array_interface__["data"][0]
    assert address == tensor.values().__array_interface__["data"][0]
    maps = open("/proc/self/maps").read().splitlines()
    inside = [line for line in maps if int(line.split("-")[0], 16) <= address < int(line.split()[0].split("-")[1], 16)]
    assert inside[0].endswith("a.mcap")


def test_frames_model_and_the_rest(tmp_path):
    def add(log):
        log.tensor("/layer/0", some("float32", (1, 4, 4, 2)))
        log.tensor("/layer/1", some("float32", (1, 6)))
        log.add("/latency", "Latency", PB["Latency"](frame=0, node=[0, 1], start_ns=[5, 20], duration_ns=[10, 30]))
        log.add("/system", "System", PB["System"](frame=0, rss_bytes=5, cpu_celsius=40.5))
        log.add("/reading/light", "Reading", PB["Reading"](frame=0, value=[1, 2], unit="lx"))
        result = PB["Result"](frame=0, text="hello")
        result.classes.add(id=3, score=0.5, label="cat")
        result.boxes.add(x_min=0.25, y_max=0.5, id=1, score=1)
        log.add("/result", "Result", result)
        log.writer.add_attachment(0, 0, "labels.txt", "text/plain", b"cat\n")

    with exray.open(write(tmp_path / "a.mcap", add)) as log:
        frame = log[0]
        assert len(log) == 1 and [f.index for f in log] == [0]
        assert (frame.source, frame.label, frame.inference_ns, frame.complete) == ("a.jpg", 7, 1234, True)
        assert frame.values == {"lux": 2.5} and frame.spans_ns == {"resize": 99}
        assert frame.latency == [(0, 5, 10), (1, 20, 30)]
        assert frame.system == {"rss_bytes": 5, "cpu_celsius": 40.5}
        assert frame.readings == {"light": ((1.0, 2.0), "lx")}
        assert frame.result == exray.Result((exray.ClassScore(3, 0.5, "cat"),),
                                            (exray.Box(0.25, 0, 0, 0.5, 1, 1),), "hello")
        assert log.attachments == {"labels.txt": b"cat\n"}
        assert log.metadata["device"] == "a board"
        model = log.model
        assert model.name == "tiny" and model.sha256 == bytes(range(32)) and model.threads == 2
        assert model.nodes[0] == exray.Node("CONV_2D", "", (0, 1, None), (2,), {"stride": "1"})
        assert model.nodes[1].inner[0].op == "RELU"
        assert model.tensors[3].quantization == exray.Quantization((0.5,), (-3,))
        assert set(frame.layers) == {0, 1}
        assert frame.layers["tail"].index == 1 and frame.layers["conv"].index == 0
        with pytest.raises(KeyError):
            frame.layers["nothing"]
        with pytest.raises(IndexError):
            log[1]


def test_statistics_and_sketches(tmp_path):
    path = record(tmp_path / "a.mcap", capture="sketch")
    full = exray.open(record(tmp_path / "b.mcap"))
    for frame, whole in zip(exray.open(path), full):
        tensor, values = frame.layers["pool"], whole.layers["pool"].values()
        assert not tensor.has_data and tensor.stats.count == values.size
        assert tensor.stats.mean == pytest.approx(values.astype(np.float64).mean())
        assert tensor.stats.min == values.min() and tensor.stats.max == values.max()
        assert tensor.sketch.bucket.tolist() == values.reshape(-1).tolist()  # so few values are the buckets
        with pytest.raises(exray.NotRecorded, match="capture"):
            tensor.numpy()


def test_pandas(tmp_path):
    log = exray.open(record(tmp_path / "a.mcap"))
    latency, metrics = log.latency(), log.metrics()
    assert latency.groupby("name").duration_ms.mean().to_dict() == {"pool": 1e-4, "scores": 5e-5}
    assert metrics.inference_ms.tolist() == pytest.approx([(1000 + i) / 1e6 for i in range(6)])
    assert metrics.label.tolist() == [0, 1, 2, 3, 4, 0]


def test_tables_have_one_type_a_column(tmp_path):
    """Whatever was recorded: an empty log's, one without labels' and one with some fit into one Parquet file."""
    large = 2**62 + 1
    tables = []
    for name, labels in (("none", []), ("unlabelled", [None, None]), ("some", [large, None])):
        with exray.Recorder(tmp_path / name) as r:
            for label in labels:
                with r.frame(label=label):
                    r.scalar("x", 1)
        log = exray.open(tmp_path / name)
        tables.append((log.metrics(), log.latency()))
        assert len(tables[-1][0]) == len(labels)
    for which in (0, 1):
        kinds = [{k: str(v) for k, v in t[which].dtypes.items() if k in ("frame", "label", "inference_ms", "node", "duration_ms")}
                 for t in tables]
        assert kinds[0] == kinds[1] == kinds[2]
    assert tables[2][0].label[0] == large  # not by way of a float
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for table in tables[2]:
        table.to_parquet(tmp_path / "t.parquet")
        assert pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pandas().equals(table)


def test_without_pandas(tmp_path):
    path = record(tmp_path / "a.mcap")
    code = f"""
        import sys
        sys.modules["pandas"] = None
        import exray
        try:
            exray.open({path!r}).latency()
        except exray.MissingPackage as error:
            print(error)
        assert not {{"torch", "keras", "onnxruntime", "ai_edge_litert", "mcap"}} & set(sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Log.latency() needs the package pandas: pip install pandas"


def test_a_log_larger_than_memory_is_iterated(tmp_path):
    """480 MB of layers through a process that may have 200 MB of its own."""
    path = tmp_path / "large.mcap"
    with exray.Recorder(path, capture="full") as r:
        block = np.zeros((1 << 22,), np.float32)
        for i in range(30):
            with r.frame():
                block[0] = i
                r.layer(0, "x", block)
    code = f"""
        import resource, exray, numpy as np
        np.ones(1000).sum()
        def anonymous():
            lines = dict(line.split(":") for line in open("/proc/self/status"))
            return int(lines["RssAnon"].split()[0]) >> 10, int(lines["RssFile"].split()[0]) >> 10
        before, most = anonymous(), 0
        with exray.open({str(path)!r}) as log:
            for i, frame in enumerate(log):
                array = frame.layers[0].numpy()
                assert array[0] == i and array.sum() == i
                now = anonymous()
                most = max(most, now[0] - before[0] + now[1] - before[1])
        assert most < 120, most
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_errors(tmp_path):
    with pytest.raises(exray.FileError, match="No such file"):
        exray.open(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(exray.FormatError, match="no MCAP file"):
        exray.open(tmp_path / "text")
    log = exray.open(record(tmp_path / "a.mcap"))
    frame = log[0]
    log.close()
    log.close()
    assert frame.inputs[0].numpy().shape == (1, 4, 4, 3)  # the frame keeps its log
    with pytest.raises(exray.StateError, match="closed"):
        len(log)
    whole = (tmp_path / "a.mcap").read_bytes()
    (tmp_path / "cut.mcap").write_bytes(whole[: len(whole) // 2])
    assert "ends" in exray.open(tmp_path / "cut.mcap").truncated


def test_damage_is_told(tmp_path):
    array = np.random.default_rng(0).random(1 << 20, dtype=np.float32)
    path = tmp_path / "a.mcap"
    with exray.Recorder(path, capture="full") as r, r.frame():
        r.layer(0, "x", array)
    data = bytearray(path.read_bytes())
    data[data.find(array.tobytes()[1000:1100])] ^= 1
    path.write_bytes(data)
    with exray.open(path) as log:
        assert log.damaged == 1 and len(log[0].layers) == 0


def test_logs_that_contradict_themselves_are_refused(tmp_path):
    path = tmp_path / "a.mcap"
    healthy = tmp_path / "healthy.mcap"
    record(healthy, compression="zstd")
    flipped = list(hostile_logs.header_flips(healthy.read_bytes()))
    assert len(flipped) > 40
    for data in (hostile_logs.tiny(), hostile_logs.leaking(), *flipped):
        path.write_bytes(data)
        with pytest.raises(exray.FormatError, match="is damaged"):
            exray.open(path)


@pytest.mark.parametrize("chunked", [True, False])
def test_unchecked_records_are_counted(tmp_path, chunked):
    log = Log(tmp_path / "a.mcap", use_chunking=chunked)
    log.tensor("/input/x", np.ones(3, np.float32))
    log.frame(0, 1000)
    log.finish()
    with exray.open(tmp_path / "a.mcap") as log:
        assert log.unchecked == (0 if chunked else 2) and log.damaged == 0 and log.truncated == ""


def test_a_node_whose_output_is_in_no_table(tmp_path):
    model = small_model()
    for node in model.nodes:
        node.name = ""
        node.outputs[0] = 1000
    log = Log(tmp_path / "a.mcap")
    log.add("/model", "Model", model)
    log.tensor("/layer/0", np.ones(3, np.float32))
    log.frame(0, 1000)
    log.finish()
    with exray.open(tmp_path / "a.mcap") as log:
        assert log.model.node_name(0) == "" and len(log[0].layers) == 1
        assert np.array_equal(log[0].layers[0].numpy(), np.ones(3, np.float32))
