"""Code that users copy: what the docs show compiles in C11 and in C++17, and the example in C++ records."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))
WARNINGS = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-Wno-unused-parameter"]
LANGUAGES = {"c": [["cc", "-x", "c", "-std=c11"], ["c++", "-x", "c++", "-std=c++17"]], "cpp": [["c++", "-x", "c++", "-std=c++17"]]}

# What a snippet that is no whole file takes for granted, by what it includes.
GIVEN = {
    "exray/tflite.h": "struct TfLiteInterpreterOptions *options, const char *path, const void *bytes, size_t size",
    "exray/litert.h": "struct LiteRtOptionsT *options, struct LiteRtCompiledModelT *compiled, size_t input_count, "
                      "struct LiteRtTensorBufferT **inputs, size_t output_count, struct LiteRtTensorBufferT **outputs",
    "exray/onnxruntime.h": "const struct OrtApi *api, struct OrtSession *session, const char *const *in, "
                           "const struct OrtValue *const *inputs, size_t input_count, const char *const *out, "
                           "struct OrtValue **outputs, size_t output_count",
    None: "exray_recorder recorder, const void *pixels, size_t size, const void *samples, size_t bytes",
}
ORT = """struct OrtApiBase;
#ifdef __cplusplus
extern "C"
#endif
const struct OrtApiBase *OrtGetApiBase(void);
"""


def snippets():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for number, (language, code) in enumerate(re.findall(r"^```(c|cpp)\n(.*?)^```", page.read_text(), re.S | re.M)):
            for compiler in LANGUAGES[language]:
                yield pytest.param(code, compiler, id=f"{page.stem}-{number + 1}-{compiler[0]}")


def whole(code):
    """A file of it: as it stands where it has functions or a plug-in's table, else as the body of one function."""
    if re.search(r"^(static|class|struct|EXRAY_)", code, re.M):
        return code
    lines = code.splitlines()
    includes = [line for line in lines if line.startswith("#include")]
    body = [line for line in lines if not line.startswith("#include")]
    header = next((h for h in GIVEN if h and any(h in line for line in includes)), None)
    return "\n".join([*(includes or ["#include <exray/exray.h>"]), ORT if header == "exray/onnxruntime.h" else "",
                      f"void snippet({GIVEN[header]});", f"void snippet({GIVEN[header]})", "{", *body, "}", ""])


@pytest.mark.parametrize("code, compiler", list(snippets()))
def test_what_the_docs_show_compiles(code, compiler, tmp_path):
    if not shutil.which(compiler[0]):
        pytest.skip(f"no {compiler[0]}: scripts/bootstrap.sh test")
    (tmp_path / "snippet").write_text(whole(code))
    done = subprocess.run([*compiler, *WARNINGS, "-fsyntax-only", "-I", ROOT / "include", tmp_path / "snippet"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + whole(code)


def test_the_example_in_cpp_records_every_layer(tmp_path):
    engine = ROOT / "build" / "engines" / f"tflite-{platform.machine()}"
    if not shutil.which("c++") or not engine.exists():
        pytest.skip("no C++ compiler or no engine: scripts/bootstrap.sh test engine")
    archives = [BUILD / "src" / room / f"libexray_{name}.a" for room, name in
                (("engines", "tflite"), ("models", "models"), ("core", "core"))]
    program, log = tmp_path / "record", tmp_path / "edge.mcap"
    subprocess.run(["c++", "-std=c++17", *WARNINGS, "-I", ROOT / "include", ROOT / "examples" / "record.cpp", "-o", program, *archives,
                    "-L", engine, "-ltensorflowlite_c", f"-Wl,-rpath,{engine}", "-lm", "-lpthread", "-ldl"], check=True)
    model = ROOT / "fuzz" / "corpus" / "tflite" / "micro_speech_int8.tflite"
    subprocess.run([program, model, log, "4"], check=True)
    told = subprocess.run([BUILD / "exray", "info", log], check=True, capture_output=True, text=True).stdout
    assert re.search(r"^frames +4$", told, re.M) and re.search(r"layer +16 .*with data", told) and "whole" in told
    wrong = subprocess.run([program, "/no model", log], capture_output=True, text=True)
    assert wrong.returncode == 1 and "cannot load /no model" in wrong.stderr
