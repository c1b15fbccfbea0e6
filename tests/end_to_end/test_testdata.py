"""Test data: one place knows where they lie, and docs/test-data.md tells what they are."""

import os
import re
import subprocess
import sys

import testdata
from demo_support import ROOT

sys.path.insert(0, str(ROOT / "tests" / "make_data"))
from make import MEMBERS  # noqa: E402

PAGE = (ROOT / "docs" / "test-data.md").read_text()


def ask(*arguments, status=0, **environment):
    done = subprocess.run([sys.executable, ROOT / "tests" / "testdata.py", *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == status, done.stderr
    return done.stdout.strip() if status == 0 else done.stderr.strip()


def test_another_folder_stands_before_what_is_made(tmp_path):
    (tmp_path / "models").mkdir()
    mine = tmp_path / "models" / "movie_review_text.tflite"
    mine.write_bytes(b"mine")
    assert ask("path", "models/movie_review_text.tflite", EXRAY_ASSETS=str(tmp_path)) == str(mine)
    made = str(testdata.MADE / "models" / "movie_review_text.tflite")
    assert ask("path", "models/movie_review_text.tflite", EXRAY_ASSETS="none") == made
    assert ask("assets", EXRAY_ASSETS=str(tmp_path)) == str(tmp_path) and ask("assets", EXRAY_ASSETS="none") == ""
    assert ask("pictures", EXRAY_ASSETS="none") == str(testdata.MADE / "pictures")
    assert "no such folder" in ask("assets", EXRAY_ASSETS=str(tmp_path / "no"), status=1)


def test_no_other_file_names_the_folder_beside_the_repository():
    files = subprocess.run(["git", "grep", "-lE", r"shared(/|\" / \")assets", "--", "tests", "scripts", "bindings", "bench", "tools", "src",
                            "Makefile", "CMakeLists.txt"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert files == ["tests/testdata.py"]


def test_the_page_has_every_wheel_and_every_model():
    pinned = []
    for name in ("demo-data", "test-data", "engine-tflite", "engine-litert", "engine-onnxruntime"):
        pinned += re.findall(r"^([\w-]+)==(\S+)", (ROOT / "scripts" / "requirements" / f"{name}.txt").read_text(), re.M)
    assert len(pinned) >= 13
    for name, version in pinned:
        assert re.search(rf"^\| `{name}` {re.escape(version)} \|", PAGE, re.M), name
    for wheel, member, sha256 in MEMBERS:
        assert re.search(rf"^\| `{wheel}_{re.escape(member.split('/')[-1])}` \|.*\| `{sha256[:16]}` \|$", PAGE, re.M), member
