"""Pairs of logs for `exray validate`, written by a writer that is not ours
(log_writer.py), and its verdict as JSON."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import testdata
from log_writer import DTYPES, PB, Log

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("EXRAY_BUILD_DIR", "build")
EXRAY = BUILD / "exray"


def validate(edge, reference, *options, status=None):
    """The verdict of a pair of logs; its exit status must be the verdict's."""
    command = [EXRAY, "validate", edge, reference, "--json", "-", *options]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert result.returncode in (0, 1, 3), f"exit status {result.returncode}\n{result.stdout}{result.stderr}"
    verdict = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert verdict["verdict"] == {0: "pass", 1: "fail", 3: "inconclusive"}[result.returncode]
    if status is not None:
        assert result.returncode == status, result.stdout
    return verdict


def causes(verdict):
    return [f["cause"] for f in verdict["findings"]]


def finding(verdict, cause):
    found = [f for f in verdict["findings"] if f["cause"] == cause]
    assert len(found) == 1, f"{cause} found {len(found)} times: {causes(verdict)}"
    return found[0]


class Recording(Log):
    """A log of frames: `with` closes it."""

    def __init__(self, path, role="edge", **metadata):
        super().__init__(path, metadata={"role": role, "log_id": f"{role}-1", **metadata})
        self.path, self.count = path, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.writer.finish()

    def model(self, tensors, nodes, inputs, outputs):
        """tensors: (name, dtype, shape, scale, zero_point, axis); nodes: (op, inputs, outputs)."""
        m = PB["Model"](name="model", engine="tflite", kernels="builtin", inputs=inputs, outputs=outputs)
        for name, dtype, shape, scale, zero_point, axis in tensors:
            t = m.tensors.add(name=name, dtype=DTYPES[dtype], shape=shape)
            if len(scale):
                t.quantization.scale.extend(map(float, scale))
                t.quantization.zero_point.extend(map(int, zero_point))
                t.quantization.axis = axis
        for op, node_inputs, node_outputs in nodes:
            m.nodes.add(op=op, inputs=[i & 0xFFFFFFFF for i in node_inputs], outputs=node_outputs)
        self.add("/model", "Model", m)

    def frame(self, tensors=(), source=None, label=None, result=None):
        """tensors: (topic, array, keywords of Log.tensor)."""
        index, begin = self.count, self.time
        self.count += 1
        for topic, array, keywords in tensors:
            self.tensor(topic, array, frame=index, **keywords)
        if result is not None:
            r = PB["Result"](frame=index)
            for i, k in enumerate(result):
                r.classes.add(id=k, score=1.0 - i / 10)
            self.add("/result", "Result", r)
        f = PB["Frame"](index=index, source=f"{index}.jpg" if source is None else source, begin_ns=begin,
                        end_ns=self.time + 10, inference_ns=2_000_000)
        if label is not None:
            f.label = label
        self.add("/frame", "Frame", f)

    def stats(self, topic, array, frame, low=None, counted=True):
        """counted: values that are no number are, and are left out of the moments."""
        a = np.asarray(array, np.float64)
        finite = a[np.isfinite(a)] if counted else a
        t = PB["Tensor"](frame=frame)
        t.info.dtype = 1
        t.info.shape.extend(a.shape)
        t.stats.count = a.size
        if counted:
            t.stats.nan_count, t.stats.inf_count = int(np.isnan(a).sum()), int(np.isinf(a).sum())
        t.stats.min, t.stats.max = finite.min(), finite.max()
        t.stats.mean, t.stats.variance = finite.mean(), finite.var()
        self.add(topic, "Tensor", t)


def write_inputs(path, role, inputs, name="image", shape=None, keywords=None, outputs=None, **metadata):
    """A log of frames that have a model input each, and an output where given."""
    with Recording(path, role, **metadata) as log:
        for i, array in enumerate(inputs):
            array = np.ascontiguousarray(array)
            tensors = [(f"/input/{name}", array[None] if shape is None else array.reshape(shape), keywords or {})]
            if outputs is not None:
                tensors.append(("/output/probabilities", np.asarray(outputs[i], np.float32)[None], {}))
            log.frame(tensors)
    return path


# ---- Pictures ----------------------------------------------------------------------


def textures(count=6, size=96, seed=1):
    """Coloured pictures with the spectrum of photographs (1/f) and partly common channels."""
    random = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    f[0, 0] = 1
    pictures = []
    for _ in range(count):
        planes = [np.fft.ifft2(np.fft.fft2(random.normal(size=(size, size))) / f).real for _ in range(4)]
        planes = [(p - p.mean()) / p.std() for p in planes]
        rgb = np.stack([planes[0] * 0.85 + planes[c + 1] * 0.5 for c in range(3)], -1)
        offsets = random.uniform(-25, 25, 3)
        pictures.append(np.clip(np.round(128 + offsets + 48 * rgb), 0, 255).astype(np.uint8))
    return pictures


def photographs(count=12, size=160):
    """Photographs, their center; skips where there are none."""
    files = testdata.pictures(count)
    from PIL import Image

    pictures = []
    for file in files:
        image = Image.open(file).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.BICUBIC)
        pictures.append(np.asarray(image))
    return pictures


def normalize(pictures, mean, std):
    mean, std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    return [((p.astype(np.float32) - mean) / std).astype(np.float32) for p in pictures]


LITE0 = ([127, 127, 127], [128, 128, 128])
SYMMETRIC = ([127.5, 127.5, 127.5], [127.5, 127.5, 127.5])
UNIT = ([0, 0, 0], [255, 255, 255])
RAW = ([0, 0, 0], [1, 1, 1])
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


# ---- Real models ---------------------------------------------------------------------


def record_litert(path, model, inputs, role="edge", labels=None, layers=True, kernels="builtin", **metadata):
    """Runs a model in ai-edge-litert's Python interpreter, every tensor kept, and logs it.
    inputs: real values in the model's layout, quantized here as the model wants."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {"builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "reference": OpResolverType.BUILTIN_REF,
                "xnnpack": OpResolverType.AUTO}[kernels]
    keep = {} if kernels == "xnnpack" else {"experimental_preserve_all_tensors": True}
    run = Interpreter(str(model), experimental_op_resolver_type=resolver, num_threads=1, **keep)
    run.allocate_tensors()
    details = sorted(run.get_tensor_details(), key=lambda d: d["index"])
    number = {d["index"]: i for i, d in enumerate(details)}
    ops = run._get_ops_details()
    into, out = run.get_input_details()[0], run.get_output_details()[0]

    def described(d):
        q = d["quantization_parameters"]
        name = np.dtype(d["dtype"]).name
        return d["name"], name if name in DTYPES else "int32", d["shape"], q["scales"], q["zero_points"], q["quantized_dimension"]

    def quantized(d):
        q = d["quantization_parameters"]
        return {"scale": list(map(float, q["scales"])), "zero_point": list(map(int, q["zero_points"]))} if len(q["scales"]) else {}

    def numbers(indices):
        return [number.get(i, -1) for i in indices]

    if kernels == "xnnpack":
        ops = [op for op in ops if out["index"] in op["outputs"]][:1] or ops[-1:]
    with Recording(path, role, task="classification", **metadata) as log:
        log.model([described(d) for d in details],
                  [(op["op_name"], numbers(op["inputs"]), numbers(op["outputs"])) for op in ops],
                  [number[into["index"]]], [number[out["index"]]])
        for i, values in enumerate(inputs):
            scale, zero_point = into["quantization"]
            if scale:
                limits = np.iinfo(into["dtype"])
                values = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max)
            values = values.astype(into["dtype"]).reshape(into["shape"])
            run.set_tensor(into["index"], values)
            run.invoke()
            tensors = [(f"/input/{into['name']}", values, quantized(into))]
            if layers and kernels != "xnnpack":
                for n, op in enumerate(ops):
                    d = details[number[op["outputs"][0]]]
                    tensors.append((f"/layer/{n}", run.get_tensor(d["index"]), quantized(d)))
            tensors.append((f"/output/{out['name']}", run.get_tensor(out["index"]), quantized(out)))
            log.frame(tensors, label=None if labels is None else labels[i])
    return path
