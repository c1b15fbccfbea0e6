"""Weights in 8-bit floats (e4m3) behind DequantizeLinear: their scale counts, and they are rounded by what floats of so few bits are."""

import numpy as np
import pytest

import exray

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

CODES = np.arange(128)
VALUES = np.where(CODES >> 3, (8 + CODES % 8) * 2.0 ** ((CODES >> 3) - 10), CODES * 2.0**-9)[:127]  # the last is NaN


def encoded(w, scale):
    nearest = np.abs(np.abs(w / scale)[..., None] - VALUES).argmin(-1)
    return (nearest | np.where(w < 0, 128, 0)).astype(np.uint8)


def model(path, float8, change=lambda i, w: w, scales=lambda i, s: s, zero=False):
    nodes, constants, x = [], [], "x"
    for i in range(3):
        w = change(i, np.random.default_rng(i).normal(0, 0.2, (32, 32)).astype(np.float32))
        if float8:
            scale = np.float32(np.abs(w).max() / 200)
            constants.append(helper.make_tensor(f"q{i}", TensorProto.FLOAT8E4M3FN, w.shape, encoded(w, scale).tobytes(), raw=True))
            constants.append(numpy_helper.from_array(np.float32(scales(i, scale)), f"s{i}"))
            if zero:
                constants.append(helper.make_tensor(f"z{i}", TensorProto.FLOAT8E4M3FN, [], b"\0", raw=True))
            nodes.append(helper.make_node("DequantizeLinear", [f"q{i}", f"s{i}", *([f"z{i}"] if zero else [])], [f"w{i}"], name=f"dq{i}"))
        else:
            constants.append(numpy_helper.from_array(w, f"w{i}"))
        constants.append(numpy_helper.from_array(np.random.default_rng(9 + i).normal(0, 0.3, 32).astype(np.float32), f"b{i}"))
        nodes += [helper.make_node("MatMul", [x, f"w{i}"], [f"p{i}"], name=f"p{i}"), helper.make_node("Add", [f"p{i}", f"b{i}"], [f"a{i}"], name=f"a{i}"),
                  helper.make_node("Tanh", [f"a{i}"], ["y" if i == 2 else f"t{i}"], name=f"t{i}")]
        x = f"t{i}"
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 32])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 32])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9), path)
    return path


def judged(folder, **edge):
    for role, made in (("edge", model(folder / "e.onnx", True, **edge)), ("reference", model(folder / "r.onnx", False))):
        with exray.Recorder(folder / f"{role}.mcap", role=role, capture="full") as recorder:
            session = exray.onnx.tap(str(made), recorder)
            for k in range(4):
                with recorder.frame(source=str(k)):
                    session.run(None, {"x": np.random.default_rng(70 + k).normal(0, 1, (4, 32)).astype(np.float32)})
    return exray.validate(folder / "edge.mcap", folder / "reference.mcap")


@pytest.mark.parametrize("zero", [False, True])
def test_a_healthy_copy_passes(tmp_path, zero):
    report = judged(tmp_path, zero=zero)
    assert report.verdict == "pass" and [f.cause for f in report.findings if f.severity != "info"] == []
    with exray.open(tmp_path / "edge.mcap") as log:
        stored = [t for t in log.model.tensors if t.name.startswith("q")]
        assert len(stored) == 3 and all(t.quantization and t.dtype == "float8_e4m3" for t in stored)


@pytest.mark.parametrize("fault", [{"scales": lambda i, s: 2 * s if i == 1 else s}, {"change": lambda i, w: np.roll(w, 1, 0) if i == 1 else w}], ids=["scale", "rows"])
def test_one_layer_of_others_is_named(tmp_path, fault):
    report = judged(tmp_path, **fault)
    assert [f.cause for f in report.findings if f.severity == "error"] == ["model.weights"] and "q1" in str(report.json["findings"][0])


def test_another_training_is_another_version(tmp_path):
    report = judged(tmp_path, change=lambda i, w: np.random.default_rng(40 + i).normal(0, 0.2, w.shape).astype(np.float32))
    assert [f.cause for f in report.findings if f.severity == "error"] == ["model.version"]
