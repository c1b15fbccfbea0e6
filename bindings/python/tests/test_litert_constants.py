"""Which tensors of an interpreter are weights: not what kernels use as scratch memory, nor what keeps a state."""

import numpy as np
import pytest
from described_interpreter import DescribedInterpreter

import exray
import exray.litert


class Interpreter(DescribedInterpreter):
    """An LSTM and a dense layer as LiteRT's interpreter describes them: tensors 20 and 21 are states, 30 is scratch memory."""

    def __init__(self):
        super().__init__()
        tensors = {0: "x", 1: "w", 20: "hidden", 21: "cell", 22: "y", 23: "dense/w", 24: "z", 30: ""}
        self.values = {i: np.full((2, 2), i, np.float32) for i in tensors}
        self.details = [{"index": i, "name": n, "dtype": np.float32, "shape": np.array([2, 2]),
                         "quantization_parameters": {"scales": [], "zero_points": [], "quantized_dimension": 0}} for i, n in tensors.items()]
        lstm = [0] + [1] * 17 + [20, 21]
        self.ops = [{"index": 0, "op_name": "UNIDIRECTIONAL_SEQUENCE_LSTM", "inputs": np.array(lstm), "outputs": np.array([22])},
                    {"index": 1, "op_name": "FULLY_CONNECTED", "inputs": np.array([22, 23, -1]), "outputs": np.array([24])}]
        self.output = 24


def test_scratch_and_states_are_no_constants(tmp_path):
    made = Interpreter()
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as recorder:
        exray.litert.tap(made, recorder)
        with recorder.frame(source="0"):
            made.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        assert sorted(t.name for t in log.constants.values()) == ["dense/w", "w"]
        assert sorted(t.name for t in log.model.tensors if t.constant) == ["dense/w", "w"]


def test_shapes_computed_at_preparation_may_share_memory(tmp_path):
    """TensorFlow Lite gives sizes that it knows before a run one place; they are never overwritten."""
    made = Interpreter()
    for index, name in ((40, "shape"), (41, "size"), (42, "size again")):
        made.values[index] = np.array([4], np.int32)
        made.details.append({**made.details[0], "index": index, "name": name, "dtype": np.int32, "shape": np.array([1])})
    made.values[42] = made.values[41]
    made.ops += [{"index": 2, "op_name": "SHAPE", "inputs": np.array([22]), "outputs": np.array([40])},
                 {"index": 3, "op_name": "REDUCE_PROD", "inputs": np.array([40]), "outputs": np.array([41])},
                 {"index": 4, "op_name": "REDUCE_PROD", "inputs": np.array([40]), "outputs": np.array([42])}]
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as recorder:
        exray.litert.tap(made, recorder)
        with recorder.frame(source="0"):
            made.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        assert len(log[0].layers) == 5


@pytest.mark.parametrize("read, recorded", [((), [0, 1, 2]), ((51,), [0, 1, 2, 3])], ids=["both unread", "one is read"])
def test_what_nothing_reads_may_share_memory(tmp_path, read, recorded):
    """A loop's counters: no interpreter keeps them; what is read, and what shares no memory, is recorded."""
    made = Interpreter()
    for index, name in ((50, "a"), (51, "b"), (52, "c")):
        made.values[index] = np.full((2, 2), index, np.float32)
        made.details.append({**made.details[0], "index": index, "name": name})
        made.ops.append({"index": len(made.ops), "op_name": "NEG", "inputs": np.array([24]), "outputs": np.array([index])})
    made.values[52] = made.values[51]
    made.ops.append({"index": len(made.ops), "op_name": "CALL", "inputs": np.array([50, *read]), "outputs": np.array([], int)})
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as recorder:
        exray.litert.tap(made, recorder)
        with recorder.frame(source="0"):
            made.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        assert sorted(log[0].layers) == recorded


def test_what_is_read_may_not(tmp_path):
    made = Interpreter()
    made.values[24] = made.values[22]
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as recorder, pytest.raises(exray.EngineError, match="share memory"):
        exray.litert.tap(made, recorder)
