"""Hooks of all tests in Python (their conftest.py take them from here): those that need test data have the
mark `data`, which is checked; and what was skipped is told by reason.

`make test` runs everything, and the tests with the mark once more with EXRAY_ASSETS=none."""

import collections
import json
import os
import re
import sys

import testdata
import pytest

# The files of tests that take longest (the last lines of scripts/test.sh tell them).  They are begun first, since a file
# is one worker's: behind the others they would leave the other workers without work.
_LONGEST = ("test_arm64_engines.py", "test_ort_app.py", "test_explain.py", "test_faults.py", "test_install.py", "test_explain_detail.py",
            "test_wheel.py", "test_tap_hooks.py", "test_pipeline_resize.py", "test_demo_app.py", "test_html_undone.py", "test_workflows.py",
            "test_demo_model.py", "test_pictures_in_memory.py", "test_record.py", "test_kernels.py", "test_litert_app.py",
            "test_tflite_arm64.py", "test_hostile_commands.py", "test_core_freestanding.py", "test_isolate.py", "test_validate_models.py",
            "test_delegate_stub.py", "test_sound.py")
_touched = set()
_WATCHED = tuple(str(f) + os.sep for f in testdata.FOLDERS)


def _note(value):
    if isinstance(value, (list, tuple)):
        for v in value:
            _note(v)
    elif isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        if isinstance(text, str) and text.startswith(_WATCHED):
            _touched.add(text)


def _audit(event, arguments):
    if event in ("open", "os.listdir", "os.scandir"):
        _note(arguments[0] if not isinstance(arguments[0], int) else "")
    elif event == "subprocess.Popen":
        _note(arguments[1] or ())


sys.addaudithook(_audit)


def pytest_configure(config):
    config.addinivalue_line("markers", "data: needs models or pictures of tests/testdata.py; make test runs it with each set of them")
    config.addinivalue_line("markers", "alone: measures times; make test runs it with nothing beside it")


def pytest_collection_modifyitems(items):
    for item in items:
        defined = getattr(item, "_fixtureinfo").name2fixturedefs
        if any((d.func.__module__, d.func.__name__) in testdata.FIXTURES for found in defined.values() for d in found):
            item.add_marker("data")
    if "PYTEST_XDIST_WORKER" in os.environ:
        _longest_first(items)


def _longest_first(items):
    """By file: those of the list, then the ones with the most tests."""
    tests = collections.Counter(item.path for item in items)
    rank = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: (rank.get(item.path.name, len(rank)), -tests[item.path], str(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    _touched.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    if _touched and not item.get_closest_marker("data"):
        pytest.fail(f"needs test data ({sorted(_touched)[0]}) and has no mark: @pytest.mark.data", pytrace=False)
    return result


def _reason(report):
    """Without what differs from test to test: names of files, numbers."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return re.sub(r"\S*/", "", text.removeprefix("Skipped: "))


def _seconds(stats):
    """By file: what its tests and their fixtures took."""
    seconds = collections.Counter()
    for kind in ("", "passed", "failed", "error", "skipped"):
        for report in stats.get(kind, []):
            if hasattr(report, "duration"):
                seconds[report.nodeid.split("::")[0]] += report.duration
    return seconds


def pytest_terminal_summary(terminalreporter):
    skipped = collections.Counter(_reason(r) for r in terminalreporter.stats.get("skipped", []))
    counts = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped")}
    if skipped:
        terminalreporter.write_sep("-", "skipped, by reason")
        for reason, count in skipped.most_common():
            terminalreporter.write_line(f"{count:5d}  {reason}")
    out = os.environ.get("EXRAY_TEST_RESULTS")
    if out:  # for the last lines of scripts/test.sh
        with open(out, "w") as file:
            json.dump({**counts, "reasons": skipped, "seconds": _seconds(terminalreporter.stats)}, file)
