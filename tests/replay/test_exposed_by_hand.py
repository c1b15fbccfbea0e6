"""A model that `exray expose` gave its layers for outputs, whose file does not tell their types and shapes, against the
plain one."""

import json

import numpy as np
import pytest
from PIL import Image

onnx = pytest.importorskip("onnx")

from replayed import run  # noqa: E402
from test_open_dimensions import onnx_cnn  # noqa: E402


@pytest.fixture
def work(tmp_path):
    rng = np.random.default_rng(5)
    (tmp_path / "pictures").mkdir()
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    (tmp_path / "p.yaml").write_text("image: {resize: none, normalize: {mean: 127.5, std: 127.5}}\n")
    onnx_cnn(tmp_path / "plain.onnx")
    return tmp_path


def exposed(work, kernel=3):
    model = onnx.load(work / "plain.onnx")
    if kernel != 3:  # the same weights, further apart
        conv = model.graph.node[0]
        del conv.attribute[:]
        conv.attribute.extend([onnx.helper.make_attribute("dilations", [2, 2]), onnx.helper.make_attribute("pads", [2] * 4)])
    onnx.save(model, work / "other.onnx")
    run("expose", work / "other.onnx", "-o", work / "shown.onnx")
    return work / "shown.onnx"


def compared(work, model, swapped, kernels):
    given = "--pipeline", work / "p.yaml", "--kernels", kernels
    run("record", "-q", "--model", model, *given, "--data", work / "pictures", "-o", work / "shown.mcap")
    run("replay", "-q", work / "shown.mcap", "--model", work / "plain.onnx", *given, "-o", work / "plain.mcap")
    logs = [work / "shown.mcap", work / "plain.mcap"][:: -1 if swapped else 1]
    return logs, ("validate", *logs, "--json", "-")


@pytest.mark.parametrize("kernels", ["default", "none"])
@pytest.mark.parametrize("swapped", [False, True])
def test_its_layers_are_compared(work, swapped, kernels):
    _, call = compared(work, exposed(work), swapped, kernels)
    found = json.loads(run(*call))
    assert found["verdict"] == "pass" and not [f for f in found["findings"] if f["severity"] != "info" and f["cause"][:5] != "perf."]
    cover = found["coverage"]
    assert cover["compared"] + cover["fused"] >= cover["edge_layers"] >= 3 and cover["compared"] >= 2


def test_what_is_wrong_in_it_is_named(work):
    logs, _ = compared(work, exposed(work, kernel=5), False, "none")
    run("validate", *logs, "--json", work / "v.json", status=1)
    first = json.loads((work / "v.json").read_text())["findings"][0]
    assert first["cause"] == "model.operator" and "dilation" in json.dumps(first)
