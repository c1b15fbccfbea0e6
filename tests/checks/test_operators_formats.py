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
