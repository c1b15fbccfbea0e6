"""The tap on arm64: cross-built, on the arm64 library, under qemu.  Its log is
held against the one that the same program makes on this machine."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import testdata
from demo_support import arm64_libraries
from tap_support import Log, close, interpreter, photograph, same, tap_run
from validate_support import ROOT

pytestmark = pytest.mark.data

SYSROOT = "/usr/aarch64-linux-gnu"


@pytest.fixture(scope="module")
def arm64_tap_run(tmp_path_factory):
    for tool in ("aarch64-linux-gnu-gcc", "qemu-aarch64"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}: scripts/bootstrap.sh arm64")
    named = os.environ.get("EXRAY_TFLITE_LIB_AARCH64_FOR_TESTS")
    library = named or ROOT / "build" / "engines" / "tflite-aarch64" / "libtensorflowlite_c.so"
    if not os.path.exists(library):
        pytest.skip(f"no {library}: scripts/bootstrap.sh arm64")
    program = tmp_path_factory.mktemp("arm64") / "tap_run"
    tests = ROOT / "tests" / "engines"
    subprocess.run(["aarch64-linux-gnu-gcc", "-std=c11", "-O2", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}", f"-I{ROOT / 'tests'}",
                    str(tests / "tap_run.c"), str(tests / "slow_kernels.c"), *map(str, arm64_libraries()), "-ldl", "-lm", "-lpthread",
                    "-o", str(program)], check=True)

    def run(*arguments):
        command = ["qemu-aarch64", "-L", SYSROOT, str(program), str(library), *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
    return run


def near(a, b):
    """Within a fiftieth of the tensor's range, on average: a wrong buffer would be far off."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    return a.shape == b.shape and np.sqrt(np.mean((x - y) ** 2)) < 0.02 * np.ptp(y)


@pytest.mark.parametrize("kernels", ["builtin", "xnnpack"])
@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_224_uint8", "mobilenet_v1_0.25_224_float"])
def test_arm64(arm64_tap_run, tmp_path, name, kernels):
    model = testdata.model(f"{name}.tflite")
    image = photograph(interpreter(model).get_input_details()[0])
    source = tmp_path / "in"
    source.write_bytes(image.tobytes())
    arguments = [model, "--input", source, "--kernels", kernels, "--capture", "full"]
    tap_run(*arguments, "--log", tmp_path / "here.mcap")
    arm64_tap_run(*arguments, "--log", tmp_path / "arm64.mcap", "--dump", tmp_path / "tapped")
    arm64_tap_run(model, "--input", source, "--kernels", kernels, "--dump", tmp_path / "bare")
    assert (tmp_path / "tapped").read_bytes() == (tmp_path / "bare").read_bytes()

    here, arm64 = Log(tmp_path / "here.mcap"), Log(tmp_path / "arm64.mcap")
    assert arm64.metadata["exray"]["arch"] == "aarch64"
    assert arm64.model.sha256 == here.model.sha256
    assert [(n.op, list(n.outputs)) for n in arm64.model.nodes] == [(n.op, list(n.outputs)) for n in here.model.nodes]
    ours = {(n, k): here.value(r) for n, k, _, r in here.layers()}
    theirs = {(n, k): arm64.value(r) for n, k, _, r in arm64.layers()}
    assert ours.keys() == theirs.keys() and len(ours) >= len(here.model.nodes)
    off = set()  # tensors that the processors round in different ways: what follows from them is not judged
    for (node, output), value in theirs.items():
        if not same(value, ours[node, output]):
            off.add(here.model.nodes[node].outputs[output])
        if value.dtype == np.float32 or not off.intersection(here.model.nodes[node].inputs):
            # The steps that roundings differ by add up inside of a partition; in trained weights they stay below one.
            inside = len(here.model.nodes[node].inner) > 1
            agree = testdata.expected(imagenet=close, packages=near if inside else close)
            assert agree(value, ours[node, output]), f"node {node} ({here.model.nodes[node].op})"
    (_, record), = arm64.records["input"]
    assert same(arm64.value(record), image)
    constants = {name: r.data for name, r in here.records["constant"]}
    assert constants == {name: r.data for name, r in arm64.records["constant"]}
