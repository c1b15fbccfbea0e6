"""Slow for real: another level of optimization, other kernels, the engines' reference kernels; nothing is slowed on purpose."""

import os
import subprocess
import time
from functools import partial
from pathlib import Path

import class_rows
from fault_rows import judge
from places import EXRAY, ROOT, engine_of, run, with_kernels
from preprocessing import pipeline
from rows import Row
from testdata import PICTURES

FRAMES = 12
# A Python with the package exray, for LiteRT's reference kernels (scripts/python_package.sh build fresh).
PYTHON = Path(os.environ.get("EXRAY_PYTHON", ROOT / "build/python-fresh/bin/python"))
REFERENCE_KERNELS = """
import sys
import numpy as np
import exray, exray.litert
from ai_edge_litert.interpreter import Interpreter, OpResolverType
model, out, kind, frames = sys.argv[1:]
types = OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
interpreter = Interpreter(model, experimental_op_resolver_type=types[kind != "reference"], experimental_preserve_all_tensors=True)
interpreter.allocate_tensors()
rng, d = np.random.default_rng(0), interpreter.get_input_details()[0]
with exray.Recorder(out, role="edge" if kind == "reference" else "reference", capture="stats") as recorder:
    exray.litert.tap(interpreter, recorder, model)
    for k in range(int(frames)):
        interpreter.set_tensor(d["index"], rng.normal(0, .5, d["shape"]).astype(d["dtype"]))
        with recorder.frame(source=str(k)):
            interpreter.invoke()
"""
LAYERS = 5  # of which the ratio is told, where they take this share of the time
SHARE = 0.02


def _record(folder, name, model, settings, side, *options, environment=None):
    text, out = folder / "l.yaml", folder / f"{name}.mcap"
    text.write_text(pipeline(settings, side, side, "classification"))
    run(EXRAY, "record", "--engine", engine_of(model), "--model", model, "--pipeline", text, "--data", PICTURES, "--frames", str(FRAMES), "--capture", "stats",
        "-o", out, *options, environment=environment)
    return out


def _pair(folder, model, edge, reference, environment=None):
    """The logs of one model with these options on either side."""
    return (_record(folder, "edge", model.path, model.right, model.width, *edge, environment=environment),
            _record(folder, "reference", model.path, model.right, model.width, *reference, "--role", "reference"))


def _own_kernels(folder, model):
    return _pair(folder, model, ("--kernels", "builtin"), ("--kernels", "builtin"), with_kernels("right", folder / "kernels.txt"))


def _reference_kernels(folder, model):
    logs = []
    for kind in ("reference", "builtin"):
        logs.append(folder / f"litert-{kind}.mcap")
        run(PYTHON, "-c", REFERENCE_KERNELS, model.path, logs[-1], kind, FRAMES)
    return logs


def _has_package():
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", "import exray, ai_edge_litert"], capture_output=True, check=False).returncode == 0


def _all(folder):
    """(name, what the edge runs, right causes, how the logs are made); none: it is not slower than healthy runs are."""
    models = class_rows.models()
    onnx, kernels, straggler = models.get("lite0_onnx"), ("perf.kernels",), ("perf.straggler", "perf.kernels")
    if onnx:
        yield "lite0_onnx", "ONNX Runtime without optimization, for its default", kernels, partial(_pair, folder, onnx, ("--kernels", "none"), ())
        many, few = 8 * (os.cpu_count() or 1), os.cpu_count() or 1
        yield ("lite0_onnx", f"ONNX Runtime with {many} threads on {few} processors, for {few}", ("perf.threads",),
               partial(_pair, folder, onnx, ("--threads", str(many)), ("--threads", str(few))))
    for name in ("lite0", "mobilenet_v1"):
        if name in models:
            yield (name, "TensorFlow Lite's own kernels, for XNNPACK's", kernels,
                   partial(_pair, folder, models[name], ("--kernels", "builtin"), ("--kernels", "xnnpack")))
    for name in ("mobilenet_v1", "mobilenet_v1_uint8"):
        if name in models:
            yield (name, "plain loops for depthwise convolutions, pools and means, for TensorFlow Lite's own kernels", straggler,
                   partial(_own_kernels, folder, models[name]))
    for name in ("mobilenet_v1", "lite0"):
        if name in models and _has_package():
            yield name, "LiteRT's reference kernels (BUILTIN_REF, Python), for its own", straggler, partial(_reference_kernels, folder, models[name])


def _row(number, name, what, causes, logs):
    began = time.monotonic()
    said = judge(*logs())
    latency, found = said["latency"], [f for f in said["findings"] if f["cause"].startswith("perf.") and f["severity"] != "info"]
    slow = [{"op": s["op"], "layer": s["layer"], "ratio": s["ratio"], "share": s["share"]} for s in latency["stragglers"]]
    ops = {layer["edge"]["index"]: layer["edge"]["op"] for layer in said["layers"]}
    layers = [{"op": ops.get(i["edge"]["index"], ""), "layer": i["edge"]["index"], "ratio": i["ratio"], "ms": i["edge"]["median_ms"]} for i in latency["layers"]
              if i["ratio"] and i["edge"]["median_ms"] >= SHARE * latency["edge_ms"]]
    layers.sort(key=lambda i: -i["ms"])
    return Row("latency", "classification", name, what, number, measure="ms", before=latency["edge_ms"], right=latency["reference_ms"], found=bool(found),
               named=list(dict.fromkeys(f["cause"] for f in found)), causes=list(causes), seconds=round(time.monotonic() - began, 1),
               more={"summaries": [f["summary"] for f in found], "slow": slow, "layers": layers[:LAYERS], "processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1)})


def latency(folder, rows, wanted, resume, say):
    """One after the other: they measure times."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for number, (name, what, causes, logs) in enumerate(_all(folder)):
        kept.setdefault(name, []).append(what)
        if wanted(name) and not (resume and rows.get("latency", name, what)):
            say(f"{name}: {what}")
            rows.put(_row(number, name, what, causes, logs))
    for name, faults in kept.items():
        rows.keep("latency", name, faults)
