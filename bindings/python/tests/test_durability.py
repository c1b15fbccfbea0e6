"""Python applications that end without a close: what their logs have."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import exray

APPLICATION = """
import os, signal, sys
import numpy as np
import exray
path, frames, end, ring = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
r = exray.Recorder(path, role="edge", capture="io", compression="zstd", ring_size=ring)
print(r.path, flush=True)
for i in range(frames):
    with r.frame(source=f"{i}.jpg"):
        r.output("scores", np.full(10, i, np.float32))
if end == "flush":
    r.flush()
elif end == "sync":
    r.sync()
if end == "exit":
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(path: Path, frames: int, end: str = "kill", ring: int = 0) -> Path:
    done = subprocess.run([sys.executable, "-c", APPLICATION, str(path), str(frames), end, str(ring)], capture_output=True, text=True)
    assert done.returncode == (0 if end == "exit" else -signal.SIGKILL), done.stderr
    return Path(done.stdout.strip())


def outputs(path: Path) -> "list[float]":
    with exray.open(path) as log:
        return [float(f.outputs["scores"].values()[0]) for f in log]


@pytest.mark.parametrize("end, ring", [("kill", 0), ("exit", 0), ("flush", 1 << 20), ("sync", 1 << 20)])
def test_every_frame_that_ended_is_there(tmp_path: Path, end: str, ring: int) -> None:
    assert outputs(run(tmp_path / "a.mcap", 25, end, ring)) == list(range(25))


def test_a_restart_writes_another_file(tmp_path: Path) -> None:
    first = run(tmp_path / "a.mcap", 5)
    with exray.Recorder(tmp_path / "a.mcap") as r:
        assert r.path == str(tmp_path / "a-2.mcap")
        with r.frame():
            r.output("scores", np.zeros(3, np.float32))
    assert outputs(first) == list(range(5))
    assert outputs(tmp_path / "a-2.mcap") == [0]
    assert [run(tmp_path / "r-%n.mcap", i).name for i in (1, 2)] == ["r-0001.mcap", "r-0002.mcap"]


def test_flush_while_it_records(tmp_path: Path) -> None:
    with exray.Recorder(tmp_path / "a.mcap", flush_frames=2, sync_frames=3, flush_ms=100, sync_ms=1000) as r:
        for i in range(4):
            with r.frame():
                r.output("scores", np.full(3, i, np.float32))
            assert outputs(tmp_path / "a.mcap") == list(range(i + 1))
        r.flush()
        r.sync()
    with pytest.raises(exray.StateError):
        r.flush()
    assert os.listdir(tmp_path) == ["a.mcap"]


def test_several_files(tmp_path: Path) -> None:
    model = exray.Model("m", nodes=[exray.Node("CONV_2D", "conv")])
    with exray.Recorder(tmp_path / "a.mcap", byte_budget=400_000, max_files=3, capture="full") as r:
        r.model(model)
        for i in range(600):
            with r.frame():
                r.output("scores", np.full(500, i, np.float32))
        paths = {r.path}
        r.next_file()
        with r.frame():
            r.output("scores", np.zeros(3, np.float32))
        paths.add(r.path)
    names = sorted(os.listdir(tmp_path))
    assert len(names) == 3 and len(paths) == 2 and Path(r.path).name == names[-1]
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 400_000
    seen: "list[float]" = []
    for number, name in enumerate(names, int(names[0][2:6])):
        seen += outputs(tmp_path / name)
        with exray.open(tmp_path / name) as log:
            assert log.all_metadata["exray.file"]["number"] == str(number)
            assert log.model is not None and log.model.nodes[0].name == "conv"
    assert seen[:-1] == list(range(int(seen[0]), 600)) and seen[0] > 0
