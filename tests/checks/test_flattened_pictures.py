"""A picture that one engine flattens pixel by pixel and the other channel by channel, before a dense layer.  What the layers make
is computed by numpy; the logs are written by hand."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

SIZE = (4, 4, 8)  # rows, columns, channels
KERNEL = np.random.default_rng(1).normal(size=SIZE[2]).astype(np.float32)
DENSE = (np.random.default_rng(2).normal(size=(12, 128)) / 10).astype(np.float32)  # its columns: channel by channel
LAST = DENSE.reshape(12, 8, 4, 4).transpose(0, 2, 3, 1).reshape(12, 128)  # pixel by pixel


def write(path, role, last, dense, kernel=KERNEL):
    """depthwise convolution of one number a channel -> flatten -> dense."""
    turn = (lambda a: a) if last else (lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2)))
    shape = turn(np.zeros((1, *SIZE))).shape
    m = PB["Model"](name="m", engine="tflite" if last else "onnxruntime", inputs=[0], outputs=[3])
    for name, size in (("x", shape), ("deep", shape), ("flat", (1, 128)), ("y", (1, 12))):
        m.tensors.add(name=name, dtype=1, shape=size)
    weight = kernel.reshape((1, 1, 1, 8) if last else (8, 1, 1, 1))
    for name, values in (("deep.w", weight), ("dense.w", dense)):
        m.tensors.add(name=name, dtype=1, shape=values.shape, constant=True)
    pads = {"padding": "VALID", "stride_w": "1", "stride_h": "1", "depth_multiplier": "1"} if last else {"kernel_shape": "1,1", "group": "8"}
    names = ("DEPTHWISE_CONV_2D", "RESHAPE", "FULLY_CONNECTED") if last else ("Conv", "Flatten", "Gemm")
    for op, inputs, output, attributes in zip(names, ([0, 4], [1], [2, 5]), (1, 2, 3), (pads, {}, {} if last else {"transB": "1"}), strict=True):
        node = m.nodes.add(op=op, name=op, inputs=inputs, outputs=[output])
        for key, value in attributes.items():
            node.attributes[key] = value
    with Recording(path, role) as log:
        log.add("/model", "Model", m)
        for index, values in ((4, weight), (5, dense)):
            t = PB["Tensor"](tensor=index, data=np.ascontiguousarray(values).tobytes())
            t.info.CopyFrom(m.tensors[index])
            log.add(f"/constant/{index}", "Tensor", t)
        for i in range(4):
            x = np.random.default_rng(10 + i).normal(size=(1, *SIZE)).astype(np.float32)
            deep = turn(x * kernel)
            flat = deep.reshape(1, 128)
            y = flat @ dense.T
            log.frame([("/input/x", turn(x), {}), ("/layer/0", deep, {}), ("/layer/1", flat, {}), ("/layer/2", y, {}), ("/output/y", y, {})])


CASES = {
    "right": ({"dense": LAST}, None, ""),
    "not followed": ({"dense": DENSE}, "model.operator", "channels last"),
    "other weights": ({"dense": LAST + np.float32(0.05) * np.sign(LAST)}, "model.weights", "dense.w"),
    "wrong before": ({"dense": LAST, "kernel": KERNEL[::-1].copy()}, "model.weights", "deep.w"),
}


@pytest.mark.parametrize("edge_last", [True, False], ids=["last on the edge", "first on the edge"])
@pytest.mark.parametrize("name", CASES)
def test_a_dense_layer_behind_a_flattened_picture(tmp_path, name, edge_last):
    options, cause, says = CASES[name]
    log = {edge_last: tmp_path / "edge.mcap", not edge_last: tmp_path / "reference.mcap"}
    role = {edge_last: "edge", not edge_last: "reference"}
    write(log[True], role[True], True, **options)
    write(log[False], role[False], False, DENSE)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1 if cause else 0)
    assert causes(v) == ([cause] if cause else [])
    if cause:
        f = finding(v, cause)
        assert says in f["summary"] + " ".join(f["details"])
