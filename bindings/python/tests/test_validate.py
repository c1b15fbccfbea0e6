"""Validating: against the program's JSON, and assertions of one's own."""

import json
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import exray
from conftest import ROOT, record


def test_equals_the_program(logs, program, tmp_path):
    edge, reference, good = logs
    for log, status, verdict in ((edge, 1, "fail"), (good, 0, "pass")):
        report = exray.validate(log, reference)
        program("validate", log, reference, "--json", tmp_path / "p.json", status=status)
        assert report.json == json.loads((tmp_path / "p.json").read_text())
        assert report.text == program("validate", log, reference, status=status)
        assert report.verdict == verdict
    report = exray.validate(edge, reference)
    assert report.findings[0].cause == "input.channel_order" and report.findings[0].severity == "error"
    assert [layer.edge.op for layer in report.layers] == [item["edge"]["op"] for item in report.json["layers"]]
    assert report.accuracy.task in ("classification", None)


def test_options_equal_the_program(logs, program):
    edge, reference, _ = logs
    given = dict(only="input.*,layer.nan", min_coverage=0.5, fail_on=["perf", "log"])
    flags = ["--assert", "input.*,layer.nan", "--min-coverage", "0.5", "--fail-on", "perf,log"]
    wanted = json.loads(program("validate", edge, reference, *flags, "--json", "-", status=1))
    assert exray.validate(edge, reference, **given).json == wanted


def test_measures(logs, tmp_path):
    report = exray.validate(*logs[:2])
    first = report.accuracy.measures[0]
    assert isinstance(first, exray.Measure) and (first.name, first.unit, first.better, first.group) == ("top1", "share", "higher", None)
    assert (first.edge, first.reference, first.agreement) == (report.accuracy.edge, report.accuracy.reference, report.accuracy.agreement)
    sides = []
    for role, ids in (("edge", [[0, 1], [1, 1]]), ("reference", [[0, 1], [1, 0]])):
        with exray.Recorder(tmp_path / f"{role}-mask.mcap", role=role) as r, r.frame(source="a.png"):
            r.mask(ids)
        sides.append(tmp_path / f"{role}-mask.mcap")
    report = exray.validate(*sides)
    measures = {(m.name, m.group): m for m in report.accuracy.measures}
    assert measures["pixels", None].agreement == 0.75 and measures["pixels", None].edge is None and measures["pixels", None].frames == 1
    assert measures["iou", "class 0"].agreement == 0.5 and measures["boundary_shift", None].better == "lower"
    assert [vars(m) for m in report.accuracy.measures] == report.json["accuracy"]["measures"]
    assert len({report.accuracy, report.accuracy}) == 1  # as before, it can be a key


def test_known_findings(logs, tmp_path, program):
    edge, reference, _ = logs
    known = tmp_path / "known.yaml"
    exray.validate(edge, reference, write_known=known)
    report = exray.validate(edge, reference, known=known)
    assert report.verdict == "pass" and report.findings[0].known and report.findings[0].severity == "error"
    report.raise_for_findings()
    assert "known" in report._repr_html_()
    assert report.json == json.loads(program("validate", edge, reference, "--known", known, "--json", "-"))
    assert not exray.validate(edge, reference).findings[0].known
    with pytest.raises(exray.FileError):
        exray.validate(edge, reference, known=tmp_path / "none.yaml")
    known.write_text("cause: a")
    with pytest.raises(exray.FormatError, match="known.yaml:1"):
        exray.validate(edge, reference, known=known)


def test_requirements(logs):
    edge, reference, good = logs
    report = exray.validate(good, reference, require={"agreement": 1.0})
    assert report.json["requirements"][0]["requirement"] == "agreement>=1.0"
    assert exray.validate(good, reference, require="map>=0.5").verdict == "inconclusive"
    with pytest.raises(exray.ArgumentError, match="NAME>=NUMBER"):
        exray.validate(good, reference, require="top1")
    with pytest.raises(exray.ArgumentError):
        exray.validate(good, reference, require={"top1": "much"})


def test_raising(logs):
    edge, reference, good = logs
    with pytest.raises(exray.ValidationFailed, match="input.channel_order"):
        exray.validate(edge, reference).raise_for_findings()
    exray.validate(good, reference).raise_for_findings()
    empty = exray.validate(good, reference, min_coverage=1.0)
    empty.raise_for_findings(inconclusive=True)
    with pytest.raises(exray.ArgumentError):
        empty.raise_for_findings("fatal")


def test_html(logs, tmp_path):
    edge, reference, _ = logs
    report = exray.validate(edge, reference, html=tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert report.findings[0].cause in page and "<html" in page
    with pytest.raises(exray.FileError, match="cannot write"):
        exray.validate(edge, reference, html=tmp_path / "no" / "r.html")
    with pytest.raises(exray.ArgumentError, match="is a log"):
        exray.validate(edge, reference, html=edge)
    assert len(exray.open(edge)) == 6
    assert "input.channel_order" in report._repr_html_() and report._repr_html_().count("<tr>") == 1 + len(report.findings)


def test_notebook_table_is_escaped(logs):
    @exray.assertion
    def sly(c):
        c.find("<script>alert(1)</script>", severity="warning")

    html = exray.validate(*logs[:2], assertions=[sly])._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html


@exray.assertion(options={"limit": 0.001}, needs="/input of both logs", causes=["input.gain"])
def brightness(c):
    """Inputs are about equally bright"""
    for pair in c.inputs:
        a, b = c.values("edge", 0, pair, "input"), c.values("reference", 0, pair, "input")
        if abs(float(a[..., 0].mean() - b[..., 0].mean())) > c.option("limit"):
            c.find("Red differs.", cause="input.gain", confidence=0.75, fix="Swap it.", details=["one", "two"],
                   stage="input", tensor=pair.name[0], evidence={"red": float(a[..., 0].mean()), "unit": "1"},
                   alternatives={"user.lamp": 0.25})


def test_an_own_assertion(logs):
    edge, reference, good = logs
    report = exray.validate(edge, reference, assertions=[brightness], only="user.brightness")
    (finding,) = report.findings
    red = np.mean(exray.open(edge)[0].inputs["image"].numpy()[..., 0])
    assert finding.cause == "input.gain" and finding.assertion == "user.brightness"
    assert finding.details == ("one", "two") and finding.alternatives == (("user.lamp", 0.25),)
    assert finding.evidence["red"] == pytest.approx(red) and finding.evidence["unit"] == "1"
    assert (finding.stage, finding.tensor, finding.fix) == ("input", "image", "Swap it.")
    assert exray.validate(good, reference, assertions=[brightness]).verdict == "pass"
    settings = {"user.brightness.limit": 10.0}
    assert not exray.validate(edge, reference, assertions=[brightness], only="user.brightness",
                              settings=settings).findings


def test_it_sees_what_a_plug_in_sees(logs):
    seen = {}

    @exray.assertion(name="user.look")
    def look(c):
        seen["frames"] = [(a.index, b.source) for a, b in c.frames]
        seen["layers"] = [(p.op, p.role, p.metrics.count) for p in c.layers]
        seen["outputs"] = c.outputs
        seen["layer"] = c.values("edge", 2, c.layers[1])
        seen["by"] = c.matched_by
        seen["logs"] = (c.edge, c.reference)
        seen["c"] = c
        c.find("Here.", severity="info", layer=c.layers[0])

    edge, reference, _ = logs
    with exray.open(edge) as log:
        report = exray.validate(log, reference, assertions=[look])
        assert seen["logs"][0] is log
        assert seen["layer"].tolist() == log[2].layers[1].values().tolist()
    assert seen["frames"] == [(i, f"{i}.png") for i in range(6)] and seen["by"] == "source"
    assert [op for op, _, _ in seen["layers"]] == [("MEAN", "MEAN"), ("DELEGATE", "DELEGATE")]
    assert seen["layers"][0][2] == 6 * 3 and seen["outputs"][0].name == ("scores", "scores")
    assert next(f for f in report.findings if f.cause == "user.look").layer == 0
    with pytest.raises(exray.StateError, match="has returned"):
        seen["c"].layers


def status_of(report, name):
    return next((a["status"], a["reason"]) for a in report.json["assertions"] if a["name"] == name)


def test_failures_of_an_own_assertion(logs):
    _, reference, good = logs

    def broken(c):
        raise RuntimeError("oops")

    def unjudged(c):
        raise exray.NotRecorded("needs a lamp")

    def undeclared(c):
        c.find("x", cause="input.gain")

    def leaving(c):
        sys.exit(0)

    report = exray.validate(good, reference, assertions=[broken, unjudged, undeclared, leaving])
    assert report.verdict == "inconclusive" and "user.broken failed" in report.reason
    status, reason = status_of(report, "user.broken")
    assert status == "failed" and reason.startswith("RuntimeError: oops (test_validate.py:")
    assert status_of(report, "user.unjudged") == ("unjudged", "needs a lamp")
    assert status_of(report, "user.undeclared")[0] == "failed"
    assert status_of(report, "user.leaving")[0] == "failed" and "SystemExit" in status_of(report, "user.leaving")[1]
    with pytest.raises(exray.ValidationFailed, match="inconclusive"):
        report.raise_for_findings(inconclusive=True)


def test_an_interrupt_is_not_lost(logs):
    def impatient(c):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exray.validate(*logs[:2], assertions=[impatient])


def test_validations_within_validations(logs):
    edge, reference, good = logs

    @exray.assertion
    def nested(c):
        if exray.validate(good, reference, assertions=[brightness]).verdict != "pass":
            c.find("Wrong.")

    assert [f.cause for f in exray.validate(good, reference, assertions=[nested]).findings] == []


def test_threads_do_not_mix(logs):
    """The same assertion on several threads at once, each with logs of its own."""
    edge, reference, good = logs

    def judge(which):
        return [exray.validate(which, reference, assertions=[brightness], only="user.brightness").verdict
                for _ in range(8)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(judge, [edge, good, edge, good]))
    assert found == [["fail"] * 8, ["pass"] * 8] * 2


def test_misuse(logs, tmp_path):
    edge, reference, _ = logs
    for wrong in ({"only": "nothing"}, {"only": ""}, {"settings": {"user.x.y": 1}}, {"min_coverage": 2},
                  {"fail_on": ["all"]}, {"assertions": ["input.gain"]}, {"assertions": [brightness, brightness]}):
        with pytest.raises(exray.ArgumentError):
            exray.validate(edge, reference, **wrong)
    with pytest.raises(exray.FileError):
        exray.validate(edge, tmp_path / "nothing")
    with pytest.raises(exray.ArgumentError):
        exray.assertion(name="Not A Name")(lambda c: None)


def test_plug_ins_in_c(logs, tmp_path):
    source = tmp_path / "plugin.c"
    source.write_text("""
        #include <exray/assertion.h>
        EXRAY_INPUT_PROPERTY(red, "user.red", "red is alike", in,
                             in->metrics.mean[0] == in->metrics.mean[1] && in->metrics.max_abs < 0.01)
        EXRAY_PLUGIN(&red);
    """)
    library = tmp_path / "plugin.so"
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{ROOT / 'include'}", source, "-o", library], check=True)
    report = exray.validate(*logs[:2], plugins=[library], only="user.red")
    assert [f.cause for f in report.findings] == ["user.red"]


def test_pytest_plugin(logs, tmp_path):
    """In a pytest of its own, which finds the plug-in by its entry point."""
    edge, reference, good = logs
    (tmp_path / "test_it.py").write_text(textwrap.dedent(f"""
        def test_good(exray_validate):
            assert exray_validate({good!r}, {reference!r}).verdict == "pass"

        def test_bad(exray_validate):
            exray_validate({edge!r}, {reference!r})

        def test_one_assertion(exray_validate):
            exray_validate({edge!r}, {reference!r}, only="layer.nan", inconclusive=False)
    """))
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
                          cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    assert "input.channel_order" in done.stdout and "AssertionError" not in done.stdout


def test_no_leaks(logs):
    """Memory does not grow with validations, reads and records."""

    def resident():
        lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
        return int(lines["RssAnon"].split()[0])

    def work():
        exray.validate(*logs[:2], assertions=[brightness])
        for frame in exray.open(logs[0]):
            frame.image(), frame.layers[0].numpy(), frame.inputs[0].values()
        record(logs[0] + ".x", frames=2)

    def grown(runs):
        before = resident()
        for _ in range(runs):
            work()
        return resident() - before

    grown(20)
    # What leaks grows in each of them; a thread's heap that is made late, in one.
    assert min(grown(15) for _ in range(4)) < 512, "KiB"


def test_readings_of_an_assertion(tmp_path):
    """What peripheral sensors said along the frames; a finding of some frames names the one that separates them."""
    rng, light = np.random.default_rng(2), [300, 4, 280, 5, 310, 6, 290, 3]
    for role, gain in (("edge", .5), ("reference", 1)):
        with exray.Recorder(tmp_path / f"{role}.mcap", role=role) as r:
            for i, level in enumerate(light):
                with r.frame(index=i):
                    r.input("x", rng.normal(0, 1, (1, 8)).astype(np.float32) * (gain if level < 10 else 1))
                    if role == "edge":
                        r.reading("light", level, "lux")
                        r.reading("motion", [0, i, 2], "m/s2")
                    else:
                        r.reading("heat", 40 + i, "C")
    seen = {}

    @exray.assertion
    def dark(c: exray.Comparison) -> None:
        "Frames in the dark"
        seen.update(c.readings)
        c.find("It is dark.", severity="warning", frames=[i for i, v in enumerate(c.readings["light"].values[:, 0]) if v < 100])

    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", assertions=[dark], only="user.dark")
    assert set(seen) == {"light", "motion", "heat"} and (seen["light"].unit, seen["light"].side, seen["heat"].side) == ("lux", "edge", "reference")
    assert isinstance(seen["motion"], exray.ReadingSeries) and seen["motion"].values[3].tolist() == [0, 3, 2]
    found = report.findings[0]
    assert found.evidence["separating_reading"] == "light" and found.evidence["frame_list"] == "frames 1, 3, 5 and 7"
    assert found.summary == "It is dark, only where the reading light is below 143 lux."

    @exray.assertion
    def nowhere(c: exray.Comparison) -> None:
        "No such frame"
        c.find("It is dark.", frames=[99])

    report = exray.validate(tmp_path / "edge.mcap", tmp_path / "reference.mcap", assertions=[nowhere], only="user.nowhere")
    assert "there is no matched frame 99" in str(report.json["assertions"])
