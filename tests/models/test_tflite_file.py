"""The reader of .tflite files against the schema's own object API, and what `expose`
and `cut` make against the Python interpreter's values."""
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import testdata

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build" / "test"))
TOOL = BUILD / "tests" / "model_tool"
EXRAY = BUILD / "exray"
MODELS = testdata.MODELS.glob("*.tflite")
SMALL = [m for m in MODELS if m.name in ("micro_speech_int8.tflite", "mobilenet_v1_0.25_224_uint8.tflite",
                                         "mobilenet_v1_0.25_224_float.tflite", "efficientnet_lite0_int8.tflite",
                                         "ssd_mobilenet_v1_coco_300_uint8.tflite", "deeplabv3_257_float.tflite",
                                         "movie_review_text.tflite", "yamnet_float.tflite")]

litert = pytest.importorskip("ai_edge_litert.interpreter")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
pytestmark = [pytest.mark.data, pytest.mark.skipif(not MODELS, reason=f"no .tflite models: {testdata.HOW}")]


def tool(*arguments, check=True):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    if check:
        assert done.returncode == 0, done.stderr
    return done


def enum_name(enum, value):
    return next(k for k, v in vars(enum).items() if v == value and not k.startswith("_"))


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


TYPES = {"COMPLEX64": "float32", "COMPLEX128": "float64", "RESOURCE": "unspecified", "VARIANT": "unspecified"}
ENUMS = {"padding": schema.Padding, "fused_activation_function": schema.ActivationFunctionType,
         "mode": schema.MirrorPadMode, "weights_format": schema.FullyConnectedOptionsWeightsFormat,
         "in_data_type": schema.TensorType, "out_data_type": schema.TensorType,
         "output_type": schema.TensorType, "out_type": schema.TensorType, "idx_out_type": schema.TensorType,
         "kernel_type": schema.LSTMKernelType}


def expected_attributes(op):
    """From the object API; what it cannot tell apart from "not given" is left out there, too."""
    out = {}
    options = op.builtinOptions if op.builtinOptions is not None else op.builtinOptions2
    for key, value in (vars(options) if options is not None else {}).items():
        key = snake(key)
        key = {"dilation_wfactor": "dilation_w_factor", "dilation_hfactor": "dilation_h_factor"}.get(key, key)
        if key in ("quantized_bias_type", "quant_spec") and not value:
            continue
        if value is None:
            continue
        if isinstance(value, bool) or (key.startswith(("keep_", "align_", "half_", "asym", "pot_")) and value in (0, 1)):
            out[key] = "true" if value else "false"
        elif key in ENUMS:
            out[key] = enum_name(ENUMS[key], value)
        elif isinstance(value, float):
            out[key] = "%.9g" % value
        elif isinstance(value, (list, np.ndarray)):
            out[key] = ",".join(str(int(v)) for v in value)
        elif isinstance(value, bytes):
            out[key] = value.decode()
        else:
            out[key] = str(value)
    if op.customOptions is not None and len(op.customOptions):
        out["custom_options_bytes"] = str(len(op.customOptions))
    return out


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_reads_what_the_schema_reads(path):
    got = json.loads(tool("read", path).stdout)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    tensors, nodes, first = [], [], 0
    for index, graph in enumerate(model.subgraphs):
        for t in graph.tensors:
            tensors.append(t)
        for op in graph.operators or []:
            nodes.append((index, first, op))
        first += len(graph.tensors)
    assert len(got["tensors"]) == len(tensors) and len(got["nodes"]) == len(nodes)
    for mine, t in zip(got["tensors"], tensors):
        assert mine["name"] == (t.name or b"").decode()
        name = enum_name(schema.TensorType, t.type)
        assert mine["dtype"] == TYPES.get(name, name.lower())
        shape = [] if t.shape is None else list(t.shape)
        if t.shapeSignature is not None and len(t.shapeSignature):
            shape = list(t.shapeSignature)
        shape += [2] * name.startswith("COMPLEX")  # pairs of floats
        assert mine["shape"] == shape
        q = t.quantization
        scale = [] if q is None or q.scale is None else list(q.scale)
        assert np.array_equal(np.float32(mine["scale"]), np.float32(scale))
        if scale:
            assert mine["zero_point"] == list(q.zeroPoint)
            assert mine["axis"] == (q.quantizedDimension if len(scale) > 1 else 0)
        data = model.buffers[t.buffer].data
        has = data is not None and len(data) > 0
        assert mine["constant"] == has
        if t.sparsity is not None:  # what is in the buffer are not the tensor's elements
            assert "sha256" not in mine
        elif has:
            assert mine["sha256"] == hashlib.sha256(bytes(data)).hexdigest()
    seen = set()
    for mine, (index, first, op) in zip(got["nodes"], nodes):
        code = model.operatorCodes[op.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        expected = code.customCode.decode() if builtin == 32 else enum_name(schema.BuiltinOperator, builtin)
        assert mine["op"] == expected and mine["subgraph"] == index
        move = lambda indices: [int(i) if i < 0 else int(i) + first for i in indices]
        assert mine["inputs"] == move(op.inputs) and mine["outputs"] == move(op.outputs)
        assert mine["attributes"] == expected_attributes(op), mine["op"]
        seen.update(mine["attributes"])
    assert seen
    graph = model.subgraphs[0]
    assert got["inputs"] == list(graph.inputs) and got["outputs"] == list(graph.outputs)


def interpreter(path, **options):
    options.setdefault("experimental_op_resolver_type", litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    i = litert.Interpreter(model_path=str(path), num_threads=1, **options)
    i.allocate_tensors()
    return i


def feed(i, seed=0, values=None):
    rng = np.random.default_rng(seed)
    for d in i.get_input_details():
        if values is not None:
            i.set_tensor(d["index"], values[d["index"]])
        elif np.issubdtype(d["dtype"], np.floating):
            i.set_tensor(d["index"], rng.uniform(-1, 1, d["shape"]).astype(d["dtype"]))
        elif d["dtype"] in (np.int32, np.int64):
            i.set_tensor(d["index"], rng.integers(0, 100, d["shape"]).astype(d["dtype"]))
        else:
            info = np.iinfo(d["dtype"])
            i.set_tensor(d["index"], rng.integers(info.min, info.max + 1, d["shape"]).astype(d["dtype"]))
    i.invoke()


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("path", SMALL, ids=lambda p: p.stem)
def test_exposed_models_give_every_tensor(path, tmp_path):
    out = tmp_path / "exposed.tflite"
    done = subprocess.run([EXRAY, "expose", path, "-o", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    whole = interpreter(path, experimental_preserve_all_tensors=True)
    exposed = interpreter(out)
    feed(whole), feed(exposed)
    graph = json.loads(tool("read", path).stdout)
    own = graph["outputs"]
    indices = [d["index"] for d in exposed.get_output_details()]
    made = [o for n in graph["nodes"] if n["subgraph"] == 0 for o in n["outputs"]]
    assert indices[:len(own)] == own and set(indices) == set(made) | set(own)
    assert len(set(indices)) == len(indices) > len(own)
    for index in indices:
        assert same(whole.get_tensor(index), exposed.get_tensor(index)), index


@pytest.mark.parametrize("path", SMALL, ids=lambda p: p.stem)
def test_cut_models_reproduce_the_layer(path, tmp_path):
    whole = interpreter(path, experimental_preserve_all_tensors=True)
    feed(whole, 1)
    graph = json.loads(tool("read", path).stdout)
    nodes = [n for n in graph["nodes"] if n["subgraph"] == 0]
    count = len(nodes)
    ran = 0
    for first, length in [(0, 1), (count // 3, 1), (count // 2, 3), (count - 1, 1), (0, count)]:
        if first + length > count:
            continue
        out = tmp_path / f"cut{first}_{length}.tflite"
        tool("cut", path, first, length, out)
        cut = interpreter(out)
        kept = nodes[first:first + length]
        made = {o for n in kept for o in n["outputs"]}
        read = {i for n in kept for i in n["inputs"] if i >= 0} - made
        inputs = [d["index"] for d in cut.get_input_details()]
        outputs = [d["index"] for d in cut.get_output_details()]
        assert inputs == sorted(i for i in read if not graph["tensors"][i]["constant"]) and outputs
        assert outputs == sorted(outputs) and set(outputs) <= made
        feed(cut, values={i: whole.get_tensor(i) for i in inputs})
        for o in outputs:
            assert same(cut.get_tensor(o), whole.get_tensor(o)), (first, length, o)
        ran += 1
    assert ran >= 4


def test_cut_models_compress_to_what_is_left(tmp_path):
    import zlib
    path = next(m for m in MODELS if m.name == "mobilenet_v1_0.25_224_float.tflite")
    out = tmp_path / "cut.tflite"
    tool("cut", path, 0, 1, out)
    assert len(zlib.compress(out.read_bytes())) < len(zlib.compress(path.read_bytes())) / 20


def test_what_cannot_be_cut_is_told(tmp_path):
    path = next(m for m in MODELS if m.name == "micro_speech_int8.tflite")
    for first, count in [(0, 0), (99, 1), (0, 99)]:
        done = tool("cut", path, first, count, tmp_path / "x.tflite", check=False)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "x.tflite").exists()


def test_truncated_and_damaged_files_are_refused_or_read(tmp_path):
    data = next(m for m in MODELS if m.name == "micro_speech_int8.tflite").read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for k in range(120):
        broken = bytearray(data if k % 2 else data[:int(rng.integers(1, len(data)))])
        if k % 2:
            for at in rng.integers(0, min(len(broken), 4000), 12):
                broken[at] = int(rng.integers(0, 256))
        path = tmp_path / "broken.tflite"
        path.write_bytes(broken)
        for command in (["read", path], ["expose", path, tmp_path / "o"], ["cut", path, 1, 2, tmp_path / "o"]):
            done = tool(*command, check=False)
            assert done.returncode in (0, 1), (k, command, done.stderr)
            if done.returncode == 1:
                refused += 1
                assert len(done.stderr.splitlines()) == 1
    assert refused > 100
