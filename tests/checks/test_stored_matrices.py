"""Square matrices, of which the shape does not say which way they lie: PyTorch's Linear has outputs in rows, ONNX's MatMul in columns."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, finding, validate

WIDTH, FRAMES = 16, 3


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def write(path, role, epsilon=1e-5, turned=False, unseen=True, symmetric=False):
    """A normalization, queries and keys of it, their product; as PyTorch has it (reference) or ONNX (edge).  unseen: the normalization's
    output is not recorded; turned: queries by the transposed matrix; symmetric: queries by a matrix that is its own transpose."""
    torch = role == "reference"
    q, k, scale = random(1, WIDTH, WIDTH), random(2, WIDTH, WIDTH), 1 + random(3, WIDTH) / 4
    q = q + q.T if symmetric else q.T.copy() if turned else q
    stored = [scale, *((m if torch else m.T.copy()) for m in (q, k))]
    m = PB["Model"](name="net", engine="torch" if torch else "onnxruntime")
    for name, shape in (("x", (1, 6, WIDTH)), ("norm", (1, 6, WIDTH)), ("query", (1, 6, WIDTH)), ("key", (1, 6, WIDTH)), ("keys", (1, WIDTH, 6)), ("y", (1, 6, 6))):
        m.tensors.add(name=f"{role}.{name}", dtype=1, shape=shape)
    for i, c in enumerate(stored):
        m.tensors.add(name=f"{role}.constant{i}", dtype=1, shape=c.shape, constant=True)
    m.inputs.append(0)
    m.outputs.append(5)
    norm = m.nodes.add(op="LayerNorm" if torch else "LayerNormalization", name=f"{role}.norm", inputs=[0, 6], outputs=[1])
    norm.attributes["eps" if torch else "epsilon"] = str(epsilon)
    m.nodes.add(op="Linear" if torch else "MatMul", name=f"{role}.q", inputs=[1, 7], outputs=[2])
    m.nodes.add(op="Linear" if torch else "MatMul", name=f"{role}.k", inputs=[1, 8], outputs=[3])
    turn = m.nodes.add(op="transpose" if torch else "Transpose", name=f"{role}.turn", inputs=[3], outputs=[4])
    if not torch:
        turn.attributes["perm"] = "0,2,1"
    m.nodes.add(op="matmul" if torch else "MatMul", name=f"{role}.product", inputs=[2, 4], outputs=[5])
    with Recording(path, role) as log:
        log.add("/model", "Model", m)
        for i, c in enumerate(stored):
            t = PB["Tensor"](tensor=6 + i, data=c.astype(np.float32).tobytes())
            t.info.CopyFrom(m.tensors[6 + i])
            log.add(f"/constant/{6 + i}", "Tensor", t)
        for f in range(FRAMES):
            x = random(20 + f, 1, 6, WIDTH)
            n = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * scale
            made = [n, n @ q.T, n @ k.T, np.swapaxes(n @ k.T, 1, 2), (n @ q.T) @ np.swapaxes(n @ k.T, 1, 2)]
            log.frame([("/input/0", x, {}), *((f"/layer/{i}", a.astype(np.float32), {}) for i, a in enumerate(made) if i or not unseen),
                       ("/output/0", made[-1].astype(np.float32), {})])
    return path


def judge(tmp_path, status, unseen, symmetric=False, **change):
    edge, reference = (write(tmp_path / f"{role}.mcap", role, unseen=unseen, symmetric=symmetric, **(change if role == "edge" else {})) for role in ("edge", "reference"))
    return validate(edge, reference, "--min-coverage", "0.3", status=status)


unseen = pytest.mark.parametrize("unseen", [True, False])


@unseen
def test_matrices_that_lie_as_each_engine_has_them(tmp_path, unseen):
    assert causes(judge(tmp_path, 0, unseen)) == []


@unseen
def test_behind_another_normalization_they_are_the_same(tmp_path, unseen):
    assert causes(judge(tmp_path, 1, unseen, epsilon=0.5)) == ["model.operator"]


@unseen
def test_a_symmetric_matrix_lies_both_ways(tmp_path, unseen):
    assert causes(judge(tmp_path, 0, unseen, symmetric=True)) == []
    assert causes(judge(tmp_path, 1, unseen, symmetric=True, epsilon=0.5)) == ["model.operator"]


@unseen
def test_a_transposed_matrix(tmp_path, unseen):
    v = judge(tmp_path, 1, unseen, turned=True)
    assert causes(v) == ["model.weights"] and any("transposed" in d for d in finding(v, "model.weights")["details"])
