"""Where the demo's parts lie, and how its tests run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT.parent / "shared" / "assets"
# Engines, the arm64 system root and the example's build lie in BUILD; the program
# under test may be of another build.
BUILD = ROOT / os.environ.get("EXRAY_BUILD", "build")
EXRAY = ROOT / os.environ.get("EXRAY_BUILD_DIR", BUILD) / "exray"
CACHE = Path(os.environ.get("EXRAY_CACHE", Path.home() / ".cache" / "exray"))

sys.path.insert(0, str(ROOT / "tools"))


def run(*command, status=0, **options):
    """Runs a command; its captured result.  Any other exit status fails the test."""
    result = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=300, **options
    )
    assert result.returncode == status, f"{command}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def script(name, *arguments):
    """Runs scripts/NAME on the build folder under test."""
    return run(ROOT / "scripts" / name, *arguments, env={**os.environ, "EXRAY_BUILD": str(BUILD)})


def tool(name, *arguments, **options):
    return run(sys.executable, ROOT / "tools" / name, *arguments, **options)


def wheel(pattern) -> Path:
    """A downloaded wheel; skips where it is absent."""
    found = sorted((CACHE / "wheels").glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in {CACHE / 'wheels'}: run scripts/bootstrap.sh demo")
    return found[-1]


def asset(name) -> Path:
    """A file of the shared assets; skips where it is absent."""
    path = ASSETS / name
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


def labelled_pictures():
    """(path, class) of the ImageNet pictures; skips where they are absent."""
    lines = asset("imagenet/labels.txt").read_text().split("\n")
    return [(ASSETS / "imagenet" / f, int(c)) for f, c in (line.split() for line in lines if line)]
