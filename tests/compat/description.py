"""What a log says, as plain JSON: how the frozen logs' expected values are written down.

Two readers make the same of a log: `independent` here (PyPI's mcap and mcap-protobuf-support, nothing of exray) and
exray's own (bindings/python/tests/test_compat.py).  A default value is left out, as protobuf does; bytes are hex
(more than 128: their hash); numbers that JSON has not are the texts "nan", "inf", "-inf".
"""

import hashlib
import io
import json
import math
import struct

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.records import Attachment, Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import CRCValidationError, breakup_chunk
from mcap_protobuf.decoder import DecoderFactory

DTYPES = ["unspecified", "float32", "float16", "bfloat16", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32",
          "int64", "uint64", "bool", "string", "int4", "uint4", "float8_e4m3", "float8_e5m2"]
STATS = ["count", "nan_count", "inf_count", "zero_count", "min", "max", "mean", "variance", "low_count", "high_count"]
MEDIA = ["format", "width", "height", "row_stride", "matrix", "full_range", "rotation", "sample_rate", "channels"]
SYSTEM = ["rss_bytes", "peak_rss_bytes", "arena_bytes", "cpu_celsius", "cpu_mhz", "dropped_records"]
BOX = ["x_min", "y_min", "x_max", "y_max", "id", "score", "label"]
NO_INDEX = 0xFFFFFFFF


def number(value):
    """JSON has no NaN."""
    return value if math.isfinite(value) else str(value)


def plain(source, names):
    """Those attributes that are not the default."""
    found = {name: getattr(source, name) for name in names}
    return {name: number(v) if isinstance(v, (int, float)) else v for name, v in found.items() if v}


def bytes_of(data):
    return data.hex() if len(data) <= 128 else f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}"


# ---- The records of a file, as far as it is whole -------------------------------------


def split(data):
    """(opcode, content, whether it is whole) of each record in a row of records."""
    at = 0
    while len(data) - at >= 9:
        opcode, size = struct.unpack_from("<BQ", data, at)
        content = data[at + 9:at + 9 + size]
        yield opcode, content, len(content) == size
        at += 9 + size


def parse(opcode, content):
    kinds = {Schema: 0x03, Channel: 0x04, Message: 0x05, Attachment: 0x09, Metadata: 0x0C}
    for kind, number_of_it in kinds.items():
        if opcode == number_of_it:
            stream = ReadDataStream(io.BytesIO(content))
            return kind.read(stream, len(content)) if kind is Message else kind.read(stream)
    return None


def records(data):
    """The parsed records before the summary, and whether something was damaged, whether the end is missing."""
    found, damaged, ended = [], False, False
    for opcode, content, whole in split(data[8:]):
        if opcode == 0x0F and whole:  # DataEnd
            ended = data.endswith(b"\x89MCAP0\r\n")
            break
        if opcode == 0x06 and whole:
            try:
                found += breakup_chunk(Chunk.read(ReadDataStream(io.BytesIO(content))), validate_crc=True)
            except (CRCValidationError, McapError):
                damaged = True
        elif opcode == 0x06:  # cut: of an uncompressed one what is whole counts
            compression = struct.unpack_from("<I", content, 28)[0] if len(content) >= 32 else 1
            inner = split(content[40:]) if compression == 0 else []
            found += [r for r in (parse(o, c) for o, c, is_whole in inner if is_whole) if r]
        elif whole:
            record = parse(opcode, content)
            found += [record] if record else []
    return found, damaged, not ended


# ---- Messages ---------------------------------------------------------------------------


def dtype_of(info):
    return DTYPES[info.dtype] if info.dtype < len(DTYPES) else "unspecified"


def info_of(info):
    out = plain(info, ["name", "layout", "constant"])
    out.update(dtype=dtype_of(info), shape=list(info.shape))
    if info.HasField("quantization"):
        q = info.quantization
        out["quantization"] = {"scale": list(q.scale), "zero_point": list(q.zero_point), "axis": q.axis}
    return out


def node_of(node):
    out = plain(node, ["op", "name", "subgraph"])
    out.update(inputs=[None if i == NO_INDEX else i for i in node.inputs], outputs=list(node.outputs),
               attributes=dict(node.attributes), inner=[node_of(n) for n in node.inner])
    return out


def model_of(model):
    out = plain(model, ["name", "engine", "engine_version", "kernels", "threads"])
    out.update(sha256=model.sha256.hex(), tensors=[info_of(t) for t in model.tensors],
               nodes=[node_of(n) for n in model.nodes], inputs=list(model.inputs), outputs=list(model.outputs))
    return out


def tensor_of(tensor, model):
    """The record's own description counts, else the model's."""
    if tensor.HasField("info"):
        info = tensor.info
    else:
        info = model.tensors[tensor.tensor] if model is not None and tensor.HasField("tensor") else tensor.info
    out = {"info": info_of(info)}
    if tensor.data:
        out["data"] = bytes_of(tensor.data)
    if tensor.HasField("stats"):
        out["stats"] = plain(tensor.stats, STATS)
    if tensor.HasField("sketch"):
        s = tensor.sketch
        out["sketch"] = {"version": s.version, "seed": s.seed, "bucket": [number(b) for b in s.bucket]}
    if tensor.HasField("media"):
        out["media"] = plain(tensor.media, MEDIA)
    return out


def result_of(result):
    return {"classes": [plain(c, ["id", "score", "label"]) for c in result.classes],
            "boxes": [plain(b, BOX) for b in result.boxes], "text": result.text}


def tensor_key(topic, occurrence):
    return f"{topic}#{occurrence}" if occurrence else topic


def new_frame(index):
    return {"index": index, "complete": False, "source": "", "label": None, "inference_ns": 0, "values": {}, "spans_ns": {},
            "tensors": {}, "latency": [], "system": {}, "readings": {}, "result": None}


def add_message(frame, topic, message, model):
    kind = topic.split("/")[1]
    if kind == "frame":
        frame.update(complete=True, source=message.source, begin_ns=message.begin_ns, end_ns=message.end_ns,
                     label=message.label if message.HasField("label") else None, inference_ns=message.inference_ns,
                     values={k: number(v) for k, v in message.values.items()}, spans_ns=dict(message.spans_ns))
    elif kind == "latency":
        frame["latency"] += [list(row) for row in zip(message.node, message.start_ns, message.duration_ns)]
    elif kind == "system":
        frame["system"].update({n: getattr(message, n) for n in SYSTEM if message.HasField(n)})
    elif kind == "reading":
        frame["readings"][topic.split("/", 2)[2]] = {"value": [number(v) for v in message.value], "unit": message.unit}
    elif kind == "result":
        frame["result"] = result_of(message)
    else:
        frame["tensors"][tensor_key(topic, message.occurrence)] = tensor_of(message, model)


def type_of(topic):
    """The message that a topic must carry; None: a topic that is none of exray's."""
    parts = topic.split("/")[1:]
    if parts[0] in ("model", "frame", "latency", "system", "result"):
        return f"exray.v1.{parts[0].title()}" if len(parts) == 1 else None
    if parts[0] == "reading":
        return "exray.v1.Reading"
    if parts[0] in ("layer", "constant"):
        fits = all(p.isdigit() for p in parts[1:]) and 2 <= len(parts) <= (3 if parts[0] == "layer" else 2)
        return "exray.v1.Tensor" if fits else None
    return "exray.v1.Tensor" if parts[0] in ("sensor", "stage", "input", "output") and len(parts) > 1 else None


def decoded(found):
    """(topic, log_time, protobuf) of the messages of exray's topics, through the log's own schemas."""
    schemas = {r.id: r for r in found if isinstance(r, Schema)}
    channels = {r.id: r for r in found if isinstance(r, Channel)}
    factory = DecoderFactory()
    for record in found:
        if not isinstance(record, Message):
            continue
        channel = channels[record.channel_id]
        schema = schemas.get(channel.schema_id)
        wanted = type_of(channel.topic)
        if wanted and schema and schema.name == wanted and channel.message_encoding == "protobuf":
            yield channel.topic, record.log_time, factory.decoder_for("protobuf", schema)(record.data)


def write(path, description):
    """One line a frame."""
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in description.items() if k != "frames"]
    frames = ",\n  ".join(json.dumps(frame) for frame in description["frames"])
    path.write_text("{" + ",\n ".join(lines) + ',\n "frames": [\n  ' + frames + "]}\n")


def independent(path):
    """What mcap and protobuf make of a log."""
    found, damaged, truncated = records(path.read_bytes())
    messages = list(decoded(found))
    model = next((m for topic, _, m in messages if topic == "/model"), None)
    frames, times, constants = {}, {}, {}
    for topic, log_time, message in messages:
        if topic.startswith("/constant/"):
            constants[topic] = tensor_of(message, model)
        elif topic != "/model":
            index = message.index if topic == "/frame" else message.frame
            times.setdefault(index, []).append(log_time)
            add_message(frames.setdefault(index, new_frame(index)), topic, message, model)
    for index, frame in frames.items():  # one without an end lasts as long as its records
        frame.setdefault("begin_ns", min(times[index]))
        frame.setdefault("end_ns", max(times[index]))
    metadata = {}
    for record in found:
        if isinstance(record, Metadata):
            metadata.setdefault(record.name, {}).update(record.metadata)
    return {"truncated": truncated, "damaged": damaged, "metadata": metadata,
            "attachments": {r.name: r.data.hex() for r in found if isinstance(r, Attachment)},
            "model": model_of(model) if model is not None else None, "constants": constants,
            "frames": [frames[i] for i in sorted(frames)]}
