"""Inputs of other shapes than the reference's: in every frame, how they relate, and what is not blamed for them."""

import numpy as np
import pytest
from validate_support import Recording, causes, finding, textures, validate


def log(path, role, frames, dtypes=None):
    """frames: {name: array} for each frame; the output is a sum that any other input changes."""
    with Recording(path, role) as recording:
        for given in frames:
            total = sum(float(np.sum(a, dtype=np.float64)) for a in given.values())
            recording.frame([(f"/input/{name}", a, {}) for name, a in given.items()]
                            + [("/output/y", np.linspace(0, total, 10, dtype=np.float32)[None], {})])
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference):
        return validate(log(tmp_path / "edge.mcap", "edge", edge), log(tmp_path / "ref.mcap", "reference", reference))

    return run


def waves(*lengths, seed=0):
    """One signal of noise, of which frame i has the first lengths[i] values."""
    whole = np.random.default_rng(seed).normal(0, 1, 4096).astype(np.float32)
    return [{"x": whole[100 * i:100 * i + n][None]} for i, n in enumerate(lengths)]


def scenes(*sizes, seed=1):
    """Textures of (height, width), NCHW."""
    made = textures(len(sizes), 128, seed)
    return [{"x": np.ascontiguousarray(p[:h, :w].transpose(2, 0, 1)[None]).astype(np.float32) / 255}
            for p, (h, w) in zip(made, sizes)]


def texts(*lengths, seed=2):
    rng = np.random.default_rng(seed)
    return [{"ids": rng.integers(100, 30000, (1, n)), "mask": np.ones((1, n), np.int64)} for n in lengths]


def each(frames, change, but=()):
    return [f if i in but else {k: np.ascontiguousarray(change(a)) for k, a in f.items()} for i, f in enumerate(frames)]


def text(f):
    return f["summary"] + " " + " ".join(f["details"])


@pytest.mark.parametrize("frames", [waves(100, 70, 300), scenes((64, 64), (32, 96), (96, 48)), texts(5, 12, 9)],
                         ids=["waves", "pictures", "texts"])
def test_changing_shapes_on_both_sides_are_healthy(judge, frames):
    assert judge(frames, frames)["verdict"] == "pass"


def test_padding_on_both_sides_is_healthy(judge):
    frames = each(texts(5, 12, 9), lambda a: np.pad(a, ((0, 0), (0, 16 - a.shape[1]))))
    assert judge(frames, frames)["verdict"] == "pass"


def test_later_frames_of_other_shapes(judge):
    """The first frame alone is comparable, and equal."""
    reference = waves(100, 120, 140, 160)
    verdict = judge(each(reference, lambda a: a[:, :100]), reference)
    f = finding(verdict, "input.shape")
    assert causes(verdict) == ["input.shape"]
    assert "In 3 of 4 frames (frames 1 to 3)" in f["summary"] and "are the first 100 of the reference's" in f["summary"]
    assert f["evidence"]["frames_other_shape"] == 3 and f["evidence"]["relation"] == "part"
    assert "the edge's values are 100, the reference's 120 to 160" in text(f)
    assert verdict["inputs"][0]["frames"] == 1 and verdict["inputs"][0]["frames_other_shape"] == 3


@pytest.mark.parametrize("cut, words", [
    (lambda a: a[:, 64:], "the edge's 512 values are the last 512 of the reference's 576"),
    (lambda a: a[:, :512], "the edge's 512 values are the first 512 of the reference's 576"),
    (lambda a: a[:, 10:522], "the edge's 512 values are 10 to 521 of the reference's 576"),
    (lambda a: np.concatenate([a[:, :500], a[:, -12:]], 1),
     "the edge's 512 values are the first 500 and the last 12 of the reference's 576"),
    (lambda a: np.pad(a, ((0, 0), (24, 0))), "the edge's are the reference's 576 values, padded with 0 to 600 at the beginning"),
    (lambda a: np.pad(a, ((0, 0), (0, 24)), constant_values=.5), "padded with 0.5 to 600 at the end"),
], ids=["tail", "head", "middle", "split", "padded before", "padded behind"])
def test_a_length(judge, cut, words):
    reference = waves(576, 576, 576)
    f = finding(judge(each(reference, cut), reference), "input.shape")
    assert words in f["summary"] and "In all frames" in f["summary"]


@pytest.mark.parametrize("side, words, fix", [
    (lambda a: np.concatenate([a[:, :, ::-1], a]), "the reference's only picture is number 2 of the edge's 2", "as many pictures"),
    (lambda a: np.concatenate([a, a[:, :, ::-1], 0 * a]), "in a run", "as many pictures"),
], ids=["one of two", "padded"])
def test_another_number_of_pictures(judge, side, words, fix):
    reference = scenes((64, 64), (64, 64))
    edge = each(reference, side)
    if words == "in a run":
        reference = each(reference, lambda a: np.concatenate([a, a[:, :, ::-1]]))
        words = "padded with 0: 1 pictures behind"
    f = finding(judge(edge, reference), "input.shape")
    assert words in f["summary"] and fix in f["fix"] and not f["alternatives"]


def test_another_number_of_texts(judge):
    reference = texts(20, 20, 20)
    edge = each(reference, lambda a: np.concatenate([a + 1, a]))
    assert "the reference's only row is number 2 of the edge's 2" in text(finding(judge(edge, reference), "input.shape"))


def test_an_output_of_other_shapes_alone_says_so(tmp_path):
    for role, rows in (("edge", 4), ("reference", 6)):
        with Recording(tmp_path / f"{role}.mcap", role) as recording:
            for f in waves(50, 50):
                recording.frame([("/input/x", f["x"], {}), ("/output/y", np.ones((1, rows, 5), np.float32), {})])
    verdict = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=3)
    assert "output y has other shapes on the two sides in all frames" in verdict["reason"]


def test_a_part_with_noise_is_one(judge):
    rng = np.random.default_rng(3)
    reference = waves(300, 300)
    edge = each(reference, lambda a: (a[:, 40:] + rng.normal(0, 1e-3, (1, 260))).astype(np.float32))
    assert "the last 260 of the reference's 300" in finding(judge(edge, reference), "input.shape")["summary"]


@pytest.mark.parametrize("change, words, relation", [
    (lambda a: a.transpose(0, 1, 3, 2), "transposed, rows and columns exchanged", "transposed"),
    (lambda a: np.pad(a, ((0, 0), (0, 0), (8, 24), (0, 0)), constant_values=.25),
     "padded with 0.25: 8 rows above and 24 below", "padded"),
    (lambda a: a[:, :, 5:55, 7:87], "the part of the reference's that begins at row 5 column 7", "part"),
    (lambda a: a[:, :, ::2, ::2], "the same picture, at two sizes", "resized"),
], ids=["transposed", "letterbox", "part", "resized"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_a_picture(judge, change, words, relation, layout):
    reference = scenes((64, 96), (64, 96), (64, 96))
    edge = each(reference, change)
    if layout == "nhwc":
        edge, reference = (each(side, lambda a: a.transpose(0, 2, 3, 1)) for side in (edge, reference))
    verdict = judge(edge, reference)
    f = finding(verdict, "input.shape")
    assert words in f["summary"] and f["evidence"]["relation"] == relation
    assert causes(verdict) == ["input.shape"]


def test_equal_counts_are_not_equal_shapes(judge):
    """Height and width exchanged, the bytes as they are."""
    reference = scenes((64, 96), (64, 96))
    f = finding(judge(each(reference, lambda a: a.reshape(1, 3, 96, 64)), reference), "input.shape")
    assert f["evidence"]["relation"] == "reshaped"


def test_one_cause_at_several_inputs_is_one_finding(judge):
    reference = texts(12, 9, 15)
    edge = [{k: np.pad(a, ((0, 0), (0, 24 - a.shape[1])), constant_values=int(k == "mask")) for k, a in f.items()}
            for f in reference]
    verdict = judge(edge, reference)
    f = finding(verdict, "input.shape")
    assert "inputs ids and mask" in f["summary"] and "Of mask" in text(f) and "padded with 1" in text(f)
    assert f["evidence"]["inputs"] == "ids and mask"


def test_a_mask_is_not_of_a_vocabulary(judge):
    reference = texts(20, 20, 20)
    edge = [{**f, "mask": np.where(np.arange(20) < 12, 1, 0)[None]} for f in reference]
    f = finding(judge(edge, reference), "input.tokens")
    assert f["where"]["tensor"] == "mask" and "zeros and ones" in f["fix"] and "vocabulary" not in f["fix"]


def test_ids_are_never_near(judge):
    """Ids that are one off are no part."""
    reference = texts(12, 12)
    f = finding(judge(each(reference, lambda a: a[:, :8] + 1), reference), "input.shape")
    assert f["evidence"]["relation"] == "unknown"


def test_outputs_of_other_shapes_behind_equal_inputs(tmp_path):
    frames = waves(50, 50, 50, 50)
    for role in "edge", "reference":
        with Recording(tmp_path / f"{role}.mcap", role) as recording:
            for i, f in enumerate(frames):
                rows = 4 if role == "edge" and i else 6
                recording.frame([("/input/x", f["x"], {}), ("/output/y", np.ones((1, rows, 5), np.float32), {})])
    verdict = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=3)
    assert causes(verdict) == ["log.coverage"] and verdict["findings"][0]["evidence"]["frames_other_shape"] == 3


@pytest.mark.parametrize("edge, words", [([3, 3, 3], "The edge feeds 3, the reference 2 everywhere."), ([3, 4, 9], "feeds 3 to 9, the reference 2")])
def test_another_number_is_told_as_one(judge, edge, words):
    def given(numbers):
        return [{**f, "gain": np.array([n], np.float32)} for f, n in zip(waves(50, 50, 50), numbers)]

    f = finding(judge(given(edge), given([2, 2, 2])), "input.unknown")
    assert words in text(f) and "nan" not in text(f) and "colour" not in text(f) and "same number" in f["fix"]


# ---- A fault in some frames only --------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[(96, 96)] * 5, [(64, 64), (64, 80), (64, 80), (96, 80), (64, 80)]], ids=["one", "open"])
def test_a_quarter_of_the_contrast_in_some_frames(judge, sizes):
    reference = scenes(*sizes)
    f = finding(judge(each(reference, lambda a: a / 4, but=(0, 3)), reference), "input.normalization")
    assert "3 of 5 frames only: frames 1, 2 and 4" in text(f) and f["evidence"]["frames_affected"] == 3


def test_bgr_in_some_frames(judge):
    reference = scenes(*[(96, 96)] * 6)
    f = finding(judge(each(reference, lambda a: a[:, ::-1], but=(2,)), reference), "input.channel_order")
    assert f["evidence"]["frames_affected"] == 5


def test_frames_that_say_nothing_are_affected_too(judge):
    """A gray picture is the same in any order of channels."""
    reference = scenes(*[(96, 96)] * 4)
    reference[1] = {"x": np.repeat(reference[1]["x"].mean(1, keepdims=True), 3, 1)}
    f = finding(judge(each(reference, lambda a: a[:, ::-1]), reference), "input.channel_order")
    assert "frames_affected" not in f["evidence"]


def of_counts(path, role, counts):
    """Boxes and scores of as many rows as the values decide, behind a layer that agrees."""
    x = np.ones((1, 4), np.float32)
    with Recording(path, role) as log:
        log.model([("x", "float32", (1, 4), (), (), 0), ("m", "float32", (1, 4), (), (), 0)], [("RELU", [0], [1])], [0], [1])
        for i, count in enumerate(counts):
            found = np.linspace(0, 1, 4 * count, dtype=np.float32).reshape(count, 4)
            log.frame([("/input/x", x + i, {}), ("/layer/0", x + i, {}), ("/output/found", found, {}), ("/output/scores", found[:, 0].copy(), {}), ("/output/y", x, {})])


@pytest.mark.parametrize("edge,status", [((5, 6, 7, 3), 1), ((2, 2, 2, 2), 0), ((2, 3, 2, 2), 3)])
def test_another_number_of_values_behind_equal_inputs_does_not_pass(tmp_path, edge, status):
    of_counts(tmp_path / "edge.mcap", "edge", edge)
    of_counts(tmp_path / "reference.mcap", "reference", (2, 2, 2, 2))
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)
    assert ("layer.unknown" in causes(v)) == (status == 1)
    if status == 1:
        assert finding(v, "layer.unknown")["evidence"]["frames_other_size"] == 4
        assert causes(v).count("layer.unknown") == 1 and any("scores, in 4 of 4 frames: 5.25 and 2 values" in d for d in finding(v, "layer.unknown")["details"])
