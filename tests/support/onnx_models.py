"""Models of ONNX that tests build: node by node, and one that returns given arrays."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM_BY_NAME = 7
SIZE = 64


class Graph:
    """Nodes and constants; a weight is random by its name alone, so that another graph has the same."""

    def __init__(self, opset=20):
        self.nodes, self.constants, self.opset = [], {}, opset

    def const(self, name, value, dtype=np.float32):
        self.constants[name] = np.array(value, dtype)
        return name

    def weight(self, name, *shape):
        random = np.random.default_rng([RANDOM_BY_NAME, *name.encode()])
        return self.const(name, random.normal(0, 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 2 else shape[0]), shape))

    def __call__(self, op, *inputs, to=None, **attributes):
        to = to or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [to], name=to, **attributes))
        return to

    def conv(self, x, name, channels, out, **attributes):
        attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], **attributes}
        return self("Conv", x, self.weight(name + ".w", out, channels, *attributes["kernel_shape"]), to=name, **attributes)

    def save(self, path, shape, *outputs):
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs or ("y",)],
                                  [numpy_helper.from_array(v, n) for n, v in self.constants.items()])
        domains = sorted({n.domain for n in self.nodes if n.domain})
        opsets = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(d, 1) for d in domains)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
        return path


def models(tmp_path, builder, edge, reference=None):
    """Both sides' files of one model, each with its own changes."""
    return builder(tmp_path / "edge.onnx", **edge), builder(tmp_path / "reference.onnx", **(reference or {}))


def model_of(path, size=SIZE, **outputs):
    """A model that returns these arrays, whatever the picture."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, size, size])
    made, nodes, constants = [], [helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0)], [numpy_helper.from_array(np.float32(0), "zero")]
    nodes.append(helper.make_node("Mul", ["mean", "zero"], ["nothing"]))
    for name, array in outputs.items():
        made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape))
        constants.append(numpy_helper.from_array(array.astype(np.float32), name + "_is"))
        nodes.append(helper.make_node("Add", [name + "_is", "nothing"], [name]))
    graph = helper.make_graph(nodes, "told", [image], made, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
