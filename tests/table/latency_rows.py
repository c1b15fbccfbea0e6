"""Slow for real: another level of optimization, other kernels, the engines' reference kernels; nothing is slowed on purpose."""

import json
import os
import subprocess
from pathlib import Path

from places import BUILD, EXRAY, ROOT, run, with_kernels
from preprocessing import pipeline
from testdata import MODELS, PICTURES

FRAMES = 12
# A Python with the package exray, for LiteRT's reference kernels.
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


def _row(what, edge, reference):
    said = json.loads(run(EXRAY, "validate", edge, reference, "--json", "-", allowed=(0, 1, 3)).stdout)
    latency, causes = said["latency"], []
    for f in said["findings"]:
        if f["cause"].startswith("perf."):
            causes.append(f"`{f['cause']}`: {f['summary']}")
    slow = latency.get("stragglers") or []
    ratio = latency["edge_ms"] / latency["reference_ms"] if latency.get("reference_ms") else None
    layers = "; ".join(f"{s.get('name') or (s.get('edge') or {}).get('name', '')}" for s in slow[:3])
    return (f"| {what} | {latency['edge_ms']:.2f} | {latency['reference_ms']:.2f} | " + (f"{ratio:.1f}" if ratio else "-")
            + f" | {'<br>'.join(causes) or 'nothing'}{'<br>' + layers if layers else ''} |")


def _record(folder, name, model, settings, side, *options, environment=None):
    text, out = folder / "l.yaml", folder / f"{name}.mcap"
    text.write_text(pipeline(settings, side, side, "classification"))
    engine = "onnxruntime" if str(model).endswith(".onnx") else "tflite"
    run(EXRAY, "record", "--engine", engine, "--model", model, "--pipeline", text, "--data", PICTURES, "--frames", str(FRAMES), "--capture", "stats",
        "-o", out, *options, environment=environment)
    return out


def latency(folder, models, say):
    folder.mkdir(parents=True, exist_ok=True)
    out = ["## Latency", "", f"Medians of {FRAMES} runs; the machine has other work to do, so ratios say more than times.", "",
           "| the edge runs | ms | reference, ms | ratio | named |", "|---|---|---|---|---|"]
    lite0 = MODELS / "efficientnet_lite0_float.onnx"
    if lite0.exists():
        say("latency: ONNX Runtime")
        settings = dict(crop="center", fraction=0.875, mean=(127,) * 3, std=(128,) * 3, layout="nchw")
        shape = _layout(lite0)
        slow = _record(folder, "ort-none", lite0, {**settings, "layout": shape}, 224, "--kernels", "none")
        fast = _record(folder, "ort-default", lite0, {**settings, "layout": shape}, 224, "--role", "reference")
        out.append(_row("Lite0 with ONNX Runtime, no optimization, for the default", slow, fast))
        threads = _record(folder, "ort-threads", lite0, {**settings, "layout": shape}, 224, "--threads", str(4 * (os.cpu_count() or 1)))
        two = _record(folder, "ort-two", lite0, {**settings, "layout": shape}, 224, "--threads", str(os.cpu_count() or 1), "--role", "reference")
        out.append(_row(f"Lite0 with ONNX Runtime, {4 * (os.cpu_count() or 1)} threads for {os.cpu_count()}", threads, two))
    for name, kernels in (("lite0", "builtin"), ("mobilenet_v1_uint8", "builtin")):
        if name in models:
            say(f"latency: {name}")
            m = models[name]
            slow = _record(folder, f"{name}-{kernels}", m.path, m.right, m.width, "--kernels", kernels)
            fast = _record(folder, f"{name}-xnnpack", m.path, m.right, m.width, "--kernels", "xnnpack", "--role", "reference")
            out.append(_row(f"{name} with TensorFlow Lite's own kernels for XNNPACK's", slow, fast))
    if "mobilenet_v1" in models:
        say("latency: plain kernels")
        m = models["mobilenet_v1"]
        report = folder / "kernels.txt"
        slow = _record(folder, "plain", m.path, m.right, m.width, "--kernels", "builtin", environment=with_kernels("right", report))
        fast = _record(folder, "own", m.path, m.right, m.width, "--kernels", "builtin", "--role", "reference")
        out.append(_row("mobilenet_v1, plain kernels for depthwise convolutions, pools and means", slow, fast))
        if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import exray, ai_edge_litert"], capture_output=True, check=False).returncode == 0:
            say("latency: reference kernels")
            logs = []
            for kind in ("reference", "builtin"):
                logs.append(folder / f"litert-{kind}.mcap")
                run(PYTHON, "-c", REFERENCE_KERNELS, m.path, logs[-1], kind, FRAMES)
            out.append(_row("mobilenet_v1 with LiteRT's reference kernels (Python, BUILTIN_REF)", *logs))
    return [*out, ""]


def _layout(path):
    import onnx
    shape = [d.dim_value for d in onnx.load(path, load_external_data=False).graph.input[0].type.tensor_type.shape.dim]
    return "nchw" if shape[1] == 3 else "nhwc"
