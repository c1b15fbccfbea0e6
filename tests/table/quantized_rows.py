"""What quantization costs: models calibrated badly, or with one scale for all channels, against the same model made well."""

import json

from places import EXRAY, run
from preprocessing import pipeline
from bench_models import LITE0
from testdata import MODELS, PICTURES

ROWS = [  # what was done, the edge's file, the file that the fix makes, the reference, side, settings
    ("calibrated on a dark picture's range", "efficientnet_lite0_int8_darkcal.tflite", "efficientnet_lite0_int8.tflite", "efficientnet_lite0_float.tflite", 224, {}),
    ("calibrated with another normalization", "efficientnet_lite0_int8_badcal.tflite", "efficientnet_lite0_int8.tflite", "efficientnet_lite0_float.tflite", 224, {}),
    ("calibrated on flat pictures", "efficientnet_lite0_int8_flatcal.tflite", "efficientnet_lite0_int8.tflite", "efficientnet_lite0_float.tflite", 224, {}),
    ("one scale for the weights of all channels", "mobilenet_v2_dogs_int8_per_tensor.onnx", "mobilenet_v2_dogs_int8.onnx", "mobilenet_v2_dogs_float.onnx", 160,
     {"layout": "nchw"}),
]
FRAMES = 8  # with every layer


def _engine(path):
    return "onnxruntime" if path.suffix == ".onnx" else "tflite"


def quantized(folder, say):
    folder.mkdir(parents=True, exist_ok=True)
    out = ["## Quantization", "",
           f"*Agreement* with the float model on all pictures with classes; findings on {FRAMES} of them with every layer recorded.", "",
           "| what was done | file | agreement | found | named | with the fix done |", "|---|---|---|---|---|---|"]
    for what, edge, fixed, reference, side, settings in ROWS:
        paths = [MODELS / f for f in (edge, fixed, reference)]
        if not all(p.exists() for p in paths):
            continue
        say(edge)
        text = folder / "q.yaml"
        text.write_text(pipeline({**LITE0, **settings}, side, side, "classification"))

        def record(path, log, *options):
            run(EXRAY, "record", "--engine", _engine(path), "--model", path, "--pipeline", text, "--data", PICTURES, "-o", log, *options)

        def agreement(path, log):
            record(path, folder / "q-edge.mcap", "--capture", "io")
            said = json.loads(run(EXRAY, "validate", folder / "q-edge.mcap", log, "--json", "-", allowed=(0, 1, 3)).stdout)
            return said["accuracy"]["agreement"]

        record(paths[2], folder / "q-float.mcap", "--capture", "io", "--role", "reference")
        before, after = (agreement(p, folder / "q-float.mcap") for p in paths[:2])
        logs = folder / "q-wrong.mcap", folder / "q-right.mcap"
        record(paths[0], logs[0], "--capture", "full", "--frames", str(FRAMES))
        record(paths[1], logs[1], "--capture", "full", "--frames", str(FRAMES), "--role", "reference")
        said = json.loads(run(EXRAY, "validate", *logs, "--json", "-", allowed=(0, 1, 3)).stdout)
        names = ", ".join(f"`{c}`" for c in dict.fromkeys(f["cause"] for f in said["findings"] if f["severity"] == "error")) or "nothing"
        out.append(f"| {what} | {edge} | {100 * before:.1f} % | {'yes' if said['verdict'] == 'fail' else '**no**'} | {names} | {100 * after:.1f} % |")
    return [*out, ""]
