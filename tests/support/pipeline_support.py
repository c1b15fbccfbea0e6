"""Runs build/.../pipeline_tool, and finds or makes pictures for its tests."""

import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import testdata
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("EXRAY_BUILD_DIR", "build/test")
TOOL = BUILD / "tests" / "pipeline_tool"
CACHE = Path(os.environ.get("EXRAY_CACHE", Path.home() / ".cache" / "exray"))


def pipeline_text(resize="bicubic 224x224 antialias", mean=127, std=128, layout="nhwc"):
    """The pipeline file of a classifier that sees the middle of a picture."""
    return f"""task: classification
image:
  crop: center 0.875
  resize: {resize}
  normalize: {{mean: {mean}, std: {std}}}
  layout: {layout}
"""


def onnx_pipeline(name):
    """pipeline_text for the ONNX classifiers of the tests: the dogs' are smaller, and planar."""
    dogs = "dogs" in name
    return pipeline_text("bicubic 160x160 antialias" if dogs else "bicubic 224x224 antialias", layout="nchw" if dogs else "nhwc")


def options(named):
    return [x for k, v in named.items() if v is not None for x in (f"--{k.replace('_', '-')}", str(v))]


def call(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, timeout=120)


class Pipeline:
    """A pipeline file in a folder of the test's own."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def file(self, text):
        path = self.folder / "p.yaml"
        path.write_text(text)
        return path

    def picture(self, data, name="picture.bin"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def run(self, text, picture, shape, dtype="float32", **named):
        """The tensor that the pipeline `text` makes of the file `picture`."""
        size = ",".join(map(str, shape))
        result = call(self.file(text), picture, *options({"dtype": dtype, "shape": size, **named}))
        assert result.returncode == 0, result.stderr.decode()
        assert result.stderr == b""
        return np.frombuffer(result.stdout, np.dtype(dtype)).reshape(shape)

    def image(self, text, picture, width, height, channels=3):
        """The same as bytes, [height, width, channels]."""
        return self.run(text, picture, (1, height, width, channels), "uint8")[0]

    def fail(self, text, picture, shape=(1, 4, 4, 3), **named):
        """The one line of a pipeline that must fail."""
        size = ",".join(map(str, shape))
        return the_line(call(self.file(text), picture, *options({"shape": size, **named})))

    def decode(self, data, **media):
        """(pixels [height, width, channels], EXIF orientation) of an encoded or raw picture."""
        result = call("decode", self.picture(data), *options(media))
        assert result.returncode == 0, result.stderr.decode()
        assert result.stderr == b""
        head, pixels = result.stdout.split(b"\n", 1)
        width, height, channels, orientation = map(int, head.split())
        return np.frombuffer(pixels, np.uint8).reshape(height, width, channels), orientation

    def decode_error(self, data, **media):
        return the_line(call("decode", self.picture(data), *options(media)))


def the_line(result):
    assert result.returncode == 2, f"exit status {result.returncode}, expected an error"
    assert result.stdout == b""
    text = result.stderr.decode()
    assert text.count("\n") == 1 and text.endswith("\n"), f"not one line: {text!r}"
    return text.strip()


@pytest.fixture
def pipeline(tmp_path):
    assert TOOL.exists(), f"no {TOOL}: build the tests, or set EXRAY_BUILD_DIR"
    return Pipeline(tmp_path)


def texture(width, height, seed=0):
    """A picture with edges, ramps and noise: what resamplers differ on."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([x * 255 / max(1, width - 1), y * 255 / max(1, height - 1), (x + y) % 256], -1)
    checks = ((x // 7 + y // 5) % 2 * 255)[..., None]
    noise = random.integers(0, 256, (height, width, 3))
    third = (x * 3 // max(1, width))[..., None]
    return np.where(third == 0, ramp, np.where(third == 1, checks, noise)).astype(np.uint8)


def _photographs():
    """Ten with classes, and what is in no class."""
    others = sorted((testdata.ASSETS / "images").glob("*r*.*g")) if testdata.ASSETS else []
    return [*sorted(testdata.PICTURES.glob("*.JPEG"))[::6], *others]


PHOTOGRAPHS = _photographs()


def _skimage(name, folder):
    wheels = sorted((CACHE / "wheels").glob("scikit_image-*.whl"))
    if not wheels:
        return None
    with zipfile.ZipFile(wheels[-1]) as wheel:
        if f"skimage/data/{name}" not in wheel.namelist():
            return None
        path = folder / name
        path.write_bytes(wheel.read(f"skimage/data/{name}"))
        return path


@testdata.fixture(scope="session", params=[*PHOTOGRAPHS, "coffee.png", "chelsea.png", "texture"],
                ids=lambda p: p.name if isinstance(p, Path) else p)
def photograph(request, tmp_path_factory):
    """Files of real photographs, and one generated picture that is always there."""
    if isinstance(request.param, Path):
        return request.param
    folder = tmp_path_factory.mktemp("pictures")
    if request.param == "texture":
        path = folder / "texture.png"
        Image.fromarray(texture(331, 257)).save(path)
        return path
    path = _skimage(request.param, folder)
    if path is None:
        pytest.skip(f"no {request.param}: no scikit-image wheel in {CACHE / 'wheels'}")
    return path
