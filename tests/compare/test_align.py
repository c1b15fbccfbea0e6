"""Layers of one model in two engines and two types are matched by what they are and
hold: TensorFlow Lite logs against logs of onnxruntime's graphs, whose architecture is known."""

import subprocess

import numpy as np
import pytest
import testdata
from log_writer import PB
from mcap.reader import make_reader
from PIL import Image
from validate_support import EXRAY, validate

onnx_log = pytest.importorskip("onnx_log")
pytestmark = pytest.mark.data

KINDS = {"conv": "CONV_2D DEPTHWISE_CONV_2D Conv FusedConv QLinearConv", "add": "ADD Add QLinearAdd",
         "pool": "MEAN GlobalAveragePool QLinearGlobalAveragePool", "dense": "FULLY_CONNECTED Gemm QGemm",
         "softmax": "SOFTMAX Softmax QLinearSoftmax"}
KIND = {op: kind for kind, ops in KINDS.items() for op in ops.split()}
PIPELINE = """task: classification
image:
  crop: center 0.875
  resize: bicubic 224x224 antialias
  channels: %s
  normalize: {mean: [127, 127, 127], std: [128, 128, 128]}
"""


def model_of(log):
    with open(log, "rb") as f:
        for _, _, message in make_reader(f).iter_messages(topics=["/model"]):
            return PB["Model"].FromString(message.data)
    return None


def computed(model):
    """Of each node, the layer of the architecture that it is or passes on: ("conv", 12)."""
    found, count, made = [], {}, {}
    for node in model.nodes:
        kind = KIND.get(node.op)
        if kind:
            count[kind] = count.get(kind, 0) + 1
            what = (kind, count[kind])
        else:
            what = next((made[t] for t in node.inputs if made.get(t)), None)
        found.append(what)
        made.update(dict.fromkeys(node.outputs, what))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("align")


def pictures():
    return testdata.pictures(2)


def tflite(folder, kind, capture, channels="rgb"):
    out = folder / f"{kind}-{capture}-{channels}.mcap"
    if not out.exists():
        (folder / "list.txt").write_text("".join(f"{p}\n" for p in pictures()))
        pipeline = folder / f"{channels}.yaml"
        pipeline.write_text(PIPELINE % channels)
        subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.model(f"efficientnet_lite0_{kind}.tflite"),
                        "--pipeline", pipeline, "--data", folder / "list.txt", "--capture", capture, "-o", out],
                       check=True, capture_output=True)
    return out


def centre(path):
    image = Image.open(path).convert("RGB")
    side = int(np.floor(min(image.size) * 0.875 + 0.5))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)
    return ((np.asarray(image, np.float32) - 127) / 128)[None]


def onnx(folder, kind, level, capture, anonymous):
    out = folder / f"{kind}-{level}-{capture}-{anonymous}.onnx.mcap"
    if not out.exists():
        with open(tflite(folder, "float", capture), "rb") as f:
            sources = [PB["Frame"].FromString(m.data).source for _, _, m in make_reader(f).iter_messages(["/frame"])]
        onnx_log.record(testdata.model(f"efficientnet_lite0_{kind}.onnx"), out, [centre(p) for p in pictures()], folder, level,
                        capture=capture, anonymous=anonymous, sources=sources)
    return out


def check(edge, reference, values=True):
    """Every layer of the architecture is matched, none wrongly; returns the report."""
    report = validate(edge, reference)
    of_edge, of_reference = computed(model_of(edge)), computed(model_of(reference))
    matched = set()
    for pair in report["layers"]:
        a, b = of_edge[pair["edge"]["index"]], of_reference[pair["reference"]["index"]]
        assert a == b, pair
        matched.add(a)
    assert len(matched - {None}) == 61
    coverage = report["coverage"]
    assert coverage["compared"] == len(report["layers"])
    assert coverage["compared"] + coverage["fused"] == coverage["edge_layers"]
    if values:  # what is compared is the same value, not what stands before the activation
        assert all(pair["cosine"] > 0.9 for pair in report["layers"]), report["layers"]
        assert report["verdict"] == "pass", report["findings"]
    return report


@pytest.mark.parametrize("anonymous", [False, True])
@pytest.mark.parametrize("level", ["extended", "none"])
@pytest.mark.parametrize(("edge", "reference"), [("float", "float"), ("int8", "int8"), ("float", "int8"),
                                                 ("int8", "float")])
def test_tflite_against_onnx(edge, reference, level, anonymous, folder):
    tf, on = tflite(folder, edge, "full"), onnx(folder, reference, level, "full", anonymous)
    check(tf, on)
    check(on, tf)


@pytest.mark.parametrize("level", ["extended", "none"])
def test_by_statistics(level, folder):
    check(tflite(folder, "float", "stats"), onnx(folder, "float", level, "stats", True), values=False)


def test_wrong_inputs_do_not_mislead(folder):
    """Every value differs from the reference's, and the layers are still the same."""
    report = check(tflite(folder, "int8", "full", "bgr"), onnx(folder, "float", "none", "full", True),
                   values=False)
    assert report["findings"][0]["cause"] == "input.channel_order"


def test_quantized_onnx_against_float(folder, tmp_path):
    float_log, int8_log = tmp_path / "float.mcap", tmp_path / "int8.mcap"
    arrays = [np.ascontiguousarray((a[:, 32:192, 32:192] * 128 + 127).transpose(0, 3, 1, 2) / 127.5 - 1, np.float32)
              for a in map(centre, pictures())]
    onnx_log.record(testdata.model("mobilenet_v2_dogs_int8.onnx"), int8_log, arrays, tmp_path, role="edge", anonymous=True)
    onnx_log.record(testdata.model("mobilenet_v2_dogs_float.onnx"), float_log, arrays, tmp_path, "none")
    report = validate(int8_log, float_log)
    of_edge, of_reference = computed(model_of(int8_log)), computed(model_of(float_log))
    for pair in report["layers"]:
        assert of_edge[pair["edge"]["index"]] == of_reference[pair["reference"]["index"]], pair
    coverage = report["coverage"]
    assert coverage["compared"] >= 0.95 * (coverage["edge_layers"] - coverage["fused"])
