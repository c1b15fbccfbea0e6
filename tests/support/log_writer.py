"""Writes exray logs with the PyPI `mcap` writer and protobuf's own encoder: an
implementation of the format that is not ours, to test our reader against."""

import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.writer import CompressionType, Writer

ROOT = Path(__file__).resolve().parents[2]
DTYPES = {"float32": 1, "float16": 2, "bfloat16": 3, "float64": 4, "int8": 5, "uint8": 6, "int16": 7, "uint16": 8,
          "int32": 9, "uint32": 10, "int64": 11, "uint64": 12, "bool": 13, "string": 14, "int4": 15, "uint4": 16,
          "float8_e4m3": 17, "float8_e5m2": 18}


def compile_schema(text=None):
    """The FileDescriptorSet of schema/exray.proto (or of a changed text of it)."""
    with tempfile.TemporaryDirectory() as folder:
        proto = Path(folder) / "exray.proto"
        proto.write_text(text or (ROOT / "schema" / "exray.proto").read_text())
        out = Path(folder) / "set"
        subprocess.run(["protoc", f"-I{folder}", f"--descriptor_set_out={out}", str(proto)], check=True)
        return out.read_bytes()


DESCRIPTORS = compile_schema()


def messages(descriptors=DESCRIPTORS):
    """Message classes by their short name."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    names = [m.name for m in files.file[0].message_type]
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"exray.v1.{n}")) for n in names}


PB = messages()


class Log:
    """A log in the making.  Keywords go to mcap.writer.Writer."""

    def __init__(self, path, profile="exray", metadata=None, compression=CompressionType.NONE, **options):
        options.setdefault("use_chunking", True)
        self.writer = Writer(str(path), compression=compression, **options)
        self.writer.start(profile=profile, library="test")
        if metadata is None:
            metadata = {"role": "edge", "task": "classification", "device": "a board"}
        if metadata:
            self.writer.add_metadata("exray", metadata)
        self.schemas, self.channels, self.time = {}, {}, 1000

    def channel(self, topic, kind, metadata=None):
        if kind not in self.schemas:
            self.schemas[kind] = self.writer.register_schema(f"exray.v1.{kind}", "protobuf", DESCRIPTORS)
        if topic not in self.channels:
            self.channels[topic] = self.writer.register_channel(topic, "protobuf", self.schemas[kind], metadata or {})
        return self.channels[topic]

    def add(self, topic, kind, message, time=None):
        data = message if isinstance(message, bytes) else message.SerializeToString()
        if time is None:
            self.time += 10
            time = self.time
        self.writer.add_message(self.channel(topic, kind), time, data, time)

    def tensor(self, topic, array, frame=0, dtype=None, shape=None, scale=None, zero_point=None, axis=0, **fields):
        t = PB["Tensor"](frame=frame, data=array.tobytes(), **fields)
        t.info.dtype = DTYPES[dtype or str(array.dtype)]
        t.info.shape.extend(array.shape if shape is None else shape)
        t.info.name = topic.split("/", 2)[2]
        if scale is not None:
            t.info.quantization.scale.extend(scale)
            t.info.quantization.zero_point.extend([] if zero_point is None else zero_point)
            t.info.quantization.axis = axis
        self.add(topic, "Tensor", t)

    def frame(self, index, begin, source="", label=None, inference_ns=0, values=None, spans=None):
        self.time += 10
        f = PB["Frame"](index=index, source=source, begin_ns=begin, end_ns=self.time, inference_ns=inference_ns,
                        values=values or {}, spans_ns=spans or {})
        if label is not None:
            f.label = label
        self.add("/frame", "Frame", f, self.time)

    def finish(self):
        self.writer.finish()


def small_model():
    """input -> conv -> relu, with weights."""
    model = PB["Model"](name="tiny", sha256=bytes(range(32)), engine="tflite", engine_version="2.17.1",
                        kernels="builtin", threads=2, inputs=[0], outputs=[3])
    for name, dtype, shape in (("image", 1, [1, 4, 4, 3]), ("weights", 1, [2, 3]), ("conv", 1, [1, 4, 4, 2]),
                               ("probabilities", 5, [1, 6])):
        model.tensors.add(name=name, dtype=dtype, shape=shape, constant=name == "weights")
    model.tensors[3].quantization.scale.append(0.5)
    model.tensors[3].quantization.zero_point.append(-3)
    model.nodes.add(op="CONV_2D", name="", inputs=[0, 1, 0xFFFFFFFF], outputs=[2], attributes={"stride": "1"})
    model.nodes.add(op="DELEGATE", name="tail", inputs=[2], outputs=[3])
    model.nodes[1].inner.add(op="RELU", name="relu", inputs=[2], outputs=[3])
    return model
