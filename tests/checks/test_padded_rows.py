"""Rows of ids that are padded to other lengths: no fault where the model leaves the padding out."""

import numpy as np
import pytest
from validate_support import Recording, causes, finding, validate

TABLE = np.random.default_rng(3).normal(0, 1, (64, 16)).astype(np.float32)
LENGTHS = (5, 12, 9, 7)


def texts(width=16, masked=True, front=False, pad=0, lengths=LENGTHS, seed=2):
    rng, out = np.random.default_rng(seed), []
    for n in lengths:
        row, extra = rng.integers(10, 64, n)[:width], max(width - n, 0)
        around = (extra, 0) if front else (0, extra)
        frame = {"ids": np.pad(row, around, constant_values=pad)[None].astype(np.int64)}
        if masked:
            frame["mask"] = np.pad(np.ones(len(row), np.int64), around)[None]
        out.append(frame)
    return out


def mean_of_text(f):
    weight = f.get("mask", np.ones_like(f["ids"]))[0][:, None]
    return (TABLE[f["ids"][0]] * weight).sum(0, keepdims=True) / weight.sum()


def log(path, role, frames, made=mean_of_text, hidden=False):
    with Recording(path, role) as recording:
        for f in frames:
            outputs = [("/output/y", made(f).astype(np.float32), {})] + ([("/output/hidden", TABLE[f["ids"][0]][None], {})] if hidden else [])
            recording.frame([(f"/input/{n}", a, {}) for n, a in f.items()] + outputs)
    return path


@pytest.fixture
def judge(tmp_path):
    return lambda edge, reference, **how: validate(log(tmp_path / "e.mcap", "edge", edge, **how), log(tmp_path / "r.mcap", "reference", reference, **how))


def said(verdict, severity="info"):
    return [f for f in verdict["findings"] if f["cause"] == "input.shape" and f["severity"] == severity]


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("pad", [0, 3])
def test_masked_padding_is_information(judge, front, hidden, pad):
    verdict = judge(texts(40, front=front, pad=pad), texts(16, front=front, pad=pad), hidden=hidden)
    assert verdict["verdict"] == "pass" and len(said(verdict)) == 1
    assert causes(verdict) == ["input.shape"] and "leaves the padding out" in " ".join(said(verdict)[0]["details"]) and not said(verdict)[0].get("fix")


def test_rows_padded_to_eights(judge):
    eights = [{n: np.pad(a[:, :k], ((0, 0), (0, -k % 8))) for n, a in f.items()} for f, k in zip(texts(16), LENGTHS)]
    exact = [{n: a[:, :k] for n, a in f.items()} for f, k in zip(texts(16), LENGTHS)]
    assert judge(eights, exact)["verdict"] == "pass" and judge(exact, eights)["verdict"] == "pass"


def test_some_frames_are_padded(judge):
    """An output of a row's length is compared in the others."""
    edge, reference = texts(16), texts(16)
    edge[2] = texts(24)[2]
    verdict = judge(edge, reference, hidden=True)
    assert verdict["verdict"] == "pass" and causes(verdict) == ["input.shape"]


def test_ids_without_a_mask(judge):
    """A model that knows its padding by the id."""
    made = lambda f: TABLE[f["ids"][0][f["ids"][0] != 0]].mean(0, keepdims=True)
    assert judge(texts(40, masked=False), texts(16, masked=False), made=made)["verdict"] == "pass"


def test_a_model_that_reads_the_padding(judge):
    made = lambda f: TABLE[f["ids"][0]].mean(0, keepdims=True)
    verdict = judge(texts(40), texts(16), made=made)
    assert verdict["verdict"] == "fail" and causes(verdict)[0] == "input.shape"
    assert "reads the padding" in " ".join(finding(verdict, "input.shape")["details"])


def test_one_frame_that_differs_is_enough(judge):
    edge, reference = texts(40, lengths=(9,) * 60), texts(16, lengths=(9,) * 60)
    other = lambda f: mean_of_text(f) * (1.2 if f is edge[40] else 1)
    assert judge(edge, reference, made=other)["verdict"] == "fail"


def test_a_mask_over_the_padding(judge):
    edge = [{"ids": f["ids"], "mask": np.ones_like(f["mask"])} for f in texts(40)]
    verdict = judge(edge, texts(16))
    assert verdict["verdict"] == "fail" and not said(verdict)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_text_that_is_cut_is_told_apart(judge, hidden):
    lengths = (5, 12, 30, 9)
    verdict = judge(texts(40, lengths=lengths), texts(16, lengths=lengths), hidden=hidden)
    assert set(causes(verdict)) == {"input.shape"}
    f, = said(verdict, "error")
    assert f["evidence"]["frame_list"] == "frame 2" and len(said(verdict)) == 1
    assert said(verdict)[0]["evidence"]["frames_other_shape"] == 3
    assert "one shape" not in f["details"][0]


def test_without_an_output_nothing_is_proven(judge, tmp_path):
    paths = []
    for role, width in ("edge", 40), ("reference", 16):
        paths.append(tmp_path / f"{role}.mcap")
        with Recording(paths[-1], role) as recording:
            for f in texts(width):
                recording.frame([(f"/input/{n}", a, {}) for n, a in f.items()])
    assert said(validate(*paths), "error")
