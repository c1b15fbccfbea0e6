"""LiteRT weights in blocks with a scale each: they are recorded block by block, and compared as the matrix that they are of."""

import numpy as np
import pytest
from described_interpreter import DescribedInterpreter

import exray
import exray.litert

ROWS, COLUMNS, BLOCK = (24, 8), (32, 24), (8, 8)


class Interpreter(DescribedInterpreter):
    """Two dense layers as LiteRT's interpreter describes them; blocks: their weights are 4 bits, with a scale for each block."""

    def __init__(self, blocks, change=lambda i, w: w):
        super().__init__()
        self.tensor_of("x", np.zeros((1, COLUMNS[0]), np.float32))
        for i, (rows, columns, block) in enumerate(zip(ROWS, COLUMNS, BLOCK)):
            w = change(i, np.random.default_rng(i).normal(0, 1 / np.sqrt(columns), (rows, columns)).astype(np.float32))
            scales = np.abs(w.reshape(-1, block)).max(1) / 7 if blocks else []
            stored = np.round(w.reshape(-1, block) / np.reshape(scales, (-1, 1))).astype(np.int8).reshape(w.shape) if blocks else w
            weights = self.tensor_of(f"w{i}", stored, scales)
            y = self.tensor_of(f"y{i}", np.zeros((1, rows), np.float32))
            self.ops.append({"index": i, "op_name": "FULLY_CONNECTED", "inputs": np.array([2 * i, weights, -1]), "outputs": np.array([y])})
            self.output = y

    def tensor_of(self, name, value, scales=()):
        index = len(self.details)
        self.values[index] = value
        self.details.append({"index": index, "name": name, "dtype": value.dtype.type, "shape": np.array(value.shape),
                             "quantization_parameters": {"scales": np.float32(scales), "zero_points": [], "quantized_dimension": 0}})
        return index

    def invoke(self):
        for i in range(len(ROWS)):
            w, scales = self.values[2 * i + 1], self.details[2 * i + 1]["quantization_parameters"]["scales"]
            real = w if not len(scales) else (w.reshape(len(scales), -1) * scales[:, None]).reshape(w.shape)
            self.values[2 * i + 2] = self.values[2 * i] @ real.T.astype(np.float32)


# tensors: x, w0, y0, w1, y1: an operation reads the one before its weights
def log(path, role, made):
    with exray.Recorder(path, role=role, capture="full") as recorder:
        exray.litert.tap(made, recorder)
        for k in range(4):
            made.values[0] = np.random.default_rng(50 + k).normal(0, 1, (1, COLUMNS[0])).astype(np.float32)
            with recorder.frame(source=str(k)):
                made.invoke()
    return path


def judged(folder, change=lambda i, w: w):
    return exray.validate(log(folder / "e.mcap", "edge", Interpreter(True, change)), log(folder / "r.mcap", "reference", Interpreter(False)))


def test_they_are_recorded_block_by_block(tmp_path):
    made = Interpreter(True)
    with exray.open(log(tmp_path / "e.mcap", "edge", made)) as recorded:
        weights = recorded.constants[1]
        assert weights.shape == (ROWS[0] * COLUMNS[0] // BLOCK[0], BLOCK[0])
        scales = made.details[1]["quantization_parameters"]["scales"]
        np.testing.assert_allclose(weights.values(), made.values[1].reshape(-1, BLOCK[0]) * scales[:, None], rtol=1e-6)


def test_a_healthy_copy_passes(tmp_path):
    report = judged(tmp_path)
    assert report.verdict == "pass" and [f.cause for f in report.findings] == []


@pytest.mark.parametrize("layer", [0, 1])
def test_columns_in_another_order_are_other_weights(tmp_path, layer):
    report = judged(tmp_path, lambda i, w: np.roll(w, 1, 1) if i == layer else w)
    assert [f.cause for f in report.findings] == ["model.weights"] and f"w{layer}" in str(report.json["findings"][0])
