"""What a recorder must not do to files, frames, threads and processes that are not its own."""

import gc
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import exray
from conftest import TINY, record

ONES = np.ones((1, 2, 2, 3), np.float32)
JPEG = b"\xff\xd8\xff\xe0 and so on"


def run(code, **values):
    """A program of its own, as forks and exits are tried in."""
    head = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    done = subprocess.run([sys.executable, "-c", f"{head}\n{textwrap.dedent(code)}"], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


# ---- Processes -------------------------------------------------------------------------


@pytest.mark.parametrize("ring", [0, 1 << 20])
def test_a_forked_child_leaves_the_log_alone(tmp_path, ring):
    """The child ends regularly, by way of __del__, with both `with`s: the parent's records are all there."""
    out = run("""
        import os, sys
        import numpy as np
        import exray

        def refused(call):
            try:
                call()
            except exray.StateError as error:
                assert f"belongs to process {os.getppid()}, which forked this one" in str(error), error
                return True

        with exray.Recorder(path, capture="full", ring_size=ring) as r:
            for i in range(3):
                with r.frame(source=str(i)):
                    r.stage("x", np.full(1000, i))
                    if i == 1:
                        child = os.fork()
                        if child == 0:
                            assert all(map(refused, (
                                lambda: r.stage("y", [1]), lambda: r.scalar("y", 1), lambda: r.dropped,
                                lambda: r.attach("a", b"b"), lambda: r.frame().__enter__(), r.elapsed_ns)))
                            break
                        assert os.waitpid(child, 0)[1] == 0
        r.close()
        if child == 0:
            sys.exit()
        r = exray.Recorder(path + "2")
        if os.fork() == 0:
            sys.exit()  # __del__
        os.wait()
        with r.frame():
            r.scalar("x", 1)
        r.close()
        print("whole")
    """, path=str(tmp_path / "a.mcap"), ring=ring)
    assert out == "whole\n"
    log = exray.open(tmp_path / "a.mcap")
    assert log.truncated == "" and [f.source for f in log] == ["0", "1", "2"]
    assert [int(f.stages["x"].numpy()[0]) for f in log] == [0, 1, 2]
    again = exray.open(tmp_path / "a.mcap2")
    assert again.truncated == "" and again[0].values == {"x": 1}


def test_a_forked_child_may_record_elsewhere(tmp_path):
    out = run("""
        import os
        import exray

        r = exray.Recorder(path)
        child = os.fork()
        if child == 0:
            try:
                exray.Recorder(path)
            except exray.StateError as error:
                assert path in str(error)
                with exray.Recorder(path + ".child") as mine, mine.frame(source="child"):
                    mine.scalar("x", 1)
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        with r.frame(source="parent"):
            pass
        r.close()
        print(*(f.source for name in (path, path + ".child") for f in exray.open(name)))
        r = exray.Recorder(path)
        gone, come = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(come)
            os.read(gone, 1)  # until the parent has closed
            with exray.Recorder(path) as mine, mine.frame(source="later"):
                pass
            os._exit(0)
        r.close()
        os.close(come)
        assert os.waitpid(child, 0)[1] == 0
        print(exray.open(path)[0].source)
    """, path=str(tmp_path / "a.mcap"))
    assert out == "parent child\nlater\n"


def test_two_processes_do_not_share_a_file(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        out = run("""
            import exray
            try:
                exray.Recorder(path)
            except exray.StateError as error:
                print(error)
        """, path=str(tmp_path / "a.mcap"))
        with r.frame(source="whole"):
            pass
    assert "another process records to it" in out
    assert [f.source for f in exray.open(tmp_path / "a.mcap")] == ["whole"]


# ---- Files -----------------------------------------------------------------------------


def test_only_logs_are_overwritten(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(exray.FileError, match="notes.txt is there and is no log: it is not overwritten; give another"):
        exray.Recorder(notes)
    assert notes.read_text() == "mine"
    (tmp_path / "link.mcap").symlink_to(notes)
    with pytest.raises(exray.FileError, match="is no log"):
        exray.Recorder(tmp_path / "link.mcap")
    # An empty file is overwritten; a log that was not closed is kept, and the new one has a name of its own.
    for content, name in ((b"", "b.mcap"), (b"\x89MCAP0\r\n and more", "b-2.mcap")):
        (tmp_path / "b.mcap").write_bytes(content)
        with exray.Recorder(tmp_path / "b.mcap") as r, r.frame(source="new"):
            pass
        assert r.path == str(tmp_path / name) and exray.open(r.path)[0].source == "new"
        gc.collect()
    assert (tmp_path / "b.mcap").read_bytes() == content
    with exray.Recorder(record(tmp_path / "c.mcap")) as r, r.frame(source="new"):
        pass
    assert [f.source for f in exray.open(tmp_path / "c.mcap")] == ["new"]
    with exray.Recorder("/dev/null"), exray.Recorder("/dev/null") as r, r.frame():
        r.scalar("x", 1)


def test_two_recorders_of_one_file(tmp_path):
    path = tmp_path / "a.mcap"
    first = exray.Recorder(path)
    os.link(path, tmp_path / "same.mcap")
    for other in (path, tmp_path / "same.mcap"):
        with pytest.raises(exray.StateError, match=r"another Recorder \(of .*a.mcap\) has it open; close that one"):
            exray.Recorder(other)
    with first.frame(source="first"):
        pass
    first.close()
    assert exray.open(path)[0].source == "first"
    gc.collect()
    with exray.Recorder(tmp_path / "same.mcap"):
        pass


def test_what_is_read_is_not_overwritten(tmp_path):
    path = record(tmp_path / "a.mcap")
    log = exray.open(path)
    array = log[0].inputs["image"].numpy()
    wanted = array.copy()
    for source in ("new", "newer"):
        with exray.Recorder(path) as r, r.frame(source=source):
            pass
        assert exray.open(path)[0].source == source
    # The log that was open is the one that stood there; in a notebook, nobody lets go of loop variables.
    assert log[0].source != "new" and np.array_equal(array, wanted)
    assert np.array_equal(log[0].inputs["image"].numpy(), wanted)


def test_the_replayed_log_is_not_overwritten(tmp_path):
    path = record(tmp_path / "a.mcap")
    before = open(path, "rb").read()
    for replay_of in (path, tmp_path / "a.mcap", exray.open(path)):
        with pytest.raises(exray.ArgumentError, match="the log that replay_of names: it would be overwritten"):
            exray.Recorder(path, replay_of=replay_of)
    assert open(path, "rb").read() == before


def test_replay_of_a_file(tmp_path, monkeypatch):
    edge = record(tmp_path / "edge.mcap")
    log_id = exray.open(edge).metadata["log_id"]
    os.rename(edge, tmp_path / "edge")
    monkeypatch.chdir(tmp_path)
    for replay_of in ("edge", tmp_path / "edge", str(tmp_path / "edge"), exray.open("edge"), log_id):
        with exray.Recorder("ref.mcap", replay_of=replay_of):
            pass
        with exray.open("ref.mcap") as log:
            assert log.metadata["replay_of"] == log_id
    for missing in ("nothing.mcap", "no/such", tmp_path / "nothing"):
        with pytest.raises(exray.FileError, match="No such file"):
            exray.Recorder("ref.mcap", replay_of=missing)
    with pytest.raises(exray.ArgumentError, match="replay_of is a str, bytes or os.PathLike, not int: 5"):
        exray.Recorder("ref.mcap", replay_of=5)


@pytest.mark.parametrize("call", [exray.Recorder, exray.open, exray.Log, exray.playback,
                                  lambda p: exray.Recorder("x.mcap", replay_of=p),
                                  lambda p: exray.onnx.Session(p, None)],
                         ids=["Recorder", "open", "Log", "playback", "replay_of", "onnx"])
def test_paths(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    for name in ("a\0b", b"a\0b"):
        with pytest.raises(exray.ArgumentError, match="must not have a NUL character in it: b?'a"):
            call(name)
    for wrong in (3, 2.5, ["a.mcap"]):
        with pytest.raises(exray.ArgumentError, match="is a str, bytes or os.PathLike, not"):
            call(wrong)
    with pytest.raises(exray.ArgumentError, match="surrogate|cannot have"):
        call("a\ud800")
    assert os.listdir() == []


# ---- Frames ----------------------------------------------------------------------------


OUTSIDE = {
    "stage": lambda r: r.stage("x", [1]), "input": lambda r: r.input("x", [1]), "output": lambda r: r.output("x", [1]),
    "layer": lambda r: r.layer(0, "x", [1]), "image": lambda r: r.image("x", np.zeros((2, 2, 3), np.uint8)),
    "encoded": lambda r: r.encoded("x", b"\xff\xd8\xff\xe0"), "reading": lambda r: r.reading("x", 1),
    "scalar": lambda r: r.scalar("x", 1), "span": lambda r: r.span("x", 1), "classes": lambda r: r.classes([(1, 0.5)]),
    "boxes": lambda r: r.boxes([exray.Box(0, 0, 1, 1)]), "text": lambda r: r.text("x"),
    "latency": lambda r: r.latency([0], [0], [1]), "inference_ns": lambda r: r.inference_ns(1),
    "elapsed_ns": lambda r: r.elapsed_ns(),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_outside_a_frame(tmp_path, what):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        with pytest.raises(exray.StateError, match=r"outside a frame of .*a.mcap; use `with r.frame\(\):`"):
            OUTSIDE[what](r)
        r.frame(source="lost")  # without `with`
        with pytest.raises(exray.StateError, match="outside a frame"):
            OUTSIDE[what](r)
        with r.frame(source="kept"):
            OUTSIDE[what](r)
        with pytest.raises(exray.StateError, match="outside a frame"):
            OUTSIDE[what](r)
    log = exray.open(tmp_path / "a.mcap")
    assert [f.source for f in log] == ["kept"]


def test_a_span_outside_a_frame(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        with pytest.raises(exray.StateError, match="span 'x' outside a frame"):
            with r.span("x"):
                pass


def test_what_is_the_logs_needs_no_frame(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap", capture="full", metadata={"a": 1}) as r:
        r.model(TINY)
        r.constant(1, np.zeros((3, 5), np.float32), name="weights")
        r.attach("a", b"")
        assert r.wants("layer", 0, "mean") and r.frame_index == 0
    log = exray.open(tmp_path / "a.mcap")
    assert len(log) == 0 and len(log.constants) == 1 and log.attachments == {"a": b""}


def test_frames_do_not_nest(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        with r.frame(source="outer"):
            with pytest.raises(exray.StateError, match="a frame within frame 0 of .*a.mcap: frames do not nest"):
                with r.frame(source="inner"):
                    pass
            r.scalar("x", 1)
        with r.frame(source="next"):
            pass
    log = exray.open(tmp_path / "a.mcap")
    assert [(f.source, f.values) for f in log] == [("outer", {"x": 1}), ("next", {})]


def test_frames_of_taps(tmp_path):
    """A tap's run goes into the open frame, takes its place where it has had one, or is a frame of its own."""
    from exray._tap import Run

    with exray.Recorder(tmp_path / "a.mcap") as r:
        tap = Run(r)

        def run(value, fails=False):
            tap.begin()
            r.scalar("run", value)
            tap.abandon() if fails else tap.end(5)

        run(1)
        with pytest.raises(exray.StateError, match="outside a frame"):
            r.scalar("x", 1)
        run(2, fails=True)  # its frame ends, too: the next is none within it
        with r.frame(source="a"):
            run(3)
            r.scalar("after", 3)
        with r.frame(source="b"):
            run(4, fails=True)
            run(5)
            r.scalar("after", 5)
        run(6)
    log = exray.open(tmp_path / "a.mcap")
    assert [(f.source, f.values) for f in log] == [
        ("", {"run": 1}), ("", {"run": 2}), ("a", {"run": 3, "after": 3}), ("b", {"run": 4}),
        ("", {"run": 5, "after": 5}), ("", {"run": 6})]
    assert [f.inference_ns for f in log] == [5, 0, 5, 0, 5, 5]


# ---- Threads ---------------------------------------------------------------------------


class Slow:
    """A write that another thread gets into: a pipe that nobody reads yet."""

    def __init__(self, path):
        os.mkfifo(path)
        self.end = os.open(path, os.O_RDWR)

    def drain(self):
        while os.read(self.end, 1 << 20):
            if not self.more():
                break

    def more(self):
        import select

        return bool(select.select([self.end], [], [], 0.5)[0])


def test_two_threads_at_once(tmp_path):
    slow = Slow(tmp_path / "pipe")
    block = np.zeros(1 << 20, np.uint8)
    r = exray.Recorder(tmp_path / "pipe", capture="full")
    with r.frame():
        worker = threading.Thread(target=r.stage, args=("large", block))
        worker.start()  # waits in the write, the GIL released
        while not r._lock.locked():
            pass
        for call in (lambda: r.stage("x", [1]), lambda: r.scalar("x", 1), r.close):
            with pytest.raises(exray.StateError, match="two threads use the recorder of .*pipe at once"):
                call()
        drain = threading.Thread(target=slow.drain)
        drain.start()
        worker.join()
        r.scalar("x", 1)
    r.close()
    drain.join()
    os.close(slow.end)


def test_threads_that_take_turns(tmp_path):
    """Within a frame, too: a worker is no mistake where its caller waits for it."""
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        for i in range(4):
            with r.frame():
                for name in ("a", "b"):
                    worker = threading.Thread(target=r.stage, args=(name, np.full(5, i)))
                    worker.start()
                    worker.join()
    log = exray.open(tmp_path / "a.mcap")
    assert [int(f.stages["b"].numpy()[0]) for f in log] == [0, 1, 2, 3]


def test_many_threads_corrupt_nothing(tmp_path):
    """Whatever is refused, what is accepted is right."""
    accepted, refused = [], []
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r, r.frame():
        def work(number):
            for i in range(300):
                try:
                    r.layer(number * 1000 + i, "x", np.full(3000, number * 1000 + i, np.int32))
                    accepted.append(number * 1000 + i)
                except exray.StateError as error:
                    refused.append(str(error))

        workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    log = exray.open(tmp_path / "a.mcap")
    assert log.truncated == "" and log.damaged == 0
    assert set(log[0].layers) == set(accepted) and len(accepted) + len(refused) == 1200
    for index, tensor in log[0].layers.items():
        assert (tensor.numpy() == index).all()
    assert all("two threads" in message for message in refused)


# ---- What C would refuse for good ------------------------------------------------------


def test_the_recorder_goes_on(tmp_path):
    """An argument that means nothing is told, records nothing, and the next call is as good as ever."""
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        for wrong in (lambda: r.attach("", b"x"), lambda: r.attach("n" * 2000, b"x"), lambda: r.frame(source="s" * 5000)):
            with pytest.raises(exray.ArgumentError):
                wrong()
        with r.frame(index=5):
            for wrong in (lambda: r.scalar("", 1), lambda: r.stage("n" * 1001, ONES), lambda: r.input("", ONES),
                          lambda: r.layer(2**32 - 1, "x", ONES), lambda: r.input("f", ONES, scale=0.5),
                          lambda: r.span("", 5), lambda: r.encoded("", JPEG)):
                with pytest.raises(exray.ArgumentError):
                    wrong()
            r.input("x", ONES)
        for index in (5, 0):
            with pytest.raises(exray.ArgumentError, match=f"grows: {index} comes after 5"):
                with r.frame(index=index):
                    pass
        with r.frame(label=7.0):
            pass
    log = exray.open(tmp_path / "a.mcap")
    assert [f.index for f in log] == [5, 6] and list(log[0].inputs) == ["x"] and log[1].label == 7


def test_names_that_are_not_there_are_told_with_those_that_are(tmp_path):
    frame = exray.open(record(tmp_path / "a.mcap"))[0]
    with pytest.raises(KeyError, match="no input 'picture'; there are: image"):
        frame.inputs["picture"]


def test_bytes_of_a_raw_picture(tmp_path):
    pixels = bytes(range(72))
    with exray.Recorder(tmp_path / "a.mcap") as r, r.frame():
        r.image("a", pixels, format="nv12", width=8, height=6)
        r.sensor("b", memoryview(pixels), format="nv12", width=8, height=6)
    sensors = exray.open(tmp_path / "a.mcap")[0].sensors
    assert bytes(sensors["a"].raw()) == bytes(sensors["b"].raw()) == pixels
