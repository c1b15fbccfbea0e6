"""Faults in kernels: the engine runs operators by kernels of our own (tests/faults/kernels),
which are wrong on purpose, in all nodes of an operator or in one of them; run by `exray record`, and
by an application.

Which layers are wrong is not laid down here: the kernel says how far its result is from the
right one on the same inputs.  Where none is wrong beyond rounding, there is no fault."""

from dataclasses import dataclass

import layer_files as lf
from ai_edge_litert import schema_py_generated as schema
from bench_models import FOLDER, Model
from cases import pictures_for
from execute import Case
from model_files import FLOAT32, write

FRAMES = 3
BUILTIN = {"depthwise": "DEPTHWISE_CONV_2D", "pool": "AVERAGE_POOL_2D", "mean": "MEAN", "add": "ADD"}
FLOATS, UINT8S, INT8 = ("lite0", "mobilenet_v1", "deeplab"), ("mobilenet_v1_uint8", "mobilenet_v2_uint8"), ("lite0_uint8",)
POOLED = ("mobilenet_v1_pooled", "mobilenet_v1_uint8_pooled", "lite0_uint8_pooled")


@dataclass
class KernelFault:
    op: str
    how: str
    models: tuple
    fast: tuple = ()
    only: object = None  # (file, node): whether it can have the fault


def _strided(file, node):
    return node.builtinOptions.strideH > 1


def _dilated(file, node):
    return node.builtinOptions.dilationHFactor > 1


KERNEL_FAULTS = [
    KernelFault("depthwise", "wraps", (*INT8, *UINT8S), fast=INT8),
    KernelFault("depthwise", "saturates", (*INT8, *UINT8S)),
    KernelFault("depthwise", "no_offset", INT8),
    KernelFault("depthwise", "pads_zero", INT8),
    KernelFault("depthwise", "no_padding", ("lite0", "mobilenet_v1", *INT8, *UINT8S)),
    KernelFault("depthwise", "no_stride", ("lite0", "mobilenet_v1", *INT8), only=_strided),
    KernelFault("depthwise", "no_dilation", ("deeplab",), only=_dilated),
    KernelFault("depthwise", "wrong_tap", (*FLOATS, *INT8, "mobilenet_v1_uint8"), fast=("mobilenet_v1",)),
    KernelFault("depthwise", "one_scale", INT8),
    KernelFault("pool", "full_window", POOLED),
    KernelFault("pool", "shifts", ("mobilenet_v1", "deeplab", *UINT8S), fast=("mobilenet_v1_uint8",)),
    KernelFault("pool", "truncates", UINT8S),
    KernelFault("mean", "shifts", ("lite0", *INT8)),
    KernelFault("mean", "no_offset", INT8),
    KernelFault("add", "swapped", (*INT8, "mobilenet_v2_uint8")),
    KernelFault("add", "no_offset", (*INT8, "mobilenet_v2_uint8")),
]


def with_pools(source, out):
    """Two average pools of 3 by 3, of the picture's size: the networks here have none that reaches
    beyond the picture."""
    file = lf.File(source)
    for position in (0.3, 0.6):
        at = next(n for n in range(int(position * len(file.nodes)), len(file.nodes))
                  if file.op(file.nodes[n]) == "DEPTHWISE_CONV_2D")
        _pool_behind(file, file.nodes[at])
    file.model.signatureDefs = []
    write(file.model, out)


def _pool_behind(file, node):
    before = int(node.outputs[0])
    made = file.tensor(before)
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer, tensor.quantization = list(made.shape), made.type, 0, made.quantization
    tensor.name = made.name + b"_pooled"
    for reader in file.readers(node):
        reader.inputs = [len(file.graph.tensors) if t == before else int(t) for t in reader.inputs]
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.AVERAGE_POOL_2D
    code.version = 2 if made.type != FLOAT32 else 1
    file.model.operatorCodes.append(code)
    pool = schema.OperatorT()
    pool.opcodeIndex, pool.inputs, pool.outputs = len(file.model.operatorCodes) - 1, [before], [len(file.graph.tensors)]
    pool.builtinOptionsType, options = schema.BuiltinOptions.Pool2DOptions, schema.Pool2DOptionsT()
    options.padding, options.strideW, options.strideH, options.filterWidth, options.filterHeight = 0, 1, 1, 3, 3
    pool.builtinOptions = options
    file.graph.tensors.append(tensor)
    file.nodes.insert(next(i for i, n in enumerate(file.nodes) if n is node) + 1, pool)


def models(known):
    """{name: Model}: those of `known` that get pools."""
    found = {}
    for name in POOLED:
        model = known.get(name.removesuffix("_pooled"))
        if not model:
            continue
        out = FOLDER / f"{name}.tflite"
        with_pools(model.path, out)
        found[name] = Model(name, out, model.right, task=model.task, width=model.width, height=model.height, scale=model.scale,
                            zero_point=model.zero_point, output_zero_point=model.output_zero_point)
    return found


def _nodes(model, fault):
    """Numbers of the operator's nodes, and which of them can be wrong."""
    file = lf.File(model.path)
    nodes = [n for n, node in enumerate(file.nodes) if file.op(node) == BUILTIN[fault.op]]
    can = [k for k, n in enumerate(nodes) if not fault.only or fault.only(file, file.nodes[n])]
    return nodes, can


def _case(name, severity, model, **more):
    return Case(name, severity, model.name, "jpeg", "full", True, pictures=pictures_for(model.name, "jpeg"), frames=FRAMES,
                input_fault=False, isolate=True, **more)


def _of(fault, model):
    nodes, can = _nodes(model, fault)
    if not can:
        return []
    spec = f"{fault.op}:{fault.how}"
    common = {"links": [["layer.kernel"]], "kernel_nodes": nodes, "fix": {"what": "kernels"}}
    found = [_case(f"layer:kernel {spec}@all", 0, model, kernels=spec, **common)]
    if len(nodes) > 1:  # the one in the middle
        found.append(_case(f"layer:kernel {spec}@one", 1, model, kernels=f"{spec}:{can[len(can) // 2]}", **common))
    if model.name in fault.fast:  # in an application that links the tap
        found.append(_case(f"layer:kernel {spec}@application", 0, model, kernels=spec, options={"program": "camera_app"}, **common))
    return found


def faults(known):
    return [c for f in KERNEL_FAULTS for name in f.models if name in known for c in _of(f, known[name])]


def healthy(known):
    """The same kernels without a fault."""
    names = dict.fromkeys(name for f in KERNEL_FAULTS for name in f.models)
    found = [_case("layer:own_kernels", 0, known[n], kind="healthy", kernels="right") for n in names if n in known]
    found += [_case("layer:own_kernels_against_xnnpack", 0, known[n], kind="healthy", kernels="right", reference={"kernels": "xnnpack"})
              for n in names if n in known and n not in POOLED]
    return found


def fast(known):
    chosen = [c for f in KERNEL_FAULTS for name in f.fast if name in known for c in _of(f, known[name])]
    return chosen + [c for c in healthy(known) if c.model in ("mobilenet_v1", "mobilenet_v1_uint8") and c.fault == "layer:own_kernels"]

