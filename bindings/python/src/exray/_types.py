"""What logs hold, as plain data classes, and their way to and from C."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from exray._errors import ArgumentError, MissingPackage, UnsupportedError, encode, need, text
from exray._exray import ffi, lib

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_INDEX = 0xFFFFFFFF

#: Name of a type in the log to its number.
DTYPE_NUMBERS: Dict[str, int] = {}
DTYPE_NAMES: List[str] = []
for _number in range(64):
    _name = text(lib.exray_dtype_name(_number))
    if _number and _name == "unspecified":
        break
    DTYPE_NUMBERS[_name] = _number
    DTYPE_NAMES.append(_name)

KINDS = ["sensor", "stage", "input", "layer", "output", "constant", "state"]

# NumPy has these types only with the package ml_dtypes.
_ML_DTYPES = {"bfloat16": "bfloat16", "float8_e4m3": "float8_e4m3fn", "float8_e5m2": "float8_e5m2"}
_FROM_NUMPY = {"float8_e4m3fn": "float8_e4m3"}


def numpy_dtype(name: str) -> "np.dtype[Any]":
    """NumPy's type for a type of the log; UnsupportedError where it has none."""
    if name in _ML_DTYPES:
        try:
            extra = need("ml_dtypes", "an array of it")
        except MissingPackage:
            raise UnsupportedError(
                f"NumPy has no {name}: install the package ml_dtypes, or take values(), which is float32"
            ) from None
        found: "np.dtype[Any]" = np.dtype(getattr(extra, _ML_DTYPES[name]))
        return found
    if name in ("string", "unspecified", "int4", "uint4"):
        raise UnsupportedError(f"NumPy has no type {name}; raw() gives the bytes as they lie in the log")
    dtype = np.dtype(name)
    return dtype.newbyteorder("<") if dtype.itemsize > 1 else dtype


@lru_cache(maxsize=256)  # a dtype's name takes NumPy as long as the statistics of a small layer
def has_log_dtype(dtype: "np.dtype[Any]") -> bool:
    """Whether a log has tensors of a NumPy type."""
    if dtype.name == "float8_e4m3":
        return False  # IEEE's has infinities where the log's, NumPy's float8_e4m3fn, has numbers
    name = _FROM_NUMPY.get(dtype.name, dtype.name)
    return name in DTYPE_NUMBERS and name not in ("string", "unspecified")


@lru_cache(maxsize=256)
def log_dtype(dtype: "np.dtype[Any]") -> int:
    """The log's number of a NumPy type; UnsupportedError where it has none."""
    if not has_log_dtype(dtype):
        raise UnsupportedError(f"a log has no tensors of NumPy's type {dtype}; convert the array first")
    return DTYPE_NUMBERS[_FROM_NUMPY.get(dtype.name, dtype.name)]


@lru_cache(maxsize=256)
def is_half_byte(dtype: "np.dtype[Any]") -> bool:
    """Whether two elements share a byte in a log, where NumPy (ml_dtypes) gives each its own."""
    return dtype.name in ("int4", "uint4")


@dataclass(frozen=True)
class Quantization:
    """real = scale * (stored - zero_point); one pair for the tensor, or one for each slice along `axis`, where one
    zero point may stand for all."""

    scale: Tuple[float, ...]
    zero_point: Tuple[int, ...] = ()
    axis: int = 0


@dataclass(frozen=True)
class TensorInfo:
    """What a tensor is.  `shape` has -1 where a dimension is known only at run time."""

    name: str = ""
    dtype: str = "unspecified"
    shape: Tuple[int, ...] = ()
    layout: str = ""
    quantization: Optional[Quantization] = None
    constant: bool = False


@dataclass(frozen=True)
class Node:
    """An operation of a model; inputs and outputs are positions in Model.tensors, None: absent."""

    op: str
    name: str = ""
    inputs: Tuple[Optional[int], ...] = ()
    outputs: Tuple[Optional[int], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    subgraph: int = 0
    inner: Tuple["Node", ...] = ()


@dataclass(frozen=True)
class Model:
    """A model as it was executed: nodes in the order of execution.  `sha256`: 32 bytes, or none."""

    name: str = ""
    engine: str = ""
    engine_version: str = ""
    kernels: str = ""
    threads: int = 0
    tensors: Tuple[TensorInfo, ...] = ()
    nodes: Tuple[Node, ...] = ()
    inputs: Tuple[int, ...] = ()
    outputs: Tuple[int, ...] = ()
    sha256: bytes = b""

    def node_name(self, index: int) -> str:
        """The node's name, else that of its first output, else ""."""
        node = self.nodes[index]
        first = node.outputs[0] if node.outputs else None
        if node.name or first is None or first >= len(self.tensors):  # beyond them: of a damaged log
            return node.name
        return self.tensors[first].name


@dataclass(frozen=True)
class Media:
    """How the bytes of a sensor record are to be understood; spec/log-format.md says what may stand where."""

    format: str
    width: int = 0
    height: int = 0
    row_stride: int = 0
    matrix: str = ""
    full_range: bool = False
    rotation: int = 0
    sample_rate: int = 0
    channels: int = 0


@dataclass(frozen=True)
class Stats:
    """Statistics of a tensor's dequantized values; extrema and moments over the finite ones."""

    count: int
    nan_count: int
    inf_count: int
    zero_count: int
    min: float
    max: float
    mean: float
    variance: float
    low_count: int
    high_count: int
    channel_mean: Tuple[float, ...] = ()  # of inputs, outputs and sensors with few long channels
    channel_variance: Tuple[float, ...] = ()
    histogram: Tuple[int, ...] = ()  # 32 equal bins over [min, max]


@dataclass(frozen=True)
class Sketch:
    """A linear sketch of a tensor (spec/sketch.md)."""

    version: int
    seed: int
    bucket: "NDArray[np.float32]"


@dataclass(frozen=True)
class ClassScore:
    """One class of a result."""

    id: int
    score: float
    label: str = ""


@dataclass(frozen=True)
class Box:
    """One box of a result; the edges are 0..1 of the picture's width and height.  corners: x and y of its four corners
    one after another, where it is turned.  crowd: of a truth, a region of many (COCO's iscrowd)."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    id: int = 0
    score: float = 0.0
    label: str = ""
    corners: Optional[Tuple[float, ...]] = None
    crowd: bool = False


@dataclass(frozen=True)
class Keypoint:
    """A point of a result; x and y are 0..1 of the picture's width and height."""

    x: float
    y: float
    z: float = 0.0
    score: float = 1.0
    id: int = 0


@dataclass(frozen=True)
class Vector:
    """Numbers of a result with a name: an embedding, a regression."""

    name: str
    values: Tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Result:
    """What the application told its user, or the truth of a frame."""

    classes: Tuple[ClassScore, ...] = ()
    boxes: Tuple[Box, ...] = ()
    text: str = ""
    keypoints: Tuple[Keypoint, ...] = ()
    vectors: Tuple[Vector, ...] = ()
    mask: "Optional[NDArray[Any]]" = None  # a class for each pixel, uint8 or uint16, [height, width]; 255, 65535: ignored

    def _parts(self) -> Tuple[Any, ...]:
        mask = None if self.mask is None else (self.mask.shape, self.mask.dtype.str, self.mask.tobytes())
        return self.classes, self.boxes, self.text, self.keypoints, self.vectors, mask

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())


@dataclass(frozen=True)
class Event:
    """What happened to the recording or to the application."""

    kind: str  # "user", "reset", "trigger", "error", "gap", "level", "rotate"
    text: str = ""
    frame: Optional[int] = None  # its index; it need not be in the log
    records_lost: Optional[int] = None
    time_ns: int = 0  # of the recorder's monotonic clock


# ---- From C --------------------------------------------------------------------------


def info_from_c(info: Any) -> TensorInfo:
    quantization = None
    q = info.quantization
    if q.count:
        zero = () if q.zero_point == ffi.NULL else tuple(ffi.unpack(q.zero_point, q.count))
        quantization = Quantization(tuple(ffi.unpack(q.scale, q.count)), zero, q.axis)
    shape = tuple(ffi.unpack(info.shape, info.rank)) if info.rank else ()
    dtype = DTYPE_NAMES[info.dtype] if info.dtype < len(DTYPE_NAMES) else "unspecified"
    return TensorInfo(text(info.name), dtype, shape, text(info.layout), quantization, info.constant)


def result_from_c(r: Any) -> Result:
    classes = tuple(ClassScore(c.id, c.score, text(c.label)) for c in (r.classes[i] for i in range(r.class_count)))
    boxes = tuple(Box(b.x_min, b.y_min, b.x_max, b.y_max, b.id, b.score, text(b.label),
                      None if b.corners == ffi.NULL else tuple(ffi.unpack(b.corners, 8)), bool(b.crowd))
                  for b in (r.boxes[i] for i in range(r.box_count)))
    keypoints = tuple(Keypoint(p.x, p.y, p.z, p.score, p.id) for p in (r.keypoints[i] for i in range(r.keypoint_count)))
    vectors = tuple(Vector(text(v.name), tuple(ffi.unpack(v.values, v.count)) if v.count else ())
                    for v in (r.vectors[i] for i in range(r.vector_count)))
    mask = None
    if r.mask != ffi.NULL:
        ids = bytes(ffi.buffer(r.mask.ids, r.mask.size)) if r.mask.size else b""
        mask = np.frombuffer(ids, "<u2" if r.mask.wide else np.uint8).reshape(r.mask.height, r.mask.width)
    return Result(classes, boxes, text(r.text), keypoints, vectors, mask)


def media_from_c(media: Any) -> Media:
    return Media(text(media.format), media.width, media.height, media.row_stride, text(media.matrix),
                 media.full_range, media.rotation, media.sample_rate, media.channels)


def stats_from_c(s: Any, channels: Any) -> Stats:
    count, bins = channels.channel_count, channels.bin_count
    moments = [tuple(ffi.unpack(a, n)) if n else () for a, n in ((channels.mean, count), (channels.variance, count),
                                                                (channels.histogram, bins))]
    return Stats(s.count, s.nan_count, s.inf_count, s.zero_count, s.min, s.max, s.mean, s.variance, s.low_count,
                 s.high_count, *moments)


def _positions(values: Any, count: int) -> Tuple[int, ...]:
    return tuple(ffi.unpack(values, count)) if count else ()


def _optional(values: Any, count: int) -> Tuple[Optional[int], ...]:
    return tuple(None if i == NO_INDEX else i for i in _positions(values, count))


def _node_from_c(node: Any) -> Node:
    attributes = {text(node.attributes[i].key): text(node.attributes[i].value)
                  for i in range(node.attribute_count)}
    inner = tuple(_node_from_c(node.inner[i]) for i in range(node.inner_count))
    return Node(text(node.op), text(node.name), _optional(node.inputs, node.input_count),
                _optional(node.outputs, node.output_count), attributes, node.subgraph, inner)


def model_from_c(model: Any) -> Model:
    sha256 = b"" if model.sha256 == ffi.NULL else bytes(ffi.buffer(model.sha256, 32))
    return Model(text(model.name), text(model.engine), text(model.engine_version), text(model.kernels),
                 model.threads, tuple(info_from_c(model.tensors[i]) for i in range(model.tensor_count)),
                 tuple(_node_from_c(model.nodes[i]) for i in range(model.node_count)),
                 _positions(model.inputs, model.input_count), _positions(model.outputs, model.output_count), sha256)


# ---- To C -----------------------------------------------------------------------------


class Keeper:
    """Makes C values and keeps what they point to alive, as long as it lives itself."""

    def __init__(self) -> None:
        self._kept: List[Any] = []

    def new(self, kind: str, *value: Any) -> Any:
        made = ffi.new(kind, *value)
        self._kept.append(made)
        return made

    def text(self, value: str, what: str = "a text") -> Any:
        return self.new("char[]", encode(value, what)) if value != "" else ffi.NULL

    def array(self, kind: str, values: Sequence[Any]) -> Any:
        return self.new(f"{kind}[]", list(values)) if values else ffi.NULL

    def buffer(self, data: Any) -> Any:
        made = ffi.from_buffer(data)
        self._kept.append(made)
        return made

    def pairs(self, pairs: Mapping[str, str]) -> Any:
        if not isinstance(pairs, MappingABC):
            raise ArgumentError(f"metadata and attributes are a mapping of texts, not {type(pairs).__name__}")
        made = self.new("exray_key_value[]", max(len(pairs), 1))
        for i, (key, value) in enumerate(pairs.items()):
            made[i].key = self.new("char[]", encode(str(key)))
            made[i].value = self.new("char[]", encode(str(value)))
        return made

    def fill_info(self, out: Any, info: TensorInfo) -> None:
        if info.dtype not in DTYPE_NUMBERS:
            raise ArgumentError(f"there is no tensor type {info.dtype!r}")
        out.name = self.text(info.name)
        out.layout = self.text(info.layout)
        out.dtype = DTYPE_NUMBERS[info.dtype]
        out.rank = len(info.shape)
        out.shape = self.array("int64_t", info.shape)
        out.constant = info.constant
        q = info.quantization
        if q is not None and q.scale:
            zeros = q.zero_point * len(q.scale) if len(q.zero_point) == 1 else q.zero_point  # one for all
            if zeros and len(zeros) != len(q.scale):
                raise ArgumentError(f"{info.name}: {len(q.scale)} scales and {len(zeros)} zero points")
            out.quantization.count = len(q.scale)
            out.quantization.axis = q.axis
            out.quantization.scale = self.array("float", q.scale)
            out.quantization.zero_point = self.array("int64_t", zeros)

    def media(self, media: "Optional[Media]") -> Any:
        """An exray_media of it; NULL for None."""
        if media is None:
            return ffi.NULL
        made = self.new("exray_media *")
        self.fill_media(made, media)
        return made

    def fill_media(self, out: Any, media: Media) -> None:
        out.format = self.text(media.format)
        out.matrix = self.text(media.matrix)
        for name in ("width", "height", "row_stride", "full_range", "rotation", "sample_rate", "channels"):
            setattr(out, name, getattr(media, name))

    def _fill_node(self, out: Any, node: Node) -> None:
        out.op = self.text(node.op)
        out.name = self.text(node.name)
        out.subgraph = node.subgraph
        out.inputs = self.array("uint32_t", [NO_INDEX if i is None else i for i in node.inputs])
        out.input_count = len(node.inputs)
        out.outputs = self.array("uint32_t", [NO_INDEX if i is None else i for i in node.outputs])
        out.output_count = len(node.outputs)
        out.attributes = self.pairs(node.attributes)
        out.attribute_count = len(node.attributes)
        inner = self.new("exray_node[]", max(len(node.inner), 1))
        for i, one in enumerate(node.inner):
            self._fill_node(inner[i], one)
        out.inner = inner
        out.inner_count = len(node.inner)

    def model(self, model: Model) -> Any:
        out = self.new("exray_model *")
        out.name = self.text(model.name)
        if model.sha256:
            if len(model.sha256) != 32:
                raise ArgumentError(f"a sha256 has 32 bytes, not {len(model.sha256)}")
            out.sha256 = self.new("uint8_t[]", model.sha256)
        out.engine = self.text(model.engine)
        out.engine_version = self.text(model.engine_version)
        out.kernels = self.text(model.kernels)
        out.threads = model.threads
        tensors = self.new("exray_tensor_info[]", max(len(model.tensors), 1))
        for i, info in enumerate(model.tensors):
            self.fill_info(tensors[i], info)
        nodes = self.new("exray_node[]", max(len(model.nodes), 1))
        for i, node in enumerate(model.nodes):
            for position in (*node.inputs, *node.outputs):
                if position is not None and not 0 <= position < len(model.tensors):
                    raise ArgumentError(f"node {i} ({node.op}) names tensor {position} of {len(model.tensors)}")
            self._fill_node(nodes[i], node)
        out.tensors, out.tensor_count = tensors, len(model.tensors)
        out.nodes, out.node_count = nodes, len(model.nodes)
        out.inputs, out.input_count = self.array("uint32_t", model.inputs), len(model.inputs)
        out.outputs, out.output_count = self.array("uint32_t", model.outputs), len(model.outputs)
        return out
