"""Where things lie, and how programs are run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "support")]  # testdata, level_pairs
BUILD = ROOT / os.environ.get("EXRAY_BUILD_DIR", os.environ.get("EXRAY_BUILD", "build"))
EXRAY = BUILD / "exray"
CAMERA = BUILD / "tests" / "camera_app"
KERNELS = BUILD / "tests" / "exray_kernels.so"
CACHE = Path(os.environ.get("EXRAY_CACHE", Path.home() / ".cache" / "exray"))
ENGINE = Path(os.environ.get("EXRAY_TFLITE_LIB", ROOT / "build/engines/tflite-x86_64/libtensorflowlite_c.so"))
ARM64_ENGINE = Path(os.environ.get("EXRAY_TFLITE_LIB_AARCH64_FOR_TESTS", ROOT / "build/engines/tflite-aarch64/libtensorflowlite_c.so"))
ARM64_ROOT = "/usr/aarch64-linux-gnu"
ENGINES = {".tflite": "tflite", ".onnx": "onnxruntime"}


def engine_of(model):
    """The engine that runs a model's file."""
    return ENGINES[Path(model).suffix]


class Failed(Exception):
    """A program of the bench did not do its part: a fault of the bench's, not a finding."""


class Changeless(Failed):
    """A fault changes nothing of these data."""


def with_kernels(orders, report):
    """The environment in which the engine has kernels of our own."""
    return {"EXRAY_TFLITE_LIB": str(KERNELS), "LD_LIBRARY_PATH": str(ENGINE.parent), "EXRAY_KERNELS": orders,
            "EXRAY_KERNELS_REPORT": str(report)}


def run(*command, allowed=(0,), cwd=None, environment=None):
    command = [str(c) for c in command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd,
                            env={**os.environ, "EXRAY_TFLITE_LIB": str(ENGINE), **(environment or {})})
    if result.returncode not in allowed:
        raise Failed(f"{' '.join(command)}\nexit status {result.returncode}\n{result.stdout[-500:]}{result.stderr[-1500:]}")
    return result


def is_at_hand(model, shipped, made):
    """Whether the model's file is there, in the folder of those that are shipped or, where it says how, made; sets its path."""
    model.path = (made if model.make else shipped) / model.file
    if model.make and not model.path.exists():
        model.make(model.path)
    return model.path.exists()


def arm64_camera(folder):
    """camera_app for arm64, without its file formats, or None where there is no arm64 here."""
    if not (shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64") and ARM64_ENGINE.exists()):
        return None
    program = folder / "camera_app-aarch64"
    folders = ("src/core", "src/models", "src/engines/tflite")
    sources = [s for f in folders for s in (ROOT / f).rglob("*.c") if s.name != "port_template.c"]
    sources += [ROOT / "src/engines/library.c", ROOT / "src/engines/session_open.c", *(ROOT / "tests/faults/camera").glob("*.c")]
    includes = [f"-I{ROOT / f}" for f in ("include", "src", "src/engines", "src/models")]
    run("aarch64-linux-gnu-gcc", "-std=c11", "-O2", "-DCAMERA_RAW_ONLY", '-DEXRAY_INSTALLED=""', *includes, *sources, "-ldl", "-lm",
        "-lpthread", "-o", program)
    return program
