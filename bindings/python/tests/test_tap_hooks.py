"""Taps leave nothing behind: one wrapper an object, restored exactly, in any order, while nested and after close."""

import itertools
import resource

import numpy as np
import pytest

import exray
import exray.litert
import exray.onnx
from exray._hook import Hook

litert = pytest.importorskip("ai_edge_litert.interpreter")


class Machine:
    """Something with a method, as an interpreter has."""

    def __init__(self):
        self.calls = 0

    def invoke(self, number=1):
        self.calls += 1
        return number * 2


def observer(seen, name):
    def observe(run, args, kwargs):
        seen.append(name)
        return run(*args, **kwargs)
    return observe


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("own", [False, True], ids=["the class's", "the application's"])
def test_three_leave_in_any_order(order, own):
    machine, seen = Machine(), []
    mine = lambda number=1: 100.0  # noqa: E731
    if own:
        machine.invoke = mine
    before = dict(vars(machine))
    observers = [observer(seen, i) for i in range(3)]
    hooks = []
    for one in observers:
        hooks.append(Hook.of(machine, "invoke"))
        hooks[-1].add(one)
    assert len(set(map(id, hooks))) == 1
    left = [0, 1, 2]
    for leaves in order:
        seen.clear()
        assert machine.invoke(5) == (100.0 if own else 10) and seen == left[::-1]
        hooks[leaves].remove(observers[leaves])
        left.remove(leaves)
    assert vars(machine) | {"calls": 0} == before | {"calls": 0}
    assert machine.invoke(number=4) == (100.0 if own else 8)


def test_the_application_wraps_the_wrapper():
    machine, seen = Machine(), []
    first, second = observer(seen, "first"), observer(seen, "second")
    hook = Hook.of(machine, "invoke")
    hook.add(first)
    below = machine.invoke
    machine.invoke = lambda number=1: below(number) + 1
    theirs = machine.invoke
    above = Hook.of(machine, "invoke")
    above.add(second)
    assert machine.invoke(3) == 7 and seen == ["second", "first"]
    hook.remove(first)
    above.remove(second)
    assert machine.invoke is theirs and machine.invoke(3) == 7 and seen == ["second", "first"]


def test_one_that_leaves_while_it_observes():
    machine, seen = Machine(), []
    hook = Hook.of(machine, "invoke")

    def once(run, args, kwargs):
        hook.remove(once)
        seen.append("once")
        return run(*args, **kwargs)

    hook.add(observer(seen, "always"))
    hook.add(once)
    assert machine.invoke() == 2 and machine.invoke() == 2
    assert seen == ["once", "always", "always"]


def test_a_copy_is_not_observed():
    machine, seen = Machine(), []
    Hook.of(machine, "invoke").add(observer(seen, "x"))
    copied = Machine()
    vars(copied).update(vars(machine))  # as copy.copy does
    assert Hook.of(copied, "invoke") is not Hook.of(machine, "invoke")


@pytest.fixture
def interpreter(model_file):
    path = model_file("mobilenet_v1_0.25_224_float.tflite")
    made = litert.Interpreter(str(path), experimental_preserve_all_tensors=True,
                              experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    made.allocate_tensors()
    return made


def run_once(interpreter, value=0.5):
    given = interpreter.get_input_details()[0]
    interpreter.set_tensor(given["index"], np.full(given["shape"], value, np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy()


def test_two_recorders_on_one_interpreter(tmp_path, interpreter):
    """Each has its whole log; one that leaves does not end the other's."""
    wanted = run_once(interpreter)
    first = exray.Recorder(tmp_path / "first.mcap", capture="full")
    second = exray.Recorder(tmp_path / "second.mcap", capture="full")
    taps = [exray.litert.tap(interpreter, r) for r in (first, second)]
    run_once(interpreter)
    taps[0].remove()
    run_once(interpreter)
    first.close()
    run_once(interpreter)
    second.close()
    assert "invoke" not in vars(interpreter)
    assert np.array_equal(run_once(interpreter), wanted)
    with exray.open(tmp_path / "first.mcap") as a, exray.open(tmp_path / "second.mcap") as b:
        assert (len(a), len(b)) == (1, 3)
        for frame in (*a, *b):
            assert np.array_equal(frame.outputs[0].numpy(), wanted)
            assert len(frame.layers) == len(a.model.nodes) == len(frame.latency)
            assert frame.inference_ns > 0


def test_closing_the_recorder_restores_the_interpreter(tmp_path, interpreter):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        exray.litert.tap(interpreter, r)
        assert "invoke" in vars(interpreter)
    assert "invoke" not in vars(interpreter)
    mine = lambda: None  # noqa: E731
    interpreter.invoke = mine
    with exray.Recorder(tmp_path / "b.mcap") as r:
        exray.litert.tap(interpreter, r)
    assert interpreter.invoke is mine


def test_1500_recorders(tmp_path, interpreter):
    """An application that begins a log now and then, for weeks."""
    def some(count):
        for _ in range(count):
            with exray.Recorder(tmp_path / "a.mcap", capture="frame") as r:
                exray.litert.tap(interpreter, r)
                run_once(interpreter)

    some(100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    some(1400)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1400 * 10  # KB
    assert "invoke" not in vars(interpreter)


def test_a_session_serves_the_next_recorder(tmp_path, model_file):
    path = model_file("efficientnet_lite0_float.onnx")
    feed = None
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        session = exray.onnx.Session(path, r, latency=False)
        given = session.get_inputs()[0]
        feed = {given.name: np.full([1 if not isinstance(n, int) else n for n in given.shape], 0.25, np.float32)}
        wanted = session.run(None, feed)
    with exray.Recorder(tmp_path / "b.mcap", capture="stats") as r:
        again = exray.onnx.tap(session, r)
        assert again.session is session.session
        got = again.run(None, feed)
    assert all(np.array_equal(a, b) for a, b in zip(wanted, got))
    with exray.open(tmp_path / "a.mcap") as a, exray.open(tmp_path / "b.mcap") as b:
        assert len(a) == len(b) == 1 and not a[0].layers and len(b[0].layers) > 50
        assert np.array_equal(a[0].outputs[0].numpy(), b[0].outputs[0].numpy())
    with exray.Recorder(tmp_path / "c.mcap") as r, pytest.raises(exray.ArgumentError, match="has its options"):
        exray.onnx.tap(session, r, kernels="none")
