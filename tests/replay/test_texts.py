"""`exray record` and `replay` of texts: words, word pieces and bytes as ids of models with one input and of several."""

import json
import re
import subprocess

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from replayed import EXRAY, arrays, run  # noqa: E402

WORDS = ["<PAD>", "<START>", "<UNKNOWN>", "the", "movie", "is", "good", "bad", "not", "a", "don't", "café"]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "movie", "un", "##watch", "##able", "is", "!", ",", "good"]
TEXTS = ["The movie is good.", "Not a GOOD movie, don't", "A café", "bad bad bad " * 6]


def save(path, nodes, inputs, constants, kinds=None):
    helper = onnx.helper
    kinds = kinds or {}
    described = [helper.make_tensor_value_info(n, kinds.get(n, onnx.TensorProto.INT64), s) for n, s in inputs.items()]
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node(op, i, o, name=o[0], **a) for op, i, o, a in nodes], "g", described, [out],
                              [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def classifier(path, length=8, kind=None):
    """ids [1, length] -> y [1, 2]: the mean of rows of a table."""
    table = np.random.default_rng(1).normal(0, 1, (300, 2)).astype(np.float32)
    return save(path, [("Cast", ["ids"], ["whole"], {"to": 7}), ("Gather", ["table", "whole"], ["e"], {}), ("ReduceMean", ["e"], ["y"], {"axes": [1], "keepdims": 0})],
                {"ids": [1, length]}, {"table": table}, {"ids": kind or onnx.TensorProto.INT64})


def encoder(path):
    """ids, mask and types [batch, n] -> y [batch, 2]: the sum of the rows that the mask leaves."""
    table = np.random.default_rng(1).normal(0, 1, (300, 2)).astype(np.float32)
    return save(path, [("Gather", ["table", "ids"], ["e"], {}), ("Add", ["mask", "types"], ["m"], {}), ("Cast", ["m"], ["f"], {"to": 1}),
                       ("Unsqueeze", ["f", "last"], ["u"], {}), ("Mul", ["e", "u"], ["p"], {}), ("ReduceSum", ["p", "one"], ["y"], {"keepdims": 0})],
                {n: ["batch", "n"] for n in ("ids", "mask", "types")}, {"table": table, "last": np.array([-1]), "one": np.array([1])})


def ids(text, lower=True):
    return [1] + [WORDS.index(w) if w in WORDS else 2 for w in re.split(r"[^\w']+", text.lower() if lower else text) if w]


def padded(row, length=8):
    return (row + [0] * length)[:length]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "words.txt").write_text("".join(f"{w} {i}\n" for i, w in enumerate(WORDS)))
    (tmp_path / "pieces.txt").write_text("\n".join(PIECES) + "\n")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n\n")
    return tmp_path


def pipeline(folder, text, name="p.yaml"):
    (folder / name).write_text(text)
    return folder / name


def record(folder, model, text, data="texts.txt", status=0, name="edge", **options):
    extra = [x for k, v in options.items() for x in (f"--{k}", v)]
    said = run("record", "--engine", "onnxruntime", "--model", model, "--pipeline", pipeline(folder, text, f"{name}.yaml"), "--data", folder / data,
               "-o", folder / f"{name}.mcap", *extra, status=status)
    return folder / f"{name}.mcap" if status == 0 else said


@pytest.mark.parametrize("kind", ["INT64", "INT32", "FLOAT"])
def test_words(folder, kind):
    log = record(folder, classifier(folder / "m.onnx", kind=getattr(onnx.TensorProto, kind)), "text: {vocabulary: words.txt, length: 8}")
    assert [f["input/ids"][0].tolist() for f in arrays(log)] == [padded(ids(t)) for t in TEXTS]
    assert [bytes(f["sensor/text"]).decode() for f in arrays(log)] == [t.strip() + " " * (len(t) - len(t.strip())) for t in TEXTS]
    info = json.loads(run("info", log, "--json", "-"))
    assert [a["name"] for a in info["attachments"]] == ["pipeline.yaml", "words.txt"]


@pytest.mark.parametrize("keys, row", [
    ("lower_case: false", lambda t: padded(ids(t, lower=False))),
    ("pad: left", lambda t: [0] * max(0, 8 - len(ids(t))) + ids(t)[:8]),
    ("truncate: left", lambda t: padded([1] + ids(t)[1:][-7:])),
    ("special: {pad: 3, unknown: 1}", lambda t: (([1 if i == 2 else i for i in ids(t)[1:]]) + [3] * 8)[:8]),
    ('pattern: "[^a-z]+"', lambda t: padded([1] + [WORDS.index(w) if w in WORDS else 2 for w in re.split("[^a-z]+", t.lower()) if w]))])
def test_keys(folder, keys, row):
    log = record(folder, classifier(folder / "m.onnx"), f"text:\n  vocabulary: words.txt\n  {keys}\n")
    assert [f["input/ids"][0].tolist() for f in arrays(log)] == [row(t) for t in TEXTS]


def test_an_open_length_is_that_of_each_text(folder):
    log = record(folder, classifier(folder / "m.onnx", "n"), "text: {vocabulary: words.txt}")
    assert [f["input/ids"][0].tolist() for f in arrays(log)] == [ids(t) for t in TEXTS]


@pytest.mark.parametrize("length", ["", "length: 12, "], ids=["open", "padded"])
def test_word_pieces_with_mask_and_types(folder, length):
    (folder / "texts.txt").write_text("The unwatchable movie!\nGOOD, good\n")
    log = record(folder, encoder(folder / "m.onnx"), f"text: {{{length}tokenizer: wordpiece, vocabulary: pieces.txt}}\n"
                 "inputs: {ids: text, mask: {mask_of: ids}, types: {constant: 0}}\n")
    rows = [[2, 4, 6, 7, 8, 5, 10, 3], [2, 12, 11, 12, 3]]
    for frame, row in zip(arrays(log), rows):
        n = 12 if length else len(row)
        assert frame["input/ids"].tolist() == [padded(row, n)] and frame["input/mask"].tolist() == [padded([1] * len(row), n)]
        assert frame["input/types"].tolist() == [[0] * n]


def test_bytes(folder):
    (folder / "some.bin").write_bytes(b"\n\n#!/bin/sh\nexit\xff 1 \n")
    log = record(folder, classifier(folder / "m.onnx", 16), "text: {tokenizer: bytes}", data="some.bin")
    row = arrays(log)[0]["input/ids"][0].tolist()
    assert row == [*b"#!/bin/s", *b"\nexit\xff 1"]


def test_a_table_with_labels_and_sources(folder):
    (folder / "t.tsv").write_text("label\ttext\tsource\n1\tgood movie\tfirst\n0\tbad\t\n\tnot a movie\tthird\n")
    log = record(folder, classifier(folder / "m.onnx"), "text: {vocabulary: words.txt}", data="t.tsv")
    assert [f["input/ids"][0].tolist() for f in arrays(log)] == [padded(ids(t)) for t in ("good movie", "bad", "not a movie")]
    trace = log.with_suffix(".json")
    run("export", log, "--trace", trace)
    assert all(source in trace.read_text() for source in ("first", "t.tsv:3", "third"))


def test_replay_takes_the_text_of_the_log(folder):
    model = classifier(folder / "m.onnx")
    edge = record(folder, model, "text: {vocabulary: words.txt, lower_case: false}")
    right = pipeline(folder, "text: {vocabulary: words.txt}", "right.yaml")
    run("replay", edge, "--engine", "onnxruntime", "--model", model, "--pipeline", right, "-o", folder / "ref.mcap")
    assert [f["input/ids"][0].tolist() for f in arrays(folder / "ref.mcap")] == [padded(ids(t)) for t in TEXTS]
    run("validate", edge, folder / "ref.mcap", "--json", folder / "v.json", status=1)
    done = json.loads((folder / "v.json").read_text())
    assert [f["cause"] for f in done["findings"] if f["severity"] == "error"] == ["input.tokens"]


@pytest.mark.parametrize("text, why", [
    ("text: {tokenizer: words}", r":1: text: the tokenizer has no vocabulary"),
    ("text: {vocabulary: none.txt}", r":1: text.vocabulary: cannot read .*none.txt"),
    ("text:\n  vocabulary: empty.txt", r":2: text: .*empty.txt: the vocabulary is empty"),
    ("text: {vocabulary: words.txt, length: 4}", r"text.length is 4, but the model's input ids takes 8 ids"),
    ("text: {vocabulary: words.txt}\ninputs: {x: text}", r":2: inputs: the model has no input 'x'"),
    ("image: {}", r"not one of|one picture")])
def test_what_does_not_fit_is_one_line(folder, text, why):
    (folder / "empty.txt").write_text("")
    said = record(folder, classifier(folder / "m.onnx"), text, status=2).strip().splitlines()[-1]
    assert re.search(why, said), said


def test_texts_that_cannot_be_used_are_named_and_skipped(folder):
    (folder / "texts.txt").write_bytes(b"good\nb\xe9d\n" + b"a " * 600_000 + b"\nbad\n")
    said = subprocess.run([str(EXRAY), "record", "--engine", "onnxruntime", "--model", str(classifier(folder / "m.onnx")), "--pipeline",
                           str(pipeline(folder, "text: {vocabulary: words.txt}")), "--data", str(folder / "texts.txt"), "-o", str(folder / "a.mcap")],
                          capture_output=True, text=True)
    assert said.returncode == 0 and "texts.txt:2: the text is no UTF-8: byte 1 is 0xE9" in said.stderr and "texts.txt:3: the text has 1200000 bytes" in said.stderr
    (folder / "t.tsv").write_text("words\tlabel\na\t1\n")
    assert "t.tsv:1: the first line must name the columns" in record(folder, folder / "m.onnx", "text: {vocabulary: words.txt}", data="t.tsv", status=2)
    (folder / "t.tsv").write_text("text\tlabel\ngood\tpositive\n")
    assert "its label is no class" in record(folder, folder / "m.onnx", "text: {vocabulary: words.txt}", data="t.tsv", status=2)


def test_a_folder_has_a_text_in_each_file(folder):
    (folder / "all" / "pos").mkdir(parents=True)
    (folder / "all" / ".hidden").write_text("bad")
    for name, text in (("b.txt", "good movie\n\nnot bad\n"), ("pos/a.txt", "bad"), ("c.md", "a movie"), ("broken.txt", None)):
        (folder / "all" / name).write_bytes(text.encode() if text else b"\xff\xfe")
    (folder / "labels.txt").write_text("b.txt 1\npos/a.txt 0\n")
    log = record(folder, classifier(folder / "m.onnx"), "text: {vocabulary: words.txt}", data="all", labels=folder / "labels.txt")
    assert [f["input/ids"][0].tolist() for f in arrays(log)] == [padded(ids(t)) for t in ("good movie not bad", "a movie", "bad")]
    trace = log.with_suffix(".json")
    run("export", log, "--trace", trace)
    assert all(f'"{source}"' in trace.read_text() for source in ("b.txt", "c.md", "pos/a.txt")) and "broken.txt" not in trace.read_text()
    (folder / "none").mkdir()
    assert "has no files in it" in record(folder, folder / "m.onnx", "text: {vocabulary: words.txt}", data="none", status=2)


def test_of_several_sensors_the_text_is_taken(folder):
    """A camera's picture stands before it in each frame."""
    from log_writer import PB, Log
    log, kind = Log(folder / "both.mcap", metadata={"role": "edge", "log_id": "both"}), PB["Tensor"]
    for k, text in enumerate(TEXTS):
        picture = dict(frame=k, data=bytes(12), info={"dtype": 6, "shape": [2, 2, 3]})
        log.add("/sensor/camera", "Tensor", kind(media=PB["Media"](format="rgb8", width=2, height=2), **picture))
        data = text.encode()
        log.add("/sensor/prompt", "Tensor", kind(media=PB["Media"](format="utf8"), frame=k, data=data, info={"dtype": 6, "shape": [len(data)]}))
        log.frame(k, log.time, f"frame{k}")
    log.finish()
    given = pipeline(folder, "text: {vocabulary: words.txt}")
    run("replay", folder / "both.mcap", "--engine", "onnxruntime", "--model", classifier(folder / "m.onnx"), "--pipeline", given, "-o", folder / "ref.mcap")
    assert [f["input/ids"][0].tolist() for f in arrays(folder / "ref.mcap")] == [padded(ids(t)) for t in TEXTS]
