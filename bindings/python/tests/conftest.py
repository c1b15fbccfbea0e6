"""What the package's tests share.  They run against an installed wheel, not the source tree."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import exray

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests")]  # log_writer: PyPI's mcap and protobuf
import testdata  # noqa: E402
from data_hooks import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)

TINY = exray.Model(
    name="tiny", engine="tests", engine_version="1", kernels="numpy", threads=1, sha256=bytes(range(32)),
    tensors=(exray.TensorInfo("image", "float32", (1, 4, 4, 3), "NHWC"),
             exray.TensorInfo("weights", "float32", (3, 5), constant=True),
             exray.TensorInfo("mean", "float32", (1, 3)),
             exray.TensorInfo("scores", "int8", (1, 5), quantization=exray.Quantization((0.5,), (-3,)))),
    nodes=(exray.Node("MEAN", "pool", (0, None), (2,), {"keep_dims": "false"}),
           exray.Node("DELEGATE", "", (2, 1), (3,), inner=(exray.Node("FULLY_CONNECTED", "fc", (2, 1), (3,)),))),
    inputs=(0,), outputs=(3,))
WEIGHTS = np.random.default_rng(99).normal(size=(3, 5)).astype(np.float32)


def picture(index):
    """Something with an up and a down, a left and a right."""
    y, x = np.mgrid[0:12, 0:16]
    return np.stack([10 * x + index, 15 * y, (x * y + 3 * index) % 200], axis=2).astype(np.uint8)


def run_tiny(image):
    """TINY by hand: mean, dense, quantized."""
    mean = image.mean(axis=(1, 2), dtype=np.float32)
    scores = np.clip(np.round(mean @ WEIGHTS / 0.5) - 3, -128, 127).astype(np.int8)
    return mean, scores


def record(path, frames=6, change=lambda image: image, **options):
    """A log of TINY on pictures; `change` is the fault in the pre-processing."""
    options.setdefault("capture", "full")
    with exray.Recorder(path, **options) as r:
        r.model(TINY)
        r.constant(1, WEIGHTS, name="weights")
        for i in range(frames):
            with r.frame(source=f"{i}.png", label=i % 5):
                pixels = picture(i)
                r.image("camera", pixels)
                image = change(pixels[None, 2:6, 3:7].astype(np.float32) / 255)
                r.input("image", image)
                mean, scores = run_tiny(image)
                r.layer(0, "mean", mean)
                r.layer(1, "scores", scores)
                r.output("scores", scores)
                r.inference_ns(1000 + i)
                r.latency([0, 1], [0, 100], [100, 50])
    return str(path)


@pytest.fixture
def logs(tmp_path):
    """An edge that swaps red and blue, its reference, a second edge that does not."""
    edge = record(tmp_path / "edge.mcap", change=lambda image: image[..., ::-1], role="edge")
    reference = record(tmp_path / "ref.mcap")
    return edge, reference, record(tmp_path / "good.mcap", role="edge")


@pytest.fixture(scope="session")
def program():
    """Runs the program that the wheel carries."""
    path = Path(sys.executable).parent / "exray"

    def run(*arguments, status=0):
        result = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, env=dict(os.environ))
        assert result.returncode == status, result.stderr
        return result.stdout

    return run


@testdata.fixture(scope="session")
def model_file():
    """model_file(NAME): a model file of tests/testdata.py; skips where there is none."""
    return testdata.model
