"""Latencies: logs with known times, noise of heavy tails, in many seeds; what is named is
what was put there, and nothing on healthy pairs.  Real runs on a loaded machine."""

import os
import subprocess

import numpy as np
import pytest
import testdata
from latency_logs import OPS, write_times
from log_writer import DTYPES, PB, Log
from validate_support import EXRAY, causes, finding, validate


def judged(tmp_path, seed, reference=None, **edge):
    e = write_times(tmp_path / "e.mcap", 2 * seed + 1000, **edge)
    same = {"frames": edge["frames"]} if "frames" in edge else {}
    r = write_times(tmp_path / "r.mcap", 2 * seed + 1, role="reference", **{**same, **(reference or {})})
    return validate(e, r)


def rate(tmp_path, cause, seeds=10, **options):
    """How many of the seeds name this and nothing else."""
    return sum(causes(judged(tmp_path, seed, **options)) == ([cause] if cause else []) for seed in range(seeds))


HEALTHY = {
    "repeat": {},
    "loaded": {"speed": 2.5},
    "phone": {"speed": 10, "cpu": "phone", "spread": 0.3},
    "other kernels of a phone": {"speed": 5, "kernels": "xnnpack", "cpu": "phone", "slow": {"DEPTHWISE_CONV_2D": 3}},
    "few frames": {"frames": 4, "slow": {"CONV_2D": 50}},
    "no layers": {"layers": False},
    "slower for a moment": {"frames": 60, "shape": lambda f: 1 if f < 30 else 3},
    "to and fro": {"frames": 160, "speed": 3, "shape": lambda f: 1.4 + 0.4 * np.sin(f / 12)},
    "held up, the first by chance": {"tail": 0, "shape": lambda f: 4 if f == 0 else 1 + 0.9 * (f % 3 == 0)},
    "one slow frame": {"shape": lambda f: 8 if f == 11 else 1},
    "a clock of whole milliseconds": {"frames": 160, "speed": 3, "tick": 2_000_000},
    "allocator": {"rss": lambda f: (50 << 20) + min(f, 5) * (3 << 20)},
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_pairs_are_clean(tmp_path, name):
    assert rate(tmp_path, None, **HEALTHY[name]) == 10


FAULTS = {
    "one kind": ("perf.straggler", {"slow": {"DEPTHWISE_CONV_2D": 38}}),
    "one kind on a phone": ("perf.straggler", {"slow": {"DEPTHWISE_CONV_2D": 38}, "speed": 10, "cpu": "phone", "spread": 0.3}),
    "one layer": ("perf.straggler", {"slow": {3: 30}}),
    "other kernels": ("perf.kernels", {"speed": 5, "kernels": "xnnpack", "slow": {"DEPTHWISE_CONV_2D": 3}}),
    "first frame": ("perf.warmup", {"shape": lambda f: 12 if f == 0 else 1}),
    "throttled": ("perf.throttle", {"frames": 60, "shape": lambda f: 1 if f < 30 else 1.6, "mhz": lambda f: 2400 if f < 30 else 1500}),
    "slower and slower": ("perf.throttle", {"frames": 160, "speed": 3, "cpu": "phone", "shape": lambda f: 1 + f / 160}),
    "slower, clock unknown": ("perf.throttle", {"frames": 160, "speed": 3, "cpu": "phone",
                                                "shape": lambda f: 1 if f < 80 else 3.5}),
    "slower by a clock of whole milliseconds": ("perf.throttle", {"frames": 160, "speed": 3, "cpu": "phone", "tail": 0, "tick": 10_000_000,
                                                                  "shape": lambda f: 1 if f < 40 else 3.5}),
    "leak": ("perf.memory_growth", {"rss": lambda f: (50 << 20) + f * (1 << 20)}),
    "dropped": ("perf.dropped", {"dropped": 17}),
    "reference kernels": ("perf.kernels", {"speed": 7, "kernels": "reference", "layers": False}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named(tmp_path, name):
    cause, options = FAULTS[name]
    assert rate(tmp_path, cause, **options) >= 9


def test_one_finding_lists_the_layers(tmp_path):
    verdict = judged(tmp_path, 0, slow={"DEPTHWISE_CONV_2D": 38})
    assert verdict["verdict"] == "pass"
    found = finding(verdict, "perf.straggler")
    assert found["severity"] == "warning" and found["evidence"]["slow_layers"] == 6
    assert 30 < found["evidence"]["ratio"] < 48
    assert found["summary"].startswith("All 6 DEPTHWISE_CONV_2D layers are slow")
    slow = verdict["latency"]["stragglers"]
    assert [s["layer"] for s in slow] == [1, 3, 5, 7, 9, 11] and all(s["op"] == "DEPTHWISE_CONV_2D" for s in slow)
    assert len(verdict["latency"]["layers"]) == len(OPS)


def test_it_fails_where_asked_to(tmp_path):
    e = write_times(tmp_path / "e.mcap", 1, slow={"DEPTHWISE_CONV_2D": 38})
    r = write_times(tmp_path / "r.mcap", 2, role="reference")
    assert causes(validate(e, r, "--fail-on", "perf", status=1)) == ["perf.straggler"]


def test_without_reference_latency_it_is_unjudged(tmp_path):
    verdict = judged(tmp_path, 0, slow={"CONV_2D": 30}, reference={"layers": False})
    run = {a["name"]: a for a in verdict["assertions"]}["perf.straggler"]
    assert run["status"] == "unjudged" and "/latency" in run["reason"]


def delegated(path, role, left, seed, takes=True, kernels="builtin"):
    """A DELEGATE node (takes: it runs; otherwise a convolution) and `left` convolutions outside of it."""
    random = np.random.default_rng(seed)
    log = Log(path, metadata={"role": role, "log_id": role, "device": "a", "cpu": "a", "arch": "x"})
    m = PB["Model"](name="m", engine="tflite", kernels=kernels, threads=1, inputs=[0], outputs=[left + 1])
    for i in range(left + 2):
        m.tensors.add(name=f"t{i}", dtype=DTYPES["float32"], shape=[1, 4, 4, 8])
    m.tensors.add(name="w", dtype=DTYPES["float32"], shape=[8, 3, 3, 8], constant=True)
    m.nodes.add(op="DELEGATE" if takes else "CONV_2D", inputs=[0] if takes else [0, left + 2], outputs=[1])
    if takes:
        m.nodes[0].inner.add(op="CONV_2D", inputs=[0, left + 2], outputs=[1])
    for i in range(left):
        m.nodes.add(op="CONV_2D", inputs=[i + 1, left + 2], outputs=[i + 2])
    log.add("/model", "Model", m)
    x = np.arange(128, dtype=np.float32).reshape(1, 4, 4, 8)
    for f in range(20):
        begin = log.time
        times = [int(1e6 * np.exp(random.normal(0, 0.1))) for _ in range(left + 1)]
        log.tensor("/input/t0", x, frame=f)
        log.tensor(f"/output/t{left + 1}", x, frame=f)
        log.add("/latency", "Latency", PB["Latency"](frame=f, node=range(left + 1), start_ns=range(left + 1), duration_ns=times))
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=sum(times))
    log.finish()
    return path


def test_layers_left_out_of_a_delegate(tmp_path):
    cut, whole = delegated(tmp_path / "e.mcap", "edge", 2, 1), delegated(tmp_path / "r.mcap", "reference", 0, 2)
    found = finding(validate(cut, whole, "--assert", "perf.fallback", "--min-coverage", "0"), "perf.fallback")
    assert found["evidence"]["left_layers"] == 2 and 0.5 < found["evidence"]["left_share"] < 0.8
    alike = delegated(tmp_path / "a.mcap", "reference", 2, 3)
    assert "perf.fallback" not in causes(validate(cut, alike))


def test_a_delegate_that_runs_nothing(tmp_path):
    none = delegated(tmp_path / "e.mcap", "edge", 2, 1, takes=False, kernels="xnnpack")
    whole = delegated(tmp_path / "r.mcap", "reference", 0, 2, kernels="xnnpack")
    verdict = validate(none, whole, "--assert", "perf.fallback,perf.kernels", "--min-coverage", "0")
    assert causes(verdict) == ["perf.kernels"] and finding(verdict, "perf.kernels")["summary"].startswith("No delegate runs the model")
    builtin = delegated(tmp_path / "b.mcap", "edge", 2, 1, takes=False)
    assert causes(validate(builtin, whole, "--assert", "perf.fallback", "--min-coverage", "0")) == []


def test_multiply_accumulates(tmp_path):
    cut = delegated(tmp_path / "e.mcap", "edge", 2, 1)
    layers = validate(cut, delegated(tmp_path / "r.mcap", "reference", 2, 3))["latency"]["layers"]
    assert [layer["edge"]["macs"] for layer in layers] == [0, 4 * 4 * 8 * 72, 4 * 4 * 8 * 72]
    assert layers[1]["edge"]["frames"] == 20


@pytest.mark.skipif("EXRAY_REPEATS" not in os.environ, reason="a measurement: EXRAY_REPEATS=20 makes it")
def test_real_repeats_on_a_loaded_machine(tmp_path):
    """Repeats of one run beside two busy loops: what they judge depends on the machine's minute."""
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text("task: classification\nimage:\n  resize: bilinear 224x224\n"
                        "  normalize: {mean: [128, 128, 128], std: [128, 128, 128]}\n")
    loads = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
    try:
        logs = []
        for i in range(int(os.environ["EXRAY_REPEATS"]) + 1):
            out = tmp_path / f"{i}.mcap"
            subprocess.run([EXRAY, "record", "--engine", "tflite", "--model", testdata.model("mobilenet_v1_0.25_224_float.tflite"),
                            "--pipeline", pipeline, "--data", testdata.PICTURES, "--frames", "30", "--capture", "io", "-o", out],
                           check=True, capture_output=True)
            logs.append(out)
        alarms = [c for a, b in zip(logs, logs[1:]) for c in causes(validate(a, b))]
        assert not alarms
    finally:
        for load in loads:
            load.kill()
            load.wait()


def timed_runs(path, role, resolver, kernels, frames=12):
    """Whole runs of the LiteRT Python interpreter, timed; no latencies of layers."""
    import time

    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    run = Interpreter(str(testdata.model("mobilenet_v1_0.25_224_float.tflite")), num_threads=1,
                      experimental_op_resolver_type=getattr(OpResolverType, resolver))
    run.allocate_tensors()
    into, out = run.get_input_details()[0], run.get_output_details()[0]
    log = Log(path, metadata={"role": role, "log_id": role})
    m = PB["Model"](name="m", engine="litert", kernels=kernels, threads=1, inputs=[0], outputs=[1])
    m.tensors.add(name="in", dtype=1, shape=into["shape"].tolist())
    m.tensors.add(name="out", dtype=1, shape=out["shape"].tolist())
    log.add("/model", "Model", m)
    x = np.random.default_rng(5).normal(size=into["shape"]).astype(np.float32)
    for f in range(frames):
        begin = log.time
        run.set_tensor(into["index"], x)
        at = time.perf_counter_ns()
        run.invoke()
        took = time.perf_counter_ns() - at
        log.tensor("/input/in", x, frame=f)
        log.tensor("/output/out", run.get_tensor(out["index"]), frame=f)
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=took)
    log.finish()
    return path


@pytest.mark.data
def test_reference_kernels_are_named(tmp_path):
    slow = timed_runs(tmp_path / "e.mcap", "edge", "BUILTIN_REF", "reference")
    fast = timed_runs(tmp_path / "r.mcap", "reference", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "builtin")
    found = finding(validate(slow, fast), "perf.kernels")
    assert found["evidence"]["ratio"] >= 4 and "reference kernels" in found["summary"]
    assert not {"perf.straggler", "perf.kernels"} & set(causes(validate(fast, slow)))


def convolutions(path, role, seed, slow=(), layers=True, op="CONV_2D"):
    """Ten alike convolutions behind one that has fewer channels and costs more per MAC by nature."""
    random = np.random.default_rng(seed)
    log = Log(path, metadata={"role": role, "log_id": role, "device": "a", "cpu": "a", "arch": "x"})
    m = PB["Model"](name="m", engine="tflite", kernels="builtin", threads=1, inputs=[0], outputs=[11])
    for i in range(12):
        m.tensors.add(name=f"t{i}", dtype=DTYPES["float32"], shape=[1, 16, 16, 8 if i else 3])
    for i in range(11):
        m.tensors.add(name=f"w{i}", dtype=DTYPES["float32"], shape=[8, 1, 1, 8] if i else [8, 3, 3, 3], constant=True)
        m.nodes.add(op=op, inputs=[i, 12 + i], outputs=[i + 1])
    log.add("/model", "Model", m)
    first, last = np.zeros((1, 16, 16, 3), np.float32), np.zeros((1, 16, 16, 8), np.float32)
    for f in range(20):
        begin = log.time
        times = [int((3e6 if i == 0 else 1e5) * (30 if i in slow else 1) * np.exp(random.normal(0, 0.15))) for i in range(11)]
        log.tensor("/input/t0", first, frame=f)
        log.tensor("/output/t11", last, frame=f)
        if layers:
            log.add("/latency", "Latency", PB["Latency"](frame=f, node=range(11), start_ns=range(11), duration_ns=times))
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=sum(times))
    log.finish()
    return path


@pytest.mark.parametrize("slow,named", [((), False), ((4,), True), ((0,), False), ((1, 2, 3, 4, 5, 6, 7), False)],
                         ids=["healthy", "one", "no peers", "most"])
def test_slow_for_its_work_without_a_reference_latency(tmp_path, slow, named):
    for seed in range(5):
        edge = convolutions(tmp_path / "e.mcap", "edge", seed, slow)
        verdict = validate(edge, convolutions(tmp_path / "r.mcap", "reference", 50 + seed, layers=False), "--min-coverage", "0",
                           "--set", "perf.straggler.whole=1e6")
        found = [f for f in verdict["findings"] if f["cause"] == "perf.straggler"]
        assert len(found) == named
        if named:
            assert found[0]["evidence"]["node"] == 4 and 20 < found[0]["evidence"]["work_ratio"] < 45
            assert found[0]["evidence"]["usual_ns_per_mac"] == pytest.approx(1e5 / (16 * 16 * 8 * 8), rel=0.5)
