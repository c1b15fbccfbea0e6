"""model.mode: batch normalization with the statistics of the batch, and dropout, on one side only."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

CHANNELS, SIZE, FRAMES = 6, 10, 3


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


WEIGHT = random(1, CHANNELS, 3)
SCALE, SHIFT = 1 + random(2, CHANNELS) / 5, random(3, CHANNELS) / 5
MEAN, VARIANCE = random(4, CHANNELS), np.abs(random(5, CHANNELS)) + 1


class Net:
    """conv 1x1 -> batch norm -> dropout -> mean over the picture, NCHW."""

    def __init__(self, batch=False, drop=0.0, said=None, scaled=True):
        self.batch, self.drop, self.said, self.scaled = batch, drop, said, scaled

    def run(self, x, seed):
        conv = np.einsum("oc,nchw->nohw", WEIGHT, x)
        view = (1, CHANNELS, 1, 1)
        mean, variance = (conv.mean((0, 2, 3)), conv.var((0, 2, 3))) if self.batch else (MEAN, VARIANCE)
        norm = (conv - mean.reshape(view)) / np.sqrt(variance.reshape(view) + 1e-5) * SCALE.reshape(view) + SHIFT.reshape(view)
        kept = np.random.default_rng(100 + seed).random(norm.shape) >= self.drop
        dropped = norm * kept / ((1 - self.drop) if self.scaled else 1)
        return [a.astype(np.float32) for a in (x, conv, norm, dropped, dropped.mean((2, 3)))]

    def write(self, path, role):
        m = PB["Model"](name="net", engine="torch", inputs=[0], outputs=[4])
        tensors = self.run(random(9, 1, 3, SIZE, SIZE), 0)
        for i, t in enumerate(tensors):
            m.tensors.add(name=f"t{i}", dtype=1, shape=t.shape)
        constants = [WEIGHT.reshape(CHANNELS, 3, 1, 1), SCALE, SHIFT, MEAN, VARIANCE]
        for i, c in enumerate(constants):
            m.tensors.add(name=f"c{i}", dtype=1, shape=c.shape, constant=True)
        m.nodes.add(op="Conv2d", name="conv", inputs=[0, 5], outputs=[1])
        norm = m.nodes.add(op="BatchNorm2d", name="norm", inputs=[1, 6, 7, 8, 9], outputs=[2])
        dropout = m.nodes.add(op="Dropout", name="drop", inputs=[2], outputs=[3])
        m.nodes.add(op="mean", name="pool", inputs=[3], outputs=[4])
        if self.said is not None:
            norm.attributes["training"] = dropout.attributes["training"] = str(self.said)
        with Recording(path, role) as log:
            log.add("/model", "Model", m)
            for i, c in enumerate(constants):
                t = PB["Tensor"](tensor=5 + i, data=c.astype(np.float32).tobytes())
                t.info.CopyFrom(m.tensors[5 + i])
                log.add(f"/constant/{5 + i}", "Tensor", t)
            for f in range(FRAMES):
                x, *layers = self.run(random(20 + f, 1, 3, SIZE, SIZE), f)
                log.frame([("/input/t0", x, {}), *((f"/layer/{i}", a, {}) for i, a in enumerate(layers)), ("/output/t4", layers[-1], {})])


def compare(tmp_path, edge, reference, status):
    edge.write(tmp_path / "edge.mcap", "edge")
    reference.write(tmp_path / "reference.mcap", "reference")
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


TRAINED = [{"batch": True}, {"drop": 0.3}, {"batch": True, "drop": 0.5}]


@pytest.mark.parametrize("said", [None, True], ids=["by values", "said"])
@pytest.mark.parametrize("side", ["edge", "reference"])
@pytest.mark.parametrize("trained", TRAINED, ids=["batch norm", "dropout", "both"])
def test_the_side_in_training_mode_is_named(tmp_path, trained, side, said):
    nets = {"edge": Net(said=said and False), "reference": Net(said=said and False), side: Net(said=said, **trained)}
    v = compare(tmp_path, nets["edge"], nets["reference"], 1)
    f = finding(v, "model.mode")
    assert causes(v)[0] == "model.mode" and f["evidence"]["side"] == side
    assert [c for c in causes(v) if c.startswith(("layer.", "model."))] == ["model.mode"]
    assert f["summary"].startswith(f"The {side} runs in training mode")
    if "drop" in trained:
        assert abs(f["evidence"]["zeroed_share"] - trained["drop"]) < 0.1


def test_both_sides_in_training_mode(tmp_path):
    v = compare(tmp_path, Net(batch=True, drop=0.5), Net(batch=True, drop=0.3), 1)
    assert finding(v, "model.mode")["evidence"]["side"] == "both"


@pytest.mark.parametrize("edge", [Net(), Net(said=False)])
def test_inference_mode_is_no_finding(tmp_path, edge):
    assert causes(compare(tmp_path, edge, Net(), 0)) == []


def test_zeros_that_no_dropout_makes_are_another_fault(tmp_path):
    """What remains is not scaled: no dropout does that."""
    v = compare(tmp_path, Net(drop=0.3, scaled=False), Net(), 1)
    assert "model.mode" not in causes(v)


def write_recurrent(path, role, training, dropout="0.2", states=False):
    """relu -> GRU of two layers -> mean; the GRU's second output, which nothing reads, where `states`."""
    m = PB["Model"](name="net", engine="torch", inputs=[0], outputs=[3])
    for i, shape in enumerate([(1, 9, 6), (1, 9, 6), (1, 9, 5), (1, 5), (2, 1, 5)]):
        m.tensors.add(name=f"t{i}", dtype=1, shape=shape)
    m.nodes.add(op="relu", name="relu", inputs=[0], outputs=[1])
    node = m.nodes.add(op="GRU", name="rnn", inputs=[1], outputs=[2, 4] if states else [2])
    node.attributes["dropout"], node.attributes["training"] = dropout, str(training)
    m.nodes.add(op="mean", name="pool", inputs=[2], outputs=[3])
    with Recording(path, role) as log:
        log.add("/model", "Model", m)
        for f in range(FRAMES):
            x = random(30 + f, 1, 9, 6)
            keep = np.random.default_rng(f).random((1, 9, 5)) >= (float(dropout) if training else 0)
            y = np.tanh(x[..., :5] * keep / (1 - (float(dropout) if training else 0)))
            layers = [np.maximum(x, 0), y.astype(np.float32), y.mean(1).astype(np.float32)]
            log.frame([("/input/t0", x, {}), *((f"/layer/{i}", a, {}) for i, a in enumerate(layers)), ("/output/t3", layers[-1], {})])


@pytest.mark.parametrize("side", ["edge", "reference"])
def test_dropout_between_the_layers_of_a_recurrent_node(tmp_path, side):
    for role in ("edge", "reference"):
        write_recurrent(tmp_path / f"{role}.mcap", role, role == side)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=1)
    assert causes(v) == ["model.mode"] and finding(v, "model.mode")["evidence"]["side"] == side


def test_a_recurrent_node_without_dropout_has_one_mode(tmp_path):
    for role in ("edge", "reference"):
        write_recurrent(tmp_path / f"{role}.mcap", role, role == "edge", dropout="0")
    assert causes(validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")) == []
