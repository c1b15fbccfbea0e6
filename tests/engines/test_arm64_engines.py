"""The engines litert and onnxruntime on arm64: their adapters cross-built, on the arm64 libraries,
under qemu.  Their logs are held against those of the same program on this machine."""

import os
import shutil
import subprocess

import numpy as np
import onnx
import pytest
import testdata
from demo_support import BUILD as ENGINES, arm64_libraries
from tap_support import Log, asset
from validate_support import BUILD, ROOT, validate

SYSROOT, LIBRARIES = "/usr/aarch64-linux-gnu", ENGINES / "sysroot-aarch64" / "usr"
FILES = {"litert": "libLiteRt.so", "onnxruntime": "libonnxruntime.so"}
# Both libraries read what the processor can do, and crash where it is another kind's.
PROCESSOR = """processor\t: 0
BogoMIPS\t: 125.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

"""


def engine_library(engine, machine):
    return asset(ENGINES / "engines" / f"{engine}-{machine}" / FILES[engine])


@pytest.fixture(scope="module")
def on_arm64(tmp_path_factory):
    """on_arm64(litert_tool's arguments after the library): runs it on arm64."""
    for tool in ("aarch64-linux-gnu-gcc", "qemu-aarch64"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}: scripts/bootstrap.sh arm64")
    if not (LIBRARIES / "lib" / "aarch64-linux-gnu" / "libcjson.so.1").exists():
        pytest.skip(f"no arm64 libraries in {LIBRARIES}: scripts/bootstrap.sh arm64")
    folder = tmp_path_factory.mktemp("arm64")
    (folder / "cpuinfo").write_text(PROCESSOR)
    mount = ["unshare", "-m", "sh", "-c", f'mount --bind {folder}/cpuinfo /proc/cpuinfo && exec "$@"', "sh"]
    if subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("/proc/cpuinfo cannot be covered by another file here: needs root")
    engines = ROOT / "src" / "engines"
    sources = [engines / "engines.c", engines / "library.c", *engines.glob("session*.c"), *engines.glob("*/session*.c")]
    subprocess.run(["aarch64-linux-gnu-gcc", "-std=c11", "-O2", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}", f"-I{LIBRARIES}/include",
                    '-DEXRAY_INSTALLED="."', *map(str, sources), str(ROOT / "tests" / "engines" / "litert_tool.c"), "-o", str(folder / "tool"),
                    *map(str, arm64_libraries()), f"-L{LIBRARIES}/lib/aarch64-linux-gnu", "-l:libcjson.so.1", "-ldl", "-lm", "-lpthread"],
                   check=True)

    def run(engine, *arguments):
        command = [*mount, "qemu-aarch64", "-L", SYSROOT, "-E", f"LD_LIBRARY_PATH={LIBRARIES}/lib/aarch64-linux-gnu",
                   folder / "tool", engine, engine_library(engine, "aarch64"), *arguments]
        result = subprocess.run([str(c) for c in command], capture_output=True, timeout=300)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout

    return run


def here(engine, *arguments):
    command = [BUILD / "tests" / "litert_tool", engine, engine_library(engine, os.uname().machine), *arguments]
    return subprocess.run([str(c) for c in command], capture_output=True, timeout=300, check=True).stdout


def model_of(name, shape, folder):
    """The file; of an ONNX model whose input is open, a copy of that shape."""
    file = testdata.model(name)
    if file.suffix != ".onnx":
        return file
    model = onnx.load(file)
    for d, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        d.dim_value = size
    onnx.save(model, folder / file.name)
    return folder / file.name


@pytest.mark.data
@pytest.mark.parametrize("engine,kernels,name,shape", [
    ("litert", "builtin", "mobilenet_v1_0.25_224_float.tflite", (1, 224, 224, 3)),
    ("litert", "xnnpack", "mobilenet_v1_0.25_224_float.tflite", (1, 224, 224, 3)),
    ("onnxruntime", "default", "rapidocr_onnxruntime_ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192)),
])
def test_arm64(on_arm64, tmp_path, engine, kernels, name, shape):
    source = tmp_path / "x.bin"
    np.random.default_rng(5).uniform(-1, 1, shape).astype(np.float32).tofile(source)
    arguments = [kernels, 1, model_of(name, shape, tmp_path)]
    there = np.frombuffer(on_arm64(engine, *arguments, tmp_path / "arm64.mcap", 1, source), np.float32)
    ours = np.frombuffer(here(engine, *arguments, tmp_path / "here.mcap", 1, source), np.float32)
    assert there.shape == ours.shape and np.abs(there - ours).max() <= 1e-4 * max(1, np.abs(ours).max())
    arm64, log = Log(tmp_path / "arm64.mcap"), Log(tmp_path / "here.mcap")
    assert arm64.metadata["exray"]["arch"] == "aarch64"
    assert arm64.model.engine_version == log.model.engine_version and arm64.model.sha256 == log.model.sha256
    assert [(n.op, list(n.outputs)) for n in arm64.model.nodes] == [(n.op, list(n.outputs)) for n in log.model.nodes]
    assert len(list(arm64.layers())) == len(list(log.layers())) >= len(log.model.nodes)
    assert len(arm64.latency[0].node) > 0.8 * len(log.latency[0].node) > 0
    verdict = validate(tmp_path / "arm64.mcap", tmp_path / "here.mcap", status=0)
    assert verdict["coverage"]["compared"] + verdict["coverage"]["fused"] == verdict["coverage"]["edge_layers"] > 20
    assert all(layer["role"] == "clean" and layer["nrmse"] < 1e-4 for layer in verdict["layers"])
