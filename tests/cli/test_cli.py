"""Command-line tests: each tests/cli/NAME.sh is run in an empty folder, what it
prints (standard output and error together) must equal NAME.expected.

To accept new output after a look at it: EXRAY_ACCEPT=1 pytest tests/cli/test_cli.py"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))
SCRIPTS = sorted((ROOT / "tests" / "cli").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_script(script, tmp_path):
    environment = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", LC_ALL="C", SOURCE=str(ROOT), TESTS=str(BUILD / "tests"))
    environment.pop("EXRAY_TFLITE_LIB", None)
    result = subprocess.run(["bash", str(script)], cwd=tmp_path, env=environment, capture_output=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
    printed = result.stdout.replace(str(ROOT), "SOURCE")
    expected = script.with_suffix(".expected")
    if os.environ.get("EXRAY_ACCEPT"):
        expected.write_text(printed)
    assert printed == expected.read_text()
