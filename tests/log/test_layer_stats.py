"""LayerStats: read as if each layer had a Tensor of its own, whatever the message claims."""

import csv
import json
import subprocess

import pytest
from log_writer import PB, Log, small_model
from small_log import EXRAY, run


def stats(count=32, mean=0.5):
    return PB["TensorStats"](count=count, min=-1, max=2, mean=mean, variance=0.25, zero_count=3)


def message(nodes, count=None, frame=0):
    """`count` statistics, as many as nodes where it is None; their means tell them apart."""
    return PB["LayerStats"](frame=frame, node=nodes, stats=[stats(mean=i) for i in range(len(nodes) if count is None else count)])


def log_of(path, *layers, model=True, constants=(), tensors=()):
    log = Log(path)
    if model:
        log.add("/model", "Model", small_model())
    for m in constants:
        log.add("/constants", "LayerStats", m)
    for topic, tensor in tensors:
        log.add(topic, "Tensor", tensor)
    for m in layers:
        log.add("/layers", "LayerStats", m)
    log.frame(0, 1000)
    log.finish()
    return path


def told(path):
    """The rows of layers and constants, and how much is damaged."""
    run("export", path, "--csv", path.with_suffix(".csv"))
    with path.with_suffix(".csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in ("layer", "constant")]
    return rows, json.loads(run("info", path, "--json", "-"))["damaged"]


def means(path):
    rows, damaged = told(path)
    return [("/" + row["kind"] + "/" + row["index"] + ("/1" if row["output"] == "1" else ""), float(row["mean"])) for row in rows], damaged


def test_they_are_tensors_with_statistics(tmp_path):
    path = log_of(tmp_path / "a.mcap", message([1, 0]), constants=[message([1])])
    assert means(path) == ([("/layer/0", 1), ("/layer/1", 0), ("/constant/1", 0)], 0)
    rows, _ = told(path)
    assert [(r["name"], r["shape"], r["dtype"]) for r in rows] == [
        ("conv", "1x4x4x2", "float32"), ("tail", "1x6", "int8"), ("weights", "2x3", "float32")]
    assert [(r["count"], r["min"], r["max"], r["std"], r["zero"]) for r in rows] == [("32", "-1", "2", "0.5", "3")] * 3


def test_several_messages_and_tensors_beside_them(tmp_path):
    tensor = PB["Tensor"](frame=0, stats=stats(mean=7))
    path = log_of(tmp_path / "a.mcap", message([1]), message([0]), tensors=[("/layer/1/1", tensor)])
    assert means(path) == ([("/layer/0", 0), ("/layer/1", 0), ("/layer/1/1", 7)], 0)


@pytest.mark.parametrize(
    "layers, left, damaged",
    [
        ([message([0, 1], 1)], [], 1),  # whose are they?
        ([message([0], 2)], [], 1),
        ([message([], 1)], [], 1),
        ([message([0, 2, 0xFFFFFFFF])], ["/layer/0"], 2),  # nodes that the model does not have
        ([message([1, 1, 1])], ["/layer/1"], 2),
        ([message([1]), message([1])], ["/layer/1"], 1),
        ([b"\x12\xff\xff\xff\xff\x0f\x01"], [], 1),  # a list of a billion, cut
        ([b"\x12\x01\x00\x1a\xff\xff\xff\xff\x07"], [], 1),
        ([b"\x10\x00\x1a\x00\x1a"], [], 1),
    ],
)
def test_what_contradicts_itself_is_counted(tmp_path, layers, left, damaged):
    records, counted = means(log_of(tmp_path / "a.mcap", *layers))
    assert ([topic for topic, _ in records], counted) == (left, damaged)


def test_a_tensor_of_the_same_layer_is_one_too_many(tmp_path):
    tensor = PB["Tensor"](frame=0, stats=stats(mean=7))
    assert means(log_of(tmp_path / "a.mcap", message([1]), tensors=[("/layer/1", tensor)])) == ([("/layer/1", 7)], 1)


def test_without_the_model(tmp_path):
    path = log_of(tmp_path / "a.mcap", message([3, 65535, 65536]), model=False)
    assert means(path) == ([("/layer/3", 0), ("/layer/65535", 1)], 1)


def test_a_million_entries_cost_no_more_than_the_file_says(tmp_path):
    """Two bytes of a message are a record of 96: the file's size bounds the memory."""
    path = log_of(tmp_path / "a.mcap", b"\x12" + b"\x80\x80\x80\x01" + bytes(1 << 21) + b"\x1a\x00" * (1 << 21))
    script = f"ulimit -v 600000; exec {EXRAY} info {path} --json -"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and json.loads(result.stdout)["damaged"] == (1 << 21) - 1, result.stderr
