"""Classifies pictures with a TensorFlow Lite model:

    python classify.py MODEL LOG PICTURE...

The lines marked `# exray` are all that recording takes."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import exray  # exray

model, log, *pictures = sys.argv[1:]
interpreter = Interpreter(model, experimental_preserve_all_tensors=True)
interpreter.allocate_tensors()
given, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
_, height, width, _ = given["shape"]
with exray.Recorder(log, role="edge", capture="full") as recorder:  # exray
    exray.litert.tap(interpreter, recorder, model)  # exray
    for picture in map(Path, pictures):
        with recorder.frame(source=picture.name):  # exray
            recorder.encoded("camera", picture.read_bytes())  # exray
            pixels = np.asarray(Image.open(picture).convert("RGB").resize((width, height)), np.float32)
            interpreter.set_tensor(given["index"], pixels[None] / 127.5 - 1)
            interpreter.invoke()
            print(picture.name, interpreter.get_tensor(made["index"]).argmax())
