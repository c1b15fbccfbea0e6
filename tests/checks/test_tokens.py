"""Ids that two tokenizers give the model: how one side's follow from the other's, by the ids alone; and healthy twins."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate


class Language:
    """A vocabulary with its special tokens, rows of one length, and some texts."""

    def __init__(self, seed, special, length, words, left=False, dtype=np.int32):
        self.random, self.length, self.left, self.dtype = np.random.default_rng(seed), length, left, dtype
        self.pad, self.start, self.unknown, self.separator = special
        self.low, self.words = 1 + max(i for i in special if i is not None), words
        self.texts = [self.text(int(n)) for n in self.random.integers(6, length - 4, 6)]
        self.long = [self.text(length + 5), self.text(length + 9)]

    def text(self, n):
        """Frequent words and rare ones, some of them unknown."""
        ids = np.minimum(self.low + (3 * self.random.pareto(0.7, n)).astype(int), self.words - 1)
        return [self.unknown if i and self.random.random() < 0.05 else int(w) for i, w in enumerate(ids)]

    def row(self, text, start=True, separator=True, keep_end=False, length=None, left=None, pad=None):
        first = [self.start] * (start and self.start is not None)
        last = [self.separator] * (separator and self.separator is not None)
        room = (length or self.length) - len(first) - len(last)
        ids = first + list(text[-room:] if keep_end else text[:room]) + last
        more = [self.pad if pad is None else pad] * (self.length - len(ids))
        left = self.left if left is None else left
        mask = [0] * len(more) + [1] * len(ids) if left else [1] * len(ids) + [0] * len(more)
        made = {"ids": more + ids if left else ids + more, "mask": mask, "types": [0] * self.length}
        return {k: np.array([v], self.dtype) for k, v in made.items()}

    def rows(self, texts=None, **options):
        return [self.row(t, **options) for t in texts or self.texts]

    def change(self, f):
        """f(id) of all words but the special ones."""
        return self.rows([[w if w < self.low else f(w) for w in t] for t in self.texts])

    def some_unknown(self, share=0.3, **options):
        return self.rows([[self.unknown if self.random.random() < share else w for w in t] for t in self.texts], **options)

    def permuted(self):
        order = self.random.permutation(np.arange(self.low, self.words))
        return self.change(lambda w: int(order[w - self.low]))


LANGUAGES = [Language(1, (0, 1, 2, None), 64, 9000), Language(2, (0, 101, 100, 102), 24, 30522, dtype=np.int64),
             Language(3, (1, 0, 3, 2), 32, 50000, left=True)]
language = pytest.fixture(params=LANGUAGES, ids=["words", "pieces", "in front"])(lambda request: request.param)


def log(path, role, frames):
    with Recording(path, role) as recording:
        for given in frames:
            total = float(sum((1 + np.arange(a.size)) @ a.ravel() % 1000 for a in given.values()))
            recording.frame([(f"/input/{name}", a, {}) for name, a in given.items()]
                            + [("/output/y", np.linspace(0, total, 10, dtype=np.float32)[None], {})])
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference):
        return validate(log(tmp_path / "edge.mcap", "edge", edge), log(tmp_path / "ref.mcap", "reference", reference))

    return run


def told(verdict, kind, cause="input.tokens"):
    """The one error, which has that kind."""
    assert causes(verdict) == [cause], verdict["findings"]
    f = finding(verdict, cause)
    assert f["evidence"]["kind"] == kind, f["summary"]
    return f


def place(f):
    return f["evidence"]["first_frame"], f["evidence"]["first_place"]


def test_equal_ids_are_healthy(judge, language):
    frames = language.rows(language.texts + language.long)
    assert judge(frames, frames)["verdict"] == "pass"


def test_words_that_become_unknown(judge, language):
    edge, reference = language.some_unknown(), language.rows()
    f = told(judge(edge, reference), "unknown")
    assert f"unknown ({language.unknown})" in f["summary"]
    apart = [(k, int(np.flatnonzero(e["ids"] != r["ids"])[0])) for k, (e, r) in enumerate(zip(edge, reference))
             if (e["ids"] != r["ids"]).any()]
    assert place(f) == apart[0] and f["evidence"]["edge_id"] == language.unknown
    assert f["evidence"]["reference_id"] == reference[apart[0][0]]["ids"][0, apart[0][1]]


def test_tokens_that_the_reference_has_not(judge, language):
    """Punctuation that is kept: one more id, unknown, which moves all behind it."""
    texts = [[w for i, word in enumerate(t) for w in ([word, language.unknown] if i % 5 == 3 else [word])] for t in language.texts]
    summary = told(judge(language.rows(texts), language.rows()), "unknown")["summary"]
    assert f"id {language.unknown} in" in summary and "more places, between" in summary


def test_a_short_vocabulary(judge, language):
    limit = int(np.quantile(np.concatenate(language.texts), 0.7))
    f = told(judge(language.change(lambda w: language.unknown if w > limit else w), language.rows()), "unknown")
    assert "a vocabulary that ends between them" in " ".join(f["details"])


def test_nearly_all_words_unknown_are_no_mask(judge):
    """Ids that are one number wherever the mask is 1 are still ids."""
    language = LANGUAGES[0]
    texts = [language.text(40) for _ in range(6)]
    edge = language.rows([[language.unknown if i else w for i, w in enumerate(t)] for t in texts])
    edge = [{**f, "ids": np.where(f["ids"] == language.unknown, 900, f["ids"])} for f in edge]
    told(judge(edge, language.rows(texts)), "unknown")


def test_the_reference_may_be_the_one_with_unknown_words(judge, language):
    f = told(judge(language.rows(), language.some_unknown()), "unknown")
    assert f["evidence"]["unknown_side"] == "reference" and "the reference has id" in f["summary"]


@pytest.mark.parametrize("to", [7, 0])
def test_another_id_of_unknown_words(judge, to):
    """Also that of padding."""
    language = LANGUAGES[0]
    edge = language.rows([[to if w == language.unknown else w for w in t] for t in language.texts])
    f = told(judge(edge, language.rows()), "id")
    assert f["evidence"]["edge_id"] == to and f["evidence"]["reference_id"] == 2


@pytest.mark.parametrize("options, words", [
    ({"start": False}, ["lack the first id ({0.start})", "shifted by 1 place to the front"]),
    ({"separator": False}, ["lack the last id ({0.separator})"]),
    ({"start": False, "separator": False}, ["first id ({0.start}) and the last id ({0.separator})", "shifted by 1"])])
def test_special_ids_left_out(judge, options, words):
    for language in LANGUAGES[1:]:
        f = told(judge(language.rows(**options), language.rows()), "special")
        assert all(w.format(language) in f["summary"] for w in words), f["summary"]
        assert "mask differs as it must" in " ".join(f["details"])


def test_special_ids_twice(judge, language):
    f = told(judge(language.rows([[language.start] + t for t in language.texts]), language.rows()), "special")
    assert f"more than the reference's: the first id ({language.start})" in f["summary"]


def test_padding_at_the_other_end(judge, language):
    f = told(judge(language.rows(left=not language.left), language.rows()), "padding_side")
    assert ("padded at the end" if language.left else "padded in front, the reference's at the end") in f["summary"]


def test_padding_with_another_id(judge, language):
    f = told(judge(language.rows(pad=language.words - 1), language.rows()), "padding_id")
    assert f"pads with id {language.words - 1}, the reference with id {language.pad}" in f["summary"]


def test_rows_that_begin_elsewhere(judge):
    language = LANGUAGES[0]
    texts = [t[:40] for t in language.texts]
    edge = [{k: np.roll(v, 2, 1) for k, v in f.items()} for f in language.rows(texts)]
    f = told(judge(edge, language.rows(texts)), "shifted")
    assert "shifted by 2 places to the end" in f["summary"] and f["evidence"]["shift"] == 2


def test_cut_texts(judge, language):
    f = told(judge(language.rows(length=8), language.rows()), "truncated")
    assert "cut after 8 ids" in f["summary"] and f["evidence"]["length"] == 8
    f = told(judge(language.rows(length=8, keep_end=True), language.rows()), "truncated")
    assert "the beginning is cut off" in f["summary"]


def test_long_texts_keep_their_end(judge, language):
    texts = language.texts[:3] + language.long
    f = told(judge(language.rows(texts, keep_end=True), language.rows(texts)), "truncated")
    assert "keep the end of the text" in f["summary"] and place(f)[0] == 3
    assert "frames 3 and 4" in " ".join(f["details"])


def test_ids_off_by_one_number(judge, language):
    f = told(judge(language.change(lambda w: w + 3), language.rows()), "offset")
    assert "too high by 3 (edge = reference + 3)" in f["summary"] and f["evidence"]["offset"] == 3
    middle = int(np.median(np.concatenate(language.texts)))
    f = told(judge(language.change(lambda w: w - 1 if w > middle else w), language.rows()), "offset")
    assert "too low by 1" in f["summary"]


def test_another_vocabulary(judge, language):
    f = told(judge(language.permuted(), language.rows()), "vocabulary")
    assert "another vocabulary" in f["summary"] and "vocabulary file" in f["fix"]


def test_start_and_separator_exchanged(judge):
    language = LANGUAGES[1]
    swap = {language.start: language.separator, language.separator: language.start}
    edge = [{**f, "ids": np.array([[swap.get(int(i), int(i)) for i in f["ids"][0]]])} for f in language.rows()]
    assert "ids 101 and 102 are exchanged" in told(judge(edge, language.rows()), "exchanged")["summary"]


def test_rows_that_are_not_cleared(judge):
    language = LANGUAGES[0]
    rows, edge = language.rows(), []
    for f, text in zip(rows, language.texts):
        ids = f["ids"].copy()
        if edge:
            ids[0, len(text) + 1:] = edge[-1]["ids"][0, len(text) + 1:]
        edge.append({**f, "ids": ids})
    assert "frame before" in told(judge(edge, rows), "stale")["summary"]


def test_ids_of_another_frame(judge, language):
    rows = language.rows()
    f = told(judge(rows[:1] + rows[:-1], rows), "frame_order", "input.frame_order")
    assert f["evidence"]["frames_late"] == 1


def test_ids_in_eight_bits(judge, language):
    rows = language.rows([t + [700, 801] for t in language.texts])
    edge = [{**f, "ids": f["ids"] % 256} for f in rows]
    assert told(judge(edge, rows), "wrapped", "input.dtype")["evidence"]["bits"] == 8


def test_ids_of_another_frame_in_some_frames_only(judge, language):
    rows = language.rows()
    f = told(judge([*rows[:3], rows[2], *rows[4:]], rows), "frame_order", "input.frame_order")
    assert f["evidence"]["frames_late"] == 1 and f["evidence"]["frame_list"] == "frame 3"


def test_single_ids_in_eight_bits_beside_others_are_one_finding(judge, language):
    """Two inputs of one id a frame: a user, an item."""
    rows = [{**f, "user": np.array([3 + 90 * k], np.int64)} for k, f in enumerate(language.rows([t + [700, 801] for t in language.texts]))]
    f = told(judge([{**f, "ids": f["ids"] % 256, "user": f["user"] % 256} for f in rows], rows), "wrapped", "input.dtype")
    assert "input user" in " ".join(f["details"])


def test_two_faults_are_both_told(judge, language):
    f = told(judge(language.some_unknown(left=not language.left), language.rows()), "unknown")
    assert f"unknown ({language.unknown})" in f["summary"] and "padded" in f["summary"]


def test_another_tokenizer(judge, language):
    texts = [[x for w in t for x in ([w] if w % 3 else [w, (7 * w + 3) % 90 + 120])] for t in language.texts]
    texts = [[w + 1 if w % 5 == 0 else w for w in t] for t in texts]
    assert "another tokenizer" in told(judge(language.rows(texts), language.rows()), "tokenizer")["summary"]


@pytest.mark.parametrize("change, relation, words", [
    (lambda m: np.ones_like(m), "ones", "all ones"), (lambda m: 0 * m, "zeros", "all zeros"), (lambda m: 1 - m, "inverted", "inverted"),
    (lambda m: m * (np.cumsum(m, 1) > 1), "shorter", "1 place fewer")])
def test_masks(judge, language, change, relation, words):
    edge = [{**f, "mask": change(f["mask"])} for f in language.rows()]
    f = told(judge(edge, language.rows()), "mask")
    assert f["where"]["tensor"] == "mask" and f["evidence"]["relation"] == relation and words in f["summary"]


def test_a_wrong_mask_beside_wrong_ids_is_told(judge, language):
    edge = [{**f, "mask": np.ones_like(f["mask"])} for f in language.some_unknown()]
    verdict = judge(edge, language.rows())
    assert sorted(f["evidence"]["kind"] for f in verdict["findings"] if f["severity"] == "error") == ["mask", "unknown"]


def test_types(judge, language):
    edge = [{**f, "types": np.ones_like(f["types"])} for f in language.rows()]
    told(judge(edge, language.rows()), "types")


def test_a_mask_of_type_float(judge, language):
    reference = [{**f, "mask": f["mask"].astype(np.float32)} for f in language.rows()]
    edge = [{**f, "mask": np.ones_like(f["mask"])} for f in reference]
    told(judge(edge, reference), "mask")


def test_two_inputs_of_one_fault_are_one_finding(judge, language):
    def both(side):
        other = side[::-1]
        return [{**f, "context": o["ids"]} for f, o in zip(side, other)]

    f = told(judge(both(language.rows(left=not language.left)), both(language.rows())), "padding_side")
    assert "input context" in " ".join(f["details"])


def test_positions_follow_from_the_ids(judge, language):
    def counted(rows):
        return [{**f, "positions": np.cumsum(f["mask"], 1) * f["mask"] + 7} for f in rows]

    told(judge(counted(language.rows(left=not language.left)), counted(language.rows())), "padding_side")


def test_several_texts_in_one_run(judge, language):
    def pairs(rows):
        return [{k: np.concatenate([a[k], b[k]]) for k in a} for a, b in zip(rows[::2], rows[1::2])]

    told(judge(pairs(language.permuted()), pairs(language.rows())), "vocabulary")


def test_whole_numbers_that_are_no_ids(judge):
    """Samples of 16-bit sound are whole numbers, too."""
    sound = [{"sound": (9000 * np.sin(np.arange(400) / (3 + k))).astype(np.int32)[None]} for k in range(3)]
    f = finding(judge([{"sound": f["sound"] // 2} for f in sound], sound), causes(judge([{"sound": f["sound"] // 2} for f in sound], sound))[0])
    assert "kind" not in f["evidence"]


# ---- Rows as long as their texts -----------------------------------------------------------------------


def opened(frame):
    """The same without its padding."""
    n = int(frame["mask"].sum())
    return {name: a[:, :n] for name, a in frame.items()}


PIECES = LANGUAGES[1]
OPEN = [opened(f) for f in PIECES.rows()]


@pytest.mark.parametrize("change, kind, words", [
    ({"separator": False}, "special", "lack the last id (102)"),
    ({"start": False, "separator": False}, "special", "lack the first id (101) and the last id (102)")])
def test_open_rows(judge, change, kind, words):
    f = told(judge([opened(f) for f in PIECES.rows(**change)], OPEN), kind)
    assert words in f["summary"] and f["evidence"]["texts_affected"] >= 3


def test_open_rows_of_another_tokenizer(judge):
    texts = [[w for k, w in enumerate(t) if k % 4 != 2] for t in PIECES.texts]
    assert "lack" in told(judge([opened(f) for f in PIECES.rows(texts)], OPEN), "left_out")["summary"]


def test_an_open_row_that_ends_has_no_id_there(judge):
    f = told(judge([opened(f) for f in PIECES.rows(separator=False)], OPEN), "special")
    assert "the edge has no id, the reference id 102" in f["details"][0] and "edge_id" not in f["evidence"]


def test_open_rows_of_another_frame(judge):
    f = told(judge([OPEN[max(k - 1, 0)] for k in range(len(OPEN))], OPEN), "frame_order", "input.frame_order")
    assert f["evidence"]["frames_late"] == 1


def test_rows_that_are_padded_to_eights_are_of_another_shape(judge):
    padded = [{name: np.pad(a, [(0, 0), (0, -a.shape[1] % 8)]) for name, a in f.items()} for f in OPEN]
    assert set(causes(judge(padded, OPEN))) == {"input.shape"}


@pytest.mark.parametrize("moved", [1, 3000])
def test_what_is_told_of_other_ids_is_no_fault_of_its_own(tmp_path, moved):
    """However small the ids' difference is as a number."""
    ids = [np.array([np.r_[101, 20000 + 7 * np.arange(k, k + 20), 102]], np.int64) for k in range(6)]
    vectors = np.random.default_rng(1).normal(0, 1, (2, 6, 1, 32)).astype(np.float32)

    def side(role, more, own):
        with Recording(tmp_path / role, role) as recording:
            for k, row in enumerate(ids):
                recording.frame([("/input/ids", row + more, {}), ("/output/v", own[k], {})])
                recording.add("/result", "Result", PB["Result"](frame=k, vectors=[{"name": "v", "value": own[k].ravel().tolist()}]))
        return tmp_path / role
    verdict = validate(side("edge", moved, vectors[1]), side("reference", 0, vectors[0]))
    assert causes(verdict) == ["input.tokens"] and verdict["inputs"][0]["noise_to_signal"] == 0


@pytest.mark.parametrize("late, cause", [(1, "input.frame_order"), (2, "input.frame_order"), (0, None)])
def test_one_token_a_frame(tmp_path, late, cause):
    tokens = np.random.default_rng(2).integers(0, 50, 40)
    made = [log(tmp_path / f"{late}{role}", role, [{"token": np.array([[tokens[max(k - (late if role == "edge" else 0), 0)]]])} for k in range(40)])
            for role in ("edge", "reference")]
    verdict = validate(*made)
    assert causes(verdict) == ([cause] if cause else []), verdict["findings"]


def test_a_flag_that_takes_turns_is_not_late(tmp_path):
    made = [log(tmp_path / role, role, [{"flag": np.array([[(k + (role == "edge")) % 2]])} for k in range(40)]) for role in ("edge", "reference")]
    assert "input.frame_order" not in causes(validate(*made))
