"""Tasks of one's own: decided, compared, and told otherwise."""

import subprocess
import sys

import numpy as np
import pytest

import exray
from conftest import ROOT

sys.path.insert(0, str(ROOT / "examples" / "python"))

from count_task import Count

SCORES = np.random.default_rng(4).permutation(np.eye(5, dtype=np.float32)[[0, 1, 2, 3, 4, 2, 3, 1]])


def log(path, role, scores=SCORES, tell=None, truth=None, task="user.count", **outputs):
    with exray.Recorder(path, role=role, task=task) as r:
        for i, values in enumerate(scores):
            with r.frame(source=f"{i}.png"):
                r.output("scores", values[None])
                for name, array in outputs.items():
                    r.output(name, array[i])
                if tell:
                    r.vector("count", [tell(values)])
                if truth is not None:
                    r.truth.vector("count", [truth[i]])
    return str(path)


@pytest.fixture
def sides(tmp_path):
    return lambda edge, reference: (log(tmp_path / "e.mcap", "edge", **edge), log(tmp_path / "r.mcap", "reference", **reference))


def measures(report):
    return {m.name: m for m in report.accuracy.measures}


def test_outputs_are_decided_and_compared(sides):
    other = np.roll(SCORES, 1, axis=1)  # one more, or four less
    report = exray.validate(*sides(dict(scores=other, truth=SCORES.argmax(1)), dict()), tasks=[Count()])
    found = measures(report)
    wanted = np.abs(other.argmax(1) - SCORES.argmax(1)).mean()
    assert found["count_error"].agreement == pytest.approx(wanted) and found["count_error"].edge == pytest.approx(wanted) and found["count_error"].reference == 0
    assert found["exactly"].agreement == 0 and (found["exactly"].unit, found["exactly"].better, found["exactly"].frames) == ("share", "higher", len(SCORES))
    assert report.accuracy.task == "user.count" and "count error" in report.text
    assert exray.validate(*sides({}, {})).accuracy.measures == []  # a task is there for the validation that is given it


def test_what_was_told_otherwise_is_named(sides):
    right = lambda s: s.argmax()
    for tell, kind in ((lambda s: s.argmax() + 1, "counted from one"), (lambda s: 0, "always none"), (lambda s: s.argmax() * 7 + 2, "other")):
        report = exray.validate(*sides(dict(tell=tell), dict(tell=right)), tasks=[Count()])
        (finding,) = [f for f in report.findings if f.assertion == "user.count.told"]
        assert report.verdict == "fail" and finding.cause == "output.postprocess" and finding.evidence["kind"] == kind and finding.evidence["side"] == "edge"
    report = exray.validate(*sides(dict(tell=right), dict(tell=right)), tasks=[Count()])
    assert report.verdict == "pass" and measures(report)["exactly"].agreement == 1
    # where both applications mean something else by it, the task is not theirs
    report = exray.validate(*sides(dict(tell=lambda s: 9), dict(tell=lambda s: 9)), tasks=[Count()])
    assert [f for f in report.findings if f.assertion == "user.count.told"] == []


def test_results_of_every_kind_come_back(tmp_path):
    given = exray.Result(
        classes=(exray.ClassScore(3, 0.5, "three"),), boxes=(exray.Box(0, .25, .5, 1, 2, .75, "cat", (0, 0, 1, 0, 1, 1, 0, 1)),), text="höre",
        keypoints=(exray.Keypoint(.5, .25, 0, 1, 7),), vectors=(exray.Vector("v", (1.0, 2.0)),), mask=np.arange(6, dtype=np.uint16).reshape(2, 3))
    seen = []

    class Everything(exray.Task):
        name = "user.everything"
        measures = {"same": ("share", "higher")}

        def decide(self, outputs):
            return given

        def compare(self, told, other):
            seen.append(told)
            return {"same": told == other}

    edge, reference = (log(tmp_path / f"{role}.mcap", role, task="user.everything") for role in ("edge", "reference"))
    assert measures(exray.validate(edge, reference, tasks=[Everything()]))["same"].agreement == 1
    assert seen[0] == given


def test_what_it_raises_ends_the_validation(sides):
    class Broken(Count):
        def decide(self, outputs):
            raise ZeroDivisionError("of mine")

    with pytest.raises(ZeroDivisionError, match="of mine"):
        exray.validate(*sides({}, {}), tasks=[Broken()])

    class Unknown(Count):
        def compare(self, told, other):
            return {"other": 1}

    with pytest.raises(exray.ArgumentError, match="not in its `measures`"):
        exray.validate(*sides({}, {}), tasks=[Unknown()])
    assert measures(exray.validate(*sides({}, {}), tasks=[Count()]))["exactly"].agreement == 1


@pytest.mark.parametrize("name, said", [("count", ("x", "lower")), ("user.", ("x", "lower")), ("user.Count", ("x", "lower")), ("user.count2", ("x", "best"))])
def test_arguments(sides, name, said):
    task = type("Other", (Count,), {"name": name, "measures": {"count_error": said}})()
    with pytest.raises(exray.ArgumentError):
        exray.validate(*sides({}, {}), tasks=[task])
    with pytest.raises(exray.ArgumentError, match="exray.Task"):
        exray.validate(*sides({}, {}), tasks=[Count])


def test_the_example(tmp_path):
    for role, more in (("edge", 1), ("reference", 0)):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role, task="user.count") as r:
            for i, scores in enumerate(SCORES):
                with r.frame(source=f"{i}.png"):
                    r.output("scores", scores[None])
                    r.vector("count", [float(scores.argmax()) + more])
    done = subprocess.run([sys.executable, ROOT / "examples/python/count_task.py", tmp_path / "edge.mcap", tmp_path / "reference.mcap"], capture_output=True, text=True)
    assert "count_error: agreement 1 things" in done.stdout and done.returncode == 1 and "counted from one" in done.stderr


def test_outputs_that_are_not_of_the_task(sides):
    extra = np.zeros((len(SCORES), 1, 3, 3), np.float32)
    report = exray.validate(*sides(dict(extra=extra), dict(extra=extra)), tasks=[Count()])
    assert measures(report)["exactly"].agreement == 1  # one of the two outputs fits


@pytest.mark.parametrize("task, said", [("clasification", "did you mean classification?"), ("user.nobodys", "--plugin"), ("classification", ""), ("audio", ""), ("dance", "is not known")])
def test_a_task_that_nobody_knows_is_said(tmp_path, task, said):
    edge, reference = (log(tmp_path / f"{role}.mcap", role, task=task) for role in ("edge", "reference"))
    report = exray.validate(edge, reference)
    found = [line for line in report.json["unjudged"] if "is not known" in str(line)]
    assert report.verdict == "pass" and len(found) == bool(said) and said in str(found)
