"""Pictures of a camera of 160x120 and the right input that is made of them: what faults of memory and colors are tried on."""

import numpy as np
import pytest
from explain_support import explain
from log_writer import PB
from PIL import Image
from validate_support import textures

WIDE, HIGH, SIDE = 160, 120, 96


@pytest.fixture(scope="module")
def camera():
    return [p[:HIGH, :WIDE] for p in textures(6, WIDE, seed=5)]


def records(camera):
    return [(p.tobytes(), PB["Media"](format="rgb8", width=WIDE, height=HIGH)) for p in camera]


def resized(p, width=SIDE, height=SIDE):
    return np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize((width, height), Image.BILINEAR))


def norm(p):
    return ((p.astype(np.float32) - 128) / 128).astype(np.float32)


def right(camera):
    return [norm(resized(p)) for p in camera]


def judged(tmp_path, edge, reference, sensor=None):
    return explain(tmp_path, [np.ascontiguousarray(e, np.float32) for e in edge],
                   [np.ascontiguousarray(r, np.float32) for r in reference], sensor)


def text(found):
    return " ".join([found["summary"], *found["details"]])
