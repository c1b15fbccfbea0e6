"""exray: finds why a model that was right in the lab is wrong, or slow, on the device.

    exray.open(path)                   read a log
    exray.Recorder(path)               record one
    exray.playback(path)               captured data for another pipeline
    exray.validate(edge, reference)    what is wrong, and why
    exray.assertion                    a property of one's own
    exray.Task                         a task of one's own
    exray.torch, keras, onnx, litert   taps: a framework's models recorded in one line

docs/python.md is the way in.  Everything here calls the C library; errors are exray.Error.
"""

from exray._comparison import Comparison, IOPair, LayerPair, Metrics, ReadingSeries
from exray._errors import (ArgumentError, EngineError, Error, FileError, FormatError, LimitError, MissingPackage,
                           NoSpaceError, NotRecorded, OutOfMemoryError, StateError, UnsupportedError,
                           ValidationFailed, text)
from exray._exray import lib as _lib
from exray._flight import Flight, FlightFrame
from exray._log import Frame, Log, open, playback
from exray._recorder import Recorder
from exray._task import Task
from exray._tensor import Tensor, Tensors
from exray._text import Tokenizer
from exray._types import (Box, ClassScore, Event, Keypoint, Media, Model, Node, Quantization, Result, Sketch, Stats,
                          TensorInfo, Vector)
from exray._validate import Accuracy, Assertion, Finding, Layer, LayerSide, Measure, Report, assertion, validate
from exray import keras, litert, onnx, torch

__version__: str = text(_lib.exray_version())
del text

__all__ = [
    "Accuracy", "ArgumentError", "Assertion", "Box", "ClassScore", "Comparison", "EngineError", "Error", "Event",
    "FileError", "Finding", "Flight", "FlightFrame", "FormatError", "Frame", "IOPair", "Keypoint", "Layer", "LayerPair", "LayerSide", "LimitError", "Log", "Media",
    "Measure", "Metrics", "MissingPackage", "Model", "NoSpaceError", "Node", "NotRecorded", "OutOfMemoryError", "Quantization", "ReadingSeries",
    "Recorder", "Report", "Result", "Sketch", "StateError", "Stats", "Task", "Tensor", "TensorInfo", "Tensors", "Tokenizer",
    "UnsupportedError", "ValidationFailed", "Vector", "__version__", "assertion", "keras", "litert", "onnx", "open", "playback",
    "torch", "validate",
]
