"""A symmetric range of 16 bits, half of which is unused behind a ReLU: its zero point is zero in any calibration, so one that clips
is too narrow, not off its place."""

import numpy as np
import pytest
from log_writer import DTYPES, PB, Log
from validate_support import causes, validate


def write(path, role, frames, dtype, scale=None, zero=0):
    """x -> FULLY_CONNECTED, RELU -> y.  frames: (input, output) each."""
    log = Log(path, metadata={"role": role, "task": "none"})
    model = PB["Model"](name=role, engine="tflite", engine_version="2.17.1", kernels="builtin", threads=1, inputs=[0], outputs=[1])
    model.tensors.add(name="x", dtype=DTYPES["float32"], shape=frames[0][0].shape)
    model.tensors.add(name="y", dtype=DTYPES[dtype], shape=frames[0][1].shape)
    if scale:
        model.tensors[1].quantization.scale.append(scale)
        model.tensors[1].quantization.zero_point.append(zero)
    model.nodes.add(op="FULLY_CONNECTED", inputs=[0], outputs=[1], attributes={"fused_activation_function": "RELU"})
    log.add("/model", "Model", model)
    stored = {"scale": [scale], "zero_point": [zero]} if scale else {}
    for k, (x, y) in enumerate(frames):
        begin = log.time
        log.tensor("/input/0", x, k)
        log.tensor("/layer/0", y, k, **stored)
        log.tensor("/output/0", y, k, **stored)
        log.frame(k, begin, source=f"{k}")
    log.finish()


@pytest.mark.parametrize("dtype,cause", [("int16", "layer.saturation"), ("int8", "layer.zero_point")])
def test_a_range_that_clips_at_one_end(tmp_path, dtype, cause):
    random = np.random.default_rng(1)
    frames = [(random.normal(0, 1, (1, 64)).astype(np.float32), np.maximum(random.normal(0.5, 1, (1, 512)), 0).astype(np.float32)) for _ in range(3)]
    limits = np.iinfo(dtype)
    scale = 0.6 * max(y.max() for _, y in frames) / limits.max
    stored = [(x, np.clip(np.round(y / scale), limits.min, limits.max).astype(dtype)) for x, y in frames]
    write(tmp_path / "edge.mcap", "edge", stored, dtype, scale)
    write(tmp_path / "reference.mcap", "reference", frames, "float32")
    assert causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)) == [cause]
