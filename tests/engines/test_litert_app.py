"""An application's own LiteRT model with exray_litert_*: its log is that of `exray record`, its outputs are
what they were."""

import numpy as np
import pytest
import testdata
from app_support import app, assert_same, builds, record, recorded_pictures, same_model
from pipeline_support import pipeline_text
from tap_support import Log, events, litert, litert_library
from validate_support import validate

pytestmark = pytest.mark.data
PIPELINE = pipeline_text("bilinear 224x224 antialias")
FLOAT, INT8, UINT8 = "efficientnet_lite0_float", "efficientnet_lite0_int8", "mobilenet_v1_0.25_224_uint8"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    return recorded_pictures(tmp_path_factory.mktemp, lambda name, kernels, out: record(
        "litert", litert_library(), "EXRAY_LITERT_LIB", testdata.model(f"{name}.tflite"), PIPELINE, out, kernels))


def run(name, *options, **more):
    return app("litert_app_tool", litert_library(), testdata.model(f"{name}.tflite"), *options, **more)


def python_output(name, data):
    interpreter = litert.Interpreter(model_path=str(testdata.MODELS / f"{name}.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    interpreter.set_tensor(detail["index"], np.frombuffer(data, detail["dtype"]).reshape(detail["shape"]))
    interpreter.invoke()
    return b"".join(interpreter.get_tensor(d["index"]).tobytes() for d in interpreter.get_output_details())


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("kernels", ["default", "builtin"])
@pytest.mark.parametrize("name", [FLOAT, INT8, UINT8])
def test_the_log_is_that_of_record(name, kernels, build, picture, tmp_path):
    recorded, data = picture(name, kernels)
    run(name, "--input", data, "--kernels", kernels, "--capture", "full", "--log", tmp_path / "a.mcap", "--dump",
        tmp_path / "out", build=build)
    log = Log(tmp_path / "a.mcap")
    assert_same(log, recorded, 1)
    (output,) = [m for _, m in log.records["output"]]
    assert (tmp_path / "out").read_bytes()[:len(output.data)] == output.data
    assert log.metadata["exray.observation"]["observer"] == "equal" and "exray.unobserved" not in log.metadata
    if kernels == "default":
        assert output.data == python_output(name, data.read_bytes())


def test_observing_changes_no_output(picture, tmp_path):
    _, data = picture(FLOAT)
    for i, options in enumerate((["--plain"], ["--log", tmp_path / "l.mcap"])):
        run(FLOAT, "--input", data, "--runs", 3, "--dump", tmp_path / f"{i}", *options)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    assert [f.index for f in Log(tmp_path / "l.mcap").frames] == [0, 1, 2]  # each run is a frame


def test_frames_of_the_application_and_every_nth(picture, tmp_path):
    _, data = picture(UINT8)
    run(UINT8, "--input", data, "--runs", 4, "--frames", "--every", 2, "--log", tmp_path / "l.mcap")
    log = Log(tmp_path / "l.mcap")
    assert [f.source for f in log.frames] == ["picture"] * 4
    assert {m.frame for _, m in log.records["layer"]} == {0, 2} == {m.frame for _, m in log.records["output"]}
    assert set(log.latency) == {0, 2} and all(f.inference_ns for f in log.frames)
    assert log.metadata["exray.observation"]["frames_compared"] == "2"


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("own", [[], ["--own"]])
@pytest.mark.parametrize("name", [FLOAT, UINT8])
def test_the_exposed_model_serves_once_proven(name, own, build, picture, tmp_path):
    """Three frames prove it, every sixteenth again; the outputs are the application's own, bit by bit."""
    _, data = picture(name)
    for kind, options in (("plain", ["--plain"]), ("out", ["--log", tmp_path / "l.mcap", *own])):
        run(name, "--input", data, "--runs", 20, "--vary", "--dump", tmp_path / kind, *options, build=build)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
    log = Log(tmp_path / "l.mcap")
    said, proven = log.metadata["exray.observation"], range(20) if own else (0, 1, 2, 16)
    assert (said["observer"], said["frames_compared"], said["frames_served"]) == ("equal", str(len(proven)), str(20 - len(proven)))
    # Times are those of the application's own model alone.
    assert set(log.latency) == {f.index for f in log.frames if f.inference_ns} == set(proven)
    layers = [sum(m.frame == f.index for _, m in log.records["layer"]) for f in log.frames]
    outputs = b"".join(m.data for _, m in log.records["output"])
    assert len(set(layers)) == 1 and layers[0] > 20 and len(layers) == 20
    assert len({m.data for _, m in log.records["output"]}) > 10 and len(outputs) <= len((tmp_path / "out").read_bytes())


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("capture", ["off", "frame", "io", "stats", "sketch"])
def test_capture_levels(capture, build, picture, tmp_path):
    recorded, data = picture(UINT8)
    run(UINT8, "--input", data, "--capture", capture, "--log", tmp_path / "l.mcap", "--no-constants", build=build)
    log = Log(tmp_path / "l.mcap")
    assert ("layer" in log.records) == (capture in ("stats", "sketch")) == ("exray.observation" in log.metadata)
    assert ("output" in log.records) == (capture not in ("off", "frame")) and "constant" not in log.records
    assert same_model(log.model, recorded.model) == (capture != "off")


@pytest.mark.parametrize("build", builds())
def test_a_model_that_has_its_layers_among_its_outputs(build, picture, tmp_path):
    recorded, data = picture(FLOAT)
    exposed = tmp_path / "exposed.tflite"
    app("../exray", "expose", testdata.MODELS / f"{FLOAT}.tflite", "-o", exposed)
    app("litert_app_tool", litert_library(), exposed, "--input", data, "--capture", "full", "--log", tmp_path / "l.mcap",
        build=build)
    log = Log(tmp_path / "l.mcap")
    assert log.metadata["exray.observation"]["layers_from"] == "the model's own outputs"
    expected = {n: m.data for n, m in recorded.records["layer"] if m.frame == 1}
    assert {n: m.data for n, m in log.records["layer"]} == expected


@pytest.mark.parametrize("build", builds())
def test_another_model_than_the_one_told_is_perturbed(build, picture, tmp_path):
    """The tap is told of a file with other weights than what runs: outputs differ, and `validate` says so."""
    _, data = picture(FLOAT)
    changed = bytearray(testdata.model(f"{FLOAT}.tflite").read_bytes())
    at = len(changed) // 2 // 4 * 4
    changed[at:at + 4000] = (np.frombuffer(bytes(changed[at:at + 4000]), np.float32) * np.float32(1.5)).tobytes()
    (tmp_path / "told.tflite").write_bytes(changed)
    run(FLOAT, "--input", data, "--told", tmp_path / "told.tflite", "--bytes", "--runs", 2, "--log", tmp_path / "l.mcap",
        "--dump", tmp_path / "out", build=build)
    run(FLOAT, "--input", data, "--plain", "--runs", 2, "--dump", tmp_path / "plain")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
    log = Log(tmp_path / "l.mcap")
    said = log.metadata["exray.observation"]
    assert said["observer"] == "differs" and float(said["observer_max_abs"]) > 1e-5 * float(said["observer_range"])
    assert log.metadata["exray.exposed_differs"]["frame"] == "0" and said["frames_served"] == "0"
    assert [kind for kind, text in events(tmp_path / "l.mcap") if "its outputs differ" in text] == ["level"]
    for other, words in ((UINT8, "has another type or rank"), ("ssd_mobilenet_v1_coco_300_uint8", "runs were of another model")):
        run(FLOAT, "--input", data, "--told", testdata.model(f"{other}.tflite"), "--capture", "io", "--log", tmp_path / "o.mcap", build=build, status=None)
        assert any(kind == "error" and words in text for kind, text in events(tmp_path / "o.mcap")), events(tmp_path / "o.mcap")
    found = validate(tmp_path / "l.mcap", tmp_path / "l.mcap")["findings"]
    assert {f["cause"] for f in found} == {"log.perturbed"} and said["observer_output"] in found[0]["summary"]


@pytest.mark.parametrize("build", builds())
def test_a_library_of_its_own_and_no_options(build, picture, tmp_path):
    """The engine's symbols are none of the program's; nothing asks for the profiler."""
    recorded, data = picture(UINT8)
    run(UINT8, "--input", data, "--local", "--no-options", "--capture", "full", "--log", tmp_path / "l.mcap", build=build)
    log = Log(tmp_path / "l.mcap")
    assert same_model(log.model, recorded.model) and not log.latency
    assert "no profiler" in log.metadata["exray.unobserved"]["latencies"]


@pytest.mark.parametrize("build", builds())
def test_the_application_runs_on(build, picture, tmp_path):
    """Whatever the tap cannot do: the same outputs, and one line that says why."""
    _, data = picture(UINT8)
    run(UINT8, "--input", data, "--plain", "--runs", 2, "--dump", tmp_path / "plain")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes((testdata.MODELS / f"{UINT8}.tflite").read_bytes()[:100000])
    other = tmp_path / "libLiteRt.so"
    other.write_bytes(litert_library().read_bytes() + b"\0")
    cases = [("cannot read", ["--told", tmp_path / "none.tflite"]), ("EXRAY_E_FORMAT", ["--told", broken]),
             ("EXRAY_E_FORMAT", ["--told", data]), ("no kernels", ["--kernels", "fast"]),
             ("already", ["--again"]), ("EXRAY_E_IO", ["--local", "--log", tmp_path / "no" / "folder" / "l.mcap"])]
    for i, (words, options) in enumerate(cases):
        done = run(UINT8, "--input", data, "--runs", 2, "--dump", tmp_path / "out", "--log", tmp_path / f"{i}.mcap", *options,
                   status=1, build=build)
        lines = [line for line in done.stderr.splitlines() if "INFO" not in line]
        assert len(lines) == 1 and words in lines[0], done.stderr
        assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
    done = app("litert_app_tool", other, testdata.MODELS / f"{UINT8}.tflite", "--input", data, "--runs", 2, "--dump", tmp_path / "out",
               "--log", tmp_path / "u.mcap", status=1, build=build)
    assert "no known build of LiteRT 2.3.0" in done.stderr
    assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize("build", builds())
def test_runs_of_others_and_after_the_close(build, picture, tmp_path):
    _, data = picture(UINT8)
    run(UINT8, "--input", data, "--runs", 3, "--other", "--closed", "--log", tmp_path / "l.mcap", "--dump", tmp_path / "out",
        build=build)
    log = Log(tmp_path / "l.mcap")
    assert len(log.frames) == 2 and log.metadata["exray.unobserved"]["runs_of_another_model"] == "2"
    third = len((tmp_path / "out").read_bytes()) // 3
    assert (tmp_path / "out").read_bytes()[:third] == (tmp_path / "out").read_bytes()[2 * third:]
