"""Tensors whose dimensions are equal ([1,16,16,16]), channels last on one side and first on the other: shapes do not tell which
dimension is which, the values do."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, validate

SHAPES = {"cube": (1, 16, 16, 16), "small cube": (1, 8, 8, 8), "batch of cubes": (8, 8, 8, 8), "square": (1, 6, 6, 4), "flat": (1, 1, 12, 12),
          "high": (1, 4, 8, 4), "batch like channels": (4, 8, 8, 4), "sequence": (1, 10, 10), "batch of squares": (6, 6, 6)}


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class Net:
    """Three layers of one shape: a product over the channels, an activation, a smoothing over the rows; [N, .., C]."""

    def __init__(self, shape, seed=1):
        self.shape, self.weight = shape, random(seed, shape[-1], shape[-1]) / shape[-1] ** 0.5
        self.wrong = None

    def layers(self, x):
        mixed = x @ self.weight
        relu = np.maximum(mixed, -0.2 * mixed)
        if self.wrong == "kernel":
            relu = relu + 0.3 * relu.std() * random(5, *relu.shape)
        smooth = relu + np.roll(relu, 1, axis=1) / 2
        return [mixed, relu, smooth, smooth @ self.weight.T]

    def write(self, path, role, engine, layout=False, constant=False):
        last = engine == "tflite"
        rank = len(self.shape)

        def turn(a):
            return np.ascontiguousarray(a if last else np.moveaxis(a, -1, 1)).astype(np.float32)

        ops = ["CONV_2D", "LEAKY_RELU", "ADD", "CONV_2D"] if last else ["Conv", "LeakyRelu", "Add", "Conv"]
        names = {4: "NHWC" if last else "NCHW", 3: "NWC" if last else "NCW"}
        m = PB["Model"](name="net", engine=engine, inputs=[0], outputs=[4])
        for i in range(5):
            m.tensors.add(name=f"{engine}{i}", dtype=1, shape=turn(np.zeros(self.shape)).shape, layout=names[rank] if layout else "")
        for i, op in enumerate(ops):
            m.nodes.add(op=op, name=f"{engine}.{i}", inputs=[i], outputs=[i + 1])
        with Recording(path, role) as log:
            log.add("/model", "Model", m)
            for f in range(3):
                x = np.ones(self.shape, np.float32) if constant else random(20 + f, *self.shape)
                values = [turn(v) for v in self.layers(x)]
                log.frame([("/input/0", turn(x), {}), *((f"/layer/{i}", v, {}) for i, v in enumerate(values)), ("/output/0", values[-1], {})])


@pytest.mark.parametrize("gain, status", [(1.0, 0), (1.5, 1)], ids=["noise", "another scale"])
def test_inputs_that_are_near(tmp_path, gain, status):
    """What an input's assertion reads is in one order, too: noise is noise, and another scale is named."""
    def write(path, role, engine, gain):
        with Recording(path, role) as log:
            log.add("/model", "Model", PB["Model"](name="net", engine=engine))
            for f in range(3):
                x = gain * random(f, 1, 16, 16, 16) + (gain == 1) * 1e-7 * random(f + 5, 1, 16, 16, 16)
                log.frame([("/input/0", np.ascontiguousarray(x if engine == "tflite" else np.moveaxis(x, -1, 1)).astype(np.float32), {}),
                           ("/output/0", gain * random(f, 1, 5), {})])

    write(tmp_path / "edge.mcap", "edge", "tflite", gain)
    write(tmp_path / "reference.mcap", "reference", "onnxruntime", 1 + 1e-9)
    verdict = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)
    assert causes(verdict) == ([] if status == 0 else ["input.normalization"])


def judge(tmp_path, edge, reference, status, engines=("tflite", "onnxruntime"), **options):
    edge.write(tmp_path / "edge.mcap", "edge", engines[0], **options)
    reference.write(tmp_path / "reference.mcap", "reference", engines[1], **options)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


@pytest.mark.parametrize("engines", [("tflite", "onnxruntime"), ("onnxruntime", "tflite"), ("tflite", "tflite")], ids="-".join)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_model(tmp_path, shape, engines):
    verdict = judge(tmp_path, Net(SHAPES[shape]), Net(SHAPES[shape]), 0, engines)
    assert causes(verdict) == []
    assert all(layer["nrmse"] < 1e-5 for layer in verdict["layers"])


def test_recorded_layouts_of_constant_tensors(tmp_path):
    assert causes(judge(tmp_path, Net(SHAPES["cube"]), Net(SHAPES["cube"]), 0, layout=True, constant=True)) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_layer_is_named(tmp_path, shape):
    edge = Net(SHAPES[shape])
    edge.wrong = "kernel"
    verdict = judge(tmp_path, edge, Net(SHAPES[shape]), 1)
    found = [f for f in verdict["findings"] if f["cause"].startswith("layer.")]
    assert len(found) == 1 and found[0]["where"]["layer"] == 1, verdict["findings"]


def test_an_input_in_the_other_order_is_a_fault_of_one_engine(tmp_path):
    """Both sides have channels last: values that agree only when turned were fed wrongly."""
    def write(path, role, turned):
        with Recording(path, role) as log:
            log.add("/model", "Model", PB["Model"](name="net", engine="tflite"))
            for f in range(3):
                x = random(f, 1, 16, 16, 16)
                log.frame([("/input/0", np.ascontiguousarray(np.moveaxis(x, -1, 1) if turned else x), {})])

    write(tmp_path / "edge.mcap", "edge", True)
    write(tmp_path / "reference.mcap", "reference", False)
    verdict = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)
    assert causes(verdict)[0].startswith("input.")
