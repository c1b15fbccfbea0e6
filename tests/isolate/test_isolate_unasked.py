"""Layers of ONNX models run alone without being asked: the file that the reference ran lies beside its log.  The models are
built here, run by ONNX Runtime's Python package, and the logs are written by a writer that is not ours."""

import hashlib

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from log_writer import DTYPES, PB
from onnx import TensorProto, helper, numpy_helper
from onnx_log import exposed_session, quantizations, record
from validate_support import BUILD, ROOT, Recording, causes, finding, validate

pytestmark = pytest.mark.skipif(not any((b / "engines").glob("onnxruntime-*/libonnxruntime.so") for b in (BUILD, ROOT / "build")),
                                reason="ONNX Runtime's library is not here")
RANDOM = np.random.default_rng(5)


def constant(name, array, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(array, dtype), name)


def save(path, nodes, inputs, output, constants):
    described = [helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in inputs]
    graph = helper.make_graph(nodes, "g", described, [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def quantized(path):
    """Pictures in 8 bits: quantize, convolve, quantize, flatten, dense."""
    wide = RANDOM.normal(size=(8, 3, 3, 3)) / 5
    dense = RANDOM.normal(size=(8 * 8 * 8, 5)) / 20
    nodes = [helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["x_q"]), helper.make_node("DequantizeLinear", ["x_q", "sx", "zx"], ["x_f"]),
             helper.make_node("Conv", ["x_f", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node("QuantizeLinear", ["c", "sc", "zc"], ["c_q"]), helper.make_node("Flatten", ["c_q"], ["flat"]),
             helper.make_node("DequantizeLinear", ["flat", "sc", "zc"], ["flat_f"]), helper.make_node("MatMul", ["flat_f", "d"], ["y"])]
    constants = [constant("w", wide), constant("d", dense), constant("sx", 2 / 255), constant("zx", 128, np.uint8), constant("sc", 0.02),
                 constant("zc", 120, np.uint8)]
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, 3, 8, 8])], "y", constants)


def clipped_by_its_range(path, quantizes):
    """Two convolutions with a ReLU between; in 8 bits nothing but the range of what is quantized is that ReLU."""
    random = np.random.default_rng(8)
    between = ([helper.make_node("QuantizeLinear", ["r", "s", "z"], ["r_q"]), helper.make_node("DequantizeLinear", ["r_q", "s", "z"], ["r_f"])]
               if quantizes else [])
    made = [helper.make_node("Conv", ["x", "w"], ["r" if quantizes else "c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    made += [] if quantizes else [helper.make_node("Relu", ["c"], ["r"])]
    nodes = [*made, *between, helper.make_node("Conv", ["r_f" if quantizes else "r", "v"], ["d"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node("Tanh", ["d"], ["y"])]
    constants = [constant("w", random.normal(size=(8, 3, 3, 3)) / 3), constant("v", random.normal(size=(4, 8, 3, 3)) / 8)]
    constants += [constant("s", 6 / 255), constant("z", 0, np.uint8)] if quantizes else []
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, 3, 8, 8])], "y", constants)


def open_length(path):
    """A logarithm of samples, as many as there are."""
    nodes = [helper.make_node("Abs", ["x"], ["a"]), helper.make_node("Log", ["a"], ["l"]), helper.make_node("Tanh", ["l"], ["y"])]
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, "length"])], "y", [])


def branching(path):
    """A branch whose bodies read what is outside."""
    arms = [helper.make_graph([helper.make_node("Mul", ["a", "a"], [n + "_2"]), helper.make_node(op, [n + "_2"], [n])], n, [],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None)]) for n, op in (("t", "Relu"), ("e", "Exp"))]
    nodes = [helper.make_node("Mul", ["x", "two"], ["a"]), helper.make_node("If", ["flag"], ["b"], then_branch=arms[0], else_branch=arms[1]),
             helper.make_node("Neg", ["b"], ["y"])]
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, 40]), ("flag", TensorProto.BOOL, [])], "y", [constant("two", 2.0)])


def rotary(path, pairs):
    """Positions turned into the heads of a projection: halves of each row by one another, or neighbors."""
    random = np.random.default_rng(12)
    angle = np.arange(6)[:, None] * 10.0 ** -np.arange(4)
    angle = np.repeat(angle, 2, 1) if pairs else np.concatenate([angle, angle], 1)
    axis, cut, ends, own = (4, "p_grouped", (0, 1, 2), "p_") if pairs else (3, "heads", (0, 4, 8), "h_")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["q"]), helper.make_node("Reshape", ["q", "split"], ["rows"]),
             helper.make_node("Transpose", ["rows"], ["heads"], perm=[0, 2, 1, 3])]
    nodes += [helper.make_node("Reshape", ["heads", "by_two"], ["p_grouped"])] if pairs else []
    nodes += [helper.make_node("Slice", [cut, f"i{ends[k]}", f"i{ends[k + 1]}", "axis"], [own + name]) for k, name in enumerate(("first", "second"))]
    nodes += [helper.make_node("Neg", [own + "second"], [own + "minus"]), helper.make_node("Concat", [own + "minus", own + "first"], [own + "other"], axis=axis)]
    nodes += [helper.make_node("Reshape", [own + "other", "flat"], ["p_back"])] if pairs else []
    nodes += [helper.make_node("Mul", ["heads", "cos"], [own + "straight"]), helper.make_node("Mul", ["p_back" if pairs else own + "other", "sin"], [own + "across"]),
              helper.make_node("Add", [own + "straight", own + "across"], ["turned"]), helper.make_node("Tanh", ["turned"], ["y"])]
    constants = [constant("w", random.normal(size=(8, 16)) / 3), constant("cos", np.cos(angle)), constant("sin", np.sin(angle)), constant("axis", [axis], np.int64)]
    constants += [constant(f"i{k}", [k], np.int64) for k in ends]
    constants += [constant("split", [1, 6, 2, 8], np.int64)]
    constants += [constant("by_two", [1, 2, 6, 4, 2], np.int64), constant("flat", [1, 2, 6, 8], np.int64)] if pairs else []
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, 6, 8])], "y", constants)


def layers_of(graph, fused):
    """(op, inputs, output) of each node that is run; fused: {tensor within a layer: that layer's op}."""
    layers = [(n.op_type, list(n.input) + (["a"] if n.op_type == "If" else []), n.output[0]) for n in graph.node]
    for tensor, op in fused.items():
        first = next(layer for layer in layers if layer[2] == tensor)
        layers.remove(first)
        layers = [(op, first[1], output) if tensor in inputs else (other, inputs, output) for other, inputs, output in layers]
    return layers


def write(path, role, file, feeds, damage=None, name=None, sha256=None, fused={}):
    """A log of the model's run.  damage: {tensor: function of its values}, and what follows is computed from that."""
    model = onnx.load(file)
    layers = layers_of(model.graph, fused)
    session = exposed_session(model)
    names = [o.name for o in session.get_outputs()]
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    scales = quantizations(model.graph, constants)
    position = {}
    with Recording(path, role) as log:
        for feed in feeds:
            values = dict(zip(names, session.run(names, feed))) | feed
            for tensor, change in (damage or {}).items():
                values[tensor] = change(values[tensor]).astype(values[tensor].dtype)
                values |= behind(model, tensor, values)
            if not position:
                m = PB["Model"](name=name or file.name, engine="onnxruntime", engine_version=ort.__version__, kernels="default",
                                sha256=sha256 or hashlib.sha256(file.read_bytes()).digest())
                for tensor, array in (constants | values).items():
                    position[tensor] = len(position)
                    t = m.tensors.add(name=tensor, constant=tensor in constants, dtype=DTYPES[str(array.dtype)], shape=array.shape)
                    if tensor in scales and array.dtype == np.uint8:
                        t.quantization.scale.extend(float(v) for v in scales[tensor][0])
                        t.quantization.zero_point.extend(int(v) for v in scales[tensor][1])
                for op, taken, made in layers:
                    m.nodes.add(op=op, inputs=[position[i] for i in taken], outputs=[position[made]])
                m.inputs.extend(position[i.name] for i in model.graph.input)
                m.outputs.extend(position[o.name] for o in model.graph.output)
                log.add("/model", "Model", m)

            def put(topic, tensor, frame=log.count):
                t = PB["Tensor"](frame=frame, tensor=position[tensor], data=np.ascontiguousarray(values[tensor]).tobytes())
                t.info.CopyFrom(m.tensors[position[tensor]])
                del t.info.shape[:]
                t.info.shape.extend(values[tensor].shape)
                log.add(topic, "Tensor", t)

            for i in model.graph.input:
                put(f"/input/{i.name}", i.name)
            for i, (_, _, made) in enumerate(layers):
                put(f"/layer/{i}", made)
            put(f"/output/{model.graph.output[0].name}", model.graph.output[0].name)
            log.frame()
    return path


def behind(model, tensor, values):
    """What the nodes behind a tensor make of its values."""
    nodes = list(model.graph.node)
    last = max(i for i, n in enumerate(nodes) if tensor in n.output)
    rest = nodes[last + 1:]
    made = [o for n in rest for o in n.output]
    needed = sorted({i for n in rest for i in n.input if i in values and i not in made})
    constants = [i for i in model.graph.initializer if any(i.name in n.input for n in rest)]
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(values[n].dtype), values[n].shape) for n in needed]
    outputs = [helper.make_tensor_value_info(o, helper.np_dtype_to_tensor_dtype(values[o].dtype), None) for o in made]
    part = helper.make_model(helper.make_graph(rest, "rest", inputs, outputs, constants), opset_imports=model.opset_import, ir_version=8)
    session = ort.InferenceSession(part.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(made, session.run(made, {n: values[n] for n in needed})))


PICTURES = [{"x": RANDOM.uniform(-0.9, 0.9, (1, 3, 1, 1)).astype(np.float32) + RANDOM.uniform(-0.1, 0.1, (1, 3, 8, 8)).astype(np.float32)}
            for _ in range(4)]
SOUNDS = [{"x": RANDOM.normal(size=(1, n)).astype(np.float32)} for n in (64, 64, 96, 64)]
FLAGGED = [{"x": RANDOM.normal(size=(1, 40)).astype(np.float32), "flag": np.array(i % 2 == 0)} for i in range(4)]
MODELS = {"quantized": (quantized, PICTURES, lambda v: v[:, ::-1].copy()), "open length": (open_length, SOUNDS, lambda v: v + np.float32(0.1)),
          "branching": (branching, FLAGGED, lambda v: np.float32(1.2) * v)}


def judged(tmp_path, kind, wrong_input=True, damage=None, options=(), **reference):
    make, feeds, change = MODELS[kind]
    file = make(tmp_path / "model.onnx")
    right = write(tmp_path / "reference.mcap", "reference", file, feeds, **reference)
    given = [f | {"x": change(f["x"])} for f in feeds] if wrong_input else feeds
    return validate(write(tmp_path / "edge.mcap", "edge", file, given, damage), right, *options)


@pytest.mark.parametrize("kind", MODELS)
def test_layers_behind_a_wrong_input_are_innocent(tmp_path, kind):
    report = judged(tmp_path, kind)
    assert causes(report) and all(c.startswith("input.") for c in causes(report))
    told = report["isolation"]
    assert told["run"] == told["wrong_layers"] > 1 and told["wrong_alone"] == 0 and told["reason"] is None
    assert told["engine"] == "onnxruntime" and told["model"].endswith("model.onnx") and told["asked"] is False
    assert {layer["role"] for layer in report["layers"]} <= {"clean", "propagates"}


@pytest.mark.parametrize("kind,tensor,layer", [("quantized", "c", 2), ("open length", "l", 1), ("branching", "b", 1)])
def test_a_wrong_kernel_behind_a_wrong_input(tmp_path, kind, tensor, layer):
    report = judged(tmp_path, kind, damage={tensor: lambda v: v * np.float32(0.8)})
    assert causes(report)[0].startswith("input.") and causes(report)[1:] == ["layer.kernel"]
    assert finding(report, "layer.kernel")["where"]["layer"] == layer and report["isolation"]["wrong_alone"] == 1


def test_values_are_given_as_the_edge_reads_them(tmp_path):
    """Of a tensor that only its quantized copy is read of, what lies beyond that copy's range is not."""
    right = write(tmp_path / "reference.mcap", "reference", clipped_by_its_range(tmp_path / "model.onnx", False), PICTURES,
                  fused={"c": "FusedConv"})
    file = clipped_by_its_range(tmp_path / "edge.onnx", True)
    report = validate(write(tmp_path / "edge.mcap", "edge", file, PICTURES, {"r": lambda v: np.float32(0.7) * v}), right)
    assert [f["where"]["layer"] for f in report["findings"]] == [0]
    alone = {layer["edge"]["name"]: layer["isolated_error"] for layer in report["layers"]}
    assert alone["r"] > 0.3 and alone["d"] < 0.02 and report["isolation"]["wrong_alone"] == 1


def narrow(path, quantizes=True):
    """A convolution behind an input that is quantized to half of its range, or not at all."""
    random = np.random.default_rng(9)
    first = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["x_q"]), helper.make_node("DequantizeLinear", ["x_q", "s", "z"], ["x_f"])] if quantizes else []
    nodes = [*first, helper.make_node("Conv", ["x_f" if quantizes else "x", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), helper.make_node("Tanh", ["c"], ["y"])]
    return save(path, nodes, [("x", TensorProto.FLOAT, [1, 3, 8, 8])], "y",
                [constant("w", random.normal(size=(8, 3, 3, 3)) / 3), *([constant("s", 1 / 255), constant("z", 128, np.uint8)] if quantizes else [])])


def test_a_layer_behind_a_wrong_input_that_is_clipped_before_it_is_innocent(tmp_path):
    right = write(tmp_path / "reference.mcap", "reference", narrow(tmp_path / "model.onnx", False), PICTURES)
    given = [f | {"x": f["x"][:, ::-1].copy()} for f in PICTURES]
    report = validate(write(tmp_path / "edge.mcap", "edge", narrow(tmp_path / "edge.onnx"), given), right)
    assert causes(report) and all(c.startswith("input.") for c in causes(report)) and report["isolation"]["run"] > 0


def test_a_range_that_both_sides_share_is_no_reason(tmp_path):
    """One file clips the input of both alike: what one of them makes of it otherwise is its kernel's."""
    file = narrow(tmp_path / "model.onnx")
    right = write(tmp_path / "reference.mcap", "reference", file, PICTURES)
    report = validate(write(tmp_path / "edge.mcap", "edge", file, PICTURES, {"c": lambda v: np.float32(0.8) * v}), right)
    assert causes(report) == ["layer.kernel"]


def dynamic(path):
    """A product of integers, its input quantized in the run."""
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["x_q", "s", "z"]), helper.make_node("MatMulInteger", ["x_q", "w", "z"], ["sum"]),
             helper.make_node("Cast", ["sum"], ["f"], to=TensorProto.FLOAT), helper.make_node("Mul", ["f", "scale"], ["y"])]
    return save(path, nodes, [("x", TensorProto.FLOAT, [4, 40])], "y", [constant("w", np.random.default_rng(7).integers(-120, 120, (40, 20)), np.int8), constant("scale", 1e-4)])


def test_a_sum_of_integers_behind_equal_inputs_may_not_differ(tmp_path):
    """Run together with what quantizes its input it might, by rounding: that is no reason to acquit it."""
    file, feeds = dynamic(tmp_path / "model.onnx"), [{"x": np.random.default_rng(i).normal(size=(4, 40)).astype(np.float32)} for i in range(3)]
    right = write(tmp_path / "reference.mcap", "reference", file, feeds)
    report = validate(write(tmp_path / "edge.mcap", "edge", file, feeds, {"sum": lambda v: v + np.int32(2000) * (np.arange(20) % 2)}), right)
    assert causes(report) == ["layer.kernel"] and finding(report, "layer.kernel")["where"]["op"] == "MatMulInteger"


@pytest.mark.parametrize("kind", MODELS)
def test_a_healthy_pair_runs_nothing(tmp_path, kind):
    report = judged(tmp_path, kind, wrong_input=False)
    assert report["verdict"] == "pass" and report["isolation"]["engine"] is None


def test_switched_off(tmp_path):
    report = judged(tmp_path, "open length", options=["--no-isolate"])
    assert report["isolation"]["engine"] is None and "--no-isolate" in report["isolation"]["reason"]
    assert all(layer["isolated_error"] is None for layer in report["layers"])
    assert not any(c.startswith("layer.") for c in causes(report))


def test_only_the_file_that_ran(tmp_path):
    report = judged(tmp_path, "open length", sha256=bytes(32))
    assert report["isolation"]["engine"] is None and "SHA-256" in report["isolation"]["reason"]


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "..", ".", "sub/model.onnx", "", "reference.mcap", "pipe"])
def test_a_log_names_no_other_place(tmp_path, name):
    import os

    os.mkfifo(tmp_path / "pipe")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "sub").mkdir()
    (tmp_path / "model.onnx").write_bytes(quantized(folder / "sub" / "model.onnx").read_bytes())
    os.mkfifo(folder / "pipe")
    report = judged(folder, "open length", name=name or "no such file")
    assert report["isolation"]["engine"] is None and report["isolation"]["reason"]


def test_the_file_may_be_named(tmp_path):
    report = judged(tmp_path, "open length", name="elsewhere.onnx", options=["--reference-model", tmp_path / "model.onnx"])
    assert report["isolation"]["run"] > 0


def test_an_engine_that_is_not_the_references(tmp_path):
    """What the engine here makes of the reference's own inputs is not what the reference made: it proves nothing."""
    make, feeds, _ = MODELS["branching"]
    file = make(tmp_path / "model.onnx")
    other = {"b": lambda v: v * np.float32(0.9)}  # the reference ran on other hardware, say; the edge is right
    report = validate(write(tmp_path / "edge.mcap", "edge", file, feeds), write(tmp_path / "reference.mcap", "reference", file, feeds, other))
    assert report["isolation"]["wrong_alone"] == 0 and "reference's inputs" in report["isolation"]["reason"]
    broken = write(tmp_path / "broken.mcap", "edge", file, [f | {"x": 3 * f["x"]} for f in feeds], {"b": lambda v: v * np.float32(0.8)})
    report = validate(broken, tmp_path / "reference.mcap")
    assert not any(c == "layer.kernel" for c in causes(report))


def test_a_layer_that_is_wrong_in_later_frames_is_run_on_those(tmp_path):
    """A convolution that is right in the first eight of twelve frames."""
    file, calls = quantized(tmp_path / "model.onnx"), []
    random = np.random.default_rng(8)
    feeds = [{"x": random.uniform(-0.9, 0.9, (1, 3, 8, 8)).astype(np.float32)} for _ in range(12)]

    def late(values):
        calls.append(1)
        return values * np.float32(1.3) if len(calls) in (9, 11) else values

    right = write(tmp_path / "reference.mcap", "reference", file, feeds)
    v = validate(write(tmp_path / "edge.mcap", "edge", file, feeds, {"c": late}), right)
    f = finding(v, "layer.kernel")
    assert f["where"]["tensor"] == "c" and causes(v) == ["layer.kernel"]
    layer, = [p for p in v["layers"] if p["edge"]["name"] == "c" or p["edge"]["index"] == 2]
    assert layer["isolated_error"] > 0.1


def test_a_part_that_is_built_otherwise_is_no_kernel(tmp_path):
    """Between what both sides recorded lies another graph: what it makes of the same inputs is not a kernel's doing."""
    inputs = [RANDOM.normal(size=(1, 6, 8)).astype(np.float32) for _ in range(3)]
    logs = [tmp_path / "edge.mcap", tmp_path / "reference.mcap"]
    for log, pairs in zip(logs, (True, False), strict=True):
        record(rotary(tmp_path / f"{log.stem}.onnx", pairs), log, inputs, tmp_path, role=log.stem, constants=True, file=True)
    v = validate(*logs, "--min-coverage", "0.05")
    assert v["isolation"]["run"] > 0 and set(causes(v)) == {"model.operator", "model.weights"} and len(causes(v)) <= 3, causes(v)
