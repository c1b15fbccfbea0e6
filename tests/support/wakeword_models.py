"""Streaming models whose state is in resource variables: those of the wheel that the bootstrap takes TensorFlow Lite
from."""

import os
import zipfile
from pathlib import Path

import pytest

NAMES = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def model(name):
    """The bytes of a model with int8 input [1, 3, 40] and uint8 output [1, 1]."""
    wheels = Path(os.environ.get("EXRAY_CACHE", Path.home() / ".cache" / "exray")) / "wheels"
    found = sorted(wheels.glob("pymicro_wakeword-*.whl"))
    if not found:
        pytest.skip(f"no pymicro_wakeword wheel in {wheels}: run scripts/bootstrap.sh engine")
    with zipfile.ZipFile(found[0]) as wheel:
        return wheel.read(f"pymicro_wakeword/models/{name}.tflite")
