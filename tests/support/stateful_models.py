"""Small models with a memory, and what they compute, by NumPy."""

import numpy as np
import pytest
from small_tflite import TfliteModel


def weights(*shape):
    return np.random.default_rng(sum(shape)).normal(0, .4, shape).astype(np.float32)


# ---- TensorFlow Lite: a variable tensor -------------------------------------------------------------


def variable(path):
    """SVDF: it keeps what its inputs were, times `feature`, in a variable tensor."""
    m = TfliteModel()
    x, y = m.tensor("x", [1, 8]), m.tensor("y", [1, 4])
    m.op("SVDF", [x, m.tensor("feature", data=weights(4, 8)), m.tensor("time", data=weights(4, 5)), -1,
                  m.tensor("memory", [1, 20], variable=True)],
         [y], "SVDF", rank=1, fusedActivationFunction=m.schema.ActivationFunctionType.NONE)
    return m.save(path, [x], [y])


class Variable:
    """What `variable` computes."""

    def __init__(self):
        self.memory = np.zeros((4, 5), np.float32)

    def __call__(self, x):
        self.memory = np.concatenate([self.memory[:, 1:], (weights(4, 8) @ x[0])[:, None]], 1)
        return (self.memory * weights(4, 5)).sum(1)[None]


# ---- TensorFlow Lite: a resource variable, set up by CALL_ONCE ---------------------------------------


def handle(path):
    """h = tanh(x - h), kept in a resource variable; y is h."""
    m = TfliteModel()
    s = m.schema

    def resource(name):
        t = m.tensor(name, [1])
        m.graph.tensors[t].type = s.TensorType.RESOURCE
        return t

    def place(h):
        m.op("VAR_HANDLE", [], [h], "VarHandle", container="", sharedName="memory")

    main, x = m.graph, m.tensor("x", [1, 8])
    h, before, sum_, y = resource("memory"), m.tensor("before", [1, 8]), m.tensor("sum", [1, 8]), m.tensor("y", [1, 8])
    m.op("CALL_ONCE", [], [], "CallOnce", initSubgraphIndex=1)
    place(h)
    m.op("READ_VARIABLE", [h], [before], "ReadVariable")
    m.op("SUB", [x, before], [sum_], "Sub", fusedActivationFunction=s.ActivationFunctionType.NONE)
    m.op("TANH", [sum_], [y])
    m.op("ASSIGN_VARIABLE", [h, y], [], "AssignVariable")
    m.graph = s.SubGraphT()
    m.graph.tensors, m.graph.operators, m.graph.name, m.graph.inputs, m.graph.outputs = [], [], "setup", [], []
    h, zeros = resource("memory0"), m.tensor("zeros", data=np.zeros((1, 8), np.float32))
    place(h)
    m.op("ASSIGN_VARIABLE", [h, zeros], [], "AssignVariable")
    setup, m.graph = m.graph, main
    return m.save(path, [x], [y], [setup])


class Handle:
    """What `handle` computes."""

    def __init__(self):
        self.h = np.zeros((1, 8), np.float32)

    def __call__(self, x):
        self.h = np.tanh(x - self.h).astype(np.float32)
        return self.h


# ---- ONNX: states that the application hands back ---------------------------------------------------------


def save_onnx(path, nodes, inputs, outputs, constants):
    """nodes: (op, inputs, outputs, attributes); inputs, outputs: {name: shape}; constants: {name: array}."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    info = lambda side: [helper.make_tensor_value_info(n, kind, s) for n, s in side.items()]
    graph = helper.make_graph([helper.make_node(op, i, o, name=o[0], **a) for op, i, o, a in nodes], "g", info(inputs), info(outputs),
                              [onnx.numpy_helper.from_array(a, n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def looped(path, h_out=(1, 8), h=(1, 8)):
    """h_out = tanh(h / 2 + x); y is its sum."""
    other = h_out != h
    return save_onnx(path, [("Mul", ["h", "half"], ["k"], {}), ("Add", ["k", "x"], ["s"], {}), ("Tanh", ["s"], ["t"], {}),
                            ("ReduceSum", ["t"], ["y"], {}),
                            ("Reshape", ["t", "shape"], ["h_out"], {}) if other else ("Identity", ["t"], ["h_out"], {})],
                     {"x": [1, 8], "h": h}, {"y": [1, 1], "h_out": h_out},
                     {"half": np.array(.5, np.float32), "shape": np.array(h_out, np.int64)})


def looped_states(inputs, anew):
    """The input h of each frame of `looped`; anew: frames before which it is reset."""
    h, out = np.zeros((1, 8), np.float32), []
    for k, x in enumerate(inputs):
        h = np.zeros_like(h) if k in anew else h
        out.append(h)
        h = np.tanh(h / 2 + x).astype(np.float32)
    return np.array(out)


def gru(path):
    """GRU over the steps of a frame; its last state is handed back."""
    return save_onnx(path, [("GRU", ["x", "w", "r", "b", "", "h"], ["all", "h_out"], {"hidden_size": 6}),
                            ("ReduceMean", ["all"], ["y"], {"axes": [0, 1], "keepdims": 0})],
                     {"x": [4, 1, 8], "h": [1, 1, 6]}, {"y": [1, 6], "h_out": [1, 1, 6]},
                     {"w": weights(1, 18, 8), "r": weights(1, 18, 6), "b": weights(1, 36)})


def conv_cache(path):
    """Two causal convolutions over time, each with the last two columns of the frame before."""
    return save_onnx(path, [("Concat", ["cache1", "x"], ["x1"], {"axis": 2}), ("Conv", ["x1", "w1"], ["c1"], {"kernel_shape": [3]}),
                            ("Relu", ["c1"], ["r1"], {}), ("Slice", ["x1", "start", "end", "time"], ["cache1_out"], {}),
                            ("Concat", ["cache2", "r1"], ["x2"], {"axis": 2}), ("Conv", ["x2", "w2"], ["c2"], {"kernel_shape": [3]}),
                            ("Slice", ["x2", "start", "end", "time"], ["cache2_out"], {}),
                            ("ReduceMean", ["c2"], ["y"], {"axes": [2], "keepdims": 0})],
                     {"x": [1, 4, 5], "cache1": [1, 4, 2], "cache2": [1, 6, 2]},
                     {"y": [1, 3], "cache1_out": [1, 4, 2], "cache2_out": [1, 6, 2]},
                     {"w1": weights(6, 4, 3), "w2": weights(3, 6, 3), "start": np.array([-2], np.int64), "end": np.array([99], np.int64),
                      "time": np.array([2], np.int64)})
