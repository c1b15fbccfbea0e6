"""Raw heads of detectors, [1, 4 + classes, anchors]: which of their rows are broken, and how."""

import numpy as np
import pytest
from log_writer import PB
from onnx_log import verdict_of
from onnx_models import Graph
from outputs_support import sigmoid, softmax
from validate_support import Recording, causes, finding, validate

SIZE = 96


class Head:
    """A head's parts: boxes [4, anchors] as centre and size in pixels, logits [classes, anchors]."""

    def __init__(self, classes=6, anchors=63, frames=3, seed=0):
        random = np.random.default_rng(seed)
        middle = random.uniform(0, SIZE, (frames, 2, anchors))
        self.boxes = np.concatenate([middle, np.exp(random.normal(2.5, 0.6, (frames, 2, anchors)))], 1)
        self.logits = random.normal(-2, 1.2, (frames, classes, anchors))
        self.object = random.normal(-1, 1, (frames, 1, anchors))

    def made(self, boxes=None, scores=None, front=()):
        return np.concatenate([self.boxes if boxes is None else boxes, *front, sigmoid(self.logits) if scores is None else scores], 1)

    def corners(self):
        return np.concatenate([self.boxes[:, :2] - self.boxes[:, 2:] / 2, self.boxes[:, :2] + self.boxes[:, 2:] / 2], 1)


def told_of(output, scale):
    """What an application tells that knows its boxes' unit: the three best."""
    best = np.argsort(-output[4:].max(0))[:3]
    return [(*(np.concatenate([output[:2, b] - output[2:4, b] / 2, output[:2, b] + output[2:4, b] / 2]) / scale), output[4:, b].argmax(), output[4:, b].max()) for b in best]


def write(path, role, outputs, told=None, dtype=np.float32, turned=False):
    with Recording(path, role) as log:
        for image, output, boxes in zip(np.random.default_rng(3).normal(size=(len(outputs), 16, 16, 3)), outputs, told or [None] * len(outputs)):
            if boxes is not None:
                result = PB["Result"](frame=log.count)
                for x_min, y_min, x_max, y_max, c, score in boxes:
                    result.boxes.add(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, id=int(c), score=float(score))
                log.add("/result", "Result", result)
            values = np.ascontiguousarray((output.T if turned else output)[None]).astype(dtype)
            log.frame([("/input/image", np.ascontiguousarray(image[None], np.float32), {}), ("/output/head", values, {})])
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, edge_log={}, reference_log={}):
        return validate(write(tmp_path / "e", "edge", edge, **edge_log), write(tmp_path / "r", "reference", reference, **reference_log))

    return run


def noisy(values, share=3e-7):
    return values * (1 + share * np.random.default_rng(9).normal(size=values.shape))


SIZES = [(1, 63), (6, 63), (80, 300), (20, 21)]
WAYS = [dict(), dict(edge_log=dict(turned=True), reference_log=dict(turned=True)), dict(edge_log=dict(turned=True)), dict(edge_log=dict(dtype=np.float16))]


@pytest.mark.parametrize("classes, anchors", SIZES)
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_equal(judge, classes, anchors, way):
    h = Head(classes, anchors)
    assert causes(judge(noisy(h.made()), h.made(), **WAYS[way])) == []


@pytest.mark.parametrize("digits", [10, 7], ids=["float16", "bfloat16"])
def test_equal_but_computed_in_16_bits(judge, digits):
    h = Head(6, 63)
    exponent = np.floor(np.log2(np.abs(h.made())))
    rounded = np.round(h.made() / 2 ** (exponent - digits)) * 2 ** (exponent - digits)
    assert causes(judge(rounded, h.made())) == []
    rounded[:, :2, 7] += 40.0  # one box elsewhere
    assert causes(judge(rounded, h.made())) != []


FORMATS = {
    "shares": (lambda h: h.boxes / SIZE, "another unit"),
    "corners": (lambda h: h.corners(), "centre and size to corners"),
    "corners in shares": (lambda h: h.corners() / SIZE, "centre and size to corners"),
    "x and y": (lambda h: h.boxes[:, [1, 0, 3, 2]], "x and y exchanged"),
    "corner and size": (lambda h: np.concatenate([h.boxes[:, :2] - h.boxes[:, 2:] / 2, h.boxes[:, 2:]], 1), "centre and size to corner and size"),
    "shares of a wide picture": (lambda h: h.boxes / np.array([640, 480, 640, 480])[:, None], "another unit"),
}


@pytest.mark.parametrize("classes, anchors", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_format_of_the_boxes(judge, name, classes, anchors):
    h = Head(classes, anchors, seed=1)
    change, words = FORMATS[name]
    verdict = judge(noisy(h.made(change(h))), h.made())
    assert causes(verdict) == ["output.box_format"], verdict["findings"]
    assert finding(verdict, "output.box_format")["evidence"]["change"] == words


@pytest.mark.parametrize("way", range(1, len(WAYS)))
@pytest.mark.parametrize("name", FORMATS)
def test_format_of_the_boxes_otherwise_stored(judge, name, way):
    h = Head(9, 50, seed=2)
    assert causes(judge(h.made(FORMATS[name][0](h)), h.made(), **WAYS[way])) == ["output.box_format"]
    back = judge(h.made(), h.made(FORMATS[name][0](h)), **WAYS[way])
    assert causes(back) == ["output.box_format"]


@pytest.mark.parametrize("classes, anchors", SIZES)
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_sigmoid_missing(judge, classes, anchors, way):
    h = Head(classes, anchors, seed=3)
    missing = judge(noisy(h.made(scores=h.logits)), h.made(), **WAYS[way])
    assert causes(missing) == ["output.activation"], missing["findings"]
    evidence = finding(missing, "output.activation")["evidence"]
    assert evidence["relation"] == "reference = sigmoid(edge)" and evidence["rows_of_it"] == classes
    added = judge(noisy(h.made()), h.made(scores=h.logits), **WAYS[way])
    assert finding(added, "output.activation")["evidence"]["relation"] == "edge = sigmoid(reference)"


def test_sigmoid_missing_of_some_classes(judge):
    h = Head(8, 60, seed=4)
    some = sigmoid(h.logits)
    some[:, [2, 5]] = h.logits[:, [2, 5]]
    verdict = judge(h.made(scores=some), h.made())
    assert causes(verdict) == ["output.activation"]
    assert finding(verdict, "output.activation")["evidence"]["which_rows"] == "6, 9"


def test_softmax_missing(judge):
    h = Head(8, 60, seed=5)
    verdict = judge(h.made(scores=h.logits), h.made(scores=softmax(h.logits.swapaxes(1, 2)).swapaxes(1, 2)))
    assert causes(verdict) == ["output.activation"], verdict["findings"]
    assert finding(verdict, "output.activation")["evidence"]["relation"] == "reference = softmax(edge)"


def test_two_parts_at_once(judge):
    h = Head(8, 60, seed=6)
    verdict = judge(h.made(h.corners(), h.logits), h.made())
    assert sorted(causes(verdict)) == ["output.activation", "output.box_format"]
    softmaxed = softmax(h.logits.swapaxes(1, 2)).swapaxes(1, 2)
    assert sorted(causes(judge(h.made(h.corners(), h.logits), h.made(scores=softmaxed)))) == ["output.activation", "output.box_format"]


def test_objectness(judge):
    """YOLO v5: its score of the box is another row; each fault is named as without it."""
    h = Head(5, 70, seed=7)
    front = [sigmoid(h.object)]
    right = h.made(front=front)
    turned = dict(edge_log=dict(turned=True), reference_log=dict(turned=True))
    assert causes(judge(noisy(right), right, **turned)) == []
    assert causes(judge(h.made(h.boxes / SIZE, front=front), right, **turned)) == ["output.box_format"]
    verdict = judge(h.made(scores=h.logits, front=[h.object]), right, **turned)
    assert finding(verdict, "output.activation")["evidence"]["rows_of_it"] == 6


@pytest.mark.parametrize("classes, anchors", [(4, 63), (80, 300), (20, 21)])
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_a_class_in_front(judge, classes, anchors, way):
    h = Head(classes, anchors, seed=8)
    none = np.full((3, 1, anchors), 0.01)
    verdict = judge(noisy(h.made(front=[none])), h.made(), **WAYS[way])
    assert causes(verdict)[0] == "output.label_offset" and verdict["verdict"] == "fail", verdict["findings"]
    evidence = finding(verdict, "output.label_offset")["evidence"]
    assert evidence["difference"] == 1 and evidence["first_row"] == 4
    verdict = judge(h.made(), h.made(front=[sigmoid(h.object)]), **WAYS[way])
    assert finding(verdict, "output.label_offset")["evidence"]["difference"] == -1


def test_a_class_in_front_of_as_many(judge):
    """The last class is lost."""
    h = Head(7, 40, seed=9)
    shifted = h.made(front=[sigmoid(h.object)])[:, :-1]
    assert finding(judge(shifted, h.made()), "output.label_offset")["evidence"]["difference"] == 1


def test_the_application_knows(judge):
    h = Head(6, 63, seed=10)
    right, shares = h.made(), h.made(h.boxes / SIZE)
    told = [told_of(o, SIZE) for o in right]
    both = judge(shares, right, dict(told=[told_of(o, 1) for o in shares]), dict(told=told))
    assert both["verdict"] == "pass" and [f["severity"] for f in both["findings"]] == ["warning"], both["findings"]
    wrong = judge(shares, right, dict(told=[told_of(o, SIZE) for o in shares]), dict(told=told))
    assert wrong["verdict"] == "fail" and "output.box_format" in causes(wrong)


def test_logits_are_told_as_scores(judge):
    """The same boxes and classes, and scores that are none."""
    h = Head(6, 63, seed=11)
    right, logits = h.made(), h.made(scores=h.logits)
    verdict = judge(logits, right, dict(told=[told_of(o, SIZE) for o in logits]), dict(told=[told_of(o, SIZE) for o in right]))
    assert verdict["verdict"] == "fail" and "output.activation" in causes(verdict)


def test_a_row_that_larger_ones_hide(judge):
    """One class's scores are zero: a millionth of the whole output's deviation."""
    h = Head(6, 63, seed=12)
    h.boxes *= 30
    scores = sigmoid(h.logits) / 50
    dead = scores.copy()
    dead[:, 3] = 0
    assert causes(judge(noisy(h.made(scores=scores)), h.made(scores=scores))) == []
    verdict = judge(h.made(scores=dead), h.made(scores=scores))
    assert causes(verdict) == ["layer.unknown"] and verdict["verdict"] == "fail", verdict
    assert "row 7" in verdict["findings"][0]["summary"].lower()


def test_what_differs_is_said(judge):
    h = Head(6, 63, seed=13)
    other = sigmoid(h.logits)
    other[:, 1] = np.random.default_rng(1).uniform(0, 1, other[:, 1].shape)
    verdict = judge(h.made(scores=other), h.made())
    assert causes(verdict) == ["layer.unknown"]
    assert "Row 5 of 10" in str(verdict["findings"])


def test_scores_in_percent(judge):
    h = Head(6, 63, seed=14)
    verdict = judge(h.made(scores=100 * sigmoid(h.logits)), h.made())
    assert causes(verdict) == ["output.dequantization"]
    assert finding(verdict, "output.dequantization")["evidence"]["gain"] == pytest.approx(100, rel=1e-4)


def test_unrelated_heads(judge):
    named = causes(judge(Head(6, 63, seed=15).made(), Head(6, 63, seed=16).made()))
    assert named == ["layer.unknown"]


def test_a_row_of_few_numbers_has_any_factor(judge):
    """Behind a ReLU a row is zero but for one number; what is off there is no scale."""
    reference = np.maximum(np.random.default_rng(17).normal(0.3, 1, (64, 8)), 0)
    reference[4] = 0
    reference[4, 3] = 1.3
    edge = reference.copy()
    edge[4, 3] = 0.75
    assert causes(judge([edge], [reference])) == ["layer.unknown"]


def strided(path, second=16.0):
    """A head of two levels, each multiplied with its stride."""
    g = Graph()
    x = g("Reshape", g("Sigmoid", g.conv("x", "distances", 3, 4)), g.const("flat", [1, 4, -1], np.int64))
    g("Mul", x, g.const("strides", np.repeat([8.0, second], [144, 48])[None, None]), to="y")
    return g.save(path, [1, 3, 12, 16])


@pytest.mark.parametrize("second", [16.0, 32.0])
def test_the_stride_of_a_level_is_one_finding(tmp_path, second):
    v = verdict_of(tmp_path, strided(tmp_path / "edge.onnx", second), strided(tmp_path / "reference.onnx"), 0 if second == 16 else 1)
    assert causes(v) == ([] if second == 16 else ["output.dequantization"])
    if second != 16:
        assert "strides" in " ".join(finding(v, "output.dequantization")["details"])
