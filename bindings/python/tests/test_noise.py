"""What is noise: functions without a bound near a point, channels of very different sizes."""

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
WIDTH = 32


def model(path, nodes, constants, shape=(4, WIDTH)):
    graph = helper.make_graph([helper.make_node(op, i, [o], o, **a) for op, i, o, a in nodes], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def log(path, role, made, feeds):
    with exray.Recorder(path, role=role, capture="full") as r:
        session = exray.onnx.Session(made, r, kernels="none")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                session.run(None, {"x": x})


def found(folder, edge, reference, feeds, others=None):
    log(folder / "edge.mcap", "edge", edge, feeds)
    log(folder / "reference.mcap", "reference", reference, others or feeds)
    report = exray.validate(folder / "edge.mcap", folder / "reference.mcap")
    return report.verdict, [(f["cause"], f["where"]["layer"]) for f in report.json["findings"] if not f["cause"].startswith("perf.") and f["severity"] != "info"]


def feeds(count=4, seed=2):
    return [np.random.default_rng(seed + i).normal(0, 1, (4, WIDTH)).astype(np.float32) for i in range(count)]


def weights(seed=1):
    return np.random.default_rng(seed).normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH)).astype(np.float32)


def near_zero(path, function="Log", dtype=np.float32):
    """A function of what is nearly zero where a difference cancels: in float16 most of its result is rounding."""
    cast = [("Cast", ["x"], "c", {"to": 10 if dtype == np.float16 else 1}), ("MatMul", ["c", "w"], "h", {}), ("MatMul", ["c", "v"], "k", {}), ("Sub", ["h", "k"], "d", {}),
            ("Abs", ["d"], "a", {}), ("Add", ["a", "tiny"], "t", {}), (function, ["t"], "l", {}), ("Cast", ["l"], "y", {"to": 1})]
    w = weights()
    return model(path, cast, {"w": w.astype(dtype), "v": (w * (1 + 5e-2 * weights(2))).astype(dtype), "tiny": np.asarray(1e-4, dtype)})


@pytest.mark.parametrize("function", ["Log", "Reciprocal", "Sqrt"])
def test_what_cancels_in_16_bits(tmp_path, function):
    assert found(tmp_path, near_zero(tmp_path / "h.onnx", function, np.float16), near_zero(tmp_path / "f.onnx", function), feeds()) == ("pass", [])


def test_another_function_is_no_noise(tmp_path):
    verdict, causes = found(tmp_path, near_zero(tmp_path / "a.onnx", "Sqrt"), near_zero(tmp_path / "b.onnx", "Log"), feeds())
    assert verdict == "fail" and causes


def scaled(path, scales):
    """Columns of very different sizes, and a scale for each that makes it good; `scales` of the 8-bit weights: "column", "tensor", None."""
    size = (10 ** np.random.default_rng(3).uniform(-2.5, 0, WIDTH)).astype(np.float32)
    w = weights() * size
    constants, nodes = {"s": (1 / size).astype(np.float32)}, []
    if scales:
        step = (np.abs(w).max(0 if scales == "column" else None) / 127).astype(np.float32)
        constants.update({"w": np.round(w / step).astype(np.int8), "step": step})
        nodes.append(("DequantizeLinear", ["w", "step"], "w_d", {"axis": 1}))
    else:
        constants["w"] = w
    nodes += [("MatMul", ["x", "w_d" if scales else "w"], "dense", {}), ("Mul", ["dense", "s"], "y", {})]
    return model(path, nodes, constants)


def test_one_scale_for_all_columns(tmp_path):
    right = scaled(tmp_path / "f.onnx", None)
    assert found(tmp_path, scaled(tmp_path / "c.onnx", "column"), right, feeds()) == ("pass", [])
    assert found(tmp_path, scaled(tmp_path / "t.onnx", "tensor"), right, feeds()) == ("fail", [("layer.per_tensor_weights", 1)])
