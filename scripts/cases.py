"""Runs modules of cases (scripts/cases.sh) side by side, prints the score of each, and holds what is wrong against
the list of known misses."""

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("fusion", "quantized", "operators", "shapes", "lookalike", "ports", "pictures", "results", "heads", "sound", "features",
           "tokens", "state", "performance")
TIMED = ("performance",)  # alone: what others do at the same time changes what is measured
KNOWN = ROOT / "tests" / "faults" / "known_misses.txt"


def known_misses():
    """{name: reason} of lines `NAME: REASON`."""
    lines = [line for line in KNOWN.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def names_of(cases, module):
    """The names of a module's cases, in its order."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run\n"
        "run.load(sys.argv[2]); print('\\n'.join(name for name, *_ in run.CASES))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(cases), str(cases / f"{module}.py")], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cases: {module} cannot be read: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.splitlines()


def run_module(cases, module, every):
    """The rows that the cases' own runner writes."""
    chosen = names_of(cases, module)[::every]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.json"
        pattern = "^(" + "|".join(map(re.escape, chosen)) + ")$"
        done = subprocess.run([sys.executable, "run.py", f"{module}.py", "-k", pattern, "--json", str(out)], cwd=cases, capture_output=True, text=True)
        if not out.exists():
            sys.exit(f"cases: {module} did not run to its end: {done.stderr.strip()[-500:]}")
        return json.loads(out.read_text())


def tell(module, rows, known):
    """Prints a module's score and what is not right; returns the names that nobody knew of."""
    right = [r for r in rows if r["kind"] == "ok"]
    skipped = [r for r in rows if r["kind"] == "skipped"]
    print(f"{module:12} {len(right)} of {len(rows) - len(skipped)} right" + (f", {len(skipped)} skipped: {skipped[0]['words']}" if skipped else ""), flush=True)
    for row in rows:
        if row["kind"] not in ("ok", "skipped"):
            reason = f" (known: {known[row['name']]})" if row["name"] in known else ""
            print(f"    {row['kind']}: {row['name']}: wants {row['want']}, got {row['words']}{reason}")
    for row in right:
        if row["name"] in known:
            print(f"    {row['name']} is right now: take it off {KNOWN.name}")
    return [r["name"] for r in rows if r["kind"] not in ("ok", "skipped") and r["name"] not in known]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every Nth case of each module, from its first on")
    parser.add_argument("--no-timed", action="store_true", help="without the modules that measure times")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time")
    options = parser.parse_args()
    importlib.import_module("exray")
    cases, known, wrong, counts = options.cases.resolve(), known_misses(), [], [0, 0]
    modules = [m for m in MODULES if (cases / f"{m}.py").exists()]
    together = [m for m in modules if m not in TIMED]
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = dict(zip(together, pool.map(lambda m: run_module(cases, m, options.every), together)))
    for module in () if options.no_timed else TIMED:
        if module in modules:
            rows[module] = run_module(cases, module, options.every)
    for module, of in rows.items():
        wrong += tell(module, of, known)
        counts[0] += sum(r["kind"] == "ok" for r in of)
        counts[1] += sum(r["kind"] != "skipped" for r in of)
    print(f"cases: {counts[0]} of {counts[1]} right" + (f"; {len(wrong)} wrong that were not known" if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
