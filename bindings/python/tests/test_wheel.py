"""The wheel is complete: it runs where none of our libraries is installed."""

import base64
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import zipfile
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


# Library: words of its licence.
LICENCES = {"libjpeg": "JPEG", "libpng16": "PNG Reference Library", "libzstd": "BSD", "liblz4": "BSD", "libdeflate": "Eric Biggers",
            "libyaml-0": "Kirill Simonov", "libcjson": "Dave Gamble", "libexif": "LGPL"}


@pytest.mark.skipif(not shutil.which("dpkg"), reason="the licences come from Debian's packages")
def test_licences_of_the_libraries_in_it():
    files = {str(f): f.read_text("utf-8") for f in importlib.metadata.files("exray") if "/licenses/" in str(f)}
    listed = next(text for name, text in files.items() if name.endswith("/bundled/README.txt"))
    libraries = sorted(p.name for p in (Path(exray.__file__).parents[1] / "exray.libs").iterdir())
    assert sorted(re.findall(r"^(lib\S+\.so\S*) ", listed, re.M)) == libraries
    assert {re.sub(r"-[0-9a-f]{8}\.so.*", "", name) for name in libraries} == set(LICENCES)
    for name, text_name in re.findall(r"^(lib\S+)-[0-9a-f]{8}\.so\S*  (\S+)  source package \S+ \d\S+$", listed, re.M):
        text = next(t for f, t in files.items() if f.endswith(f"/bundled/{text_name}"))
        assert LICENCES[name] in text, name
        for common in re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])", text):
            assert any(f.endswith(f"/bundled/common-licenses/{common}") for f in files), (name, common)
    assert any(name.endswith("/licenses/LICENSE") and "Apache License" in text for name, text in files.items())


def test_what_it_says_it_has():
    """RECORD is right, for what was added after the build, too."""
    for file in importlib.metadata.files("exray"):
        if file.hash:
            data = file.locate().read_bytes()
            assert file.size == len(data), file
            assert base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode() == file.hash.value, file


def test_one_version():
    """VERSION, read by CMake, the header and the wheel; "0.2.0-dev" is "0.2.0.dev0" to pip."""
    version = (ROOT / "VERSION").read_text().strip()
    assert exray.__version__ == version
    assert Version(importlib.metadata.version("exray")) == Version(version)


def test_two_builds_at_a_time(tmp_path):
    """Of one source tree: each has a build folder of its own."""
    # A build for debugging is compiled faster; one with the usual options not at all, where ccache has them (scripts/test.sh).
    options = [] if os.environ.get("CMAKE_C_COMPILER_LAUNCHER") else ["--config-settings=cmake.build-type=Debug"]
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-build-isolation", "--no-deps", *options]
    builds = [subprocess.Popen([*command, "-w", tmp_path / name, ROOT], stderr=subprocess.PIPE, text=True) for name in ("a", "b")]
    said = [build.communicate(timeout=600)[1] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], said
    for name in ("a", "b"):
        (wheel,) = (tmp_path / name).glob("exray-*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        assert "exray/bin/exray" in names and any(n.startswith("exray/_exray.") for n in names)
