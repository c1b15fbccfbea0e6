"""What the tests of the taps of LiteRT and ONNX Runtime share: a log of `exray record` and one of
an application on the same picture must tell the same."""

import os
import subprocess
from pathlib import Path

import pytest
import testdata
from tap_support import Log
from validate_support import BUILD, EXRAY, ROOT

SANITIZED = Path(os.environ.get("EXRAY_ASAN_DIR", "/nonexistent"))
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1",
              "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0"}


def builds():
    """The application as users build it, and with the sanitizers where that was built."""
    return [BUILD, pytest.param(SANITIZED, id="sanitized", marks=pytest.mark.skipif(
        not (SANITIZED / "tests").exists(), reason="no build with sanitizers (EXRAY_ASAN_DIR)"))]


def app(program, *arguments, status=0, build=BUILD, env=None):
    tool = build / "tests" / program
    if not tool.exists():
        pytest.skip(f"no {tool}: build the tests")
    done = subprocess.run([str(c) for c in (tool, *arguments)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **(SANITIZERS if build != BUILD else {}), **(env or {})})
    assert status is None or done.returncode == status, (done.returncode, done.stderr)
    return done


def record(engine, library, variable, model, pipeline, out, kernels, capture="full"):
    """`exray record` of two pictures."""
    pictures = testdata.pictures(2)
    (out.parent / "list.txt").write_text("".join(f"{p}\n" for p in pictures))
    (out.parent / "p.yaml").write_text(pipeline)
    done = subprocess.run([EXRAY, "record", "--engine", engine, "--kernels", kernels, "--capture", capture, "--model", model,
                           "--pipeline", out.parent / "p.yaml", "--data", out.parent / "list.txt", "-o", out],
                          capture_output=True, text=True, env={**os.environ, variable: str(library)})
    assert done.returncode == 0, done.stderr


def recorded_pictures(make_folder, record_one):
    """By model and kernels: what `exray record` wrote of two pictures, and the second one's input.
    record_one(name, kernels, path) writes the log, when it is first asked for."""
    kept = {}

    def get(name, kernels="default"):
        if (name, kernels) not in kept:
            folder = make_folder("recorded")
            record_one(name, kernels, folder / "r.mcap")
            log = Log(folder / "r.mcap")
            kept[name, kernels] = log, given(log, 1, folder)[0]
        return kept[name, kernels]

    return get


def same_model(a, b):
    """Each log's reader makes classes of its own: the bytes are compared."""
    return (a and a.SerializeToString(deterministic=True)) == (b and b.SerializeToString(deterministic=True))


def records(log, kind, frame):
    """By topic: what a record of the frame says, but for its number and time."""
    found = {}
    for name, message in log.records.get(kind, []):
        if kind == "constant" or message.frame == frame:
            kept = type(message)()
            kept.CopyFrom(message)
            kept.frame = 0
            assert name not in found
            found[name] = kept
    return found


def assert_same(ours, theirs, frame):
    """Frame 0 of the application's log against a frame of the recorded one."""
    assert same_model(ours.model, theirs.model)
    for kind in ("input", "layer", "output", "constant"):
        left, right = records(ours, kind, 0), records(theirs, kind, frame)
        assert left.keys() == right.keys() and (left or kind == "constant"), kind
        for name in left:
            assert left[name].SerializeToString() == right[name].SerializeToString(), (kind, name)
            assert left[name].data or left[name].HasField("stats") or kind == "constant", (kind, name)
    assert ours.frames[0].inference_ns > 0
    assert [n for n in ours.latency[0].node] == [n for n in theirs.latency[frame].node]


def given(log, frame, folder):
    """The inputs of a recorded frame as files."""
    files = []
    for i, (_, message) in enumerate(m for m in log.records["input"] if m[1].frame == frame):
        files.append(folder / f"given{frame}-{i}.bin")
        files[-1].write_bytes(message.data)
    assert files
    return files
