#!/usr/bin/env python3
"""The counts of scripts/test.sh.

    test_summary.py --ctest NAME FOLDER OUTPUT LOG   notes what ctest printed and logged, says it in a line
    test_summary.py --pytest FOLDER NAME             the same of what tests/conftest.py noted
    test_summary.py FOLDER SECONDS STATUS            all that was noted: what was skipped and why, and the sum
"""

import collections
import json
import re
import sys
from pathlib import Path

KINDS = ("passed", "failed", "error", "skipped")
SLOWEST = 15  # files of tests that are told


def line(counts):
    return ", ".join(f"{counts[k]} {k}" for k in KINDS if counts[k] or k == "passed")


def ctest(name, folder, output, log):
    """Programs by ctest; what cmocka skipped inside of them, by its own words."""
    found = re.search(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", Path(output).read_text())
    failed, total = (int(found[2]), int(found[3])) if found else (0, 0)
    reasons = collections.Counter(re.sub(r"\S*/", "", text) for text in
                                  re.findall(r"^skipped: (.*)$", Path(log).read_text(errors="replace"), re.M))
    counts = {"passed": total - failed, "failed": failed, "error": 0, "skipped": sum(reasons.values())}
    (Path(folder) / f"{name}.json").write_text(json.dumps({**counts, "reasons": reasons}))
    return f"{total - failed} programs passed" + (f", {counts['skipped']} tests in them skipped" if reasons else "")


def pytest(folder, name):
    parts = [json.loads(p.read_text()) for p in sorted(Path(folder).glob(f"{name}-[na]*.json")) if p.stem in (f"{name}-alone", f"{name}-not-alone")]
    return line({k: sum(p[k] for p in parts) for k in KINDS})


def everything(folder, seconds, status):
    parts = [json.loads(p.read_text()) for p in sorted(Path(folder).glob("*.json"))]
    reasons = sum((collections.Counter(p["reasons"]) for p in parts), collections.Counter())
    counts = {k: sum(p[k] for p in parts) for k in KINDS}
    took = sum((collections.Counter(p.get("seconds", {})) for p in parts), collections.Counter())
    if took:
        print(f"\n== the slowest files of tests, of {sum(took.values()):.0f} s one after another")
        for file, spent in took.most_common(SLOWEST):
            print(f"{spent:7.1f} s  {file}")
    if reasons:
        print("\n== what was skipped, and why")
        for reason, count in reasons.most_common():
            print(f"{count:5d}  {reason}")
    print(f"\n{'all' if status == '0' else 'NOT all'} of it passed, in {int(seconds) // 60} min {int(seconds) % 60} s")
    print(f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed, {counts['skipped']} skipped")


if __name__ == "__main__":
    if sys.argv[1] == "--ctest":
        print(ctest(*sys.argv[2:]))
    elif sys.argv[1] == "--pytest":
        print(pytest(*sys.argv[2:]))
    else:
        everything(*sys.argv[1:])
