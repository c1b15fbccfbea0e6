"""Classifiers of pictures with classes: accuracy, against the truth.  Breeds of dogs have no classes here: against the reference."""

from functools import partial

import bench_models
import preprocessing
from catalogue import IMAGENET
from fault_rows import Fault, Subject
from places import EXRAY, engine_of, run
from testdata import MODELS, PICTURES

UNIT = {"mean": (0,) * 3, "std": (255,) * 3}
ORDER, VALUES, CROP = ("input.channel_order",), ("input.normalization", "input.quantization"), ("input.crop",)
# What a deployment gets wrong: (name, changed settings, causes).
FAULTS = [
    ("none", {}, ()),
    ("bgr", {"channels": "bgr"}, ORDER),
    ("values in [0, 1]", UNIT, VALUES),
    ("ImageNet's mean and std", {"mean": IMAGENET[0], "std": IMAGENET[1]}, VALUES),
    ("not normalized", {"mean": (0,) * 3, "std": (1,) * 3}, VALUES),
    ("turned by 90 degrees", {"rotate": 90}, ("input.rotation",)),
    ("turned by 180 degrees", {"rotate": 180}, ("input.rotation",)),
    ("mirrored", {"flip": "h"}, ("input.flip",)),
    ("stretched, no crop", {"crop": "none"}, CROP),
    ("letterboxed", {"crop": "letterbox", "pad": 0}, CROP),
    ("nearest neighbor", {"filter": "nearest", "antialias": 0}, ("input.resize",)),
    ("layout", {"layout": None}, ("input.layout",)),
    ("classes off by one", {"label_offset": None}, ("output.label_offset",)),
    ("bgr, turned, [0, 1]", {"channels": "bgr", "rotate": 90, **UNIT}, (*ORDER, *VALUES, "input.rotation")),
]
DOGS_FRAMES = 20
DOGS = dict(crop="center", fraction=0.875, filter="bicubic", antialias=1, mean=(127.5,) * 3, std=(127.5,) * 3, layout="nchw")


def models():
    """Those of the fault bench that are their own reference, and files of ONNX."""
    found = {n: m for n, m in bench_models.load().items() if m.task == "classification" and not m.reference and n != "lite0_uint8"}
    for name, file, right, side in (("lite0_onnx", "efficientnet_lite0_float.onnx", {**bench_models.LITE0, "layout": layout_of}, 224),
                                    ("dogs", "mobilenet_v2_dogs_float.onnx", DOGS, 160), ("dogs_int8", "mobilenet_v2_dogs_int8.onnx", DOGS, 160)):
        path = MODELS / file
        if path.exists():
            settings = {k: v(path) if callable(v) else v for k, v in right.items()}
            found[name] = bench_models.Model(name, path, settings, width=side, height=side)
    return found


def layout_of(path):
    import onnx
    shape = [d.dim_value for d in onnx.load(path, load_external_data=False).graph.input[0].type.tensor_type.shape.dim]
    return "nchw" if shape[1] == 3 else "nhwc"


def _record(model, truth, text, out):
    out.with_suffix(".yaml").write_text(text)
    labels = ["--labels", PICTURES / "labels.txt"] if truth else ["--frames", DOGS_FRAMES]
    run(EXRAY, "record", "--engine", engine_of(model.path), "--model", model.path, "--pipeline", out.with_suffix(".yaml"), "--data", PICTURES, *labels, "--capture", "io", "-o", out)


def _wrong(model, change):
    """The changed settings; None where the model has them anyway."""
    made = dict(change)
    if "layout" in made:
        made["layout"] = "nhwc" if model.right.get("layout") == "nchw" else "nchw"
    if "label_offset" in made:
        made["label_offset"] = model.right.get("label_offset", 0) + 1
    return made if not made or any(model.right.get(k, preprocessing.DEFAULTS.get(k)) != v for k, v in made.items()) else None


def subjects(bench, wanted):
    for model in models().values():
        if wanted(model.name):
            yield _subject(bench, model)


def _subject(bench, model):
    truth = not model.name.startswith("dogs")
    text = partial(preprocessing.pipeline, width=model.width, height=model.height, task=model.task)

    def reference():
        def make():
            edge, out = bench._path("right.mcap"), bench._path(f"{model.name}-reference.mcap")
            _record(model, truth, text(model.right), edge)
            run(EXRAY, "replay", edge, "--engine", engine_of(model.path), "--model", model.path, "--pipeline",
                edge.with_suffix(".yaml"), "--capture", "io", "-o", out)
            edge.unlink()
            return out
        return bench.once(("class", model.name), make)

    def logs(change):
        right, out = reference(), bench._path("edge.mcap")
        _record(model, truth, text({**model.right, **change}), out)
        return out, right

    faults = []
    for name, change, causes in FAULTS:
        made = _wrong(model, change)
        if made is not None:
            faults.append(Fault(name, causes, partial(logs, made)))
    return Subject("classes", "classification", model.name, model.path.name, "top1", faults, partial(_record, model, truth), truth)
