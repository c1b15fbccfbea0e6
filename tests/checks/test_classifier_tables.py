"""Classical models (trees, linear classifiers, imputers): what they learned is in attributes, and scores differ before decisions do."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_log import record
from validate_support import causes, finding, validate

CLASSES, COLUMNS = 3, 4
ML = "ai.onnx.ml"


def forest(change=None):
    """Stumps: each gives one class a weight on either side of a threshold."""
    rng = np.random.default_rng(3)
    trees = 12
    t = {"nodes_treeids": [], "nodes_nodeids": [], "nodes_featureids": [], "nodes_modes": [], "nodes_values": [], "nodes_truenodeids": [], "nodes_falsenodeids": [],
         "class_treeids": [], "class_nodeids": [], "class_ids": [], "class_weights": []}
    for i in range(trees):
        rows = [(0, "BRANCH_LEQ", float(rng.normal(0, .5)), 1, 2), (1, "LEAF", 0., 0, 0), (2, "LEAF", 0., 0, 0)]
        for node, mode, value, yes, no in rows:
            for key, v in zip(("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids"), (i, node, i % COLUMNS, mode, value, yes, no), strict=True):
                t[f"nodes_{key}"].append(v)
        for leaf in (1, 2):
            for key, v in zip(("treeids", "nodeids", "ids", "weights"), (i, leaf, (i + leaf) % CLASSES, float(rng.uniform(.1, 1) / trees)), strict=True):
                t[f"class_{key}"].append(v)
    if change:
        change(t)
    return helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "scores"], domain=ML, classlabels_int64s=list(range(CLASSES)), post_transform="NONE", **t)


def linear(change=None):
    rng = np.random.default_rng(5)
    t = {"coefficients": rng.normal(0, 1, CLASSES * COLUMNS).tolist(), "intercepts": [3., 0., -3.]}
    if change:
        change(t)
    return helper.make_node("LinearClassifier", ["x"], ["label", "scores"], domain=ML, classlabels_ints=list(range(CLASSES)), post_transform="SOFTMAX", **t)


def save(path, *nodes, outputs=("label", "scores")):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, COLUMNS])],
                              [helper.make_tensor_value_info(o, TensorProto.INT64 if "label" in o else TensorProto.FLOAT, None) for o in outputs])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)], ir_version=8), path)
    return path


def judged(tmp_path, edge, reference, status, change=lambda x: x):
    rows = [np.random.default_rng(i).normal(0, 1, (1, COLUMNS)).astype(np.float32) for i in range(8)]
    record(save(tmp_path / "edge.onnx", *edge[0], outputs=edge[1]), tmp_path / "edge.mcap", [change(r) for r in rows], tmp_path, "none", role="edge", constants=True)
    record(save(tmp_path / "reference.onnx", *reference[0], outputs=reference[1]), tmp_path / "reference.mcap", rows, tmp_path, "none", constants=True)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


BOTH = ("label", "scores")
SCALED = {"class_weights": .5, "nodes_values": .2}


@pytest.mark.parametrize("model", [forest, linear])
def test_the_same_passes(tmp_path, model):
    assert causes(judged(tmp_path, ([model()], BOTH), ([model()], BOTH), 0)) == []


@pytest.mark.parametrize("key", ["class_weights", "nodes_values"])
def test_a_tree_that_learned_otherwise(tmp_path, key):
    def change(t):
        t[key] = [v * SCALED[key] - (.3 if key == "nodes_values" else 0) for v in t[key]]
    v = judged(tmp_path, ([forest(change)], BOTH), ([forest()], BOTH), 1)
    assert causes(v) == ["model.operator"] and key in finding(v, "model.operator")["summary"]


def tilt(t):
    for key in ("coefficients", "intercepts"):  # a softmax of another temperature: no decision changes
        t[key] = [.8 * c for c in t[key]]


def test_scores_differ_where_decisions_do_not(tmp_path):
    v = judged(tmp_path, ([linear(tilt)], BOTH), ([linear()], BOTH), 1)
    assert v["layers"][0]["output"] == 0 and v["layers"][0]["nrmse"] == 0 and causes(v) == ["model.operator"] and "coefficients" in finding(v, "model.operator")["summary"]


def test_what_follows_from_a_number_that_is_missing_on_one_side(tmp_path):
    """NaN in the reference alone: the layers behind answer to that, and errors of the other values are 0 before the imputer."""
    def columns(name):
        return [helper.make_node("Concat", ["x", "x"], ["twice"], axis=1), helper.make_node("Imputer", ["twice"], [name], domain=ML, imputed_value_floats=[.5] * 2 * COLUMNS, replaced_value_float=float("nan"))]
    outputs = ("filled",)
    rows = [np.random.default_rng(i).normal(0, 1, (1, COLUMNS)).astype(np.float32) for i in range(8)]
    hole = [np.where(np.arange(COLUMNS) == i % COLUMNS, np.nan, r).astype(np.float32) for i, r in enumerate(rows)]
    path = save(tmp_path / "m.onnx", *columns("filled"), outputs=outputs)
    for feeds, role in ((rows, "edge"), (hole, "reference")):
        record(path, tmp_path / f"{role}.mcap", [np.nan_to_num(f) if role == "edge" else f for f in feeds], tmp_path, "none", role=role, constants=True)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)
    assert [c for c in causes(v) if not c.startswith("input.")] == [] and "NaN" in str(v["findings"][0])
