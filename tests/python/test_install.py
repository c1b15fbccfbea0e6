"""An installed exray, in another place than it was configured for: it finds its
engine, and programs outside are built against it with CMake and with pkg-config."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))

PROGRAM = """
#include <exray/exray.h>
int main(void)
{
    static exray_recorder recorder;
    exray_recorder_open_file(&recorder, "app.mcap", NULL);
    exray_recorder_frame_begin(&recorder, "picture");
    exray_recorder_frame_end(&recorder);
    return exray_recorder_close(&recorder);
}
"""

# The libraries for engines, which are the application's: nothing of them is linked.
TAPS = """
#include <exray/litert.h>
#include <exray/onnxruntime.h>
#include <exray/tflite.h>
int main(void)
{
    static exray_recorder recorder;
    exray_litert_open(&recorder, "app.mcap", NULL, NULL, "no such model");
    if (exray_recorder_close(&recorder) != EXRAY_E_ENGINE) /* there is no LiteRT in this program */
        return 1;
    exray_ort_open(&recorder, "app.mcap", NULL, NULL, NULL, "no such model");
    if (exray_recorder_close(&recorder) != EXRAY_E_ARGUMENT)
        return 2;
    exray_tflite_open(&recorder, "app.mcap", NULL, NULL, NULL);
    return exray_recorder_close(&recorder) != EXRAY_E_ARGUMENT;
}
"""

LISTS = """
cmake_minimum_required(VERSION 3.20)
project(outside C)
find_package(exray REQUIRED)
add_executable(app app.c)
target_link_libraries(app exray::exray_tflite exray::exray_litert exray::exray_ort)
"""


def run(command, **more):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    place = tmp_path_factory.mktemp("installed") / "usr"
    run(["cmake", "--install", BUILD, "--prefix", place])
    return place


def test_engine_travels_along(prefix):
    if not (BUILD / "engines" / f"tflite-{platform.machine()}").is_dir():
        pytest.skip("no engine under build/engines")
    environment = {k: v for k, v in os.environ.items() if k != "EXRAY_TFLITE_LIB"}
    found = run([prefix / "bin" / "exray", "engines"], cwd=prefix, env=environment)
    assert "lib/exray/engines/tflite-" in found


@pytest.mark.parametrize("program", [PROGRAM, TAPS], ids=["recorder", "taps"])
def test_pkg_config(program, prefix, tmp_path):
    (tmp_path / "app.c").write_text(program)
    environment = dict(os.environ, PKG_CONFIG_PATH=str(next(prefix.rglob("exray.pc")).parent))
    flags = run(["pkg-config", "--cflags", "--libs", "exray"], env=environment).split()
    run([os.environ.get("CC", "cc"), "-std=c11", "app.c", "-o", "app", *flags], cwd=tmp_path)
    run(["./app"], cwd=tmp_path)
    assert "whole" in run([prefix / "bin" / "exray", "info", "app.mcap"], cwd=tmp_path)


@pytest.mark.parametrize("program", [PROGRAM, TAPS], ids=["recorder", "taps"])
def test_find_package(program, prefix, tmp_path):
    (tmp_path / "app.c").write_text(program)
    (tmp_path / "CMakeLists.txt").write_text(LISTS)
    ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
    run(["cmake", *ninja, "-S", ".", "-B", "b", f"-DCMAKE_PREFIX_PATH={prefix}"], cwd=tmp_path)
    run(["cmake", "--build", "b"], cwd=tmp_path)
    run(["b/app"], cwd=tmp_path)
