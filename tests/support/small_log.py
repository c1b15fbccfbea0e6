"""A small log written by PyPI's mcap in every way, and the program's `info` and `export` on it."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from log_writer import PB, ROOT, CompressionType, Log, small_model

EXRAY = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build")) / "exray"
if not EXRAY.exists():
    pytest.skip(f"no program at {EXRAY}: run make first", allow_module_level=True)

WRITERS = {
    "chunked": {},
    "small chunks": {"chunk_size": 64},
    "no crc": {"enable_crcs": False},
    "lz4": {"compression": CompressionType.LZ4},
    "zstd": {"compression": CompressionType.ZSTD},
    "stream": {"use_chunking": False},
    "no summary records": {"repeat_channels": False, "repeat_schemas": False, "use_statistics": False,
                           "use_summary_offsets": False},
}


def run(*arguments, status=0):
    result = subprocess.run([str(EXRAY), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert result.returncode == status, result.stderr
    if status == 2:
        assert result.stderr.startswith("exray") and result.stderr.count("\n") == 1
    return result.stderr if status == 2 else result.stdout


def info(path):
    return json.loads(run("info", path, "--json", "-"))


def arrays(tmp_path, path, *options):
    folder = tmp_path / ("npz" + "".join(options))
    run("export", path, "--npz", folder, *options)
    return {f.stem: dict(np.load(f)) for f in folder.iterdir()}


def write_small(path, frames=3, **options):
    """Returns what the arrays must be."""
    log, expected = Log(path, **options), {}
    log.add("/model", "Model", small_model())
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    log.tensor("/constant/1", weights)
    expected["constants"] = {"constant/1": weights}
    for f in range(frames):
        rng, begin = np.random.default_rng(f), log.time
        frame = {"input/image": rng.random((1, 4, 4, 3), dtype=np.float32),
                 "layer/1": rng.integers(-128, 127, (1, 6)).astype(np.int8),
                 "layer/0": rng.random((1, 4, 4, 2), dtype=np.float32),
                 "output/probabilities": rng.integers(-128, 127, (1, 6)).astype(np.int8)}
        for topic, array in frame.items():
            quantized = {"scale": [0.5], "zero_point": [-3]} if array.dtype == np.int8 else {}
            log.tensor("/" + topic, array, frame=f, **quantized)
        log.add("/latency", "Latency", PB["Latency"](frame=f, node=[0, 1], start_ns=[100, 2000],
                                                     duration_ns=[1500, 2500 + f]))
        log.add("/system", "System", PB["System"](frame=f, rss_bytes=1000 + f, dropped_records=f))
        log.frame(f, begin, source=f"picture {f}.jpg", label=f, inference_ns=1000000 * (f + 1),
                  values={"brightness": 0.25}, spans={"resize": 7000})
        expected[f"frame-{f:06d}"] = frame
    log.writer.add_attachment(1, 1, "pipeline.yaml", "text/yaml", b"task: classification\n")
    log.finish()
    return expected


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].keys() == expected[name].keys()
        for key, array in expected[name].items():
            assert found[name][key].dtype == array.dtype
            np.testing.assert_array_equal(found[name][key], array)
