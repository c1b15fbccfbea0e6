"""The device core without an operating system: it compiles for bare metal, and
asks for nothing but port.h and a few string functions."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"
SOURCES = sorted(path for path in CORE.rglob("*.c") if path.parent.name != "port")
FLAGS = ["-std=c11", "-Os", "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
# What every C library, however small, has; and the compiler's own helpers.
ALLOWED = {"memcpy", "memset", "memcmp", "memmove", "strlen", "strcmp", "strncmp", "strchr", "strrchr"}
HELPERS = ("__aeabi_", "__aarch64_", "__atomic_", "__cpu_", "__udiv", "__div", "__umod", "__mod", "__float", "_GLOBAL_OFFSET_TABLE_")


def compilers():
    found = []
    if shutil.which("arm-none-eabi-gcc"):
        found.append(pytest.param((["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"], "arm-none-eabi-nm"), id="cortex-m4"))
    if shutil.which("aarch64-linux-gnu-gcc"):
        found.append(pytest.param((["aarch64-linux-gnu-gcc"], "aarch64-linux-gnu-nm"), id="aarch64"))
    found.append(pytest.param((["cc"], "nm"), id="native"))
    return found


@pytest.fixture(scope="module", params=compilers())
def core(request, tmp_path_factory):
    """(compiler, nm, the folder of the core's objects), compiled once, each function in a section of its own."""
    compiler, nm = request.param
    folder = tmp_path_factory.mktemp("objects")
    subprocess.run([*compiler, *FLAGS, "-ffunction-sections", "-fdata-sections", "-c", *SOURCES], check=True, cwd=folder)
    return compiler, nm, folder


def test_compiles_and_needs_only_the_port(core):
    _, nm, folder = core
    assert len(SOURCES) == len(list(folder.glob("*.o"))) > 10
    defined, needed = set(), set()
    for line in subprocess.run([nm, *folder.glob("*.o")], check=True, capture_output=True, text=True).stdout.splitlines():
        if not line or line.endswith(".o:"):
            continue
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
                    "limits.h",
                    "math.h",  # NAN and INFINITY alone
                    "stdatomic.h",
                    "stdbool.h",
                    "stddef.h",
                    "stdint.h",
                    "string.h",
                    "arm_neon.h",
                    "immintrin.h",
                }, f"{source.name}: {line}"


# What a recorder without parts may take of the port, and no more (core/port/port_template.c says so, too).
LEAN_PORT = {"xr_port_now", "xr_port_wall_clock", "xr_port_allocate", "xr_port_free", "xr_port_error_text", "xr_port_is_no_space", "xr_port_refusal_of"}
LEAN_CALLS = ["open_device_sized", "memory_needed_device", "log_tensor", "log_model", "log_result", "log_reading", "log_latency", "log_scalar",
              "log_span", "log_attachment", "log_metadata", "frame_begin", "frame_end", "frame_label", "close", "abandon", "error_message",
              "dropped", "bytes_written"]  # fmt: skip


def test_without_parts_nothing_of_them_is_linked(core, tmp_path):
    compiler, nm, folder = core
    objects = [folder / f"{source.stem}.o" for source in SOURCES]
    names = [f"exray_recorder_{name}" for name in LEAN_CALLS]
    probe = tmp_path / "probe.c"
    probe.write_text("\n".join(f"extern char {n}[];" for n in names) + "\nconst void *const probe[] = {" + ", ".join(names) + "};\n")
    subprocess.run([*compiler, "-c", probe, "-o", tmp_path / "probe.o"], check=True)
    linked = tmp_path / "lean"
    subprocess.run([*compiler, "-nostdlib", "-static", "-no-pie", "-Wl,--gc-sections,-e,probe,--unresolved-symbols=ignore-all", tmp_path / "probe.o",
                    *objects, "-o", linked], check=True)  # fmt: skip
    symbols = {line.split()[-1] for line in subprocess.run([nm, linked], check=True, capture_output=True, text=True).stdout.splitlines()}
    parts = [o for o, source in zip(objects, SOURCES) if source.parent.name in ("summary", "chunks", "async", "host")]
    out = subprocess.run([nm, "-g", "--defined-only", *parts], check=True, capture_output=True, text=True).stdout
    of_parts = {line.split()[-1] for line in out.splitlines() if line and not line.endswith(".o:")}
    assert "exray_recorder_open_device_sized" in symbols
    assert not symbols & of_parts
    assert {name for name in symbols if name.startswith("xr_port_")} <= LEAN_PORT


def test_the_port_to_copy_compiles_and_is_complete(core, tmp_path):
    compiler, nm, _ = core
    template = CORE / "port" / "port_template.c"
    subprocess.run([*compiler, *FLAGS, "-c", template, "-o", tmp_path / "port.o"], check=True)
    out = subprocess.run([nm, "-g", "--defined-only", tmp_path / "port.o"], check=True, capture_output=True, text=True).stdout
    defined = {line.split()[-1] for line in out.splitlines()}
    declared = set(re.findall(r"\b(xr_port_\w+)\(", (CORE / "port" / "port.h").read_text()))
    assert defined == declared
