"""The programs of examples/python, as docs/python.md shows them, one after the other."""

import subprocess
import sys

import numpy as np
import pytest
import testdata
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(name, *arguments, status=0):
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


def test_examination(tmp_path, model_file):
    model = model_file("mobilenet_v1_0.25_224_float.tflite")
    pictures = testdata.pictures(6)
    edge, reference, wrong = tmp_path / "edge.mcap", tmp_path / "ref.mcap", tmp_path / "wrong.mcap"
    assert run("classify.py", model, edge, *pictures).stdout.count("\n") == len(pictures)
    run("reference.py", model, edge, reference)
    run("check.py", edge, reference)
    # The slip that this is all about: BGR where the model wants RGB.
    text = (EXAMPLES / "classify.py").read_text()
    assert "pixels[None] / 127.5" in text
    (tmp_path / "wrong.py").write_text(text.replace("pixels[None] / 127.5", "pixels[None, ..., ::-1] / 127.5"))
    run(tmp_path / "wrong.py", model, wrong, *pictures)
    failed = run("check.py", wrong, reference, status=1)
    assert "ValidationFailed: error: input.channel_order" in failed.stderr


def test_documentation_shows_them():
    text = (ROOT / "docs" / "python.md").read_text()
    for name in ("classify.py", "check.py"):
        for line in (EXAMPLES / name).read_text().splitlines():
            if line.endswith("# exray"):
                assert line in text, (name, line)


def test_texts(tmp_path):
    """Two runs of the text classifier, one of which has lost `lower()`."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    words = ["<PAD>", "<START>", "<UNKNOWN>", "what", "a", "good", "movie", "bad", "film", "it", "is", "not"]
    (tmp_path / "words.txt").write_text("\n".join(words) + "\n")
    table = np.random.default_rng(2).normal(0, 1, (len(words), 2)).astype(np.float32)
    graph = helper.make_graph([helper.make_node("Gather", ["table", "ids"], ["e"]), helper.make_node("ReduceMean", ["e"], ["y"], axes=[1], keepdims=0)], "g",
                              [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [1, 12])], [helper.make_tensor_value_info("y", floats, [1, 2])],
                              [onnx.numpy_helper.from_array(table, "table")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    given = [tmp_path / "m.onnx", tmp_path / "words.txt"]
    texts = ["What a good movie!", "It is not a GOOD film", "Bad, BAD film", "a movie"]
    assert run("classify_text.py", *given, tmp_path / "ref.mcap", *texts).stdout.count("\n") == len(texts)
    source = (EXAMPLES / "classify_text.py").read_text()
    assert "text.lower()" in source
    (tmp_path / "wrong.py").write_text(source.replace("text.lower()", "text"))
    run(tmp_path / "wrong.py", *given, tmp_path / "edge.mcap", *texts)
    failed = run("check.py", tmp_path / "edge.mcap", tmp_path / "ref.mcap", status=1)
    assert "input.tokens" in failed.stderr
