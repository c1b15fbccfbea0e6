"""Logs that contradict themselves: every command says "damaged" and gives nothing of them out."""

import json
import os
import signal
import subprocess

import hostile_logs
import numpy as np
import pytest
from small_log import EXRAY, WRITERS, arrays, assert_equal, info, run, write_small


def healthy(path, **options):
    write_small(path, **options)
    return path.read_bytes()


def check(path):
    """info --check: the exit status, and what it says."""
    result = subprocess.run([str(EXRAY), "info", "--check", str(path)], capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout + result.stderr


def assert_refused(tmp_path, bad):
    """By every command, with one line; no file is left behind."""
    good = tmp_path / "good.mcap"
    healthy(good)
    status, said = check(bad)
    assert status == 1 and "is damaged" in said and said.count("\n") == 1
    out = tmp_path / "out"
    commands = [("info", bad), ("validate", bad, good), ("validate", good, bad), ("validate", bad, bad),
                ("export", bad, "--trace", out), ("export", bad, "--csv", out), ("export", bad, "--npz", out),
                ("export", bad, "--foxglove", out), ("export", bad, "--model-explorer", out),
                ("export", good, "--model-explorer", out, "--reference", bad),
                ("replay", bad, "--model", "m.tflite", "--pipeline", "p.yaml", "-o", out)]
    for command in commands:
        assert "is damaged" in run(*command, status=2), command
        assert not out.exists(), command


@pytest.mark.parametrize("make", [hostile_logs.tiny, hostile_logs.leaking])
def test_summary_that_begins_in_the_header(tmp_path, make):
    bad = tmp_path / "bad.mcap"
    bad.write_bytes(make())
    assert_refused(tmp_path, bad)
    assert "record it again" in run("recover", bad, "-o", tmp_path / "out", status=2)
    assert not (tmp_path / "out").exists()
    (tmp_path / "old").write_text("is kept")
    run("recover", bad, "-o", tmp_path / "old", status=2)
    assert (tmp_path / "old").read_text() == "is kept"


def test_the_smallest_one_is_as_small_as_can_be():
    assert len(hostile_logs.tiny()) == 76


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
def test_header_with_a_flipped_length(tmp_path, options):
    expected = write_small(tmp_path / "healthy.mcap", **options)
    flipped = list(hostile_logs.header_flips((tmp_path / "healthy.mcap").read_bytes()))
    assert len(flipped) > 40
    for i, data in enumerate(flipped):
        bad, mended = tmp_path / "bad.mcap", tmp_path / "mended.mcap"
        bad.write_bytes(data)
        if i % 20 == 0:
            assert_refused(tmp_path, bad)
            said = run("recover", bad, "-o", mended)
            assert "lost    0 bytes" in said and "frames  3 whole" in said
            folder = tmp_path / str(i)
            folder.mkdir()
            assert_equal(arrays(folder, mended), expected)
        else:
            assert check(bad)[0] == 1


def test_flipped_bits_are_found_where_there_are_checksums(tmp_path):
    """In tensors, attachments and the summary of a chunked log."""
    path, bad = tmp_path / "log.mcap", tmp_path / "bad.mcap"
    data = healthy(path)
    assert check(path)[0] == 0
    places = {"tensor": data.index(np.random.default_rng(1).random((1, 4, 4, 3), dtype=np.float32).tobytes()),
              "attachment": data.index(b"task: classification\n"), "summary": len(data) - 100,
              "footer": len(data) - 28}
    for name, at in places.items():
        broken = bytearray(data)
        broken[at] ^= 4
        bad.write_bytes(broken)
        status, said = check(bad)
        assert status == 1 and "damaged" in said and "state      whole" not in said, name


def test_a_stream_says_that_it_is_unchecked(tmp_path):
    """A flipped bit in a tensor of a stream cannot be told from data: so it is said."""
    good, bad = tmp_path / "good.mcap", tmp_path / "bad.mcap"
    data = bytearray(healthy(good, use_chunking=False))
    data[data.index(np.random.default_rng(1).random((1, 4, 4, 3), dtype=np.float32).tobytes())] ^= 4
    bad.write_bytes(data)
    status, said = check(bad)
    count = info(bad)["unchecked"]
    assert status == 0 and count > 20 and f"{count} records have no checksum" in said
    chunked = tmp_path / "chunked.mcap"
    healthy(chunked)
    assert info(chunked)["unchecked"] == 0 and "records have no checksum" not in check(chunked)[1]
    for edge, reference, whose in ((bad, good, "both logs"), (bad, chunked, "the edge log"),
                                   (chunked, bad, "the reference log"), (chunked, chunked, None)):
        result = subprocess.run([str(EXRAY), "validate", str(edge), str(reference), "--json", "-"],
                                capture_output=True, text=True, timeout=60)
        text = subprocess.run([str(EXRAY), "validate", str(edge), str(reference)],
                              capture_output=True, text=True, timeout=60).stdout
        notes = [n for n in json.loads(result.stdout)["unjudged"] if isinstance(n, str) and "checksum" in n]
        if whose:
            assert len(notes) == 1 and f"records of {whose} have no checksum" in notes[0] and notes[0] in text
        else:
            assert not notes and "checksum" not in text


def test_a_log_that_is_cut_off_while_it_is_read(tmp_path):
    """What touching a mapped file behind its end raises: one line and status 2, not the end by a signal."""
    fifo = tmp_path / "link"
    os.mkfifo(fifo)
    child = subprocess.Popen([str(EXRAY), "receive", str(fifo), "-o", str(tmp_path / "out.mcap")],
                             stderr=subprocess.PIPE, text=True)
    with open(fifo, "wb"):  # it runs when this returns
        child.send_signal(signal.SIGBUS)
        said = child.communicate(timeout=60)[1]
    assert child.returncode == 2 and said.count("\n") == 1 and "became shorter" in said
