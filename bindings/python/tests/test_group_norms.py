"""GroupNormalization as one operator, and as the chain that exporters made of it before ONNX had one."""

import numpy as np
import pytest

import exray
import exray.onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
CHANNELS, SIDE = 8, 10


def model(path, form, epsilon, groups=4):
    random = np.random.default_rng(3)
    constants = {"w1": random.normal(0, .03, (CHANNELS, 3, 3, 3)), "gamma": random.uniform(.5, 1.5, CHANNELS), "beta": random.uniform(-.3, .3, CHANNELS),
                 "w2": random.normal(0, .2, (5, CHANNELS, 3, 3))}
    node = helper.make_node
    nodes = [node("Conv", ["x", "w1"], ["first"], "first", pads=[1] * 4)]
    if form == "operator":
        nodes.append(node("GroupNormalization", ["first", "gamma", "beta"], ["normed"], "normed", num_groups=groups, epsilon=epsilon))
    else:
        constants |= {"ones": np.ones(groups), "zeros": np.zeros(groups), "scale": constants.pop("gamma").reshape(-1, 1, 1), "bias": constants.pop("beta").reshape(-1, 1, 1)}
        nodes += [node("Reshape", ["first", "apart"], ["grouped"], "apart"),
                  node("InstanceNormalization", ["grouped", "ones", "zeros"], ["instance"], "instance", epsilon=epsilon),
                  node("Shape", ["first"], ["shape"], "shape"), node("Reshape", ["instance", "shape"], ["back"], "back"),
                  node("Mul", ["back", "scale"], ["scaled"], "scaled"), node("Add", ["scaled", "bias"], ["normed"], "normed")]
    nodes += [node("Relu", ["normed"], ["relu"], "relu"), node("Conv", ["relu", "w2"], ["y"], "y", pads=[1] * 4)]
    tensors = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()]
    tensors.append(numpy_helper.from_array(np.array([1, groups, -1]), "apart"))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, SIDE, SIDE])], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
    return path


def log(path, role, *how):
    feeds = [np.random.default_rng(i).normal(0, 1, (1, 3, SIDE, SIDE)).astype(np.float32) for i in range(3)]
    with exray.Recorder(path, role=role, capture="full") as r:
        session = exray.onnx.Session(model(path.with_suffix(".onnx"), *how), r, kernels="none")
        for i, x in enumerate(feeds):
            with r.frame(source=str(i)):
                session.run(None, {"x": x})
    return path


@pytest.mark.parametrize("edge", ["operator", "chain"])
@pytest.mark.parametrize("reference", ["operator", "chain"])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
def test_epsilon(tmp_path, edge, reference, epsilon):
    report = exray.validate(log(tmp_path / "edge.mcap", "edge", edge, epsilon), log(tmp_path / "reference.mcap", "reference", reference, 1e-5))
    errors = [f for f in report.json["findings"] if f["severity"] == "error"]
    if epsilon == 1e-5:
        assert report.verdict == "pass" and not errors, errors
        return
    assert [f["cause"] for f in errors] == ["model.operator"], errors
    assert "has epsilon 0.01 on the edge, 1e-05 in the reference" in errors[0]["summary"]


@pytest.mark.parametrize("edge", ["operator", "chain"])
def test_number_of_groups(tmp_path, edge):
    report = exray.validate(log(tmp_path / "edge.mcap", "edge", edge, 1e-5, 2), log(tmp_path / "reference.mcap", "reference", "operator", 1e-5, 4))
    errors = [f for f in report.json["findings"] if f["severity"] == "error"]
    assert [f["cause"] for f in errors] == ["model.operator"], errors
    assert "num_groups" in errors[0]["summary"] and "2 on the edge, 4 in the reference" in errors[0]["summary"]
