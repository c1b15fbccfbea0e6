"""`exray scrub`: what is to go is gone from the file's bytes, the rest is there; read by PyPI's mcap."""

import io
import json

import numpy as np
import pytest
from log_writer import PB, Log, small_model
from mcap.reader import NonSeekingReader, SeekingReader
from small_log import WRITERS, info, run, write_small


def messages(path):
    """[(topic, log_time, bytes)] by PyPI's mcap, checksums checked."""
    make = SeekingReader if path.name == "out.mcap" else NonSeekingReader
    reader = make(io.BytesIO(path.read_bytes()), validate_crcs=True)
    return [(c.topic, m.log_time, m.data) for _, c, m in reader.iter_messages(log_time_order=False)]


def scrub(log, to, *options, status=0):
    return run("scrub", log, "-o", to, *options, status=status)


@pytest.mark.parametrize("how", WRITERS)
def test_what_goes_and_what_stays(tmp_path, how):
    log, out = tmp_path / "in.mcap", tmp_path / "out.mcap"
    arrays = write_small(log, **WRITERS[how])
    scrub(log, out, "--drop", "/latency,/layer/1", "--stats", "/input/*,/output/probabilities")
    before, after = messages(log), messages(out)
    kept = [m for m in before if m[0] not in ("/latency", "/layer/1")]
    assert [(t, when) for t, when, _ in after] == [(t, when) for t, when, _ in kept]
    changed = {"/input/image", "/output/probabilities"}
    for (topic, _, old), (_, _, new) in zip(kept, after):
        if topic not in changed:
            assert new == old
            continue
        was, is_now = PB["Tensor"].FromString(old), PB["Tensor"].FromString(new)
        array = arrays[f"frame-{was.frame:06d}"][topic[1:]]
        real = array.astype(np.float64) if topic == "/input/image" else (array.astype(np.float64) + 3) * 0.5
        assert not is_now.data and is_now.info == was.info and is_now.frame == was.frame
        assert is_now.stats.count == array.size
        assert is_now.stats.min == real.min() and is_now.stats.max == real.max()
        assert is_now.stats.mean == pytest.approx(real.mean(), rel=1e-6)
        assert is_now.stats.variance == pytest.approx(real.var(), rel=1e-5)
        assert array.tobytes() not in out.read_bytes()


def test_the_copy_says_what_it_is(tmp_path):
    log, out = tmp_path / "in.mcap", tmp_path / "out.mcap"
    write_small(log)
    said = scrub(log, out, "--drop", "/latency,/attachment/*", "--stats", "/input/*")
    assert said == f"{out}: 20 messages kept, of them 3 as statistics; 3 left out, with 1 attachment\n"
    assert info(out)["metadata"]["exray.scrub"] == {
        "drop": "/latency,/attachment/*", "stats": "/input/*", "dropped_messages": "3", "messages_to_stats": "3",
        "dropped_attachments": "1"}
    assert "scrubbed   without /latency,/attachment/*; statistics alone of /input/*\n" in run("info", out)
    assert info(out)["metadata"]["exray"] == info(log)["metadata"]["exray"]


def test_names_of_files_devices_and_attachments(tmp_path):
    log, out = tmp_path / "in.mcap", tmp_path / "out.mcap"
    write_small(log)
    scrub(log, out, "--drop", "/frame/source,/frame/label,/metadata/device,/attachment/pipeline.yaml")
    whole, data = log.read_bytes(), out.read_bytes()
    for text in (b"picture 0.jpg", b"a board", b"task: classification"):
        assert text in whole and text not in data
    frames = [PB["Frame"].FromString(d) for t, _, d in messages(out) if t == "/frame"]
    assert [(f.index, f.source, f.HasField("label")) for f in frames] == [(i, "", False) for i in range(3)]
    assert frames[0].values["brightness"] == 0.25 and frames[0].spans_ns["resize"] == 7000


def test_files_and_texts_leave_nothing(tmp_path):
    """There are no numbers in a JPEG or a text to make statistics of."""
    log = Log(tmp_path / "in.mcap")
    log.add("/model", "Model", small_model())
    begin = log.time
    for topic, kind, data in (("/sensor/camera", "jpeg", b"\xff\xd8 a face"), ("/sensor/note", "utf8", b"a name")):
        tensor = PB["Tensor"](frame=0, data=data, media={"format": kind})
        tensor.info.dtype, tensor.info.shape[:] = 6, [len(data)]
        log.add(topic, "Tensor", tensor)
    log.frame(0, begin)
    log.finish()
    scrub(tmp_path / "in.mcap", tmp_path / "out.mcap", "--stats", "/sensor/*")
    tensors = {t: PB["Tensor"].FromString(d) for t, _, d in messages(tmp_path / "out.mcap") if t.startswith("/sensor")}
    assert {t: m.media.format for t, m in tensors.items()} == {"/sensor/camera": "jpeg", "/sensor/note": "utf8"}
    assert not any(m.data or m.HasField("stats") for m in tensors.values())


def test_a_sketch_and_unknown_fields_go_with_the_data(tmp_path):
    log = Log(tmp_path / "in.mcap")
    log.add("/model", "Model", small_model())
    begin = log.time
    tensor = PB["Tensor"](frame=0, sketch={"version": 1, "seed": 1, "bucket": [7.25] * 8}, stats={"count": 8, "max": 2})
    tensor.MergeFromString(bytes([0xA2, 0x06, 6]) + b"secret")  # field 100
    log.add("/input/image", "Tensor", tensor)
    log.frame(0, begin)
    log.finish()
    scrub(tmp_path / "in.mcap", tmp_path / "out.mcap", "--stats", "/input/image")
    found = [PB["Tensor"].FromString(d) for t, _, d in messages(tmp_path / "out.mcap") if t == "/input/image"]
    assert not found[0].HasField("sketch") and found[0].stats.max == 2
    assert b"secret" in (tmp_path / "in.mcap").read_bytes() and b"secret" not in (tmp_path / "out.mcap").read_bytes()


def test_layers_of_one_message_go_one_by_one(tmp_path):
    log = Log(tmp_path / "in.mcap")
    log.add("/model", "Model", small_model())
    begin = log.time
    log.add("/layers", "LayerStats", PB["LayerStats"](frame=0, node=[0, 1], stats=[{"count": 4, "max": 1.5}, {"count": 4, "max": 2.5}]))
    log.frame(0, begin)
    log.finish()
    scrub(tmp_path / "in.mcap", tmp_path / "out.mcap", "--drop", "/layer/0")
    layers, = [PB["LayerStats"].FromString(d) for t, _, d in messages(tmp_path / "out.mcap") if t == "/layers"]
    assert list(layers.node) == [1] and [s.max for s in layers.stats] == [2.5]


@pytest.mark.parametrize("options, words", [
    (["--drop", "/sensor/camera"], '"/sensor/camera" meets nothing in it'),
    (["--drop", "/frame"], '"/frame" cannot go'),
    (["--drop", "/model"], '"/model" cannot go'),
    (["--stats", "/latency"], '"/latency" holds no tensors'),
    (["--drop", "latency"], '"latency" is no topic'),
    (["--drop", ",".join(["/a"] * 65)], "more than 64 topics"),
    ([], "say what may not be kept"),
])
def test_a_slip_of_the_pen_leaves_no_copy(tmp_path, options, words):
    log, out = tmp_path / "in.mcap", tmp_path / "out.mcap"
    write_small(log)
    assert words in scrub(log, out, *options, status=2)
    assert not out.exists()


def test_validate_takes_what_is_left(tmp_path):
    log, out = tmp_path / "in.mcap", tmp_path / "out.mcap"
    write_small(log)
    scrub(log, out, "--stats", "/layer/*,/input/*", "--drop", "/constant/*")
    verdict = json.loads(run("validate", out, log, "--json", "-"))["verdict"]
    assert verdict == "pass"


def test_a_log_cut_short(tmp_path):
    log, cut, out = tmp_path / "in.mcap", tmp_path / "cut.mcap", tmp_path / "out.mcap"
    write_small(log, use_chunking=False)
    cut.write_bytes(log.read_bytes()[:-9000])
    scrub(cut, out, "--drop", "/latency")
    topics = [t for t, _, _ in messages(out)]
    assert "/input/image" in topics and "/latency" not in topics
