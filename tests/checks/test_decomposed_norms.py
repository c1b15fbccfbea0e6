"""model.operator: normalizations and GELUs that exporters write as many operators, with one number changed."""

import numpy as np
import pytest
from onnx_log import verdict_of
from onnx_models import Graph
from validate_support import causes, finding

SHAPE, WIDTH = (1, 10, 24), 24


def mean(g, x, axes=(-1,)):
    return g("ReduceMean", x, axes=list(axes), keepdims=1)


def moments(g, x, square):
    """x less its mean, and its variance."""
    apart = g("Sub", x, mean(g, x))
    if square == "pow":
        return apart, mean(g, g("Pow", apart, g.const("two", 2)))
    return apart, mean(g, g("Mul", apart, apart))


def layer_norm(g, x, name, epsilon, how="div"):
    """As opset 16 and before, and other exporters, have it."""
    gamma, beta = g.const(name + ".g", np.linspace(0.5, 1.5, WIDTH)), g.const(name + ".b", np.linspace(-0.2, 0.2, WIDTH))
    e = g.const(name + ".e", epsilon)
    if how == "operator":
        return g("LayerNormalization", x, gamma, beta, to=name, axis=-1, epsilon=epsilon)
    apart, variance = moments(g, x, "mul" if how == "reciprocal" else "pow")
    root = g("Sqrt", g("Add", variance, e))
    if how == "div":
        scaled = g("Div", apart, root)
    else:
        scaled = g("Mul", apart, g("Reciprocal", root))
    return g("Add", g("Mul", scaled, gamma), beta, to=name)


def keras_norm(g, x, name, epsilon):
    """As TensorFlow takes a LayerNormalization apart."""
    gamma, beta = g.const(name + ".g", np.linspace(0.5, 1.5, WIDTH)), g.const(name + ".b", np.linspace(-0.2, 0.2, WIDTH))
    m = mean(g, x)
    apart = g("Sub", x, m)
    variance = mean(g, g("Mul", apart, apart))
    r = g("Mul", g("Reciprocal", g("Sqrt", g("Add", variance, g.const(name + ".e", epsilon)))), gamma)
    return g("Add", g("Mul", x, r), g("Sub", beta, g("Mul", m, r)), to=name)


def fast_norm(g, x, name, epsilon):
    """The variance as the mean of squares less the square of the mean."""
    gamma, beta = g.const(name + ".g", np.linspace(0.5, 1.5, WIDTH)), g.const(name + ".b", np.linspace(-0.2, 0.2, WIDTH))
    m = mean(g, x)
    variance = g("Max", g("Sub", mean(g, g("Mul", x, x)), g("Mul", m, m)), g.const("zero", 0))
    root = g("Sqrt", g("Add", variance, g.const(name + ".e", epsilon)))
    return g("Add", g("Mul", g("Div", g("Sub", x, m), root), gamma), beta, to=name)


def rms_norm(g, x, name, epsilon, how="div"):
    gamma = g.const(name + ".g", np.linspace(0.5, 1.5, WIDTH))
    square = g("Pow", x, g.const("two", 2)) if how == "div" else g("Mul", x, x)
    root = g("Sqrt", g("Add", mean(g, square), g.const(name + ".e", epsilon)))
    scaled = g("Div", x, root) if how == "div" else g("Mul", x, g("Reciprocal", root))
    return g("Mul", gamma, scaled, to=name)


NORMS = {"layer norm": layer_norm, "layer norm by a reciprocal": lambda *a: layer_norm(*a, how="reciprocal"), "keras": keras_norm, "fast variance": fast_norm,
         "rms norm": rms_norm, "rms norm by a reciprocal": lambda *a: rms_norm(*a, how="reciprocal"),
         "operator": lambda *a: layer_norm(*a, how="operator")}


def model(path, norm, epsilons=(1e-5, 1e-5, 1e-5), scale=0.02):
    """Three blocks, each a product of matrices and a normalization."""
    g = Graph(opset=17)
    x = g("Mul", "x", g.const("small", scale))
    for i, epsilon in enumerate(epsilons):
        x = g("MatMul", x, g.weight(f"dense{i}.w", WIDTH, WIDTH), to=f"dense{i}")
        x = NORMS[norm](g, x, f"norm{i}", epsilon)
        x = g("Mul", g("Relu", x), g.const("small2", scale)) if i < 2 else x
    g("MatMul", x, g.weight("last.w", WIDTH, 6), to="y")
    return g.save(path, list(SHAPE))


def told(f):
    return f["evidence"]["attribute"], f["evidence"]["edge"], f["evidence"]["reference"]


@pytest.mark.parametrize("norm", NORMS)
def test_another_epsilon_in_the_same_operators(tmp_path, norm):
    edge = model(tmp_path / "edge.onnx", norm, (1e-5, 1e-3, 1e-5))
    v = verdict_of(tmp_path, edge, model(tmp_path / "reference.onnx", norm), 1, "none", SHAPE, scale=1)
    assert causes(v) == ["model.operator"]
    words = " ".join(told(finding(v, "model.operator")))
    assert "epsilon" in words and "0.001" in words and "1e-05" in words


PAIRS = [("layer norm", "operator", "extended"), ("operator", "keras", "none"), ("keras", "layer norm", "none"), ("fast variance", "operator", "none"),
         ("layer norm by a reciprocal", "operator", "none"), ("layer norm", "fast variance", "extended"), ("rms norm by a reciprocal", "rms norm", "none"),
         ("rms norm by a reciprocal", "rms norm", "extended")]


@pytest.mark.parametrize("edge,reference,level", PAIRS, ids=[f"{a} for {b}, {c}" for a, b, c in PAIRS])
def test_one_normalization_in_other_operators(tmp_path, edge, reference, level):
    right = model(tmp_path / "reference.onnx", reference)
    v = verdict_of(tmp_path, model(tmp_path / "edge.onnx", edge), right, 0, level, SHAPE, scale=1)
    assert causes(v) == []
    v = verdict_of(tmp_path, model(tmp_path / "edge.onnx", edge, (1e-5, 1e-3, 1e-5)), right, 1, level, SHAPE, scale=1)
    assert causes(v) == ["model.operator"]
    assert told(finding(v, "model.operator")) == ("epsilon", "0.001", "1e-05")


def gelu(g, x, half, root, cube=None):
    c = g.const
    if cube is None:
        e = g("Add", g("Erf", g("Div", x, c("root", root))), c("one", 1))
        return g("Mul", g("Mul", x, e), c("half", half))
    inner = g("Add", x, g("Mul", g("Pow", x, c("three", 3)), c("cube", cube)))
    t = g("Tanh", g("Mul", inner, c("root", root)))
    return g("Mul", g("Mul", c("half", half), x), g("Add", c("one", 1), t))


def dense_gelu(path, *numbers):
    g = Graph()
    g("MatMul", gelu(g, g("MatMul", "x", g.weight("a", WIDTH, WIDTH), to="dense"), *numbers), g.weight("z", WIDTH, 6), to="y")
    return g.save(path, list(SHAPE))


RIGHT = {"erf": (0.5, np.sqrt(2)), "tanh": (0.5, np.sqrt(2 / np.pi), 0.044715)}


@pytest.mark.parametrize("kind,numbers,words", [("erf", (0.45, np.sqrt(2)), "0.45 x (1 + erf(x / 1.41421))"), ("erf", (0.5, 1.6), "0.5 x (1 + erf(x / 1.6))"),
                                                ("tanh", (0.5, np.sqrt(2 / np.pi), 0.06), "0.5 x (1 + tanh(0.797885 (x + 0.06 x^3)))"),
                                                ("tanh", (0.5, 0.9, 0.044715), "0.5 x (1 + tanh(0.9 (x + 0.044715 x^3)))")])
def test_another_number_in_a_gelu(tmp_path, kind, numbers, words):
    edge, reference = dense_gelu(tmp_path / "edge.onnx", *numbers), dense_gelu(tmp_path / "reference.onnx", *RIGHT[kind])
    v = verdict_of(tmp_path, edge, reference, 1, "none", SHAPE, scale=1)
    assert causes(v) == ["model.operator"]
    assert words in finding(v, "model.operator")["evidence"]["edge"]


def folded_norm(path, epsilon, folded):
    """An RMS norm whose factors, and a scale behind it, are folded into the product behind it, or are not."""
    g = Graph(opset=17)
    x = g("MatMul", g("Mul", "x", g.const("small", 0.02)), g.weight("dense.w", WIDTH, WIDTH), to="dense")
    root = g("Sqrt", g("Add", mean(g, g("Mul", x, x)), g.const("e", epsilon)))
    x, gamma = g("Div", x, root, to="scaled"), np.linspace(0.5, 1.5, WIDTH)
    last = np.random.default_rng(4).normal(0, 0.3, (WIDTH, 6))
    if folded:
        g("MatMul", x, g.const("last.w", 2 * gamma[:, None] * last), to="y")
    else:
        g("MatMul", g("Mul", g("Mul", x, g.const("gamma", gamma)), g.const("scale", 2)), g.const("last.w", last), to="y")
    return g.save(path, list(SHAPE))


@pytest.mark.parametrize("epsilon", [1e-6, 1e-3])
def test_factors_that_are_folded_into_what_follows(epsilon, tmp_path):
    edge, reference = folded_norm(tmp_path / "edge.onnx", epsilon, True), folded_norm(tmp_path / "reference.onnx", 1e-6, False)
    v = verdict_of(tmp_path, edge, reference, epsilon > 1e-6, "none", SHAPE, scale=1)
    assert causes(v) == (["model.operator"] if epsilon > 1e-6 else [])
    assert epsilon == 1e-6 or told(v["findings"][0])[0] == "epsilon"
