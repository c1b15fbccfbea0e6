"""Makes the logs that tests/compat keeps of a version of the log format, and what must be read of them.

    build/python-tests/bin/python tests/compat/generate.py build/test/tests/write_logs tests/compat/v2

Run once for a version, when the format gains something that the frozen logs do not have (docs/releasing.md).  A folder
that is there is never written again: what an old version wrote is the point.
"""

import pathlib
import struct
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.writer import CompressionType, IndexType, Writer

from description import independent, split, write

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHOLE = ["stream", "chunked", "lz4", "zstd", "sketch"]
CHUNK, MESSAGE, DATA_END = 0x06, 0x05, 0x0F


def offsets(data):
    """(offset, opcode, size) of each record of a file."""
    at = 8
    for opcode, content, _ in split(data[8:]):
        yield at, opcode, len(content)
        at += 9 + len(content)


def broken(logs):
    """Logs as crashes, full disks and bad flash leave them."""
    stream, chunked, lz4 = (logs[n] for n in ("small-stream", "chunked", "lz4"))
    messages = [at for at, opcode, _ in offsets(stream) if opcode == MESSAGE]
    yield "cut-record", stream[:messages[4] + 20]  # within the fifth message: the first frame has no end
    at, _, size = next(o for o in offsets(chunked) if o[1] == CHUNK)
    yield "cut-chunk", chunked[:at + 9 + size - 300]  # within its last records
    chunks = [o for o in offsets(lz4) if o[1] == CHUNK]
    yield "cut-compressed", lz4[:chunks[-1][0] + 100]
    end = next(at for at, opcode, _ in offsets(lz4) if opcode == DATA_END)
    yield "cut-summary", lz4[:end + 2000]
    crc = chunks[1][0] + 9 + 24  # that of one large record
    yield "wrong-crc", lz4[:crc] + bytes([lz4[crc] ^ 1]) + lz4[crc + 1:]


# ---- A log of a later version --------------------------------------------------------

LATER = [
    ("message Frame {", "  double energy_mj = 900;"),
    ("message TensorInfo {", "  string unit = 901;"),
    ("message TensorStats {", "  double median = 902;"),
    ("message Model {", "  string license = 903;"),
    ("enum DType {", "  DTYPE_FLOAT6 = 200;"),
]


def later_schema():
    """schema/exray.proto as somebody may have it one day."""
    text = (ROOT / "schema" / "exray.proto").read_text()
    for head, line in LATER:
        index = text.index("\n", text.index(head)) + 1
        if head.startswith("enum"):  # the first value of an enum is 0
            index = text.index("\n", index) + 1
        text = text[:index] + line + "\n" + text[index:]
    text += "\nmessage Gaze {\n  uint64 frame = 1;\n  double x = 2;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        proto, out = pathlib.Path(folder) / "exray.proto", pathlib.Path(folder) / "set"
        proto.write_text(text)
        subprocess.run(["protoc", f"-I{folder}", f"--descriptor_set_out={out}", proto], check=True)
        return out.read_bytes()


def future(path):
    descriptors = later_schema()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        pool.Add(file)

    def new(kind, **fields):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"exray.v1.{kind}"))(**fields)

    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE, use_chunking=False, index_types=IndexType.NONE,
                        repeat_channels=False, repeat_schemas=False, use_statistics=False, use_summary_offsets=False)
        writer.start(profile="exray", library="exray 9.0.0")
        writer.add_metadata("exray", {"role": "edge", "task": "gaze", "exray_version": "9.0.0", "battery": "71 %"})
        writer.add_metadata("exray.gaze", {"calibrated": "yes"})
        schemas, channels, times = {}, {}, iter(range(1000, 100000, 10))

        def add(topic, message, schema=None, encoding="protobuf", schema_data=None):
            name = schema or message.DESCRIPTOR.full_name
            if name not in schemas:
                kind = "protobuf" if encoding == "protobuf" else "jsonschema"
                schemas[name] = writer.register_schema(name, kind, descriptors if schema_data is None else schema_data)
            if topic not in channels:
                channels[topic] = writer.register_channel(topic, encoding, schemas[name])
            data = message if isinstance(message, bytes) else message.SerializeToString()
            now = next(times)
            writer.add_message(channels[topic], now, data, now)

        model = new("Model", name="gaze.tflite", engine="tflite", license="CC0", inputs=[0], outputs=[0])
        model.tensors.append(new("TensorInfo", name="eye", dtype=1, shape=[2], unit="cd/m2"))
        model.nodes.append(new("Node", op="GAZE", inputs=[0], outputs=[0]))
        add("/model", model)
        for index in range(2):
            begin = 1000 + 80 * index
            info = new("TensorInfo", name="eye", dtype=1, shape=[2], unit="cd/m2")
            stats = new("TensorStats", count=2, min=-1, max=1, mean=0, variance=1, median=0.5)
            add("/input/eye", new("Tensor", frame=index, info=info, data=struct.pack("<2f", index, -0.5)))
            add("/layer/0", new("Tensor", frame=index, info=info, stats=stats))
            add("/layer/0/0/0", new("Tensor", frame=index, info=info))
            odd = new("TensorInfo", name="six bits", dtype=200, shape=[4])
            add("/output/gaze", new("Tensor", frame=index, info=odd, data=b"\x01\x02\x03"))
            add("/gaze", new("Gaze", frame=index, x=0.25))
            add("/lidar/points", b"{}", "other.Points", "json", b"{}")
            add("/result", b"\x08\x01", "exray.v2.Result", schema_data=b"")
            add("/frame", new("Frame", index=index, source="eye.raw", begin_ns=begin, end_ns=begin + 80, energy_mj=12.5,
                              values={"pupil": 3.5}))
        writer.finish()
    # Records that MCAP does not have yet, and a private one.
    data = path.read_bytes()
    header = next(offsets(data))
    at = header[0] + 9 + header[2]
    strange = b"".join(struct.pack("<BQ", opcode, 5) + b"later" for opcode in (0x10, 0x7F, 0x90))
    path.write_bytes(data[:at] + strange + data[at:])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True)  # never over what is there
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        logs = {p.stem: p.read_bytes() for p in pathlib.Path(folder).glob("*.mcap")}
    for name, data in [*((n, logs[n]) for n in WHOLE), *broken(logs)]:
        (out / f"{name}.mcap").write_bytes(data)
    future(out / "future.mcap")
    for path in sorted(out.glob("*.mcap")):
        write(path.with_suffix(".json"), independent(path))


if __name__ == "__main__":
    main()
