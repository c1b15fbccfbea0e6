"""Runs the pictures of the edge's log through the pipeline that the model was trained with:

    python reference.py MODEL EDGE_LOG LOG"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import exray

model, edge, log = sys.argv[1:]
interpreter = Interpreter(model, experimental_preserve_all_tensors=True)
interpreter.allocate_tensors()
given = interpreter.get_input_details()[0]
_, height, width, _ = given["shape"]
with exray.open(edge) as captured, exray.Recorder(log, capture="full", replay_of=captured) as recorder:
    exray.litert.tap(interpreter, recorder, model)
    for frame in exray.playback(captured):
        with recorder.frame(frame):
            pixels = np.asarray(Image.fromarray(frame.image()).resize((width, height)), np.float32)
            interpreter.set_tensor(given["index"], pixels[None] / 127.5 - 1)
            interpreter.invoke()
