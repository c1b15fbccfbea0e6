"""The program `exray`, which the wheel carries."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn


def _engine(package: str, pattern: str) -> str:
    """The library of an engine that is installed as a Python package; "" where it is not."""
    spec = find_spec(package)
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder).glob(pattern)):
            return str(path)
    return ""


def main() -> NoReturn:
    """Becomes the program; engines that are installed as Python packages are shown to it."""
    program = Path(__file__).parent / "bin" / "exray"
    for variable, package, pattern in (("EXRAY_LITERT_LIB", "ai_edge_litert", "libLiteRt.so"),
                                       ("EXRAY_ORT_LIB", "onnxruntime", "capi/libonnxruntime.so.*")):
        if variable not in os.environ:
            found = _engine(package, pattern)
            if found:
                os.environ[variable] = found
    os.execv(program, [str(program), *sys.argv[1:]])
