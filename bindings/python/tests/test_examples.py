"""The programs of examples/python, as docs/python.md shows them, one after the other."""

import subprocess
import sys

import testdata
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(name, *arguments, status=0):
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


def test_examination(tmp_path, model_file):
    model = model_file("mobilenet_v1_0.25_224_float.tflite")
    pictures = testdata.pictures(6)
    edge, reference, wrong = tmp_path / "edge.mcap", tmp_path / "ref.mcap", tmp_path / "wrong.mcap"
    assert run("classify.py", model, edge, *pictures).stdout.count("\n") == len(pictures)
    run("reference.py", model, edge, reference)
    run("check.py", edge, reference)
    # The slip that this is all about: BGR where the model wants RGB.
    text = (EXAMPLES / "classify.py").read_text()
    assert "pixels[None] / 127.5" in text
    (tmp_path / "wrong.py").write_text(text.replace("pixels[None] / 127.5", "pixels[None, ..., ::-1] / 127.5"))
    run(tmp_path / "wrong.py", model, wrong, *pictures)
    failed = run("check.py", wrong, reference, status=1)
    assert "ValidationFailed: error: input.channel_order" in failed.stderr


def test_documentation_shows_them():
    text = (ROOT / "docs" / "python.md").read_text()
    for name in ("classify.py", "check.py"):
        for line in (EXAMPLES / name).read_text().splitlines():
            if line.endswith("# exray"):
                assert line in text, (name, line)
