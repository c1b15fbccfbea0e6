"""The flight recorder's file: what a killed process leaves in it, and that damage costs frames, never a wrong value."""

import collections
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest
from everything import message_classes
from mcap.reader import make_reader
from small_log import EXRAY, info, run

TOOL = EXRAY.parent / "tests/flight_tool"
CLASSES = message_classes()
TOPICS = {"/input/values": 7, "/layer/0": 0, "/layer/1": 1, "/layer/2": 2, "/output/values": 8}


def start(folder, size=1 << 20, frames=0, how="close"):
    return subprocess.Popen([TOOL, folder / "edge.mcap", folder / "edge.flight", str(size), str(frames), how],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(child):
    """The last frame that the child said it had written."""
    said, error = child.communicate(timeout=60)
    lines = said.decode().split("\n")[:-1]
    assert lines == [str(i) for i in range(len(lines))], error.decode()
    return len(lines) - 1


def values(frame, index):
    return np.full(frame * 37 % 999 + 1, frame * 10 + index, np.float32)


def check(path):
    """Every value of a log of flight_tool is the one that it wrote; the topics of each frame, and the frames that have
    their end."""
    tensors, ended = collections.defaultdict(set), []
    with open(path, "rb") as file:
        for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
            content = CLASSES[schema.name.split(".")[-1]]()
            content.ParseFromString(message.data)
            if channel.topic == "/frame":
                ended.append(content.index)
            elif channel.topic in TOPICS:
                assert channel.topic not in tensors[content.frame], f"twice: {channel.topic} of frame {content.frame}"
                tensors[content.frame].add(channel.topic)
                np.testing.assert_array_equal(np.frombuffer(content.data, np.float32),
                                              values(content.frame, TOPICS[channel.topic]))
    assert len(ended) == len(set(ended))
    return tensors, sorted(ended)


def recover(folder, *arguments):
    good = folder / "good.mcap"
    said = run("recover", *arguments, "-o", good)
    return said, *check(good)


@pytest.mark.parametrize("seed", range(4))
def test_killed(tmp_path, seed):
    child = start(tmp_path)
    for _ in range(random.Random(seed).randrange(1, 300)):
        child.stdout.readline()
    time.sleep(random.Random(seed).random() / 50)
    child.send_signal(signal.SIGKILL)
    child.stdout.read()
    child.wait()

    said, tensors, ended = recover(tmp_path, tmp_path / "edge.flight")
    assert ended == list(range(ended[0], ended[-1] + 1))
    assert all(tensors[i] == set(TOPICS) for i in ended)
    # The last one may be written, but not yet marked as ended.
    assert any(f"has {count} whole frame" in said for count in (len(ended), len(ended) - 1))
    got = info(tmp_path / "good.mcap")
    assert got["model"]["name"] == "model"
    assert got["metadata"]["exray"]["app"] == "flight_tool" and got["metadata"]["exray"]["flight"] == "full"

    # With the log: every frame, those that wait in full.
    _, merged, all_ended = recover(tmp_path, tmp_path / "edge.mcap", "--flight", tmp_path / "edge.flight")
    assert set(ended) <= set(all_ended)
    assert all(merged[i] == set(TOPICS) for i in ended)
    # Another run does not touch what this one left.
    before = (tmp_path / "edge.flight").read_bytes()
    finish(start(tmp_path, frames=3))
    assert (tmp_path / "edge.flight.1").read_bytes() == before


def test_everything_said_is_there(tmp_path):
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        child = start(folder)
        said = [child.stdout.readline() for _ in range(random.Random(seed).randrange(2, 120))]
        child.kill()
        rest = child.stdout.read().split(b"\n")[:-1]
        child.wait()
        last = int((rest or said)[-1])
        _, tensors, ended = recover(folder, folder / "edge.flight")
        assert last in ended and last - 20 in [*ended, last - 20 if last < 20 else None]
        assert ended[-1] <= last + 1
        assert all(tensors[i] == set(TOPICS) for i in ended)


def test_closed_and_triggered(tmp_path):
    """What a trigger wrote is not added once more."""
    assert finish(start(tmp_path, frames=50, how="trigger")) == 49
    tensors, ended = check(tmp_path / "edge.mcap")
    assert ended == list(range(50))
    rich = [i for i in ended if tensors[i]]
    assert rich == [16, 17, 18, 19, 20, 36, 37, 38, 39, 40]
    events = [e for e in info(tmp_path / "edge.mcap")["events"] if e["kind"] == "trigger"]
    assert [e["frame"] for e in events] == [18, 38] and "every 20th" in events[0]["text"]
    said, merged, _ = recover(tmp_path, tmp_path / "edge.mcap", "--flight", tmp_path / "edge.flight")
    assert "closed in order" in said
    assert merged[49] == merged[17] == set(TOPICS)
    # A file that is done with makes room for the next run.
    finish(start(tmp_path, frames=3))
    assert not (tmp_path / "edge.flight.1").exists()


def test_damage(tmp_path):
    """Blocks of zeros, flipped bits, a cut end: what is left is right, and only frames that were hit are missing."""
    finish(start(tmp_path, size=128 << 10, frames=200, how="abandon"))
    box, broken = tmp_path / "edge.flight", tmp_path / "broken.flight"
    whole = box.read_bytes()
    _, _, healthy = recover(tmp_path, box)
    assert len(healthy) >= 3
    rng = random.Random(5)
    for _ in range(25):
        data = bytearray(whole)
        at = rng.randrange(4096 + (16 << 10), len(data))  # behind header and head
        how = rng.choice(["flip", "zeros", "cut", "exchange"])
        if how == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif how == "zeros":
            data[at:at + 4096] = bytes(len(data[at:at + 4096]))
        elif how == "exchange":
            a, b = (rng.randrange(5, len(data) // 4096) * 4096 for _ in range(2))
            data[a:a + 4096], data[b:b + 4096] = data[b:b + 4096], data[a:a + 4096]
        else:
            data = data[:at] + bytes(len(data) - at)
        broken.write_bytes(data)
        _, tensors, ended = recover(tmp_path, broken)
        assert set(ended) <= set(healthy)
        if how == "flip":
            assert len(ended) >= len(healthy) - 1
        assert all(tensors[i] == set(TOPICS) for i in ended)


def test_what_is_no_box(tmp_path):
    finish(start(tmp_path, size=64 << 10, frames=5, how="abandon"))
    whole = (tmp_path / "edge.flight").read_bytes()
    broken = tmp_path / "broken.flight"
    for data, says in [(whole[:100], "cut short"), (whole[:4096], "cut short"), (whole[:16] + b"\1" + whole[17:], "damaged"),
                       (whole[:8] + whole[8:12][::-1] + whole[12:], "byte order"),
                       (whole[:12] + b"\7" + whole[13:], "another version")]:
        broken.write_bytes(data)
        good = tmp_path / "good.mcap"
        result = subprocess.run([EXRAY, "recover", broken, "-o", good], capture_output=True, text=True)
        assert result.returncode == 2 and says in result.stderr and result.stderr.count("\n") == 1
        assert not good.exists()
    # A file of someone else's stays.
    other = tmp_path / "other"
    other.write_text("a letter, somewhat longer than a header " * 3)
    child = subprocess.run([TOOL, tmp_path / "x.mcap", other, "65536", "3", "close"], capture_output=True, text=True)
    assert child.returncode == 1 and "is another file, and stays" in child.stderr
    assert other.read_text().startswith("a letter")


def test_only_so_many_crashes_are_kept(tmp_path):
    for _ in range(11):
        finish(start(tmp_path, size=64 << 10, frames=2, how="abandon"))
    boxes = sorted(name for name in os.listdir(tmp_path) if name.startswith("edge.flight"))
    assert boxes == ["edge.flight", *[f"edge.flight.{i}" for i in range(1, 9)]]
