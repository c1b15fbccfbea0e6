"""The device core without an operating system: it compiles for bare metal, and
asks for nothing but port.h and a few string functions."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"
SOURCES = sorted(path for path in CORE.rglob("*.c") if not path.name.startswith("port_"))
FLAGS = ["-std=c11", "-Os", "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
# What every C library, however small, has; and the compiler's own helpers.
ALLOWED = {"memcpy", "memset", "memcmp", "memmove", "strlen", "strcmp", "strncmp", "strchr"}
HELPERS = ("__aeabi_", "__aarch64_", "__atomic_", "__cpu_", "__udiv", "__div", "__umod", "__mod", "__float", "_GLOBAL_OFFSET_TABLE_")


def compilers():
    found = []
    if shutil.which("arm-none-eabi-gcc"):
        found.append(pytest.param(["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"], "arm-none-eabi-nm", id="cortex-m4"))
    if shutil.which("aarch64-linux-gnu-gcc"):
        found.append(pytest.param(["aarch64-linux-gnu-gcc"], "aarch64-linux-gnu-nm", id="aarch64"))
    found.append(pytest.param(["cc"], "nm", id="native"))
    return found


@pytest.mark.parametrize("compiler, nm", compilers())
def test_compiles_and_needs_only_the_port(compiler, nm, tmp_path):
    assert len(SOURCES) > 10
    defined, needed = set(), set()
    for source in SOURCES:
        output = tmp_path / f"{source.stem}.o"
        subprocess.run([*compiler, *FLAGS, "-c", source, "-o", output], check=True)
        for line in subprocess.run([nm, output], check=True, capture_output=True, text=True).stdout.splitlines():
            kind, name = line.split()[-2:]
            (needed if kind in "Uu" else defined).add(name)
    missing = {name for name in needed - defined - ALLOWED if not name.startswith(HELPERS)}
    assert missing and all(name.startswith("xr_port_") for name in missing), missing


def test_port_is_all_that_touches_the_system():
    for source in [*SOURCES, *CORE.rglob("*.h")]:
        for line in source.read_text().splitlines():
            if line.startswith("#include <"):
                header = line.split("<")[1].split(">")[0]
                assert header.startswith("exray/") or header in {
                    "math.h",  # NAN alone
                    "stdatomic.h",
                    "stdbool.h",
                    "stddef.h",
                    "stdint.h",
                    "string.h",
                    "immintrin.h",
                }, f"{source.name}: {line}"
