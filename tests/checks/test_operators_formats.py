"""model.operator across formats: attributes as numbers, from the graphs of two logs whose outputs differ.  The logs are
written by hand, with inputs and outputs alone."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

X = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)
Y = np.random.default_rng(2).normal(size=(1, 4, 4, 5)).astype(np.float32)


def write(path, role, engine, op, attributes, output, weight=(5, 3, 3, 3), shapes=((1, 8, 8, 3), (1, 4, 4, 5))):
    """A graph of one node, on the inputs X (NHWC; turned for engines with channels first)."""
    last = engine == "tflite"
    turn = (lambda a: a) if last else (lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a)
    m = PB["Model"](name="m", engine=engine, inputs=[0], outputs=[1])
    for name, shape in zip("xy", shapes):
        m.tensors.add(name=name, dtype=1, shape=turn(np.zeros(shape)).shape, layout="NHWC" if last else "NCHW")
    if weight:
        m.tensors.add(name="w", dtype=1, shape=weight if last else tuple(np.array(weight)[[0, 3, 1, 2]]), constant=True)
    node = m.nodes.add(op=op, name="node", inputs=[0, 2] if weight else [0], outputs=[1])
    for key, value in attributes.items():
        node.attributes[key] = value
    with Recording(path, role) as log:
        log.add("/model", "Model", m)
        for i in range(3):
            log.frame([("/input/x", turn(X + i), {}), ("/output/y", turn(output + i), {})])


CONV = {"padding": "SAME", "stride_w": "2", "stride_h": "2", "dilation_w_factor": "1", "dilation_h_factor": "1"}
ONNX = {"kernel_shape": "3,3", "strides": "2,2", "dilations": "1,1", "group": "1"}
POOL = {"padding": "SAME", "stride_w": "2", "stride_h": "2", "filter_width": "3", "filter_height": "3"}
UP = ((1, 4, 4, 3), (1, 8, 8, 3))
FORMATS = {
    "pads": (("tflite", "CONV_2D", CONV), ("onnxruntime", "Conv", {**ONNX, "pads": "0,0,1,1"}), ("onnxruntime", "Conv", {**ONNX, "pads": "1,1,0,0"}), {}),
    "strides": (("tflite", "CONV_2D", CONV), ("onnxruntime", "Conv", {**ONNX, "auto_pad": "SAME_UPPER"}),
                ("onnxruntime", "Conv", {**ONNX, "strides": "2,1", "auto_pad": "SAME_UPPER"}), {}),
    "torch pads": (("torch", "Conv2d", {"kernel_size": "(3, 3)", "stride": "(2, 2)", "padding": "(1, 1)", "dilation": "(1, 1)"}),
                   ("onnxruntime", "Conv", {**ONNX, "pads": "1,1,1,1"}), ("onnxruntime", "Conv", {**ONNX, "pads": "0,0,2,2"}), {}),
    "count_include_pad": (("tflite", "AVERAGE_POOL_2D", POOL), ("onnxruntime", "AveragePool", {**ONNX, "pads": "0,0,1,1"}),
                          ("onnxruntime", "AveragePool", {**ONNX, "pads": "0,0,1,1", "count_include_pad": "1"}), {"weight": None}),
    "coordinates": (("tflite", "RESIZE_BILINEAR", {"align_corners": "false", "half_pixel_centers": "true"}),
             ("onnxruntime", "Resize", {"mode": "linear"}), ("onnxruntime", "Resize", {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
             {"weight": None, "shapes": UP}),
    "mode": (("torch", "PixelShuffle", {"upscale_factor": "2"}), ("onnxruntime", "DepthToSpace", {"blocksize": "2", "mode": "CRD"}),
             ("onnxruntime", "DepthToSpace", {"blocksize": "2", "mode": "DCR"}), {"weight": None, "shapes": ((1, 4, 4, 12), (1, 8, 8, 3))}),
    "axis": (("tflite", "SOFTMAX", {"beta": "1"}), ("onnxruntime", "Softmax", {"axis": "1"}), ("onnxruntime", "Softmax", {"axis": "2"}),
             {"weight": None, "shapes": ((1, 4, 4, 5),) * 2}),
    "rim mode": (("tflite", "MIRROR_PAD", {"mode": "REFLECT"}), ("onnxruntime", "Pad", {"mode": "reflect"}), ("onnxruntime", "Pad", {}),
                 {"weight": None, "shapes": ((1, 4, 4, 5), (1, 6, 6, 5))}),
    "epsilon": (("torch", "LayerNorm", {"eps": "1e-05"}), ("onnxruntime", "LayerNormalization", {"epsilon": "9.99999975e-06"}),
                ("onnxruntime", "LayerNormalization", {"epsilon": "0.00100000005"}), {"weight": None, "shapes": ((1, 4, 4, 5),) * 2}),
}


@pytest.mark.parametrize("key", FORMATS)
@pytest.mark.parametrize("right", [False, True], ids=["another", "the same"])
def test_attributes_of_two_formats(tmp_path, key, right):
    one, same, another, options = FORMATS[key]
    write(tmp_path / "edge.mcap", "edge", *(same if right else another), Y + 1, **options)
    write(tmp_path / "reference.mcap", "reference", *one, Y * 2, **options)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)
    if right:
        assert "model.operator" not in causes(v)
    else:
        assert finding(v, "model.operator")["evidence"]["attribute"].split(", ")[0] == key.split()[-1]


def sliced(path, role, engine, nodes, constants, exchanged=False, off=0):
    """Eight channels, cut in two halves a and b: y = a - tanh(b), the tanh off by a number; the halves
    are not recorded."""
    last = engine == "tflite"
    shape = (lambda c: (1, 4, 4, c)) if last else (lambda c: (1, c, 4, 4))
    m = PB["Model"](name="m", engine=engine, inputs=[0], outputs=[4])
    for name, channels in (("x", 8), ("a", 4), ("b", 4), ("t", 4), ("y", 4)):
        m.tensors.add(name=name, dtype=1, shape=shape(channels), layout="NHWC" if last else "NCHW")
    for name, value in constants.items():
        m.tensors.add(name=name, dtype=4, shape=[len(value)], constant=True)
    at = {t.name: i for i, t in enumerate(m.tensors)}
    tail = [("TANH" if last else "Tanh", "b", "t", {}), ("SUB" if last else "Sub", "a t", "y", {})]
    for op, inputs, outputs, attributes in [*nodes, *tail]:
        node = m.nodes.add(op=op, name=outputs, inputs=[at[i] for i in inputs.split()], outputs=[at[o] for o in outputs.split()])
        for key, value in attributes.items():
            node.attributes[key] = value
    with Recording(path, role) as log:
        log.add("/model", "Model", m)
        for name, value in constants.items():
            log.tensor(f"/constant/{at[name]}", np.array(value, np.int32))
        for i in range(3):
            x = np.random.default_rng(i).normal(size=(1, 4, 4, 8)).astype(np.float32)
            a, b = (x[..., 4:], x[..., :4]) if exchanged else (x[..., :4], x[..., 4:])
            turn = (lambda v: v) if last else (lambda v: np.ascontiguousarray(v.transpose(0, 3, 1, 2)))
            t = np.tanh(b) + off
            layers = [(f"/layer/{n}/{k}" if k else f"/layer/{n}", turn({"a": a, "b": b, "t": t, "y": a - t}[o]), {})
                      for n, (_, _, outs, _) in enumerate([*nodes, *tail]) for k, o in enumerate(outs.split()) if o in "ty"]
            log.frame([("/input/x", turn(x), {}), *layers, ("/output/y", turn(a - t), {})])


SPLIT = ("onnxruntime", [("Split", "x", "a b", {"axis": "1"})], {})


def strided(first, second):
    nodes = [("STRIDED_SLICE", f"x {o}0 end one", o, {"begin_mask": "7", "end_mask": "15"}) for o in "ab"]
    return "tflite", nodes, {"a0": (0, 0, 0, first), "b0": (0, 0, 0, second), "end": (0, 0, 0, 0), "one": (1, 1, 1, 1)}


LITE = {"SPLIT": ("tflite", [("SPLIT", "axis x", "a b", {"num_splits": "2"})], {"axis": (3,)}),
        "SPLIT_V": ("tflite", [("SPLIT_V", "x sizes axis", "a b", {"num_splits": "2"})], {"axis": (3,), "sizes": (4, 4)}),
        "STRIDED_SLICE": strided(0, 4),
        "SLICE": ("tflite", [("SLICE", f"x {o}0 size", o, {}) for o in "ab"],
                  {"a0": (0, 0, 0, 0), "b0": (0, 0, 0, 4), "size": (1, 4, 4, 4)})}


@pytest.mark.parametrize("edge", LITE)
def test_parts_of_two_formats(tmp_path, edge):
    sliced(tmp_path / "edge.mcap", "edge", *LITE[edge], off=1)
    sliced(tmp_path / "reference.mcap", "reference", *SPLIT)
    assert "model.operator" not in causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1))


def test_parts_of_two_formats_that_are_exchanged(tmp_path):
    sliced(tmp_path / "edge.mcap", "edge", *strided(4, 0), exchanged=True)
    sliced(tmp_path / "reference.mcap", "reference", *SPLIT)
    assert "model.operator" in causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1))


@pytest.mark.parametrize("read", [0, 0xFFFFFFFF], ids=["the input", "an absent tensor"])
def test_what_an_activation_layer_reads(tmp_path, read):
    """A file may leave a tensor out: that is no place in the table."""
    for role, wrong in (("edge", 0.5), ("reference", 0)):
        m = PB["Model"](name="m", engine="keras", inputs=[0], outputs=[1])
        for name in "xy":
            m.tensors.add(name=name, dtype=1, shape=(1, 64))
        m.nodes.add(op="Activation", name="node", inputs=[read], outputs=[1]).attributes["activation"] = "relu"
        with Recording(tmp_path / role, role) as log:
            log.add("/model", "Model", m)
            for i in range(3):
                x = np.random.default_rng(i).normal(size=(1, 64)).astype(np.float32)
                log.frame([("/input/x", x, {}), ("/output/y", np.maximum(x, 0) + np.float32(wrong) * np.tanh(x), {})])
    assert "model.operator" not in causes(validate(tmp_path / "edge", tmp_path / "reference", status=1))
