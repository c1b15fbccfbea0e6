"""One row: the fault is done, `validate` judges, its named keys are set in the edge's pipeline file, and the edge runs again."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from mcap.reader import make_reader
from named_fix import fixed
from places import EXRAY, Changeless, Failed, run
from rows import Row


@dataclass
class Subject:
    """A model with its faults."""
    part: str
    task: str
    name: str
    file: str
    measure: str
    faults: list  # of Fault
    again: Callable = None  # (text of a pipeline file, path): the edge's log with it
    truth: bool = False
    by_logs: Callable = None  # (edge, reference): the measure, where validate has none
    options: tuple = ()  # of validate


@dataclass
class Fault:
    name: str
    causes: tuple  # that are right for the first finding; (): a healthy pair
    logs: Callable  # () -> (edge, reference)
    of_pipeline: bool = True  # else it is the application's: no key of a pipeline file mends it
    kept: bool = False  # the edge's log is others', too
    again: Callable = None  # the subject's, else
    more: dict = field(default_factory=dict)  # "mild": it may stay unseen where it costs nothing


def judge(edge, reference, *options):
    return json.loads(run(EXRAY, "validate", edge, reference, "--json", "-", *options, allowed=(0, 1, 3)).stdout)


def pipeline_of(log):
    """The pipeline file that a log holds."""
    with open(log, "rb") as file:
        for attachment in make_reader(file).iter_attachments():
            if attachment.name.endswith(".yaml") or "pipeline" in attachment.name:
                return attachment.data.decode("utf-8")
    return None


def errors(said):
    """Times are of other programs on the machine here."""
    return [f for f in said["findings"] if f["severity"] == "error" and not f["cause"].startswith("perf.")]


def measured(said, measure, truth, side="edge"):
    """The measure's value; None where nothing could be compared."""
    for m in (said["accuracy"] or {}).get("measures", []):
        if m["name"] == measure and not m["group"]:
            return m[side] if truth else m["agreement"]
    return None


def _figure(subject, edge, reference, said):
    return subject.by_logs(edge, reference) if subject.by_logs else measured(said, subject.measure, subject.truth)


def _row(subject, number, fault, folder):
    began = time.monotonic()
    edge, reference = fault.logs()
    said = judge(edge, reference, *subject.options)
    found = errors(said)
    row = Row(subject.part, subject.task, subject.name, fault.name, number, subject.file, subject.measure, subject.truth,
              measured(said, subject.measure, subject.truth, "reference") if subject.truth else None,
              _figure(subject, edge, reference, said), found=bool(found), named=[f["cause"] for f in found], causes=list(fault.causes), more=fault.more)
    if not fault.causes:
        row.note = "-"
    elif not fault.of_pipeline:
        row.note = "in the application"
    else:
        _fix(row, subject, fault, folder, [f["fix"] for f in found], edge, reference)
    if not fault.kept:
        Path(edge).unlink()
    row.seconds = round(time.monotonic() - began, 1)
    return row


def _fix(row, subject, fault, folder, fixes, edge, reference):
    text = pipeline_of(edge)
    if text == pipeline_of(reference):
        row.note = "in the application"
        return
    text, changed = fixed(text, fixes) if text else ("", False)
    if not changed:
        row.note = "no key named"
        return
    out = folder / f"{subject.name}-{row.number}-fixed.mcap"
    (fault.again or subject.again)(text, out)
    said = judge(out, reference, *subject.options)
    row.after = _figure(subject, out, reference, said)
    row.more = {**row.more, "left": [f["cause"] for f in errors(said)]}
    out.unlink()


def measure(subject, rows, folder, resume, jobs, say):
    """Measures the subject's rows, with `resume` only those that are not there; whether all are there now."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f.name for f in subject.faults]
    rows.keep(subject.part, subject.name, names)
    missing = [(k, f) for k, f in enumerate(subject.faults) if not (resume and rows.get(subject.part, subject.name, f.name))]

    def one(task):
        try:
            row = _row(subject, *task, folder)
        except Changeless:
            return True
        except Failed as error:  # this row is missing, the others go on
            print(f"table: {subject.name}: {task[1].name}: {error}", file=sys.stderr)
            return False
        rows.put(row)
        say(f"{subject.name}: {row.fault}")
        return True

    with ThreadPoolExecutor(jobs) as pool:
        return all(list(pool.map(one, missing)))
