"""The program `exray`, which the wheel carries, and the engines that are installed as Python packages."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, NoReturn, Tuple

#: engine: the variable that names its library, the package that may have it, and where.
_ENGINES: Dict[str, Tuple[str, str, str]] = {
    "litert": ("EXRAY_LITERT_LIB", "ai_edge_litert", "libLiteRt.so"),
    "onnxruntime": ("EXRAY_ORT_LIB", "onnxruntime", "capi/libonnxruntime.so.*"),
}


def engine_library(engine: str) -> str:
    """The library of an engine that is installed as a Python package; "" where it is not, or where a variable of
    the environment names another."""
    variable, package, pattern = _ENGINES.get(engine, ("", "", ""))
    spec = find_spec(package) if package and variable not in os.environ else None
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder).glob(pattern)):
            return str(path)
    return ""


def main() -> NoReturn:
    """Becomes the program; engines that are installed as Python packages are shown to it."""
    program = Path(__file__).parent / "bin" / "exray"
    for engine, (variable, _, _) in _ENGINES.items():
        found = engine_library(engine)
        if found:
            os.environ[variable] = found
    os.execv(program, [str(program), *sys.argv[1:]])
