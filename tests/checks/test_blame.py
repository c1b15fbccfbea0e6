"""The rule of blame: behind an input that is reported wrong, no layer is, unless it was run alone; layers that do
not depend on that input are judged as ever."""

import subprocess

import numpy as np
import pytest
from log_writer import PB
from validate_support import EXRAY, Recording, causes, finding, validate

# Two inputs, a filter each, a steep function of the first, and the sum of both.
#   x -> conv -> steep --.
#                         add -> dense
#   z -> other -> tanh --'
SHAPE = (1, 64)
TENSORS = ["x", "z", "filtered", "steep", "other", "bounded", "sum", "y"]
STEEP = {"log": np.log, "exp": lambda v: np.exp(8 * v), "look-up": lambda v: np.sin(1e4 * np.floor(50 * v))}


class TwoInputs:
    def __init__(self, steep="log", seed=1):
        random = np.random.default_rng(seed)
        self.weights = [random.normal(size=(64, 64)) / 8 for _ in range(3)]
        self.steep = STEEP[steep]

    def run(self, x, z, damage=None):
        """damage: {tensor: function of its values}"""
        t = {"x": x, "z": z}
        steps = [("filtered", lambda: np.abs(x @ self.weights[0]) + 1e-3), ("steep", lambda: self.steep(t["filtered"])),
                 ("other", lambda: z @ self.weights[1]), ("bounded", lambda: np.tanh(t["other"])),
                 ("sum", lambda: t["steep"] + t["bounded"]), ("y", lambda: t["sum"] @ self.weights[2])]
        for name, make in steps:
            with np.errstate(all="ignore"):
                value = make()
            t[name] = np.asarray((damage or {}).get(name, lambda v: v)(value), np.float32)
        return t

    @staticmethod
    def write(path, role, frames, steep="Steep"):
        with Recording(path, role) as log:
            describe(log, steep)
            for t in frames:
                listed = [(f"/input/{n}", t[n], {}) for n in ("x", "z")]
                listed += [(f"/layer/{i}", t[n], {}) for i, n in enumerate(TENSORS[2:])]
                log.frame(listed + [("/output/y", t["y"], {})])
        return path


def describe(log, steep="Steep"):
    """/model, of one file on both sides."""
    m = PB["Model"](name="model", engine="tflite", kernels="builtin", sha256=bytes(range(32)), inputs=[0, 1], outputs=[7])
    for name in TENSORS:
        m.tensors.add(name=name, dtype=1, shape=SHAPE)
    nodes = [("Abs", [0], 2), (steep, [2], 3), ("Neg", [1], 4), ("Tanh", [4], 5), ("Add", [3, 5], 6), ("Last", [6], 7)]
    for op, read, made in nodes:
        m.nodes.add(op=op, inputs=read, outputs=[made])
    log.add("/model", "Model", m)


def data(seed, count=4):
    random = np.random.default_rng(seed)
    return [random.normal(size=SHAPE).astype(np.float32) for _ in range(count)]


X, Z = data(1), data(2)


@pytest.fixture
def judge(tmp_path):
    def run(x=X, z=Z, damage=None, steep="log", options=()):
        net = TwoInputs(steep)
        reference = net.write(tmp_path / "r.mcap", "reference", [net.run(a, b) for a, b in zip(X, Z)])
        edge = net.write(tmp_path / "e.mcap", "edge", [net.run(a, b, damage) for a, b in zip(x, z)])
        return validate(edge, reference, *options)

    return run


def by_statistics(folder, x, reference=X, damage=None):
    """The same with a logarithm, of whose layers statistics alone are left."""
    net, logs = TwoInputs(), []
    for role, inputs, wrong in (("edge", x, damage), ("reference", reference, None)):
        whole = net.write(folder / f"{role}.mcap", role, [net.run(a, b, wrong) for a, b in zip(inputs, Z)], steep="Log")
        logs.append(folder / f"{role}.stats.mcap")
        subprocess.run([EXRAY, "scrub", whole, "-o", logs[-1], "--stats", "/layer/*,/output/*"], check=True, capture_output=True)
    return validate(*logs)


def roles(report):
    return {layer["edge"]["index"]: layer["role"] for layer in report["layers"]}


def unjudged(report):
    return {a["name"]: a["reason"] for a in report["assertions"] if a["status"] == "unjudged"}


@pytest.mark.parametrize("steep", STEEP)
@pytest.mark.parametrize("change", [lambda v: v + np.float32(0.02), lambda v: 3 * v, lambda v: v[:, ::-1]],
                         ids=["offset", "gain", "reversed"])
def test_no_layer_behind_a_wrong_input(judge, steep, change):
    report = judge(x=[change(v) for v in X], steep=steep)
    assert report["verdict"] == "fail"
    assert all(cause.startswith("input.") for cause in causes(report)), causes(report)
    assert "originates" not in roles(report).values()


def test_what_would_tell_is_said(judge):
    said = unjudged(judge(x=[v + np.float32(0.02) for v in X], steep="look-up"))
    assert "input x" in said["layer.kernel"] and "--engine" in said["layer.kernel"] and "--reference-model" in said["layer.kernel"]


@pytest.mark.parametrize("layer,tensor", [(2, "other"), (3, "bounded")])
def test_layers_of_the_other_input_are_judged(judge, layer, tensor):
    """One input is wrong, and a kernel that does not read it: both are named."""
    report = judge(x=[3 * v for v in X], damage={tensor: lambda v: np.roll(v, 1, -1)})
    assert report["findings"][0]["cause"] == "input.normalization"
    assert finding(report, "layer.kernel")["where"]["layer"] == layer
    assert roles(report)[layer] == "originates"


def test_a_kernel_with_right_inputs(judge):
    report = judge(damage={"steep": lambda v: v * np.float32(1.1)})
    assert causes(report) == ["layer.kernel"] and finding(report, "layer.kernel")["where"]["layer"] == 1


def test_a_logarithm_near_zero_of_statistics(tmp_path):
    """What it makes of noise that came with the input, its statistics cannot tell from an error of its own."""
    noise = np.random.default_rng(3)
    silence = [v * np.float32(k < 2) for k, v in enumerate(X)]
    report = by_statistics(tmp_path, [(v + 2e-3 * noise.normal(size=v.shape)).astype(np.float32) for v in silence], silence)
    assert "layer.unknown" not in causes(report) and "layer.kernel" not in causes(report), report["findings"]
    assert "originates" not in roles(report).values()


def test_a_wrong_logarithm_of_statistics(tmp_path):
    report = by_statistics(tmp_path, X, damage={"steep": lambda v: v * np.float32(1.1)})
    assert report["verdict"] == "fail" and roles(report)[1] == "originates"


def test_layers_behind_a_wrong_layer(judge):
    """Only the first is proven; what a branch beside it makes is, too."""
    report = judge(damage={"filtered": lambda v: v * np.float32(1.02), "y": lambda v: 40 * v})
    assert [f["where"]["layer"] for f in report["findings"]] == [0]


@pytest.mark.parametrize("tensor,blamed", [("steep", False), ("sum", True)])
def test_nan_of_a_wrong_input(judge, tensor, blamed):
    """A steep function makes NaN of what is wrong; a sum makes none of finite numbers."""
    report = judge(x=[3 * v for v in X], damage={tensor: lambda v: np.where(v > np.quantile(v, 0.9), np.nan, v)})
    assert report["verdict"] == "fail" and report["findings"][0]["cause"] == "input.normalization"
    assert ("layer.nan" in causes(report)) == blamed
    if not blamed:
        assert "layer.nan" in report["findings"][0]["evidence"]["consequences"]
        assert any("NaN" in d and "Steep" in d for d in report["findings"][0]["details"])


def test_nan_with_right_inputs(judge):
    assert causes(judge(damage={"steep": lambda v: np.where(v > 0, np.nan, v)})) == ["layer.nan"]


def test_without_the_assertion_on_inputs(judge):
    """--assert layer.*: the difference of the input is seen all the same."""
    report = judge(x=[v + np.float32(0.02) for v in X], steep="look-up", options=["--assert", "layer.*"])
    assert causes(report) == []


# ---- States -------------------------------------------------------------------------------


def write_states(path, role, samples, carry=True, begin=0.0, broken=None):
    """y = tanh(x + state); state' = 0.9 state + y.  broken: a function of y."""
    state = np.full(SHAPE, begin, np.float32)
    with Recording(path, role) as log:
        m = PB["Model"](name="model", engine="onnxruntime", kernels="default", sha256=bytes(range(32)), inputs=[0, 1],
                        outputs=[3, 4])
        for name in ("x", "state", "sum", "y", "next"):
            m.tensors.add(name=name, dtype=1, shape=SHAPE)
        for op, read, made in [("Add", [0, 1], 2), ("Tanh", [2], 3), ("Add", [1, 3], 4)]:
            m.nodes.add(op=op, inputs=read, outputs=[made])
        log.add("/model", "Model", m)
        for x in samples:
            total = x + state
            y = np.tanh(total) if broken is None else broken(np.tanh(total)).astype(np.float32)
            following = np.float32(0.9) * state + y
            log.frame([("/input/x", x, {}), ("/input/state", state, {}), ("/layer/0", total, {}), ("/layer/1", y, {}),
                       ("/layer/2", following, {}), ("/output/y", y, {}), ("/output/next", following, {})])
            state = following if carry else state
    return path


def test_a_state_is_no_second_fault(tmp_path):
    right = write_states(tmp_path / "r.mcap", "reference", X)
    report = validate(write_states(tmp_path / "e.mcap", "edge", [3 * v for v in X]), right)
    assert [f["where"]["tensor"] for f in report["findings"]] == ["x"]
    assert report["findings"][0]["cause"] == "input.normalization"


def test_a_wrong_layer_before_a_state(tmp_path):
    right = write_states(tmp_path / "r.mcap", "reference", X)
    report = validate(write_states(tmp_path / "e.mcap", "edge", X, broken=lambda v: v * 0.5), right)
    assert causes(report)[0] == "layer.kernel" and finding(report, "layer.kernel")["where"]["layer"] == 1
    assert not any(c.startswith("input.") for c in causes(report))


@pytest.mark.parametrize("how", [{"carry": False}, {"begin": 0.5}], ids=["not carried", "begins otherwise"])
def test_a_wrong_state_is_a_fault(tmp_path, how):
    right = write_states(tmp_path / "r.mcap", "reference", X)
    report = validate(write_states(tmp_path / "e.mcap", "edge", X, **how), right)
    assert report["verdict"] == "fail" and report["findings"][0]["where"]["tensor"] == "state"


# ---- Whose side computes wrongly


def judged_tanh(tmp_path, edge=None, reference=None):
    net = TwoInputs()
    frames = [{s: net.run(a, b, damage) for s, damage in (("edge", edge), ("reference", reference))} for a, b in zip(X, Z)]
    paths = [TwoInputs.write(tmp_path / f"{s}.mcap", s, [f[s] for f in frames]) for s in ("edge", "reference")]
    return validate(*paths)


def flattened(values):
    return np.clip(1.3 * values, -1, 1)


def test_the_side_whose_output_does_not_follow_from_its_inputs_is_named(tmp_path):
    found = finding(judged_tanh(tmp_path, edge={"bounded": flattened}), "layer.kernel")
    assert "(Tanh)" in found["summary"] and "is computed wrongly on the edge" in found["summary"]
    report = judged_tanh(tmp_path, reference={"bounded": flattened})
    found = finding(report, "layer.kernel")
    assert "(Tanh)" in found["summary"] and "is computed wrongly in the reference" in found["summary"] and "the reference" in found["fix"]
    wrong = next(layer for layer in report["layers"] if layer["edge"]["op"] == "Tanh")
    assert wrong["reference_error"] > .1 and wrong["role"] == "originates"


def test_where_nothing_tells_the_side_both_are_said_to_differ(tmp_path):
    for side in ("edge", "reference"):
        found = finding(judged_tanh(tmp_path, **{side: {"y": lambda v: 1.5 * v + .2}}), "layer.kernel")
        assert "which is right, the logs do not say" in found["summary"]
