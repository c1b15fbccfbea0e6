"""The ONNX reader against the packages onnx and onnxruntime."""
import hashlib
import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
import testdata

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = testdata.MODELS.glob("*.onnx")
TOOL = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build/test")) / "tests/onnx_tool"

pytestmark = [pytest.mark.data, pytest.mark.skipif(not MODELS, reason=f"no .onnx models: {testdata.HOW}")]


def tool(*args):
    return subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True)


def session(path, level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


# Inputs whose shape is open, where one is not enough.
SHAPES = {"nudenet": (1, 3, 320, 320), "silero": (1, 576), "_det_": (1, 3, 64, 64), "_rec_": (1, 3, 48, 64), "_cls_": (1, 3, 48, 192)}
TYPES = {"float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32, "bool": np.bool_}


def feed(s, stem):
    rng = np.random.default_rng(3)
    inputs = {}
    for i in s.get_inputs():
        kind = TYPES[re.fullmatch(r"tensor\((\w+)\)", i.type)[1]]
        shape = [d if isinstance(d, int) and d > 0 else 1 for d in i.shape]
        if shape != i.shape:
            shape = next((v for k, v in SHAPES.items() if k in stem and len(v) == len(shape)), shape)
        if "mask" in i.name or "token_type" in i.name:
            inputs[i.name] = rng.integers(0, 2, shape).astype(kind)
        elif kind in (np.int64, np.int32):  # a sampling rate, where it is one number
            inputs[i.name] = np.full((), 16000, kind) if not shape else rng.integers(0, 100, shape).astype(kind)
        else:
            inputs[i.name] = rng.uniform(-1, 1, shape).astype(kind)
    return inputs


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_reads_what_onnx_reads(path):
    lines = [line.split("\t") for line in tool("dump", path).stdout.splitlines()]
    graph = onnx.load(path).graph
    tensors = {line[1]: line for line in lines if line[0] == "T"}
    names = {i.name for i in [*graph.input, *graph.initializer, *graph.output]}
    names |= {o for n in graph.node for o in n.output if o}
    assert names <= set(tensors)
    for initializer in graph.initializer:
        value = onnx.numpy_helper.to_array(initializer)
        line = tensors[initializer.name]
        assert (line[2], int(line[3]), int(line[4])) == (str(value.dtype), value.ndim, value.nbytes)
        assert line[7] == hashlib.sha256(value.tobytes()).hexdigest()
    nodes = [line for line in lines if line[0] == "N"]
    assert [n[1:3] for n in nodes] == [[n.op_type, n.name] for n in graph.node]
    for line, node in zip(nodes, graph.node):
        got = dict(pair.split("=", 1) for pair in line[3:])
        for attribute in node.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            if attribute.type == onnx.AttributeProto.INTS:
                assert got[attribute.name] == ",".join(map(str, value))
            elif attribute.type == onnx.AttributeProto.INT:
                assert got[attribute.name] == str(value)
    if "int8" in path.stem:
        for node in graph.node:
            if node.op_type == "QuantizeLinear":
                assert int(tensors[node.output[0]][5]) == 1


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_exposed_values_are_the_engines(path, tmp_path):
    assert tool("expose", path, tmp_path / "ours.onnx").returncode == 0
    model = onnx.load(path)
    known = {o.name for o in model.graph.output}
    for node in model.graph.node:
        model.graph.output.extend(onnx.ValueInfoProto(name=o) for o in node.output if o and o not in known)
    onnx.save(model, tmp_path / "theirs.onnx")
    ours, theirs = session(tmp_path / "ours.onnx"), session(tmp_path / "theirs.onnx")
    assert [o.name for o in ours.get_outputs()] == [o.name for o in theirs.get_outputs()]
    inputs = feed(theirs, path.stem)
    for a, b in zip(ours.run(None, inputs), theirs.run(None, inputs)):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_a_cut_node_gives_what_it_gave(path, tmp_path):
    # The files declare no types of inner tensors; a cut needs those of its inputs.
    stem = path.stem
    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(path)), tmp_path / "typed.onnx")
    path = tmp_path / "typed.onnx"
    assert tool("expose", path, tmp_path / "all.onnx").returncode == 0
    whole = session(tmp_path / "all.onnx")
    inputs = feed(whole, stem)
    values = dict(zip([o.name for o in whole.get_outputs()], whole.run(None, inputs)), **inputs)
    nodes = onnx.load(path).graph.node
    tried = 0
    for i in [k for k, n in enumerate(nodes) if n.op_type in ("Conv", "Gemm", "Add", "QuantizeLinear")][:6]:
        result = tool("cut", path, tmp_path / "cut.onnx", i)
        assert result.returncode == 0, result.stderr
        part = session(tmp_path / "cut.onnx")
        got = part.run(None, {p.name: values[p.name] for p in part.get_inputs()})
        for output, value in zip(part.get_outputs(), got):
            assert value.tobytes() == values[output.name].tobytes()
        tried += 1
    if not tried:
        pytest.skip("no such node outside of branches")


def test_damaged_files_are_refused(tmp_path):
    data = MODELS[-1].read_bytes()
    for size in [*range(0, 64), *range(64, len(data), len(data) // 40)]:
        (tmp_path / "short.onnx").write_bytes(data[:size])
        result = tool("dump", tmp_path / "short.onnx")
        assert result.returncode == 1 and result.stderr.strip()


@pytest.mark.parametrize("data_type", [onnx.TensorProto.STRING, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64])
def test_a_second_initializer_of_one_name(data_type, tmp_path):
    """The last one stands, its type with its own data: never the new type with the old bytes."""
    second = onnx.TensorProto(name="zero", data_type=data_type)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"])], "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [4])],
        [onnx.helper.make_tensor("scale", onnx.TensorProto.FLOAT, [], [0.5]),
         onnx.helper.make_tensor("zero", onnx.TensorProto.UINT8, [], [7]), second])
    if data_type != onnx.TensorProto.STRING:
        graph.initializer[2].raw_data = bytes(8 if data_type == onnx.TensorProto.INT64 else 4)
    (tmp_path / "zero.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    result = tool("dump", tmp_path / "zero.onnx")
    assert result.returncode == 0, result.stderr
    zero = next(line.split("\t") for line in result.stdout.splitlines() if line.startswith("T\tzero"))
    assert int(zero[4]) == len(graph.initializer[2].raw_data)


def test_a_branch_is_told_by_its_operators(tmp_path):
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def branch(*ops):
        names = ["x", *(f"{ops[0]}{i}" for i in range(len(ops)))]
        return helper.make_graph([helper.make_node(op, [a], [b]) for op, a, b in zip(ops, names, names[1:])], "b", [],
                                 [helper.make_tensor_value_info(names[-1], kind, None)])

    node = helper.make_node("If", ["c"], ["y"], name="choice", then_branch=branch("Relu", "Tanh"), else_branch=branch("Identity"))
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, []), helper.make_tensor_value_info("x", kind, [2])],
                              [helper.make_tensor_value_info("y", kind, [2])])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    told = tool("dump", tmp_path / "m.onnx").stdout
    assert "then_branch=graph of Relu,Tanh" in told and "else_branch=graph of Identity" in told


def test_a_body_tells_of_its_weights(tmp_path):
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    kept, given = np.array([1, -2, 2, 3], np.float32), np.array([4, -4], np.float32)

    def branch(value):
        nodes = [helper.make_node("Constant", [], ["k"], value=onnx.numpy_helper.from_array(given)), helper.make_node("Mul", ["x", "k"], ["m"]),
                 helper.make_node("Concat", ["m", "w"], ["z"], axis=0)]
        return helper.make_graph(nodes, "b", [], [helper.make_tensor_value_info("z", kind, None)], [onnx.numpy_helper.from_array(value, "w")])

    node = helper.make_node("If", ["c"], ["y"], name="choice", then_branch=branch(kept), else_branch=branch(kept.astype(np.float16)))
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, []), helper.make_tensor_value_info("x", kind, [2])],
                              [helper.make_tensor_value_info("y", kind, None)])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    told = tool("dump", tmp_path / "m.onnx").stdout
    every = np.concatenate([kept, given])
    assert f"then_branch=graph of Mul,Concat; float32 6 mean {every.mean():.6g} rms {np.sqrt((every**2).mean()):.6g}" in told
    assert "else_branch=graph of Mul,Concat; float32 2 mean 0 rms 4" in told  # float16 is not told


def test_integers_that_are_moved_before_they_are_dequantized_have_its_scale(tmp_path):
    helper, numpy_helper, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto
    nodes = [helper.make_node("Gather", ["table", "ids"], ["picked"]), helper.make_node("Transpose", ["picked"], ["turned"], perm=[1, 0]),
             helper.make_node("DequantizeLinear", ["turned", "scale", "zero"], ["y"])]
    constants = [numpy_helper.from_array(a, n) for n, a in (("table", np.ones((5, 3), np.uint8)), ("scale", np.float32(0.5)), ("zero", np.uint8(7)))]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("ids", kind.INT64, [4])], [helper.make_tensor_value_info("y", kind.FLOAT, [3, 4])], constants)
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    told = {line.split("\t")[1]: line.split("\t")[5] for line in tool("dump", tmp_path / "m.onnx").stdout.splitlines() if line.startswith("T")}
    assert [told[n] for n in ("table", "picked", "turned", "ids", "y")] == ["1", "1", "1", "0", "0"]
