"""What tests of ONNX Runtime's quantizer share."""

import logging

from onnxruntime.quantization import CalibrationDataReader

logging.disable(logging.WARNING)


class Data(CalibrationDataReader):
    """Pictures for the input x."""

    def __init__(self, arrays):
        self.left = iter(arrays)

    def get_next(self):
        x = next(self.left, None)
        return None if x is None else {"x": x}
