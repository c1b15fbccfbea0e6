"""Tokenizers and texts in logs: against Python's `re`, what Hugging Face's `tokenizers` (0.23, BertNormalizer, BertPreTokenizer,
WordPiece) made of the lines in wordpieces.json, and Magika's rule."""

import json
import random
import re
from pathlib import Path

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
