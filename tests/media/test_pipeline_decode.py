"""JPEG, PNG and raw formats against Pillow, OpenCV and arithmetic of our own."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from pipeline_support import PHOTOGRAPHS, photograph, pipeline, texture  # noqa: F401 (fixtures)

cv2 = pytest.importorskip("cv2")


def encode(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def as_rgb(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def difference(a, b):
    return np.abs(np.broadcast_to(a, b.shape).astype(int) - b.astype(int)).max()


def picture(mode="RGB", size=(37, 23)):
    return Image.fromarray(texture(*size)).convert(mode)


def cmyk(inverted):
    """A CMYK JPEG with all four inks in use; Pillow always writes it inverted, as Adobe does."""
    inks = np.concatenate([texture(40, 24), texture(40, 24, seed=5)[..., :1] // 2], -1)
    data = encode(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    return data if inverted else data.replace(b"Adobe", b"Adobf", 1)


# ---- JPEG -------------------------------------------------------------------------


def test_photographs_decode_as_in_pillow(pipeline, photograph):  # noqa: F811
    data = photograph.read_bytes()
    assert difference(pipeline.decode(data)[0], as_rgb(data)) <= 1


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_subsampling(pipeline, subsampling, progressive):  # noqa: F811
    for size in [(64, 48), (37, 23), (1, 1), (8, 17)]:
        data = encode(picture(size=size), "JPEG", subsampling=subsampling, progressive=progressive, quality=90)
        assert difference(pipeline.decode(data)[0], as_rgb(data)) <= 1


def test_jpeg_grey_stays_one_channel(pipeline):  # noqa: F811
    data = encode(picture("L"), "JPEG")
    pixels, _ = pipeline.decode(data)
    assert pixels.shape == (23, 37, 1)
    assert difference(pixels, as_rgb(data)) <= 1


def test_jpeg_rgb_without_ycc(pipeline):  # noqa: F811
    data = encode(picture(), "JPEG", keep_rgb=True, quality=95)
    assert difference(pipeline.decode(data)[0], as_rgb(data)) <= 1


@pytest.mark.parametrize("inverted", [True, False])
def test_jpeg_cmyk(pipeline, inverted):  # noqa: F811
    data = cmyk(inverted)
    assert difference(pipeline.decode(data)[0], as_rgb(data)) <= 1


def test_jpeg_ycck(pipeline):  # noqa: F811
    """The Adobe marker's last byte says that C, M, Y are stored as YCC."""
    data = bytearray(cmyk(True))
    at = data.index(b"Adobe")
    assert data[at + 11] == 0
    data[at + 11] = 2
    assert difference(pipeline.decode(bytes(data))[0], as_rgb(bytes(data))) <= 1


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(pipeline, orientation, format):  # noqa: F811
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a maker"
    data = encode(picture(size=(40, 24)), format, exif=exif.tobytes())
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert pipeline.decode(data)[1] == orientation
    height, width, _ = upright.shape
    path = pipeline.picture(data)
    assert difference(pipeline.image("", path, width, height), upright) <= 1
    assert difference(pipeline.image("image: {orient: none}", path, 40, 24), as_rgb(data)) <= 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_exif_orientation_out_of_range(pipeline, value):  # noqa: F811
    exif = Image.Exif()
    exif[0x0112] = value
    assert pipeline.decode(encode(picture(), "JPEG", exif=exif.tobytes()))[1] == 1


def test_broken_exif_is_no_orientation(pipeline):  # noqa: F811
    plain = encode(picture(), "JPEG")
    for block in [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]:
        data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
        assert pipeline.decode(data)[1] == 1


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_truncated(pipeline, format, part, options):  # noqa: F811
    data = encode(picture(size=(200, 150)), format, **(options if format == "JPEG" else {}))
    line = pipeline.decode_error(data[: int(len(data) * part)])
    assert f"the {format} ends early" in line or "the JPEG is damaged" in line, line


@pytest.mark.parametrize("seed", range(6))
def test_damaged_jpeg_never_gives_other_pixels_silently_at_a_marker(pipeline, seed):  # noqa: F811
    data = bytearray(encode(picture(size=(200, 150)), "JPEG"))
    at = len(data) // 3 + seed * 97
    data[at : at + 2] = b"\xff\xd9"
    assert "JPEG" in pipeline.decode_error(bytes(data))


# ---- PNG --------------------------------------------------------------------------


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, kind, rows, *extra, interlace=0):
    """A PNG written here, for the kinds that Pillow does not write."""
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + bytes(r) for r in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P"])
def test_png_modes(pipeline, mode):  # noqa: F811
    image = picture().convert(mode) if mode != "RGBA" else picture()
    if mode == "RGBA":
        image.putalpha(picture("L"))
    data = encode(image, "PNG")
    assert difference(pipeline.decode(data)[0], as_rgb(data)) == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_png_transparent_colour_is_ignored(pipeline, mode):  # noqa: F811
    image = picture().convert(mode)
    transparency = (0, 0, 0) if mode == "RGB" else 0
    data = encode(image, "PNG", transparency=transparency)
    assert difference(pipeline.decode(data)[0], as_rgb(data)) == 0


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("kind", [0, 3])
def test_png_few_bits(pipeline, bits, kind):  # noqa: F811
    random = np.random.default_rng(bits)
    rows = random.integers(0, 256, (5, (11 * bits + 7) // 8), dtype=np.uint8)
    palette = chunk(b"PLTE", random.integers(0, 256, 3 << bits, dtype=np.uint8).tobytes())
    data = png(11, 5, bits, kind, rows, *([palette] if kind == 3 else []))
    assert difference(pipeline.decode(data)[0], as_rgb(data)) == 0


@pytest.mark.parametrize("kind, channels", [(2, 3), (6, 4), (4, 2)])
def test_png_16_bits_keep_the_high_byte_as_pillow(pipeline, kind, channels):  # noqa: F811
    rows = np.random.default_rng(kind).integers(0, 256, (6, 9 * channels * 2), dtype=np.uint8)
    data = png(9, 6, 16, kind, rows)
    assert difference(pipeline.decode(data)[0], as_rgb(data)) == 0


def test_png_16_bit_grey_keeps_the_high_byte_as_opencv(pipeline):  # noqa: F811
    """Pillow clips such a picture at 255 of 65535, which leaves it white."""
    rows = np.random.default_rng(1).integers(0, 256, (6, 18), dtype=np.uint8)
    data = png(9, 6, 16, 0, rows)
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert difference(pipeline.decode(data)[0], theirs[..., None]) == 0
    assert difference(pipeline.decode(data)[0][..., 0], rows[:, ::2]) == 0


@pytest.mark.parametrize("channels, kind", [(1, 0), (3, 2), (4, 6)])
def test_png_interlaced(pipeline, channels, kind):  # noqa: F811
    pixels = np.random.default_rng(2).integers(0, 256, (13, 10, channels), dtype=np.uint8)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [row.tobytes() for y, x, dy, dx in passes for row in pixels[y::dy, x::dx] if row.size]
    data = png(10, 13, 8, kind, rows, interlace=1)
    assert difference(as_rgb(data), pixels[..., :3] if channels > 1 else np.repeat(pixels, 3, -1)) == 0
    assert difference(pipeline.decode(data)[0], as_rgb(data)) == 0


def test_png_with_a_wrong_checksum(pipeline):  # noqa: F811
    data = bytearray(encode(picture(), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    assert "the PNG is damaged" in pipeline.decode_error(bytes(data))


# ---- What is no picture ---------------------------------------------------------------


@pytest.mark.parametrize("data, words", [
    (b"", "empty"),
    (b"hello, world", "not a picture"),
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "ends early"),
    (b"GIF89a" + bytes(20), "GIF"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
    (bytes(100), "not a picture"),
])
def test_not_a_picture(pipeline, data, words):  # noqa: F811
    assert words in pipeline.decode_error(data)


@pytest.mark.parametrize("width, height", [(0, 5), (5, 0), (0, 0), (1 << 30, 1 << 30), (1 << 20, 1 << 20), (60000, 60000)])
def test_png_of_an_impossible_size(pipeline, width, height):  # noqa: F811
    assert "PNG" in pipeline.decode_error(png(width, height, 8, 2, [bytes(3)]))


@pytest.mark.parametrize("width, height", [(0, 5), (5, 0), (65500, 65500), (30000, 30000)])
def test_jpeg_of_an_impossible_size(pipeline, width, height):  # noqa: F811
    data = bytearray(encode(picture(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    assert "JPEG" in pipeline.decode_error(bytes(data))


def test_progressive_bomb(pipeline):  # noqa: F811
    """A valid scan repeated a thousand times costs seconds in a careless decoder."""
    data = encode(picture(size=(600, 400)), "JPEG", progressive=True)
    starts = [i for i in range(len(data)) if data[i : i + 2] == b"\xff\xda"]
    luma = bytearray(data[starts[1] : starts[2]])  # with the tables of the scan after it
    assert luma[4] == 1 and luma[7] == 1  # one component, from its first AC coefficient on
    luma[9] = 0  # no bits left for later scans: so it may come again
    line = pipeline.decode_error(data[: starts[1]] + bytes(luma) * 1000 + data[starts[2] :])
    assert "more than 200 scans" in line


# ---- Raw formats ----------------------------------------------------------------------


def padded(rows, stride):
    return b"".join(bytes(r).ljust(stride, b"\xaa") for r in rows)


@pytest.mark.parametrize("format, channels, order", [
    ("rgb8", 3, [0, 1, 2]), ("bgr8", 3, [2, 1, 0]), ("rgba8", 4, [0, 1, 2]), ("bgra8", 4, [2, 1, 0]), ("gray8", 1, [0]),
])
@pytest.mark.parametrize("stride", [0, 64])
def test_interleaved(pipeline, format, channels, order, stride):  # noqa: F811
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    data = padded(pixels.reshape(5, -1), stride)
    ours, orientation = pipeline.decode(data, format=format, width=7, height=5, stride=stride)
    assert orientation == 1
    assert (ours == pixels[..., order]).all()


def yuv_planes(width, height, seed=0):
    random = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    return (random.integers(0, 256, (height, width), dtype=np.uint8),
            random.integers(0, 256, half, dtype=np.uint8), random.integers(0, 256, half, dtype=np.uint8))


def pack(format, y, u, v, stride=0):
    height, width = y.shape
    stride = stride or width
    if format in ("i420", "yv12"):
        half = (stride + 1) // 2
        first, second = (u, v) if format == "i420" else (v, u)
        return padded(y, stride) + padded(first, half) + padded(second, half)
    pair = np.stack([u, v] if format == "nv12" else [v, u], -1).reshape(u.shape[0], -1)
    return padded(y, stride) + padded(pair, max(stride, pair.shape[1]))


OPENCV_YUV = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21, "i420": cv2.COLOR_YUV2RGB_I420,
              "yv12": cv2.COLOR_YUV2RGB_YV12}


@pytest.mark.parametrize("format", OPENCV_YUV)
def test_yuv_420_as_opencv(pipeline, format):  # noqa: F811
    data = pack(format, *yuv_planes(32, 18))
    theirs = cv2.cvtColor(np.frombuffer(data, np.uint8).reshape(27, 32), OPENCV_YUV[format])
    assert difference(pipeline.decode(data, format=format, width=32, height=18)[0], theirs) <= 1


@pytest.mark.parametrize("format, code", [("yuyv", cv2.COLOR_YUV2RGB_YUYV), ("uyvy", cv2.COLOR_YUV2RGB_UYVY)])
def test_packed_yuv_as_opencv(pipeline, format, code):  # noqa: F811
    data = np.random.default_rng(0).integers(0, 256, (9, 16, 2), dtype=np.uint8)
    theirs = cv2.cvtColor(data, code)
    assert difference(pipeline.decode(data.tobytes(), format=format, width=16, height=9)[0], theirs) <= 1


@pytest.mark.parametrize("part", [2, 4, 8])
def test_a_jpeg_at_a_part_of_its_size_as_pillow_drafts_it(pipeline, part):  # noqa: F811
    out = io.BytesIO()
    Image.fromarray(texture(328, 248)).save(out, "JPEG", quality=90)
    file = Image.open(io.BytesIO(out.getvalue()))
    file.draft("RGB", (328 // part, 248 // part))
    ours, _ = pipeline.decode(out.getvalue(), format=f"jpeg/{part}")
    assert ours.shape == (248 // part, 328 // part, 3)
    assert difference(ours, np.asarray(file.convert("RGB"))) <= 1


LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("full", [0, 1])
@pytest.mark.parametrize("format", ["nv12", "nv21", "i420", "yv12"])
@pytest.mark.parametrize("width, height, stride", [(8, 6, 0), (7, 5, 0), (7, 5, 16), (1, 1, 0)])
def test_yuv_matrices(pipeline, matrix, full, format, width, height, stride):  # noqa: F811
    """The definition: Y = kr R + kg G + kb B; U, V the scaled differences of B and R from it."""
    y, u, v = yuv_planes(width, height, seed=7)
    kr, kb = LUMA[matrix]
    luma = y.astype(float) if full else np.maximum(y.astype(float) - 16, 0) * 255 / 219
    cb, cr = ((p.repeat(2, 0).repeat(2, 1)[:height, :width] - 128.0) * (1 if full else 255 / 224) for p in (u, v))
    red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    theirs = np.clip(np.round(np.stack([red, green, blue], -1)), 0, 255)
    ours, _ = pipeline.decode(pack(format, y, u, v, stride), format=format, width=width, height=height,
                              stride=stride, matrix=matrix, full_range=full)
    assert difference(ours, theirs) <= 1


def rgb565(words):
    """By the share of the largest value that fits the bits, cut off: what repeating the high bits gives."""
    bits = [(words >> 11, 31), (words >> 5 & 63, 63), (words & 31, 31)]
    return np.stack([np.array([int(f"{v:0{n.bit_length()}b}" * 2, 2) >> (2 * n.bit_length() - 8) for v in range(n + 1)])[b]
                     for b, n in bits], -1)


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("full", [0, 1])
@pytest.mark.parametrize("width, height, stride", [(8, 6, 0), (7, 5, 0), (7, 5, 30), (1, 1, 0)])
def test_p010(pipeline, matrix, full, width, height, stride):  # noqa: F811
    """The definition at 10 bits, in the high ones of two bytes; the 6 low ones are noise."""
    random, half = np.random.default_rng(5), ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (random.integers(0, 1024, shape) for shape in ((height, width), half, half))
    kr, kb = LUMA[matrix]
    luma = y * 255 / 1023 if full else np.maximum(y - 64.0, 0) * 255 / 876
    cb, cr = ((p.repeat(2, 0).repeat(2, 1)[:height, :width] - 512.0) * (255 / 1023 if full else 255 / 896) for p in (u, v))
    red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    theirs = np.clip(np.round(np.stack([red, green, blue], -1)), 0, 255)
    first, pairs = (((p << 6) + random.integers(0, 64, p.shape)).astype("<u2").view(np.uint8)
                    for p in (y, np.stack([u, v], -1).reshape(half[0], -1)))
    row = stride or width * 2
    data = padded(first, row) + padded(pairs, max(row, pairs.shape[1]))
    media = {"width": width, "height": height, "stride": stride, "matrix": matrix, "full_range": full}
    ours, _ = pipeline.decode(data, format="p010", **media)
    assert difference(ours, theirs) <= 1 and np.abs(ours - theirs).mean() < 0.02


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("order", ["rggb", "grbg", "gbrg", "bggr"])
@pytest.mark.parametrize("width, height, padding", [(16, 12, 0), (13, 9, 6), (3, 3, 0)])
def test_bayer_as_opencv(pipeline, bits, order, width, height, padding):  # noqa: F811
    raw = np.random.default_rng(2).integers(0, 1 << bits, (height, width)).astype("u1" if bits == 8 else "<u2")
    theirs = cv2.cvtColor(raw, getattr(cv2, f"COLOR_Bayer{order.upper()}2RGB")) >> (bits - 8)
    rows = np.pad(raw.view(np.uint8), ((0, 0), (0, padding)), constant_values=77)
    ours, _ = pipeline.decode(rows.tobytes()[: rows.size - padding], format=f"bayer_{order}{bits}", width=width, height=height,
                              stride=rows.shape[1] if padding else 0)
    assert (ours == theirs).all()


def test_bayer_beyond_its_bits_and_without_neighbors(pipeline):  # noqa: F811
    raw = np.full((4, 4), 1023, "<u2")
    raw[1, 1] = 5000
    assert (pipeline.decode(raw.tobytes(), format="bayer_rggb10", width=4, height=4)[0] == 255).all()
    two = np.array([[200, 40], [60, 9]], np.uint8)
    assert (pipeline.decode(two.tobytes(), format="bayer_rggb8", width=2, height=2)[0] == [[[200, 50, 9]] + [[200, 40, 9]]] +
            [[[200, 60, 9]] + [[200, 50, 9]]]).all()


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("format", ["rgb565", "gray16", "argb8"])
def test_pixels_of_two_bytes_and_alpha_first(pipeline, format, padding):  # noqa: F811
    w, h = 13, 9
    raw = np.random.default_rng(3).integers(0, 256, (h, w, 4 if format == "argb8" else 2), np.uint8)
    raw[0, 0], raw[0, 1] = 0, 255
    words = raw[..., 0].astype(int) + 256 * raw[..., 1].astype(int)
    right = {"rgb565": lambda: rgb565(words), "gray16": lambda: (words // 256)[..., None], "argb8": lambda: raw[..., 1:]}[format]()
    rows = np.pad(raw.reshape(h, -1), ((0, 0), (0, padding)), constant_values=77)
    path = pipeline.picture(rows.tobytes()[: rows.size - padding])
    ours = pipeline.run("", path, (1, *right.shape), "uint8", format=format, width=w, height=h, stride=rows.shape[1] if padding else 0)
    assert (ours[0] == right).all()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_of_a_raw_picture(pipeline, degrees):  # noqa: F811
    pixels = texture(12, 8)
    upright = np.rot90(pixels, degrees // 90)
    path = pipeline.picture(pixels.tobytes())
    ours = pipeline.run("", path, (1, *upright.shape), "uint8", format="rgb8", width=12, height=8, rotation=degrees)
    assert (ours[0] == upright).all()


@pytest.mark.parametrize("media, words", [
    ({"format": "rgb8", "width": 0, "height": 4}, "0 x 4"),
    ({"format": "rgb8", "width": 4, "height": 5}, "needs 60 bytes, the record has 48"),
    ({"format": "rgb8", "width": 4, "height": 4, "stride": 11}, "row_stride"),
    ({"format": "rgb8", "width": 4, "height": 4, "stride": 4294967295}, "needs"),
    ({"format": "nv12", "width": 8, "height": 8}, "needs 96 bytes"),
    ({"format": "i420", "width": 8, "height": 8}, "needs 96 bytes"),
    ({"format": "yuyv", "width": 5, "height": 5}, "needs 60 bytes"),
    ({"format": "yuyv", "width": 4, "height": 4, "stride": 7}, "row_stride"),
    ({"format": "nv12", "width": 4, "height": 4, "matrix": "bt99"}, "unknown YUV matrix 'bt99'"),
    ({"format": "rgb565", "width": 5, "height": 5}, "needs 50 bytes"),
    ({"format": "gray16", "width": 4, "height": 4, "stride": 7}, "row_stride"),
    ({"format": "argb8", "width": 4, "height": 4}, "needs 64 bytes"),
    ({"format": "p010", "width": 6, "height": 4}, "needs 72 bytes"),
    ({"format": "p010", "width": 4, "height": 4, "stride": 7}, "row_stride"),
    ({"format": "bayer_rggb10", "width": 6, "height": 6}, "needs 72 bytes"),
    ({"format": "bayer_rggb8", "width": 6, "height": 6, "stride": 5}, "row_stride"),
    ({"format": "bayer_rggb8", "width": 1, "height": 6}, "2 at least"),
    ({"format": "bayer_rggb9", "width": 4, "height": 4}, "unknown picture format 'bayer_rggb9'"),
    ({"format": "rgb9", "width": 4, "height": 4}, "unknown picture format 'rgb9'"),
    ({"format": "rgb8", "width": 4294967295, "height": 4294967295}, "each side"),
    ({"format": "rgb8", "width": 4, "height": 4, "rotation": 45}, "rotation"),
])
def test_bad_raw_pictures(pipeline, media, words):  # noqa: F811
    assert words in pipeline.decode_error(bytes(48), **media)
