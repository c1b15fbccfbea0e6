"""Classifies texts with an ONNX model that takes token ids:

    python classify_text.py MODEL VOCABULARY LOG TEXT...

The lines marked `# exray` are all that recording takes.  With the texts and the vocabulary in the log, `exray validate` says what
differs in words ("the text is not made lower case on the edge"), and `exray replay` tokenizes them again."""

import re
import sys
from pathlib import Path

import numpy as np

import exray  # exray

model, vocabulary, log, *texts = sys.argv[1:]
ids = {word: i for i, word in enumerate(Path(vocabulary).read_text(encoding="utf-8").splitlines())}  # 0 pads, 1 starts, 2 is unknown
with exray.Recorder(log, role="edge", capture="full") as recorder:  # exray
    recorder.attach("vocabulary.txt", Path(vocabulary).read_bytes())  # exray
    session = exray.onnx.tap(model, recorder)  # exray: in place of onnxruntime.InferenceSession(model)
    given = session.get_inputs()[0]
    for text in texts:
        with recorder.frame(source=text[:40]):  # exray
            recorder.prompt("keyboard", text)  # exray
            words = [w for w in re.split(r"[^\w']+", text.lower()) if w]
            row = ([1] + [ids.get(w, 2) for w in words] + [0] * given.shape[1])[:given.shape[1]]
            scores = session.run(None, {given.name: np.array([row], np.int64)})[0][0]
            recorder.classes(scores, labels=["negative", "positive"])  # exray
            print("positive" if scores[1] > scores[0] else "negative", text)
