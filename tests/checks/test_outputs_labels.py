"""Classes counted, ordered or named otherwise, and decisions that do not follow from the outputs."""

import numpy as np
import pytest
import testdata
from outputs_support import real_outputs, softmax, some_logits, top, write_boxes, write_outputs
from validate_support import causes, finding, validate

pytestmark = pytest.mark.data

P = softmax(some_logits(8, 1000)).astype(np.float32)


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, edge_results=None, reference_results=None, edge_log={}, reference_log={}):
        e = write_outputs(tmp_path / "e", "edge", edge, results=edge_results, **edge_log)
        r = write_outputs(tmp_path / "r", "reference", reference, results=reference_results, **reference_log)
        return validate(e, r)

    return run


def output_causes(verdict):
    return [c for c in causes(verdict) if c.startswith("output.")]


@pytest.mark.parametrize("shift", [1, -1, 2])
@pytest.mark.parametrize("frames", [1, 8])
def test_shifted_classes(judge, shift, frames):
    p = P[:frames]
    verdict = judge(p, p, top(p, shift=shift), top(p))
    assert causes(verdict) == ["output.label_offset"]
    assert finding(verdict, "output.label_offset")["evidence"]["difference"] == -shift


def test_shifted_classes_of_an_edge_whose_inputs_differ_too(judge):
    other = softmax(some_logits(8, 1000, seed=9)).astype(np.float32)
    verdict = judge(other, P, top(other, shift=1), top(P), edge_log={"change": lambda a: np.ascontiguousarray(a[..., ::-1])})
    assert causes(verdict)[0] == "input.channel_order" and output_causes(verdict) == ["output.label_offset"]


def test_shifted_classes_without_outputs(judge):
    nothing = [np.zeros(0, np.float32)] * len(P)
    verdict = judge(nothing, nothing, top(P, shift=1), top(P))
    assert causes(verdict) == ["output.label_offset"]


def test_permuted_classes(judge):
    mapping = np.random.default_rng(3).permutation(1000)
    assert causes(judge(P, P, top(P, mapping=mapping), top(P))) == ["output.label_offset"]
    few = softmax(some_logits(20, 10)).astype(np.float32)
    assert causes(judge(few, few, top(few, mapping=np.roll(np.arange(10), 3)[::-1]), top(few))) == ["output.label_offset"]


# ---- Names -----------------------------------------------------------------------------

ANIMALS = ["tench, Tinca tinca", "goldfish", "great white shark", "hen", "ostrich", "brambling", "junco", "bulbul", "jay", "magpie", "kite", "vulture"]
LETTERS = [f"{'qjzmbxkwpd'[i % 10]}{'aeiou'[i % 5]}{i}" for i in range(1000)]  # no order, each once
Q = softmax(some_logits(20, 12)).astype(np.float32)


def labels_found(verdict):
    assert causes(verdict) == ["output.labels"], causes(verdict)
    return finding(verdict, "output.labels")


def test_names_from_a_moved_label_file(judge):
    names = [f"class {i}" for i in range(1001)]
    f = labels_found(judge(Q, Q, top(Q, labels=["background", *names]), top(Q, labels=names)))
    assert f["evidence"]["difference"] == -1 and "moved by 1 line:" in f["summary"]
    f = labels_found(judge(Q, Q, top(Q, labels=names[3:]), top(Q, labels=names)))
    assert f["evidence"]["difference"] == 3


def test_names_in_another_order(judge):
    shuffled = [ANIMALS[i] for i in np.random.default_rng(1).permutation(12)]
    f = labels_found(judge(Q, Q, top(Q, labels=shuffled), top(Q, labels=ANIMALS)))
    assert "sorted" not in f["evidence"] and "difference" not in f["evidence"]
    two = [ANIMALS[{3: 4, 4: 3}.get(i, i)] for i in range(12)]
    f = labels_found(judge(Q, Q, top(Q, k=12, labels=two), top(Q, k=12, labels=ANIMALS)))
    assert f["evidence"]["otherwise"] == 2


@pytest.mark.parametrize("sides", ["edge", "reference"])
def test_names_by_alphabet_that_the_other_side_never_told(judge, sides):
    by_alphabet, right = top(P, k=3, labels=sorted(LETTERS)), top(P, k=3, labels=LETTERS)
    f = labels_found(judge(P, P, *((by_alphabet, right) if sides == "edge" else (right, by_alphabet))))
    assert f["evidence"]["sorted"] == sides and f["confidence"] > 0.9


@pytest.mark.parametrize("messages", [1, 2])
def test_names_of_boxes(tmp_path, messages):
    """Also where a frame's boxes come in several messages."""
    from log_writer import PB
    from validate_support import Recording

    def write(role, names):
        with Recording(tmp_path / f"{role}.mcap", role, task="detection") as log:
            for frame in range(3):
                results = [PB["Result"](frame=frame) for _ in range(messages)]
                for i in range(6):
                    at = [i / 10, frame / 10, i / 10 + .1, frame / 10 + .2]
                    results[i % messages].boxes.add(x_min=at[0], y_min=at[1], x_max=at[2], y_max=at[3], id=i, score=.9 - i / 20, label=names[i])
                for r in results:
                    log.add("/result", "Result", r)
                log.frame([("/input/image", np.full((1, 8, 8, 3), frame, np.float32), {})])
        return tmp_path / f"{role}.mcap"

    f = labels_found(validate(write("edge", sorted(ANIMALS)), write("reference", ANIMALS)))
    assert f["evidence"]["classes"] == 6
    assert causes(validate(write("edge", [n.upper() for n in ANIMALS]), write("reference", ANIMALS))) == []


def test_label_files_where_classes_are_told_by_number(judge):
    lines = {"edge_log": {"label_file": "\n".join(sorted(ANIMALS))}, "reference_log": {"label_file": "\n".join(ANIMALS)}}
    f = labels_found(judge(Q[:3], Q[:3], top(Q[:3]), top(Q[:3]), **lines))
    assert f["evidence"]["sorted"] == "edge" and f["evidence"]["classes"] == 12
    assert labels_found(judge(Q[:3], Q[:3], **lines))["evidence"]["classes"] == 12
    # The edge told its names, the reference has the file.
    f = labels_found(judge(Q, Q, top(Q, labels=sorted(ANIMALS)), top(Q), reference_log=lines["reference_log"]))
    assert f["evidence"]["otherwise"] >= 8


@pytest.mark.parametrize("write", [
    lambda names: [n.upper().replace(" ", "_") + "\r" for n in names],
    lambda names: [n.split(",")[0] for n in names],
    lambda names: [f"{i}: {n}" for i, n in enumerate(names)],
    lambda names: [f"{i} {n}" for i, n in reversed(list(enumerate(names)))],
    lambda names: names + ["", ""],
    lambda names: ["a fish", *names[1:]],
])
def test_label_files_written_otherwise(judge, write):
    verdict = judge(Q[:3], Q[:3], top(Q[:3]), top(Q[:3]), edge_log={"label_file": "\n".join(write(ANIMALS))},
                    reference_log={"label_file": "\n".join(ANIMALS)})
    assert output_causes(verdict) == []


def test_label_files_with_and_without_a_background_class(judge):
    verdict = judge(Q[:3], Q[:3], edge_log={"label_file": "\n".join(ANIMALS[1:]), "label_offset": "1"},
                    reference_log={"label_file": "\n".join(["background", *ANIMALS[1:]])})
    assert "output.labels" not in causes(verdict)


def test_equal_names_count_more_than_files(judge):
    told = top(Q, labels=ANIMALS)
    verdict = judge(Q, Q, told, told, edge_log={"label_file": "\n".join(sorted(ANIMALS))}, reference_log={"label_file": "\n".join(ANIMALS)})
    assert output_causes(verdict) == []


def test_shifted_classes_with_their_own_names(judge):
    names = ["background", *ANIMALS]
    told = [[(c + 1, s, names[c + 1]) for c, s in frame] for frame in top(Q)]
    assert causes(judge(Q, Q, told, top(Q, labels=ANIMALS))) == ["output.label_offset"]


def test_shifted_classes_that_read_the_one_label_file(judge):
    """Their names are others because their numbers are."""
    told = [[(c - 1, s, ANIMALS[c - 1]) for c, s in frame] for frame in top(Q)]
    assert causes(judge(Q, Q, told, top(Q, labels=ANIMALS))) == ["output.label_offset"]
    shuffled = [ANIMALS[i] for i in np.random.default_rng(1).permutation(12)]
    told = [[(c - 1, s, shuffled[c - 1]) for c, s in frame] for frame in top(Q)]
    assert sorted(causes(judge(Q, Q, told, top(Q, labels=ANIMALS)))) == ["output.label_offset", "output.labels"]


@pytest.mark.parametrize("text", ["", "\0\0\0", "{0: 'tench'}", "\n" * 5000, "7" * 400 + " x", "ä\xff" * 300])
def test_files_that_are_no_list_of_names(judge, text):
    verdict = judge(Q[:3], Q[:3], top(Q[:3]), top(Q[:3]), edge_log={"label_file": text}, reference_log={"label_file": "\n".join(ANIMALS)})
    assert output_causes(verdict) == []


def test_names_that_are_only_written_otherwise(judge):
    p = softmax(some_logits(20, 12)).astype(np.float32)
    verdict = judge(p, p, top(p, labels=[f"Class no. {i}" for i in range(12)]), top(p, labels=[f"class {i}" for i in range(12)]))
    assert output_causes(verdict) == []


# ---- The vector itself -----------------------------------------------------------------


@pytest.mark.parametrize("places", [1, -1, 3])
def test_shifted_vector(judge, places):
    verdict = judge(np.roll(P, places, axis=1), P)
    assert causes(verdict) == ["output.label_offset"], verdict["findings"]
    assert finding(verdict, "output.label_offset")["evidence"]["difference"] == places


def test_permuted_vector(judge):
    assert causes(judge(np.ascontiguousarray(P[:, np.random.default_rng(3).permutation(1000)]), P)) == ["output.label_offset"]


def with_background(p):
    return np.concatenate([np.full((len(p), 1), 1e-6, np.float32), p], axis=1)


def test_a_background_class_that_is_not_taken_off(judge):
    edge = with_background(P)
    verdict = judge(edge, P, top(edge), top(P))
    assert "output.label_offset" in causes(verdict)
    assert "output.label_offset" in causes(judge(edge, P))


def test_a_background_class_that_is_taken_off_is_healthy(judge):
    edge = with_background(P)
    assert output_causes(judge(edge, P, top(edge, shift=1), top(P))) == []
    assert output_causes(judge(P, edge, top(P), top(edge, shift=1))) == []


# ---- Decisions ----------------------------------------------------------------------------


def test_decisions_of_the_frame_before(judge):
    results = top(P)
    assert causes(judge(P, P, [results[0], *results[:-1]], results)) == ["output.frame_order"]


def test_the_worst_class(judge):
    few = softmax(some_logits(20, 10)).astype(np.float32)
    assert causes(judge(few, few, top(-few, scores=few), top(few))) == ["output.postprocess"]
    assert causes(judge(P, P, top(-P, scores=P), top(P)))[0] in ("output.postprocess", "output.label_offset")


def test_another_permutation_each_frame(judge):
    random = np.random.default_rng(5)
    results = [[(int(random.integers(0, 10)), 0.5)] for _ in range(20)]
    few = softmax(some_logits(20, 10)).astype(np.float32)
    assert causes(judge(few, few, results, top(few))) == ["output.postprocess"]


@pytest.mark.parametrize("frames", [1, 2])
def test_ties_of_coarse_outputs_go_either_way(judge, frames):
    edge = np.array([[10, 20, 100, 5, 100, 3], [1, 90, 2, 90, 4, 6]], np.uint8)[:frames]
    reference = np.array([[10, 20, 100, 5, 101, 3], [1, 90, 2, 91, 4, 6]], np.uint8)[:frames]

    def judged(told_by_edge):
        results = [[[(c, 100 / 256)] for c in told][:frames] for told in (told_by_edge, [4, 3])]
        scale = {"quantization": {"scale": [1 / 256], "zero_point": [0]}}
        return judge(edge, reference, *results, edge_log=scale, reference_log=scale)

    assert judged([2, 1])["verdict"] == "pass"  # of equal values, the first
    assert judged([1, 2])["verdict"] == "fail"  # neither of them


def test_classes_of_boxes(tmp_path):
    random = np.random.default_rng(4)
    low = random.uniform(0, 0.6, (4, 10, 2))
    rows = np.concatenate([low, low + random.uniform(0.1, 0.4, (4, 10, 2))], -1)
    told, classes = rows[..., [1, 0, 3, 2]], random.integers(0, 12, (4, 10))

    def said(ids, reference=classes, own=classes):
        edge = write_boxes(tmp_path / "e", "edge", rows, told, detector=False, classes=own, ids=ids)
        return output_causes(validate(edge, write_boxes(tmp_path / "r", "reference", rows, told, detector=False, classes=classes, ids=reference)))

    assert said(classes) == said(classes + 1, classes + 1) == []
    assert said(classes + 1) == said(classes - 1) == ["output.label_offset"]
    assert said(random.permutation(12)[classes]) == ["output.label_offset"]
    assert said(np.ones_like(classes), np.ones_like(classes)) == []  # one class says nothing
    swapped = classes[:, ::-1]
    assert said(swapped, own=swapped) == []  # other outputs, rightly read
    for number in (-(2**63), 2**63 - 1):  # hostile
        assert "output.label_offset" not in said(np.where(classes == 3, number, classes))


def test_shifted_classes_of_boxes_with_names(tmp_path):
    """Right names of which the numbers alone are moved are said once; names that are moved, too, by another number, are another fault."""
    random = np.random.default_rng(4)
    low = random.uniform(0, 0.6, (4, 10, 2))
    rows = np.concatenate([low, low + random.uniform(0.1, 0.4, (4, 10, 2))], -1)
    told, classes = rows[..., [1, 0, 3, 2]], random.integers(0, 12, (4, 10))

    def said(moved, lines):
        def write(role, by, line):
            names = [[ANIMALS[(c + line) % 12] for c in frame] for frame in classes]
            return write_boxes(tmp_path / role, role, rows, told, detector=False, classes=classes, ids=classes + by, names=names)
        return sorted(output_causes(validate(write("edge", moved, lines), write("reference", 0, 0))))

    assert said(0, 0) == []
    assert said(1, 0) == said(-1, 0) == ["output.label_offset"]  # the names are right
    assert said(1, 1) == ["output.label_offset"]  # each name is that of its number
    assert said(0, 1) == ["output.labels"]
    assert said(1, 3) == ["output.label_offset", "output.labels"]


# ---- Healthy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0, 1])
def test_healthy_results(judge, shift):
    noisy = (P * (1 + 1e-7 * np.random.default_rng(1).normal(size=P.shape))).astype(np.float32)
    assert output_causes(judge(noisy, P, top(noisy, shift=shift), top(P, shift=shift))) == []
    assert output_causes(judge(noisy, P, top(noisy, k=1, shift=shift), top(P, shift=shift))) == []


def test_other_outputs_give_other_decisions(judge):
    other = softmax(some_logits(8, 1000, seed=9)).astype(np.float32)
    assert output_causes(judge(other, P, top(other), top(P))) == []


def test_equal_outputs_in_all_classes_say_nothing(judge):
    flat = np.full((4, 10), 0.1, np.float32)
    assert output_causes(judge(flat, flat, [[(3, 0.1)]] * 4, [[(3, 0.1)]] * 4)) == []


@pytest.mark.parametrize("model", ["mobilenet_v1_0.25_224_float", "efficientnet_lite0_int8"])
def test_real_models(judge, model):
    y, (scale, zero) = real_outputs(model)
    quantization = {"quantization": {"scale": [scale], "zero_point": [zero]}} if scale else {}
    logs = {"edge_log": quantization, "reference_log": quantization}
    file = testdata.LABELS / ("imagenet_1001.txt" if y.shape[1] == 1001 else "imagenet_1000.txt")
    names = file.read_text().splitlines() if file.exists() else [str(i) for i in range(y.shape[1])]
    shift = 1 if y.shape[1] == 1001 else 0
    values = y if not scale else (scale * (y.astype(np.float64) - zero)).astype(np.float32)
    told = top(values, shift=shift, labels=names)
    assert output_causes(judge(y, y, told, told, **logs)) == []
    assert causes(judge(y, y, top(values, shift=shift + 1), told, **logs)) == ["output.label_offset"]
    assert causes(judge(y, y, top(values, shift=shift, labels=["x", *names]), told, **logs)) in (["output.labels"], [])


# ---- Scores ------------------------------------------------------------------------------------


def test_scores_that_went_through_softmax_again(judge):
    few = softmax(some_logits(12, 10)).astype(np.float32)
    verdict = judge(few, few, top(few, scores=softmax(few)), top(few))
    assert causes(verdict) == ["output.activation"]
    logits = some_logits(12, 10).astype(np.float32)  # the application's own softmax, rightly
    assert output_causes(judge(logits, logits, top(logits, scores=softmax(logits)), top(logits))) == []


@pytest.mark.parametrize("model", ["mobilenet_v1_0.25_224_uint8", "efficientnet_lite0_int8"])
def test_raw_scores(judge, model):
    y, (scale, zero) = real_outputs(model)
    tensors = [("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "uint8", [1, y.shape[1]], [scale], [zero], 0)]
    logs = {"quantization": {"scale": [scale], "zero_point": [zero]}, "model": (tensors, [("CONV_2D", [0], [1])], [0], [1])}
    values = (scale * (y.astype(np.float64) - zero)).astype(np.float32)
    healthy = judge(y, y, top(values), top(values), edge_log=logs, reference_log=logs)
    assert output_causes(healthy) == []
    percent = judge(y, y, top(values, scores=100 * values), top(values), edge_log=logs, reference_log=logs)
    assert percent["verdict"] == "pass" and [(f["cause"], f["severity"]) for f in percent["findings"]] == [("output.postprocess", "info")]
    raw = judge(y, y, top(values, scores=y.astype(np.float64)), top(values), edge_log=logs, reference_log=logs)
    assert causes(raw) == ["output.dequantization"]


# ---- Scores of 8-bit outputs, read wrongly -------------------------------------------------------


def byte_log(y, scale, zero, op="SOFTMAX"):
    kind = str(y.dtype)
    tensors = [("image", "float32", [1, 32, 32, 3], [], [], 0), ("logits", kind, [1, y.shape[1]], [scale], [zero], 0),
               ("probabilities", kind, [1, y.shape[1]], [scale], [zero], 0)]
    return {"quantization": {"scale": [scale], "zero_point": [zero]},
            "model": (tensors, [("FULLY_CONNECTED", [0], [1]), (op, [1], [2])], [0], [2])}


def bytes_of(values, scale, zero, kind):
    limits = np.iinfo(kind)
    return np.clip(np.round(values / scale) + zero, limits.min, limits.max).astype(kind)


def other_sign(y):
    return y.view(np.uint8 if y.dtype == np.int8 else np.int8).astype(float)


OUTPUTS = {
    "uint8 probabilities": (P, 1 / 256, 0, np.uint8),
    "int8 probabilities": (P, 1 / 256, -128, np.int8),
    "uint8 logits": (some_logits(8, 1000), 0.15, 90, np.uint8),
    "int8 logits": (some_logits(8, 1000), 0.15, -30, np.int8),
}
READINGS = {
    "raw": lambda y, s, z: y.astype(float),
    "no zero point": lambda y, s, z: s * y.astype(float),
    "other sign": lambda y, s, z: s * (other_sign(y) - z),
    "other sign, raw": lambda y, s, z: other_sign(y),
    "other sign, no zero point": lambda y, s, z: s * other_sign(y),
    "half the scale": lambda y, s, z: s / 2 * (y.astype(float) - z),
    "four times the scale": lambda y, s, z: 4 * s * (y.astype(float) - z),
    "another zero point": lambda y, s, z: s * (y.astype(float) - z - 20),
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("reading", READINGS)
def test_stored_integers_read_wrongly(judge, output, reading):
    values, scale, zero, kind = OUTPUTS[output]
    y = bytes_of(values, scale, zero, kind)
    right, wrong = scale * (y.astype(float) - zero), READINGS[reading](y, scale, zero)
    log = byte_log(y, scale, zero, "SOFTMAX" if "prob" in output else "RESHAPE")
    verdict = judge(y, y, top(wrong), top(right), edge_log=log, reference_log=log)
    same = (np.sort(wrong, 1)[:, -5:] == np.sort(right, 1)[:, -5:]).all() and (wrong.argmax(1) == right.argmax(1)).all()
    assert output_causes(verdict) == ([] if same else ["output.dequantization"]), verdict["findings"]
    # Both sides alike: then it is meant so.
    if "sign" not in reading:
        assert output_causes(judge(y, y, top(wrong), top(wrong), edge_log=log, reference_log=log)) == []


@pytest.mark.parametrize("output", ["uint8 probabilities", "int8 probabilities"])
def test_softmax_of_8_bit_probabilities(judge, output):
    values, scale, zero, kind = OUTPUTS[output]
    y = bytes_of(values, scale, zero, kind)
    p, log = scale * (y.astype(float) - zero), byte_log(y, scale, zero)
    for logs in ({"edge_log": log, "reference_log": log}, {"edge_log": {k: log[k] for k in ("quantization",)}, "reference_log": log}):
        assert output_causes(judge(y, y, top(p, scores=softmax(p)), top(p), **logs)) == ["output.activation"]


def test_healthy_ways_to_tell_8_bit_scores(judge):
    y = bytes_of(some_logits(8, 1000), 0.15, 90, np.uint8)
    log, values = byte_log(y, 0.15, 90, "RESHAPE"), 0.15 * (y.astype(float) - 90)
    few = [entries[: 1 + n % 3] for n, entries in enumerate(top(values))]
    healthy = {
        "softmax of logits": top(values, scores=softmax(values)),
        "a temperature": top(values, scores=softmax(values / 1.7)),
        "percent": top(values, scores=100 * softmax(values)),
        "log": top(values, scores=np.log(softmax(values))),
        "relative to the best": top(values, scores=values / values.max(1, keepdims=True)),
        "two digits": top(values, scores=np.round(values, 2)),
        "above a threshold": few,
        "no scores": [[(c, 0) for c, _ in entries] for entries in top(values)],
    }
    for name, told in healthy.items():
        assert output_causes(judge(y, y, told, top(values), edge_log=log, reference_log=log)) == [], name


def test_both_an_input_and_the_scores(judge):
    """Results against the edge's own outputs say so whatever the inputs are."""
    other = softmax(some_logits(8, 1000, seed=9)).astype(np.float32)
    verdict = judge(other, P, top(other, scores=softmax(other)), top(P), edge_log={"change": lambda a: np.ascontiguousarray(a[..., ::-1])})
    assert causes(verdict) == ["input.channel_order", "output.activation"]


def test_classes_of_the_other_sign_with_a_label_offset(judge):
    y = bytes_of(P, 1 / 256, 0, np.uint8)
    log, wrong = byte_log(y, 1 / 256, 0), other_sign(y) / 256
    verdict = judge(y, y, top(wrong, shift=1), top(y / 256), edge_log=log, reference_log=log)
    assert set(output_causes(verdict)) == {"output.dequantization", "output.label_offset"}
