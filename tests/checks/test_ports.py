"""Several inputs and outputs: renamed and listed otherwise is no fault, another's values are; and outputs of another frame."""

import subprocess

import numpy as np
import pytest
from log_writer import PB
from onnx_log import record
from onnx_models import Graph
from validate_support import EXRAY, Recording, causes, finding, validate

SHAPE = [1, 8, 8, 3]
F32 = ("float32", [], [], 0)


def scenes(count=5, seed=0):
    """Two pictures of one place that resemble each other, for each frame."""
    random = np.random.default_rng(seed)
    place = random.random((count, *SHAPE), dtype=np.float32)
    return place, (0.7 * place + 0.3 * random.random(place.shape, dtype=np.float32)).astype(np.float32)


def change_of(before, after):
    """What the model computes: it is not symmetric."""
    return (3 * after.mean((1, 2)) - 2 * before.mean((1, 2)) + np.arange(3)).astype(np.float32)


def branches(names, first, tags=("b", "a")):
    """A model of two branches that a subtraction joins; the file lists the input `first` first, and its branch."""
    tensors, nodes, place = [], [], {}

    def tensor(name, shape):
        place[name] = len(tensors)
        tensors.append((name, "float32", shape, [], [], 0))
        return place[name]

    order = [0, 1] if first == 0 else [1, 0]
    inputs = [tensor(names[k], SHAPE) for k in order]
    for k in order:
        conv, pool = tensor(f"{tags[k]}c", [1, 8, 8, 4]), tensor(f"{tags[k]}p", [1, 4])
        nodes += [("CONV_2D", [place[names[k]]], [conv]), ("MEAN", [conv], [pool])]
    nodes.append(("SUB", [place[f"{tags[1]}p"], place[f"{tags[0]}p"]], [tensor("change", [1, 3])]))
    return tensors, nodes, inputs, [place["change"]]


def write(path, role, names, values, model=None, outputs=(), texts=None, output=None, **metadata):
    """values[k]: what input names[k] is given, for each frame; output: instead of what the model computes of them."""
    with Recording(path, role, **metadata) as log:
        if model:
            log.model(*model)
        for f in range(len(values[0])):
            tensors = [(f"/input/{n}", v[f], {}) for n, v in zip(names, values)]
            tensors += [(f"/output/{n}", v[f], {}) for n, v in outputs]
            if output is not None:
                tensors.append(("/output/change", output[f], {}))
            if texts is not None:
                log.add("/result", "Result", PB["Result"](frame=log.count, text=texts[f]))
            log.frame(tensors)
    return path


REFERENCE = ("before", "after")


def reference_log(tmp_path, model=True):
    b, a = scenes()
    return write(tmp_path / "r", "reference", REFERENCE, (b, a), branches(REFERENCE, 0) if model else None, output=change_of(b, a))


def text_of(edge, reference):
    return subprocess.run([EXRAY, "validate", edge, reference], capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("names", [("serving_default_x1:0", "serving_default_x2:0"), ("in_2", "in_7"),
                                   ("serving_default_before:0", "serving_default_after:0"), ("args_0", "args_0_1")])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("model", [True, False])
def test_renamed_inputs_are_no_fault(tmp_path, names, first, model):
    b, a = scenes()
    edge = write(tmp_path / "e", "edge", names, (b, a), branches(names, first) if model else None, output=change_of(b, a))
    assert causes(validate(edge, reference_log(tmp_path, model), status=0)) == []


def test_names_of_the_other_port_are_no_fault_where_the_graph_says_otherwise(tmp_path):
    """A converter that numbers its inputs by the order in which it meets them."""
    b, a = scenes()
    numbered = ("serving_default_args_0:0", "serving_default_args_1:0")
    reference = write(tmp_path / "r", "reference", numbered, (b, a), branches(numbered, 0), output=change_of(b, a))
    edge = write(tmp_path / "e", "edge", numbered[::-1], (b, a), branches(numbered[::-1], 1, ("x", "y")), output=change_of(b, a))
    assert causes(validate(edge, reference, status=0)) == []


@pytest.mark.parametrize("model", [True, False])
def test_exchanged_inputs(tmp_path, model):
    b, a = scenes()
    edge = write(tmp_path / "e", "edge", REFERENCE, (a, b), branches(REFERENCE, 0) if model else None, output=change_of(a, b))
    verdict = validate(edge, reference_log(tmp_path, model), status=1)
    assert causes(verdict) == ["input.order"]
    found = finding(verdict, "input.order")
    assert "before has the values of after, and after has the values of before" in found["summary"]
    assert found["evidence"]["ports"] == 2 and found["evidence"]["frames_supporting"] == 5


@pytest.mark.parametrize("tags", [("b", "a"), ("first", "second")])
def test_renamed_inputs_filled_by_place(tmp_path, tags):
    """The graph tells which input is which: by the names of layers, or by the side of the subtraction that it feeds."""
    b, a = scenes()
    names = ("x1", "x2")
    edge = write(tmp_path / "e", "edge", names, (a, b), branches(names, 1, tags), output=change_of(a, b))
    verdict = validate(edge, reference_log(tmp_path), status=1)
    assert causes(verdict)[0] == "input.order" and "x1" in finding(verdict, "input.order")["summary"]


def test_exchanged_in_some_frames_only(tmp_path):
    b, a = scenes()
    e, f = b.copy(), a.copy()
    e[[1, 3]], f[[1, 3]] = a[[1, 3]], b[[1, 3]]
    edge = write(tmp_path / "e", "edge", REFERENCE, (e, f), output=change_of(e, f))
    found = finding(validate(edge, reference_log(tmp_path, False), status=1), "input.order")
    assert found["evidence"]["frames_supporting"] == 2 and found["evidence"]["frames_in_order"] == 3


def test_one_picture_for_both_inputs(tmp_path):
    b, a = scenes()
    edge = write(tmp_path / "e", "edge", REFERENCE, (a, a), output=change_of(a, a))
    verdict = validate(edge, reference_log(tmp_path, False), status=1)
    assert causes(verdict) == ["input.order"] and "input before has the values of after" in finding(verdict, "input.order")["summary"]


def test_exchanged_and_scaled(tmp_path):
    b, a = scenes()
    edge = write(tmp_path / "e", "edge", REFERENCE, (2 * a - 1, 2 * b - 1), output=change_of(2 * a - 1, 2 * b - 1))
    assert causes(validate(edge, reference_log(tmp_path, False), status=1)) == ["input.order", "input.normalization", "input.normalization"]


def test_exchanged_and_in_the_reverse_order_of_channels(tmp_path):
    random = np.random.default_rng(7)
    b, a = random.random((2, 5, *SHAPE), dtype=np.float32)
    reference = write(tmp_path / "r", "reference", REFERENCE, (b, a), output=change_of(b, a))
    e, f = (np.ascontiguousarray(x[..., ::-1]) for x in (a, b))
    edge = write(tmp_path / "e", "edge", REFERENCE, (e, f), output=change_of(e, f))
    assert causes(validate(edge, reference, status=1)) == ["input.order", "input.channel_order", "input.channel_order"]
    # In the reverse order alone: no exchange.
    edge = write(tmp_path / "f", "edge", REFERENCE, (f, e), output=change_of(f, e))
    assert set(causes(validate(edge, reference, status=1))) == {"input.channel_order"}


def test_a_constant_proves_no_exchange(tmp_path):
    """Types of ones look like a mask of ones; nothing says that they were taken for it."""
    random = np.random.default_rng(1)
    ids = random.integers(5, 99, (4, 1, 12)).astype(np.int32)
    ones, none = np.ones_like(ids), np.zeros_like(ids)
    out = random.random((4, 1, 3), dtype=np.float32)
    names = ("ids", "mask", "types")
    reference = write(tmp_path / "r", "reference", names, (ids, ones, none), output=out)
    edge = write(tmp_path / "e", "edge", names, (ids, ones, ones), output=out)
    verdict = validate(edge, reference, status=1)
    assert "input.order" not in causes(verdict)


def test_masks_and_types_exchanged(tmp_path):
    """Integers of 0 and 1, one of them always 0: their step is as large as they are."""
    random = np.random.default_rng(2)
    ids = random.integers(5, 99, (4, 1, 12)).astype(np.int64)
    mask = (np.arange(12) < np.array([5, 7, 12, 9])[:, None, None]).astype(np.int64)
    names, out = ("ids", "mask", "types"), random.random((4, 1, 3), dtype=np.float32)
    reference = write(tmp_path / "r", "reference", names, (ids, mask, 0 * mask), output=out)
    edge = write(tmp_path / "e", "edge", names, (ids, 0 * mask, mask), output=out + 1)
    assert causes(validate(edge, reference, status=1)) == ["input.order"]


def test_words_name_the_input(tmp_path):
    b, a = scenes(seed=3)
    reference = write(tmp_path / "r", "reference", REFERENCE, (b, a), output=change_of(b, a))
    edge = write(tmp_path / "e", "edge", REFERENCE, (b, 2 * a - 1), output=change_of(b, 2 * a - 1))
    found = finding(validate(edge, reference, "--junit", tmp_path / "j.xml", "--html", tmp_path / "p.html", status=1), "input.normalization")
    assert "after" in found["summary"] and "after" in found["fix"]
    for text in (text_of(edge, reference), (tmp_path / "j.xml").read_text(), (tmp_path / "p.html").read_text()):
        assert "Input after: " in text


# ---- Outputs ----


def heads(count=6, seed=2):
    random = np.random.default_rng(seed)
    return [random.random((count, 1, 10), dtype=np.float32) for _ in range(3)]


PLACES = ("StatefulPartitionedCall:0", "StatefulPartitionedCall:1", "StatefulPartitionedCall:2")


def write_heads(path, role, names, outputs, listed=None, texts=None):
    b, _ = scenes(len(outputs[0]))
    model = None
    if listed is not None:
        tensors = [("image", "float32", SHAPE, [], [], 0)] + [(n, "float32", [1, 10], [], [], 0) for n in names]
        nodes = [("FULLY_CONNECTED", [0], [1 + k]) for k in range(len(names))]
        model = (tensors, nodes, [0], [1 + k for k in listed])
    return write(path, role, ("image",), (b,), model, list(zip(names, outputs)), texts)


@pytest.mark.parametrize("listed", [None, [1, 2, 0]])
def test_renamed_outputs_are_no_fault(tmp_path, listed):
    made = heads()
    reference = write_heads(tmp_path / "r", "reference", ("a", "b", "c"), made, None if listed is None else [0, 1, 2])
    edge = write_heads(tmp_path / "e", "edge", PLACES, made, listed)
    assert causes(validate(edge, reference, status=0)) == []
    # Names that count are places: another conversion lists the outputs otherwise.
    again = write_heads(tmp_path / "f", "edge", PLACES[1:] + PLACES[:1], made, listed)
    assert causes(validate(again, edge, status=0)) == []


def test_exchanged_outputs(tmp_path):
    made = heads()
    reference = write_heads(tmp_path / "r", "reference", ("boxes", "classes", "scores"), made)
    edge = write_heads(tmp_path / "e", "edge", ("boxes", "scores", "classes"), made)
    verdict = validate(edge, reference, status=1)
    assert causes(verdict) == ["output.order"]
    assert "classes" in finding(verdict, "output.order")["summary"] and "scores" in finding(verdict, "output.order")["summary"]


def named_heads(path, names):
    """Two heads, told apart by their places alone."""
    g = Graph()
    x = g("Tanh", g("MatMul", "x", g.weight("up.w", 12, 8)), to="up")
    both = g("MatMul", x, g.weight("head.w", 8, 2), to="both")
    for k, name in enumerate(names):
        g("Gather", both, g.const(f"place{k}", k, np.int64), to=name, axis=2)
    return g.save(path, [1, 6, 12], names[0], names[1])


@pytest.mark.parametrize("names,found", [(("end", "start"), ["output.order"]), (("start", "end"), []), (("Identity_1", "Identity"), []), (("first", "last"), [])])
def test_outputs_by_each_others_names(tmp_path, names, found):
    """One part of the model makes what two files call by each other's names; names that count, or are others, say nothing."""
    inputs = [np.random.default_rng(k).normal(size=(1, 6, 12)).astype(np.float32) for k in range(4)]
    given = ("Identity", "Identity_1") if names[0].startswith("Identity") else ("start", "end")
    for role, called in (("edge", names), ("reference", given)):
        record(named_heads(tmp_path / f"{role}.onnx", called), tmp_path / f"{role}.mcap", inputs, tmp_path, level="none", role=role)
    verdict = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1 if found else 0)
    assert causes(verdict) == found
    if found:
        words = finding(verdict, "output.order")
        assert "end of the edge is the reference's start" in words["summary"] + " ".join(words["details"])


def test_outputs_read_by_place(tmp_path):
    made = heads()
    digits = [[str(v[f].argmax()) for v in made] for f in range(6)]
    reference = write_heads(tmp_path / "r", "reference", ("a", "b", "c"), made, [0, 1, 2], ["".join(d) for d in digits])
    listed = [1, 2, 0]
    edge = write_heads(tmp_path / "e", "edge", PLACES, made, listed, ["".join(d[k] for k in listed) for d in digits])
    assert causes(validate(edge, reference, status=1)) == ["output.order"]
    right = write_heads(tmp_path / "f", "edge", PLACES, made, listed, ["".join(d) for d in digits])
    assert causes(validate(right, reference, status=0)) == []


ORDERS = {"from the last to the first": lambda n, f: np.arange(n)[::-1], "rows 2 and 5 exchanged": lambda n, f: np.where(np.isin(np.arange(n), (2, 5)), 7 - np.arange(n), np.arange(n)),
          "in 2 blocks": lambda n, f: np.roll(np.arange(n), 4), "differently from frame to frame": lambda n, f: np.random.default_rng(f).permutation(n)}


@pytest.mark.parametrize("words", ORDERS)
@pytest.mark.parametrize("transposed", [False, True])
def test_rows_in_another_order(tmp_path, words, transposed):
    random = np.random.default_rng(4)
    table, classes = random.random((5, 1, 12, 6), dtype=np.float32), random.integers(0, 30, (5, 1, 12)).astype(np.float32)
    order = [ORDERS[words](12, f) for f in range(5)]
    moved = np.stack([t[:, o] for t, o in zip(table, order)]), np.stack([c[:, o] for c, o in zip(classes, order)])
    turn = (lambda t: np.ascontiguousarray(t.transpose(0, 1, 3, 2))) if transposed else (lambda t: t)
    b, _ = scenes()
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("boxes", turn(table)), ("classes", classes)])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("boxes", turn(moved[0])), ("classes", moved[1])])
    verdict = validate(edge, reference, status=1)
    assert causes(verdict) == ["output.order"]
    found = finding(verdict, "output.order")
    assert words in found["summary"] and any("classes" in d for d in found["details"])


def late(table, steps, fill):
    """Rows of the table that many steps later (earlier where negative); what comes in: zeros, the last row again, or others."""
    rows = table.shape[2]
    made = np.zeros_like(table) if fill == "zeros" else np.random.default_rng(9).random(table.shape, dtype=np.float32)
    kept = slice(max(steps, 0), rows + min(steps, 0))
    made[:, :, kept] = table[:, :, max(-steps, 0) : rows - max(steps, 0)]
    if fill == "again":
        made[:, :, rows + steps :] = table[:, :, -1:]
    return made


@pytest.mark.parametrize("steps,fill,words", [(1, "zeros", "1 step late"), (-1, "again", "1 step early"), (3, "others", "3 steps late")])
@pytest.mark.parametrize("transposed", [False, True])
def test_rows_some_steps_late(tmp_path, steps, fill, words, transposed):
    random = np.random.default_rng(4)
    table, other = (random.random((5, 1, 12, n), dtype=np.float32) for n in (20, 10))
    turn = (lambda t: np.ascontiguousarray(t.transpose(0, 1, 3, 2))) if transposed else (lambda t: t)
    b, _ = scenes()
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("logits", turn(table)), ("values", turn(other))])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("logits", turn(late(table, steps, fill))), ("values", turn(late(other, steps, fill)))])
    verdict = validate(edge, reference, status=1)
    assert causes(verdict) == ["output.order"]
    found = finding(verdict, "output.order")
    assert words in found["summary"] and found["evidence"]["kind"] == "shifted" and found["evidence"]["steps"] == steps
    assert any("values" in d for d in found["details"]) and any(("zeros" if fill == "zeros" else "other values") in d for d in found["details"])


def test_rows_that_fit_several_shifts_prove_none(tmp_path):
    """Rows that repeat: as well one step late as one early; and one row that no shift explains."""
    random = np.random.default_rng(4)
    b, _ = scenes()
    table = np.tile(random.random((5, 1, 2, 20), dtype=np.float32), (1, 1, 6, 1))
    wrong = random.random((5, 1, 12, 20), dtype=np.float32)
    spoiled = late(wrong, 1, "zeros")
    spoiled[:, :, 5] = random.random((5, 1, 20), dtype=np.float32)
    for k, (edge, reference) in enumerate(((late(table, 1, "zeros"), table), (spoiled, wrong))):
        paths = [write(tmp_path / f"{role}{k}", role, ("image",), (b,), outputs=[("logits", v)]) for role, v in (("edge", edge), ("reference", reference))]
        assert "output.order" not in causes(validate(*paths, status=1))


def test_other_rows_are_no_order(tmp_path):
    random = np.random.default_rng(4)
    table = random.random((5, 1, 12, 6), dtype=np.float32)
    wrong = table.copy()
    wrong[:, :, 3] = random.random((5, 1, 6), dtype=np.float32)
    b, _ = scenes()
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("boxes", table)])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("boxes", wrong[:, :, ::-1].copy())])
    assert "output.order" not in causes(validate(edge, reference, status=1))


# ---- Frames ----

MOVES = {"that of the frame before": lambda f: max(f - 1, 0), "that of the next frame": lambda f: min(f + 1, 7),
         "that of another frame": lambda f: 7 - f, "(2, 5)": lambda f: f - 1 if f % 3 == 2 else f}


@pytest.mark.parametrize("words", MOVES)
def test_outputs_of_another_frame(tmp_path, words):
    made = np.random.default_rng(5).random((8, 1, 10), dtype=np.float32)
    b, _ = scenes(8)
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("scores", made)])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("scores", made[[MOVES[words](f) for f in range(8)]])])
    verdict = validate(edge, reference, status=1)
    assert causes(verdict) == ["output.frame_order"] and words in finding(verdict, "output.frame_order")["summary"]


def test_what_came_before_the_log_is_unknown(tmp_path):
    made = np.random.default_rng(5).random((8, 1, 10), dtype=np.float32)
    b, _ = scenes(8)
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("scores", made)])
    late = np.concatenate([np.zeros_like(made[:1]), made[:-1]])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("scores", late)])
    assert causes(validate(edge, reference, status=1)) == ["output.frame_order"]
    other = np.random.default_rng(6).random((8, 1, 10), dtype=np.float32)
    edge = write(tmp_path / "f", "edge", ("image",), (b,), outputs=[("scores", other)])
    assert "output.frame_order" not in causes(validate(edge, reference, status=1))


def test_equal_class_numbers_are_no_other_frame(tmp_path):
    """Some frame has the same class as any wrong one."""
    right = np.array([[[c]] for c in (3, 1, 2, 3, 1, 2, 0, 1)], np.float32)
    wrong = np.array([[[c]] for c in (3, 2, 2, 1, 1, 0, 0, 1)], np.float32)
    b, _ = scenes(8)
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("class", right)])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("class", wrong)])
    assert "output.frame_order" not in causes(validate(edge, reference, status=1))


def test_class_numbers_of_a_detector_from_1(tmp_path):
    random = np.random.default_rng(5)
    classes = random.integers(0, 90, (5, 1, 10)).astype(np.float32)
    b, _ = scenes()
    boxes = random.random((5, 1, 10, 4), dtype=np.float32)
    reference = write(tmp_path / "r", "reference", ("image",), (b,), outputs=[("boxes", boxes), ("classes", classes)])
    edge = write(tmp_path / "e", "edge", ("image",), (b,), outputs=[("boxes", boxes), ("classes", classes + 1)])
    verdict = validate(edge, reference, status=1)
    assert causes(verdict) == ["output.label_offset"] and finding(verdict, "output.label_offset")["evidence"]["difference"] == 1
    right = write(tmp_path / "f", "edge", ("image",), (b,), outputs=[("boxes", boxes), ("classes", classes)])
    assert causes(validate(right, reference, status=0)) == []
