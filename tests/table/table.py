#!/usr/bin/env python3
"""The table of tasks, models and faults: what a fault costs, whether `exray validate` finds it, what it names, and what
is left once the named fix is done.  Called by `make table`, which writes docs/table.md.

    table.py                            measures all, prints the page
    table.py -o docs/table.md           writes it
    table.py --only face,ssd            measures these models; --parts classes,tasks,sources,quantized,latency: these parts
    table.py --resume                   measures what has no row yet
    table.py --page                     measures nothing: the page of the rows that are there

Rows are kept in tests/table/rows.json (--rows FILE), one a line; the page shows all of them, whatever was measured now."""

import argparse
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "faults"), str(HERE.parent / "faults" / "kinds")]

import class_rows
import fault_rows
import page
import source_rows
import task_rows
from execute import Bench
from latency_rows import latency
from places import BUILD, EXRAY
from quantized_rows import quantized
from rows import PARTS, Rows

SUBJECTS = {"classes": class_rows.subjects, "tasks": task_rows.subjects, "sources": source_rows.subjects}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="models whose name contains this (or one of these: a,b); = before it: equals")
    parser.add_argument("--parts", default=",".join(PARTS), help="which parts")
    parser.add_argument("--resume", action="store_true", help="rows that are there are not measured again")
    parser.add_argument("--page", action="store_true", help="measures nothing")
    parser.add_argument("--rows", type=Path, default=HERE / "rows.json", help="where the rows are kept (tests/table/rows.json)")
    parser.add_argument("--jobs", type=int, default=2, help="rows at a time (2)")
    parser.add_argument("-o", "--output", type=Path, help="where the page goes (standard output)")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    strange = [p for p in options.parts if p not in PARTS]
    if strange:
        parser.error(f"no part {strange[0]}; parts are {', '.join(PARTS)}")
    return options


def matches(name, only):
    return not only or any(name == w[1:] if w.startswith("=") else w in name for w in only.split(","))


def say(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(options, rows):
    folder = BUILD / "faults" / f"table-{os.getpid()}"
    bench, whole = Bench({}, folder), True
    try:
        for part in options.parts:
            if part in SUBJECTS:
                for subject in SUBJECTS[part](bench, lambda name: matches(name, options.only)):
                    whole = fault_rows.measure(subject, rows, folder, options.resume, options.jobs, say) and whole
        if "quantized" in options.parts:
            quantized(folder / "quantized", rows, lambda name: matches(name, options.only), options.resume, say)
        if "latency" in options.parts:
            latency(folder / "latency", rows, lambda name: matches(name, options.only), options.resume, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return whole


def main():
    options = arguments()
    if not EXRAY.exists() and not options.page:
        print(f"table: {EXRAY} is missing; run scripts/table.sh", file=sys.stderr)
        return 2
    rows = Rows(options.rows)
    whole = options.page or measure(options, rows)
    text = page.markdown(rows)
    if options.output:
        options.output.write_text(text)
    else:
        print(text)
    say("")
    print(page.totals(rows), file=sys.stderr)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
