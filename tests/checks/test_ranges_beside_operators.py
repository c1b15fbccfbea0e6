"""A range that is far too wide, or a layer of 8 bits with a little more than their noise, in a model of which another operator differs:
behind that, the reference has other values, which say nothing of the layer; beside it, the layer has a fault of its own."""

import numpy as np
import pytest
from log_writer import DTYPES, PB, Log
from validate_support import causes, finding, validate


def write(path, role, behind, slope, factor, error=0.0):
    """x -> LEAKY_RELU -> a; a or x -> RELU (with an error: an operator that nothing is known of) -> b, which has a range on the edge."""
    random = np.random.default_rng(1)
    log = Log(path, metadata={"role": role, "task": "none"})
    model = PB["Model"](name=role, engine="tflite", engine_version="2.17.1", kernels="builtin", threads=1, inputs=[0], outputs=[1, 2])
    for name, kind in (("x", "float32"), ("a", "float32"), ("b", "int8" if factor else "float32")):
        model.tensors.add(name=name, dtype=DTYPES[kind], shape=[1, 512])
    stored = {"scale": [factor / 127], "zero_point": [0]} if factor else {}
    if factor:
        model.tensors[2].quantization.scale.append(factor / 127)
        model.tensors[2].quantization.zero_point.append(0)
    model.nodes.add(op="LEAKY_RELU", inputs=[0], outputs=[1], attributes={"alpha": f"{slope:g}"})
    model.nodes.add(op="SPECIAL" if error else "RELU", inputs=[1 if behind else 0], outputs=[2])
    log.add("/model", "Model", model)
    for k in range(3):
        x, begin = random.normal(0, 1, (1, 512)).astype(np.float32), log.time
        a = np.where(x < 0, np.float32(slope) * x, x)
        b = np.maximum(a if behind else x, 0)
        b = b + (error * np.random.default_rng(9 + k).normal(0, 1, b.shape) if factor else 0)
        b = np.clip(np.round(b * 127 / factor), -128, 127).astype(np.int8) if factor else b
        log.tensor("/input/0", x, k)
        log.tensor("/layer/0", a, k)
        log.tensor("/layer/1", b, k, **stored)
        log.tensor("/output/0", a, k)
        log.tensor("/output/1", b, k, **stored)
        log.frame(k, begin, source=f"{k}")
    log.finish()
    return path


@pytest.mark.parametrize("behind", [False, True], ids=["beside", "behind"])
@pytest.mark.parametrize("factor", [4, 100], ids=["fits", "wide"])
def test_ranges_and_another_operator(tmp_path, behind, factor):
    v = validate(write(tmp_path / "edge", "edge", behind, 0.5, factor), write(tmp_path / "reference", "reference", behind, 0.1, 0), status=1)
    assert causes(v) == ["model.operator"] + ["layer.range"] * (factor == 100 and not behind)
    if factor == 100 and not behind:
        assert finding(v, "layer.range")["where"]["layer"] == 1


@pytest.mark.parametrize("behind", [False, True], ids=["beside", "behind"])
def test_a_little_more_than_noise_and_another_operator(tmp_path, behind):
    v = validate(write(tmp_path / "edge", "edge", behind, 0.5, 4, 0.09), write(tmp_path / "reference", "reference", behind, 0.1, 0, 0.09), status=1)
    assert causes(v) == ["model.operator"] + ["layer.unknown"] * (not behind)
