#!/usr/bin/env python3
"""Where test data lie.  Tests ask this file, and so do scripts and CMake:

    python3 tests/testdata.py path models/NAME    that file, in the first folder that has it
    python3 tests/testdata.py pictures            the folder of pictures with classes (labels.txt)
    python3 tests/testdata.py assets              the folder beside the repository; nothing where there is none

Data come from two places, in the same form (models/, labels/, audio/, pictures with a labels.txt):

    ../shared/assets   beside the repository: more models, ImageNet's pictures.  Nobody needs it
    build/data         made from packages by scripts/bootstrap.sh test (tests/make_data, docs/test-data.md)

EXRAY_ASSETS=DIR is another folder of the first kind; EXRAY_ASSETS=none: there is none.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MADE = ROOT / os.environ.get("EXRAY_BUILD", "build") / "data"
HOW = "run scripts/bootstrap.sh test"


def _assets():
    named = os.environ.get("EXRAY_ASSETS")
    if named == "none":
        return None
    folder = Path(named) if named else ROOT.parent / "shared" / "assets"
    if named and not folder.is_dir():
        raise SystemExit(f"data: EXRAY_ASSETS names {folder}, and there is no such folder")
    return folder.resolve() if folder.is_dir() else None


ASSETS = _assets()
FOLDERS = [f for f in (ASSETS, MADE) if f is not None and f.is_dir()]


class Files:
    """One kind of file of all folders: FILES / "name" is the file in the first folder that has it."""

    def __init__(self, kind):
        self.folders = [f / kind for f in FOLDERS]
        self.missing = MADE / kind

    def __truediv__(self, name):
        return next((f / name for f in self.folders if (f / name).exists()), self.missing / name)

    def glob(self, pattern):
        """All of them, each name once, by name."""
        return sorted({path.name: path for f in reversed(self.folders) for path in f.glob(pattern)}.values(), key=lambda p: p.name)


MODELS, LABELS, AUDIO = Files("models"), Files("labels"), Files("audio")
# Pictures with classes, *.JPEG: ImageNet's, or cut out of photographs of packages.
PICTURES = ASSETS / "imagenet" if ASSETS and (ASSETS / "imagenet").is_dir() else MADE / "pictures"
SET = "imagenet" if PICTURES.name == "imagenet" else "packages"


def need(path):
    """The path; skips the test that asks where there is no such file."""
    if not Path(path).exists():
        import pytest

        pytest.skip(f"no {path}: {HOW}")
    return path


def model(name):
    """A model file; skips where there is none."""
    return need(MODELS / name)


def pictures(count=None):
    """The first pictures, as paths; skips where there are not that many."""
    found = sorted(PICTURES.glob("*.JPEG"))[:count]
    if not found or len(found) < (count or 1):
        import pytest

        pytest.skip(f"not {count or 1} pictures in {PICTURES}: {HOW}")
    return found


def labelled_pictures():
    """(path, class of ImageNet's 1000) of all pictures; skips where there are none."""
    lines = need(PICTURES / "labels.txt").read_text().splitlines()
    return [(PICTURES / name, int(label)) for name, label in (line.split() for line in lines if line.strip())]


FIXTURES = set()


def fixture(*arguments, **options):
    """pytest.fixture of what needs test data: tests that ask for it get the mark `data`."""
    import pytest

    def register(function):
        FIXTURES.add((function.__module__, function.__name__))
        return function

    if arguments:  # without parentheses
        return pytest.fixture(register(arguments[0]))
    return lambda function: pytest.fixture(**options)(register(function))


def expected(**of_set):
    """The value that belongs to the pictures at hand: expected(imagenet=46, packages=52)."""
    return of_set[SET]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "path":
        kind, _, name = sys.argv[2].partition("/")
        print(Files(kind) / name)
    elif sys.argv[1:] == ["assets"]:
        print(ASSETS or "", end="\n" if ASSETS else "")
    elif sys.argv[1:] == ["pictures"]:
        print(PICTURES)
    else:
        raise SystemExit(__doc__)
