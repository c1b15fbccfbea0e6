"""`validate --jobs`: however many threads compare, the result is the same to the last digit."""

import json
import subprocess

import numpy as np
import pytest
from mcap.writer import CompressionType
from validate_support import EXRAY
from log_writer import DTYPES, PB, Log

LAYERS, SIZE, FRAMES = 9, 150_000, 3


def write(path, role, seed, dtype="float32", compression=CompressionType.NONE, damage=None):
    random = np.random.default_rng(seed)
    log = Log(path, metadata={"role": role, "log_id": role}, compression=compression)
    m = PB["Model"](name="m", engine="tflite", kernels="builtin", inputs=[0], outputs=[LAYERS])
    for i in range(LAYERS + 1):
        t = m.tensors.add(name=f"t{i}", dtype=DTYPES[dtype], shape=[1, 10, 15, SIZE // 150])
        if dtype == "int8":
            t.quantization.scale.append(0.05)
            t.quantization.zero_point.append(0)
    for i in range(LAYERS):
        m.nodes.add(op="ADD", inputs=[i], outputs=[i + 1])
    log.add("/model", "Model", m)
    common = np.random.default_rng(1)
    for f in range(FRAMES):
        begin = log.time
        for i in range(LAYERS):
            values = common.normal(0, 30, (1, 10, 15, SIZE // 150)) + random.normal(0, 0.5, (1, 10, 15, SIZE // 150))
            array = values.astype(np.float32) if dtype == "float32" else np.clip(values, -128, 127).astype(np.int8)
            more = {"scale": [0.05], "zero_point": [0]} if dtype == "int8" else {}
            if damage == (f, i):
                array = array[..., :-1]  # fewer values than the others have
            log.tensor(f"/layer/{i}", np.ascontiguousarray(array), frame=f, **more)
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=1_000_000)
    log.finish()
    return path


@pytest.mark.parametrize("options", [{}, {"dtype": "int8"}, {"compression": CompressionType.ZSTD}, {"damage": (1, 4)}],
                         ids=["float", "int8", "compressed", "another shape"])
def test_the_result_does_not_depend_on_the_threads(tmp_path, options):
    damage = options.pop("damage", None)
    e = write(tmp_path / "e.mcap", "edge", 2, damage=damage, **options)
    r = write(tmp_path / "r.mcap", "reference", 3, **options)
    told = {}
    for jobs in ("1", "2", "5", "16", None):
        done = subprocess.run([EXRAY, "validate", e, r, "--json", "-", *(["--jobs", jobs] if jobs else [])], capture_output=True, timeout=100)
        assert done.returncode in (0, 1, 3) and not done.stderr
        told[jobs] = done.stdout
    assert len(set(told.values())) == 1
    assert len(json.loads(told["1"])["layers"]) == LAYERS


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", "2000", ""])
def test_what_is_no_number_of_threads(tmp_path, jobs):
    done = subprocess.run([EXRAY, "validate", "a", "b", "--jobs", jobs], capture_output=True, text=True)
    assert done.returncode == 2 and "--jobs takes a number of threads" in done.stderr
