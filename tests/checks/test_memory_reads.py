"""model.state, where the outputs agree: layers that read a variable show that it holds something else."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

SHA = bytes(range(32))
# x -> filtered -> joined <- read (a variable: the last three frames) ; y is 0: nothing was heard.
TENSORS = [("x", (1, 8)), ("filtered", (1, 8)), ("read", (3, 8)), ("joined", (4, 8)), ("y", (1, 1))]
NODES = [("FULLY_CONNECTED", [0], [1]), ("READ_VARIABLE", [], [2]), ("CONCATENATION", [1, 2], [3]), ("LOGISTIC", [3], [4])]
WEIGHTS = np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)


def log(path, role, skip=(), reset=(), start=0., wrong=()):
    """skip, reset: frames; wrong: frames in which the layer before the variable computes something else."""
    with Recording(path, role) as recording:
        model = PB["Model"](name="m", sha256=SHA, engine="tflite", kernels="builtin", threads=1, inputs=[0], outputs=[4])
        for name, shape in TENSORS:
            model.tensors.add(name=name, dtype=1, shape=shape)
        for op, inputs, outputs in NODES:
            model.nodes.add(op=op, name=op.lower(), inputs=inputs, outputs=outputs)
        recording.add("/model", "Model", model)
        kept = np.full((3, 8), start, np.float32)
        for k, x in enumerate(np.random.default_rng(4).normal(0, 1, (12, 1, 8)).astype(np.float32)):
            if k in skip:
                continue
            kept = np.zeros_like(kept) if k in reset else kept
            filtered = (x @ WEIGHTS * (1.5 if k in wrong else 1)).astype(np.float32)
            joined = np.concatenate([kept, filtered])
            recording.count = k
            recording.frame([("/input/x", x, {}), ("/layer/0", filtered, {}), ("/layer/1", kept, {}), ("/layer/2", joined, {}),
                             ("/layer/3", np.zeros((1, 1), np.float32), {}), ("/output/y", np.zeros((1, 1), np.float32), {})], source=f"chunk{k}")
            kept = joined[1:]
    return path


@pytest.fixture
def judge(tmp_path):
    return lambda edge, reference={}: validate(log(tmp_path / "e.mcap", "edge", **edge), log(tmp_path / "r.mcap", "reference", **reference))


def test_the_same_is_healthy(judge):
    assert judge({})["verdict"] == "pass"


@pytest.mark.parametrize("skip, missed", [((5,), "frame 5"), ((3, 4), "frames 3 to 4")])
def test_frames_that_were_missed(judge, skip, missed):
    verdict = judge({"skip": skip})
    assert causes(verdict)[0] == "model.state" and "layer.kernel" not in causes(verdict) and finding(verdict, "model.state")["evidence"]["missed"] == missed


def test_a_reset(judge):
    verdict = judge({"reset": (7,)})
    f = finding(verdict, "model.state")
    assert causes(verdict) == ["model.state"] and "up to frame 6, another from frame 7" in f["summary"] and "outputs agree" in f["summary"]
    assert f["evidence"]["first_frame"] == 7 and f["evidence"]["frames"] == 3


def test_another_beginning(judge):
    f = finding(judge({"start": .5}), "model.state")
    assert "not reset at the start" in f["summary"] and f["evidence"]["kind"] == "begin"


def test_what_a_wrong_layer_leaves_is_no_state(judge):
    """What is remembered follows from it; and who reads a variable computes nothing."""
    verdict = judge({"wrong": range(4, 12)})
    assert "model.state" not in causes(verdict)
    assert verdict["verdict"] == "fail" and finding(verdict, "layer.kernel")["where"]["layer"] == 0
