"""What the tap logs of TensorFlow Lite is what another interpreter computes.

tests/engines/tap_run.c runs a model in TensorFlow Lite's C library with the tap
attached; PyPI's mcap reads its log; ai-edge-litert's Python interpreter, with all
tensors preserved and the same kernels, says what each tensor should be."""

import os
import subprocess

import numpy as np
import pytest
import testdata
from tap_support import (PINNED, RUN, Log, close, events, interpreter, library, litert, noise, photograph, run_both, same, schema,
                         tap_run)

pytestmark = pytest.mark.data


def as_pairs(a):
    """Complex numbers as the log has them."""
    return np.stack([a.real, a.imag], axis=-1) if np.iscomplexobj(a) else a


CASES = [
    ("mobilenet_v1_0.25_224_float", photograph),
    ("mobilenet_v1_0.25_224_uint8", photograph),
    ("mobilenet_v2_1.0_224_uint8", photograph),
    ("efficientnet_lite0_float", photograph),
    ("efficientnet_lite0_int8", photograph),
    ("ssd_mobilenet_v1_coco_300_uint8", photograph),
    ("deeplabv3_257_float", photograph),
    ("yamnet_float", noise),
    ("movie_review_text", noise),
    ("micro_speech_int8", noise),
]


@pytest.mark.parametrize("name,make_input", CASES, ids=[c[0] for c in CASES])
def test_every_layer(name, make_input, tmp_path):
    model = testdata.model(f"{name}.tflite")
    it = interpreter(model)
    inputs = [make_input(d) for d in it.get_input_details()]
    for detail, value in zip(it.get_input_details(), inputs):
        it.set_tensor(detail["index"], value)
    it.invoke()
    log = run_both(model, inputs, tmp_path)

    pinned = log.model.engine_version == PINNED
    agree = same if pinned else close
    details = {d["index"]: d for d in it.get_tensor_details()}
    ops = it._get_ops_details()
    seen, off = {}, set()
    for node, output, occurrence, record in log.layers():
        assert occurrence == 0 and (node, output) not in seen
        seen[node, output] = record
        tensor = log.model.nodes[node].outputs[output]
        assert record.tensor == tensor
        value, expected = log.value(record), as_pairs(it.get_tensor(tensor))
        if not same(value, expected):
            off.add(tensor)
        # Another version's kernels round in another way, and layer by layer the steps
        # add up: each is judged where its inputs are equal.
        # (test_against_the_engine_itself is exact in every case.)
        if pinned or not off.intersection(log.model.nodes[node].inputs):
            assert agree(value, expected), f"node {node} ({log.model.nodes[node].op}), {details[tensor]['name']}"
    assert len(log.model.nodes) == len(ops)
    for i, (node, op) in enumerate(zip(log.model.nodes, ops)):
        assert node.op == op["op_name"]
        assert [t if t < 2**31 else -1 for t in node.inputs] == list(op["inputs"])
        assert list(node.outputs) == list(op["outputs"])
        assert all((i, k) in seen for k in range(len(node.outputs))), f"node {i} ({node.op}) is not in the log"

    # As the file has them: kernels change shapes as they prepare.
    details = {d["index"]: d for d in litert.Interpreter(model_path=str(model)).get_tensor_details()}
    assert len(log.model.tensors) == len([d for d in details.values() if d["name"]])
    for index, info in enumerate(log.model.tensors):
        detail = details[index]
        assert info.name == detail["name"]
        parameters = detail["quantization_parameters"]
        assert np.array_equal(np.float32(info.quantization.scale), parameters["scales"])
        assert list(info.quantization.zero_point) == list(parameters["zero_points"])
        assert len(parameters["scales"]) < 2 or info.quantization.axis == parameters["quantized_dimension"]
        pair = [2] if np.issubdtype(detail["dtype"], np.complexfloating) else []
        assert list(info.shape) == list(detail["shape_signature"]) + pair

    assert [t for t in log.model.inputs] == [d["index"] for d in it.get_input_details()]
    assert [t for t in log.model.outputs] == [d["index"] for d in it.get_output_details()]
    for (_, record), value in zip(log.records["input"], inputs, strict=True):
        assert same(log.value(record), value)
    for (_, record), detail in zip(log.records["output"], it.get_output_details(), strict=True):
        assert record.tensor == detail["index"]
        assert record.data == [r for _, _, _, r in log.layers() if r.tensor == record.tensor][-1].data

    constants = {record.tensor: record for _, record in log.records["constant"]}
    assert all(int(topic) == record.tensor for topic, record in log.records["constant"])
    assert constants.keys() == {i for i, t in enumerate(log.model.tensors) if t.constant}
    for index, record in constants.items():
        assert same(log.value(record), it.get_tensor(index))

    latency = log.latency[0]
    assert list(latency.node) == list(range(len(ops)))
    ends = [s + d for s, d in zip(latency.start_ns, latency.duration_ns)]
    assert all(end <= start for end, start in zip(ends, latency.start_ns[1:])), "nodes run one after the other"
    assert 0 < sum(latency.duration_ns) <= log.frames[0].inference_ns
    assert log.frames[0].inference_ns <= log.frames[0].end_ns - log.frames[0].begin_ns


def expose_everything(model, path):
    """The same model with every node's output as an output of the graph."""
    flatbuffers = pytest.importorskip("flatbuffers")
    tree = schema.ModelT.InitFromPackedBuf(model.read_bytes(), 0)
    graph = tree.subgraphs[0]
    produced = [t for op in graph.operators for t in op.outputs]
    graph.outputs = [int(t) for t in produced]
    tree.signatureDefs = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return produced


@pytest.mark.parametrize("name,make_input", CASES, ids=[c[0] for c in CASES])
def test_against_the_engine_itself(name, make_input, tmp_path):
    """Whatever the library's version: bit-identical to what it returns for these
    tensors when they are outputs of the graph and nobody taps it."""
    model = testdata.model(f"{name}.tflite")
    inputs = [make_input(d) for d in interpreter(model).get_input_details()]
    log = run_both(model, inputs, tmp_path)
    exposed = tmp_path / "exposed.tflite"
    produced = expose_everything(model, exposed)
    files = [a for i in range(len(inputs)) for a in ("--input", tmp_path / f"log.in{i}")]
    tap_run(exposed, *files, "--dump", tmp_path / "exposed.out")
    dump, offset = (tmp_path / "exposed.out").read_bytes(), 0
    records = {record.tensor: record for _, _, _, record in log.layers()}
    assert set(produced) == records.keys()
    for tensor in produced:
        size = len(records[tensor].data)
        assert dump[offset : offset + size] == records[tensor].data, log.model.tensors[tensor].name
        offset += size
    assert offset == len(dump)


def test_the_models_hash(tmp_path):
    import hashlib

    model = testdata.model("micro_speech_int8.tflite")
    tap_run(model, "--log", tmp_path / "a.mcap")
    log = Log(tmp_path / "a.mcap")
    assert log.model.sha256 == hashlib.sha256(model.read_bytes()).digest()
    assert log.model.name == model.name


def test_levels(tmp_path):
    """Each level keeps what it says, and the tap fetches nothing else."""
    model = testdata.model("micro_speech_int8.tflite")
    kept = {"off": set(), "frame": set(), "io": {"input", "output"}, "stats": {"input", "output", "layer", "constant"}}
    for level, kinds in kept.items():
        path = tmp_path / f"{level}.mcap"
        tap_run(model, "--log", path, "--capture", level, "--runs", 3)
        log = Log(path)
        assert log.records.keys() == kinds
        assert len(log.frames) == len(log.latency) == (0 if level == "off" else 3)
    assert all(r.HasField("stats") and not r.data for _, r in log.records["layer"])
    tap_run(model, "--log", tmp_path / "a.mcap", "--no-constants")
    assert Log(tmp_path / "a.mcap").records.keys() == {"input", "output", "layer"}


def test_linked_library(tmp_path):
    """Without a handle the functions are those that the program is linked with."""
    model = testdata.model("micro_speech_int8.tflite")
    command = [str(a) for a in (RUN, "-", model, "--log", tmp_path / "a.mcap", "--capture", "full")]
    if not RUN.exists():
        pytest.skip(f"no {RUN}: build the tests")
    environment = dict(os.environ, LD_PRELOAD=str(library()))
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    tap_run(model, "--log", tmp_path / "b.mcap", "--capture", "full")
    a, b = ([(n, k, r.data) for n, k, _, r in Log(tmp_path / f"{x}.mcap").layers()] for x in "ab")
    assert a == b and len(a) == 4
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "no TensorFlow Lite found" in result.stderr


def test_xnnpack(tmp_path):
    """A partition is one node, with what it runs inside; its outputs and the
    nodes outside are logged, and they are what the next node was given."""
    model = testdata.model("ssd_mobilenet_v1_coco_300_uint8.tflite")
    it = interpreter(model)
    image = photograph(it.get_input_details()[0])
    log = run_both(model, [image], tmp_path, "--kernels", "xnnpack", runs=2)
    assert log.model.kernels == "xnnpack"
    partitions = [n for n in log.model.nodes if n.op == "TfLiteXNNPackDelegate"]
    assert partitions and log.metadata["exray.delegation"]["partitions"] == str(len(partitions))
    inner = [n for p in partitions for n in p.inner]
    own = [n for n in log.model.nodes if n.op != "TfLiteXNNPackDelegate"]
    # Nothing is lost, nothing is there twice: the same nodes as without the delegate.
    ops = it._get_ops_details()
    key = lambda op, outputs: (op, tuple(outputs))
    assert sorted(key(n.op, n.outputs) for n in inner + own) == sorted(key(o["op_name"], o["outputs"]) for o in ops)
    assert str(len(inner)) == log.metadata["exray.delegation"]["delegated_nodes"]
    for frame in range(2):
        seen = {(node, output) for node, output, _, _ in log.layers(frame)}
        assert seen == {(i, k) for i, n in enumerate(log.model.nodes) for k in range(len(n.outputs))}
        assert sorted(log.latency[frame].node) == list(range(len(log.model.nodes)))
        assert all(d > 0 for d in log.latency[frame].duration_ns)
        assert 0.5 * log.frames[frame].inference_ns < sum(log.latency[frame].duration_ns) <= log.frames[frame].inference_ns
    # The delegate's kernels round in another way, a step or two; a wrong buffer would be far off.
    it.set_tensor(it.get_input_details()[0]["index"], image)
    it.invoke()
    for node, output, _, record in log.layers():
        if log.model.nodes[node].op == "TfLiteXNNPackDelegate":
            value = log.value(record).astype(np.float64)
            expected = it.get_tensor(record.tensor).astype(np.float64)
            assert np.sqrt(np.mean((value - expected) ** 2)) < 0.02 * max(1, np.ptp(expected)), record.tensor
    assert same(log.value(log.records["input"][0][1]), image)


def test_wholly_delegated(tmp_path):
    """One partition, no other node: not one event but the delegate's own."""
    model = testdata.model("efficientnet_lite0_float.tflite")
    it = interpreter(model)
    image = photograph(it.get_input_details()[0])
    log = run_both(model, [image], tmp_path, "--kernels", "xnnpack", runs=2)
    assert len(log.model.nodes) == 1 and len(log.model.nodes[0].inner) == 61
    it.set_tensor(it.get_input_details()[0]["index"], image)
    it.invoke()
    expected = it.get_tensor(it.get_output_details()[0]["index"])
    for _, record in log.records["output"]:
        assert np.allclose(log.value(record), expected, atol=1e-4)
    for _, record in log.records["input"]:
        assert same(log.value(record), image)
    assert all(f.inference_ns > 100_000 for f in log.frames)


def test_delegate_after_the_tap(tmp_path):
    """Its nodes would be silently missing: an error that says what to do."""
    for name in ("efficientnet_lite0_float", "ssd_mobilenet_v1_coco_300_uint8"):
        model = testdata.model(f"{name}.tflite")
        result = tap_run(model, "--log", tmp_path / "late.mcap", "--kernels", "xnnpack", "--late", check=False)
        assert result.returncode == 1
        assert "before exray_tflite_attach" in result.stderr


@pytest.mark.parametrize("say", [[], ["--say-begin"]])
def test_a_tap_that_came_too_late_is_told(say, tmp_path):
    """No interpreter was created with its options: the log would be empty, with status 0."""
    result = tap_run(testdata.model("micro_speech_int8.tflite"), "--log", tmp_path / "l.mcap", "--too-late", "--runs", 2, *say,
                     "--dump", tmp_path / "out", check=False)
    assert result.returncode == 1 and "before TfLiteInterpreterCreate" in result.stderr and len(result.stderr.splitlines()) == 1
    assert (tmp_path / "out").stat().st_size > 0


def test_a_model_file_of_another_model_is_told(tmp_path):
    """By its operators, or by its tensors' scales; a missing one costs the hash.  Recording goes on."""
    run, cases = testdata.model("efficientnet_lite0_int8.tflite"), [
        ("micro_speech_int8.tflite", "is not the model that runs: it has"), ("efficientnet_lite0_int8_badcal.tflite", "has another name, type, shape or scale"),
        ("efficientnet_lite0_float.tflite", "is not the model that runs"), ("none.tflite", "cannot read the model"), ("efficientnet_lite0_int8.tflite", None)]
    for i, (told, words) in enumerate(cases):
        tap_run(run, "--told", testdata.MODELS / told, "--log", tmp_path / f"{i}.mcap")
        log, said = Log(tmp_path / f"{i}.mcap"), events(tmp_path / f"{i}.mcap")
        assert [kind for kind, _ in said] == ["error"] * (words is not None), said
        assert words is None or words in said[0][1] and told in said[0][1]
        assert bool(log.model.sha256) == (words is None) == bool(log.model.nodes[1].attributes)
        assert len(log.records["layer"]) >= 60


def test_runs_after_the_close_are_plain(tmp_path):
    model = testdata.model("micro_speech_int8.tflite")
    tap_run(model, "--log", tmp_path / "l.mcap", "--runs", 3, "--closed", "--dump", tmp_path / "out")
    tap_run(model, "--runs", 3, "--dump", tmp_path / "plain")
    assert len(Log(tmp_path / "l.mcap").frames) == 2 and (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()


def test_again(tmp_path):
    """A second interpreter with the same options goes on in the same log."""
    model = testdata.model("ssd_mobilenet_v1_coco_300_uint8.tflite")
    image = photograph(interpreter(model).get_input_details()[0])
    log = run_both(model, [image], tmp_path, "--again", runs=2)
    assert len(log.frames) == 4
    first = {(n, k): r.data for n, k, _, r in log.layers(0)}
    for frame in range(1, 4):
        assert {(n, k): r.data for n, k, _, r in log.layers(frame)} == first


def test_resized(tmp_path):
    """Shapes that are not the file's are in the records."""
    model = testdata.model("mobilenet_v1_0.25_224_float.tflite")
    it = interpreter(model)
    it.resize_tensor_input(it.get_input_details()[0]["index"], [2, 224, 224, 3])
    it.allocate_tensors()
    detail = it.get_input_details()[0]
    value = noise(detail)
    assert value.shape[0] == 2
    it.set_tensor(detail["index"], value)
    it.invoke()
    log = run_both(model, [value], tmp_path, "--resize", "2,224,224,3")
    for node, output, _, record in log.layers():
        if log.model.nodes[node].op == "CONV_2D":
            assert list(log.info(record).shape)[0] == 2 and log.model.tensors[record.tensor].shape[0] == 1
        expected = it.get_tensor(record.tensor)
        assert (same if log.model.engine_version == PINNED else close)(log.value(record), expected), node
