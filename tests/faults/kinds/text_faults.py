"""What goes wrong with texts on their way into a model, and with what the user is told of them.

Each fault has the causes that are right: the first is the exact one, others say the same of these data."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Callable

import numpy as np
from text_models import other_vocabulary
from told_changes import each, each_vector, of_the_frame_before


@dataclass
class TextFault:
    name: str
    causes: tuple
    change: Callable  # settings: (model) -> changed settings, or None; text: (text or bytes) -> the same; ids: ({input: [array of each frame]}) -> the same;
    #                   told: (list of Result) -> the same; pooled: (list of Result, {output: [array]}, {input: [array]}) -> list of Result
    where: str  # "settings", "text", "ids", "bytes", "told", "pooled"
    models: tuple = ()  # their names; (): all whose input or results are of the kind


TOKENS, ORDER, SHAPE, FRAMES = ("input.tokens",), ("input.order",), ("input.shape",), ("input.frame_order",)


def _is(kind, make):
    """Settings of the models with this tokenizer alone."""
    return lambda m: make(m) if m.right["tokenizer"] in kind.split() else None


def _set(kind, **settings):
    return _is(kind, lambda m: settings)


def _special(kind, **ids):
    return _is(kind, lambda m: {"special": ids})


# ---- The pipeline -----------------------------------------------------------------------------------


def _vocabulary(kind, key, change):
    return _is(kind, lambda m: {"vocabulary": other_vocabulary(m, key, change), **(_BERT if kind == "wordpiece" else {})})


# A vocabulary whose special tokens lie elsewhere: an application has their numbers in its code.
_BERT = {"special": {"pad": 0, "unknown": 100, "start": 101, "end": 102}}


def _permuted(pairs):
    kept = [(t, i) for t, i in pairs if i < 4 or t.startswith("[")]
    rest = [(t, i) for t, i in pairs if not (i < 4 or t.startswith("["))]
    return kept + [(t, int(i)) for (t, _), i in zip(rest, np.random.default_rng(1).permutation([i for _, i in rest]))]


def _added(by):
    """Each id is higher, but for the special ones."""
    return lambda pairs: [(t, i if i < 4 or t.startswith("[") else i + by) for t, i in pairs]


def _one_line_more(pairs):
    """An older or newer file: from the middle on all ids are 1 higher."""
    middle = sorted(i for _, i in pairs)[len(pairs) // 20]
    return [(t, i + (i >= middle)) for t, i in pairs]


def _shorter(pairs):
    """The rarer half of the words is missing."""
    return [(t, i) for t, i in pairs if i < max(150, len(pairs) // 8)]


def _length(m):
    return {"length": m.right["length"] - 16} if "length" in m.right and m.inputs else {"length": 12} if m.inputs else None


def _inputs(**inputs):
    return lambda m: {"inputs": inputs} if m.inputs else None


SETTINGS = [
    ("not lower-cased", TOKENS, _set("words wordpiece", lower_case=False)),
    ("punctuation kept", TOKENS, _set("words", pattern=r"\s+")),
    ("apostrophes part words", TOKENS, _set("words", pattern=r"\W+")),
    ("letters of English alone", TOKENS, _set("words", pattern="[^a-z]+")),
    ("unknown words padded", TOKENS, _special("words", pad=0, start=1, unknown=0)),
    ("unknown words get another id", TOKENS, _special("words", pad=0, start=1, unknown=3)),
    ("unknown pieces get 0", TOKENS, _special("wordpiece", pad=0, start=101, end=102, unknown=0), ("minilm_scripts",)),
    ("no start", TOKENS, _special("words", pad=0, unknown=2)),
    ("an end", TOKENS, _special("words", pad=0, start=1, unknown=2, end=3)),
    ("no [CLS] and [SEP]", TOKENS, _special("wordpiece", pad=0, unknown=100)),
    ("no [SEP]", TOKENS, _special("wordpiece", pad=0, unknown=100, start=101)),
    ("no [CLS]", TOKENS, _special("wordpiece", pad=0, unknown=100, end=102)),
    ("[SEP] for [CLS]", TOKENS, _special("wordpiece", pad=0, unknown=100, start=102, end=101)),
    ("padded in front", TOKENS, lambda m: {"pad": "left"} if "length" in m.right and not m.right["tokenizer"] == "bytes" else None),
    ("padded with another id", TOKENS, lambda m: None if "length" not in m.right else {"special": {
        "words": {"pad": 2, "start": 1, "unknown": 2}, "wordpiece": {**_BERT["special"], "pad": 1}, "bytes": {"pad": 0}}[m.right["tokenizer"]]}),
    ("not padded", ("input.shape", "input.tokens"), lambda m: {"length": None} if m.inputs and "length" in m.right else None),
    ("padded where nothing was", ("input.shape", "input.tokens"), lambda m: {"length": 64} if m.inputs and "length" not in m.right else None),
    ("long texts keep their end", TOKENS, lambda m: {"truncate": "left"} if "length" in m.right else None),
    ("the beginning alone", TOKENS, _set("bytes", truncate="right")),
    ("another length", ("input.shape", "input.tokens"), _length),
    ("another vocabulary", TOKENS, _vocabulary("words", "permuted", _permuted)),
    ("another vocabulary", TOKENS, _vocabulary("wordpiece", "permuted", _permuted)),
    ("ids 1 too high", TOKENS, _vocabulary("words", "added1", _added(1))),
    ("ids 1 too high", TOKENS, _vocabulary("wordpiece", "added1", _added(1))),
    ("ids 3 too high", TOKENS, _vocabulary("words", "added3", _added(3))),
    ("a line more in the vocabulary", TOKENS, _vocabulary("words", "longer", _one_line_more)),
    ("a line more in the vocabulary", TOKENS, _vocabulary("wordpiece", "longer", _one_line_more)),
    ("a short vocabulary", TOKENS, _vocabulary("words", "shorter", _shorter)),
    ("whole words for pieces", TOKENS, _is("wordpiece", lambda m: {"tokenizer": "words", **_BERT})),
    ("mask of ones", TOKENS, lambda m: {"inputs": {"attention_mask": "{constant: 1}"}} if m.inputs and "length" in m.right else None),
    ("mask of zeros", TOKENS, _inputs(attention_mask="{constant: 0}")),
    ("types of 1", TOKENS, _inputs(token_type_ids="{constant: 1}")),
    ("mask and types exchanged", ORDER, _inputs(attention_mask="{constant: 0}", token_type_ids="{mask_of: input_ids}")),
    ("ids and mask exchanged", ORDER, _inputs(attention_mask="text", input_ids="{mask_of: attention_mask}")),
]

# ---- The text, before it is tokenized ---------------------------------------------------------------------


def _no_accents(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _again(text):
    """UTF-8 read as Windows' letters."""
    return text.encode("utf-8").decode("cp1252", errors="replace")


TEXT = [
    ("accents stripped", TOKENS, _no_accents, ("review", "words_lstm")),
    ("letters of another encoding", TOKENS, _again, ("review", "minilm_scripts")),
    ("cut after 8 words", TOKENS, lambda t: " ".join(t.split(" ")[:8]), ("review", "words_lstm", "minilm", "minilm_open")),
    ("cut after 40 letters", TOKENS, lambda t: t[:40], ("review", "minilm_scripts")),
    ("stop words left out", TOKENS, lambda t: re.sub(r"\b(the|a|is|and|of|it|to|in) ", "", t), ("review", "minilm", "minilm_open")),
    ("words in reverse order", TOKENS, lambda t: " ".join(t.split(" ")[::-1]), ("words_lstm", "minilm")),
    ("text twice", TOKENS, lambda t: t + " " + t, ("review", "words_lstm")),
    ("numbers left out", TOKENS, lambda t: re.sub(r"\d+", "", t), ("minilm", "review")),
    ("line ends of Windows", TOKENS, lambda b: b.replace(b"\n", b"\r\n"), ("magika",)),
    ("bytes above 127 replaced", TOKENS, lambda b: bytes(c if c < 128 else 63 for c in b), ("magika",)),
    ("letters of 2 bytes", TOKENS, lambda b: b.decode("latin-1").encode("utf-16-le"), ("magika",)),
    ("first 64 bytes lost", TOKENS, lambda b: b[64:], ("magika",)),
]

# ---- Ids, masks and types ---------------------------------------------------------------------------


def _ids(change):
    """change(array, mask or None) -> array, of the ids of each frame."""
    def changed(inputs):
        name = "input_ids" if "input_ids" in inputs else next(iter(inputs))
        masks = inputs.get("attention_mask", [None] * len(inputs[name]))
        return {**inputs, name: [change(a.copy(), m) for a, m in zip(inputs[name], masks)]}
    return changed


def _input(name, change):
    return lambda inputs: {**inputs, name: [change(a, inputs["input_ids"][k]) for k, a in enumerate(inputs[name])]}


def _late(frames):
    return lambda inputs: {n: [a[max(k - frames, 0)] for k in range(len(a))] for n, a in inputs.items()}


def _some_late(inputs):
    """Every second frame still has the text before."""
    return {n: [a[k - (k % 2)] for k in range(len(a))] for n, a in inputs.items()}


def _stale(inputs):
    """The buffer is not cleared: behind a shorter text stands the end of the one before."""
    name, out, left = next(iter(inputs)), [], None
    for a in inputs[name]:
        now = a.copy()
        if left is not None:
            end = _end(now)
            now[..., end:] = left[..., end:]
        out.append(now)
        left = now
    return {**inputs, name: out}


def _end(row):
    used = np.flatnonzero(row.reshape(-1))
    return int(used[-1]) + 1 if used.size else 0


def _halves(row, _):
    half = row.shape[-1] // 2
    return np.concatenate([row[..., half:], row[..., :half]], -1)


IDS = [
    ("ids 1 too high, special ones too", TOKENS, _ids(lambda a, m: a + 1), ("review", "words_lstm", "minilm_open")),
    ("text of the frame before", FRAMES, _late(1), ("review", "words_lstm", "minilm", "magika")),
    ("text of two frames before", FRAMES, _late(2), ("review", "magika")),
    ("every second text is the one before", FRAMES + TOKENS, _some_late, ("review", "magika", "minilm")),
    ("end of the text before behind it", TOKENS, _stale, ("review", "words_lstm")),
    ("mask inverted", TOKENS, _input("attention_mask", lambda a, ids: 1 - a), ("minilm", "minilm_scripts")),
    ("mask of the first half", TOKENS, _input("attention_mask", lambda a, ids: (np.arange(a.shape[-1]) < a.shape[-1] // 2)[None].astype(a.dtype)), ("minilm",)),
    ("mask without [CLS] and [SEP]", TOKENS, _input("attention_mask", lambda a, ids: a * (ids != 101) * (ids != 102)), ("minilm", "minilm_scripts")),
    ("mask one too long", TOKENS, _input("attention_mask", lambda a, ids: np.maximum(a, np.roll(a, 1, -1))), ("minilm",)),
    ("types are the mask", ORDER + TOKENS, _input("token_type_ids", lambda a, ids: (ids != 0).astype(a.dtype)), ("minilm", "minilm_scripts")),
    ("tail before head", TOKENS, _ids(_halves), ("magika",)),
    ("bytes with a sign", TOKENS + ("input.dtype",), _ids(lambda a, m: np.where((a > 127) & (a < 256), a - 256, a)), ("magika",)),
    ("padding at the end", TOKENS, _ids(lambda a, m: np.concatenate([a[a != 256], a[a == 256]])[None]), ("magika",)),
    ("a fixed word in front", TOKENS, _ids(lambda a, m: np.concatenate([a[..., :1], np.full_like(a[..., :1], 14), a[..., 1:-1]], -1)), ("review", "words_lstm")),
    ("repeated words once", TOKENS, _ids(lambda a, m: _once(a)), ("review",)),
]


def _once(row):
    flat = row.reshape(-1)
    kept = [flat[0], *(b for a, b in zip(flat, flat[1:]) if b != a or b == 0)]
    return np.resize(np.array(kept + [0] * (flat.size - len(kept)), row.dtype), row.shape)


# ---- Bytes that an application reads otherwise: (bytes of the file) -> row of 2048 ------------------------


def bytes_row(data, head=1024, tail=1024, strip=True, pad=256):
    """Magika's row: the beginning, the end, padding between them."""
    begin, end = data[:4096], data[-4096:]
    begin, end = (begin.lstrip()[:head], end.rstrip()[-tail:] if tail else b"") if strip else (begin[:head], end[-tail:] if tail else b"")
    begin = [*begin] + [pad] * (head - len(begin))
    return np.array([begin + [pad] * (tail - len(end)) + [*end]], np.int32)


BYTES = [
    ("white space not stripped", TOKENS, lambda data: bytes_row(data, strip=False)),
    ("more of the beginning", TOKENS, lambda data: bytes_row(data, 1536, 512)),
    ("a shorter row, padded", TOKENS, lambda data: np.concatenate([bytes_row(data, 512, 512), np.full((1, 1024), 256, np.int32)], 1)),
]

# ---- What the user is told ---------------------------------------------------------------------------


def _swap_ids(r):
    for c in r.classes:
        c.id = {0: 1, 1: 0}.get(c.id, c.id)
        c.label = ""


def _last_first(r):
    kept = [type(c).FromString(c.SerializeToString()) for c in r.classes][::-1]
    del r.classes[:]
    r.classes.extend(kept)


def _halved(r):
    for c in r.classes:
        c.score /= 2


def _fixed(r):
    for c in r.classes[:1]:
        c.id, c.label = 1, ""
    del r.classes[1:]


def _pooled(make):
    """The vector that is told is made of the hidden states: make(states [n, width], mask [n]) -> vector."""
    def changed(results, outputs, inputs):
        for r, states, mask in zip(results, outputs["last_hidden_state"], inputs["attention_mask"]):
            made = make(states.reshape(-1, 384).astype(np.float64), mask.reshape(-1))
            for v in r.vectors:
                if v.name == "sentence_embedding" or len(v.value) == 384:
                    del v.value[:]
                    v.value.extend(made / np.linalg.norm(made))
        return results
    return changed


TOLD = {
    "classes": [
        ("classes exchanged", ("output.label_offset", "output.postprocess"), each(_swap_ids), ("review",)),
        ("result of the text before", ("output.postprocess", "output.frame_order"), of_the_frame_before),
        ("worst class first", ("output.postprocess", "output.label_offset"), each(_last_first)),
        ("scores halved", ("output.postprocess",), each(_halved)),
        ("always class 1", ("output.postprocess",), each(_fixed)),
    ],
    "vector": [
        ("vector of the text before", ("output.postprocess", "output.frame_order"), of_the_frame_before),
        ("vector negated", ("output.postprocess",), each_vector(lambda v: -v)),
        ("vector not of length 1", ("output.postprocess",), each_vector(lambda v: v * 7.5)),
    ],
}
POOLED = [
    ("mean over the padding, too", ("output.postprocess",), _pooled(lambda h, m: h.mean(0))),
    ("first token for the mean", ("output.postprocess",), _pooled(lambda h, m: h[0])),
    ("maximum for the mean", ("output.postprocess",), _pooled(lambda h, m: h[m == 1].max(0))),
]
LABELS = [("classes off by one", ("output.label_offset",), lambda m: {"output": {"label_offset": 1}} if m.told == "classes" else None)]


def of(model):
    """All faults of a model."""
    named = lambda rows, where: [TextFault(r[0], r[1], r[2], where, r[3] if len(r) > 3 else ()) for r in rows]
    found = named(SETTINGS + LABELS, "settings") + named(TEXT, "text") + named(IDS, "ids") + named(TOLD[model.told], "told")
    if model.right["tokenizer"] == "bytes":
        found += named(BYTES, "bytes")
    if model.told == "vector":
        found += [f for f in named(POOLED, "pooled") if f.name != "mean over the padding, too" or "length" in model.right]
    found = [f for f in found if not f.models or model.name in f.models]
    return [f for f in found if f.where != "settings" or f.change(model) is not None]
