"""Taps against PyTorch and Keras, which are heavy: `make python-frameworks-test` runs each half with a Python that
has the framework."""

import os

import numpy as np
import pytest

import exray

os.environ.setdefault("KERAS_BACKEND", "jax")


def check(path, wanted_ops, outputs, layers):
    with exray.open(path) as log:
        assert [n.op for n in log.model.nodes] == wanted_ops
        assert len(log) == len(outputs)
        for frame, output in zip(log, outputs):
            assert np.array_equal(frame.outputs[0].numpy(), output)
            assert set(frame.layers) == set(range(len(wanted_ops))) and frame.inference_ns > 0
            assert [node for node, _, _ in frame.latency] == list(range(len(wanted_ops)))
        for name, values in layers.items():
            assert np.array_equal(log[-1].layers[name].numpy(), values), name
        made = {t for n in log.model.nodes for t in n.outputs}
        known = made | set(log.model.inputs) | {i for i, t in enumerate(log.model.tensors) if t.constant}
        assert all(t in known for n in log.model.nodes for t in n.inputs) and log.model.outputs
        return log.model


# ---- PyTorch ---------------------------------------------------------------------------


@pytest.fixture
def torch_net():
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
            self.bn = nn.BatchNorm2d(8)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.bn(self.conv(x)) + x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3)
            self.blocks = nn.Sequential(Block(), Block())
            self.fc = nn.Linear(8, 5)

        def forward(self, x):
            x = self.blocks(nn.functional.relu6(self.stem(x)))
            return torch.softmax(self.fc(torch.flatten(x.mean((2, 3)), 1)), 1)

    torch.manual_seed(0)
    return Net().eval()


TORCH_OPS = ["Conv2d", "relu6", "Conv2d", "BatchNorm2d", "add", "ReLU", "Conv2d", "BatchNorm2d", "add", "ReLU", "mean",
             "flatten", "Linear", "softmax"]


@pytest.mark.parametrize("with_example", [False, True])
def test_torch(tmp_path, torch_net, with_example):
    torch = pytest.importorskip("torch")
    images = torch.rand(3, 1, 3, 12, 12)
    wanted = []
    with torch.no_grad(), exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        tap = exray.torch.tap(torch_net, r, torch.zeros(1, 3, 12, 12) if with_example else None)
        for i, image in enumerate(images):
            with r.frame(source=str(i)):
                wanted.append(torch_net(image).numpy())
        tap.remove()
    assert "forward" not in vars(torch_net)
    with torch.no_grad():
        stem = torch_net.stem(images[-1])
        block = torch_net.blocks[0]
        relu6 = torch.nn.functional.relu6(stem)
        bn = block.bn(block.conv(relu6))
        assert np.array_equal(wanted[-1], torch_net(images[-1]).numpy())
    model = check(tmp_path / "a.mcap", TORCH_OPS, wanted,
                  {"stem": stem.numpy(), "blocks.0.bn": bn.numpy(), "blocks.0/add": (bn + relu6).numpy(),
                   "blocks.0.relu": torch.relu(bn + relu6).numpy()})
    add = model.nodes[4]
    assert add.name == "blocks.0/add" and model.nodes[1].outputs[0] in add.inputs  # the residual's edge
    assert model.nodes[2].attributes["group"] == "8"
    log = exray.open(tmp_path / "a.mcap")
    weights = {log.model.tensors[i].name: t.numpy() for i, t in log.constants.items()}
    assert np.array_equal(weights["stem.weight"], torch_net.stem.weight.detach().numpy())
    assert np.array_equal(weights["blocks.1.bn.running_mean"], torch_net.blocks[1].bn.running_mean.numpy())


def test_torch_against_a_wrong_edge(tmp_path, torch_net):
    torch = pytest.importorskip("torch")
    images = torch.rand(4, 1, 3, 12, 12)
    for name, scale, role in (("ref", 1.0, "reference"), ("edge", 255.0, "edge")):
        with torch.no_grad(), exray.Recorder(tmp_path / f"{name}.mcap", role=role, capture="full") as r:
            tap = exray.torch.tap(torch_net, r)
            for i, image in enumerate(images):
                with r.frame(source=str(i)):
                    torch_net(image * scale)
            tap.remove()
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "ref.mcap")
    assert report.findings[0].cause == "input.normalization" and len(report.layers) == len(TORCH_OPS)


def test_torch_training_mode(tmp_path, torch_net):
    """What runs in training mode says so, and the counter of batches is no layer."""
    torch = pytest.importorskip("torch")
    images = torch.rand(3, 1, 3, 12, 12)
    net = torch.nn.Sequential(torch_net, torch.nn.Dropout(0.4)).eval()
    for role in ("edge", "reference"):
        net.train(role == "reference")
        with torch.no_grad(), exray.Recorder(tmp_path / f"{role}.mcap", role=role, capture="full") as r:
            tap = exray.torch.tap(net, r)
            for i, image in enumerate(images):
                with r.frame(source=str(i)):
                    net(image)
            tap.remove()
        with exray.open(tmp_path / f"{role}.mcap") as log:
            assert [n.op for n in log.model.nodes] == [*TORCH_OPS, "Dropout"]
            said = {n.attributes["training"] for n in log.model.nodes if n.op in ("BatchNorm2d", "Dropout")}
            assert said == {str(role == "reference")}
    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap")
    first = report.findings[0]
    assert first.cause == "model.mode" and first.summary.startswith("The reference runs in training mode")

@pytest.fixture
def own_modules():
    """Leaf modules of an application's own: several functions each; rows taken by whole numbers alone."""
    torch = pytest.importorskip("torch")
    nn, F = torch.nn, torch.nn.functional

    class Same(nn.Conv1d):
        def forward(self, x):
            return F.conv1d(F.pad(x, (2, 0)), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    class Rms(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(6))

        def forward(self, x):
            return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.same, self.norm, self.rnn, self.head = Same(4, 6, 3), Rms(), nn.GRU(6, 5, 2, batch_first=True), nn.Linear(5, 3)

        def forward(self, x):
            y = self.norm(self.same(x).transpose(1, 2))
            return self.head(self.rnn(y)[1][-1])[0]

    torch.manual_seed(0)
    return Net().eval()


def test_torch_modules_of_ones_own(tmp_path, own_modules):
    import torch
    x = [torch.randn(1, 4, 8) for _ in range(3)]
    path = tmp_path / "log.mcap"
    with torch.no_grad(), exray.Recorder(path, capture="full") as r:
        exray.torch.tap(own_modules, r)
        for a in x:
            made = own_modules(a)
    ops = ["pad", "conv1d", "transpose", "pow", "mean", "add", "rsqrt", "mul", "mul", "GRU", "getitem", "Linear", "getitem"]
    with exray.open(path) as log:
        nodes = log.model.nodes
        assert [n.op for n in nodes] == ops
        assert nodes[0].attributes == {"pads": "0,0,2,0,0,0", "mode": "constant"} and nodes[1].attributes["stride"] == "(1,)"
        names = [n.name for n in nodes]
        assert names[:2] == ["same/pad", "same/conv1d"] and names[7:11] == ["norm/mul", "norm/mul#1", "rnn", "getitem"]
        assert nodes[10].inputs == (nodes[9].outputs[1],) and nodes[11].inputs[0] == nodes[10].outputs[0]
        assert log.model.outputs == nodes[12].outputs
        for frame in log:
            assert set(frame.layers) == {*range(len(ops)), (9, 1)}
        assert np.array_equal(log[-1].layers[12].numpy(), made.numpy())



@pytest.mark.parametrize("whole", [False, True])
def test_torch_scripted_modules(tmp_path, torch_net, whole):
    """A module that TorchScript runs is one operation, a part or all of the model; its output is the eager one's."""
    import torch
    xs = [torch.rand(1, 3, 12, 12) for _ in range(3)]
    eager = [torch_net(x).detach().numpy() for x in xs]
    model = torch.jit.script(torch_net) if whole else torch_net
    if not whole:
        model.blocks = torch.jit.script(torch_net.blocks)
    with exray.Recorder(tmp_path / "e.mcap", role="edge", capture="full") as r, torch.no_grad():
        tap = exray.torch.tap(model, r)
        outputs = [model(x).numpy() for x in xs]
        tap.remove()
        model(xs[0])
    names = ["Net"] if whole else ["stem", "relu6", "blocks", "mean", "flatten", "fc", "softmax"]
    with exray.open(tmp_path / "e.mcap") as log:
        assert [n.name for n in log.model.nodes] == names and len(log) == 3
        for frame, output, wanted in zip(log, outputs, eager):
            assert np.allclose(output, wanted, atol=1e-6) and np.array_equal(frame.outputs[0].numpy(), output)
            assert np.array_equal(frame.layers[names[-1]].numpy(), output)
            assert [node for node, _, _ in frame.latency] == list(range(len(names)))


def test_torch_error_in_the_model(tmp_path, torch_net):
    torch = pytest.importorskip("torch")
    with torch.no_grad(), exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        exray.torch.tap(torch_net, r)
        with pytest.raises(RuntimeError):
            torch_net(torch.zeros(1, 7, 12, 12))
        with r.frame():
            torch_net(torch.zeros(1, 3, 12, 12))
            torch_net(torch.ones(1, 3, 12, 12))  # takes the frame's place
            r.scalar("after", 2)
    log = exray.open(tmp_path / "a.mcap")
    assert [n.op for n in log.model.nodes] == TORCH_OPS
    assert [(len(f.outputs), f.values) for f in log] == [(0, {}), (1, {}), (1, {"after": 2})]


# ---- Keras -----------------------------------------------------------------------------


@pytest.fixture
def keras_net():
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3), name="image")
    x = keras.layers.Conv2D(8, 3, activation="relu", name="stem")(image)
    x = x + keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, keras.layers.Dense(5, activation="softmax", name="fc")(x))


KERAS_OPS = ["Conv2D", "BatchNormalization", "Add", "GlobalAveragePooling2D", "Dense"]


@pytest.mark.parametrize("with_example", [False, True])
def test_keras(tmp_path, keras_net, with_example):
    keras = pytest.importorskip("keras")
    images = np.random.default_rng(0).random((3, 1, 16, 16, 3), dtype=np.float32)
    wanted = []
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        tap = exray.keras.tap(keras_net, r, np.zeros((1, 16, 16, 3), np.float32) if with_example else None)
        for i, image in enumerate(images):
            with r.frame(source=str(i)):
                wanted.append(np.asarray(keras_net(image)))
        tap.remove()
    assert np.array_equal(np.asarray(keras_net(images[-1])), wanted[-1])
    layers = {}
    for name in ("stem", "bn", "pool", "fc"):
        part = keras.Model(keras_net.input, keras_net.get_layer(name).output)
        layers[name] = np.asarray(part(images[-1]))
    model = check(tmp_path / "a.mcap", KERAS_OPS, wanted, layers)
    assert model.nodes[0].attributes["activation"] == "relu"
    assert model.nodes[0].inputs[0] == model.inputs[0]  # be it an array, which Keras converts
    log = exray.open(tmp_path / "a.mcap")
    weights = {log.model.tensors[i].name: t.numpy() for i, t in log.constants.items()}
    assert np.array_equal(weights["stem/kernel"], np.asarray(keras_net.get_layer("stem").kernel))


def test_keras_numbers(tmp_path):
    """What an operation between layers is given beside tensors is in the log, at its place."""
    keras = pytest.importorskip("keras")
    given = keras.Input((6,))
    table = keras.ops.convert_to_tensor(np.arange(6, dtype=np.float32))
    net = keras.Model(given, keras.layers.ReLU(max_value=6.)(3. - given) * (1 / 6) + table)
    x = np.random.default_rng(0).normal(0, 3, (2, 6)).astype(np.float32)
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        exray.keras.tap(net, r)
        wanted = np.asarray(net(x))
    with exray.open(tmp_path / "a.mcap") as log:
        values = {i: t.numpy() for i, t in log.constants.items()}
        first, relu, multiply, add = log.model.nodes
        assert [n.op for n in log.model.nodes] == ["Subtract", "ReLU", "Multiply", "Add"]
        assert values[first.inputs[0]] == 3 and first.inputs[1] == log.model.inputs[0]
        assert multiply.inputs[0] == relu.outputs[0] and values[multiply.inputs[1]] == np.float32(1 / 6)
        assert np.array_equal(values[add.inputs[1]], np.arange(6)) and np.array_equal(log[0].outputs[0].numpy(), wanted)


# ---- Leaving ----


def test_torch_taps_leave_nothing(tmp_path, torch_net):
    """The application's own forward comes back; one tap that leaves does not end another's log; so does closing."""
    torch = pytest.importorskip("torch")
    image = torch.rand(1, 3, 12, 12)
    theirs = lambda x: 100.0  # noqa: E731
    with torch.no_grad():
        wanted = torch_net(image).numpy()
        first, second = (exray.Recorder(tmp_path / f"{n}.mcap", capture="full") for n in ("first", "second"))
        taps = [exray.torch.tap(torch_net, r) for r in (first, second)]
        torch_net(image)
        taps[0].remove()
        assert np.array_equal(torch_net(image).numpy(), wanted)
        second.close()
        assert "forward" not in vars(torch_net) and not any(m._forward_hooks for m in torch_net.modules())
        first.close()
        torch_net.forward = theirs
        with exray.Recorder(tmp_path / "third.mcap") as r:
            exray.torch.tap(torch_net, r)
        assert torch_net.forward is theirs and torch_net(image) == 100.0
        del torch_net.forward
    with exray.open(tmp_path / "first.mcap") as a, exray.open(tmp_path / "second.mcap") as b:
        assert (len(a), len(b)) == (1, 2)
        for frame in (*a, *b):
            assert len(frame.layers) == len(TORCH_OPS) and np.array_equal(frame.outputs[0].numpy(), wanted)


def test_keras_taps_leave_nothing(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
    image = np.linspace(0, 1, 6, dtype=np.float32)[None]
    wanted = np.asarray(model(image))
    before = {id(layer): dict(vars(layer)).get("call") for layer in (model, *model.layers)}
    first, second = (exray.Recorder(tmp_path / f"{n}.mcap", capture="full") for n in ("first", "second"))
    taps = [exray.keras.tap(model, r) for r in (first, second)]
    model(image)
    taps[1].remove()
    model(image)
    first.close()
    second.close()
    assert {id(layer): dict(vars(layer)).get("call") for layer in (model, *model.layers)} == before
    assert np.array_equal(np.asarray(model(image)), wanted)
    with exray.open(tmp_path / "first.mcap") as a, exray.open(tmp_path / "second.mcap") as b:
        assert (len(a), len(b)) == (2, 1)
        assert all(len(frame.layers) == 2 and np.array_equal(frame.outputs[0].numpy(), wanted) for frame in (*a, *b))
