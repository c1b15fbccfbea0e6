"""ONNX models whose tensors lie in files beside them: found whatever the current folder is, and nowhere else."""

import os
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from validate_support import EXRAY


def model():
    weights = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["product"]), helper.make_node("Add", ["product", "b"], ["sum"]),
             helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.full((4,), 2, np.float32), "c_value")),
             helper.make_node("Mul", ["sum", "c"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
                              [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.arange(4, dtype=np.float32), "b")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def save(folder, location="model.onnx.data"):
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model(), folder / "model.onnx", save_as_external_data=True, location=location, size_threshold=0, convert_attribute=True)
    return folder / "model.onnx"


def expose(path, out, cwd, status=0):
    done = subprocess.run([EXRAY, "expose", path, "-o", out], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == status, done.stderr
    return done.stderr


def run(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, {"x": np.ones((1, 8), np.float32)})))


@pytest.mark.parametrize("place", ["here", "there", "relative"])
def test_an_exposed_copy_elsewhere_has_its_data(tmp_path, place):
    path = save(tmp_path / "deep" / "model")
    other = tmp_path / "other"
    other.mkdir()
    cwd = {"here": path.parent, "there": other, "relative": tmp_path}[place]
    expose({"here": "model.onnx", "there": path, "relative": "deep/model/model.onnx"}[place], other / "exposed.onnx", cwd)
    made, right = run(other / "exposed.onnx"), run(path)
    np.testing.assert_array_equal(made["y"], right["y"])
    assert "product" in made
    exposed = onnx.load(other / "exposed.onnx", load_external_data=False)
    assert not any(i.data_location == TensorProto.EXTERNAL for i in exposed.graph.initializer)
    np.testing.assert_array_equal(numpy_helper.to_array(exposed.graph.initializer[0]), numpy_helper.to_array(model().graph.initializer[0]))


def test_data_in_a_folder_below(tmp_path):
    path = save(tmp_path / "m")
    (tmp_path / "m" / "weights").mkdir()
    os.rename(tmp_path / "m" / "model.onnx.data", tmp_path / "m" / "weights" / "all.data")
    change(path, "location", "weights/all.data")
    expose(path, tmp_path / "out.onnx", tmp_path)


def change(path, key, value, only=None):
    loaded = onnx.load(path, load_external_data=False)
    tensors = [*loaded.graph.initializer, *(a.t for n in loaded.graph.node for a in n.attribute if a.HasField("t"))]
    for tensor in tensors:
        for entry in tensor.external_data:
            if entry.key == key and (only is None or tensor.name == only):
                entry.value = value
    path.write_bytes(loaded.SerializeToString())


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "weights/../../secret", "", "..", "weights\\secret"])
def test_data_outside_the_folder_are_refused(tmp_path, location):
    (tmp_path / "secret").write_bytes(bytes(4096))
    path = save(tmp_path / "m")
    (tmp_path / "m" / "weights").mkdir()
    change(path, "location", location)
    assert "not in the model's own folder" in expose(path, tmp_path / "out.onnx", tmp_path, status=2)


def test_a_link_that_leads_out_is_refused(tmp_path):
    path = save(tmp_path / "m")
    os.rename(tmp_path / "m" / "model.onnx.data", tmp_path / "secret")
    os.symlink(tmp_path / "secret", tmp_path / "m" / "model.onnx.data")
    assert "leads out" in expose(path, tmp_path / "out.onnx", tmp_path, status=2)
    os.remove(tmp_path / "m" / "model.onnx.data")
    os.rename(tmp_path / "secret", tmp_path / "m" / "real.data")
    os.symlink("real.data", tmp_path / "m" / "model.onnx.data")  # within the folder
    expose(path, tmp_path / "out.onnx", tmp_path)


def test_a_cache_of_links_is_read(tmp_path):
    """A model whose name is a link may have its data where that leads, as caches of downloads keep both; not elsewhere."""
    path = save(tmp_path / "m")
    (tmp_path / "blobs").mkdir()
    os.rename(path, tmp_path / "blobs" / "a1")
    os.rename(tmp_path / "m" / "model.onnx.data", tmp_path / "blobs" / "b2")
    os.symlink("../blobs/a1", path)
    os.symlink("../blobs/b2", tmp_path / "m" / "model.onnx.data")
    expose(path, tmp_path / "out.onnx", tmp_path)
    (tmp_path / "blobs2").mkdir()
    os.rename(tmp_path / "blobs" / "b2", tmp_path / "blobs2" / "b2")
    os.remove(tmp_path / "m" / "model.onnx.data")
    os.symlink("../blobs2/b2", tmp_path / "m" / "model.onnx.data")
    assert "leads out" in expose(path, tmp_path / "out.onnx", tmp_path, status=2)


@pytest.mark.parametrize("key,value,words", [
    ("offset", "100000", "shorter than the model says"), ("length", "99999999999", "shorter than the model says"),
    ("offset", "18446744073709551615", "can be read"), ("offset", "-1", "can be read"), ("length", "many", "can be read"),
    ("length", "4", "as many"),
])
def test_wrong_places_are_refused(tmp_path, key, value, words):
    path = save(tmp_path / "m")
    change(path, key, value, only="w")
    assert words in expose(path, tmp_path / "out.onnx", tmp_path, status=2)


def test_missing_data_are_named(tmp_path):
    path = save(tmp_path / "m")
    os.remove(tmp_path / "m" / "model.onnx.data")
    error = expose(path, tmp_path / "out.onnx", tmp_path, status=2)
    assert "model.onnx.data" in error and "No such file" in error and "model.onnx" in error
    os.mkdir(tmp_path / "m" / "model.onnx.data")
    expose(path, tmp_path / "out.onnx", tmp_path, status=2)


def test_a_location_that_is_left_empty_is_refused(tmp_path):
    path = save(tmp_path / "m")
    broken = onnx.load(path, load_external_data=False)
    for entry in broken.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.ClearField("value")
    path.write_bytes(broken.SerializeToString())
    assert "not in the model's own folder" in expose(path, tmp_path / "o.onnx", tmp_path, status=2)


def test_a_damaged_file_is_not_completed_in_part(tmp_path):
    path = save(tmp_path / "m")
    path.write_bytes(path.read_bytes() + bytes([0x3a, 0x7f, 1]))  # a field of 127 bytes, of which there is one
    assert "damaged or cut short" in expose(path, tmp_path / "o.onnx", tmp_path, status=2)
    assert not (tmp_path / "o.onnx").exists()
