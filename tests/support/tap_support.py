"""tests/engines/tap_run.c run in TensorFlow Lite's C library, its log as PyPI's mcap reads it, and the interpreter of
ai-edge-litert that says what each tensor should be."""

import os
import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest
import testdata
from gathered import messages, tensors_of
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
from validate_support import BUILD, ROOT

litert = pytest.importorskip("ai_edge_litert.interpreter")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

RUN = BUILD / "tests" / "tap_run"
PINNED = "2.17.1"
DTYPES = {1: np.float32, 2: np.float16, 4: np.float64, 5: np.int8, 6: np.uint8, 7: np.int16, 8: np.uint16,
          9: np.int32, 10: np.uint32, 11: np.int64, 12: np.uint64, 13: np.bool_}
STRING, INT4 = 14, 15


def asset(path):
    if not path.exists():
        pytest.skip(f"no {path}: scripts/bootstrap.sh engine")
    return path


def engine_library(engine, file):
    named = os.environ.get(f"EXRAY_{engine.upper()}_LIB_FOR_TESTS")
    return asset(Path(named or ROOT / "build" / "engines" / f"{engine}-{platform.machine()}" / file))


def library():
    return engine_library("tflite", "libtensorflowlite_c.so")


def litert_library():
    return engine_library("litert", "libLiteRt.so")


def tap_run(*arguments, check=True):
    if not RUN.exists():
        pytest.skip(f"no {RUN}: build the tests")
    command = [RUN, library(), *arguments]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    if check:
        assert result.returncode == 0, result.stderr
    return result


class Log:
    """A log as PyPI's mcap reads it: the model, and records by frame."""

    def __init__(self, path):
        self.frames, self.records, self.model, self.latency = [], {}, None, {}
        with open(path, "rb") as file:
            reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
            self.metadata = {m.name: dict(m.metadata) for m in reader.iter_metadata()}
            for _, channel, _, message in reader.iter_decoded_messages():
                topic = channel.topic
                if topic == "/model":
                    assert self.model is None and not self.records.keys() - {"constant"}
                    self.model = message
                elif topic == "/frame":
                    self.frames.append(message)
                elif topic == "/latency":
                    self.latency[message.frame] = message
                elif topic.split("/")[1].rstrip("s") in ("input", "layer", "output", "constant"):
                    for each, tensor in tensors_of(topic, message, self.model):
                        kind, name = each.split("/", 2)[1:]
                        self.records.setdefault(kind, []).append((name, tensor))

    def layers(self, frame=0):
        """(node, output, occurrence, record), in the order of the log"""
        for name, message in self.records.get("layer", []):
            if message.frame == frame:
                node, _, output = name.partition("/")
                yield int(node), int(output or 0), message.occurrence, message

    def info(self, message):
        return message.info if message.HasField("info") else self.model.tensors[message.tensor]

    def value(self, message):
        info = self.info(message)
        assert -1 not in info.shape, "a record tells the shape it has"
        return np.frombuffer(message.data, DTYPES[info.dtype]).reshape(list(info.shape))


def events(path):
    return [(m.kind, m.text) for topic, m in messages(path) if topic == "/event"]


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def close(a, b):
    """Within one step of an integer type, or 1e-3 of the tensor's range."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if not np.issubdtype(a.dtype, np.floating):
        return bool(np.all(np.abs(a.astype(np.int64) - b.astype(np.int64)) <= 1))
    span = max(1.0, float(np.nanmax(np.abs(b)))) if b.size else 1.0
    return bool(np.allclose(a, b, rtol=0, atol=1e-3 * span, equal_nan=True))


def interpreter(model):
    it = litert.Interpreter(model_path=str(model), num_threads=1, experimental_preserve_all_tensors=True,
                            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    it.allocate_tensors()
    return it


def photograph(detail):
    image = pytest.importorskip("PIL.Image")
    _, height, width, _ = detail["shape"]
    pixels = np.asarray(image.open(testdata.pictures(1)[0]).convert("RGB").resize((int(width), int(height))))
    if detail["dtype"] is np.float32:
        return ((pixels.astype(np.float32) - 127) / 128)[None]
    return pixels.astype(detail["dtype"])[None]


def noise(detail):
    random = np.random.default_rng(7)
    shape = tuple(int(n) for n in detail["shape"])
    if detail["dtype"] is np.float32:
        return random.uniform(-1, 1, shape).astype(np.float32)
    if detail["dtype"] is np.int32:
        return random.integers(0, 3, shape).astype(np.int32)
    limits = np.iinfo(detail["dtype"])
    return random.integers(limits.min, limits.max + 1, shape).astype(detail["dtype"])


def run_both(model, inputs, tmp_path, *arguments, name="log", runs=1):
    """inputs: for each input of the model, an array [runs, ...]"""
    log, dump = tmp_path / f"{name}.mcap", tmp_path / f"{name}.out"
    files = []
    for i, values in enumerate(inputs):
        path = tmp_path / f"{name}.in{i}"
        path.write_bytes(np.ascontiguousarray(values).tobytes())
        files += ["--input", path]
    tap_run(model, *files, "--runs", runs, "--log", log, "--capture", "full", "--dump", dump, *arguments)
    bare = tmp_path / f"{name}.bare"
    tap_run(model, *files, "--runs", runs, "--dump", bare, *[a for a in arguments if a != "--no-model-file"])
    assert dump.read_bytes() == bare.read_bytes(), "the tap changed the model's outputs"
    return Log(log)
