"""Models whose outputs come back to them: a state, and tokens that the application chooses.  What differs behind a wrong output is no wrong input;
the first frame, whose inputs are equal, shows whose the difference is, also where outputs alone are recorded."""

import numpy as np
import pytest
from log_writer import PB
from mcap.reader import make_reader
from validate_support import Recording, causes, finding, validate

WORDS, WIDTH, FRAMES = 40, 12, 10


def matrix(name, *shape, gain=1.0):
    return np.random.default_rng(list(name.encode())).normal(0, gain, shape)


def log(path, role, wrong=None, forced=False, noise=0.0, tie=0.0, choose=np.argmax, state="carried"):
    """A recurrent model of language in NumPy.  wrong(name, matrix); forced: the same ids on both sides, whatever comes out; tie: by how much the
    second best score of frame 4 exceeds the best."""
    made = wrong or (lambda name, w: w)
    embed, turn, head = (made(n, matrix(n, *s, gain=g)) for n, s, g in (("embed", (WORDS, WIDTH), 1.0), ("turn", (WIDTH, WIDTH), 0.3), ("head", (WIDTH, WORDS), 1.0)))
    rng, h, token = np.random.default_rng(len(role)), np.zeros((1, WIDTH), np.float32), 7
    with Recording(path, role) as out:
        out.model([("ids", "int64", (1, 1), [], [], 0), ("h", "float32", (1, WIDTH), [], [], 0), ("logits", "float32", (1, WORDS), [], [], 0), ("h_next", "float32", (1, WIDTH), [], [], 0)],
                  [("CELL", [0, 1], [3]), ("HEAD", [3], [2])], [0, 1], [2, 3])
        for k in range(FRAMES):
            after = np.tanh(embed[token] + h @ turn).astype(np.float32)
            scores = after @ head
            if tie and k == 4:
                best = np.argsort(scores[0])
                scores[0, best[-2]] = scores[0, best[-1]] * (1 + tie)
            scores = (scores * (1 + noise * rng.normal(size=scores.shape))).astype(np.float32)
            out.frame([("/input/ids", np.array([[token]], np.int64), {}), ("/input/h", h, {}), ("/output/logits", scores, {}), ("/output/h_next", after, {})], source=f"token{k}")
            token = (3 + 5 * k) % WORDS if forced else int(choose(scores[0]))
            h = after if state == "carried" else np.zeros_like(after)
    return path


def judged(tmp_path, status, edge, reference=None):
    return validate(log(tmp_path / "edge.mcap", "edge", **edge), log(tmp_path / "reference.mcap", "reference", **(reference or {})), status=status)


def only(which):
    return lambda name, w: w[:, ::-1] if name == which else w


@pytest.mark.parametrize("which", ["embed", "head"])
def test_a_state_carries_on_what_outputs_alone_show(tmp_path, which):
    """Inputs of all frames but the first differ, rightly: it was a pass."""
    v = judged(tmp_path, 1, {"wrong": only(which), "forced": True}, {"forced": True})
    assert causes(v) == ["layer.unknown"] and "logits" in str(finding(v, "layer.unknown"))
    if which == "embed":
        assert "frame 0, whose inputs are equal" in finding(v, "layer.unknown")["summary"]


def test_tokens_that_were_chosen_are_no_wrong_tokens(tmp_path):
    v = judged(tmp_path, 1, {"wrong": only("head")})
    assert causes(v) == ["layer.unknown"] or causes(v) == ["layer.unknown", "input.tokens"]
    assert finding(v, "layer.unknown")["severity"] == "error" and "frame 0" in finding(v, "layer.unknown")["summary"]
    assert finding(v, "input.tokens")["severity"] == "warning" and finding(v, "input.tokens")["evidence"]["kind"] == "chosen"


def test_rounding_in_a_loop_is_healthy(tmp_path):
    assert causes(judged(tmp_path, 0, {"noise": 1e-7})) == []


def test_two_scores_as_large_are_told_and_pass(tmp_path):
    v = judged(tmp_path, 0, {"tie": 4e-7}, {"tie": -4e-7})
    ids = [ids_of(tmp_path / f"{role}.mcap") for role in ("edge", "reference")]
    assert ids[0] != ids[1], "the case is wrong"
    assert causes(v) == ["input.tokens"] and finding(v, "input.tokens")["severity"] == "warning"


def ids_of(path):
    with open(path, "rb") as file:
        return [PB["Tensor"].FromString(m.data).data for _, c, m in make_reader(file).iter_messages() if c.topic == "/input/ids"]


def test_other_tokens_than_those_chosen_are_wrong(tmp_path):
    v = judged(tmp_path, 1, {"choose": lambda s: np.argsort(s)[-2]})
    assert "input.tokens" in causes(v) and finding(v, "input.tokens")["severity"] == "error"


def test_scores_without_values_choose_nothing(tmp_path):
    """Whatever a log says of their size: none of [0, 2^62] was read behind the end of the data."""
    scores = {"edge": (np.zeros(1, np.float32), {"shape": (0, 1 << 62)}), "reference": (np.zeros((4, 8), np.float32), {})}
    for role, (array, shape) in scores.items():
        with Recording(tmp_path / role, role) as out:
            for k in range(4):
                ids = np.full((1, 4), k + (role == "edge" and k > 1), np.int64)
                out.frame([("/input/ids", ids, {}), ("/output/y", array, shape)], source=f"token{k}")
    found = finding(validate(tmp_path / "edge", tmp_path / "reference", status=1), "input.tokens")
    assert found["severity"] == "error"


def test_a_state_that_is_not_carried_is_still_named(tmp_path):
    v = judged(tmp_path, 1, {"forced": True, "state": "lost"}, {"forced": True})
    assert causes(v) == ["model.state"]


# ---- Keys and values that grow ----


def cached(path, role, cut=lambda k, cache: cache):
    """A cache [1, 2, n, 3] that grows by a token a frame, of which y is the mean."""
    cache = np.zeros((1, 2, 0, 3), np.float32)
    with Recording(path, role) as out:
        out.model([("x", "float32", (1, 6), [], [], 0), ("past", "float32", (1, 2, -1, 3), [], [], 0), ("y", "float32", (1, 6), [], [], 0), ("present", "float32", (1, 2, -1, 3), [], [], 0)],
                  [("JOIN", [0, 1], [3]), ("MEAN", [3], [2])], [0, 1], [2, 3])
        for k in range(FRAMES):
            x = np.random.default_rng(k).normal(size=(1, 6)).astype(np.float32)
            present = np.concatenate([cache, x.reshape(1, 2, 1, 3)], 2)
            out.frame([("/input/x", x, {}), ("/input/past", cache, {}), ("/output/y", present.mean(2).reshape(1, 6), {}), ("/output/present", present, {})], source=f"token{k}")
            cache = np.ascontiguousarray(cut(k, present))
    return path


@pytest.mark.parametrize("cut", [lambda k, c: c[:, :, :-1] if k == 5 else c, lambda k, c: c[:, :, -6:]], ids=["a token is lost", "a window slides"])
def test_a_cache_of_another_size_is_a_state_that_is_not_carried(tmp_path, cut):
    v = validate(cached(tmp_path / "edge.mcap", "edge", cut), cached(tmp_path / "reference.mcap", "reference"), status=1)
    assert causes(v) == ["model.state"] and "past" in finding(v, "model.state")["summary"]


def test_a_cache_that_grows_is_healthy(tmp_path):
    assert causes(validate(cached(tmp_path / "edge.mcap", "edge"), cached(tmp_path / "reference.mcap", "reference"), status=0)) == []


def test_a_cache_that_is_longer_from_the_first_frame_on_is_told(tmp_path):
    """Carried on by both sides: the shape is what differs."""
    v = validate(cached(tmp_path / "edge.mcap", "edge", lambda k, c: np.concatenate([c, c[:, :, :1]], 2) if k == 0 else c), cached(tmp_path / "reference.mcap", "reference"), status=1)
    assert causes(v)[0] in ("model.state", "input.shape")


# ---- Detectors of one number ----


def in_8_bits(v, scale, zero=0):
    return np.clip(np.round(v / scale) + zero, -128, 127).astype(np.int8)


def detector(path, role, first=0.0, wrong=None):
    """A recurrent detector (of speech, of a touch) in floats, or on the edge in 8 bits, whose state soon is another by rounding; first: what lowers
    its logit in the first frame."""
    made, edge = wrong or (lambda name, w: w), role == "edge"
    sensor, turn, head = (made(n, matrix(n, *s, gain=g)) for n, s, g in (("sensor", (8, WIDTH), .6), ("turn again", (WIDTH, WIDTH), 2.0), ("detect", (WIDTH, 1), 1.2)))
    rng, h = np.random.default_rng(0), np.zeros((1, WIDTH), np.float32)
    units = {"h": (1 / 128, 0), "p": (1 / 256, -128)} if edge else {}
    described = lambda name, shape, unit: (name, "int8", shape, [units[unit][0]], [units[unit][1]], 0) if edge else (name, "float32", shape, [], [], 0)
    recorded = lambda topic, v, unit: (topic, in_8_bits(v, *units[unit]), {"scale": [units[unit][0]], "zero_point": [units[unit][1]]}) if edge else (topic, v, {})
    with Recording(path, role) as out:
        out.model([("x", "float32", (1, 8), [], [], 0), described("h", (1, WIDTH), "h"), described("p", (1, 1), "p"), described("h_next", (1, WIDTH), "h")],
                  [("CELL", [0, 1], [3]), ("HEAD", [3], [2])], [0, 1], [2, 3])
        for k in range(20):
            x = rng.normal(size=(1, 8)).astype(np.float32)
            after = np.tanh(x @ sensor + h @ turn).astype(np.float32)
            p = (1 / (1 + np.exp(-(after @ head - (first if k == 0 else 0))))).astype(np.float32)
            out.frame([("/input/x", x, {}), recorded("/input/h", h, "h"), recorded("/output/p", p, "p"), recorded("/output/h_next", after, "h")], source=f"chunk{k}")
            h = in_8_bits(after, 1 / 128).astype(np.float32) / 128 if edge else after
    return path


@pytest.mark.parametrize("first", [4.0, 8.0, 9.0])
def test_one_number_near_zero_in_the_first_frame(tmp_path, first):
    """Silence: a step of 8 bits is as much as the whole number, and nothing beside those of other frames."""
    v = validate(detector(tmp_path / "e.mcap", "edge", first), detector(tmp_path / "r.mcap", "reference", first), status=None)
    assert v["verdict"] == "pass" and causes(v) == [], v["findings"]


def test_one_number_of_other_weights(tmp_path):
    v = validate(detector(tmp_path / "e.mcap", "edge", wrong=lambda name, w: w[::-1] if name == "detect" else w), detector(tmp_path / "r.mcap", "reference"), status=1)
    assert causes(v) == ["layer.unknown"] and "frame 0, whose inputs are equal" in finding(v, "layer.unknown")["summary"]
