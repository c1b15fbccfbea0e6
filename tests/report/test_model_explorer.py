"""`exray export --model-explorer` against Model Explorer's own dataclasses, NumPy's metrics and the names in the
model file, as the schema's own object API reads them."""

import importlib
import importlib.util
import json
import subprocess
import sys
import types

import numpy as np
import pytest
import testdata
from log_writer import PB, Log
from validate_support import EXRAY, ROOT, Recording, validate

RED, AMBER, GREEN = "#e8710a", "#fde293", "#b7e1cd"


def node_data():
    """Its module alone: the package imports a web server and PyTorch's converters."""
    spec = importlib.util.find_spec("model_explorer")
    if not spec:
        pytest.skip("ai-edge-model-explorer is not here: scripts/bootstrap.sh test")
    package = types.ModuleType("model_explorer")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["model_explorer"] = package
    return importlib.import_module("model_explorer.node_data_builder")


def export(*arguments):
    command = [EXRAY, "export", *arguments, "--model-explorer", "-"]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON")), result.stderr


def values(overlay):
    return {k: r["value"] for k, r in overlay["results"].items()}


def log_of(path, role, layers, names=None, frames=2, stats=False, engine="tflite", node_names=None, subgraphs=None):
    """A chain of nodes; layers[f][n]: the output of node n in frame f."""
    count = len(layers[0])
    names = names or [f"t{n}" for n in range(count)]
    with Recording(path, role) as log:
        m = PB["Model"](name="model", engine=engine, kernels="builtin", inputs=[0], outputs=[count])
        for n, name in enumerate(["in", *names]):
            m.tensors.add(name=name, dtype=1, shape=[1, 64])
        for n in range(count):
            m.nodes.add(op="RELU", name=node_names[n] if node_names else "", inputs=[n], outputs=[n + 1],
                        subgraph=subgraphs[n] if subgraphs else 0)
        log.add("/model", "Model", m)
        for f in range(frames):
            x = np.random.default_rng(f).normal(size=(1, 64)).astype(np.float32)
            if stats:
                for n, a in enumerate(layers[f]):
                    log.stats(f"/layer/{n}", a, f)
            log.frame([("/input/in", x, {})] + ([] if stats else
                      [(f"/layer/{n}", a.astype(np.float32), {}) for n, a in enumerate(layers[f])]))
    return path


def chain(count=4, wrong=None, frames=2):
    """Numbers of a chain whose node `wrong` adds noise, that later ones carry on."""
    out = []
    for f in range(frames):
        layers = []
        x = np.random.default_rng(100 + f).normal(size=(1, 64))
        for n in range(count):
            x = np.tanh(x * 1.1 + 0.05 * n)
            if n == wrong:
                x = x + np.random.default_rng(f).normal(size=x.shape) * 0.4
            layers.append(x)
        out.append(layers)
    return out


@pytest.fixture
def pair(tmp_path):
    return (log_of(tmp_path / "e.mcap", "edge", chain(wrong=2)), log_of(tmp_path / "r.mcap", "reference", chain()))


def test_it_is_model_explorers_own_form(pair):
    builder = node_data()
    for options in ([], ["--reference", pair[1]]):
        overlay, _ = export(pair[0], *options)
        built = builder.GraphNodeData(
            name=overlay["name"], results={k: builder.NodeDataResult(**r) for k, r in overlay["results"].items()},
            gradient=[builder.GradientItem(**g) for g in overlay.get("gradient", [])])
        assert set(overlay) <= {"name", "results", "gradient"}
        again = json.loads(built.to_json_string())
        assert {k: again[k] for k in overlay} == overlay
    assert [g["stop"] for g in export(pair[0])[0]["gradient"]] == [0, 1]


def test_errors_and_roles_are_the_validations(pair):
    overlay, told = export(pair[0], "--reference", pair[1])
    layers = validate(*pair)["layers"]
    assert [layer["role"] for layer in layers] == ["clean", "clean", "originates", "propagates"]
    colours = {"clean": GREEN, "originates": RED, "propagates": AMBER}
    for layer in layers:
        got = overlay["results"][layer["edge"]["name"]]
        assert got["bgColor"] == colours[layer["role"]]
        assert got["value"] == pytest.approx(layer["nrmse"], rel=1e-12)
    a, b = (np.stack([f[3] for f in chain(wrong=w)]) for w in (2, None))
    assert overlay["results"]["t3"]["value"] == pytest.approx(np.sqrt(((a - b) ** 2).mean()) / np.ptp(b), rel=1e-4)
    assert overlay["results"]["t0"]["value"] == 0 and told == ""


def test_median_times(tmp_path):
    log = Log(tmp_path / "log.mcap")
    m = PB["Model"](name="m", engine="litert")
    for n in range(3):
        m.tensors.add(name=f"out{n}")
        m.nodes.add(op="ADD", outputs=[n])
    log.add("/model", "Model", m)
    took = np.random.default_rng(1).integers(1000, 10_000_000, (9, 2))
    for f in range(9):
        log.frame(f, log.time, inference_ns=5_000_000)
        log.add("/latency", "Latency", PB["Latency"](frame=f, node=[0, 2], start_ns=[0, 5], duration_ns=list(map(int, took[f]))))
    log.finish()
    overlay, told = export(tmp_path / "log.mcap")
    assert values(overlay) == pytest.approx({"out0": np.median(took[:, 0]) / 1e6, "out2": np.median(took[:, 1]) / 1e6})
    assert "1 nodes have no time" in told and "ms" in overlay["name"]


def test_names_that_repeat_stand_for_the_last_node(tmp_path):
    """As in Model Explorer, where the last node that has the name gets it."""
    names = ["a", "same", "same", "b"]
    e = log_of(tmp_path / "e", "edge", chain(wrong=1), names)
    r = log_of(tmp_path / "r", "reference", chain(), names)
    overlay, told = export(e, "--reference", r)
    last = validate(e, r)["layers"][2]
    assert list(overlay["results"]) == ["a", "same", "b"]
    assert overlay["results"]["same"]["value"] == pytest.approx(last["nrmse"])
    assert "1 nodes have no name of their own" in told


def test_names_of_any_bytes(tmp_path):
    names = ['"quoted"\\', "new\nline\x01", "results", ""]
    e, r = (log_of(tmp_path / role, role, chain(), names) for role in ("edge", "reference"))
    overlay, told = export(e, "--reference", r)
    assert list(overlay["results"]) == names[:2] and "2 nodes have no name of their own" in told


def test_values_that_are_no_numbers_are_left_out(tmp_path):
    broken = chain()
    for layers in broken:
        layers[1] = np.full((1, 64), np.nan)
    e = log_of(tmp_path / "e", "edge", broken)
    overlay, told = export(e, "--reference", log_of(tmp_path / "r", "reference", chain()))
    assert "t1" not in overlay["results"] and len(overlay["results"]) == 3
    assert all(np.isfinite(v) for v in values(overlay).values()) and "1 nodes have no finite difference" in told


def test_statistics_alone_give_least_errors(tmp_path):
    moved = [[x + (0.7 if n >= 2 else 0) for n, x in enumerate(f)] for f in chain()]
    e = log_of(tmp_path / "e", "edge", moved, stats=True)
    r = log_of(tmp_path / "r", "reference", chain(), stats=True)
    overlay, told = export(e, "--reference", r)
    layers = {layer["edge"]["name"]: layer for layer in validate(e, r)["layers"]}
    assert "least error" in overlay["name"] and "statistics" in told
    assert values(overlay) == pytest.approx({n: v["error_to_signal"] for n, v in layers.items()})
    true = np.concatenate([f[3] for f in chain()])
    assert 0.01 < overlay["results"]["t3"]["value"] <= 0.7 / true.std() * 1.001


def test_other_subgraphs_are_left_out(tmp_path):
    e = log_of(tmp_path / "e", "edge", chain(), subgraphs=[0, 1, 1, 0])
    r = log_of(tmp_path / "r", "reference", chain(), subgraphs=[0, 1, 1, 0])
    overlay, told = export(e, "--reference", r)
    assert list(overlay["results"]) == ["t0", "t3"] and "2 nodes of other subgraphs" in told


def test_onnx_nodes_go_by_their_own_names(tmp_path):
    """The adapter for .onnx files makes a node's name its id, and says no names of tensors."""
    e, r = (log_of(tmp_path / role, role, chain(), engine="onnxruntime", node_names=["n0", "", "n2", "n3"])
            for role in ("edge", "reference"))
    assert list(export(e, "--reference", r)[0]["results"]) == ["n0", "t1", "n2", "n3"]


def test_what_is_refused(pair, tmp_path):
    def fails(*arguments):
        result = subprocess.run([EXRAY, "export", *map(str, arguments)], capture_output=True, text=True)
        assert result.returncode == 2 and result.stderr.count("\n") == 1
        return result.stderr

    assert "--reference goes with" in fails(pair[0], "--csv", tmp_path / "x", "--reference", pair[1])
    assert "only one" in fails(pair[0], "--csv", "-", "--model-explorer", "-")
    assert "cannot open" in fails(pair[0], "--model-explorer", tmp_path / "x", "--reference", tmp_path / "none")
    assert "is a log" in fails(pair[0], "--model-explorer", pair[1])
    log = Log(tmp_path / "bare")
    log.finish()
    assert "no node's name is known" in fails(tmp_path / "bare", "--model-explorer", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.data
@pytest.mark.parametrize("engine, model", [("tflite", "efficientnet_lite0_int8.tflite"),
                                           ("litert", "efficientnet_lite0_int8.tflite"),
                                           ("onnxruntime", "efficientnet_lite0_float.onnx")])
def test_every_node_of_a_real_model(tmp_path, engine, model):
    """Every key is the output of exactly one operator of the file (ONNX: the name of one), in order."""
    file, pictures = testdata.model(model), testdata.pictures(2)
    (tmp_path / "list.txt").write_text("\n".join(map(str, pictures)))
    command = [EXRAY, "record", "--engine", engine, "--model", file, "--pipeline", ROOT / "examples" / "lite0.yaml",
               "--data", tmp_path / "list.txt", "-o", tmp_path / "log.mcap"]
    engines = json.loads(subprocess.run([EXRAY, "engines", "--json", "-"], capture_output=True, check=True).stdout)
    if not [e for e in engines["engines"] if e["name"] == engine and e["found"]]:
        pytest.skip(f"no {engine} here")
    subprocess.run(command, check=True, capture_output=True)
    if file.suffix == ".onnx":
        onnx = pytest.importorskip("onnx")
        made = [node.name for node in onnx.load(str(file)).graph.node]
    else:
        schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        graph = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0).subgraphs[0]
        made = [graph.tensors[op.outputs[0]].name.decode() for op in graph.operators]
    overlay, _ = export(tmp_path / "log.mcap")
    keys = list(overlay["results"])
    assert len(keys) >= 50 and all(made.count(k) == 1 for k in keys)
    if file.suffix == ".tflite":
        assert keys == [name for name in made if name in overlay["results"]]
    same, _ = export(tmp_path / "log.mcap", "--reference", tmp_path / "log.mcap")
    assert len(same["results"]) >= 60 and {r["value"] for r in same["results"].values()} == {0}
    assert {r["bgColor"] for r in same["results"].values()} == {GREEN}
