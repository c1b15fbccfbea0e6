"""`record --labels`: boxes, masks and texts become /truth; what is damaged is answered with one line."""

import json

import numpy as np
import onnx
import pytest
from demo_support import EXRAY, run
from gathered import messages
from onnx import TensorProto, helper
from PIL import Image

PIPELINE = "task: classification\nimage: {resize: bilinear 8x8}\noutput: {labels: names.txt}\n"


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "mean.onnx"
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 8, 8, 3])
    mean = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])
    node = helper.make_node("ReduceMean", ["image"], ["scores"], axes=[1, 2], keepdims=0)
    graph = helper.make_graph([node], "mean", [image], [mean])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.fixture
def work(tmp_path, small_model, monkeypatch):
    (tmp_path / "model.onnx").symlink_to(small_model)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "names.txt").write_text("cat\ndog\nperson\n")
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "more/c.jpg"):
        Image.fromarray(np.full((20, 40, 3), 90, np.uint8)).save(tmp_path / "pictures" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(labels, status=0):
    return run(EXRAY, "record", "--engine", "onnxruntime", "--model", "model.onnx", "--pipeline", "p.yaml", "--data", "pictures",
               "--capture", "io", "-o", "edge.mcap", "--labels", labels, status=status)


def truths(path="edge.mcap"):
    """{source: the Result of /truth} of the frames that have one."""
    log = messages(path)
    topics = [t for t, _ in log]
    assert "/frame" in topics
    sources = {m.index: m.source for t, m in log if t == "/frame"}
    return {sources[m.frame]: m for t, m in log if t == "/truth"}


def one_line(result):
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("exray: "), result.stderr
    return lines[0]


def coco(**changed):
    data = {
        "info": {"text": "a \"quoted\" [text] {\\u00e9\\ud83d\\ude00"},
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 44, "bbox": [4, 5, 10.0, 2.5e0], "iscrowd": 0, "area": 25, "segmentation": [[1, 2], [3]]},
            {"id": 2, "image_id": 9, "category_id": 90, "bbox": [0, 0, 40, 20], "iscrowd": 1, "segmentation": {"counts": "a]}"}},
            {"id": 3, "image_id": 7, "category_id": 90, "bbox": [20, 10, 20, 10], "iscrowd": 0}],
        "images": [{"id": i, "file_name": n, "width": 40, "height": 20} for i, n in ((7, "a.png"), (8, "b.jpg"), (9, "c.jpg"), (10, "other.jpg"))],
        "categories": [{"id": 44, "name": "dog", "supercategory": "animal"}, {"id": 90, "name": "Person"}],
    }
    return json.dumps({**data, **changed})


def test_boxes_of_coco(work):
    (work / "boxes.json").write_text(coco())
    assert record("boxes.json").stderr == ""
    found = truths()
    assert set(found) == {"a.png", "b.jpg", "more/c.jpg"} and len(found["b.jpg"].boxes) == 0
    dog, person = found["a.png"].boxes
    assert (dog.id, dog.label, person.id) == (1, "dog", 2)  # the model's classes
    assert (dog.x_min, dog.y_min, dog.x_max, dog.y_max) == pytest.approx((0.1, 0.25, 0.35, 0.375), abs=1e-7)
    crowd, = found["more/c.jpg"].boxes
    assert crowd.crowd and not dog.crowd and (crowd.x_max, crowd.y_max) == (1, 1)


def test_boxes_keep_the_ids_of_the_file_where_the_model_has_no_labels(work):
    (work / "p.yaml").write_text(PIPELINE.replace("output: {labels: names.txt}\n", ""))
    (work / "boxes.json").write_text(coco())
    assert record("boxes.json").stderr == ""
    assert [b.id for b in truths()["a.png"].boxes] == [44, 90]


def test_classes_that_the_model_has_not_are_told_and_left_out(work):
    (work / "names.txt").write_text("cat\ndog\nbird\n")
    (work / "boxes.json").write_text(coco())
    assert "'Person' of --labels is not among the 3" in one_line(record("boxes.json"))
    assert [b.id for b in truths()["a.png"].boxes] == [1]


BOX = {"id": 1, "image_id": 7, "category_id": 44, "bbox": [4, 5, 10, 2], "iscrowd": 0}


@pytest.mark.parametrize("text, said", [
    (coco(images=[{"id": 7, "file_name": "other.jpg", "width": 4, "height": 4}], annotations=[]), "none of its 1 files is among the 3"),
    (coco(annotations=[{**BOX, "bbox": [4, float("nan"), 10, 2]}]), "annotation 1 has a bbox that is not 4 finite numbers"),
    (coco(annotations=[BOX, {**BOX, "bbox": [4, 5, -1, 2]}]), "annotation 2 has a bbox"),
    (coco(annotations=[{**BOX, "bbox": [4, 5, 10]}]), "annotation 1 has a bbox"),
    (coco(annotations=[{**BOX, "image_id": 99}]), "annotation 1 is of picture 99, which the file does not list"),
    (coco(annotations=[{**BOX, "category_id": 5}]), "annotation 1 is of category 5, which the file does not list"),
    (coco(annotations=[BOX] * 10001), "a.png has more than 10000 boxes"),
    (coco(annotations=[{"id": 1, "image_id": 7, "caption": "a dog"}]), "not one of its annotations has a bbox"),
    (coco(images=[{"id": 7, "file_name": "a.png"}]), "a picture without width and height"),
    (coco(images=[{"id": i, "file_name": "a.png", "width": 4, "height": 4} for i in (7, 9)]), "two pictures have the file_name a.png"),
    (coco()[:300], "boxes.json:1: not COCO's annotations: "),
    ("[" * 100000, "boxes.json:1: not COCO's annotations: an object is expected"),
    ('{"x": ' + "[" * 100000, "it ends early"),
    ('{"x": [1,\n\0]}', "boxes.json:2: not COCO's annotations: a zero byte"),
    ("{}", 'no "images"'),
    ("", "it ends early"),
], ids=range(16))
def test_damaged_boxes_are_answered_in_one_line(work, text, said):
    (work / "boxes.json").write_text(text)
    assert said in one_line(record("boxes.json", status=2))


def test_a_file_that_is_too_large_is_answered_in_one_line(work):
    with open(work / "boxes.json", "wb") as file:
        file.truncate(1 << 30)
    assert "larger than 536870912 bytes" in one_line(record("boxes.json", status=2))


def test_masks(work):
    (work / "masks" / "more").mkdir(parents=True)
    ids = np.random.default_rng(1).integers(0, 5, (10, 20), dtype=np.uint8)
    ids[0, 0] = 255
    Image.fromarray(ids).save(work / "masks" / "a.png")
    colored = Image.fromarray(ids % 3, "P")  # as VOC's: a number for each pixel and a color for each number
    colored.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    colored.save(work / "masks" / "b.png", bits=2)
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(work / "masks" / "more" / "c.png")
    assert record("masks").stderr == ""
    found = truths()
    assert (found["a.png"].mask.width, found["a.png"].mask.height, found["a.png"].mask.ids) == (20, 10, ids.tobytes())
    assert found["b.jpg"].mask.ids == (ids % 3).tobytes() and len(found["more/c.jpg"].mask.ids) == 800


@pytest.mark.parametrize("mask, said", [
    (Image.fromarray(np.zeros((20, 30), np.uint8)), "the mask of b.jpg is 30 x 20, the picture 40 x 20"),
    (Image.fromarray(np.zeros((20, 40, 3), np.uint8)), "the PNG has colors or alpha; a mask has a number"),
    (Image.fromarray(np.zeros((20, 40), np.uint16)), "the PNG has 16 bits"),
    (b"no picture", "b.png: not a PNG (10 bytes)"),
], ids=["shape", "colors", "16 bits", "text"])
def test_a_mask_that_cannot_be_used_costs_that_mask_alone(work, mask, said):
    (work / "masks").mkdir()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(work / "masks" / "a.png")
    if isinstance(mask, bytes):
        (work / "masks" / "b.png").write_bytes(mask)
    else:
        mask.save(work / "masks" / "b.png")
    first, second = record("masks").stderr.strip().splitlines()
    assert said in first and "2 of 3 frames have no truth that can be used (such as b.jpg)" in second
    assert set(truths()) == {"a.png"}


def test_a_folder_of_other_masks(work):
    (work / "masks").mkdir()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(work / "masks" / "z.png")
    assert "none of its masks (NAME.png) is among the 3" in one_line(record("masks", status=2))


def test_texts(work):
    (work / "texts.tsv").write_text("source\ttext\tspeaker\r\na.png\tÄpfel, 3 kg\tx\r\nc.jpg\t\ty\r\nb.jpg\tand a pear\tz\n", encoding="utf-8")
    assert record("texts.tsv").stderr == ""
    assert {s: m.text for s, m in truths().items()} == {"a.png": "Äpfel, 3 kg", "b.jpg": "and a pear", "more/c.jpg": ""}


def test_classes_in_a_table(work):
    (work / "labels.tsv").write_text("label\tfile\n2\ta.png\n1\tb.jpg\n0\tc.jpg\n")
    assert record("labels.tsv").stderr == ""
    assert truths() == {}


@pytest.mark.parametrize("text, said", [
    ("a.png\tx\n", "texts.tsv:1: the first line must name the columns"),
    ("source\ttext\na.png\tx\nb.jpg\n", "texts.tsv:3: fewer columns"),
    ("source\ttext\na.png\tx\na.png\ty\n", "a.png has two lines"),
    ("source\ttext\na.png\t\udcff\n", "texts.tsv:2: the text is no UTF-8"),
    ("source\ttext\nz.png\tx\n", "none of its 1 files is among the 3"),
    ("source\ttext\tlabel\na.png\tx\tcat\n", "texts.tsv:2: a label beside a text must be a class"),
    ("source\ttext\na\0\tx\n", "not a text file"),
], ids=range(7))
def test_damaged_tables_are_answered_in_one_line(work, text, said):
    (work / "texts.tsv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert said in one_line(record("texts.tsv", status=2))


def test_what_is_recorded_is_measured(work):
    """A detector that tells the same two boxes of every picture; the second is beside the truth in one of them."""
    boxes = np.array([[[0.25, 0.1, 0.375, 0.35], [0, 0, 0.5, 0.5]]], np.float32)  # y_min, x_min, y_max, x_max
    given = {"boxes": boxes, "classes": np.array([[1, 2]], np.float32), "scores": np.array([[0.9, 0.8]], np.float32),
             "count": np.array([2], np.float32)}
    nodes = [helper.make_node("ReduceSum", ["image"], ["sum"], keepdims=0), helper.make_node("Mul", ["sum", "nothing"], ["zero"])]
    nodes += [helper.make_node("Add", [f"of_{k}", "zero"], [k]) for k in given]
    constants = [onnx.numpy_helper.from_array(v, f"of_{k}") for k, v in given.items()]
    constants.append(onnx.numpy_helper.from_array(np.float32(0), "nothing"))
    graph = helper.make_graph(nodes, "detector", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 8, 8, 3])],
                              [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in given.items()], constants)
    (work / "model.onnx").unlink()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), work / "model.onnx")
    (work / "p.yaml").write_text(PIPELINE.replace("classification", "detection"))
    truth = [{"id": 2 * i + k, "image_id": i, "category_id": c, "bbox": b} for i in (7, 8, 9)
             for k, c, b in ((0, 44, [4, 5, 10, 2.5]), (1, 90, [0, 0, 20, 10] if i != 8 else [20, 10, 20, 10]))]
    (work / "boxes.json").write_text(coco(annotations=truth))
    record("boxes.json")
    run(EXRAY, "validate", "edge.mcap", "edge.mcap", "--json", "v.json")
    found = {(m["name"], m["group"]): m for m in json.loads((work / "v.json").read_text())["accuracy"]["measures"]}
    person = (34 * 1 + 33 * 2 / 3) / 101  # right, wrong, right, of three: a precision of 1 to a recall of 1/3, then 2/3 to 2/3
    for name in ("map50", "map"):
        assert (found[name, None]["edge"], found[name, None]["agreement"]) == pytest.approx(((1 + person) / 2, 1), abs=1e-9)


def test_replay_takes_a_truth_for_the_frames_of_a_log(work):
    (work / "texts.tsv").write_text("source\ttext\na.png\tone\n")
    record("texts.tsv")
    (work / "boxes.json").write_text(coco())
    run(EXRAY, "replay", "edge.mcap", "--engine", "onnxruntime", "--model", "model.onnx", "--pipeline", "p.yaml", "--labels", "boxes.json",
        "-o", "ref.mcap")
    assert len(truths("ref.mcap")["a.png"].boxes) == 2
    (work / "boxes.json").write_text(coco(images=[{"id": 7, "file_name": "other.jpg", "width": 4, "height": 4}], annotations=[]))
    refused = run(EXRAY, "replay", "edge.mcap", "--engine", "onnxruntime", "--model", "model.onnx", "--pipeline", "p.yaml", "--labels", "boxes.json",
                  "-o", "ref.mcap", status=2)
    assert "none of its 1 files is the source of a frame of edge.mcap" in one_line(refused)
