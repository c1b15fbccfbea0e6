"""examples/wake_word.c hears a stream; `exray replay` makes the same of what it recorded."""

import os
import subprocess

import numpy as np
import pytest
import wakeword_models
from demo_support import EXRAY, ROOT, run
from gathered import messages
from sound_support import BUILD, speechlike

ENGINE = ROOT / "build" / "engines" / f"tflite-{os.uname().machine}"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not (ENGINE / "libtensorflowlite_c.so").exists():
        pytest.skip("no libtensorflowlite_c.so: run scripts/bootstrap.sh engine")
    path, tree = tmp_path_factory.mktemp("program") / "wake_word", ROOT / BUILD / "src"
    rooms = [tree / room / f"libexray_{name}.a" for room, name in (("engines", "tflite"), ("models", "models"), ("media", "media"))]
    rooms += [tree / room / f"libexray_{room}.a" for room in ("base", "core")]
    subprocess.run(
        ["cc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", f"-I{ROOT}/include"]
        + [str(ROOT / "examples" / "wake_word.c"), "-o", str(path), *map(str, rooms)]
        + [f"-L{ENGINE}", "-ltensorflowlite_c", f"-Wl,-rpath,{ENGINE}", "-lm", "-lpthread", "-ldl"],
        check=True,
    )
    return path


def inputs(path):
    return [m.data for t, m in messages(path) if t.startswith("/input/")]


def test_replay_hears_what_the_application_heard(program, tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(wakeword_models.model("okay_nabu"))
    samples = np.round(speechlike(16000, 2.0) * 32767).astype("<i2").tobytes()
    done = subprocess.run([program, model, "0.0001"], input=samples, capture_output=True, cwd=tmp_path, check=True)
    assert done.stderr == b""
    edge, reference = tmp_path / "edge.mcap", tmp_path / "ref.mcap"
    run(EXRAY, "replay", edge, "--model", model, "--pipeline", ROOT / "examples" / "wake_word.yaml", "-o", reference, "--capture", "io")
    assert len(inputs(edge)) == (32000 - 800) // 480 + 1 and inputs(edge) == inputs(reference)
    assert "PASS" in run(EXRAY, "validate", edge, reference).stdout


def test_a_stream_without_a_wake_word_is_quiet(program, tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(wakeword_models.model("okay_nabu"))
    done = subprocess.run([program, model], input=bytes(32000), capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == b"" and (tmp_path / "edge.mcap").exists()


def test_a_model_of_another_kind_is_one_line(program, tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no model")
    done = subprocess.run([program, "model.tflite"], input=b"", capture_output=True, cwd=tmp_path)
    assert done.returncode == 1 and b"wake_word: cannot load the model\n" in done.stderr
