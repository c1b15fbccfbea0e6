"""A batch normalization that one side has folded into the convolution before: the same model, other weights, another mode,
a normalization that is missing."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

CHANNELS, SIZE, FRAMES, EPSILON = 12, 10, 3, 1e-5


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class Net:
    """conv 1x1 -> batch norm -> ReLU -> conv 1x1 -> mean over the picture, NCHW."""

    def __init__(self, seed=1, inputs=3, epsilon=EPSILON):
        self.inputs, self.epsilon = inputs, epsilon
        self.weight, self.last = random(seed, CHANNELS, inputs), random(seed + 1, 8, CHANNELS)
        self.scale, self.shift = 1 + random(seed + 2, CHANNELS) / 4, random(seed + 3, CHANNELS) / 3
        self.mean, self.variance = random(seed + 4, CHANNELS), np.abs(random(seed + 5, CHANNELS)) + 0.5
        self.batch = False

    def folded(self):
        factor = self.scale / np.sqrt(self.variance + self.epsilon)
        return self.weight * factor[:, None], self.shift - self.mean * factor

    def run(self, x):
        view = (1, CHANNELS, 1, 1)
        conv = np.einsum("oc,nchw->nohw", self.weight, x)
        mean, variance = (conv.mean((0, 2, 3)), conv.var((0, 2, 3))) if self.batch else (self.mean, self.variance)
        norm = (conv - mean.reshape(view)) / np.sqrt(variance.reshape(view) + self.epsilon) * self.scale.reshape(view) + self.shift.reshape(view)
        return conv, norm

    def write(self, path, role, form, named=False, layers=True):
        """`form`: "apart" as PyTorch has it, "folded" as exporters write it, "left out"; `named`: folded in PyTorch, where layers keep their names; `layers`:
        they are recorded."""
        apart = form == "apart"
        torch = apart or named
        names = ["x", "conv", *(["norm"] if apart else []), "relu", "second", "mean"]
        weight, bias = self.folded() if form == "folded" else (self.weight, None)
        constants = {"weight": weight.reshape(CHANNELS, self.inputs, 1, 1), "last": self.last.reshape(8, CHANNELS, 1, 1)}
        if form == "folded":
            constants["bias"] = bias
        if apart:
            constants |= {"norm.running_mean": self.mean, "norm.running_var": self.variance, "norm.weight": self.scale, "norm.bias": self.shift}

        def values(x):
            conv, norm = self.run(x)
            before = norm if form != "left out" else conv
            relu = np.maximum(before, 0)
            second = np.einsum("oc,nchw->nohw", self.last, relu)
            return [conv, norm, relu, second, second.mean((2, 3))] if apart else [before, relu, second, second.mean((2, 3))]

        m = PB["Model"](name="net", engine="torch" if torch else "onnxruntime")
        for i, a in enumerate([random(9, 1, self.inputs, SIZE, SIZE), *values(random(9, 1, self.inputs, SIZE, SIZE))]):
            m.tensors.add(name=names[i] if named else f"{form}{i}", dtype=1, shape=a.shape, layout="NCHW" if a.ndim == 4 else "")
        first = len(m.tensors)
        at = {name: first + i for i, name in enumerate(constants)}
        for name, c in constants.items():
            m.tensors.add(name=name if torch else f"onnx::{name}", dtype=1, shape=c.shape, constant=True)
        m.inputs.append(0)
        m.outputs.append(first - 1)
        if apart:
            m.nodes.add(op="Conv2d", name="conv", inputs=[0, at["weight"]], outputs=[1])
            norm = m.nodes.add(op="BatchNorm2d", name="norm", inputs=[1, *(at[k] for k in at if k.startswith("norm."))], outputs=[2])
            norm.attributes["training"], norm.attributes["eps"] = str(self.batch), str(self.epsilon)
        else:
            m.nodes.add(op="Conv2d" if torch else "Conv", name="conv", inputs=[0, at["weight"], *([at["bias"]] if form == "folded" else [])], outputs=[1])
        n = len(m.nodes)
        m.nodes.add(op="relu" if torch else "Relu", inputs=[n], outputs=[n + 1])
        m.nodes.add(op="Conv2d" if torch else "Conv", inputs=[n + 1, at["last"]], outputs=[n + 2])
        mean = m.nodes.add(op="mean" if torch else "ReduceMean", inputs=[n + 2], outputs=[n + 3])
        if not torch:
            mean.attributes["axes"] = "2,3"
        with Recording(path, role) as log:
            log.add("/model", "Model", m)
            for name, c in constants.items():
                t = PB["Tensor"](tensor=at[name], data=c.astype(np.float32).tobytes())
                t.info.CopyFrom(m.tensors[at[name]])
                log.add(f"/constant/{at[name]}", "Tensor", t)
            for f in range(FRAMES):
                x = random(20 + f, 1, self.inputs, SIZE, SIZE)
                made = [a.astype(np.float32) for a in values(x)]
                log.frame([("/input/0", x, {}), *((f"/layer/{i}", a, {}) for i, a in enumerate(made if layers else [])), ("/output/0", made[-1], {})])


def judge(tmp_path, edge, form, reference, status, named):
    edge.write(tmp_path / "edge.mcap", "edge", form, named)
    reference.write(tmp_path / "reference.mcap", "reference", "apart", named)
    return validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=status)


def rolled_weights(net):
    net.weight = np.roll(net.weight, 1, 0)


def rolled_mean(net):
    net.mean = np.roll(net.mean, 1) * 2


def other_epsilon(net):
    net.variance = net.variance + 0.3


named = pytest.mark.parametrize("named", [False, True], ids=["exported", "fused in PyTorch"])


@named
def test_the_same_model(tmp_path, named):
    v = judge(tmp_path, Net(), "folded", Net(), 0, named)
    assert causes(v) == [] and v["coverage"]["compared"] == v["coverage"]["edge_layers"]


@pytest.mark.parametrize("change", [rolled_weights, rolled_mean, other_epsilon])
@pytest.mark.parametrize("seed", [1, 7])
@named
def test_another_convolution_or_normalization_behind_a_fold(tmp_path, change, seed, named):
    edge = Net(seed)
    change(edge)
    v = judge(tmp_path, edge, "folded", Net(seed), 1, named)
    assert causes(v) == ["model.weights"]
    # A mean that is not the same is a bias alone.
    assert finding(v, "model.weights")["evidence"]["weights_differ"] == (0 if change is rolled_mean else 1)


@pytest.mark.parametrize("layers", [True, False], ids=["layers", "outputs alone"])
@pytest.mark.parametrize("epsilon", [1e-3, 1e-5])
@named
def test_another_epsilon_that_was_folded(tmp_path, epsilon, layers, named):
    """The weights are exactly those of that epsilon, which the outputs show where no layer was recorded."""
    for role, form, e in (("edge", "folded", epsilon), ("reference", "apart", EPSILON)):
        net = Net(inputs=8, epsilon=e)
        net.variance = net.variance / 30
        net.write(tmp_path / f"{role}.mcap", role, form, named, layers)
    v = validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", status=0 if epsilon == EPSILON else 1)
    assert causes(v) == ([] if epsilon == EPSILON else ["model.operator"])
    if causes(v):
        evidence = finding(v, "model.operator")["evidence"]
        assert (evidence["attribute"], evidence["edge"], evidence["reference"]) == ("epsilon", epsilon, EPSILON)


@pytest.mark.parametrize("seed", [1, 7])
@named
def test_a_normalization_that_is_missing(tmp_path, seed, named):
    v = judge(tmp_path, Net(seed), "left out", Net(seed), 1, named)
    assert causes(v) == ["model.operator"]
    assert "lacks BatchNorm2d" in finding(v, "model.operator")["summary"]


@pytest.mark.parametrize("seed", [1, 7])
@named
def test_statistics_of_the_batch_against_folded_ones(tmp_path, seed, named):
    reference = Net(seed)
    reference.batch = True
    v = judge(tmp_path, Net(seed), "folded", reference, 1, named)
    assert causes(v) == ["model.mode"] and finding(v, "model.mode")["evidence"]["side"] == "reference"
