"""Tokenizers and texts in logs: against Python's `re`, what Hugging Face's `tokenizers` (0.23, BertNormalizer, BertPreTokenizer,
WordPiece) made of the lines in wordpieces.json, and Magika's rule."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

import exray

PIECES = json.loads((Path(__file__).parent / "wordpieces.json").read_text())
LINES = [line for line, *_ in PIECES["lines"]]
WORDS = ["<PAD>", "<START>", "<UNKNOWN>", "<UNUSED>", "the", "and", "a", "it", "don't", "café", "\x96", "\x85", "straße", "two words", "σίσυφος", "3"]
VOCABULARY = "".join(f"{word} {i}\n" for i, word in enumerate(WORDS)).encode()


def split(text, pattern=r"[^\w']+", lower=True):
    return [w for w in re.split(pattern, text.lower() if lower else text) if w]


@pytest.mark.parametrize("lower", [True, False])
def test_words_as_python_splits_them(lower):
    tokenizer = exray.Tokenizer("words", VOCABULARY, lower_case=lower)
    for text in LINES + ["The CAFÉ and\x85 a\x96; don't, STRASSE ΣΊΣΥΦΟΣ", "", "3,3.3", "it it\tit\nit"]:
        ids = [1] + [WORDS.index(w) if w in WORDS else 2 for w in split(text, lower=lower)]
        assert tokenizer(text).tolist() == ids, text


@pytest.mark.parametrize("pattern", [
    r"\W+", r"\s+", r"[^a-z']+", r"[\s,.!?;:]+", r"\s*[,.!?]\s*|\s+", r"[^\w'-]+", r"\d+|\W", r"(?:\s|[.,])+", r"[ \t]{1,3}", r"a+?b?|\s",
    r"\.{2,}|\s", r"e|ee|eee", r"(?:ab|a)(?:c|bcd)?", r"[-a-c]+", r"[\]x]+", r".é|\s", r"x{2}y{0,2}|\s+", "[À-ÿ]+"])
def test_patterns_as_python_reads_them(pattern):
    texts = [line for line in LINES if not re.search("[\r\n\0]", line)]
    texts += ["aabbccxxyy aab abcd abc ab eeee eee e xxyyy xx", "a.b..c...d", "a]b x]x"]
    pieces = sorted({w for text in texts for w in split(text, pattern, lower=False)})
    tokenizer = exray.Tokenizer("words", "\n".join(f"{w} {i}" for i, w in enumerate(pieces)).encode(), pattern=pattern, lower_case=False, special={"pad": 0})
    for text in texts:
        assert [tokenizer.token(i) for i in tokenizer(text)] == split(text, pattern, lower=False)


@pytest.mark.parametrize("pattern, why", [
    ("(a)", r"groups are written (?:...)"), ("a*", "may match nothing"), ("[a", "not closed"), ("a)", "was not opened"), ("(?:a", "not closed"),
    ("x{3,1}", "{m,n}"), ("[z-a]", "does not go up"), (r"\q", "escapes"), ("\\", "backslash"), ("^a", "^ or $"), ("+", "before a repetition"),
    ("(?:(?:a{200}){200}){200}", "too many"), ("(?:" * 40 + "a" + ")" * 40, "nested"), ("(?:" * 25 + "a" + ")?" * 25 + "b", "too complex")])
def test_patterns_that_are_none(pattern, why):
    with pytest.raises(exray.FormatError, match=re.escape(why)) as e:
        exray.Tokenizer("words", VOCABULARY, pattern=pattern)
    assert "\n" not in str(e.value)


def test_a_pattern_that_takes_too_long_ends():
    tokenizer = exray.Tokenizer("words", VOCABULARY, pattern="x(?:.*y)?")
    with pytest.raises(exray.LimitError, match="too long"):
        tokenizer("x" * 60000)


@pytest.mark.parametrize("lower", [True, False])
def test_word_pieces_as_the_library_makes_them(lower):
    vocabulary = "\n".join(PIECES["tokens"]).encode()
    tokenizer = exray.Tokenizer("wordpiece", vocabulary, lower_case=lower)
    for line, *ids in PIECES["lines"]:
        assert tokenizer(line).tolist() == [2, *ids[not lower], 3], line


def test_word_pieces_on_random_lines():
    """Where the library itself is there."""
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.Tokenizer(tokenizers.models.WordPiece({t: i for i, t in enumerate(PIECES["tokens"])}, unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = tokenizers.normalizers.BertNormalizer(), tokenizers.pre_tokenizers.BertPreTokenizer()
    ours = exray.Tokenizer("wordpiece", "\n".join(PIECES["tokens"]).encode(), special={"unknown": 1})
    random.seed(1)
    for _ in range(1000):
        line = "".join(chr(random.choice([32, 39, random.randint(33, 126), random.randint(160, 0xD7FF), random.randint(0xE000, 0x1FFFF)])) for _ in range(40))
        assert ours(line).tolist() == theirs.encode(line).ids, ascii(line)


def magika(data, half):
    """_extract_features_from_seekable of PyPI magika 1.0.3, with blocks of four halves."""
    block = min(4 * half, len(data))
    first, last = data[:block].lstrip()[:half], data[len(data) - block:].rstrip()[-half:]
    return list(first) + [256] * (half - len(first)) + [256] * (half - len(last)) + list(last)


def test_bytes_as_magika_takes_them():
    random.seed(2)
    tokenizer = exray.Tokenizer("bytes", length=32)
    for n in list(range(40)) + [63, 64, 65, 200]:
        data = b" \n" * random.randint(0, 40) + bytes(random.choice(b" \tabc\x00\xff") for _ in range(n)) + b"\t " * random.randint(0, 40)
        assert tokenizer(data).tolist() == magika(data, 16)
        assert (tokenizer(data) == 256).tolist() == (tokenizer.mask(data) == 0).tolist()
    assert exray.Tokenizer("bytes", length=4, truncate="right", pad="left")(b"abc").tolist() == [256, 97, 98, 99]
    assert exray.Tokenizer("bytes", length=4, truncate="left")(b" abcdef").tolist() == [99, 100, 101, 102]


def test_rows():
    def row(**options):
        return exray.Tokenizer("words", VOCABULARY, special={"pad": 0, "start": 1, "end": 3, "unknown": 2}, **options)("the and a").tolist()

    assert row() == [1, 4, 5, 6, 3]
    assert row(length=7) == [1, 4, 5, 6, 3, 0, 0]
    assert row(length=7, pad="left") == [0, 0, 1, 4, 5, 6, 3]
    assert row(length=4) == [1, 4, 5, 3]
    assert row(length=4, truncate="left") == [1, 5, 6, 3]
    assert row(length=1) == [1]
    only = exray.Tokenizer("words", VOCABULARY, special={"pad": 0}, length=4)
    assert only("the xyzzy and").tolist() == [4, 5, 0, 0] and only.mask("the xyzzy and").tolist() == [1, 1, 0, 0]


def test_vocabulary_files():
    plain = exray.Tokenizer("words", b"\xef\xbb\xbfone\r\ntwo\r\n\r\nfour\r\n", special={"unknown": 9})
    assert plain("two four three one").tolist() == [1, 3, 9, 0] and plain.token(3) == "four" and plain.token(2) is None
    assert plain.id("four") == 3 and plain.id("five") is None
    numbered = exray.Tokenizer("words", b"two words 7\n\xc2\x85 8\nx 9\nx 10", pattern=",", special={})
    assert numbered("two words,\x85,x").tolist() == [7, 8, 10] and numbered.token(9) == "x"


@pytest.mark.parametrize("make, error, why", [
    (lambda: exray.Tokenizer("words"), exray.ArgumentError, "needs a vocabulary"),
    (lambda: exray.Tokenizer("wordpiece"), exray.ArgumentError, "needs a vocabulary"),
    (lambda: exray.Tokenizer("words", b""), exray.FormatError, "empty"),
    (lambda: exray.Tokenizer("words", b"a\0b"), exray.FormatError, "zero bytes"),
    (lambda: exray.Tokenizer("words", b"a", length=1 << 40), exray.ArgumentError, "too long"),
    (lambda: exray.Tokenizer("words", b"a", truncate="middle"), exray.ArgumentError, "bytes alone"),
    (lambda: exray.Tokenizer("words", b"a", pad="front"), exray.ArgumentError, "right, left"),
    (lambda: exray.Tokenizer("sentencepiece", b"a"), exray.ArgumentError, "words, wordpiece, bytes"),
    (lambda: exray.Tokenizer("words", b"a", special={"cls": 1}), exray.ArgumentError, "start"),
    (lambda: exray.Tokenizer("words", b"a")(b"ab\xff"), exray.FormatError, "byte 2 is 0xFF"),
    (lambda: exray.Tokenizer("words", b"a")("a " * 5_000_000), exray.LimitError, "10000000 bytes")])
def test_bad_input_is_one_line(make, error, why):
    with pytest.raises(error, match=why) as e:
        make()
    assert "\n" not in str(e.value)


def test_a_text_in_a_log(tmp_path):
    tokenizer = exray.Tokenizer("words", VOCABULARY, length=8)
    texts = ["The café", "", "naïve 😀"]
    with exray.Recorder(tmp_path / "log.mcap") as r:
        for text in texts:
            with r.frame():
                r.prompt("keyboard", text)
                r.input("ids", tokenizer(text))
        with r.frame():
            r.prompt("keyboard", b"caf\xc3\xa9")
            r.scalar("none", 0)
    with exray.open(tmp_path / "log.mcap") as log:
        assert [f.prompt() for f in log] == [f.prompt("keyboard") for f in log] == texts + ["café"]
        assert log[0].sensors["keyboard"].media.format == "utf8"
        with pytest.raises(KeyError):
            log[0].prompt("camera")
    with pytest.raises(exray.ArgumentError, match="UTF-8"), exray.Recorder(tmp_path / "bad.mcap") as r, r.frame():
        r.prompt("keyboard", "\ud800")
    with pytest.raises(exray.ArgumentError), exray.Recorder(tmp_path / "bad.mcap") as r, r.frame():
        r.prompt("keyboard", 7)


def test_a_text_is_no_sound_and_no_picture(tmp_path):
    with exray.Recorder(tmp_path / "log.mcap") as r, r.frame():
        r.prompt("keyboard", "hello")
    frame = exray.open(tmp_path / "log.mcap")[0]
    for read in frame.image, frame.sound:
        with pytest.raises(exray.NotRecorded):
            read()
    assert bytes(frame.sensors["keyboard"].raw()) == b"hello"


# ---- What validate says of the texts in logs --------------------------------------------------

VOCAB = "".join(f"{w} {i}\n" for i, w in enumerate(
    "<PAD> <START> <UNKNOWN> the movie is good bad not a don't film i it was best one of year".split())).encode()
SPOKEN = ["The movie is good, the best.", "Not a GOOD film: it was bad", "I don't, it was", "One of the best (of the year)", "it is not", "a film of a year"]


def recorded(path, role, tokenizer, vocabulary=VOCAB, prompts=True):
    with exray.Recorder(path, role=role, capture="io") as r:
        if vocabulary:
            r.attach("vocab.txt", vocabulary)
        for text in SPOKEN:
            with r.frame():
                if prompts:
                    r.prompt("keyboard", text)
                r.input("ids", tokenizer(text)[None])
    return path


def finding(tmp_path, edge, reference, edge_vocabulary=VOCAB, vocabulary=VOCAB, **options):
    report = exray.validate(recorded(tmp_path / "e.mcap", "edge", edge, edge_vocabulary, **options),
                            recorded(tmp_path / "r.mcap", "reference", reference, vocabulary, **options))
    f, = [f for f in report.json["findings"] if f["severity"] == "error"]
    assert f["cause"] == "input.tokens"
    return f


def words(vocabulary=VOCAB, **options):
    return exray.Tokenizer("words", vocabulary, length=16, **options)


RIGHT = words()
SHORT = b"".join(VOCAB.splitlines(keepends=True)[:9])


@pytest.mark.parametrize("edge, reference, setting, fix", [
    (words(lower_case=False), RIGHT, "case", "lower_case: true"), (RIGHT, words(lower_case=False), "case", "lower_case: false"),
    (words(pattern=r"\s+"), RIGHT, "pattern", r"`[^\w']+`"), (RIGHT, words(pattern=r"\s+"), "pattern", r"`\s+`")])
def test_the_setting_that_differs_is_named(tmp_path, edge, reference, setting, fix):
    for attached in VOCAB, None:  # on one side is enough
        f = finding(tmp_path, edge, reference, attached)
        assert f["evidence"]["setting"] == setting and fix in f["fix"] and f["evidence"]["kind"] == "unknown"
        assert "<UNKNOWN>" in (f["evidence"]["edge_token"], f["evidence"]["reference_token"])


def test_the_vocabulary_that_differs_is_named(tmp_path):
    for kind, other in (("unknown", SHORT), ("vocabulary", VOCAB.replace(b" 3\n", b" 33\n").replace(b" 9\n", b" 3\n").replace(b" 33\n", b" 9\n"))):
        f = finding(tmp_path, words(other), RIGHT, other)
        assert f["evidence"]["setting"] == "vocabulary" and f["evidence"]["kind"] in (kind, "exchanged")


def test_word_pieces_for_words(tmp_path):
    vocabulary = b"\n".join([b"[PAD]", b"[UNK]", b"[CLS]", b"[SEP]", *[line.split()[0] for line in VOCAB.splitlines()[3:]], b",", b".", b"(", b")", b":"])
    special = {"pad": 0, "start": 2, "end": 3, "unknown": 1}
    right = exray.Tokenizer("wordpiece", vocabulary, length=24)
    f = finding(tmp_path, exray.Tokenizer("words", vocabulary, length=24, special=special), right, vocabulary, vocabulary)
    assert f["evidence"]["setting"] == "tokenizer" and "word pieces" in " ".join(f["details"])
    f = finding(tmp_path, exray.Tokenizer("wordpiece", vocabulary, length=24, lower_case=False), right, vocabulary, vocabulary)
    assert f["evidence"]["setting"] == "case"


def test_rows_that_differ_alone(tmp_path):
    f = finding(tmp_path, words(pad="left"), RIGHT)
    assert "setting" not in f["evidence"] and "both sides' ids alike" in " ".join(f["details"]) and f["evidence"]["kind"] == "padding_side"


def test_without_a_vocabulary_the_words_tell(tmp_path):
    f = finding(tmp_path, words(lower_case=False), RIGHT, None, None)
    assert f["evidence"]["setting"] == "case" and "capital letters" in " ".join(f["details"]) and "edge_token" not in f["evidence"]
    f = finding(tmp_path, words(pattern=r"\s+"), RIGHT, None, None)
    assert f["evidence"]["setting"] == "pattern"
    f = finding(tmp_path, words(SHORT), RIGHT, None, None)
    assert "setting" not in f["evidence"]


def test_without_texts_nothing_is_said_of_settings(tmp_path):
    f = finding(tmp_path, words(lower_case=False), RIGHT, prompts=False)
    assert "setting" not in f["evidence"] and f["evidence"]["edge_token"] == "<UNKNOWN>"


def test_other_ids_than_any_setting_makes(tmp_path):
    def odd(text):
        return np.array(([1] + [3 + len(w) for w in text.split()] + [0] * 16)[:16])

    f = finding(tmp_path, odd, RIGHT)
    assert "setting" not in f["evidence"] and "no usual setting" in " ".join(f["details"])
