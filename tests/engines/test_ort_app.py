"""An application's own ONNX Runtime session with exray_ort_*: its log is that of `exray record`, its outputs are
what they were."""

import platform

import numpy as np
import pytest
import testdata
from app_support import app, assert_same, builds, record, recorded_pictures, same_model
from pipeline_support import onnx_pipeline
from tap_support import Log, asset, events
from validate_support import ROOT, validate

ort = pytest.importorskip("onnxruntime")
LIBRARY = ROOT / "build" / "engines" / f"onnxruntime-{platform.machine()}" / "libonnxruntime.so"
pytestmark = pytest.mark.data
FLOAT, INT8, DOGS = "efficientnet_lite0_float", "efficientnet_lite0_int8", "mobilenet_v2_dogs_int8"
SHAPES = {FLOAT: (1, 224, 224, 3), INT8: (1, 224, 224, 3), DOGS: (1, 3, 160, 160)}
LEVELS = {"default": ort.GraphOptimizationLevel.ORT_ENABLE_ALL, "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
          "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL}


def session(name, kernels="default"):
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS[kernels]
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(testdata.model(f"{name}.onnx")), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    return recorded_pictures(tmp_path_factory.mktemp, lambda name, kernels, out: record(
        "onnxruntime", asset(LIBRARY), "EXRAY_ORT_LIB", testdata.model(f"{name}.onnx"), onnx_pipeline(name), out, kernels))


def run(name, data, *options, outputs=None, model=None, **more):
    its = session(name)
    outputs = outputs or [o.name for o in its.get_outputs()]
    return app("ort_app_tool", asset(LIBRARY), model or testdata.MODELS / f"{name}.onnx", "--in", its.get_inputs()[0].name, "--shape",
               ",".join(map(str, SHAPES[name])), "--input", data, *(x for o in outputs for x in ("--out", o)), *options,
               **more)


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("kernels", ["default", "extended", "none"])
@pytest.mark.parametrize("name", [FLOAT, INT8, DOGS])
def test_the_log_is_that_of_record(name, kernels, build, picture, tmp_path):
    recorded, data = picture(name, kernels)
    run(name, data, "--kernels", kernels, "--capture", "full", "--log", tmp_path / "a.mcap", "--dump", tmp_path / "out",
        build=build)
    log = Log(tmp_path / "a.mcap")
    assert_same(log, recorded, 1)
    its = session(name, kernels)
    expected = its.run(None, {its.get_inputs()[0].name: np.frombuffer(data.read_bytes(), np.float32).reshape(SHAPES[name])})
    assert (tmp_path / "out").read_bytes() == b"".join(e.tobytes() for e in expected)
    assert b"".join(m.data for _, m in log.records["output"]) == (tmp_path / "out").read_bytes()
    assert log.metadata["exray.observation"]["observer"] in ("equal", "noise")
    assert "exray.unobserved" not in log.metadata


def test_observing_changes_no_output(picture, tmp_path):
    _, data = picture(INT8)
    for i, options in enumerate((["--plain"], ["--log", tmp_path / "l.mcap"])):
        run(INT8, data, "--runs", 3, "--dump", tmp_path / f"{i}", *options)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    assert [f.index for f in Log(tmp_path / "l.mcap").frames] == [0, 1, 2]  # each run is a frame


def test_frames_of_the_application_and_every_nth(picture, tmp_path):
    _, data = picture(INT8)
    run(INT8, data, "--runs", 4, "--frames", "--every", 2, "--no-latency", "--log", tmp_path / "l.mcap")
    log = Log(tmp_path / "l.mcap")
    assert [f.source for f in log.frames] == ["picture"] * 4
    assert {m.frame for _, m in log.records["layer"]} == {0, 2} == {m.frame for _, m in log.records["output"]}
    assert not log.latency and all(f.inference_ns for f in log.frames)
    assert log.metadata["exray.observation"]["frames_compared"] == "2"


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("own", [[], ["--own"]])
@pytest.mark.parametrize("name", [FLOAT, INT8, DOGS])
def test_the_exposed_graph_serves_once_proven(name, own, build, picture, tmp_path):
    """The graph of the deployed level: equal bit by bit in three frames and every sixteenth, the only one that runs in
    the others.  Its layers' statistics are those of the data at full capture."""
    _, data = picture(name)
    for kind, options in (("plain", ["--plain"]), ("out", ["--log", tmp_path / "l.mcap", *own])):
        run(name, data, "--runs", 20, "--vary", "--dump", tmp_path / kind, *options, build=build)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
    log = Log(tmp_path / "l.mcap")
    said, proven = log.metadata["exray.observation"], range(20) if own else (0, 1, 2, 16)
    assert (said["observer"], said["frames_compared"], said["frames_served"]) == ("equal", str(len(proven)), str(20 - len(proven)))
    assert {f.index for f in log.frames if f.inference_ns} == set(proven) and set(log.latency) == {0, 1, 2}
    run(name, data, "--vary", "--capture", "full", "--log", tmp_path / "full.mcap", build=build)
    full = Log(tmp_path / "full.mcap")
    data_of = {n: (m, full.value(m)) for n, m in full.records["layer"]}
    for index in (0, 19):
        layers = {n: m for n, m in log.records["layer"] if m.frame == index}
        assert len(layers) > 0.8 * len(data_of)
        for n, m in layers.items() if index == 0 else ():
            record, stored = data_of[n]
            q = full.info(record).quantization
            real = (stored.astype(float) - (q.zero_point or [0])[0]) * (q.scale or [1])[0]
            told, expected = (m.stats.min, m.stats.max, m.stats.mean, m.stats.variance), (real.min(), real.max(), real.mean(), real.var())
            assert m.stats.count == real.size and list(log.info(m).shape) == list(full.info(record).shape)
            np.testing.assert_allclose(told, expected, rtol=1e-4, atol=1e-4 * np.ptp(real))


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("capture", ["off", "frame", "io", "stats", "sketch"])
def test_capture_levels(capture, build, picture, tmp_path):
    _, data = picture(INT8)
    run(INT8, data, "--capture", capture, "--log", tmp_path / "l.mcap", "--no-constants", "--bytes", "--no-options",
        build=build)
    log = Log(tmp_path / "l.mcap")
    assert ("layer" in log.records) == (capture in ("stats", "sketch"))
    assert ("output" in log.records) == (capture not in ("off", "frame")) and "constant" not in log.records
    assert bool(log.model) == bool(log.latency) == (capture != "off")


@pytest.mark.parametrize("build", builds())
def test_a_model_that_has_its_layers_among_its_outputs(build, picture, tmp_path):
    recorded, data = picture(FLOAT, "none")
    exposed = tmp_path / "exposed.onnx"
    app("../exray", "expose", testdata.MODELS / f"{FLOAT}.onnx", "-o", exposed)
    outputs = [o.name for o in ort.InferenceSession(str(exposed), providers=["CPUExecutionProvider"]).get_outputs()]
    run(FLOAT, data, "--kernels", "none", "--capture", "full", "--log", tmp_path / "l.mcap", "--told", exposed, model=exposed,
        outputs=outputs, build=build)
    log = Log(tmp_path / "l.mcap")
    assert log.metadata["exray.observation"]["layers_from"] == "the model's own outputs"
    expected = {n: m.data for n, m in recorded.records["layer"] if m.frame == 1}
    assert {n: m.data for n, m in log.records["layer"]} == expected


@pytest.mark.parametrize("build", builds())
def test_another_model_than_the_one_told_is_perturbed(build, picture, tmp_path):
    """The application runs the quantized model; the tap is told of the float one: `validate` says so."""
    _, data = picture(INT8)
    run(INT8, data, "--told", testdata.MODELS / f"{FLOAT}.onnx", "--runs", 2, "--log", tmp_path / "l.mcap", "--dump",
        tmp_path / "out", build=build)
    run(INT8, data, "--plain", "--runs", 2, "--dump", tmp_path / "plain")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
    said = Log(tmp_path / "l.mcap").metadata["exray.observation"]
    assert said["observer"] == "differs" and float(said["observer_max_abs"]) > 1e-3 and said["frames_served"] == "0"
    assert [kind for kind, text in events(tmp_path / "l.mcap") if "its outputs differ" in text] == ["level"]
    run(INT8, data, "--told", testdata.MODELS / f"{DOGS}.onnx", "--log", tmp_path / "d.mcap", "--capture", "io", build=build, status=None)
    assert any(kind == "error" and "is not the session's model" in text for kind, text in events(tmp_path / "d.mcap"))
    found = validate(tmp_path / "l.mcap", tmp_path / "l.mcap")["findings"]
    assert {f["cause"] for f in found} == {"log.perturbed"} and said["observer_output"] in found[0]["summary"]


@pytest.mark.parametrize("build", builds())
def test_outputs_written_over_the_inputs(build, tmp_path):
    """The layers of such a run cannot be had: its inputs are gone.  What was given is recorded all the same."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    shape = [1, 4]
    nodes = [helper.make_node("Relu", ["x"], ["m"]), helper.make_node("Neg", ["m"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, shape)],
                              [helper.make_tensor_value_info("y", 1, shape)])
    model = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), model)
    data = tmp_path / "x.bin"
    data.write_bytes(np.array([-1, 2, -3, 4], np.float32).tobytes())
    common = [asset(LIBRARY), model, "--in", "x", "--shape", "1,4", "--input", data, "--out", "y", "--kernels", "none",
              "--capture", "full", "--log", tmp_path / "l.mcap"]
    app("ort_app_tool", *common, "--over", build=build)
    log = Log(tmp_path / "l.mcap")
    value = {kind: log.value(log.records[kind][0][1]).ravel().tolist() for kind in ("input", "output")}
    assert value == {"input": [-1, 2, -3, 4], "output": [0, -2, 0, -4]}
    assert "layer" not in log.records and log.metadata["exray.observation"]["runs_over_their_inputs"] == "1"
    app("ort_app_tool", *common, build=build)
    log = Log(tmp_path / "l.mcap")
    assert [log.value(m).ravel().tolist() for _, m in log.records["layer"]] == [[0, 2, 0, 4], [0, -2, 0, -4]]


@pytest.mark.parametrize("build", builds())
def test_the_application_runs_on(build, picture, tmp_path):
    """Whatever the tap cannot do: the same outputs, and one line that says why."""
    _, data = picture(INT8)
    run(INT8, data, "--plain", "--runs", 2, "--dump", tmp_path / "plain")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((testdata.MODELS / f"{INT8}.onnx").read_bytes()[:100000])
    cases = [("cannot read", ["--told", tmp_path / "none.onnx"]), ("ONNX Runtime: ", ["--told", broken]),
             ("ONNX Runtime: ", ["--told", data]), ("not \"fast\"", ["--kernels", "fast"]), ("already", ["--again"]),
             ("EXRAY_E_IO", ["--log", tmp_path / "no" / "folder" / "l.mcap"]),
             ("set TMPDIR", [])]
    for i, (words, options) in enumerate(cases):
        env = {"TMPDIR": str(tmp_path / "nowhere")} if words == "set TMPDIR" else None
        done = run(INT8, data, "--runs", 2, "--dump", tmp_path / "out", "--log", tmp_path / f"{i}.mcap", *options, status=1,
                   build=build, env=env)
        assert len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
        assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize("build", builds())
def test_the_engines_own_errors_are_the_applications(build, picture, tmp_path):
    _, data = picture(INT8)
    done = run(INT8, data, "--log", tmp_path / "l.mcap", outputs=["no such output"], build=build)
    assert "run: " in done.stderr and "no such output" in done.stderr
    log = Log(tmp_path / "l.mcap")
    assert log.metadata["exray.unobserved"]["runs_that_failed"] == "1" and "output" not in log.records


@pytest.mark.parametrize("build", builds())
def test_runs_of_others_and_after_the_close(build, picture, tmp_path):
    recorded, data = picture(INT8)
    run(INT8, data, "--runs", 3, "--other", "--closed", "--log", tmp_path / "l.mcap", "--dump", tmp_path / "out", build=build)
    log = Log(tmp_path / "l.mcap")
    assert same_model(log.model, recorded.model)
    assert len(log.frames) == 2 and log.metadata["exray.unobserved"]["runs_of_another_model"] == "2"
    third = len((tmp_path / "out").read_bytes()) // 3
    assert (tmp_path / "out").read_bytes()[:third] == (tmp_path / "out").read_bytes()[2 * third:]
