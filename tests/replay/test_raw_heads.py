"""`record` decides raw heads of detectors and readers of text: against OpenCV's suppression and decoders in NumPy."""

import cv2
import numpy as np
import pytest
from demo_support import EXRAY, run
from gathered import messages
from onnx_models import SIZE, model_of
from PIL import Image


@pytest.fixture
def told(tmp_path, monkeypatch):
    """told(output, image=, picture=, size=, **outputs): the Result of the one frame (None: none), and what was warned."""
    monkeypatch.chdir(tmp_path)

    def decide(output, image="{resize: none}", picture=(SIZE, SIZE), size=SIZE, status=0, **outputs):
        model_of("model.onnx", size, **outputs)
        Image.fromarray(np.full((picture[1], picture[0], 3), 90, np.uint8)).save("a.png")
        (tmp_path / "p.yaml").write_text(f"image: {image}\noutput: {output}\n")
        result = run(EXRAY, "record", "--engine", "onnxruntime", "--model", "model.onnx", "--pipeline", "p.yaml", "--data", "a.png",
                     "--capture", "io", "-o", "a.mcap", status=status)
        if status:
            return None, result.stderr
        log = messages("a.mcap")
        found = [m for t, m in log if t == "/result"]
        assert [t for t, _ in log if t == "/frame"]
        return (found[0] if found else None), result.stderr

    return decide


def corners(middle):
    """[n, 4] x, y, width, height -> corners."""
    return np.concatenate([middle[:, :2] - middle[:, 2:] / 2, middle[:, :2] + middle[:, 2:] / 2], 1)


def suppressed(boxes, scores, classes, threshold=0.5, overlap=0.45, most=300):
    """OpenCV's choice, the surest first: [(class, score, box)]."""
    flat = [[float(b[0]), float(b[1]), float(b[2] - b[0]), float(b[3] - b[1])] for b in boxes]
    kept = cv2.dnn.NMSBoxesBatched(flat, scores.tolist(), classes.tolist(), threshold, overlap) if len(flat) else []
    return [(int(classes[i]), float(scores[i]), boxes[i]) for i in sorted(kept, key=lambda i: -scores[i])][:most]


def assert_boxes(result, wanted, near=2e-5):
    assert [b.id for b in result.boxes] == [w[0] for w in wanted]
    np.testing.assert_allclose([b.score for b in result.boxes], [w[1] for w in wanted], atol=near)
    np.testing.assert_allclose([[b.x_min, b.y_min, b.x_max, b.y_max] for b in result.boxes], [w[2] for w in wanted], atol=near)


def yolo(rng, rows=900, classes=7, size=SIZE):
    """Boxes in pixels around ten places, and scores of classes."""
    places = rng.uniform(8, size - 8, (10, 2))
    at = places[rng.integers(0, 10, rows)] + rng.normal(0, 1.5, (rows, 2))
    extent = rng.uniform(6, 24, (rows, 2))
    return np.concatenate([at, extent], 1), rng.beta(0.5, 3, (rows, classes))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("unit", [1, 1 / SIZE])
def test_yolo8(told, turned, unit):
    boxes, scores = yolo(np.random.default_rng(1))
    table = np.concatenate([boxes * unit, scores], 1)[None]
    result, said = told("{head: yolo8, threshold: 0.3}", out=table if turned else table.transpose(0, 2, 1))
    assert said == "" and len(result.boxes) > 20
    assert_boxes(result, suppressed(corners(boxes) / SIZE, scores.max(1), scores.argmax(1), 0.3))


def test_yolo5_logits_names_and_more_columns_than_classes(told, tmp_path):
    rng = np.random.default_rng(2)
    boxes, scores = yolo(rng, classes=4)
    sure = rng.beta(2, 2, len(boxes))
    logit = lambda p: np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))  # noqa: E731
    table = np.concatenate([boxes, logit(sure)[:, None], logit(scores), rng.normal(0, 9, (len(boxes), 32))], 1)
    (tmp_path / "names.txt").write_text("cat\ndog\nperson\ncar\n")
    result, said = told("{head: yolo5, sigmoid: true, classes: 4, nms: 0.6, threshold: 0.25, top_k: 12, labels: names.txt}", out=table[None])
    chosen = (scores * sure[:, None]).max(1)
    wanted = suppressed(corners(boxes) / SIZE, chosen, scores.argmax(1), 0.25, 0.6, 12)
    assert said == "" and len(wanted) == 12
    assert_boxes(result, wanted, 1e-4)
    assert [b.label for b in result.boxes] == [("cat", "dog", "person", "car")[w[0]] for w in wanted]


@pytest.mark.parametrize("lines", ["rows", "columns"])
def test_ssd_with_anchors(told, tmp_path, lines):
    rng = np.random.default_rng(3)
    n = 500
    anchors = np.concatenate([rng.uniform(0.1, 0.9, (n, 2)), rng.uniform(0.1, 0.5, (n, 2))], 1)  # y, x, height, width
    code, scores = rng.normal(0, 2, (n, 4)), rng.normal(-2, 2, (n, 5))
    np.savetxt(tmp_path / "anchors.txt", anchors if lines == "rows" else anchors.T, delimiter="," if lines == "rows" else " ")
    result, said = told("{head: ssd, anchors: anchors.txt, sigmoid: true, label_offset: 1}", scores=scores[None], boxes=code[None])
    middle = code[:, :2] / 10 * anchors[:, 2:] + anchors[:, :2]
    extent = np.exp(code[:, 2:] / 5) * anchors[:, 2:]
    box = np.concatenate([middle - extent / 2, middle + extent / 2], 1)[:, [1, 0, 3, 2]]
    likely = 1 / (1 + np.exp(-scores[:, 1:]))  # class 0 is the background
    row, kind = np.nonzero(likely >= 0.5)
    wanted = suppressed(box[row], likely[row, kind], kind)
    assert said == "" and len(wanted) > 20
    assert_boxes(result, wanted, 1e-4)


def test_boxes_lie_in_the_picture_not_in_the_letterbox(told):
    """A wide picture within a square: the ground above and below it is none of the picture."""
    at = np.array([[32, 32, 20, 10], [10, 24, 12, 6]])
    table = np.concatenate([at, np.array([[0.9, 0], [0, 0.8]])], 1)[None]
    image = "{crop: letterbox 114, resize: bilinear 64x64}"
    result, said = told("{head: yolo8, classes: 2, boxes: cxcywh pixels}", image, picture=(128, 64), out=table)
    box = corners(at.astype(float))
    wanted = np.stack([box[:, 0] / 64, (box[:, 1] - 16) / 32, box[:, 2] / 64, (box[:, 3] - 16) / 32], 1)
    assert said == ""
    assert_boxes(result, [(0, 0.9, wanted[0]), (1, 0.8, wanted[1])])
    # a square out of the middle, turned and mirrored
    result, _ = told("{head: yolo8, classes: 2, boxes: cxcywh pixels}", "{crop: center 1, resize: bilinear 64x64, rotate: 90, flip: horizontal}", picture=(128, 64), out=table)
    u, v = box[:, [0, 2]] / 64, box[:, [1, 3]] / 64
    x, y = 1 - v, 1 - u  # what flip and rotate did to the square
    wanted = np.stack([0.25 + x.min(1) / 2, y.min(1), 0.25 + x.max(1) / 2, y.max(1)], 1)
    assert_boxes(result, [(0, 0.9, wanted[0]), (1, 0.8, wanted[1])])


def mediapipe_anchors(size, strides):
    """SsdAnchorsCalculator of MediaPipe for anchors of size 1: two for each layer, those of one stride together."""
    made, i = [], 0
    while i < len(strides):
        same = [s for s in strides[i:] if s == strides[i]]
        n = -(-size // strides[i])
        for y in range(n):
            for x in range(n):
                made += [((x + 0.5) / n, (y + 0.5) / n)] * (2 * len(same) if len(strides) > 1 else 1)
        i += len(same)
    return np.array(made)


def overlap_of(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def weighted(rows, scores, threshold=0.5, overlap=0.3):
    """The weighted suppression of MediaPipe's NonMaxSuppressionCalculator."""
    left, made = [i for i in np.argsort(-scores, kind="stable") if scores[i] >= threshold], []
    while left:
        group = [i for i in left if i == left[0] or overlap_of(rows[left[0]], rows[i]) > overlap]
        made.append((scores[left[0]], np.average(rows[group], axis=0, weights=scores[group])))
        left = [i for i in left if i not in group]
    return made


@pytest.mark.parametrize("size, strides, points", [(128, (8, 16, 16, 16), 6), (192, (8, 16, 16, 16), 7), (224, (8, 16, 32, 32, 32), 4), (192, (4,), 6)])
def test_palm(told, size, strides, points):
    rng = np.random.default_rng(size + points)
    anchors = mediapipe_anchors(size, strides)
    n = len(anchors)
    raw = np.concatenate([rng.normal(0, 4, (n, 2)), rng.uniform(20, 60, (n, 2)), rng.normal(0, 20, (n, 2 * points))], 1)
    scores = rng.normal(-4, 2, n)
    result, said = told("{head: palm}", size=size, picture=(size, size), regressors=raw[None], classificators=scores[None, :, None])
    rows = raw / size
    rows[:, 4:] += np.tile(anchors, points)
    rows[:, :4] = corners(np.concatenate([rows[:, :2] + anchors, rows[:, 2:4]], 1))
    wanted = weighted(rows, 1 / (1 + np.exp(-scores)))
    assert said == "" and len(wanted) > 5
    assert_boxes(result, [(0, s, r[:4]) for s, r in wanted], 1e-4)
    np.testing.assert_allclose([(p.x, p.y) for p in result.keypoints], np.concatenate([r[4:].reshape(-1, 2) for _, r in wanted]), atol=1e-4)
    assert [p.id for p in result.keypoints] == list(range(points)) * len(wanted)


def test_ctc(told, tmp_path):
    (tmp_path / "letters.txt").write_text("a\nb\n\u00e9\n")
    steps = np.eye(4)[[0, 1, 1, 0, 1, 3, 3, 0, 2]]  # class 0 is the blank
    result, said = told("{head: ctc, labels: letters.txt, label_offset: 1}", out=steps[None])
    assert (result.text, said) == ("aa\u00e9b", "")


NO_FIT = {
    "{head: yolo8, classes: 300}": "head yolo8 needs an output [1, boxes, 4 + 300 classes] or [1, 4 + 300 classes, boxes]; the first one is [1, 9, 90]; no /result is written",
    "{head: ssd}": "head ssd needs two outputs, boxes [1, n, 4] and scores [1, n, classes]; no /result is written",
    "{head: palm}": "head palm needs two outputs, boxes [1, n, 4 + 2 * points] and scores [1, n, 1]; no /result is written",
    "{head: ctc}": "head ctc needs a label file with a letter a line (`labels: FILE`), and an output [1, steps, letters]; no /result is written",
    "{boxes: xyxy}": "task classification needs one output vector; no /result is written",
}


@pytest.mark.parametrize("output", NO_FIT)
def test_a_head_that_does_not_fit(told, output):
    result, said = told(output, out=np.zeros((1, 9, 90)))
    assert result is None and said.strip() == "exray: warning: " + NO_FIT[output]


def test_anchors_of_another_model(told, tmp_path):
    (tmp_path / "anchors.txt").write_text("0.5 0.5 0.1 0.1\n" * 90)
    both = dict(boxes=np.zeros((1, 91, 4)), scores=np.zeros((1, 91, 3)))
    result, said = told("{head: ssd, anchors: anchors.txt}", **both)
    assert result is None and "head ssd has 91 boxes and the file of anchors 90: it is of another model" in said


@pytest.mark.parametrize("text, why", [
    ("0.1 0.2 0.3\n", "is no file of anchors: it needs lines of 4 numbers, or 4 lines; it has 1 lines of 3"),
    ("", "it has 0 lines of 0"), ("# y x h w\n1 2 3 4\n1 2 nan 4\n", "anchors.txt:3: 'nan' is no number"), ("1 2 3 4\n1 2 3\n", "anchors.txt:2: has 3 numbers, the lines before it 4"),
    ("0x10 1 2 3\n", "anchors.txt:1: '0x10' is no number"), ("1e999 1 2 3\n", "anchors.txt:1: '1e999' is no number"), ("1 2 3 4\0", "is not a text file: it has a zero byte"), (None, "anchors.txt")])
def test_damaged_anchors(told, tmp_path, text, why):
    if text is not None:
        (tmp_path / "anchors.txt").write_text(text)
    _, said = told("{head: ssd, anchors: anchors.txt}", status=2, boxes=np.zeros((1, 9, 4)), scores=np.zeros((1, 9, 3)))
    assert why in said and len(said.strip().splitlines()) == 1


def test_a_million_boxes_and_what_is_no_number(told):
    """The surest are told, what is no number is not."""
    rng = np.random.default_rng(5)
    n = 1_000_000
    table = np.empty((1, 6, n), np.float32)
    table[0, :2] = rng.uniform(0, SIZE, (2, n))
    table[0, 2:4] = 3
    table[0, 4:] = rng.uniform(0.5, 0.9, (2, n))
    table[0, 4, 7] = 0.99
    table[0, :4, 11], table[0, 5, 11] = np.nan, 0.999
    table[0, 4:, 12] = np.nan
    table[0, 2, 13], table[0, 4, 13] = np.inf, 0.998
    result, said = told("{head: yolo8}", out=table)
    assert said == "" and len(result.boxes) == 300 and abs(result.boxes[0].score - 0.99) < 1e-6
    assert np.isfinite([[b.x_min, b.y_min, b.x_max, b.y_max, b.score] for b in result.boxes]).all()
    result, _ = told("{head: yolo8}", out=np.full((1, 6, 50), np.nan))
    assert not result or not result.boxes
