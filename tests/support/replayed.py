"""The program's `record` and `replay`, and what their logs hold."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

EXRAY = Path(__file__).resolve().parents[2] / os.environ.get("EXRAY_BUILD_DIR", "build") / "exray"
if not EXRAY.exists():
    pytest.skip(f"no program at {EXRAY}: run make first", allow_module_level=True)


def run(*arguments, status=0):
    done = subprocess.run([str(EXRAY), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def arrays(log, folder=None):
    """What each frame holds, by topic."""
    folder = folder or log.with_suffix(".npz")
    run("export", log, "--npz", folder)
    return [dict(np.load(f)) for f in sorted(folder.glob("frame-*.npz"))]
