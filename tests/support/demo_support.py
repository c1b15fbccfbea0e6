"""Where the demo's parts lie, and how its tests run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def arm64_libraries():
    """Linker's arguments: the recorder and the adapters, cross-built once for all tests."""
    script("build_example.sh", "libraries-aarch64")
    engines = [BUILD / "aarch64" / "src" / "engines" / f"libexray_{name}.a" for name in ("tflite", "litert", "ort", "taps")]
    return [*engines, BUILD / "aarch64" / "src" / "models" / "libexray_models.a", BUILD / "aarch64" / "src" / "core" / "libexray_core.a"]


def tool(name, *arguments, **options):
    return run(sys.executable, ROOT / "tools" / name, *arguments, **options)


def wheel(pattern) -> Path:
    """A downloaded wheel; skips where it is absent."""
    found = sorted((CACHE / "wheels").glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in {CACHE / 'wheels'}: run scripts/bootstrap.sh demo")
    return found[-1]
