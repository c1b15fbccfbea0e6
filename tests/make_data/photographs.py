"""Pictures for tests, cut out of the photographs that packages carry: of many sizes and shapes, in
colours of another light, mirrored or not, as JPEG.  A fixed seed draws them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from PIL import Image, ImageFilter

# (wheel, member, class of ImageNet, how many pictures are cut out).  Where ImageNet has no class for what
# the picture shows, it is the one that EfficientNet-Lite0 gives the whole of it.
PHOTOGRAPHS = [
    ("scikit_image", "skimage/data/chelsea.png", 282, 8),  # tiger cat
    ("scikit_image", "skimage/data/coffee.png", 967, 8),  # espresso
    ("scikit_image", "skimage/data/rocket.jpg", 657, 7),  # missile
    ("scikit_image", "skimage/data/motorcycle_left.png", 665, 7),  # moped
    ("scikit_image", "skimage/data/astronaut.png", 560, 8),  # football helmet
    ("scikit_learn", "sklearn/datasets/images/china.jpg", 698, 8),  # palace
    ("scikit_learn", "sklearn/datasets/images/flower.jpg", 985, 7),  # daisy
    ("scikit_image", "skimage/data/camera.png", 872, 4),  # tripod, in grey
    ("scikit_image", "skimage/data/ihc.png", 911, 2),  # wool
    ("scikit_image", "skimage/data/hubble_deep_field.jpg", 110, 1),  # flatworm
]
TEXTURES = ("skimage/data/ihc.png", "skimage/data/hubble_deep_field.jpg")
SHORTEST = 300  # side of a picture: what a camera's is at least
SEED = 21


def read(wheels, wheel, member):
    with zipfile.ZipFile(wheels[wheel]) as archive:
        return Image.open(io.BytesIO(archive.read(member))).convert("RGB")


def cut(photograph, random):
    """A part of it, as another camera and another light would have it."""
    width, height = photograph.size
    w = int(random.integers(min(max(SHORTEST, int(0.6 * width)), width), width + 1))
    h = int(random.integers(min(max(SHORTEST, int(0.6 * height)), height), height + 1))
    left, top = int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1))
    part = photograph.crop((left, top, left + w, top + h))
    scale = max(SHORTEST / min(w, h), random.uniform(0.7, 1.0))   # details as fine as the pixels
    part = part.resize((max(SHORTEST, round(w * scale)), max(SHORTEST, round(h * scale))), Image.Resampling.LANCZOS)
    pixels = np.asarray(part, np.float64) / 255
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    light = random.uniform(0.88, 1.0, 3)
    pixels = (pixels ** random.uniform(0.8, 1.25)) * light * random.uniform(0.85, 1.0)
    picture = Image.fromarray(np.round(pixels.clip(0, 1) * 255).astype(np.uint8))
    return picture.filter(ImageFilter.UnsharpMask(1, int(random.integers(50, 120)), 2))  # as cameras do


def save(picture, path, random):
    picture.save(path, "JPEG", quality=int(random.integers(88, 97)), subsampling=int(random.choice([0, 2])))


def write(wheels, folder):
    """NAME.JPEG and labels.txt; the order mixes the photographs."""
    random = np.random.default_rng(SEED)
    chosen = [(p, k) for p in PHOTOGRAPHS for k in range(p[3])]
    # Those of one texture come last: tests of what a picture tells take the first ones.
    order = sorted(random.permutation(len(chosen)), key=lambda at: chosen[at][0][1] in TEXTURES)
    opened = {p[1]: read(wheels, p[0], p[1]) for p in PHOTOGRAPHS}
    lines = []
    for number, at in enumerate(order):
        (_, member, label, _), k = chosen[at]
        picture = opened[member] if k == 0 else cut(opened[member], random)
        name = f"picture_{number:02d}.JPEG"
        save(picture, folder / name, random)
        lines.append(f"{name} {label}\n")
    (folder / "labels.txt").write_text("".join(lines))
