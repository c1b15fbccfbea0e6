"""What tests/core/write_everything.c writes, message by message, built from
schema/exray.proto by protoc and Google's protobuf: nothing here is exray's."""

import math
import os
import pathlib
import struct
import subprocess
import tempfile

import numpy as np
from sketch_reference import sketch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
NO_INDEX = 0xFFFFFFFF
MODES = ["stream", "chunked", "own-crc", "lz4", "zstd", "async", "async-stream", "stats", "sketch", "no-io"]
DEVICE = ["device", "device-stats", "device-sketch"]  # recorders with no other parts
MODES += DEVICE
STREAMS = {"stream", "async-stream", *DEVICE}


def processors():
    """Those that the affinity and the container (cgroup v2) leave to this process."""
    count = len(os.sched_getaffinity(0))
    limit = pathlib.Path("/sys/fs/cgroup/cpu.max")
    quota, period = limit.read_text().split() if limit.exists() else ("max", "1")
    return count if quota == "max" else min(count, math.ceil(int(quota) / int(period)))


def capture(mode):
    """The level that the writer asks for."""
    level = mode.removeprefix("device-")
    return level if level in ("stats", "sketch") else "full"


def message_classes():
    """The classes of schema/exray.proto by name, such as "Tensor"."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "schema.bin"
        subprocess.run(
            ["protoc", f"--proto_path={ROOT / 'schema'}", f"--descriptor_set_out={output}", "exray.proto"],
            check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {
        name.split(".")[-1]: message_class
        for name, message_class in message_factory.GetMessageClassesForFiles(["exray.proto"], pool).items()
    }


def fill(size, seed):
    i = np.arange(size, dtype=np.uint64)
    return ((i * 37 + seed * 11 + (i >> 8) * 7) & 0xFF).astype(np.uint8).tobytes()


# name: (number, bits, numpy type or a function from bytes to float64 values)
def half(data):
    return np.frombuffer(data, "<f2").astype(np.float64)


def bfloat16(data):
    return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)


def nibbles(data):
    raw = np.frombuffer(data, np.uint8)
    return np.stack([raw & 15, raw >> 4], 1).reshape(-1)


def int4(data):
    values = nibbles(data).astype(np.int64)
    return np.where(values >= 8, values - 16, values)


def float8(exponent_bits, mantissa_bits, finite_only):
    """A decoder by the definition of the formats, one bit pattern at a time."""

    def value(byte):
        sign = -1.0 if byte & 0x80 else 1.0
        exponent = (byte & 0x7F) >> mantissa_bits
        mantissa = byte & ((1 << mantissa_bits) - 1)
        bias = (1 << (exponent_bits - 1)) - 1
        top = (1 << exponent_bits) - 1
        if finite_only and (byte & 0x7F) == 0x7F:
            return np.nan
        if not finite_only and exponent == top:
            return np.nan if mantissa else sign * np.inf
        if exponent == 0:
            return sign * mantissa * 2.0 ** (1 - bias - mantissa_bits)
        return sign * (1 + mantissa / 2**mantissa_bits) * 2.0 ** (exponent - bias)

    return lambda data: np.array([value(byte) for byte in data])


DTYPES = {
    "float32": (1, 32, "<f4"),
    "float16": (2, 16, half),
    "bfloat16": (3, 16, bfloat16),
    "float64": (4, 64, "<f8"),
    "int8": (5, 8, "<i1"),
    "uint8": (6, 8, "<u1"),
    "int16": (7, 16, "<i2"),
    "uint16": (8, 16, "<u2"),
    "int32": (9, 32, "<i4"),
    "uint32": (10, 32, "<u4"),
    "int64": (11, 64, "<i8"),
    "uint64": (12, 64, "<u8"),
    "bool": (13, 8, lambda data: (np.frombuffer(data, np.uint8) != 0).astype(np.float64)),
    "string": (14, 0, None),
    "int4": (15, 4, int4),
    "uint4": (16, 4, nibbles),
    "float8_e4m3": (17, 8, float8(4, 3, True)),
    "float8_e5m2": (18, 8, float8(5, 2, False)),
}
INTEGER_RANGE = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
    "int4": (-8, 7),
    "uint4": (0, 15),
}
DTYPE_NAMES = {number: name for name, (number, _, _) in DTYPES.items()}


def stored_values(dtype, data):
    """Stored elements: integers exact, others as float64."""
    decode = DTYPES[dtype][2]
    if callable(decode):
        return decode(data)
    values = np.frombuffer(data, decode)
    return values if values.dtype.kind in "iu" else values.astype(np.float64)


def stats(dtype, data, scale=None, zero_point=None):
    """TensorStats as a dict; scale and zero point broadcast over the elements."""
    stored = stored_values(dtype, data)
    real = stored.astype(np.float64)
    if scale is not None:
        real = np.asarray(scale, np.float64) * (real - np.asarray(zero_point, np.float64))
    finite = real[np.isfinite(real)]
    low, high = INTEGER_RANGE.get(dtype, (None, None))
    with np.errstate(over="ignore"):  # squares of huge doubles are infinite
        variance = finite.var() if finite.size else np.nan
    return {
        "count": real.size,
        "nan_count": int(np.isnan(real).sum()),
        "inf_count": int(np.isinf(real).sum()),
        "zero_count": int((real == 0).sum()),
        "min": finite.min() if finite.size else np.nan,
        "max": finite.max() if finite.size else np.nan,
        "mean": finite.mean() if finite.size else np.nan,
        "variance": variance,
        "low_count": int((stored == low).sum()) if low is not None else 0,
        "high_count": int((stored == high).sum()) if high is not None else 0,
    }


METADATA = {
    "role": "reference",
    "session": "session-1",
    "replay_of": "00000000-0000-4000-8000-000000000000",
    "task": "classification",
    "device": "test bench",
    "app": "write_everything",
    "camera_serial": "A-17",
    "note": "grüß Gott",
}
ATTACHMENTS = [
    ("pipeline.yaml", "application/yaml", b"task: classification\n"),
    ("empty", "", b""),
]
CHANNEL_METADATA = {
    "/layer/0": {"name": "stem/conv", "op": "CONV_2D"},
    "/layer/0/1": {"name": "stem/conv", "op": "CONV_2D"},
    "/layer/1": {"name": "scalar", "op": "DELEGATE"},
}


def expected(mode):
    """[(topic, message)] in order of writing.  Fields that only the run knows are
    unset: Frame.begin_ns and end_ns, System's figures of the machine."""
    classes = message_classes()
    Tensor, Frame, System = classes["Tensor"], classes["Frame"], classes["System"]
    out, layers = [], []
    gathers = mode not in DEVICE  # without the part of it, each has a message

    def tensor(topic, data, kind, dtype="uint8", info=None, **fields):
        """Appends a Tensor as the mode keeps it: data, stats, or neither."""
        message = Tensor(**fields)
        if info is not None:
            message.info.CopyFrom(classes["TensorInfo"](dtype=DTYPES[dtype][0], **info))
        layer = kind in ("layer", "constant")
        opaque = message.HasField("media") and message.media.format in ("jpeg", "png", "wav")
        as_stats = (capture(mode) != "full" and layer) or (mode == "no-io" and kind in ("sensor", "input"))
        if data is not None and not as_stats:
            message.data = data
        elif data is not None and not opaque and dtype != "string":
            scale = zero_point = None
            if topic == "/constant/1":
                scale, zero_point = np.tile([0.5, 0.25, 0.125, 2.0], 6), np.tile([0, -3, 127, 1], 6)
            elif message.info.HasField("quantization"):
                scale, zero_point = message.info.quantization.scale[0], message.info.quantization.zero_point[0]
            for name, value in stats(dtype, data, scale, zero_point).items():
                setattr(message.stats, name, value)
            if capture(mode) == "sketch" and kind == "layer":
                with np.errstate(over="ignore", invalid="ignore"):
                    real = stored_values(dtype, data).astype(np.float32)
                if scale is not None:
                    real = (real - np.float32(zero_point)) * np.float32(scale)
                message.sketch.version, message.sketch.seed = 1, 1
                message.sketch.bucket.extend(sketch(real).tolist())
        if gathers and message.HasField("stats") and not message.HasField("sketch") and topic in ("/constant/1", "/layer/0"):
            index = int(topic.split("/")[2])
            where, topic = (out if topic == "/constant/1" else layers), f"/{kind}s"
            message = classes["LayerStats"](node=[index], stats=[message.stats])
            where.append((topic, message))
        else:
            out.append((topic, message))

    quantized = {"scale": [0.5, 0.25, 0.125, 2.0], "zero_point": [0, -3, 127, -(2**63)], "axis": 3}
    out.append(
        (
            "/model",
            classes["Model"](
                name="everything.tflite",
                sha256=fill(32, 99),
                engine="tflite",
                engine_version="2.17.1",
                kernels="builtin",
                threads=3,
                tensors=[
                    {"name": "input", "dtype": 1, "shape": [1, -1, 4, 3], "layout": "NHWC"},
                    {"name": "weights", "dtype": 5, "shape": [2, 3, 1, 4], "quantization": quantized, "constant": True},
                    {"dtype": 9, "shape": [4], "quantization": {"scale": [0.0078125], "zero_point": [0]}, "constant": True},
                    {"name": "scalar", "dtype": 4},
                ],
                nodes=[
                    {
                        "op": "CONV_2D",
                        "name": "stem/conv",
                        "inputs": [0, 1, NO_INDEX],
                        "outputs": [3],
                        "subgraph": 1,
                        "attributes": {"stride": "2x2", "padding": "SAME", "empty": ""},
                    },
                    {
                        "op": "DELEGATE",
                        "outputs": [3],
                        "inner": [
                            {"op": "CONV_2D", "name": "a", "inner": [{"op": "RELU6", "name": "deep", "inputs": [3]}]},
                            {"op": "ADD", "name": "b"},
                        ],
                    },
                ],
                inputs=[0],
                outputs=[3],
            ),
        )
    )
    tensor("/constant/1", fill(24, 50), "constant", "int8", tensor=1)

    def sensor(name, data, shape, dtype="uint8", layout="", **media):
        info = {"name": name, "shape": shape, "layout": layout}
        tensor(f"/sensor/{name}", data, "sensor", dtype, info, media=media)

    sensor("camera", fill(100, 1), [100], format="jpeg")
    sensor("front camera", fill(64, 80)[:33], [33], format="png")
    sensor("microphone", fill(64, 80)[:20], [20], format="wav")
    sensor("packed", fill(64, 80)[:60], [4, 5, 3], layout="HWC", format="rgb8", width=5, height=4)
    sensor("padded", fill(64, 80)[:22], [22], format="bgr8", width=2, height=3, row_stride=8, rotation=90)
    sensor("yuv", fill(64, 80)[:27], [27], format="nv12", width=5, height=3, matrix="bt709", full_range=True, rotation=270)
    sensor("pcm", fill(64, 80)[:32], [8, 2], "int16", format="s16", sample_rate=16000, channels=2)

    def input_output(frame):
        for i, (kind, name) in enumerate([("stage", "resized"), ("input", ""), ("output", "probabilities:0")]):
            info = {"name": name, "shape": [2, 3], "layout": "NC", "quantization": {"scale": [0.25], "zero_point": [-5]}}
            tensor(f"/{kind}/{name or 0}", fill(6, 90 + i), kind, "int8", info, frame=frame)

    input_output(0)
    tensor("/layer/0", fill(24, 60), "layer", tensor=3)
    first = {"name": "first", "shape": [1, 2, 4, 3]}
    tensor("/layer/0/1", fill(24, 60), "layer", "uint8", first, tensor=3, occurrence=2)
    tensor("/layer/1", None, "layer", "uint8", first)
    for dtype, (number, bits, _) in DTYPES.items():
        size = 11 if dtype == "string" else (24 * bits + 7) // 8
        tensor(f"/layer/{number}", fill(size, number), "layer", dtype, {"name": dtype, "shape": [2, 3, 4]})
    for i, size in enumerate([128 << 10, 1 << 20]):
        tensor(f"/layer/{100 + i}", fill(size, 70 + i), "layer", "uint8", {"shape": [size]})

    out.append(("/reading/accelerometer", classes["Reading"](value=[-9.81, 0, 1e300], unit="m/s2")))
    out.append(
        (
            "/latency",
            classes["Latency"](node=[0, 1, 100], start_ns=[0, 1000, 1 << 40], duration_ns=[999, 0, 2**64 - 1]),
        )
    )
    box = {"x_min": 0.1, "y_min": 0.2, "x_max": 0.3, "y_max": 0.4, "id": 17, "score": 0.5, "label": "cat"}
    turned = {"id": -2, "crowd": True, "corner": [0.1, 0.2, 0.3, 0.25, 0.3, 0.4, 0.1, -0.5]}
    out.append(
        (
            "/result",
            classes["Result"](
                classes=[{"id": 281, "score": 0.875, "label": "tabby"}, {"id": -1}, {"score": -0.0}],
                boxes=[box, turned],
                text="a cat 🐈, or not ?",
                keypoints=[{"x": 0.5, "y": 0.25, "z": -1.5, "score": 0.75, "id": 16}, {"id": -1}],
                vectors=[{"name": "embedding", "value": [1, -0.0, 1e-30]}, {}],
                mask={"width": 6, "height": 5, "ids": fill(30, 3)},
            ),
        )
    )
    wide = {"width": 3, "height": 5, "ids": fill(30, 3), "wide": True}
    out.append(("/truth", classes["Result"](boxes=[box, turned], mask=wide)))
    out += layers
    machine = {} if mode in DEVICE else {"processors": processors()}
    out.append(("/system", System(arena_bytes=123456789, dropped_records=0, **machine)))
    out.append(
        (
            "/frame",
            Frame(
                source="café/1.jpg",
                label=-7,
                inference_ns=23000000,
                values={"loss": -0.5, "zero": 0},
                spans_ns={"decode": 1500000, "nothing": 0},
            ),
        )
    )
    input_output(1)
    out.append(("/system", System(frame=1, arena_bytes=123456789, dropped_records=0)))
    out.append(("/frame", Frame(index=1, source="latin1-?.jpg", label=0)))
    out.append(("/system", System(frame=2, arena_bytes=123456789, dropped_records=0)))
    out.append(("/frame", Frame(index=2)))
    return out


def type_of_topic(topic):
    first = topic.split("/")[1]
    names = {"model": "Model", "frame": "Frame", "latency": "Latency", "system": "System", "reading": "Reading"}
    return "exray.v1." + {**names, "result": "Result", "truth": "Result", "layers": "LayerStats", "constants": "LayerStats"}.get(first, "Tensor")
