"""The frozen logs of tests/compat: what an earlier version wrote must be read to the same values for ever, and a log of
a later version as far as this one knows it.  What a log says is written down in the JSON beside it, which PyPI's mcap
and protobuf made."""

import json
import subprocess
import sys

import pytest
from mcap.reader import make_reader
from mcap.records import Channel, Message

import exray
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "compat"))
from description import MEDIA, STATS, bytes_of, decoded, independent, number, plain, records, tensor_key  # noqa: E402

LOGS = sorted((ROOT / "tests" / "compat").glob("v*/*.mcap"))
BROKEN = {"cut-record", "cut-chunk", "cut-compressed", "cut-summary", "wrong-crc"}
UNKNOWN = ("4 topics (/layer/0/0/0: exray.v1.Tensor, /gaze: exray.v1.Gaze, /lidar/points: other.Points, "
           "/result: exray.v2.Result), 4 fields (TensorInfo 901, Model 903, TensorStats 902, Frame 900)")


def info_of(info):
    out = plain(info, ["name", "layout", "constant"])
    out.update(dtype=info.dtype, shape=list(info.shape))
    q = info.quantization
    if q is not None:
        out["quantization"] = {"scale": list(q.scale), "zero_point": list(q.zero_point), "axis": q.axis}
    return out


def node_of(node):
    out = plain(node, ["op", "name", "subgraph"])
    out.update(inputs=list(node.inputs), outputs=list(node.outputs), attributes=dict(node.attributes),
               inner=[node_of(n) for n in node.inner])
    return out


def model_of(model):
    out = plain(model, ["name", "engine", "engine_version", "kernels", "threads"])
    out.update(sha256=model.sha256.hex(), tensors=[info_of(t) for t in model.tensors],
               nodes=[node_of(n) for n in model.nodes], inputs=list(model.inputs), outputs=list(model.outputs))
    return out


def tensor_of(tensor):
    out = {"info": info_of(tensor.info)}
    if tensor.has_data:
        out["data"] = bytes_of(bytes(tensor.raw()))
    if tensor.stats is not None:
        out["stats"] = plain(tensor.stats, STATS)
    if tensor.sketch is not None:
        s = tensor.sketch
        out["sketch"] = {"version": s.version, "seed": s.seed, "bucket": [number(float(b)) for b in s.bucket]}
    if tensor.media is not None:
        out["media"] = plain(tensor.media, MEDIA)
    return out


def frame_of(frame):
    kinds = (frame.sensors, frame.stages, frame.inputs, frame.layers, frame.outputs)
    result = frame.result
    return {
        "index": frame.index, "complete": frame.complete, "source": frame.source, "label": frame.label,
        "begin_ns": frame.begin_ns, "end_ns": frame.end_ns, "inference_ns": frame.inference_ns,
        "values": {name: number(value) for name, value in frame.values.items()}, "spans_ns": frame.spans_ns,
        "tensors": {tensor_key(t.topic, t.occurrence): tensor_of(t) for kind in kinds for t in kind.values()},
        "latency": [list(row) for row in frame.latency], "system": frame.system,
        "readings": {n: {"value": [number(v) for v in value], "unit": unit} for n, (value, unit) in frame.readings.items()},
        "result": None if result is None else {
            "classes": [plain(c, ["id", "score", "label"]) for c in result.classes],
            "boxes": [plain(b, ["x_min", "y_min", "x_max", "y_max", "id", "score", "label"]) for b in result.boxes],
            "text": result.text}}


def ours(path):
    """The description of a log as exray reads it."""
    with exray.open(path) as log:
        frames = [frame_of(frame) for frame in log]
        return {"truncated": bool(log.truncated), "metadata": log.all_metadata,
                "attachments": {name: data.hex() for name, data in log.attachments.items()},
                "model": None if log.model is None else model_of(log.model),
                "constants": {t.topic: tensor_of(t) for t in log.constants.values()},
                "frames": frames, "damaged": log.damaged > 0}  # the last: tensors are checked when they are read


def expected(path):
    return json.loads(path.with_suffix(".json").read_text())


def test_all_are_here():
    names = {p.stem for p in LOGS if p.parent.name == "v1"}
    assert names == BROKEN | {"stream", "chunked", "lz4", "zstd", "sketch", "future"}
    assert sum(p.stat().st_size for p in LOGS if p.parent.name == "v1") < 200_000
    kinds = set()
    for path in LOGS:
        kinds |= {topic.split("/")[1] for topic, _, _ in decoded(records(path.read_bytes())[0])}
    assert kinds == {"model", "constant", "frame", "sensor", "stage", "input", "layer", "output", "latency", "system", "reading",
                     "result"}


@pytest.mark.parametrize("path", LOGS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_read_to_the_same_values(path):
    assert ours(path) == expected(path)


@pytest.mark.parametrize("path", LOGS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_other_readers_make_of_it(path):
    assert independent(path) == expected(path)
    if path.stem in BROKEN:
        return
    found = records(path.read_bytes())[0]
    topics = {r.id: r.topic for r in found if isinstance(r, Channel)}
    with path.open("rb") as file:  # mcap's own reader, through the index where there is one
        reader = make_reader(file, validate_crcs=True)
        messages = [(channel.topic, m.log_time, m.data) for _, channel, m in reader.iter_messages(log_time_order=False)]
    assert messages == [(topics[r.channel_id], r.log_time, r.data) for r in found if isinstance(r, Message)]


@pytest.mark.parametrize("path", LOGS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_program_says_what_is_wrong_with_it(path, program, tmp_path):
    wrong = path.stem in BROKEN
    said = json.loads(program("info", "--check", path, "--json", "-", status=int(wrong)))
    assert bool(said["truncated"]) == expected(path)["truncated"] and bool(said["damaged"]) == expected(path)["damaged"]
    assert said["unknown"] == (UNKNOWN if path.stem == "future" else None)
    if wrong:
        program("recover", path, "-o", tmp_path / "good.mcap")
        program("info", "--check", tmp_path / "good.mcap")
        mended, whole = ours(tmp_path / "good.mcap"), expected(path)
        assert mended["frames"] == whole["frames"] and mended["metadata"] == whole["metadata"]


def test_of_a_later_version_it_says_so_once(program):
    path = next(p for p in LOGS if p.stem == "future")
    text = program("info", path)
    assert [line for line in text.splitlines() if "unknown" in line] == \
        [f"unknown    {UNKNOWN}: of a later version or another program, and skipped"]


def test_a_version_is_never_written_anew(tmp_path):
    (tmp_path / "v1").mkdir()
    done = subprocess.run([sys.executable, ROOT / "tests" / "compat" / "generate.py", "true", tmp_path / "v1"],
                          capture_output=True, text=True)
    assert done.returncode and "FileExistsError" in done.stderr
