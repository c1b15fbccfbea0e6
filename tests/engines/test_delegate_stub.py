"""An external delegate that takes some nodes and computes them itself (stub_delegate.c):
what `record --delegate` logs of it, and what `info` and `validate` make of that."""

import json
import sys

import numpy as np
import pytest
import testdata
from demo_support import EXRAY, run
from tap_support import Log, library, schema, tap_run
from validate_support import BUILD, ROOT, causes, finding, validate

sys.path.insert(0, str(ROOT / "tests" / "faults"))
import model_files  # noqa: E402

pytestmark = pytest.mark.data

STUB = BUILD / "tests" / "stub_delegate.so"
MOBILENET = testdata.MODELS / "mobilenet_v1_0.25_224_float.tflite"
DEPTHWISE = "DEPTHWISE_CONV_2D"
PIPELINE = "image: {resize: bicubic 224x224, normalize: {mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5]}}\n"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """record(options of the stub, ...) runs `exray record` and returns the log's path; with
    status 2, its one line and the path."""
    library()
    folder = tmp_path_factory.mktemp("logs")
    (folder / "p.yaml").write_text(PIPELINE)
    pictures = testdata.pictures()
    count = iter(range(1000))

    def call(options, *more, frames=3, model=MOBILENET, status=0):
        (folder / "list.txt").write_text("".join(f"{p}\n" for p in pictures[:frames]))
        out = folder / f"{next(count)}.mcap"
        spec = [] if options is None else ["--delegate", f"{STUB}:{options}" if options else STUB]
        result = run(EXRAY, "record", "--engine", "tflite", "--model", testdata.need(model), "--pipeline", folder / "p.yaml",
                     "--data", folder / "list.txt", "--capture", "full", *spec, *more, "-o", out, status=status)
        lines = [line for line in result.stderr.splitlines() if not line.startswith("INFO:")]
        assert len(lines) == (status == 2), result.stderr
        return (lines[0], out) if status else out

    return call


@pytest.fixture(scope="module")
def builtin(record):
    return record(None)


def described(node):
    return node.op, list(node.inputs), list(node.outputs), dict(node.attributes)


def check_values(log, reference):
    """Every layer's values are the builtin kernels', up to the order of additions."""
    expected = {}
    for frame in range(len(reference.frames)):
        for node, output, _, record in reference.layers(frame):
            tensor = reference.model.nodes[node].outputs[output]
            expected[frame, tensor] = reference.value(record)
    seen = set()
    for frame in range(len(log.frames)):
        for node, output, _, record in log.layers(frame):
            tensor = log.model.nodes[node].outputs[output]
            want = expected[frame, tensor]
            seen.add((frame, node))
            assert np.abs(log.value(record) - want).max() <= 3e-4 * max(1, np.abs(want).max()), f"layer {node}"
    assert len(seen) == len(log.frames) * len(log.model.nodes)


def check_latencies(log):
    """Each node has one; together they are nearly all of the run, of those that nothing interrupted."""
    shares = []
    for frame in log.frames:
        latency = log.latency[frame.index]
        assert list(latency.node) == list(range(len(log.model.nodes)))
        assert all(d > 0 for d in latency.duration_ns)
        ends = [s + d for s, d in zip(latency.start_ns, latency.duration_ns)]
        assert all(end <= start for end, start in zip(ends, latency.start_ns[1:]))
        assert sum(latency.duration_ns) <= frame.inference_ns
        shares.append(sum(latency.duration_ns) / frame.inference_ns)
    assert max(shares) >= 0.9


def test_nodes_that_it_takes_one_by_one(record, builtin):
    log, plain = Log(record(f"take:{DEPTHWISE}")), Log(builtin)
    assert log.metadata["exray.delegation"]["delegate"] == "StubDelegate" == log.model.kernels
    assert log.metadata["exray.delegation"]["partitions"] == log.metadata["exray.delegation"]["delegated_nodes"] == "13"
    assert len(log.model.nodes) == len(plain.model.nodes) == 31
    for node, was in zip(log.model.nodes, plain.model.nodes):
        if was.op != DEPTHWISE:
            assert described(node) == described(was) and not node.inner
            continue
        assert node.op == "StubDelegate" and node.name == was.name and list(node.outputs) == list(was.outputs)
        assert sorted(node.inputs) == sorted(was.inputs)
        assert [described(n) for n in node.inner] == [described(was)]
    check_values(log, plain)
    check_latencies(log)
    assert "exray.unobserved" not in log.metadata


@pytest.mark.parametrize("take,first,last", [("3-9", 3, 9), ("0,1,2", 0, 2)])
def test_nodes_in_a_row_are_one_layer(record, builtin, take, first, last):
    log, plain = Log(record(f"take:{take}")), Log(builtin)
    assert len(log.model.nodes) == 31 - (last - first)
    node, was = log.model.nodes[first], list(plain.model.nodes[first : last + 1])
    assert node.op == "StubDelegate" and [described(n) for n in node.inner] == [described(n) for n in was]
    made = {t for n in was for t in n.outputs}
    assert set(node.inputs) == {t for n in was for t in n.inputs} - made and list(node.outputs) == list(was[-1].outputs)
    assert [n.op for n in log.model.nodes[first + 1 :]] == [n.op for n in plain.model.nodes[last + 1 :]]
    check_values(log, plain)
    check_latencies(log)


def test_all_of_the_model(record, builtin):
    """Nothing is heard of a run before its second node: its begin is known all the same."""
    log, plain = Log(record("take:all")), Log(builtin)
    assert [n.op for n in log.model.nodes] == ["StubDelegate", "SQUEEZE", "StubDelegate"]
    assert [n.op for n in log.model.nodes[0].inner] == [n.op for n in plain.model.nodes[:29]]
    check_values(log, plain)
    check_latencies(log)
    assert all(log.latency[f].duration_ns[0] > 3e6 for f in log.latency)  # plain C: some 30 ms


@pytest.mark.alone
def test_with_xnnpack_between(record, builtin):
    """28 partitions of two delegates, with one event of TensorFlow Lite's in between."""
    log, plain = Log(record(f"take:{DEPTHWISE}", "--kernels", "xnnpack")), Log(builtin)
    assert log.metadata["exray.delegation"]["delegate"] == "TfLiteXNNPackDelegate, StubDelegate"
    assert "exray.unobserved" not in log.metadata
    for n in log.model.nodes:
        assert {i.op for i in n.inner} == {DEPTHWISE} if n.op == "StubDelegate" else DEPTHWISE not in {i.op for i in n.inner}
    assert sum(len(n.inner) or 1 for n in log.model.nodes) == 31
    check_values(log, plain)
    check_latencies(log)
    latency = log.latency[2]
    stub = [d for n, d in zip(log.model.nodes, latency.duration_ns) if n.op == "StubDelegate"]
    assert sum(stub) > 0.8 * sum(latency.duration_ns)


def with_dead_node(out, index=5):
    """The model with a second copy of node `index` that nobody reads; its number."""
    model = model_files.read(testdata.need(MOBILENET))
    graph = model.subgraphs[0]
    op = graph.operators[index]
    graph.tensors.append(schema.TensorT())
    was = graph.tensors[op.outputs[0]]
    graph.tensors[-1].__dict__.update(was.__dict__, name=b"dead")
    copy = schema.OperatorT()
    copy.__dict__.update(op.__dict__, outputs=[len(graph.tensors) - 1])
    graph.operators.insert(index + 1, copy)
    model_files.write(model, out)
    return index + 1


@pytest.mark.parametrize("take", ["3-9", "6", "5,6", "all"])
def test_a_node_that_nobody_reads(tmp_path, record, take):
    model = tmp_path / "dead.tflite"
    dead = with_dead_node(model)
    log, plain = Log(record(f"take:{take}", model=model)), Log(record(None, model=model))
    holders = [n for n in log.model.nodes if "dead" in [log.model.tensors[t].name for i in n.inner for t in i.outputs]]
    assert len(holders) == 1 and holders[0].op == "StubDelegate"
    assert described(plain.model.nodes[dead]) in [described(n) for n in holders[0].inner]
    inside = [n for o in log.model.nodes for n in (o.inner or [o])]
    assert sorted(map(str, map(described, inside))) == sorted(str(described(n)) for n in plain.model.nodes)
    assert str(len([n for o in log.model.nodes for n in o.inner])) == log.metadata["exray.delegation"]["delegated_nodes"]
    assert [list(n.outputs) for n in holders] == [[]] if take == "6" else holders[0].outputs
    check_latencies(log)


@pytest.mark.parametrize("options", ["take:NO_SUCH_OP", "take:9-3", "take:", "wrong:x", "fail:", "speed:1"])
def test_options_that_it_refuses(record, options):
    line, out = record(options, status=2)
    assert line.endswith(f"made no delegate: stub delegate: cannot use {options}") and not out.exists()


@pytest.mark.parametrize("options", ["", "take:100", "take:29;fail:0;wrong:3"], ids=["no options", "no such node", "a squeeze"])
def test_nothing_taken(record, builtin, options):
    log, plain = Log(record(options)), Log(builtin)
    assert log.metadata["exray.delegate"]["asked_for"].startswith(str(STUB)) and "exray.delegation" not in log.metadata
    assert log.model.kernels == "builtin" and [described(n) for n in log.model.nodes] == [described(n) for n in plain.model.nodes]
    assert "inside" not in run(EXRAY, "info", builtin).stdout


def test_failures_are_told_in_its_own_words(record):
    line, out = record("take:3-9;fail:prepare", status=2)
    assert line.endswith("cannot build an interpreter for the model: stub delegate: cannot prepare, as asked for") and not out.exists()
    line, out = record("take:3-9;fail:0", status=2)
    assert line.endswith("the model failed to run: stub delegate: run 0 fails, as asked for") and not out.exists()
    line, out = record("take:3-9;fail:1", status=2)
    assert line.endswith("the model failed to run: stub delegate: run 1 fails, as asked for")
    log = Log(out)  # what came before is kept, what failed is counted
    assert log.metadata["exray.unobserved"]["runs_that_failed"] == "1"
    assert len(log.records["output"]) == 1 and log.frames[0].inference_ns > 0 and 1 not in log.latency
    assert "exray.unobserved" not in Log(record("take:3-9;fail:3")).metadata


@pytest.mark.parametrize("take,wrong,layer,inside", [(DEPTHWISE, 9, 9, 1), ("3-9", 5, 3, 7), ("all", 5, 0, 29)])
def test_a_wrong_one_is_named(record, builtin, take, wrong, layer, inside):
    verdict = validate(record(f"take:{take};wrong:{wrong}"), builtin, status=1)
    assert [c for c in causes(verdict) if not c.startswith("perf.")] == ["layer.kernel"]
    found = finding(verdict, "layer.kernel")
    assert found["where"]["op"] == "StubDelegate" and f"Layer {layer} (StubDelegate)" in found["summary"]
    assert found["evidence"]["delegated_nodes"] == inside
    roles = {p["edge"]["index"]: p["role"] for p in verdict["layers"]}
    assert [i for i, role in roles.items() if role == "originates"] == [layer]
    assert {role for i, role in roles.items() if i > layer} == {"propagates"}


def test_a_right_one_is_not(record, builtin):
    for options in (f"take:{DEPTHWISE}", "take:3-9", "take:all"):
        verdict = validate(record(options), builtin, status=0)
        assert not [f for f in verdict["findings"] if f["severity"] == "error"]
        assert verdict["coverage"]["compared"] + verdict["coverage"]["fused"] == verdict["coverage"]["edge_layers"]


def test_info_lists_what_is_inside(tmp_path, record):
    log = record("take:3-9,28")
    text = run(EXRAY, "info", log, "--json", tmp_path / "i.json").stdout
    assert [line for line in text.splitlines() if line.startswith("inside")] == [f"inside     2 StubDelegate: 4 CONV_2D, 4 {DEPTHWISE}"]
    inner = json.loads((tmp_path / "i.json").read_text())["model"]["inner"]
    model = Log(log).model
    names = [t.name for t in model.tensors]
    assert [(o["layer"], o["op"], o["name"]) for o in inner] == [(i, n.op, n.name) for i, n in enumerate(model.nodes) if n.inner]
    for outer in inner:
        assert outer["nodes"] == [{"op": n.op, "name": n.name, "inputs": [names[t] for t in n.inputs], "outputs": [names[t] for t in n.outputs]}
                                  for n in model.nodes[outer["layer"]].inner]


def test_layers_that_it_leaves_out(record):
    """Against a reference whose delegate takes all that it can."""
    edge, whole = record("take:13,15,17,28-30", frames=12), record("take:all", frames=12)
    verdict = validate(edge, whole, status=0)
    found = finding(verdict, "perf.fallback")
    log = Log(edge)
    left = [i for i, n in enumerate(log.model.nodes) if not n.inner]
    evidence = found["evidence"]
    assert (evidence["left_layers"], evidence["partitions"], evidence["delegated_nodes"]) == (len(left), 5, 5) == (26, 5, 5)
    # The stub's own kernels are slow: an edge that leaves more to the engine may well be the faster, and it is a remark.
    assert evidence["reference_partitions"] == 2 and found["severity"] in ("warning", "info")
    times = np.median([list(log.latency[f].duration_ns) for f in range(1, 12)], 0)
    assert abs(evidence["left_share"] - times[left].sum() / times.sum()) < 0.15
    assert "The delegate left 26 layers" in found["summary"] and evidence[f"layer_{left[int(np.argmax(times[left]))]}"] > 0.02
    assert not set(evidence) & {f"layer_{i}" for i, n in enumerate(log.model.nodes) if n.inner}
    assert "perf.fallback" not in causes(validate(whole, edge))


@pytest.mark.parametrize("options", ["take:13,15,17,28-30", f"take:{DEPTHWISE}", "take:all"])
def test_the_same_delegate_on_both_sides(record, options):
    verdict = validate(record(options, frames=12), record(options, frames=12), status=0)
    assert "perf.fallback" not in causes(verdict) and not [f for f in verdict["findings"] if f["severity"] == "error"]


# ---- In an application ------------------------------------------------------------------


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    """application(*options of tap_run): the log of three runs on noise."""
    folder = tmp_path_factory.mktemp("application")
    np.random.default_rng(3).uniform(-1, 1, (3, 224, 224, 3)).astype(np.float32).tofile(folder / "x.bin")

    def call(*options):
        tap_run(testdata.need(MOBILENET), "--input", folder / "x.bin", "--runs", 3, "--capture", "full", "--log", folder / "o.mcap", *options)
        return Log(folder / "o.mcap")

    return call


def test_a_run_that_begins_unseen(application):
    """Where nobody says when a run begins, what it begins with has no latency, and it no time."""
    plain = application()
    unseen = application("--delegate", f"{STUB}:take:0-2")
    check_values(unseen, plain)
    assert unseen.metadata["exray.unobserved"] == {"executions_of_partitions_without_latency": "3"}
    assert [f.inference_ns for f in unseen.frames] == [0, 0, 0]
    assert all(list(latency.node) == list(range(1, 29)) for latency in unseen.latency.values())
    seen = application("--delegate", f"{STUB}:take:0-2", "--say-begin")
    check_values(seen, plain)
    check_latencies(seen)
    assert "exray.unobserved" not in seen.metadata
    check_latencies(application("--say-begin"))


@pytest.mark.parametrize("kernels", ["builtin", "xnnpack"])
def test_partitions_in_a_row(application, kernels):
    """Nothing is heard between them: what the third has overwritten is counted as lost."""
    delegates = ["--delegate", f"{STUB}:take:0,2", "--delegate", f"{STUB}:take:1", "--say-begin", "--kernels", kernels]
    plain, log = application(), application(*delegates)
    assert [n.op for n in log.model.nodes[:3]] == ["StubDelegate"] * 3
    count = 3 if kernels == "builtin" else 4  # with XNNPACK's own behind them
    lost = count - 2
    assert log.metadata["exray.unobserved"] == {"executions_of_overwritten_partitions": str(3 * lost),
                                                "executions_of_partitions_without_latency": str(3 * count)}
    have = {node for frame in range(3) for node, *_ in log.layers(frame)}
    assert have == set(range(lost, len(log.model.nodes)))
    assert all(min(latency.node) == count for latency in log.latency.values())
    assert all(f.inference_ns > sum(log.latency[f.index].duration_ns) for f in log.frames)
    expected = {plain.model.nodes[n].outputs[k]: plain.value(r) for n, k, _, r in plain.layers(2)}
    for node, output, _, record in log.layers(2):
        want = expected[log.model.nodes[node].outputs[output]]
        assert np.abs(log.value(record) - want).max() <= 3e-4 * max(1, np.abs(want).max())
