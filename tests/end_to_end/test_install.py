"""exray in other people's builds: installed in another place than it was configured for, found by CMake and by
pkg-config, or as a part of their own project.  For each public header a program in C and in C++ is built and run."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))
NINJA = ["-G", "Ninja"] if shutil.which("ninja") else []

RECORD = """    static exray_recorder recorder;
    exray_recorder_open_file(&recorder, "app.mcap", NULL);
    exray_recorder_frame_begin(&recorder, "picture");
    exray_recorder_frame_end(&recorder);
    return exray_recorder_close(&recorder);
"""
# The libraries for engines, which are the application's: nothing of them is linked.
TFLITE = """    static exray_recorder recorder;
    exray_tflite_open(&recorder, "app.mcap", NULL, NULL, NULL);
    return exray_recorder_close(&recorder) != EXRAY_E_ARGUMENT;
"""
LITERT = """    static exray_recorder recorder;
    exray_litert_open(&recorder, "app.mcap", NULL, NULL, "no such model");
    return exray_recorder_close(&recorder) != EXRAY_E_ENGINE; /* there is no LiteRT in this program */
"""
ORT = """    static exray_recorder recorder;
    exray_ort_open(&recorder, "app.mcap", NULL, NULL, NULL, "no such model");
    return exray_recorder_close(&recorder) != EXRAY_E_ARGUMENT;
"""
ERROR = "    exray_error error = {EXRAY_OK, \"\"};\n"
# header: its library's target, its pkg-config package, the body of a program.
DEVICE = {
    "exray": ("exray_core", "exray", RECORD),
    "recorder": ("exray_core", "exray", RECORD),
    "types": ("exray_core", "exray", "    return exray_status_name(EXRAY_E_IO)[0] != 'E';\n"),
    "flight": ("exray_core", "exray", "    exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;\n"
               "    return flight.size != sizeof flight || !exray_flight_part_default();\n"),
    "link": ("exray_core", "exray", "    static exray_link link;\n    exray_link_config to = EXRAY_LINK_CONFIG_INIT;\n"
             "    return exray_link_open(&link, &to) != EXRAY_E_ARGUMENT;\n"),
    "tflite": ("exray_tflite", "exray", TFLITE),
    "litert": ("exray_litert", "exray", LITERT),
    "onnxruntime": ("exray_ort", "exray", ORT),
}
HOST = {
    "codecs": ("exray_codecs", "exray-codecs", '    return exray_codec_default()->crc32(0, "a", 1) != 0xE8B7BE43u;\n'),
    "log": ("libexray", "libexray", ERROR + '    return exray_log_open("none.mcap", &error) || error.status != EXRAY_E_IO;\n'),
    "assertion": ("libexray", "libexray",
                  "    static exray_latency_table table;\n    return exray_latency_table_node(&table, 0) != NULL;\n"),
    "task": ("libexray", "libexray", '    return exray_task_named("detection") == NULL;\n'),
    "validate": ("libexray", "libexray", "    exray_validation_options options = EXRAY_VALIDATION_OPTIONS_INIT;\n"
                 "    exray_validation_free(NULL);\n    return options.size != sizeof options;\n"),
    "picture": ("libexray", "libexray", ERROR + '    return exray_picture_decode(NULL, "x", 1, &error) || error.status == EXRAY_OK;\n'),
    "text": ("libexray", "libexray", ERROR + "    exray_tokenizer_config config = EXRAY_TOKENIZER_CONFIG_INIT;\n"
             "    return exray_tokenizer_new(&config, &error) || error.status != EXRAY_E_ARGUMENT;\n"),
    "sound": ("libexray", "libexray", ERROR + '    return exray_sound_decode(NULL, "x", 1, &error) || error.status == EXRAY_OK;\n'),
}
LANGUAGES = {"c": ["-x", "c", "-std=c11"], "cpp": ["-x", "c++", "-std=c++17"]}

# Brings exray in, and fails where that changed anything of the project's own.
EXTERN = """cmake_minimum_required(VERSION 3.20)
project(outside C CXX)
set(CMAKE_C_FLAGS "-DOWN")
get_cmake_property(before VARIABLES)
{bring}
if(NOT CMAKE_C_FLAGS STREQUAL "-DOWN" OR DEFINED CMAKE_C_STANDARD OR DEFINED CMAKE_C_VISIBILITY_PRESET OR CMAKE_BUILD_TYPE
   OR DEFINED CMAKE_RUNTIME_OUTPUT_DIRECTORY OR CMAKE_C_FLAGS_RELWITHDEBINFO MATCHES OWN OR CMAKE_POSITION_INDEPENDENT_CODE)
  message(FATAL_ERROR "exray changed the project's settings")
endif()
get_directory_property(tests BUILDSYSTEM_TARGETS)
if(tests)
  message(FATAL_ERROR "targets of exray in the project's folder: ${{tests}}")
endif()
foreach(target IN ITEMS {targets})
  if(NOT TARGET exray::${{target}})
    message(FATAL_ERROR "no target exray::${{target}}")
  endif()
endforeach()
get_property(seen TARGET exray::exray_core PROPERTY INTERFACE_INCLUDE_DIRECTORIES)
if(seen MATCHES "/src")
  message(FATAL_ERROR "private headers are on the project's path: ${{seen}}")
endif()
"""


def run(command, **more):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


def languages():
    return [name for name in LANGUAGES if name == "c" or shutil.which("c++")]


def program(header, body):
    return f"#include <exray/{header}.h>\nint main(void)\n{{\n{body}}}\n"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    place = tmp_path_factory.mktemp("installed") / "usr"
    run(["cmake", "--install", BUILD, "--prefix", place])
    return place


def folder_of(prefix, file):
    return next(prefix.rglob(file)).parent


def build_outside(folder, bring, uses, *options):
    """A project that links each header's library into a program, in both languages; runs them all."""
    if "cpp" not in languages():
        pytest.skip("no C++ compiler: scripts/bootstrap.sh test")
    targets = sorted({target for target, _, _ in uses.values()})
    lists = EXTERN.format(bring=bring, targets=" ".join(targets))
    programs = []
    for header, (target, _, body) in uses.items():
        for language in languages():
            (folder / f"{header}.{language}").write_text(program(header, body))
            programs.append(f"{header}_{language}")
            lists += f"add_executable({programs[-1]} {header}.{language})\ntarget_link_libraries({programs[-1]} exray::{target})\n"
    (folder / "CMakeLists.txt").write_text(lists)
    run(["cmake", *NINJA, "-S", ".", "-B", "b", *options], cwd=folder)
    run(["cmake", "--build", "b", "-j", os.cpu_count()], cwd=folder)
    for name in programs:
        run([f"b/{name}"], cwd=folder)


def test_each_header_has_a_library():
    assert {path.stem for path in (ROOT / "include" / "exray").glob("*.h")} == set(DEVICE) | set(HOST)


def test_engine_travels_along(prefix):
    if not (BUILD / "engines" / f"tflite-{platform.machine()}").is_dir():
        pytest.skip("no engine under build/engines")
    environment = {k: v for k, v in os.environ.items() if k != "EXRAY_TFLITE_LIB"}
    found = run([prefix / "bin" / "exray", "engines"], cwd=prefix, env=environment)
    assert "lib/exray/engines/tflite-" in found


@pytest.mark.parametrize("language", languages())
def test_pkg_config(language, prefix, tmp_path):
    libraries = folder_of(prefix, "libexray.so")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(folder_of(prefix, "exray.pc")), LD_LIBRARY_PATH=str(libraries))
    for header, (_, package, body) in {**DEVICE, **HOST}.items():
        (tmp_path / "app").write_text(program(header, body))
        flags = run(["pkg-config", "--cflags", "--libs", package], env=environment).split()
        compiler = os.environ.get("CC", "cc") if language == "c" else "c++"
        run([compiler, *LANGUAGES[language], "-Wall", "-Wextra", "-Werror", "app", "-x", "none", "-o", "app.out", *flags], cwd=tmp_path)
        run(["./app.out"], cwd=tmp_path, env=environment)
    (tmp_path / "app").write_text(program("exray", RECORD))
    flags = run(["pkg-config", "--cflags", "--libs", "exray"], env=environment).split()
    run(["cc", *LANGUAGES["c"], "app", "-x", "none", "-o", "app.out", *flags], cwd=tmp_path)
    run(["./app.out"], cwd=tmp_path)
    assert "whole" in run([prefix / "bin" / "exray", "info", "app.mcap"], cwd=tmp_path)


def test_find_package(prefix, tmp_path):
    build_outside(tmp_path, "find_package(exray REQUIRED COMPONENTS device host codecs)", {**DEVICE, **HOST},
                  f"-DCMAKE_PREFIX_PATH={prefix}")


def test_a_component_that_there_is_not(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.20)\nproject(outside C)\n"
                                             "find_package(exray REQUIRED COMPONENTS wings)\n")
    done = subprocess.run(["cmake", *NINJA, "-S", ".", "-B", "b", f"-DCMAKE_PREFIX_PATH={prefix}"], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode != 0 and "wings" in done.stderr


def test_add_subdirectory(tmp_path):
    """The device's half, as an application for a device takes it."""
    build_outside(tmp_path, f"add_subdirectory({ROOT} exray)", DEVICE, "-DEXRAY_BUILD_HOST=OFF")
    assert not list(tmp_path.rglob("test_*")) and not list(tmp_path.rglob("exray-config.cmake"))


def test_fetch_content(tmp_path):
    """All of it; optimized by nobody, since the project says nothing."""
    build_outside(tmp_path, f"include(FetchContent)\nFetchContent_Declare(exray SOURCE_DIR {ROOT})\nFetchContent_MakeAvailable(exray)",
                  {**DEVICE, **HOST})
    assert not list(tmp_path.rglob("test_recorder*"))


def test_the_device_half_installs_alone(tmp_path):
    run(["cmake", *NINJA, "-S", ROOT, "-B", "b", "-DEXRAY_BUILD_HOST=OFF", "-DEXRAY_BUILD_TESTS=OFF",
         "-DCMAKE_BUILD_TYPE=Debug"], cwd=tmp_path)
    run(["cmake", "--build", "b", "-j", os.cpu_count()], cwd=tmp_path)
    run(["cmake", "--install", "b", "--prefix", "device"], cwd=tmp_path)
    assert {path.stem for path in (tmp_path / "device").rglob("*.h")} == set(DEVICE)
    assert {path.name for path in (tmp_path / "device").rglob("*.pc")} == {"exray.pc"}
    (tmp_path / "app.c").write_text(program("exray", RECORD))
    environment = dict(os.environ, PKG_CONFIG_PATH=str(folder_of(tmp_path / "device", "exray.pc")))
    run(["cc", "app.c", "-o", "app", *run(["pkg-config", "--cflags", "--libs", "exray"], env=environment).split()], cwd=tmp_path)
    run(["./app"], cwd=tmp_path)


def test_libexray_shows_the_public_functions_and_no_other_symbol(prefix):
    library = folder_of(prefix, "libexray.so") / "libexray.so"
    symbols = run(["nm", "-D", "--defined-only", library])
    shown = {line.split()[-1] for line in symbols.splitlines()}
    declared = set()
    for header in ["recorder", "types", "flight", "link", *HOST]:
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / "exray" / f"{header}.h").read_text(), flags=re.S)
        text = re.sub(r"static inline.*?\n}", "", text, flags=re.S)
        declared |= set(re.findall(r"\b(exray_\w+)\([^;{]*\)\s*(?:EXRAY_PRINTF)?;", text))
    assert len(declared) > 100 and declared <= shown, declared - shown
    assert {name for name in shown - declared if not name.startswith("exray_tflite_")} == set()
    version = (ROOT / "VERSION").read_text().split(".")
    expected = f"libexray.so.{version[0]}" if version[0] != "0" else f"libexray.so.0.{version[1]}"
    assert f"[{expected}]" in run(["readelf", "-d", library])
