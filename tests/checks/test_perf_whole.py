"""What a whole frame and a whole model take: logs with known times.  What is named is what was put there, and nothing
where the times say nothing."""

import numpy as np
import pytest
from log_writer import DTYPES, PB, Log
from validate_support import causes, finding, validate

MS = 1_000_000


def write(path, role="edge", before=1.0, inference=5.0, after=0.5, frames=16, seed=0, span=None, values=True, recorded="before",
          camera=None, kernels="builtin", threads=1, processors=4, partition=False, cpu="a", elements=lambda f: 8, shape=lambda f: 1,
          engine="litert", layers=None, sizes=True, ahead=None, said=None, interrupted=0, file=bytes(32)):
    """Milliseconds of a frame's parts; recorded: the inputs before or after the inference; camera: waiting for it, and then
    its record; layers: [(op, ms)], or none; ahead: of inputs that are prepared before the frame begins; said: more metadata;
    interrupted: milliseconds that other programs take of all frames but each fifth."""
    random = np.random.default_rng(seed + (role == "edge") * 1000)
    log = Log(path, metadata={"role": role, "log_id": role, "device": cpu, "cpu": cpu, "arch": "x", **(said or {})})
    m = PB["Model"](name="m", sha256=file, engine=engine, engine_version="2", kernels=kernels, threads=threads, inputs=[0],
                    outputs=[max(len(layers or []), 1)])
    ops = [op for op, _ in layers] if layers else ["CONV_2D"]
    for i in range(len(ops) + 1):
        m.tensors.add(name=f"t{i}", dtype=DTYPES["float32"], shape=[1, -1 if sizes else 8])
    for i, op in enumerate(ops):
        m.nodes.add(op="DELEGATE" if partition else op, inputs=[i], outputs=[i + 1])
        if partition:
            m.nodes[i].inner.add(op=op, inputs=[i], outputs=[i + 1])
    log.add("/model", "Model", m)
    for f in range(frames):
        noise = lambda ms: int(ms * MS * np.exp(random.normal(0, 0.1)) * (1 + 3 * (f > 0) * (random.random() < 0.05)))
        x, begin, took = np.zeros((1, elements(f)), np.float32), log.time, noise(inference * shape(f))
        if camera is not None:
            log.time += noise(camera)
            log.tensor("/sensor/cam", np.zeros((4, 4, 3), np.uint8), frame=f)
        own = noise(before) + int(interrupted * MS * (f % 5 > 0))
        log.time += own + (took if recorded == "after" else 0)
        if values:
            log.tensor("/input/t0", x, frame=f)
        log.time += took if recorded == "before" else 0
        log.add("/system", "System", PB["System"](frame=f, processors=processors) if processors else PB["System"](frame=f))
        if layers:
            times = [int(ms * MS * np.exp(random.normal(0, 0.05))) for _, ms in layers]
            log.add("/latency", "Latency", PB["Latency"](frame=f, node=range(len(ops)), start_ns=[0] * len(ops), duration_ns=times))
        if values:
            log.tensor(f"/output/t{len(ops)}", x, frame=f)
        log.time += noise(after)
        spans = {span: own} if span else {"preprocess": noise(ahead)} if ahead else None
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=took, spans=spans)
    log.finish()
    return path


def judged(tmp_path, edge, reference=None, **options):
    return validate(write(tmp_path / "e.mcap", **edge), write(tmp_path / "r.mcap", role="reference", **(reference or {})),
                    *options.get("flags", ()))


# ---- The application ----


@pytest.mark.parametrize("recorded", ["before", "after"])
@pytest.mark.parametrize("seed", range(3))
def test_work_before_the_inference(tmp_path, recorded, seed):
    verdict = judged(tmp_path, {"before": 135, "inference": 13, "recorded": recorded, "seed": seed}, {"inference": 20, "recorded": recorded})
    found = finding(verdict, "perf.application")
    assert found["severity"] == "warning" and verdict["verdict"] == "pass" and causes(verdict) == ["perf.application"]
    assert found["where"]["stage"] == "application" and "before the inference" in found["summary"]
    assert found["evidence"]["before_ms"] == pytest.approx(135, rel=0.2) and found["evidence"]["inference_ms"] == pytest.approx(13, rel=0.2)
    assert found["evidence"]["frame_ms"] == pytest.approx(149, rel=0.2) and 60 < found["evidence"]["ratio"] < 130


def test_work_after_it_and_its_span(tmp_path):
    found = finding(judged(tmp_path, {"after": 40}, {"after": 1}), "perf.application")
    assert "after the inference" in found["summary"] and found["evidence"]["after_ms"] == pytest.approx(40, rel=0.2)
    found = finding(judged(tmp_path, {"before": 60, "span": "preprocess"}, {"span": "preprocess"}), "perf.application")
    assert found["evidence"]["span"] == "preprocess" and any("preprocess" in d for d in found["details"])


def test_another_program_that_takes_two_orders_of_magnitude_less(tmp_path):
    edge, reference = {"before": 135, "said": {"app": "camera"}}, {"after": 0, "said": {"app": "lab"}}
    assert finding(judged(tmp_path, edge, reference), "perf.application")["severity"] == "warning"


def test_without_values(tmp_path):
    """Nothing but the frames' times: they tell, too."""
    verdict = judged(tmp_path, {"before": 60, "values": False}, {"values": False})
    assert finding(verdict, "perf.application")["evidence"]["application_ms"] == pytest.approx(60, rel=0.2)


HEALTHY = {
    "alike": ({}, {}),
    "waiting for the camera": ({"camera": 60}, {}),
    "a machine that is slower in all": ({"before": 12, "inference": 60, "after": 6, "cpu": "phone"}, {}),
    "a busy machine": ({"before": 9, "inference": 45, "after": 4}, {"kernels": "other"}),
    "a large model": ({"before": 30, "inference": 200}, {"inference": 200}),
    "a reference without the work": ({"before": 40}, {"before": 0.01, "after": 0.01}),
    "little": ({"before": 1.5, "inference": 0.5, "after": 0}, {"before": 0.2, "inference": 0.5, "after": 0}),
    "a replay, which does not run the application": ({"before": 9, "inference": 9},
                                                     {"before": 0.15, "inference": 9, "after": 0.02, "said": {"replay_of": "edge"}}),
    "inputs prepared before the frame begins": ({"before": 18}, {"before": 0.15, "after": 0.02, "ahead": 1}),
    "another program, which is far quicker": ({"before": 18, "inference": 3, "said": {"app": "camera"}}, {"inference": 3, "said": {"app": "lab"}}),
    "less than the inference": ({"before": 20, "inference": 25}, {"inference": 25}),
    "some frames are interrupted": ({"before": 1, "interrupted": 20}, {}),
    "few frames": ({"before": 135, "frames": 4}, {}),
}


def test_beside_a_replay_the_edges_own_share_is_told(tmp_path):
    """What the application should take, the replay does not tell."""
    verdict = judged(tmp_path, {"before": 135, "inference": 12}, {"before": 0.1, "inference": 12, "after": 0.02, "said": {"replay_of": "edge"}})
    found = finding(verdict, "perf.application")
    assert found["severity"] == "info" and verdict["verdict"] == "pass" and found["evidence"]["share"] > 0.8
    assert "not known" in str(found) and any("replay" in remark for remark in verdict["unjudged"]) | ("replay" in str(found))


@pytest.mark.parametrize("name", HEALTHY)
def test_the_applications_work_is_as_it_was(tmp_path, name):
    assert "perf.application" not in causes(judged(tmp_path, *HEALTHY[name]))


# ---- Threads ----


def test_more_threads_than_processors(tmp_path):
    verdict = judged(tmp_path, {"threads": 16, "processors": 2, "inference": 40}, {"threads": 1, "processors": 2})
    found = finding(verdict, "perf.threads")
    assert causes(verdict) == ["perf.threads"] and found["severity"] == "warning"
    assert "16 threads" in found["summary"] and "2 processors" in found["summary"] and "at most 2 threads" in found["fix"]
    assert found["evidence"]["edge_processors"] == 2 and found["evidence"]["edge_threads"] == 16


@pytest.mark.parametrize("edge,reference", [
    ({"threads": 16, "processors": 2}, {"threads": 1, "processors": 2}),                                     # it costs nothing
    ({"threads": 16, "processors": None, "inference": 40}, {"threads": 16}),                                 # not recorded
    ({"threads": 4, "processors": 4, "inference": 12}, {"threads": 4}),                                      # one for each
    ({"threads": 16, "processors": 2, "inference": 12}, {"threads": 16, "processors": 2}),                   # so has the reference
    ({"threads": 16, "processors": 2, "inference": 40, "cpu": "phone"}, {"threads": 1, "processors": 8}),    # another machine
], ids=["as fast", "unknown", "enough", "both", "another machine"])
def test_threads_that_are_not_the_reason(tmp_path, edge, reference):
    assert "perf.threads" not in causes(judged(tmp_path, edge, reference))


# ---- Kernels ----


@pytest.mark.parametrize("edge,reference,words", [
    ({"kernels": "builtin", "inference": 25}, {"kernels": "xnnpack", "partition": True}, "No delegate runs the model"),
    ({"kernels": "none", "inference": 12, "engine": "onnxruntime"}, {"kernels": "default", "engine": "onnxruntime"}, "other kernels (none)"),
    ({"threads": 1, "inference": 15}, {"threads": 4}, "fewer threads (1)"),
    ({"kernels": "reference", "inference": 100, "cpu": "phone"}, {"kernels": "builtin"}, "reference kernels"),
    ({"inference": 30}, {}, "though both logs name the same"),
    ({"kernels": "xnnpack", "inference": 5}, {"kernels": "xnnpack", "partition": True}, "No delegate runs the model"),
], ids=["no delegate", "other kernels", "fewer threads", "reference kernels", "the same said", "refused"])
def test_other_kernels(tmp_path, edge, reference, words):
    verdict = judged(tmp_path, edge, reference)
    assert causes(verdict) == ["perf.kernels"] and words in finding(verdict, "perf.kernels")["summary"]
    assert verdict["verdict"] == "pass" and judged(tmp_path, edge, reference, flags=["--fail-on", "perf"])["verdict"] == "fail"


@pytest.mark.parametrize("edge,reference", [
    ({"kernels": "builtin", "inference": 7}, {"kernels": "xnnpack", "partition": True}),          # a little slower
    ({"kernels": "builtin", "inference": 0.4}, {"kernels": "xnnpack", "inference": 0.1}),         # by what nobody notices
    ({"kernels": "builtin", "inference": 50, "cpu": "phone"}, {"kernels": "default"}),            # another machine
    ({"inference": 15}, {}),                                                                      # the same: a busy machine does that
], ids=["a little", "too short", "another machine", "busy"])
def test_kernels_that_are_not_the_reason(tmp_path, edge, reference):
    assert causes(judged(tmp_path, edge, reference)) == []


def test_all_layers_slow_are_the_whole_model(tmp_path):
    layers = [("CONV_2D", 2), ("DEPTHWISE_CONV_2D", 1), ("CONV_2D", 2), ("SOFTMAX", 0.05)]
    slow = [(op, ms * {"CONV_2D": 10, "DEPTHWISE_CONV_2D": 25}.get(op, 1)) for op, ms in layers]
    verdict = judged(tmp_path, {"layers": slow, "inference": 65}, {"layers": layers, "inference": 5})
    found = finding(verdict, "perf.kernels")
    assert causes(verdict) == ["perf.kernels"] and found["evidence"]["share_of_layer_1"] > 0.3
    assert any("layer 1 (DEPTHWISE_CONV_2D)" in d for d in found["details"])
    one = [(op, ms * (25 if i == 1 else 1)) for i, (op, ms) in enumerate(layers)]
    assert causes(judged(tmp_path, {"layers": one, "inference": 29}, {"layers": layers, "inference": 5})) == ["perf.straggler"]


# ---- Larger inputs ----


def test_larger_inputs_are_no_throttling(tmp_path):
    grown = {"frames": 60, "shape": lambda f: 1 if f < 30 else 4, "inference": 150}
    assert "perf.throttle" in causes(judged(tmp_path, grown, {"frames": 60}))
    assert "perf.throttle" not in causes(judged(tmp_path, {**grown, "elements": lambda f: 8 if f < 30 else 64}, {"frames": 60}))
    first = {"shape": lambda f: 12 if f == 0 else 1}
    assert "perf.warmup" in causes(judged(tmp_path, first))
    assert "perf.warmup" not in causes(judged(tmp_path, {**first, "elements": lambda f: 64 if f == 0 else 8}))


@pytest.mark.parametrize("kernels", ["", "own"])
def test_a_model_without_a_file_that_is_slow_as_a_whole(tmp_path, kernels):
    told = {"file": b"", "kernels": kernels}
    v = judged(tmp_path, {"inference": 40.0, **told}, {"inference": 5.0, **told})
    assert finding(v, "perf.kernels")["evidence"]["ratio"] > 4
    assert causes(judged(tmp_path, {"inference": 5.0, **told}, {"inference": 5.0, **told})) == []
    other = {**told, "layers": [("CONV_2D", 3.0), ("SOFTMAX", 2.0)]}  # another graph may take longer
    assert "perf.kernels" not in causes(judged(tmp_path, {"inference": 40.0, **told}, {"inference": 5.0, **other}))


def test_one_slow_branch_of_a_program_that_names_no_file(tmp_path):
    """Its graph, host and number of threads are the reference's: three times are enough, as of one file."""
    branches = lambda slow: [("DENSE", 5), ("DENSE", slow), ("DENSE", 5), ("ADD_N", 5)]
    own = {"file": b"", "kernels": "", "engine": "own", "sizes": False}
    found = finding(judged(tmp_path, {**own, "layers": branches(30)}, {**own, "layers": branches(5)}), "perf.straggler")
    assert found["evidence"]["slow_layers"] == 1 and found["evidence"]["ratio"] == pytest.approx(6, rel=.2)
