"""A command that fails destroys no older log: what it writes stands beside it until it is whole."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", Path(__file__).resolve().parents[2] / "build" / "test"))


def exray(*arguments, limit=None):
    shell = f"ulimit -f {limit}; " if limit else ""
    return subprocess.run(["bash", "-c", shell + 'exec "$0" "$@"', BUILD / "exray", *arguments], capture_output=True, text=True)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.mcap"
    subprocess.run([BUILD / "tests" / "write_everything", path, "chunked"], check=True, capture_output=True)
    return path


def test_a_failed_recover_leaves_the_older_log(tmp_path, log):
    older = tmp_path / "older.mcap"
    shutil.copy(log, older)
    before = older.read_bytes()
    failed = exray("recover", log, "-o", older, limit=1)  # 1 KiB: less than the copy needs
    assert failed.returncode == 2 and failed.stderr.count("\n") == 1 and "cannot write" in failed.stderr
    assert older.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["log.mcap", "older.mcap"]


def test_a_link_stays_one(tmp_path, log):
    """What it leads to is written, be it there already or not."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link.mcap").symlink_to("disk/real.mcap")
    for _ in range(2):
        assert exray("recover", log, "-o", tmp_path / "link.mcap").returncode == 0
        assert (tmp_path / "link.mcap").is_symlink() and exray("info", tmp_path / "disk" / "real.mcap", "--check").returncode == 0
    (tmp_path / "loop.mcap").symlink_to("loop.mcap")
    looped = exray("recover", log, "-o", tmp_path / "loop.mcap")
    assert looped.returncode == 2 and looped.stderr.count("\n") == 1 and "symbolic links" in looped.stderr
    assert sorted(os.listdir(tmp_path)) == ["disk", "link.mcap", "log.mcap", "loop.mcap"] and os.listdir(tmp_path / "disk") == ["real.mcap"]


def test_a_recover_that_succeeds_takes_its_place(tmp_path, log):
    older = tmp_path / "older.mcap"
    older.write_bytes(log.read_bytes()[:2000])
    assert exray("recover", log, "-o", older).returncode == 0
    assert exray("info", older, "--check").returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["log.mcap", "older.mcap"]
