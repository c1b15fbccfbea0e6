"""Logs whose structure, checksums and all, is right, and whose messages have what no recorder writes: each field at
its extremes.  A fuzzer that starts from sound logs and flips bytes seldom gets there, through a checksum."""

import copy
import math
import struct
import zlib

import numpy as np
from log_writer import PB, Log, small_model

MODEL_KINDS = {"Model"}
PLACE = "zzINVALIDzz"  # a string that becomes invalid UTF-8 of the same length
INVALID = b"\xff\xc0\xaf\xed\xa0\x80\xf4\x90\0\n\xfe"
WICKED = "%s%n'\"<script>alert(1)</script>../../../../tmp/x\r\n\x1b[2J\u202e"
LONG = "A" * 70000


def messages(frames=3):
    """(topic, kind, message, what its time is after: "begin", "in", "end") of a log that has everything."""
    stats = PB["TensorStats"](count=48, zero_count=1, min=0, max=1, mean=0.5, variance=0.1, low_count=1, high_count=1,
                              channel_mean=[0.1, 0.2, 0.3], channel_variance=[1, 2, 3], histogram=[1] * 32)
    out = [("/model", "Model", small_model()),
           ("/constant/1", "Tensor", tensor(np.arange(6, dtype=np.float32).reshape(2, 3))),
           ("/constants", "LayerStats", PB["LayerStats"](node=[1], stats=[stats])),
           ("/event", "Event", PB["Event"](kind="gap", text="lost", frame=1, records_lost=2))]
    for f in range(frames):
        rng = np.random.default_rng(f)
        picture = tensor(rng.integers(0, 255, (48,)).astype(np.uint8), f)
        picture.media.CopyFrom(PB["Media"](format="rgb8", width=4, height=4, row_stride=12, rotation=90))
        sound = tensor(rng.integers(0, 255, (64,)).astype(np.uint8), f)
        sound.media.CopyFrom(PB["Media"](format="pcm_s16le", sample_rate=16000, channels=1))
        quantized = tensor(rng.integers(-100, 100, (1, 6)).astype(np.int8), f)
        quantized.info.dtype = 5
        quantized.info.quantization.CopyFrom(PB["Quantization"](scale=[0.5], zero_point=[-3], axis=0))
        rich = tensor(rng.random((1, 4, 4, 2), dtype=np.float32), f)
        rich.stats.CopyFrom(stats)
        rich.tensor = 2
        sketch = tensor(rng.random((1, 6), dtype=np.float32), f)
        sketch.data = b""
        sketch.sketch.CopyFrom(PB["TensorSketch"](version=1, seed=7, bucket=[0.5] * 64))
        result = PB["Result"](frame=f, text="word")
        result.classes.add(id=1, score=0.9, label="cat")
        result.boxes.add(x_min=0.1, y_min=0.1, x_max=0.5, y_max=0.5, id=1, score=0.5, label="dog", corner=[0.1] * 8)
        result.keypoints.add(x=0.5, y=0.5, z=0, score=1, id=3)
        result.mask.CopyFrom(PB["Result"].Mask(width=2, height=2, ids=b"\0\1\2\3"))
        result.vectors.add(name="embedding", value=[0.1, 0.2])
        out += [("/sensor/camera", "Tensor", picture), ("/sensor/microphone", "Tensor", sound),
                ("/stage/resized", "Tensor", tensor(rng.random((1, 4, 4, 3), dtype=np.float32), f)),
                ("/input/image", "Tensor", tensor(rng.random((1, 4, 4, 3), dtype=np.float32), f)),
                ("/state/h", "Tensor", tensor(rng.random((1, 4), dtype=np.float32), f)),
                ("/layer/0", "Tensor", rich), ("/layer/1", "Tensor", sketch),
                ("/layers", "LayerStats", PB["LayerStats"](frame=f, node=[0, 1], stats=[stats, stats])),
                ("/output/probabilities", "Tensor", quantized),
                ("/latency", "Latency", PB["Latency"](frame=f, node=[0, 1], start_ns=[5, 9], duration_ns=[4, 3])),
                ("/system", "System", PB["System"](frame=f, rss_bytes=1 << 20, peak_rss_bytes=1 << 21, arena_bytes=9,
                                                   cpu_celsius=50, cpu_mhz=1500, dropped_records=1, processors=4)),
                ("/reading/light", "Reading", PB["Reading"](frame=f, value=[1, 2], unit="lx")),
                ("/result", "Result", result),
                ("/frame", "Frame", PB["Frame"](index=f, source="a.png", label=1, inference_ns=9, values={"v": 1},
                                                spans_ns={"resize": 7}))]
    return out


def tensor(array, frame=0):
    t = PB["Tensor"](frame=frame, data=array.tobytes())
    t.info.name, t.info.dtype = "t", {"float32": 1, "int8": 5, "uint8": 6}[str(array.dtype)]
    t.info.shape.extend(array.shape)
    return t


def write(path, items, **options):
    log = Log(path, **options)
    begin = {}
    for _, kind, m in items:
        if kind == "Frame" and not (m.begin_ns or m.end_ns):
            begin[id(m)] = True
    log.time, start = 1000, 1000
    for topic, kind, m in items:
        log.time += 10
        if id(m) in begin:
            m = copy.deepcopy(m)
            m.begin_ns, m.end_ns, start = start, log.time + 10, log.time + 20
        log.add(topic, kind, m.SerializeToString().replace(PLACE.encode(), INVALID))
        if kind == "Frame":
            log.time = start
    log.finish()
    return path


# ---- Fields at their extremes -----------------------------------------------------------------

def extremes(field):
    t = field.type
    if t in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return [math.nan, math.inf, -math.inf, -3.4e38]
    if t == field.TYPE_BOOL:
        return [not field.default_value]
    if t == field.TYPE_ENUM:
        return [255, 2**31 - 1, 14, -1]
    if t == field.TYPE_STRING:
        return [WICKED, PLACE, LONG, ""]
    if t == field.TYPE_BYTES:
        return [b"", b"\xff", b"\x00" * 70001, INVALID]
    if t in (field.TYPE_INT64, field.TYPE_INT32, field.TYPE_SINT64):
        return [2**63 - 1, -2**63, -1, 2**31] if t == field.TYPE_INT64 else [2**31 - 1, -2**31, -1, 0]
    if t == field.TYPE_UINT64:
        return [2**64 - 1, 2**63, 2**32 - 1, 2**40]
    return [2**32 - 1, 2**31, 2**16, 0]


def is_repeated(field):
    return field.is_repeated


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def changes(descriptor, path=(), depth=0):
    """Paths to fields of a message, nested ones included."""
    for field in descriptor.fields:
        here = (*path, field.name)
        yield here
        if field.message_type is not None and not is_map(field) and depth < 3:
            yield from changes(field.message_type, here, depth + 1)


def holders(message, path):
    """The messages that hold the last field of a path."""
    if len(path) == 1:
        return [message]
    inner = getattr(message, path[0])
    inner = list(inner) if is_repeated(message.DESCRIPTOR.fields_by_name[path[0]]) else [inner]
    return [h for i in inner for h in holders(i, path[1:])]


def change(message, path, which):
    """Sets the field to its extreme `which`; False: there is none (any more)."""
    done = False
    for holder in holders(message, path):
        field = holder.DESCRIPTOR.fields_by_name[path[-1]]
        value = getattr(holder, field.name)
        if is_map(field):
            if which > 1:
                continue
            kind = field.message_type.fields_by_name["value"]
            for key in (WICKED, PLACE, *(f"{i}" for i in range(300 if which else 0))):
                value[key] = extremes(kind)[which]
        elif field.message_type is not None:
            if which > 1:
                continue
            if not is_repeated(field):
                holder.ClearField(field.name) if which == 0 else value.SetInParent()
            elif which == 0:
                holder.ClearField(field.name)
            else:
                for _ in range(500):
                    value.add()
        else:
            choice = extremes(field)
            if which >= len(choice) + (2 if is_repeated(field) else 0):
                continue
            if not is_repeated(field):
                setattr(holder, field.name, choice[which])
            elif which == len(choice):
                holder.ClearField(field.name)
            else:
                many = 600 if which > len(choice) else max(len(value), 1)
                one = choice[0 if which > len(choice) else which]
                del value[:]
                value.extend([one] * many)
        done = True
    return done


def logs():
    """(name, messages): a field of every kind of message at a time, of the model alone."""
    base = messages()
    kinds = sorted({kind for _, kind, _ in base})
    paths = {kind: list(changes(PB[kind].DESCRIPTOR)) for kind in kinds}
    for together in (MODEL_KINDS, set(kinds) - MODEL_KINDS):
        for n in range(max(len(paths[k]) for k in together)):
            for which in range(6):
                items, any_change = [], False
                for topic, kind, m in base:
                    m = copy.deepcopy(m)
                    if kind in together and n < len(paths[kind]):
                        any_change |= change(m, paths[kind][n], which)
                    items.append((topic, kind, m))
                if any_change:
                    yield f"{'model' if together == MODEL_KINDS else 'fields'}-{n}-{which}", items


# ---- Topics, nesting --------------------------------------------------------------------------

def nested_groups(depth):
    """An unknown field of groups within groups, open and closed."""
    return b"\xa3\x06" * depth + b"\xa4\x06" * depth


def nested_messages(depth, field=7):
    """Node.inner within Node.inner, or any field of that kind."""
    data = b""
    for _ in range(depth):
        size, length = len(data), b""
        while size >= 128:
            length += bytes([size & 127 | 128])
            size >>= 7
        data = bytes([field << 3 | 2]) + length + bytes([size]) + data
    return data


def wicked_topics():
    items = messages()
    for topic in ("/layer/4294967295", "/layer/4294967294/4294967294", "/layer/", "/layer/-1", "/layer/1/2/3", "/constant/4294967295",
                  "/input/../../../../tmp/x", "/input/", "/input//", "/output/" + "n" * 60000, "/sensor/%s%n", "/sensor/a\nb\x1b[2J",
                  "/state/" + PLACE, "/reading/", "/reading/<script>", "/unknown", "", "/", "layer/0"):
        kind = "Reading" if topic.startswith("/reading") else "Tensor"
        for f in range(2):
            m = PB["Reading"](frame=f, value=[1]) if kind == "Reading" else tensor(np.float32([1, 2]), f)
            items.append((topic, kind, m))
    return items


class Raw:
    """Bytes as a message."""

    def __init__(self, data):
        self.data = data
        self.begin_ns = self.end_ns = 1

    def SerializeToString(self):
        return self.data


def deep():
    """Nested as deep as a message of a megabyte can be."""
    out = []
    for depth in (90, 101, 5000, 250000):
        for name, data in (("groups", nested_groups(depth)), ("nodes", nested_messages(min(depth, 60000), 8)),
                           ("inner", b"\x42" + varint(len(nested_messages(min(depth, 60000)))) + nested_messages(min(depth, 60000)))):
            items = messages()
            model = items[0][2].SerializeToString()
            items[0] = ("/model", "Model", Raw(model + data))
            items += [(f"/{k}", kind, Raw(b"\x08\x01" + data)) for k, kind in
                      (("latency", "Latency"), ("layers", "LayerStats"), ("result", "Result"), ("event", "Event"))]
            out.append((f"deep-{name}-{depth}", items))
    return out


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def cyclic_model():
    """Nodes that read their own outputs, each other's, the model's outputs; one tensor of many nodes."""
    items = messages()
    model = items[0][2]
    for i in range(300):
        model.nodes.add(op="ADD", name=f"n{i}", inputs=[2, 3, i % 4], outputs=[(i + 1) % 4, 2], subgraph=i % 7)
    model.nodes[0].inputs[0] = 2
    model.inputs.extend([3, 3, 0])
    model.outputs.extend([0, 0, 3])
    return items


def huge_shapes():
    items = messages()
    for shape in ([2**62, 2**62], [2**32, 2**32], [-1, -1, -1], [-5, 3], [0], [2**63 - 1], [1] * 5000, [3, 0, 2**62], []):
        for topic in ("/input/image", "/layer/0", "/output/probabilities", "/stage/resized"):
            m = tensor(np.float32([1, 2, 3]), 1)
            del m.info.shape[:]
            m.info.shape.extend(shape)
            items.append((topic, "Tensor", m))
    return items


def media():
    """Pictures and sounds whose sizes contradict their data."""
    items = messages()
    formats = ("rgb8 bgr8 rgba8 bgra8 gray8 nv12 nv21 i420 yv12 yuyv uyvy argb8 rgb565 gray16 p010 bayer_rggb8 "
               "bayer_rggb10 bayer_rggb12p jpeg png pcm_s16le pcm_f32le utf8 npy raw x").split()
    sizes = ((4, 4, 0), (2**31, 2, 0), (65535, 65535, 0), (3, 3, 1), (0, 5, 0), (5, 5, 2**32 - 1), (1, 2**32 - 1, 0))
    for f, size in enumerate(sizes):
        for form in formats:
            m = tensor(np.frombuffer(b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(50), np.uint8), f)
            m.media.CopyFrom(PB["Media"](format=form, width=size[0], height=size[1], row_stride=size[2],
                                         rotation=90 * f, sample_rate=size[1], channels=size[0], matrix="bt601"))
            items.append((f"/sensor/{form}", "Tensor", m))
        items.append(("/frame", "Frame", PB["Frame"](index=f, source="x")))
    return items


def special():
    yield "topics", wicked_topics()
    yield "cyclic", cyclic_model()
    yield "shapes", huge_shapes()
    yield "media", media()
    yield from deep()


# ---- Structures ------------------------------------------------------------------------------

def text(value):
    return struct.pack("<I", len(value)) + value


def record(opcode, content, length=None):
    return struct.pack("<BQ", opcode, len(content) if length is None else length) + content


def header():
    return b"\x89MCAP0\r\n" + record(1, text(b"exray") + text(b"test"))


END = record(15, struct.pack("<I", 0)) + record(2, struct.pack("<QQI", 0, 0, 0)) + b"\x89MCAP0\r\n"


def channel(number, topic):
    return record(4, struct.pack("<HH", number, 0) + text(topic) + text(b"protobuf") + struct.pack("<I", 0))


def message(number, data, time=1):
    return record(5, struct.pack("<HIQQ", number, 0, time, time) + data)


def chunk(records, compression=b"", size=None, stored=None, packed=None):
    packed = records if packed is None else packed
    return record(6, struct.pack("<QQQI", 0, 0, len(records) if size is None else size, zlib.crc32(records)) + text(compression)
                  + struct.pack("<Q", len(packed) if stored is None else stored) + packed)


HUGE = (2**64 - 1, 2**64 - 9, 2**63, 2**63 - 1, 2**40, 2**32 - 1)


def structures():
    """(name, the bytes of a file)"""
    frame = PB["Frame"](index=1, source="a", begin_ns=1, end_ns=9).SerializeToString()
    sound = channel(1, b"/frame") + message(1, frame)
    for n, length in enumerate(HUGE):
        for opcode in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 0x80, 0xF1):
            yield f"length-{n}-{opcode}", header() + sound + record(opcode, b"\x01" * 40, length) + END
        yield f"in-chunk-{n}", header() + chunk(sound + record(5, b"\x01" * 40, length)) + END
        small = length & 0xFFFFFFFF
        yield f"text-{n}", header() + record(4, struct.pack("<HHI", 2, 0, small) + b"/x") + sound + END
        yield f"map-{n}", header() + record(12, text(b"exray") + struct.pack("<I", small) + text(b"role")) + sound + END
        yield f"attachment-{n}", header() + record(9, struct.pack("<QQ", 0, 0) + text(b"a") + text(b"b") + struct.pack("<Q", length) + b"xyz\0\0\0\0") + END
        yield f"chunk-size-{n}", header() + chunk(sound, size=length) + chunk(sound, stored=length) + sound + END
        for name in (b"zstd", b"lz4"):
            yield f"bomb-{name.decode()}-{n}", header() + chunk(sound, name, size=min(length, 2**30), packed=b"\x28\xb5\x2f\xfd" + bytes(200)) + sound + END
    nested = sound
    for _ in range(2000):
        nested = chunk(nested)
    yield "nested-chunks", header() + nested + END
    yield "empty-records", header() + record(0x80, b"") * 100000 + sound + END
    yield "empty-chunks", header() + chunk(b"") * 20000 + sound + END
    yield "many-channels", header() + b"".join(channel(i, b"/input/%d" % i) + message(i, b"\x08\x01") for i in range(3000)) + END
    yield "many-metadata", header() + record(12, text(b"exray") + text(text(b"k") + text(b"v"))) * 50000 + sound + END
    yield "many-attachments", header() + record(9, struct.pack("<QQ", 0, 0) + text(b"a") + text(b"b") + struct.pack("<QI", 0, 0)) * 20000 + END
    many = 5000
    yield "one-frame", header() + channel(1, b"/input/x") + channel(2, b"/layer/0") + channel(3, b"/frame") + (message(1, b"\x08\x01") + message(2, b"\x08\x01")) * many + END
    yield "backwards", header() + channel(1, b"/frame") + b"".join(message(1, b"\x08" + varint(many - i)) for i in range(many)) + END
    yield "no-frames", header() + channel(1, b"/reading/x") + b"".join(message(1, b"\x08" + varint(i * 2**40)) for i in range(many)) + END
    yield "events", header() + channel(1, b"/event") + message(1, b"\x0a\x03gap\x12\x01x\x18\x05") * many + sound + END
    yield "patterns", header() + channel(1, b"/layers") + b"".join(
        message(1, b"\x08" + varint(i) + b"\x12\x02" + bytes([i % 100, i // 100 % 100 + 100]) + b"\x1a\x00\x1a\x00") for i in range(many)) + END
    values = b"".join(b"\x3a\x04\x0a\x02" + struct.pack("<H", i) for i in range(many))
    yield "values", header() + channel(1, b"/frame") + message(1, b"\x08\x01" + values) + END
