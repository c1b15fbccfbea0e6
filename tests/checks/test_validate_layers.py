"""Layers, decisions, verdicts: what `exray validate` measures is what NumPy measures,
and where an error begins is where it was put."""

import json
import math
import subprocess

import numpy as np
import pytest
import testdata
from validate_support import (EXRAY, LITE0, ROOT, Recording, causes, finding, normalize, photographs, record_litert,
                              validate)

RANDOM = np.random.default_rng(11)
SHAPE = (1, 16, 16, 8)


class Net:
    """A chain of layers with one branch: 0 -> 1 -> 2 -> 4(add of 2 and 3); 1 -> 3."""

    OPS = [("CONV_2D", [0], 1), ("DEPTHWISE_CONV_2D", [1], 2), ("CONV_2D", [2], 3), ("CONV_2D", [2], 4), ("ADD", [3, 4], 5)]

    def __init__(self, seed=3, names=None):
        random = np.random.default_rng(seed)
        self.weights = [random.normal(size=(8, 8)) / 3 for _ in self.OPS]
        self.names = names or [f"tensor_{i}" for i in range(6)]

    def run(self, x, damage=None, noise=0, random=RANDOM):
        """damage: {layer: function of its output}"""
        tensors = [x] + [None] * 5
        for n, (op, inputs, output) in enumerate(self.OPS):
            with np.errstate(invalid="ignore"):
                y = sum(tensors[i] for i in inputs) if op == "ADD" else np.maximum(tensors[inputs[0]] @ self.weights[n], -0.3)
            if noise:
                y = y * (1 + noise * random.normal(size=y.shape))
            if damage and n in damage:
                y = damage[n](y)
            tensors[output] = y.astype(np.float32)
        return tensors

    def model(self, log):
        log.model([(name, "float32", SHAPE, [], [], 0) for name in self.names],
                  [(op, inputs, [output]) for op, inputs, output in self.OPS], [0], [5])


def inputs(count=4):
    return [np.random.default_rng(i).normal(size=SHAPE).astype(np.float32) for i in range(count)]


def write(path, role, net, frames, what=("input", "layer", "output"), model=True, stats=False, layers=None, **frame):
    with Recording(path, role) as log:
        if model:
            net.model(log)
        for tensors in frames:
            index = log.count
            listed = [(f"/input/{net.names[0]}", tensors[0], {})] if "input" in what else []
            for n, (_, _, output) in enumerate(net.OPS):
                if "layer" not in what or (layers is not None and n not in layers):
                    continue
                if stats:
                    log.stats(f"/layer/{n}", tensors[output], index)
                else:
                    listed.append((f"/layer/{n}", tensors[output], {}))
            if "output" in what:
                listed.append((f"/output/{net.names[5]}", tensors[5], {}))
            log.frame(listed, **frame)
    return path


@pytest.fixture
def pair(tmp_path):
    """validate() of the network run twice."""

    def run(damage=None, noise=1e-7, edge_net=None, options=(), edge={}, reference={}, change=None, count=4):
        net = Net()
        x = inputs(count)
        changed = [change(a) for a in x] if change else x
        e = write(tmp_path / "e.mcap", "edge", edge_net or net, [net.run(a, damage, noise) for a in changed], **edge)
        r = write(tmp_path / "r.mcap", "reference", net, [net.run(a) for a in x], **reference)
        return validate(e, r, *options)

    return run


def roles(verdict):
    return [layer["role"] for layer in verdict["layers"]]


# ---- Runs of the same input -----------------------------------------------------------


def write_repeats(path, role, net, x, noise=0.0, damage=None, repeats=2, seed=0):
    """Every input `repeats` times, under one source, by an engine that is not the same twice."""
    random = np.random.default_rng(seed)
    with Recording(path, role) as log:
        net.model(log)
        for i, a in enumerate(x):
            for _ in range(repeats):
                tensors = net.run(a, damage, noise, random)
                listed = [(f"/input/{net.names[0]}", tensors[0], {})]
                listed += [(f"/layer/{n}", tensors[output], {}) for n, (_, _, output) in enumerate(net.OPS)]
                log.frame(listed + [(f"/output/{net.names[5]}", tensors[5], {})], source=f"{i}.png")
    return path


@pytest.mark.parametrize("side", ["edge", "reference", "both"])
def test_what_repeats_differ_by_is_noise(tmp_path, side):
    """An engine whose runs differ by 1e-3 of each layer: wrong where a log has each input once, its habit where
    it has them twice; a fault beyond it is still found where it was put."""
    noise = {s: 1e-3 if side in (s, "both") else 0 for s in ("edge", "reference")}

    def judged(repeats, damage=None):
        logs = [write_repeats(tmp_path / f"{s}.mcap", s, Net(), inputs(3), noise[s], damage if s == "edge" else None, repeats, seed)
                for seed, s in enumerate(("edge", "reference"))]
        return validate(*logs)

    assert judged(1)["verdict"] == "fail"
    assert causes(judged(2)) == [] and roles(judged(2)) == ["clean"] * 5
    broken = judged(2, {2: lambda y: y * 0.9})
    assert broken["verdict"] == "fail" and roles(broken)[:3] == ["clean", "clean", "originates"]


def test_repeats_of_other_inputs_are_none(tmp_path):
    """One source, but another input: what they differ by is no noise."""
    net, x = Net(), inputs(4)
    logs = []
    for s in ("edge", "reference"):
        with Recording(tmp_path / f"{s}.mcap", s) as log:
            net.model(log)
            for a in x:
                tensors = net.run(a, {1: lambda y: y * 1.01} if s == "edge" else None)
                log.frame([(f"/input/{net.names[0]}", a, {})] + [(f"/layer/{n}", tensors[o], {}) for n, (_, _, o) in enumerate(net.OPS)],
                          source="camera")
        logs.append(tmp_path / f"{s}.mcap")
    assert roles(validate(*logs))[1] == "originates"


# ---- Metrics ------------------------------------------------------------------------


def numpy_metrics(a, b):
    good = np.isfinite(a) & np.isfinite(b)
    a, b = a[good].astype(np.float64), b[good].astype(np.float64)
    d = a - b
    rmse = math.sqrt((d * d).mean())
    return {"nrmse": rmse / (b.max() - b.min()), "cosine": (a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()),
            "max_abs": np.abs(d).max(), "sqnr_db": 10 * math.log10((b * b).sum() / (d * d).sum()), "rmse": rmse}


@pytest.mark.parametrize("size", [1, 7, 127, 128, 129, 255, 256, 4096, 100003])
@pytest.mark.parametrize("kind", ["normal", "offset", "tiny", "huge", "close", "holes", "integers"])
def test_metrics_are_numpys(tmp_path, size, kind):
    random = np.random.default_rng(size)
    frames = []
    for _ in range(3):
        b = random.normal(size=size).astype(np.float32)
        a = (b + 0.1 * random.normal(size=size)).astype(np.float32)
        if kind == "offset":
            a, b = a + 1000, b + 1000
        elif kind in ("tiny", "huge"):
            a, b = (x * np.float32(1e-25 if kind == "tiny" else 1e25) for x in (a, b))
        elif kind == "close":
            a = np.nextafter(b, np.float32(10))
        elif kind == "integers":
            a, b = np.round(a * 50).astype(np.float32), np.round(b * 50).astype(np.float32) + 1
        elif kind == "holes" and size > 7:
            a[random.integers(0, size, size // 7)] = np.nan
            b[random.integers(0, size, size // 9)] = np.inf
        frames.append((a.astype(np.float32), b.astype(np.float32)))
    for role, side in (("edge", 0), ("reference", 1)):
        with Recording(tmp_path / role, role) as log:
            for f in frames:
                log.frame([("/layer/0", f[side], {}), ("/output/y", f[side][:1], {})])
    layer = validate(tmp_path / "edge", tmp_path / "reference")["layers"][0]
    a, b = (np.concatenate([f[s] for f in frames]) for s in (0, 1))
    for key, value in numpy_metrics(a, b).items():
        # Where everything nearly cancels, what is left is measured against the whole.
        assert layer[key] == pytest.approx(value, rel=1e-6, abs=1e-12 if key != "sqnr_db" else 1e-4), key
    for name, x in (("edge_values", a), ("reference_values", b)):
        values, finite = layer[name], x[np.isfinite(x)].astype(np.float64)
        assert values["nan"] == np.isnan(x).sum() and values["inf"] == np.isinf(x).sum()
        assert values["min"] == pytest.approx(finite.min(), rel=1e-14) and values["max"] == pytest.approx(finite.max(), rel=1e-14)
    assert layer["count"] == (np.isfinite(a) & np.isfinite(b)).sum()


def test_constant_reference_metrics(tmp_path):
    for role, value in (("edge", 3.0), ("reference", 2.0)):
        with Recording(tmp_path / role, role) as log:
            log.frame([("/layer/0", np.full(300, value, np.float32), {}), ("/layer/1", np.full(300, 2, np.float32), {})])
    different, equal = validate(tmp_path / "edge", tmp_path / "reference")["layers"]
    assert different["nrmse"] is None and different["max_abs"] == 1 and different["role"] != "clean"
    assert equal["nrmse"] == 0 and equal["sqnr_db"] is None and equal["role"] == "clean"


# ---- Where it begins -------------------------------------------------------------------


def test_healthy(pair):
    verdict = pair()
    assert verdict["verdict"] == "pass" and verdict["findings"] == []
    assert roles(verdict) == ["clean"] * 5
    assert verdict["coverage"] == {"compared": 5, "edge_layers": 5, "reference_layers": 5, "matched": 5, "fused": 0, "not_seen": 0,
                                   "inside_partition": 0, "with_data": 5, "with_stats": 0, "with_sketch": 0}


@pytest.mark.parametrize("layer", range(5))
@pytest.mark.parametrize("how", ["scale", "shift", "permute", "one channel"])
def test_the_layer_that_originates(pair, layer, how):
    def damage(y):
        if how == "one channel":
            y = y.copy()
            y[..., 2] = 0
            return y
        return {"scale": y * 1.05, "shift": y + 0.02, "permute": y[..., ::-1]}[how]

    verdict = pair({layer: damage})
    # What has no weights can only be its kernel; those of the others are not in these logs.
    cause = "layer.kernel" if Net.OPS[layer][0] == "ADD" else "layer.unknown"
    assert causes(verdict) == [cause]
    assert finding(verdict, cause)["where"] == {"stage": "layer", "tensor": f"tensor_{layer + 1}", "layer": layer,
                                                "op": Net.OPS[layer][0]}
    behind = {0: {1, 2, 3, 4}, 1: {2, 3, 4}, 2: {4}, 3: {4}, 4: set()}[layer]
    expected = ["originates" if n == layer else "propagates" if n in behind else "clean" for n in range(5)]
    assert roles(verdict) == expected


def test_two_layers_of_their_own(pair):
    verdict = pair({2: lambda y: y * 1.1, 3: lambda y: y + 0.1})
    assert [f["where"]["layer"] for f in verdict["findings"]] == [2, 3]


def test_a_wrong_input_only_propagates(pair):
    verdict = pair(change=lambda x: x[:, ::-1])
    assert causes(verdict) == ["input.unknown"]
    assert roles(verdict) == ["propagates"] * 5
    assert finding(verdict, "input.unknown")["evidence"]["propagating_layers"] == 5


@pytest.mark.parametrize("layer", range(5))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_is_named_where_it_begins(pair, layer, value):
    def damage(y):
        y = y.copy()
        y[0, 3, 3, 1] = value
        return y

    verdict = pair({layer: damage})
    assert causes(verdict) == ["layer.nan"]
    assert finding(verdict, "layer.nan")["where"]["layer"] == layer
    assert roles(verdict)[layer] == "originates"


def test_nan_of_the_reference_too_is_no_finding(tmp_path):
    for role in ("edge", "reference"):
        x = np.linspace(0, 1, 300).astype(np.float32)
        x[5] = np.nan
        with Recording(tmp_path / role, role) as log:
            log.frame([("/layer/0", x, {}), ("/output/y", x, {})])
    assert validate(tmp_path / "edge", tmp_path / "reference", status=0)["findings"] == []


def test_statistics_alone(pair):
    verdict = pair(edge={"stats": True}, reference={"stats": True})
    assert verdict["verdict"] == "pass" and verdict["coverage"]["with_stats"] == 5
    verdict = pair({1: lambda y: y * 1.2}, edge={"stats": True})
    found = finding(verdict, "layer.unknown")
    assert found["where"]["layer"] == 1 and "statistics" in found["details"][0]
    layer = verdict["layers"][1]
    assert layer["from_stats"] and layer["nrmse"] is None and layer["edge_values"]["max"] is not None


def test_outputs_alone(pair):
    io = {"what": ("input", "output")}
    assert pair(edge=io, reference=io)["verdict"] == "pass"
    verdict = pair({1: lambda y: y * 1.2}, edge=io, reference=io)
    found = finding(verdict, "layer.unknown")
    assert found["where"]["stage"] == "output" and "capture full" in found["fix"]


def test_outputs_alone_without_the_input(pair):
    only = {"what": ("output",)}
    verdict = pair({1: lambda y: y * 1.2}, edge=only, reference=only)
    assert [a["cause"] for a in finding(verdict, "layer.unknown")["alternatives"]] == ["input.unknown"]
    assert {a["status"] for a in verdict["assertions"] if a["name"] == "input"} == {"unjudged"}


def decided(path, role, boxes, model):
    """Boxes of a detector: with a graph that ends in non-maximum suppression, or as an application logs them."""
    with Recording(path, role) as log:
        if model:
            log.model([("image", "uint8", [1, 4, 4, 3], [1 / 128], [128], 0), ("features", "uint8", [1, 8], [0.1], [0], 0),
                       ("boxes", "float32", [1, 10, 4], [], [], 0)],
                      [("CONV_2D", [0], [1]), ("TFLite_Detection_PostProcess", [1], [2])], [0], [2])
        image = np.random.default_rng(1).integers(0, 255, (1, 4, 4, 3)).astype(np.uint8)
        quantization = {"scale": [1 / 128], "zero_point": [128]}
        for b in boxes:
            log.frame([("/input/image", image, quantization), ("/output/boxes", b[None].astype(np.float32), {})])
    return path


@pytest.mark.parametrize("model", [True, False])
def test_boxes_that_change_places_are_healthy(tmp_path, model):
    """Scores of 8 bits tie; which of two boxes comes first is a matter of rounding."""
    low = np.random.default_rng(2).uniform(0, 0.6, (3, 10, 2))
    boxes = np.concatenate([low, low + np.random.default_rng(3).uniform(0.1, 0.4, (3, 10, 2))], -1)
    swapped = boxes.copy()
    swapped[:, [3, 4]] = boxes[:, [4, 3]]
    reference = decided(tmp_path / "r", "reference", boxes, True)
    assert causes(validate(decided(tmp_path / "e", "edge", swapped, model), reference)) == []
    turned = decided(tmp_path / "x", "edge", boxes[..., [1, 0, 3, 2]], model)
    assert causes(validate(turned, reference)) == ["output.box_format"]


def test_nothing_to_compare_is_inconclusive(pair):
    only = {"what": ("input",)}
    verdict = pair(edge=only, reference=only)
    assert verdict["verdict"] == "inconclusive" and "capture" in verdict["reason"]


# ---- Alignment --------------------------------------------------------------------------


def test_other_names_match_by_position(pair):
    verdict = pair({2: lambda y: y * 1.1}, edge_net=Net(names=[f"other/{i}" for i in range(6)]))
    assert verdict["coverage"]["compared"] == 5
    assert finding(verdict, "layer.unknown")["where"]["layer"] == 2


def test_without_a_model_by_number(pair):
    verdict = pair(edge={"model": False}, reference={"model": False})
    assert verdict["coverage"]["compared"] == 5 and verdict["verdict"] == "pass"
    assert verdict["layers"][3]["edge"] == {"index": 3, "name": "layer 3", "op": ""}


def test_without_a_model_by_the_names_of_the_records(tmp_path):
    """What the application calls its tensors says which layer it is."""
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for k in range(4):
                x = np.random.default_rng(k).normal(size=64).astype(np.float32)
                y = np.tanh(x) + np.float32(0.3 if role == "edge" else 0)
                for n, (name, values) in enumerate((("stem", x), ("bn1", y), ("fc", y * 2))):
                    add_named(log, k, n, name, values)
                log.frame([("/input/x", x, {}), ("/output/y", y * 2, {})])
    verdict = validate(tmp_path / "edge", tmp_path / "reference", status=1)
    assert [p["edge"]["name"] for p in verdict["layers"]] == ["stem", "bn1", "fc"]
    assert finding(verdict, "layer.unknown")["where"]["tensor"] == "bn1"


def add_named(log, frame, index, name, values):
    from log_writer import DTYPES, PB

    t = PB["Tensor"](frame=frame, data=values.tobytes())
    t.info.dtype, t.info.name = DTYPES["float32"], name
    t.info.shape.extend(values.shape)
    log.add(f"/layer/{index}", "Tensor", t)


def test_low_coverage_is_inconclusive(tmp_path):
    net, other = Net(), Net(names=["tensor_0", "a", "b", "c", "d", "e"])
    other.OPS = [("SOMETHING", i, o) for _, i, o in Net.OPS]
    frames = [net.run(x) for x in inputs()]
    random = np.random.default_rng(3)  # equal values would be a counterpart, whatever the layers are called
    inside = [{t: v if t in (0, 5) else random.normal(size=v.shape).astype(np.float32) for t, v in enumerate(f)} for f in frames]
    e = write(tmp_path / "e", "edge", other, inside)
    r = write(tmp_path / "r", "reference", net, frames)
    verdict = validate(e, r, status=3)
    assert causes(verdict) == ["log.coverage"] and verdict["findings"][0]["severity"] == "warning"
    assert verdict["coverage"]["compared"] == 1 and "--min-coverage" in verdict["reason"]
    assert validate(e, r, "--min-coverage", "0", status=0)["findings"] == []
    assert validate(e, r, "--fail-on", "log", status=1)["findings"][0]["severity"] == "error"


def test_a_partition_of_the_reference(tmp_path):
    """A delegate ran everything as one node: its layers are inside, none is missing."""
    net = Net()
    frames = [net.run(x) for x in inputs()]
    e = write(tmp_path / "e", "edge", net, frames)
    with Recording(tmp_path / "r", "reference") as log:
        log.model([(name, "float32", SHAPE, [], [], 0) for name in net.names], [("TfLiteXNNPackDelegate", [0], [5])], [0], [5])
        for t in frames:
            log.frame([("/input/tensor_0", t[0], {}), ("/layer/0", t[5], {}), ("/output/tensor_5", t[5], {})])
    verdict = validate(e, tmp_path / "r", status=0)
    assert verdict["coverage"]["compared"] == 1 and verdict["coverage"]["fused"] == verdict["coverage"]["not_seen"] == 4
    assert verdict["findings"] == [] and len(verdict["layers"]) == 1


def test_sizes_that_differ_are_shown(pair, tmp_path):
    net = Net()
    frames = [net.run(x) for x in inputs()]
    cut = [[t[:, :8] if i == 2 else t for i, t in enumerate(f)] for f in frames]
    verdict = validate(write(tmp_path / "e", "edge", net, cut), write(tmp_path / "r", "reference", net, frames))
    layer = verdict["layers"][1]
    assert "shapes" in layer["problem"] and layer["nrmse"] is None and layer["role"] is None
    assert verdict["coverage"]["with_data"] == 4


# ---- Frames -------------------------------------------------------------------------------


def write_classes(path, role, classes, sources=None, results=False, labels=None, count=10, **metadata):
    with Recording(path, role, task="classification", **metadata) as log:
        for i, k in enumerate(classes):
            y = np.linspace(0, 0.1, count).astype(np.float32)
            y[k] = 0.9
            log.frame([("/output/y", y[None], {})], source=None if sources is None else sources[i],
                      result=[k, (k + 1) % count] if results else None, label=None if labels is None else labels[i])
    return path


def test_frames_match_by_source(tmp_path):
    e = write_classes(tmp_path / "e", "edge", [1, 2, 3, 4], ["d", "b", "x", "a"])
    r = write_classes(tmp_path / "r", "reference", [4, 7, 2, 1, 5], ["a", "c", "b", "d", "e"])
    verdict = validate(e, r)
    assert verdict["frames"] == {"matched": 3, "edge_unmatched": 1, "reference_unmatched": 2, "matched_by": "source"}
    assert verdict["accuracy"]["frames"] == 3 and verdict["accuracy"]["agreement"] == 1


def test_frames_of_two_sources_are_no_pair(tmp_path):
    """Sources that come twice do not tell which is which; an index must not pair two that differ."""
    e = write_classes(tmp_path / "e", "edge", [1, 1, 2, 2], ["d/a", "d/a", "d/b", "d/b"])
    r = write_classes(tmp_path / "r", "reference", [1, 2, 3], ["a", "b", "c"])
    frames = validate(e, r)["frames"]
    assert frames == {"matched": 1, "edge_unmatched": 3, "reference_unmatched": 2, "matched_by": "index"}
    # Where no two are the same, the logs have two ways to name them.
    r = write_classes(tmp_path / "r", "reference", [1, 1, 2, 2], ["x", "x", "y", "y"])
    assert validate(e, r)["frames"]["matched"] == 4


def test_a_replay_matches_by_index(tmp_path):
    e = write_classes(tmp_path / "e", "edge", [1, 2, 3], ["a", "b", "c"])
    r = write_classes(tmp_path / "r", "reference", [1, 2, 3], ["z", "y", "x"], replay_of="edge-1")
    assert validate(e, r)["frames"]["matched_by"] == "index"
    r = write_classes(tmp_path / "r", "reference", [1, 2, 3], ["z", "y", "x"])
    verdict = validate(e, r, status=3)
    assert verdict["frames"]["matched"] == 0 and "source" in verdict["reason"]


def test_sources_that_repeat_match_by_index(tmp_path):
    e = write_classes(tmp_path / "e", "edge", [1, 2, 3], ["camera"] * 3)
    r = write_classes(tmp_path / "r", "reference", [1, 2], ["camera"] * 2)
    assert validate(e, r)["frames"] == {"matched": 2, "edge_unmatched": 1, "reference_unmatched": 0, "matched_by": "index"}


def test_no_frames(tmp_path):
    verdict = validate(write_classes(tmp_path / "e", "edge", []), write_classes(tmp_path / "r", "reference", []), status=3)
    assert "no frames" in verdict["reason"]


# ---- Decisions ------------------------------------------------------------------------------


def test_accuracy(tmp_path):
    labels = [1, 2, 3, 4]
    e = write_classes(tmp_path / "e", "edge", [1, 2, 0, 0], labels=labels)
    r = write_classes(tmp_path / "r", "reference", [1, 2, 3, 0])
    a = validate(e, r)["accuracy"]
    assert (a["task"], a["frames"], a["labelled"]) == ("classification", 4, 4)
    assert (a["edge"], a["reference"], a["agreement"]) == (0.5, 0.75, 0.75)
    # The others rise towards 9: five best of class 0 are 0, 9, 8, 7, 6.
    assert (a["edge_top5"], a["reference_top5"]) == (0.5, 0.75)


def test_results_come_before_outputs_and_offsets_count(tmp_path):
    e = write_classes(tmp_path / "e", "edge", [3, 4], results=True)
    r = write_classes(tmp_path / "r", "reference", [4, 5], label_offset="1")
    assert validate(e, r)["accuracy"]["agreement"] == 1


def test_ties_and_nan(tmp_path):
    cases = [([0.5, 0.5, 0.1], [0.6, 0.5, 0.1], 1), ([math.nan, 0.2, 0.3], [0, 0.2, 0.3], 1), ([0.3, 0.2, 0.1], [0.1, 0.2, 0.3], 0)]
    for role, side in (("edge", 0), ("reference", 1)):
        with Recording(tmp_path / role, role) as log:
            for case in cases:
                log.frame([("/output/y", np.array([case[side]], np.float32), {})])
    a = validate(tmp_path / "edge", tmp_path / "reference")["accuracy"]
    assert a["frames"] == 3 and a["agreement"] == pytest.approx(2 / 3) and a["edge"] is None


def test_equal_outputs_and_other_results(tmp_path):
    e = write_classes(tmp_path / "e", "edge", [1, 2, 3, 4])
    with Recording(tmp_path / "r", "reference", task="classification") as log:
        for k in [1, 2, 3, 4]:
            y = np.linspace(0, 0.1, 10).astype(np.float32)
            y[k] = 0.9
            log.frame([("/output/y", y[None], {})], result=[k - 1])
    assert causes(validate(e, tmp_path / "r", status=1)) == ["output.postprocess"]


# ---- Real models ------------------------------------------------------------------------------


@testdata.fixture(scope="module")
def lite0(tmp_path_factory):
    pytest.importorskip("ai_edge_litert")
    folder = tmp_path_factory.mktemp("lite0")
    frames = normalize(photographs(3, 224), *LITE0)
    made = {}

    def log(name, kernels="builtin", change=None):
        key = (name, kernels, change and change.__name__)
        if key not in made:
            values = [change(f) for f in frames] if change else frames
            made[key] = record_litert(folder / "-".join(map(str, key)), testdata.model(f"efficientnet_lite0_{name}.tflite"), values,
                                      role="reference" if name == "float" else "edge", kernels=kernels)
        return made[key]

    return log


def noisy(frame):
    return frame + np.random.default_rng(1).integers(-1, 2, frame.shape).astype(np.float32) / 128


def swapped(frame):
    return frame[..., ::-1]


@pytest.mark.parametrize("edge,reference", [(("int8",), ("float",)), (("float", "reference"), ("float",)),
                                            (("int8", "reference"), ("int8",)), (("float", "xnnpack"), ("float",)),
                                            (("int8", "xnnpack"), ("float",)), (("float", "builtin", noisy), ("float",)),
                                            (("int8", "builtin", noisy), ("float",))])
def test_healthy_pairs(lite0, edge, reference):
    verdict = validate(lite0(*edge), lite0(*reference), status=0)
    assert verdict["findings"] == []


@pytest.mark.parametrize("name", ["float", "int8"])
def test_swapped_channels_on_a_real_model(lite0, name):
    verdict = validate(lite0(name, "builtin", swapped), lite0("float"), status=1)
    assert causes(verdict) == ["input.channel_order"]
    assert "originates" not in roles(verdict) and "propagates" in roles(verdict)


@pytest.mark.parametrize("name", ["int8_badcal", "int8_flatcal", "int8_darkcal"])
def test_bad_calibration_is_found(lite0, name):
    verdict = validate(lite0(name), lite0("float"), status=1)
    assert causes(verdict) == ["input.quantization" if name == "int8_badcal" else "layer.saturation"]


# ---- The command ---------------------------------------------------------------------------------


def test_json_contract(pair):
    verdict = pair({1: lambda y: y * 1.2})
    assert (verdict["format"], verdict["version"]) == ("exray-validation", 1)
    assert set(verdict) >= {"verdict", "accuracy", "coverage", "findings", "layers", "latency"}
    assert set(verdict["accuracy"]) >= {"task", "frames", "edge", "reference", "agreement"}
    assert set(verdict["coverage"]) >= {"compared", "edge_layers", "reference_layers"}
    found = verdict["findings"][0]
    assert set(found) >= {"cause", "severity", "confidence", "summary", "fix", "where", "evidence", "alternatives"}
    assert set(found["where"]) == {"stage", "tensor", "layer", "op"}
    assert found["severity"] == "error" and 0 < found["confidence"] <= 1
    layer = verdict["layers"][0]
    assert layer["edge"] == {"index": 0, "name": "tensor_1", "op": "CONV_2D"}
    assert set(layer) >= {"edge", "reference", "nrmse", "cosine", "max_abs", "sqnr_db", "role"}
    # Keys may be added; these stay.
    latency = verdict["latency"]
    assert (latency["edge_ms"], latency["reference_ms"], latency["stragglers"]) == (2.0, 2.0, [])


def command(*arguments, **options):
    return subprocess.run([str(a) for a in (EXRAY, *arguments)], capture_output=True, text=True, **options)


@pytest.fixture
def two_logs(tmp_path):
    return write_classes(tmp_path / "e", "edge", [1, 2]), write_classes(tmp_path / "r", "reference", [1, 2])


def test_usage_errors(two_logs, tmp_path):
    e, r = two_logs
    for arguments in ([], [e], [e, r, r], [e, r, "--nonsense"], [e, r, "--json"], [e, r, "--min-coverage", "2"],
                      [e, r, "--assert", "no.such"], [e, r, "--fail-on", "rain"], [e, r, "--junit"],
                      [e, tmp_path / "missing"], [e, r, "--plugin", tmp_path / "no.so"],
                      [e, r, "--json", tmp_path / "no" / "folder"]):
        result = command("validate", *arguments)
        assert result.returncode == 2, arguments
        assert result.stderr.startswith("exray") and "Traceback" not in result.stderr
    assert not (tmp_path / "x").exists()


def test_text_has_no_escapes_in_a_pipe(two_logs):
    result = command("validate", *two_logs)
    assert result.returncode == 0 and "PASS" in result.stdout and "\033" not in result.stdout and result.stderr == ""


def test_json_into_a_file_and_text_on_the_terminal(two_logs, tmp_path):
    result = command("validate", *two_logs, f"--json={tmp_path / 'v.json'}")
    assert "PASS" in result.stdout
    assert json.loads((tmp_path / "v.json").read_text())["verdict"] == "pass"


def test_selected_assertions_only(two_logs):
    verdict = validate(*two_logs, "--assert", "layer.nan,log.truncated")
    assert [a["name"] for a in verdict["assertions"]] == ["layer.nan", "log.truncated"]


def test_slips_of_the_hand_are_noted(two_logs):
    edge, reference = two_logs
    for pair, said in (((edge, edge), "same recording"), ((reference, edge), "swapped"), ((edge, reference), None)):
        text = command("validate", *pair).stdout
        assert (said in text and "note:" in text) if said else "note:" not in text


def test_assertions_are_listed():
    text = command("assertions")
    listed = json.loads(command("assertions", "--json", "-").stdout)["assertions"]
    names = [a["name"] for a in listed]
    assert {"input", "layer.nan"} <= set(names)
    for a in listed:
        assert a["name"] in text.stdout and a["summary"] and a["causes"] and a["needs"]


def test_a_truncated_log_is_said(two_logs, tmp_path):
    e, r = two_logs
    cut = tmp_path / "cut"
    cut.write_bytes(e.read_bytes()[:-40])
    verdict = validate(cut, r)
    assert causes(verdict) == ["log.truncated"] and verdict["findings"][0]["severity"] == "warning"
    assert validate(cut, r, "--fail-on", "log", status=1)


PLUGIN = r"""
#include <exray/assertion.h>
static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    (void)error;
    exray_finding *f = exray_findings_add(findings, "user.frames", EXRAY_SEVERITY_ERROR, 0.7);
    exray_finding_summary(f, "there are %zu frames", exray_comparison_frame_count(c));
    exray_finding_fix(f, "none");
    exray_finding_number(f, "frames", (double)exray_comparison_frame_count(c));
    exray_finding_text(f, "text", "a \"quoted\" \x01 word");
    exray_finding_alternative(f, "user.other", 0.2);
    return EXRAY_OK;
}
static const char *const causes[] = {"user.frames", NULL};
static const exray_assertion mine = {sizeof(exray_assertion), ABI, "user.frames", "counts frames", causes, "frames", run};
const exray_assertion *const exray_plugin_assertions[] = {&mine, NULL};
"""


def build_plugin(folder, abi="EXRAY_ASSERTION_ABI"):
    source, library = folder / "p.c", folder / "p.so"
    source.write_text(PLUGIN.replace("ABI,", f"{abi},"))
    subprocess.run(["cc", "-std=c11", "-shared", "-fPIC", f"-I{ROOT / 'include'}", source, "-o", library], check=True)
    return library


def test_plugin(two_logs, tmp_path):
    verdict = validate(*two_logs, "--plugin", build_plugin(tmp_path), status=1)
    found = finding(verdict, "user.frames")
    assert found["summary"] == "there are 2 frames" and found["evidence"] == {"frames": 2, "text": 'a "quoted" \x01 word'}
    assert found["alternatives"] == [{"cause": "user.other", "confidence": 0.2}] and found["assertion"] == "user.frames"


def test_plugin_of_another_abi(two_logs, tmp_path):
    result = command("validate", *two_logs, "--plugin", build_plugin(tmp_path, "99"))
    assert result.returncode == 2 and "ABI 99" in result.stderr


@pytest.mark.data
def test_the_example_of_the_documentation(tmp_path):
    """docs/assertions.md's code compiles as it stands, and does what it says."""
    text = (ROOT / "docs" / "assertions.md").read_text()
    (tmp_path / "dark.c").write_text(text.split("```c\n")[1].split("```")[0])
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC", "-I", ROOT / "include",
                    tmp_path / "dark.c", "-o", tmp_path / "dark.so"], check=True)
    pictures = normalize(photographs(2, 64), *LITE0)
    for role, frames in (("edge", [p - 0.3 for p in pictures]), ("reference", pictures)):
        with Recording(tmp_path / role, role) as log:
            for p in frames:
                log.frame([("/input/image", p[None], {})])
    verdict = validate(tmp_path / "edge", tmp_path / "reference", "--plugin", tmp_path / "dark.so", "--assert", "user.dark")
    assert causes(verdict) == ["user.dark"]
