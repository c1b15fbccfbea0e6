"""What quantization costs: models calibrated badly, or with one scale for all channels, and the same model made as the fix says."""

import time

from bench_models import LITE0
from fault_rows import errors, judge, measured
from places import EXRAY, engine_of, run
from preprocessing import pipeline
from rows import Row
from testdata import MODELS, PICTURES

LITE, DOGS = "efficientnet_lite0_", "mobilenet_v2_dogs_"
ROWS = [  # name, what was done, the edge's file, the file that the fix makes, the reference, side, settings, right causes
    ("lite0_badcal", "calibrated with another normalization", LITE + "int8_badcal.tflite", LITE + "int8.tflite", LITE + "float.tflite", 224, {},
     ("input.quantization",)),
    ("lite0_flatcal", "calibrated on flat pictures", LITE + "int8_flatcal.tflite", LITE + "int8.tflite", LITE + "float.tflite", 224, {}, ("layer.saturation",)),
    ("lite0_darkcal", "calibrated on dark pictures", LITE + "int8_darkcal.tflite", LITE + "int8.tflite", LITE + "float.tflite", 224, {}, ("layer.saturation",)),
    ("dogs_per_tensor", "one scale for the weights of all channels", DOGS + "int8_per_tensor.onnx", DOGS + "int8.onnx", DOGS + "float.onnx", 160,
     {"layout": "nchw"}, ("layer.per_tensor_weights",)),
]
FRAMES = 8  # with every layer


def _row(folder, number, name, what, files, side, settings, causes):
    began, text = time.monotonic(), folder / "q.yaml"
    edge, fixed, reference = (MODELS / f for f in files)
    truth = not files[0].startswith(DOGS)  # ImageNet's classes
    text.write_text(pipeline({**LITE0, **settings}, side, side, "classification"))

    def record(path, log, *options):
        run(EXRAY, "record", "--engine", engine_of(path), "--model", path, "--pipeline", text, "--data", PICTURES, "-o", log, *options)
        return log

    labels = ("--labels", PICTURES / "labels.txt") if truth else ()
    against = record(reference, folder / "q-float.mcap", "--capture", "io", "--role", "reference", *labels)
    said = [judge(record(p, folder / "q-edge.mcap", "--capture", "io", *labels), against) for p in (edge, fixed)]
    logs = [record(p, folder / f"q-{role}.mcap", "--capture", "full", "--frames", str(FRAMES), "--role", role)
            for p, role in ((edge, "edge"), (fixed, "reference"))]
    found = errors(judge(*logs))
    before, after = ([measured(s, "top1", t) for t in (False, True)] for s in said)
    return Row("quantized", "classification", name, what, number, edge.name, "top1", truth, measured(said[0], "top1", truth, "reference") if truth else None,
               before[truth], after[truth], "", bool(found), [f["cause"] for f in found], list(causes), round(time.monotonic() - began, 1),
               {"fixed": fixed.name, "agreement": [before[0], after[0]]})


def quantized(folder, rows, wanted, resume, say):
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, what, *files, side, settings, causes) in enumerate(ROWS):
        if wanted(name) and all((MODELS / f).exists() for f in files) and not (resume and rows.get("quantized", name, what)):
            say(name)
            rows.put(_row(folder, number, name, what, files, side, settings, causes))
