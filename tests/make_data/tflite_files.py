"""TensorFlow Lite files as the schema's objects, and back."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def read(data):
    return schema.ModelT.InitFromPackedBuf(data)


def write(model):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
