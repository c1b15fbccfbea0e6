"""Sketches: against an implementation written from the specification, against the
metrics of the tensors themselves, and in verdicts."""

import subprocess

import numpy as np
import pytest
import testdata

from log_writer import PB  # noqa: E402
from sketch_reference import estimate, sketch  # noqa: E402
from validate_support import EXRAY, ROOT, Recording, causes, validate  # noqa: E402

from mcap.reader import make_reader  # noqa: E402
from mcap_protobuf.decoder import DecoderFactory  # noqa: E402

PIPELINE = ROOT / "examples" / "lite0.yaml"
MODELS = {
    "lite0": "efficientnet_lite0_float.tflite",
    "lite0-int8": "efficientnet_lite0_int8.tflite",
    "flatcal": "efficientnet_lite0_int8_flatcal.tflite",
    "darkcal": "efficientnet_lite0_int8_darkcal.tflite",
    "mobilenet": "mobilenet_v1_0.25_224_float.tflite",
    "mobilenet-uint8": "mobilenet_v1_0.25_224_uint8.tflite",
}
needs_models = pytest.mark.data


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """logs(model, capture, fault) is the path of such a log of three pictures."""
    folder, made = tmp_path_factory.mktemp("sketch"), {}
    text = PIPELINE.read_text()
    faults = {
        "": text,
        "bgr": text.replace("channels: rgb", "channels: bgr"),
        "mean": text.replace("[127, 127, 127]", "[0, 0, 0]").replace("[128, 128, 128]", "[255, 255, 255]"),
        "turned": text.replace("channels: rgb", "rotate: 90\n  channels: rgb"),
    }

    def make(model, capture, fault=""):
        key = (model, capture, fault)
        if key not in made:
            pipeline = folder / f"{fault or 'right'}.yaml"
            pipeline.write_text(faults[fault])
            out = folder / ("-".join(filter(None, key)) + ".mcap")
            command = [EXRAY, "record", "--engine", "tflite", "--model", testdata.model(MODELS[model]), "--pipeline", pipeline,
                       "--data", testdata.PICTURES, "--frames", 3, "--capture", capture, "-o", out]  # fmt: skip
            result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            if result.returncode == 2 and "engine" in result.stderr:
                pytest.skip(result.stderr.strip())
            assert result.returncode == 0, result.stderr
            made[key] = out
        return made[key]

    return make


def layers(path):
    """Of the first frame."""
    with open(path, "rb") as file:
        for _, channel, _, message in make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages():
            if channel.topic == "/model":
                model = message
            elif channel.topic == "/frame":
                return
            elif channel.topic.startswith("/layer/"):
                yield (channel.topic, message.frame), message, model.tensors[message.tensor]


def real(message, info):
    if info.dtype == 1:
        return np.frombuffer(message.data, dtype=np.float32)
    stored = np.frombuffer(message.data, dtype={5: np.int8, 6: np.uint8, 9: np.int32}[info.dtype]).astype(np.float32)
    if not info.quantization.scale:
        return stored
    assert len(info.quantization.scale) == 1
    return (stored - np.float32(info.quantization.zero_point[0])) * np.float32(info.quantization.scale[0])


@needs_models
@pytest.mark.parametrize("model", ["lite0", "lite0-int8", "mobilenet-uint8"])
def test_recorded_as_specified(logs, model):
    full = {key: real(message, info) for key, message, info in layers(logs(model, "full"))}
    count = size = tensor_bytes = 0
    for key, message, _ in layers(logs(model, "sketch")):
        wanted = sketch(full[key], seed=message.sketch.seed)
        assert message.sketch.version == 1 and not message.data
        assert np.array_equal(np.array(message.sketch.bucket, np.float32).view(np.uint32), wanted.view(np.uint32)), key
        count += 1
        size += message.stats.ByteSize() + message.sketch.ByteSize()
        tensor_bytes += full[key].nbytes
    assert count == len(full) > 0
    if model == "lite0":
        assert tensor_bytes >= 400 * size


PAIRS = [
    ("lite0-int8", "", "lite0"),
    ("lite0", "bgr", "lite0"),
    ("lite0", "mean", "lite0"),
    ("lite0-int8", "turned", "lite0"),
    ("flatcal", "", "lite0"),
    ("mobilenet-uint8", "", "mobilenet"),
    ("mobilenet", "bgr", "mobilenet"),
]


@needs_models
@pytest.mark.parametrize("edge,fault,reference", PAIRS)
def test_estimates_and_verdict(logs, edge, fault, reference):
    """Both sides sketched, or one: as with all the data."""
    truth = validate(logs(edge, "full", fault), logs(reference, "full"))
    both = validate(logs(edge, "sketch", fault), logs(reference, "sketch"))
    one = validate(logs(edge, "sketch", fault), logs(reference, "full"))
    assert one["coverage"]["with_sketch"] == both["coverage"]["with_sketch"] > 0
    assert both["coverage"]["with_data"] == both["coverage"]["with_stats"] == 0
    for seen in (both, one):
        assert seen["verdict"] == truth["verdict"]
        assert causes(seen)[:1] == causes(truth)[:1]
        off, outside, cosines = [], 0, []
        for a, b in zip(seen["layers"], truth["layers"], strict=True):
            assert a["edge"] == b["edge"] and a["from_sketch"]
            if b["nrmse"] is None or b["nrmse"] < 0.01:
                continue
            off.append(abs(a["nrmse"] / b["nrmse"] - 1))
            cosines.append(abs(a["cosine"] - b["cosine"]) / max(1 - b["cosine"], 1e-3))
            outside += not a["nrmse_bounds"][0] <= b["nrmse"] * (1 + 1e-5) or not b["nrmse"] <= a["nrmse_bounds"][1] * (1 + 1e-5)
        print(f"{edge} {fault}: {len(off)} layers, nRMSE off by {np.median(off):.1%} (median), {max(off):.1%} (worst); "
              f"1 - cosine by {np.median(cosines):.1%}, {max(cosines):.1%}; {outside} outside their bounds")  # fmt: skip
        assert len(off) >= 3 and np.median(off) <= 0.04 and max(off) <= 0.2
        assert np.median(cosines) <= 0.15
        assert outside <= 1


@needs_models
@pytest.mark.parametrize("reference", ["lite0", "lite0-int8"])
@pytest.mark.parametrize("edge", ["flatcal", "darkcal"])
def test_saturation_from_statistics(logs, edge, reference):
    """No value at hand: shares at the ends of the type, means and extrema say what is clipped."""
    verdict = validate(logs(edge, "stats"), logs(reference, "stats"))
    assert causes(verdict) == ["layer.saturation"]
    truth = validate(logs(edge, "full"), logs(reference, "full"))
    seen, listed = ({k for k in v["findings"][0]["evidence"] if k.startswith("layer_")} for v in (verdict, truth))
    assert len(seen & listed) >= 0.5 * max(len(seen), len(listed))
    assert verdict["findings"][0]["where"]["layer"] in testdata.expected(imagenet=(3, 6), packages=(3, 6, 9, 10))
    assert causes(validate(logs("lite0-int8", "stats"), logs("lite0", "stats"))) == []


STRUCTURES = {
    "constant": lambda n: np.ones(n),
    "a channel of 32": lambda n: (np.arange(n) % 32 == 5) * 1.0,
    "a channel of 256": lambda n: (np.arange(n) % 256 == 200) * 1.0,
    "a row": lambda n: (np.arange(n) < 3600) * 1.0,
    "a period of 251": lambda n: (np.arange(n) % 251 == 7) * 1.0,
    "a wave": lambda n: np.sin(np.arange(n) * 2 * np.pi / 256),
    "one spike": lambda n: (np.arange(n) == n // 2) * 1.0,
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_unbiased_over_seeds(name):
    error = STRUCTURES[name](60000).astype(np.float32)
    truth = float(np.sum(error.astype(float) ** 2))
    ratios = [estimate(sketch(error, seed=s), np.zeros(251)) / truth for s in (*range(1, 60), *((s << 32) + 9 for s in range(60)))]
    spread = np.std(ratios)
    assert abs(np.mean(ratios) - 1) < 4 * spread / np.sqrt(len(ratios)) + 1e-6
    if name != "a period of 251":  # what the specification warns of
        assert spread < 0.15


def write(path, role, values, version=1, seed=1, change=None, layout="", data=False):
    with Recording(path, role) as log:
        log.frame([])
        message = PB["Tensor"](frame=0)
        message.info.name, message.info.dtype, message.info.layout = "x", 1, layout
        message.info.shape.extend(values.shape)
        x = values.astype(float)
        for key, value in {"count": x.size, "min": x.min(), "max": x.max(), "mean": x.mean(), "variance": x.var()}.items():
            setattr(message.stats, key, value)
        if data:
            message.data = values.tobytes()
        else:
            buckets = sketch(values, layout, seed)
            message.sketch.version, message.sketch.seed = version, seed
            message.sketch.bucket.extend((change(buckets) if change else buckets).tolist())
        log.add("/layer/0", "Tensor", message)
    return path


@pytest.fixture
def tensors():
    random = np.random.default_rng(3)
    x = random.normal(size=(1, 9, 7, 40)).astype(np.float32)
    return x, x + random.normal(size=x.shape).astype(np.float32) * 0.05


@pytest.mark.parametrize("layout,data", [("NCHW", False), ("NCHW", True), ("", True)])
def test_channels_first_and_last(tmp_path, tensors, layout, data):
    """Two sketches of known layout, one with the other's data, and one of unknown layout."""
    x, y = tensors
    first = np.ascontiguousarray(np.moveaxis(y, -1, 1))
    layer = validate(write(tmp_path / "e", "edge", x, layout="NHWC" if layout else ""),
                     write(tmp_path / "r", "reference", first, layout=layout, data=data))["layers"][0]  # fmt: skip
    truth = np.sqrt(np.mean((x - y).astype(float) ** 2)) / float(y.max() - y.min())
    assert layer["from_sketch"] and abs(layer["nrmse"] / truth - 1) < 0.15
    assert layer["nrmse_bounds"][0] <= truth <= layer["nrmse_bounds"][1]


def test_equal_tensors(tmp_path, tensors):
    x, _ = tensors
    layer = validate(write(tmp_path / "e", "edge", x), write(tmp_path / "r", "reference", x))["layers"][0]
    assert layer["from_sketch"] and layer["nrmse"] == 0 and layer["cosine"] == 1 and layer["role"] == "clean"


DAMAGES = {
    "no buckets": {"change": lambda b: b[:0]},
    "too few": {"change": lambda b: b[:-1]},
    "too many": {"change": lambda b: np.tile(b, 3)},
    "not finite": {"change": lambda b: np.where(np.arange(b.size) == 9, np.inf, b)},
    "nan": {"change": lambda b: np.where(np.arange(b.size) == 9, np.nan, b)},
    "another version": {"version": 2},
    "no version": {"version": 0},
    "another seed": {"seed": 2},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_sketches_that_do_not_compare(tmp_path, tensors, damage):
    """Statistics are what is left, and the layer says why."""
    x, y = tensors
    verdict = validate(write(tmp_path / "e", "edge", x, **DAMAGES[damage]), write(tmp_path / "r", "reference", y))
    layer = verdict["layers"][0]
    assert layer["from_stats"] and not layer["from_sketch"] and layer["nrmse"] is None
    assert "sketch" in layer["problem"]


def test_unknown_orders_do_not_compare(tmp_path, tensors):
    x, y = tensors
    first = np.ascontiguousarray(np.moveaxis(y, -1, 1))
    layer = validate(write(tmp_path / "e", "edge", x), write(tmp_path / "r", "reference", first))["layers"][0]
    assert layer["from_stats"] and "order" in layer["problem"]
