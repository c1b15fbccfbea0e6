#!/usr/bin/env python3
"""Prepares the demo's photographs, and names for the model's classes.

The photographs lie in the wheel of scikit-image 0.26.0; the example application
reads JPEG, so PNG files are converted.  Class names come from the wheel of timm,
where it is at hand.

    demo_data.py --photographs scikit_image-0.26.0-*.whl --names timm-*.whl -o build/demo

writes photographs/*.jpg and, with --names, names.txt: a class name a line.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

from PIL import Image

PHOTOGRAPHS = [
    "chelsea.png",  # a tiger cat
    "rocket.jpg",
    "coffee.png",
    "motorcycle_right.png",
    "camera.png",  # a photographer's tripod, in grey
    "astronaut.png",
]
JPEG_QUALITY = 95


def write_photographs(wheel: zipfile.ZipFile, folder: Path) -> None:
    (folder / "photographs").mkdir(parents=True, exist_ok=True)
    for name in PHOTOGRAPHS:
        data = wheel.read(f"skimage/data/{name}")
        if not name.endswith(".jpg"):
            converted = io.BytesIO()
            Image.open(io.BytesIO(data)).convert("RGB").save(converted, "JPEG", quality=JPEG_QUALITY)
            data, name = converted.getvalue(), Path(name).stem + ".jpg"
        (folder / "photographs" / name).write_bytes(data)


def write_names(wheel: zipfile.ZipFile, path: Path) -> None:
    """One class name a line: the first lemma of each synset, in the order of the classes."""

    def lines(name):
        return wheel.read(f"timm/data/_info/{name}").decode("utf-8").splitlines()

    lemmas = dict(line.split("\t", 1) for line in lines("imagenet_synset_to_lemma.txt"))
    names = [lemmas[synset.strip()].split(",")[0] for synset in lines("imagenet_synsets.txt")]
    path.write_text("".join(name + "\n" for name in names))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path, required=True, help="scikit-image's wheel")
    parser.add_argument("--names", type=Path, help="timm's wheel")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write into")
    arguments = parser.parse_args()
    try:
        with zipfile.ZipFile(arguments.photographs) as wheel:
            write_photographs(wheel, arguments.output)
        if arguments.names is not None:
            with zipfile.ZipFile(arguments.names) as wheel:
                write_names(wheel, arguments.output / "names.txt")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as e:
        print(f"demo_data: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
