"""Whole pipelines against the same steps done with Pillow and NumPy."""

import numpy as np
import pytest
from PIL import Image
from pipeline_support import photograph, pipeline, texture  # noqa: F401 (fixtures)

LITE0 = """
task: classification
image:
  crop: center 0.875
  resize: bicubic 224x224 antialias
  normalize: {mean: [127, 127, 127], std: [128, 128, 128]}
"""

TORCHVISION = """
image:
  steps:
    - resize: bilinear 256 antialias
    - crop: 224x224
    - normalize: {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375]}
    - layout: nchw
"""


def rgb(path):
    return Image.open(path).convert("RGB")


def centre(image, fraction):
    side = int(fraction * min(image.size) + 0.5)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


@pytest.fixture
def tiny(tmp_path):
    pixels = texture(9, 6)
    path = tmp_path / "tiny.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


def test_lite0(pipeline, photograph):  # noqa: F811
    image = centre(rgb(photograph), 0.875).resize((224, 224), Image.BICUBIC)
    theirs = (np.asarray(image, np.float32) - 127) / 128
    ours = pipeline.run(LITE0, photograph, (1, 224, 224, 3))[0]
    assert np.abs(ours - theirs).max() <= 1.01 / 128


def test_torchvision(pipeline, photograph):  # noqa: F811
    """Resize(256), CenterCrop(224), ToTensor, Normalize, as torchvision computes them."""
    image = rgb(photograph)
    w, h = image.size
    size = (256, int(256 * h / w)) if w <= h else (int(256 * w / h), 256)
    image = image.resize(size, Image.BILINEAR)
    left, top = round((image.width - 224) / 2.0), round((image.height - 224) / 2.0)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
    theirs = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    ours = pipeline.run(TORCHVISION, photograph, (1, 3, 224, 224))[0]
    assert np.abs(ours - theirs.transpose(2, 0, 1)).max() <= 1.01 / 57


def test_defaults_stretch_bilinear_to_the_models_size(pipeline, photograph):  # noqa: F811
    named = pipeline.run("image: {resize: bilinear 60x40, normalize: {mean: 0, std: 1}}", photograph, (1, 40, 60, 3))
    assert (pipeline.run("", photograph, (1, 40, 60, 3)) == named).all()
    assert named.min() >= 0 and 1 < named.max() <= 255


@pytest.mark.parametrize("order", ["rgb", "rbg", "grb", "gbr", "brg", "bgr"])
def test_channel_orders(pipeline, tiny, order):  # noqa: F811
    path, pixels = tiny
    ours = pipeline.image(f"image: {{channels: {order}}}", path, 9, 6)
    assert (ours == pixels[..., ["rgb".index(c) for c in order]]).all()


def test_mean_and_std_follow_the_channels(pipeline, tiny):  # noqa: F811
    path, pixels = tiny
    text = "image: {channels: bgr, normalize: {mean: [1, 2, 3], std: [4, 5, 6]}}"
    theirs = ((pixels[..., ::-1] - np.array([1.0, 2, 3])) / [4, 5, 6]).astype(np.float32)
    assert (pipeline.run(text, path, (1, 6, 9, 3))[0] == theirs).all()


def test_gray_is_pillows_luma(pipeline, photograph):  # noqa: F811
    image = rgb(photograph)
    theirs = np.asarray(image.convert("L"))
    ours = pipeline.image("image: {channels: gray}", photograph, *image.size, channels=1)
    assert (ours[..., 0] == theirs).all()
    # A model of one channel is given gray where nothing else is said.
    assert (pipeline.image("", photograph, *image.size, channels=1) == ours).all()


@pytest.mark.parametrize("how", ["image: {channels: rgb}", "image: {steps: [{normalize: {mean: [0, 0, 0]}}]}", ""])
def test_a_grey_file_becomes_three_channels(pipeline, tmp_path, how):  # noqa: F811
    pixels = texture(9, 6)[..., 0]
    path = tmp_path / "grey.png"
    Image.fromarray(pixels).save(path)
    assert (pipeline.image(how, path, 9, 6) == pixels[..., None]).all()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotate_is_counter_clockwise(pipeline, tiny, degrees):  # noqa: F811
    path, pixels = tiny
    theirs = np.asarray(Image.fromarray(pixels).rotate(degrees, expand=True))
    height, width, _ = theirs.shape
    # The size is the model's, after the turn: nothing is resampled.
    assert (pipeline.image(f"image: {{rotate: {degrees}}}", path, width, height) == theirs).all()


@pytest.mark.parametrize("flip, axis", [("horizontal", 1), ("vertical", 0)])
def test_flip(pipeline, tiny, flip, axis):  # noqa: F811
    path, pixels = tiny
    assert (pipeline.image(f"image: {{flip: {flip}}}", path, 9, 6) == np.flip(pixels, axis)).all()


@pytest.mark.parametrize("fraction", [1, 0.875, 0.5, 0.33, 0.01])
@pytest.mark.parametrize("size", [(9, 6), (6, 9), (31, 30), (8, 8)])
def test_center(pipeline, tmp_path, fraction, size):  # noqa: F811
    pixels = texture(*size)
    path = tmp_path / "p.png"
    Image.fromarray(pixels).save(path)
    side = max(1, int(fraction * min(size) + 0.5))
    top, left = (size[1] - side) // 2, (size[0] - side) // 2
    ours = pipeline.image(f"image: {{crop: center {fraction}, resize: none}}", path, side, side)
    assert (ours == pixels[top : top + side, left : left + side]).all()


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (40, 40), (200, 3), (3, 200), (33, 64)])
@pytest.mark.parametrize("target", [(64, 64), (64, 32), (31, 64)])
def test_letterbox(pipeline, tmp_path, size, target):  # noqa: F811
    (w, h), (width, height) = size, target
    pixels = texture(w, h)
    path = tmp_path / "p.png"
    Image.fromarray(pixels).save(path)
    scale = min(width / w, height / h)
    inner = max(1, int(w * scale + 0.5)), max(1, int(h * scale + 0.5))
    ground = Image.new("RGB", target, (114, 114, 114))
    resized = Image.fromarray(pixels).resize(inner, Image.BICUBIC)
    ground.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    text = f"image: {{crop: letterbox 114, resize: bicubic {width}x{height} antialias}}"
    ours = pipeline.image(text, path, width, height)
    assert np.abs(ours.astype(int) - np.asarray(ground)).max() <= 1
    assert (pipeline.image(text.replace(f" {width}x{height}", ""), path, width, height) == ours).all()


def test_letterbox_pads_with_black_unless_told(pipeline, tiny):  # noqa: F811
    path, pixels = tiny
    ours = pipeline.image("image: {crop: letterbox, resize: nearest}", path, 9, 8)
    assert (ours[1:7] == pixels).all() and not ours[0].any() and not ours[7].any()


def test_steps_run_in_the_order_given(pipeline, tiny):  # noqa: F811
    path, pixels = tiny
    first = pipeline.image("image: {steps: [{crop: 4x4}, {rotate: 90}, {flip: vertical}]}", path, 4, 4)
    assert (first == np.flip(np.rot90(pixels[1:5, 2:6]), 0)).all()
    second = pipeline.image("image: {steps: [{flip: vertical}, {rotate: 90}, {crop: 4x4}]}", path, 4, 4)
    assert (second == np.rot90(np.flip(pixels, 0))[2:6, 1:5]).all()
    assert (first != second).any()


def test_a_step_may_come_twice(pipeline, tiny):  # noqa: F811
    path, pixels = tiny
    text = """
image:
  steps:
    - normalize: {mean: 10, std: 2}
    - flip: horizontal
    - normalize: {mean: [1, 2, 3], std: 0.5}
    - channels: bgr
    - flip: horizontal
"""
    theirs = (((pixels - 10.0) / 2 - [1, 2, 3]) / 0.5)[..., ::-1]
    assert np.abs(pipeline.run(text, path, (1, 6, 9, 3))[0] - theirs).max() < 1e-4


# ---- The tensor ---------------------------------------------------------------------


def test_layouts(pipeline, tiny):  # noqa: F811
    path, pixels = tiny
    planes = pixels.transpose(2, 0, 1)
    assert (pipeline.run("", path, (1, 3, 6, 9), "uint8")[0] == planes).all()
    assert (pipeline.run("image: {layout: nchw}", path, (1, 3, 6, 9), "uint8")[0] == planes).all()
    # A wrong layout on purpose: the bytes of one in the tensor of the other.
    wrong = pipeline.run("image: {layout: nchw}", path, (1, 6, 9, 3), "uint8")
    assert (wrong.reshape(planes.shape) == planes).all()
    wrong = pipeline.run("image: {layout: nhwc}", path, (1, 3, 6, 9), "uint8")
    assert (wrong.reshape(pixels.shape) == pixels).all()


def test_an_ambiguous_shape_is_read_as_the_engine_says(pipeline, tmp_path):  # noqa: F811
    pixels = texture(3, 3)
    path = tmp_path / "p.png"
    Image.fromarray(pixels).save(path)
    assert (pipeline.run("", path, (1, 3, 3, 3), "uint8")[0] == pixels).all()
    planes = pipeline.run("", path, (1, 3, 3, 3), "uint8", layout="NCHW")[0]
    assert (planes == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_float_types(pipeline, tiny, dtype):  # noqa: F811
    path, pixels = tiny
    for mean, std in [(127, 128), (123.675, 58.395), (0, 255), (128, 1e-3), (0, 1e7), (0, 3e6)]:
        text = f"image: {{normalize: {{mean: {mean}, std: {std}}}}}"
        with np.errstate(over="ignore"):
            theirs = ((pixels.astype(np.float64) - mean) / std).astype(dtype)
        assert (pipeline.run(text, path, (1, 6, 9, 3), dtype)[0] == theirs).all(), (mean, std)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32"])
@pytest.mark.parametrize("scale, zero_point", [(0.0078125, 128), (0.0186584, -3), (0.00038, 0), (1.0, 0), (7.0, 5)])
def test_quantized(pipeline, tiny, dtype, scale, zero_point):  # noqa: F811
    path, pixels = tiny
    text = "image: {normalize: {mean: 127, std: 128}}"
    real = (pixels.astype(np.float64) - 127) / 128 / np.float32(scale).astype(np.float64)
    info = np.iinfo(dtype)
    rounded = np.sign(real) * np.floor(np.abs(real) + 0.5) + zero_point  # half away from zero
    theirs = np.clip(rounded, info.min, info.max).astype(dtype)
    assert (pipeline.run(text, path, (1, 6, 9, 3), dtype, scale=scale, zero_point=zero_point)[0] == theirs).all()


def test_half_is_rounded_away_from_zero(pipeline, tmp_path):  # noqa: F811
    pixels = np.array([[0, 1, 2, 3, 4, 5, 6]], np.uint8)
    path = tmp_path / "p.png"
    Image.fromarray(pixels).save(path)
    text = "image: {normalize: {mean: 3, std: 2}}"  # -1.5 -1 -0.5 0 0.5 1 1.5
    ours = pipeline.run(text, path, (1, 1, 7, 1), "int8", scale=1.0, zero_point=10)
    assert ours.ravel().tolist() == [8, 9, 9, 10, 11, 11, 12]
    # Without parameters: rounded and clipped.
    assert pipeline.run(text, path, (1, 1, 7, 1), "uint8").ravel().tolist() == [0, 0, 0, 0, 1, 1, 2]


def test_litert_quantizes_the_same_way(pipeline, photograph):  # noqa: F811
    """LiteRT's QUANTIZE kernel on the same real values."""
    flatbuffers = pytest.importorskip("flatbuffers")
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    module = pytest.importorskip("ai_edge_litert.interpreter")
    scale, zero_point = 0.018658, 114
    shape = (1, 64, 48, 3)
    tensors = []
    for name, kind in [("in", schema.TensorType.FLOAT32), ("out", schema.TensorType.UINT8)]:
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name, list(shape), kind, 0
        tensors.append(t)
    tensors[1].quantization = schema.QuantizationParametersT()
    tensors[1].quantization.scale, tensors[1].quantization.zeroPoint = [scale], [zero_point]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    op = schema.OperatorT()
    op.inputs, op.outputs = [0], [1]
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = tensors, [0], [1], [op]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = module.Interpreter(
        model_content=bytes(builder.Output()),
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    text = "image: {normalize: {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375]}}"
    interpreter.set_tensor(0, pipeline.run(text, photograph, shape))
    interpreter.invoke()
    ours = pipeline.run(text, photograph, shape, "uint8", scale=scale, zero_point=zero_point)
    assert (ours == interpreter.get_tensor(1)).all()


# ---- What cannot be ------------------------------------------------------------------


@pytest.mark.parametrize("text, shape, words", [
    ("image: {resize: none}", (1, 6, 8, 3), "makes a picture of 9x6, the model takes 8x6"),
    ("image:\n  resize: bilinear 5x5", (1, 4, 4, 3), "makes a picture of 5x5, the model takes 4x4"),
    ("image: {channels: gray}", (1, 6, 9, 3), "makes 1 channel, the model takes 3"),
    ("image: {channels: bgr}", (1, 6, 9, 1), "makes 3 channels, the model takes 1"),
    ("image:\n\n  crop: 10x4", (1, 4, 4, 3), "p.yaml:3: image.crop: 10x4 is larger than the picture, 9x6"),
    ("image:\n  channels: gray\n  normalize: {mean: [1, 2, 3]}", (1, 6, 9, 1), "p.yaml:3: image.normalize: has 3 values"),
    ("", (1, 4, 4, 4), "[1,4,4,4] is not one picture"),
    ("", (2, 4, 4, 3), "[2,4,4,3] is not one picture"),
    ("", (10,), "[10] is not one picture"),
])
def test_misfits(pipeline, tiny, text, shape, words):  # noqa: F811
    assert words in pipeline.fail(text, tiny[0], shape)


@pytest.mark.parametrize("dtype", ["bool", "string", "int4"])
def test_tensors_that_no_picture_fits(pipeline, tiny, dtype):  # noqa: F811
    assert "the model's input is" in pipeline.fail("", tiny[0], dtype=dtype)
