"""Writes a TensorFlow Lite model file with nothing but the FlatBuffers runtime.

Only the tables that a small convolutional network needs are described here.
A field is (slot, kind): its position in the schema's table, and how it is
stored.  Tables may grow new fields at the end, so positions never change.

    model = ModelBuilder()
    image = model.tensor("image", (1, 224, 224, 3))
    ...
    model.op(SOFTMAX, [logits], [probabilities], beta=1.0)
    data = model.finish([image], [probabilities])
"""

from __future__ import annotations

from dataclasses import dataclass, field

import flatbuffers
import numpy as np

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16  # the schema's force_align of a buffer's data: kernels read it in place

PADDING_SAME = 0
ACTIVATION_NONE = 0
ACTIVATION_RELU6 = 3

TENSOR_TYPES = {np.dtype(np.float32): 0, np.dtype(np.int32): 2}

# ---- The schema's tables, as far as they are used --------------------------

MODEL = {
    "version": (0, "uint32"),
    "operator_codes": (1, "offset"),
    "subgraphs": (2, "offset"),
    "description": (3, "offset"),
    "buffers": (4, "offset"),
    "signature_defs": (7, "offset"),
}
OPERATOR_CODE = {
    "deprecated_builtin_code": (0, "int8"),
    "version": (2, "int32"),
    "builtin_code": (3, "int32"),
}
SUBGRAPH = {
    "tensors": (0, "offset"),
    "inputs": (1, "offset"),
    "outputs": (2, "offset"),
    "operators": (3, "offset"),
    "name": (4, "offset"),
}
TENSOR = {
    "shape": (0, "offset"),
    "type": (1, "int8"),
    "buffer": (2, "uint32"),
    "name": (3, "offset"),
    "has_rank": (8, "bool"),
}
OPERATOR = {
    "opcode_index": (0, "uint32"),
    "inputs": (1, "offset"),
    "outputs": (2, "offset"),
    "builtin_options_type": (3, "uint8"),
    "builtin_options": (4, "offset"),
}
BUFFER = {"data": (0, "offset")}
SIGNATURE_DEF = {
    "inputs": (0, "offset"),
    "outputs": (1, "offset"),
    "signature_key": (2, "offset"),
    "subgraph_index": (4, "uint32"),
}
TENSOR_MAP = {"name": (0, "offset"), "tensor_index": (1, "uint32")}


@dataclass(frozen=True)
class OpKind:
    """A builtin operator: its code, and the table of its options in the union BuiltinOptions."""

    code: int
    options_type: int
    options: dict


CONV_2D = OpKind(
    3,
    1,
    {
        "padding": (0, "int8"),
        "stride_w": (1, "int32"),
        "stride_h": (2, "int32"),
        "activation": (3, "int8"),
    },
)
DEPTHWISE_CONV_2D = OpKind(
    4,
    2,
    {
        "padding": (0, "int8"),
        "stride_w": (1, "int32"),
        "stride_h": (2, "int32"),
        "depth_multiplier": (3, "int32"),
        "activation": (4, "int8"),
    },
)
ADD = OpKind(0, 11, {"activation": (0, "int8")})
MEAN = OpKind(40, 27, {"keep_dims": (0, "bool")})
FULLY_CONNECTED = OpKind(9, 8, {"activation": (0, "int8")})
SOFTMAX = OpKind(25, 9, {"beta": (0, "float32")})


# ---- The model --------------------------------------------------------------


@dataclass
class _Tensor:
    name: str
    shape: tuple
    dtype: np.dtype
    data: bytes | None  # None: computed at run time


@dataclass
class _Operator:
    kind: OpKind
    inputs: list
    outputs: list
    options: dict = field(default_factory=dict)


class ModelBuilder:
    """Collects tensors and operators (in execution order) of one subgraph."""

    def __init__(self):
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []

    def tensor(self, name, shape, dtype=np.float32) -> int:
        """A tensor that is computed at run time, or fed.  Returns its index."""
        self._tensors.append(_Tensor(name, tuple(shape), np.dtype(dtype), None))
        return len(self._tensors) - 1

    def constant(self, name, values: np.ndarray) -> int:
        """A tensor stored in the file.  Returns its index."""
        data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        self._tensors.append(_Tensor(name, values.shape, values.dtype, data))
        return len(self._tensors) - 1

    def shape(self, tensor: int) -> tuple:
        return self._tensors[tensor].shape

    def op(self, kind: OpKind, inputs, outputs, **options) -> None:
        """Appends an operator; `options` are those of its table."""
        unknown = options.keys() - kind.options.keys()
        if unknown:
            raise ValueError(f"operator {kind.code} has no option {', '.join(sorted(unknown))}")
        self._operators.append(_Operator(kind, list(inputs), list(outputs), options))

    def finish(self, inputs, outputs, description="", signature="serving_default") -> bytes:
        """The file's bytes.  The same calls give the same bytes.  The signature
        names inputs and outputs as their tensors are named."""
        size = sum(len(t.data or b"") + 256 for t in self._tensors)
        b = flatbuffers.Builder(size + 65536)
        codes = sorted({op.kind.code for op in self._operators})
        signature_def = _table(
            b,
            SIGNATURE_DEF,
            inputs=_offsets(b, [self._tensor_map(b, i) for i in inputs]),
            outputs=_offsets(b, [self._tensor_map(b, i) for i in outputs]),
            signature_key=b.CreateString(signature),
            subgraph_index=0,
        )
        model = _table(
            b,
            MODEL,
            version=SCHEMA_VERSION,
            operator_codes=_offsets(b, [_operator_code(b, code) for code in codes]),
            subgraphs=_offsets(b, [self._subgraph(b, codes, inputs, outputs)]),
            description=b.CreateString(description),
            buffers=_offsets(b, self._buffers(b)),
            signature_defs=_offsets(b, [signature_def]),
        )
        b.Finish(model, file_identifier=FILE_IDENTIFIER)
        return bytes(b.Output())

    def _tensor_map(self, b, tensor):
        return _table(
            b, TENSOR_MAP, name=b.CreateString(self._tensors[tensor].name), tensor_index=tensor
        )

    def _buffers(self, b):
        # Buffer 0 is empty by convention: "no data".
        data = [b""] + [t.data for t in self._tensors if t.data is not None]
        return [_table(b, BUFFER, data=_aligned_bytes(b, d) if d else None) for d in data]

    def _subgraph(self, b, codes, inputs, outputs):
        tensors, buffer = [], 0
        for t in self._tensors:
            buffer += t.data is not None
            tensors.append(
                _table(
                    b,
                    TENSOR,
                    shape=_int32s(b, t.shape),
                    type=TENSOR_TYPES[t.dtype],
                    buffer=buffer if t.data is not None else 0,
                    name=b.CreateString(t.name),
                    has_rank=True,
                )
            )
        operators = [
            _table(
                b,
                OPERATOR,
                opcode_index=codes.index(op.kind.code),
                inputs=_int32s(b, op.inputs),
                outputs=_int32s(b, op.outputs),
                builtin_options_type=op.kind.options_type,
                builtin_options=_table(b, op.kind.options, **op.options),
            )
            for op in self._operators
        ]
        return _table(
            b,
            SUBGRAPH,
            tensors=_offsets(b, tensors),
            inputs=_int32s(b, inputs),
            outputs=_int32s(b, outputs),
            operators=_offsets(b, operators),
            name=b.CreateString("main"),
        )


# ---- FlatBuffers: everything a table points to is written before it ----------


def _operator_code(b, code):
    # The first field is what readers of before 2020 look at; it holds codes to 127.
    return _table(b, OPERATOR_CODE, deprecated_builtin_code=min(code, 127), version=1, builtin_code=code)


def _table(b, fields, **values):
    """Writes a table; a value of None is left out."""
    b.StartObject(1 + max(slot for slot, _ in fields.values()))
    prepend = {
        "bool": b.PrependBoolSlot,
        "int8": b.PrependInt8Slot,
        "uint8": b.PrependUint8Slot,
        "int32": b.PrependInt32Slot,
        "uint32": b.PrependUint32Slot,
        "float32": b.PrependFloat32Slot,
    }
    for name, value in values.items():
        slot, kind = fields[name]
        if value is None:
            continue
        if kind == "offset":
            b.PrependUOffsetTRelativeSlot(slot, value, 0)
        else:
            prepend[kind](slot, value, None)  # None: written even where it is the schema's default
    return b.EndObject()


def _offsets(b, offsets):
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _int32s(b, values):
    b.StartVector(4, len(values), 4)
    for value in reversed(values):
        b.PrependInt32(int(value))
    return b.EndVector()


def _aligned_bytes(b, data):
    b.Prep(BUFFER_ALIGNMENT, len(data))
    return b.CreateByteVector(data)
