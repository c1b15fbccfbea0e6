"""The tap on graphs that photographs' models do not have: several subgraphs,
loops, branches, shapes known only at run time, strings, int4, state.  The models
are built here; what they compute is plain arithmetic, written out with numpy."""

import struct

import numpy as np
import pytest
from tap_support import INT4, STRING, Log, run_both, same, schema, tap_run

flatbuffers = pytest.importorskip("flatbuffers")

OP = schema.BuiltinOperator
TYPE = schema.TensorType
TYPES = {np.dtype(np.float32): TYPE.FLOAT32, np.dtype(np.int32): TYPE.INT32, np.dtype(np.int64): TYPE.INT64,
         np.dtype(np.bool_): TYPE.BOOL, np.dtype(np.int8): TYPE.INT8, np.dtype(np.complex64): TYPE.COMPLEX64}


class Graph:
    """One subgraph under construction; tensors and nodes are added in order."""

    def __init__(self, model, name):
        self.model, self.table = model, schema.SubGraphT()
        self.table.name, self.table.tensors, self.table.operators = name, [], []
        model.tree.subgraphs.append(self.table)

    def tensor(self, name, shape, dtype, buffer=0, signature=None):
        t = schema.TensorT()
        t.name, t.shape, t.buffer = name, list(shape), buffer
        t.type = dtype if isinstance(dtype, int) else TYPES[np.dtype(dtype)]
        t.hasRank = True
        if signature is not None:
            t.shapeSignature = signature
        self.table.tensors.append(t)
        return len(self.table.tensors) - 1

    def constant(self, name, value, dtype=None, shape=None):
        data = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
        shape = value.shape if shape is None else shape
        return self.tensor(name, shape, value.dtype if dtype is None else dtype, self.model.buffer(data))

    def node(self, op, inputs, outputs, options_type=None, options=None, version=1):
        n = schema.OperatorT()
        n.opcodeIndex, n.inputs, n.outputs = self.model.opcode(op, version), list(inputs), list(outputs)
        if options_type is not None:
            n.builtinOptionsType, n.builtinOptions = options_type, options
        self.table.operators.append(n)

    def io(self, inputs, outputs):
        self.table.inputs, self.table.outputs = list(inputs), list(outputs)


class Model:
    def __init__(self):
        self.tree = schema.ModelT()
        self.tree.version, self.tree.subgraphs, self.tree.operatorCodes = 3, [], []
        self.tree.buffers = [schema.BufferT()]
        self.tree.buffers[0].data = []

    def buffer(self, data):
        b = schema.BufferT()
        b.data = list(data)
        self.tree.buffers.append(b)
        return len(self.tree.buffers) - 1

    def opcode(self, op, version):
        c = schema.OperatorCodeT()
        c.builtinCode, c.deprecatedBuiltinCode, c.version = op, min(op, 127), version
        self.tree.operatorCodes.append(c)
        return len(self.tree.operatorCodes) - 1

    def write(self, path):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.tree.Pack(builder), file_identifier=b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def loop(path):
    """while (i < 5) { i += 1; x *= 2; }  then -x"""
    model = Model()
    main = Graph(model, "main")
    i, x = main.tensor("i", [1], np.int32), main.tensor("x", [4], np.float32)
    i_out, x_out = main.tensor("i_out", [1], np.int32), main.tensor("x_out", [4], np.float32)
    negative = main.tensor("negative", [4], np.float32)
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    main.node(OP.WHILE, [i, x], [i_out, x_out], schema.BuiltinOptions.WhileOptions, options)
    main.node(OP.NEG, [x_out], [negative], schema.BuiltinOptions.NegOptions, schema.NegOptionsT())
    main.io([i, x], [i_out, negative])

    cond = Graph(model, "cond")
    i, x = cond.tensor("i", [1], np.int32), cond.tensor("x", [4], np.float32)
    five = cond.constant("five", np.int32([5]))
    goes_on = cond.tensor("goes_on", [1], np.bool_)
    cond.node(OP.LESS, [i, five], [goes_on], schema.BuiltinOptions.LessOptions, schema.LessOptionsT())
    cond.io([i, x], [goes_on])

    body = Graph(model, "body")
    i, x = body.tensor("i", [1], np.int32), body.tensor("x", [4], np.float32)
    one, two = body.constant("one", np.int32([1])), body.constant("two", np.float32([2]))
    i_next, x_next = body.tensor("i_next", [1], np.int32), body.tensor("x_next", [4], np.float32)
    body.node(OP.ADD, [i, one], [i_next], schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    body.node(OP.MUL, [x, two], [x_next], schema.BuiltinOptions.MulOptions, schema.MulOptionsT())
    body.io([i, x], [i_next, x_next])
    return model.write(path)


@pytest.mark.parametrize("arguments", [[], ["--no-model-file"], ["--kernels", "xnnpack"]],
                         ids=["with file", "without file", "xnnpack"])
def test_loop(tmp_path, arguments):
    x = np.float32([[1, -2, 0.5, 3], [1, 1, 1, 1]])
    start = np.int32([[0], [3]])
    log = run_both(loop(tmp_path / "loop.tflite"), [start, x], tmp_path, *arguments, runs=2)
    assert ("exray.delegation" in log.metadata) == ("xnnpack" in arguments)
    # A partition of one node is that node.
    assert [(n.inner[0].op if n.inner else n.op, n.subgraph) for n in log.model.nodes] == [("WHILE", 0), ("NEG", 0), ("LESS", 1), ("ADD", 2), ("MUL", 2)]
    # Positions in /model are unique, so tensors of different subgraphs are told apart.
    names = [t.name for t in log.model.tensors]
    assert names == ["i", "x", "i_out", "x_out", "negative", "i", "x", "five", "goes_on", "i", "x", "one", "two", "i_next", "x_next"]
    assert [names[t] for n in log.model.nodes for t in n.outputs] == ["i_out", "x_out", "negative", "goes_on", "i_next", "x_next"]
    for run in range(2):
        first = int(start[run, 0])
        expected = {}
        for k, i in enumerate(range(first, 6)):
            expected[2, 0, k] = np.array([i < 5])
            if i < 5:
                expected[3, 0, k] = np.int32([i + 1])
                expected[4, 0, k] = x[run] * np.float32(2) ** (k + 1)
        expected[0, 0, 0] = np.int32([5])
        expected[0, 1, 0] = x[run] * np.float32(2) ** (5 - first)
        expected[1, 0, 0] = -expected[0, 1, 0]
        logged = {(n, k, o): log.value(r) for n, k, o, r in log.layers(run)}
        assert logged.keys() == expected.keys()
        assert all(same(logged[key], expected[key]) for key in expected)
        # One entry for each execution; the loop's node contains those of its body.
        latency = log.latency[run]
        assert len(latency.node) == len({key for key in expected if key[1] == 0})
        spans = {n: [(s, s + d) for m, s, d in zip(latency.node, latency.start_ns, latency.duration_ns) if m == n]
                 for n in range(5)}
        (begin, end), = spans[0]
        assert all(begin <= s <= e <= end for n in (2, 3, 4) for s, e in spans[n])
        (negate, _), = spans[1]
        assert negate >= end
    assert [t for t, _ in log.records["constant"]] == ["7", "11", "12"]


def test_branch(tmp_path):
    """Only the branch taken is in a frame."""
    model = Model()
    main = Graph(model, "main")
    c, x = main.tensor("c", [1], np.bool_), main.tensor("x", [3], np.float32)
    y = main.tensor("y", [3], np.float32)
    options = schema.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
    main.node(OP.IF, [c, x], [y], schema.BuiltinOptions.IfOptions, options)
    main.io([c, x], [y])
    for name, op, kind, table in (("then", OP.ADD, schema.BuiltinOptions.AddOptions, schema.AddOptionsT()),
                                  ("else", OP.MUL, schema.BuiltinOptions.MulOptions, schema.MulOptionsT())):
        graph = Graph(model, name)
        a, b = graph.tensor("a", [3], np.float32), graph.tensor("b", [3], np.float32)
        graph.node(op, [a, a], [b], kind, table)
        graph.io([a], [b])
    x = np.float32([[1, 2, 3], [1, 2, 3]])
    log = run_both(model.write(tmp_path / "if.tflite"), [np.array([[True], [False]]), x], tmp_path, runs=2)
    assert [n.op for n in log.model.nodes] == ["IF", "ADD", "MUL"]
    then, otherwise = ({n: log.value(r) for n, _, _, r in log.layers(f)} for f in (0, 1))
    assert then.keys() == {0, 1} and same(then[1], x[0] + x[0]) and same(then[0], then[1])
    assert otherwise.keys() == {0, 2} and same(otherwise[2], x[1] * x[1]) and same(otherwise[0], otherwise[2])


def test_shape_known_at_run_time(tmp_path):
    """WHERE: as many rows as there are ones; none is a shape, too."""
    model = Model()
    main = Graph(model, "main")
    c = main.tensor("c", [6], np.bool_)
    where, cast = main.tensor("where", [0, 1], np.int64, signature=[-1, 1]), main.tensor("cast", [0, 1], np.float32, signature=[-1, 1])
    main.node(OP.WHERE, [c], [where], schema.BuiltinOptions.WhereOptions, schema.WhereOptionsT())
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TYPE.INT64, TYPE.FLOAT32
    main.node(OP.CAST, [where], [cast], schema.BuiltinOptions.CastOptions, options)
    main.io([c], [cast])
    c = np.array([[0, 1, 1, 0, 0, 1], [0] * 6, [1] * 6], bool)
    log = run_both(model.write(tmp_path / "where.tflite"), [c], tmp_path, runs=3)
    assert list(log.model.tensors[1].shape) == [-1, 1]
    for run in range(3):
        expected = np.argwhere(c[run])
        values = {n: log.value(r) for n, _, _, r in log.layers(run)}
        assert same(values[0], expected.astype(np.int64)) and same(values[1], expected.astype(np.float32))
    assert "exray.unobserved" not in log.metadata


def test_strings(tmp_path):
    """Strings have no statistics; their bytes are logged as the engine has them:
    int32 count, count + 1 offsets, the text."""

    def pack(strings):
        texts = [s.encode() for s in strings]
        offsets = np.cumsum([4 * (len(texts) + 2)] + [len(t) for t in texts])
        return struct.pack(f"<{len(texts) + 2}i", len(texts), *offsets) + b"".join(texts)

    model = Model()
    main = Graph(model, "main")
    words = main.constant("words", pack(["cat", "", "Löwe"]), TYPE.STRING, [3])
    index, picked = main.tensor("index", [2], np.int32), main.tensor("picked", [2], TYPE.STRING)
    main.node(OP.GATHER, [words, index], [picked], schema.BuiltinOptions.GatherOptions, schema.GatherOptionsT(), version=2)
    main.io([index], [picked])
    path = model.write(tmp_path / "strings.tflite")
    log = run_both(path, [np.int32([2, 0])], tmp_path)
    (_, _, _, record), = log.layers()
    assert log.info(record).dtype == STRING and record.data == pack(["Löwe", "cat"])
    (_, constant), = log.records["constant"]
    assert constant.data == pack(["cat", "", "Löwe"])
    tap_run(path, "--log", tmp_path / "stats.mcap", "--capture", "stats")
    (_, _, _, record), = Log(tmp_path / "stats.mcap").layers()
    assert not record.data and not record.HasField("stats")


def test_int4(tmp_path):
    values = np.array([-8, 7, 3, -1, 0], np.int8)
    packed = bytes((int(a) & 15) | (int(b) & 15) << 4 for a, b in zip(values[::2], list(values[1::2]) + [0]))
    model = Model()
    main = Graph(model, "main")
    stored = main.constant("stored", packed, TYPE.INT4, [5])
    q = schema.QuantizationParametersT()
    q.scale, q.zeroPoint = [0.5], [0]
    main.table.tensors[stored].quantization = q
    x = main.tensor("x", [5], np.float32)
    real, total = main.tensor("real", [5], np.float32), main.tensor("total", [5], np.float32)
    main.node(OP.CAST, [stored], [real], schema.BuiltinOptions.CastOptions, schema.CastOptionsT(), version=6)
    main.node(OP.ADD, [real, x], [total], schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    main.io([x], [total])
    x = np.float32([1, 2, 3, 4, 5])
    log = run_both(model.write(tmp_path / "int4.tflite"), [x], tmp_path)
    (_, record), = log.records["constant"]
    info = log.info(record)
    assert info.dtype == INT4 and list(info.shape) == [5] and list(info.quantization.scale) == [0.5]
    assert record.data == packed
    expected = {0: values.astype(np.float32), 1: values.astype(np.float32) + x}
    logged = {n: log.value(r) for n, _, _, r in log.layers()}
    assert expected.keys() == logged.keys() and all(same(logged[n], expected[n]) for n in expected)


def test_names(tmp_path):
    """Inputs without a name of their own go by their position; a fused name that
    is longer than the log takes is cut, not refused."""
    model = Model()
    main = Graph(model, "main")
    a, b, c = main.tensor("x", [2], np.float32), main.tensor("x", [2], np.float32), main.tensor("", [2], np.float32)
    ab, abc = main.tensor("é;" * 2000, [2], np.float32), main.tensor("sum", [2], np.float32)
    main.node(OP.ADD, [a, b], [ab], schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    main.node(OP.ADD, [ab, c], [abc], schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    main.io([a, b, c], [abc])
    values = [np.float32([1, 2]), np.float32([3, 4]), np.float32([5, 6])]
    log = run_both(model.write(tmp_path / "names.tflite"), values, tmp_path)
    assert [name for name, _ in log.records["input"]] == ["0", "1", "2"]
    assert all(same(log.value(r), v) for (_, r), v in zip(log.records["input"], values))
    assert log.model.tensors[3].name == ("é;" * 2000).encode()[:1000].decode(errors="ignore")
    (name, record), = log.records["output"]
    assert name == "sum" and same(log.value(record), np.float32([9, 12]))


def test_no_node_at_all(tmp_path):
    """What goes in comes out."""
    model = Model()
    main = Graph(model, "main")
    x = main.tensor("x", [2], np.float32)
    main.io([x], [x])
    log = run_both(model.write(tmp_path / "wire.tflite"), [np.float32([1, 2])], tmp_path)
    for kind in ("input", "output"):
        (_, record), = log.records[kind]
        assert same(log.value(record), np.float32([1, 2]))
    assert not log.model.nodes and len(log.frames) == 1


def test_failed_run(tmp_path):
    """A run that fails midway is no frame's latency, and it is counted."""
    model = Model()
    main = Graph(model, "main")
    index, x = main.tensor("index", [1], np.int32), main.constant("x", np.float32([1, 2, 3]))
    negative, y = main.tensor("negative", [3], np.float32), main.tensor("y", [1], np.float32)
    main.node(OP.NEG, [x], [negative], schema.BuiltinOptions.NegOptions, schema.NegOptionsT())
    main.node(OP.GATHER, [negative, index], [y], schema.BuiltinOptions.GatherOptions, schema.GatherOptionsT())
    main.io([index], [y])
    path = model.write(tmp_path / "gather.tflite")
    inputs = tmp_path / "in"
    inputs.write_bytes(np.int32([[1], [9], [2]]).tobytes())
    result = tap_run(path, "--input", inputs, "--runs", 3, "--log", tmp_path / "a.mcap", "--capture", "full", check=False)
    assert "invoke failed" in result.stderr and result.returncode == 1
    log = Log(tmp_path / "a.mcap")
    assert log.metadata["exray.unobserved"] == {"runs_that_failed": "1"}
    assert set(log.latency) == {0, 2}
    by_frame = {f: {n: log.value(r) for n, _, _, r in log.layers(f) if r.data} for f in (0, 2)}
    assert same(by_frame[0][1], np.float32([-2])) and same(by_frame[2][1], np.float32([-3]))
