"""Every resize convention against the library that it is named after: at most
one level of 255 apart, on photographs, up and down, odd sizes."""

import numpy as np
import pytest
from PIL import Image
from pipeline_support import photograph, pipeline, texture  # noqa: F401 (fixtures)

cv2 = pytest.importorskip("cv2")

SIZES = [(224, 224), (97, 61), (225, 111), (640, 97), (97, 600), (1301, 901)]
PILLOW = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "area": Image.BOX, "lanczos": Image.LANCZOS, "hamming": Image.HAMMING}
OPENCV = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}


def rgb(path):
    return Image.open(path).convert("RGB")


def difference(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max()


@pytest.mark.parametrize("name", PILLOW)
def test_antialias_is_pillows(pipeline, photograph, name):  # noqa: F811
    image = rgb(photograph)
    for width, height in [*SIZES, (image.width // 2, image.height // 2)]:
        ours = pipeline.image(f"image: {{resize: {name} {width}x{height} antialias}}", photograph, width, height)
        theirs = np.asarray(image.resize((width, height), PILLOW[name]))
        assert difference(ours, theirs) <= 1, (width, height)


@pytest.mark.parametrize("name", OPENCV)
def test_bare_filters_are_opencvs(pipeline, photograph, name):  # noqa: F811
    image = rgb(photograph)
    pixels = np.asarray(image)
    half = (image.width // 2, image.height // 2)
    for width, height in [*SIZES, half, (half[0] * 4, half[1] * 4)]:
        ours = pipeline.image(f"image: {{resize: {name} {width}x{height}}}", photograph, width, height)
        theirs = cv2.resize(pixels, (width, height), interpolation=OPENCV[name])
        assert difference(ours, theirs) <= (0 if name == "nearest" else 1), (width, height)


@pytest.mark.parametrize("how", ["antialias", "bare"])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 9), (3, 2), (5, 7), (16, 16)])
def test_tiny_pictures(pipeline, tmp_path, how, size):  # noqa: F811
    pixels = texture(*size, seed=3)
    path = tmp_path / "tiny.png"
    Image.fromarray(pixels).save(path)
    for width, height in [(1, 1), (2, 3), (7, 5), (40, 1), (1, 40)]:
        for name in PILLOW if how == "antialias" else OPENCV:
            flag = "antialias" if how == "antialias" else ""
            ours = pipeline.image(f"image: {{resize: {name} {width}x{height} {flag}}}", path, width, height)
            if how == "antialias":
                theirs = np.asarray(Image.fromarray(pixels).resize((width, height), PILLOW[name]))
            else:
                theirs = cv2.resize(pixels, (width, height), interpolation=OPENCV[name]).reshape(height, width, 3)
            assert difference(ours, theirs) <= 1, (name, width, height)


@pytest.mark.parametrize("random_seed", range(4))
def test_opencv_nearest_at_random_sizes(pipeline, tmp_path, random_seed):  # noqa: F811
    """floor(x * scale): the last bit of scale decides where x * scale is whole."""
    random = np.random.default_rng(random_seed)
    for _ in range(25):
        w, h, width, height = random.integers(1, 700, 4)
        pixels = random.integers(0, 256, (h, w, 3), dtype=np.uint8)
        path = tmp_path / "r.png"
        Image.fromarray(pixels).save(path, compress_level=0)
        ours = pipeline.image(f"image: {{resize: nearest {width}x{height}}}", path, width, height)
        theirs = cv2.resize(pixels, (int(width), int(height)), interpolation=cv2.INTER_NEAREST)
        assert difference(ours, theirs.reshape(ours.shape)) == 0, (w, h, width, height)


def litert_resize(pixels, width, height, bilinear, align_corners, half_pixel):
    """LiteRT's own RESIZE_* kernel on float samples."""
    flatbuffers = pytest.importorskip("flatbuffers")
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    interpreter_module = pytest.importorskip("ai_edge_litert.interpreter")

    def tensor(name, shape, kind, buffer):
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name, shape, kind, buffer
        return t

    size = schema.BufferT()
    size.data = np.frombuffer(np.array([height, width], "<i4").tobytes(), np.uint8)
    h, w, c = pixels.shape
    options = (schema.ResizeBilinearOptionsT if bilinear else schema.ResizeNearestNeighborOptionsT)()
    options.alignCorners, options.halfPixelCenters = align_corners, half_pixel
    builtin = schema.BuiltinOperator
    code = schema.OperatorCodeT()
    code.builtinCode = builtin.RESIZE_BILINEAR if bilinear else builtin.RESIZE_NEAREST_NEIGHBOR
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 3
    kinds = schema.BuiltinOptions
    op = schema.OperatorT()
    op.inputs, op.outputs, op.builtinOptions = [0, 1], [2], options
    op.builtinOptionsType = kinds.ResizeBilinearOptions if bilinear else kinds.ResizeNearestNeighborOptions
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("in", [1, h, w, c], schema.TensorType.FLOAT32, 0),
        tensor("size", [2], schema.TensorType.INT32, 1),
        tensor("out", [1, height, width, c], schema.TensorType.FLOAT32, 0),
    ]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [op]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT(), size]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = interpreter_module.Interpreter(model_content=bytes(builder.Output()))
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, pixels[None].astype(np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(2)[0]


@pytest.mark.parametrize("name", ["nearest", "bilinear"])
def test_align_corners_is_tensorflows(pipeline, photograph, name):  # noqa: F811
    pixels = np.asarray(rgb(photograph))
    for width, height in [(224, 224), (97, 601), (1, 1), (1, 37)]:
        text = f"image: {{resize: {name} {width}x{height} align_corners}}"
        ours = pipeline.image(text, photograph, width, height)
        theirs = litert_resize(pixels, width, height, name == "bilinear", True, False)
        assert np.abs(ours - theirs).max() <= 0.5 + 1e-2, (width, height)


def image_size(pixels, times, parts):
    return tuple(n * times // parts for n in pixels.shape[1::-1])


def test_asymmetric_is_tensorflows_without_half_pixel_centers(pipeline, photograph):  # noqa: F811
    pixels = np.asarray(rgb(photograph))
    whole = image_size(pixels, 10, 9)  # whose places are whole numbers, which OpenCV's division misses in some sizes
    for name in ("nearest", "bilinear"):
        for width, height in [(224, 224), (97, 601), (1, 1), whole]:
            ours = pipeline.image(f"image: {{resize: {name} {width}x{height} asymmetric}}", photograph, width, height)
            theirs = litert_resize(pixels, width, height, name == "bilinear", False, False)
            assert np.abs(ours - theirs).max() <= 0.5 + 1e-2, (width, height)


def test_exact_takes_the_middle(pipeline, photograph):  # noqa: F811
    """The sample in which the middle of a pixel lies, as Pillow's NEAREST does, which adds positions up
    and so decides by its rounding errors where a middle lies between two."""
    image = rgb(photograph)
    pixels = np.asarray(image)
    for width, height in [*SIZES, (image.width // 2, image.height // 3)]:
        ours = pipeline.image(f"image: {{resize: nearest {width}x{height} exact}}", photograph, width, height)
        rows, columns = ((2 * np.arange(m) + 1) * n // (2 * m) for n, m in ((image.height, height), (image.width, width)))
        assert (ours == pixels[rows][:, columns]).all(), (width, height)
        theirs = np.asarray(image.resize((width, height), Image.NEAREST))
        between = [((2 * np.arange(m) + 1) * n % (2 * m) == 0) for n, m in ((image.height, height), (image.width, width))]
        clear = ~between[0][:, None] & ~between[1]
        assert (ours == theirs)[clear].all(), (width, height)


@pytest.mark.parametrize("random_seed", range(3))
def test_summed_is_pillows_nearest(pipeline, tmp_path, random_seed):  # noqa: F811
    """Also where a middle lies between two samples, as of 320 pixels made 112."""
    random = np.random.default_rng(random_seed)
    sizes = [(320, 240, 112, 84), (256, 256, 224, 224), (640, 480, 224, 224), *random.integers(1, 500, (12, 4))]
    for w, h, width, height in sizes:
        image = Image.fromarray(random.integers(0, 256, (h, w, 3), dtype=np.uint8))
        path = tmp_path / "r.png"
        image.save(path, compress_level=0)
        ours = pipeline.image(f"image: {{resize: nearest {width}x{height} summed}}", path, width, height)
        assert (ours == np.asarray(image.resize((int(width), int(height)), Image.NEAREST))).all(), (w, h, width, height)


def test_bilinear_is_tensorflows_half_pixel_centers(pipeline, photograph):  # noqa: F811
    pixels = np.asarray(rgb(photograph))
    for width, height in [(224, 224), (97, 601)]:
        ours = pipeline.image(f"image: {{resize: bilinear {width}x{height}}}", photograph, width, height)
        theirs = litert_resize(pixels, width, height, True, False, True)
        assert np.abs(ours - theirs).max() <= 0.5 + 1e-2, (width, height)


def cubic_matrix(n, m):
    """Keys' kernel with a = -0.75 at the aligned positions, edges repeated."""
    matrix = np.zeros((m, n))
    for o in range(m):
        x = o * (n - 1) / (m - 1) if m > 1 else 0.0
        for i in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            d = abs(x - i)
            weight = 1.25 * d**3 - 2.25 * d**2 + 1 if d <= 1 else -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3
            matrix[o, min(max(i, 0), n - 1)] += weight if d < 2 else 0
    return matrix


def test_align_corners_bicubic(pipeline, photograph):  # noqa: F811
    pixels = np.asarray(rgb(photograph)).astype(float)
    for width, height in [(224, 224), (97, 601)]:
        text = f"image: {{resize: bicubic {width}x{height} align_corners}}"
        ours = pipeline.image(text, photograph, width, height)
        down, across = cubic_matrix(pixels.shape[0], height), cubic_matrix(pixels.shape[1], width)
        theirs = np.clip(np.einsum("yh,hwc,xw->yxc", down, pixels, across, optimize=True), 0, 255)
        assert np.abs(ours - theirs).max() <= 0.5 + 1e-2


@pytest.mark.parametrize("how", ["bilinear", "bicubic", "area", "bilinear antialias", "bicubic antialias"])
def test_floats_are_resized_as_floats(pipeline, photograph, how):  # noqa: F811
    """After `normalize` nothing is rounded or clipped any more."""
    text = f"image: {{steps: [{{normalize: {{mean: 127, std: 128}}}}, {{resize: {how} 57x43}}]}}"
    ours = pipeline.run(text, photograph, (1, 43, 57, 3))[0]
    pixels = (np.asarray(rgb(photograph)).astype(np.float32) - 127) / 128
    name = how.split()[0]
    if "antialias" in how:
        planes = [Image.fromarray(pixels[..., c]).resize((57, 43), PILLOW[name]) for c in range(3)]
        theirs = np.stack([np.asarray(p) for p in planes], -1)
    else:
        theirs = cv2.resize(pixels, (57, 43), interpolation=OPENCV[name])
    assert np.abs(ours - theirs).max() < 2e-4
