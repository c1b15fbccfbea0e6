"""Outputs of networks of 8 bits, of which nothing else was recorded: rounding is spread over all elements, other weights of one are not."""

import numpy as np
import pytest
from outputs_support import write_outputs
from validate_support import causes, finding, validate

FRAMES, WIDTH = 12, 128
pytestmark = pytest.mark.data
LAYERS = 6
MODEL = ([("image", "float32", [1, 32, 32, 3], [], [], 0), *((f"layer{i}", "int8", [1, WIDTH], [.05], [0], 0) for i in range(LAYERS)), ("probabilities", "float32", [1, WIDTH], [], [], 0)],
         [*(("CONV_2D", [i], [i + 1]) for i in range(LAYERS)), ("DEQUANTIZE", [LAYERS], [LAYERS + 1])], [0], [LAYERS + 1])


def features(seed=1, heavy=False):
    random = np.random.default_rng(seed)
    return random.normal(0, 1, (FRAMES, WIDTH)) ** (3 if heavy else 1) * random.uniform(.5, 2, WIDTH)


def judge(folder, edge, reference):
    logs = [write_outputs(folder / role, role, np.float32(v), model=MODEL) for role, v in (("edge", edge), ("reference", reference))]
    return validate(*logs)


def rounded(values, share=.08, seed=7):
    """8 bits of a deep network: of one size in all elements."""
    return values + np.random.default_rng(seed).normal(0, share, values.shape) * values.std()


CHANGES = {
    "another's": lambda v: v[:, (np.arange(WIDTH) + 1) % WIDTH],
    "of other weights": lambda v: features(5),
    "lost": lambda v: 0 * v + v.mean(),
    "of another sign": lambda v: -v,
}


@pytest.mark.parametrize("elements", [[5], [3, 40]], ids=["one", "two"])
@pytest.mark.parametrize("name", CHANGES)
def test_elements_that_rounding_does_not_make(tmp_path, name, elements):
    values = features()
    edge = rounded(values)
    edge[:, elements] = CHANGES[name](values)[:, elements]
    verdict = judge(tmp_path, edge, values)
    assert causes(verdict) == ["layer.unknown"], verdict["findings"]
    evidence = finding(verdict, "layer.unknown")["evidence"]
    if "element" in evidence:
        assert evidence["element"] == elements[0] and evidence["elements"] == len(elements)
    else:  # the output as a whole is beyond
        assert evidence["error_to_signal"] > evidence["noise_to_signal"] and name != "lost"


HEALTHY = {
    "rounding": lambda v: rounded(v),
    "more of it": lambda v: rounded(v, .2),
    "rounding that is larger where values are": lambda v: v * (1 + np.random.default_rng(3).normal(0, .1, v.shape)),
    "some elements rounded more": lambda v: v + np.random.default_rng(3).normal(0, .1, v.shape) * v.std() * np.linspace(.3, 2.5, WIDTH),
    "a bias in each element": lambda v: rounded(v, .04) + np.random.default_rng(4).normal(0, .1, WIDTH),
    "one frame of one element": lambda v: np.where((np.arange(WIDTH) == 9) & (np.arange(FRAMES) == 4)[:, None], v + 2.5, rounded(v, .05)),
    "an element that hardly varies": lambda v: np.where(np.arange(WIDTH) == 9, rounded(v, .1), rounded(v, .05)),
}


@pytest.mark.parametrize("heavy", [False, True], ids=["normal", "heavy tails"])
@pytest.mark.parametrize("name", HEALTHY)
def test_rounding_is_spread_over_all(tmp_path, name, heavy):
    values = features(heavy=heavy)
    values[:, 9] *= .2 if "hardly" in name else 1
    verdict = judge(tmp_path, HEALTHY[name](values), values)
    assert verdict["verdict"] == "pass", verdict["findings"]
