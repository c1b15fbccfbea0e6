"""Faults inside the model: which, in which layers of which models, and what they must be called.

Each has its layer (the node that was changed) and its cause.  A second name is allowed where
the file says the same with both: a range too narrow for its data clips them, whether that is
called its range or its saturation; weights that are all zero are other weights and a dead layer."""

from dataclasses import dataclass
from functools import partial
from typing import Callable

import layer_files as lf
from bench_models import LITE0, Model
from cases import pictures_for
from execute import Case
from testdata import MODELS as FILES

FRAMES = 3
FRAMES_OF_FIXES = 8  # decisions are counted
ACT = lf.ACTIVATION
WEIGHTS, OPERATOR = ("model.weights",), ("model.operator",)


@dataclass
class LayerFault:
    name: str
    causes: tuple
    patch: Callable
    parameters: list
    layers: int = 2  # of each model
    models: tuple = ()  # (): all
    fast: tuple = ()  # models of the fast subset


FLOATS = ("lite0", "mobilenet_v1")
LAYER_FAULTS = [
    LayerFault("weights_noised", WEIGHTS, lf.noisy, [0.3, 1], fast=("mobilenet_v1",)),
    LayerFault("weights_transposed", WEIGHTS, lf.transposed, [0], fast=("mobilenet_v1_uint8",)),
    LayerFault("weights_channels", WEIGHTS, lf.channels, [0, 1]),
    LayerFault("bias_lost", WEIGHTS, lf.scaled_bias, [0]),
    LayerFault("weights_zero", ("model.weights", "layer.constant"), lf.dead, [0]),
    LayerFault("weights_nan", ("layer.nan", "model.weights"), lf.not_finite, [float("nan"), float("inf")], models=FLOATS,
               fast=("mobilenet_v1",)),
    LayerFault("weights_zero_point", WEIGHTS, lf.weight_zero_point, [8, -20]),
    LayerFault("range_narrow", ("layer.saturation", "layer.range"), lf.output_scale, [0.25], fast=("mobilenet_v1_uint8",)),
    LayerFault("range_wide", ("layer.range",), lf.output_scale, [8, 16]),
    LayerFault("output_zero_point", ("layer.zero_point", "layer.saturation"), lf.output_zero_point, [64, 100]),
    LayerFault("activation_lost", OPERATOR, lf.activation, [(ACT.RELU6, ACT.NONE), (ACT.RELU6, ACT.RELU)], models=FLOATS,
               fast=("mobilenet_v1",)),
    LayerFault("activation_added", OPERATOR, lf.activation, [(ACT.NONE, ACT.RELU)]),
    LayerFault("dilation", OPERATOR, lf.dilation, [2]),
    LayerFault("pool_window", OPERATOR, lf.pool_window, [1], layers=1),
    LayerFault("softmax_beta", OPERATOR, lf.beta, [0.5], layers=1),
    LayerFault("resize_corners", OPERATOR, lf.corners, [0], models=("deeplab",)),
    LayerFault("operands_swapped", OPERATOR, lf.swapped, [0]),
]
MODELS = ("lite0", "lite0_uint8", "lite0_uint8_vs_float", "mobilenet_v1", "mobilenet_v1_uint8", "mobilenet_v2_uint8", "deeplab")
# Calibrations of the assets: what every layer has, so no layer is asked for.
CALIBRATIONS = {"flat": "efficientnet_lite0_int8_flatcal.tflite", "dark": "efficientnet_lite0_int8_darkcal.tflite"}


# One scale for the weights of all channels, which the first depthwise layer loses some by: of which
# model the file is, and the file that has a scale for each.  (EfficientNet-Lite0 loses next to nothing.)
PER_TENSOR = [("mobilenet_v2_dogs_int8_per_tensor.onnx", "mobilenet_v2_dogs_int8.onnx", "dogs")]


def models():
    """{name: Model}: those that only faults inside models have."""
    paths = [FILES / f"mobilenet_v2_dogs_{kind}.onnx" for kind in ("float", "int8")]
    if not all(p.exists() for p in paths):
        return {}
    right = {**LITE0, "layout": "nchw"}
    reference, edge = (Model("dogs" + name, path, right, width=160, height=160) for name, path in zip(("_float", ""), paths))
    edge.reference = reference
    return {"dogs": edge}


def _case(name, severity, model, **more):
    more = {"frames": FRAMES, **more}
    return Case(name, severity, model.name, "jpeg", "full", True, pictures=pictures_for(model.name, "jpeg"), input_fault=False, **more)


def _of(fault, model):
    found = []
    for severity, parameter in enumerate(fault.parameters):
        nodes = lf.spread(lf.candidates(model.path, fault.patch, parameter), fault.layers)
        for node in nodes:
            patch = partial(lf.patched, model.path, fault.patch, parameter, node)
            found.append(_case(f"layer:{fault.name}@{node}", severity, model, links=[list(fault.causes)], patch=patch, layer=node))
    return found


def faults(models):
    found = []
    for fault in LAYER_FAULTS:
        for name in MODELS:
            if name in models and name in (fault.models or MODELS):
                found += _of(fault, models[name])
    for kind, file in CALIBRATIONS.items():
        path = FILES / file
        for name in ("lite0_uint8", "lite0_uint8_vs_float"):
            if name in models and path.exists():
                found.append(_case(f"layer:calibrated_{kind}", 0, models[name], edge_model=str(path),
                                   links=[["layer.saturation", "layer.range"]],
                                   frames=FRAMES_OF_FIXES, fix={"what": "alibrat", "edge_model": str(models[name].path)}))
    for file, right, name in PER_TENSOR:
        paths = [FILES / f for f in (file, right)]
        if name in models and all(p.exists() for p in paths):
            found.append(_case("layer:one_scale", 0, models[name], edge_model=str(paths[0]), isolate=True,
                               links=[["layer.per_tensor_weights"]], layer_op="depthwise",
                               frames=FRAMES_OF_FIXES, fix={"what": "per channel", "edge_model": str(paths[1])}))
    return found


def healthy(models):
    found = []
    for name in MODELS:
        if name not in models:
            continue
        model = models[name]
        found.append(_case("layer:unpatched", 0, model, kind="healthy", options={"kernels": "builtin"}, reference={"kernels": "xnnpack"}))
        for seed in ("11", "12"):
            found.append(_case(f"layer:other_pictures_{seed}", 0, model, kind="healthy"))
            found[-1].pictures = seed
        if name == "lite0_uint8":  # what one layer's weights per tensor cost this network: nothing that shows
            for node in lf.spread(lf.candidates(model.path, lf.one_scale, 16), 2):
                patch = partial(lf.patched, model.path, lf.one_scale, 16, node)
                found.append(_case(f"layer:one_scale@{node}", 0, model, kind="healthy", patch=patch))
            if "lite0_int8" in models:  # calibrated by another tool
                found.append(_case("layer:other_quantizer", 0, model, kind="healthy", edge_model=str(models["lite0_int8"].path)))
        if not model.integer:
            found.append(_case("layer:half_weights", 0, model, kind="healthy", patch=partial(lf.all_half, model.path)))
    return found


def fast(models):
    return [c for fault in LAYER_FAULTS for name in fault.fast if name in models for c in _of(fault, models[name])[:1]]
