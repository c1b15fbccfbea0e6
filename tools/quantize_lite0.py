#!/usr/bin/env python3
"""Quantizes a float model built by build_lite0.py to int8 weights and activations.

Needs the PyPI packages litert-quantizer 0.11.0 (which brings ai-edge-litert and flatbuffers),
numpy and pillow; no TensorFlow.
Ranges of activations are those seen on the calibration pictures: give pictures
like those that the model will see.

    quantize_lite0.py lite0.tflite --calibration photographs/ -o lite0_int8.tflite
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import quantizer, recipe
from pictures import model_input, normalize, pictures_in

SIGNATURE = "serving_default"
INPUT = "image"


def quantize(float_model: bytes, pictures) -> bytes:
    """The int8 model, calibrated on the picture files given."""
    engine = quantizer.Quantizer(float_model, recipe.static_wi8_ai8())
    samples = [{INPUT: model_input(path)} for path in pictures]
    ranges = engine.calibrate({SIGNATURE: samples}, num_threads=1)
    # Calibration smooths over the pictures; but what black and white become is
    # known, and a smaller range would clip them.
    for key, pixel in (("min", 0), ("max", 255)):
        ranges[INPUT][key] = np.full_like(ranges[INPUT][key], normalize(pixel))
    result = engine.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def constants_inside(file: bytes) -> bytes:
    """The model with its constants inside the flatbuffer.  The quantizer writes them behind
    it, where TensorFlow Lite's C library of 2.17 does not find them."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(file, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(file[buffer.offset : buffer.offset + buffer.size], np.uint8)
            buffer.offset = buffer.size = 0
    builder = flatbuffers.Builder(len(file))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="the float .tflite file")
    parser.add_argument("--calibration", type=Path, required=True, help="a folder of JPEG or PNG pictures")
    parser.add_argument("--pictures", type=int, default=32, help="how many of them are used (32)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file to write")
    arguments = parser.parse_args()
    try:
        pictures = pictures_in(arguments.calibration)[: arguments.pictures]
        if not pictures:
            print(f"quantize_lite0: no picture in {arguments.calibration}", file=sys.stderr)
            return 2
        arguments.output.write_bytes(constants_inside(quantize(arguments.model.read_bytes(), pictures)))
    except OSError as e:
        print(f"quantize_lite0: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
