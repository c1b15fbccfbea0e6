"""exray.onnx.Session and the program with a model whose tensors lie in a file beside it."""

import os
import subprocess

import numpy as np
import pytest

import exray

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


@pytest.fixture
def path(tmp_path):
    weights = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["product"]), helper.make_node("Relu", ["product"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])], [numpy_helper.from_array(weights, "w")])
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path, save_as_external_data=True,
              location="net.onnx.data", size_threshold=0)
    return path


@pytest.mark.parametrize("kernels", ["none", "default"])
@pytest.mark.parametrize("relative", [False, True])
def test_a_session_finds_external_data(tmp_path, path, kernels, relative, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    model = os.path.relpath(path) if relative else path
    x = np.ones((1, 8), np.float32)
    with exray.Recorder(tmp_path / "log.mcap", capture="full") as recorder:
        session = exray.onnx.Session(model, recorder, kernels=kernels)
        with recorder.frame():
            y = session.run(None, {"x": x})[0]
    with exray.open(tmp_path / "log.mcap") as log:
        frame = next(iter(log))
        assert any(np.array_equal(t.numpy(), y) for t in frame.layers.values())
        (weights,) = [c.numpy() for c in log.constants.values() if c.name == "w"]
        np.testing.assert_allclose(np.maximum(x @ weights, 0), y, rtol=1e-5)


def test_other_data_is_another_model(tmp_path, path):
    x = np.ones((1, 8), np.float32)
    for role in ("edge", "reference"):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="full") as recorder:
            session = exray.onnx.Session(path, recorder, kernels="none")
            for i in range(2):
                with recorder.frame(source=str(i)):
                    session.run(None, {"x": x * (i + 1)})
        data = path.with_name("net.onnx.data")
        data.write_bytes((np.frombuffer(data.read_bytes(), np.float32) * 1.5).tobytes())
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    assert report.verdict == "fail" and report.json["findings"][0]["cause"] in ("model.weights", "model.version")


def test_data_outside_the_folder_are_an_error(tmp_path, path):
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../net.onnx.data"
    os.rename(path.with_name("net.onnx.data"), tmp_path / "net.onnx.data")
    path.write_bytes(model.SerializeToString())
    with exray.Recorder(tmp_path / "log.mcap") as recorder, pytest.raises(exray.FileError, match="own folder"):
        exray.onnx.Session(path, recorder)
