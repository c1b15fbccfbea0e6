"""The flight recorder and the capture level at run time, through the package."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import exray
from conftest import ROOT


def record(path, frames, *, capture="frame", flight=None, during=None, score=lambda i: 0.9, output=lambda i: 1.0, **more):
    with exray.Recorder(path, role="edge", capture=capture, flight=flight, **more) as r:
        for i in range(frames):
            with r.frame(source=f"{i}.png"):
                r.input("image", np.full(100, i, np.float32))
                for k in range(3):
                    r.layer(k, f"layer {k}", np.full(200, 10 * i + k, np.float32))
                r.output("scores", np.full(5, output(i), np.float32))
                r.classes([(1, score(i))])
                if during is not None:
                    during(r, i)


def rich(path):
    """The frames that have the data of all layers; it is what was recorded."""
    found = []
    with exray.open(path) as log:
        assert [f.index for f in log] == list(range(len(log)))
        for frame in log:
            layers = [layer for layer in frame.layers.values() if layer.has_data]
            assert len(layers) in (0, 3) and len(frame.layers) in (0, 3)
            for k, layer in enumerate(layers):
                np.testing.assert_array_equal(layer.numpy(), np.full(200, 10 * frame.index + k, np.float32))
            if layers:
                found.append(frame.index)
        return found, [e for e in log.events if e.kind == "trigger"]


@pytest.mark.parametrize("options", [{}, {"ring_size": 1 << 16}, {"compression": "zstd"}], ids=str)
def test_trigger(tmp_path, options):
    path = tmp_path / "edge.mcap"

    def during(r, i):
        if i == 10:
            r.trigger("the user pressed 'wrong'", before=4, after=2)

    record(path, 20, flight=exray.Flight(bytes=1 << 20), during=during, **options)
    frames, events = rich(path)
    assert frames == [7, 8, 9, 10, 11, 12]
    assert len(events) == 1 and events[0].frame == 10 and "the user pressed 'wrong'" in events[0].text


def test_statistics_first(tmp_path):
    """A layer of which the log has statistics and data has data; one of which it has statistics, those."""
    path = tmp_path / "edge.mcap"
    record(path, 8, capture="stats", flight=exray.Flight(bytes=1 << 20, score_below=0.5, before=2),
           score=lambda i: 0.1 if i == 5 else 0.9)
    assert rich(path)[0] == [4, 5]
    with exray.open(path) as log:
        assert [layer.stats.mean for layer in log[2].layers.values()] == [20, 21, 22]


@pytest.mark.parametrize("level", ["io", "stats", "sketch"])
def test_other_levels_that_wait(tmp_path, level):
    path = tmp_path / "edge.mcap"
    record(path, 8, flight=exray.Flight(bytes=1 << 20, score_below=0.5, before=2, capture=level),
           score=lambda i: 0.1 if i == 5 else 0.9)
    with exray.open(path) as log:
        assert log.metadata["flight"] == level
        for frame in log:
            asked = frame.index in (4, 5)
            assert len(frame.inputs) == len(frame.outputs) == asked
            assert len(frame.layers) == (3 if asked and level != "io" else 0)
            for k, layer in enumerate(frame.layers.values()):
                assert layer.stats.mean == 10 * frame.index + k and (layer.sketch is not None) == (level == "sketch")


def test_conditions(tmp_path):
    path = tmp_path / "edge.mcap"
    record(path, 12, flight=exray.Flight(bytes=1 << 20, not_finite=True, before=1), output=lambda i: np.nan if i % 4 == 3 else 1)
    frames, events = rich(path)
    assert frames == [3] and "scores" in events[0].text  # the others within the minute

    seen = []

    def odd(frame):
        seen.append(frame)
        return "an odd one" if frame.index in (5, 7) else None

    record(path, 10, flight=exray.Flight(bytes=1 << 20, condition=odd, before=1, interval=0), score=lambda i: i / 10)
    frames, events = rich(path)
    assert frames[0] == 5 and events[0].text.startswith("an odd one")
    assert [f.source for f in seen] == [f"{i}.png" for i in range(10)]
    assert [round(f.score, 3) for f in seen] == [i / 10 for i in range(10)] and seen[0].not_finite is None

    record(path, 6, flight=exray.Flight(bytes=1 << 20, latency_above=0.5), during=lambda r, i: r.inference_ns(600000000 if i == 4 else 10))
    frames, events = rich(path)
    assert frames == [0, 1, 2, 3, 4] and "600.0 ms" in events[0].text


def test_a_condition_that_raises(tmp_path):
    def bad(frame):
        if frame.index == 1:
            raise KeyError("mine")

    with exray.Recorder(tmp_path / "edge.mcap", capture="frame", flight=exray.Flight(condition=bad)) as r:
        with r.frame():
            pass
        with pytest.raises(KeyError, match="mine"), r.frame():
            pass
        with r.frame():
            pass
    assert len(exray.open(tmp_path / "edge.mcap")) == 3


def test_level_at_run_time(tmp_path):
    path = tmp_path / "edge.mcap"

    def during(r, i):
        assert r.capture == ("full" if 3 <= i <= 5 else "frame")
        if i == 2:
            r.capture = "full"
        if i == 5:
            r.capture = "frame"

    record(path, 8, during=during)
    assert rich(path)[0] == [3, 4, 5]
    with exray.open(path) as log:
        assert [(e.kind, e.frame) for e in log.events] == [("level", 3), ("level", 6)]
        assert log.events[0].text == "capture full, before frame"


def test_other_threads(tmp_path):
    path = tmp_path / "edge.mcap"
    with exray.Recorder(path, capture="frame", flight=exray.Flight(bytes=1 << 20)) as r:
        stop = threading.Event()

        def press():
            while not stop.is_set():
                r.trigger("thread", before=1, after=1)
                r.capture = "io" if r.capture == "frame" else "frame"

        threads = [threading.Thread(target=press) for _ in range(2)]
        for thread in threads:
            thread.start()
        for i in range(200):
            with r.frame():
                for k in range(3):
                    r.layer(k, f"layer {k}", np.full(200, 10 * i + k, np.float32))
        stop.set()
        for thread in threads:
            thread.join()
    assert rich(path)[0]
    with pytest.raises(exray.StateError):
        r.trigger("closed")


def test_arguments(tmp_path):
    path = tmp_path / "edge.mcap"
    for flight, says in [(exray.Flight(capture="frame"), "capture"), (exray.Flight(bytes=0), "bytes"), (exray.Flight(bytes=100), "4 KiB"),
                         (exray.Flight(seconds=-1), "seconds"), (exray.Flight(condition=3), "condition"), (17, "exray.Flight"),
                         (exray.Flight(file=tmp_path / "none" / "box"), "cannot be made")]:
        with pytest.raises(exray.Error, match=says):
            exray.Recorder(path, flight=flight)
    with exray.Recorder(path) as r:
        with pytest.raises(exray.StateError, match="no flight recorder"):
            r.trigger("nobody")
        with pytest.raises(exray.ArgumentError, match="capture"):
            r.capture = "everything"


def test_black_box(tmp_path):
    """Killed: the last frames are in the file."""
    code = f"""
import os, signal, numpy as np, exray
r = exray.Recorder({str(tmp_path / "edge.mcap")!r}, role="edge", capture="frame",
                   flight=exray.Flight(bytes=1 << 20, file={str(tmp_path / "edge.flight")!r}))
for i in range(50):
    with r.frame():
        for k in range(3):
            r.layer(k, f"layer {{k}}", np.full(200, 10 * i + k, np.float32))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    good = tmp_path / "good.mcap"
    subprocess.run([exray_program(), "recover", tmp_path / "edge.mcap", "--flight", tmp_path / "edge.flight", "-o", good], check=True)
    assert rich(good)[0] == list(range(50))


@pytest.mark.parametrize("ring_size", [0, 1 << 22])
def test_several_files(tmp_path, ring_size):
    """What a trigger asks for goes on in the next file, where one is full: nothing is lost, nothing written twice.  (The ring holds
    all that is recorded here: one that is full while the writer waits for a processor drops records, as it should.)"""
    def during(r, i):
        if i % 50 == 40:
            r.trigger("x", before=20, after=3)

    record(tmp_path / "edge.mcap", 200, flight=exray.Flight(bytes=1 << 20), during=during, ring_size=ring_size, file_bytes=70000,
           max_files=100, chunk_size=1 << 15)
    found = []
    for path in tmp_path.glob("*.mcap"):
        with exray.open(path) as log:
            assert log.metadata["flight"] == "full"
            for frame in log:
                for k, layer in enumerate(frame.layers.values()):
                    np.testing.assert_array_equal(layer.numpy(), np.full(200, 10 * frame.index + k, np.float32))
                    found.append((frame.index, k))
    assert len(list(tmp_path.glob("*.mcap"))) > 2
    assert sorted(found) == [(i, k) for at in (40, 90, 140, 190) for i in range(at - 19, at + 4) for k in range(3)]


def test_example(tmp_path):
    log = tmp_path / "edge.mcap"
    subprocess.run([sys.executable, ROOT / "examples/python/flight.py", log], check=True)
    with exray.open(log) as read:
        assert [(e.frame, e.text.split(" (")[0]) for e in read.events] == [(300, "the lens is covered"), (400, "somebody asked")]
        assert [f.index for f in read if f.outputs] == [*range(281, 306), 398, 399, 400]


def test_the_log_explains_its_frames(tmp_path):
    """A reference of the frames that triggers wrote is all that can be had."""
    weights = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)

    def run(r, x):
        r.input("image", x)
        r.layer(0, "logits", x @ weights)
        r.output("logits", x @ weights)

    for capture in ("frame", "off", "io", "stats"):
        rng = np.random.default_rng(3)
        with exray.Recorder(tmp_path / "edge.mcap", role="edge", capture=capture, flight=exray.Flight(bytes=1 << 20)) as r:
            for i in range(300):
                with r.frame(source=f"{i}"):
                    run(r, rng.normal(size=64).astype(np.float32))
                if i in (100, 200):
                    r.trigger("x", before=10)
        with exray.open(tmp_path / "edge.mcap") as log, \
                exray.Recorder(tmp_path / "ref.mcap", capture="full", replay_of=log) as r:
            for frame in log:
                if frame.inputs:
                    with r.frame(of=frame):
                        run(r, frame.inputs[0].values())
        report = exray.validate(tmp_path / "edge.mcap", tmp_path / "ref.mcap")
        assert report.verdict == "pass", (capture, report.findings)
        assert all(f.severity == "info" for f in report.findings)
        if capture == "frame":
            assert report.findings[0].evidence["frames_explained"] == 280


def exray_program():
    return os.path.join(os.path.dirname(exray.__file__), "bin", "exray")
