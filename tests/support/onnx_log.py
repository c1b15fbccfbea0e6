"""Logs of ONNX models, written with onnxruntime, onnx and an MCAP writer that are not
ours: what the alignment of a TensorFlow Lite log with an ONNX one is tested on."""

import hashlib

import numpy as np
import onnx
import onnxruntime as ort
from log_writer import PB, Log
from onnx import numpy_helper
from validate_support import validate

DTYPES = {1: 1, 2: 6, 3: 5, 4: 8, 5: 7, 6: 9, 7: 11, 9: 13, 10: 2, 11: 4, 12: 10, 13: 12}


def optimized(path, folder, level="extended"):
    """The graph that onnxruntime runs at that level of optimization, as a model of its own."""
    if level == "none":
        return onnx.load(path)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / f"{path.stem}.optimized.onnx")
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnx.load(options.optimized_model_filepath)


def exposed_session(model):
    model = onnx.ModelProto.FromString(model.SerializeToString())
    have = {o.name for o in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in have:
                model.graph.output.add(name=name)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def body_text(graph):
    """A body by its operators and its weights."""
    arrays = [numpy_helper.to_array(i) for i in graph.initializer]
    arrays += [numpy_helper.to_array(a.t) for n in graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"]
    weights = np.concatenate([np.zeros(0), *(a.reshape(-1).astype(np.float64) for a in arrays if a.dtype == np.float32)])
    text = "graph of " + ",".join(n.op_type for n in graph.node if n.op_type != "Constant")
    return text + (f"; float32 {weights.size} mean {weights.mean():.6g} rms {np.sqrt((weights**2).mean()):.6g}" if weights.size else "")


def attribute_text(attribute):
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.GraphProto):
        return body_text(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        return ",".join(v.decode() if isinstance(v, bytes) else f"{v:.9g}" for v in value)
    return f"{value:.9g}" if isinstance(value, (int, float)) else "..."


def quantizations(graph, constants):
    """Scale and zero point of integer tensors, as the nodes around them say."""
    found = {}

    def note(tensor, scale, zero):
        if scale in constants and tensor not in found:
            found[tensor] = (constants[scale].reshape(-1), constants[zero].reshape(-1) if zero in constants else [0])

    for node in graph.node:
        inputs = list(node.input)
        if node.op_type == "QuantizeLinear":
            note(node.output[0], inputs[1], inputs[2] if len(inputs) > 2 else "")
        elif node.op_type == "DequantizeLinear":
            note(inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else "")
        elif node.op_type in ("QLinearConv", "QLinearMatMul", "QGemm"):
            base = 7 if node.op_type == "QGemm" else 6
            note(inputs[0], inputs[1], inputs[2])
            note(inputs[3], inputs[4], inputs[5])
            if len(inputs) > base + 1:
                note(node.output[0], inputs[base], inputs[base + 1])
        elif node.op_type == "DynamicQuantizeMatMul":
            note(inputs[1], inputs[2], inputs[3] if len(inputs) > 3 else "")
        elif node.op_type in ("QLinearAdd", "QLinearMul"):
            note(node.output[0], inputs[6], inputs[7])
        elif node.op_type in ("QLinearGlobalAveragePool", "QLinearSoftmax", "QLinearAveragePool"):
            note(node.output[0], inputs[3], inputs[4])
    return found


def captured(node):
    """The tensors that the graphs within a node read from around it."""
    found = []
    for graph in (a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH):
        made = {i.name for i in graph.input} | {i.name for i in graph.initializer} | {o for n in graph.node for o in n.output}
        found += [i for n in graph.node for i in n.input if i and i not in made]
    return list(dict.fromkeys(found))


def describe(model, arrays, anonymous):
    """The Model message of a graph and the positions of its tensors.  Anonymous: as exporters number them."""
    graph = model.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    message = PB["Model"](name="model.onnx", engine="onnxruntime", engine_version=ort.__version__, kernels="default",
                          threads=1)
    scales = quantizations(graph, constants)
    position = {}

    def tensor(name):
        if not name:
            return 0xFFFFFFFF
        if name not in position:
            position[name] = len(message.tensors)
            array = constants.get(name, arrays.get(name))
            t = message.tensors.add(name=str(1000 - position[name]) if anonymous else name, constant=name in constants)
            if array is not None:
                t.dtype = DTYPES[onnx.helper.np_dtype_to_tensor_dtype(array.dtype)]
                t.shape.extend(array.shape)
            if name in scales and array is not None and array.dtype in (np.int8, np.uint8, np.int16, np.uint16, np.int32):
                t.quantization.scale.extend(float(v) for v in scales[name][0])
                t.quantization.zero_point.extend(int(v) for v in scales[name][1])
                if len(scales[name][0]) > 1:  # a scale for each channel
                    t.quantization.axis = array.shape.index(len(scales[name][0]))
        return position[name]

    for node in graph.node:
        n = message.nodes.add(op=node.op_type, name="" if anonymous else node.name, inputs=[tensor(i) for i in [*node.input, *captured(node)]],
                              outputs=[tensor(o) for o in node.output])
        for attribute in node.attribute:
            n.attributes[attribute.name] = attribute_text(attribute)
    message.inputs.extend(tensor(i.name) for i in graph.input)
    message.outputs.extend(tensor(o.name) for o in graph.output)
    return message, position


def record(path, out, inputs, folder, level="extended", role="reference", capture="full", sources=None,
           anonymous=False, constants=False, file=False):
    """A log of an ONNX model on the given inputs (one array a frame).  constants: their values, too; file: which file it was."""
    model = optimized(path, folder, level)
    session = exposed_session(model)
    names = [o.name for o in session.get_outputs()]
    feed = session.get_inputs()[0].name
    log = Log(out, metadata={"role": role, "task": "classification"})
    message = position = None
    for frame, array in enumerate(inputs):
        arrays = dict(zip(names, session.run(names, {feed: array}), strict=True)) | {feed: array}
        if message is None:
            message, position = describe(model, arrays, anonymous)
            if file:
                message.name, message.sha256 = path.name, hashlib.sha256(path.read_bytes()).digest()
            log.add("/model", "Model", message)
            for initializer in model.graph.initializer if constants else ():
                if initializer.name not in position:
                    continue
                t = PB["Tensor"](tensor=position[initializer.name], data=numpy_helper.to_array(initializer).tobytes())
                t.info.CopyFrom(message.tensors[position[initializer.name]])
                log.add(f"/constant/{position[initializer.name]}", "Tensor", t)
        begin = log.time + 5

        def put(topic, name, array, frame=frame):
            info = message.tensors[position[name]]
            t = PB["Tensor"](frame=frame, tensor=position[name])
            t.info.CopyFrom(info)
            t.info.ClearField("shape")
            t.info.shape.extend(array.shape)  # of this frame
            if capture == "full" or not topic.startswith("/layer"):
                t.data = np.ascontiguousarray(array).tobytes()
            else:
                values = array.astype(np.float64)
                if info.quantization.scale:
                    values = (values - info.quantization.zero_point[0]) * info.quantization.scale[0]
                t.stats.count, t.stats.min, t.stats.max = values.size, values.min(), values.max()
                t.stats.mean, t.stats.variance = values.mean(), values.var()
            log.add(topic, "Tensor", t)

        put(f"/input/{feed}", feed, array)
        for i, node in enumerate(model.graph.node):
            for k, name in enumerate(node.output):
                if name:  # else an optional one that is left out
                    put(f"/layer/{i}" if k == 0 else f"/layer/{i}/{k}", name, arrays[name])
        for o in model.graph.output:
            put(f"/output/{o.name}", o.name, arrays[o.name])
        log.frame(frame, begin, source=sources[frame] if sources else f"{frame}", inference_ns=1000000)
    log.finish()
    return message


def verdict_of(tmp_path, edge, reference, status, level="none", shape=(1, 3, 12, 16), scale=2.0):
    inputs = [scale * np.random.default_rng(i).normal(size=shape).astype(np.float32) for i in range(3)]
    for path, role in ((edge, "edge"), (reference, "reference")):
        record(path, tmp_path / f"{role}.mcap", inputs, tmp_path, level=level, role=role, constants=True)
    # Of functions that are written in many nodes, few have a counterpart.
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", "--min-coverage", "0.05", status=status)
