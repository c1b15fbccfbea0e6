"""Texts that two applications tell of the same outputs: the ways in which they are read wrongly, and healthy twins."""

import unicodedata

import numpy as np
import pytest
from told_support import judged, told_finding

pytestmark = pytest.mark.data

LINES = ["hello books", "coffee 3500", "address 77", "a balloon seen", "wall street", "see me too"]
LETTERS = "_ abcdefghijklmnopqrstuvwxyz0123456789"


def path_of(line):
    """The classes of a CTC output that reads as the line: each letter twice, a blank between equal ones."""
    path = []
    for k, letter in enumerate(line):
        if k and line[k - 1] == letter:
            path.append(0)
        path += [LETTERS.index(letter)] * 2
    return path + [0] * (40 - len(path))


def scores(line, noise=0.0):
    random = np.random.default_rng(len(line))
    s = random.normal(0, 0.3, (1, 40, len(LETTERS))).astype(np.float32)
    s[0, np.arange(40), path_of(line)] += 4
    return s


OUTPUTS = [{"scores": scores(line)} for line in LINES]


def teller(change=lambda line, k: line, lines=LINES):
    def tell(result, k):
        result.text = change(lines[k], k)

    return tell


RIGHT = teller()


def raw(line, blank="_", merge=False, keep=False):
    path, text = path_of(line), ""
    for k, c in enumerate(path):
        if merge and k and path[k - 1] == c:
            continue
        text += LETTERS[c] if c else blank if keep else ""
    return text.strip()


def next_letter(line, k):
    return "".join(chr(ord(c) + 1) if c.isalpha() else c for c in line)


WRONG = {
    "repeats kept": (lambda line, k: raw(line), "text", "several times"),
    "merged after blanks": (lambda line, k: "".join(c for i, c in enumerate(line) if i == 0 or line[i - 1] != c), "text", "stand once"),
    "blank kept": (lambda line, k: "_".join(line), "text", '"_" in between'),
    "a blank of several letters": (lambda line, k: "<pad>".join(line), "text", "<pad>"),
    "neither merged nor blanks left out": (lambda line, k: raw(line, keep=True).rstrip("_"), "text", "several times"),
    "the line before": (lambda line, k: LINES[max(k - 1, 0)], "late", "frame before"),
    "two frames later": (lambda line, k: LINES[min(k + 2, 5)] if k < 4 else "x", "late", "2 frames later"),
    "no spaces": (lambda line, k: line.replace(" ", ""), "text", "blanks"),
    "capitals": (lambda line, k: line.upper(), "text", "case"),
    "backwards": (lambda line, k: line[::-1], "text", "backwards"),
    "words in another order": (lambda line, k: " ".join(line.split()[::-1]), "exchanged", "order"),
    "cut": (lambda line, k: line[:6], "missing", "beginning"),
    "goes on": (lambda line, k: line + " aaaa", "extra", "more behind"),
    "letters of another list": (next_letter, "text", "+1"),
    "always the same": (lambda line, k: "hello", "text", "same text"),
    "none": (lambda line, k: "", "missing", "no text"),
    "anything": (lambda line, k: "".join(np.random.default_rng(k).choice(list(LETTERS[2:]), 9)), "text", "other texts"),
}


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", WRONG)
def test_told_wrongly(tmp_path, way, outputs):
    change, kind, says = WRONG[way]
    f = told_finding(judged(tmp_path, OUTPUTS, teller(change), RIGHT, keep_outputs=outputs == "outputs"))
    assert f["evidence"]["kind"] == kind and f["fix"] and "text" in f["summary"]
    assert says in f["summary"] + " ".join(f["details"]), f
    assert f["evidence"]["edge_text"] != f["evidence"]["reference_text"]


def test_two_texts_exchanged(tmp_path):
    words = ["negative", "positive", "negative", "negative", "positive", "positive"]
    right = teller(lines=words)
    f = told_finding(judged(tmp_path, OUTPUTS, teller(lambda w, k: {"negative": "positive"}.get(w, "negative"), words), right))
    assert f["evidence"]["kind"] == "exchanged" and f["evidence"]["frames_differ"] == 6
    f = told_finding(judged(tmp_path, OUTPUTS, teller(lambda w, k: {"negative": "bad"}.get(w, "good"), words), right))
    assert "always the same" in f["summary"]


HEALTHY = {
    "the same": lambda line, k: line,
    "blanks at the ends": lambda line, k: f" {line}  \n",
    "two blanks for one": lambda line, k: line.replace(" ", "  "),
}


@pytest.mark.parametrize("way", HEALTHY)
def test_told_rightly(tmp_path, way):
    verdict = judged(tmp_path, OUTPUTS, teller(HEALTHY[way]), RIGHT)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


def every_letter():
    """All characters of 16 bits that are letters with marks, and some syllables of Hangul; a few words each."""
    made = [chr(c) for c in (*range(0xC0, 0xAC00), *range(0xAC00, 0xD7A4, 37)) if unicodedata.normalize("NFC", chr(c)) == chr(c)]
    made = [c for c in made if unicodedata.normalize("NFD", c) != c]
    size = -(-len(made) // len(LINES))
    return ["".join(made[i * size:(i + 1) * size]) for i in range(len(LINES))]


def test_letters_and_their_marks_are_one_text(tmp_path):
    lines = every_letter()
    assert sum(map(len, lines)) > 1200
    apart = teller(lambda line, k: unicodedata.normalize("NFD", line), lines)
    verdict = judged(tmp_path, OUTPUTS, apart, teller(lines=lines))
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


@pytest.mark.parametrize("line, other", [("caf\u00e9", "cafe\u0300"), ("caf\u00e9", "cafe"), ("\uac01", "\uac00"), ("e \u0301", "\u00e9")])
def test_other_marks_are_another_text(tmp_path, line, other):
    lines = [line] + LINES[1:]
    f = told_finding(judged(tmp_path, OUTPUTS, teller(lambda t, k: other if k == 0 else t, lines), teller(lines=lines)))
    assert f["evidence"]["kind"] in ("text", "missing", "extra"), f


def test_a_letter_that_noise_changes(tmp_path):
    """Two letters have nearly equal scores, and other kernels decide for the other one."""
    tied = [dict(o) for o in OUTPUTS]
    tied[2]["scores"] = tied[2]["scores"].copy()
    tied[2]["scores"][0, 1, LETTERS.index("o")] = tied[2]["scores"][0, 0, LETTERS.index("a")]
    tied[2]["scores"][0, 0, LETTERS.index("o")] = tied[2]["scores"][0, 0, LETTERS.index("a")]
    o = teller(lambda line, k: "o" + line[1:] if k == 2 else line)
    verdict = judged(tmp_path, tied, o, RIGHT, edge_noise=1e-6)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]
    f = told_finding(judged(tmp_path, OUTPUTS, o, RIGHT, edge_noise=1e-6))  # no tie there
    assert f["evidence"]["frames_differ"] == 1 and '"oddress 77" for "address 77"' in " ".join(f["details"])


def test_scores_in_a_text(tmp_path):
    """Noise changes a score that is told in the text; equal outputs do not."""
    told = lambda by: teller(lambda line, k: f"{line}: {80 + k + by} %, {0.25 + by / 100:.2f}")  # noqa: E731
    verdict = judged(tmp_path, OUTPUTS, told(1), told(0), edge_noise=1e-6)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]
    told_finding(judged(tmp_path, OUTPUTS, told(1), told(0)))
    told_finding(judged(tmp_path, OUTPUTS, told(15), told(0), edge_noise=1e-6))


def test_one_text_that_is_another_is_no_other_list_of_names(tmp_path):
    """The other texts come up again, rightly."""
    lines = ["dog", "cat", "dog", "bird", "cat", "dog"]
    outputs = [{"scores": scores(line)} for line in lines]
    f = told_finding(judged(tmp_path, outputs, teller(lambda line, k: "horse" if k == 3 else line, lines), teller(lines=lines)), "output.postprocess")
    assert f["summary"] == "The two sides tell other texts." and f["evidence"]["frames_differ"] == 1, f
