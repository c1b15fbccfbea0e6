"""What `--delegate` answers to libraries that are none, and to one that refuses."""

import pytest
import testdata
from demo_support import EXRAY, run

pytestmark = pytest.mark.data

REFUSES = r"""
void *tflite_plugin_create_delegate(char **keys, char **values, unsigned long count, void (*say)(const char *))
{
    (void)values;
    say(count > 1 ? keys[1] : "no such device\nand more");
    return 0;
}
void tflite_plugin_destroy_delegate(void *delegate) { (void)delegate; }
"""


@pytest.fixture
def refused(tmp_path):
    """Runs `record --delegate SPEC` and returns its one line."""
    (tmp_path / "p.yaml").write_text("image: {resize: bicubic 224x224}\n")
    picture = testdata.pictures(1)[0]

    def call(spec):
        result = run(EXRAY, "record", "--model", testdata.model("mobilenet_v1_0.25_224_float.tflite"), "--pipeline",
                     tmp_path / "p.yaml", "--data", picture, "-o", tmp_path / "o.mcap", "--delegate", spec, status=2)
        assert result.stderr.count("\n") == 1 and not (tmp_path / "o.mcap").exists()
        return result.stderr

    return call


def library(folder, text):
    (folder / "d.c").write_text(text)
    run("cc", "-shared", "-fPIC", "-o", folder / "d.so", folder / "d.c")
    return folder / "d.so"


def test_what_is_no_delegate_is_told(tmp_path, refused):
    assert "there is no file" in refused(tmp_path / "none.so")
    assert "cannot load" in refused(tmp_path / "p.yaml")
    only_create = library(tmp_path, REFUSES.split("void tflite_plugin_destroy")[0])
    assert "no symbol tflite_plugin_destroy_delegate" in refused(only_create)


def test_a_refusal_is_told_in_the_delegates_own_words(tmp_path, refused):
    path = library(tmp_path, REFUSES)
    line = refused(path)
    assert line.rstrip().endswith("no such device") and str(path)[:40] in line
    assert refused(f"{path}:first:1;second:a:b;").rstrip().endswith("second")
    assert "cannot understand the option novalue" in refused(f"{path}:novalue")


def test_a_path_may_have_colons(tmp_path, refused):
    (tmp_path / "a:b").mkdir()
    path = library(tmp_path / "a:b", REFUSES)
    assert refused(f"{path}:first:1;second:2").rstrip().endswith("second")
