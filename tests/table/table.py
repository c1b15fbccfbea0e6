#!/usr/bin/env python3
"""The table of tasks, models and faults: what a fault costs, whether `exray validate` finds it, what it names, and what
is left once the named fix is done.  Called by `make table`, which writes docs/table.md.

    table.py                    prints it
    table.py -o docs/table.md   writes it
    table.py --only face,ssd    some models; --parts tasks,classes,quantized,latency"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "faults")]

import accuracy
import bench_models
import task_cases
import task_faults
import task_models
from execute import Bench
from latency_rows import latency
from places import BUILD, EXRAY, run
from preprocessing import pipeline
from quantized_rows import quantized
from testdata import PICTURES

PARTS = ("tasks", "classes", "quantized", "latency")
CLASSES = ("mobilenet_v1", "mobilenet_v1_uint8", "mobilenet_v2_uint8", "lite0", "lite0_int8")
CLASS_FAULTS = ("channels: bgr", "values in [0, 1]", "values in 0..255", "rotated by 180 degrees", "stretched, no crop", "nearest neighbor",
                "NCHW for NHWC", "classes off by one")
# What each task's table shows; {name: words}.
MEASURES = {"detection": "boxes", "segmentation": "miou", "keypoints": "pck", "text": "cer", "embedding": "cosine"}
WORDS = {"boxes": "boxes that match", "miou": "mean IoU", "pck": "points in place", "cer": "wrong letters", "cosine": "cosine similarity"}


@dataclass
class Row:
    fault: str
    before: float
    detected: bool
    named: list
    right: tuple
    after: float = None
    fixed: str = ""  # why there is no figure


def judge(edge, reference):
    return json.loads(run(EXRAY, "validate", edge, reference, "--json", "-", allowed=(0, 1, 3)).stdout)


def named(said):
    return [f["cause"] for f in said["findings"] if f["severity"] == "error"]


def agreement(said, measure):
    """The share that agrees with the reference; None where nothing could be compared."""
    found = [m["agreement"] for m in (said["accuracy"] or {}).get("measures", []) if m["name"] == measure and not m["group"]]
    return found[0] if found else None


# ---- Tasks of pictures -------------------------------------------------------------------------


def task_row(bench, model, fault):
    edge, reference = task_cases.make_faulty(model, fault, 0, bench)
    said = judge(edge, reference)
    edge.unlink()
    row = Row(fault.name, agreement(said, MEASURES[model.task]), said["verdict"] == "fail", named(said), fault.causes)
    if fault.where != "input":
        row.fixed = "in the application"
        return row
    wrong, changed = {**model.right, **fault.change(model)}, False
    fixed = dict(wrong)
    for f in said["findings"]:
        fix = accuracy.parse_fix(f["fix"]) if f["severity"] == "error" else {}
        changed = changed or bool(fix)
        fixed.update(fix)
    if not changed:
        row.fixed = "no key named"
        return row
    out = bench._path("edge.mcap")
    task_models.record(model, task_models.pictures(model.pictures, 0), fixed, out)
    row.after = agreement(judge(out, reference), MEASURES[model.task])
    out.unlink()
    return row


def task_tables(bench, models, say):
    for model in models.values():
        faults = [f for f in task_faults.of(model) if f.where != "input" or f.change(model) is not None]
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(lambda fault, model=model: task_row(bench, model, fault), faults))
        say(model.name)
        yield model.task, model.name, rows, [f"## {model.task}: {model.file}", "", f"{WORDS[MEASURES[model.task]]}, against the reference", "",
                                             *table(rows), ""]


# ---- Classification, against the truth ---------------------------------------------------------


def class_rows(models, folder, say):
    table_of = accuracy.Table([m for m in models.values() if m.name in CLASSES], folder)
    table_of.references = {m.name: table_of.reference(m) for m in table_of.models}
    for model in table_of.models:
        rows, right = [], None
        for number, fault in enumerate(CLASS_FAULTS):
            made = table_of.row((f"{model.name}-{number}", model, fault))
            say(f"{model.name}: {fault}")
            if made is None:
                continue
            right = made.reference
            rows.append(Row(fault, made.wrong, bool(made.causes), made.causes, (), made.fixed if made.applied else None, "" if made.applied else "no key named"))
        yield model, right, rows


# ---- The page ----------------------------------------------------------------------------------


def percent(x):
    return "-" if x is None else f"{100 * x:.1f} %"


def table(rows):
    out = ["| fault | with it | found | named | after the named fix |", "|---|---|---|---|---|"]
    for r in rows:
        said = ", ".join(f"`{c}`" for c in r.named) or "nothing"
        out.append(f"| {r.fault} | {percent(r.before)} | {'yes' if r.detected else '**no**'} | {said} | {r.fixed or percent(r.after)} |")
    return out


def page(sections, totals, seconds):
    version = subprocess.run([EXRAY, "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return "\n".join([
        "# Tasks, models and faults", "",
        f"Written by `make table` with {version or 'exray'} in {seconds / 60:.0f} minutes; run it again to update it.", "",
        "Each row is a fault done to a real model: before it (the pipeline of `record`), in what it returns, or in what the application",
        "tells its user (the edge's log, rewritten). The reference is `replay` of the right edge's log with the right pipeline.",
        "*With it*: how much of what the edge told is as the reference told it, or where the pictures have classes, the accuracy.",
        "*Named*: the errors of `exray validate`, in its order. *After the named fix*: the same figure once the pipeline keys that the",
        "fixes name have the values that they name; the program gets no other information. What is wrong in an application's own code",
        "has no such key. Few labelled boxes, masks or points are at hand, so that there tasks but classification are measured against the",
        "reference alone.", "", *totals, "", *sections])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="models whose name contains this (or one of these: a,b)")
    parser.add_argument("--parts", default=",".join(PARTS), help="which parts")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    began, sections, counts = time.monotonic(), [], []
    folder = BUILD / "faults" / f"table-{os.getpid()}"
    bench = Bench({}, folder)

    def wanted(name):
        return not options.only or any(w in name for w in options.only.split(","))

    def say(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    parts = options.parts.split(",")
    if "tasks" in parts:
        for task, name, rows, text in task_tables(bench, {n: m for n, m in task_models.load().items() if wanted(n)}, say):
            sections += text
            counts.append((f"{task}: {name}", rows))
    models = bench_models.load() if {"classes", "quantized", "latency"} & set(parts) else {}
    if "classes" in parts:
        for model, right, rows in class_rows({n: m for n, m in models.items() if wanted(n)}, folder / "classes", say):
            count = sum(1 for line in (PICTURES / "labels.txt").read_text().splitlines() if line.strip())
            sections += [f"## classification: {model.path.name}", "", f"accuracy on {count} pictures; {percent(right)} with the reference pipeline", "", *table(rows), ""]
            counts.append((f"classification: {model.name}", rows))
    if "quantized" in parts:
        sections += quantized(folder, say)
    if "latency" in parts:
        sections += latency(folder, models, say)
    faults = [r for _, rows in counts for r in rows]
    told = [r for r in faults if r.right]
    totals = [f"{len(faults)} faults of {len({r.fault for r in faults})} kinds, {len(counts)} models: {sum(r.detected for r in faults)} found"
              + (f"; of {len(told)} whose cause is laid down, {sum(bool(r.named) and r.named[0] in r.right for r in told)} are named first by it." if told else ".")]
    text = page(sections, totals, time.monotonic() - began)
    shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        options.output.write_text(text.rstrip() + "\n")
    print(text if not options.output else totals[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
