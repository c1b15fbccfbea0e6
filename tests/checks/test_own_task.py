"""A task of one's own, out of a plug-in: recorded, replayed, measured."""

import subprocess

import onnx
import pytest
from demo_support import EXRAY, ROOT, run
from onnx import TensorProto, helper
from validate_support import validate
from PIL import Image

EXAMPLE = ROOT / "examples" / "plugin" / "count_task.c"


def compiled(source, library):
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", source, "-o", library, "-lm"], check=True)
    return library


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])
    mean = helper.make_tensor_value_info("things", TensorProto.FLOAT, [1, 3])
    node = helper.make_node("ReduceMean", ["image"], ["things"], axes=[2, 3], keepdims=0)
    onnx.save(helper.make_model(helper.make_graph([node], "mean", [image], [mean]), opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "m.onnx")
    (tmp_path / "data").mkdir()
    for k, color in enumerate(((9, 0, 0), (0, 9, 0), (0, 0, 9), (0, 7, 9))):
        Image.new("RGB", (8, 8), color).save(tmp_path / "data" / f"{k}.png")
    (tmp_path / "p.yaml").write_text("task: user.count\nimage: {normalize: none}\n")
    (tmp_path / "bgr.yaml").write_text("task: user.count\nimage: {normalize: none, channels: bgr}\n")
    return tmp_path


def record(pipeline, out, *options, status=0):
    return run(EXRAY, "record", "--model", "m.onnx", "--pipeline", pipeline, "--data", "data", "--capture", "io", "-o", out, *options, status=status)


def test_recorded_and_measured(work):
    plugin = compiled(EXAMPLE, work / "count_task.so")
    assert record("bgr.yaml", "edge.mcap", "--plugin", plugin).stderr == ""
    run(EXRAY, "replay", "edge.mcap", "--model", "m.onnx", "--pipeline", "p.yaml", "--plugin", "count_task.so", "--capture", "io", "-o", "ref.mcap")
    said = validate("edge.mcap", "ref.mcap", "--plugin", plugin)
    (measure,) = [m for m in said["accuracy"]["measures"] if m["name"] == "count_error"]
    assert measure["agreement"] == 1.5 and measure["frames"] == 4 and measure["better"] == "lower"  # 2, 1, 0, 0 for 0, 1, 2, 2
    # without the plug-in nothing is known of the task
    said = validate("edge.mcap", "ref.mcap")
    assert not [m for m in said["accuracy"]["measures"] if m["name"] == "count_error"]


def test_a_task_that_is_not_there(work):
    said = record("p.yaml", "edge.mcap").stderr
    assert said == "exray: warning: the task user.count is not known: give the plug-in that has it, --plugin FILE.so; no /result is written\n"


@pytest.mark.parametrize("change, why", [
    (('"user.count"', '"count"'), "the task 'count' needs a name that begins with user."), (("fits, decide", "NULL, decide"), "the task 'user.count' lacks one of its functions"),
    (("sizeof(exray_task)", "8"), "was built for another version"), (("EXRAY_PLUGIN_TASKS(&count_task);", "const void *unused = &count_task;"), "has no task")])
def test_plug_ins_that_cannot_be_used(work, change, why):
    text = EXAMPLE.read_text()
    assert change[0] in text
    (work / "t.c").write_text(text.replace(*change).replace("static bool fits", "__attribute__((unused)) static bool fits"))
    said = record("p.yaml", "edge.mcap", "--plugin", compiled(work / "t.c", work / "t.so"), status=2).stderr
    assert why in said and said.startswith("exray")


def test_no_plug_in(work):
    assert "nothing.so" in record("p.yaml", "edge.mcap", "--plugin", "nothing.so", status=2).stderr
