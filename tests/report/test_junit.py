"""`exray validate --junit`: what PyPI's junitparser and xml.etree read of it, held against the verdict as JSON."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from latency_logs import write_times
from plugin_support import plugin
from validate_support import EXRAY, LITE0, Recording, normalize, textures, write_inputs

junitparser = pytest.importorskip("junitparser")


ASSERTIONS = json.loads(subprocess.run([EXRAY, "assertions", "--json", "-"], capture_output=True, check=True).stdout)["assertions"]
CAUSES = {cause for a in ASSERTIONS for cause in a["causes"]}


def run(*arguments):
    return subprocess.run([str(a) for a in (EXRAY, "validate", *arguments)], capture_output=True, timeout=120)


class Report:
    """Both readings of the XML, and the JSON of the same validation."""

    def __init__(self, folder, *arguments):
        xml, told = folder / "junit.xml", folder / "verdict.json"
        self.done = run(*arguments, "--junit", xml, "--json", told)
        assert self.done.returncode in (0, 1, 3), self.done.stderr
        self.status, self.root = self.done.returncode, ElementTree.parse(xml).getroot()
        self.verdict = json.loads(told.read_text())
        suites = junitparser.JUnitXml.fromfile(str(xml))
        self.suite, = suites
        self.cases = {case.name: case for case in self.suite}
        assert len(self.cases) == len(list(self.suite)) == self.suite.tests == suites.tests
        kinds = [{type(r) for r in case.result} for case in self.suite]
        for count, kind in ((self.suite.failures, junitparser.Failure), (self.suite.errors, junitparser.Error),
                            (self.suite.skipped, junitparser.Skipped)):
            assert count == sum(kind in k for k in kinds)

    def results(self, name, kind=None):
        return [r for r in self.cases[name].result if kind is None or isinstance(r, kind)]

    def failed(self):
        return {f.type for case in self.suite for f in case.result if isinstance(f, junitparser.Failure)}


@pytest.fixture
def swapped(tmp_path):
    pictures = textures(6, 64)
    return (write_inputs(tmp_path / "e.mcap", "edge", normalize([p[..., ::-1] for p in pictures], *LITE0)),
            write_inputs(tmp_path / "r.mcap", "reference", normalize(pictures, *LITE0)))


@pytest.fixture
def equal(tmp_path):
    pictures = normalize(textures(2, 64), *LITE0)
    decisions = [np.eye(10, dtype=np.float32)[k] for k in (3, 5)]
    return tuple(write_inputs(tmp_path / f"{role}.mcap", role, pictures, outputs=decisions)
                 for role in ("edge", "reference"))


def test_failures_are_the_findings_that_fail(swapped, tmp_path):
    report = Report(tmp_path, *swapped)
    errors = [f for f in report.verdict["findings"] if f["severity"] == "error"]
    assert report.status == 1 and report.failed() == {f["cause"] for f in errors} == {"input.channel_order"}
    failure, = report.results("input.channel_order", junitparser.Failure)
    assert failure.message == errors[0]["summary"] and f"fix: {errors[0]['fix']}" in failure.text
    assert all(line in failure.text for line in errors[0]["details"])
    assert report.cases["input.channel_order"].classname == "exray.input" and report.cases["output.activation"].classname == "exray.output"
    assert set(report.cases) == {"verdict", *CAUSES}
    properties = {p.name: p.value for p in report.suite.properties()}
    assert properties == {"edge": str(swapped[0]), "reference": str(swapped[1])}


def test_what_could_not_be_judged_is_skipped(equal, tmp_path):
    report = Report(tmp_path, *equal)
    assert report.status == 0 and report.suite.failures == report.suite.errors == 0
    reasons = {a["name"]: a["reason"] for a in report.verdict["assertions"] if a["status"] == "unjudged"}
    able = {cause: [a["name"] for a in ASSERTIONS if cause in a["causes"]] for cause in CAUSES}
    unjudged = {cause: [reasons[n] for n in names] for cause, names in able.items() if all(n in reasons for n in names)}
    assert len(unjudged) > 5 and report.suite.skipped == len(unjudged)
    for name, case in report.cases.items():
        skipped = report.results(name, junitparser.Skipped)
        assert len(skipped) == (name in unjudged) and all(s.message in unjudged[name] for s in skipped)


def test_warnings_do_not_fail_until_they_shall(tmp_path):
    e = write_times(tmp_path / "e", 1, slow={"CONV_2D": 20})
    r = write_times(tmp_path / "r", 2, role="reference")
    report = Report(tmp_path, e, r)
    warned = [f for f in report.verdict["findings"] if f["severity"] == "warning"]
    assert report.status == 0 and report.failed() == set() and "perf.straggler" in {f["cause"] for f in warned}
    assert "warning perf.straggler: " in report.cases["perf.straggler"].system_out
    report = Report(tmp_path, e, r, "--fail-on", "perf")
    assert report.status == 1 and "perf.straggler" in report.failed()
    assert "perf.straggler" not in (report.cases["perf.straggler"].system_out or "")


def test_inconclusive_is_an_error(tmp_path):
    pictures = normalize(textures(2, 32), *LITE0)
    logs = []
    for role, source in (("edge", "a"), ("reference", "b")):
        with Recording(tmp_path / role, role) as log:
            for i, p in enumerate(pictures):
                log.frame([("/input/image", p[None], {})], source=f"{source}{i}")
        logs.append(tmp_path / role)
    report = Report(tmp_path, *logs)
    error, = report.results("verdict", junitparser.Error)
    assert report.status == 3 and report.verdict["verdict"] == "inconclusive" and report.suite.failures == 0
    assert error.type == "inconclusive" and error.message == report.verdict["reason"]


def test_an_assertion_that_breaks_is_an_error(equal, tmp_path):
    report = Report(tmp_path, *equal, "--plugin", plugin(tmp_path, "abort();"))
    error, = report.results("user.mine", junitparser.Error)
    assert error.message and report.suite.failures == 0
    assert [a["status"] for a in report.verdict["assertions"] if a["name"] == "user.mine"] == ["failed"]


# What may stand in XML, what must be escaped, and what nothing can stand for.
HOSTILE = {
    r"<a href=\"x\">&amp;' ]]> <![CDATA[ --> %": "<a href=\"x\">&amp;' ]]> <![CDATA[ --> %",
    r"tab\tline": "tab\tline",
    r"a\001b\033[31m\177c": "a?b [31m c",  # a plug-in's words reach no terminal as commands, either
    r"\303\244\342\202\254\360\237\230\200": "ä€😀",
    r"\377\376 \303( \342\202 \360\237\230 \300\257 \340\200\257": None,
    r"\355\240\200 \355\277\277": None,  # surrogates
    r"\357\277\276 \357\277\277 \364\220\200\200": None,  # U+FFFE, U+FFFF, beyond the last
    r"\357\277\275\356\200\200\364\217\277\277": "\ufffd\ue000\U0010ffff",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(equal, tmp_path, text):
    body = f"""exray_finding *f = exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_ERROR, 1);
    exray_finding_summary(f, "%s", "{text}");
    exray_finding_detail(f, "%s", "{text}");
    exray_finding_fix(f, "%s", "{text}");"""
    report = Report(tmp_path, *equal, "--plugin", plugin(tmp_path, body))
    failure, = report.results("user.mine", junitparser.Failure)
    assert report.status == 1 and failure.type == "user.mine"
    element, = report.root.iter("failure")
    wanted = HOSTILE[text]
    if wanted is None:
        assert "?" in element.get("message") and all(c.isascii() or c.isprintable() for c in element.get("message"))
    else:
        assert element.get("message") == wanted
        assert element.text == f"{wanted}\n{wanted}\nfix: {wanted}"


def test_hostile_names_of_files(tmp_path):
    pictures = normalize(textures(2, 32), *LITE0)
    logs = [write_inputs(tmp_path / name, role, pictures) for role, name in
            (("edge", "a \"b\" <c> & 'd' ]]>"), ("reference", "e\nf\x01"))]
    report = Report(tmp_path, *logs)
    values = [p.value for p in report.suite.properties()]
    assert values == [str(logs[0]), str(logs[1]).replace("\x01", "?")]


def test_the_exit_status_is_the_verdicts(swapped, equal, tmp_path):
    for logs, options in ((swapped, []), (equal, []), (swapped, ["--assert", "layer.nan"])):
        plain = run(*logs, *options)
        assert run(*logs, *options, "--junit", tmp_path / "x.xml").returncode == plain.returncode
        assert run(*logs, *options, "--junit", tmp_path / "x.xml").stdout == plain.stdout


def test_standard_output_has_nothing_else(swapped, tmp_path):
    done = run(*swapped, "--junit", "-")
    assert done.returncode == 1 and done.stdout.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ElementTree.fromstring(done.stdout)
    assert root.tag == "testsuites" and len(root) == 1
    run(*swapped, "--junit", tmp_path / "x.xml")
    assert (tmp_path / "x.xml").read_bytes() == done.stdout


def test_a_file_that_cannot_be_written(equal, tmp_path):
    for target, said in ((tmp_path / "no" / "x.xml", b"cannot write"), ("/dev/full", b"No space left"), (equal[0], b"is a log")):
        done = run(*equal, "--junit", target)
        assert done.returncode == 2 and said in done.stderr
