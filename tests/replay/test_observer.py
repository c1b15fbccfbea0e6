"""The observer guard: an engine whose results depend on being watched is told, one
that is noisy or random by itself is not; `validate` names the log."""

import os
import platform

import pytest
import testdata
from demo_support import BUILD, EXRAY, run
from mcap.reader import make_reader
from validate_support import finding, validate

pytestmark = pytest.mark.data

LIBRARY = BUILD / "engines" / f"tflite-{platform.machine()}" / "libtensorflowlite_c.so"

# TensorFlow Lite itself, but for two functions: where a profiler was attached (or always), each run
# adds a little to the first value of the first output afterwards.
WRAPPER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
static int observed, run;
void *TfLiteInterpreterOptionsCreate(void)
{
    void *(*real)(void) = (void *(*)(void))dlsym(RTLD_NEXT_LIBRARY, "TfLiteInterpreterOptionsCreate");
    observed = 0;
    return real();
}
void TfLiteInterpreterOptionsSetTelemetryProfiler(void *options, void *profiler)
{
    void (*real)(void *, void *) =
        (void (*)(void *, void *))dlsym(RTLD_NEXT_LIBRARY, "TfLiteInterpreterOptionsSetTelemetryProfiler");
    observed = 1;
    real(options, profiler);
}
int TfLiteInterpreterInvoke(void *interpreter)
{
    int (*real)(void *) = (int (*)(void *))dlsym(RTLD_NEXT_LIBRARY, "TfLiteInterpreterInvoke");
    void *(*output)(void *, int) =
        (void *(*)(void *, int))dlsym(RTLD_NEXT_LIBRARY, "TfLiteInterpreterGetOutputTensor");
    void *(*data)(void *) = (void *(*)(void *))dlsym(RTLD_NEXT_LIBRARY, "TfLiteTensorData");
    const char *add = getenv("TEST_OBSERVED_ADD"), *noise = getenv("TEST_ALWAYS_ADD");
    int status = real(interpreter);
    float *values = data(output(interpreter, 0));
    if (add && observed)
        values[0] += atof(add);
    if (noise)
        values[0] += atof(noise) * (1 + run++ * 7 % 5);
    return status;
}
"""


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory):
    if not LIBRARY.exists():
        pytest.skip(f"no {LIBRARY}: run scripts/bootstrap.sh engine")
    folder = tmp_path_factory.mktemp("wrapper")
    real = f'dlopen("{LIBRARY}", RTLD_NOW)'
    (folder / "wrapper.c").write_text(WRAPPER.replace("RTLD_NEXT_LIBRARY", real))
    # --no-as-needed: what is not overridden is found in the real library.
    run("cc", "-shared", "-fPIC", "-o", folder / "wrapper.so", folder / "wrapper.c", "-Wl,--no-as-needed", LIBRARY,
        f"-Wl,-rpath,{LIBRARY.parent}")
    return folder / "wrapper.so"


def record(tmp_path, library, *options, out="edge.mcap", environment=None):
    (tmp_path / "p.yaml").write_text("task: classification\nimage: {crop: center 0.875, resize: bicubic 224x224}\n")
    picture = testdata.pictures(1)[0]
    return run(EXRAY, "record", "--engine", "tflite", "--model", testdata.model("mobilenet_v1_0.25_224_float.tflite"),
               "--pipeline", tmp_path / "p.yaml", "--data", picture, "--engine-lib", library, "-o", tmp_path / out,
               *options, env={**os.environ, **(environment or {})})


def metadata(path):
    with open(path, "rb") as file:
        return next(m.metadata for m in make_reader(file).iter_metadata() if m.name == "exray")


def test_a_healthy_engine_is_equal(tmp_path, wrapper):
    assert record(tmp_path, wrapper).stderr == ""
    got = metadata(tmp_path / "edge.mcap")
    assert (got["observer"], got["observer_max_abs"]) == ("equal", "0")
    assert "observer_output" not in got


@pytest.mark.parametrize("level", ["io", "frame", "off"])
def test_where_no_layer_is_observed_nothing_is_claimed(tmp_path, wrapper, level):
    assert record(tmp_path, wrapper, "--capture", level, environment={"TEST_OBSERVED_ADD": "0.25"}).stderr == ""
    assert "observer" not in metadata(tmp_path / "edge.mcap")


def test_a_perturbed_engine_is_told_and_named(tmp_path, wrapper):
    result = record(tmp_path, wrapper, environment={"TEST_OBSERVED_ADD": "0.25"})
    assert result.stderr.startswith("exray: warning: observing the layers changes") and result.stderr.count("\n") == 1
    got = metadata(tmp_path / "edge.mcap")
    assert got["observer"] == "differs" and float(got["observer_max_abs"]) == pytest.approx(0.25, rel=1e-5)
    assert float(got["observer_repeat_max_abs"]) == 0
    record(tmp_path, wrapper, out="ref.mcap")
    logs = tmp_path / "edge.mcap", tmp_path / "ref.mcap"
    verdict = validate(*logs, "--assert", "log.perturbed", status=0)
    found = finding(verdict, "log.perturbed")
    assert found["severity"] == "warning" and found["evidence"]["side"] == "edge"
    assert found["evidence"]["max_abs"] == pytest.approx(0.25, rel=1e-5) and found["evidence"]["engine"] == "tflite"
    validate(*logs, "--assert", "log.perturbed", "--fail-on", "log", status=1)
    assert validate(logs[1], logs[1], "--assert", "log.perturbed")["findings"] == []


def test_noise_is_not_a_perturbation(tmp_path, wrapper):
    assert record(tmp_path, wrapper, environment={"TEST_OBSERVED_ADD": "3e-7"}).stderr == ""
    got = metadata(tmp_path / "edge.mcap")
    assert got["observer"] == "noise" and 0 < float(got["observer_max_abs"]) < 1e-6


def test_a_random_model_is_not_a_perturbed_one(tmp_path, wrapper):
    assert record(tmp_path, wrapper, environment={"TEST_ALWAYS_ADD": "0.1"}).stderr == ""
    got = metadata(tmp_path / "edge.mcap")
    assert got["observer"] == "noise" and float(got["observer_repeat_max_abs"]) > 0.05


def test_a_small_perturbation_far_above_the_models_own_variation(tmp_path, wrapper):
    result = record(tmp_path, wrapper, environment={"TEST_ALWAYS_ADD": "1e-4", "TEST_OBSERVED_ADD": "0.25"})
    assert "observing the layers changes" in result.stderr
