"""Cameras.  From pictures, the buffers that a camera would deliver, on disk, in
the list that camera_app reads; and for encoded ones the list that `record` reads.

The conversion to YUV is written here, apart from both the application's and the
reference's conversion back."""

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import testdata
from PIL import Image

COEFFICIENTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
FRAMES = 8


@dataclass(frozen=True)
class Sensor:
    name: str
    format: str
    matrix: str = "-"
    full_range: bool = False
    rotation: int = 0  # of the camera: how its pictures must be turned to be upright
    encoded: bool = False
    colour: bool = True
    yuv: bool = False


SENSORS = {s.name: s for s in [
    Sensor("jpeg", "jpeg", encoded=True),
    Sensor("png", "png", encoded=True),
    Sensor("rgb8", "rgb8"),
    Sensor("bgr8", "bgr8"),
    Sensor("nv12", "nv12", "bt601", yuv=True),
    Sensor("nv12_full", "nv12", "bt601", True, yuv=True),
    Sensor("yuyv", "yuyv", "bt709", yuv=True),
    Sensor("i420", "i420", "bt709", True, yuv=True),
    Sensor("gray8", "gray8", colour=False),
    Sensor("jpeg_turned", "jpeg", rotation=90, encoded=True),
    Sensor("rgb8_turned", "rgb8", rotation=270),
    # JPEG files that another library has decoded.
    Sensor("pillow", "rgb8"),
    Sensor("opencv", "rgb8"),
]}


def photographs():
    """All pictures at hand: (path, class or -1)."""
    found = testdata.labelled_pictures()
    if testdata.ASSETS:
        found += [(p, -1) for p in sorted((testdata.ASSETS / "images").glob("*.[jp][pn]g")) if "golden" not in p.name]
    return found


def is_grey(path):
    with Image.open(path) as file:
        if file.mode in ("L", "LA", "1"):
            return True
        small = np.asarray(file.convert("RGB").resize((32, 32)), np.int32)
    return np.abs(small - small.mean(axis=2, keepdims=True)).max() < 6


def draw_pictures(seed, count=FRAMES):
    """`count` pictures, by a seed; a grey one among them now and then."""
    return random.Random(f"pictures {seed}").sample(photographs(), count)


def load(path, longest=360):
    """RGB, even sides, not larger than a small camera's; nothing square if it can be helped."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    scale = longest / max(picture.size)
    size = [max(2, int(side * min(scale, 1)) // 2 * 2) for side in picture.size]
    return np.asarray(picture.resize(size, Image.BICUBIC))


def _yuv(rgb, matrix, full_range):
    kr, kb = COEFFICIENTS[matrix]
    rgb = rgb.astype(np.float64)
    y = kr * rgb[..., 0] + (1 - kr - kb) * rgb[..., 1] + kb * rgb[..., 2]
    u, v = (rgb[..., 2] - y) / (2 * (1 - kb)), (rgb[..., 0] - y) / (2 * (1 - kr))
    if not full_range:
        y, u, v = 16 + y * 219 / 255, u * 224 / 255, v * 224 / 255
    return [np.clip(np.round(p), 0, 255).astype(np.uint8) for p in (y, u + 128, v + 128)]


def _halve(plane, rows):
    plane = plane.astype(np.float64)
    plane = (plane[:, ::2] + plane[:, 1::2]) / 2
    if rows:
        plane = (plane[::2] + plane[1::2]) / 2
    return np.round(plane).astype(np.uint8)


def _padded(rows, stride):
    """Rows as a camera's DMA leaves them: what is behind the picture is of no meaning."""
    rows = rows.reshape(rows.shape[0], -1)
    out = np.full((rows.shape[0], stride), 0x55, np.uint8)
    out[:, : rows.shape[1]] = rows
    return out.tobytes()


def raw_bytes(rgb, sensor):
    """(bytes, stride) of a picture in a raw format."""
    width = rgb.shape[1]
    if sensor.format in ("rgb8", "bgr8"):
        stride = width * 3 // 64 * 64 + 64
        return _padded(rgb if sensor.format == "rgb8" else rgb[..., ::-1], stride), stride
    if sensor.format == "gray8":
        stride = width // 32 * 32 + 32
        return _padded(np.asarray(Image.fromarray(rgb).convert("L")), stride), stride
    y, u, v = _yuv(rgb, sensor.matrix, sensor.full_range)
    if sensor.format == "yuyv":
        u, v = _halve(u, False), _halve(v, False)
        stride = width * 2 // 64 * 64 + 64
        return _padded(np.stack([y[:, ::2], u, y[:, 1::2], v], -1), stride), stride
    u, v = _halve(u, True), _halve(v, True)
    stride = width // 32 * 32 + 32
    if sensor.format == "i420":
        return _padded(y, stride) + _padded(u, stride // 2) + _padded(v, stride // 2), stride
    return _padded(y, stride) + _padded(np.stack([u, v], -1), stride), stride


def _jpeg(rgb, rotation):
    exif = Image.Exif()
    if rotation:
        exif[0x0112] = {90: 8, 180: 3, 270: 6}[rotation]
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=92, exif=exif.tobytes())
    return out.getvalue()


class Capture:
    """The buffers of one sensor and one choice of pictures, on disk."""

    def __init__(self, sensor: Sensor, pictures, folder: Path):
        self.sensor, self.folder = sensor, folder
        folder.mkdir(parents=True, exist_ok=True)
        lines, files = [], []
        for i, (path, label) in enumerate(pictures):
            # The name says nothing of the format: logs of two cameras match by it.
            file = folder / f"{i:02d}-{path.stem}"
            size, stride = self._deliver(path, file)
            lines.append(f"{file.name} {sensor.format} {size[0]} {size[1]} {stride} {sensor.matrix} "
                         f"{'full' if sensor.full_range else 'limited'} {sensor.rotation} {label} {file}")
            files.append(file.name)
        self.frames, self.list = folder / "frames.txt", folder / "files.txt"
        self.frames.write_text("\n".join(lines) + "\n")
        self.list.write_text("\n".join(files) + "\n")

    def _deliver(self, path, out):
        """Writes one buffer; (size, stride)."""
        if self.sensor.name in ("jpeg", "pillow", "opencv") and path.suffix.lower() in (".jpg", ".jpeg"):
            with Image.open(path) as file:
                if file.mode in ("RGB", "L") and max(file.size) <= 1000:
                    data = path.read_bytes() if self.sensor.name == "jpeg" else self._decoded(path).tobytes()
                    out.write_bytes(data)
                    return file.size, 0
        rgb = load(path)
        if self.sensor.rotation:  # as the sensor sees it
            rgb = np.ascontiguousarray(np.rot90(rgb, -self.sensor.rotation // 90))
        size, stride = (rgb.shape[1], rgb.shape[0]), 0
        if self.sensor.format == "jpeg":
            data = _jpeg(rgb, self.sensor.rotation)
        elif self.sensor.format == "png":
            png = io.BytesIO()
            Image.fromarray(rgb).save(png, "PNG", compress_level=1)
            data = png.getvalue()
        else:
            data, stride = raw_bytes(rgb, self.sensor)
        out.write_bytes(data)
        return size, stride

    def _decoded(self, path):
        if self.sensor.name == "opencv":
            import cv2

            return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1])
        with Image.open(path) as file:
            return np.asarray(file.convert("RGB"))
