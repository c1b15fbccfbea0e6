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
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from litert_quantizer import quantizer, recipe
from pictures import model_input, normalize, pictures_in

SIGNATURE = "serving_default"
INPUT = "image"


def seen_ranges(float_model: bytes, inputs) -> dict:
    """{tensor: (least, largest)} of all that the model computes of the inputs."""
    run = Interpreter(model_content=float_model, experimental_preserve_all_tensors=True,
                      experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    run.allocate_tensors()
    names = {d["index"]: d["name"] for d in run.get_tensor_details()}
    made, found = [op["outputs"][0] for op in run._get_ops_details()], {}
    for x in inputs:
        run.set_tensor(run.get_input_details()[0]["index"], x)
        run.invoke()
        for t in made:
            values = run.get_tensor(t)
            low, high = found.get(names[t], (np.inf, -np.inf))
            found[names[t]] = min(low, values.min()), max(high, values.max())
    return found


def quantize(float_model: bytes, inputs, weights="CHANNELWISE", input_range=(0, 255), seen=None) -> bytes:
    """The int8 model, calibrated on the model inputs given.  `weights`: one scale for each channel, or
    TENSORWISE.  `input_range`: the darkest and the brightest pixel; None: as the inputs have it.
    `seen`: {tensor: (least, largest)} in place of the ranges that the quantizer finds, which it smooths."""
    how = recipe.static_wi8_ai8()
    for entry in how:
        entry["op_config"]["weight_tensor_config"]["granularity"] = weights
    engine = quantizer.Quantizer(float_model, how)
    ranges = engine.calibrate({SIGNATURE: [{INPUT: x} for x in inputs]}, num_threads=1)
    for name, limits in (seen or {}).items():
        for key, value in zip(("min", "max"), limits):
            ranges[name][key] = np.full_like(ranges[name][key], value)
    # Calibration smooths over the pictures; but what black and white become is
    # known, and a smaller range would clip them.
    if input_range is not None:
        for key, pixel in zip(("min", "max"), input_range):
            ranges[INPUT][key] = np.full_like(ranges[INPUT][key], normalize(pixel))
    result = engine.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return constants_inside(bytes(result.quantized_model))


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
    parser.add_argument("--whole-range", action="store_true", help="ranges hold all values that were seen (the quantizer's are smoothed)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file to write")
    arguments = parser.parse_args()
    try:
        pictures = pictures_in(arguments.calibration)[: arguments.pictures]
        if not pictures:
            print(f"quantize_lite0: no picture in {arguments.calibration}", file=sys.stderr)
            return 2
        model, inputs = arguments.model.read_bytes(), [model_input(path) for path in pictures]
        seen = seen_ranges(model, inputs) if arguments.whole_range else None
        arguments.output.write_bytes(quantize(model, inputs, seen=seen))
    except OSError as e:
        print(f"quantize_lite0: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
