"""Logs whose models and records contradict each other: nothing is read beyond what was recorded, and nothing that is
wrong passes for it."""

import os
import subprocess

import numpy as np
import pytest
from log_writer import PB
from validate_support import EXRAY, Recording, finding, validate


def run(edge, reference):
    done = subprocess.run([EXRAY, "validate", edge, reference, "--json", "-"], capture_output=True, text=True)
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr
    return done


def two_layers(path, role, engine, names, shapes, seed=0):
    """The layer has another number of dimensions in the second frame, of as many elements."""
    rng = np.random.default_rng(seed)
    with Recording(path, role) as log:
        m = PB["Model"](name="m", engine=engine, inputs=[0], outputs=[2])
        for name, shape in zip(names, ([1, 64], [-1, -1, -1], [1, 64])):
            m.tensors.add(name=name, dtype=1, shape=shape)
        m.nodes.add(op="Conv", name=names[1], inputs=[0], outputs=[1])
        m.nodes.add(op="Softmax", name=names[2], inputs=[1], outputs=[2])
        log.add("/model", "Model", m)
        for shape in shapes:
            x = rng.normal(size=(1, 64)).astype(np.float32)
            log.frame([(f"/input/{names[0]}", x, {}), ("/layer/0/0", (2 * x).reshape(shape), {}),
                       ("/layer/1/0", x + 1, {}), (f"/output/{names[2]}", x + 1, {})])
    return path


@pytest.mark.parametrize("second", [(64,), (8, 8), (2, 2, 4, 4), (2, 2, 2, 2, 4)])
def test_a_layer_of_another_rank_in_a_later_frame(second, tmp_path):
    shapes = [(4, 4, 4), second]
    run(two_layers(tmp_path / "e.mcap", "edge", "tflite", ["x", "a", "y"], shapes),
        two_layers(tmp_path / "r.mcap", "reference", "onnxruntime", ["in", "b", "out"], shapes))


def lstm(path, role, shape, weights):
    """The model says another shape of its weights than they have in the log."""
    with Recording(path, role) as log:
        m = PB["Model"](name="m", engine="onnxruntime", inputs=[0], outputs=[2])
        for name, dims, constant in (("x", [1, 4], False), ("w", shape, True), ("y", [1, 4], False)):
            m.tensors.add(name=name, dtype=1, shape=dims, constant=constant)
        m.nodes.add(op="LSTM", name="lstm", inputs=[0, 1], outputs=[2])
        log.add("/model", "Model", m)
        log.tensor("/constant/1", weights)
        x = np.ones((1, 4), np.float32)
        log.frame([("/input/x", x, {}), ("/layer/0/0", x + weights[0], {}), ("/output/y", x + weights[0], {})])
    return path


@pytest.mark.parametrize("shape", [[1, 16, 2**60 + 1], [1, 2**62 + 4, 4], [1, 16, 4096], [2, 16, 1], [1, 16, 0]])
def test_gates_of_more_weights_than_were_recorded(shape, tmp_path):
    w = np.arange(1, 17, dtype=np.float32)
    run(lstm(tmp_path / "e.mcap", "edge", shape, w), lstm(tmp_path / "r.mcap", "reference", shape, w[::-1].copy()))


def outer(path, role, steps, factor=1.0):
    """A node makes of two small vectors what a machine has no room for, and others copies of that."""
    n = 12000
    with Recording(path, role) as log:
        m = PB["Model"](name="m", engine="onnxruntime", inputs=[0], outputs=[1])
        m.tensors.add(name="x", dtype=1, shape=[1, n])
        m.tensors.add(name="y", dtype=1, shape=[1, 1])
        last = 0
        for k in range(steps):
            m.tensors.add(name=f"t{k}", dtype=1, shape=[n, n] if k else [n, 1])
            m.nodes.add(op="Add" if k else "Transpose", inputs=[0] if k == 0 else [0, 2] if k == 1 else [last, last], outputs=[k + 2])
            last = k + 2
        m.nodes.add(op="ReduceMean", name="y", inputs=[last], outputs=[1])
        log.add("/model", "Model", m)
        for k in range(3):
            x = np.linspace(0, 1 + k, n, dtype=np.float32)[None]
            y = np.full((1, 1), x.mean() * factor, np.float32)
            log.frame([("/input/x", x, {}), (f"/layer/{steps}/0", y, {}), ("/output/y", y, {})])
    return path


def test_shapes_that_broadcast_take_no_more_memory_than_there_is(tmp_path):
    edge, reference = outer(tmp_path / "e.mcap", "edge", 0, 1.5), outer(tmp_path / "r.mcap", "reference", 9)
    limited = ["bash", "-c", 'ulimit -v 6000000; exec "$0" "$@" >/dev/null', EXRAY, "validate", edge, reference]
    child = subprocess.Popen([str(c) for c in limited])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 1
    assert usage.ru_maxrss < 2_500_000  # KiB


def classes(path, role, engine, prefix, factor):
    rng = np.random.default_rng(3)
    with Recording(path, role) as log:
        m = PB["Model"](name="m", engine=engine, inputs=[0], outputs=[3])
        for name, dtype, shape in (("x", 1, [1, 32]), ("a", 1, [1, 32]), ("b", 1, [1, 10]), ("y", 8, [1])):
            m.tensors.add(name=prefix + name, dtype=dtype, shape=shape)
        for op, i, o in (("Relu", 0, 1), ("Gemm", 1, 2), ("ArgMax", 2, 3)):
            m.nodes.add(op=op, name=f"{prefix}n{o}", inputs=[i], outputs=[o])
        log.add("/model", "Model", m)
        w = rng.normal(size=(32, 10))
        for _ in range(4):
            x = rng.normal(size=(1, 32)).astype(np.float32)
            a = np.maximum(x, 0)
            b = (a @ w * factor).astype(np.float32)
            y = b.argmax(1)
            log.frame([(f"/input/{prefix}x", x, {}), ("/layer/0/0", a, {}), ("/layer/1/0", b, {}), ("/layer/2/0", y, {}),
                       (f"/output/{prefix}y", y, {})])
    return path


def test_equal_classes_do_not_clear_the_layer_before_them(tmp_path):
    done = validate(classes(tmp_path / "e.mcap", "edge", "tflite", "e_", 0.6), classes(tmp_path / "r.mcap", "reference", "onnxruntime", "r_", 1))
    assert done["verdict"] == "fail"
    assert [f["cause"] for f in done["findings"]] == ["layer.unknown"]


def flicker(path, role, wrong=None, frames=40):
    """Softmax behind Mul, of which a kernel spoils one frame."""
    rng = np.random.default_rng(7)
    with Recording(path, role) as log:
        m = PB["Model"](name="m", engine="onnxruntime", inputs=[0], outputs=[3])
        for name, shape in (("x", [1, 64]), ("a", [1, 64]), ("b", [1, 64]), ("y", [1, 64])):
            m.tensors.add(name=name, dtype=1, shape=shape)
        for op, i, o in (("Tanh", 0, 1), ("Softmax", 1, 2), ("Sqrt", 2, 3)):
            m.nodes.add(op=op, name=f"n{o}", inputs=[i], outputs=[o])
        log.add("/model", "Model", m)
        for k in range(frames):
            x = rng.normal(size=(1, 64)).astype(np.float32)
            a = np.tanh(x)
            b = (np.exp(a) / np.exp(a).sum()).astype(np.float32)
            b = np.roll(b, 1) if k == wrong else b
            y = np.sqrt(b)
            log.frame([("/input/x", x, {}), ("/layer/0/0", a, {}), ("/layer/1/0", b, {}), ("/layer/2/0", y, {}), ("/output/y", y, {})])
    return path


@pytest.mark.parametrize("wrong", [3, 20, 39])
def test_a_layer_that_is_wrong_in_one_frame_of_many(wrong, tmp_path):
    done = validate(flicker(tmp_path / "e.mcap", "edge", wrong), flicker(tmp_path / "r.mcap", "reference"))
    assert done["verdict"] == "fail"
    assert done["layers"][1]["role"] == "originates"
