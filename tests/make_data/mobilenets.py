"""The graphs of well-known networks with weights that are drawn from a seed: what tests ask of them is
their structure, and that their numbers are sane.  Weights that were trained are in no package."""

from __future__ import annotations

import numpy as np
from graphs import ACT, OP, Net

# Channels and strides of MobileNetV1 behind its first convolution; repeats, channels, strides of V2's blocks.
V1 = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
HIDDEN = dict(gain=1.5, shift=1.0)  # before a ReLU6: about a quarter is cut off
LINEAR = dict(gain=1.0, act=ACT.NONE)


def _v1(net, x, width, layers=V1):
    """Returns the outputs of all pointwise convolutions."""
    made = []
    x = net.conv(x, "MobilenetV1/Conv2d_0/Relu6", int(32 * width), 3, 2, **HIDDEN)
    for i, (channels, stride) in enumerate(layers, 1):
        x = net.depthwise(x, f"MobilenetV1/Conv2d_{i}_depthwise/Relu6", 3, stride, **HIDDEN)
        x = net.conv(x, f"MobilenetV1/Conv2d_{i}_pointwise/Relu6", int(channels * width), **HIDDEN)
        made.append(x)
    return made


def _v2(net, x, width, output_stride=32):
    """All blocks; from the output stride on, kernels are dilated in place of strides."""
    x = net.conv(x, "MobilenetV2/Conv/Relu6", int(32 * width), 3, 2, **HIDDEN)
    reached, dilation, number = 2, 1, 0
    for expansion, channels, repeats, first in V2:
        for i in range(repeats):
            stride, next_dilation = first if i == 0 else 1, dilation
            if stride == 2 and reached == output_stride:
                stride, next_dilation = 1, 2 * dilation
            name, before = f"MobilenetV2/expanded_conv_{number}", x
            if expansion > 1:
                x = net.conv(x, f"{name}/expand/Relu6", expansion * net.shape(x)[3], **HIDDEN)
            x = net.depthwise(x, f"{name}/depthwise/Relu6", 3, stride, dilation=dilation, **HIDDEN)
            x = net.conv(x, f"{name}/project/BatchNorm", max(8, int(channels * width)), **LINEAR)
            if net.shape(x) == net.shape(before):
                x = net.add(x, before, f"{name}/add")
            reached, dilation, number = reached * stride, next_dilation, number + 1
    return x


def _classes(net, x, name, classes, squeeze):
    x = net.average(x, f"{name}/AvgPool_1a")
    x = net.conv(x, f"{name}/Conv2d_1c_1x1/BiasAdd", classes, gain=2.0, act=ACT.NONE)
    return (net.squeeze if squeeze else lambda t, n: net.reshape(t, n, (1, classes)))(x, f"{name}/SpatialSqueeze")


def v1(classes=1001, side=224, width=0.25, squeeze=True):
    net = Net(seed=1)
    x = _v1(net, net.input("input", (1, side, side, 3)), width)[-1]
    x = _classes(net, x, "MobilenetV1/Logits", classes, squeeze)
    net.outputs = [net.softmax(x, "MobilenetV1/Predictions/Reshape_1")]
    return net


def v2(classes=1001, side=224, width=1.0):
    net = Net(seed=2)
    x = _v2(net, net.input("input", (1, side, side, 3)), width)
    x = net.conv(x, "MobilenetV2/Conv_1/Relu6", 1280, **HIDDEN)
    net.outputs = [_classes(net, x, "MobilenetV2/Logits", classes, False)]
    return net


def deeplab(classes=21, side=257, width=0.5):
    net = Net(seed=3)
    x = _v2(net, net.input("sub_7", (1, side, side, 3)), width, output_stride=16)
    small = net.shape(x)[1]
    pooled = net.conv(net.average(x, "AvgPool2D/AvgPool"), "image_pooling/Relu", 256, act=ACT.RELU, gain=1.0, shift=0.5)
    pooled = net.resize(pooled, "ResizeBilinear", small)
    near = net.conv(x, "aspp0/Relu", 256, act=ACT.RELU, gain=1.0, shift=0.5)
    x = net.concatenate([pooled, near], "concat", 3)
    x = net.conv(x, "concat_projection/Relu", 256, act=ACT.RELU, gain=1.0, shift=0.5)
    x = net.conv(x, "logits/semantic/BiasAdd", classes, gain=3.0, act=ACT.NONE)
    x = net.resize(x, "ResizeBilinear_1", small)
    net.outputs = [net.resize(x, "ResizeBilinear_2", side)]
    return net


# ---- SSD ----------------------------------------------------------------------------------------

EXTRA = [(64, 128), (32, 64), (32, 64), (16, 32)]  # pointwise, then 3x3 with stride 2
SCALES = np.linspace(0.2, 0.95, 6)


def anchors(sides):
    """(y, x, h, w) of every box, three in the first map, six in the others."""
    found = []
    for level, side in enumerate(sides):
        next_scale = SCALES[level + 1] if level + 1 < len(SCALES) else 1.0
        sizes = [(SCALES[level], r) for r in (1.0, 2.0, 0.5, 3.0, 1 / 3)] + [((SCALES[level] * next_scale) ** 0.5, 1.0)]
        for y in range(side):
            for x in range(side):
                for scale, ratio in sizes[:3] if level == 0 else sizes:
                    found.append(((y + 0.5) / side, (x + 0.5) / side, scale / ratio**0.5, scale * ratio**0.5))
    return np.array(found, np.float32)


def post_process_options(classes, detections):
    """The options of TFLite_Detection_PostProcess, as a flexbuffer map."""
    from flatbuffers import flexbuffers

    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Int("max_detections", detections)
        builder.Int("max_classes_per_detection", 1)
        builder.Int("num_classes", classes)
        builder.Float("nms_score_threshold", 1e-8)
        builder.Float("nms_iou_threshold", 0.6)
        for key, value in (("y_scale", 10), ("x_scale", 10), ("h_scale", 5), ("w_scale", 5)):
            builder.Float(key, value)
        builder.Bool("_output_quantized", True)
    return bytes(builder.Finish())


def ssd(classes=90, side=300, width=0.25, detections=10):
    net = Net(seed=4)
    backbone = _v1(net, net.input("normalized_input_image_tensor", (1, side, side, 3)), width)
    maps = [backbone[10], backbone[12]]
    for i, (narrow, wide) in enumerate(EXTRA, 2):
        x = net.conv(maps[-1], f"Conv2d_13_pointwise_1_Conv2d_{i}_1x1", narrow, **HIDDEN)
        maps.append(net.conv(x, f"Conv2d_13_pointwise_2_Conv2d_{i}_3x3_s2", wide, 3, 2, **HIDDEN))
    boxes, scores = [], []
    for i, x in enumerate(maps):
        each, cells = (3 if i == 0 else 6), net.shape(x)[1] ** 2
        y = net.conv(x, f"BoxPredictor_{i}/BoxEncodingPredictor/BiasAdd", 4 * each, gain=0.7, act=ACT.NONE)
        boxes.append(net.reshape(y, f"BoxPredictor_{i}/Reshape", (1, cells * each, 1, 4)))
        y = net.conv(x, f"BoxPredictor_{i}/ClassPredictor/BiasAdd", (classes + 1) * each, gain=1.5, shift=-5, act=ACT.NONE)
        scores.append(net.reshape(y, f"BoxPredictor_{i}/Reshape_1", (1, cells * each, classes + 1)))
    boxes = net.concatenate(boxes, "concat", 1)
    boxes = net.reshape(boxes, "Squeeze", (1, net.shape(boxes)[1], 4))
    scores = net.logistic(net.concatenate(scores, "concat_1", 1), "convert_scores")
    made = [net.tensor("TFLite_Detection_PostProcess" + (f":{i}" if i else ""), ()) for i in range(4)]
    net.node(OP.CUSTOM, [boxes, scores, net.constant("anchors", anchors([net.shape(m)[1] for m in maps]))], "unused", (),
             custom=("TFLite_Detection_PostProcess", post_process_options(classes, detections)))
    net.nodes[-1].outputs = net.outputs = made
    net.tensors.pop()  # the one output that node() made
    return net


# ---- Sound and text -------------------------------------------------------------------------------


def speech():
    """Four words from 49 rows of 40 features."""
    net = Net(seed=5)
    x = net.reshape(net.input("Reshape_1", (1, 1960)), "Reshape_2", (1, 49, 40, 1))
    x = net.depthwise(x, "Relu", (10, 8), 2, ACT.RELU, multiplier=8, gain=1.0, shift=0.5)
    x = net.dense(x, "add_1", 4, gain=3.0)
    net.outputs = [net.softmax(x, "labels_softmax")]
    return net


def text(words=10003, tokens=256):
    """Embeddings, their mean, two dense layers."""
    net = Net(seed=6)
    x = net.input("input_3", (1, tokens), np.int32)
    table = net.constant("embedding/table", net.random.normal(0, 1, (words, 16)).astype(np.float32))
    x = net.mean(net.gather(table, x, "embedding/lookup"), "average_pooling/Mean", 1)
    x = net.dense(x, "dense_4/Relu", 16, ACT.RELU)
    net.outputs = [net.softmax(net.dense(x, "dense_5/BiasAdd", 2), "Identity")]
    return net
