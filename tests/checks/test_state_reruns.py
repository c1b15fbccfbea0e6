"""model.state with the engine at hand: the model is run again on each side's own inputs, and what was forgotten, missed or
late is named."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXRAY = ROOT / os.environ.get("EXRAY_BUILD_DIR", "build") / "exray"
if not EXRAY.exists():
    pytest.skip(f"no program at {EXRAY}: run make first", allow_module_level=True)
onnx = pytest.importorskip("onnx")

from log_writer import PB  # noqa: E402
from stateful_models import conv_cache, gru, handle, looped, variable  # noqa: E402
from validate_support import Recording, causes, finding  # noqa: E402

COUNT = 14


def run(*arguments, status=(0,)):
    done = subprocess.run([str(EXRAY), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode in status, done.stdout + done.stderr
    return done.stdout


class Kind:
    """A model, how it is run, and what stands in its logs."""

    def __init__(self, make, name, engine, op, x, states=()):
        self.make, self.name, self.engine, self.op, self.x, self.states = make, name, engine, op, x, dict(states)

    def outputs(self, folder, order):
        """The engine's outputs: order has the inputs' numbers, "reset" between them; a number more than COUNT is zeros."""
        model, inputs, resets, k = self.make(folder / self.name), data(self.x), [], 0
        with Recording(folder / "order.mcap") as log:
            for step in order:
                if step == "reset":
                    log.add("/event", "Event", PB["Event"](kind="reset", frame=k))
                    continue
                log.frame([("/input/x", inputs[step] if step < COUNT else np.zeros_like(inputs[0]), {})])
                k += 1
        how = ["--pipeline", folder / "p.yaml"] if self.states else []
        (folder / "p.yaml").write_text("state:\n" + "".join(f"  {i}: {o}\n" for i, o in self.states.items()))
        run("replay", "-q", folder / "order.mcap", "--engine", self.engine, "--model", model, "--from", "input", *how,
            "--capture", "io", "-o", folder / "run.mcap")
        (folder / "run.mcap").rename(folder / "run-done.mcap")
        npz = folder / f"npz{len(list(folder.glob('npz*')))}"
        run("export", folder / "run-done.mcap", "--npz", npz)
        (folder / "run-done.mcap").unlink()
        return [dict(np.load(f)) for f in sorted(npz.glob("frame-*.npz"))]

    def log(self, path, role, frames, events=()):
        """frames: (index, number of its input, what the run returned)."""
        model = path.parent / self.name
        with Recording(path, role) as log:
            first = {k: v for k, v in frames[0][2].items() if k.startswith(("input/", "output/"))}
            m = PB["Model"](name=self.name, sha256=hashlib.sha256(model.read_bytes()).digest(), engine=self.engine, threads=1,
                            kernels={"tflite": "builtin", "litert": "xnnpack", "onnxruntime": "default"}[self.engine])
            for i, (name, a) in enumerate(first.items()):
                m.tensors.add(name=name.split("/")[1], dtype=1, shape=a.shape)
                (m.inputs if name.startswith("input/") else m.outputs).append(i)
            m.nodes.add(op=self.op, name="cell", inputs=m.inputs, outputs=m.outputs)
            log.add("/model", "Model", m)
            for e in events:
                log.add("/event", "Event", PB["Event"](kind="reset", frame=e, text="the user pressed a button"))
            for index, number, made in frames:
                log.count = index
                log.frame([("/" + k, data(self.x)[number] if k == "input/x" else a, {}) for k, a in made.items()
                           if k.startswith(("input/", "output/"))], source=f"frame{index}")
        return path


def data(shape):
    return np.random.default_rng(9).normal(0, 1, (COUNT, *shape)).astype(np.float32)


KINDS = {
    "handle": Kind(handle, "m.tflite", "tflite", "VAR_HANDLE", (1, 8)),
    "litert": Kind(handle, "m.tflite", "litert", "VAR_HANDLE", (1, 8)),
    "variable": Kind(variable, "m.tflite", "tflite", "SVDF", (1, 8)),
    "looped": Kind(looped, "m.onnx", "onnxruntime", "Tanh", (1, 8), {"h": "h_out"}),
    "gru": Kind(gru, "m.onnx", "onnxruntime", "GRU", (4, 1, 8), {"h": "h_out"}),
    "cache": Kind(conv_cache, "m.onnx", "onnxruntime", "Conv", (1, 4, 5), {"cache1": "cache1_out", "cache2": "cache2_out"}),
}
INNER = ("handle", "litert", "variable")


def judge(tmp_path, kind, order, take=None, plain=None, asked=True, swap=False, events=()):
    """The edge ran `order`; its log has as frame f the run take[f] of that (default: all).  The reference is never reset."""
    how = KINDS[kind]
    runs, good = how.outputs(tmp_path, order), how.outputs(tmp_path, plain or range(COUNT))
    take = take or [(f, f, f) for f in range(COUNT)]
    names = ("edge.mcap", "reference.mcap") if not swap else ("reference.mcap", "edge.mcap")
    how.log(tmp_path / names[0], names[0][:-5], [(index, number, runs[r]) for index, number, r in take], events)
    how.log(tmp_path / names[1], names[1][:-5], [(f, f, good[f]) for f in range(COUNT)])
    model = tmp_path / how.name
    if asked:
        more = ["--engine", how.engine, "--reference-model", model]
    else:
        more = ["--no-isolate"] if asked is None else []
    return json.loads(run("validate", tmp_path / "edge.mcap", tmp_path / "reference.mcap", *more, "--json", "-", status=(0, 1)))


def state(verdict):
    errors = [f for f in verdict["findings"] if f["severity"] != "info"]
    assert [f["cause"] for f in errors] == ["model.state"], verdict["findings"]
    return finding(verdict, "model.state")["evidence"]


every = pytest.mark.parametrize("kind", KINDS)
inner = pytest.mark.parametrize("kind", INNER)


@pytest.mark.parametrize("kind, at", [(k, a) for k in KINDS for a in ((5,), (3, 11))] + [(k, a) for k in ("gru", "handle") for a in ((1,), (13,))])
def test_resets(tmp_path, kind, at):
    order = [s for f in range(COUNT) for s in (("reset", f) if f in at else (f,))]
    e = state(judge(tmp_path, kind, order))
    words = f"is reset before frame {at[0]}" if len(at) == 1 else f"is reset before frames {at[0]} and {at[1]}"
    assert e["edge_state"] == words and e["reference_state"] == "is never reset"
    assert e["rerun_equal"] == "bit for bit" and e["rerun_engine"] == KINDS[kind].engine


@every
def test_reset_before_every_frame_of_the_reference(tmp_path, kind):
    order = [s for f in range(COUNT) for s in ("reset", f)]
    e = state(judge(tmp_path, kind, order, swap=True))
    assert e["reference_state"] == "is reset before every frame" and e["edge_state"] == "is never reset" and e["kind"] == "not_carried"


@inner
@pytest.mark.parametrize("k, m", [(4, 1), (7, 4)])
def test_frames_that_the_log_has_and_the_model_did_not_see(tmp_path, kind, k, m):
    """Their outputs are those of the last run."""
    order = [f for f in range(COUNT) if not k <= f < k + m]
    take = [(f, f, f if f < k else k - 1 if f < k + m else f - m) for f in range(COUNT)]
    e = state(judge(tmp_path, kind, order, take))
    frames = f"frame {k}" if m == 1 else f"frames {k} to {k + m - 1}"
    assert e["edge_state"] == f"is not run in {frames}, which the log has" and e["kind"] == "missed"


@every
def test_frames_that_the_log_lacks(tmp_path, kind):
    order = [f for f in range(COUNT) if f not in (6, 7)]
    verdict = judge(tmp_path, kind, order, [(f, f, r) for r, f in enumerate(order)])
    e = state(verdict)
    assert e["missed"] == "frames 6 to 7" and e["edge_state"] == e["reference_state"] == "is never reset"


@inner
def test_a_log_that_lacks_frames_which_the_model_saw(tmp_path, kind):
    verdict = judge(tmp_path, kind, range(COUNT), [(f, f, f) for f in range(COUNT) if f not in (6, 7)])
    assert "model.state" not in causes(verdict)


@inner
@pytest.mark.parametrize("first, words", [(0, "gets the inputs of each frame one frame late"),
                                          (COUNT, "gets zeros in the first frame, and the inputs of each frame one frame late")])
def test_one_frame_late(tmp_path, kind, first, words):
    e = state(judge(tmp_path, kind, [first, *range(COUNT - 1)]))
    assert e["edge_state"] == words and e["kind"] == "late"


@inner
def test_a_frame_that_is_run_twice(tmp_path, kind):
    order = [*range(6), 5, *range(6, COUNT)]
    e = state(judge(tmp_path, kind, order, [(f, f, f if f < 6 else f + 1) for f in range(COUNT)]))
    assert e["edge_state"] == "is run twice on frame 5"


@inner
def test_a_model_that_had_been_run_before(tmp_path, kind):
    e = state(judge(tmp_path, kind, [0, 1, 2, *range(COUNT)], [(f, f, f + 3) for f in range(COUNT)]))
    assert e["edge_state"] == "had been run on frames 0 to 2 before the recording, and was not reset"


def test_what_the_application_told_is_repeated(tmp_path):
    order = [s for f in range(COUNT) for s in (("reset", f) if f == 5 else (f,))]
    f = finding(judge(tmp_path, "handle", order, events=(5,)), "model.state")
    assert any("event of kind reset at frame 5: the user pressed a button" in d for d in f["details"])


@every
def test_the_same_is_healthy_and_runs_nothing(tmp_path, kind):
    verdict = judge(tmp_path, kind, range(COUNT))
    assert causes(verdict) == [] and verdict["reruns"] is None


def test_the_file_beside_the_log_is_found(tmp_path):
    order = [s for f in range(COUNT) for s in (("reset", f) if f == 5 else (f,))]
    verdict = judge(tmp_path, "gru", order, asked=False)
    assert state(verdict)["edge_state"] == "is reset before frame 5" and verdict["reruns"]["engine"] == "onnxruntime"


@every
def test_without_an_engine_the_logs_prove_what_they_prove(tmp_path, kind):
    order = [s for f in range(COUNT) for s in (("reset", f) if f == 5 else (f,))]
    verdict = judge(tmp_path, kind, order, asked=None)
    assert "edge_state" not in state(verdict) and verdict["reruns"] is None
