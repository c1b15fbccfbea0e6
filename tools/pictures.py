"""Pictures as EfficientNet-Lite0 wants them, with Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

IMAGE_SIZE = 224
CENTER_FRACTION = 0.875
SUFFIXES = {".jpg", ".jpeg", ".png"}


def normalize(pixels):
    """From 0..255 to what the model was trained on."""
    return (np.asarray(pixels, np.float32) - 127) / 128


def model_input(path) -> np.ndarray:
    """[1, 224, 224, 3] float32: the centre square, bicubic with antialias, normalized."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    side = round(CENTER_FRACTION * min(picture.size))
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    picture = picture.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
    return normalize(picture)[np.newaxis]


def pictures_in(folder) -> list[Path]:
    """The pictures in a folder, by name."""
    return sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in SUFFIXES)
