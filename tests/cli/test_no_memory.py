"""One allocation of a command fails, whichever: the result is what it is without, or the command says so in one line and
its exit status is 2.  It never crashes, and never gives another result."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from explain_support import encode
from validate_support import BUILD, EXRAY, LITE0, Recording, normalize, textures

PRELOADED = BUILD / "tests" / "fail_allocation.so"
ALL = "EXRAY_EVERY_ALLOCATION" in os.environ  # else a sample of so many, where there are more
SAMPLE = 30

pytestmark = pytest.mark.skipif(not PRELOADED.exists(), reason="no glibc, or a sanitizer's build")

COMMANDS = {
    "info": ["info", "chunked.mcap"],
    "info-check": ["info", "stream.mcap", "--check"],
    "info-check-zstd": ["info", "zstd.mcap", "--check"],
    "info-json": ["info", "chunked.mcap", "--json", "OUT"],
    "info-json-stdout": ["info", "edge.mcap", "--json", "-"],
    "validate": ["validate", "edge.mcap", "reference.mcap"],
    "validate-json": ["validate", "edge.mcap", "reference.mcap", "--json", "OUT"],
    "validate-html": ["validate", "edge.mcap", "reference.mcap", "--html", "OUT"],
    "validate-junit": ["validate", "edge.mcap", "reference.mcap", "--junit", "OUT"],
    "validate-models": ["validate", "conv_edge.mcap", "conv_reference.mcap", "--edge-model", "edge.onnx", "--reference-model",
                        "reference.onnx", "--json", "OUT"],
    "validate-equal": ["validate", "chunked.mcap", "stream.mcap"],
    "csv": ["export", "edge.mcap", "--csv", "OUT"],
    "csv-stdout": ["export", "chunked.mcap", "--csv", "-"],
    "csv-lz4": ["export", "lz4.mcap", "--csv", "OUT"],
    "csv-zstd": ["export", "zstd.mcap", "--csv", "OUT"],
    "recover-zstd": ["recover", "zstd.mcap", "-o", "OUT"],
    "npz": ["export", "chunked.mcap", "--npz", "OUT"],
    "trace": ["export", "edge.mcap", "--trace", "OUT"],
    "foxglove": ["export", "edge.mcap", "--foxglove", "OUT"],
    "overlay": ["export", "edge.mcap", "--reference", "reference.mcap", "--model-explorer", "OUT"],
    "recover": ["recover", "stream.mcap", "-o", "OUT"],
    "recover-cut": ["recover", "cut.mcap", "-o", "OUT"],
    "scrub": ["scrub", "chunked.mcap", "-o", "OUT", "--stats", "/input/*"],
}


def record(path, role, inputs, sensors, wrong):
    """Three layers; on the edge the second one is wrong, and the channels of the input are exchanged."""
    with Recording(path, role) as log:
        shape, weight = [1, *inputs[0].shape], np.float32([1, 2, 3])
        tensor = [(name, "float32", shape, (), (), 0) for name in ("image", "relu", "scale", "probabilities")]
        tensor.append(("w", "float32", [3], (), (), 0))
        log.model(tensor, [("RELU", [0], [1]), ("MUL", [1, 4], [2]), ("LOGISTIC", [2], [3])], [0], [3])
        log.tensor("/constant/4", weight)
        for i, x in enumerate(inputs):
            data, media = sensors[i]
            log.tensor("/sensor/camera", np.frombuffer(data, np.uint8), frame=log.count, media=media)
            relu = np.maximum(x, 0)
            scaled = relu * weight * (1.1 if wrong else 1)
            out = 1 / (1 + np.exp(-scaled))
            log.frame([("/input/image", x[None], {}), ("/layer/0", relu[None], {}), ("/layer/1", scaled[None], {}),
                       ("/layer/2", out[None], {}), ("/output/probabilities", out[None], {})], label=i, result=[i, 2])


def record_convolutions(folder):
    """An ONNX model whose weights are others on the edge."""
    onnx = pytest.importorskip("onnx")
    onnx_log = pytest.importorskip("onnx_log")
    random = np.random.default_rng(0)
    weights, bias = random.normal(size=(4, 3, 3, 3)).astype(np.float32), random.normal(size=4).astype(np.float32)
    inputs = [random.normal(size=(1, 3, 8, 8)).astype(np.float32) for _ in range(2)]

    def value(name, shape):
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    nodes = [onnx.helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), onnx.helper.make_node("Relu", ["c"], ["r"]),
             onnx.helper.make_node("GlobalAveragePool", ["r"], ["y"])]
    for role, factor in (("reference", 1), ("edge", 1.05)):
        constants = [onnx.numpy_helper.from_array(a, n) for a, n in ((weights * np.float32(factor), "w"), (bias, "b"))]
        graph = onnx.helper.make_graph(nodes, "g", [value("x", [1, 3, 8, 8])], [value("y", [1, 4, 1, 1])], constants)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, folder / f"{role}.onnx")
        onnx_log.record(folder / f"{role}.onnx", folder / f"conv_{role}.mcap", inputs, folder, level="none", role=role)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs")
    for how in ("chunked", "stream", "lz4", "zstd"):
        subprocess.run([BUILD / "tests" / "write_everything", path / f"{how}.mcap", how], check=True, capture_output=True)
    whole = (path / "chunked.mcap").read_bytes()
    (path / "cut.mcap").write_bytes(whole[: len(whole) * 3 // 4])
    pictures = textures(3, 24)
    sensors = [encode(p, how) for p, how in zip(pictures, ("png", "jpeg", "rgb8"))]
    inputs = normalize(pictures, *LITE0)
    record(path / "reference.mcap", "reference", inputs, sensors, False)
    record(path / "edge.mcap", "edge", [x[..., ::-1] for x in inputs], sensors, True)
    return path


def contents(path):
    if path.is_dir():
        return {f.name: f.read_bytes() for f in path.iterdir()}
    return path.read_bytes() if path.exists() else None


def run(folder, command, which):
    """(exit status, standard output, lines of standard error, what was written, allocations)"""
    own = folder / f"{which}"
    own.mkdir()
    out, count = own / "out", own / "count"
    environment = {**os.environ, "LD_PRELOAD": str(PRELOADED), "EXRAY_FAIL_AT": str(which), "EXRAY_FAIL_COUNT": str(count)}
    done = subprocess.run([EXRAY, *(str(out) if a == "OUT" else a for a in command)], cwd=folder, env=environment,
                          capture_output=True, timeout=120)
    allocations = int(count.read_text()) if count.exists() else 0
    told = done.stderr.decode(errors="replace").replace(str(own), "").splitlines()
    result = done.returncode, done.stdout.replace(str(own).encode(), b""), told, contents(out), allocations
    shutil.rmtree(own)
    return result


def problem(got, good, which):
    """None, or what is wrong with a run whose allocation `which` failed."""
    status, out, told, written, _ = got
    if got[:4] == good[:4]:
        return None
    if status != 2:
        return f"allocation {which}: status {status} with another result: {told}"
    new = [line for line in told if line not in good[2]]
    if len(new) != 1 or not new[0].startswith("exray"):
        return f"allocation {which}: not one line: {told}"
    if isinstance(written, dict):
        other = {name for name, data in written.items() if data != good[3].get(name)}
    else:
        other = written is not None and written != good[3]
    return f"allocation {which}: a half file is left, {other}" if other else None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_failed_allocation_changes_no_result(folder, name):
    command = COMMANDS[name]
    if name == "validate-models":
        record_convolutions(folder)
    good = run(folder, command, 0)
    assert good[0] in (0, 1, 3) and run(folder, command, 0)[:4] == good[:4], good[2]
    if name.startswith("validate"):
        assert good[0] == (0 if name.endswith("equal") else 1)
    count = good[4]
    assert count > 5
    places = range(1, count + 1) if ALL or count <= SAMPLE else sorted({1 + round(i * (count - 1) / (SAMPLE - 1)) for i in range(SAMPLE)})
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda which: problem(run(folder, command, which), good, which), places))
    wrong = [text for text in found if text]
    assert not wrong, f"{len(wrong)} of {len(places)} ({count} allocations):\n" + "\n".join(wrong[:20])
