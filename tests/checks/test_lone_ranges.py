"""Networks of 8 bits whose layers and outputs are all within noise, one of which has a range that is far too narrow for its values, as no other has."""

import numpy as np
import pytest
from log_writer import DTYPES, PB, Log
from validate_support import causes, finding, validate

LAYERS, WIDTH, FRAMES = 6, 256, 4


def write(path, role, shares=None):
    """x -> dense layers with a ReLU each, of which the edge's have ranges of that share of their largest value."""
    random = np.random.default_rng(1)
    weights = [random.normal(0, np.sqrt(2 / WIDTH), (WIDTH, WIDTH)) for _ in range(LAYERS)]
    frames = [np.maximum(np.random.default_rng(k + 10).normal(0, 1, (1, WIDTH)), 0).astype(np.float32) for k in range(FRAMES)]

    def run(x, tops=None):
        made = []
        for i, w in enumerate(weights):
            x = np.maximum(x @ w, 0)
            if tops:
                x = np.clip(np.round(x * 255 / tops[i]), 0, 255) * tops[i] / 255
            made.append(x)
        return made
    largest = [max(run(x)[i].max() for x in frames) for i in range(LAYERS)]
    tops = [s * t for s, t in zip(shares, largest)] if shares else None
    log = Log(path, metadata={"role": role, "task": "none"})
    model = PB["Model"](name=role, engine="tflite", engine_version="2.17.1", kernels="builtin", threads=1, inputs=[0], outputs=[LAYERS])
    model.tensors.add(name="x", dtype=DTYPES["float32"], shape=[1, WIDTH])
    for i in range(LAYERS):
        model.tensors.add(name=f"d{i}", dtype=DTYPES["uint8" if tops else "float32"], shape=[1, WIDTH])
        if tops:
            model.tensors[i + 1].quantization.scale.append(tops[i] / 255)
            model.tensors[i + 1].quantization.zero_point.append(0)
        model.nodes.add(op="FULLY_CONNECTED", inputs=[i], outputs=[i + 1])
    log.add("/model", "Model", model)
    for k, x in enumerate(frames):
        begin = log.time
        log.tensor("/input/0", x, k)
        for i, y in enumerate(run(x, tops)):
            stored = {"scale": [tops[i] / 255], "zero_point": [0]} if tops else {}
            values = np.round(y * 255 / tops[i]).astype(np.uint8) if tops else y.astype(np.float32)
            log.tensor(f"/layer/{i}", values, k, **stored)
            if i == LAYERS - 1:
                log.tensor("/output/0", values, k, **stored)
        log.frame(k, begin, source=f"{k}")
    log.finish()
    return path


def judge(folder, shares):
    return validate(write(folder / "edge", "edge", shares), write(folder / "reference", "reference"))


@pytest.mark.parametrize("layer", [1, 3, LAYERS - 1])
@pytest.mark.parametrize("share", [.6, .7])
def test_one_range_is_far_too_narrow(tmp_path, layer, share):
    verdict = judge(tmp_path, [share if i == layer else 1 for i in range(LAYERS)])
    assert causes(verdict) == ["layer.saturation"], verdict["findings"]
    assert finding(verdict, "layer.saturation")["where"]["layer"] == layer
    assert all(p["role"] == "clean" for p in verdict["layers"]) or share < .7


@pytest.mark.parametrize("shares", [[1] * LAYERS, [.9] * LAYERS, [.85 if i == 2 else 1 for i in range(LAYERS)], [.8 if i % 2 else .82 for i in range(LAYERS)]],
                         ids=["all", "all clip a little", "one clips a little", "all clip"])
def test_calibrations_that_clip(tmp_path, shares):
    verdict = judge(tmp_path, shares)
    assert verdict["verdict"] == "pass", verdict["findings"]
