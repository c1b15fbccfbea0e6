"""`exray export`: spreadsheets and traces, checked with NumPy and json."""

import csv
import io
import json
import subprocess

import numpy as np
import pytest
from log_writer import PB, Log, small_model
from small_log import EXRAY, run, write_small


def rows(path):
    table = list(csv.DictReader(io.StringIO(run("export", path, "--csv", "-"))))
    return {(r["kind"], r["index"] or r["name"], r["output"]): r for r in table}


def test_csv_statistics(tmp_path):
    """Over all frames at once, as NumPy computes them."""
    path = tmp_path / "log.mcap"
    expected = write_small(path, frames=4)
    table = rows(path)
    assert list(table) == [("input", "image", "0"), ("layer", "0", "0"), ("layer", "1", "0"),
                           ("output", "probabilities", "0"), ("constant", "1", "0")]
    for (kind, index, _), row in table.items():
        values = [(v.astype(np.float64) + 3) * 0.5 if v.dtype == np.int8 else v.astype(np.float64)
                  for f in expected.values() for k, v in f.items() if k == f"{kind}/{index}"]
        assert int(row["frames"]) == len(values)
        all_values = np.concatenate([v.ravel() for v in values])
        assert int(row["count"]) == all_values.size
        for name, value in (("min", all_values.min()), ("max", all_values.max()), ("mean", all_values.mean()),
                            ("std", all_values.std())):
            assert float(row[name]) == pytest.approx(value, rel=1e-7)
        assert int(row["zero"]) == (all_values == 0).sum() and row["nan"] == "0" and row["inf"] == "0"
    assert table["layer", "0", "0"]["op"] == "CONV_2D" and table["layer", "0", "0"]["name"] == "conv"
    assert table["layer", "1", "0"]["name"] == "tail" and table["layer", "1", "0"]["shape"] == "1x6"
    # 2500, 2501, 2502, 2503 ns
    latency = [float(table["layer", "1", "0"][f"latency_ms_{k}"]) for k in ("min", "median", "max")]
    assert latency == pytest.approx([0.0025, 0.0025015, 0.002503])
    assert table["input", "image", "0"]["latency_ms_min"] == ""


def test_csv_from_stats_alone(tmp_path):
    """Frames that kept statistics only pool to the same as the data."""
    path, log, values = tmp_path / "log.mcap", Log(tmp_path / "log.mcap"), []
    for f in range(5):
        v = np.random.default_rng(f).normal(f, 1 + f, 100 + f)
        values.append(v)
        t = PB["Tensor"](frame=f)
        t.info.dtype, t.info.name = 1, "x"
        t.stats.count, t.stats.nan_count, t.stats.inf_count = v.size + 2, 1, 1
        t.stats.min, t.stats.max, t.stats.mean, t.stats.variance = v.min(), v.max(), v.mean(), v.var()
        log.add("/layer/0", "Tensor", t)
    empty = PB["Tensor"](frame=5)
    empty.stats.count = empty.stats.nan_count = 7
    empty.stats.min = empty.stats.mean = float("nan")
    log.add("/layer/0", "Tensor", empty)
    log.finish()
    row, v = rows(path)["layer", "0", "0"], np.concatenate(values)
    for name, value in (("min", v.min()), ("max", v.max()), ("mean", v.mean()), ("std", v.std())):
        assert float(row[name]) == pytest.approx(value, rel=1e-7)
    assert (row["nan"], row["inf"], row["count"]) == ("12", "5", str(v.size + 17))


def test_csv_quotes(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    model = PB["Model"]()
    names = ['a,"b"', "new\nline", "plain", ""]
    for name in names:
        model.nodes.add(op="OP", name=name)
    log.add("/model", "Model", model)
    for i in range(len(names)):
        log.tensor(f"/layer/{i}", np.zeros(1, np.float32))
    log.finish()
    assert [r["name"] for r in rows(path).values()] == names


def test_loops_sum_up(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    log.add("/model", "Model", small_model())
    for f in range(2):
        log.tensor("/layer/0", np.zeros(1, np.float32), frame=f)
        log.add("/latency", "Latency", PB["Latency"](frame=f, node=[0, 0, 0, 99], start_ns=[0, 1, 2, 3],
                                                     duration_ns=[1000, 2000, 3000, 5]))
    log.finish()
    assert rows(path)["layer", "0", "0"]["latency_ms_max"] == "0.006"


def test_trace(tmp_path):
    path, out = tmp_path / "log.mcap", tmp_path / "trace.json"
    write_small(path)
    run("export", path, "--trace", out)
    trace = json.loads(out.read_text())
    slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    frames = [e for e in slices if e["name"].startswith("frame")]
    assert [e["name"] for e in frames] == ["frame 0", "frame 1", "frame 2"]
    assert frames[0]["ts"] == 0 and frames[1]["args"] == {
        "source": "picture 1.jpg", "complete": True, "label": 1, "inference_ms": 2.0, "brightness": 0.25}
    # Every layer lies where /latency says: microseconds from its frame's begin.
    layers = [e for e in slices if "layer" in e.get("args", {})]
    assert len(layers) == 6
    for frame, layer in zip([f for f in frames for _ in range(2)], layers):
        assert layer["ts"] - frame["ts"] == pytest.approx(0.1 if layer["args"]["layer"] == 0 else 2)
    assert [e["dur"] for e in layers[1::2]] == [2.5, 2.501, 2.502]
    assert [(e["name"], e["dur"]) for e in slices if e["name"] == "resize"] == [("resize", 7)] * 3
    assert [e["args"]["resident MB"] for e in trace["traceEvents"] if e["ph"] == "C"] == [0.001] * 3
    names = {e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M"}
    assert {"edge", "frames", "layers"} < names


def test_trace_without_numbers(tmp_path):
    """NaN is no JSON."""
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    log.frame(0, 0, values={"bad": float("nan"), "worse": float("inf")})
    log.finish()
    trace = json.loads(run("export", path, "--trace", "-"), parse_constant=lambda c: pytest.fail(c))
    frame = [e for e in trace["traceEvents"] if e["name"] == "frame 0"][0]
    assert frame["args"]["bad"] is None and frame["args"]["worse"] is None


def test_all_at_once(tmp_path):
    path = tmp_path / "log.mcap"
    write_small(path)
    text = run("export", path, "--npz", tmp_path / "npz", "--csv", tmp_path / "a.csv", "--trace", "-")
    assert json.loads(text) and (tmp_path / "a.csv").exists() and len(list((tmp_path / "npz").iterdir())) == 4


def test_damaged_records_are_named_and_left_out(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap", chunk_size=1)
    for f in range(3):
        log.tensor("/input/x", np.full(2000, f, np.float32), frame=f)
        log.frame(f, 0)
    log.finish()
    data = bytearray(path.read_bytes())
    data[bytes(data).index(np.full(2000, 1, np.float32).tobytes()) + 4000] ^= 1
    path.write_bytes(data)
    result = subprocess.run([EXRAY, "export", path, "--csv", tmp_path / "a.csv"], capture_output=True, text=True)
    assert result.returncode == 0 and "/input/x" in result.stderr and "frame 1" in result.stderr
    assert "1 damaged record" in result.stderr
    assert (tmp_path / "a.csv").read_text().splitlines()[1].split(",")[7] == "2"


def test_npz_twins_and_large_names(tmp_path):
    """Two records of one name in a frame are both there."""
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    long = "n" * 2000
    for i in range(3):
        log.tensor("/sensor/camera", np.array([i], np.uint8))
    log.tensor(f"/input/{long}", np.zeros(1, np.float32))
    log.finish()
    run("export", path, "--npz", tmp_path / "npz")
    arrays = np.load(tmp_path / "npz" / "frame-000000.npz")
    assert [int(arrays[k][0]) for k in ("sensor/camera", "sensor/camera~1", "sensor/camera~2")] == [0, 1, 2]
    assert len(arrays.files) == 4


def test_encoded_files_come_out_byte_for_byte(tmp_path):
    path, log = tmp_path / "log.mcap", Log(tmp_path / "log.mcap")
    t = PB["Tensor"](data=b"\xff\xd8jpeg\x00")
    t.media.format = "jpeg"
    log.add("/sensor/camera", "Tensor", t)
    log.finish()
    run("export", path, "--npz", tmp_path / "npz")
    assert np.load(tmp_path / "npz" / "frame-000000.npz")["sensor/camera"].tobytes() == b"\xff\xd8jpeg\x00"
    row, = rows(path).values()
    assert row["kind"] == "sensor" and row["frames"] == "1" and row["mean"] == ""
