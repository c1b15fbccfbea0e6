"""`record` and `replay` that fail, are stopped or killed: no older log is lost, and no half one remains."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest
import testdata
from PIL import Image
from pipeline_support import pipeline_text
from small_log import EXRAY, info

pytestmark = pytest.mark.data


@pytest.fixture
def command(tmp_path):
    """`record`, of one frame."""
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "p.yaml").write_text(pipeline_text("bilinear 224x224 antialias"))
    return [EXRAY, "record", "--model", testdata.model("mobilenet_v1_0.25_224_uint8.tflite"), "--pipeline", tmp_path / "p.yaml",
            "--data", tmp_path / "a.png", "--capture", "stats", "-o", tmp_path / "edge.mcap"]


def older(tmp_path, name="edge.mcap"):
    made = subprocess.run([EXRAY.parent / "tests" / "write_everything", tmp_path / name, "chunked"], check=True, capture_output=True)
    assert made.returncode == 0
    return (tmp_path / name).read_bytes()


def logs(tmp_path):
    return sorted(n for n in os.listdir(tmp_path) if ".mcap" in n)


def heard():
    """A shell's background job ignores SIGINT, and so do its children: not these."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# Bytes of two frames: each has its input, 150,528 bytes, some of which are in the file before the frame has ended.
SOME_FRAMES = 400_000


def started(command, part, *options):
    """The process, once some frames are in its log."""
    process = subprocess.Popen([*command, "--repeat", "1000", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=heard)
    for _ in range(1000):
        if part.exists() and part.stat().st_size > SOME_FRAMES:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("no frame in 10 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_log(tmp_path, command, number):
    older(tmp_path)
    process = started(command, tmp_path / "edge.mcap.part", "--stream")
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2 and out == "" and err.count("\n") == 1, err
    told = int(err.split("after ")[1].split(" frame")[0])
    assert logs(tmp_path) == ["edge.mcap"] and 0 < told < 1000
    assert subprocess.run([EXRAY, "info", tmp_path / "edge.mcap", "--check"], capture_output=True).returncode == 0
    assert info(tmp_path / "edge.mcap")["frames"]["count"] == told


def test_replay_is_stopped_likewise(tmp_path, command):
    assert subprocess.run([*command, "--repeat", "300"], capture_output=True).returncode == 0
    replay = [EXRAY, "replay", tmp_path / "edge.mcap", *command[2:6], "--capture", "stats",
              "-o", tmp_path / "ref.mcap", "--stream"]
    process = subprocess.Popen(replay, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    part = tmp_path / "ref.mcap.part"
    for _ in range(1000):
        if part.exists() and part.stat().st_size > SOME_FRAMES:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=20)[1]
    assert process.returncode == 2 and "stopped by a signal after" in err
    assert logs(tmp_path) == ["edge.mcap", "ref.mcap"]


def test_killed_the_frames_remain_and_the_next_run_takes_their_place(tmp_path, command):
    before = older(tmp_path)
    part = tmp_path / "edge.mcap.part"
    process = started(command, part)
    process.kill()
    process.communicate()
    assert (tmp_path / "edge.mcap").read_bytes() == before
    assert info(part)["frames"]["count"] > 0
    saved = tmp_path / "saved.mcap"
    assert subprocess.run([EXRAY, "recover", part, "-o", saved], capture_output=True).returncode == 0
    assert info(saved)["frames"]["count"] > 0
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"{tmp_path}/edge.mcap: 1 frame,"), done
    assert logs(tmp_path) == ["edge.mcap", "saved.mcap"]
    assert info(tmp_path / "edge.mcap")["frames"]["count"] == 1


def test_what_fails_leaves_the_older_log(tmp_path, command):
    before = older(tmp_path)
    for options in (["--model", "none.tflite"], ["--kernels", "xnnpack", "--delegate", "none.so"]):
        assert subprocess.run([*command, *options], capture_output=True).returncode == 2
        assert (tmp_path / "edge.mcap").read_bytes() == before and logs(tmp_path) == ["edge.mcap"]
    limited = subprocess.run(["bash", "-c", 'ulimit -f 4; exec "$0" "$@"', *command, "--repeat", "20"], capture_output=True, text=True)
    assert limited.returncode == 2 and limited.stderr.count("\n") == 1, limited.stderr
    assert (tmp_path / "edge.mcap").read_bytes() == before and logs(tmp_path) == ["edge.mcap"]


def test_two_runs_of_one_name(tmp_path, command):
    before = older(tmp_path)
    part = tmp_path / "edge.mcap.part"
    first = started(command, part)
    second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 2 and "another run is writing it" in second.stderr and logs(tmp_path) == ["edge.mcap", part.name]
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=20)
    assert logs(tmp_path) == ["edge.mcap"] and (tmp_path / "edge.mcap").read_bytes() != before


def test_a_log_that_was_not_closed_stays(tmp_path, command):
    whole = older(tmp_path)
    cut = whole[: len(whole) // 2]
    (tmp_path / "edge.mcap").write_bytes(cut)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "edge-2.mcap: 1 frame" in done.stdout
    assert (tmp_path / "edge.mcap").read_bytes() == cut and logs(tmp_path) == ["edge-2.mcap", "edge.mcap"]


def test_what_is_no_log_is_not_replaced_beside(tmp_path, command):
    (tmp_path / "edge.mcap.part").write_text("half a download")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and (tmp_path / "edge.mcap.part").read_text() == "half a download"
