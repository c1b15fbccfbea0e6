"""Real models of each task, their right pipelines, and pictures on which they find something."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import model_files
import numpy as np
from places import BUILD, CACHE, EXRAY, Failed, engine_of, run
from preprocessing import pipeline
from testdata import ASSETS, MODELS, PICTURES

FOLDER = BUILD / "faults" / "tasks"
UNIT = dict(mean=(0,) * 3, std=(255,) * 3)  # [0, 1]
SIGNED = dict(mean=(127.5,) * 3, std=(127.5,) * 3)  # [-1, 1]
PADDED = dict(crop="letterbox", pad=0)


@dataclass
class TaskModel:
    name: str
    task: str
    file: str
    side: tuple  # width, height
    right: dict
    output: str = ""  # keys of `output:`
    pictures: str = "people"
    kernels: tuple = ()  # others that a healthy edge may have
    make: object = None  # (path): builds the file where none has it
    source: str = ""  # the model of which `make` builds it
    told: str = ""  # what its results are: the kind of fault that can be done to them
    path: Path = field(default=None)

    @property
    def engine(self):
        return engine_of(self.file)

    def pipeline(self, settings):
        text = pipeline({**self.right, **settings}, *self.side, self.task)
        head, _, _ = text.rpartition("output:")
        return head + f"output: {{{self.output}}}\n"


def _astronaut():
    wheels = sorted((CACHE / "wheels").glob("scikit_image-*.whl"))
    if not wheels:
        raise Failed(f"no scikit-image wheel in {CACHE / 'wheels'}: run scripts/bootstrap.sh test")
    from io import BytesIO

    from PIL import Image
    with zipfile.ZipFile(wheels[-1]) as archive:
        return Image.open(BytesIO(archive.read("skimage/data/astronaut.png"))).convert("RGB")


def _people(seed):
    """A person's face and shoulders: other parts, sizes and light of one photograph."""
    from PIL import ImageEnhance
    rng, whole = np.random.default_rng(seed), _astronaut()
    for _ in range(6):
        left, top = rng.integers(0, 110), rng.integers(0, 25)
        right, bottom = rng.integers(400, 512), rng.integers(330, 512)
        made = whole.crop((int(left), int(top), int(right), int(bottom)))
        yield ImageEnhance.Brightness(made).enhance(float(rng.uniform(0.8, 1.15)))


def _faces(seed):
    """The face alone, as a landmark model gets it."""
    rng, whole = np.random.default_rng(seed), _astronaut()
    for _ in range(6):
        half, x, y = rng.integers(62, 90), 224 + rng.integers(-12, 12), 128 + rng.integers(-12, 12)
        left, top = int(max(x - half, 0)), int(max(y - half, 0))
        yield whole.crop((left, top, left + 2 * int(half), top + 2 * int(half)))


def _lines(seed):
    """Printed lines of text, on paper that is not white all over."""
    from PIL import Image, ImageDraw, ImageFont
    words = "camera sensor EDGE model 2026 kernel Layer device 48 lab tensor frame Paris 17:30 light".split()
    rng = np.random.default_rng(seed)
    for _ in range(6):
        text = " ".join(rng.choice(words, 3))
        ground = rng.integers(190, 245, 3)
        made = Image.new("RGB", (320, 48), tuple(int(v) for v in ground))
        ImageDraw.Draw(made).text((int(rng.integers(4, 14)), int(rng.integers(4, 10))), text, tuple(int(v) for v in rng.integers(10, 70, 3)),
                                  ImageFont.load_default(int(rng.integers(23, 27))))
        yield made


def _files(folder, names):
    from PIL import Image
    for name in names:
        yield Image.open(folder / name).convert("RGB")


def _scenes(seed):
    """Things of COCO's classes; where there are no such pictures, photographs with classes."""
    if ASSETS:
        yield from _files(ASSETS / "images", ("cats_and_dogs.jpg", "multi_objects.jpg", "burger.jpg", "segmentation_input_rotation0.jpg"))
    names = sorted(p.name for p in PICTURES.glob("*.JPEG"))
    yield from _files(PICTURES, np.random.default_rng(seed).choice(names, 4, replace=False))


SETS = {"people": _people, "faces": _faces, "lines": _lines, "scenes": _scenes}


def pictures(name, seed):
    """A folder of pictures; made once."""
    folder = FOLDER / f"{name}-{seed}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(SETS[name](seed)):
            picture.save(folder / f"{i}.png")
        (folder / "done").touch()
    return folder


def _embedding(path):
    """MobileNetV2's features of a picture, of length 1."""
    import onnx
    from onnx import TensorProto, helper
    model = onnx.load(MODELS / "mobilenet_v2_dogs_float.onnx")
    graph = model.graph
    del graph.node[[n.op_type for n in graph.node].index("Gemm"):]
    graph.node.append(helper.make_node("LpNormalization", ["gap"], ["embedding"], axis=1, p=2))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 1280]))
    kept = {i for n in graph.node for i in n.input}
    for i in [i for i in graph.initializer if i.name not in kept]:
        graph.initializer.remove(i)
    onnx.save(model, path)


def _selfie(path):
    """MediaPipe's, with the engine's own operator for its last one, which only MediaPipe has: a transposed convolution with a bias."""
    model = model_files.read(MODELS / "mediapipe_selfie_segmentation.tflite")
    graph, code = model.subgraphs[0], next(i for i, c in enumerate(model.operatorCodes) if c.customCode)
    operator = next(o for o in graph.operators if o.opcodeIndex == code)
    kind = model_files.schema.BuiltinOperator.TRANSPOSE_CONV
    model.operatorCodes[code] = model_files.schema.OperatorCodeT()
    model.operatorCodes[code].deprecatedBuiltinCode = model.operatorCodes[code].builtinCode = kind
    model.operatorCodes[code].version = 3
    shape, size = model_files.schema.BufferT(), model_files.schema.TensorT()
    shape.data = np.frombuffer(np.array(graph.tensors[operator.outputs[0]].shape, "<i4").tobytes(), np.uint8)
    size.name, size.shape, size.type, size.buffer = b"output_shape", [4], model_files.schema.TensorType.INT32, len(model.buffers)
    model.buffers.append(shape)
    graph.tensors.append(size)
    given, weights, bias = operator.inputs
    operator.inputs = [len(graph.tensors) - 1, weights, given, bias]
    options = model_files.schema.TransposeConvOptionsT()
    options.padding, options.strideW, options.strideH = 0, 2, 2
    operator.builtinOptionsType, operator.builtinOptions = model_files.schema.BuiltinOptions.TransposeConvOptions, options
    operator.customOptions = None
    model_files.write(model, path)


_TFLITE, _ORT = ("builtin", "xnnpack"), ("none",)
ALL = [
    TaskModel("ssd", "detection", "ssd_mobilenet_v1_coco_300_uint8.tflite", (300, 300), dict(mean=(128,) * 3, std=(128,) * 3),
              "threshold: 0.3", "scenes", _TFLITE, told="boxes"),
    TaskModel("face", "detection", "mediapipe_face_detection_short_range.tflite", (128, 128), {**SIGNED, **PADDED}, "head: palm", "people",
              _TFLITE, told="boxes"),
    TaskModel("palm", "detection", "mediapipe_palm_detection_lite.tflite", (192, 192), {**UNIT, **PADDED}, "head: palm, threshold: 0.05",
              "people", _TFLITE, told="boxes"),
    TaskModel("yolo8", "detection", "nudenet_320n.onnx", (320, 320), {**UNIT, **PADDED, "layout": "nchw"}, "head: yolo8, threshold: 0.2", "people",
              _ORT, told="boxes"),
    TaskModel("deeplab", "segmentation", "deeplabv3_257_float.tflite", (257, 257), {**SIGNED, **PADDED}, "", "scenes", _TFLITE, told="mask"),
    TaskModel("selfie", "segmentation", "selfie_segmentation.tflite", (256, 256), dict(UNIT), "", "people", _TFLITE, make=_selfie,
              source="mediapipe_selfie_segmentation.tflite", told="mask"),
    TaskModel("text_lines", "segmentation", "rapidocr_onnxruntime_ch_PP-OCRv4_det_infer.onnx", (320, 64),
              dict(mean=(127.5,) * 3, std=(127.5,) * 3, layout="nchw"), "", "lines", _ORT, told="mask"),
    TaskModel("face_points", "keypoints", "mediapipe_face_landmark.tflite", (192, 192), dict(UNIT), "head: points, classes: 468", "faces", _TFLITE,
              told="points"),
    TaskModel("pose_points", "keypoints", "mediapipe_pose_landmark_full.tflite", (256, 256), dict(UNIT), "head: points, classes: 39", "people",
              _TFLITE, told="points"),
    TaskModel("read", "text", "rapidocr_onnxruntime_ch_PP-OCRv4_rec_infer.onnx", (320, 48),
              dict(mean=(127.5,) * 3, std=(127.5,) * 3, layout="nchw", channels="bgr"), "head: ctc", "lines", _ORT, told="text"),
    TaskModel("features", "embedding", "mobilenet_v2_dogs_features.onnx", (160, 160),
              dict(crop="center", fraction=0.875, filter="bicubic", antialias=1, mean=(127.5,) * 3, std=(127.5,) * 3, layout="nchw"), "", "scenes",
              _ORT, make=_embedding, source="mobilenet_v2_dogs_float.onnx", told="vector"),
]


def load():
    """{name: TaskModel}, those that are at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {}
    for model in ALL:
        model.path = MODELS / model.file
        if model.make and (MODELS / model.source).exists():
            model.path = FOLDER / model.file
            if not model.path.exists():
                model.make(model.path)
        if model.path.exists():
            found[model.name] = model
    return found


def record(model, folder, settings, out, *options, output=None):
    """The edge's log: `record` with these settings (output: other keys of `output:`)."""
    made = model.pipeline(settings)
    return record_text(model, folder, made if output is None else made.rpartition("output:")[0] + f"output: {{{output}}}\n", out, *options)


def record_text(model, folder, made, out, *options):
    """The same with the text of a pipeline file."""
    text = out.with_suffix(".yaml")
    text.write_text(made, encoding="utf-8")
    return run(EXRAY, "record", "--engine", model.engine, "--model", model.path, "--pipeline", text, "--data", folder, "--capture", "io", "-o", out,
               *options)


def replay(model, edge, out, *options):
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline({}))
    return run(EXRAY, "replay", edge, "--engine", model.engine, "--model", model.path, "--pipeline", text, "--capture", "io", "-o", out, *options)
