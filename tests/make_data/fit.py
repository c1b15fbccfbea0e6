"""What training would have done to a network of random weights: results of every convolution get a
healthy range, the last layer is fitted, and 8-bit files get the ranges that were seen."""

from __future__ import annotations

import copy

import numpy as np
from graphs import ACT, OP, PROBABILITIES, SAME_SCALE, WEIGHTED, runner, tflite


def _values(net, tensors, samples, cut=None):
    """Of each of the tensors what the network makes of the samples: [sample, ...]."""
    kept, nodes, outputs = {t: [] for t in tensors}, net.nodes, net.outputs
    if cut is not None:  # nodes behind it are not run
        net.nodes, net.outputs = nodes[: cut + 1], list(nodes[cut].outputs)
    run = runner(tflite(net, ""))
    net.nodes, net.outputs = nodes, outputs
    for sample in samples:
        run.set_tensor(net.inputs[0], sample)
        run.invoke()
        for t in tensors:
            kept[t].append(run.get_tensor(t).copy())
    return {t: np.concatenate(v) for t, v in kept.items()}


def normalize(net, samples):
    """Every weighted layer's results, before its activation, get the mean and deviation that its node
    asks for, in each channel, on these samples."""
    for at, node in enumerate(net.nodes):
        if node.op not in WEIGHTED:
            continue
        act, node.options.fusedActivationFunction = node.options.fusedActivationFunction, ACT.NONE
        values = _values(net, node.outputs, samples, at)[node.outputs[0]]
        node.options.fusedActivationFunction = act
        axes = tuple(range(values.ndim - 1))
        mean, deviation = values.mean(axes), np.maximum(values.std(axes), 1e-3)
        weights, bias = net.tensors[node.inputs[1]], net.tensors[node.inputs[2]]
        scale = (node.gain / deviation).astype(np.float32)
        along = (1, 1, 1, -1) if node.op == OP.DEPTHWISE_CONV_2D else (-1, *[1] * (weights.data.ndim - 1))
        weights.data = weights.data * scale.reshape(along)
        bias.data = ((bias.data - mean) * scale + node.shift).astype(np.float32)


def fit_last(net, samples, wanted, strength=14.0, ridge=0.1):
    """The last weighted layer, by least squares: logits that are `strength` at the wanted class."""
    node = [n for n in net.nodes if n.op in WEIGHTED][-1]
    features = _values(net, [node.inputs[0]], samples)[node.inputs[0]].reshape(len(samples), -1).astype(np.float64)
    weights, bias = net.tensors[node.inputs[1]], net.tensors[node.inputs[2]]
    target = np.zeros((len(samples), weights.data.shape[0]))
    target[np.arange(len(samples)), wanted] = strength
    center = features.mean(0)
    x = features - center
    solved = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ (target - target.mean(0)))
    weights.data = solved.T.reshape(weights.data.shape).astype(np.float32)
    bias.data = (target.mean(0) - center @ solved).astype(np.float32)


def retrained(net, seed, amount):
    """A copy whose weights are others, by a share of their deviation."""
    other, random = copy.deepcopy(net), np.random.default_rng(seed)
    for node in (n for n in other.nodes if n.op in WEIGHTED):
        weights = other.tensors[node.inputs[1]]
        weights.data = (weights.data + random.normal(0, amount * weights.data.std(), weights.data.shape)).astype(np.float32)
    return other


# ---- 8 bits -------------------------------------------------------------------------------------


def _step(low, high, limits):
    """(scale, zero point) for a range, which includes zero."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    scale = np.float32(max(high - low, 1e-6) / 255)
    return float(scale), int(np.clip(limits.min + round(-low / scale), limits.min, limits.max))


def _store(tensor, dtype):
    """A constant, in 8 bits: around zero where the type has a sign, as its kernels want it."""
    limits, largest = np.iinfo(dtype), float(np.abs(tensor.data).max())
    signed = limits.min < 0
    tensor.scale, tensor.zero_point = (largest / 127, 0) if signed else _step(tensor.data.min(), tensor.data.max(), limits)
    low = -127 if signed else limits.min
    tensor.data = np.clip(np.round(tensor.data / tensor.scale) + tensor.zero_point, low, limits.max).astype(dtype)
    tensor.dtype = np.dtype(dtype)


def _to_bits(net, node, seen, dtype):
    limits = np.iinfo(dtype)
    before, made = net.tensors[node.inputs[0]], net.tensors[node.outputs[0]]
    made.dtype = np.dtype(dtype)
    if node.op in SAME_SCALE:
        made.scale, made.zero_point = before.scale, before.zero_point
    elif node.op in PROBABILITIES:
        made.scale, made.zero_point = 1 / 256, limits.min
    else:
        made.scale, made.zero_point = _step(*seen, limits)
    if node.op in WEIGHTED:
        weights, bias = (net.tensors[i] for i in node.inputs[1:3])
        _store(weights, dtype)
        bias.scale = float(np.float32(before.scale) * np.float32(weights.scale))
        bias.data, bias.dtype = np.round(bias.data / bias.scale).astype(np.int32), np.dtype(np.int32)


def to_8_bits(net, samples, input_step, dtype=np.uint8):
    """The network in 8 bits, one scale a tensor, as the converters of 2018 made them; ranges as seen on
    the samples."""
    net = copy.deepcopy(net)
    computed = [node.outputs[0] for node in net.nodes if not node.custom]
    ranges = {t: (v.min(), v.max()) for t, v in _values(net, computed, samples).items()}
    source = net.tensors[net.inputs[0]]
    source.dtype, (source.scale, source.zero_point) = np.dtype(dtype), input_step
    for node in net.nodes:
        if node.custom:  # floats behind it; of its inputs, the anchors
            for tensor in (net.tensors[i] for i in node.inputs if net.tensors[i].data is not None):
                _store(tensor, dtype)
        else:
            _to_bits(net, node, ranges[node.outputs[0]], dtype)
    return net
