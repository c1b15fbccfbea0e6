"""Another version of the model, some other weights, and the same model stored otherwise."""

import subprocess

import numpy as np
import pytest
import testdata
from log_writer import PB
from validate_support import EXRAY, ROOT, Recording, causes, finding, validate

ENGINE = ROOT / "build" / "engines" / "tflite-x86_64" / "libtensorflowlite_c.so"

SHAPES = [(16, 3, 3, 8), (1, 3, 3, 16), (32, 1, 1, 16), (32, 3, 3, 32), (10, 32)]


def weights(seed=1, shapes=SHAPES):
    random = np.random.default_rng(seed)
    return [(random.normal(size=s) * random.uniform(0.05, 0.3) * np.exp(random.normal(size=s[:1] + (1,) * (len(s) - 1)) / 2)).astype(np.float32)
            for s in shapes], [random.normal(size=s[0] if s[0] > 1 else s[-1]).astype(np.float32) * 0.2 for s in shapes]


def stored(values, dtype, per_channel, rounding="nearest", seed=0):
    """Quantized, symmetric: bytes and keywords."""
    values = values.astype(np.float64)
    axis = 0 if values.shape[0] > 1 else values.ndim - 1
    limit = 2 ** (np.iinfo(dtype).bits - 1) - 1
    high = np.abs(values).max(tuple(i for i in range(values.ndim) if i != axis), keepdims=True) if per_channel else np.abs(values).max(keepdims=True)
    scale = np.maximum(high, 1e-9) / limit
    x = values / scale
    if rounding == "either":
        x = np.floor(x + np.random.default_rng(seed).random(x.shape))
    q = np.clip(np.round(x), -limit, limit).astype(dtype)
    return q, {"scale": scale.ravel().astype(float).tolist(), "zero_point": [0] * scale.size, "axis": axis}


class Chain:
    """A log of a chain of convolutions with constants; the layers' values are random unless shared."""

    def __init__(self, w, b, dtype="float32", per_channel=True, rounding="nearest", stats=False, data=True, order=None, extra=0, name="w"):
        self.constants, self.stats, self.data, self.extra, self.name = [], stats, data, extra, name
        for i, (weight, bias) in enumerate(zip(w, b)):
            if order and weight.ndim == 4:
                weight = np.ascontiguousarray(weight.transpose(order))
            if dtype == "float16":
                self.constants += [(weight.astype(np.float16), {}), (bias.astype(np.float16), {})]
            elif dtype == "float32":
                self.constants += [(weight, {}), (bias, {})]
            else:
                self.constants += [stored(weight, np.dtype(dtype).type, per_channel, rounding, i), stored(bias, np.int32, False)]

    def write(self, path, role, change=None, frames=2, output=None):
        with Recording(path, role) as log:
            model = PB["Model"](name="chain", engine="tflite", inputs=[0], outputs=[len(self.constants) // 2])
            count = len(self.constants) // 2
            for i in range(count + 1):
                model.tensors.add(name=f"t{i}", dtype=1, shape=[1, 4, 4, 8])
            for i, (array, q) in enumerate(self.constants):
                t = model.tensors.add(name=f"{self.name}{i}", dtype={"float32": 1, "float16": 2, "int8": 5, "int32": 9, "int16": 7}[str(array.dtype)],
                                      shape=array.shape, constant=True)
                if q:
                    t.quantization.scale.extend(q["scale"])
                    t.quantization.zero_point.extend(q["zero_point"])
                    t.quantization.axis = q["axis"]
            for i in range(count):
                model.nodes.add(op="CONV_2D", inputs=[i, count + 1 + 2 * i, count + 2 + 2 * i], outputs=[i + 1])
            for _ in range(self.extra):
                model.nodes.add(op="MUL", inputs=[count], outputs=[count])
            log.add("/model", "Model", model)
            for i, (array, q) in enumerate(self.constants):
                topic = f"/constant/{count + 1 + i}"
                if self.stats:
                    values = array.astype(np.float64)
                    if q:
                        shape = [1] * array.ndim
                        shape[q["axis"]] = -1 if len(q["scale"]) > 1 else 1
                        values = values * np.array(q["scale"]).reshape(shape)
                    t = PB["Tensor"]()
                    t.info.CopyFrom(model.tensors[count + 1 + i])
                    t.stats.count, t.stats.mean, t.stats.variance = values.size, values.mean(), values.var()
                    t.stats.min, t.stats.max = values.min(), values.max()
                    log.add(topic, "Tensor", t)
                elif self.data:
                    log.tensor(topic, array, **q)
            for f in range(frames):
                image = np.random.default_rng(f).normal(size=(1, 4, 4, 8)).astype(np.float32)
                values = np.random.default_rng(f + 100).normal(size=(1, 4, 4, 8)).astype(np.float32)
                log.frame([("/input/t0", image, {}), (f"/output/t{count}", values if output is None else output(values), {})])
        return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, *options, **keywords):
        return validate(edge.write(tmp_path / "e", "edge", **keywords), reference.write(tmp_path / "r", "reference"), *options)

    return run


def model_causes(verdict):
    return [c for c in causes(verdict) if c.startswith("model.")]


W, B = weights()


# ---- The same model -----------------------------------------------------------------------

SAME = {
    "equal": {},
    "float16": {"dtype": "float16"},
    "int8 per channel": {"dtype": "int8"},
    "int8 per tensor": {"dtype": "int8", "per_channel": False},
    "rounded to either neighbour": {"dtype": "int8", "rounding": "either"},
    "int16": {"dtype": "int16"},
    "OIHW": {"order": (0, 3, 1, 2)},
    "HWIO, int8": {"order": (1, 2, 3, 0), "dtype": "int8", "per_channel": False},
    "other names": {"name": "constant_"},
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("stats", [False, True])
def test_the_same_model(judge, name, stats):
    verdict = judge(Chain(W, B, **SAME[name], stats=stats), Chain(W, B, stats=stats))
    assert model_causes(verdict) == [], verdict["findings"]
    assert {a["status"] for a in verdict["assertions"] if a["name"] in ("model.version", "model.weights")} == {"judged"}
    assert model_causes(judge(Chain(W, B, stats=stats), Chain(W, B, **SAME[name]))) == []


def test_a_folded_normalization_is_the_same_model(judge):
    random = np.random.default_rng(4)
    folded = [w * random.uniform(0.3, 3, w.shape[:1] + (1,) * (w.ndim - 1)).astype(np.float32) for w in W]
    assert model_causes(judge(Chain(folded, B, dtype="int8"), Chain(W, B, extra=1))) == []


def test_wrong_layers_and_right_weights(judge):
    """Numeric faults are no other model."""
    verdict = judge(Chain(W, B, dtype="int8"), Chain(W, B), output=lambda v: v * 2 + 1)
    assert verdict["verdict"] == "fail" and model_causes(verdict) == []


# ---- Another ---------------------------------------------------------------------------------

OTHER = {"float": {}, "int8": {"dtype": "int8"}, "per tensor": {"dtype": "int8", "per_channel": False}, "OIHW": {"order": (0, 3, 1, 2)}}


@pytest.mark.parametrize("name", OTHER)
def test_another_training(judge, name):
    w, b = weights(2)
    verdict = judge(Chain(w, b, **OTHER[name]), Chain(W, B), output=lambda v: v[:, ::-1].copy())
    assert causes(verdict) == ["model.version"]
    found = finding(verdict, "model.version")
    assert found["evidence"]["weights_differ"] == 5 and abs(found["evidence"]["correlation"]) < 0.5
    assert "unrelated" in " ".join(found["details"]) or name == "OIHW"


def test_another_training_from_statistics(judge):
    w, b = weights(2)
    verdict = judge(Chain(w, b, stats=True), Chain(W, B, stats=True), output=lambda v: v[:, ::-1].copy())
    assert causes(verdict) == ["model.version"] and finding(verdict, "model.version")["confidence"] <= 0.8


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_fine_tuned_model(judge, dtype):
    random = np.random.default_rng(6)
    tuned = [w + 0.1 * w.std() * random.normal(size=w.shape).astype(np.float32) for w in W]
    verdict = judge(Chain(tuned, B, dtype=dtype), Chain(W, B))
    assert model_causes(verdict) == ["model.version"]
    assert "related" in " ".join(finding(verdict, "model.version")["details"])


CHANGES = {
    "noise": lambda w: w + np.random.default_rng(1).normal(size=w.shape).astype(np.float32) * w.std() * 0.3,
    "zeros": lambda w: w * 0,
    "sign": lambda w: -w,
    "one channel": lambda w: np.concatenate([w[:1] * 0, w[1:]]),
    "scaled": lambda w: w * np.float32(1.5),
    "transposed": lambda w: np.ascontiguousarray(np.roll(w, 1, axis=-1)),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_one_layer(judge, name, dtype):
    changed = list(W)
    changed[3] = CHANGES[name](W[3]).astype(np.float32)
    verdict = judge(Chain(changed, B, dtype=dtype), Chain(W, B), output=lambda v: v[:, ::-1].copy())
    if name == "scaled":  # one factor: only a layer whose values are wrong could tell it from a folded one
        assert "model.version" not in causes(verdict)
        return
    assert model_causes(verdict) == ["model.weights"]
    evidence = finding(verdict, "model.weights")["evidence"]
    assert evidence["weights_differ"] == 1 and evidence["biases_differ"] == 0 and "layer_3" in evidence


def test_biases(judge):
    changed = list(B)
    changed[2] = B[2] + 0.3
    verdict = judge(Chain(W, changed), Chain(W, B))
    assert model_causes(verdict) == ["model.weights"]
    evidence = finding(verdict, "model.weights")["evidence"]
    assert evidence["weights_differ"] == 0 and evidence["biases_differ"] == 1


def test_biases_that_a_tool_corrected(judge):
    corrected = [b * (1 + 0.004 * np.random.default_rng(1).normal(size=b.shape).astype(np.float32)) for b in B]
    assert model_causes(judge(Chain(W, corrected, dtype="int8"), Chain(W, B))) == []


def moved(chain, how, seed=3):
    """The same scales, and other integers in them."""
    random = np.random.default_rng(seed)
    for i in range(0, len(chain.constants), 2):
        q, keywords = chain.constants[i]
        x = q.astype(np.float64) + random.uniform(-0.5, 0.5, q.shape)  # what it may have been rounded from
        x = np.floor(x + random.random(q.shape)) if how == "either" else np.round(x + how * q.std() * random.normal(size=q.shape))
        chain.constants[i] = (np.clip(x, -127, 127).astype(np.int8), keywords)
    return chain


MANY = weights(4, [(16, 3, 3, 8), (32, 3, 3, 16), (16, 1, 1, 128), (64, 3, 3, 16), (32, 1, 1, 64), (32, 3, 3, 32), (64, 1, 1, 64),
                   (24, 3, 3, 32), (48, 1, 1, 64), (10, 480)])


@pytest.mark.parametrize("per_channel", [True, False])
def test_statistics_of_weights_in_the_same_steps(judge, per_channel):
    """Another training shows in statistics alone where the scales are equal; another rounding does not."""
    def chain():
        return Chain(*MANY, dtype="int8", per_channel=per_channel, stats=True)

    assert model_causes(judge(chain(), chain())) == []
    for seed in range(5):
        assert model_causes(judge(moved(chain(), "either", seed), chain())) == []
        assert model_causes(judge(moved(chain(), 0.08, seed), chain())) == ["model.version"]


def test_biases_of_8_bits_against_float_in_a_partition(judge):
    """Converters move integer biases; whether that matters, the values must show."""
    other = [b + 0.3 * b.std() * np.random.default_rng(7).normal(size=b.shape).astype(np.float32) for b in B]
    assert model_causes(judge(Chain(W, other, dtype="int8"), Chain(W, B, extra=3))) == []
    wrong = judge(Chain(W, other), Chain(W, B), output=lambda v: v[:, ::-1].copy())
    assert model_causes(wrong) == ["model.weights"]


def test_another_architecture(judge):
    other = weights(2, [(24, 5, 5, 8), (48, 3, 3, 24), (100, 48), (7, 100)])
    verdict = judge(Chain(*other), Chain(W, B), output=lambda v: v[:, ::-1].copy())
    assert causes(verdict)[0] == "model.version" and "another model" in verdict["findings"][0]["summary"]


def test_unjudged_without_constants(judge):
    for edge, reference in ((Chain(W, B, data=False), Chain(W, B)), (Chain(W, B), Chain(W, B, data=False))):
        verdict = judge(edge, reference)
        assert model_causes(verdict) == []
        for a in verdict["assertions"]:
            if a["name"] in ("model.version", "model.weights"):
                assert a["status"] == "unjudged" and "full" in a["reason"]


def test_options(judge):
    random = np.random.default_rng(6)
    tuned = [w + 0.1 * w.std() * random.normal(size=w.shape).astype(np.float32) for w in W]
    edge, reference = Chain(tuned, B, dtype="int8"), Chain(W, B)
    assert model_causes(judge(edge, reference, "--set", "model.version.rounding_factor=100",
                              "--set", "model.weights.rounding_factor=100")) == []


def test_damaged_constants(judge, tmp_path):
    """Shapes and bytes that do not go together."""
    chain = Chain(W, B)
    chain.constants[0] = (W[0][:4], {})
    verdict = judge(chain, Chain(W, B))
    assert "model.version" not in causes(verdict)


# ---- Real models ---------------------------------------------------------------------------------

PIPELINES = {"lite0": "[127, 127, 127]", "mobilenet": "[128, 128, 128]"}


@testdata.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    made = {}

    def run(model, capture="full", kernels="builtin"):
        path = testdata.model(f"{model}.tflite")
        if not ENGINE.exists():
            pytest.skip(f"needs {ENGINE}")
        key = f"{model}-{capture}-{kernels}"
        if key not in made:
            (folder / "p.yaml").write_text("task: classification\nimage:\n  crop: center 0.875\n  resize: bilinear\n  normalize: "
                                           f"{{mean: {PIPELINES['lite0' if 'lite0' in model else 'mobilenet']}, std: [128, 128, 128]}}\n")
            out = folder / f"{key}.mcap"
            command = [EXRAY, "record", "--engine", "tflite", "--engine-lib", ENGINE, "--kernels", kernels, "--model", path, "--pipeline", folder / "p.yaml",
                       "--data", testdata.PICTURES, "--frames", "3", "--capture", capture, "-o", out]
            result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
            assert result.returncode == 0, result.stderr
            made[key] = out
        return made[key]

    return run


LITE0 = "efficientnet_lite0_"
SAME_REAL = [("int8", "float"), ("int8_per_tensor", "float"), ("int8_per_tensor", "int8"), ("int8_badcal", "float"), ("int8_flatcal", "int8"),
             ("int8_darkcal", "float"), ("float", "float")]


@pytest.mark.parametrize("edge,reference", SAME_REAL)
@pytest.mark.parametrize("capture", ["full", "stats"])
def test_real_copies_of_the_same_model(record, edge, reference, capture):
    verdict = validate(record(LITE0 + edge, capture), record(LITE0 + reference, capture))
    assert model_causes(verdict) == []
    assert all(a["status"] == "judged" for a in verdict["assertions"] if a["name"] in ("model.version", "model.weights"))


@pytest.mark.parametrize("edge", ["float", "int8"])
def test_real_model_in_one_partition(record, edge):
    verdict = validate(record(LITE0 + edge, kernels="xnnpack"), record(LITE0 + "float"))
    assert model_causes(verdict) == []


HEALTHY_KERNELS = [("mobilenet_v2_1.0_224_uint8", "mobilenet_v2_1.0_224_uint8"), ("mobilenet_v1_0.25_224_uint8", "mobilenet_v1_0.25_224_uint8"),
                   (LITE0 + "int8", LITE0 + "int8"), (LITE0 + "float", LITE0 + "float")]


@pytest.mark.parametrize("edge,reference", HEALTHY_KERNELS)
@pytest.mark.parametrize("kernels", [("builtin", "xnnpack"), ("xnnpack", "builtin")])
@pytest.mark.parametrize("capture", ["full", "stats", "io"])
def test_other_kernels_are_healthy(record, edge, reference, kernels, capture):
    verdict = validate(record(edge, capture, kernels[0]), record(reference, capture, kernels[1]))
    assert [c for c in causes(verdict) if not c.startswith("log.")] == []


@pytest.mark.parametrize("capture", ["full", "stats"])
def test_real_versions(record, capture):
    """The 8-bit MobileNet of the assets was trained again: up to 18 times rounding."""
    verdict = validate(record("mobilenet_v1_0.25_224_uint8", capture), record("mobilenet_v1_0.25_224_float", capture))
    assert causes(verdict)[0] == "model.version" and "layer.unknown" not in causes(verdict)
    if capture == "full":
        assert finding(verdict, "model.version")["evidence"]["correlation"] > 0.9


def test_real_architectures(record):
    verdict = validate(record("mobilenet_v1_0.25_224_uint8"), record(LITE0 + "float"))
    assert "model.version" in causes(verdict)


def test_io_capture_is_unjudged(record):
    verdict = validate(record(LITE0 + "int8", "io"), record(LITE0 + "float", "io"))
    assert model_causes(verdict) == []
    assert {a["status"] for a in verdict["assertions"] if a["name"] in ("model.version", "model.weights")} == {"unjudged"}
