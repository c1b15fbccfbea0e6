"""model.state: what a model remembers is not carried, is reset elsewhere, or is of frames that one side did not see."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

SHA = bytes(range(32))


def log(path, role, frames, op="Add", sha=SHA, kernels="builtin", kept=None):
    """frames: (index, {input: array}, {output: array}); a model of one node with all of them."""
    with Recording(path, role) as recording:
        inputs, outputs = frames[0][1], frames[0][2]
        names = [*inputs, *outputs]
        m = PB["Model"](name="m", sha256=sha, engine="tflite", kernels=kernels, threads=1,
                        inputs=range(len(inputs)), outputs=range(len(inputs), len(names)))
        for name, a in [*inputs.items(), *outputs.items()]:
            m.tensors.add(name=name, dtype=1, shape=a.shape)
        m.nodes.add(op=op, name="cell", inputs=range(len(inputs)), outputs=range(len(inputs), len(names)))
        recording.add("/model", "Model", m)
        for index, given, made in frames:
            recording.count = index
            recording.frame([(f"/{kind}/{n}", a, {}) for kind, side in (("input", given), ("output", made))
                             for n, a in side.items() if kept is None or n in kept], source=f"chunk{index}")
    return path


@pytest.fixture
def judge(tmp_path):
    def run(edge, reference, **how):
        return validate(log(tmp_path / "e.mcap", "edge", edge, **how), log(tmp_path / "r.mcap", "reference", reference, **how))

    return run


def cell(h, x):
    h = np.tanh(.7 * h + x[:, :4]).astype(np.float32)
    return h, h.sum(1, keepdims=True).astype(np.float32)


def data(count=12, size=8):
    return np.random.default_rng(4).normal(0, 1, (count, 1, size)).astype(np.float32)


def looped(state=lambda k, h: h, skip=(), change=lambda x: x, start=0.):
    """A state in the application's hands: `state` says what frame k gets of what the frame before left."""
    h, out = np.full((1, 4), start, np.float32), []
    for k, x in enumerate(data()):
        if k in skip:
            continue
        given = np.asarray(state(k, h), np.float32)
        h, y = cell(given, change(x))
        out.append((k, {"x": change(x), "h": given}, {"y": y, "h_out": h}))
    return out


def inner(reset=lambda k: False, skip=(), start=0.):
    """A state within the model."""
    h, out = np.full((1, 4), start, np.float32), []
    for k, x in enumerate(data()):
        if k in skip:
            continue
        h, y = cell(np.zeros_like(h) if reset(k) else h, x)
        out.append((k, {"x": x}, {"y": y}))
    return out


def windows(begin=lambda before: before[:, -16:], scale=1., keep=16):
    """64 values, of which the first 16 are the end of the window before."""
    before, out = np.zeros((1, 64), np.float32), []
    for k, x in enumerate(data(10, 48)):
        window = np.concatenate([np.asarray(begin(before), np.float32), x * np.float32(scale)], 1)
        out.append((k, {"x": window}, {"y": window.mean(1, keepdims=True)}))
        before = window
    return out


ZEROS = np.zeros((1, 4))


# ---- In the application's hands -------------------------------------------------------------------


@pytest.mark.parametrize("kept", [None, ("x", "h", "y", "h_out")])
def test_a_state_that_is_not_carried(judge, kept):
    verdict = judge(looped(lambda k, h: ZEROS), looped(), kept=kept)
    f = finding(verdict, "model.state")
    assert causes(verdict) == ["model.state"] and f["evidence"]["kind"] == "not_carried"
    assert "edge does not carry" in f["summary"] and "input h is zeros" in f["summary"] and "h_out" in f["summary"]


@pytest.mark.parametrize("side", ["edge", "reference"])
def test_a_state_that_is_reset_on_one_side(judge, side):
    """Which of them is right is not said."""
    both = looped(lambda k, h: ZEROS if k in (4, 9) else h), looped()
    f = finding(judge(*(both if side == "edge" else both[::-1])), "model.state")
    assert f"The {side} resets the model's state in frames 4 and 9" in f["summary"]
    assert f["evidence"]["kind"] == "reset" and any("do not say" in d for d in f["details"])


@pytest.mark.parametrize("bits", [13, 16], ids=["float16", "bfloat16"])
def test_a_state_that_is_kept_in_16_bits_is_carried(judge, bits):
    def kept(h):
        return (np.ascontiguousarray(h, np.float32).view(np.uint32) + (1 << bits - 1) >> bits << bits).view(np.float32)

    assert "model.state" not in causes(judge(looped(lambda k, h: kept(h)), looped()))
    assert causes(judge(looped(lambda k, h: kept(h) * .9), looped())) == ["model.state"]


def test_a_state_of_frames_that_were_missed(judge):
    f = finding(judge(looped(skip=(5, 6, 7)), looped()), "model.state")
    assert "edge's model did not see frames 5 to 7" in f["summary"] and "from frame 8" in f["summary"]


def test_sides_that_begin_with_other_states(judge):
    f = finding(judge(looped(start=.5), looped()), "model.state")
    assert f["evidence"]["kind"] == "begin"


def growing(hand=lambda k, states: states, begin=1):
    """A decoder whose keys and values grow by a token a frame; `hand` says what frame k gets of those that the frame before left."""
    keys, values, out = np.zeros((1, begin, 4), np.float32), np.zeros((1, begin, 4), np.float32), []
    for k, x in enumerate(data(8, 4)):
        keys, values = hand(k, (keys, values))
        given = {"x": x, "past_k": keys, "past_v": values}
        mean = keys.sum(1, keepdims=True) / max(keys.shape[1], 1)
        keys, values = np.concatenate([keys, x[None] * 2], 1), np.concatenate([values, np.tanh(x[None] + mean)], 1)
        out.append((k, given, {"y": (x[None] @ keys.transpose(0, 2, 1)) @ values, "k_out": keys, "v_out": values}))
    return out


@pytest.mark.parametrize("begin", [1, 0], ids=["a start", "empty"])
def test_keys_and_values_that_grow(judge, begin):
    assert judge(growing(begin=begin), growing(begin=begin))["findings"] == []
    wiped = lambda k, s: tuple(np.concatenate([v[:, :-1], 0 * v[:, -1:]], 1) for v in s) if k in (4, 6) else s  # noqa: E731
    found = judge(growing(wiped, begin), growing(begin=begin))
    assert causes(found) == ["model.state"] and found["findings"][0]["evidence"]["frame_list"] == "frames 4 and 6", found
    found = finding(judge(growing(lambda k, s: s[::-1], begin), growing(begin=begin)), "model.state")
    assert found["evidence"]["kind"] == "not_carried"
    window = judge(growing(lambda k, s: tuple(v[:, -3:] for v in s), begin), growing(begin=begin))
    assert causes(window)[0] == "input.shape", window


def test_a_state_that_grows_on_over_a_reset(judge):
    """Its shape, and the positions that count it, follow."""
    def turns(begins):
        frames = growing(lambda k, s: tuple(v[:, :0] for v in s) if k in begins else s, 0)
        at = [max(b for b in begins if b <= k) for k, _, _ in frames]
        return [(k, {**given, "position": np.full((1, 1), k - begun, np.int64)}, made) for (k, given, made), begun in zip(frames, at)]

    found = judge(turns((0,)), turns((0, 4)))
    assert causes(found) == ["model.state"], found["findings"]
    assert found["findings"][0]["evidence"]["states"] == "past_k, past_v" and "input.shape" in found["findings"][0]["evidence"]["consequences"]


def test_a_state_that_is_carried_is_not_listed(judge):
    """Of windows that begin with another part of the frame before, the state alone follows."""
    def frames(back):
        h, out, x = np.zeros((1, 4), np.float32), [], np.random.default_rng(5).normal(0, 1, 200).astype(np.float32)
        for k in range(10):
            window = np.concatenate([x[40 + 8 * (k - back):48 + 8 * (k - back)], x[48 + 8 * k:56 + 8 * k]])[None]
            made = np.tanh(.7 * h + window[:, :4] + window[:, -4:]).astype(np.float32)
            out.append((k, {"x": window, "h": h}, {"y": made.sum(1, keepdims=True), "h_out": made}))
            h = made
        return out

    found = finding(judge(frames(1), frames(0)), "model.state")
    assert found["evidence"]["states"] == "x"


def test_a_difference_that_a_state_carries_on_is_no_fault_of_the_state(judge):
    verdict = judge(looped(change=lambda x: x * 4), looped())
    assert "input.normalization" in causes(verdict) and "model.state" not in causes(verdict)
    assert not [f for f in verdict["findings"] if f["cause"] == "input.unknown"]


@pytest.mark.parametrize("frames", [looped(), looped(lambda k, h: ZEROS), looped(lambda k, h: ZEROS if k % 6 == 0 else h),
                                    inner(), inner(lambda k: True), windows()],
                         ids=["carried", "never", "twice", "inner", "inner reset", "windows"])
def test_the_same_on_both_sides_is_healthy(judge, frames):
    assert causes(judge(frames, frames, op="SVDF")) == []


# ---- A part of an input -------------------------------------------------------------------------------


def test_a_window_whose_beginning_is_zeros(judge):
    verdict = judge(windows(lambda before: np.zeros((1, 16))), windows())
    f = finding(verdict, "model.state")
    assert "the first 16 of the 64 values" in f["summary"] and "are zeros" in f["summary"]
    assert "the last 16 values of the frame before" in f["summary"] and causes(verdict) == ["model.state"]


def test_a_gain_on_windows_that_overlap_is_no_state(judge):
    assert "model.state" not in causes(judge(windows(scale=2), windows()))


def test_bars_of_one_value_are_no_overlap(judge):
    """The bars above and below a picture are equal in all frames; those above have another value on the edge."""
    def frames(above):
        out = []
        for k, x in enumerate(data(10, 96)):
            picture = np.full((1, 128), 7, np.float32)
            picture[:, 16:112], picture[:, :16] = x, above
            out.append((k, {"x": picture}, {"y": picture.mean(1, keepdims=True)}))
        return out
    assert "model.state" not in causes(judge(frames(3.), frames(7.)))


# ---- Within the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF", "VAR_HANDLE", "READ_VARIABLE"])
def test_a_reset_within_the_model(judge, op):
    verdict = judge(inner(lambda k: k == 7), inner(), op=op)
    f = finding(verdict, "model.state")
    assert causes(verdict) == ["model.state"] and "up to frame 6, others from frame 7" in f["summary"]
    assert f["evidence"]["first_frame"] == 7


def test_a_reset_before_every_frame(judge):
    f = finding(judge(inner(lambda k: True), inner(), op="SVDF"), "model.state")
    assert "equal outputs in the first frame, others in 11 of 11 later ones" in f["summary"]


def test_frames_that_the_model_did_not_see(judge):
    f = finding(judge(inner(skip=(3, 4)), inner(), op="SVDF"), "model.state")
    assert "did not see frames 3 to 4" in f["summary"] and f["evidence"]["missed"] == "frames 3 to 4"


def test_a_model_that_was_not_reset_at_the_start(judge):
    """Of one file, engine, kernels and machine the first frame cannot differ otherwise."""
    f = finding(judge(inner(start=.9), inner(), op="SVDF"), "model.state")
    assert "not reset at the start" in f["summary"]


@pytest.mark.parametrize("how", [{"op": "FULLY_CONNECTED"}, {"op": "SVDF", "sha": b""}])
def test_what_the_log_does_not_prove(judge, how):
    """A model without a state, or perhaps another model."""
    assert "model.state" not in causes(judge(inner(lambda k: k == 7), inner(), **how))


def test_other_inputs_are_another_matter(judge):
    edge = [(k, {"x": given["x"] * 2}, made) for k, given, made in inner(lambda k: k == 7)]
    assert "model.state" not in causes(judge(edge, inner(), op="SVDF"))


# ---- As recorded --------------------------------------------------------------------------------------


def recorded(path, role, states):
    with Recording(path, role) as recording:
        for k, state in enumerate(states):
            recording.frame([("/state/cell", np.full((1, 4), state, np.float32), {}),
                             ("/input/x", np.full((1, 3), k, np.float32), {}),
                             ("/output/y", np.full((1, 2), k + state, np.float32), {})])
    return path


@pytest.mark.parametrize("edge, says, kind", [
    ([0, .5, 0, .7, .8], "The edge's model is reset in frame 2", "reset"),
    ([0, 0, 0, 0, 0], "The edge's model is reset before every frame", "not_carried"),
    ([.3, .5, .6, .7, .8], "The edge was not reset at the start", "begin"),
])
def test_recorded_states_tell_the_side(tmp_path, edge, says, kind):
    verdict = validate(recorded(tmp_path / "e.mcap", "edge", edge),
                       recorded(tmp_path / "r.mcap", "reference", [0, .5, .6, .7, .8]))
    f = finding(verdict, "model.state")
    assert says in f["summary"] and f["evidence"]["kind"] == kind and f["where"]["tensor"] == "cell"


def test_recorded_states_that_are_alike_are_healthy(tmp_path):
    states = [0, .5, .6, 0, .8]
    verdict = validate(recorded(tmp_path / "e.mcap", "edge", states), recorded(tmp_path / "r.mcap", "reference", states))
    assert causes(verdict) == []


# ---- Inputs of another frame ------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 2, -1])
def test_inputs_of_another_frame_are_no_state(judge, lag):
    """Each frame's features are, value for value, those of another; the first has what came before, or its own."""
    x = data(12, 24)
    late = [(k, {"x": x[min(max(k - lag, 0), 11)]}, {"y": x[k].sum(1, keepdims=True)}) for k in range(12)]
    verdict = judge(late, [(k, {"x": x[k]}, {"y": x[k].sum(1, keepdims=True)}) for k in range(12)])
    f = finding(verdict, "input.frame_order")
    assert f["evidence"]["lag"] == lag and "model.state" not in causes(verdict)


# ---- Logs of every third frame -------------------------------------------------------------------------


def third(frames):
    """What the model got and gave is kept of every third frame alone."""
    return [(k, given if k % 3 == 0 else {}, made if k % 3 == 0 else {}) for k, given, made in frames]


@pytest.mark.parametrize("state, kind, says", [
    (lambda k, h: h * 0, "reset", "The edge resets the model's state: in frames 3, 6 and 9"),
    (lambda k, h: h * (k != 6), "reset", "in frame 6"),
    (lambda k, h: h * np.float32(.5), "unseen", "others from frame 3 on")])
def test_states_whose_origin_was_not_recorded(judge, state, kind, says):
    f = finding(judge(third(looped(state)), looped()), "model.state")
    assert f["evidence"]["kind"] == kind and says in f["summary"], f["summary"]


@pytest.mark.parametrize("edge", [
    looped(), looped(change=lambda x: x * np.float32(1 + 1e-7)), looped(lambda k, h: h * np.float32(1 + 1e-5))], ids=["same", "arithmetic", "rounded"])
def test_states_of_some_frames_are_healthy(judge, edge):
    assert "model.state" not in causes(judge(third(edge), looped()))


def test_another_input_comes_before_the_state_that_it_leaves(judge):
    assert "model.state" not in causes(judge(third(looped(change=lambda x: 2 * x)), looped()))


def test_a_state_within_the_model_of_some_frames(judge):
    f = finding(judge(third(inner(lambda k: k == 5)), inner(), op="SVDF"), "model.state")
    assert f["evidence"]["first_frame"] == 6 and "8 of 12 frames have no recorded input" in " ".join(f["details"])
    assert "model.state" not in causes(judge(third(inner()), inner(), op="SVDF"))
