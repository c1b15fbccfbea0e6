"""The wheel is complete: it runs where none of our libraries is installed."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

import exray

ROOT = Path(__file__).resolve().parents[3]

# What every Linux with glibc has (PEP 600's lists); the rest must come along.
OF_THE_SYSTEM = re.compile(r"(ld-linux|linux-vdso|libc|libm|libdl|libpthread|librt|libz|libgcc_s|libstdc\+\+)[.-]")


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
@pytest.mark.parametrize("name", ["_exray.abi3.so", "bin/exray"])
def test_what_it_links_lies_in_it(name):
    package = Path(exray.__file__).parent
    listed = subprocess.run(["ldd", package / name], capture_output=True, text=True, check=True).stdout
    found = [line.split() for line in listed.splitlines() if not OF_THE_SYSTEM.match(Path(line.split()[0]).name)]
    assert len(found) >= 5  # JPEG, PNG, YAML, JSON, zstd, ...
    for line in found:
        assert Path(line[2]).resolve().parent == (package.parent / "exray.libs").resolve(), line


def test_one_version():
    """VERSION, read by CMake, the header and the wheel; "0.2.0-dev" is "0.2.0.dev0" to pip."""
    version = (ROOT / "VERSION").read_text().strip()
    assert exray.__version__ == version
    assert Version(importlib.metadata.version("exray")) == Version(version)
