"""What is wrong behind the last layer: activation, dequantization."""

import numpy as np
import pytest
from outputs_support import real_outputs, sigmoid, softmax, some_logits, write_boxes, write_outputs
from validate_support import causes, finding, validate

pytestmark = pytest.mark.data


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, options=(), edge_log={}, reference_log={}):
        e = write_outputs(tmp_path / "e", "edge", edge, **edge_log)
        r = write_outputs(tmp_path / "r", "reference", reference, **reference_log)
        return validate(e, r, *options)

    return run


def f32(x):
    return np.asarray(x).astype(np.float32)


# ---- Activation ------------------------------------------------------------------------

LOGITS = some_logits()
P = softmax(LOGITS)
RELATIONS = {
    "softmax missing": (LOGITS, P, "reference = softmax(edge)"),
    "softmax missing, shifted logits": (LOGITS + 7, P, "reference = softmax(edge)"),
    "softmax added": (P, LOGITS, "edge = softmax(reference)"),
    "softmax doubled": (softmax(P), P, "edge = softmax(reference)"),
    "softmax doubled in the reference": (P, softmax(P), "reference = softmax(edge)"),
    "softmax twice for none": (softmax(P), LOGITS, "edge = softmax(softmax(reference))"),
    "sigmoid missing": (LOGITS, sigmoid(LOGITS), "reference = sigmoid(edge)"),
    "sigmoid added": (sigmoid(LOGITS), LOGITS, "edge = sigmoid(reference)"),
    "sigmoid doubled": (sigmoid(sigmoid(LOGITS)), sigmoid(LOGITS), "edge = sigmoid(reference)"),
    "log-softmax missing": (LOGITS, np.log(P), "reference = log_softmax(edge)"),
    "log-softmax for softmax": (np.log(P), P, "edge = log(reference)"),
    "softmax for log-softmax": (P, np.log(P), "reference = log(edge)"),
    "softmax for sigmoid": (softmax(LOGITS - 3), sigmoid(LOGITS - 3), "edge = softmax(logit(reference))"),
}


@pytest.mark.parametrize("name", RELATIONS)
@pytest.mark.parametrize("frames", [1, 6])
def test_activation(judge, name, frames):
    edge, reference, relation = RELATIONS[name]
    noise = 1 + 2e-7 * np.random.default_rng(1).normal(size=edge.shape)
    verdict = judge(f32(edge * noise)[:frames], f32(reference)[:frames])
    assert causes(verdict)[0] == "output.activation" and len(causes(verdict)) == 1, verdict["findings"]
    found = finding(verdict, "output.activation")
    both = {relation, relation.replace("edge = log_softmax", "edge = log")}
    assert found["evidence"]["relation"] in both
    assert found["evidence"]["residual_after"] < 1e-2 < found["evidence"]["residual_before"]
    assert found["evidence"]["frames_supporting"] == frames and found["fix"]


@pytest.mark.parametrize("classes", [2, 3, 10, 101, 1001])
@pytest.mark.parametrize("name", ["softmax missing", "softmax doubled", "sigmoid missing"])
def test_activation_of_few_classes(judge, classes, name):
    x = some_logits(12, max(classes, 6), spread=1.0)[:, :classes]
    edge, reference = {"softmax missing": (x, softmax(x)), "softmax doubled": (softmax(softmax(x)), softmax(x)),
                       "sigmoid missing": (x, sigmoid(x))}[name]
    assert causes(judge(f32(edge), f32(reference))) == ["output.activation"]


def test_activation_of_8_bit_logits(judge):
    """The edge's logits are quantized; the reference gives the float model's softmax."""
    scale = (LOGITS.max() - LOGITS.min()) / 255
    stored = np.round(LOGITS / scale).astype(np.int16).clip(-128, 127).astype(np.int8)
    quantization = {"scale": [scale], "zero_point": [0]}
    model = ([("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "int8", [1, 1000], [scale], [0], 0)],
             [("CONV_2D", [0], [1])], [0], [1])
    plain = ([("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "float32", [1, 1000], [], [], 0)],
             [("CONV_2D", [0], [1])], [0], [1])
    clipped = np.clip(LOGITS, -128 * scale, 127 * scale)
    verdict = judge(stored, f32(softmax(clipped)), edge_log={"quantization": quantization, "model": model},
                    reference_log={"model": plain})
    assert causes(verdict) == ["output.activation"]


def test_segmentation_activation(judge):
    x = some_logits(3, 16 * 16 * 21).reshape(3, 16, 16, 21)
    assert causes(judge(f32(x), f32(softmax(x)))) == ["output.activation"]


def ends_with(*ops, kind="uint8", scale=1 / 256, zero=0):
    """A model of a matrix and these."""
    tensors = [("image", "float32", [1, 32, 32, 3], [], [], 0)]
    tensors += [(f"t{i}", kind, [1, 1000], [scale] if scale else [], [zero] if scale else [], 0) for i in range(len(ops) + 1)]
    tensors[-1] = ("probabilities", *tensors[-1][1:])
    nodes = [(op, [i], [i + 1]) for i, op in enumerate(("FULLY_CONNECTED", *ops))]
    return {"model": (tensors, nodes, [0], [len(ops) + 1]), "quantization": {"scale": [scale], "zero_point": [zero]} if scale else {}}


@pytest.mark.parametrize("spread", [2.0, 3.0])
def test_a_second_softmax_of_8_bits(judge, spread):
    """Next to nothing is left of it: every class is 0 or one step."""
    once = np.round(softmax(some_logits(spread=spread)) * 256).clip(0, 255).astype(np.uint8)
    twice = np.round(softmax(once / 256) * 256).astype(np.uint8)
    logs, any_coverage = {"edge_log": ends_with("SOFTMAX", "SOFTMAX"), "reference_log": ends_with("SOFTMAX")}, ("--min-coverage", "0")
    assert causes(judge(twice, once, any_coverage, **logs)) == ["output.activation"]
    turned = {"edge_log": logs["reference_log"], "reference_log": logs["edge_log"]}
    assert causes(judge(once, twice, any_coverage, **turned)) == ["output.activation"]
    assert causes(judge(once, once, edge_log=ends_with("SOFTMAX", "QUANTIZE"), reference_log=ends_with("SOFTMAX"))) == []


def test_graphs_that_end_otherwise(judge):
    """Sigmoids of 8 bits saturate: numbers alone do not say what was meant."""
    x = some_logits(spread=3.0) + 2
    stored = [np.round(f(x) * 256).clip(0, 255).astype(np.uint8) for f in (sigmoid, softmax)]
    verdict = judge(*stored, edge_log=ends_with("LOGISTIC"), reference_log=ends_with("SOFTMAX"))
    assert causes(verdict) == ["output.activation"]
    assert finding(verdict, "output.activation")["evidence"]["edge_tail"] == "sigmoid"
    assert finding(verdict, "output.activation")["severity"] == "error"
    told = [[(7, 0.5)]] * len(x)
    known = judge(*stored, edge_log=ends_with("LOGISTIC") | {"results": told}, reference_log=ends_with("SOFTMAX") | {"results": told})
    assert {f["severity"] for f in known["findings"] if f["cause"] == "output.activation"} == {"warning"}


# ---- Dequantization ----------------------------------------------------------------------

SCALE, ZERO = 1 / 256, 0


def quantized(values, scale, zero, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / scale) + zero, limits.min, limits.max).astype(dtype)


Q = quantized(LOGITS, 0.15, 90)
VALUES = 0.15 * (Q.astype(np.float64) - 90)
MAPS = {
    "raw": (Q.astype(np.float64), VALUES),
    "raw against float": (Q.astype(np.float64), LOGITS.clip(-13.5, 24.75)),
    "no zero point": (0.15 * Q, VALUES),
    "no scale": (Q - 90.0, VALUES),
    "twice": (0.15 * (VALUES - 90), VALUES),
    "another scale": (0.1 * (Q - 90.0), VALUES),
    "the reference is raw": (VALUES, Q.astype(np.float64)),
}


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("known", [True, False])
def test_dequantization(judge, name, known):
    edge, reference = MAPS[name]
    tensors = [("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "uint8", [1, 1000], [0.15], [90], 0)]
    model = (tensors, [("CONV_2D", [0], [1])], [0], [1])
    if name == "raw against float" and not known:
        pytest.skip("what rounds is not in the log")
    plain = ([tensors[0], ("probabilities", "float32", [1, 1000], [], [], 0)], *model[1:])
    logs = {"edge_log": {"model": model}, "reference_log": {"model": plain if "float" in name else model}} if known else {}
    verdict = judge(f32(edge), f32(reference), **logs)
    assert causes(verdict) == ["output.dequantization"], verdict["findings"]
    evidence = finding(verdict, "output.dequantization")["evidence"]
    a, b = np.polyfit(reference.ravel(), edge.ravel(), 1)
    assert evidence["gain"] == pytest.approx(a, rel=1e-2) and evidence["offset"] == pytest.approx(b, abs=0.02 * np.ptp(edge))


FLOATS = ([("image", "float32", [1, 32, 32, 3], [], [], 0), ("logits", "float32", [1, 1000], [], [], 0)], [("CONV_2D", [0], [1])], [0], [1])


@pytest.mark.parametrize("step, change, says", [(1.0, np.round, "rounded to steps of 1"), (.5, np.floor, "cut off to steps of 0.5"), (.75, np.round, "rounded to steps of 0.75")])
def test_steps_that_no_8_bits_explain(judge, step, change, says):
    both = {"edge_log": {"model": FLOATS}, "reference_log": {"model": FLOATS}}
    values = LOGITS * 15 / np.ptp(LOGITS)
    verdict = judge(f32(change(values / step) * step), f32(values), **both)
    assert causes(verdict) == ["output.dequantization"] and says in finding(verdict, "output.dequantization")["summary"], verdict["findings"]


def test_steps_that_8_bits_may_explain(judge):
    """A graph that rounds, one that nobody knows, steps as fine as those of 8 bits, and steps of both sides."""
    values = LOGITS * 15 / np.ptp(LOGITS)
    in_steps = lambda step: f32(np.round(values / step) * step)
    rounds = (FLOATS[0] + [("rounded", "float32", [1, 1000], [], [], 0)], [("CONV_2D", [0], [1]), ("ROUND", [1], [2])], [0], [2])
    for edge, reference, model in ((in_steps(.5), f32(values), rounds), (in_steps(.5), f32(values), None), (in_steps(15 / 200), f32(values), FLOATS),
                                   (in_steps(.5), in_steps(.25), FLOATS)):
        logs = {"edge_log": {"model": model}, "reference_log": {"model": FLOATS}} if model else {}
        assert "output.dequantization" not in causes(judge(edge, reference, **logs))


def test_raw_bytes_without_quantization(judge):
    assert causes(judge(Q, f32(VALUES))) == ["output.dequantization"]


def in_bytes(x, kind):
    """As a converter stores it: the range of the values, probabilities from 0 to 1."""
    low, scale = (0, 1 / 256) if x.min() >= 0 and x.max() <= 1 else (x.min(), np.ptp(x) / 255)
    zero = int(round(-low / scale)) + np.iinfo(kind).min
    return quantized(x, scale, zero, kind), scale, zero


STORED = {"softmax missing": (LOGITS, P), "softmax added": (P, LOGITS), "sigmoid missing": (LOGITS, sigmoid(LOGITS)),
          "sigmoid added": (sigmoid(LOGITS), LOGITS), "sigmoid of probabilities": (sigmoid(P), P), "log-softmax for softmax": (np.log(P), P)}


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("edge", ["uint8", "int8", "dequantized"])
@pytest.mark.parametrize("reference", ["uint8", "float32"])
def test_activation_of_stored_integers(judge, name, edge, reference):
    logs, tensors = [], []
    for values, how in zip(STORED[name], (edge, reference)):
        y, scale, zero = in_bytes(values, np.int8 if how == "int8" else np.uint8)
        given = {"quantization": {"scale": [scale], "zero_point": [zero]}}
        tensors.append(f32(values) if how == "float32" else f32(scale * (y.astype(float) - zero)) if how == "dequantized" else y)
        logs.append(given if how in ("uint8", "int8") else {})
    assert causes(judge(*tensors, edge_log=logs[0], reference_log=logs[1])) == ["output.activation"]


BYTES = {"uint8 probabilities": (P, 1 / 256, 0, np.uint8), "int8 probabilities": (P, 1 / 256, -128, np.int8),
         "uint8 logits": (LOGITS, 0.15, 90, np.uint8), "int8 logits": (LOGITS, 0.15, -30, np.int8)}


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("reference", ["8 bits", "float"])
def test_dequantized_by_the_application(judge, name, reference):
    """Its /output are floats, and nothing else is known of its model."""
    values, scale, zero, kind = BYTES[name]
    y = quantized(values, scale, zero, kind)
    right = scale * (y.astype(np.float64) - zero)
    other = y.view(np.int8 if kind is np.uint8 else np.uint8).astype(np.float64)
    plain = ends_with("SOFTMAX" if "prob" in name else "RESHAPE", kind=np.dtype(kind).name, scale=scale, zero=zero)
    given = (y, {"reference_log": plain}) if reference == "8 bits" else (f32(values.clip(right.min(), right.max())), {})
    assert causes(judge(f32(right), given[0], **given[1])) == []
    wrong = {"half": right / 2, "four times": right * 4, "zero point": right + scale * zero if zero else None}
    if reference == "8 bits" or "prob" in name:
        wrong |= {"sign": scale * (other - zero), "sign without zero point": scale * other}
    for how, edge in wrong.items():
        if edge is not None:
            assert causes(judge(f32(edge), given[0], **given[1])) == ["output.dequantization"], how


@pytest.mark.parametrize("steps,cause", [(256, "output.dequantization"), (97, "layer.unknown")])
@pytest.mark.parametrize("side", [0, 1])
def test_the_sign_of_bytes_that_both_sides_dequantized(judge, side, steps, cause):
    """Nothing is known but that the values are in steps: those below some place are 256 of them away, exactly, and no other number tells."""
    right = 0.15 * quantized(LOGITS, 0.15, 0, np.int8).astype(np.float64)
    wrong = right + 0.15 * steps * (right < 0)
    verdict = judge(*((f32(wrong), f32(right)) if side == 0 else (f32(right), f32(wrong))))
    assert causes(verdict) == [cause]
    assert cause == "layer.unknown" or "which side is right" in finding(verdict, cause)["summary"]


# ---- Real models ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["mobilenet_v1_0.25_224_float", "efficientnet_lite0_float"])
def test_real_probabilities(judge, model):
    p, _ = real_outputs(model)
    p = p.astype(np.float64)
    for edge in (softmax(p), np.log(np.maximum(p, 1e-30)) + 3.0):
        assert causes(judge(f32(edge), f32(p))) == ["output.activation"]


@pytest.mark.parametrize("model", ["mobilenet_v1_0.25_224_uint8", "efficientnet_lite0_int8", "mobilenet_v2_1.0_224_uint8"])
def test_real_raw_output(judge, model):
    stored, (scale, zero) = real_outputs(model)
    values = scale * (stored.astype(np.float64) - zero)
    assert causes(judge(stored, f32(values))) == ["output.dequantization"]
    assert causes(judge(stored.astype(np.float32), f32(values))) == ["output.dequantization"]


def test_real_raw_output_against_the_float_model(judge):
    stored, (scale, zero) = real_outputs("efficientnet_lite0_int8")
    values, _ = real_outputs("efficientnet_lite0_float")
    shape = [1, values.shape[1]]
    model = ([("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "uint8", shape, [scale], [zero], 0)],
             [("CONV_2D", [0], [1])], [0], [1])
    plain = ([model[0][0], ("probabilities", "float32", shape, [], [], 0)], *model[1:])
    verdict = judge(stored.astype(np.float32), values, edge_log={"model": model}, reference_log={"model": plain})
    assert causes(verdict) == ["output.dequantization"]


# ---- Boxes ------------------------------------------------------------------------------------


def some_boxes(frames=4, count=10):
    random = np.random.default_rng(8)
    low = random.uniform(0, 0.6, (frames, count, 2))
    return np.concatenate([low, low + random.uniform(0.1, 0.4, (frames, count, 2))], -1)


def centred(b):
    return np.concatenate([(b[..., :2] + b[..., 2:]) / 2, b[..., 2:] - b[..., :2]], -1)


BOXES = {
    "exchanged": lambda b: b[..., [1, 0, 3, 2]],
    "centre": centred,
    "size": lambda b: np.concatenate([b[..., :2], b[..., 2:] - b[..., :2]], -1),
    "pixels": lambda b: b * 300,
    "pixels of a picture that is not square": lambda b: b * [640, 480, 640, 480],
    "exchanged pixels": lambda b: (b * [640, 480, 640, 480])[..., [1, 0, 3, 2]],
    "exchanged centre": lambda b: centred(b)[..., [1, 0, 3, 2]],
    "variances": lambda b: b * [0.1, 0.1, 0.2, 0.2],
    "variances exchanged": lambda b: (b * [10, 10, 5, 5])[..., [1, 0, 3, 2]],
}


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("turned", [False, True])
def test_boxes(judge, name, turned):
    corners = some_boxes()
    edge, reference = (corners, BOXES[name](corners)) if turned else (BOXES[name](corners), corners)
    verdict = judge(f32(edge), f32(reference))
    assert causes(verdict) == ["output.box_format"], verdict["findings"]
    assert causes(judge(f32(corners * (1 + 1e-7)), f32(corners))) == []


def test_other_boxes_are_not_explained(judge):
    other = some_boxes()[:, ::-1].copy()
    assert "output.box_format" not in causes(judge(f32(other), f32(some_boxes())))


def test_boxes_told_in_another_format(tmp_path):
    """Results against the edge's own output, which is equal to the reference's."""
    rows = some_boxes()  # y before x
    right = rows[..., [1, 0, 3, 2]]

    def said(told, reference=right, change=None, **keywords):
        edge = write_boxes(tmp_path / "e", "edge", rows, told, change, **keywords)
        return causes(validate(edge, write_boxes(tmp_path / "r", "reference", rows, reference, **keywords)))

    assert said(right) == said(right.clip(0, 1)) == []
    assert said(right[:, :6]) == said(right * [640, 480, 640, 480]) == said(None) == ["output.postprocess"]
    assert said(rows) == said(centred(right)) == said(rows[:, :6]) == ["output.box_format"]
    assert said(rows, reference=rows) == []
    assert said(rows, reference=None, detector=False) == ["output.postprocess"]
    assert said(rows, reference=None) == ["output.box_format"]
    assert said(rows, change=lambda a: np.ascontiguousarray(a[..., ::-1])) == ["input.channel_order", "output.box_format"]


# ---- Healthy, or not theirs ---------------------------------------------------------------------


def test_healthy_8_bit_pair(judge):
    stored, (scale, zero) = real_outputs("efficientnet_lite0_int8")
    values, _ = real_outputs("efficientnet_lite0_float")
    quantization = {"scale": [scale], "zero_point": [zero]}
    shape = [1, values.shape[1]]
    model = ([("image", "float32", [1, 32, 32, 3], [], [], 0), ("probabilities", "uint8", shape, [scale], [zero], 0)],
             [("CONV_2D", [0], [1])], [0], [1])
    plain = ([model[0][0], ("probabilities", "float32", shape, [], [], 0)], *model[1:])
    verdict = judge(stored, values, edge_log={"quantization": quantization, "model": model}, reference_log={"model": plain})
    assert not [c for c in causes(verdict) if c.startswith("output.")]


@pytest.mark.parametrize("noise", [0, 1e-7, 1e-6])
def test_healthy_float_pair(judge, noise):
    random = np.random.default_rng(2)
    assert causes(judge(f32(P * (1 + noise * random.normal(size=P.shape))), f32(P))) == []


@pytest.mark.parametrize("seed", range(3))
def test_unrelated_outputs_are_not_explained(judge, seed):
    other = some_logits(seed=seed + 20)
    for edge, reference in ((other, LOGITS), (softmax(other), P), (other, P), (P, other)):
        assert not [c for c in causes(judge(f32(edge), f32(reference))) if c.startswith("output.")]


def test_constant_outputs_say_nothing(judge):
    for edge, reference in ((np.zeros((3, 10)), np.ones((3, 10))), (np.full((3, 10), 0.1), P[:3, :10]), (P[:3, :10], np.zeros((3, 10)))):
        assert not [c for c in causes(judge(f32(edge), f32(reference))) if c.startswith("output.")]


def test_not_a_number(judge):
    x = f32(LOGITS)
    x[2, 3] = np.nan
    validate_ok = judge(x, f32(P))
    assert validate_ok["verdict"] == "fail"


def test_other_inputs_come_first(judge):
    verdict = judge(f32(LOGITS), f32(P), edge_log={"change": lambda a: np.ascontiguousarray(a[..., ::-1])})
    assert causes(verdict)[0].startswith("input.")
    assert not [c for c in causes(verdict) if c.startswith("output.")]
    status = {a["name"]: a["status"] for a in verdict["assertions"]}
    assert status["output.activation"] == "unjudged"
